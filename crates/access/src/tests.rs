//! Links and decisions over hand-made resources of both formats.

use super::*;
use overgrant_ir::{Format, Mode, Resource, lower};
use overgrant_value::{Guard, Src, Sym, Val, json};

pub(crate) fn resource(root: &str, kind: &str, address: &str, attrs: &str) -> Resource {
    with(
        root,
        kind,
        address,
        json::parse(&Text::known(attrs)).unwrap(),
    )
}

fn with(root: &str, kind: &str, address: &str, attrs: Val) -> Resource {
    Resource {
        root: root.into(),
        address: address.into(),
        kind: kind.into(),
        mode: Mode::Managed,
        format: if kind.contains("::") {
            Format::CloudFormation
        } else {
            Format::Terraform
        },
        logical_id: None,
        origin: None,
        maker: overgrant_ir::Maker::Author,
        attrs,
        src: Src::none(),
        name_src: Src::none(),
        guard: Guard::always(),
        maybe: false,
    }
}

fn policy(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

pub(crate) fn quoted(statements: &str) -> String {
    format!("{:?}", policy(statements))
}

pub(crate) fn named(model: &Model, name: &str) -> IdentityId {
    let at = model.identities.iter().position(|one| one.name.is(name));
    IdentityId(at.unwrap())
}

const S3: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

fn answer(access: &Access<'_>, id: IdentityId, action: &str) -> Answer {
    access.allows(id, action, None).answer
}

#[test]
fn policies_of_every_source_are_joined() {
    let model = lower(vec![
        resource("r", "aws_iam_role", "aws_iam_role.a", r#"{"name":"a"}"#),
        resource(
            "r",
            "aws_iam_role_policy",
            "aws_iam_role_policy.a",
            &format!(r#"{{"role":"a","policy":{}}}"#, quoted(S3)),
        ),
        resource(
            "r",
            "aws_iam_role_policy_attachment",
            "aws_iam_role_policy_attachment.b",
            r#"{"role":"a","policy_arn":"arn:aws-cn:iam::aws:policy/ReadOnlyAccess"}"#,
        ),
        resource(
            "r",
            "aws_iam_role_policy_attachment",
            "aws_iam_role_policy_attachment.c",
            r#"{"role":"a","policy_arn":"arn:aws:iam::111122223333:policy/elsewhere"}"#,
        ),
        resource(
            "t",
            "AWS::IAM::ManagedPolicy",
            "P",
            &format!(
                r#"{{"ManagedPolicyName":"p","PolicyDocument":{},"Roles":["a"]}}"#,
                policy(ALL)
            ),
        ),
    ]);
    let access = Access::new(&model);
    let id = named(&model, "a");
    let mut sources: Vec<String> = access
        .policies(id)
        .iter()
        .map(|one| match &one.source {
            AttachedSource::Model(id) => model.document(*id).unwrap().place.address.to_string(),
            AttachedSource::AwsManaged { name, .. } => name.to_string(),
            AttachedSource::Unresolved => "?".to_owned(),
        })
        .collect();
    sources.sort();
    assert_eq!(
        sources,
        ["?", "P", "ReadOnlyAccess", "aws_iam_role_policy.a"]
    );
    // The template's policy is joined by name across roots: that may be another account.
    let across = access
        .policies(id)
        .iter()
        .find(|one| one.link == Answer::May);
    assert!(across.is_some());
    let decision = access.allows(id, "s3:DeleteBucket", None);
    assert_eq!(decision.answer, Answer::Must);
    let (statement, attached) = access.statement(&decision.by.unwrap()).unwrap();
    assert_eq!(statement.actions.to_string(), "`s3:*`");
    assert_eq!(
        attached.place.as_ref().unwrap().address,
        "aws_iam_role_policy.a"
    );
    assert!(decision.open);
}

#[test]
fn own_holes_mean_the_resource() {
    let hole = |addr: &str, path: &str| {
        let sym = Sym::Attr {
            root: "r".into(),
            addr: addr.into(),
            path: path.into(),
        };
        Val::text(Text::hole(sym, Src::none()), Src::none())
    };
    let document = json::parse(&Text::known(&policy(ALL))).unwrap();
    let object = |entries| Val::object(entries, Src::none());
    let model = lower(vec![
        resource("r", "aws_iam_role", "aws_iam_role.a", "{}"),
        with(
            "r",
            "aws_iam_policy",
            "aws_iam_policy.p",
            object(vec![("policy", document)]),
        ),
        with(
            "r",
            "aws_iam_role_policy_attachment",
            "aws_iam_role_policy_attachment.x",
            object(vec![
                ("role", hole("aws_iam_role.a", "id")),
                ("policy_arn", hole("aws_iam_policy.p", "arn")),
            ]),
        ),
    ]);
    let access = Access::new(&model);
    assert_eq!(access.is_admin(IdentityId(0)), Answer::Must);
    let uses = access.uses(DocumentId(0));
    assert_eq!(uses.len(), 1);
    assert_eq!(uses[0].how, How::Policy);
    // The ARN that references are given is the identity's too.
    let arn = &model.identities[0].arn;
    assert_eq!(access.identity(arn, "r"), Some(IdentityId(0)));
}

#[test]
fn equal_names_in_other_roots_are_not_taken_for_one() {
    let model = lower(vec![
        resource("a", "aws_iam_role", "aws_iam_role.x", r#"{"name":"x"}"#),
        resource("b", "aws_iam_role", "aws_iam_role.x", r#"{"name":"x"}"#),
    ]);
    let access = Access::new(&model);
    let x = Text::known("x");
    assert_eq!(access.identity(&x, "a"), Some(IdentityId(0)));
    assert_eq!(access.identity(&x, "b"), Some(IdentityId(1)));
    assert_eq!(access.identity(&x, "c"), None);
    let arn = Text::known("arn:aws:iam::111122223333:role/x");
    assert_eq!(
        access.link(&arn, "a", None),
        Some((IdentityId(0), Answer::May))
    );
}

#[test]
fn kinds_with_equal_names_are_told_apart() {
    let model = lower(vec![
        resource("r", "aws_iam_group", "aws_iam_group.x", r#"{"name":"x"}"#),
        resource("r", "aws_iam_role", "aws_iam_role.x", r#"{"name":"x"}"#),
        resource(
            "r",
            "aws_iam_role_policy",
            "aws_iam_role_policy.x",
            &format!(r#"{{"role":"x","policy":{}}}"#, quoted(S3)),
        ),
        resource(
            "r",
            "AWS::IAM::Policy",
            "Both",
            &format!(
                r#"{{"PolicyName":"p","PolicyDocument":{},"Groups":["x"]}}"#,
                policy(ALL)
            ),
        ),
    ]);
    let access = Access::new(&model);
    assert_eq!(access.policies(IdentityId(0)).len(), 1, "the group");
    assert_eq!(access.policies(IdentityId(1)).len(), 1, "the role");
}

#[test]
fn groups_give_to_their_members() {
    let model = lower(vec![
        resource(
            "r",
            "AWS::IAM::Group",
            "G",
            &format!(
                r#"{{"GroupName":"g","Policies":[{{"PolicyName":"p","PolicyDocument":{}}}]}}"#,
                policy(ALL)
            ),
        ),
        resource(
            "r",
            "AWS::IAM::User",
            "U",
            r#"{"UserName":"u","Groups":["g"]}"#,
        ),
    ]);
    let access = Access::new(&model);
    let user = named(&model, "u");
    assert_eq!(access.policies(user)[0].group, Some(named(&model, "g")));
    assert_eq!(access.is_admin(user), Answer::Must);
}

#[test]
fn denies_conditions_and_boundaries_count() {
    let model = lower(vec![
        resource(
            "r",
            "AWS::IAM::ManagedPolicy",
            "B",
            &format!(
                r#"{{"ManagedPolicyName":"b","PolicyDocument":{}}}"#,
                policy(S3)
            ),
        ),
        resource(
            "r",
            "AWS::IAM::Role",
            "A",
            &format!(
                r#"{{"RoleName":"a","PermissionsBoundary":"arn:aws:iam::111122223333:policy/b",
                "Policies":[{{"PolicyName":"p","PolicyDocument":{}}}]}}"#,
                policy(&format!(
                    r#"{ALL},{{"Effect":"Deny","Action":"s3:DeleteBucket","Resource":"*"}},
                    {{"Effect":"Deny","Action":"s3:PutBucketPolicy","Resource":"arn:aws:s3:::x"}}"#
                ))
            ),
        ),
        resource(
            "r",
            "AWS::IAM::Role",
            "C",
            &format!(
                r#"{{"RoleName":"c","Policies":[{{"PolicyName":"p","PolicyDocument":{}}}]}}"#,
                policy(
                    r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#
                )
            ),
        ),
        resource(
            "r",
            "AWS::IAM::Role",
            "D",
            &format!(
                r#"{{"RoleName":"d","PermissionsBoundary":"arn:aws:iam::111122223333:policy/elsewhere",
                "Policies":[{{"PolicyName":"p","PolicyDocument":{}}}]}}"#,
                policy(ALL)
            ),
        ),
    ]);
    let access = Access::new(&model);
    let a = named(&model, "a");
    assert!(matches!(access.boundary(a), Boundary::Document(_)));
    assert_eq!(answer(&access, a, "s3:GetObject"), Answer::Must);
    assert_eq!(answer(&access, a, "s3:DeleteBucket"), Answer::No);
    assert_eq!(answer(&access, a, "s3:PutBucketPolicy"), Answer::Must);
    let x = Text::known("arn:aws:s3:::x");
    let denied = access.allows(a, "s3:PutBucketPolicy", Some(&x));
    assert_eq!(denied.answer, Answer::No);
    assert!(denied.denied_by.is_some());
    let outside = access.allows(a, "iam:CreateUser", None);
    assert_eq!((outside.answer, outside.bounded), (Answer::No, true));
    assert_eq!(access.is_admin(a), Answer::No);
    let c = access.allows(named(&model, "c"), "s3:GetObject", None);
    assert_eq!((c.answer, c.conditional), (Answer::May, true));
    let d = named(&model, "d");
    assert!(matches!(access.boundary(d), Boundary::Unresolved(_)));
    assert_eq!(access.is_admin(d), Answer::May);
    // A policy that is only a boundary grants nothing.
    let documents: Vec<_> = access
        .identity_documents()
        .map(|(_, document)| document.place.address.as_str())
        .collect();
    assert_eq!(documents, ["A", "C", "D"]);
}

#[test]
fn workloads_run_as_roles_and_through_profiles() {
    let model = lower(vec![
        resource("r", "aws_iam_role", "aws_iam_role.a", r#"{"name":"a"}"#),
        resource(
            "r",
            "aws_iam_instance_profile",
            "aws_iam_instance_profile.p",
            r#"{"name":"p","role":"a"}"#,
        ),
        resource(
            "r",
            "aws_instance",
            "aws_instance.i",
            r#"{"iam_instance_profile":"p"}"#,
        ),
        resource(
            "t",
            "AWS::Lambda::Function",
            "F",
            r#"{"Role":"arn:aws:iam::111122223333:role/a"}"#,
        ),
        resource(
            "r",
            "aws_iam_openid_connect_provider",
            "aws_iam_openid_connect_provider.o",
            r#"{"url":"https://issuer.example"}"#,
        ),
    ]);
    let access = Access::new(&model);
    assert_eq!(access.workloads(IdentityId(0)), [0, 1]);
    assert_eq!(access.role_of(1), Some(IdentityId(0)));
    let arn = Text::known("arn:aws:iam::111122223333:oidc-provider/issuer.example");
    assert_eq!(access.provider(&arn, "r"), Some(0));
}

#[test]
fn administration_by_union_and_what_a_deny_leaves() {
    let role = |name: &str, statements: &str| {
        resource(
            "r",
            "AWS::IAM::Role",
            name,
            &format!(
                r#"{{"RoleName":"{name}","Policies":[{{"PolicyName":"p","PolicyDocument":{}}}]}}"#,
                policy(statements)
            ),
        )
    };
    let model = lower(vec![
        role(
            "union",
            r#"{"Effect":"Allow","Action":["iam:*","s3:*"],"Resource":"*"},
               {"Effect":"Allow","NotAction":["iam:*","s3:*"],"Resource":"*"}"#,
        ),
        role(
            "minus",
            &format!(r#"{ALL},{{"Effect":"Deny","Action":"organizations:*","Resource":"*"}}"#),
        ),
        role(
            "power",
            &format!(r#"{ALL},{{"Effect":"Deny","Action":"iam:*","Resource":"*"}}"#),
        ),
        role(
            "reader",
            r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#,
        ),
    ]);
    let access = Access::new(&model);
    let ask = |name: &str| access.is_admin(named(&model, name));
    assert_eq!(ask("union"), Answer::Must);
    assert_eq!(ask("minus"), Answer::Must);
    assert_eq!(ask("power"), Answer::No);
    assert_eq!(ask("reader"), Answer::No);
    let power = access.actions_on_everything(named(&model, "power"));
    let id = |name: &str| overgrant_catalog::catalog().action_id(name).unwrap();
    assert!(power.contains(id("ec2:RunInstances")));
    assert!(!power.contains(id("iam:CreateUser")));
    let reader = access.actions_on_something(named(&model, "reader"));
    assert!(reader.contains(id("s3:GetObject")) && !reader.contains(id("s3:PutObject")));
}

#[test]
fn a_deny_of_the_same_resource_takes_the_grant() {
    let model = lower(vec![resource(
        "r",
        "AWS::IAM::Role",
        "A",
        &format!(
            r#"{{"RoleName":"a","Policies":[{{"PolicyName":"p","PolicyDocument":{}}}]}}"#,
            policy(
                r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::x/a/*"},
                   {"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::x/*"}"#
            )
        ),
    )]);
    let access = Access::new(&model);
    let decision = access.allows(IdentityId(0), "s3:GetObject", None);
    assert_eq!(decision.answer, Answer::No);
    assert!(decision.denied_by.is_some());
}

#[test]
fn a_name_that_is_one_of_several_is_still_known() {
    use overgrant_value::Relation;
    let on = Guard::atom("Named", Relation::Holds);
    let off = Guard::atom("Named", Relation::Fails);
    let none = Src::none;
    let name = Val::one_of(
        vec![(on, Val::str("fixed", none())), (off, Val::null(none()))],
        "x",
        none(),
    );
    let model = lower(vec![with(
        "r",
        "AWS::IAM::Role",
        "R",
        Val::object(vec![("RoleName", name)], none()),
    )]);
    let access = Access::new(&model);
    let id = Some(IdentityId(0));
    assert_eq!(access.identity(&Text::known("fixed"), "r"), id);
    let arn = Text::known("arn:aws:iam::111122223333:role/fixed");
    assert_eq!(access.identity(&arn, "r"), id);
    assert_eq!(access.identity(&model.identities[0].arn, "r"), id);
}
