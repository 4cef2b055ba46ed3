//! A model to ask: what `check` judges, without rules.
//!
//! Not for answering: the `access` crate does. Invariant: the model is the one that a check with the
//! same options judges; a name that means nothing is an error with near ones.

use crate::front;
use crate::near::nearest;
use crate::run::{pooled, read_configuration};
use crate::unwind::guarded;
use crate::{Config, Discovery, Error, Options, discover};
use overgrant_access::graph::{Entry, Node};
use overgrant_access::{Access, Session};
use overgrant_ir::{DocumentRole, Identity, IdentityId, IdentityKind, Model};
use overgrant_source::{Diagnostic, Sources};
use overgrant_value::{Src, Sym, Text};
use std::sync::Arc;

/// What was read for questions.
#[derive(Debug)]
pub struct Loaded {
    /// The files, for places.
    pub sources: Arc<Sources>,
    /// Everything that was found.
    pub model: Model,
    /// The configuration in force.
    pub config: Config,
    /// Problems with inputs.
    pub diagnostics: Vec<Diagnostic>,
    /// Number of files read as configuration.
    pub files: usize,
}

/// Reads and lowers what `options` name on disk.
///
/// # Errors
/// See [`Error`]; problems with single inputs are diagnostics.
pub fn load(options: &Options) -> Result<Loaded, Error> {
    let found = discover(options)?;
    let mut sources = Sources::new(&found.base);
    for dir in &options.allow {
        sources = sources.allow(dir);
    }
    load_in(&Arc::new(sources), &found, options)
}

/// Reads and lowers the files `found` of `sources`, which may hold texts that are on no disk.
///
/// # Errors
/// As [`load`].
pub fn load_in(
    sources: &Arc<Sources>,
    found: &Discovery,
    options: &Options,
) -> Result<Loaded, Error> {
    let config = read_configuration(sources, options)?;
    let work = || {
        let mut diagnostics = found.diagnostics.clone();
        let mut input = front::read(sources, found, &config, options)?;
        diagnostics.append(&mut input.diagnostics);
        let files = input.files.len();
        let resources = std::mem::take(&mut input.resources);
        let model = guarded("lowering", || overgrant_ir::lower(resources));
        let mut model = model.unwrap_or_else(|caught| {
            diagnostics.push(caught);
            Model::default()
        });
        input.frame(&config, &mut model.accounts);
        Ok((model, diagnostics, files))
    };
    let (model, diagnostics, files) = pooled(options, work)?;
    Ok(Loaded {
        sources: Arc::clone(sources),
        model,
        config,
        diagnostics,
        files,
    })
}

/// Who is asked about: an identity, perhaps in a session that narrows it.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// The identity.
    pub identity: IdentityId,
    /// The session, where a resource was named that starts one.
    pub session: Option<Session<'a>>,
}

/// The identity that a name means, or the session that the resource at an address starts: what runs
/// with a role, a provider that assumes one.
///
/// # Errors
/// As for [`principal`].
pub fn subject<'a>(access: &Access<'a>, name: &str) -> Result<Subject<'a>, Error> {
    let unknown = match principal(access, name) {
        Ok(identity) => {
            return Ok(Subject {
                identity,
                session: None,
            });
        }
        Err(unknown) => unknown,
    };
    access
        .session(name)
        .map(|session| Subject {
            identity: session.identity,
            session: Some(session),
        })
        .ok_or(unknown)
}

/// The identity that a name means: its address (with `root//` where two roots hold it), ARN or
/// physical name.
///
/// # Errors
/// [`Error::UnknownPrincipal`] with near names where it means nothing, or several.
pub fn principal(access: &Access<'_>, name: &str) -> Result<IdentityId, Error> {
    let found = identities(access, name);
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let known = names(access);
            Err(Error::UnknownPrincipal {
                name: name.to_owned(),
                near: nearest(name, known.iter().map(String::as_str), 3),
                several: false,
            })
        }
        several => Err(Error::UnknownPrincipal {
            name: name.to_owned(),
            near: several
                .iter()
                .filter_map(|id| access.model().identity(*id))
                .map(|one| format!("{}//{}", one.place.root, one.place.address))
                .collect(),
            several: true,
        }),
    }
}

fn identities(access: &Access<'_>, name: &str) -> Vec<IdentityId> {
    let model = access.model();
    let named = |fits: &dyn Fn(&Identity) -> bool| -> Vec<IdentityId> {
        let all = model.identities.iter().enumerate();
        all.filter(|(_, one)| fits(one))
            .map(|(at, _)| IdentityId(at))
            .collect()
    };
    let address = named(&|one| {
        let full = format!("{}//{}", one.place.root, one.place.address);
        one.place.address == name || full == name
    });
    if !address.is_empty() {
        return address;
    }
    if name.starts_with("arn:") {
        let found = access.link(&Text::known(name), "", None);
        return found.into_iter().map(|(id, _)| id).collect();
    }
    named(&|one| one.name.is(name) || one.place.logical_id.as_deref() == Some(name))
}

