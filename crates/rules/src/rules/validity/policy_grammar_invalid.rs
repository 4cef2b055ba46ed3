//! `policy-grammar-invalid`: documents that AWS refuses or reads in another way than they look.

use crate::{Context, Family, Scope, fixes, names};
use overgrant_finding::{Confidence, Fix, Severity};
use overgrant_ir::{DocumentRole, PolicyDocument};
use overgrant_policy::{Problem, ProblemKind, Resolution, Statement};
use overgrant_value::Src;

rule! {
    /// Policy does not fit the grammar of IAM.
    ///
    /// The document is not valid JSON, has an element that IAM does not know, misses one that it
    /// needs, or has an element that its kind of policy must not have. AWS refuses most of these when
    /// the policy is deployed; the rest is read in another way than it looks.
    ///
    /// ## Why
    /// A refused policy stops a deployment half-way, often after the old one was removed. Worse is what is
    /// accepted: with a duplicate JSON key only the last one counts, so a `Condition` or a `Deny` that
    /// reviewers saw is not in force, and whoever holds the principal can use what it seemed to withhold.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "reader" {
    ///   name = "reader"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Grant" # <-- here
    ///       Action   = "s3:GetObject"
    ///       Resource = "arn:aws:s3:::acme-reports/*"
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
    ///             Principal: "*" # <-- here
    ///             Action: s3:GetObject
    ///             Resource: arn:aws:s3:::acme-reports/*
    /// ```
    /// An element that is indented too far is told once:
    /// ```cloudformation bad
    /// Resources:
    ///   Agent:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Principal:
    ///               Action: sts:AssumeRole # <-- here
    ///               Service: bedrock.amazonaws.com
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "reader" {
    ///   name = "reader"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Grant", # <-- here
    ///           "Action": "s3:GetObject",
    ///           "Resource": "arn:aws:s3:::acme-reports/*"
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "reader" {
    ///   name = "reader"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = {
    ///       Effect   = "Allow"
    ///       Action   = "s3:GetObject"
    ///       Resource = "arn:aws:s3:::acme-reports/*"
    ///     }
    ///   })
    /// }
    /// ```
    /// A word that stands for a policy, as in the test of a module, is low:
    /// ```terraform good at:low
    /// resource "aws_iam_policy" "extra" {
    ///   name   = "extra"
    ///   policy = "extra_policy"
    /// }
    /// ```
    /// A list of resources that is filled by the caller of a module is not known to be empty:
    /// ```terraform good
    /// variable "buckets" {
    ///   type = list(string)
    /// }
    /// data "aws_iam_policy_document" "reader" {
    ///   statement {
    ///     actions   = ["s3:GetObject"]
    ///     resources = [for name in var.buckets : "arn:aws:s3:::${name}/*"]
    ///   }
    /// }
    /// resource "aws_iam_policy" "reader" {
    ///   policy = data.aws_iam_policy_document.reader.json
    /// }
    /// ```
    /// Neither is one that the variable fills which makes the document:
    /// ```terraform good
    /// variable "replicate" {
    ///   default = false
    /// }
    /// locals {
    ///   targets = var.replicate ? ["arn:aws:s3:::acme-copy/*"] : []
    /// }
    /// data "aws_iam_policy_document" "copier" {
    ///   count = var.replicate ? 1 : 0
    ///   statement {
    ///     actions   = ["s3:ReplicateObject"]
    ///     resources = local.targets
    ///   }
    /// }
    /// resource "aws_iam_policy" "copier" {
    ///   count  = var.replicate ? 1 : 0
    ///   policy = data.aws_iam_policy_document.copier[0].json
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
    /// A list that is empty by default is filled by whoever sets the variable:
    /// ```terraform good
    /// variable "buckets" {
    ///   type    = list(string)
    ///   default = []
    /// }
    /// data "aws_iam_policy_document" "snapshots" {
    ///   statement {
    ///     actions   = ["s3:GetObject"]
    ///     resources = formatlist("%s/*", var.buckets)
    ///   }
    /// }
    /// resource "aws_iam_policy" "snapshots" {
    ///   name   = "snapshots"
    ///   policy = data.aws_iam_policy_document.snapshots.json
    /// }
    /// ```
    /// So is one that a loop makes, and so are statements and principals that loops make:
    /// ```terraform good
    /// variable "zones" {
    ///   type    = map(string)
    ///   default = {}
    /// }
    /// variable "statements" {
    ///   type    = list(any)
    ///   default = []
    /// }
    /// variable "admins" {
    ///   type    = list(string)
    ///   default = []
    /// }
    /// resource "aws_iam_policy" "zones" {
    ///   name = "zones"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "route53:GetHostedZone"
    ///       Resource = [for id, name in var.zones : "arn:aws:route53:::hostedzone/${id}"]
    ///     }]
    ///   })
    /// }
    /// data "aws_iam_policy_document" "given" {
    ///   dynamic "statement" {
    ///     for_each = var.statements
    ///     content {
    ///       actions   = statement.value.actions
    ///       resources = statement.value.resources
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_policy" "given" {
    ///   name   = "given"
    ///   policy = data.aws_iam_policy_document.given.json
    /// }
    /// data "aws_iam_policy_document" "key" {
    ///   statement {
    ///     actions   = ["kms:DescribeKey"]
    ///     resources = ["*"]
    ///     dynamic "principals" {
    ///       for_each = var.admins
    ///       content {
    ///         type        = "AWS"
    ///         identifiers = [principals.value]
    ///       }
    ///     }
    ///   }
    /// }
    /// resource "aws_kms_key_policy" "key" {
    ///   count  = length(var.admins) > 0 ? 1 : 0
    ///   key_id = "1234abcd-12ab-34cd-56ef-1234567890ab"
    ///   policy = data.aws_iam_policy_document.key.json
    /// }
    /// ```
    /// ## How to fix
    /// Write the elements as the grammar of the IAM JSON policy language names them, each once per
    /// statement, and leave `Principal` to trust policies and resource policies.
    pub(crate) static POLICY_GRAMMAR_INVALID = Rule {
        id: "policy-grammar-invalid",
        family: Family::Validity,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[1126, 1164, 697],
        aliases: &["MALFORMED"],
        mappings: &[("NIST", "CM-6")],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html",
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for document in &cx.model.documents {
        if document.role == DocumentRole::OtherOrganization {
            continue;
        }
        let name = names::document(document);
        let problems = &document.document.problems;
        // An unknown element where the statements should be is one mistake, not two.
        let no_statements = problems.iter().any(lacks_statements);
        let strange = |problem: &&Problem| {
            no_statements
                && problem.statement.is_none()
                && matches!(problem.kind, ProblemKind::UnknownElement(_))
        };
        // Nor is one that is indented too far also missing where it should be.
        let misplaced = |problem: &&Problem| {
            let ProblemKind::Missing(name) = &problem.kind else {
                return false;
            };
            problems.iter().any(|other| {
                other.statement == problem.statement
                    && nested(&other.kind).is_some_and(|element| element == &**name)
            })
        };
        let told_elsewhere = |problem: &&Problem| strange(problem) || misplaced(problem);
        for problem in problems.iter().filter(|problem| !told_elsewhere(problem)) {
            let Told {
                text,
                severity,
                help,
            } = told(&problem.kind);
            let mut report = cx
                .finding(&document.place, &problem.src, format!("{name} {text}"))
                .severity(severity)
                .cell(format!("{:?}", problem.kind))
                .when(&problem.guard);
            // A document that is empty in one of several cases is put together from optional parts.
            if !problem.guard.is_always() && matches!(problem.kind, ProblemKind::Missing(_)) {
                report = report.confidence(Confidence::Low);
            }
            if let Some(statement) = problem
                .statement
                .and_then(|index| document.document.statements.get(index))
            {
                report = report.statement(statement).cell(format!("{:?}", problem.kind));
            }
            if lacks_statements(problem) {
                for other in problems.iter().filter(strange) {
                    report = report.related(&other.src, told(&other.kind).text, None);
                }
            }
            report = report.fix(respell(&problem.kind, &problem.src));
            if let Some(help) = help {
                report = report.help(help);
            }
            if let Some(earlier) = &problem.earlier {
                report = report.related(earlier, "the first one", None);
            }
            cx.report(report);
        }
        for statement in &document.document.statements {
            elements(cx, document, statement, &name);
        }
    }
}

fn lacks_statements(problem: &Problem) -> bool {
    matches!(&problem.kind, ProblemKind::Missing(name) if name == "Statement")
}

/// The element of a statement that stands among the types of principals.
fn nested(kind: &ProblemKind) -> Option<&str> {
    const ELEMENTS: [&str; 6] = ["Action", "Condition", "Effect", "NotAction", "Resource", "Sid"];
    match kind {
        ProblemKind::UnknownPrincipalType(word) => {
            ELEMENTS.into_iter().find(|element| element == word)
        }
        _ => None,
    }
}

/// The effect that a word means in another letter case.
fn effect(word: &str) -> Option<&'static str> {
    ["Allow", "Deny"].into_iter().find(|known| word.eq_ignore_ascii_case(known))
}

/// What a finding about a problem says.
struct Told {
    text: String,
    severity: Severity,
    help: Option<String>,
}

fn told(kind: &ProblemKind) -> Told {
    let high = |text: String, help: &str| Told {
        text,
        severity: Severity::High,
        help: (!help.is_empty()).then(|| help.to_owned()),
    };
    if let Some(element) = nested(kind) {
        return high(
            format!("has `{element}` within `Principal` and not beside it"),
            "move it out of `Principal`",
        );
    }
    match kind {
        ProblemKind::NotJson(words) => high(format!("is not valid JSON: {words}"), ""),
        ProblemKind::StandIn(word) => Told {
            text: format!("is the word `{word}` and no policy"),
            severity: Severity::Low,
            help: Some("write the policy".to_owned()),
        },
        ProblemKind::NotAnObject => high("is not a JSON object".to_owned(), ""),
        ProblemKind::WrongCase(written, canonical) => Told {
            text: format!("writes the element `{canonical}` as `{written}`"),
            severity: Severity::Low,
            help: Some(format!("spell it `{canonical}`")),
        },
        ProblemKind::UnknownElement(name) => high(
            format!("has an element `{name}` that IAM does not know"),
            "remove it, or put it where the grammar has it",
        ),
        ProblemKind::DuplicateKey(name) => high(
            format!("has the key `{name}` twice in one object, and only one of them counts"),
            "merge the two, for example as a list of values",
        ),
        ProblemKind::TooLarge(what) => high(
            format!("is larger than any policy may be (`{what}`); what follows was not read"),
            "split it: AWS refuses policies of more than 20,480 characters",
        ),
        ProblemKind::Exclusive(a, b) => high(
            format!("has both `{a}` and `{b}` in one statement"),
            "keep one of the two",
        ),
        ProblemKind::Missing(name) => high(format!("has no `{name}` where it needs one"), ""),
        ProblemKind::WrongType(element, expected) => {
            high(format!("has `{element}` in a form that is not {expected}"), "")
        }
        // Policies with `allow` have been deployed for years: IAM reads it all the same.
        ProblemKind::BadEffect(word) if effect(word).is_some() => Told {
            text: format!("writes the effect `{}` as `{word}`", effect(word).unwrap_or_default()),
            severity: Severity::Low,
            help: Some("write `Allow` or `Deny`".to_owned()),
        },
        ProblemKind::BadEffect(word) => high(
            format!("has the effect `{word}`, which is neither `Allow` nor `Deny`"),
            "write `Allow` or `Deny`; letter case counts",
        ),
        ProblemKind::BadVersion(word) => high(
            format!("has the version `{word}`, which does not exist"),
            "write \"2012-10-17\": it names the policy language, not the policy",
        ),
        ProblemKind::UnknownOperator(word) => high(
            format!("has the condition operator `{word}`, which does not exist"),
            "",
        ),
        ProblemKind::UnknownPrincipalType(word) => high(
            format!("has the principal type `{word}`, which does not exist"),
            "write `AWS`, `Service`, `Federated` or `CanonicalUser`",
        ),
        ProblemKind::DuplicateSid(sid) => Told {
            text: format!("uses the Sid `{sid}` twice"),
            severity: Severity::Low,
            help: Some("give each statement its own Sid".to_owned()),
        },
    }
}

/// Elements that the kind of policy needs or must not have, and empty lists.
fn elements(cx: &mut Context<'_>, holder: &PolicyDocument, statement: &Statement, name: &str) {
    let principals = statement.principals.listed();
    let resources = statement.resources.listed();
    let actions = statement.actions.listed();
    let identity = holder.role.is_identity();
    if principals.is_firm() && !principals.open && (identity || holder.role == DocumentRole::Session) {
        let text = "has a `Principal`, which a policy of an identity must not have";
        file(cx, holder, statement, &principals.src, &format!("{name} {text}"), true);
    }
    if resources.is_firm() && holder.role == DocumentRole::Trust {
        let text = "has a `Resource`, which a trust policy must not have";
        file(cx, holder, statement, &resources.src, &format!("{name} {text}"), true);
    }
    // Names of elements that are not known may be the missing ones.
    if holder.document.resolution == Resolution::Resolved {
        // A document that is made only where a variable is set may get its list from another one.
        let may_be_filled = !holder.place.guard.is_always() && !statement.src.is_local();
        if !resources.present
            && !resources.open
            && !may_be_filled
            && (identity || holder.role == DocumentRole::Session)
        {
            let text = "has a statement without `Resource`";
            file(cx, holder, statement, &statement.src, &format!("{name} {text}"), true);
        }
        let needs = matches!(holder.role, DocumentRole::Trust | DocumentRole::Resource { .. });
        if needs && !principals.present {
            let text = "has a statement without `Principal`";
            file(cx, holder, statement, &statement.src, &format!("{name} {text}"), true);
        }
    }
    for (element, empty, src) in [
        ("Action", actions.present && actions.items.is_empty() && !actions.open, &actions.src),
        (
            "Resource",
            resources.present && resources.items.is_empty() && !resources.open,
            &resources.src,
        ),
    ] {
        if empty {
            // A list that came from elsewhere may be filled there.
            let text = format!("{name} has an empty list of `{element}`");
            file(cx, holder, statement, src, &text, src.is_local());
        }
    }
}

fn file(
    cx: &mut Context<'_>,
    holder: &PolicyDocument,
    statement: &Statement,
    src: &Src,
    text: &str,
    sure: bool,
) {
    let mut report = cx.finding(&holder.place, src, text).statement(statement);
    if !sure {
        report = report.confidence(Confidence::Low);
    }
    cx.report(report);
}

/// The word as the grammar has it. AWS reads an element and an effect in any letter case, so nobody's access
/// changes.
fn respell(kind: &ProblemKind, src: &Src) -> Option<Fix> {
    let (written, canonical) = match kind {
        ProblemKind::WrongCase(written, canonical) => (written.as_str(), &**canonical),
        ProblemKind::BadEffect(word) => {
            (word.as_str(), effect(word)?)
        }
        _ => return None,
    };
    let edit = fixes::replace(src, written, canonical)?;
    Some(fixes::safe(format!("Write `{canonical}`"), [edit]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_finding::Edit;
    use crate::testing::Scene;

    fn messages(statement: &str) -> Vec<(String, String)> {
        Scene::new()
            .statements(statement)
            .run(&POLICY_GRAMMAR_INVALID)
            .into_iter()
            .map(|(bytes, finding)| (bytes, finding.message))
            .collect()
    }

    #[test]
    fn a_good_statement_is_silent() {
        let found = Scene::new()
            .resource("aws_vpc", "main", "{}")
            .statements(r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#)
            .places(&POLICY_GRAMMAR_INVALID);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn each_problem_has_its_place() {
        let found = messages(r#"{"Effect":"Grant","action":"a:b","Resource":[],"Principal":"*"}"#);
        let places: Vec<&str> = found.iter().map(|(bytes, _)| bytes.as_str()).collect();
        assert_eq!(places, [r#""Grant""#, r#""action""#, r#""*""#, "[]"]);
        assert_eq!(
            found[0].1,
            "policy `p` has the effect `Grant`, which is neither `Allow` nor `Deny`"
        );
    }

    #[test]
    fn something_else_than_a_policy_is_one_finding() {
        let found = Scene::new()
            .document(DocumentRole::Managed, r#"{"file":"./policy.yaml"}"#)
            .run(&POLICY_GRAMMAR_INVALID);
        assert_eq!(found.len(), 1);
        let finding = &found[0].1;
        assert!(finding.message.contains("has no `Statement`"), "{}", finding.message);
        assert!(finding.related[0].label.contains("an element `file`"));
        assert_eq!(finding.severity, Severity::High);
        let beside = Scene::new()
            .document(
                DocumentRole::Managed,
                r#"{"file":"x","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*"}}"#,
            )
            .places(&POLICY_GRAMMAR_INVALID);
        assert_eq!(beside, [r#""file""#], "a stray element of a policy is still found");
    }

    #[test]
    fn an_effect_in_small_letters_is_low() {
        let of = |effect: &str| {
            let found = Scene::new()
                .statements(&format!(r#"{{"Effect":"{effect}","Action":"a:b","Resource":"*"}}"#))
                .run(&POLICY_GRAMMAR_INVALID);
            found[0].1.severity
        };
        assert_eq!((of("allow"), of("Allowed")), (Severity::Low, Severity::High));
    }

    #[test]
    fn letter_case_is_low_and_has_a_fix() {
        let found = Scene::new()
            .statements(r#"{"effect":"Deny","Action":"a:b","Resource":"*"}"#)
            .run(&POLICY_GRAMMAR_INVALID);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1.severity, Severity::Low);
        let fix = found[0].1.fix.as_ref().unwrap();
        assert!(matches!(&fix.edits[..], [Edit::Replace { to, .. }] if to == "Effect"));
    }

    #[test]
    fn trust_policies_need_a_principal_and_have_no_resource() {
        let text = r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}"#;
        let found = Scene::new()
            .document(DocumentRole::Trust, text)
            .places(&POLICY_GRAMMAR_INVALID);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], r#""*""#);
        assert!(found[1].starts_with('{'));
    }

    #[test]
    fn text_that_is_no_json_is_found() {
        let found = Scene::new()
            .document(DocumentRole::Managed, r#""{ \"Version\": nope }""#)
            .run(&POLICY_GRAMMAR_INVALID);
        assert_eq!(found.len(), 1);
        assert!(found[0].1.message.contains("not valid JSON"));
    }
}
