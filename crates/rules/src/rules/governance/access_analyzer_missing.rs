//! `access-analyzer-missing`: nothing watches what is shared with strangers.

use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Place, Setting};
use overgrant_value::Val;

rule! {
    /// No IAM Access Analyzer watches for access from outside.
    ///
    /// With `scope: baseline`, a code base without an analyzer for external access is reported (for an
    /// organization, without one of the organization). Nothing is missed where another account administers
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
        let (what, text, severity, help) = if !is(&[wanted, "ORGANIZATION"]) {
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
            cx.report(report.severity(severity).help(help));
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
