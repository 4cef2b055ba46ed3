//! `lambda-public-or-url-anonymous`: A Lambda function can be invoked by everybody.

use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_access::exposed::{PublicFunction, open_urls, public_functions};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::Model;

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

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    urls(cx, model);
    for PublicFunction { policy, statement, anyone, by_url } in public_functions(model) {
        if cx.settings.is_public_ok(&policy.place.address) {
            continue;
        }
        let what = holder::target(policy, "lambda");
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
