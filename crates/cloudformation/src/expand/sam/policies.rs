//! `Policies` of functions and state machines: names, ARNs, documents and policy templates.
//!
//! Not for the role they end in. Invariant: entries keep their order and place; an entry that is an
//! `Fn::If` stays one, with `AWS::NoValue` where a branch has nothing of that sort.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-policies.html>

use super::tables::{PolicyTemplate, Statement, policy_template};
use super::{Builder, document, inline};
use crate::syntax::{Kind, Node, make};
use overgrant_source::Span;
use std::sync::Arc;

/// The two lists of a role.
#[derive(Default)]
pub(super) struct RolePolicies {
    pub(super) managed: Vec<Arc<Node>>,
    pub(super) inline: Vec<Arc<Node>>,
}

/// The managed policies, each once: what is named by its ARN in the partition `aws` is the policy
/// that SAM adds in any partition.
pub(super) fn distinct(all: Vec<Arc<Node>>) -> Vec<Arc<Node>> {
    let name = |node: &Node| {
        let plain = node.tag.as_ref().is_none_or(|tag| tag.name == "Sub");
        let text = node.scalar().filter(|_| plain)?.text.as_str();
        Some(text.replace("${AWS::Partition}", "aws"))
    };
    let mut seen = Vec::new();
    all.into_iter()
        .filter(|node| match name(node) {
            Some(name) if seen.contains(&name) => false,
            Some(name) => {
                seen.push(name);
                true
            }
            None => true,
        })
        .collect()
}

impl Builder<'_> {
    /// Sorts the entries of `Policies` (a list or a single entry) for the role `role`.
    pub(super) fn policies(&mut self, policies: &Arc<Node>, role: &str) -> RolePolicies {
        let single = [Arc::clone(policies)];
        let entries: &[Arc<Node>] = match (&policies.kind, &policies.tag) {
            (Kind::Seq(items), None) => items,
            _ => &single,
        };
        let mut sorted = RolePolicies::default();
        for (index, entry) in entries.iter().enumerate() {
            let (managed, inline) = self.policy(entry, &format!("{role}Policy{index}"));
            sorted.managed.extend(managed);
            sorted.inline.extend(inline);
        }
        sorted
    }

    /// One entry as a managed policy, an inline policy, or (in an `Fn::If`) both.
    fn policy(&mut self, entry: &Arc<Node>, name: &str) -> (Option<Arc<Node>>, Option<Arc<Node>>) {
        if let Some([condition, yes, no]) = branches(entry) {
            let (yes, no) = (Arc::clone(yes), Arc::clone(no));
            let condition = Arc::clone(condition);
            let (managed_yes, inline_yes) = self.branch(&yes, name);
            let (managed_no, inline_no) = self.branch(&no, name);
            let either = |yes: Option<Arc<Node>>, no: Option<Arc<Node>>| {
                if yes.is_none() && no.is_none() {
                    return None;
                }
                let nothing = || make::reference("AWS::NoValue", entry.span);
                let members = vec![
                    Arc::clone(&condition),
                    yes.unwrap_or_else(nothing),
                    no.unwrap_or_else(nothing),
                ];
                let list = make::seq(members, entry.span);
                Some(make::call("If", &list, entry.span))
            };
            return (
                either(managed_yes, managed_no),
                either(inline_yes, inline_no),
            );
        }
        if entry.text().is_some() {
            return (Some(managed(entry)), None);
        }
        let function = entry.tag.is_some()
            || matches!(entry.entries(), [only] if only.key == "Ref" || only.key.starts_with("Fn::"));
        if function {
            return (Some(Arc::clone(entry)), None);
        }
        if entry.get("Statement").is_some() {
            return (None, Some(inline(name, Arc::clone(entry), entry.span)));
        }
        if let [only] = entry.entries()
            && let Some(template) = policy_template(&only.key)
        {
            let span = only.key_span.to(only.value.span);
            for parameter in &template.parameters {
                if only.value.get(parameter).is_none() {
                    self.tell(
                        "sam-policy",
                        only.key_span,
                        format!(
                            "the policy template `{}` needs `{parameter}`; add it",
                            only.key
                        ),
                    );
                }
            }
            let document = from_template(template, &only.value, span);
            return (None, Some(inline(name, document, span)));
        }
        self.tell(
            "sam-policy",
            entry.span,
            "this entry of Policies is neither a name, an ARN, a document nor a policy template; check its spelling".to_owned(),
        );
        (None, None)
    }

    fn branch(&mut self, node: &Arc<Node>, name: &str) -> (Option<Arc<Node>>, Option<Arc<Node>>) {
        if is_no_value(node) {
            (None, None)
        } else {
            self.policy(node, name)
        }
    }
}

