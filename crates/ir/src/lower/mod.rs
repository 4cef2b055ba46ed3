//! From evaluated resources to the model, by tables and a little code per IAM type.
//!
//! Not for linking: references stay texts. Invariant: resources are lowered in the order of
//! (root, address), so that the model does not depend on how they were read.

mod account;
mod embedded;
mod generated;
mod grant;
mod handed;
mod iam;
mod literal;
mod organization;
mod output;
mod read;
mod setting;
mod table;

use crate::node::{Credential, CredentialKind, Guardrail, GuardrailKind, Place, ReferenceTo};
use crate::{DocumentId, DocumentRole, Mode, Model, PolicyDocument, Resource};
use overgrant_policy::Document;
use overgrant_value::{Guard, Src, Text, Val};
use smol_str::SmolStr;
use std::sync::Arc;

pub use handed::{ABSENT_MODULE, may_attach, takes_policies};
pub use output::{Output, lower_outputs};
pub use table::{Carries, Form, Row, rows};

/// An instance profile: the bridge between an instance and a role.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: Text,
    /// Its ARN.
    pub arn: Text,
    /// The role in it.
    pub role: Option<ReferenceTo>,
}

/// One of several names of a resource.
#[derive(Debug, Clone)]
pub struct Alias {
    /// Root of the resource.
    pub root: SmolStr,
    /// Its address.
    pub address: SmolStr,
    /// The name.
    pub name: Text,
    /// The ARN with that name.
    pub arn: Text,
}

/// Builds the model of all resources of a run.
///
/// Data sources only tell where their blocks stand: what they look up is not part of the
/// configuration.
#[must_use]
pub fn lower(resources: Vec<Resource>) -> Model {
    let order = in_order(&resources);
    let mut resources: Vec<Option<Resource>> = resources.into_iter().map(Some).collect();
    let mut lowering = Lowering {
        model: Model::default(),
    };
    // One by one, so that the values of a resource are gone when the next one's nodes are made.
    for index in order {
        let Some(resource) = resources.get_mut(index).and_then(Option::take) else {
            continue;
        };
        if let Some(span) = resource.src.span {
            let blocks = &mut lowering.model.blocks;
            blocks.push(&resource.root, &resource.address, span);
        }
        if resource.mode != Mode::Managed {
            continue;
        }
        // What the resource never meets while it exists is no part of it.
        match resource.attrs.assuming(&resource.guard) {
            Some(attrs) => lowering.resource(&Resource { attrs, ..resource }),
            None => lowering.resource(&resource),
        }
    }
    lowering.model.blocks.finish();
    lowering.model.shrink();
    lowering.model
}

/// The resources' indices in the order of root, address and format; resources are too large to be
/// moved about while they are sorted.
fn in_order(resources: &[Resource]) -> Vec<usize> {
    let mut order: Vec<(usize, &Resource)> = resources.iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| {
        (&a.root, &a.address, a.format).cmp(&(&b.root, &b.address, b.format))
    });
    order.into_iter().map(|(index, _)| index).collect()
}

/// Whether lowering reads anything of a resource type; front ends may leave the arguments of other
/// types alone.
#[must_use]
pub fn is_relevant(kind: &str) -> bool {
    iam::knows(kind)
        || organization::knows(kind)
        || grant::knows(kind)
        || embedded::knows(kind)
        || setting::is_kept(kind)
        || literal::knows(kind)
        || kind == ABSENT_MODULE
        || rows(kind).next().is_some()
}

/// Which arguments of a resource type that [`is_relevant`] lowering or a query reads: a test of
/// argument names; front ends may leave the others alone.
pub fn read_of(kind: &str) -> impl Fn(&str) -> bool + use<> {
    let by_name_alone = setting::is_named(kind)
        && !iam::knows(kind)
        && !organization::knows(kind)
        && !grant::knows(kind)
        && !embedded::knows(kind)
        && !literal::knows(kind)
        && rows(kind).next().is_none();
    let row = crate::identity::row(kind);
    move |argument| {
        !by_name_alone
            || ["arn", "path", "Path"].contains(&argument)
            || row.is_some_and(|row| row.name.0 == argument || row.name.1 == argument)
    }
}

/// The model in the making.
pub(crate) struct Lowering {
    model: Model,
}

