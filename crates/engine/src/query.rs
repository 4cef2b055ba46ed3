//! A model to ask: what `check` judges, without rules.
//!
//! Not for answering: the `access` crate does. Invariant: the model is the one that a check with the
//! same options judges; a name that means nothing is an error with near ones.

use crate::front;
use crate::near::nearest;
use crate::run::{pooled, read_configuration};
use crate::unwind::guarded;
use crate::{Config, Error, Options, discover};
use overgrant_access::Access;
use overgrant_ir::{IdentityId, IdentityKind, Model};
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
    let sources = Arc::new(sources);
    let config = read_configuration(&sources, options)?;
    let work = || {
        let mut diagnostics = found.diagnostics.clone();
        let mut input = front::read(&sources, &found, &config, options)?;
        diagnostics.append(&mut input.diagnostics);
        let files = input.files.len();
        let resources = std::mem::take(&mut input.resources);
        let model = guarded("lowering", || overgrant_ir::lower(resources));
        let model = model.unwrap_or_else(|caught| {
            diagnostics.push(caught);
            Model::default()
        });
        Ok((model, diagnostics, files))
    };
    let (model, diagnostics, files) = pooled(options, work)?;
    Ok(Loaded {
        sources,
        model,
        config,
        diagnostics,
        files,
    })
}

/// The identity that a name means: its address (with `root//` where two roots hold it), ARN or
/// physical name.
///
/// # Errors
/// [`Error::UnknownPrincipal`] with near names where it means nothing, or several.
pub fn principal(access: &Access<'_>, name: &str) -> Result<IdentityId, Error> {
    let model = access.model();
    let named = |fits: &dyn Fn(usize) -> bool| -> Vec<usize> {
        (0..model.identities.len()).filter(|at| fits(*at)).collect()
    };
    let identity = |at: usize| model.identities.get(at);
    let address = named(&|at| {
        identity(at).is_some_and(|one| {
            let full = format!("{}//{}", one.place.root, one.place.address);
            one.place.address == name || full == name
        })
    });
    let found = if address.is_empty() && name.starts_with("arn:") {
        let found = access.link(&Text::known(name), "", None);
        found.into_iter().map(|(id, _)| id.0).collect()
    } else if address.is_empty() {
        named(&|at| {
            identity(at).is_some_and(|one| {
                let logical = one.place.logical_id.as_deref() == Some(name);
                one.name.is(name) || logical
            })
        })
    } else {
        address
    };
    match found.as_slice() {
        [one] => Ok(IdentityId(*one)),
        [] => {
            let known: Vec<String> = model
                .identities
                .iter()
                .flat_map(|one| {
                    let physical = one.name.as_known().map(|name| name.to_string());
                    [Some(access.address(&one.place)), physical]
                })
                .flatten()
                .collect();
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
                .filter_map(|at| identity(*at))
                .map(|one| format!("{}//{}", one.place.root, one.place.address))
                .collect(),
            several: true,
        }),
    }
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
        .ok_or_else(|| Error::UnknownResource(name.to_owned()))
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