/// The names that mean an identity, addresses and physical names, and the addresses of what starts a
/// session that is narrowed.
#[must_use]
pub fn names(access: &Access<'_>) -> Vec<String> {
    let model = access.model();
    let identities = model.identities.iter().flat_map(|one| {
        let physical = one.name.as_known().map(|name| name.to_string());
        [Some(access.address(&one.place)), physical]
    });
    let sessions = model
        .documents
        .iter()
        .map(|one| (one.role == DocumentRole::Session).then(|| access.address(&one.place)));
    let mut all: Vec<String> = identities.chain(sessions).flatten().collect();
    all.sort();
    all.dedup();
    all
}

/// The nodes of the escalation graph that a name means: a principal, or the entries from outside that
/// fit: a kind (`internet`, `account`, `ci`, `federated`), an account id, or a part of what the entry is
/// called, such as a subject.
///
/// # Errors
/// As for [`principal`], with the entries among the near names.
pub fn starts(access: &Access<'_>, name: &str) -> Result<Vec<Node>, Error> {
    let unknown = match principal(access, name) {
        Ok(id) => return Ok(vec![Node::Identity(id)]),
        Err(Error::UnknownPrincipal { several: true, .. }) => {
            return principal(access, name).map(|id| vec![Node::Identity(id)]);
        }
        Err(unknown) => unknown,
    };
    let entries = access.graph().entries();
    let wanted = name.to_ascii_lowercase();
    let kinds = ["internet", "account", "ci", "federated"];
    let fits = |entry: &Entry| {
        if kinds.contains(&wanted.as_str()) {
            entry.kind.as_str() == wanted
        } else {
            wanted.len() > 2 && entry.who.to_ascii_lowercase().contains(&wanted)
        }
    };
    let found: Vec<Node> = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| fits(entry))
        .map(|(at, _)| Node::Entry(at))
        .collect();
    if !found.is_empty() || kinds.contains(&wanted.as_str()) {
        return Ok(found);
    }
    let Error::UnknownPrincipal { name, .. } = unknown else {
        return Err(unknown);
    };
    let mut known = names(access);
    known.extend(kinds.iter().map(|kind| (*kind).to_owned()));
    known.extend(entries.iter().map(|entry| entry.who.clone()));
    Err(Error::UnknownPrincipal {
        near: nearest(&name, known.iter().map(String::as_str), 3),
        name,
        several: false,
    })
}

/// An action in AWS's spelling.
///
/// # Errors
/// [`Error::UnknownAction`] with the near one.
pub fn action(name: &str) -> Result<String, Error> {
    let catalog = overgrant_catalog::catalog();
    match catalog.find_action(name) {
        Some(action) => Ok(action.to_string()),
        None => Err(Error::UnknownAction {
            name: name.to_owned(),
            near: catalog.suggest_action(name),
        }),
    }
}

/// The resource that a text means: an ARN (own accounts become the account of the deployment), `*`,
/// the address of a resource, or the name of a principal.
///
/// # Errors
/// [`Error::UnknownResource`] for everything else.
pub fn resource(access: &Access<'_>, config: &Config, name: &str) -> Result<Text, Error> {
    if name == "*" || name.starts_with("arn:") {
        let mut parts: Vec<&str> = name.splitn(6, ':').collect();
        let own = parts
            .get(4)
            .is_some_and(|account| config.settings.owns(account));
        let (true, Some(rest)) = (own, parts.pop()) else {
            return Ok(Text::known(name));
        };
        let before = parts.get(..4).unwrap_or_default().join(":");
        return Ok(Text::known(&format!("{before}:"))
            .concat(&Text::hole(Sym::Account, Src::none()))
            .concat(&Text::known(&format!(":{rest}"))));
    }
    if let Some(arn) = access.arn_of(name) {
        return Ok(arn);
    }
    let identity = principal(access, name).ok();
    identity
        .and_then(|id| access.model().identity(id))
        .map(|one| one.arn.clone())
        .ok_or_else(|| {
            let known = access.addresses();
            Error::UnknownResource {
                name: name.to_owned(),
                near: nearest(name, known.iter().map(String::as_str), 3),
            }
        })
}

/// The identities that can act: users, roles and permission sets.
pub fn actors(model: &Model) -> impl Iterator<Item = IdentityId> + '_ {
    model
        .identities
        .iter()
        .enumerate()
        .filter(|(_, one)| one.kind != IdentityKind::Group)
        .map(|(at, _)| IdentityId(at))
}
