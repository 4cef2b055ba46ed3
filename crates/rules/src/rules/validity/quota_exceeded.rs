//! `quota-exceeded`: policies that are too long, and too many of them.

use crate::{Context, Family, Scope, names};
use overgrant_catalog::quota;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentRole, Identity, IdentityId, IdentityKind, PolicyDocument};
use overgrant_policy::{Answer, Document, Pattern, Statement};
use std::collections::BTreeMap;

rule! {
    /// Policy is longer than AWS allows, or too many are attached.
    ///
    /// The document has more characters than its kind may have, or more managed policies are attached to
    /// a principal than may be. Parts that are not known count as nothing.
    ///
    /// ## Why
    /// The deployment fails half-way, and the usual repair is to shorten lists of actions and resources by
    /// wildcards, which grants more than was meant.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "many" {
    ///   name = "many"
    ///   policy = jsonencode({ # <-- here
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sqs:SendMessage"
    ///       Resource = [for n in range(200) : "arn:aws:sqs:eu-west-1:123456789012:orders-${n}"]
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "few" {
    ///   name = "few"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sqs:SendMessage"
    ///       Resource = "arn:aws:sqs:eu-west-1:123456789012:orders-*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Few:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sqs:SendMessage
    ///             Resource: arn:aws:sqs:eu-west-1:123456789012:orders-*
    /// ```
    /// ## How to fix
    /// Split the policy, or limit it by a tag or a name prefix in place of a list.
    pub(crate) static QUOTA_EXCEEDED = Rule {
        id: "quota-exceeded",
        family: Family::Validity,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[1126, 1164, 697],
        aliases: &[],
        mappings: &[("NIST", "CM-6")],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for holder in &cx.model.documents {
        if let Some(limit) = limit_of(holder) {
            length(cx, holder, limit);
        }
    }
    let counts = attached(cx);
    for kind in [IdentityKind::Role, IdentityKind::User, IdentityKind::Group] {
        let model = cx.model;
        for (id, identity) in model.of_kind(kind) {
            let count = counts.get(&id).copied().unwrap_or_default();
            attachments(cx, identity, kind, count);
        }
    }
}

/// How many managed policies are surely attached to each identity.
fn attached(cx: &Context<'_>) -> BTreeMap<IdentityId, usize> {
    let mut counts = BTreeMap::new();
    for attachment in &cx.model.attachments {
        if attachment.place.maybe || !attachment.policy.guard.is_always() {
            continue;
        }
        let identity = &attachment.identity.text;
        let root = &attachment.place.root;
        if let Some((id, Answer::Must)) = cx.access.link(identity, root, attachment.identity_kind) {
            *counts.entry(id).or_default() += 1;
        }
    }
    counts
}

fn limit_of(holder: &PolicyDocument) -> Option<&'static str> {
    Some(match &holder.role {
        DocumentRole::Managed => "iam.managed-policy.chars",
        DocumentRole::Trust => "iam.role-trust.chars",
        DocumentRole::Session => "sts.session-policy.chars",
        DocumentRole::Resource { service } if service == "s3" => "s3.bucket-policy.bytes",
        DocumentRole::Resource { service } if service == "kms" => "kms.key-policy.bytes",
        _ => return None,
    })
}

/// What a figure means: above every value of the limit, or only above the first.
enum Over {
    All(u32),
    First { value: u32, most: u32 },
}

fn over(limit: &str, figure: usize) -> Option<Over> {
    let values: Vec<u32> = quota(limit).map(|quota| quota.value).collect();
    let (first, last) = (*values.first()?, *values.last()?);
    let exceeds = |value: u32| usize::try_from(value).is_ok_and(|value| figure > value);
    if exceeds(last) {
        Some(Over::All(last))
    } else if exceeds(first) {
        Some(Over::First {
            value: first,
            most: last,
        })
    } else {
        None
    }
}

fn length(cx: &mut Context<'_>, holder: &PolicyDocument, limit: &str) {
    let count = least_length(&holder.document);
    let Some(over) = over(limit, count) else {
        return;
    };
    let name = names::document(holder);
    let (text, severity) = match over {
        Over::All(most) => (
            format!("{name} has {count} characters without blanks, and {most} are allowed"),
            Severity::Medium,
        ),
        Over::First { value, most } => (
            format!(
                "{name} has {count} characters without blanks; {value} are allowed, {most} on request"
            ),
            Severity::Info,
        ),
    };
    let report = cx
        .finding(&holder.place, &holder.argument_src, text)
        .cell(limit)
        .severity(severity)
        .help("split the policy, or limit it by a tag or a name prefix");
    cx.report(report);
}

fn attachments(cx: &mut Context<'_>, identity: &Identity, kind: IdentityKind, count: usize) {
    let limit = format!("iam.managed-policies-per-{}.count", kind.as_str());
    let Some(over) = over(&limit, count) else {
        return;
    };
    let name = names::identity(identity);
    let (text, severity) = match over {
        Over::All(most) => (
            format!("{name} has {count} managed policies, and {most} are allowed"),
            Severity::Medium,
        ),
        Over::First { value, most } => (
            format!("{name} has {count} managed policies; {value} are allowed, {most} on request"),
            Severity::Info,
        ),
    };
    let report = cx
        .finding(&identity.place, &identity.place.name_src, text)
        .cell(limit)
        .severity(severity)
        .help("merge policies that belong together");
    cx.report(report);
}

/// The least number of characters that the document has without blanks.
fn least_length(document: &Document) -> usize {
    // {"Version":"2012-10-17","Statement":} and a comma between statements.
    const FRAME: usize = 37;
    let statements: usize = document
        .statements
        .iter()
        .filter(|statement| statement.is_certain())
        .map(|statement| statement_length(statement) + 1)
        .sum();
    FRAME + statements.saturating_sub(1)
}

fn statement_length(statement: &Statement) -> usize {
    // {"Effect":"Deny"} is the shortest statement; each element adds its key.
    let mut length = 17;
    let actions = statement.actions.listed();
    length += list(r#","Action":"#, actions.items.iter().map(|item| item.pattern()));
    let resources = statement.resources.listed();
    length += list(
        r#","Resource":"#,
        resources.items.iter().map(|item| item.pattern()),
    );
    length += statement
        .principals
        .iter()
        .map(|item| item.known_length() + 3)
        .sum::<usize>();
    for condition in &statement.conditions.items {
        length += condition.key.spelling().map_or(0, |key| key.len()) + 3;
        length += list("", condition.values.iter().map(|value| value.pattern()));
    }
    length
}

/// One member is a text; more are a list with brackets and commas.
fn list<'a>(key: &str, patterns: impl Iterator<Item = &'a Pattern>) -> usize {
    let members: Vec<usize> = patterns
        .filter(|pattern| pattern.guard().is_always())
        .map(|pattern| pattern_length(pattern) + 2)
        .collect();
    match members.as_slice() {
        [] => 0,
        [one] => key.len() + one,
        more => key.len() + more.iter().sum::<usize>() + more.len() + 1,
    }
}

/// Length of what is known.
fn pattern_length(pattern: &Pattern) -> usize {
    if pattern.is_known() {
        pattern.to_string().len()
    } else {
        // Of an open text no more than nothing is sure.
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_value::Text;
    use crate::testing::Scene;

    fn found(role: DocumentRole, count: usize) -> Vec<Severity> {
        let list = (0..count)
            .map(|n| format!(r#""arn:aws:sqs:eu-west-1:123456789012:q{n:03}""#))
            .collect::<Vec<_>>()
            .join(",");
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sqs:*","Resource":[{list}]}}]}}"#
        );
        Scene::new()
            .document(role, &text)
            .run(&QUOTA_EXCEEDED)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn the_greatest_value_decides() {
        assert_eq!(found(DocumentRole::Managed, 100), []);
        assert_eq!(found(DocumentRole::Managed, 150), [Severity::Medium]);
        assert_eq!(found(DocumentRole::Trust, 60), [Severity::Info]);
        assert_eq!(found(DocumentRole::Trust, 250), [Severity::Medium]);
    }

    #[test]
    fn the_count_is_a_lower_bound() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sqs:*","Resource":"*"}]}"#;
        let document = overgrant_policy::Document::from_val(&overgrant_value::Val::text(
            Text::known(text),
            overgrant_value::Src::none(),
        ));
        assert!(least_length(&document) <= text.len());
        assert!(least_length(&document) + 10 > text.len());
    }

    #[test]
    fn attachments_are_counted() {
        let mut scene = Scene::new().resource("aws_iam_group", "g", r#"{"name":"g"}"#);
        for n in 0..11 {
            scene = scene.resource(
                "aws_iam_group_policy_attachment",
                &format!("a{n}"),
                &format!(r#"{{"group":"g","policy_arn":"arn:aws:iam::aws:policy/P{n}"}}"#),
            );
        }
        let found = scene.run(&QUOTA_EXCEEDED);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1.severity, Severity::Medium);
    }
}
