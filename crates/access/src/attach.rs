//! What is attached to whom: the policies of an identity, its boundary, and the uses of a document.
//!
//! Not for what they allow. Invariant: a policy that cannot be found is kept as
//! [`AttachedSource::Unresolved`]; the same policy is attached to an identity once.

use crate::account::Accounts;
use crate::link::{Index, Known, Match};
use crate::reach::Reach;
use overgrant_catalog::catalog;
use overgrant_ir::{
    DocumentId, DocumentRole, IdentityId, IdentityKind, Model, Place, PolicyRef, ReferenceTo,
};
use overgrant_policy::{Answer, Arn, Document, managed_document};
use overgrant_value::{Guard, Src, Sym, Text, Val};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where an attached policy comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum AttachedSource {
    /// A document of the model.
    Model(DocumentId),
    /// A policy that AWS keeps.
    AwsManaged {
        /// Its name, e.g. `AdministratorAccess`.
        name: SmolStr,
        /// Its ARN in the `aws` partition.
        arn: SmolStr,
    },
    /// A policy that is not in the configuration, or whose ARN is open.
    Unresolved,
}

/// A policy in force for an identity.
#[derive(Debug, Clone)]
pub struct Attached {
    /// Where it comes from.
    pub source: AttachedSource,
    /// Its statements; none, and `Resolution::Unresolved`, for [`AttachedSource::Unresolved`].
    pub document: Arc<Document>,
    /// What it was called where it is attached; for messages.
    pub text: Option<Text>,
    /// Where it is attached: the ARN in an attachment, the document of an inline policy.
    pub src: Src,
    /// The resource that attaches it; `None` for what a user has from a group.
    pub place: Option<Place>,
    /// When it is attached.
    pub guard: Guard,
    /// Whether the link itself is sure.
    pub link: Answer,
    /// The group that an attachment of a user comes from.
    pub group: Option<IdentityId>,
    pub(crate) reach: Arc<Reach>,
}

impl Attached {
    /// Whether it is surely attached: no guard, sure link, and no doubt about the resource.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.guard.is_always()
            && self.link == Answer::Must
            && self.place.as_ref().is_none_or(|place| !place.maybe)
    }
}

/// How an identity uses a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum How {
    /// As an identity policy.
    Policy,
    /// As its permissions boundary.
    Boundary,
    /// As its trust policy.
    Trust,
}

/// One use of a document.
#[derive(Debug, Clone)]
pub struct Use {
    /// Who uses it.
    pub identity: IdentityId,
    /// How.
    pub how: How,
    /// Where that is said.
    pub src: Src,
    /// The resource that says so.
    pub place: Option<Place>,
    /// When.
    pub guard: Guard,
}

/// The permissions boundary of an identity.
#[derive(Debug, Clone)]
pub enum Boundary<'a> {
    /// There is none.
    None,
    /// A document of the model.
    Document(DocumentId),
    /// A policy that AWS keeps.
    AwsManaged {
        /// Its name.
        name: SmolStr,
        /// Its statements.
        document: Arc<Document>,
    },
    /// One that is not in the configuration.
    Unresolved(&'a PolicyRef),
}

/// All links of a model.
#[derive(Debug, Default)]
pub(crate) struct Links {
    pub(crate) accounts: Accounts,
    pub(crate) identities: Index,
    managed: Index,
    /// The managed documents that `managed` numbers.
    managed_ids: Vec<DocumentId>,
    pub(crate) profiles: Index,
    pub(crate) providers: Index,
    pub(crate) policies: Vec<Vec<Attached>>,
    pub(crate) uses: Vec<Vec<Use>>,
    pub(crate) workloads: Vec<Vec<usize>>,
    pub(crate) roles: Vec<Option<IdentityId>>,
    aws: BTreeMap<SmolStr, Shared>,
    /// One per document of the model.
    reach: Vec<Arc<Reach>>,
    /// One per identity.
    bounds: Vec<Bound>,
}

/// A boundary that is not in the configuration.
pub(crate) struct UnknownBoundary;

/// A document with what is worked out of it once.
#[derive(Debug, Clone)]
struct Shared {
    document: Arc<Document>,
    reach: Arc<Reach>,
}

/// A boundary as it was found.
#[derive(Debug, Clone)]
enum Bound {
    None,
    Document(DocumentId),
    Aws { name: SmolStr, shared: Shared },
    Unresolved,
}

