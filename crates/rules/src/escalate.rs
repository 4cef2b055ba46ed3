//! Steps by which an identity gains rights, as rules report them: the sure ones of the escalation
//! graph, with the statements to show, and what they win.
//!
//! Not for finding steps: that is the graph's. Invariant: only edges that are MUST and rows that are
//! well established count; what only may hold is left out, so that a finding is never a guess.

use crate::Context;
use crate::listed::is_listed;
use overgrant_access::graph::{Basis, Edge, EdgeKind, Node, Route};
use overgrant_access::{Attached, AttachedSource, StatementRef};
use overgrant_catalog::{Action, Category, EscalationPath, TargetKind, catalog};
use overgrant_finding::Confidence;
use overgrant_ir::{Identity, IdentityId, IdentityKind, Place, PolicyDocument};
use overgrant_policy::{ActionSet, Answer, Effect, Statement};
use overgrant_value::{Src, Text};
use std::collections::BTreeMap;

/// A statement that allows an action, with the place where it is to be shown.
#[derive(Clone, Copy)]
pub(crate) struct Allowed<'a> {
    /// The statement.
    pub(crate) statement: &'a Statement,
    /// The resource that holds it, where that is in the model.
    pub(crate) place: Option<&'a Place>,
}

impl Allowed<'_> {
    /// Where the action is written.
    pub(crate) fn action_src(&self, action: &str) -> Src {
        let actions = &self.statement.actions;
        actions.pattern_for(action).map_or_else(
            || actions.listed().key_src.clone(),
            |item| item.pattern().src().clone(),
        )
    }
}

/// The statement that surely lets the identity do `action` on `resource` (on some resource where
/// none is given). `passed_to` is the service that a passed role goes to.
pub(crate) fn allowed<'a>(
    cx: &Context<'a>,
    id: IdentityId,
    action: &str,
    resource: Option<&Text>,
    passed_to: Option<&str>,
) -> Option<Allowed<'a>> {
    let access = cx.access;
    let decision = access.allows(id, action, resource);
    if decision.answer == Answer::No || decision.denied_by.is_some() || decision.bounded {
        return None;
    }
    let policies = access.policies(id);
    let found = policies
        .iter()
        .filter(|one| one.is_certain())
        .flat_map(|one| {
            one.document
                .statements
                .iter()
                .map(move |statement| (one, statement))
        });
    let mut best: Option<Allowed<'a>> = None;
    for (attached, statement) in found {
        if !surely(statement, action, resource, passed_to) {
            continue;
        }
        let place = document_of(cx, attached).map(|document| &document.place);
        // A statement of the code base is the better place to change something.
        if place.is_some() {
            return Some(Allowed { statement, place });
        }
        best = best.or(Some(Allowed { statement, place }));
    }
    best
}

/// The document of the code base that is attached; `None` where AWS keeps it, or it was not found.
fn document_of<'a>(cx: &Context<'a>, attached: &Attached) -> Option<&'a PolicyDocument> {
    match attached.source {
        AttachedSource::Model(document) => cx.model.document(document),
        AttachedSource::AwsManaged { .. } | AttachedSource::Unresolved => None,
    }
}

fn surely(
    statement: &Statement,
    action: &str,
    resource: Option<&Text>,
    passed_to: Option<&str>,
) -> bool {
    if statement.allows(action, resource) == Answer::Must {
        return true;
    }
    let Some(service) = passed_to else {
        return false;
    };
    let conditions = &statement.conditions;
    let admits = !conditions.open
        && conditions.items.iter().all(|condition| {
            condition.key.is("iam:PassedToService")
                && !condition.operator.is_negated()
                && condition
                    .values
                    .iter()
                    .any(|value| value.pattern().matches(service) == Answer::Must)
        });
    let on = resource.map_or(Answer::No, |resource| statement.resources.select(resource));
    admits
        && statement.effect == Effect::Allow
        && statement.is_certain()
        && statement.actions.select(action).and(on) == Answer::Must
}

/// Whether the identity is declared administrator.
pub(crate) fn is_admin(cx: &Context<'_>, id: IdentityId) -> bool {
    cx.access.graph().declares(id)
}

/// Whether it is administrator, or surely can become it.
pub(crate) fn reaches_admin(cx: &Context<'_>, id: IdentityId) -> bool {
    cx.access.graph().reaches_admin(id) == Answer::Must
}

