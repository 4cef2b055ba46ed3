//! Every row of the catalog in both formats: a caller with exactly its rights and its state walks it;
//! without one of them, with a Deny, or under a boundary it does not.

mod accounts;
mod permission_set;
mod scene;
mod special;

use super::rows::{Plan, Select, rows};
use super::*;
use overgrant_catalog::{Level, TargetKind};
use overgrant_ir::{Model, Resource, lower};
use scene::{Change, scene};

/// The step of the row that the caller can take.
fn walked(resources: Vec<Resource>, plan: &Plan) -> Option<Answer> {
    let model: Model = lower(resources);
    let access = Access::new(&model);
    let caller = model
        .identities
        .iter()
        .position(|one| one.name.is("caller"))
        .unwrap();
    let node = Node::Identity(IdentityId(caller));
    let graph = access.graph();
    let steps = graph.from(node).iter();
    let of_row: Vec<&Edge> = steps
        .filter(|edge| edge.path.map(|path| path.id) == Some(plan.path.id))
        .collect();
    for edge in &of_row {
        assert_eq!(
            edge.doubts.is_empty(),
            edge.answer == Answer::Must,
            "{edge:?}"
        );
        // A hub leads on to the role that is meant.
        if let Node::Hub(hub) = edge.to {
            assert!(!graph.from(Node::Hub(hub)).is_empty());
        }
    }
    if of_row.iter().any(|edge| {
        matches!(
            edge.to,
            Node::Identity(_) | Node::Workload(_) | Node::Hub(_)
        )
    }) {
        assert!(
            graph.reaches(node).possible(),
            "{}: what is won is administrator",
            plan.path.id
        );
    }
    of_row.iter().map(|edge| edge.answer).max()
}

/// State whose absence the code shows.
const SHOWN: [Precondition; 17] = [
    Precondition::TargetIsCaller,
    Precondition::GroupMember,
    Precondition::PolicyAttached,
    Precondition::PolicyAttachedToTarget,
    Precondition::PolicyIsBoundary,
    Precondition::PolicyCarriesDeny,
    Precondition::UserWithoutLoginProfile,
    Precondition::RoleTrustsCaller,
    Precondition::RoleTrustsProvider,
    Precondition::RoleTrustsIdentityPool,
    Precondition::ComputeBoundToRole,
    Precondition::ServiceRolePresent,
    Precondition::LaunchRolePresent,
    Precondition::InstanceProfilePresent,
    Precondition::InstanceManagedBySsm,
    Precondition::BatchConfigured,
    Precondition::PermissionSetAssignedToCaller,
];

/// State that the code surely shows in these scenes.
fn is_shown(one: Precondition) -> bool {
    let shown = [
        Precondition::UserHasLoginProfile,
        Precondition::UserHasTwoKeys,
        Precondition::ClusterPresent,
        Precondition::JobQueuePresent,
        Precondition::ServiceClosed,
    ];
    (SHOWN.contains(&one) || shown.contains(&one)) && one != Precondition::RoleTrustsProvider
}

/// Whether the row changes what runs, and not what feeds it.
fn feeds_nothing(plan: &Plan) -> bool {
    let action = plan.on(TargetKind::Existing).first();
    action.is_some_and(|action| !target::kinds(action).is_empty())
}

fn both(plan: &Plan, change: Change, mut judge: impl FnMut(Option<Answer>, &str)) {
    for terraform in [true, false] {
        if let Some(resources) = scene(plan, terraform, change) {
            let words = format!("{} {change:?} terraform {terraform}", plan.path.id);
            judge(walked(resources, plan), &words);
        }
    }
}

fn plans() -> impl Iterator<Item = &'static Plan> {
    rows().plans.iter()
}

/// Whether the state is the name of the role that is acted on.
fn is_name(plan: &Plan, one: Precondition) -> bool {
    let named = [
        Precondition::ManagementAccount,
        Precondition::CdkBootstrapPresent,
    ];
    named.contains(&one) && plan.select == Select::Role
}

#[test]
fn every_row_has_a_scene() {
    // Templates cannot give a stack a service role.
    let terraform_only = ["PE-CLOUDFORMATION-002", "PE-CLOUDFORMATION-005"];
    for plan in plans() {
        let both = [true, false].map(|format| scene(plan, format, Change::Nothing).is_some());
        let wanted = [true, !terraform_only.contains(&plan.path.id)];
        assert_eq!(both, wanted, "{}", plan.path.id);
    }
    // The others win nothing by themselves.
    let walked: std::collections::BTreeSet<&str> = plans().map(|plan| plan.path.id).collect();
    for path in overgrant_catalog::escalation_paths() {
        let latent =
            path.level == Level::Latent || path.category == overgrant_catalog::Category::Latent;
        assert_eq!(walked.contains(path.id), !latent, "{}", path.id);
    }
}

#[test]
fn who_has_all_of_a_row_walks_it() {
    let mut missing = Vec::new();
    for plan in plans() {
        both(plan, Change::Nothing, |answer, words| {
            // A group of instances that is changed is not in the scene.
            let whole =
                !plan.path.id.starts_with("PE-ASG") || plan.on(TargetKind::Existing).is_empty();
            let sure = whole
                && plan.path.level == Level::Proven
                && plan.path.preconditions.iter().all(|one| is_shown(*one));
            let wanted = if sure {
                Some(Answer::Must)
            } else {
                Some(Answer::May)
            };
            if answer < wanted {
                missing.push(format!("{words}: {answer:?}"));
            }
        });
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn without_one_right_nobody_walks_it() {
    let mut wrong = Vec::new();
    for plan in plans() {
        for group in 0..plan.actions.len() {
            // An alternative of the same row may still be held by another plan: it is not here.
            both(plan, Change::Leg(group), |answer, words| {
                if answer.is_some() {
                    wrong.push(format!("{words}: {answer:?}"));
                }
            });
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_its_state_nobody_walks_it() {
    let mut wrong = Vec::new();
    for plan in plans() {
        let mut changes: Vec<Change> = plan
            .path
            .preconditions
            .iter()
            .filter(|one| SHOWN.contains(one) || is_name(plan, **one))
            // What feeds compute is not in the model, so neither is what it feeds.
            .filter(|_| plan.select != Select::Existing || feeds_nothing(plan))
            .map(|one| Change::State(*one))
            .collect();
        if !plan.path.services_any.is_empty() || !plan.path.services_all.is_empty() {
            changes.push(Change::Trust);
        }
        for change in changes {
            both(plan, change, |answer, words| {
                if answer.is_some() {
                    wrong.push(format!("{words}: {answer:?}"));
                }
            });
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rights_from_two_places_are_rights() {
    let mut missing = Vec::new();
    for plan in plans() {
        let group = plan.path.caller != overgrant_catalog::Caller::Role;
        let changes = [
            Some(Change::Split),
            group.then_some(Change::Group),
            Some(Change::Wide),
        ];
        for change in changes.into_iter().flatten() {
            both(plan, change, |answer, words| {
                if answer.is_none() {
                    missing.push(words.to_owned());
                }
            });
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_deny_or_a_boundary_ends_it() {
    let mut wrong = Vec::new();
    for plan in plans() {
        for change in [Change::Deny, Change::Narrow] {
            both(plan, change, |answer, words| {
                if answer.is_some() {
                    wrong.push(format!("{words}: {answer:?}"));
                }
            });
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
