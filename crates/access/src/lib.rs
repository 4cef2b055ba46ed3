//! Who may do what: joins the model's nodes, and answers questions about effective access.
//!
//! Not for formats and judgement. Invariant: every positive answer names the statements that decide
//! it, and an open link gives MAY (then without a statement: see [`Decision::by`]).

mod account;
mod attach;
pub mod caller;
pub mod cidr;
mod decide;
pub mod exposed;
pub mod graph;
mod guardrails;
mod link;
pub mod query;
mod reach;
mod session;
pub mod skeleton;
mod usable;

pub use attach::{Attached, AttachedSource, Boundary, How, Use};
pub use decide::{Decision, Hint, StatementRef, Tag};
pub use graph::Graph;
pub use session::Session;

use attach::Links;
use decide::InForce;
use exposed::Exposed;
use guardrails::Guardrails;
use overgrant_ir::{DocumentId, DocumentRole, IdentityId, IdentityKind, Model, PolicyDocument};
use overgrant_policy::{ActionSet, Answer, Document, Statement};
use overgrant_value::Text;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// The linked model.
#[derive(Debug)]
pub struct Access<'a> {
    model: &'a Model,
    links: Links,
    guardrails: Guardrails,
    graph: OnceLock<Graph>,
    exposed: Vec<Exposed<'a>>,
    /// One per identity: whether it is administrator, less its boundary and with it. Asked often.
    admins: Vec<OnceLock<(Answer, Answer)>>,
    /// Addresses that two roots hold.
    shared: BTreeSet<SmolStr>,
    /// One per identity: its account.
    whose: Vec<account::Whose>,
    /// One per identity: its ARN with the account written the other way, where both are known.
    also: Vec<Option<Text>>,
}

impl<'a> Access<'a> {
    /// Links a model.
    #[must_use]
    pub fn new(model: &'a Model) -> Self {
        let links = Links::new(model);
        let whose = model.identities.iter();
        let mut access = Self {
            model,
            whose: whose.clone().map(|one| links.accounts.of(one)).collect(),
            also: whose.map(|one| links.accounts.also(one)).collect(),
            links,
            guardrails: Guardrails::new(model),
            graph: OnceLock::new(),
            exposed: Vec::new(),
            admins: model.identities.iter().map(|_| OnceLock::new()).collect(),
            shared: shared(model),
        };
        access.exposed = exposed::entries(&access);
        access
    }

    /// The ARN of what stands at an address (with `root//` where two roots hold it): an identity, a
    /// managed policy, or a resource of a type whose ARN is a template.
    #[must_use]
    pub fn arn_of(&self, address: &str) -> Option<Text> {
        let model = self.model;
        let is = |place: &overgrant_ir::Place| {
            place.address == address || self.address(place) == address
        };
        if let Some(identity) = model.identities.iter().find(|one| is(&one.place)) {
            return Some(identity.arn.clone());
        }
        let mut documents = model.documents.iter().filter(|one| is(&one.place));
        if let Some(arn) = documents.find_map(|one| one.arn.clone()) {
            return Some(arn);
        }
        let workloads = model.workloads.iter().map(|one| (&one.place, &one.attrs));
        let settings = model.settings.iter().map(|one| (&one.place, &one.attrs));
        let grants = model.grants.iter().map(|one| (&one.place, &one.attrs));
        let mut found = workloads.chain(settings).chain(grants);
        let (place, attrs) = found.find(|(place, _)| is(place))?;
        let attribute = if place.format.is_terraform() {
            "arn"
        } else {
            "Arn"
        };
        let argument = |name: &str| attrs.get(name)?.to_text();
        overgrant_ir::identity::attribute(
            &place.kind,
            attribute,
            &place.root,
            &place.address,
            &argument,
        )
    }

