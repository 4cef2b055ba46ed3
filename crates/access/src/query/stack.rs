//! The policies that decide for a principal, as a stack for the engine.
//!
//! Invariant: what is not surely in force is marked as doubtful in every statement, so that the
//! engine never builds a sure answer on it.

use super::Question;
use crate::{Access, AttachedSource, Session};
use overgrant_ir::{IdentityId, IdentityKind};
use overgrant_policy::engine::{self, Prepared, Witness};
use overgrant_policy::{
    Answer, Caller, Condition, Context, ContextValue, Document, Effect, Principals, Request,
    Resolution, Stack, point,
};
use overgrant_value::{Marks, Src, Text, Val};
use std::borrow::Cow;

/// A document with where it comes from.
pub(super) struct Layer<'a> {
    pub(super) document: Cow<'a, Document>,
    /// The resource that holds it, or that attaches it.
    pub(super) place: Option<&'a overgrant_ir::Place>,
    /// The name of a policy that AWS keeps.
    pub(super) aws: Option<String>,
}

/// All policies of a principal but those on resources.
pub(super) struct Layers<'a> {
    pub(super) identity: Vec<Layer<'a>>,
    pub(super) boundary: Option<Layer<'a>>,
    /// Whether the boundary is not in the code.
    pub(super) unknown_boundary: bool,
    /// Denies of organization policies and of the resource.
    pub(super) denies: Vec<Layer<'a>>,
    /// The session policies, where it is asked for a session that has some.
    pub(super) session: Vec<Layer<'a>>,
    /// What each level of the organization that lists what it allows lets through.
    pub(super) levels: Vec<Vec<Layer<'a>>>,
}

/// A document none of whose statements is sure.
fn doubtful(document: &Document) -> Document {
    let mut copy = document.clone();
    for statement in &mut copy.statements {
        statement.marks = statement.marks.with(Marks::MAYBE);
    }
    copy
}

/// The Allow statements of a document, for whoever is asked about.
fn allows_of(document: &Document) -> Document {
    let mut copy = document.clone();
    copy.statements.retain(|one| one.effect == Effect::Allow);
    for statement in &mut copy.statements {
        statement.principals = nobody();
    }
    copy
}

impl<'a> Layers<'a> {
    pub(super) fn new(
        access: &'a Access<'_>,
        id: IdentityId,
        session: Option<&'a Session<'_>>,
    ) -> Self {
        let model = access.model();
        let mut layers = Self {
            identity: Vec::new(),
            boundary: None,
            unknown_boundary: false,
            denies: Vec::new(),
            session: Vec::new(),
            levels: Vec::new(),
        };
        for attached in access.policies(id) {
            let sure = attached.is_certain();
            let document = if sure {
                Cow::Borrowed(&*attached.document)
            } else {
                Cow::Owned(doubtful(&attached.document))
            };
            let (place, aws) = match &attached.source {
                AttachedSource::Model(id) => (model.document(*id).map(|one| &one.place), None),
                AttachedSource::AwsManaged { name, .. } => {
                    (attached.place.as_ref(), Some(name.to_string()))
                }
                AttachedSource::Unresolved => (attached.place.as_ref(), None),
            };
            layers.identity.push(Layer {
                document,
                place,
                aws,
            });
        }
        match access.boundary_layer(id) {
            Ok(boundary) => {
                layers.boundary = boundary.map(|(document, place, aws)| Layer {
                    document: Cow::Borrowed(document),
                    place,
                    aws,
                });
            }
            Err(()) => layers.unknown_boundary = true,
        }
        for policy in session
            .map(|one| one.policies.as_slice())
            .unwrap_or_default()
        {
            layers.session.push(Layer {
                document: if policy.certain {
                    Cow::Borrowed(&*policy.document)
                } else {
                    Cow::Owned(doubtful(&policy.document))
                },
                place: policy.place,
                aws: policy.aws.clone(),
            });
        }
        let account = access.account_of(id);
        for (policy, binds) in access.guardrails.service_control(account.clone()) {
            layers.deny(access, policy, binds);
        }
        for (level, binds) in access.guardrails.levels(account.as_ref()) {
            let mut documents: Vec<Layer<'a>> = level
                .held(model)
                .map(|held| Layer {
                    document: Cow::Owned(allows_of(&held.document)),
                    place: Some(&held.place),
                    aws: None,
                })
                .collect();
            if binds != Answer::Must {
                // Where it does not bind, everything passes.
                documents.push(Layer {
                    document: Cow::Owned(doubtful(&allow("*", Text::known("*"), &[]))),
                    place: None,
                    aws: None,
                });
            }
            layers.levels.push(documents);
        }
        layers
    }

