//! Rights that hang on a tag of what they act on, and who writes that tag.
//!
//! Not for tags that a resource has: a condition that holds already keeps nobody out, as its author
//! meant. Invariant: a step is added only where nothing but tags made it doubtful, where the caller
//! surely may write them, and where it reaches neither its target nor administration without that.

use super::build::Builder;
use super::legs::{Held, held};
use super::rows::Plan;
use super::walk::{Walk, kind};
use super::{Basis, Edge, Node, Tagging};
use crate::{Access, Hint, StatementRef, Tag};
use overgrant_catalog::{AccessLevel, ActionId, TargetKind, catalog};
use overgrant_ir::IdentityId;
use overgrant_policy::point::condition_holds;
use overgrant_policy::{ActionSet, Answer, Arn, Condition, ContextValue};
use overgrant_value::{Text, Val};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// What a step acts on.
#[derive(Debug, Clone)]
pub(super) struct Onto {
    /// What is won.
    pub(super) to: Node,
    /// What is changed on the way, where that is not the end.
    pub(super) via: Option<Node>,
    /// The identity that is acted on, or that what is acted on runs as.
    pub(super) own: IdentityId,
    /// The ARN under which it is acted on.
    pub(super) arn: Text,
    /// The kind of target that the actions of the row are on.
    pub(super) kind: TargetKind,
}

/// A step that is doubtful for nothing but what is held on its target, perhaps for conditions on tags.
#[derive(Debug)]
pub(super) struct Guarded {
    plan: &'static Plan,
    holder: IdentityId,
    onto: Onto,
    /// What else it takes.
    rest: Held,
}

/// The same with tags for which it is sure.
struct Opened<'g> {
    guarded: &'g Guarded,
    /// The statement that asks for tags.
    guard: StatementRef,
    /// What the tags may be made to say, with what is held then.
    ways: Vec<(Vec<Tag>, Held)>,
}

/// How many settings of tags are tried for one step: more tags than statements have.
const TRIES: usize = 64;

/// A value that no condition names.
const ANY_OTHER: &str = "-";

impl Walk<'_, '_, '_> {
    /// Remembers a step that what is held on its target alone makes doubtful; `rest` is what else it takes.
    pub(super) fn guarded(&mut self, plan: &'static Plan, onto: Onto, rest: Held) {
        self.builder.guarded.push(Guarded {
            plan,
            holder: self.caller,
            onto,
            rest,
        });
    }

    /// The tags that make a step sure; `None` where tags are not what it hangs on.
    fn opened<'g>(&mut self, guarded: &'g Guarded) -> Option<Opened<'g>> {
        let onto = &guarded.onto;
        let actions = guarded.plan.on(onto.kind);
        let (guard, asked) = asked(self.builder.access, self.caller, actions, &onto.arn)?;
        if let Node::Workload(at) = onto.to
            && let Some(workload) = self.builder.access.model().workloads.get(at)
        {
            // Who is let in by the tags that it has is meant to be.
            let tags = had(&asked, &workload.attrs);
            let hint = Hint {
                tags: &tags,
                ..Hint::default()
            };
            let on = self.on_workload(at, actions, hint);
            if on.is_some_and(|on| on.answer == Answer::Must) {
                return None;
            }
        }
        let mut ways = Vec::new();
        for tags in settings(&asked) {
            let hint = Hint {
                tags: &tags,
                ..Hint::default()
            };
            let on = match onto.to {
                Node::Workload(at) => self.on_workload(at, actions, hint),
                _ => self.with(onto.own, actions, hint),
            };
            if let Some(on) = on.filter(|on| on.answer == Answer::Must) {
                ways.push((tags, on.and(guarded.rest.clone())));
            }
        }
        (!ways.is_empty()).then_some(Opened {
            guarded,
            guard,
            ways,
        })
    }
}

/// The tags that conditions ask about, by name in lower case: as written, with the values named.
type Asked = BTreeMap<String, (SmolStr, Vec<Option<SmolStr>>)>;

/// What the caller's statements about the actions ask of the tags of a resource, and the first
/// statement that asks.
fn asked(
    access: &Access<'_>,
    caller: IdentityId,
    actions: &[&str],
    arn: &Text,
) -> Option<(StatementRef, Asked)> {
    let mut asked = Asked::new();
    let mut guard = None;
    for (attached, policy) in access.policies(caller).iter().enumerate() {
        for (statement, one) in policy.document.statements.iter().enumerate() {
            let about = actions
                .iter()
                .any(|action| one.actions.select(action).possible());
            if !about || !one.resources.select(arn).possible() {
                continue;
            }
            for condition in &one.conditions.items {
                let Some(name) = condition.key.resource_tag() else {
                    continue;
                };
                guard.get_or_insert(StatementRef {
                    identity: caller,
                    attached,
                    statement,
                });
                let (_, known) = asked
                    .entry(name.to_ascii_lowercase())
                    .or_insert_with(|| (name, Vec::new()));
                known.extend(values(condition));
            }
        }
    }
    for (_, values) in asked.values_mut() {
        values.extend([Some(ANY_OTHER.into()), None]);
    }
    Some((guard?, asked))
}

