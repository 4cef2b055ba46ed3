//! `existing-compute-code-injection`: own code in something that runs with a stronger role.

use crate::escalate::{self, Allowed, Gain, Granted};
use crate::listed::is_listed;
use crate::{Context, Family, Scope, names, organization};
use overgrant_catalog::{EscalationPath, Precondition};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId, Workload, identity};
use overgrant_value::Text;

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
    /// The same as a policy document of Terraform:
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
    /// data "aws_iam_policy_document" "ci" {
    ///   statement {
    ///     actions   = ["lambda:UpdateFunctionCode", "lambda:InvokeFunction"] # <-- here
    ///     resources = [aws_lambda_function.janitor.arn]
    ///   }
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = data.aws_iam_policy_document.ci.json
    /// }
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
    /// A role that deploys, by the configuration, is told of only:
    /// ```terraform good deployer_roles:ci at:info also:managed-administratoraccess
    /// resource "aws_iam_role" "fn" {
    ///   name = "app-fn"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "fn" {
    ///   role       = aws_iam_role.fn.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
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
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["lambda:UpdateFunctionCode", "lambda:InvokeFunction"], Resource = aws_lambda_function.app.arn }]
    ///   })
    /// }
    /// ```
    /// The function takes signed code only:
    /// ```terraform good also:managed-administratoraccess
    /// resource "aws_lambda_code_signing_config" "strict" {
    ///   allowed_publishers {
    ///     signing_profile_version_arns = ["arn:aws:signer:eu-west-1:111122223333:/signing-profiles/release/a1b2c3d4e5"]
    ///   }
    ///   policies {
    ///     untrusted_artifact_on_deployment = "Enforce"
    ///   }
    /// }
    /// resource "aws_iam_role" "fn" {
    ///   name = "app-fn"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "fn" {
    ///   role       = aws_iam_role.fn.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_lambda_function" "app" {
    ///   function_name           = "app"
    ///   role                    = aws_iam_role.fn.arn
    ///   handler                 = "main.handler"
    ///   runtime                 = "python3.13"
    ///   filename                = "app.zip"
    ///   code_signing_config_arn = aws_lambda_code_signing_config.strict.arn
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
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["lambda:UpdateFunctionCode", "lambda:InvokeFunction"], Resource = aws_lambda_function.app.arn }]
    ///   })
    /// }
    /// ```
    /// A stack without a service role changes things with the caller's own rights:
    /// ```terraform good
    /// resource "aws_cloudformation_stack" "app" {
    ///   name          = "app"
    ///   template_body = "{}"
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
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "cloudformation:UpdateStack", Resource = "arn:aws:cloudformation:eu-west-1:111122223333:stack/app/*" }]
    ///   })
    /// }
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

/// Services that start builds and jobs for those who describe a pipeline: to start what it exists for is
/// no way to code of one's own.
const CONDUCTORS: [&str; 4] = [
    "codepipeline.amazonaws.com",
    "states.amazonaws.com",
    "events.amazonaws.com",
    "scheduler.amazonaws.com",
];

struct Found<'a> {
    gain: Gain,
    workload: &'a Workload,
    role: &'a Identity,
    path: &'static EscalationPath,
    action: &'static str,
    allowed: Allowed<'a>,
}

fn check(cx: &mut Context<'_>) {
    let mut granted = Granted::default();
    for (caller, identity) in escalate::callers(cx) {
        if escalate::is_admin(cx, caller) || is_listed(&cx.settings.break_glass, identity) {
            continue;
        }
        for (service, kinds) in KINDS {
            if let Some(found) = best(cx, &mut granted, caller, service, kinds) {
                finding(cx, caller, identity, &found);
            }
        }
    }
}

