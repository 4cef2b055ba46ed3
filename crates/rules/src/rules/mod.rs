//! All rules, by family. One line here and one file below is a rule.

rules! {
    resource {
        resource_allow_notprincipal::RESOURCE_ALLOW_NOTPRINCIPAL,
    }
    trust {
        trust_anyone::TRUST_ANYONE,
        trust_anyone_weak_condition::TRUST_ANYONE_WEAK_CONDITION,
        trust_notprincipal_allow::TRUST_NOTPRINCIPAL_ALLOW,
    }
    validity {
        policy_grammar_invalid::POLICY_GRAMMAR_INVALID,
    }
}
