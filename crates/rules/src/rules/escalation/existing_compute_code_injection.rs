//! `existing-compute-code-injection`: own code in something that runs with a stronger role.

use crate::escalate::{self, Allowed, Gain};
use crate::listed::is_listed;
use crate::{Context, Family, Scope, names};
use overgrant_catalog::{EscalationPath, Precondition, escalation_paths};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId, Workload, identity};
use overgrant_value::Text;
use std::collections::BTreeMap;

rule! {
    /// Principal can change code that runs with a stronger role.
    ///
    /// It may replace the code or the commands of a function, build, state machine or the like of this
    /// code base, which runs with a role that has rights the principal lacks.
    ///
    /// ## Why
    /// Who gets hold of the principal puts its own code there and has the rights of that role, without
    /// passing a role and without a new resource that somebody would notice.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "admin" {
    ///   name = "app-admin"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "admin" {
    ///   role       = aws_iam_role.admin.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_lambda_function" "janitor" {
    ///   function_name = "janitor"
    ///   role          = aws_iam_role.admin.arn
    ///   handler       = "main.handler"
    ///   runtime       = "python3.13"
    ///   filename      = "janitor.zip"
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["lambda:UpdateFunctionCode", "lambda:InvokeFunction"] # <-- here
    ///       Resource = aws_lambda_function.janitor.arn
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Admin:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: codebuild.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    ///   Build:
    ///     Type: AWS::CodeBuild::Project
    ///     Properties:
    ///       Name: build
    ///       ServiceRole: !GetAtt Admin.Arn
    ///       Source: { Type: NO_SOURCE, BuildSpec: "version: 0.2" }
    ///       Artifacts: { Type: NO_ARTIFACTS }
    ///       Environment: { Type: LINUX_CONTAINER, Image: "aws/codebuild/standard:7.0", ComputeType: BUILD_GENERAL1_SMALL }
    ///   Starter:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///       Policies:
    ///         - PolicyName: start
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: codebuild:StartBuild # <-- here
    ///                 Resource: !GetAtt Build.Arn
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "fn" {
    ///   name = "app-fn"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_lambda_function" "app" {
    ///   function_name = "app"
    ///   role          = aws_iam_role.fn.arn
    ///   handler       = "main.handler"
    ///   runtime       = "python3.13"
    ///   filename      = "app.zip"
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["lambda:UpdateFunctionCode", "lambda:InvokeFunction"]
    ///       Resource = aws_lambda_function.app.arn
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Starter:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: codebuild:StartBuild
    ///             Resource: !Sub arn:${AWS::Partition}:codebuild:${AWS::Region}:${AWS::AccountId}:project/docs
    /// ```
    /// ## How to fix
    /// Name the resources whose code the principal maintains, give those no stronger role than its own, and
    /// use code signing for functions.
    pub(crate) static EXISTING_COMPUTE_CODE_INJECTION = Rule {
        id: "existing-compute-code-injection",
        family: Family::Escalation,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 250],
        aliases: &["CKV_AWS_110"],
        mappings: &[
            ("ATT&CK", "T1648"),
            ("ATT&CK", "T1059.009"),
            ("NIST", "AC-6(5)"),
            ("NIST", "AC-6(10)"),
            ("NIST", "AC-2(7)"),
        ],
        references: &[
            "https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html",
            "https://pathfinding.cloud",
        ],
        check: check,
    };
}

/// The resource types whose code an action changes, by the service of the action.
const KINDS: [(&str, [&str; 2]); 4] = [
    ("apprunner", ["aws_apprunner_service", "AWS::AppRunner::Service"]),
    ("codebuild", ["aws_codebuild_project", "AWS::CodeBuild::Project"]),
    ("lambda", ["aws_lambda_function", "AWS::Lambda::Function"]),
    ("states", ["aws_sfn_state_machine", "AWS::StepFunctions::StateMachine"]),
];

struct Found<'a> {
    gain: Gain,
    workload: &'a Workload,
    role: &'a Identity,
    path: &'static EscalationPath,
    action: &'static str,
    allowed: Allowed<'a>,
}

/// The workloads of a root: their indices in the model.
type OfRoot<'a> = BTreeMap<&'a str, Vec<usize>>;

fn check(cx: &mut Context<'_>) {
    let mut workloads = OfRoot::new();
    for (index, workload) in cx.model.workloads.iter().enumerate() {
        let root = workloads.entry(&*workload.place.root).or_default();
        root.push(index);
    }
    for (caller, identity) in escalate::callers(cx) {
        let exempt = escalate::is_admin(cx, caller)
            || is_listed(&cx.settings.deployer_roles, identity)
            || is_listed(&cx.settings.break_glass, identity);
        if exempt {
            continue;
        }
        for (service, kinds) in KINDS {
            if let Some(found) = best(cx, caller, service, kinds, &workloads) {
                finding(cx, identity, &found);
            }
        }
    }
}

