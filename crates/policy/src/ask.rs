//! Questions about one statement or document that need no principal and no request context.
//!
//! Not for stacks of policies or for exact conditions: that is the engine. Invariant: conditions
//! are not evaluated here; one that narrows makes an answer `May` at most.

use crate::arn::Arn;
use crate::document::{Document, Effect};
use crate::glob;
use crate::resource::Resources;
use crate::star::Domain;
use crate::statement::Statement;
use overgrant_catalog::{Action, ResourceType, catalog};
use overgrant_value::{Answer, Marks, Sym, Text};

/// What the statements of one document say about an action on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentDecision {
    /// Whether the document as a whole allows: some Allow, and no Deny.
    pub allowed: Answer,
    /// Whether some Allow matches.
    pub allow: Answer,
    /// Whether some Deny matches.
    pub deny: Answer,
    /// Indexes of the statements that allow, surely or perhaps, 0-based.
    pub allowed_by: Vec<usize>,
    /// Indexes of the statements that deny, surely or perhaps, 0-based.
    pub denied_by: Vec<usize>,
}

impl Statement {
    /// Whether the statement grants every action on every resource of the account.
    ///
    /// `May` where an element is open, or where a condition narrows the grant (a condition that
    /// only keeps to the own account or organization does not).
    #[must_use]
    pub fn grants_admin(&self) -> Answer {
        let wide = self.actions.covers_all().and(self.resources.covers_all());
        self.if_allowed(wide, self.conditions.narrows_at_home())
    }

    /// Whether the statement allows the action (`service:Name`, letter case aside) on a resource;
    /// without one, on some resource that the action knows.
    ///
    /// `May` where an element is open, where the statement holds under a guard only, and where a
    /// condition narrows it, since the request's context is not asked for here. A statement
    /// without `Resource` (trust and some resource policies) speaks of the resource it is on.
    #[must_use]
    pub fn allows(&self, action: &str, resource: Option<&Text>) -> Answer {
        self.if_allowed(self.touches(action, resource), self.conditions.narrows())
    }

    /// Whether the statement denies it; as [`Statement::allows`], every condition counted.
    #[must_use]
    pub fn denies(&self, action: &str, resource: &Text) -> Answer {
        let mut answer = match self.effect {
            Effect::Deny => self.touches(action, Some(resource)),
            Effect::Unknown => self.touches(action, Some(resource)).at_most_may(),
            Effect::Allow => Answer::No,
        };
        if !self.is_certain() || !self.conditions.is_empty() {
            answer = answer.at_most_may();
        }
        answer
    }

    fn touches(&self, action: &str, resource: Option<&Text>) -> Answer {
        let selected = self.actions.select(action);
        if selected == Answer::No {
            return Answer::No;
        }
        let resources = match resource {
            _ if !self.resources.listed().present => Answer::Must,
            Some(resource) => self.resources.select(resource),
            None => self.resources.some_for(action),
        };
        selected.and(resources)
    }

    fn if_allowed(&self, answer: Answer, narrows: Answer) -> Answer {
        match self.effect {
            Effect::Deny => return Answer::No,
            Effect::Unknown => return answer.at_most_may(),
            Effect::Allow => {}
        }
        if !self.guard.is_always() || self.marks.has(Marks::MAYBE) || narrows.possible() {
            answer.at_most_may()
        } else {
            answer
        }
    }
}

/// The answer, for a statement that allows.
fn self_if(statement: &Statement, answer: Answer) -> Answer {
    match statement.effect {
        Effect::Deny => Answer::No,
        Effect::Allow if statement.is_certain() => answer,
        _ => answer.at_most_may(),
    }
}

impl Resources {
    /// Whether it selects some resource that the action knows.
    fn some_for(&self, action: &str) -> Answer {
        let Some(action) = catalog().find_action(action) else {
            // Nothing is known of its resources.
            let listed = self.listed();
            let plain = listed.negated || !listed.items.is_empty() || listed.open;
            return if self.covers_all() == Answer::Must {
                Answer::Must
            } else {
                Answer::from_bool(plain).at_most_may()
            };
        };
        self.some_of(action)
    }

