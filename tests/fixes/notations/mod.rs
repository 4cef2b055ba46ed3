//! One policy in every notation: the fix does the same in all of them.

mod write;

use super::json::as_json;
use super::{fixed, problems};
use crate::rule_examples::prepare;
use overgrant_engine::{Options, Texts, load_in};
use overgrant_rules::{Example, ExampleKind};
use serde_json::{Value, json};
use std::sync::Arc;
use write::Holder;

/// A policy with a fix.
struct Written {
    rule: &'static str,
    holder: Holder,
    /// Options of an example, by blanks.
    options: &'static str,
    /// Notations that cannot say it.
    except: &'static [&'static str],
    policy: Value,
}

fn policies() -> Vec<Written> {
    let one = |rule: &'static str, holder: Holder, statements: Value| Written {
        rule,
        holder,
        options: match holder {
            Holder::Unit => "scope:module,organization",
            Holder::Topic | Holder::Trust => "own_accounts:111122223333",
            _ => "",
        },
        except: &[],
        policy: json!({"Version": "2012-10-17", "Statement": statements}),
    };
    let github = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    let home = json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-home/${aws:username}/*"}]);
    let read = json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-data/*"}]);
    let old = |rule, statements: &Value| Written {
        policy: json!({"Version": "2008-10-17", "Statement": statements}),
        ..one(rule, Holder::Policy, json!([]))
    };
    // The provider writes the version itself.
    let none = |rule, statements: &Value| Written {
        except: &["block"],
        policy: json!({"Statement": statements}),
        ..one(rule, Holder::Policy, json!([]))
    };
    vec![
        one(
            "action-resource-mismatch",
            Holder::Policy,
            json!([
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-data"}
            ]),
        ),
        one(
            "boundary-detachable",
            Holder::Policy,
            json!([
                {"Effect": "Allow", "Action": ["iam:CreateRole", "iam:PutRolePolicy"], "Resource": "arn:aws:iam::111122223333:role/team/*",
                 "Condition": {"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/team-cap"}}},
                {"Effect": "Allow", "Action": "iam:DeleteRolePermissionsBoundary", "Resource": "arn:aws:iam::111122223333:role/team/*"}
            ]),
        ),
        one(
            "boundary-iam-denylist-incomplete",
            Holder::Boundary,
            json!([
                {"Effect": "Allow", "Action": ["iam:Attach*", "iam:CreatePolicyVersion", "s3:*"], "Resource": "*"},
                {"Effect": "Deny", "Action": "iam:Attach*", "Resource": "*"}
            ]),
        ),
        one(
            "boundary-or-deny-removal",
            Holder::Boundary,
            json!([
                {"Effect": "Allow", "Action": ["s3:GetObject", "iam:DeleteRolePermissionsBoundary"], "Resource": "*"}
            ]),
        ),
        one(
            "boundary-policy-mutable",
            Holder::Boundary,
            json!([
                {"Effect": "Allow", "Action": ["s3:*", "iam:*PolicyVersion*"], "Resource": "*"}
            ]),
        ),
        one(
            "credential-creation-for-others",
            Holder::Policy,
            json!([
                {"Sid": "OwnKeys", "Effect": "Allow", "Action": ["iam:CreateAccessKey", "iam:DeleteAccessKey"], "Resource": "*"}
            ]),
        ),
        one(
            "equals-operator-with-wildcard",
            Holder::Policy,
            json!([
                {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::acme-*",
                 "Condition": {"StringEquals": {"aws:ResourceTag/stage": "prod-*"}}}
            ]),
        ),
        one(
            "forallvalues-allow-without-null-guard",
            Holder::Policy,
            json!([
                {"Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": "arn:aws:route53:::hostedzone/Z0123456789",
                 "Condition": {"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["TXT"]}}}
            ]),
        ),
        one(
            "force-mfa-policy-flawed",
            Holder::Policy,
            json!([
                {"Effect": "Allow", "Action": ["iam:EnableMFADevice", "iam:ListMFADevices"], "Resource": ["*"]},
                {"Effect": "Deny", "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "iam:GetUser", "iam:ChangePassword", "sts:GetSessionToken"],
                 "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}
            ]),
        ),
        one(
            "ifexists-on-security-key-in-allow",
            Holder::Policy,
            json!([
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-data/*",
                 "Condition": {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-0a1b2c3d"}}}
            ]),
        ),
        one(
            "mfa-allow-boolifexists",
            Holder::Policy,
            json!([
                {"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": "arn:aws:ec2:eu-west-1:111122223333:instance/*",
                 "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}}
            ]),
        ),
        one(
            "mfa-deny-misses-long-term-keys",
            Holder::Policy,
            json!([
                {"Effect": "Deny", "NotAction": ["iam:EnableMFADevice", "iam:CreateVirtualMFADevice", "sts:GetSessionToken"],
                 "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}
            ]),
        ),
        one(
            "oidc-aud-missing-or-wide",
            Holder::Trust,
            json!([
                {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": write::PROVIDER},
                 "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/shop:environment:prod"}}}
            ]),
        ),
        one(
            "oidc-condition-operator-unsafe",
            Holder::Trust,
            json!([
                {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": github},
                 "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                               "StringLikeIfExists": {"token.actions.githubusercontent.com:sub": "repo:acme/shop:environment:prod"}}}
            ]),
        ),
        // The provider refuses such an effect in a policy document.
        Written {
            except: &["block"],
            ..one(
                "policy-grammar-invalid",
                Holder::Policy,
                json!([
                    {"Effect": "allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-data/*"}
                ]),
            )
        },
        old("policy-variable-misuse", &home),
        none("policy-variable-misuse", &home),
        // Policy documents of Terraform take `&{…}`.
        Written {
            except: &["block"],
            ..one(
                "policy-variable-misuse",
                Holder::Policy,
                json!([
                    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-home/&{aws:username}/*"}
                ]),
            )
        },
        old("policy-version-missing-or-old", &read),
        none("policy-version-missing-or-old", &read),
        one(
            "s3-tls-not-enforced",
            Holder::Bucket,
            json!([
                {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::acme-logs/new/*", "Principal": {"AWS": "arn:aws:iam::111122223333:role/shipper"}}
            ]),
        ),
        one(
            "s3-tls-not-enforced",
            Holder::Bucket,
            json!([
                {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::acme-logs/*", "Principal": "*",
                 "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
            ]),
        ),
        one(
            "scp-cloudtrail-guard-incomplete",
            Holder::Unit,
            json!([
                {"Effect": "Deny", "Action": ["cloudtrail:Stop*", "cloudtrail:Delete*", "cloudtrail:Update*", "cloudtrail:PutEventSelectors"], "Resource": "*"}
            ]),
        ),
        one(
            "scp-detective-service-guard-incomplete",
            Holder::Unit,
            json!([
                {"Effect": "Deny", "Action": ["guardduty:DeleteDetector", "guardduty:DisassociateFromMasterAccount"], "Resource": "*"}
            ]),
        ),
        one(
            "scp-imdsv2-guard-incomplete",
            Holder::Unit,
            json!([
                {"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "arn:aws:ec2:*:*:instance/*",
                 "Condition": {"StringNotEquals": {"ec2:MetadataHttpTokens": "required"}}}
            ]),
        ),
        one(
            "scp-region-deny-breaks-global-services",
            Holder::Unit,
            json!([
                {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}}
            ]),
        ),
        one(
            "scp-region-deny-breaks-global-services",
            Holder::Unit,
            json!([
                {"Effect": "Deny", "NotAction": ["iam:*", "support:*"], "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}}}
            ]),
        ),
        one(
            "scp-root-user-not-restricted",
            Holder::Unit,
            json!([
                {"Effect": "Deny", "Action": "iam:CreateUser", "Resource": "*"}
            ]),
        ),
        one(
            "service-principal-without-source-guard",
            Holder::Topic,
            json!([
                {"Effect": "Allow", "Action": "sns:Publish", "Principal": {"Service": "s3.amazonaws.com"}, "Resource": "arn:aws:sns:eu-west-1:111122223333:orders"}
            ]),
        ),
        one(
            "service-trust-confused-deputy",
            Holder::Trust,
            json!([
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "config.amazonaws.com"}}
            ]),
        ),
        one(
            "unknown-or-empty-action",
            Holder::Policy,
            json!([
                {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListObjects"], "Resource": ["arn:aws:s3:::acme-reports", "arn:aws:s3:::acme-reports/*"]}
            ]),
        ),
    ]
}

/// Every policy in every notation that it can be written in.
pub(super) fn examples() -> impl Iterator<Item = (&'static str, Example)> {
    policies().into_iter().flat_map(|written| {
        let notations = write::ALL
            .into_iter()
            .filter(|one| !written.except.contains(one));
        let examples: Vec<_> = notations
            .map(|notation| (written.rule, example(&written, notation)))
            .collect();
        examples
    })
}

fn example(written: &Written, notation: &str) -> Example {
    let language = match notation {
        "yaml" => "cloudformation",
        _ => "terraform",
    };
    Example {
        language: language.to_owned(),
        kind: ExampleKind::Bad,
        text: write::file(written.holder, notation, &written.policy),
        marked: None,
        options: written
            .options
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
    }
}

/// The statements of the policy `p` after the fix.
fn statements(rule: &str, example: &Example) -> Vec<String> {
    let fixed = fixed(rule, example);
    let texts: Texts = fixed
        .changes
        .iter()
        .map(|change| (Arc::clone(&change.path), Arc::clone(&change.after)))
        .collect();
    let (sources, found) = prepare(&texts, example);
    let loaded = load_in(&sources, &found, &Options::default()).unwrap();
    let documents = loaded.model.documents.iter();
    let statements = documents
        .filter(|document| document.place.address.ends_with(".p") || document.place.address == "P")
        .flat_map(|document| &document.document.statements);
    statements
        .map(overgrant_policy::Statement::cell_key)
        .collect()
}

#[test]
fn a_fix_says_the_same_in_every_notation() {
    let mut wrong = Vec::new();
    for written in policies() {
        let mut first: Option<Vec<String>> = None;
        let notations = write::ALL
            .iter()
            .filter(|one| !written.except.contains(one));
        for notation in notations {
            let example = example(&written, notation);
            for example in std::iter::once(example.clone()).chain(as_json(&example)) {
                let name = format!("{} in {notation}", written.rule);
                match problems(written.rule, &example) {
                    None => {
                        wrong.push(format!("{name}: no fix\n{}", example.text));
                        continue;
                    }
                    Some((_, found)) => {
                        wrong.extend(found.iter().map(|what| format!("{name}: {what}")))
                    }
                }
                let got = statements(written.rule, &example);
                let known = first.get_or_insert_with(|| got.clone());
                if *known != got {
                    wrong.push(format!("{name}:\n{got:#?}\n, first:\n{known:#?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a fix leaves alone: every line but those that it changes.
#[test]
fn a_fix_changes_few_lines() {
    for (rule, example) in examples() {
        let changes = fixed(rule, &example).changes;
        let [change] = changes.as_slice() else {
            panic!("{rule}")
        };
        let after: Vec<&str> = change.after.lines().collect();
        let gone = example.text.lines().filter(|line| {
            let line = line.trim_end_matches(',');
            !after
                .iter()
                .any(|known| known.trim_end_matches(',') == line)
        });
        let gone: Vec<&str> = gone.collect();
        assert!(gone.len() <= 3, "{rule}: {gone:#?}\n{}", change.after);
    }
}
