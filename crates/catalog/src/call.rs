//! Calls that AWS authorises more than once: on several resources, or for several actions.
//!
//! Not for: judging a policy. Invariant: a call that is not listed is one action on one resource of
//! any type that the action knows; a listed one needs each of its parts.
//! Source: the Service Authorization Reference and the pages that each row of the table names. The
//! reference alone does not tell: several types that it marks as required are alternatives for some
//! actions and are all touched by others.

use crate::generated;

/// Whether a call always takes a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Every form of the call does.
    Always,
    /// Most forms do, such as a launch from an image whose root volume is made anew.
    Sometimes,
}

/// One authorisation of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallPart {
    /// The action, `service:Name`.
    pub action: &'static str,
    /// The resource types of the action of which one is touched; none: any that it knows.
    pub types: &'static [&'static str],
    /// Whether it is always asked for.
    pub need: Need,
    /// Where that is documented.
    pub evidence: &'static str,
}

/// One call with all its authorisations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The API operation, `service:Name`; mostly an action of the same name exists.
    pub name: &'static str,
    /// What is authorised; two or more.
    pub parts: &'static [CallPart],
}

/// All listed calls, sorted by their lower-cased name.
#[must_use]
pub const fn calls() -> &'static [Call] {
    generated::CALLS
}

/// The call of this name in any letter case; `None` for one that is one action on one resource.
#[must_use]
pub fn call(name: &str) -> Option<&'static Call> {
    let wanted = name.to_ascii_lowercase();
    let at = calls()
        .binary_search_by(|call| call.name.to_ascii_lowercase().cmp(&wanted))
        .ok()?;
    calls().get(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(calls().len(), 62);
        for row in calls() {
            assert_eq!(call(row.name), Some(row));
            assert_eq!(call(&row.name.to_ascii_uppercase()), Some(row));
        }
        assert_eq!(call("s3:GetObject"), None);
        assert_eq!(call(""), None);
    }

    #[test]
    fn every_part_is_an_action_on_types_that_it_knows() {
        for row in calls() {
            assert!(row.parts.len() > 1, "{}", row.name);
            assert!(
                row.parts.iter().any(|part| part.need == Need::Always),
                "{}",
                row.name
            );
            for part in row.parts {
                let action = catalog().find_action(part.action);
                let action = action.unwrap_or_else(|| panic!("{}: {}", row.name, part.action));
                assert_eq!(action.to_string(), part.action);
                for name in part.types {
                    let known = action.resources().find(|resource| resource.name() == *name);
                    let format = known.and_then(|resource| resource.resource_type());
                    assert!(format.is_some(), "{}: {name}", row.name);
                }
            }
        }
    }

    /// What the reference marks as required is a part of a call that touches several types.
    #[test]
    fn required_types_of_the_launch_are_parts() {
        let launch = call("ec2:RunInstances").unwrap();
        let action = catalog().find_action(launch.name).unwrap();
        let required = action.resources().filter(|resource| resource.is_required());
        for resource in required {
            let part = launch
                .parts
                .iter()
                .find(|part| part.types == [resource.name()]);
            assert_eq!(part.map(|part| part.need), Some(Need::Always));
        }
        let volume = launch.parts.iter().find(|part| part.types == ["volume"]);
        assert_eq!(volume.map(|part| part.need), Some(Need::Sometimes));
    }
}