    /// Whether the element selects some resource that the action acts on.
    #[must_use]
    pub fn some_of(&self, action: Action<'static>) -> Answer {
        if action.is_wildcard_only() {
            return self.star_for(action.id()).all();
        }
        let domains = action
            .resources()
            .filter_map(|resource| resource.resource_type())
            .flat_map(ResourceType::arn_patterns)
            .filter_map(Domain::of);
        let listed = self.listed();
        let mut answer = if listed.open && !listed.negated {
            Answer::May
        } else {
            Answer::No
        };
        for domain in domains {
            if answer == Answer::Must {
                break;
            }
            if listed.negated {
                let covered = listed
                    .items
                    .iter()
                    .map(|item| {
                        let covered = domain.is_covered_by(item);
                        if item.pattern.guard().is_always() {
                            covered
                        } else {
                            covered.at_most_may()
                        }
                    })
                    .fold(Answer::No, Answer::or);
                let left = covered.negate();
                answer = answer.or(if listed.open {
                    left.at_most_may()
                } else {
                    left
                });
                continue;
            }
            for item in &listed.items {
                if !domain.meets(item) {
                    continue;
                }
                let open = glob::is_open(item.pattern.tokens());
                let sure = item.pattern.guard().is_always()
                    && (!open || is_open_in_home(item.pattern.text()));
                answer = answer.or(if sure { Answer::Must } else { Answer::May });
            }
        }
        answer
    }
}

/// Whether an ARN is open in nothing but its partition, region and account: whichever these are, there are
/// resources that it means.
fn is_open_in_home(text: &Text) -> bool {
    let Some(arn) = Arn::parse(text) else {
        return false;
    };
    let only = |part: &Text, sym: &Sym| part.holes().all(|hole| hole.sym == *sym);
    arn.service.is_known()
        && arn.resource.is_known()
        && only(&arn.partition, &Sym::Partition)
        && only(&arn.region, &Sym::Region)
        && only(&arn.account, &Sym::Account)
}

impl Document {
    /// Whether S3 would call the policy public: some Allow for everybody that no condition binds.
    /// Deny statements do not count there.
    #[must_use]
    pub fn is_public_by_text(&self) -> Answer {
        self.statements
            .iter()
            .map(|statement| {
                let list = statement.principals.listed();
                let everybody = if list.negated || statement.principals.anyone().is_some() {
                    Answer::Must
                } else if list.open {
                    Answer::May
                } else {
                    Answer::No
                };
                self_if(statement, everybody).and(statement.conditions.binds().negate())
            })
            .fold(Answer::No, Answer::or)
    }