/// Texts that match the values of a condition.
fn values(condition: &Condition) -> impl Iterator<Item = Option<SmolStr>> {
    let wildcards = condition.operator.has_wildcards();
    condition.values.iter().filter_map(move |value| {
        let text = value.known().filter(|text| !text.contains("${"))?;
        Some(Some(if wildcards {
            text.replace('*', "").replace('?', ANY_OTHER).into()
        } else {
            text
        }))
    })
}

/// Every way to set the tags, as far as they are tried.
fn settings(asked: &Asked) -> Vec<Vec<Tag>> {
    let mut all: Vec<Vec<Tag>> = vec![Vec::new()];
    for (name, values) in asked.values() {
        let with = |known: &Vec<Tag>, value: &Option<SmolStr>| {
            let mut tags = known.clone();
            tags.push(Tag {
                name: name.clone(),
                value: value.clone(),
            });
            tags
        };
        all = all
            .iter()
            .flat_map(|known| values.iter().map(move |value| with(known, value)))
            .take(TRIES)
            .collect();
    }
    all
}

/// The tags asked for that a resource has by its arguments: a map, or a list of keys and values.
fn had(asked: &Asked, attrs: &Val) -> Vec<Tag> {
    let map = attrs.get("tags").or_else(|| attrs.get("Tags"));
    let value = |name: &str| {
        let tags = map.as_ref()?;
        if let Some(value) = tags.get(name) {
            return value.as_str();
        }
        let listed = tags.listed();
        let mut pairs = listed.iter();
        pairs.find_map(|pair| {
            let key = pair.get("Key").or_else(|| pair.get("key"))?.as_str()?;
            let value = pair.get("Value").or_else(|| pair.get("value"))?.as_str()?;
            (key == name).then_some(value)
        })
    };
    let names = asked.values().map(|(name, _)| name);
    names
        .filter_map(|name| {
            Some(Tag {
                name: name.clone(),
                value: Some(value(name)?),
            })
        })
        .collect()
}

/// An action that writes tags.
struct Writer {
    id: ActionId,
    name: String,
    /// Whether it takes tags off.
    removes: bool,
    service: &'static str,
    /// How the resources of its types begin: `instance`, `function`.
    heads: Vec<String>,
}

/// The actions that write tags, of all services.
static WRITERS: LazyLock<Vec<Writer>> = LazyLock::new(|| {
    let actions = catalog().action_ids().filter_map(|id| catalog().action(id));
    let tagging = actions.filter(|action| action.aws_level() == AccessLevel::Tagging);
    tagging
        .map(|action| Writer {
            id: action.id(),
            name: action.to_string(),
            removes: ["Untag", "Remove", "Delete"]
                .iter()
                .any(|verb| action.name().starts_with(verb)),
            service: action.service().prefix(),
            heads: action
                .resources()
                .filter_map(|one| one.resource_type()?.arn_pattern().splitn(6, ':').nth(5))
                .map(head)
                .collect(),
        })
        .collect()
});

/// The kind in the resource part of an ARN.
fn head(resource: &str) -> String {
    let end = resource.find(['/', ':', '$']).unwrap_or(resource.len());
    resource.get(..end).unwrap_or_default().to_owned()
}

/// The actions that write tags of what an ARN names.
fn writers(arn: &Text) -> Vec<&'static Writer> {
    let Some(arn) = Arn::parse(arn) else {
        return Vec::new();
    };
    let kind = head(&arn.resource.leading());
    let fits = |one: &&Writer| arn.service.is(one.service) && one.heads.contains(&kind);
    WRITERS.iter().filter(fits).collect()
}

