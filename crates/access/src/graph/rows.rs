//! The rows of the catalog made ready: alternatives written out, legs by what they act on.
//!
//! Not for judging them. Invariant: latent rows are left out; they win nothing.

use overgrant_catalog::{
    ActionId, Category, EscalationPath, Gain, Leg, Level, Precondition, Target, TargetKind,
    catalog, escalation_paths,
};
use std::sync::LazyLock;

/// What a row chooses among: the thing whose rights or change is the gain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Select {
    Role,
    User,
    Group,
    Policy,
    Existing,
    /// Nothing: the gain is the same whatever is acted on.
    Nothing,
}

/// One way to walk a row: a leg of each group.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) path: &'static EscalationPath,
    /// Legs by target, in the order of the row.
    pub(super) letters: Vec<(Target, Vec<&'static str>)>,
    /// Indexes into [`Rows::actions`].
    pub(super) actions: Vec<usize>,
    pub(super) select: Select,
}

impl Plan {
    pub(super) fn needs(&self, precondition: Precondition) -> bool {
        self.path.preconditions.contains(&precondition)
    }

    /// The actions on the first target of a kind.
    pub(super) fn on(&self, kind: TargetKind) -> &[&'static str] {
        self.letters
            .iter()
            .find(|(target, _)| target.kind == kind && target.index == 1)
            .map(|(_, actions)| actions.as_slice())
            .unwrap_or_default()
    }

    /// Whether the policies of what is won are written on the way, so that all rights are won.
    pub(super) fn writes_policy(&self) -> bool {
        self.letters
            .iter()
            .flat_map(|(_, actions)| actions)
            .any(|action| {
                matches!(
                    *action,
                    "iam:AttachRolePolicy"
                        | "iam:PutRolePolicy"
                        | "iam:AttachUserPolicy"
                        | "iam:PutUserPolicy"
                        | "iam:AttachGroupPolicy"
                        | "iam:PutGroupPolicy"
                        | "iam:CreatePolicyVersion"
                        | "iam:SetDefaultPolicyVersion"
                )
            })
    }
}

/// All rows.
#[derive(Debug)]
pub(super) struct Rows {
    /// The actions of all legs, each once.
    pub(super) actions: Vec<(&'static str, Option<ActionId>)>,
    pub(super) plans: Vec<Plan>,
}

/// The rows, made ready once.
pub(super) fn rows() -> &'static Rows {
    static ROWS: LazyLock<Rows> = LazyLock::new(make);
    &ROWS
}

fn make() -> Rows {
    let mut rows = Rows {
        actions: Vec::new(),
        plans: Vec::new(),
    };
    for path in escalation_paths() {
        if path.category == Category::Latent || path.level == Level::Latent {
            continue;
        }
        for legs in combinations(path.legs) {
            let mut plan = Plan {
                path,
                letters: Vec::new(),
                actions: Vec::new(),
                select: Select::Nothing,
            };
            for leg in legs {
                let known = rows
                    .actions
                    .iter()
                    .position(|(name, _)| *name == leg.action);
                let at = known.unwrap_or_else(|| {
                    let id = catalog().action_id(leg.action);
                    rows.actions.push((leg.action, id));
                    rows.actions.len() - 1
                });
                plan.actions.push(at);
                match plan
                    .letters
                    .iter_mut()
                    .find(|(target, _)| *target == leg.target)
                {
                    Some((_, actions)) => actions.push(leg.action),
                    None => plan.letters.push((leg.target, vec![leg.action])),
                }
            }
            plan.select = select(&plan);
            rows.plans.push(plan);
        }
    }
    rows
}

/// Every way to take one leg of each group.
fn combinations(groups: &'static [&'static [Leg]]) -> Vec<Vec<&'static Leg>> {
    let mut all = vec![Vec::new()];
    for group in groups {
        all = all
            .into_iter()
            .flat_map(|legs: Vec<&'static Leg>| {
                group.iter().map(move |leg| {
                    let mut legs = legs.clone();
                    legs.push(leg);
                    legs
                })
            })
            .collect();
    }
    all
}

fn select(plan: &Plan) -> Select {
    let has = |kind: TargetKind| !plan.on(kind).is_empty();
    let path = plan.path;
    match path.gain {
        Gain::Role if has(TargetKind::Existing) && has(TargetKind::Role) => {
            // One row writes to the very role that the workload runs with.
            if path
                .preconditions
                .contains(&Precondition::ComputeBoundToRole)
            {
                Select::Existing
            } else {
                Select::Role
            }
        }
        _ if has(TargetKind::Role) => Select::Role,
        _ if has(TargetKind::User) => Select::User,
        Gain::User => Select::Nothing,
        Gain::Role if has(TargetKind::Existing) => Select::Existing,
        _ if has(TargetKind::Policy) => Select::Policy,
        _ if has(TargetKind::Group) => Select::Group,
        _ => Select::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_but_the_latent_ones_is_ready() {
        let rows = rows();
        let mut ids: Vec<&str> = rows.plans.iter().map(|plan| plan.path.id).collect();
        ids.dedup();
        let latent = escalation_paths().len() - ids.len();
        assert_eq!((ids.len(), latent), (176, 5));
        for plan in &rows.plans {
            assert_eq!(plan.actions.len(), plan.path.legs.len(), "{}", plan.path.id);
        }
        let select = |id: &str| {
            let plan = rows.plans.iter().find(|plan| plan.path.id == id);
            plan.unwrap().select
        };
        for (id, wanted) in [
            ("PE-LAMBDA-001", Select::Role),
            ("PE-LAMBDA-004", Select::Existing),
            ("PE-CODEBUILD-SWAP", Select::Role),
            ("PE-IAM-COMPUTE-ROLE", Select::Existing),
            ("PE-IAM-001", Select::Policy),
            ("PE-IAM-002", Select::User),
            ("PE-IAM-013", Select::Group),
            ("PE-IAM-OIDC-PLANT", Select::Nothing),
        ] {
            assert_eq!(select(id), wanted, "{id}");
        }
    }
}