impl Links {
    pub(crate) fn new(model: &Model) -> Self {
        let accounts = Accounts::new(model);
        let managed_ids: Vec<DocumentId> = model
            .all_documents()
            .filter(|(_, document)| document.role == DocumentRole::Managed)
            .map(|(id, _)| id)
            .collect();
        let managed = managed_ids.iter().filter_map(|id| model.document(*id));
        let mut links = Self {
            identities: Index::new(
                &accounts,
                model.identities.iter().map(|identity| Known {
                    place: &identity.place,
                    name: Some(&identity.name),
                    arn: Some(&identity.arn),
                }),
            )
            .with_aliases(&accounts, &model.aliases),
            managed: Index::new(
                &accounts,
                managed.map(|document| Known {
                    place: &document.place,
                    name: document.name.as_ref(),
                    arn: document.arn.as_ref(),
                }),
            )
            .with_aliases(&accounts, &model.aliases),
            profiles: Index::new(
                &accounts,
                model.profiles.iter().map(|profile| Known {
                    place: &profile.place,
                    name: Some(&profile.name),
                    arn: Some(&profile.arn),
                }),
            )
            .with_aliases(&accounts, &model.aliases),
            providers: Index::new(
                &accounts,
                model.providers.iter().map(|provider| Known {
                    place: &provider.place,
                    name: provider.url.as_ref(),
                    arn: Some(&provider.arn),
                }),
            ),
            managed_ids,
            accounts,
            policies: vec![Vec::new(); model.identities.len()],
            uses: vec![Vec::new(); model.documents.len()],
            workloads: vec![Vec::new(); model.identities.len()],
            reach: model.documents.iter().map(|_| Arc::default()).collect(),
            ..Self::default()
        };
        links.inline(model);
        links.attachments(model);
        links.groups(model);
        links.other_uses(model);
        links.runs_as(model);
        links
    }

    /// The identities that a reference means.
    pub(crate) fn find(
        &self,
        model: &Model,
        text: &Text,
        root: &str,
        kind: Option<IdentityKind>,
    ) -> Vec<Match> {
        let fits = |index: usize| {
            let identity = model.identities.get(index);
            kind.is_none() || identity.map(|identity| identity.kind) == kind
        };
        self.identities.find(&self.accounts, text, root, &fits)
    }

    fn inline(&mut self, model: &Model) {
        for (id, document) in model.all_documents() {
            if document.role != DocumentRole::Inline {
                continue;
            }
            for target in &document.targets {
                let root = &document.place.root;
                for found in self.find(model, &target.text, root, target.kind) {
                    let Some(guard) = target.guard.and(&document.place.guard) else {
                        continue;
                    };
                    self.add(
                        found.index,
                        Attached {
                            source: AttachedSource::Model(id),
                            document: Arc::clone(&document.document),
                            text: document.name.clone(),
                            src: document.argument_src.clone(),
                            place: Some(document.place.clone()),
                            guard,
                            link: found.answer,
                            group: None,
                            reach: self.reach.get(id.0).cloned().unwrap_or_default(),
                        },
                    );
                }
            }
        }
    }

    fn attachments(&mut self, model: &Model) {
        for attachment in &model.attachments {
            let root = &attachment.place.root;
            let identity = &attachment.identity;
            let Some(guard) = attachment
                .policy
                .guard
                .and(&identity.guard)
                .and_then(|guard| guard.and(&attachment.place.guard))
            else {
                continue;
            };
            for found in self.find(model, &identity.text, root, attachment.identity_kind) {
                for (source, shared, answer) in self.policy(model, &attachment.policy, root) {
                    self.add(
                        found.index,
                        Attached {
                            source,
                            document: shared.document,
                            text: Some(attachment.policy.text.clone()),
                            src: attachment.policy.src.clone(),
                            place: Some(attachment.place.clone()),
                            guard: guard.clone(),
                            link: found.answer.and(answer),
                            group: None,
                            reach: shared.reach,
                        },
                    );
                }
            }
        }
    }

    fn groups(&mut self, model: &Model) {
        for membership in &model.memberships {
            let root = &membership.place.root;
            let find =
                |reference: &ReferenceTo, kind| self.find(model, &reference.text, root, Some(kind));
            let users = find(&membership.user, IdentityKind::User);
            let groups = find(&membership.group, IdentityKind::Group);
            let Some(guard) = membership.user.guard.and(&membership.group.guard) else {
                continue;
            };
            for user in &users {
                for group in &groups {
                    let theirs = self.policies.get(group.index).cloned().unwrap_or_default();
                    for attached in theirs {
                        let Some(guard) = attached.guard.and(&guard) else {
                            continue;
                        };
                        let link = attached.link.and(user.answer).and(group.answer);
                        self.add(
                            user.index,
                            Attached {
                                guard,
                                link,
                                group: Some(IdentityId(group.index)),
                                ..attached
                            },
                        );
                    }
                }
            }
        }
    }

