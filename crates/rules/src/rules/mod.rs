//! All rules, by family. One line here and one file below is a rule.

rules! {
    validity {
        policy_grammar_invalid::POLICY_GRAMMAR_INVALID,
    }
}
