//! May a principal do one thing? The policy simulator on code.
//!
//! Invariant: see the module; every reason names the statement it rests on. Source: AWS, "Policy
//! evaluation logic".

use super::reach::OnResource;
use super::stack::{Layer, Layers, Sides, context, specialise, within};
use super::{Reason, Verdict};
use crate::account::{self, Whose};
use crate::graph::Place;
use crate::guardrails::is_account;
use crate::{Access, Session};
use overgrant_ir::IdentityId;
use overgrant_policy::engine::Witness;
use overgrant_policy::{Answer, Arn, Document, Statement};
use overgrant_value::{Piece, Src, Sym, Text};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// `service:Name`.
    pub action: String,
    /// The resource: an ARN, perhaps with holes or wildcards; `None` for "on anything".
    pub resource: Option<Text>,
    /// Context keys with their values.
    pub context: Vec<(String, Vec<String>)>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Can {
    /// Yes, no or depends.
    pub verdict: Verdict,
    /// Where no resource was given: on which it is allowed.
    pub on: Vec<String>,
    /// Where it depends on the request: keys with the values of one that is allowed; no value means
    /// an absent key.
    pub when: Vec<(String, Vec<String>)>,
    /// Why, the deciding one first.
    pub reasons: Vec<Reason>,
}

/// One line of argument: a stack, asked.
struct Line {
    sides: Sides,
    by_resource: bool,
}

