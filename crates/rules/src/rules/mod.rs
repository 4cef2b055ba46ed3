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
        analysis_incomplete::ANALYSIS_INCOMPLETE,
        invalid_arn_or_account::INVALID_ARN_OR_ACCOUNT,
        policy_grammar_invalid::POLICY_GRAMMAR_INVALID,
        policy_version_missing_or_old::POLICY_VERSION_MISSING_OR_OLD,
        unknown_or_empty_action::UNKNOWN_OR_EMPTY_ACTION,
    }
}
