//! `access-analyzer-missing`: nothing watches what is shared with strangers.

use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Edit, Fix, Severity};
use overgrant_ir::{Model, Place, Setting};
use overgrant_policy::Arn;
use overgrant_value::{Text, Val};
use smol_str::SmolStr;
use std::collections::BTreeSet;

rule! {
    /// No IAM Access Analyzer watches for access from outside.
    ///
    /// With `scope: baseline`, a code base without an analyzer for external access is reported (for an
    /// organization, without one of the organization), and so is a region with resources where all
    /// analyzers are in other regions. Nothing is missed where another account administers
    /// Access Analyzer for the organization. That nothing watches for unused access is a notice, since
    /// analyzers for that cost money. An archive rule that hides every finding is reported in any scope.
    ///
    /// ## Why
    /// A bucket, key or role that somebody opens to strangers by hand stays open until somebody looks.
    ///
    /// ## Bad
    /// ```terraform bad scope:module,baseline
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// The analyzer is in another region than the queue:
    /// ```terraform bad scope:module,baseline also:cloudtrail-trail-incomplete
    /// provider "aws" {
    ///   region = "eu-central-1"
    /// }
    /// provider "aws" {
    ///   alias  = "us"
    ///   region = "us-east-1"
    /// }
    /// resource "aws_accessanalyzer_analyzer" "us" {
    ///   provider      = aws.us
    ///   analyzer_name = "us"
    /// }
    /// resource "aws_sqs_queue" "orders" {
    ///   name = "orders"
    /// }
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = aws_sqs_queue.orders.id
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sqs:SendMessage"
    ///       Resource  = aws_sqs_queue.orders.arn
    ///       Principal = { AWS = "arn:aws:iam::111122223333:role/shop" }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Analyzer:
    ///     Type: AWS::AccessAnalyzer::Analyzer
    ///     Properties:
    ///       Type: ACCOUNT
    ///       ArchiveRules:
    ///         - RuleName: all
    ///           Filter:
    ///             - Property: status # <-- here
    ///               Eq: [ACTIVE]
    /// ```
    /// ```terraform bad
    /// resource "aws_accessanalyzer_analyzer" "account" {
    ///   analyzer_name = "account"
    /// }
    /// resource "aws_accessanalyzer_archive_rule" "all" {
    ///   analyzer_name = aws_accessanalyzer_analyzer.account.analyzer_name
    ///   rule_name     = "all"
    ///   filter {
    ///     criteria = "status"
    ///     eq       = ["ACTIVE"] # <-- here
    ///   }
    /// }
    /// ```
    /// ## Good
    /// ```terraform good scope:module,baseline also:cloudtrail-trail-incomplete
    /// resource "aws_accessanalyzer_analyzer" "account" {
    ///   analyzer_name = "account"
    /// }
    /// resource "aws_accessanalyzer_analyzer" "unused" {
    ///   analyzer_name = "unused"
    ///   type          = "ACCOUNT_UNUSED_ACCESS"
    /// }
    /// ```
    /// Every region with resources has one:
    /// ```terraform good scope:module,baseline at:info also:cloudtrail-trail-incomplete
    /// provider "aws" {
    ///   region = "eu-central-1"
    /// }
    /// provider "aws" {
    ///   alias  = "us"
    ///   region = "us-east-1"
    /// }
    /// resource "aws_accessanalyzer_analyzer" "main" {
    ///   analyzer_name = "main"
    /// }
    /// resource "aws_accessanalyzer_analyzer" "us" {
    ///   provider      = aws.us
    ///   analyzer_name = "us"
    /// }
    /// resource "aws_sqs_queue" "orders" {
    ///   name = "orders"
    /// }
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = aws_sqs_queue.orders.id
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sqs:SendMessage"
    ///       Resource  = aws_sqs_queue.orders.arn
    ///       Principal = { AWS = "arn:aws:iam::111122223333:role/shop" }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Another account administers the analyzers of the organization:
    /// ```terraform good scope:module,baseline also:cloudtrail-trail-incomplete
    /// resource "aws_organizations_organization" "this" {
    ///   aws_service_access_principals = ["access-analyzer.amazonaws.com"]
    /// }
    /// resource "aws_organizations_delegated_administrator" "security" {
    ///   account_id        = "111122223333"
    ///   service_principal = "access-analyzer.amazonaws.com"
    /// }
    /// ```
    /// Without an analyzer for unused access it is a note:
    /// ```cloudformation good at:info scope:module,baseline also:cloudtrail-trail-incomplete
    /// Resources:
    ///   Analyzer:
    ///     Type: AWS::AccessAnalyzer::Analyzer
    ///     Properties:
    ///       Type: ACCOUNT
    /// ```
    /// The archive rule hides one bucket that is meant to be shared:
    /// ```cloudformation good
    /// Resources:
    ///   Analyzer:
    ///     Type: AWS::AccessAnalyzer::Analyzer
    ///     Properties:
    ///       Type: ACCOUNT
    ///       ArchiveRules:
    ///         - RuleName: site
    ///           Filter:
    ///             - Property: resource
    ///               Eq: ["arn:aws:s3:::acme-site"]
    /// ```
    /// ## How to fix
    /// Define an analyzer of type `ACCOUNT` (or `ORGANIZATION`) in every region that is used; analyzers for
    /// external access cost nothing.
    pub(crate) static ACCESS_ANALYZER_MISSING = Rule {
        id: "access-analyzer-missing",
        family: Family::Governance,
        severity: Severity::Low,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[778],
        aliases: &["AWS-0175", "accessanalyzer_enabled"],
        mappings: &[
            ("CIS5", "1.19"),
            ("CIS3", "1.20"),
            ("FSBP", "IAM.28"),
            ("NIST", "AU-2"),
            ("NIST", "AU-3"),
            ("NIST", "AU-6"),
            ("NIST", "AU-9"),
            ("NIST", "AU-12"),
            ("NIST", "CA-7"),
            ("NIST", "AC-2(3)"),
            ("NIST", "CM-3"),
            ("ATT&CK", "T1562.008"),
            ("ATT&CK", "T1078"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/what-is-access-analyzer.html"],
        check: check,
    };
}

const ANALYZERS: &[&str] = &["AWS::AccessAnalyzer::Analyzer", "aws_accessanalyzer_analyzer"];
const RULES: &[&str] = &["aws_accessanalyzer_archive_rule"];
const DELEGATIONS: &[&str] = &["aws_organizations_delegated_administrator"];
const ORGANIZATIONS: &[&str] = &["AWS::Organizations::Organization", "aws_organizations_organization"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let wanted = if model.settings_of(ORGANIZATIONS).next().is_some() {
        "ORGANIZATION"
    } else {
        "ACCOUNT"
    };
    let is = |words: &[&str]| {
        model
            .settings_of(ANALYZERS)
            .any(|analyzer| kind(analyzer).is_none_or(|kind| words.contains(&kind.as_str())))
    };
    if cx.settings.speaks(Scope::Baseline) && !model.settings_of(DELEGATIONS).any(delegates) {
        let elsewhere = unwatched(model, &[wanted, "ORGANIZATION"]);
        let (what, text, severity, help) = if !elsewhere.is_empty() {
            let regions: Vec<String> = elsewhere.iter().map(|region| format!("`{region}`")).collect();
            (
                "no analyzer in a region",
                format!(
                    "nobody learns what is shared with strangers in {}: all access analyzers are in other regions",
                    regions.join(", ")
                ),
                Severity::Low,
                "define an analyzer in every region that is used",
            )
        } else if !is(&[wanted, "ORGANIZATION"]) {
            (
                "no analyzer",
                format!(
                    "nobody learns what is shared with strangers: no access analyzer of type `{wanted}` is defined"
                ),
                Severity::Low,
                "define an analyzer for external access",
            )
        } else {
            (
                "no analyzer for unused access",
                "nobody learns which rights are not used: no access analyzer for unused access is defined".to_owned(),
                Severity::Info,
                "weigh an analyzer for unused access, which costs money for each role and user",
            )
        };
        let quiet = severity == Severity::Info
            && is(&["ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS"]);
        if !quiet && let Some(report) = cx.absence(what, text) {
            let fix = (what == "no analyzer").then(|| define(model, wanted)).flatten();
            cx.report(report.severity(severity).help(help).fix(fix));
        }
    }
    for analyzer in model.settings_of(ANALYZERS) {
        let rules = analyzer.attrs.get("ArchiveRules");
        for rule in rules.map(|val| val.listed()).unwrap_or_default() {
            archive(cx, &analyzer.place, rule.get("Filter"));
        }
    }
    for rule in model.settings_of(RULES) {
        archive(cx, &rule.place, rule.attrs.get("filter"));
    }
}

/// The regions with resources in them where surely no analyzer of these types is, although there are
/// some elsewhere. An analyzer whose region is open may be in any.
fn unwatched(model: &Model, kinds: &[&str]) -> BTreeSet<SmolStr> {
    let mut watched = Vec::new();
    for analyzer in model.settings_of(ANALYZERS) {
        if kind(analyzer).is_none_or(|kind| kinds.contains(&kind.as_str())) {
            watched.push(analyzer.attrs.get("arn").and_then(|arn| region(&arn.to_text()?)));
        }
    }
    if watched.is_empty() || watched.contains(&None) {
        return BTreeSet::new();
    }
    let documents = model.documents.iter().flat_map(|document| &document.targets);
    let settings = model.settings.iter().map(|setting| &setting.attrs);
    let resources = settings.chain(model.workloads.iter().map(|workload| &workload.attrs));
    documents
        .filter_map(|target| region(&target.text))
        .chain(resources.filter_map(|attrs| region(&attrs.get("arn")?.to_text()?)))
        .filter(|used| !watched.contains(&Some(used.clone())))
        .collect()
}

/// The region of an ARN, where it is known and there is one.
fn region(arn: &Text) -> Option<SmolStr> {
    let region = Arn::parse(arn)?.region.as_known()?;
    (!region.is_empty() && !region.contains('*')).then_some(region)
}

/// A further resource in the only root that there is; nobody knows which of several it belongs to.
fn define(model: &Model, wanted: &'static str) -> Option<Fix> {
    let places = model.settings.iter().map(|one| &one.place);
    let places = places
        .chain(model.identities.iter().map(|one| &one.place))
        .chain(model.documents.iter().map(|one| &one.place));
    let mut roots: Vec<&Place> = places.filter(|place| !place.address.contains("module.")).collect();
    roots.sort_by(|a, b| (&a.root, &a.address).cmp(&(&b.root, &b.address)));
    let first = roots.first().copied()?;
    let beside = first.name_src.span.filter(|_| roots.iter().all(|other| other.root == first.root))?;
    let (kind, name, arguments) = match first.format.is_terraform() {
        true => (
            "aws_accessanalyzer_analyzer",
            "external_access",
            vec![("analyzer_name", "external-access"), ("type", wanted)],
        ),
        false => ("AWS::AccessAnalyzer::Analyzer", "ExternalAccess", vec![("Type", wanted)]),
    };
    let edit = Edit::AddResource { beside, kind, name, arguments };
    Some(fixes::changing("Define an analyzer for external access", [edit]))
}

/// Reports an archive rule whose filter holds for every finding.
fn archive(cx: &mut Context<'_>, place: &Place, filter: Option<Val>) {
    let Some(filter) = filter.filter(hides_all) else {
        return;
    };
    let text = format!("`{}` archives every finding at once", place.address);
    // Where one criterion is all there is, its values must change.
    let src = match filter.listed().as_slice() {
        [only] => only.get("eq").map_or_else(|| filter.src().clone(), |val| val.src().clone()),
        _ => filter.src().clone(),
    };
    let report = cx
        .finding(place, &src, text)
        .cell("archive")
        .help("name the resource or principal that is meant to be shared");
    cx.report(report);
}

/// Whether the analyzers of the organization are the business of another account, as far as is known.
fn delegates(delegation: &Setting) -> bool {
    let service = delegation.attrs.get("service_principal");
    service.is_some_and(|val| val.as_str().is_none_or(|name| name == "access-analyzer.amazonaws.com"))
}

/// The analyzer's type; `ACCOUNT` where Terraform says nothing, `None` where it is open.
fn kind(analyzer: &Setting) -> Option<String> {
    let val = ["type", "Type"].iter().find_map(|name| analyzer.attrs.get(name));
    match val {
        None => Some("ACCOUNT".to_owned()),
        Some(val) => val.as_str().map(|kind| kind.to_string()),
    }
}

/// Whether every criterion of a filter holds for every finding.
fn hides_all(filter: &Val) -> bool {
    let criteria = filter.listed();
    !filter.is_unknown()
        && criteria.iter().all(|criterion| {
            let of = |names: [&str; 2]| names.iter().find_map(|name| criterion.get(name));
            let values = of(["Eq", "eq"]).map(|val| val.listed()).unwrap_or_default();
            let has = |word: &str| values.iter().any(|val| val.as_str().is_some_and(|one| one == word));
            match of(["Property", "criteria"]).and_then(|val| val.as_str()).as_deref() {
                Some("status") => has("ACTIVE"),
                Some("isPublic") => has("true") && has("false"),
                _ => false,
            }
        })
}
