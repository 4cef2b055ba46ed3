//! All rules, by family. One line here and one file below is a rule.

rules! {
    boundary {
        boundary_detachable::BOUNDARY_DETACHABLE,
        boundary_iam_denylist_incomplete::BOUNDARY_IAM_DENYLIST_INCOMPLETE,
        boundary_noop::BOUNDARY_NOOP,
        boundary_policy_mutable::BOUNDARY_POLICY_MUTABLE,
        boundary_required_missing::BOUNDARY_REQUIRED_MISSING,
        delegated_iam_without_boundary_condition::DELEGATED_IAM_WITHOUT_BOUNDARY_CONDITION,
    }
    compute {
        compute_role_privileged::COMPUTE_ROLE_PRIVILEGED,
        credentials_in_compute_env::CREDENTIALS_IN_COMPUTE_ENV,
        ecs_task_and_execution_role_mixed::ECS_TASK_AND_EXECUTION_ROLE_MIXED,
        imdsv1_allowed::IMDSV1_ALLOWED,
        role_shared_across_workloads::ROLE_SHARED_ACROSS_WORKLOADS,
    }
    condition {
        condition_key_unknown_or_unsupported::CONDITION_KEY_UNKNOWN_OR_UNSUPPORTED,
        equals_operator_with_wildcard::EQUALS_OPERATOR_WITH_WILDCARD,
        forallvalues_allow_without_null_guard::FORALLVALUES_ALLOW_WITHOUT_NULL_GUARD,
        ifexists_on_security_key_in_allow::IFEXISTS_ON_SECURITY_KEY_IN_ALLOW,
        mfa_allow_boolifexists::MFA_ALLOW_BOOLIFEXISTS,
        mfa_deny_misses_long_term_keys::MFA_DENY_MISSES_LONG_TERM_KEYS,
        negated_operator_in_allow::NEGATED_OPERATOR_IN_ALLOW,
        policy_variable_misuse::POLICY_VARIABLE_MISUSE,
        sourceip_ineffective::SOURCEIP_INEFFECTIVE,
    }
    credential {
        console_user_without_mfa_enforcement::CONSOLE_USER_WITHOUT_MFA_ENFORCEMENT,
        force_mfa_policy_flawed::FORCE_MFA_POLICY_FLAWED,
        hardcoded_access_key::HARDCODED_ACCESS_KEY,
        iam_access_key_resource::IAM_ACCESS_KEY_RESOURCE,
        iam_user_defined::IAM_USER_DEFINED,
        password_policy_missing_or_weak::PASSWORD_POLICY_MISSING_OR_WEAK,
        secret_key_exposed_in_output::SECRET_KEY_EXPOSED_IN_OUTPUT,
        user_direct_policy::USER_DIRECT_POLICY,
        workload_uses_static_credentials::WORKLOAD_USES_STATIC_CREDENTIALS,
    }
    escalation {
        boundary_or_deny_removal::BOUNDARY_OR_DENY_REMOVAL,
        chained_path_to_admin::CHAINED_PATH_TO_ADMIN,
        credential_creation_for_others::CREDENTIAL_CREATION_FOR_OTHERS,
        existing_compute_code_injection::EXISTING_COMPUTE_CODE_INJECTION,
        external_entry_to_admin::EXTERNAL_ENTRY_TO_ADMIN,
        passrole_new_compute::PASSROLE_NEW_COMPUTE,
        policy_write_plus_takeover_combo::POLICY_WRITE_PLUS_TAKEOVER_COMBO,
        remote_exec_on_privileged_compute::REMOTE_EXEC_ON_PRIVILEGED_COMPUTE,
        self_escalation_policy_write::SELF_ESCALATION_POLICY_WRITE,
        trust_policy_rewrite::TRUST_POLICY_REWRITE,
    }
    federation {
        ci_role_privileged::CI_ROLE_PRIVILEGED,
        ci_subject_tenant_open::CI_SUBJECT_TENANT_OPEN,
        ci_subject_too_wide::CI_SUBJECT_TOO_WIDE,
        cognito_identity_trust_weak::COGNITO_IDENTITY_TRUST_WEAK,
        github_any_ref::GITHUB_ANY_REF,
        github_non_tenant_claims_only::GITHUB_NON_TENANT_CLAIMS_ONLY,
        github_org_wide::GITHUB_ORG_WIDE,
        github_owner_not_anchored::GITHUB_OWNER_NOT_ANCHORED,
        github_sub_open::GITHUB_SUB_OPEN,
        github_subject_matches_no_workflow::GITHUB_SUBJECT_MATCHES_NO_WORKFLOW,
        irsa_subject_weak::IRSA_SUBJECT_WEAK,
        oidc_aud_missing_or_wide::OIDC_AUD_MISSING_OR_WIDE,
        oidc_condition_operator_unsafe::OIDC_CONDITION_OPERATOR_UNSAFE,
        pipeline_subject_matches_no_job::PIPELINE_SUBJECT_MATCHES_NO_JOB,
        shared_issuer_tenancy_claim_missing::SHARED_ISSUER_TENANCY_CLAIM_MISSING,
        workflow_for_strangers_assumes_role::WORKFLOW_FOR_STRANGERS_ASSUMES_ROLE,
    }
    governance {
        access_analyzer_missing::ACCESS_ANALYZER_MISSING,
        cloudtrail_trail_incomplete::CLOUDTRAIL_TRAIL_INCOMPLETE,
    }
    grant {
        abac_tag_self_service::ABAC_TAG_SELF_SERVICE,
        admin_equivalent_union::ADMIN_EQUIVALENT_UNION,
        admin_star_star::ADMIN_STAR_STAR,
        allow_notaction::ALLOW_NOTACTION,
        assume_any_role::ASSUME_ANY_ROLE,
        effectively_star_resource::EFFECTIVELY_STAR_RESOURCE,
        kms_decrypt_all_keys::KMS_DECRYPT_ALL_KEYS,
        managed_administratoraccess::MANAGED_ADMINISTRATORACCESS,
        managed_escalation_capable::MANAGED_ESCALATION_CAPABLE,
        managed_fullaccess_on_workload::MANAGED_FULLACCESS_ON_WORKLOAD,
        passrole_any_role_any_service::PASSROLE_ANY_ROLE_ANY_SERVICE,
        passrole_any_role_one_service::PASSROLE_ANY_ROLE_ONE_SERVICE,
        secrets_and_parameters_read_all::SECRETS_AND_PARAMETERS_READ_ALL,
        service_wildcard_on_all::SERVICE_WILDCARD_ON_ALL,
        star_resource_on_data_read::STAR_RESOURCE_ON_DATA_READ,
        star_resource_on_scopable_write::STAR_RESOURCE_ON_SCOPABLE_WRITE,
    }
    identity_center {
        permission_set_admin::PERMISSION_SET_ADMIN,
        permission_set_escalation_capable::PERMISSION_SET_ESCALATION_CAPABLE,
        permission_set_session_long::PERMISSION_SET_SESSION_LONG,
    }
    organization {
        org_policy_invalid_or_oversize::ORG_POLICY_INVALID_OR_OVERSIZE,
        org_policy_unattached_or_disabled::ORG_POLICY_UNATTACHED_OR_DISABLED,
        scp_cloudtrail_guard_incomplete::SCP_CLOUDTRAIL_GUARD_INCOMPLETE,
        scp_detective_service_guard_incomplete::SCP_DETECTIVE_SERVICE_GUARD_INCOMPLETE,
        scp_exemption_spoofable::SCP_EXEMPTION_SPOOFABLE,
        scp_imdsv2_guard_incomplete::SCP_IMDSV2_GUARD_INCOMPLETE,
        scp_region_deny_breaks_global_services::SCP_REGION_DENY_BREAKS_GLOBAL_SERVICES,
        scp_root_user_not_restricted::SCP_ROOT_USER_NOT_RESTRICTED,
    }
    resource {
        kms_key_policy_too_open::KMS_KEY_POLICY_TOO_OPEN,
        lambda_public_or_url_anonymous::LAMBDA_PUBLIC_OR_URL_ANONYMOUS,
        public_policy_weak_condition::PUBLIC_POLICY_WEAK_CONDITION,
        public_resource_policy::PUBLIC_RESOURCE_POLICY,
        resource_allow_notprincipal::RESOURCE_ALLOW_NOTPRINCIPAL,
        resource_cross_account_unknown::RESOURCE_CROSS_ACCOUNT_UNKNOWN,
        s3_public_access_block_off::S3_PUBLIC_ACCESS_BLOCK_OFF,
        s3_tls_not_enforced::S3_TLS_NOT_ENFORCED,
        service_principal_without_source_guard::SERVICE_PRINCIPAL_WITHOUT_SOURCE_GUARD,
    }
    trust {
        privileged_role_externally_assumable::PRIVILEGED_ROLE_EXTERNALLY_ASSUMABLE,
        service_trust_confused_deputy::SERVICE_TRUST_CONFUSED_DEPUTY,
        third_party_account_without_external_id::THIRD_PARTY_ACCOUNT_WITHOUT_EXTERNAL_ID,
        trust_anyone::TRUST_ANYONE,
        trust_anyone_weak_condition::TRUST_ANYONE_WEAK_CONDITION,
        trust_notprincipal_allow::TRUST_NOTPRINCIPAL_ALLOW,
        trust_principal_malformed_or_orphan::TRUST_PRINCIPAL_MALFORMED_OR_ORPHAN,
        unknown_account_trusted::UNKNOWN_ACCOUNT_TRUSTED,
    }
    validity {
        action_resource_mismatch::ACTION_RESOURCE_MISMATCH,
        analysis_incomplete::ANALYSIS_INCOMPLETE,
        invalid_arn_or_account::INVALID_ARN_OR_ACCOUNT,
        policy_grammar_invalid::POLICY_GRAMMAR_INVALID,
        policy_version_missing_or_old::POLICY_VERSION_MISSING_OR_OLD,
        quota_exceeded::QUOTA_EXCEEDED,
        unknown_or_empty_action::UNKNOWN_OR_EMPTY_ACTION,
    }
}
