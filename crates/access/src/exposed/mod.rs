//! What runs with a role and is reached by strangers: functions, builds, instances.
//!
//! Not for what the role may do, nor for flaws in what runs. Invariant: an entry is there only where the
//! configuration itself lets strangers in; who could do so by other means is left out.

mod builds;
mod functions;
mod instances;

pub use functions::{PublicFunction, open_urls, public_functions};

use crate::Access;
use overgrant_ir::{IdentityId, Place, Workload};
use overgrant_policy::Statement;
use overgrant_value::{Marks, Src, Sym, Text, Val};

/// How sure it is that strangers get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Openness {
    /// Only where more is so than the code shows.
    Possible,
    /// As the code reads, but for something that is usual and not shown.
    Likely,
    /// The code lets them in.
    Open,
}

/// A way for strangers to something that runs with a role.
#[derive(Debug, Clone)]
pub struct Exposed<'a> {
    /// The role.
    pub role: IdentityId,
    /// What runs with it: index into `Model::workloads`.
    pub at: usize,
    /// The same.
    pub workload: &'a Workload,
    /// What lets strangers in.
    pub place: &'a Place,
    /// The value that does.
    pub src: Src,
    /// What is uncertain about that value.
    pub marks: Marks,
    /// The statement, where it is one of a policy.
    pub statement: Option<&'a Statement>,
    /// Who comes in, as "whoever opens a pull request".
    pub who: String,
    /// How, as "URL `hook` asks for no sign-in".
    pub how: String,
    /// How sure that is.
    pub openness: Openness,
}

/// Something that runs with a role.
struct Target<'a> {
    role: IdentityId,
    at: usize,
    workload: &'a Workload,
}

/// All ways for strangers to what runs with a role.
pub(crate) fn entries<'a>(access: &Access<'a>) -> Vec<Exposed<'a>> {
    let model = access.model();
    let workloads = model.workloads.iter().enumerate();
    let targets: Vec<Target<'a>> = workloads
        .filter_map(|(at, workload)| {
            let role = access.role_of(at)?;
            Some(Target { role, at, workload })
        })
        .collect();
    let mut found = functions::entries(model, &targets);
    found.extend(builds::entries(model, &targets));
    found.extend(instances::entries(model, &targets));
    found
}

/// Who comes in by something that has to be found first.
fn finder(workload: &Workload) -> String {
    format!("anyone who finds a flaw in `{}`", workload.place.address)
}

/// The targets of some types, by an argument that names the role.
fn of_kinds<'a, 'b>(
    targets: &'b [Target<'a>],
    kinds: &'b [&'b str],
    attributes: &'b [&'b str],
) -> impl Iterator<Item = &'b Target<'a>> {
    targets.iter().filter(move |target| {
        kinds.contains(&target.workload.place.kind.as_str())
            && attributes.contains(&target.workload.attribute.as_str())
    })
}

/// An argument under the name that one of the formats has for it.
fn any(attrs: &Val, names: &[&str]) -> Option<Val> {
    names
        .iter()
        .find_map(|name| attrs.get(name))
        .filter(|val| !val.is_null())
}

/// Whether an argument is this text, whatever its letter case.
fn says(attrs: &Val, names: &[&str], wanted: &str) -> bool {
    let known = any(attrs, names).and_then(|val| val.to_text()?.as_known());
    known.is_some_and(|known| known.eq_ignore_ascii_case(wanted))
}

/// The addresses of the resources of `root` that a text stands for by an attribute of them.
fn referred<'t>(text: &'t Text, root: &'t str) -> impl Iterator<Item = &'t str> {
    text.holes().filter_map(move |hole| match &hole.sym {
        Sym::Attr { root: of, addr, .. } if of == root => Some(addr.as_str()),
        _ => None,
    })
}

/// Whether a text, used in `root`, stands for a resource by an attribute of it.
fn refers(text: &Text, root: &str, place: &Place) -> bool {
    place.root == root && referred(text, root).any(|address| place.address == address)
}

#[cfg(test)]
mod tests;
