//! Lowering of hand-made resources, both formats side by side.

use super::*;
use crate::{AttachmentStyle, Format, IdentityKind, ProviderKind, Resource};
use overgrant_policy::Resolution;
use overgrant_value::{Relation, Sym, json};

fn resource(kind: &str, address: &str, attrs: &str) -> Resource {
    with(kind, address, json::parse(&Text::known(attrs)).unwrap())
}

fn with(kind: &str, address: &str, attrs: Val) -> Resource {
    let cloudformation = kind.contains("::");
    Resource {
        root: "r".into(),
        address: address.into(),
        kind: kind.into(),
        mode: Mode::Managed,
        format: if cloudformation {
            Format::CloudFormation
        } else {
            Format::Terraform
        },
        logical_id: None,
        origin: None,
        maker: crate::Maker::Author,
        attrs,
        src: Src::none(),
        name_src: Src::none(),
        guard: Guard::always(),
        maybe: false,
    }
}

const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;

fn text(json: &str) -> String {
    format!("{json:?}")
}

#[test]
fn a_role_is_the_same_in_both_formats() {
    let terraform = resource(
        "aws_iam_role",
        "aws_iam_role.ci",
        &format!(
            r#"{{"name":"ci","assume_role_policy":{t},"inline_policy":[{{"name":"a","policy":{a}}}],
            "managed_policy_arns":["arn:aws:iam::aws:policy/ReadOnlyAccess"],
            "permissions_boundary":"arn:aws:iam::111122223333:policy/b","max_session_duration":7200}}"#,
            t = text(TRUST),
            a = text(ALLOW)
        ),
    );
    let cloudformation = resource(
        "AWS::IAM::Role",
        "Ci",
        &format!(
            r#"{{"RoleName":"ci","AssumeRolePolicyDocument":{TRUST},"Policies":[{{"PolicyName":"a","PolicyDocument":{ALLOW}}}],
            "ManagedPolicyArns":["arn:aws:iam::aws:policy/ReadOnlyAccess"],
            "PermissionsBoundary":"arn:aws:iam::111122223333:policy/b","MaxSessionDuration":7200}}"#
        ),
    );
    for one in [terraform, cloudformation] {
        let model = lower(vec![one]);
        let [role] = model.identities.as_slice() else {
            panic!("one identity")
        };
        assert_eq!(role.kind, IdentityKind::Role);
        assert!(role.name.is("ci"));
        assert_eq!(
            role.arn.to_string(),
            "arn:${the partition}:iam::${the account id}:role/ci"
        );
        assert_eq!(role.max_session.as_ref().unwrap().as_i64(), Some(7200));
        assert!(
            role.boundary
                .as_ref()
                .unwrap()
                .text
                .is("arn:aws:iam::111122223333:policy/b")
        );
        let trust = model.document(role.trust.unwrap()).unwrap();
        assert_eq!(trust.role, DocumentRole::Trust);
        assert_eq!(trust.document.statements.len(), 1);
        let inline = &model.documents[1];
        assert_eq!(inline.role, DocumentRole::Inline);
        assert!(inline.name.as_ref().unwrap().is("a"));
        assert_eq!(inline.document.statements.len(), 1);
        assert_eq!(model.attachments.len(), 1);
        assert_eq!(model.attachments[0].style, AttachmentStyle::Shared);
    }
}