impl Access<'_> {
    /// Whether the identity may do what is asked.
    #[must_use]
    pub fn can(&self, id: IdentityId, question: &Question) -> Can {
        self.can_in(id, None, question)
    }

    /// The same for a session of the identity.
    #[must_use]
    pub fn can_in(
        &self,
        id: IdentityId,
        session: Option<&Session<'_>>,
        question: &Question,
    ) -> Can {
        if let Some(resource) = &question.resource {
            let ask = |resource: &Text| {
                let question = Question {
                    resource: Some(resource.clone()),
                    ..question.clone()
                };
                let asked = within(&question, &context(self, id, &question));
                self.can_on(id, session, &question, &asked)
            };
            let can = ask(resource);
            // The account may be written as its id or be left to the deployment: both are true.
            return match self.also_named(id, resource) {
                Some(also) if can.verdict == Verdict::Depends => {
                    let other = ask(&also);
                    if other.verdict == Verdict::Depends {
                        can
                    } else {
                        other
                    }
                }
                _ => can,
            };
        }
        // On anything: each list of resources that a statement allows is a question of its own.
        let mut best: Option<Can> = None;
        let base = within(question, &context(self, id, question));
        let mut on = Vec::new();
        for attached in self.policies(id) {
            for statement in attached.document.allows() {
                if !statement.actions.select(&question.action).possible() {
                    continue;
                }
                let mut asked = base.clone();
                for one in &mut asked.statements {
                    one.resources = statement.resources.clone();
                }
                let can = self.can_on(id, session, question, &asked);
                if can.verdict != Verdict::No {
                    on.push(statement.resources.to_string());
                }
                if best.as_ref().is_none_or(|best| can.verdict > best.verdict) {
                    best = Some(can);
                }
            }
        }
        let mut can = best.unwrap_or_else(|| self.can_on(id, session, question, &base));
        on.sort();
        on.dedup();
        can.on = on;
        can
    }

    /// An ARN with the account of the identity as the symbol instead of its id, or the other way round;
    /// `None` where it is in another account, or no account is known.
    fn also_named(&self, id: IdentityId, resource: &Text) -> Option<Text> {
        let own = self.account_of(id)?;
        let arn = Arn::parse(resource)?;
        let is_id = arn.account.is(&own);
        let is_symbol =
            matches!(arn.account.pieces(), [Piece::Hole(hole)] if hole.sym == Sym::Account);
        let other = match (is_id, is_symbol) {
            (true, _) => Text::hole(Sym::Account, Src::none()),
            (_, true) => Text::known(&own),
            _ => return None,
        };
        Some(account::with_account(&arn, &other))
    }

    /// Whether a resource surely is in another account than the identity.
    fn is_elsewhere(&self, id: IdentityId, resource: &Text, on: Option<&OnResource<'_>>) -> bool {
        let accounts = &self.links.accounts;
        let Some(own) = self.whose.get(id.0) else {
            return false;
        };
        let literal = Arn::parse(resource).and_then(|arn| arn.account.as_known());
        let named = literal.filter(|id| is_account(id)).map(Whose::Known);
        let held = on
            .and_then(|on| on.documents.first())
            .map(|(_, held)| accounts.root(&held.place.root));
        named
            .into_iter()
            .chain(held)
            .any(|other| accounts.same(own, &other) == Answer::No)
    }

    fn can_on(
        &self,
        id: IdentityId,
        session: Option<&Session<'_>>,
        question: &Question,
        asked: &Document,
    ) -> Can {
        let context = context(self, id, question);
        let mut layers = Layers::new(self, id, session);
        let resource = question.resource.as_ref();
        let mut on = resource.and_then(|one| OnResource::new(self, id, &question.action, one));
        if let Some(on) = &mut on {
            specialise(&mut on.direct, &context);
            specialise(&mut on.role, &context);
        }
        if let Some(on) = &on {
            layers.denies.push(Layer {
                document: std::borrow::Cow::Owned(on.denies.clone()),
                place: on.documents.first().map(|(_, held)| &held.place),
                aws: None,
            });
        }
        if let Some(arn) = resource.and_then(Arn::parse) {
            for (policy, binds) in self.guardrails.resource_control(arn.account.as_known()) {
                layers.deny(self, policy, binds);
            }
        }
        layers.given(&context);
        let own = layers.own();
        let mut lines = vec![Line {
            sides: Sides::of(&layers.stack(&own, true), asked),
            by_resource: false,
        }];
        if layers.unknown_boundary
            && let Some(line) = lines.first_mut()
        {
            line.sides.every = line.sides.every.and(Answer::May);
            line.sides.some = line.sides.some.at_most_may();
        }
        let elsewhere = resource.is_some_and(|one| self.is_elsewhere(id, one, on.as_ref()));
        if on.is_none()
            && elsewhere
            && let Some(line) = lines.first_mut()
        {
            // The policy on it, which has to let the account in, is not in the code.
            line.sides.every = line.sides.every.at_most_may();
        }
        if let Some(on) = &on {
            let needs_trust = is_trusting(&question.action) || elsewhere;
            if needs_trust && let Some(line) = lines.first_mut() {
                // Keys and roles let in only whom their own policy names, or its account.
                let denies = layers.own_denies();
                let named = layers.stack(&[&on.direct, &on.role, &denies], false);
                let named = Sides::of(&named, asked);
                let some = on.account.or(named.some);
                let every = on.account.or(named.every);
                line.sides.some = line.sides.some.and(some);
                line.sides.every = line.sides.every.and(every);
            }
            let denies = layers.own_denies();
            for (document, bounded) in [(&on.direct, false), (&on.role, true)] {
                // Another account lets in, but does not give the rights.
                if !elsewhere && !document.statements.is_empty() {
                    lines.push(Line {
                        sides: Sides::of(&layers.stack(&[document, &denies], bounded), asked),
                        by_resource: true,
                    });
                }
            }
        }
        let some = lines
            .iter()
            .map(|line| line.sides.some)
            .fold(Answer::No, Answer::or);
        let every = lines
            .iter()
            .map(|line| line.sides.every)
            .fold(Answer::No, Answer::or);
        let verdict = Verdict::of(some, every);
        let deciding = lines
            .iter()
            .max_by_key(|line| (line.sides.every, line.sides.some));
        let when = match (verdict, deciding) {
            (Verdict::Depends, Some(line)) => differing(
                line.sides.allowed.as_ref(),
                line.sides.refused.as_ref(),
                &question.context,
            ),
            _ => Vec::new(),
        };
        let mut can = Can {
            verdict,
            on: Vec::new(),
            when,
            reasons: Vec::new(),
        };
        self.reasons(&mut can, question, asked, &layers, on.as_ref(), deciding);
        can
    }

    fn reasons(
        &self,
        can: &mut Can,
        question: &Question,
        asked: &Document,
        layers: &Layers<'_>,
        on: Option<&OnResource<'_>>,
        deciding: Option<&Line>,
    ) {
        let action = question.action.as_str();
        let wanted = asked.statements.first();
        let touches = |statement: &Statement| {
            let meets = wanted.is_none_or(|wanted| touch(statement, wanted));
            statement.actions.select(action).possible() && meets
        };
        let allows: Vec<Reason> = layers
            .identity
            .iter()
            .flat_map(|layer| {
                let allows = layer.document.allows().filter(|one| touches(one));
                allows.map(|statement| {
                    let from = layer.aws.as_ref().map_or_else(
                        || format!("statement {}", statement.name()),
                        |name| format!("the AWS managed policy {name}"),
                    );
                    let under = if statement.conditions.is_empty() {
                        String::new()
                    } else {
                        format!(" under {}", conditions(statement))
                    };
                    let place = layer
                        .place
                        .map(|place| self.place(place, statement, action));
                    Reason::new(format!("{from} allows it{under}"), place)
                })
            })
            .collect();
        let denies: Vec<Reason> = layers
            .identity
            .iter()
            .chain(&layers.boundary)
            .chain(&layers.denies)
            .flat_map(|layer| {
                let denies = layer.document.denies().filter(|one| touches(one));
                denies.map(|statement| {
                    let word = if statement.conditions.is_empty() && statement.is_certain() {
                        "forbids it".to_owned()
                    } else if statement.conditions.is_empty() {
                        "may forbid it".to_owned()
                    } else {
                        format!("forbids it under {}", conditions(statement))
                    };
                    let place = layer
                        .place
                        .map(|place| self.place(place, statement, action));
                    Reason::new(format!("Deny {} {word}", statement.name()), place)
                })
            })
            .collect();
        let by_resource =
            deciding.is_some_and(|line| line.by_resource && line.sides.some.possible());
        let mut reasons = Vec::new();
        if can.verdict == Verdict::No && !denies.is_empty() && !allows.is_empty() {
            reasons.extend(denies.iter().cloned());
        }
        if allows.is_empty() && !by_resource {
            reasons.push(Reason::new("no statement of its policies allows it", None));
        } else if !by_resource {
            reasons.extend(allows);
        }
        reasons.push(self.boundary_reason(layers, asked));
        if !layers.session.is_empty() {
            reasons.push(
                self.limit_reason("its session policy", &layers.session, asked)
                    .1,
            );
        }
        for level in &layers.levels {
            let (verdict, reason) = self.limit_reason("the organization", level, asked);
            if verdict != Verdict::Yes {
                reasons.push(reason);
            }
        }
        if denies.is_empty() {
            reasons.push(Reason::new("no Deny applies", None));
        } else if can.verdict != Verdict::No || reasons.iter().all(|one| !denies.contains(one)) {
            reasons.extend(denies);
        }
        if let Some(on) = on {
            for (_, held) in &on.documents {
                let is_trust = held.role == overgrant_ir::DocumentRole::Trust;
                let what = if is_trust {
                    "the trust policy"
                } else {
                    "the resource policy"
                };
                let mut named = on.direct.statements.iter().chain(&on.role.statements);
                let word = if named.any(&touches) {
                    "lets it in"
                } else if on.account.possible() {
                    "lets its account in"
                } else {
                    "does not grant it"
                };
                let place = Place {
                    address: self.address(&held.place).into(),
                    root: held.place.root.clone(),
                    statement: None,
                    span: held.argument_src.span.or(held.place.src.span),
                };
                reasons.push(Reason::new(format!("{what} {word}"), Some(place)));
            }
        }
        let mut open: Vec<String> = Vec::new();
        for layer in &layers.identity {
            open.extend(layer.document.open.iter().map(|sym| sym.describe()));
        }
        open.sort();
        open.dedup();
        if can.verdict == Verdict::Depends && can.when.is_empty() && !open.is_empty() {
            reasons.push(Reason::new(
                format!("not known before deployment: {}", open.join(", ")),
                None,
            ));
        }
        reasons.dedup();
        can.reasons = reasons;
    }

    fn boundary_reason(&self, layers: &Layers<'_>, asked: &Document) -> Reason {
        if layers.unknown_boundary {
            return Reason::new("its boundary is not in the code", None);
        }
        let Some(boundary) = &layers.boundary else {
            return Reason::new("not limited by a boundary", None);
        };
        let name = boundary
            .aws
            .as_ref()
            .map_or_else(String::new, |name| format!(" {name}"));
        let what = format!("its boundary{name}");
        self.limit_reason(&what, std::slice::from_ref(boundary), asked)
            .1
    }

    /// What policies that only limit leave of the question.
    fn limit_reason(
        &self,
        what: &str,
        layers: &[Layer<'_>],
        asked: &Document,
    ) -> (Verdict, Reason) {
        let documents = layers.iter().map(|layer| &*layer.document).collect();
        let sides = Sides::of(&overgrant_policy::Stack::identity(documents), asked);
        let verdict = Verdict::of(sides.some, sides.every);
        let word = match verdict {
            Verdict::Yes => "allows it",
            Verdict::Depends => "allows a part of it",
            Verdict::No => "does not allow it",
        };
        let held = layers.iter().find_map(|layer| Some((layer, layer.place?)));
        let place = held.map(|(layer, place)| Place {
            address: self.address(place).into(),
            root: place.root.clone(),
            statement: None,
            span: layer.document.src.span.or(place.src.span),
        });
        (verdict, Reason::new(format!("{what} {word}"), place))
    }

    fn place(&self, place: &overgrant_ir::Place, statement: &Statement, action: &str) -> Place {
        let actions = &statement.actions;
        let pattern = actions.pattern_for(action).map(|item| item.pattern().src());
        let span = pattern.and_then(|src| src.span).or(statement.src.span);
        Place {
            address: self.address(place).into(),
            root: place.root.clone(),
            statement: Some(statement.name()),
            span: span.or(place.src.span),
        }
    }
}

