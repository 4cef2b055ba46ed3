//! `cloudtrail-trail-incomplete`: a trail that misses calls, or none at all.

use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Edit, Severity};
use overgrant_ir::Setting;
use overgrant_value::{Marks, Src, Val};

rule! {
    /// CloudTrail trail misses calls, or cannot prove what it holds.
    ///
    /// The trail records one region, leaves out global services or management events, is switched off, or
    /// writes no digests. With `scope: baseline` a code base without any trail is reported too. A trail
    /// without a key of the customer, or without CloudWatch Logs, is a notice.
    ///
    /// ## Why
    /// Who takes over a role works in the region that nobody records, and IAM and STS are the calls by
    /// which he is found.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_cloudtrail" "main" {
    ///   name                       = "main"
    ///   s3_bucket_name             = "acme-trail"
    ///   is_multi_region_trail      = false # <-- here
    ///   enable_log_file_validation = true
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Trail:
    ///     Type: AWS::CloudTrail::Trail
    ///     Properties:
    ///       S3BucketName: acme-trail
    ///       IsLogging: false # <-- here
    ///       IsMultiRegionTrail: true
    ///       IncludeGlobalServiceEvents: true
    ///       EnableLogFileValidation: true
    /// ```
    /// ## Good
    /// A second trail for one region stands beside a full one:
    /// ```terraform good
    /// resource "aws_cloudtrail" "main" {
    ///   name                       = "main"
    ///   s3_bucket_name             = "acme-trail"
    ///   is_multi_region_trail      = true
    ///   enable_log_file_validation = true
    ///   kms_key_id                 = "arn:aws:kms:eu-west-1:111122223333:key/6d0f2f9e-5b7c-4e6f-9a33-0c1b7d2e4f58"
    ///   cloud_watch_logs_group_arn = "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Trail:
    ///     Type: AWS::CloudTrail::Trail
    ///     Properties:
    ///       S3BucketName: acme-trail
    ///       IsLogging: true
    ///       IsMultiRegionTrail: true
    ///       IncludeGlobalServiceEvents: true
    ///       EnableLogFileValidation: true
    ///       KMSKeyId: alias/trail
    ///       CloudWatchLogsLogGroupArn: arn:aws:logs:eu-west-1:111122223333:log-group:trail:*
    /// ```
    /// A trail for the data events of a bucket is no record of the account:
    /// ```cloudformation good at:low
    /// Resources:
    ///   Uploads:
    ///     Type: AWS::CloudTrail::Trail
    ///     Properties:
    ///       S3BucketName: acme-trail
    ///       IsLogging: true
    ///       IsMultiRegionTrail: false
    ///       EventSelectors:
    ///         - IncludeManagementEvents: false
    ///           DataResources:
    ///             - Type: AWS::S3::Object
    ///               Values: ["arn:aws:s3:::acme-uploads/"]
    /// ```
    /// Nor is one that takes writes only, to start a pipeline when an object is put:
    /// ```cloudformation good at:low
    /// Resources:
    ///   Source:
    ///     Type: AWS::CloudTrail::Trail
    ///     Properties:
    ///       S3BucketName: acme-trail
    ///       IsLogging: true
    ///       IsMultiRegionTrail: false
    ///       IncludeGlobalServiceEvents: true
    ///       EventSelectors:
    ///         - ReadWriteType: WriteOnly
    ///           DataResources:
    ///             - Type: AWS::S3::Object
    ///               Values: ["arn:aws:s3:::acme-source/app.zip"]
    /// ```
    /// An event data store may keep everything in place of a trail:
    /// ```terraform good scope:module,baseline
    /// resource "aws_cloudtrail_event_data_store" "all" {
    ///   name                 = "all"
    ///   multi_region_enabled = true
    /// }
    /// ```
    /// ## How to fix
    /// Record all regions with global services and management events, write digests, and encrypt with a key
    /// of your own.
    pub(crate) static CLOUDTRAIL_TRAIL_INCOMPLETE = Rule {
        id: "cloudtrail-trail-incomplete",
        family: Family::Governance,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[778],
        aliases: &[
            "CKV_AWS_35",
            "CKV_AWS_36",
            "CKV_AWS_67",
            "CKV_AWS_251",
            "AWS-0014",
            "AWS-0015",
            "AWS-0016",
            "AWS-0162",
        ],
        mappings: &[
            ("CIS5", "3.1"),
            ("CIS5", "3.2"),
            ("CIS5", "3.5"),
            ("FSBP", "CloudTrail.1"),
            ("FSBP", "CloudTrail.2"),
            ("FSBP", "CloudTrail.3"),
            ("FSBP", "CloudTrail.4"),
            ("FSBP", "CloudTrail.5"),
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
        references: &["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html"],
        check: check,
    };
}

const TRAILS: &[&str] = &["AWS::CloudTrail::Trail", "aws_cloudtrail"];
const LAKES: &[&str] = &["AWS::CloudTrail::EventDataStore", "aws_cloudtrail_event_data_store"];
const ORGANIZATIONS: &[&str] = &["AWS::Organizations::Organization", "aws_organizations_organization"];

/// A switch that must be on: names in both formats, values where it is absent, and what is wrong where
/// it is off.
struct Switch {
    names: [&'static str; 2],
    absent: [bool; 2],
    off: &'static str,
}

const REGIONS: Switch = Switch {
    names: ["is_multi_region_trail", "IsMultiRegionTrail"],
    absent: [false, false],
    off: "records one region only",
};

const SWITCHES: [Switch; 3] = [
    Switch {
        names: ["include_global_service_events", "IncludeGlobalServiceEvents"],
        absent: [true, false],
        off: "leaves out IAM, STS and other global services",
    },
    Switch {
        names: ["enable_logging", "IsLogging"],
        absent: [true, true],
        off: "is switched off",
    },
    Switch {
        names: ["enable_log_file_validation", "EnableLogFileValidation"],
        absent: [false, false],
        off: "writes no digests that show a change of its files",
    },
];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let trails: Vec<&Setting> = model.settings_of(TRAILS).collect();
    let lake = model.settings_of(LAKES).next().is_some();
    if trails.is_empty() && !lake {
        if cx.settings.speaks(Scope::Baseline) {
            let text = "nothing records calls of the account: no CloudTrail trail is defined";
            if let Some(report) = cx.absence("no trail", text) {
                let help = "define a trail for all regions, or leave `baseline` out of the scope";
                cx.report(report.help(help));
            }
        }
        return;
    }
    let full = lake
        || trails.iter().any(|trail| {
            off(trail, &REGIONS).is_none()
                && gaps(trail).is_empty()
                && drops_management(&trail.attrs).is_none()
        });
    let organization = model.settings_of(ORGANIZATIONS).next().is_some();
    for trail in trails {
        let mut found = gaps(trail);
        if !full && let Some(gap) = off(trail, &REGIONS) {
            found.insert(0, gap);
        }
        let advice = advice(trail, organization);
        let partial = drops_management(&trail.attrs)
            .map(|src| (src, "leaves out management events"))
            .or_else(|| Some((watches_objects(&trail.attrs)?, "leaves out events that read")));
        let (found, severity) = if let Some((src, words)) = partial {
            // One for data events may stand beside another elsewhere.
            found.push(Gap {
                src,
                words,
                edit: None,
                marks: Marks::NONE,
            });
            (found, Severity::Low)
        } else if found.is_empty() {
            (advice, Severity::Info)
        } else {
            (found, Severity::Medium)
        };
        let Some(first) = found.first() else { continue };
        let words: Vec<&str> = found.iter().map(|gap| gap.words).collect();
        let edits: Option<Vec<_>> = found.iter().map(|gap| gap.edit.clone()).collect();
        let text = format!("trail `{}` {}", trail.place.address, words.join(", "));
        let mut report = cx
            .finding(&trail.place, &first.src, text)
            .cell("trail")
            .marks(first.marks)
            .fix(edits.map(|edits| fixes::safe("Switch on what the trail misses", edits)))
            .severity(severity)
            .help("record all regions, global services and management events, with digests");
        for gap in found.iter().skip(1) {
            report = report.related(&gap.src, gap.words, None);
        }
        cx.report(report);
    }
}

/// Something that a trail lacks.
struct Gap {
    src: Src,
    words: &'static str,
    /// What sets the switch as it should be.
    edit: Option<Edit>,
    /// How sure the value is.
    marks: Marks,
}

/// What the trail misses, apart from other regions and from kinds of events.
fn gaps(trail: &Setting) -> Vec<Gap> {
    SWITCHES
        .iter()
        .filter_map(|switch| off(trail, switch))
        .collect()
}

/// The place of a switch that is surely off.
fn off(trail: &Setting, switch: &Switch) -> Option<Gap> {
    let at = usize::from(!trail.place.format.is_terraform());
    let name = switch.names.get(at)?;
    let val = trail.attrs.get(name).filter(|val| !val.is_null());
    let (on, src, edit) = match &val {
        Some(val) => {
            let edit = fixes::replace(val.src(), "false", "true");
            (val.as_bool() != Some(false), val.src().clone(), edit)
        }
        None => {
            let header = &trail.place.name_src;
            let absent = switch.absent.get(at).copied().unwrap_or(true);
            (absent, header.clone(), fixes::set(header, name, "true"))
        }
    };
    (!on).then_some(Gap {
        src,
        words: switch.off,
        edit,
        marks: val.map_or(Marks::NONE, |val| val.marks()),
    })
}

/// The members of a list that is named one way in Terraform and another in CloudFormation.
fn list(attrs: &Val, names: [&str; 2]) -> Vec<Val> {
    names
        .iter()
        .find_map(|name| attrs.get(name))
        .map(|val| val.listed().into_vec())
        .unwrap_or_default()
}

/// The place of selectors that take only writes, and data events of what they name: such a trail
/// makes the events that start something. Source: AWS CodePipeline, "Amazon S3 source actions and
/// EventBridge with AWS CloudTrail".
fn watches_objects(attrs: &Val) -> Option<Src> {
    let selectors = list(attrs, ["event_selector", "EventSelectors"]);
    let kinds: Vec<Src> = selectors
        .iter()
        .filter(|selector| !list(selector, ["data_resource", "DataResources"]).is_empty())
        .filter_map(|selector| {
            let kind = ["read_write_type", "ReadWriteType"]
                .iter()
                .find_map(|name| selector.get(name))?;
            (kind.as_str()? == "WriteOnly").then(|| kind.src().clone())
        })
        .collect();
    (kinds.len() == selectors.len()).then(|| kinds.first().cloned()).flatten()
}

/// The place of selectors that leave out every management event, or the events that write.
fn drops_management(attrs: &Val) -> Option<Src> {
    let simple = list(attrs, ["event_selector", "EventSelectors"]);
    let drops = |selector: &Val| {
        let val = ["include_management_events", "IncludeManagementEvents"]
            .iter()
            .find_map(|name| selector.get(name))?;
        (val.as_bool() == Some(false)).then(|| val.src().clone())
    };
    if !simple.is_empty() {
        let dropped: Vec<Src> = simple.iter().filter_map(drops).collect();
        return (dropped.len() == simple.len()).then(|| dropped.first().cloned()).flatten();
    }
    let advanced = list(attrs, ["advanced_event_selector", "AdvancedEventSelectors"]);
    let first = advanced.first()?;
    let speaks = advanced.iter().any(|selector| {
        let fields = ["field_selector", "FieldSelectors"]
            .iter()
            .find_map(|name| selector.get(name))
            .map(|val| val.listed())
            .unwrap_or_default();
        fields.is_empty() || fields.iter().any(is_management)
    });
    (!speaks).then(|| first.src().clone())
}

/// Whether a field of a selector takes management events, or cannot be read.
fn is_management(field: &Val) -> bool {
    let name = ["field", "Field"].iter().find_map(|name| field.get(name)?.as_str());
    let values = ["equals", "Equals"].iter().find_map(|name| field.get(name));
    match (name, values) {
        (Some(name), Some(values)) => {
            name == "eventCategory"
                && values
                    .listed()
                    .iter()
                    .any(|value| value.as_str().is_none_or(|value| value == "Management"))
        }
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// What would make the trail better.
fn advice(trail: &Setting, organization: bool) -> Vec<Gap> {
    let has = |names: [&str; 2]| {
        names
            .iter()
            .any(|name| trail.attrs.get(name).is_some_and(|val| !val.is_null()))
    };
    let mut found = Vec::new();
    let mut lacks = |words| {
        found.push(Gap {
            src: trail.place.name_src.clone(),
            words,
            edit: None,
            marks: Marks::NONE,
        });
    };
    if organization && !has(["is_organization_trail", "IsOrganizationTrail"]) {
        lacks("is no trail of the organization, which is defined here");
    }
    if !has(["kms_key_id", "KMSKeyId"]) {
        lacks("is not encrypted with a key of your own");
    }
    if !has(["cloud_watch_logs_group_arn", "CloudWatchLogsLogGroupArn"]) {
        lacks("feeds no CloudWatch log group, so that no alarm can follow it");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(attrs: &str) -> Vec<(String, Severity)> {
        Scene::new()
            .resource("aws_cloudtrail", "t", attrs)
            .run(&CLOUDTRAIL_TRAIL_INCOMPLETE)
            .into_iter()
            .map(|(bytes, finding)| (bytes, finding.severity))
            .collect()
    }

    #[test]
    fn selectors_without_management_events_are_found() {
        let base = r#""is_multi_region_trail":true,"enable_log_file_validation":true,"#;
        let with = |more: &str| found(&format!("{{{base}{more}}}"));
        let bad = with(r#""event_selector":[{"include_management_events":false}]"#);
        assert_eq!(bad, [("false".to_owned(), Severity::Low)]);
        let data = r#""advanced_event_selector":[{"field_selector":[{"field":"eventCategory","equals":["Data"]}]}]"#;
        assert_eq!(with(data)[0].1, Severity::Low);
        let both = r#""advanced_event_selector":[
            {"field_selector":[{"field":"eventCategory","equals":["Data"]}]},
            {"field_selector":[{"field":"eventCategory","equals":["Management"]}]}]"#;
        assert_eq!(with(both)[0].1, Severity::Info);
    }

    #[test]
    fn a_second_trail_may_record_one_region() {
        let full = r#"{"is_multi_region_trail":true,"enable_log_file_validation":true}"#;
        let found = Scene::new()
            .resource("aws_cloudtrail", "a", full)
            .resource("aws_cloudtrail", "b", r#"{"enable_log_file_validation":true}"#)
            .run(&CLOUDTRAIL_TRAIL_INCOMPLETE);
        assert!(found.iter().all(|(_, finding)| finding.severity == Severity::Info));
    }
}
