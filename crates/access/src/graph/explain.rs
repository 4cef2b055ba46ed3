//! Ways in words: each step with its rights, where they are written, and what would break it.
//!
//! Not for layout. Invariant: every right of a step is named with the statement that gives it, or
//! with what else does.

use super::assume::ASSUME;
use super::{Basis, Doubt, Edge, EdgeKind, Evidence, Node, Route};
use crate::{Access, AttachedSource};
use overgrant_catalog::{Category, EscalationPath};
use overgrant_ir::{Identity, IdentityId};
use overgrant_policy::{Answer, Statement};
use overgrant_source::Span;
use smol_str::SmolStr;

/// Where a right is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The resource that holds it.
    pub address: SmolStr,
    /// The root of that resource.
    pub root: SmolStr,
    /// `#Sid` or `#n`, for a statement.
    pub statement: Option<String>,
    /// The bytes; `None` for policies that AWS keeps.
    pub span: Option<Span>,
}

/// One right of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// `service:Name`.
    pub action: String,
    /// What gives it, in words.
    pub from: String,
    /// Where that is written.
    pub place: Option<Place>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What happens, as a sentence without a full stop.
    pub text: String,
    /// The row of the catalog.
    pub path: Option<&'static str>,
    /// What kind of step.
    pub kind: EdgeKind,
    /// Who takes it and what is reached, as the graph names them.
    pub ends: (Node, Node),
    /// The rights it uses; all are needed.
    pub rights: Vec<Right>,
    /// What it depends on, where it is not sure.
    pub depends: Vec<String>,
    /// What would break it: any one of these.
    pub breaks: Vec<String>,
}

/// A way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Who walks it.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// How sure it is.
    pub answer: Answer,
    /// Its steps in order.
    pub steps: Vec<Step>,
}

impl Explained {
    /// Whether every step is sure.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.answer == Answer::Must
    }
}

