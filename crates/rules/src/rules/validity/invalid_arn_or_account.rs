//! `invalid-arn-or-account`: ARNs that can name nothing.

use crate::skeleton::is_blank;
use crate::{Context, Family, Scope, accounts, names};
use overgrant_catalog::{Catalog, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::DocumentRole;
use overgrant_policy::{Arn, ArnLiterals, ResourcePattern};
use overgrant_value::{Marks, Text};

rule! {
    /// ARN or account id is malformed.
    ///
    /// A resource or principal is not an ARN, or a segment of it cannot exist: a partition or service
    /// that AWS does not have, an account id that is not 12 digits, an AWS managed policy of another
    /// name.
    ///
    /// ## Why
    /// AWS refuses some of these and accepts the rest, which then match nothing: a grant that does not
    /// work is soon widened to `*`, and a Deny that matches nothing protects nothing.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "reader" {
    ///   name = "reader"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sqs:SendMessage"
    ///       Resource = "arn:aws:sqs:eu-west-1:30281845:orders" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// An account that is put into several ARNs is told once, where it is written:
    /// ```terraform bad
    /// locals {
    ///   account = "30281845" # <-- here
    /// }
    /// resource "aws_iam_policy" "sender" {
    ///   name = "sender"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sqs:SendMessage"
    ///       Resource = ["arn:aws:sqs:eu-west-1:${local.account}:orders", "arn:aws:sqs:eu-west-1:${local.account}:bills"]
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Reader:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: acme-reports/* # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "reader" {
    ///   statement {
    ///     actions   = ["sqs:SendMessage"]
    ///     resources = ["arn:aws:sqs:eu-west-1:30281845:orders"] # <-- here
    ///   }
    /// }
    /// resource "aws_iam_policy" "reader" {
    ///   name = "reader"
    ///   policy = data.aws_iam_policy_document.reader.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "reader" {
    ///   name = "reader"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sqs:SendMessage"
    ///       Resource = "arn:aws:sqs:eu-west-1:123456789012:orders"
    ///     }]
    ///   })
    /// }
    /// ```
    /// Parts that are only known later are not judged:
    /// ```terraform good
    /// variable "account" {
    ///   type = string
    /// }
    /// resource "aws_iam_policy" "sender" {
    ///   name = "sender"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sqs:SendMessage"
    ///       Resource = "arn:aws:sqs:eu-west-1:${var.account}:orders"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Reader:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: arn:aws:s3:::acme-reports/*
    /// ```
    /// API Gateway completes what starts with `execute-api:/`:
    /// ```terraform good
    /// resource "aws_api_gateway_rest_api_policy" "private" {
    ///   rest_api_id = "a1b2c3d4e5"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Principal = "*"
    ///       Action    = "execute-api:Invoke"
    ///       Resource  = "execute-api:/*"
    ///       Condition = { StringEquals = { "aws:SourceVpce" = "vpce-0a1b2c3d4e5f60718" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// With `scope: account` the account of examples is a note:
    /// ```terraform good at:info scope:module,account
    /// resource "aws_iam_policy" "reader" {
    ///   name = "reader"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "arn:aws:sqs:eu-west-1:123456789012:orders" }]
    ///   })
    /// }
    /// ```
    /// Crosses where an account id is to be filled in:
    /// ```terraform good at:low
    /// resource "aws_iam_policy" "p" {
    ///   name = "read"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sqs:ReceiveMessage"
    ///       Resource = "arn:aws:sqs:eu-west-1:XXXXXXXXXXXX:orders"
    ///     }]
    ///   })
    /// }
    /// ```
    /// So do words that ask for an ARN:
    /// ```terraform good at:low
    /// locals {
    ///   role_arn = "Put your role ARN here"
    /// }
    /// resource "aws_iam_policy" "p" {
    ///   name = "start"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PassRole", Resource = local.role_arn }]
    ///   })
    /// }
    /// ```
    /// Digits in order hold the place of an id too:
    /// ```terraform good at:low
    /// locals {
    ///   account = "1234567890"
    /// }
    /// resource "aws_iam_policy" "p" {
    ///   name = "read"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sqs:ReceiveMessage"
    ///       Resource = "arn:aws:sqs:eu-west-1:${local.account}:orders"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Write `arn:partition:service:region:account:resource` with a 12-digit account id, or build the ARN
    /// from the resource that it means.
    pub(crate) static INVALID_ARN_OR_ACCOUNT = Rule {
        id: "invalid-arn-or-account",
        family: Family::Validity,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[1126, 1164, 697],
        aliases: &["INVALID_ARN"],
        mappings: &[("NIST", "SI-10")],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html",
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html",
        ],
        check: check,
    };
}

/// Partitions of AWS.
const PARTITIONS: [&str; 8] = [
    "aws", "aws-cn", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-us-gov",
];

/// What stands in the account segment of things that AWS owns.
const OWNERS: [&str; 6] = [
    "amazon", "aws", "aws-marketplace", "aws-managed", "cloudfront", "third-party",
];

/// The accounts of AWS's documentation.
const EXAMPLES: [&str; 2] = ["111122223333", "123456789012"];

fn check(cx: &mut Context<'_>) {
    boundaries(cx);
    for holder in &cx.model.documents {
        if holder.role == DocumentRole::OtherOrganization {
            continue;
        }
        let name = names::document(holder);
        for statement in &holder.document.statements {
            let items = &statement.resources.listed().items;
            let skeleton = || items.iter().any(|item| is_blank(&item.pattern().to_string()));
            for item in items {
                let Some(mut fault) = fault(item).or_else(|| example(cx, item)) else { continue };
                // What is to be replaced: a default (`BROKER_ARN`) or a blank (`<your ARN>`).
                let blank = is_blank(&item.pattern().to_string())
                    || item.pattern().marks().has(Marks::FROM_DEFAULT);
                let account = item.literals().and_then(|arn| arn.account);
                let word = account.is_none_or(|account| account.bytes().any(|byte| byte.is_ascii_alphabetic()));
                // Nobody mistypes digits as a word: it stands for one.
                let stand_in = fault.of_account && word && is_stand_in(item);
                if blank && word || stand_in || skeleton() {
                    fault.severity = Severity::Low;
                }
                let text = format!("{name} has the resource `{item}`, {}", fault.text);
                // An account that was put into the ARN is told once, where it is written.
                let put_in = item.account_src().filter(|_| fault.of_account);
                let put_in_is_none = put_in.is_none();
                let cell = if put_in.is_some() { String::new() } else { item.pattern().key() };
                let src = put_in.unwrap_or_else(|| item.pattern().src().clone());
                let whole = put_in_is_none.then_some(statement);
                let mut report = cx.finding(&holder.place, &src, text).when(&statement.guard);
                if let Some(statement) = whole {
                    report = report.statement(statement);
                }
                let report = report
                    .cell(cell)
                    .severity(fault.severity)
                    .marks(item.pattern().marks());
                cx.report(report);
            }
            for item in &statement.principals {
                let fault = item.literals().and_then(|arn| segments(&arn, catalog()));
                let Some(fault) = fault else { continue };
                // Accounts that roles trust are `trust-principal-malformed-or-orphan`.
                if fault.of_account && holder.role == DocumentRole::Trust {
                    continue;
                }
                let text = format!("{name} has the principal `{item}`, {}", fault.text);
                let report = cx
                    .finding(&holder.place, item.src(), text)
                    .statement(statement)
                    .cell(item.key())
                    .severity(fault.severity);
                cx.report(report);
            }
        }
    }
    for attachment in &cx.model.attachments {
        let Some(fault) = managed(&attachment.policy.text, catalog()) else {
            continue;
        };
        let text = format!(
            "`{}` attaches `{}`, {}",
            attachment.place.address, attachment.policy.text, fault.text
        );
        let report = cx
            .finding(&attachment.place, &attachment.policy.src, text)
            .cell(attachment.policy.text.key())
            .severity(fault.severity);
        cx.report(report);
    }
}

/// Whether the account is a word of letters alone, such as `foo`.
fn is_stand_in(item: &ResourcePattern) -> bool {
    item.literals()
        .and_then(|arn| arn.account)
        .is_some_and(|account| account.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// Boundaries whose ARN cannot exist.
fn boundaries(cx: &mut Context<'_>) {
    for identity in &cx.model.identities {
        let Some(boundary) = &identity.boundary else { continue };
        let Some(arn) = Arn::parse(&boundary.text) else { continue };
        let arn = ArnLiterals {
            partition: arn.partition.as_known(),
            service: arn.service.as_known(),
            account: arn.account.as_known(),
        };
        let Some(fault) = segments(&arn, catalog()) else { continue };
        let text = format!(
            "{} has the boundary `{}`, {}",
            names::identity(identity),
            boundary.text,
            fault.text
        );
        let report = cx
            .finding(&identity.place, &boundary.src, text)
            .when(&boundary.guard)
            .cell(boundary.text.key())
            .severity(fault.severity);
        cx.report(report);
    }
}

/// The account of AWS's documentation, in code that is meant to be deployed.
fn example(cx: &Context<'_>, item: &ResourcePattern) -> Option<Fault> {
    let account = item.literals()?.account?;
    let meant = cx.settings.speaks(Scope::Account)
        && EXAMPLES.contains(&account.as_str())
        && !cx.access.is_own_account(&account);
    meant.then(|| Fault {
        text: format!("whose account `{account}` is the one of AWS's examples"),
        severity: Severity::Info,
        of_account: true,
    })
}

struct Fault {
    text: String,
    severity: Severity,
    /// Whether the account id is what is wrong.
    of_account: bool,
}

fn medium(text: String) -> Fault {
    Fault {
        text,
        severity: Severity::Medium,
        of_account: false,
    }
}

fn fault(item: &ResourcePattern) -> Option<Fault> {
    if let Some(arn) = item.literals() {
        return segments(&arn, catalog());
    }
    let pattern = item.pattern();
    if item.is_star() || !pattern.is_known() {
        return None;
    }
    let text = pattern.to_string();
    // API Gateway puts the front of the ARN before these.
    if text.starts_with("execute-api:/") {
        return None;
    }
    let is_variable = text.starts_with("${");
    let rest = text.strip_prefix("arn:");
    match rest {
        // A short pattern is padded: `arn:aws:s3*`.
        Some(_) if pattern.has_wildcard() => None,
        Some(_) => Some(medium("an ARN with too few parts".to_owned())),
        // What is left of an ARN whose front is empty by default.
        None if text.is_empty() || text.starts_with([':', '/']) || is_variable => None,
        None => Some(medium("which is neither an ARN nor `*`".to_owned())),
    }
}

/// The first segment that cannot exist.
fn segments(arn: &ArnLiterals, catalog: &Catalog) -> Option<Fault> {
    if let Some(partition) = &arn.partition
        && !PARTITIONS.contains(&partition.as_str())
    {
        return Some(medium(format!("whose partition `{partition}` does not exist")));
    }
    if let Some(account) = &arn.account
        && !OWNERS.contains(&account.as_str())
        && !(account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
    {
        // Crosses, blanks and counted digits stand for an id that whoever applies the code fills in.
        let crosses = account.bytes().all(|byte| matches!(byte, b'X' | b'x'));
        let blank = is_blank(account) || crosses || accounts::is_counted(account);
        return Some(Fault {
            text: format!("whose account id `{account}` is not 12 digits"),
            severity: if blank { Severity::Low } else { Severity::Medium },
            of_account: true,
        });
    }
    if let Some(service) = &arn.service
        && catalog.service(service).is_none_or(|known| known.prefix() != service)
        && !names_resources(service, catalog)
    {
        let near = catalog.suggest_service(&service.to_ascii_lowercase());
        let upper = near.is_some_and(|near| near.eq_ignore_ascii_case(service));
        return Some(Fault {
            text: match near {
                Some(near) if upper => format!("whose service `{service}` is spelt `{near}`"),
                _ => format!("whose service `{service}` is not known"),
            },
            severity: if upper { Severity::Medium } else { Severity::Low },
            of_account: false,
        });
    }
    None
}

/// Whether ARNs of some resource type have this service, though no action has it as prefix.
fn names_resources(service: &str, catalog: &Catalog) -> bool {
    catalog
        .resource_types()
        .any(|kind| kind.arn_pattern().split(':').nth(2) == Some(service))
}

/// An AWS managed policy that does not exist.
fn managed(text: &Text, catalog: &Catalog) -> Option<Fault> {
    let arn = Arn::parse(text)?;
    if !arn.service.is("iam") || !arn.account.is("aws") {
        return None;
    }
    let resource = arn.resource.as_known()?;
    let path = resource.strip_prefix("policy/")?;
    let name = path.rsplit('/').next().unwrap_or(path);
    if catalog
        .managed_policy(&format!("arn:aws:iam::aws:policy/{path}"))
        .is_some()
    {
        return None;
    }
    match catalog.managed_policy(name) {
        Some(policy) => Some(medium(format!(
            "which AWS does not have; `{}` exists",
            policy.arn()
        ))),
        None => Some(Fault {
            text: format!("which is not among the AWS managed policies of {}", catalog.date()),
            severity: Severity::Low,
            of_account: false,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(resource: &str) -> Vec<Severity> {
        Scene::new()
            .statements(&format!(
                r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"{resource}"}}"#
            ))
            .run(&INVALID_ARN_OR_ACCOUNT)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn segments_are_checked() {
        for bad in [
            "bucket/*",
            "arn:aws:s3",
            "arn:amazon:s3:::b",
            "arn:aws:sqs:eu-west-1:30281:q",
            "arn:aws:sqs:eu-west-1:ACCOUNT_ID:q",
            "arn:aws:S3:::b",
        ] {
            assert_eq!(found(bad), [Severity::Medium], "{bad}");
        }
        assert_eq!(found("arn:aws:brandnew:::x"), [Severity::Low]);
        for blank in ["<your_secret_arn>", "Put your secret's ARN here", "arn:aws:sqs:eu-west-1:your-account-id:q"] {
            assert_eq!(found(blank), [Severity::Low], "{blank}");
        }
        assert_eq!(found("arn:aws:sqs:eu-west-1:<<XXXXXXXX>>:q"), [Severity::Low]);
        assert_eq!(found("arn:aws:sqs:eu-west-1:987654321:q"), [Severity::Low]);
        for good in [
            "*",
            "arn:aws:s3:::b/*",
            "arn:aws:s3*",
            "arn:*:sqs:*:*:q",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1",
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/x",
            "arn:aws:sqs:eu-west-1:${aws:PrincipalAccount}:q",
        ] {
            assert_eq!(found(good), [], "{good}");
        }
    }

    #[test]
    fn boundaries_are_checked() {
        let found = |account: &str| {
            let boundary = format!("arn:aws:iam::{account}:policy/cap");
            Scene::new()
                .resource(
                    "aws_iam_role",
                    "r",
                    &format!(r#"{{"name":"r","permissions_boundary":"{boundary}"}}"#),
                )
                .places(&INVALID_ARN_OR_ACCOUNT)
                .len()
        };
        assert_eq!(found("302818456"), 1);
        assert_eq!(found("302818456137"), 0);
        assert_eq!(found("aws"), 0);
    }

    #[test]
    fn managed_policies_are_looked_up() {
        let fault = |text: &str| {
            let found = managed(&Text::known(text), catalog())?;
            Some((found.severity, found.text))
        };
        assert_eq!(fault("arn:aws:iam::aws:policy/ReadOnlyAccess"), None);
        assert_eq!(fault("arn:aws:iam::123456789012:policy/mine"), None);
        let (severity, text) =
            fault("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole").unwrap();
        assert_eq!(severity, Severity::Medium);
        assert!(text.contains("policy/service-role/AWSLambdaBasicExecutionRole"));
        let (severity, _) = fault("arn:aws:iam::aws:policy/NoSuchPolicy").unwrap();
        assert_eq!(severity, Severity::Low);
    }
}