#[test]
fn users_groups_and_their_lists() {
    let model = lower(vec![
        resource(
            "AWS::IAM::User",
            "U",
            &format!(
                r#"{{"UserName":"u","Groups":["g"],"LoginProfile":{{"Password":"x"}},"Policies":[{{"PolicyName":"p","PolicyDocument":{ALLOW}}}]}}"#
            ),
        ),
        resource("aws_iam_user", "aws_iam_user.v", r#"{"name":"v"}"#),
        resource("aws_iam_group", "aws_iam_group.g", r#"{"name":"g"}"#),
        resource(
            "aws_iam_user_group_membership",
            "aws_iam_user_group_membership.m",
            r#"{"user":"v","groups":["g","h"]}"#,
        ),
        resource(
            "aws_iam_group_membership",
            "aws_iam_group_membership.m",
            r#"{"users":["v","w"],"group":"g"}"#,
        ),
        resource(
            "AWS::IAM::UserToGroupAddition",
            "Add",
            r#"{"Users":["v"],"GroupName":"g"}"#,
        ),
        resource(
            "aws_iam_access_key",
            "aws_iam_access_key.k",
            r#"{"user":"v"}"#,
        ),
        resource("AWS::IAM::AccessKey", "Key", r#"{"UserName":"u"}"#),
        resource(
            "aws_iam_user_login_profile",
            "aws_iam_user_login_profile.l",
            r#"{"user":"v"}"#,
        ),
    ]);
    assert_eq!(model.identities.len(), 3);
    assert_eq!(model.memberships.len(), 6);
    let kinds: Vec<_> = model.credentials.iter().map(|one| one.kind).collect();
    use CredentialKind::{AccessKey, LoginProfile};
    assert_eq!(kinds, [AccessKey, LoginProfile, AccessKey, LoginProfile]);
    assert!(model.credentials.iter().all(|one| one.user.is_some()));
}

#[test]
fn managed_policies_and_attachments() {
    let model = lower(vec![
        resource(
            "aws_iam_policy",
            "aws_iam_policy.p",
            &format!(r#"{{"name":"p","path":"/x/","policy":{}}}"#, text(ALLOW)),
        ),
        resource(
            "AWS::IAM::ManagedPolicy",
            "P",
            &format!(r#"{{"PolicyDocument":{ALLOW},"Roles":["a","b"],"Users":["c"]}}"#),
        ),
        resource(
            "aws_iam_role_policy_attachment",
            "aws_iam_role_policy_attachment.a",
            r#"{"role":"a","policy_arn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#,
        ),
        resource(
            "aws_iam_policy_attachment",
            "aws_iam_policy_attachment.x",
            r#"{"name":"x","roles":["a"],"users":["c","d"],"policy_arn":"arn:aws:iam::1:policy/q"}"#,
        ),
        resource(
            "aws_iam_role_policy_attachments_exclusive",
            "aws_iam_role_policy_attachments_exclusive.x",
            r#"{"role_name":"a","policy_arns":["arn:aws:iam::1:policy/q","arn:aws:iam::1:policy/s"]}"#,
        ),
    ]);
    assert_eq!(model.documents.len(), 2);
    let own = model
        .documents
        .iter()
        .find(|document| document.place.address == "aws_iam_policy.p")
        .unwrap();
    assert_eq!(
        own.arn.as_ref().unwrap().to_string(),
        "arn:${the partition}:iam::${the account id}:policy/x/p"
    );
    let exclusive = model
        .attachments
        .iter()
        .filter(|one| one.style == AttachmentStyle::Exclusive)
        .count();
    assert_eq!((model.attachments.len(), exclusive), (9, 5));
}

#[test]
fn inline_policies_name_their_owners() {
    let model = lower(vec![
        resource(
            "aws_iam_role_policy",
            "aws_iam_role_policy.p",
            &format!(r#"{{"role":"a","policy":{}}}"#, text(ALLOW)),
        ),
        resource(
            "AWS::IAM::Policy",
            "P",
            &format!(
                r#"{{"PolicyName":"p","PolicyDocument":{ALLOW},"Roles":["a"],"Groups":["g"],"Users":["u"]}}"#
            ),
        ),
        resource(
            "AWS::IAM::UserPolicy",
            "Q",
            &format!(r#"{{"PolicyName":"p","PolicyDocument":{ALLOW},"UserName":"u"}}"#),
        ),
    ]);
    let targets: Vec<_> = model
        .documents
        .iter()
        .map(|document| document.targets.len())
        .collect();
    assert_eq!(targets, [3, 1, 1]);
}

#[test]
fn providers_profiles_and_organisation() {
    let model = lower(vec![
        resource(
            "aws_iam_openid_connect_provider",
            "aws_iam_openid_connect_provider.gh",
            r#"{"url":"https://token.actions.githubusercontent.com","client_id_list":["sts.amazonaws.com"]}"#,
        ),
        resource(
            "Custom::AWSCDKOpenIdConnectProvider",
            "Gh",
            r#"{"Url":"https://token.actions.githubusercontent.com","ClientIDList":["sts.amazonaws.com"]}"#,
        ),
        resource("AWS::IAM::SAMLProvider", "Saml", r#"{"Name":"s"}"#),
        resource(
            "aws_iam_instance_profile",
            "aws_iam_instance_profile.p",
            r#"{"name":"p","role":"a"}"#,
        ),
        resource("AWS::IAM::InstanceProfile", "Q", r#"{"Roles":["a"]}"#),
        resource(
            "aws_organizations_policy",
            "aws_organizations_policy.scp",
            &format!(r#"{{"name":"p","content":{}}}"#, text(ALLOW)),
        ),
        resource(
            "AWS::Organizations::Policy",
            "Tags",
            r#"{"Name":"t","Type":"TAG_POLICY","Content":{"tags":{}},"TargetIds":["r-1","ou-2"]}"#,
        ),
        resource(
            "aws_organizations_policy_attachment",
            "aws_organizations_policy_attachment.a",
            r#"{"policy_id":"p-1","target_id":"r-1"}"#,
        ),
        resource(
            "aws_ssoadmin_permission_set",
            "aws_ssoadmin_permission_set.s",
            r#"{"name":"Admin","session_duration":"PT12H"}"#,
        ),
        resource(
            "aws_ssoadmin_permission_set_inline_policy",
            "aws_ssoadmin_permission_set_inline_policy.s",
            &format!(
                r#"{{"permission_set_arn":"x","inline_policy":{}}}"#,
                text(ALLOW)
            ),
        ),
        resource(
            "AWS::SSO::PermissionSet",
            "Set",
            &format!(
                r#"{{"Name":"Dev","InlinePolicy":{ALLOW},"ManagedPolicies":["arn:aws:iam::aws:policy/ReadOnlyAccess"],
                "CustomerManagedPolicyReferences":[{{"Name":"c","Path":"/"}}],
                "PermissionsBoundary":{{"CustomerManagedPolicyReference":{{"Name":"b"}}}}}}"#
            ),
        ),
        resource(
            "aws_ssoadmin_permissions_boundary_attachment",
            "aws_ssoadmin_permissions_boundary_attachment.b",
            r#"{"permission_set_arn":"x","permissions_boundary":[{"managed_policy_arn":"arn:aws:iam::aws:policy/ReadOnlyAccess"}]}"#,
        ),
    ]);
    let arns: Vec<_> = model.providers.iter().map(|p| p.arn.to_string()).collect();
    assert_eq!(arns.len(), 3);
    assert!(arns[0].ends_with("oidc-provider/token.actions.githubusercontent.com"));
    assert!(arns[1].contains("saml-provider/s"));
    assert_eq!(arns[0], arns[2]);
    assert_eq!(model.providers[0].kind, ProviderKind::Oidc);
    assert_eq!(model.providers[0].audiences.len(), 1);
    assert_eq!(model.profiles.len(), 2);
    assert!(model.profiles.iter().all(|profile| profile.role.is_some()));
    let roles: Vec<_> = model.documents.iter().map(|d| &d.role).collect();
    assert_eq!(
        roles,
        [
            &DocumentRole::Inline,
            &DocumentRole::OtherOrganization,
            &DocumentRole::ServiceControl,
            &DocumentRole::Inline
        ]
    );
    assert_eq!(model.documents[1].document.resolution, Resolution::Resolved);
    assert_eq!(model.guardrails.len(), 3);
    assert_eq!(model.attachments.len(), 2);
    assert_eq!(model.boundaries.len(), 1);
    let dev = model
        .identities
        .iter()
        .find(|one| one.name.is("Dev"))
        .unwrap();
    assert!(dev.boundary.as_ref().unwrap().text.is("b"));
}

#[test]
fn a_permission_is_one_statement() {
    for (kind, attrs) in [
        (
            "aws_lambda_permission",
            r#"{"action":"lambda:InvokeFunction","function_name":"f","principal":"s3.amazonaws.com","source_arn":"arn:aws:s3:::b","source_account":"111122223333"}"#,
        ),
        (
            "AWS::Lambda::Permission",
            r#"{"Action":"lambda:InvokeFunction","FunctionName":"f","Principal":"s3.amazonaws.com","SourceArn":"arn:aws:s3:::b","SourceAccount":"111122223333"}"#,
        ),
    ] {
        let model = lower(vec![resource(kind, "P", attrs)]);
        let grant = &model.grants[0];
        let document = model.document(grant.document.unwrap()).unwrap();
        assert_eq!(
            document.role,
            DocumentRole::Resource {
                service: "lambda".into()
            }
        );
        assert!(document.document.problems.is_empty());
        let statement = &document.document.statements[0];
        let service = statement.principals.iter().next().unwrap().service();
        assert_eq!(service.unwrap(), "s3.amazonaws.com");
        assert_eq!(statement.conditions.on("aws:SourceArn").count(), 1);
        assert_eq!(statement.conditions.on("aws:SourceAccount").count(), 1);
        assert!(grant.target.as_ref().unwrap().text.is("f"));
    }
    let open = lower(vec![resource(
        "AWS::Lambda::Permission",
        "P",
        r#"{"Action":"lambda:InvokeFunctionUrl","FunctionName":"f","Principal":"*","FunctionUrlAuthType":"NONE"}"#,
    )]);
    let statement = &open.documents[0].document.statements[0];
    assert!(statement.principals.anyone().is_some());
}

#[test]
fn tables_carry_policies_and_roles() {
    let public = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}"#;
    let model = lower(vec![
        resource(
            "aws_sqs_queue_policy",
            "aws_sqs_queue_policy.q",
            &format!(r#"{{"queue_url":"u","policy":{}}}"#, text(public)),
        ),
        resource(
            "AWS::SQS::QueuePolicy",
            "Q",
            &format!(r#"{{"Queues":["u","v"],"PolicyDocument":{public}}}"#),
        ),
        resource(
            "aws_kms_key",
            "aws_kms_key.k",
            &format!(r#"{{"policy":{}}}"#, text(public)),
        ),
        resource(
            "AWS::DynamoDB::Table",
            "T",
            &format!(r#"{{"ResourcePolicy":{{"PolicyDocument":{public}}}}}"#),
        ),
        resource(
            "AWS::Events::EventBusPolicy",
            "Bus",
            r#"{"EventBusName":"b","StatementId":"s","Statement":{"Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":"*"}}"#,
        ),
        resource(
            "aws_vpc_endpoint",
            "aws_vpc_endpoint.e",
            &format!(r#"{{"policy":{}}}"#, text(public)),
        ),
        resource(
            "aws_lambda_function",
            "aws_lambda_function.f",
            r#"{"function_name":"f","role":"arn:aws:iam::111122223333:role/f"}"#,
        ),
        resource(
            "aws_launch_template",
            "aws_launch_template.l",
            r#"{"iam_instance_profile":[{"name":"p"}]}"#,
        ),
        resource(
            "aws_cognito_identity_pool_roles_attachment",
            "aws_cognito_identity_pool_roles_attachment.c",
            r#"{"roles":{"authenticated":"a","unauthenticated":"b"}}"#,
        ),
        resource(
            "aws_sns_topic_data_protection_policy",
            "aws_sns_topic_data_protection_policy.x",
            &format!(r#"{{"policy":{}}}"#, text(public)),
        ),
    ]);
    let of = |address: &str| {
        model
            .documents
            .iter()
            .find(|document| document.place.address == address)
    };
    let service = |address: &str| match &of(address).unwrap().role {
        DocumentRole::Resource { service } => service.to_string(),
        role => format!("{role:?}"),
    };
    assert_eq!(service("aws_sqs_queue_policy.q"), "sqs");
    assert_eq!(service("Q"), "sqs");
    assert_eq!(of("Q").unwrap().targets.len(), 2);
    assert_eq!(service("aws_kms_key.k"), "kms");
    assert_eq!(service("T"), "dynamodb");
    assert_eq!(service("Bus"), "events");
    assert_eq!(of("Bus").unwrap().document.statements.len(), 1);
    assert_eq!(service("aws_vpc_endpoint.e"), "Endpoint");
    assert!(of("aws_sns_topic_data_protection_policy.x").is_none());
    let workloads: Vec<_> = model
        .workloads
        .iter()
        .map(|one| (one.place.kind.as_str(), one.attribute.as_str(), one.compute))
        .collect();
    assert_eq!(
        workloads,
        [
            ("aws_cognito_identity_pool_roles_attachment", "roles", false),
            ("aws_cognito_identity_pool_roles_attachment", "roles", false),
            ("aws_lambda_function", "role", true),
            ("aws_launch_template", "iam_instance_profile.name", true),
        ]
    );
    let lambda = &model.workloads[2];
    assert_eq!(lambda.service.as_deref(), Some("lambda.amazonaws.com"));
}

#[test]
fn guards_and_unknowns_are_kept() {
    let on = Guard::atom("On", Relation::Holds);
    let unknown = Val::unknown(Sym::Import("policies".into()), Src::none());
    let document = json::parse(&Text::known(ALLOW)).unwrap();
    let block = Val::object(
        vec![
            ("PolicyName", Val::str("p", Src::none())),
            ("PolicyDocument", document),
        ],
        Src::none(),
    );
    let off = Guard::atom("On", Relation::Fails);
    let choice = Val::one_of(
        vec![(on.clone(), block), (off, Val::null(Src::none()))],
        "x",
        Src::none(),
    );
    let attrs = Val::object(
        vec![
            ("Policies", Val::tuple(vec![choice], Src::none())),
            ("ManagedPolicyArns", unknown),
        ],
        Src::none(),
    );
    let model = lower(vec![with("AWS::IAM::Role", "R", attrs)]);
    assert_eq!(model.documents.len(), 1);
    assert_eq!(model.documents[0].place.guard, on);
    assert_eq!(model.attachments.len(), 1, "an open list is one open link");
    assert!(!model.attachments[0].policy.text.is_known());
    assert_eq!(model.identities[0].trust, None);
}

#[test]
fn keys_in_arguments_are_found_and_not_kept() {
    // Made up for this test; assembled so that scanners do not take it for a real one.
    let id = format!("AKIA{}", "Q7ZK2WJ5RTN3XV6M");
    let secret = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bD1fG3hJ5kL7n";
    let attrs = format!(
        r#"{{"function_name":"f","environment":[{{"variables":{{"KEY":"{id}","SECRET":"{secret}","SHA":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}}}}]}}"#
    );
    let model = lower(vec![resource(
        "aws_lambda_function",
        "aws_lambda_function.f",
        &attrs,
    )]);
    let found: Vec<_> = model
        .credentials
        .iter()
        .map(|one| one.attribute.as_str())
        .collect();
    assert_eq!(
        found,
        ["environment.variables.KEY", "environment.variables.SECRET"]
    );
    assert!(!format!("{:?}", model.credentials).contains(&id));
    let example = resource(
        "aws_lambda_function",
        "aws_lambda_function.f",
        r#"{"environment":{"A":"AKIAIOSFODNN7EXAMPLE"}}"#,
    );
    assert!(lower(vec![example]).credentials.is_empty());
}

#[test]
fn the_order_of_resources_does_not_matter() {
    let make = || {
        vec![
            resource("aws_iam_user", "aws_iam_user.b", r#"{"name":"b"}"#),
            resource("aws_iam_user", "aws_iam_user.a", r#"{"name":"a"}"#),
        ]
    };
    let mut reversed = make();
    reversed.reverse();
    let names = |model: Model| -> Vec<String> {
        model
            .identities
            .iter()
            .map(|i| i.name.to_string())
            .collect()
    };
    assert_eq!(names(lower(make())), names(lower(reversed)));
}

#[test]
fn the_tables_are_whole_and_sorted() {
    for table in [generated::TERRAFORM, generated::CLOUDFORMATION] {
        assert!(table.is_sorted_by_key(|row| row.kind));
        let documents = table
            .iter()
            .filter(|row| {
                matches!(
                    row.carries,
                    Carries::ResourcePolicy | Carries::EndpointPolicy | Carries::Statement
                )
            })
            .collect::<Vec<_>>();
        assert!(
            documents
                .iter()
                .all(|row| row.carries == Carries::EndpointPolicy || !row.service.is_empty())
        );
    }
    let count = |table: &[Row], carries| table.iter().filter(|row| row.carries == carries).count();
    // Two of the 75 rows are endpoint policies, and so is one of 76, of which three more are no
    // documents.
    assert_eq!(count(generated::TERRAFORM, Carries::ResourcePolicy), 73);
    assert_eq!(
        count(generated::CLOUDFORMATION, Carries::ResourcePolicy),
        72
    );
    assert!(is_relevant("aws_iam_role") && is_relevant("AWS::S3::BucketPolicy"));
    assert!(!is_relevant("aws_vpc") && !is_relevant("AWS::EC2::VPC"));
}

#[test]
fn roles_and_policies_inside_other_documents() {
    let job = r#"{"image":"i","jobRoleArn":"arn:aws:iam::111122223333:role/j"}"#;
    let body = r#"{"openapi":"3.0.1","paths":{"/":{"get":{"x-amazon-apigateway-integration":{"credentials":"arn:aws:iam::111122223333:role/g"}}}},
        "x-amazon-apigateway-policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*"}]}}"#;
    let model = lower(vec![
        resource(
            "aws_batch_job_definition",
            "aws_batch_job_definition.j",
            &format!(r#"{{"container_properties":{}}}"#, text(job)),
        ),
        resource(
            "AWS::ApiGateway::RestApi",
            "Api",
            &format!(r#"{{"Body":{body}}}"#),
        ),
        resource(
            "aws_ssm_document",
            "aws_ssm_document.d",
            r#"{"content":"schemaVersion: '0.3'"}"#,
        ),
    ]);
    let found: Vec<_> = model
        .workloads
        .iter()
        .map(|one| (one.attribute.as_str(), one.compute))
        .collect();
    assert_eq!(
        found,
        [
            ("Body.credentials", false),
            ("container_properties.jobRoleArn", true)
        ]
    );
    assert_eq!(model.documents.len(), 1);
    assert_eq!(model.documents[0].document.statements.len(), 1);
}

#[test]
fn secrets_that_leave() {
    let mut model = lower(vec![resource(
        "aws_iam_access_key",
        "aws_iam_access_key.k",
        r#"{"user":"u"}"#,
    )]);
    let output = |path: &str| Output {
        root: "r".into(),
        address: "output.x".into(),
        format: Format::Terraform,
        val: Val::text(
            Text::hole(
                Sym::Attr {
                    root: "r".into(),
                    addr: "aws_iam_access_key.k".into(),
                    path: path.into(),
                },
                Src::none(),
            ),
            Src::none(),
        ),
        src: Src::none(),
        guard: Guard::always(),
    };
    lower_outputs(&mut model, &[output("id"), output("secret")]);
    let leaving = |one: &&crate::Credential| one.kind == CredentialKind::Output;
    assert_eq!(model.credentials.iter().filter(leaving).count(), 1);
}

#[test]
fn policies_handed_to_an_absent_module_are_of_identities() {
    let allow = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#;
    let anyone = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}"#;
    let policy = |statement: &str| text(&format!(r#"{{"Statement":[{statement}]}}"#));
    let attrs = format!(
        r#"{{"policy":{one},"permissions_boundary_policy":{one},"bucket_policy":{open},"queue_policy":{open},"policy_arns":["arn:aws:iam::aws:policy/ReadOnlyAccess"],"inline_policies":[{{"name":"a","policy":{one}}},{{"name":"b","policy":{one}}}]}}"#,
        one = policy(allow),
        open = policy(anyone),
    );
    let model = lower(vec![resource(crate::ABSENT_MODULE, "module.m", &attrs)]);
    let mut found: Vec<String> = model
        .documents
        .iter()
        .map(|document| document.place.address.to_string())
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "module.m.inline_policies.policy",
            "module.m.inline_policies[1].policy",
            "module.m.policy"
        ]
    );
    assert!(
        model
            .documents
            .iter()
            .all(|document| document.role == DocumentRole::Managed && document.place.maybe)
    );
}

#[test]
fn statements_handed_to_an_absent_module_are_read() {
    let attrs = r#"{"policy_statements":{"read":{"effect":"Allow","actions":["s3:GetObject"],"resources":["*"],
        "condition":{"a":{"test":"StringEquals","variable":"aws:ResourceTag/team","values":["x"]},
                     "b":{"test":"StringEquals","variable":"aws:ResourceAccount","values":["y"]}}},
        "trust":{"actions":["sts:AssumeRole"],"resources":["*"],"principals":{"p":1}}},
        "iam_policy":[{"statements":[{"actions":["sqs:SendMessage"],"resources":["*"]}]}]}"#;
    let model = lower(vec![resource(crate::ABSENT_MODULE, "module.m", attrs)]);
    let found: Vec<(&str, usize)> = model
        .documents
        .iter()
        .map(|document| {
            let statement = &document.document.statements[0];
            assert!(
                statement.actions.select("s3:GetObject") == overgrant_value::Answer::Must
                    || statement.actions.select("sqs:SendMessage") == overgrant_value::Answer::Must
            );
            (
                document.place.address.as_str(),
                statement.conditions.items.len(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("module.m.policy_statements.read", 2),
            ("module.m.iam_policy.statements", 0)
        ]
    );
}