impl Access<'_> {
    /// A node in words: ``role `aws_iam_role.ci` ``.
    #[must_use]
    pub fn describe(&self, node: Node) -> String {
        let model = self.model();
        match node {
            Node::Identity(id) => model.identity(id).map_or_else(String::new, |one| {
                format!("{} `{}`", one.kind.as_str(), self.address(&one.place))
            }),
            Node::Workload(at) => model
                .workloads
                .get(at)
                .map_or_else(String::new, |one| format!("`{}`", self.address(&one.place))),
            Node::Entry(at) => self
                .graph()
                .entries()
                .get(at)
                .map_or_else(String::new, |entry| entry.who.clone()),
            Node::Hub(at) => self
                .graph()
                .hub(at)
                .map_or_else(String::new, |hub| format!("every {}", hub.what)),
            Node::Admin => "administrator".to_owned(),
            Node::Data => "stored data or credentials of one service".to_owned(),
            Node::Unbound => "its own rights without the limit".to_owned(),
        }
    }

    /// The address of a thing, with its root in front where two roots hold the same.
    #[must_use]
    pub fn address(&self, place: &overgrant_ir::Place) -> String {
        let twice = self.shared.contains(&place.address);
        if twice && !place.root.is_empty() {
            format!("{}//{}", place.root, place.address)
        } else {
            place.address.to_string()
        }
    }

    /// Says a way in words.
    #[must_use]
    pub fn explain(&self, route: &Route) -> Explained {
        let graph = self.graph();
        let end = |at: Option<&Node>| at.map_or_else(String::new, |node| self.describe(*node));
        let last = route.nodes.last();
        let admin = match last {
            Some(Node::Identity(id)) if graph.is_admin(*id).possible() => {
                ", which is administrator"
            }
            _ => "",
        };
        let steps = route
            .edges
            .iter()
            .filter_map(|at| graph.edges().get(*at))
            .map(|edge| self.step(route, edge))
            .collect();
        Explained {
            from: end(route.nodes.first()),
            to: format!("{}{admin}", end(last)),
            answer: route.answer,
            steps,
        }
    }

    fn step(&self, route: &Route, edge: &Edge) -> Step {
        // Behind a hub stands the member that the way goes on with.
        let to = match edge.to {
            Node::Hub(_) => {
                let at = route.nodes.iter().position(|node| *node == edge.from);
                let next = at.and_then(|at| route.nodes.get(at + 1));
                next.copied().unwrap_or(edge.to)
            }
            other => other,
        };
        let rights: Vec<Right> = edge.by.iter().map(|one| self.right(one)).collect();
        Step {
            text: self.sentence(edge, to),
            path: edge.path.map(|path| path.id),
            kind: edge.kind,
            ends: (edge.from, to),
            depends: edge.doubts.iter().map(|doubt| self.doubt(*doubt)).collect(),
            breaks: self.breaks(edge, to, &rights),
            rights,
        }
    }

    /// A step to `to` as a sentence without a full stop.
    #[must_use]
    pub fn sentence(&self, edge: &Edge, to: Node) -> String {
        let (from, target) = (self.describe(edge.from), self.describe(to));
        let mut actions: Vec<&str> = Vec::new();
        for one in &edge.by {
            if !actions.contains(&one.action) {
                actions.push(one.action);
            }
        }
        let used = list(&actions);
        let via = edge.via.map(|node| self.describe(node));
        if let Some(tagging) = &edge.tagging {
            let written: Vec<String> = tagging.tags.iter().map(ToString::to_string).collect();
            let holder = Node::Identity(tagging.holder);
            let by = if holder == edge.from {
                String::new()
            } else {
                format!(" as {}", self.describe(holder))
            };
            let then = match (edge.kind, to) {
                (EdgeKind::MayAssume, _) => "assumes it",
                (_, Node::Workload(_)) => "runs its own code in it",
                _ => "takes it over",
            };
            return format!(
                "{from} {} on {} and {then}{by}: {used}",
                written.join(" and "),
                via.unwrap_or(target)
            );
        }
        match (edge.kind, edge.path) {
            (EdgeKind::MayAssume, _) => format!("{from} assumes {target}"),
            (EdgeKind::MayEnter, _) => {
                let door = edge.by.iter().find_map(|one| match one.basis {
                    Basis::Door(at) => self.exposed().get(at),
                    _ => None,
                });
                let how = door.map_or_else(String::new, |door| format!(": {}", door.how));
                format!("{from} gets into {target}{how}")
            }
            (EdgeKind::RunsAs, _) => format!("{from} runs as {target}"),
            (EdgeKind::Member, _) => format!("{target} is one of them"),
            (EdgeKind::MayPass, _) => {
                let making: Vec<&str> = actions
                    .iter()
                    .copied()
                    .filter(|action| *action != "iam:PassRole")
                    .collect();
                format!(
                    "{from} passes {target} with {} and acts as it",
                    list(&making)
                )
            }
            (EdgeKind::MayModify, Some(path)) => match (to, via, path.category) {
                (Node::Admin, Some(via), _) => {
                    format!("{from} gives {via} every right and takes it over with {used}")
                }
                (Node::Admin, None, Category::SelfEscalation) => {
                    format!("{from} gives itself every right with {used}")
                }
                (Node::Admin | Node::Unbound, None, Category::GuardrailRemoval) => {
                    format!("{from} removes what limits it with {used}")
                }
                (Node::Admin, None, _) => format!("{from} makes an administrator with {used}"),
                (Node::Workload(_), _, _) => {
                    format!("{from} runs its own code in {target} with {used}")
                }
                (Node::Identity(_), _, Category::SelfEscalation) => {
                    format!("{from} joins {target} with {used}")
                }
                (Node::Identity(_), _, _) if is_trust_rewrite(path) => {
                    format!("{from} rewrites the trust policy of {target} and assumes it")
                }
                (Node::Identity(_), _, _) => {
                    format!("{from} makes credentials of {target} with {used}")
                }
                (_, _, _) => format!("{from} reaches {target} with {used}"),
            },
            (EdgeKind::MayModify, None) => format!("{from} reaches {target} with {used}"),
        }
    }

    fn right(&self, evidence: &Evidence) -> Right {
        let model = self.model();
        let mut right = Right {
            action: evidence.action.to_owned(),
            from: "a policy that could not be read".to_owned(),
            place: None,
        };
        match evidence.basis {
            Basis::Policy(reference) => {
                let Some((statement, attached)) = self.statement(&reference) else {
                    return right;
                };
                match &attached.source {
                    AttachedSource::Model(document) => {
                        let holder = model.document(*document).map(|one| &one.place);
                        let holder = holder.or(attached.place.as_ref());
                        right.from = format!("statement {}", statement.name());
                        right.place = holder.map(|place| Place {
                            address: self.address(place).into(),
                            root: place.root.clone(),
                            statement: Some(statement.name()),
                            span: action_span(statement, evidence.action).or(place.src.span),
                        });
                        if let Some(group) = attached.group.and_then(|id| model.identity(id)) {
                            right.from += &format!(", by group `{}`", self.address(&group.place));
                        }
                    }
                    AttachedSource::AwsManaged { name, .. } => {
                        right.from = format!("the AWS managed policy {name}");
                        right.place = attached.place.as_ref().map(|place| Place {
                            address: self.address(place).into(),
                            root: place.root.clone(),
                            statement: None,
                            span: attached.src.span,
                        });
                    }
                    AttachedSource::Unresolved => {}
                }
            }
            Basis::Trust(role, index) => {
                let Some((role, statement)) = self.trust_statement(role, index) else {
                    return right;
                };
                right.from = format!("its trust policy, statement {}", statement.name());
                right.place = Some(Place {
                    address: self.address(&role.place).into(),
                    root: role.place.root.clone(),
                    statement: Some(statement.name()),
                    span: statement
                        .principals
                        .listed()
                        .src
                        .span
                        .or(statement.src.span),
                });
            }
            Basis::Workload(at) => {
                if let Some(workload) = model.workloads.get(at) {
                    right.action = workload.attribute.to_string();
                    right.from = format!("its argument {}", workload.attribute);
                    right.place = Some(Place {
                        address: self.address(&workload.place).into(),
                        root: workload.place.root.clone(),
                        statement: None,
                        span: workload.role.src.span.or(workload.place.src.span),
                    });
                }
            }
            Basis::Door(at) => {
                if let Some(door) = self.exposed().get(at) {
                    right.from = door.how.clone();
                    right.place = Some(Place {
                        address: self.address(door.place).into(),
                        root: door.place.root.clone(),
                        statement: door.statement.map(Statement::name),
                        span: door.src.span.or(door.place.src.span),
                    });
                }
            }
            Basis::Unread => {}
        }
        right
    }

    fn trust_statement(&self, role: IdentityId, index: usize) -> Option<(&Identity, &Statement)> {
        let (_, document) = self.trust(role)?;
        let statement = document.document.statements.get(index)?;
        Some((self.model().identity(role)?, statement))
    }

    fn doubt(&self, doubt: Doubt) -> String {
        match doubt {
            Doubt::Condition => "a condition of the statement".to_owned(),
            Doubt::Open => "a part that is not known before deployment".to_owned(),
            Doubt::Boundary => "its permissions boundary".to_owned(),
            Doubt::Organization(id) => {
                let policy = self.model().document(id);
                let name = policy.map_or_else(String::new, |one| self.address(&one.place));
                format!("organization policy `{name}`, if it binds the account")
            }
            Doubt::Deny => "a Deny that may apply".to_owned(),
            Doubt::State(precondition) => {
                format!(
                    "{}, which the code does not show",
                    precondition.as_str().replace('-', " ")
                )
            }
            Doubt::Account => "both being in one account, or each letting the other in".to_owned(),
            Doubt::Absent => "something of that kind, which is not in the code".to_owned(),
            Doubt::Trust => "a condition or open part of the trust policy".to_owned(),
            Doubt::Entry => "how far strangers get, which the code does not show".to_owned(),
            Doubt::Unproven => "behaviour of the service that nobody else documents".to_owned(),
        }
    }

    fn breaks(&self, edge: &Edge, to: Node, rights: &[Right]) -> Vec<String> {
        let mut breaks: Vec<String> = rights
            .iter()
            .filter_map(|right| {
                let place = right.place.as_ref()?;
                let at = match &place.statement {
                    Some(statement) => format!("{statement} of `{}`", place.address),
                    None => format!("`{}`", place.address),
                };
                Some(if edge.kind == EdgeKind::MayEnter {
                    format!("no entry for strangers in {at}")
                } else if edge.kind == EdgeKind::RunsAs {
                    format!("a weaker role in {at}")
                } else if right.from.starts_with("its trust") {
                    format!("a trust in {at} that does not let it in")
                } else {
                    format!("no `{}` in {at}", right.action)
                })
            })
            .collect();
        let target = self.describe(to);
        match edge.kind {
            EdgeKind::MayPass => {
                breaks.push(format!("a resource list for iam:PassRole without {target}"));
            }
            EdgeKind::MayModify if edge.path.is_some() => {
                breaks.push("a permissions boundary or Deny that forbids one of these".to_owned());
            }
            _ => {}
        }
        breaks
    }
}

fn is_trust_rewrite(path: &EscalationPath) -> bool {
    path.legs
        .iter()
        .flat_map(|group| group.iter())
        .any(|leg| leg.action == "iam:UpdateAssumeRolePolicy" || leg.action == ASSUME)
}

fn action_span(statement: &Statement, action: &str) -> Option<Span> {
    let actions = &statement.actions;
    let pattern = actions.pattern_for(action).map(|item| item.pattern().src());
    let src = pattern.unwrap_or(&actions.listed().key_src);
    src.span.or(statement.src.span)
}

/// `a`, `b` and `c`.
fn list(names: &[&str]) -> String {
    match names {
        [] => "no right".to_owned(),
        [one] => format!("`{one}`"),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and `{last}`", most.join(", "))
        }
    }
}