fn best<'a>(
    cx: &Context<'a>,
    granted: &mut Granted,
    caller: IdentityId,
    service: &str,
    kinds: [&str; 2],
) -> Option<Found<'a>> {
    let model = cx.model;
    let mut best: Option<Found<'a>> = None;
    for (at, path, edge) in escalate::onto_workloads(cx, caller, "existing-compute-code-injection") {
        let Some(workload) = model.workloads.get(at) else {
            continue;
        };
        let Some(id) = cx.access.role_of(at) else {
            continue;
        };
        let named = edge.by.iter().map(|one| one.action);
        let of_service = |action: &&str| action.split(':').next() == Some(service);
        let (Some(role), Some(action)) = (model.identity(id), named.into_iter().find(of_service))
        else {
            continue;
        };
        let sure = path
            .preconditions
            .iter()
            .all(|one| matches!(one, Precondition::ComputeBoundToRole | Precondition::FunctionEventSource));
        if !sure || !kinds.contains(&workload.place.kind.as_str()) {
            continue;
        }
        let Some(gain) = granted.gain(cx, caller, id) else {
            continue;
        };
        if best.as_ref().is_some_and(|best| gain <= best.gain) {
            continue;
        }
        let function = arn(workload);
        if action == CODE && takes_signed_code_only(cx, caller, workload, &function) {
            continue;
        }
        let allowed = escalate::allowed(cx, caller, action, Some(&function), None)
            .filter(|allowed| allowed.place.is_some());
        if let Some(allowed) = allowed {
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

const CODE: &str = "lambda:UpdateFunctionCode";

/// Kinds of configurations that say what happens to code that is not signed.
const SIGNING: [&str; 2] = ["AWS::Lambda::CodeSigningConfig", "aws_lambda_code_signing_config"];

/// Whether a configuration of the model refuses code that is not signed, and the caller may not
/// detach it. Source: AWS Lambda, "Using code signing to verify code integrity".
fn takes_signed_code_only(
    cx: &Context<'_>,
    caller: IdentityId,
    workload: &Workload,
    function: &Text,
) -> bool {
    let attached = ["code_signing_config_arn", "CodeSigningConfigArn"]
        .iter()
        .find_map(|name| workload.attrs.get(name)?.to_text());
    let Some((root, address)) = attached.as_ref().and_then(organization::resource_of) else {
        return false;
    };
    let enforced = cx.model.settings_of(&SIGNING).any(|config| {
        let place = &config.place;
        let policies = ["policies", "CodeSigningPolicies"]
            .iter()
            .find_map(|name| config.attrs.get(name));
        let policies = policies.map(|val| {
            let first = val.as_items().and_then(|items| items.first().cloned());
            first.unwrap_or(val)
        });
        let enforces = ["untrusted_artifact_on_deployment", "UntrustedArtifactOnDeployment"]
            .iter()
            .filter_map(|name| policies.as_ref()?.get(name))
            .any(|val| val.as_str().is_some_and(|word| word == "Enforce"));
        place.root == *root && place.address == *address && enforces
    });
    let detaches = [
        "lambda:DeleteFunctionCodeSigningConfig",
        "lambda:PutFunctionCodeSigningConfig",
    ]
    .iter()
    .any(|action| cx.access.allows(caller, action, Some(function)).answer.possible());
    enforced && !detaches
}

/// Whether only services that conduct others may become the caller.
fn is_conductor(cx: &Context<'_>, caller: IdentityId) -> bool {
    let Some((_, trust)) = cx.access.trust(caller) else {
        return false;
    };
    let mut named = trust
        .document
        .allows()
        .flat_map(|statement| statement.principals.iter())
        .peekable();
    named.peek().is_some()
        && named.all(|principal| {
            principal
                .service()
                .is_some_and(|name| CONDUCTORS.contains(&name.as_str()))
        })
}

fn arn(workload: &Workload) -> Text {
    let place = &workload.place;
    let attribute = if place.format.is_terraform() { "arn" } else { "Arn" };
    let argument = |name: &str| workload.attrs.get(name)?.to_text();
    identity::attribute(&place.kind, attribute, &place.root, &place.address, &argument)
        .unwrap_or_else(|| place.own(attribute))
}

fn finding(cx: &mut Context<'_>, id: IdentityId, caller: &Identity, found: &Found<'_>) {
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
    let starts = found.action.contains(":Start");
    let confidence = if starts && is_conductor(cx, id) {
        Confidence::Low
    } else {
        escalate::confidence(found.path)
    };
    let mut report = cx
        .finding(place, &found.allowed.action_src(found.action), text)
        .statement(found.allowed.statement)
        .confidence(confidence)
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
    if is_listed(&cx.settings.deployer_roles, caller) {
        report = report
            .severity(Severity::Info)
            .note("the principal is a declared deployer");
    }
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