    fn add(&mut self, identity: usize, attached: Attached) {
        if let AttachedSource::Model(id) = attached.source
            && let Some(uses) = self.uses.get_mut(id.0)
            && !uses.iter().any(|known| known.identity.0 == identity)
        {
            uses.push(Use {
                identity: IdentityId(identity),
                how: How::Policy,
                src: attached.src.clone(),
                place: attached.place.clone(),
                guard: attached.guard.clone(),
            });
        }
        let Some(list) = self.policies.get_mut(identity) else {
            return;
        };
        let same = |known: &Attached| {
            known.source == attached.source
                && known.guard == attached.guard
                && (attached.source != AttachedSource::Unresolved
                    || known.text.as_ref().map(Text::key) == attached.text.as_ref().map(Text::key))
        };
        if !list.iter().any(same) {
            list.push(attached);
        }
    }

    fn other_uses(&mut self, model: &Model) {
        for (index, identity) in model.identities.iter().enumerate() {
            if let Some(uses) = identity.trust.and_then(|id| self.uses.get_mut(id.0)) {
                uses.push(Use {
                    identity: IdentityId(index),
                    how: How::Trust,
                    src: identity.place.name_src.clone(),
                    place: Some(identity.place.clone()),
                    guard: identity.place.guard.clone(),
                });
            }
            let Some(boundary) = self.boundary_ref(model, index) else {
                self.bounds.push(Bound::None);
                continue;
            };
            let bound = self.bound(boundary, &identity.place.root);
            self.bounds.push(bound);
            let (src, guard) = (boundary.src.clone(), boundary.guard.clone());
            for id in self.managed(boundary, &identity.place.root) {
                if let Some(uses) = self.uses.get_mut(id.0.0) {
                    uses.push(Use {
                        identity: IdentityId(index),
                        how: How::Boundary,
                        src: src.clone(),
                        place: Some(identity.place.clone()),
                        guard: guard.clone(),
                    });
                }
            }
        }
    }