/// The three members of an `Fn::If`.
pub(super) fn branches(node: &Arc<Node>) -> Option<&[Arc<Node>; 3]> {
    let argument = match (&node.tag, node.entries()) {
        (Some(tag), _) if tag.name == "If" => node,
        (None, [only]) if only.key == "Fn::If" => &only.value,
        _ => return None,
    };
    argument.items().try_into().ok()
}

/// Whether a node is `!Ref AWS::NoValue`.
pub(super) fn is_no_value(node: &Node) -> bool {
    let argument = match (&node.tag, node.entries()) {
        (Some(tag), _) if tag.name == "Ref" => node.scalar(),
        (None, [only]) if only.key == "Ref" => only.value.scalar(),
        _ => None,
    };
    argument.is_some_and(|scalar| scalar.text == "AWS::NoValue")
}

/// A managed policy by name or ARN; a name that AWS does not have stays as it is.
fn managed(entry: &Arc<Node>) -> Arc<Node> {
    let name = entry.text().unwrap_or_default();
    if name.contains(':') {
        return Arc::clone(entry);
    }
    match overgrant_catalog::catalog().managed_policy(name) {
        Some(policy) => aws_managed(policy.path_and_name(), entry.span),
        None => Arc::clone(entry),
    }
}

/// The ARN of a policy of AWS.
pub(super) fn aws_managed(path_and_name: &str, span: Span) -> Arc<Node> {
    make::sub(
        &format!("arn:${{AWS::Partition}}:iam::aws:policy/{path_and_name}"),
        span,
    )
}

/// The document of a policy template with its parameters' values.
fn from_template(template: &PolicyTemplate, values: &Node, span: Span) -> Arc<Node> {
    let fill = |text: &str| {
        let used: Vec<(&str, Arc<Node>)> = template
            .parameters
            .iter()
            .filter(|name| text.contains(&format!("${{{name}}}")))
            .filter_map(|name| Some((*name, Arc::clone(values.get(name)?))))
            .collect();
        if used.is_empty() {
            return if text.contains("${") {
                make::sub(text, span)
            } else {
                make::text(text, span)
            };
        }
        let list = make::seq(vec![make::text(text, span), make::map(used, span)], span);
        make::call("Sub", &list, span)
    };
    let statements = template
        .statements
        .iter()
        .map(|statement| from_facts(statement, &fill, span))
        .collect();
    document(statements, false, span)
}

/// A statement of the data files; `fill` makes a node of a resource or condition value.
pub(super) fn from_facts(
    statement: &Statement,
    fill: &dyn Fn(&str) -> Arc<Node>,
    span: Span,
) -> Arc<Node> {
    let resources: Vec<Arc<Node>> = statement.resources.iter().map(|text| fill(text)).collect();
    let mut parts = vec![
        ("Effect", make::text("Allow", span)),
        (
            "Action",
            make::texts(statement.actions.iter().copied(), span),
        ),
        ("Resource", make::seq(resources, span)),
    ];
    if let Some(principal) = statement.principal {
        let service = make::map([("Service", make::text(principal, span))], span);
        parts.push(("Principal", service));
    }
    let mut conditions: Vec<(&str, Arc<Node>)> = statement
        .conditions
        .iter()
        .map(|(operator, key, value)| (*operator, make::map([(*key, fill(value))], span)))
        .collect();
    if let (Some(source), Some(_)) = (statement.source, statement.principal) {
        let key = make::map([("aws:SourceArn", fill(source))], span);
        conditions.push(("ArnEquals", key));
    }
    if !conditions.is_empty() {
        parts.push(("Condition", make::map(conditions, span)));
    }
    make::map(parts, span)
}