    /// Adds the Denies of an organization policy.
    pub(super) fn deny(
        &mut self,
        access: &'a Access<'_>,
        policy: overgrant_ir::DocumentId,
        binds: Answer,
    ) {
        let Some(held) = access.model().document(policy) else {
            return;
        };
        let mut document = if binds == Answer::Must {
            (*held.document).clone()
        } else {
            doubtful(&held.document)
        };
        let nobody = nobody();
        document
            .statements
            .retain(|one| one.effect != Effect::Allow);
        for statement in &mut document.statements {
            // They speak of every principal of the account.
            statement.principals = nobody.clone();
        }
        self.denies.push(Layer {
            document: Cow::Owned(document),
            place: Some(&held.place),
            aws: None,
        });
    }

    /// Decides the conditions on the keys that are given: one that holds goes, one that does not
    /// takes its statement with it.
    pub(super) fn given(&mut self, context: &[(String, Vec<String>)]) {
        if context.is_empty() {
            return;
        }
        let layers = self.identity.iter_mut().chain(&mut self.boundary);
        let layers = layers.chain(&mut self.session);
        let layers = layers.chain(self.levels.iter_mut().flatten());
        for layer in layers.chain(&mut self.denies) {
            specialise(layer.document.to_mut(), context);
        }
    }

    /// The Denies of the identity's own policies and of its boundary, which count also where a
    /// resource lets it in.
    pub(super) fn own_denies(&self) -> Document {
        let mut all = allow("*", Text::known("*"), &[]);
        all.statements.clear();
        let layers = self.identity.iter().chain(&self.boundary);
        for layer in layers.chain(&self.session) {
            if layer.document.resolution == Resolution::Unresolved {
                all.resolution = Resolution::Unresolved;
            }
            all.statements.extend(layer.document.denies().cloned());
        }
        // They are told apart by their place in the document.
        for (index, statement) in all.statements.iter_mut().enumerate() {
            statement.index = index;
        }
        all
    }

