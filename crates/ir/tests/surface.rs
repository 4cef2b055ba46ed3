//! The checked-in tables of Terraform arguments and CloudFormation properties that carry access, row by
//! row against lowering.
//!
//! Not for what lowering makes of a row. Invariant tested: a row changes the model, or its kind or
//! its type stands below with the reason why not.

use overgrant_ir::{Format, Mode, Model, Resource, lower};
use overgrant_value::{Guard, Src, Text, Val};

const TERRAFORM: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../testdata/surface/terraform_policy_attrs.tsv"
));
const CLOUDFORMATION: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../testdata/surface/cfn_policy_props.tsv"
));

/// Types and arguments that do not change the model, with the reason; `*` is every argument that
/// does not.
type LeftOut = &'static [(&'static str, &'static str, &'static str)];

const LEFT_OUT_OF_CLOUDFORMATION: LeftOut = &[
    (
        "AWS::Budgets::BudgetsAction",
        "*",
        "a budget applies it later, when money is spent",
    ),
    (
        "AWS::CDK::Metadata",
        "Analytics",
        "names the constructs that were used",
    ),
    (
        "AWS::Chatbot::MicrosoftTeamsChannelConfiguration",
        "GuardrailPolicies",
        "bounds a chat channel, not an identity",
    ),
    (
        "AWS::Cognito::IdentityPoolPrincipalTag",
        "PrincipalTags",
        "names tags, gives nothing",
    ),
    (
        "AWS::EC2::ClientVpnEndpoint",
        "AuthenticationOptions[].FederatedAuthentication.SAMLProviderArn",
        "signs in to a network",
    ),
    (
        "AWS::EKS::IdentityProviderConfig",
        "Oidc",
        "signs in to a cluster",
    ),
    (
        "AWS::EMR::StudioSessionMapping",
        "SessionPolicyArn",
        "a session policy by ARN: only documents are read",
    ),
    (
        "AWS::EntityResolution::PolicyStatement",
        "Action",
        "a statement in single properties, in a policy that is not here",
    ),
    (
        "AWS::IAM::VirtualMFADevice",
        "Users[]",
        "a second factor, gives nothing",
    ),
    (
        "AWS::IoT::PolicyPrincipalAttachment",
        "*",
        "a certificate's policy; the policy itself is read",
    ),
    (
        "AWS::RAM::Permission",
        "PolicyTemplate",
        "a template without principal and resource",
    ),
    (
        "AWS::Serverless::*",
        "see sam.tsv",
        "the translator expands these types before",
    ),
    (
        "Custom::*",
        "ServiceToken",
        "names the function that is called; the function is read",
    ),
    (
        "Custom::AWS",
        "*",
        "a call in a text; what it needs is granted to the provider's role",
    ),
];

