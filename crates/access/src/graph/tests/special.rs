//! What rows alone do not show: chains, cycles, hubs, other roots and formats, organization policies.

use crate::Access;
use crate::graph::{Doubt, EdgeKind, EntryKind, Goal, Node};
use crate::tests::{named, quoted, resource};
use overgrant_ir::{IdentityId, Model, Resource, lower};
use overgrant_policy::Answer;
use std::collections::BTreeMap;

pub(super) const LAMBDA: &str = r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}"#;
pub(super) const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

pub(super) fn role(root: &str, name: &str, trust: &str, policy: &str) -> Vec<Resource> {
    let attrs = format!(
        r#"{{"name":"{name}","assume_role_policy":{}}}"#,
        quoted(trust)
    );
    let inline = format!(r#"{{"role":"{name}","policy":{}}}"#, quoted(policy));
    vec![
        resource(
            root,
            "aws_iam_role",
            &format!("aws_iam_role.{name}"),
            &attrs,
        ),
        resource(
            root,
            "aws_iam_role_policy",
            &format!("aws_iam_role_policy.{name}"),
            &inline,
        ),
    ]
}

pub(super) fn template(root: &str, name: &str, trust: &str, policy: &str) -> Resource {
    let attrs = format!(
        r#"{{"RoleName":"{name}","AssumeRolePolicyDocument":{{"Statement":[{trust}]}},
            "Policies":[{{"PolicyName":"p","PolicyDocument":{{"Version":"2012-10-17","Statement":[{policy}]}}}}]}}"#
    );
    resource(root, "AWS::IAM::Role", name, &attrs)
}

pub(super) fn trusts(name: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":"arn:aws:iam::111122223333:role/{name}"}}}}"#
    )
}

pub(super) fn node(model: &Model, name: &str) -> Node {
    Node::Identity(named(model, name))
}

/// The names of the identities on the best way to administration.
pub(super) fn way(access: &Access<'_>, from: &str) -> Option<(Answer, Vec<String>)> {
    let model = access.model();
    let route = access.graph().route_to_admin(node(model, from))?;
    let name = |one: &Node| match one {
        Node::Identity(IdentityId(at)) => model.identities[*at].name.to_string(),
        other => format!("{other:?}"),
    };
    Some((route.answer, route.nodes.iter().map(name).collect()))
}

#[test]
fn chains_lead_through_cycles() {
    // a and b assume each other; b passes admin.
    let passes = r#"{"Effect":"Allow","Action":["iam:PassRole","lambda:*"],"Resource":"*"}"#;
    let nothing = r#"{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}"#;
    let mut resources = role("", "a", &trusts("b"), nothing);
    resources.extend(role("", "b", &trusts("a"), passes));
    resources.extend(role("", "admin", LAMBDA, ALL));
    resources.extend(role("", "c", LAMBDA, nothing));
    let model = lower(resources);
    let access = Access::new(&model);
    let (answer, names) = way(&access, "a").unwrap();
    assert_eq!(names, ["a", "b", "admin"]);
    // The trust writes the account as a literal, which need not be the one that is deployed into.
    assert_eq!(answer, Answer::May);
    assert_eq!(way(&access, "b").unwrap().1, ["b", "admin"]);
    assert_eq!(way(&access, "c"), None);
    assert_eq!(way(&access, "admin"), None, "nothing to gain");
    let routes = access
        .graph()
        .routes(node(&model, "a"), Goal::Identity(named(&model, "b")));
    assert_eq!(routes.len(), 1);
    let told = access.explain(&access.graph().route_to_admin(node(&model, "b")).unwrap());
    assert_eq!(told.steps.len(), 1);
    assert!(
        told.steps[0]
            .text
            .contains("passes role `aws_iam_role.admin`"),
        "{}",
        told.steps[0].text
    );
    assert!(told.steps[0].breaks.len() > 2, "{:?}", told.steps[0].breaks);
}

#[test]
fn everything_of_a_kind_is_one_edge() {
    let passes = r#"{"Effect":"Allow","Action":["iam:PassRole","lambda:*"],"Resource":"*"}"#;
    let mut resources = role("", "caller", LAMBDA, passes);
    for at in 0..50 {
        resources.extend(role("", &format!("r{at}"), LAMBDA, passes));
    }
    let model = lower(resources);
    let access = Access::new(&model);
    let graph = access.graph();
    let from = graph.from(node(&model, "caller"));
    let ends: Vec<_> = from
        .iter()
        .filter(|edge| edge.kind == EdgeKind::MayPass)
        .collect();
    assert!(
        ends.iter().all(|edge| matches!(edge.to, Node::Hub(_))),
        "{ends:?}"
    );
    assert!(graph.edges().len() < 1000, "{}", graph.edges().len());
    let routes = graph.routes(node(&model, "caller"), Goal::Identity(named(&model, "r7")));
    assert!(
        routes.iter().any(|route| route.edges.len() == 1),
        "{routes:?}"
    );
}