    /// The boundary that an identity names, or that a resource of its own gives it.
    fn boundary_ref<'m>(&self, model: &'m Model, index: usize) -> Option<&'m PolicyRef> {
        let identity = model.identities.get(index)?;
        identity.boundary.as_ref().or_else(|| {
            let own = |(whose, _): &&(ReferenceTo, PolicyRef)| {
                self.find(
                    model,
                    &whose.text,
                    &identity.place.root,
                    Some(identity.kind),
                )
                .iter()
                .any(|found| found.index == index)
            };
            model.boundaries.iter().find(own).map(|(_, policy)| policy)
        })
    }

    pub(crate) fn boundary<'m>(&self, model: &'m Model, id: IdentityId) -> Boundary<'m> {
        match self.bounds.get(id.0) {
            None | Some(Bound::None) => Boundary::None,
            Some(Bound::Document(document)) => Boundary::Document(*document),
            Some(Bound::Aws { name, shared }) => Boundary::AwsManaged {
                name: name.clone(),
                document: Arc::clone(&shared.document),
            },
            Some(Bound::Unresolved) => self
                .boundary_ref(model, id.0)
                .map_or(Boundary::None, Boundary::Unresolved),
        }
    }

    /// The boundary's document with its sets; `Err` where it is not known, `Ok(None)` where there
    /// is no boundary.
    pub(crate) fn boundary_document<'m>(
        &'m self,
        model: &'m Model,
        id: IdentityId,
    ) -> Result<Option<(&'m Document, &'m Reach)>, UnknownBoundary> {
        match self.bounds.get(id.0) {
            None | Some(Bound::None) => Ok(None),
            Some(Bound::Document(document)) => {
                let held = model.document(*document).ok_or(UnknownBoundary)?;
                let reach = self.reach.get(document.0).ok_or(UnknownBoundary)?;
                Ok(Some((&held.document, reach)))
            }
            Some(Bound::Aws { shared, .. }) => Ok(Some((&shared.document, &shared.reach))),
            Some(Bound::Unresolved) => Err(UnknownBoundary),
        }
    }

    /// The customer-managed policy that a text means.
    pub(crate) fn policy_of(&self, text: &Text, root: &str) -> Option<DocumentId> {
        let found = self.managed.find(&self.accounts, text, root, &|_| true);
        let index = found.first()?.index;
        self.managed_ids.get(index).copied()
    }

    fn managed(&self, reference: &PolicyRef, root: &str) -> Vec<(DocumentId, Answer)> {
        self.managed
            .find(&self.accounts, &reference.text, root, &|_| true)
            .into_iter()
            .filter_map(|found| Some((*self.managed_ids.get(found.index)?, found.answer)))
            .collect()
    }

    fn policy(
        &mut self,
        model: &Model,
        reference: &PolicyRef,
        root: &str,
    ) -> Vec<(AttachedSource, Shared, Answer)> {
        let found: Vec<_> = self
            .managed(reference, root)
            .into_iter()
            .filter_map(|(id, answer)| {
                let shared = Shared {
                    document: Arc::clone(&model.document(id)?.document),
                    reach: Arc::clone(self.reach.get(id.0)?),
                };
                Some((AttachedSource::Model(id), shared, answer))
            })
            .collect();
        if !found.is_empty() {
            return found;
        }
        if let Some((name, arn)) = aws_managed(&reference.text) {
            let shared = self.aws(&arn);
            let source = AttachedSource::AwsManaged { name, arn };
            return vec![(source, shared, Answer::Must)];
        }
        let shared = Shared {
            document: unresolved(&reference.src),
            reach: Arc::default(),
        };
        vec![(AttachedSource::Unresolved, shared, Answer::Must)]
    }

    /// The policy that a text means, without keeping it.
    pub(crate) fn read(
        &self,
        model: &Model,
        text: Option<Text>,
        root: &str,
        src: &Src,
    ) -> (AttachedSource, Arc<Document>) {
        let known = text.as_ref().and_then(|text| self.policy_of(text, root));
        if let Some((id, held)) = known.and_then(|id| Some((id, model.document(id)?))) {
            return (AttachedSource::Model(id), Arc::clone(&held.document));
        }
        match text.as_ref().and_then(aws_managed) {
            Some((name, arn)) => {
                let document = parse(&arn);
                (AttachedSource::AwsManaged { name, arn }, document)
            }
            None => (AttachedSource::Unresolved, unresolved(src)),
        }
    }

    /// An AWS-managed policy, read once.
    fn aws(&mut self, arn: &SmolStr) -> Shared {
        let read = || Shared {
            document: parse(arn),
            reach: Arc::default(),
        };
        self.aws.entry(arn.clone()).or_insert_with(read).clone()
    }

    fn bound(&mut self, reference: &PolicyRef, root: &str) -> Bound {
        if let Some((document, _)) = self.managed(reference, root).first() {
            return Bound::Document(*document);
        }
        match aws_managed(&reference.text) {
            Some((name, arn)) => Bound::Aws {
                name,
                shared: self.aws(&arn),
            },
            None => Bound::Unresolved,
        }
    }

    fn runs_as(&mut self, model: &Model) {
        for (index, workload) in model.workloads.iter().enumerate() {
            let root = &workload.place.root;
            let text = &workload.role.text;
            let direct = || {
                self.find(model, text, root, Some(IdentityKind::Role))
                    .first()
                    .map(|found| IdentityId(found.index))
            };
            let through = || {
                let found = self.profiles.find(&self.accounts, text, root, &|_| true);
                let profile = model.profiles.get(found.first()?.index)?;
                let role = profile.role.as_ref()?;
                let kind = Some(IdentityKind::Role);
                let found = self.find(model, &role.text, &profile.place.root, kind);
                Some(IdentityId(found.first()?.index))
            };
            // A role and its profile often have one name: the argument says which is meant.
            let role = if names_a_profile(&workload.attribute) {
                through().or_else(direct)
            } else {
                direct().or_else(through)
            };
            self.roles.push(role);
            if let Some(list) = role.and_then(|role| self.workloads.get_mut(role.0)) {
                list.push(index);
            }
        }
    }
}

fn names_a_profile(attribute: &str) -> bool {
    let lower = attribute.to_ascii_lowercase();
    lower.contains("profile") || lower.ends_with("instance_role") || lower.ends_with("instancerole")
}

/// Name and ARN of the AWS-managed policy that an ARN means, in whatever partition.
fn aws_managed(text: &Text) -> Option<(SmolStr, SmolStr)> {
    let arn = Arn::parse(text)?;
    if !arn.account.is("aws") || !arn.service.is("iam") {
        return None;
    }
    let resource = arn.resource.as_known()?;
    let policy = catalog().managed_policy(&format!("arn:aws:iam::aws:{resource}"))?;
    Some((policy.name().into(), policy.arn().into()))
}

/// A document of which nothing is known.
fn unresolved(src: &Src) -> Arc<Document> {
    let sym = Sym::Other {
        what: "a policy that is not in the configuration".into(),
        at: src.span,
    };
    Arc::new(Document::from_val(&Val::unknown(sym, src.clone())))
}

fn parse(arn: &str) -> Arc<Document> {
    catalog().managed_policy(arn).map_or_else(
        || Arc::new(Document::from_val(&Val::text(Text::empty(), Src::none()))),
        managed_document,
    )
}