/// The steps of a way that somebody takes: what runs with a role does so by itself.
pub(crate) fn taken<'a>(cx: &Context<'a>, route: &Route) -> Vec<&'a Edge> {
    let edges = cx.access.graph().edges();
    let all = route.edges.iter().filter_map(|at| edges.get(*at));
    all.filter(|edge| edge.kind != EdgeKind::RunsAs).collect()
}

/// Services that start what they were set up with: they hand the role on to no code of the customer.
const STARTERS: [&str; 3] = [
    "codepipeline.amazonaws.com",
    "events.amazonaws.com",
    "scheduler.amazonaws.com",
];

/// Whether the way begins with what a service does that alone acts with the role: it starts builds that the
/// policy names. What those can become is told of their own role.
pub(crate) fn only_starts_builds(cx: &Context<'_>, role: IdentityId, route: &Route) -> bool {
    const STARTS: [&str; 2] = ["codebuild:StartBuild", "codebuild:StartBuildBatch"];
    let steps = taken(cx, route);
    let Some(first) = steps.first().filter(|edge| edge.path.is_some()) else {
        return false;
    };
    let rights = rights(cx, first);
    let named = |(action, allowed): &(&str, Allowed<'_>)| {
        let id = catalog().action_id(action);
        id.is_some_and(|id| {
            !allowed
                .statement
                .resources
                .star_for(id)
                .regional()
                .possible()
        })
    };
    !rights.is_empty()
        && rights
            .iter()
            .all(|one| STARTS.contains(&one.0) && named(one))
        && is_of_starter(cx, role)
}

/// Whether only services that start something act with the role.
fn is_of_starter(cx: &Context<'_>, role: IdentityId) -> bool {
    let Some((_, trust)) = cx.access.trust(role) else {
        return false;
    };
    let mut allows = trust.document.allows().peekable();
    allows.peek().is_some()
        && allows.all(|one| {
            let principals = one.principals.listed();
            !principals.open
                && !principals.negated
                && principals.items.iter().all(|principal| {
                    let service = principal.service();
                    service.is_some_and(|service| STARTERS.contains(&service.as_ref()))
                })
        })
}

/// The sure steps that an identity can take by rows of a rule, but for those that first write the tags
/// which the right hangs on: `abac-tag-self-service` tells of them.
pub(crate) fn steps<'a>(
    cx: &Context<'a>,
    id: IdentityId,
    rule: &'static str,
) -> impl Iterator<Item = (&'static EscalationPath, &'a Edge)> {
    cx.access
        .graph()
        .from(Node::Identity(id))
        .iter()
        .filter(|edge| edge.answer == Answer::Must && edge.tagging.is_none())
        .filter_map(|edge| Some((edge.path?, edge)))
        .filter(move |(path, _)| {
            path.rule == rule && path.confidence != overgrant_catalog::Confidence::Low
        })
}

/// Whether an identity is no source of escalation: administrator already, or meant to change rights.
pub(crate) fn is_exempt(cx: &Context<'_>, id: IdentityId, identity: &Identity) -> bool {
    is_admin(cx, id)
        || is_listed(&cx.settings.deployer_roles, identity)
        || is_listed(&cx.settings.break_glass, identity)
}

/// The rights of a step with the statements of identity policies that give them, those of the code
/// base first.
pub(crate) fn rights<'a>(cx: &Context<'a>, edge: &Edge) -> Vec<(&'static str, Allowed<'a>)> {
    let mut found: Vec<_> = edge
        .by
        .iter()
        .filter_map(|one| {
            let Basis::Policy(reference) = one.basis else {
                return None;
            };
            Some((one.action, written(cx, &reference)?))
        })
        .collect();
    found.sort_by_key(|(_, allowed)| allowed.place.is_none());
    found
}

/// A statement of an attached policy with its place.
pub(crate) fn written<'a>(cx: &Context<'a>, reference: &StatementRef) -> Option<Allowed<'a>> {
    let (statement, attached) = cx.access.statement(reference)?;
    let place = document_of(cx, attached).map(|document| &document.place);
    Some(Allowed { statement, place })
}

/// What a step reaches: the sure members where it leads to a group.
pub(crate) fn ends(cx: &Context<'_>, edge: &Edge) -> Vec<Node> {
    if !matches!(edge.to, Node::Hub(_)) {
        return vec![edge.to];
    }
    let members = cx.access.graph().from(edge.to).iter();
    members
        .filter(|member| member.answer == Answer::Must)
        .map(|member| member.to)
        .collect()
}

