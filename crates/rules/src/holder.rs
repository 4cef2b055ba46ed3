//! How messages name the resource that a document belongs to.
//!
//! Not for addresses in outputs, which come from the place. Invariant: names are as the user wrote
//! them, in backticks.

use crate::names;
use overgrant_ir::{DocumentId, DocumentRole, IdentityKind, Model, PolicyDocument};
use overgrant_value::{Piece, Sym, Text};

/// The documents of a role with their ids.
pub(crate) fn trusts(model: &Model) -> impl Iterator<Item = (DocumentId, &PolicyDocument)> {
    model
        .all_documents()
        .filter(|(_, document)| document.role == DocumentRole::Trust)
}

/// The documents on resources with the IAM prefix of the service.
pub(crate) fn resource_policies(model: &Model) -> impl Iterator<Item = (&PolicyDocument, &str)> {
    model
        .documents
        .iter()
        .filter_map(|document| match &document.role {
            DocumentRole::Resource { service } => Some((document, service.as_str())),
            _ => None,
        })
}

/// "role `ci`" for the role whose trust policy this is.
pub(crate) fn role(model: &Model, trust: DocumentId) -> String {
    let name = model
        .of_kind(IdentityKind::Role)
        .find(|(_, role)| role.trust == Some(trust))
        .and_then(|(_, role)| role.name.as_known())
        .filter(|name| names::is_whole(name));
    match (name, model.document(trust)) {
        (Some(name), _) => format!("role `{name}`"),
        (None, Some(document)) => format!("role `{}`", document.place.address),
        (None, None) => "the role".to_owned(),
    }
}

/// ``bucket `acme-logs` ``: what a resource policy is put on.
pub(crate) fn target(policy: &PolicyDocument, service: &str) -> String {
    let noun = noun(service);
    let Some(target) = policy.targets.first() else {
        return format!("{noun} `{}`", policy.place.address);
    };
    let shown = target.text.to_string();
    // What is named by a parameter has no name here but that of the policy on it.
    let unnamed = || format!("the {noun} of `{}`", policy.place.address);
    let name = match (target.text.pieces(), target.text.is_known()) {
        ([Piece::Hole(hole)], _) => match &hole.sym {
            Sym::Attr { addr, .. } => addr.to_string(),
            _ => return unnamed(),
        },
        ([], _) => return unnamed(),
        (_, true) => shown.rsplit([':', '/']).next().unwrap_or(&shown).to_owned(),
        (pieces, false) => last_segment(pieces),
    };
    if !names::is_whole(&name) {
        return unnamed();
    }
    format!("{noun} `{name}`")
}

/// What follows the last colon; open parts print with colons and slashes of their own.
fn last_segment(pieces: &[Piece]) -> String {
    let mut name = String::new();
    for piece in pieces {
        let literal = match piece {
            Piece::Lit(lit) => lit.as_str().rsplit_once(':'),
            Piece::Hole(_) | Piece::Json(_) => None,
        };
        match literal {
            Some((_, rest)) => name = rest.to_owned(),
            None => name.push_str(&Text::from_iter([piece.clone()]).to_string()),
        }
    }
    name
}

/// What a resource of a service is called.
fn noun(service: &str) -> &'static str {
    match service {
        "s3" => "bucket",
        "sqs" => "queue",
        "sns" => "topic",
        "kms" => "key",
        "secretsmanager" => "secret",
        "lambda" => "function",
        "ecr" => "repository",
        "elasticfilesystem" => "file system",
        "backup" => "vault",
        "events" => "event bus",
        "es" => "domain",
        "execute-api" => "API",
        "dynamodb" => "table",
        "kinesis" => "stream",
        _ => "resource",
    }
}