/// Adds the steps of those who may write the tags: holders of guarded rights, and whoever surely can
/// become one.
pub(super) fn write(builder: &mut Builder<'_, '_>) {
    let guarded = std::mem::take(&mut builder.guarded);
    if guarded.is_empty() {
        return;
    }
    let reach = Reach::new(builder);
    let admins = reach.leading_to(builder.admins.iter().enumerate().filter_map(|(at, admin)| {
        (*admin == Answer::Must).then_some(Node::Identity(IdentityId(at)))
    }));
    let strong: BTreeSet<Node> = reach
        .leading_to([Node::Admin])
        .union(&admins)
        .copied()
        .collect();
    let tagging = WRITERS.iter().fold(ActionSet::empty(), |mut all, one| {
        all.insert(one.id);
        all
    });
    // Those who may write some tag and can become a holder, worked out once for each holder.
    let mut writing: BTreeMap<IdentityId, Vec<IdentityId>> = BTreeMap::new();
    let mut found = Vec::new();
    for one in &guarded {
        let callers = writing.entry(one.holder).or_insert_with(|| {
            let all = reach.leading_to([Node::Identity(one.holder)]);
            let writes = |caller: IdentityId| {
                let actions = builder.access.actions_on_something(caller);
                actions.intersects(&tagging)
            };
            all.difference(&strong)
                .filter_map(|node| match node {
                    Node::Identity(caller) => Some(*caller).filter(|caller| writes(*caller)),
                    _ => None,
                })
                .collect()
        });
        if callers.is_empty() {
            continue;
        }
        let model = builder.access.model();
        let Some(identity) = model.identity(one.holder) else {
            continue;
        };
        let Some(opened) = Walk::new(builder, one.holder, identity).opened(one) else {
            continue;
        };
        let there = reach.leading_to([one.onto.to]);
        for caller in callers {
            if one.onto.own == *caller || there.contains(&Node::Identity(*caller)) {
                continue;
            }
            found.extend(step(builder.access, *caller, &opened));
        }
    }
    builder.edges.extend(found);
}

/// The step of one caller, where it may write the tags in one of the ways.
fn step(access: &Access<'_>, caller: IdentityId, opened: &Opened<'_>) -> Option<Edge> {
    let one = opened.guarded;
    let writers = writers(&one.onto.arn);
    opened.ways.iter().find_map(|(tags, guarded)| {
        let mut all = Held::sure();
        for removes in [false, true] {
            if !tags.iter().any(|tag| tag.value.is_none() == removes) {
                continue;
            }
            let mut known = writers.iter().filter(|writer| writer.removes == removes);
            all = all.and(known.find_map(|writer| {
                let arn = Some(&one.onto.arn);
                let right = held(access, caller, &writer.name, arn, Hint::default())?;
                let fits = right.answer == Answer::Must && permits(access, &right, tags);
                fits.then_some(right)
            })?);
        }
        let all = all.and(guarded.clone());
        Some(Edge {
            from: Node::Identity(caller),
            to: one.onto.to,
            kind: kind(one.plan.path),
            path: Some(one.plan.path),
            answer: all.answer,
            by: all.by,
            doubts: all.doubts,
            via: one.onto.via,
            tagging: Some(Tagging {
                holder: one.holder,
                guard: opened.guard,
                tags: tags.clone(),
            }),
        })
    })
}

/// Whether what a right says of the tags in a request lets these be written: it is always there, so that
/// an operator which holds without its key limits too.
fn permits(access: &Access<'_>, right: &Held, tags: &[Tag]) -> bool {
    right.by.iter().all(|one| {
        let Basis::Policy(reference) = one.basis else {
            return true;
        };
        let Some((statement, _)) = access.statement(&reference) else {
            return false;
        };
        statement.conditions.items.iter().all(|condition| {
            let key = condition.key.spelling().unwrap_or_default();
            let value = if key == "aws:tagkeys" {
                let names = tags.iter().map(|tag| tag.name.clone());
                Some(ContextValue::Many(names.collect()))
            } else if let Some(name) = key.strip_prefix("aws:requesttag/") {
                let tag = tags.iter().find(|tag| tag.name.eq_ignore_ascii_case(name));
                let value = tag.and_then(|tag| tag.value.clone());
                value.map(ContextValue::One)
            } else {
                return true;
            };
            condition_holds(condition, value) == Answer::Must
        })
    })
}

/// Who surely reaches what by the steps that are known so far.
struct Reach(BTreeMap<Node, Vec<Node>>);

impl Reach {
    fn new(builder: &Builder<'_, '_>) -> Self {
        let mut into: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
        for edge in &builder.edges {
            if edge.answer == Answer::Must {
                into.entry(edge.to).or_default().push(edge.from);
            }
        }
        Self(into)
    }

    /// The ends and every node from which sure steps lead to one.
    fn leading_to(&self, ends: impl IntoIterator<Item = Node>) -> BTreeSet<Node> {
        let mut open: Vec<Node> = ends.into_iter().collect();
        let mut found: BTreeSet<Node> = open.iter().copied().collect();
        while let Some(node) = open.pop() {
            for from in self.0.get(&node).into_iter().flatten() {
                if found.insert(*from) {
                    open.push(*from);
                }
            }
        }
        found
    }
}