    /// Whether two identities are in one account.
    #[must_use]
    pub fn same_account(&self, a: IdentityId, b: IdentityId) -> Answer {
        match (self.whose.get(a.0), self.whose.get(b.0)) {
            (Some(a), Some(b)) => self.links.accounts.same(a, b),
            _ => Answer::May,
        }
    }

    /// The ARNs under which the statements of `caller` may name an identity, the first one surely. Each
    /// gives true answers; one may give MAY where the other is definite.
    pub(crate) fn arns_for(&self, caller: IdentityId, target: IdentityId) -> Vec<&Text> {
        let Some(arn) = self.model.identity(target).map(|one| &one.arn) else {
            return Vec::new();
        };
        let also = self.also.get(target.0).and_then(Option::as_ref);
        match also {
            None => vec![arn],
            Some(also) if self.same_account(caller, target) != Answer::No => vec![arn, also],
            // The symbol of an account means the caller's own.
            Some(also) if account::is_literal(also) => vec![also],
            Some(_) => vec![arn],
        }
    }

    /// A name for all that surely is in the account of an identity.
    pub(crate) fn zone(&self, id: IdentityId) -> SmolStr {
        let whose = self.whose.get(id.0);
        whose.map_or_else(SmolStr::default, |whose| self.links.accounts.zone(whose))
    }

    /// The same for a root.
    pub(crate) fn zone_of_root(&self, root: &str) -> SmolStr {
        let accounts = &self.links.accounts;
        accounts.zone(&accounts.root(root))
    }

    /// The account id of an identity, where it is known.
    #[must_use]
    pub fn account_of(&self, id: IdentityId) -> Option<SmolStr> {
        match self.whose.get(id.0) {
            Some(account::Whose::Known(account)) => Some(account.clone()),
            _ => None,
        }
    }

    /// Whether an account id is known to be the user's: listed, or that of a root.
    #[must_use]
    pub fn is_own_account(&self, id: &str) -> bool {
        self.links.accounts.is_own(id)
    }