/// The steps of [`steps`] to what runs with a role, in the order of the model.
pub(crate) fn onto_workloads<'a>(
    cx: &Context<'a>,
    id: IdentityId,
    rule: &'static str,
) -> Vec<(usize, &'static EscalationPath, &'a Edge)> {
    let mut found: Vec<_> = steps(cx, id, rule)
        .flat_map(|(path, edge)| ends(cx, edge).into_iter().map(move |end| (end, path, edge)))
        .filter_map(|(end, path, edge)| match end {
            Node::Workload(at) => Some((at, path, edge)),
            _ => None,
        })
        .collect();
    found.sort_by_key(|(at, _, _)| *at);
    found
}

/// The ways to write to the own policies: path and the statement that allows it.
pub(crate) fn self_writes<'a>(
    cx: &Context<'a>,
    id: IdentityId,
) -> Vec<(&'static EscalationPath, &'static str, Allowed<'a>)> {
    let Some(identity) = cx.model.identity(id) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (path, edge) in steps(cx, id, "self-escalation-policy-write") {
        let ([[leg]], Node::Admin) = (path.legs, edge.to) else {
            continue;
        };
        let targets: Vec<Text> = match leg.target.kind {
            TargetKind::Role | TargetKind::User => vec![identity.arn.clone()],
            TargetKind::Policy => own_policies(cx, id),
            TargetKind::Group => own_groups(cx, id),
            _ => Vec::new(),
        };
        let hit = targets
            .iter()
            .find_map(|target| allowed(cx, id, leg.action, Some(target), None));
        if let Some(hit) = hit {
            found.push((path, leg.action, hit));
        }
    }
    found
}

/// The ARNs of the customer-managed policies that are attached.
fn own_policies(cx: &Context<'_>, id: IdentityId) -> Vec<Text> {
    cx.access
        .policies(id)
        .iter()
        .filter_map(|attached| document_of(cx, attached)?.arn.clone())
        .collect()
}

fn own_groups(cx: &Context<'_>, id: IdentityId) -> Vec<Text> {
    cx.access
        .policies(id)
        .iter()
        .filter_map(|attached| attached.group)
        .filter_map(|group| Some(cx.model.identity(group)?.arn.clone()))
        .collect()
}

/// Services by which a workload tells of itself.
const REPORTS: [&str; 3] = ["cloudwatch", "logs", "xray"];

/// What identities are granted, each worked out once.
#[derive(Default)]
pub(crate) struct Granted(BTreeMap<IdentityId, Rights>);

struct Rights {
    /// What policies surely grant.
    sure: ActionSet,
    /// What they may grant.
    may: ActionSet,
    /// What Denies and the boundary leave of it.
    left: ActionSet,
}

impl Granted {
    fn of(&mut self, cx: &Context<'_>, id: IdentityId) -> &Rights {
        self.0.entry(id).or_insert_with(|| {
            let mut sure = ActionSet::empty();
            let mut may = ActionSet::empty();
            let policies = cx.access.policies(id).iter();
            for statement in policies.flat_map(|attached| attached.document.allows()) {
                if statement.is_certain() {
                    sure = sure.union(&statement.actions.must());
                }
                may = may.union(&statement.actions.may());
            }
            Rights {
                sure,
                may,
                left: cx.access.actions_on_something(id),
            }
        })
    }

    /// What the caller would win by running as `target`; `None` where nothing worth a finding.
    pub(crate) fn gain(
        &mut self,
        cx: &Context<'_>,
        caller: IdentityId,
        target: IdentityId,
    ) -> Option<Gain> {
        if caller == target {
            return None;
        }
        if reaches_admin(cx, target) {
            return Some(Gain::Admin);
        }
        let won = self.won(cx, caller, target)?;
        won.actions()
            .any(|action| {
                let name = action.to_string();
                let flags = action.flags();
                (flags.escalation() || flags.credentials() || IRREPARABLE.contains(&name.as_str()))
                    && !NO_GAIN.contains(&name.as_str())
            })
            .then_some(Gain::More)
    }