/// Whether a statement speaks of some resource of the question.
fn touch(statement: &Statement, wanted: &Statement) -> bool {
    let listed = statement.resources.listed();
    let asked = wanted.resources.listed();
    if !listed.present || asked.open || listed.open {
        return true;
    }
    let meets =
        |one: &overgrant_policy::ResourcePattern| asked.items.iter().any(|other| one.meets(other));
    if listed.negated || asked.negated {
        let covered = asked.items.iter().all(|other| {
            listed
                .items
                .iter()
                .any(|one| one.pattern().covers(other.pattern()) == Answer::Must)
        });
        return asked.negated || !covered;
    }
    listed.items.iter().any(meets)
}

/// Actions that need the policy of the resource too.
fn is_trusting(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    action.starts_with("kms:") || action.starts_with("sts:assumerole")
}

/// The keys that tell an allowed request from a refused one.
fn differing(
    allowed: Option<&Witness>,
    refused: Option<&Witness>,
    given: &[(String, Vec<String>)],
) -> Vec<(String, Vec<String>)> {
    let Some(allowed) = allowed else {
        return Vec::new();
    };
    let other = refused.map(|witness| &witness.context);
    allowed
        .context
        .iter()
        .filter(|(key, values)| {
            let same = other.and_then(|other| other.get(*key)) == Some(*values);
            !same && !given.iter().any(|(one, _)| one.eq_ignore_ascii_case(key))
        })
        .map(|(key, values)| (key.clone(), values.clone()))
        .collect()
}

/// `Bool aws:MultiFactorAuthPresent true`, joined.
fn conditions(statement: &Statement) -> String {
    let conditions = statement.conditions.items.iter();
    let words: Vec<String> = conditions
        .map(|one| {
            let values: Vec<String> = one.values.iter().map(ToString::to_string).collect();
            format!("{} {} {}", one.operator.name, one.key, values.join(" or "))
        })
        .collect();
    if words.is_empty() {
        "a condition that could not be read".to_owned()
    } else {
        words.join(" and ")
    }
}
