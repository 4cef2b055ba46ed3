//! `org-policy-invalid-or-oversize`: AWS refuses the policy of the organization.

use crate::length::{Over, least_length, over};
use crate::{Context, Family, Scope, names, organization};
use overgrant_catalog::catalog;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentRole, Place, PolicyDocument, ReferenceTo};
use overgrant_policy::{Answer, Effect, Statement};
use overgrant_value::Src;

rule! {
    /// Organization policy has a form or size that AWS refuses.
    ///
    /// Service control policies have no `Principal`. Resource control policies only deny, name `*` as
    /// principal, list actions (no `NotAction`, no `*` alone) and know few services. Both have limits of
    /// length; blanks do not count. A unit or account can have so many of them attached. AWS raises neither
    /// limit for anybody, so there is nothing to configure.
    ///
    /// ## Why
    /// The deployment fails, and the guardrail that everybody counts on is not there, or is the old one.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_organizations_policy" "perimeter" {
    ///   name = "perimeter"
    ///   type = "RESOURCE_CONTROL_POLICY"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Principal = "*"
    ///       Action    = "*" # <-- here
    ///       Resource  = "*"
    ///       Condition = { StringNotEquals = { "aws:PrincipalOrgID" = "o-7h2k9d4m1q" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Regions:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: regions
    ///       Type: SERVICE_CONTROL_POLICY
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Principal: "*" # <-- here
    ///             Action: ec2:*
    ///             Resource: "*"
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_organizations_policy" "perimeter" {
    ///   name = "perimeter"
    ///   type = "RESOURCE_CONTROL_POLICY"
    ///   content = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Deny",
    ///           "Principal": "*",
    ///           "Action": "*", # <-- here
    ///           "Resource": "*",
    ///           "Condition": {
    ///             "StringNotEquals": {"aws:PrincipalOrgID": "o-7h2k9d4m1q"}
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// Since September 2025 wildcards may stand anywhere in an action of a service control policy:
    /// ```terraform good
    /// resource "aws_organizations_policy" "tags" {
    ///   name = "tags"
    ///   content = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Deny", Action = ["ec2:*Tags", "rds:*Tag*Resource"], Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Perimeter:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: perimeter
    ///       Type: RESOURCE_CONTROL_POLICY
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Principal: "*"
    ///             Action: ["s3:*", "sqs:*", "kms:*"]
    ///             Resource: "*"
    ///             Condition:
    ///               StringNotEqualsIfExists:
    ///                 aws:PrincipalOrgID: o-7h2k9d4m1q
    ///               BoolIfExists:
    ///                 aws:PrincipalIsAWSService: "false"
    /// ```
    /// Blanks are left out before the policy is sent:
    /// ```terraform good
    /// resource "aws_organizations_policy" "wide" {
    ///   name = "wide"
    ///   content = format("%-12000s", jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Deny", Action = "organizations:LeaveOrganization", Resource = "*" }]
    ///   }))
    /// }
    /// ```
    /// ## How to fix
    /// Keep to the grammar of the type, and split what is too long.
    pub(crate) static ORG_POLICY_INVALID_OR_OVERSIZE = Rule {
        id: "org-policy-invalid-or-oversize",
        family: Family::Organization,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[285, 693],
        aliases: &[],
        mappings: &[("NIST", "CM-6"), ("ATT&CK", "T1562"), ("ATT&CK", "T1535")],
        references: &[
            "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html",
            "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for policy in &cx.model.documents {
        let limit = match policy.role {
            DocumentRole::ServiceControl => "organizations.scp.chars",
            DocumentRole::ResourceControl => "organizations.rcp.chars",
            _ => continue,
        };
        for statement in &policy.document.statements {
            for (src, fault) in faults(policy, statement) {
                let text = format!("{} {fault}; AWS refuses it", names::document(policy));
                let report = cx
                    .finding(&policy.place, &src, text)
                    .statement(statement)
                    .help("keep to the grammar of this type of policy");
                cx.report(report);
            }
        }
        size(cx, policy, limit);
    }
    for (role, limit) in [
        (DocumentRole::ServiceControl, "organizations.scp-per-node.count"),
        (DocumentRole::ResourceControl, "organizations.rcp-per-node.count"),
    ] {
        counts(cx, &role, limit);
    }
}

/// Policies of one type that are surely attached to one unit or account, more than it may have.
fn counts(cx: &mut Context<'_>, role: &DocumentRole, limit: &str) {
    let mut targets: Vec<(&Place, &ReferenceTo, usize)> = Vec::new();
    for attachment in organization::attachments(cx.model) {
        let (Some(subject), Some(target)) = (&attachment.subject, &attachment.target) else {
            continue;
        };
        let place = &attachment.place;
        let of_type = organization::policy_of(cx.model, &subject.text)
            .is_some_and(|(_, policy)| policy.role == *role);
        if !of_type || place.maybe || !place.guard.is_always() || !target.guard.is_always() {
            continue;
        }
        let same = |(one, other, _): &&mut (&Place, &ReferenceTo, usize)| {
            one.root == place.root && other.text.key() == target.text.key()
        };
        match targets.iter_mut().find(same) {
            Some((_, _, count)) => *count += 1,
            None => targets.push((place, target, 1)),
        }
    }
    for (place, target, count) in targets {
        let name = organization::name_of(target);
        let (text, severity) = match over(limit, count) {
            None => continue,
            Some(Over::All(most)) => (
                format!("`{name}` has {count} policies of one type attached, and {most} are allowed"),
                Severity::Medium,
            ),
            Some(Over::First { value, most }) => (
                format!(
                    "`{name}` has {count} policies of one type attached; {value} were allowed before May 2026, {most} since"
                ),
                Severity::Info,
            ),
        };
        let report = cx
            .finding(place, &target.src, text)
            .cell(format!("{limit} {}", target.text.key()))
            .severity(severity)
            .concerns(&name)
            .help("merge policies, or attach some to the unit above");
        cx.report(report);
    }
}

/// What AWS refuses in a statement, with its place.
fn faults(policy: &PolicyDocument, statement: &Statement) -> Vec<(Src, String)> {
    let principals = statement.principals.listed();
    let actions = statement.actions.listed();
    let mut faults = Vec::new();
    if policy.role == DocumentRole::ServiceControl {
        if principals.is_firm() {
            let element = if principals.negated { "NotPrincipal" } else { "Principal" };
            faults.push((
                principals.src.clone(),
                format!("has `{element}` in a service control policy"),
            ));
        }
        return faults;
    }
    if statement.effect == Effect::Allow {
        let text = "allows in a resource control policy, which can only deny".to_owned();
        faults.push((statement.effect_src.clone(), text));
    }
    if principals.negated && principals.is_firm() {
        let text = "has `NotPrincipal` in a resource control policy".to_owned();
        faults.push((principals.key_src.clone(), text));
    } else if let Some(other) = statement.principals.iter().find(|one| !one.is_anyone() && one.is_known()) {
        let text = format!("names the principal `{other}` in a resource control policy, which must name `*`");
        faults.push((other.src().clone(), text));
    }
    if actions.negated && actions.is_firm() {
        let text = "has `NotAction` in a resource control policy".to_owned();
        faults.push((actions.key_src.clone(), text));
        return faults;
    }
    for item in &actions.items {
        let src = item.pattern().src().clone();
        if item.covers_all() == Answer::Must {
            let text = format!("has the action `{item}` in a resource control policy, which lists services");
            faults.push((src, text));
        } else if let Some(service) = item.service().and_then(|prefix| catalog().service(&prefix))
            && !service.supports_rcp()
        {
            let prefix = service.prefix();
            let text = format!("has an action of `{prefix}`, which resource control policies do not cover");
            faults.push((src, text));
        }
    }
    faults
}

fn size(cx: &mut Context<'_>, policy: &PolicyDocument, limit: &str) {
    let count = least_length(&policy.document);
    let name = names::document(policy);
    let (text, severity) = match over(limit, count) {
        None => return,
        Some(Over::All(most)) => (
            format!("{name} has {count} characters without blanks, and {most} are allowed"),
            Severity::Medium,
        ),
        Some(Over::First { value, most }) => (
            format!("{name} has {count} characters without blanks; {value} were allowed before May 2026, {most} since"),
            Severity::Info,
        ),
    };
    let report = cx
        .finding(&policy.place, &policy.argument_src, text)
        .cell(limit)
        .severity(severity)
        .help("split the policy");
    cx.report(report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(role: DocumentRole, statement: &str) -> Vec<String> {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        Scene::new()
            .document(role, &text)
            .places(&ORG_POLICY_INVALID_OR_OVERSIZE)
    }

    #[test]
    fn each_type_has_its_grammar() {
        let rcp = |more: &str| found(DocumentRole::ResourceControl, &format!("{{{more}}}"));
        assert_eq!(rcp(r#""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*""#), [r#""Allow""#]);
        assert_eq!(
            rcp(r#""Effect":"Deny","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*""#),
            [r#""111122223333""#]
        );
        assert_eq!(rcp(r#""Effect":"Deny","Principal":"*","Action":"ec2:*","Resource":"*""#), [r#""ec2:*""#]);
        assert_eq!(rcp(r#""Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*""#), Vec::<String>::new());
        let scp = found(DocumentRole::ServiceControl, r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#);
        assert!(scp.is_empty());
    }

    #[test]
    fn policies_of_a_unit_are_counted() {
        let found = |count: usize| {
            let content = crate::testing::quoted(r#"{"Effect":"Deny","Action":"sqs:*","Resource":"*"}"#);
            let mut scene = Scene::new();
            for n in 0..count {
                let attrs = format!(
                    r#"{{"Name":"p{n}","Type":"SERVICE_CONTROL_POLICY","TargetIds":["ou-k3m9-p7q2r4s8"],"Content":{content}}}"#
                );
                scene = scene.resource("AWS::Organizations::Policy", &format!("P{n}"), &attrs);
            }
            let found = scene.run(&ORG_POLICY_INVALID_OR_OVERSIZE);
            found.into_iter().map(|(_, one)| one.severity).collect::<Vec<_>>()
        };
        assert_eq!(found(5), []);
        assert_eq!(found(6), [Severity::Info]);
        assert_eq!(found(11), [Severity::Medium]);
    }

    #[test]
    fn blanks_do_not_count() {
        let list = |count: usize| {
            let names: Vec<String> = (0..count).map(|n| format!(r#""ec2:Action{n:04}""#)).collect();
            format!(r#"{{"Effect":"Deny","Resource":"*","Action":[{}]}}"#, names.join(", "))
        };
        assert_eq!(found(DocumentRole::ServiceControl, &list(250)).len(), 0);
        assert_eq!(found(DocumentRole::ServiceControl, &list(700)).len(), 1);
    }
}
