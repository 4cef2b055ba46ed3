//! `scp-root-user-not-restricted`: root users of member accounts are free.

use crate::organization::{self, Chain};
use crate::{Context, Family, Scope, fixes, names};
use overgrant_finding::{Confidence, Fix, Severity};
use overgrant_policy::{Condition, Statement, Test};

rule! {
    /// Nothing restricts the root users of member accounts.
    ///
    /// No service control policy that binds the unit denies the root user (`aws:PrincipalArn` like
    /// `arn:*:iam::*:root`), and root credentials are not managed centrally. Only reported with `scope:
    /// organization`.
    ///
    /// Policies do not bind the management account, so nothing is said about its root user. A unit for
    /// experiments goes on the list `ignore` of the configuration.
    ///
    /// ## Why
    /// The root user of a member account ignores every IAM policy. Who resets its password by mail owns
    /// the account, and only an SCP stops him. (The management account's root user is beyond any SCP.)
    ///
    /// ## Bad
    /// ```terraform bad scope:module,organization
    /// resource "aws_organizations_policy" "regions" {
    ///   name = "regions"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "s3:*"
    ///       Resource  = "*"
    ///       Condition = { StringNotEquals = { "aws:RequestedRegion" = "eu-central-1" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "regions" {
    ///   policy_id = aws_organizations_policy.regions.id
    ///   target_id = "ou-k3m9-p7q2r4s8" # <-- here
    /// }
    /// ```
    /// ```cloudformation bad scope:module,organization
    /// Resources:
    ///   Keys:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: keys
    ///       Type: SERVICE_CONTROL_POLICY
    ///       TargetIds:
    ///         - ou-k3m9-p7q2r4s8 # <-- here
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: iam:CreateUser
    ///             Resource: "*"
    /// ```
    /// ## Good
    /// ```terraform good scope:module,organization also:scp-cloudtrail-guard-incomplete,scp-detective-service-guard-incomplete
    /// resource "aws_organizations_policy" "root" {
    ///   name = "root"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       NotAction = ["billing:*", "account:*"]
    ///       Resource  = "*"
    ///       Condition = { StringLike = { "aws:PrincipalArn" = "arn:aws:iam::*:root" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "root" {
    ///   policy_id = aws_organizations_policy.root.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// Root credentials of member accounts can be removed and kept away centrally:
    /// ```terraform good scope:module,organization also:scp-cloudtrail-guard-incomplete,scp-detective-service-guard-incomplete
    /// resource "aws_iam_organizations_features" "root" {
    ///   enabled_features = ["RootCredentialsManagement", "RootSessions"]
    /// }
    /// resource "aws_organizations_policy" "users" {
    ///   name = "users"
    ///   content = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Deny", Action = "iam:CreateUser", Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "users" {
    ///   policy_id = aws_organizations_policy.users.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Keys:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: keys
    ///       Type: SERVICE_CONTROL_POLICY
    ///       TargetIds: [ou-k3m9-p7q2r4s8]
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: iam:CreateUser
    ///             Resource: "*"
    /// ```
    /// ## How to fix
    /// Deny everything to `arn:aws:iam::*:root`, and enable `RootCredentialsManagement`.
    pub(crate) static SCP_ROOT_USER_NOT_RESTRICTED = Rule {
        id: "scp-root-user-not-restricted",
        family: Family::Organization,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Organization,
        since: "0.1.0",
        cwe: &[285, 693],
        aliases: &["iam_root_credentials_management_enabled"],
        mappings: &[
            ("CIS5", "1.6"),
            ("CIS7", "2.1.1"),
            ("FSBP", "IAM.20"),
            ("NIST", "AC-3"),
            ("NIST", "AC-6"),
            ("NIST", "CM-7"),
            ("NIST", "AU-9"),
            ("ATT&CK", "T1562"),
            ("ATT&CK", "T1535"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-best-practices.html",
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html",
        ],
        check: check,
    };
}

const FEATURES: &[&str] = &["aws_iam_organizations_features"];

fn check(cx: &mut Context<'_>) {
    let central = cx.model.settings_of(FEATURES).any(|features| {
        let list = features.attrs.get("enabled_features");
        list.is_none_or(|list| {
            list.is_unknown()
                || list
                    .listed()
                    .iter()
                    .any(|one| one.as_str().is_none_or(|one| one == "RootCredentialsManagement"))
        })
    });
    if central {
        return;
    }
    for chain in organization::chains(cx) {
        if restricts_root(&chain) {
            continue;
        }
        let text = format!(
            "root users of accounts under {} may do everything: no service control policy denies them",
            chain.words()
        );
        if let Some(report) = chain.absence(cx, text) {
            let report = report.help("deny everything to arn:aws:iam::*:root in a policy of the unit");
            cx.report(report.fix(deny_root(&chain)));
        }
    }
}

/// A statement for root users in the first policy of the unit that is written here.
fn deny_root(chain: &Chain<'_>) -> Option<Fix> {
    let mut roomy = chain.policies.iter().filter(|policy| organization::has_room(policy));
    roomy.find_map(|policy| {
        let root = ("StringLike", "aws:PrincipalArn", "arn:*:iam::*:root");
        let draft = fixes::denial(&["*"], vec!["*".into()], Some(root));
        let edit = fixes::append(&policy.document, draft)?;
        let title = format!("Deny root users in {}", names::document(policy));
        Some(fixes::changing(title, [edit]))
    })
}

fn restricts_root(chain: &Chain<'_>) -> bool {
    chain.denies().any(|(_, statement)| {
        // The least that keeps a root user from staying: no new access keys.
        statement.actions.select("iam:CreateAccessKey").possible() && meets_root(statement)
    })
}

/// Whether a Deny is for root users, or for all but principals that are none.
fn meets_root(statement: &Statement) -> bool {
    let for_root = |condition: &Condition| {
        let positive = !condition.operator.is_negated()
            && !matches!(condition.operator.test, Test::Null | Test::Unknown);
        condition.key.is("aws:PrincipalArn")
            && (condition.open
                || condition.values.iter().any(|value| {
                    let matches = value.pattern().matches("arn:aws:iam::111122223333:root");
                    let literal = value.text().trailing().ends_with(":root");
                    literal || matches.possible() && positive
                }))
            && positive
    };
    !statement.conditions.items.is_empty()
        && statement
            .conditions
            .items
            .iter()
            .all(|condition| for_root(condition) || organization::spares(condition))
}
