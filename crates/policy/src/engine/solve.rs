//! The search: is there a request for which a boolean function of the matching statements holds?
//!
//! Not for building the function: [`Query`] is told which statements are on which side. Invariant:
//! a request matches a statement exactly if every one of its dimensions does, so it is enough to
//! look at the combinations of statements that each dimension can reach; a search that was cut
//! short says so and is never taken for "there is none".

use crate::engine::automaton::{Atom, End, Glob, Letter, MOST_WORK, Reading, Tok, explore, spell};
use crate::engine::caller::{Class, Naming};
use crate::engine::compile::{Dimension, Item, KeyTest, StatementBox};
use crate::engine::keys::{self, Candidate, Source};
use crate::request::{PolicyKind, StatementRef};
use overgrant_catalog::{Action, ActionId, catalog};
use overgrant_value::Text;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const WORDS: usize = 4;
/// Most statements of one question.
pub(crate) const MOST_MEMBERS: usize = WORDS * 64;

/// A set of statements of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Mask([u64; WORDS]);

impl Mask {
    pub(crate) fn set(&mut self, bit: usize) {
        if let Some(word) = self.0.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    fn zip(self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        let mut out = self.0;
        for (a, b) in out.iter_mut().zip(other.0) {
            *a = with(*a, b);
        }
        Self(out)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.and(other) != Self::default()
    }

    fn bits(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(at, mut word)| {
            std::iter::from_fn(move || {
                (word != 0).then(|| {
                    let bit = word.trailing_zeros() as usize;
                    word &= word - 1;
                    at * 64 + bit
                })
            })
        })
    }
}

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

/// How one side combines its statements.
#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    /// Groups of which each has to allow, with the kind (SCPs bind principals of accounts only).
    pub(crate) caps: Vec<(PolicyKind, Mask)>,
    pub(crate) denies: Vec<(PolicyKind, Mask)>,
    pub(crate) identity: Mask,
    pub(crate) boundary: Option<Mask>,
    pub(crate) session: Option<Mask>,
    pub(crate) resource: Option<Mask>,
    /// Whether the caller's own side is taken to allow everything.
    pub(crate) only_resource: bool,
    /// Whether caller and resource are of different accounts.
    pub(crate) cross_account: bool,
    /// Whether the side allows nothing at all.
    pub(crate) absent: bool,
}

/// A question.
pub(crate) struct Query<'q> {
    pub(crate) members: Vec<Member<'q>>,
    pub(crate) new: Side,
    pub(crate) old: Side,
    pub(crate) classes: Vec<Class>,
    pub(crate) source: Source,
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
    /// The Allow statements that match it on the side that was asked for.
    pub by: Vec<StatementRef>,
}

/// What a search found.
pub(crate) struct Found {
    pub(crate) witness: Option<Witness>,
    /// The first hit for each statement: all actions of its class.
    pub(crate) grants: Vec<(StatementRef, Vec<u32>, Witness)>,
    pub(crate) future: Option<Witness>,
    /// Whether every request was looked at.
    pub(crate) complete: bool,
}

/// Everything about a class of callers that the function needs.
struct View {
    /// Statements whose principals name the class.
    named: Mask,
    direct: Mask,
    anyone: Mask,
    role: Mask,
    account: Mask,
    is_aws: bool,
    rcp: bool,
    trust: bool,
}

struct ActionClass {
    mask: Mask,
    ids: Vec<u32>,
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

