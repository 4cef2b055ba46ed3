//! `force-mfa-policy-flawed`: a policy that is to force MFA and has a hole.

use crate::grants::list_actions;
use crate::{Context, Family, Scope, fixes, names};
use overgrant_catalog::{Action, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentRole, PolicyDocument};
use overgrant_policy::{ActionPattern, Answer, Document, Effect, Statement, Test};

rule! {
    /// Policy that forces MFA lets users around it.
    ///
    /// A policy that denies calls without MFA, and allows users to enrol a device, is tested: the rights to
    /// enrol must reach the user's own devices only, what the Deny spares must not be more than enrolment
    /// needs, and must be all that it needs.
    ///
    /// ## Why
    /// With enrolment rights on every user, one user takes another's device off and enrols his own, and has
    /// the other's MFA. What the Deny spares works with a stolen password or key alone.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "mfa" {
    ///   name = "mfa"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect   = "Allow"
    ///         Action   = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices"]
    ///         Resource = "*" # <-- here
    ///       },
    ///       {
    ///         Effect    = "Deny"
    ///         NotAction = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "sts:GetSessionToken"]
    ///         Resource  = "*"
    ///         Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "false" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Mfa:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             NotAction:
    ///               - iam:*MFADevice*
    ///               - iam:CreateAccessKey # <-- here
    ///               - sts:GetSessionToken
    ///             Resource: "*"
    ///             Condition:
    ///               BoolIfExists:
    ///                 aws:MultiFactorAuthPresent: "false"
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "mfa" {
    ///   name = "mfa"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices"],
    ///           "Resource": "*" # <-- here
    ///         },
    ///         {
    ///           "Effect": "Deny",
    ///           "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "sts:GetSessionToken"],
    ///           "Resource": "*",
    ///           "Condition": {
    ///             "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// Users reach themselves by the policy variable:
    /// ```terraform good
    /// resource "aws_iam_policy" "mfa" {
    ///   name = "mfa"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect   = "Allow"
    ///         Action   = ["iam:EnableMFADevice", "iam:ListMFADevices", "iam:ResyncMFADevice"]
    ///         Resource = "arn:aws:iam::*:user/$${aws:username}"
    ///       },
    ///       { Effect = "Allow", Action = "iam:CreateVirtualMFADevice", Resource = "arn:aws:iam::*:mfa/*" },
    ///       {
    ///         Effect    = "Deny"
    ///         NotAction = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken"]
    ///         Resource  = "*"
    ///         Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "false" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Mfa:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             NotAction: ["iam:*MFADevice*", "iam:GetUser", "iam:ChangePassword", "sts:GetSessionToken"]
    ///             Resource: "*"
    ///             Condition:
    ///               BoolIfExists:
    ///                 aws:MultiFactorAuthPresent: "false"
    /// ```
    /// ## How to fix
    /// Limit enrolment to `arn:aws:iam::*:user/${aws:username}`, and let the Deny spare only the enrolment of
    /// a device, the change of one's own password and `sts:GetSessionToken`.
    pub(crate) static FORCE_MFA_POLICY_FLAWED = Rule {
        id: "force-mfa-policy-flawed",
        family: Family::Credential,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[308, 863],
        aliases: &["AWS-0123"],
        mappings: &[
            ("NIST", "IA-2(1)"),
            ("CIS5", "1.9"),
            ("ATT&CK", "T1552.001"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1098.001"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage-mfa-only.html"],
        check: check,
    };
}

/// What users do for themselves, and could do to others.
const SELF_SERVICE: [&str; 12] = [
    "iam:EnableMFADevice",
    "iam:ResyncMFADevice",
    "iam:DeactivateMFADevice",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:DeleteAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:UploadSSHPublicKey",
    "iam:UploadSigningCertificate",
    "iam:CreateServiceSpecificCredential",
    "iam:ResetServiceSpecificCredential",
];

/// What must not work without MFA: credentials, rights, other roles.
const GUARDED: [&str; 8] = [
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:DeactivateMFADevice",
    "iam:PutUserPolicy",
    "iam:AttachUserPolicy",
    "iam:AddUserToGroup",
    "iam:CreateUser",
    "sts:AssumeRole",
];

/// What a user without MFA needs to get one, and to use it from the command line.
const NEEDED: [&str; 4] = [
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:ListMFADevices",
    "sts:GetSessionToken",
];

fn check(cx: &mut Context<'_>) {
    for policy in &cx.model.documents {
        let identity = matches!(policy.role, DocumentRole::Managed | DocumentRole::Inline);
        let Some(deny) = forcing(&policy.document).filter(|_| identity) else {
            continue;
        };
        reach(cx, policy);
        spared(cx, policy, deny);
    }
}

/// The Deny that forces MFA: everything but a list, without MFA.
fn forcing(document: &Document) -> Option<&Statement> {
    document.statements.iter().find(|statement| {
        statement.effect == Effect::Deny
            && statement.actions.listed().negated
            && statement.resources.covers_all() == Answer::Must
            && statement.conditions.items.iter().any(|condition| {
                condition.key.is("aws:MultiFactorAuthPresent")
                    && condition.operator.test == Test::Bool
                    && condition.values.iter().any(|value| {
                        value.known().is_some_and(|known| known.eq_ignore_ascii_case("false"))
                    })
            })
    })
}

/// Rights to enrol that reach other users.
fn reach(cx: &mut Context<'_>, policy: &PolicyDocument) {
    for statement in policy.document.allows() {
        let wide: Vec<Action<'static>> = SELF_SERVICE
            .iter()
            .filter(|name| statement.actions.select(name) == Answer::Must)
            .filter_map(|name| catalog().find_action(name))
            .filter(|action| statement.resources.star_for(action.id()).all() == Answer::Must)
            .collect();
        let everything = statement.actions.select("s3:GetObject").possible();
        let Some(first) = wide.first().filter(|_| !everything) else { continue };
        if statement.conditions.narrows().possible() {
            continue;
        }
        let listed = statement.resources.listed();
        let src = statement
            .resources
            .star()
            .map_or(&listed.src, |star| star.pattern().src());
        let text = format!(
            "{} lets its holder use {} on every user, not only on himself",
            names::document(policy),
            list_actions(&wide)
        );
        let actions = &statement.actions;
        let action_src = actions
            .pattern_for(&first.to_string())
            .map_or(&actions.listed().key_src, |item| item.pattern().src());
        let mut report = cx
            .finding(&policy.place, src, text)
            .statement(statement)
            .related(action_src, "reaches other users", None)
            .help("limit it to arn:aws:iam::*:user/${aws:username}")
            .fix(fixes::own_user(statement));
        for item in &actions.listed().items {
            report = report.covers(item.pattern().src());
        }
        cx.report(report);
    }
}

/// What the Deny spares: too much, or too little.
fn spared(cx: &mut Context<'_>, policy: &PolicyDocument, deny: &Statement) {
    let listed = deny.actions.listed();
    let name = names::document(policy);
    let guards = |item: &&ActionPattern| {
        GUARDED.iter().any(|action| item.matches(action) == Answer::Must)
            // `iam:*MFADevice*` takes the removal of a device along; enrolment is meant.
            && !item.pattern().to_string().to_ascii_lowercase().contains("mfadevice")
    };
    if let Some(item) = listed.items.iter().find(guards) {
        let text = format!("{name} lets users without MFA use `{item}`");
        let report = cx
            .finding(&policy.place, item.pattern().src(), text)
            .statement(deny)
            .help("take it out of the list that the Deny spares");
        cx.report(report);
        return;
    }
    let missing: Vec<Action<'static>> = NEEDED
        .iter()
        .filter(|_| !listed.open)
        .filter(|name| deny.actions.select(name) == Answer::Must)
        .filter_map(|name| catalog().find_action(name))
        .collect();
    if !missing.is_empty() {
        let text = format!(
            "{name} keeps users without MFA from {}, which they need to get one",
            list_actions(&missing)
        );
        let report = cx
            .finding(&policy.place, &listed.key_src, text)
            .statement(deny)
            .severity(Severity::Low)
            .help("let the Deny spare what the enrolment of a device needs");
        cx.report(report);
    }
}
