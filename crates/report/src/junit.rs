//! JUnit XML, for CI systems that show tests.
//!
//! Every finding is a failed test of the file it stands in; a run without findings is one that
//! passed. Invariant: no times and no host names.

use crate::escape::xml;
use overgrant_engine::{Outcome, Reported};

pub(crate) fn render(outcome: &Outcome) -> String {
    let failures = outcome.findings.len();
    let errors = outcome.diagnostics.iter().filter(|d| d.not_parsed).count();
    let tests = (failures + errors).max(1);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"overgrant\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n  <testsuite name=\"overgrant\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n"
    );
    for reported in &outcome.findings {
        out.push_str(&case(reported));
    }
    for item in outcome.diagnostics.iter().filter(|d| d.not_parsed) {
        let path = item.path.as_deref().unwrap_or("");
        out.push_str(&format!(
            "    <testcase classname=\"{}\" name=\"{}\">\n      <error type=\"{}\" message=\"{}\"/>\n    </testcase>\n",
            xml(path),
            xml(item.code),
            xml(item.code),
            xml(&item.message)
        ));
    }
    if failures + errors == 0 {
        out.push_str("    <testcase classname=\"overgrant\" name=\"no findings\"/>\n");
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn case(reported: &Reported) -> String {
    let finding = &reported.finding;
    let place = &reported.place;
    let mut body = format!("{}:{}\n{}", place.path, place.line(), finding.address);
    if let Some(help) = &finding.help {
        body.push_str(&format!("\n{help}"));
    }
    format!(
        "    <testcase classname=\"{}\" name=\"{} at line {}\" file=\"{}\" line=\"{}\">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
        xml(&place.path),
        xml(finding.rule),
        place.line(),
        xml(&place.path),
        place.line(),
        finding.severity,
        xml(&finding.message),
        xml(&body)
    )
}