const LEFT_OUT_OF_TERRAFORM: LeftOut = &[
    (
        "aws_budgets_budget_action",
        "*",
        "a budget applies it later, when money is spent",
    ),
    (
        "aws_chatbot_teams_channel_configuration",
        "guardrail_policy_arns",
        "bounds a chat channel, not an identity",
    ),
    (
        "aws_cloudcontrolapi_resource",
        "desired_state",
        "a CloudFormation resource in a text; only templates are read",
    ),
    (
        "aws_cognito_identity_pool_provider_principal_tag",
        "principal_tags",
        "names tags, gives nothing",
    ),
    ("aws_dms_replication_instance", "(implicit)", "no argument"),
    (
        "aws_ec2_client_vpn_endpoint",
        "authentication_options[].saml_provider_arn",
        "signs in to a network",
    ),
    (
        "aws_ec2_client_vpn_endpoint",
        "authentication_options[].self_service_saml_provider_arn",
        "signs in to a network",
    ),
    (
        "aws_eks_identity_provider_config",
        "oidc.issuer_url",
        "signs in to a cluster",
    ),
    (
        "aws_emr_studio_session_mapping",
        "session_policy_arn",
        "a session policy by ARN: only documents are read",
    ),
    (
        "aws_iam_outbound_web_identity_federation",
        "(presence)",
        "no argument",
    ),
    (
        "aws_iot_policy_attachment",
        "policy",
        "a certificate's policy; the policy itself is read",
    ),
    (
        "aws_organizations_aws_service_access",
        "service_principal",
        "trusts a service with the organisation, not with an account",
    ),
    (
        "aws_quicksight_iam_policy_assignment",
        "policy_arn",
        "users of QuickSight",
    ),
    ("aws_quicksight_user", "iam_arn", "users of QuickSight"),
    (
        "aws_ram_permission",
        "policy_template",
        "a template without principal and resource",
    ),
    (
        "aws_serverlessapplicationrepository_cloudformation_stack",
        "capabilities",
        "what a deployment may do",
    ),
    (
        "aws_ssoadmin_application_assignment",
        "principal_id",
        "signs in to an application",
    ),
    (
        "aws_ssoadmin_customer_managed_policy_attachments_exclusive",
        "customer_managed_policy_reference",
        "a block without its name",
    ),
    (
        "aws_ssoadmin_permission_set_inline_policy",
        "permission_set_arn",
        "counts with the policy beside it, as a name",
    ),
    (
        "aws_ssoadmin_trusted_token_issuer",
        "trusted_token_issuer_configuration[].oidc_jwt_configuration[].issuer_url",
        "signs in to applications",
    ),
    (
        "awscc_*",
        "(all)",
        "types of CloudFormation under another provider",
    ),
    (
        "helm_release",
        "set[] / values",
        "values of a chart, each chart has its own",
    ),
    (
        "kubernetes_config_map",
        "data.mapRoles",
        "access inside a cluster",
    ),
    (
        "kubernetes_config_map_v1_data",
        "data.mapRoles",
        "access inside a cluster",
    ),
    (
        "provider.aws",
        "allowed_account_ids",
        "which account it is, not who may do what",
    ),
    (
        "provider.aws",
        "forbidden_account_ids",
        "which account it is not",
    ),
    (
        "provider.aws",
        "assume_role[].external_id",
        "belongs to the trust policy of the role beside it",
    ),
    (
        "provider.aws",
        "assume_role[].policy_arns",
        "a session policy by ARN: only documents are read",
    ),
    (
        "provider.aws",
        "assume_role_with_web_identity[].policy_arns",
        "a session policy by ARN: only documents are read",
    ),
    ("tls_certificate (data)", "url", "a thumbprint's source"),
];

const ARN: &str = "arn:aws:iam::111122223333:role/r";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"s3:GetObject","Resource":"*"}]}"#;

fn known(text: &str) -> Val {
    Val::text(Text::known(text), Src::none())
}

