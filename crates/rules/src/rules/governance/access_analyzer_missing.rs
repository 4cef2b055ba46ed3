//! `access-analyzer-missing`: nothing watches what is shared with strangers.

use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::Setting;
use overgrant_value::Val;

rule! {
    /// No IAM Access Analyzer watches for access from outside.
    ///
    /// With `scope: baseline`, a code base without an analyzer for external access is reported (for an
    /// organization, without one of the organization). An archive rule that hides every finding is reported
    /// in any scope.
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
    /// ## Good
    /// ```terraform good scope:module,baseline also:cloudtrail-trail-incomplete
    /// resource "aws_accessanalyzer_analyzer" "account" {
    ///   analyzer_name = "account"
    /// }
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
const ORGANIZATIONS: &[&str] = &["AWS::Organizations::Organization", "aws_organizations_organization"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let wanted = if model.settings_of(ORGANIZATIONS).next().is_some() {
        "ORGANIZATION"
    } else {
        "ACCOUNT"
    };
    let covers = |analyzer: &Setting| {
        kind(analyzer).is_none_or(|kind| kind == wanted || kind == "ORGANIZATION")
    };
    let missing = !model.settings_of(ANALYZERS).any(covers);
    if missing && cx.settings.speaks(Scope::Baseline) {
        let text = format!(
            "nobody learns what is shared with strangers: no access analyzer of type `{wanted}` is defined"
        );
        if let Some(report) = cx.absence("no analyzer", text) {
            cx.report(report.help("define an analyzer for external access"));
        }
    }
    for analyzer in model.settings_of(ANALYZERS) {
        let rules = analyzer.attrs.get("ArchiveRules");
        for rule in rules.map(|val| val.listed()).unwrap_or_default() {
            let Some(filter) = rule.get("Filter").filter(hides_all) else {
                continue;
            };
            let text = format!("`{}` archives every finding at once", analyzer.place.address);
            let report = cx
                .finding(&analyzer.place, filter.src(), text)
                .cell("archive")
                .help("name the resource or principal that is meant to be shared");
            cx.report(report);
        }
    }
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
            let values = criterion.get("Eq").map(|val| val.listed()).unwrap_or_default();
            let has = |word: &str| values.iter().any(|val| val.as_str().is_some_and(|one| one == word));
            match criterion.get("Property").and_then(|val| val.as_str()).as_deref() {
                Some("status") => has("ACTIVE"),
                Some("isPublic") => has("true") && has("false"),
                _ => false,
            }
        })
}
