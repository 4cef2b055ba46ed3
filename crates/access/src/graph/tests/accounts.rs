//! One account or two: what the configuration, providers and environments say of roots.

use super::special::{ALL, LAMBDA, role, template, trusts, way};
use crate::Access;
use crate::tests::{named, resource};
use overgrant_ir::{Accounts, Model, Resource, lower};
use overgrant_policy::Answer;

const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#)
}

fn model(resources: Vec<Resource>, own: &[&str], roots: &[(&str, &str)]) -> Model {
    let mut model = lower(resources);
    model.accounts.own = own.iter().map(|id| (*id).into()).collect();
    let roots = roots
        .iter()
        .map(|(root, id)| ((*root).into(), (*id).into()));
    model.accounts.roots.extend(roots);
    model
}

/// A root that writes trust policies everywhere, and an administrator of another root.
fn two_roots() -> Vec<Resource> {
    let every = allow("iam:UpdateAssumeRolePolicy", "*");
    let mut resources = role("a", "ci", LAMBDA, &every);
    resources.push(template("b.yaml", "deployer", LAMBDA, ALL));
    resources
}

#[test]
fn a_wildcard_reaches_what_is_in_the_account() {
    for (own, roots, wanted) in [
        (&[][..], &[][..], None),
        (&[OWN], &[], Some(Answer::Must)),
        (&[OWN, OTHER], &[], None),
        (&[], &[("a", OWN), ("b.yaml", OWN)], Some(Answer::Must)),
        (&[], &[("a", OWN), ("b.yaml", OTHER)], None),
        (
            &[OWN, OTHER],
            &[("a", OWN), ("b.yaml", OWN)],
            Some(Answer::Must),
        ),
    ] {
        let model = model(two_roots(), own, roots);
        let access = Access::new(&model);
        let found = way(&access, "ci").map(|(answer, _)| answer);
        assert_eq!(found, wanted, "{own:?} {roots:?}");
    }
}

#[test]
fn both_sides_speak_between_accounts() {
    let deployer = |account: &str| format!("arn:aws:iam::{account}:role/deployer");
    let ask = |rights: &str, roots: &[(&str, &str)]| {
        let mut resources = role("a", "ci", LAMBDA, rights);
        resources.push(template("b.yaml", "deployer", &trusts("ci"), ALL));
        let model = model(resources, &[], roots);
        way(&Access::new(&model), "ci").map(|(answer, _)| answer)
    };
    let apart = [("a", OWN), ("b.yaml", OTHER)];
    let together = [("a", OWN), ("b.yaml", OWN)];
    let assumes = allow("sts:AssumeRole", &deployer(OTHER));
    let nothing = allow("s3:ListBucket", "*");
    assert_eq!(ask(&assumes, &apart), Some(Answer::Must));
    assert_eq!(
        ask(&nothing, &apart),
        None,
        "its own account has to allow it"
    );
    assert_eq!(
        ask(&nothing, &together),
        Some(Answer::Must),
        "the trust is enough"
    );
    assert_eq!(ask(&nothing, &[]), Some(Answer::May));
    let passes = r#"{"Effect":"Allow","Action":["iam:PassRole","lambda:*"],"Resource":"*"}"#;
    assert_eq!(
        ask(passes, &apart),
        None,
        "roles are passed in one account only"
    );
}

#[test]
fn a_trust_in_an_account_means_that_account() {
    let trust =
        format!(r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":"{OWN}"}}}}"#);
    let ask = |roots: &[(&str, &str)]| {
        let rights = allow(
            "sts:AssumeRole",
            &format!("arn:aws:iam::{OTHER}:role/deployer"),
        );
        let mut resources = role("a", "ci", LAMBDA, &rights);
        resources.push(template("b.yaml", "deployer", &trust, ALL));
        let model = model(resources, &[], roots);
        way(&Access::new(&model), "ci").map(|(answer, _)| answer)
    };
    assert_eq!(ask(&[("a", OWN), ("b.yaml", OTHER)]), Some(Answer::Must));
    assert_eq!(
        ask(&[("a", OTHER), ("b.yaml", OTHER)]),
        None,
        "another account is let in"
    );
}

#[test]
fn providers_and_names_tell_the_account() {
    let provider = |attrs: &str| resource("a", "provider.aws", "provider.aws", attrs);
    for (attrs, wanted) in [
        (r#"{"allowed_account_ids":["111122223333"]}"#, Some(OWN)),
        (
            r#"{"allowed_account_ids":["111122223333","444455556666"]}"#,
            None,
        ),
        (
            r#"{"assume_role":[{"role_arn":"arn:aws:iam::444455556666:role/x"}]}"#,
            Some(OTHER),
        ),
        (
            r#"{"allowed_account_ids":["111122223333"],"assume_role":[{"role_arn":"arn:aws:iam::444455556666:role/x"}]}"#,
            None,
        ),
        (r#"{"region":"eu-west-1"}"#, None),
    ] {
        let mut resources = role("a", "ci", LAMBDA, ALL);
        resources.push(provider(attrs));
        let model = lower(resources);
        let access = Access::new(&model);
        let found = access.account_of(named(&model, "ci"));
        assert_eq!(found.as_deref(), wanted, "{attrs}");
    }
    // A function that runs as `ci`, named by symbol and by a literal ARN.
    let function = |name: &str, role: &str| {
        let attrs = format!(r#"{{"FunctionName":"{name}","Role":{role}}}"#);
        resource("t.yaml", "AWS::Lambda::Function", name, &attrs)
    };
    let literal = format!(r#""arn:aws:iam::{OWN}:role/ci""#);
    let mut resources = vec![
        template("t.yaml", "ci", LAMBDA, ALL),
        function("f", &literal),
    ];
    let model = lower(resources.clone());
    assert_eq!(Access::new(&model).account_of(named(&model, "ci")), None);
    let mut symbol = function("g", r#""x""#);
    let own = overgrant_ir::Place::of(&resources[0]).own("Arn");
    symbol.attrs = overgrant_value::Val::object(
        vec![(
            "Role",
            overgrant_value::Val::text(own, overgrant_value::Src::none()),
        )],
        overgrant_value::Src::none(),
    );
    resources.push(symbol);
    let model = lower(resources);
    let access = Access::new(&model);
    assert_eq!(access.account_of(named(&model, "ci")).as_deref(), Some(OWN));
    assert_eq!(
        model.accounts,
        Accounts::default(),
        "it follows from the names"
    );
}