    /// The actions that the caller would win by running as `target`, dangerous or not, but for what every
    /// workload reports of itself.
    pub(crate) fn lesser(
        &mut self,
        cx: &Context<'_>,
        caller: IdentityId,
        target: IdentityId,
    ) -> Vec<Action<'static>> {
        let won = self
            .won(cx, caller, target)
            .unwrap_or_else(ActionSet::empty);
        let kept = won
            .actions()
            .filter(|action| !REPORTS.contains(&action.service().prefix()));
        kept.filter(|action| !NO_GAIN.contains(&action.to_string().as_str()))
            .collect()
    }

    /// What policies surely grant the target, and in no case the caller.
    fn won(
        &mut self,
        cx: &Context<'_>,
        caller: IdentityId,
        target: IdentityId,
    ) -> Option<ActionSet> {
        let role = cx.model.identity(target)?;
        // Who may take the boundary off wins what is behind it.
        let freed = role.boundary.is_some() && {
            let remove = "iam:DeleteRolePermissionsBoundary";
            cx.access.allows(caller, remove, Some(&role.arn)).answer == Answer::Must
        };
        let of_role = self.of(cx, target);
        let theirs = if freed {
            of_role.sure.clone()
        } else {
            of_role.sure.clone().intersection(&of_role.left)
        };
        Some(theirs.difference(&self.of(cx, caller).may))
    }
}

/// What a role wins for a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gain {
    /// Dangerous actions that the caller lacks.
    More,
    /// Administration.
    Admin,
}

/// A leg of a way or a key to more that opens nothing alone: a function runs its own code, and the
/// token for images opens what other rights on images say.
const NO_GAIN: [&str; 2] = ["ecr:GetAuthorizationToken", "lambda:InvokeFunction"];

/// What nobody can take back: data without its key or backup, and calls without a record.
const IRREPARABLE: [&str; 5] = [
    "backup:DeleteBackupVault",
    "backup:DeleteRecoveryPoint",
    "cloudtrail:DeleteTrail",
    "cloudtrail:StopLogging",
    "kms:ScheduleKeyDeletion",
];

/// Whether the trust policy of the role lets the service assume it.
pub(crate) fn trusts_service(cx: &Context<'_>, role: IdentityId, services: &[&str]) -> bool {
    let Some((_, trust)) = cx.access.trust(role) else {
        return false;
    };
    trust
        .document
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Allow)
        .any(|statement| {
            !statement.principals.listed().negated
                && statement.principals.iter().any(|principal| {
                    principal
                        .service()
                        .is_some_and(|name| services.contains(&name.as_str()))
                })
        })
}

/// The same for one pair, where nothing is asked again.
pub(crate) fn gain(cx: &Context<'_>, caller: IdentityId, target: IdentityId) -> Option<Gain> {
    Granted::default().gain(cx, caller, target)
}

/// Roles and users, which can act.
pub(crate) fn callers<'a>(
    cx: &Context<'a>,
) -> impl Iterator<Item = (IdentityId, &'a Identity)> + use<'a> {
    let model = cx.model;
    model
        .of_kind(IdentityKind::Role)
        .chain(model.of_kind(IdentityKind::User))
}

/// The confidence that a path may carry.
pub(crate) fn confidence(path: &EscalationPath) -> Confidence {
    match path.confidence {
        overgrant_catalog::Confidence::High => Confidence::High,
        overgrant_catalog::Confidence::Medium => Confidence::Medium,
        overgrant_catalog::Confidence::Low => Confidence::Low,
    }
}

/// Whether a document alone lets its holder walk the path with any target of the account.
pub(crate) fn is_open(document: &overgrant_policy::Document, path: &EscalationPath) -> bool {
    let category = matches!(
        path.category,
        Category::SelfEscalation | Category::NewPassrole | Category::PrincipalAccess
    );
    category
        && path.confidence != overgrant_catalog::Confidence::Low
        && path.services_all.is_empty()
        && path.legs.iter().all(|group| {
            group.iter().any(|leg| {
                let Some(action) = overgrant_catalog::catalog().find_action(leg.action) else {
                    return false;
                };
                document.allows().any(|statement| {
                    statement.actions.select(leg.action) == Answer::Must
                        && statement.resources.star_for(action.id()).all() == Answer::Must
                        && (!statement.conditions.narrows().possible()
                            || passes_to(statement, path.services_any))
                })
            })
        })
}

/// Whether the only condition is a list of services that holds one of these.
fn passes_to(statement: &Statement, services: &[&str]) -> bool {
    statement.conditions.items.iter().all(|condition| {
        condition.key.is("iam:PassedToService")
            && !condition.operator.is_negated()
            && services.iter().any(|service| {
                condition
                    .values
                    .iter()
                    .any(|value| value.pattern().matches(service) == Answer::Must)
            })
    })
}
