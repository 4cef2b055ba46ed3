//! The search: is there a request for which a boolean function of the matching statements holds?
//!
//! Not for building the function: [`Query`] is told which statements are on which side. Invariant:
//! a request matches a statement exactly if every one of its dimensions does, so it is enough to
//! look at the combinations of statements that each dimension can reach; a search that was cut
//! short says so and is never taken for "there is none".

use crate::ActionSet;
use crate::engine::actions::ActionClass;
use crate::engine::automaton::spell;
use crate::engine::build::DOMAIN_LEVEL;
use crate::engine::caller::{Class, Naming};
use crate::engine::compile::StatementBox;
use crate::engine::domain::{Domain, domains, may_select_star};
use crate::engine::globs::{Glob, Letter};
use crate::engine::keys::Source;
use crate::engine::mask::{MOST_MEMBERS, Mask};
use crate::engine::side::{Side, View, allowed};
use crate::request::{
    Caller, Context as RequestContext, ContextValue, PolicyKind, Request, StatementRef,
};
use overgrant_catalog::{ActionId, catalog};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};

/// One statement in one role.
pub(crate) struct Member<'q> {
    /// The side that is asked for (true), or the one that it is compared with.
    pub(crate) new: bool,
    pub(crate) at: StatementRef,
    pub(crate) allow: bool,
    /// Read high: for some value of its open parts.
    pub(crate) high: bool,
    pub(crate) boxed: &'q StatementBox<'q>,
}

/// A question.
pub(crate) struct Query<'q> {
    pub(crate) members: Vec<Member<'q>>,
    pub(crate) new: Side,
    pub(crate) old: Side,
    pub(crate) classes: Vec<Class>,
    pub(crate) source: Source,
    /// The actions in question, where they are named.
    pub(crate) domain: Option<ActionSet>,
    /// Whether keys that AWS always sends are taken to be there.
    pub(crate) axioms: bool,
    /// Whether open parts are read against the answer.
    pub(crate) must: bool,
    /// Steps that may still be taken.
    pub(crate) budget: usize,
}

/// A request for which the answer is yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// `service:Name`.
    pub action: String,
    /// Whether the action is not in the catalog: one that a wildcard would take in when AWS adds it.
    pub future: bool,
    /// The ARN, with open parts as `${name}`; `*` for actions without resource types.
    pub resource: String,
    /// Who, where the question is about a resource policy.
    pub principal: Option<String>,
    /// The context keys that matter, with their values; no value means an absent key.
    pub context: BTreeMap<String, Vec<String>>,
    /// The keys among them that hold a set of values, which only tests with a set operator match.
    pub sets: BTreeSet<String>,
    /// The Allow statements that match it on the side that was asked for.
    pub by: Vec<StatementRef>,
}

impl Witness {
    /// The request that it describes, made by `caller` on a resource of the caller's account: for
    /// [`crate::point::decide`]. Keys without a value are left out. Where a value stands as a policy
    /// variable, its key is given the caller's account, or a letter of its own, and that is filled in.
    #[must_use]
    pub fn request(&self, caller: Caller) -> Request {
        let mut variables: BTreeMap<String, String> = BTreeMap::new();
        let account = caller.account().unwrap_or("x").to_owned();
        let mut filled = |text: &str| self.filled(text, &account, &mut variables);
        let resource = filled(&self.resource);
        let mut context = RequestContext::new();
        for (key, values) in self.context.iter().filter(|(_, values)| !values.is_empty()) {
            let value = match values.as_slice() {
                [one] if !self.sets.contains(key) => ContextValue::One(filled(one).into()),
                many => ContextValue::Many(many.iter().map(|one| filled(one).into()).collect()),
            };
            context.set(key, value);
        }
        for (key, value) in variables {
            context.set(&key, ContextValue::One(value.into()));
        }
        Request {
            caller,
            action: self.action.as_str().into(),
            resource: resource.into(),
            resource_account: None,
            context,
        }
    }