impl Lowering {
    fn resource(&mut self, resource: &Resource) {
        if !is_relevant(&resource.kind) {
            return;
        }
        self.aliases(resource);
        handed::lower(self, resource);
        account::lower(self, resource);
        iam::lower(self, resource);
        organization::lower(self, resource);
        grant::lower(self, resource);
        table::lower(self, resource);
        embedded::lower(self, resource);
        setting::lower(self, resource);
        literal::lower(self, resource);
    }

    /// Keeps the names of an IAM resource whose name is one of several (`Fn::If`, `?:`).
    fn aliases(&mut self, resource: &Resource) {
        let Some(row) = crate::identity::row(&resource.kind).filter(|_| iam::knows(&resource.kind))
        else {
            return;
        };
        let (argument, arn) = if row.terraform == resource.kind {
            (row.name.0, "arn")
        } else {
            (row.name.1, "Arn")
        };
        let Some(val) = resource.get(argument) else {
            return;
        };
        let alternatives = val.alternatives();
        if alternatives.len() < 2 {
            return;
        }
        for (_, alternative) in alternatives {
            let Some(name) = alternative.to_text() else {
                continue;
            };
            let argument = |wanted: &str| {
                if wanted == argument {
                    Some(name.clone())
                } else {
                    resource.get(wanted).and_then(|val| val.to_text())
                }
            };
            let arn = crate::identity::attribute(
                &resource.kind,
                arn,
                &resource.root,
                &resource.address,
                &argument,
            );
            self.model.aliases.push(Alias {
                root: resource.root.clone(),
                address: resource.address.clone(),
                name: name.clone(),
                arn: arn.unwrap_or_else(|| name.clone()),
            });
        }
    }

    /// Adds a document and gives its id.
    fn document(&mut self, holding: Holding<'_>, val: &Val) -> Option<DocumentId> {
        let mut place = Place::of(holding.resource);
        place.guard = place.guard.and(&holding.guard)?;
        let document = match holding.role {
            // Other grammars than IAM's.
            DocumentRole::OtherOrganization => Document::from_val(&Val::null(val.src().clone())),
            _ => Document::from_val(val),
        };
        let id = DocumentId(self.model.documents.len());
        self.model.documents.push(PolicyDocument {
            place,
            role: holding.role,
            document: Arc::new(document),
            name: holding.name,
            arn: holding.arn,
            targets: holding.targets,
            argument_src: val.src().clone(),
        });
        Some(id)
    }

    fn credential(
        &mut self,
        resource: &Resource,
        kind: CredentialKind,
        user: Option<ReferenceTo>,
        src: Src,
        attribute: impl Into<SmolStr>,
    ) {
        self.model.credentials.push(Credential {
            place: Place::of(resource),
            kind,
            user,
            src,
            attribute: attribute.into(),
        });
    }

    fn guardrail(
        &mut self,
        resource: &Resource,
        kind: GuardrailKind,
        subject: Option<ReferenceTo>,
        target: Option<ReferenceTo>,
        attrs: &Val,
    ) {
        self.model.guardrails.push(Guardrail {
            place: Place::of(resource),
            kind,
            subject,
            target,
            attrs: attrs.clone(),
        });
    }
}

/// Who holds a document, and as what.
struct Holding<'a> {
    resource: &'a Resource,
    role: DocumentRole,
    name: Option<Text>,
    arn: Option<Text>,
    targets: Vec<ReferenceTo>,
    guard: Guard,
}

impl<'a> Holding<'a> {
    fn new(resource: &'a Resource, role: DocumentRole) -> Self {
        Self {
            resource,
            role,
            name: None,
            arn: None,
            targets: Vec::new(),
            guard: Guard::always(),
        }
    }
}

/// An identity attribute of a resource, by the table that front ends use for references to it.
fn identity_text(resource: &Resource, attribute: &str) -> Text {
    let argument = |name: &str| resource.get(name).and_then(|val| val.to_text());
    // What the front end knows of it: another account or region than the root's own.
    if attribute == "arn"
        && let Some(arn) = argument("arn")
        && arn.starts_with("arn:") == overgrant_value::Answer::Must
    {
        return arn;
    }
    crate::identity::attribute(
        &resource.kind,
        attribute,
        &resource.root,
        &resource.address,
        &argument,
    )
    .unwrap_or_else(|| Place::of(resource).own(attribute))
}

#[cfg(test)]
mod tests;