    /// Runs the search. With `all`, it goes on after the first hit and collects one per statement.
    pub(crate) fn solve(&mut self, all: bool) -> Found {
        let mut found = Found {
            witness: None,
            grants: Vec::new(),
            future: None,
            complete: true,
        };
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
            memo: FxHashMap::default(),
            budget: self.budget,
            query: self,
        };
        // Most differences show at the first action of the first statements.
        let samples = if all { Vec::new() } else { search.samples() };
        for class in &samples {
            for caller in &search.query.classes {
                if let Some(hit) = search.known(class, caller, all).into_iter().next() {
                    found.witness = Some(hit.2.clone());
                    found.grants.push(hit);
                    self.budget = search.budget;
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
        self.budget = search.budget;
        found
    }
}

struct Search<'s, 'q> {
    query: &'s Query<'q>,
    good: Mask,
    focus: Mask,
    incomplete: bool,
    /// Whether keys can make the function true for these statements.
    memo: FxHashMap<(usize, bool, bool, Mask), Option<Context>>,
    budget: usize,
}

type Context = BTreeMap<String, Vec<String>>;
type Hit = (StatementRef, Vec<u32>, Witness);

/// The resources that an action can be asked for.
enum Domain<'a> {
    /// The text `*`, for an action of this service.
    Star(&'a str),
    /// The ARNs of a resource type.
    Type(Glob),
    /// Anything.
    Any,
}

impl<'q> Search<'_, 'q> {
    /// The first actions of the first statements, each as a class of its own.
    fn samples(&self) -> Vec<ActionClass> {
        const SAMPLES: usize = 3;
        let members = &self.query.members;
        self.focus
            .bits()
            .take(SAMPLES)
            .filter_map(|bit| {
                let own = members.get(bit)?;
                let id = own.boxed.actions(own.high).iter().next()?;
                let mut mask = Mask::default();
                for (bit, member) in members.iter().enumerate() {
                    if member.boxed.actions(member.high).contains(id) {
                        mask.set(bit);
                    }
                }
                Some(ActionClass {
                    mask,
                    ids: vec![id.0],
                })
            })
            .collect()
    }

    /// Groups the actions that the asked side allows somewhere by the statements that select them.
    fn action_classes(&self) -> Vec<ActionClass> {
        let members = &self.query.members;
        let words: Vec<&[usize]> = members
            .iter()
            .map(|member| member.boxed.actions(member.high).words())
            .collect();
        let count = words.iter().map(|words| words.len()).max().unwrap_or(0);
        let asked: Vec<&[usize]> = self
            .focus
            .bits()
            .filter_map(|bit| words.get(bit).copied())
            .collect();
        let mut classes: FxHashMap<Mask, Vec<u32>> = FxHashMap::default();
        for at in 0..count {
            let any = asked
                .iter()
                .fold(0, |any, words| any | words.get(at).copied().unwrap_or(0));
            if any == 0 {
                continue;
            }
            let word = |bit: usize| words.get(bit).and_then(|w| w.get(at)).copied().unwrap_or(0);
            let mut parts: SmallVec<[(usize, Mask); 8]> = SmallVec::new();
            parts.push((any, Mask::default()));
            for bit in 0..members.len() {
                let own = word(bit) & any;
                if own == 0 {
                    continue;
                }
                let mut index = 0;
                while index < parts.len() {
                    let Some(part) = parts.get_mut(index) else {
                        break;
                    };
                    let inside = part.0 & own;
                    if inside == part.0 {
                        part.1.set(bit);
                    } else if inside != 0 {
                        let rest = (part.0 & !own, part.1);
                        part.0 = inside;
                        part.1.set(bit);
                        parts.insert(index + 1, rest);
                        index += 1;
                    }
                    index += 1;
                }
            }
            for (mut bits, mask) in parts {
                let ids = classes.entry(mask).or_default();
                while bits != 0 {
                    let id = at * usize::BITS as usize + bits.trailing_zeros() as usize;
                    ids.push(u32::try_from(id).unwrap_or(u32::MAX));
                    bits &= bits - 1;
                }
            }
        }
        let mut classes: Vec<ActionClass> = classes
            .into_iter()
            .map(|(mask, ids)| ActionClass { mask, ids })
            .collect();
        classes.sort_by(|a, b| a.ids.first().cmp(&b.ids.first()));
        // Where organization or trust rules depend on the service, a class has one answer to them.
        if self.depends_on_service() {
            classes = classes.into_iter().flat_map(split_by_service).collect();
        }
        classes
    }

    fn depends_on_service(&self) -> bool {
        let side = |side: &Side| {
            side.resource.is_some() || side.caps.iter().any(|(kind, _)| *kind == PolicyKind::Rcp)
        };
        side(&self.query.new) || side(&self.query.old)
    }

    /// Action names outside the catalog that patterns of the asked side take in, and whether the
    /// name is made up.
    fn other_actions(&self) -> Vec<(String, bool)> {
        let mut names: BTreeMap<String, bool> = BTreeMap::new();
        for member in &self.query.members {
            if !(member.new && member.allow) {
                continue;
            }
            let Some(statement) = member.boxed.statement else {
                continue;
            };
            for item in &statement.actions.listed().items {
                let Some(text) = item.spelling() else {
                    continue;
                };
                if statement.actions.listed().negated {
                    continue;
                }
                let made_up = text.contains(['*', '?']);
                let mut name = text.replace(['*', '?'], "x");
                if !name.contains(':') {
                    name = format!("{name}:x");
                }
                if catalog().action_id(&name).is_none() {
                    names.entry(name).or_insert(made_up);
                }
            }
            if statement.actions.listed().negated {
                names.entry("x:x".to_owned()).or_insert(true);
            }
        }
        names.into_iter().collect()
    }

    fn view(&self, caller: &Class, service: &str, action: &str) -> View {
        let mut view = View {
            named: Mask::default(),
            direct: Mask::default(),
            anyone: Mask::default(),
            role: Mask::default(),
            account: Mask::default(),
            is_aws: caller.is_aws(),
            rcp: catalog()
                .service(service)
                .is_some_and(|service| service.supports_rcp()),
            trust: service.eq_ignore_ascii_case("kms")
                || action.to_ascii_lowercase().starts_with("sts:assumerole"),
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
    fn holds(&self, mask: Mask, view: &View) -> bool {
        allowed(&self.query.new, mask, view) && !allowed(&self.query.old, mask, view)
    }

    /// The function at its best for the statements: none of the harmful ones match.
    fn may_hold(&self, mask: Mask, view: &View) -> bool {
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
        let view = self.view(caller, action.service().prefix(), &action.to_string());
        let alive = class.mask.and(view.named);
        if !self.may_hold(alive, &view) {
            return Vec::new();
        }
        // Without a domain first: most classes are settled by that.
        let caller_index = self.caller_index(caller);
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
                let hit = self.hit(action.to_string(), &word, mask, context, caller, &class.ids);
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
        self.hit(name.to_owned(), &word, mask, context, caller, &[])
    }

    fn caller_index(&self, caller: &Class) -> usize {
        self.query
            .classes
            .iter()
            .position(|class| std::ptr::eq(class, caller))
            .unwrap_or(0)
    }

    fn hit(
        &self,
        action: String,
        word: &[Letter],
        mask: Mask,
        context: Context,
        caller: &Class,
        ids: &[u32],
    ) -> Option<Hit> {
        let globs: Vec<&Glob> = self
            .query
            .members
            .iter()
            .flat_map(|member| &member.boxed.resources.items)
            .map(|item| &item.glob)
            .collect();
        let by: Vec<StatementRef> = mask
            .and(self.focus)
            .bits()
            .filter_map(|bit| Some(self.query.members.get(bit)?.at))
            .collect();
        let first = *by.first()?;
        let witness = Witness {
            action,
            future: false,
            resource: spell(word, &globs),
            principal: (!caller.label.is_empty()).then(|| caller.label.clone()),
            context,
            by,
        };
        Some((first, ids.to_vec(), witness))
    }

    /// A resource in the domain for which the function can be made true.
    fn resources(
        &mut self,
        alive: Mask,
        view: &View,
        caller: usize,
        domain: &Domain<'_>,
    ) -> Option<(Vec<Letter>, Mask, Context)> {
        if let Domain::Star(service) = domain {
            // The reference lags behind: an ARN of the service whose resource part is `*` may take
            // in the resource `*`, but then for every statement.
            let must = self.query.must;
            let mut reading = |roots: bool| {
                let mut mask = Mask::default();
                for bit in alive.bits() {
                    if let Some(member) = self.query.members.get(bit)
                        && star_selects(&member.boxed.resources, service, member.high, roots)
                    {
                        mask.set(bit);
                    }
                }
                let context = self.settle(mask, view, caller)?;
                Some((vec![Letter::Char('*')], mask, context))
            };
            let strict = reading(false);
            return match (strict, must) {
                (Some(hit), true) => reading(true).map(|_| hit),
                (None, true) => None,
                (hit, false) => hit.or_else(|| reading(true)),
            };
        }
        let star = Glob::star();
        let mut seen: FxHashSet<Mask> = FxHashSet::default();
        for bit in alive.and(self.focus).bits() {
            let Some(member) = self.query.members.get(bit) else {
                continue;
            };
            let own = &member.boxed.resources;
            let foci: Vec<&Glob> = if own.present && !own.negated && !(own.open && member.high) {
                own.items
                    .iter()
                    .filter(|item| item.certain || member.high)
                    .map(|item| &item.glob)
                    .collect()
            } else {
                vec![&star]
            };
            for focus in foci {
                let high = member.high;
                let hit = self.focus(focus, high, alive, view, caller, domain, &mut seen);
                if hit.is_some() {
                    return hit;
                }
            }
        }
        None
    }

    /// The same below one glob.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one search; a struct for them would be used once"
    )]
    fn focus(
        &mut self,
        focus: &Glob,
        high: bool,
        alive: Mask,
        view: &View,
        caller: usize,
        domain: &Domain<'_>,
        seen: &mut FxHashSet<Mask>,
    ) -> Option<(Vec<Letter>, Mask, Context)> {
        let query = self.query;
        let mut atoms: Vec<Atom<'_>> = vec![Atom::new(focus, high)];
        let mut required: SmallVec<[usize; 2]> = SmallVec::new();
        required.push(0);
        static ARN: LazyLock<Glob> =
            LazyLock::new(|| domain_glob("arn:${Partition}:${Service}:*:*:${Resource}"));
        let glob = match domain {
            Domain::Type(glob) => glob,
            _ => &*ARN,
        };
        if glob.is_apart(focus) {
            return None;
        }
        // Setting a search up is work too.
        let set_up = 20 + 2 * query.members.len();
        if self.budget < set_up {
            self.budget = 0;
            self.incomplete = true;
            return None;
        }
        self.budget -= set_up;
        required.push(atoms.len());
        atoms.push(Atom::new(glob, true));
        let mut ids: FxHashMap<(&[Tok], bool), usize> = FxHashMap::default();
        ids.insert((&focus.toks, high), 0);
        // For each member what selects a text: nothing, everything, or some of the atoms.
        let mut shapes: Vec<(usize, Selects)> = Vec::new();
        for bit in alive.bits() {
            let Some(member) = query.members.get(bit) else {
                continue;
            };
            let own = &member.boxed.resources;
            let read_high = member.high != own.negated;
            let mut selects = Selects::default();
            if !own.present || (own.open && read_high) {
                selects.always = true;
            } else {
                for item in &own.items {
                    if (!item.certain && !read_high) || item.glob.empty {
                        continue;
                    }
                    if item.glob.is_apart(focus) {
                        continue;
                    }
                    if item.glob.surely_covers(focus) && !high {
                        selects.always = true;
                        break;
                    }
                    let id = *ids.entry((&item.glob.toks, read_high)).or_insert_with(|| {
                        atoms.push(Atom {
                            glob: &item.glob,
                            loose: read_high,
                            spare: query.must,
                        });
                        atoms.len() - 1
                    });
                    selects.atoms.push(id);
                }
            }
            selects.negated = own.present && own.negated;
            shapes.push((bit, selects));
        }
        let crossing = shapes
            .iter()
            .any(|(_, selects)| !selects.always && selects.atoms.iter().any(|id| *id != 0));
        let free = matches!(domain, Domain::Any);
        if !crossing && free {
            let mask = mask_of(&shapes, &[0]);
            if !seen.insert(mask) {
                return None;
            }
            let context = self.settle(mask, view, caller)?;
            let mut word = Vec::new();
            explore(&atoms, &required, &mut MOST_WORK.clone(), |_, spelled| {
                word = spelled();
                true
            });
            return Some((word, mask, context));
        }
        let mut budget = self.budget;
        let mut hit = None;
        let end = explore(&atoms, &required, &mut budget, |hits, spelled| {
            let mask = mask_of(&shapes, hits);
            if free && !seen.insert(mask) {
                return false;
            }
            let Some(context) = self.settle(mask, view, caller) else {
                return false;
            };
            hit = Some((spelled(), mask, context));
            true
        });
        self.budget = self.budget.min(budget);
        if end == End::Capped {
            self.incomplete = true;
        }
        hit
    }

    /// Whether the condition keys can have values such that the function holds for the statements
    /// that match action, caller and resource.
    fn settle(&mut self, mask: Mask, view: &View, caller: usize) -> Option<Context> {
        if !self.may_hold(mask, view) {
            return None;
        }
        if let Some(known) = self.memo.get(&(caller, view.rcp, view.trust, mask)) {
            return known.clone();
        }
        let result = self.keys(mask, view, caller);
        self.memo
            .insert((caller, view.rcp, view.trust, mask), result.clone());
        result
    }

    fn keys(&mut self, mask: Mask, view: &View, caller: usize) -> Option<Context> {
        let query = self.query;
        let mut by_key: BTreeMap<&str, Vec<(usize, &KeyTest<'q>)>> = BTreeMap::new();
        for bit in mask.bits() {
            if let Some(member) = query.members.get(bit) {
                for test in &member.boxed.tests {
                    by_key.entry(&test.key).or_default().push((bit, test));
                }
            }
        }
        if by_key.is_empty() {
            return self.holds(mask, view).then(Context::new);
        }
        let signed = query.classes.get(caller).is_none_or(Class::is_signed);
        let mut dimensions: Vec<KeyDimension<'_>> = Vec::new();
        for (key, tests) in by_key {
            let only: Vec<&KeyTest<'_>> = tests.iter().map(|(_, test)| *test).collect();
            let found = keys::candidates(
                key,
                &only,
                query.source,
                signed,
                query.axioms,
                &mut self.budget,
            );
            if !found.complete {
                self.incomplete = true;
            }
            let mut choices: Vec<(Mask, Candidate)> = Vec::new();
            for candidate in found.list {
                let mut pass = mask;
                for (bit, test) in &tests {
                    let high = query.members.get(*bit).is_some_and(|member| member.high);
                    if !keys::holds(test, &candidate, high) {
                        let mut bad = Mask::default();
                        bad.set(*bit);
                        pass = pass.without(bad);
                    }
                }
                let kind = |candidate: &Candidate| *candidate == Candidate::Absent;
                let known = choices
                    .iter()
                    .any(|(other, own)| *other == pass && kind(own) == kind(&candidate));
                if !known {
                    choices.push((pass, candidate));
                }
            }
            dimensions.push(KeyDimension {
                key,
                tests: only,
                choices,
            });
        }
        let mut chosen = Vec::new();
        let mut steps = 20_000_usize;
        let hit = self.choose(&dimensions, mask, view, &mut chosen, &mut steps);
        if steps == 0 && !hit {
            self.incomplete = true;
        }
        if !hit {
            return None;
        }
        let mut context = Context::new();
        for (dimension, choice) in dimensions.iter().zip(chosen) {
            if let Some((_, candidate)) = dimension.choices.get(choice) {
                let values = keys::show(candidate, &dimension.tests);
                context.insert(dimension.key.to_owned(), values.unwrap_or_default());
            }
        }
        Some(context)
    }

    fn choose(
        &self,
        dimensions: &[KeyDimension<'_>],
        mask: Mask,
        view: &View,
        chosen: &mut Vec<usize>,
        steps: &mut usize,
    ) -> bool {
        if *steps == 0 {
            return false;
        }
        *steps -= 1;
        if !self.may_hold(mask, view) {
            return false;
        }
        let Some(dimension) = dimensions.get(chosen.len()) else {
            return self.holds(mask, view);
        };
        for (index, (pass, candidate)) in dimension.choices.iter().enumerate() {
            let present = *candidate != Candidate::Absent;
            if self.query.axioms && !goes_with(dimension.key, present, dimensions, chosen) {
                continue;
            }
            chosen.push(index);
            if self.choose(dimensions, mask.and(*pass), view, chosen, steps) {
                return true;
            }
            chosen.pop();
        }
        false
    }
}

/// Whether presence of a key goes with the choices made: the keys of a VPC endpoint come together,
/// and then without a source address.
fn goes_with(key: &str, present: bool, dimensions: &[KeyDimension<'_>], chosen: &[usize]) -> bool {
    let through_endpoint = |key: &str, present: bool| match key {
        "aws:sourcevpc" | "aws:sourcevpce" | "aws:vpcsourceip" => Some(present),
        "aws:sourceip" if present => Some(false),
        _ => None,
    };
    let Some(wanted) = through_endpoint(key, present) else {
        return true;
    };
    dimensions.iter().zip(chosen).all(|(dimension, choice)| {
        let candidate = dimension
            .choices
            .get(*choice)
            .map(|(_, candidate)| candidate);
        let there = candidate.is_some_and(|candidate| *candidate != Candidate::Absent);
        through_endpoint(dimension.key, there).is_none_or(|known| known == wanted)
    })
}

struct KeyDimension<'k> {
    key: &'k str,
    tests: Vec<&'k KeyTest<'k>>,
    choices: Vec<(Mask, Candidate)>,
}

/// What selects a text for one member.
#[derive(Debug, Default)]
struct Selects {
    always: bool,
    negated: bool,
    atoms: SmallVec<[usize; 4]>,
}

fn mask_of(shapes: &[(usize, Selects)], hits: &[usize]) -> Mask {
    let mut mask = Mask::default();
    for (bit, selects) in shapes {
        let any = selects.always || selects.atoms.iter().any(|id| hits.contains(id));
        if any != selects.negated {
            mask.set(*bit);
        }
    }
    mask
}

fn allowed(side: &Side, mask: Mask, view: &View) -> bool {
    if side.absent {
        return false;
    }
    let mask = mask.and(view.named);
    let binds = |kind: PolicyKind| match kind {
        PolicyKind::Scp => view.is_aws,
        PolicyKind::Rcp => view.rcp,
        _ => true,
    };
    let denied = side
        .denies
        .iter()
        .any(|(kind, denies)| binds(*kind) && mask.meets(*denies));
    let capped = side
        .caps
        .iter()
        .any(|(kind, allows)| binds(*kind) && !mask.meets(*allows));
    if denied || capped {
        return false;
    }
    let resource = side.resource.map(|allows| mask.and(allows));
    if side.only_resource || !view.is_aws {
        return resource.is_some_and(|hits| hits != Mask::default());
    }
    let own = |cap: Option<Mask>| cap.is_none_or(|allows| mask.meets(allows));
    let own_side = own(side.boundary) && own(side.session);
    let by_identity = mask.meets(side.identity) && own_side;
    let Some(hits) = resource else {
        return by_identity;
    };
    if side.cross_account {
        return by_identity && hits != Mask::default();
    }
    by_identity && (!view.trust || hits != Mask::default())
        || hits.meets(view.direct)
        || hits.meets(view.anyone) && own(side.session)
        || hits.meets(view.role) && own_side
}

fn split_by_service(class: ActionClass) -> Vec<ActionClass> {
    let mut parts: BTreeMap<(bool, bool), Vec<u32>> = BTreeMap::new();
    for id in class.ids {
        let Some(action) = catalog().action(ActionId(id)) else {
            continue;
        };
        let service = action.service();
        let trust = service.prefix() == "kms"
            || service.prefix() == "sts" && action.name().starts_with("AssumeRole");
        parts
            .entry((service.supports_rcp(), trust))
            .or_default()
            .push(id);
    }
    parts
        .into_values()
        .map(|ids| ActionClass {
            mask: class.mask,
            ids,
        })
        .collect()
}

/// The domains of an action that were not looked at yet.
fn domains<'a>(
    action: Action<'a>,
    formats: &mut FxHashSet<&'a str>,
    stars: &mut FxHashSet<&'a str>,
) -> Vec<Domain<'a>> {
    let mut list = Vec::new();
    let mut needs_one = false;
    for resource in action.resources() {
        needs_one |= resource.is_required();
        let Some(kind) = resource.resource_type() else {
            continue;
        };
        if formats.insert(kind.arn_pattern()) {
            list.push(Domain::Type(domain_glob(kind.arn_pattern())));
        }
    }
    if !needs_one && stars.insert(action.service().prefix()) {
        list.push(Domain::Star(action.service().prefix()));
    }
    list
}

/// The ARNs of a format, every placeholder at least one character long.
fn domain_glob(format: &str) -> Glob {
    let mut wide = String::with_capacity(format.len());
    let mut rest = format;
    while let Some((before, after)) = rest.split_once("${") {
        wide.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        wide.push_str(if name == "Partition" { "aws*" } else { "?*" });
        rest = tail;
    }
    wide.push_str(rest);
    Glob::read(
        &Text::known(&wide),
        Reading {
            wildcards: true,
            fold: false,
            variables: false,
            arn: true,
        },
    )
}

/// Whether the element may select the resource `*` in some reading.
fn may_select_star(own: &Dimension) -> bool {
    let starry = |item: &Item| {
        item.glob.contains(&[Letter::Char('*')], true) || item.glob.is_whole_service()
    };
    !own.present || own.negated || own.open || own.items.iter().any(starry)
}

/// Whether the element selects the resource `*`; `roots`: whether an ARN of the service whose
/// resource part is `*` does.
fn star_selects(own: &Dimension, service: &str, high: bool, roots: bool) -> bool {
    if !own.present {
        return true;
    }
    let read_high = high != own.negated;
    let hit = |item: &Item| {
        (item.certain || read_high)
            && (item.glob.contains(&[Letter::Char('*')], read_high)
                || roots && is_service_root(&item.glob, service))
    };
    let any = own.open && read_high || own.items.iter().any(hit);
    any != own.negated
}

fn is_service_root(glob: &Glob, service: &str) -> bool {
    if !glob.is_whole_service() {
        return false;
    }
    let head = format!("arn:aws:{service}:eu-west-1:111122223333:");
    let global = format!("arn:aws:{service}:::");
    [head, global].iter().any(|head| {
        ["x", "a/b", "y:z/c"].iter().all(|tail| {
            let word: Vec<Letter> = head.chars().chain(tail.chars()).map(Letter::Char).collect();
            glob.contains(&word, true)
        })
    })
}
