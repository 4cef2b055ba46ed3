//! `lambda-public-or-url-anonymous`: A Lambda function can be invoked by everybody.

use crate::caller::{Caller, caller};
use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Model, PolicyDocument, Setting};

rule! {
    /// A Lambda function can be invoked by everybody.
    ///
    /// A permission names `*` as principal, or a function URL has the authorization type `NONE`.
    ///
    /// ## Why
    /// Anyone invokes the function: with chosen input, at the account's cost, and with what the function's
    /// role may do behind it.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_lambda_permission" "any" {
    ///   statement_id  = "any"
    ///   action        = "lambda:InvokeFunction"
    ///   function_name = "shop"
    ///   principal     = "*" # <-- here
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Url:
    ///     Type: AWS::Lambda::Url
    ///     Properties:
    ///       TargetFunctionArn: shop
    ///       AuthType: NONE # <-- here
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_lambda_permission" "org" {
    ///   statement_id     = "org"
    ///   action           = "lambda:InvokeFunction"
    ///   function_name    = "shop"
    ///   principal        = "*"
    ///   principal_org_id = "o-a1b2c3d4e5"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Url:
    ///     Type: AWS::Lambda::Url
    ///     Properties:
    ///       TargetFunctionArn: shop
    ///       AuthType: AWS_IAM
    /// ```
    /// A webhook that is meant to be public stands in the configuration:
    /// ```terraform good public_ok:aws_lambda_function_url.hook
    /// resource "aws_lambda_function_url" "hook" {
    ///   function_name      = "hook"
    ///   authorization_type = "NONE"
    /// }
    /// ```
    /// ## How to fix
    /// Name the service or account as principal, and give function URLs the type `AWS_IAM` (behind
    /// CloudFront with an origin access control where browsers call).
    pub(crate) static LAMBDA_PUBLIC_OR_URL_ANONYMOUS = Rule {
        id: "lambda-public-or-url-anonymous",
        family: Family::Resource,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 732],
        aliases: &["CKV_AWS_258", "CKV_AWS_301", "F13"],
        mappings: &[
            ("FSBP", "Lambda.1"),
            ("NIST", "AC-3"),
            ("NIST", "AC-4"),
            ("NIST", "AC-6"),
            ("NIST", "SC-7"),
            ("ATT&CK", "T1530"),
            ("ATT&CK", "T1537"),
        ],
        references: &["https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"],
        check: check,
    };
}

const URLS: [&str; 2] = ["aws_lambda_function_url", "AWS::Lambda::Url"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    urls(cx, model);
    for (policy, service) in holder::resource_policies(model) {
        if service != "lambda" || cx.settings.is_public_ok(&policy.place.address) {
            continue;
        }
        for statement in policy.document.allows() {
            let Some(anyone) = statement.principals.anyone() else {
                continue;
            };
            let layer = statement.actions.select("lambda:GetLayerVersion").possible();
            if layer || matches!(caller(&statement.conditions), Caller::Bound) {
                continue;
            }
            let by_url = statement.conditions.on("lambda:FunctionUrlAuthType").any(|condition| {
                condition.values.iter().all(|value| value.known().as_deref() == Some("NONE"))
            }) || statement.conditions.on("lambda:InvokedViaFunctionUrl").next().is_some();
            // The URL itself is the cause where it is in the same configuration.
            let same = |url: &Setting| url.place.root == policy.place.root && may_be_same(url, policy);
            if by_url && open_urls(model).any(|(url, _)| same(url)) {
                continue;
            }
            let what = holder::target(policy, service);
            let report = cx
                .finding(
                    &policy.place,
                    anyone.src(),
                    if by_url {
                        format!("anyone can invoke {what} through its URL without signing in")
                    } else {
                        format!("anyone can invoke {what}")
                    },
                )
                .statement(statement)
                .when(anyone.guard())
                .severity(if by_url { Severity::Medium } else { Severity::High })
                .help("name the service or account that invokes the function");
            cx.report(report);
        }
    }
}

/// Whether a URL may be that of the function whose policy this is: not where both are named, and
/// otherwise.
fn may_be_same(url: &Setting, policy: &PolicyDocument) -> bool {
    let named = ["function_name", "TargetFunctionArn"]
        .iter()
        .find_map(|name| url.attrs.get(name)?.to_text()?.as_known());
    let target = policy.targets.first().and_then(|to| to.text.as_known());
    let (Some(named), Some(target)) = (named, target) else {
        return true;
    };
    // Either may be an ARN.
    let name = |text: &str| text.rsplit(':').next().map(str::to_owned);
    name(&named) == name(&target)
}

/// Function URLs without authorization, and the value that says so.
fn open_urls(model: &Model) -> impl Iterator<Item = (&Setting, overgrant_value::Val)> {
    model.settings_of(&URLS).filter_map(|setting| {
        let auth = ["authorization_type", "AuthType"]
            .iter()
            .find_map(|name| setting.attrs.get(name))?;
        let none = auth.to_text().is_some_and(|text| text.is("NONE"));
        none.then_some((setting, auth))
    })
}

fn urls(cx: &mut Context<'_>, model: &Model) {
    for (url, auth) in open_urls(model) {
        let place = &url.place;
        if cx.settings.is_public_ok(&place.address) {
            continue;
        }
        let report = cx
            .finding(
                place,
                auth.src(),
                format!("anyone can invoke the function behind URL `{}` without signing in", place.address),
            )
            .cell("authorization none")
            .marks(auth.marks())
            .severity(Severity::Medium)
            .help("use AWS_IAM, behind CloudFront with an origin access control where browsers call");
        cx.report(report);
    }
}
