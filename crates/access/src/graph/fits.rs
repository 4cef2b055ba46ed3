//! Which roles can stand in a row: trusted by its services, in the state that it needs.
//!
//! Not for the caller's rights on the role. Invariant: without a caller the answer is the same for
//! everybody of the account, so that a hub can hold it.

use super::Doubt;
use super::build::Builder;
use super::legs::{Held, held};
use super::precondition::Chosen;
use super::rows::Plan;
use crate::Hint;
use overgrant_catalog::{EscalationPath, Precondition};
use overgrant_ir::IdentityId;

/// Whether a role can stand in a row, whoever walks it.
pub(super) struct Fits<'b, 'a, 'm> {
    pub(super) builder: &'b Builder<'a, 'm>,
    /// Nobody in particular, for a hub: then whoever the own account allows.
    pub(super) caller: Option<IdentityId>,
}

impl Fits<'_, '_, '_> {
    pub(super) fn role(&self, plan: &Plan, role: IdentityId) -> Option<Held> {
        let path = plan.path;
        let trust = self.builder.state.trusts.get(role.0)?;
        let mut held = Held::sure();
        if !path.services_any.is_empty() {
            let (_, answer) = trust.service(path.services_any)?;
            held = held.given(answer, Doubt::Trust)?;
        }
        for one in path.services_all.iter().filter(|one| one.role.index == 1) {
            let (_, answer) = trust.service(&[one.principal])?;
            held = held.given(answer, Doubt::Trust)?;
        }
        let chosen = Chosen {
            role: Some(role),
            policy: None,
            ..Chosen::default()
        };
        for precondition in path.preconditions {
            // Tested where the policy is chosen.
            if *precondition == Precondition::PolicyAttachedToTarget {
                continue;
            }
            let answer = match (self.caller, precondition) {
                (None, Precondition::RoleTrustsCaller) => {
                    held = held.and(trust.account.clone()?);
                    continue;
                }
                (Some(_), Precondition::InstanceProfilePresent)
                    if !self.builder.state.is_in_profile(role) =>
                {
                    let zone = self.builder.access.zone(role);
                    held = held.and(self.profile_rights(&zone)?);
                    continue;
                }
                (caller, _) => {
                    let caller = caller.unwrap_or(role);
                    self.builder.state.holds(*precondition, caller, &chosen)
                }
            };
            let doubt = match precondition {
                Precondition::RoleTrustsCaller => Doubt::Trust,
                other => Doubt::State(*other),
            };
            held = held.given(answer, doubt)?;
        }
        Some(held)
    }
}

impl Fits<'_, '_, '_> {
    /// The rights to put a role into some instance profile of the account, in place of the one that is
    /// in it: a profile holds one role.
    pub(super) fn profile_rights(&self, zone: &str) -> Option<Held> {
        let access = self.builder.access;
        let caller = self.caller?;
        let hint = Hint::default();
        let mut profiles = access.model().profiles.iter();
        profiles.find_map(|profile| {
            if access.zone_of_root(&profile.place.root) != zone {
                return None;
            }
            let arn = Some(&profile.arn);
            let adds = held(access, caller, "iam:AddRoleToInstanceProfile", arn, hint)?;
            match profile.role {
                None => Some(adds),
                Some(_) => {
                    let action = "iam:RemoveRoleFromInstanceProfile";
                    Some(adds.and(held(access, caller, action, arn, hint)?))
                }
            }
        })
    }
}

/// What the members of a row's hub are: rows with the same services and state share it.
pub(super) fn members_of(path: &EscalationPath) -> String {
    let mut words = Vec::new();
    if !path.services_any.is_empty() {
        words.push(format!("trusts {}", path.services_any.join(" or ")));
    }
    let all: Vec<&str> = path
        .services_all
        .iter()
        .filter(|one| one.role.index == 1)
        .map(|one| one.principal)
        .collect();
    if !all.is_empty() {
        words.push(format!("trusts {}", all.join(" and ")));
    }
    for precondition in path.preconditions {
        words.push(format!("with {}", precondition.as_str()));
    }
    if words.is_empty() {
        "role".to_owned()
    } else {
        format!("role that {}", words.join(", "))
    }
}