    /// The addresses that [`Self::arn_of`] may know, each once.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let model = self.model;
        let identities = model.identities.iter().map(|one| &one.place);
        let documents = model.documents.iter();
        let policies = documents
            .filter(|one| one.arn.is_some())
            .map(|one| &one.place);
        let workloads = model.workloads.iter().map(|one| &one.place);
        let settings = model.settings.iter().map(|one| &one.place);
        let grants = model.grants.iter().map(|one| &one.place);
        let places = identities.chain(policies).chain(workloads);
        let mut all: Vec<String> = places
            .chain(settings)
            .chain(grants)
            .map(|place| self.address(place))
            .collect();
        all.sort();
        all.dedup();
        all
    }

    /// The escalation graph, built when first asked for.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        self.graph.get_or_init(|| Graph::new(self))
    }

    /// What strangers reach of what runs with a role.
    #[must_use]
    pub fn exposed(&self) -> &[Exposed<'a>] {
        &self.exposed
    }

    /// The model behind it.
    #[must_use]
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// The identity that a text (ARN, name, id, or a hole of its resource) means, used in `root`:
    /// there first, then in any other root where one alone fits.
    #[must_use]
    pub fn identity(&self, text: &Text, root: &str) -> Option<IdentityId> {
        self.link(text, root, None).map(|(id, _)| id)
    }

    /// The same for one kind of identity, with how sure it is: a literal account that meets the
    /// account of the deployment, and a thing of another root, are MAY.
    #[must_use]
    pub fn link(
        &self,
        text: &Text,
        root: &str,
        kind: Option<IdentityKind>,
    ) -> Option<(IdentityId, Answer)> {
        let found = self.links.find(self.model, text, root, kind);
        found
            .first()
            .map(|found| (IdentityId(found.index), found.answer))
    }

    /// The identity-side policies of an identity: inline, managed here, kept by AWS, unresolved;
    /// for a user also those of its groups. In the order of the model.
    #[must_use]
    pub fn policies(&self, id: IdentityId) -> &[Attached] {
        self.links
            .policies
            .get(id.0)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The customer-managed policy that a text (ARN, name, or a hole of its resource) means, used in
    /// `root`.
    #[must_use]
    pub fn policy(&self, text: &Text, root: &str) -> Option<DocumentId> {
        self.links.policy_of(text, root)
    }

    /// The permissions boundary of an identity.
    #[must_use]
    pub fn boundary(&self, id: IdentityId) -> Boundary<'a> {
        self.links.boundary(self.model, id)
    }

    /// Who uses a document, and as what.
    #[must_use]
    pub fn uses(&self, id: DocumentId) -> &[Use] {
        self.links
            .uses
            .get(id.0)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The documents that act as identity policy: inline ones, and managed ones that are not used
    /// as a boundary only.
    pub fn identity_documents(&self) -> impl Iterator<Item = (DocumentId, &'a PolicyDocument)> {
        self.model
            .all_documents()
            .filter(|(id, document)| match document.role {
                DocumentRole::Inline => true,
                DocumentRole::Managed => {
                    let uses = self.uses(*id);
                    uses.is_empty() || uses.iter().any(|one| one.how == How::Policy)
                }
                _ => false,
            })
    }

    /// The policies on resources.
    pub fn resource_documents(&self) -> impl Iterator<Item = (DocumentId, &'a PolicyDocument)> {
        self.model
            .all_documents()
            .filter(|(_, document)| matches!(document.role, DocumentRole::Resource { .. }))
    }

    /// The trust policy of a role.
    #[must_use]
    pub fn trust(&self, id: IdentityId) -> Option<(DocumentId, &'a PolicyDocument)> {
        let trust = self.model.identity(id)?.trust?;
        Some((trust, self.model.document(trust)?))
    }

    /// What runs with a role, through instance profiles too: indices into `Model::workloads`.
    #[must_use]
    pub fn workloads(&self, id: IdentityId) -> &[usize] {
        self.links
            .workloads
            .get(id.0)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The role of a workload, by its index in `Model::workloads`.
    #[must_use]
    pub fn role_of(&self, workload: usize) -> Option<IdentityId> {
        self.links.roles.get(workload).copied().flatten()
    }

    /// The identity provider that a text (ARN, issuer, or a hole of its resource) means: index into
    /// `Model::providers`.
    #[must_use]
    pub fn provider(&self, text: &Text, root: &str) -> Option<usize> {
        let found = self
            .links
            .providers
            .find(&self.links.accounts, text, root, &|_| true);
        found.first().map(|found| found.index)
    }

    /// Whether the identity may do `action` (`service:Name`) on `resource` (an ARN, perhaps with
    /// holes), or on some resource. Conditions make a MAY, and so does a boundary that is not known
    /// or an organization policy that may bind; a policy that could not be read makes a MAY of a NO.
    #[must_use]
    pub fn allows(&self, id: IdentityId, action: &str, resource: Option<&Text>) -> Decision {
        self.allows_with(id, action, resource, Hint::default())
    }

    /// The same, with what is known of the request beside.
    #[must_use]
    pub fn allows_with(
        &self,
        id: IdentityId,
        action: &str,
        resource: Option<&Text>,
        hint: Hint<'_>,
    ) -> Decision {
        let mut decision = decide::policies(id, self.policies(id), action, resource, hint);
        if decision.answer == Answer::No {
            return decision;
        }
        let bound = self
            .under_boundary(id, Answer::Must, |document| {
                decide::document(document, action, resource, hint)
            })
            .unwrap_or(Answer::May);
        let bounded = decision.answer.and(bound);
        decision.bounded = bounded != decision.answer;
        decision.answer = bounded;
        let (denied, by) = self.guarded(id, action, resource);
        decision.answer = decision.answer.and(denied.negate());
        decision.guarded = by;
        decision
    }

    /// Whether a Deny keeps the identity from `action` on `resource`, whoever else allows it: one of its
    /// own policies or its boundary, with the statement where it is its own, or of the organization.
    #[must_use]
    pub fn denies(
        &self,
        id: IdentityId,
        action: &str,
        resource: &Text,
    ) -> (Answer, Option<StatementRef>) {
        let (own, by) = decide::denies(id, self.policies(id), action, resource);
        let bound = match self.links.boundary_document(self.model, id) {
            Ok(Some((document, _))) => document
                .denies()
                .map(|deny| deny.denies(action, resource))
                .fold(Answer::No, Answer::or),
            _ => Answer::No,
        };
        let (guarded, _) = self.guarded(id, action, Some(resource));
        (own.or(bound).or(guarded), by)
    }

    /// Whether organization policies take an action away from the identity, and which.
    fn guarded(
        &self,
        id: IdentityId,
        action: &str,
        resource: Option<&Text>,
    ) -> (Answer, Option<DocumentId>) {
        if self.guardrails.is_empty() {
            return (Answer::No, None);
        }
        let account = self.account_of(id);
        self.guardrails
            .withholds(self.model, account.as_ref(), action, resource)
    }

    /// The statement behind a reference, and the policy it stands in.
    #[must_use]
    pub fn statement(&self, reference: &StatementRef) -> Option<(&Statement, &Attached)> {
        let attached = self.policies(reference.identity).get(reference.attached)?;
        let statement = attached.document.statements.get(reference.statement)?;
        Some((statement, attached))
    }

    /// Whether the identity is declared to do every action on every resource, by one statement or
    /// by all together, and its boundary allows that too. A Deny that leaves it a right to change
    /// rights does not count.
    #[must_use]
    pub fn is_admin(&self, id: IdentityId) -> Answer {
        self.admin(id).1
    }

    fn admin(&self, id: IdentityId) -> (Answer, Answer) {
        let ask = || {
            let declared = decide::administers(&decide::in_force(self.policies(id)));
            match declared {
                Answer::No => (declared, declared),
                _ => (declared, declared.and(self.unbound(id))),
            }
        };
        match self.admins.get(id.0) {
            Some(known) => *known.get_or_init(ask),
            None => ask(),
        }
    }

    /// Whether its boundary leaves it administration, should it get it: MUST without a boundary.
    #[must_use]
    pub fn unbound(&self, id: IdentityId) -> Answer {
        let bound = self.under_boundary(id, Answer::Must, |document| {
            decide::administers(&[document])
        });
        bound.unwrap_or(Answer::May)
    }

    /// Whether it would be administrator without its boundary.
    #[must_use]
    pub fn is_admin_unbound(&self, id: IdentityId) -> Answer {
        self.admin(id).0
    }

    /// Whether its boundary leaves it an action: MUST without a boundary, MAY where it is not known.
    #[must_use]
    pub fn bounds(&self, id: IdentityId, action: &str, resource: Option<&Text>) -> Answer {
        self.under_boundary(id, Answer::Must, |document| {
            decide::document(document, action, resource, Hint::default())
        })
        .unwrap_or(Answer::May)
    }

    /// The catalog's actions that the identity surely may do on every resource of the account:
    /// granted without a condition that narrows, less what a Deny may take, under its boundary (none
    /// where that is not known).
    #[must_use]
    pub fn actions_on_everything(&self, id: IdentityId) -> ActionSet {
        let own = decide::on_everything(&decide::in_force(self.policies(id)));
        let own = own.intersection(&self.left_by_organization(id));
        let bound = self.under_boundary(id, ActionSet::all(), |document| {
            decide::on_everything(&[document])
        });
        own.intersection(&bound.unwrap_or_else(ActionSet::empty))
    }

    /// The catalog's actions that the identity is granted on some resource, conditions aside, less
    /// what is denied on every resource, under its boundary (as if there were none where that is
    /// not known). To tell readers from writers.
    #[must_use]
    pub fn actions_on_something(&self, id: IdentityId) -> ActionSet {
        let own = decide::on_something(&decide::in_force(self.policies(id)));
        let own = own.intersection(&self.left_by_organization(id));
        let bound = self.under_boundary(id, ActionSet::all(), |document| {
            decide::on_something(&[document])
        });
        own.intersection(&bound.unwrap_or_else(ActionSet::all))
    }

    /// Whether organization policies of the code may bind somebody.
    pub(crate) fn is_guarded(&self) -> bool {
        !self.guardrails.is_empty()
    }

    /// What the organization policies that surely bind the identity leave.
    fn left_by_organization(&self, id: IdentityId) -> ActionSet {
        if self.guardrails.is_empty() {
            return ActionSet::all();
        }
        let account = self.account_of(id);
        self.guardrails.leaves(self.model, account.as_ref())
    }

    /// The same as if there were no boundary.
    #[must_use]
    pub fn actions_without_boundary(&self, id: IdentityId) -> ActionSet {
        decide::on_something(&decide::in_force(self.policies(id)))
    }

    /// The catalog's actions that a Deny of the identity's own policies takes away somewhere, although
    /// an Allow grants them.
    #[must_use]
    pub fn actions_denied(&self, id: IdentityId) -> ActionSet {
        decide::denied(&decide::in_force(self.policies(id)))
    }

    /// The catalog's actions that the identity's boundary leaves open on every resource: all where
    /// there is none, or none that is known.
    #[must_use]
    pub fn actions_in_boundary(&self, id: IdentityId) -> ActionSet {
        self.under_boundary(id, ActionSet::all(), |document| {
            decide::on_everything(&[document])
        })
        .unwrap_or_else(ActionSet::all)
    }

    /// The boundary's document, the resource that holds it, and its name where AWS keeps it; `Err`
    /// where it is not known.
    #[expect(clippy::type_complexity, reason = "taken apart where it is made")]
    pub(crate) fn boundary_layer(
        &self,
        id: IdentityId,
    ) -> Result<Option<(&Document, Option<&'a overgrant_ir::Place>, Option<String>)>, ()> {
        let Ok(found) = self.links.boundary_document(self.model, id) else {
            return Err(());
        };
        let Some((document, _)) = found else {
            return Ok(None);
        };
        let (place, aws) = match self.boundary(id) {
            Boundary::Document(held) => (self.model.document(held).map(|one| &one.place), None),
            Boundary::AwsManaged { name, .. } => (None, Some(name.to_string())),
            Boundary::None | Boundary::Unresolved(_) => (None, None),
        };
        Ok(Some((document, place, aws)))
    }

    /// What `ask` says of the boundary's document: `most` without a boundary, `None` where it is
    /// not known.
    fn under_boundary<T>(
        &self,
        id: IdentityId,
        most: T,
        ask: impl Fn(InForce<'_>) -> T,
    ) -> Option<T> {
        match self.links.boundary_document(self.model, id) {
            Ok(None) => Some(most),
            Ok(Some((document, reach))) => Some(ask(InForce::certain(document, reach))),
            Err(_) => None,
        }
    }
}

/// The addresses of identities, documents and workloads that stand in two roots.
fn shared(model: &Model) -> BTreeSet<SmolStr> {
    let mut first: BTreeMap<&SmolStr, &SmolStr> = BTreeMap::new();
    let mut twice = BTreeSet::new();
    let places = model.identities.iter().map(|one| &one.place);
    let places = places
        .chain(model.documents.iter().map(|one| &one.place))
        .chain(model.workloads.iter().map(|one| &one.place));
    for place in places {
        if *first.entry(&place.address).or_insert(&place.root) != &place.root {
            twice.insert(place.address.clone());
        }
    }
    twice
}

#[cfg(test)]
mod tests;
