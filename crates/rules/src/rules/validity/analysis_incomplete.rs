//! `analysis-incomplete`: policies that could not be read in full.

use crate::{Context, Family, Scope, names};
use overgrant_access::Boundary;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentRole, IdentityId};
use overgrant_policy::{Document, Resolution, is_nameable};
use overgrant_value::{Src, Sym};

rule! {
    /// Policy could not be read in full.
    ///
    /// A part of the document comes from something that is not known before deployment or not in the
    /// files: a variable without a value, a module that is not there, a data source, an import. What
    /// other rules say about the rest still holds; what they do not say is not a clean bill.
    ///
    /// ## Why
    /// Silence about a policy is easily taken for safety. Whoever controls the missing part controls what
    /// the policy grants.
    ///
    /// ## Bad
    /// ```terraform bad
    /// variable "extra_policy_json" {
    ///   type = string
    /// }
    /// resource "aws_iam_policy" "extra" {
    ///   name   = "extra"
    ///   policy = var.extra_policy_json
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Extra:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: !ImportValue reports-objects-arn
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_s3_bucket" "reports" {
    ///   bucket = "acme-reports"
    /// }
    /// resource "aws_iam_policy" "reader" {
    ///   name = "reader"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "s3:GetObject"
    ///       Resource = "${aws_s3_bucket.reports.arn}/*"
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
    ///             Action: dynamodb:GetItem
    ///             Resource: !Sub arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders
    /// ```
    /// ## How to fix
    /// Give the missing values (`--var`, `--var-file`, `--parameters`), or analyse the plan as JSON or the
    /// synthesized assembly, where they are known.
    pub(crate) static ANALYSIS_INCOMPLETE = Rule {
        id: "analysis-incomplete",
        family: Family::Validity,
        severity: Severity::Info,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[1126, 1164, 697],
        aliases: &[],
        mappings: &[("NIST", "CA-7")],
        references: &[],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    boundaries(cx);
    for holder in &cx.model.documents {
        let document = &holder.document;
        if holder.role == DocumentRole::OtherOrganization {
            continue;
        }
        let how = match document.resolution {
            Resolution::Resolved => continue,
            Resolution::Partial => "could not be read in full",
            Resolution::Unresolved => "could not be read",
        };
        let name = names::document(holder);
        let text = match causes(document) {
            Some(causes) => format!("{name} {how}: {causes} is not known"),
            None => format!("{name} {how}"),
        };
        // What is missing has no bytes: the place is where the policy uses it.
        let hops = holder.argument_src.hops();
        let used = hops.last().map(|hop| Src::at(hop.span));
        let src = used.as_ref().unwrap_or(&holder.argument_src);
        let report = cx
            .finding(&holder.place, src, text)
            .cell("incomplete")
            .help("give the values that are missing, or analyse the plan or the synthesized assembly");
        cx.report(report);
    }
}

/// Boundaries that stand nowhere in the configuration: rights are taken as if they were as wide as they
/// can be.
fn boundaries(cx: &mut Context<'_>) {
    for (index, identity) in cx.model.identities.iter().enumerate() {
        let Boundary::Unresolved(boundary) = cx.access.boundary(IdentityId(index)) else {
            continue;
        };
        let text = format!(
            "the boundary `{}` of {} is not in the configuration, so that its limits are not known",
            boundary.text,
            names::identity(identity)
        );
        let report = cx
            .finding(&identity.place, &boundary.src, text)
            .when(&boundary.guard)
            .cell("boundary")
            .help("analyse the root that defines the policy together with this one");
        cx.report(report);
    }
}

/// What is open, without what every configuration leaves open.
fn causes(document: &Document) -> Option<String> {
    const SHOWN: usize = 3;
    let names: Vec<String> = document
        .open
        .iter()
        .filter(|sym| !is_nameable(sym))
        .map(Sym::describe)
        .collect();
    let shown = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    match names.len() {
        0 => None,
        count if count > SHOWN => Some(format!("{shown} and {} more", count - SHOWN)),
        _ => Some(shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;
    use overgrant_value::{Src, Val};

    #[test]
    fn what_is_known_is_silent() {
        let found = Scene::new()
            .statements(r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#)
            .places(&ANALYSIS_INCOMPLETE);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn causes_leave_out_the_account() {
        let open = |sym: Sym| Document::from_val(&Val::unknown(sym, Src::none()));
        assert_eq!(causes(&open(Sym::Account)), None);
        let input = |name: &str| Sym::Input { root: "".into(), module: "".into(), name: name.into() };
        assert_eq!(causes(&open(input("AWS::StackName"))), None);
        assert_eq!(causes(&open(input("Stage"))).as_deref(), Some("`Stage`"));
        assert_eq!(
            causes(&open(Sym::Import("reports".into()))).as_deref(),
            Some("`import reports`")
        );
    }
}