    /// The text with a value for each policy variable.
    fn filled(
        &self,
        text: &str,
        account: &str,
        variables: &mut BTreeMap<String, String>,
    ) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, tail)) = rest.split_once("${")
            && let Some((name, after)) = tail.split_once('}')
        {
            out.push_str(before);
            let key = name.split(',').next().unwrap_or_default().trim();
            let key = key.to_ascii_lowercase();
            match self.context.get(&key).and_then(|values| values.first()) {
                Some(value) if !value.contains("${") => out.push_str(value),
                _ => {
                    let value = if key.ends_with("account") {
                        account.to_owned()
                    } else {
                        // Values that differ: what is equal to one variable is not to another.
                        let nth = variables.len() % 3;
                        let letter = ["x", "y", "z"].get(nth).copied().unwrap_or_default();
                        letter.repeat(variables.len() / 3 + 1)
                    };
                    out.push_str(variables.entry(key).or_insert(value));
                }
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// What a search found.
pub(crate) struct Found {
    pub(crate) witness: Option<Witness>,
    /// The first hit for each statement: all actions of its class.
    pub(crate) grants: Vec<(StatementRef, Vec<u32>, Witness)>,
    pub(crate) future: Option<Witness>,
    /// Whether every request was looked at.
    pub(crate) complete: bool,
    /// Steps taken.
    pub(crate) steps: usize,
}

impl<'q> Query<'q> {
    fn masks(&self, pick: impl Fn(&Member<'q>) -> bool) -> Mask {
        let mut mask = Mask::default();
        for (bit, member) in self.members.iter().enumerate() {
            if pick(member) {
                mask.set(bit);
            }
        }
        mask
    }

    /// Whether RCPs or explicit trust have a say, which depend on the service.
    fn depends_on_service(&self) -> bool {
        let side = |side: &Side| {
            side.resource.is_some() || side.caps.iter().any(|(kind, _)| *kind == PolicyKind::Rcp)
        };
        side(&self.new) || side(&self.old)
    }

    /// Runs the search. With `all`, it goes on after the first hit and collects one per statement.
    pub(crate) fn solve(&self, all: bool) -> Found {
        let mut found = Found {
            witness: None,
            grants: Vec::new(),
            future: None,
            complete: true,
            steps: 0,
        };
        let budget = self.budget;
        if self.members.len() > MOST_MEMBERS {
            found.complete = false;
            return found;
        }
        let good = self.masks(|member| member.new == member.allow);
        let focus = self.masks(|member| member.new && member.allow);
        let mut search = Search {
            good,
            focus,
            incomplete: false,
            by_service: self.depends_on_service(),
            memo: FxHashMap::default(),
            budget: self.budget,
            query: self,
        };
        // Most differences show at the first action of the first statements.
        const SAMPLES: usize = 3;
        for nth in 0..if all { 0 } else { SAMPLES } {
            let Some(class) = search.sample(nth) else {
                continue;
            };
            for caller in &search.query.classes {
                if let Some(hit) = search.known(&class, caller, all).into_iter().next() {
                    found.witness = Some(hit.2.clone());
                    found.grants.push(hit);
                    found.steps = budget - search.budget;
                    return found;
                }
            }
        }
        let classes = search.action_classes();
        let classes_of = &search.query.classes;
        'classes: for class in &classes {
            for caller in classes_of {
                let hits = search.known(class, caller, all);
                for hit in hits {
                    let witness = hit.2.clone();
                    found.grants.push(hit);
                    if found.witness.is_none() {
                        found.witness = Some(witness);
                    }
                }
                if found.witness.is_some() && !all {
                    break 'classes;
                }
            }
        }
        if found.witness.is_none() || all {
            for (name, future) in search.other_actions() {
                for caller in classes_of {
                    let Some(hit) = search.unknown(&name, caller) else {
                        continue;
                    };
                    let witness = Witness {
                        future,
                        ..hit.2.clone()
                    };
                    if future {
                        found.future.get_or_insert(witness);
                    } else if found.witness.is_none() {
                        found.witness = Some(witness);
                    }
                }
            }
        }
        found.complete = !search.incomplete;
        found.steps = budget - search.budget;
        found
    }
}

pub(super) struct Search<'s, 'q> {
    pub(super) query: &'s Query<'q>,
    pub(super) good: Mask,
    pub(super) focus: Mask,
    pub(super) incomplete: bool,
    /// Whether the function depends on the action's service.
    pub(super) by_service: bool,
    /// Whether keys can make the function true for these statements.
    pub(super) memo: FxHashMap<(usize, bool, bool, Mask), Option<Context>>,
    pub(super) budget: usize,
}

pub(super) type Context = BTreeMap<String, Shown>;

/// A key of a hit.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    /// None where it is absent.
    pub(super) values: Vec<String>,
    /// Whether it holds a set of them.
    pub(super) set: bool,
}
type Hit = (StatementRef, Vec<u32>, Witness);

impl<'q> Search<'_, 'q> {
    fn view(&self, caller: &Class, service: &str, action: &str) -> View {
        let mut view = View {
            named: Mask::default(),
            direct: Mask::default(),
            anyone: Mask::default(),
            role: Mask::default(),
            account: Mask::default(),
            is_aws: caller.is_aws(),
            rcp: self.by_service
                && catalog()
                    .service(service)
                    .is_some_and(|service| service.supports_rcp()),
            trust: self.by_service
                && (service.eq_ignore_ascii_case("kms")
                    || action.to_ascii_lowercase().starts_with("sts:assumerole")),
        };
        for (bit, member) in self.query.members.iter().enumerate() {
            let side = if member.new {
                &self.query.new
            } else {
                &self.query.old
            };
            let naming = match member.boxed.principals {
                // It spares nobody who has a permissions boundary.
                Some(list)
                    if list.listed().negated
                        && !member.allow
                        && side.boundary.is_some()
                        && caller.is_aws() =>
                {
                    Some(Naming::Direct)
                }
                Some(list) => caller.is_named(list, member.high),
                None if member.at.kind != PolicyKind::Resource => Some(Naming::Direct),
                // A Deny without a principal is taken to be about everybody; so is what could not
                // be read.
                None => {
                    (!member.allow || member.boxed.statement.is_none()).then_some(Naming::Direct)
                }
            };
            let Some(naming) = naming else { continue };
            view.named.set(bit);
            match naming {
                Naming::Direct => view.direct.set(bit),
                Naming::Anyone => view.anyone.set(bit),
                Naming::Role => view.role.set(bit),
                Naming::Account => view.account.set(bit),
            }
        }
        view
    }

    /// The function: the asked side allows, the other does not.
    pub(super) fn holds(&self, mask: Mask, view: &View) -> bool {
        allowed(&self.query.new, mask, view) && !allowed(&self.query.old, mask, view)
    }

    /// The function at its best for the statements: none of the harmful ones match.
    pub(super) fn may_hold(&self, mask: Mask, view: &View) -> bool {
        self.holds(mask.and(self.good), view)
    }

    fn known(&mut self, class: &ActionClass, caller: &Class, all: bool) -> Vec<Hit> {
        let Some(action) = class
            .ids
            .first()
            .and_then(|id| catalog().action(ActionId(*id)))
        else {
            return Vec::new();
        };
        let (service, name) = (action.service().prefix(), action.to_string());
        let view = self.view(caller, service, &name);
        let alive = class.mask.and(view.named);
        if !self.may_hold(alive, &view) {
            return Vec::new();
        }
        let caller_index = self.caller_index(caller);
        if !all {
            let (mut formats, mut stars) = (FxHashSet::default(), FxHashSet::default());
            for domain in domains(action, &mut formats, &mut stars) {
                if let Some((word, mask, context)) =
                    self.at_once(alive, &view, caller_index, &domain)
                {
                    return self
                        .hit(name, &word, alive, mask, context, caller, &class.ids)
                        .into_iter()
                        .collect();
                }
            }
        }
        // Without a domain first: most classes are settled by that.
        let typed = self
            .resources(alive, &view, caller_index, &Domain::Any)
            .is_some();
        let starred = alive.and(self.focus).bits().any(|bit| {
            self.query
                .members
                .get(bit)
                .is_some_and(|member| may_select_star(&member.boxed.resources))
        });
        if !typed && !starred {
            return Vec::new();
        }
        let mut hits: Vec<Hit> = Vec::new();
        let mut formats: FxHashSet<&str> = FxHashSet::default();
        let mut stars: FxHashSet<&str> = FxHashSet::default();
        for id in &class.ids {
            if self.budget == 0 {
                self.incomplete = true;
                return hits;
            }
            let Some(action) = catalog().action(ActionId(*id)) else {
                continue;
            };
            for domain in domains(action, &mut formats, &mut stars) {
                let wanted = match domain {
                    Domain::Star(_) => starred,
                    _ => typed,
                };
                if !wanted {
                    continue;
                }
                let Some((word, mask, context)) =
                    self.resources(alive, &view, caller_index, &domain)
                else {
                    continue;
                };
                let hit = self.hit(
                    action.to_string(),
                    &word,
                    alive,
                    mask,
                    context,
                    caller,
                    &class.ids,
                );
                if let Some(hit) = hit {
                    hits.push(hit);
                }
                if !all || !hits.is_empty() {
                    return hits;
                }
            }
        }
        hits
    }

    fn unknown(&mut self, name: &str, caller: &Class) -> Option<Hit> {
        let service = name.split(':').next().unwrap_or_default();
        let view = self.view(caller, service, name);
        let mut mask = Mask::default();
        for (bit, member) in self.query.members.iter().enumerate() {
            let selects = match member.boxed.statement {
                Some(statement) => {
                    let answer = statement.actions.select(name);
                    if member.high {
                        answer.possible()
                    } else {
                        answer.certain()
                    }
                }
                None => member.high,
            };
            if selects {
                mask.set(bit);
            }
        }
        let alive = mask.and(view.named);
        if !self.may_hold(alive, &view) {
            return None;
        }
        let index = self.caller_index(caller);
        let (word, mask, context) = self.resources(alive, &view, index, &Domain::Any)?;
        self.hit(name.to_owned(), &word, alive, mask, context, caller, &[])
    }

    fn caller_index(&self, caller: &Class) -> usize {
        self.query
            .classes
            .iter()
            .position(|class| std::ptr::eq(class, caller))
            .unwrap_or(0)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one witness; a struct for them would be used once"
    )]
    fn hit(
        &self,
        action: String,
        word: &[Letter],
        alive: Mask,
        mask: Mask,
        context: Context,
        caller: &Class,
        ids: &[u32],
    ) -> Option<Hit> {
        // A fresh letter must not be one that any statement in question spells out.
        let globs: Vec<&Glob> = alive
            .bits()
            .filter_map(|bit| self.query.members.get(bit))
            .flat_map(|member| &member.boxed.resources.items)
            .map(|item| &item.glob)
            .collect();
        let by: Vec<StatementRef> = mask
            .and(self.focus)
            .bits()
            .filter_map(|bit| Some(self.query.members.get(bit)?.at))
            .filter(|at| at.level != DOMAIN_LEVEL)
            .collect();
        let first = *by.first()?;
        let witness = Witness {
            action,
            future: false,
            resource: spell(word, &globs),
            principal: (!caller.label.is_empty()).then(|| caller.label.clone()),
            sets: context
                .iter()
                .filter(|(_, shown)| shown.set)
                .map(|(key, _)| key.clone())
                .collect(),
            context: context
                .into_iter()
                .map(|(key, shown)| (key, shown.values))
                .collect(),
            by,
        };
        Some((first, ids.to_vec(), witness))
    }
}