/// A value of the form for the last step of a path.
fn leaf(kind: &str, form: &str) -> Val {
    let text = if kind.contains("polic") && form.contains("json") {
        known(POLICY)
    } else if form.contains("bool") {
        return Val::bool(true, Src::none());
    } else if form.contains("number") {
        return Val::int(1, Src::none());
    } else if kind == "credential" {
        known("AKIAQ3EGRZ7XLM5OPT2W")
    } else if kind == "role-ref" && form.contains("json") {
        known(&format!(r#"{{"RoleArn":"{ARN}","assumeRole":"{ARN}"}}"#))
    } else {
        known(ARN)
    };
    match form {
        "list" => Val::tuple(vec![text], Src::none()),
        "map" => Val::object(vec![("k", text)], Src::none()),
        "nested-block" => Val::tuple(vec![Val::object(Vec::new(), Src::none())], Src::none()),
        _ => text,
    }
}

/// The arguments of a resource with one more `value` at `path`.
fn with(arguments: &Val, path: &str, value: Val) -> Val {
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    let name = match step.trim_end_matches("[]") {
        // Any key.
        "*" => "k",
        name => name,
    };
    let known = arguments.get(name).map(|val| match val.as_items() {
        Some([only]) if step.ends_with("[]") => only.clone(),
        _ => val,
    });
    let inner = if rest.is_empty() {
        value
    } else {
        with(&known.unwrap_or_else(none), rest, value)
    };
    let inner = if step.ends_with("[]") && inner.as_items().is_none() {
        Val::tuple(vec![inner], Src::none())
    } else {
        inner
    };
    let mut entries = vec![(name, inner)];
    let map = arguments.as_map();
    let others: Vec<_> = map.iter().flat_map(|map| &map.entries).collect();
    let keys: Vec<_> = others.iter().map(|entry| entry.key.to_string()).collect();
    for (key, entry) in keys.iter().zip(&others) {
        if key != name {
            entries.push((key, entry.val.clone()));
        }
    }
    entries.sort_by(|a, b| a.0.cmp(b.0));
    Val::object(entries, Src::none())
}

fn none() -> Val {
    Val::object(Vec::new(), Src::none())
}

fn model(kind: &str, attrs: Val, format: Format) -> Model {
    lower(vec![Resource {
        root: "".into(),
        address: format!("{kind}.x").into(),
        kind: kind.into(),
        mode: Mode::Managed,
        format,
        logical_id: None,
        origin: None,
        maker: overgrant_ir::Maker::Author,
        attrs,
        src: Src::none(),
        name_src: Src::none(),
        guard: Guard::always(),
        maybe: false,
    }])
}

/// What a model holds, without the arguments of settings, which rules read themselves.
fn shape(model: &Model) -> String {
    let workloads: Vec<_> = model
        .workloads
        .iter()
        .map(|workload| (&workload.attribute, &workload.role))
        .collect();
    format!(
        "{:?}{:?}{:?}{:?}{:?}{:?}{workloads:?}{:?}{:?}{:?}{:?}",
        model.identities,
        model.documents,
        model.attachments,
        model.memberships,
        model.boundaries,
        model.providers,
        model.guardrails,
        model.credentials.len(),
        model.grants,
        model.profiles,
    )
}

/// The value of a row and the path it belongs at; a key in quotes is one of a map.
fn argument(row: &[&str]) -> (String, Val) {
    let [_, path, what, form, ..] = row else {
        return (String::new(), none());
    };
    let value = leaf(what, form);
    match path.split_once("[\"") {
        Some((front, key)) => {
            let key = key.trim_end_matches("\"]");
            (
                front.to_owned(),
                Val::object(vec![(key, value)], Src::none()),
            )
        }
        None => ((*path).to_owned(), value),
    }
}

#[test]
fn every_argument_of_terraform_is_lowered_or_left_out_with_a_reason() {
    walk(TERRAFORM, Format::Terraform, LEFT_OUT_OF_TERRAFORM);
}

#[test]
fn every_property_of_cloudformation_is_lowered_or_left_out_with_a_reason() {
    walk(
        CLOUDFORMATION,
        Format::CloudFormation,
        LEFT_OUT_OF_CLOUDFORMATION,
    );
}

fn walk(table: &str, format: Format, left_out: LeftOut) {
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect())
        .collect();
    let mut wrong = String::new();
    for row in &rows {
        let [kind, path, what, form, ..] = row.as_slice() else {
            continue;
        };
        let named = [
            ("instance_arn", known(ARN)),
            ("permission_set_arn", known(ARN)),
        ];
        let alone = Val::object(named.to_vec(), Src::none());
        // Beside the other arguments of the type: an attachment needs both ends.
        let mut others = alone.clone();
        for other in rows
            .iter()
            .filter(|other| other.first() == Some(kind) && other.get(1) != Some(path))
        {
            let (path, value) = argument(other);
            others = with(&others, &path, value);
        }
        let (at, value) = argument(row);
        let changes = |beside: &Val| {
            let (before, after) = (
                model(kind, beside.clone(), format),
                model(kind, with(beside, &at, value.clone()), format),
            );
            let kept = !after.settings.is_empty();
            let documents = after.documents.len() > before.documents.len();
            (kept || shape(&after) != shape(&before), documents)
        };
        let (first, second) = (changes(&others), changes(&alone));
        let lowered = first.0 || second.0;
        let lookalike = *what == "non-iam-policy";
        let excused = left_out
            .iter()
            .any(|(of, at, _)| of == kind && (at == path || *at == "*" && !lowered));
        // An external id belongs to the trust policy of the role beside it.
        let excused = excused || (*what == "trust-condition" && !lowered);
        if lookalike && (first.1 || second.1) {
            wrong += &format!("a document: {kind} {path} ({form})\n");
        } else if !lookalike && lowered == excused {
            let word = if lowered { "lowered" } else { "lost" };
            wrong += &format!("{word}: {what} {kind} {path} ({form})\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