fn best<'a>(
    cx: &Context<'a>,
    caller: IdentityId,
    service: &str,
    kinds: [&str; 2],
    workloads: &OfRoot<'_>,
) -> Option<Found<'a>> {
    let model = cx.model;
    let root = &model.identity(caller)?.place.root;
    let mut best: Option<Found<'a>> = None;
    // Another root may well be another account: nothing in the code says that they meet.
    for &index in workloads.get(&**root).into_iter().flatten() {
        let Some(workload) = model.workloads.get(index) else {
            continue;
        };
        if !kinds.contains(&workload.place.kind.as_str()) {
            continue;
        }
        let Some(id) = cx.access.role_of(index) else {
            continue;
        };
        let (Some(arn), Some(role)) = (arn(workload), model.identity(id)) else {
            continue;
        };
        let hit = escalation_paths()
            .iter()
            .filter(|path| path.rule == "existing-compute-code-injection" && sure(path))
            .find_map(|path| {
                let (action, allowed) = walk(cx, caller, path, service, &arn)?;
                Some((path, action, allowed))
            });
        let Some((path, action, allowed)) = hit else {
            continue;
        };
        let Some(gain) = escalate::gain(cx, caller, id) else {
            continue;
        };
        if allowed.place.is_some() && best.as_ref().is_none_or(|best| gain > best.gain) {
            best = Some(Found {
                gain,
                workload,
                role,
                path,
                action,
                allowed,
            });
        }
    }
    best
}

/// Whether the path needs nothing that the model does not show.
fn sure(path: &EscalationPath) -> bool {
    path.confidence != overgrant_catalog::Confidence::Low
        && path
            .preconditions
            .iter()
            .all(|one| matches!(one, Precondition::ComputeBoundToRole))
}

fn walk<'a>(
    cx: &Context<'a>,
    caller: IdentityId,
    path: &'static EscalationPath,
    service: &str,
    arn: &Text,
) -> Option<(&'static str, Allowed<'a>)> {
    let mut first = None;
    for group in path.legs {
        let hit = group.iter().find_map(|leg| {
            let own = leg.action.split(':').next() == Some(service);
            let found = own
                .then(|| escalate::allowed(cx, caller, leg.action, Some(arn), None))
                .flatten()?;
            Some((leg.action, found))
        })?;
        first = first.or(Some(hit));
    }
    first
}

fn arn(workload: &Workload) -> Option<Text> {
    let place = &workload.place;
    let attribute = if place.format.is_terraform() { "arn" } else { "Arn" };
    let argument = |name: &str| workload.attrs.get(name)?.to_text();
    identity::attribute(&place.kind, attribute, &place.root, &place.address, &argument)
        .or_else(|| Some(place.own(attribute)))
}

fn finding(cx: &mut Context<'_>, caller: &Identity, found: &Found<'_>) {
    let Some(place) = found.allowed.place else {
        return;
    };
    let what = &found.workload.place.address;
    let end = match found.gain {
        Gain::Admin => "and so become administrator",
        Gain::More => "and so take on its rights",
    };
    let text = format!(
        "{} can run its own code in `{what}` with role `{}` {end}",
        names::identity(caller),
        names::plain(found.role)
    );
    let report = cx
        .finding(place, &found.allowed.action_src(found.action), text)
        .statement(found.allowed.statement)
        .confidence(escalate::confidence(found.path))
        .related(
            &found.workload.role.src,
            format!("`{what}` runs with `{}`", names::plain(found.role)),
            Some(&found.workload.place),
        )
        .related(
            &found.role.place.name_src,
            "the role that is won",
            Some(&found.role.place),
        )
        .principal(&caller.place)
        .path(found.path.id)
        .help("name the resources whose code the principal maintains");
    cx.report(report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn scene(policy: &str, admin: &str) -> Vec<String> {
        let trust = r#"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"}}}"#;
        let role = |name: &str| format!(r#"{{"name":"{name}","assume_role_policy":"{trust}"}}"#);
        let inline = |role: &str, text: &str| {
            let text = text.replace('"', "\\\"");
            format!(r#"{{"role":"{role}","policy":"{{\"Statement\":[{text}]}}"}}"#)
        };
        Scene::new()
            .resource("aws_iam_role", "fn", &role("fn"))
            .resource("aws_iam_role_policy", "fn", &inline("fn", admin))
            .resource(
                "aws_lambda_function",
                "janitor",
                r#"{"function_name":"janitor","role":"arn:aws:iam::123456789012:role/fn"}"#,
            )
            .resource("aws_iam_role", "ci", &role("ci"))
            .resource("aws_iam_role_policy", "ci", &inline("ci", policy))
            .run(&EXISTING_COMPUTE_CODE_INJECTION)
            .into_iter()
            .map(|(bytes, _)| bytes)
            .collect()
    }

    const ADMIN: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

    #[test]
    fn code_of_an_administrator_is_found() {
        let all = r#"{"Effect":"Allow","Action":["lambda:Update*","lambda:InvokeFunction"],"Resource":"*"}"#;
        assert_eq!(scene(all, ADMIN).len(), 1);
    }

    #[test]
    fn other_functions_and_weak_roles_are_silent() {
        let none: Vec<String> = Vec::new();
        let other = r#"{"Effect":"Allow","Action":"lambda:*","Resource":"arn:aws:lambda:*:*:function:web"}"#;
        assert_eq!(scene(other, ADMIN), none);
        let read = r#"{"Effect":"Allow","Action":"lambda:Get*","Resource":"*"}"#;
        assert_eq!(scene(read, ADMIN), none);
        let all = r#"{"Effect":"Allow","Action":"lambda:*","Resource":"*"}"#;
        let logs = r#"{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"*"}"#;
        assert_eq!(scene(all, logs), none);
    }
}
