//! All rules, by family. One line here and one file below is a rule.

rules! {
    grant {
    }
}
