//! Which resources an action can be asked for.
//!
//! Not for policies. Invariant: a domain holds every ARN that AWS may authorise the action on, as far as
//! the catalog knows its resource types.

use crate::arn::filled;
use crate::engine::compile::{Dimension, Item};
use crate::engine::globs::{Glob, Letter, Reading};
use overgrant_catalog::Action;
use overgrant_value::Text;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::rc::Rc;

/// The resources that an action can be asked for.
pub(super) enum Domain<'a> {
    /// The text `*`, for an action of this service.
    Star(&'a str),
    /// The ARNs of a resource type.
    Type(Rc<Glob>),
    /// Anything.
    Any,
}

/// The domains of an action that were not looked at yet.
pub(super) fn domains(
    action: Action<'static>,
    formats: &mut FxHashSet<&'static str>,
    stars: &mut FxHashSet<&'static str>,
) -> Vec<Domain<'static>> {
    let mut list = Vec::new();
    let mut needs_one = false;
    for resource in action.resources() {
        needs_one |= resource.is_required();
        let Some(kind) = resource.resource_type() else {
            continue;
        };
        for format in kind.arn_patterns() {
            if formats.insert(format) {
                list.push(Domain::Type(cached(format)));
            }
        }
    }
    if !needs_one && stars.insert(action.service().prefix()) {
        list.push(Domain::Star(action.service().prefix()));
    }
    list
}

thread_local! {
    /// The formats of the catalog that were asked for; there are a few thousand at most.
    static FORMATS: RefCell<FxHashMap<&'static str, Rc<Glob>>> = RefCell::default();
}

fn cached(format: &'static str) -> Rc<Glob> {
    FORMATS.with_borrow_mut(|known| {
        let glob = known
            .entry(format)
            .or_insert_with(|| Rc::new(domain_glob(format)));
        Rc::clone(glob)
    })
}

/// Formats of things that AWS keeps for all accounts too, in ARNs without an account: public
/// parameters, its own documents, automations and views. AWS-managed policies name them so.
const SHARED: [&str; 4] = [
    "arn:${Partition}:resource-explorer-2:${Region}:${Account}:view/",
    "arn:${Partition}:ssm:${Region}:${Account}:parameter/",
    "arn:${Partition}:ssm:${Region}:${Account}:document/",
    "arn:${Partition}:ssm:${Region}:${Account}:automation-definition/",
];

/// The ARNs of a format, every placeholder at least one character long.
pub(super) fn domain_glob(format: &str) -> Glob {
    let shared = SHARED.iter().any(|head| format.starts_with(head));
    let wide = filled(format, |name| match name {
        "Partition" => "aws*",
        "Account" if shared => "*",
        _ => "?*",
    });
    Glob::read(
        &Text::known(&wide),
        Reading {
            wildcards: true,
            fold: false,
            variables: false,
            arn: true,
        },
    )
}

/// Whether the element may select the resource `*` in some reading.
pub(super) fn may_select_star(own: &Dimension) -> bool {
    let starry = |item: &Item| {
        item.glob.contains(&[Letter::Char('*')], true) || item.glob.is_whole_service()
    };
    !own.present || own.negated || own.open || own.items.iter().any(starry)
}

/// Whether the element selects the resource `*`; `roots`: whether an ARN of the service whose
/// resource part is `*` does.
pub(super) fn star_selects(own: &Dimension, service: &str, high: bool, roots: bool) -> bool {
    if !own.present {
        return true;
    }
    let read_high = high != own.negated;
    let hit = |item: &Item| {
        (item.certain || read_high)
            && (item.glob.contains(&[Letter::Char('*')], read_high)
                || roots && is_service_root(&item.glob, service))
    };
    let any = own.open && read_high || own.items.iter().any(hit);
    any != own.negated
}

pub(super) fn is_service_root(glob: &Glob, service: &str) -> bool {
    if !glob.is_whole_service() {
        return false;
    }
    let head = format!("arn:aws:{service}:eu-west-1:111122223333:");
    let global = format!("arn:aws:{service}:::");
    [head, global].iter().any(|head| {
        ["x", "a/b", "y:z/c"].iter().all(|tail| {
            let word: Vec<Letter> = head.chars().chain(tail.chars()).map(Letter::Char).collect();
            glob.contains(&word, true)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_keeps_for_all_has_no_account() {
        let holds = |format: &str, arn: &str| {
            let word: Vec<Letter> = arn.chars().map(Letter::Char).collect();
            domain_glob(format).contains(&word, true)
        };
        let parameter = "arn:${Partition}:ssm:${Region}:${Account}:parameter/${Name}";
        assert!(holds(
            parameter,
            "arn:aws:ssm:eu-west-1::parameter/aws/service/x"
        ));
        assert!(holds(
            parameter,
            "arn:aws:ssm:eu-west-1:111122223333:parameter/x"
        ));
        let table = "arn:${Partition}:dynamodb:${Region}:${Account}:table/${Name}";
        assert!(!holds(table, "arn:aws:dynamodb:eu-west-1::table/x"));
    }
}