    /// What the document alone says about an action (`service:Name`) on a resource (an ARN or a
    /// template of one). Conditions are not evaluated: see [`Statement::allows`] and
    /// [`Statement::denies`].
    #[must_use]
    pub fn decide(&self, action: &str, resource: &Text) -> DocumentDecision {
        let mut decision = DocumentDecision {
            allowed: Answer::No,
            allow: Answer::No,
            deny: Answer::No,
            allowed_by: Vec::new(),
            denied_by: Vec::new(),
        };
        for statement in &self.statements {
            let allow = statement.allows(action, Some(resource));
            if allow.possible() {
                decision.allowed_by.push(statement.index);
            }
            decision.allow = decision.allow.or(allow);
            let deny = statement.denies(action, resource);
            if deny.possible() {
                decision.denied_by.push(statement.index);
            }
            decision.deny = decision.deny.or(deny);
        }
        if self.resolution == crate::Resolution::Unresolved {
            decision.allow = decision.allow.or(Answer::May);
            decision.deny = decision.deny.or(Answer::May);
        }
        decision.allowed = decision.allow.and(decision.deny.negate());
        decision
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_value::{Src, Val};

    fn document(json: &str) -> Document {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{json}]}}"#);
        let document = Document::from_val(&Val::text(Text::known(&text), Src::none()));
        assert_eq!(document.problems, [], "{json}");
        document
    }

    #[test]
    fn administration_in_other_words() {
        for (json, wanted) in [
            (
                r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#,
                Answer::Must,
            ),
            (
                r#"{"Effect": "Allow", "Action": "*:*", "Resource": "arn:aws:*:*:*:*"}"#,
                Answer::Must,
            ),
            (
                r#"{"Effect": "Allow", "NotAction": [], "NotResource": []}"#,
                Answer::Must,
            ),
            (
                r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#,
                Answer::No,
            ),
            (
                r#"{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::*"}"#,
                Answer::No,
            ),
            (
                r#"{"Effect": "Allow", "Action": "*", "Resource": "*",
                    "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}"#,
                Answer::May,
            ),
            (
                r#"{"Effect": "Allow", "Action": "*", "Resource": "*",
                    "Condition": {"StringEquals": {"aws:ResourceAccount": "123456789012"}}}"#,
                Answer::Must,
            ),
        ] {
            assert_eq!(
                document(json).statements[0].grants_admin(),
                wanted,
                "{json}"
            );
        }
    }

    #[test]
    fn actions_need_a_resource_of_theirs() {
        let bucket =
            document(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b"}"#);
        let statement = &bucket.statements[0];
        assert_eq!(statement.allows("s3:ListBucket", None), Answer::Must);
        assert_eq!(
            statement.allows("s3:GetObject", None),
            Answer::No,
            "no slash"
        );
        assert_eq!(statement.allows("s3:ListAllMyBuckets", None), Answer::No);
        assert_eq!(statement.allows("sqs:SendMessage", None), Answer::No);
        let rest =
            document(r#"{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:*"}"#);
        assert_eq!(rest.statements[0].allows("s3:GetObject", None), Answer::No);
        let trust =
            document(r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}"#);
        assert_eq!(
            trust.statements[0].allows("STS:assumerole", None),
            Answer::Must
        );
    }

    #[test]
    fn a_deny_wins_and_its_conditions_leave_it_open() {
        let both = document(
            r#"{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},
               {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::secret/*"},
               {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::mfa/*",
                "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}"#,
        );
        let ask = |resource: &str| both.decide("s3:GetObject", &Text::known(resource));
        assert_eq!(ask("arn:aws:s3:::open/x").allowed, Answer::Must);
        assert_eq!(ask("arn:aws:s3:::secret/x").allowed, Answer::No);
        assert_eq!(ask("arn:aws:s3:::secret/x").denied_by, [1]);
        assert_eq!(ask("arn:aws:s3:::mfa/x").allowed, Answer::May);
        assert_eq!(ask("arn:aws:s3:::mfa/x").allowed_by, [0]);
    }

    #[test]
    fn accounts_and_regions_that_are_open_leave_some_resource() {
        let arn = |account: Sym, tail: Text| {
            let hole = Text::hole(account, Src::none());
            Text::known("arn:aws:lambda:eu-west-1:")
                .concat(&hole)
                .concat(&tail)
        };
        let name = Text::hole(Sym::Import("name".into()), Src::none());
        let open = Text::known(":function:").concat(&name);
        for (resource, wanted) in [
            (arn(Sym::Account, Text::known(":function:*")), Answer::Must),
            (arn(Sym::Region, Text::known(":function:*")), Answer::May),
            (arn(Sym::Account, open), Answer::May),
            (arn(Sym::Account, Text::known(":layer:*")), Answer::No),
        ] {
            let text = |text: &str| Val::str(text, Src::none());
            let statement = Val::object(
                vec![
                    ("Effect", text("Allow")),
                    ("Action", text("lambda:CreateFunction")),
                    ("Resource", Val::text(resource.clone(), Src::none())),
                ],
                Src::none(),
            );
            let fields = vec![("Version", text("2012-10-17")), ("Statement", statement)];
            let document = Document::from_val(&Val::object(fields, Src::none()));
            let found = document.statements[0].allows("lambda:CreateFunction", None);
            assert_eq!(found, wanted, "{resource}");
        }
    }
}