/// Where the steps of a caller end, through hubs, with how sure each is.
fn ends(access: &Access<'_>, caller: Node) -> BTreeMap<(&'static str, Node), Answer> {
    let graph = access.graph();
    let mut found = BTreeMap::new();
    for edge in graph.from(caller) {
        let path = edge.path.map_or("", |path| path.id);
        let hub = matches!(edge.to, Node::Hub(_));
        let members = if hub { graph.from(edge.to) } else { &[] };
        let mut add = |to: Node, answer: Answer| {
            if to != caller {
                let known = found.entry((path, to)).or_insert(answer);
                *known = answer.max(*known);
            }
        };
        if hub {
            for member in members {
                add(member.to, edge.answer.and(member.answer));
            }
        } else {
            add(edge.to, edge.answer);
        }
    }
    found
}

#[test]
fn groups_lead_where_single_steps_do() {
    let model = |more: &str| {
        let rights = format!(
            r#"{{"Effect":"Allow","Action":["iam:PassRole","iam:UpdateAssumeRolePolicy"],"Resource":["arn:aws:iam::*:role/p0-*","arn:aws:iam::*:role/q1"]}},
               {{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/p0-1*"}},
               {{"Effect":"Allow","Action":["lambda:UpdateFunctionCode","lambda:InvokeFunction"],"Resource":"arn:aws:lambda:*:*:function:p0-*"}},
               {{"Effect":"Allow","Action":["lambda:CreateFunction"],"Resource":"*"}}{more}"#
        );
        let mut resources = role("", "p0-caller", LAMBDA, &rights);
        let account = r#",{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}"#;
        for at in 0..40 {
            let trust = if at % 3 == 0 {
                format!("{LAMBDA}{account}")
            } else {
                LAMBDA.to_owned()
            };
            let name = format!("p{}-{at}", at % 2);
            resources.extend(role("", &name, &trust, ALL));
            let attrs = format!(r#"{{"function_name":"{name}","role":"{name}"}}"#);
            let address = format!("aws_lambda_function.{name}");
            resources.push(resource("", "aws_lambda_function", &address, &attrs));
        }
        resources.extend(role("", "q1", LAMBDA, ALL));
        lower(resources)
    };
    let together = model("");
    // A Deny that takes nothing away keeps the caller out of groups.
    let no = r#",{"Effect":"Deny","Action":["iam:PassRole","iam:UpdateAssumeRolePolicy","sts:AssumeRole","lambda:UpdateFunctionCode"],"Resource":"arn:aws:s3:::nothing"}"#;
    let apart = model(no);
    let (a, b) = (Access::new(&together), Access::new(&apart));
    let hubs = |access: &Access<'_>, model: &Model| {
        let edges = access.graph().from(node(model, "p0-caller"));
        edges
            .iter()
            .filter(|edge| matches!(edge.to, Node::Hub(_)))
            .count()
    };
    assert!(hubs(&a, &together) > 2);
    assert_eq!(hubs(&b, &apart), 0);
    let left = ends(&a, node(&together, "p0-caller"));
    assert!(left.len() > 60, "{}", left.len());
    assert_eq!(left, ends(&b, node(&apart, "p0-caller")));
}

#[test]
fn roots_and_formats_meet_with_a_doubt() {
    // A Terraform role whose policy names a role of a template that trusts it.
    let assumes = r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::111122223333:role/deployer"}"#;
    let mut resources = role("live/ci", "ci", LAMBDA, assumes);
    resources.push(template("stacks/base.yaml", "deployer", &trusts("ci"), ALL));
    let model = lower(resources);
    let access = Access::new(&model);
    let (answer, names) = way(&access, "ci").unwrap();
    assert_eq!(
        (answer, names),
        (Answer::May, vec!["ci".to_owned(), "deployer".to_owned()])
    );
    let edge = &access.graph().from(node(&model, "ci"))[0];
    assert!(edge.doubts.contains(&Doubt::Account), "{:?}", edge.doubts);
    // A wildcard stays in its root.
    let every = r#"{"Effect":"Allow","Action":["iam:UpdateAssumeRolePolicy"],"Resource":"*"}"#;
    let mut resources = role("a", "ci", LAMBDA, every);
    resources.push(template("b.yaml", "deployer", LAMBDA, ALL));
    let model = lower(resources);
    assert_eq!(way(&Access::new(&model), "ci"), None);
}

#[test]
fn outsiders_are_entries() {
    let trust = |principal: &str, condition: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":["sts:AssumeRole","sts:AssumeRoleWithWebIdentity"],"Principal":{principal}{condition}}}"#
        )
    };
    let hub = "token.actions.githubusercontent.com";
    let subject = format!(r#","Condition":{{"StringLike":{{"{hub}:sub":"repo:acme/shop:*"}}}}"#);
    let provider = format!(r#"{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{hub}"}}"#);
    let mut resources = role("", "open", &trust(r#"{"AWS":"*"}"#, ""), ALL);
    resources.extend(role(
        "",
        "vendor",
        &trust(r#"{"AWS":"444455556666"}"#, ""),
        ALL,
    ));
    let known = r#","Condition":{"StringEquals":{"sts:ExternalId":"x"}}"#;
    let partner = trust(r#"{"AWS":"555566667777"}"#, known);
    resources.extend(role("", "partner", &partner, ALL));
    resources.extend(role("", "ci", &trust(&provider, &subject), ALL));
    resources.extend(role("", "own", LAMBDA, ALL));
    let model = lower(resources);
    let access = Access::new(&model);
    let graph = access.graph();
    let found: Vec<_> = graph
        .entries()
        .iter()
        .map(|one| (one.kind, one.who.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (EntryKind::Internet, "anyone with an AWS account"),
            (EntryKind::Account, "account 444455556666"),
            (EntryKind::Account, "account 555566667777"),
            (
                EntryKind::Ci,
                "GitHub Actions (github.com) repo:acme/shop:*"
            ),
        ]
    );
    for at in 0..found.len() {
        assert_eq!(graph.reaches(Node::Entry(at)), Answer::Must, "{at}");
    }
}

#[test]
fn organization_policies_of_the_code_count() {
    let writes = r#"{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"*"}"#;
    let deny = r#"{"Effect":"Deny","Action":"iam:Put*","Resource":"*"}"#;
    let scp = |target: &str| {
        let attrs = format!(
            r#"{{"Name":"s","Type":"SERVICE_CONTROL_POLICY","Content":{{"Statement":[{deny}]}},"TargetIds":[{target}]}}"#
        );
        resource("org.yaml", "AWS::Organizations::Policy", "Scp", &attrs)
    };
    let ask = |more: Option<Resource>| {
        let mut resources = role("", "ci", LAMBDA, writes);
        resources.extend(more);
        let model = lower(resources);
        let access = Access::new(&model);
        access.graph().reaches(node(&model, "ci"))
    };
    assert_eq!(ask(None), Answer::Must);
    assert_eq!(
        ask(Some(scp(r#""ou-1234-abcdefgh""#))),
        Answer::May,
        "it may bind the account"
    );
    assert_eq!(ask(Some(scp(""))), Answer::Must, "attached to nothing");
}

#[test]
fn permission_sets_widen_themselves() {
    let set = resource(
        "",
        "aws_ssoadmin_permission_set",
        "aws_ssoadmin_permission_set.ops",
        r#"{"name":"ops"}"#,
    );
    let rights = r#"{"Effect":"Allow","Action":["sso:PutInlinePolicyToPermissionSet","sso:ProvisionPermissionSet"],"Resource":"*"}"#;
    let inline = format!(
        r#"{{"permission_set_arn":"ops","inline_policy":{}}}"#,
        quoted(rights)
    );
    let model = lower(vec![
        set,
        resource(
            "",
            "aws_ssoadmin_permission_set_inline_policy",
            "p",
            &inline,
        ),
    ]);
    let access = Access::new(&model);
    let graph = access.graph();
    let steps = graph.from(node(&model, "ops"));
    let rows: Vec<_> = steps
        .iter()
        .filter_map(|edge| edge.path)
        .map(|path| path.id)
        .collect();
    assert!(rows.contains(&"PE-SSO-003"), "{rows:?}");
}

#[test]
fn a_profile_may_be_given_another_role() {
    let rights = |more: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":["iam:PassRole","ec2:RunInstances"{more}],"Resource":"*"}}"#
        )
    };
    let ec2 = LAMBDA.replace("lambda", "ec2");
    let ask = |more: &str| {
        let mut resources = role("", "caller", LAMBDA, &rights(more));
        resources.extend(role("", "mighty", &ec2, ALL));
        resources.extend(role(
            "",
            "meek",
            &ec2,
            r#"{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}"#,
        ));
        let profile = r#"{"name":"meek","role":"meek"}"#;
        resources.push(resource(
            "",
            "aws_iam_instance_profile",
            "aws_iam_instance_profile.meek",
            profile,
        ));
        let model = lower(resources);
        let access = Access::new(&model);
        access.graph().reaches(node(&model, "caller"))
    };
    assert_eq!(ask(""), Answer::No, "the strong role is in no profile");
    let adds = r#","iam:AddRoleToInstanceProfile""#;
    assert_eq!(ask(adds), Answer::No, "the profile is full");
    let swaps = r#","iam:AddRoleToInstanceProfile","iam:RemoveRoleFromInstanceProfile""#;
    assert_eq!(ask(swaps), Answer::Must);
}