    /// The stack with these Allow documents in place of the identity's own.
    pub(super) fn stack<'s>(&'s self, allows: &[&'s Document], bounded: bool) -> Stack<'s> {
        let mut documents: Vec<&Document> = allows.to_vec();
        documents.extend(self.denies.iter().map(|layer| &*layer.document));
        let mut stack = Stack::identity(documents);
        if bounded && let Some(boundary) = &self.boundary {
            stack.boundary = Some(vec![&boundary.document]);
        }
        // A session stays narrowed whoever lets it in; a boundary does not bind all grants of resources.
        if !self.session.is_empty() {
            let documents = self.session.iter().map(|layer| &*layer.document);
            stack.session = Some(documents.collect());
        }
        stack.scp = self
            .levels
            .iter()
            .map(|level| level.iter().map(|layer| &*layer.document).collect())
            .collect();
        stack
    }

    /// The identity's own documents.
    pub(super) fn own(&self) -> Vec<&Document> {
        self.identity.iter().map(|layer| &*layer.document).collect()
    }
}

/// See [`Layers::given`].
pub(super) fn specialise(document: &mut Document, context: &[(String, Vec<String>)]) {
    let variables = document.has_variables();
    document.statements.retain_mut(|statement| {
        let mut kept = true;
        statement.conditions.items.retain(|condition| {
            let key = condition.key.spelling();
            let is_given = key.is_some_and(|key| {
                context
                    .iter()
                    .any(|(one, _)| one.eq_ignore_ascii_case(&key))
            });
            // A variable in a value is decided with the request.
            let live = variables
                && condition
                    .values
                    .iter()
                    .any(|value| value.known().is_none_or(|text| text.contains("${")));
            if !is_given || live || condition.open || !condition.guard.is_always() {
                return true;
            }
            match holds(condition, context) {
                Answer::Must => false,
                Answer::May => true,
                Answer::No => {
                    kept = false;
                    false
                }
            }
        });
        kept
    });
}

/// Whether a condition holds for a context, as the point evaluator decides it.
fn holds(condition: &Condition, given: &[(String, Vec<String>)]) -> Answer {
    let mut document = allow("*", Text::known("*"), &[]);
    for statement in &mut document.statements {
        statement.conditions.items.push(condition.clone());
    }
    let mut context = Context::new();
    for (key, values) in given {
        let value = match values.as_slice() {
            [one] if condition.operator.set.is_none() => ContextValue::One(one.as_str().into()),
            many => ContextValue::Many(many.iter().map(|one| one.as_str().into()).collect()),
        };
        context.set(key, value);
    }
    let request = Request {
        caller: Caller::parse("arn:aws:iam::111122223333:user/x"),
        action: "iam:GetUser".into(),
        resource: "*".into(),
        resource_account: None,
        context,
    };
    point::decide(&Stack::identity(vec![&document]), &request).allowed
}

/// The principal element of a statement that has none.
pub(super) fn nobody() -> Principals {
    Principals::absent()
}

/// What is known of the context: what was given, and the name of a user.
pub(super) fn context(
    access: &Access<'_>,
    id: IdentityId,
    question: &Question,
) -> Vec<(String, Vec<String>)> {
    const NAME: &str = "aws:username";
    let mut context = question.context.clone();
    let user = access.model().identity(id);
    let name = user
        .filter(|one| one.kind == IdentityKind::User)
        .and_then(|one| one.name.as_known());
    if let Some(name) = name
        && !context
            .iter()
            .any(|(key, _)| key.eq_ignore_ascii_case(NAME))
    {
        context.push((NAME.to_owned(), vec![name.to_string()]));
    }
    context
}

/// What a question is about: the document that allows the action on the resource (`*` where none is
/// given) in that context.
pub(super) fn within(question: &Question, context: &[(String, Vec<String>)]) -> Document {
    let resource = question.resource.clone();
    allow(
        &question.action,
        resource.unwrap_or_else(|| Text::known("*")),
        context,
    )
}

/// A document that allows an action on a resource where the context has these values.
fn allow(action: &str, resource: Text, context: &[(String, Vec<String>)]) -> Document {
    let text = |text: &str| Val::str(text, Src::none());
    let mut equal = Vec::new();
    for (key, values) in context {
        let values = values.iter().map(|value| text(value)).collect();
        equal.push((key.as_str(), Val::tuple(values, Src::none())));
    }
    let mut fields = vec![
        ("Effect", text("Allow")),
        ("Action", text(action)),
        ("Resource", Val::text(resource, Src::none())),
    ];
    if !equal.is_empty() {
        let equal = Val::object(equal, Src::none());
        fields.push((
            "Condition",
            Val::object(vec![("StringEquals", equal)], Src::none()),
        ));
    }
    let statement = Val::object(fields, Src::none());
    let fields = vec![("Version", text("2012-10-17")), ("Statement", statement)];
    Document::from_val(&Val::object(fields, Src::none()))
}

/// Whether the stack allows some of what `within` does, and all of it.
pub(super) struct Sides {
    pub(super) some: Answer,
    pub(super) every: Answer,
    /// A request that is allowed.
    pub(super) allowed: Option<Witness>,
    /// One that is not.
    pub(super) refused: Option<Witness>,
}

impl Sides {
    pub(super) fn of(stack: &Stack<'_>, within: &Document) -> Self {
        let prepared = Prepared::new(stack);
        let some = engine::allows_prepared(&prepared, within);
        if some.answer == Answer::No {
            return Self {
                some: Answer::No,
                every: Answer::No,
                allowed: None,
                refused: None,
            };
        }
        let asked = Prepared::new(&Stack::identity(vec![within]));
        let rest = engine::difference_prepared(&asked, &prepared, &engine::Limits::default());
        Self {
            some: some.answer,
            every: rest.answer.negate(),
            allowed: some.witness,
            refused: rest.witness,
        }
    }
}
