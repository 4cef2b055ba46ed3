//! Service control policies where they are attached: what they add up to for a unit.
//!
//! Policies of a unit and of the units above it are judged together, since a Deny anywhere on the way
//! counts. Not for policies that are attached nowhere. Invariant: a target or parent that is not known
//! adds nothing and hides nothing that is known.
//! Source: AWS Organizations, "SCP evaluation".

use crate::Context;
use crate::length::{least_length, over};
use overgrant_ir::{
    DocumentId, DocumentRole, Guardrail, GuardrailKind, Model, PolicyDocument, ReferenceTo,
};
use overgrant_policy::{Answer, Condition, Effect, ResourcePattern, Statement, Test};
use overgrant_value::{Piece, Sym, Text, Val, json};
use smol_str::SmolStr;

/// Units that are under the same service control policies.
pub(crate) struct Chain<'a> {
    /// The policies, from the unit upwards.
    pub(crate) policies: Vec<&'a PolicyDocument>,
    /// The attachments that name the units, each with its target.
    pub(crate) targets: Vec<(&'a Guardrail, &'a ReferenceTo)>,
}

/// Whether a declarative policy of the model demands session tokens of instance metadata. Source: AWS
/// Organizations, "Declarative policy syntax and examples".
pub(crate) fn declares_tokens(cx: &Context<'_>) -> bool {
    const POLICIES: [&str; 2] = ["AWS::Organizations::Policy", "aws_organizations_policy"];
    const PATH: [&str; 4] = [
        "ec2_attributes",
        "instance_metadata_defaults",
        "http_tokens",
        "@@assign",
    ];
    cx.model.settings_of(&POLICIES).any(|policy| {
        let attr = |names: [&str; 2]| names.iter().find_map(|name| policy.attrs.get(name));
        let is = |val: Option<Val>, word: &str| {
            val.is_some_and(|val| val.as_str().is_some_and(|text| text == word))
        };
        let content = attr(["content", "Content"]).map(|content| {
            let text = content.to_text();
            text.and_then(|text| json::parse(&text).ok())
                .unwrap_or(content)
        });
        is(attr(["type", "Type"]), "DECLARATIVE_POLICY_EC2")
            && is(content.and_then(|content| content.at(&PATH)), "required")
    })
}

/// Whether a service control policy can take a short statement more.
pub(crate) fn has_room(policy: &PolicyDocument) -> bool {
    const SHORT: usize = 160;
    over(
        "organizations.scp.chars",
        least_length(&policy.document) + SHORT,
    )
    .is_none()
}

/// The attachments of organization policies.
pub(crate) fn attachments(model: &Model) -> impl Iterator<Item = &Guardrail> {
    model
        .guardrails
        .iter()
        .filter(|one| one.kind == GuardrailKind::OrganizationAttachment)
}

/// The policy of the model that a reference means.
pub(crate) fn policy_of<'a>(
    model: &'a Model,
    reference: &Text,
) -> Option<(DocumentId, &'a PolicyDocument)> {
    let (root, address) = resource_of(reference)?;
    model.all_documents().find(|(_, document)| {
        is_organization(document)
            && document.place.root == *root
            && document.place.address == *address
    })
}

/// Whether the document is a policy of the organization, of whatever type.
pub(crate) fn is_organization(document: &PolicyDocument) -> bool {
    matches!(
        document.role,
        DocumentRole::ServiceControl
            | DocumentRole::ResourceControl
            | DocumentRole::OtherOrganization
    )
}

/// The resource that a text is an attribute of.
pub(crate) fn resource_of(text: &Text) -> Option<(&SmolStr, &SmolStr)> {
    match text.pieces() {
        [Piece::Hole(hole)] => match &hole.sym {
            Sym::Attr { root, addr, .. } => Some((root, addr)),
            _ => None,
        },
        _ => None,
    }
}

/// The address of a unit or account, or its id where it is none of the model.
pub(crate) fn name_of(target: &ReferenceTo) -> String {
    resource_of(&target.text).map_or_else(
        || target.text.to_string(),
        |(_, address)| address.to_string(),
    )
}

const UNITS: &[&str] = &[
    "AWS::Organizations::Account",
    "AWS::Organizations::OrganizationalUnit",
    "aws_organizations_account",
    "aws_organizations_organizational_unit",
];

/// What a unit or account is directly under.
fn parent(model: &Model, target: &Text) -> Option<Text> {
    let (root, address) = resource_of(target)?;
    let unit = model
        .settings_of(UNITS)
        .find(|unit| unit.place.root == *root && unit.place.address == *address)?;
    ["parent_id", "ParentId", "ParentIds"]
        .iter()
        .find_map(|name| unit.attrs.get(name))?
        .listed()
        .first()?
        .to_text()
}

/// The target and what is above it, nearest first.
fn line(model: &Model, target: &Text) -> Vec<Text> {
    // AWS allows five levels of units below the root.
    const DEEPEST: usize = 8;
    let mut line = vec![target.clone()];
    while line.len() < DEEPEST
        && let Some(above) = line.last().and_then(|last| parent(model, last))
    {
        line.push(above);
    }
    line
}

/// The units below which no other unit of the model has policies of its own, by the service control
/// policies that bind them.
pub(crate) fn chains<'a>(cx: &Context<'a>) -> Vec<Chain<'a>> {
    let model = cx.model;
    let attached: Vec<(&Guardrail, &ReferenceTo, DocumentId)> = attachments(model)
        .filter_map(|one| {
            let (id, policy) = policy_of(model, &one.subject.as_ref()?.text)?;
            let scp = policy.role == DocumentRole::ServiceControl;
            scp.then_some((one, one.target.as_ref()?, id))
        })
        .collect();
    let same = |a: &Text, b: &Text| a.key() == b.key();
    let mut chains: Vec<(Vec<DocumentId>, Chain<'a>)> = Vec::new();
    for (guardrail, target, _) in &attached {
        let above_another = attached.iter().any(|(_, other, _)| {
            let line = line(model, &other.text);
            line.iter().skip(1).any(|above| same(above, &target.text))
        });
        let known = chains
            .iter()
            .flat_map(|(_, chain)| &chain.targets)
            .any(|(one, text)| {
                one.place.root == guardrail.place.root && same(&text.text, &target.text)
            });
        if above_another || known {
            continue;
        }
        let line = line(model, &target.text);
        let mut ids: Vec<DocumentId> = line
            .iter()
            .flat_map(|unit| {
                attached
                    .iter()
                    .filter(|(one, text, _)| {
                        one.place.root == guardrail.place.root && same(&text.text, unit)
                    })
                    .map(|(_, _, id)| *id)
            })
            .collect();
        ids.sort();
        ids.dedup();
        let place = (*guardrail, *target);
        match chains.iter_mut().find(|(known, _)| *known == ids) {
            Some((_, chain)) => chain.targets.push(place),
            None => {
                let policies = ids.iter().filter_map(|id| model.document(*id)).collect();
                let chain = Chain {
                    policies,
                    targets: vec![place],
                };
                chains.push((ids, chain));
            }
        }
    }
    chains.into_iter().map(|(_, chain)| chain).collect()
}

impl<'a> Chain<'a> {
    /// The Deny statements with the policies they stand in.
    pub(crate) fn denies(&self) -> impl Iterator<Item = (&'a PolicyDocument, &'a Statement)> + '_ {
        self.policies.iter().flat_map(|policy| {
            let statements = policy.document.statements.iter();
            statements
                .filter(|one| one.effect == Effect::Deny)
                .map(move |statement| (*policy, statement))
        })
    }

    /// Whether a Deny takes the action away from everybody but exempted principals. `accepts` says
    /// which resource members are as good as all.
    pub(crate) fn forbids(&self, action: &str, accepts: &dyn Fn(&ResourcePattern) -> bool) -> bool {
        self.denies().any(|(_, statement)| {
            statement.actions.select(action).possible()
                && binds_everybody(statement)
                && reaches_all(statement, action, accepts)
        })
    }

    /// `` `ou-1` ``, `` `ou-1` and 2 more units``.
    pub(crate) fn words(&self) -> String {
        match self.targets.as_slice() {
            [(_, one)] => format!("`{}`", name_of(one)),
            [(_, one), rest @ ..] => format!("`{}` and {} more", name_of(one), rest.len()),
            [] => "the organization".to_owned(),
        }
    }

    /// Begins the finding that something is missing for the units: at the target of the first
    /// attachment.
    pub(crate) fn absence(&self, cx: &Context<'_>, text: String) -> Option<crate::Report> {
        let (guardrail, target) = self.targets.first()?;
        let report = cx
            .finding(&guardrail.place, &target.src, text)
            .when(&target.guard)
            .cell(target.text.key());
        Some(self.concern(report))
    }

    /// Names the units as what a finding concerns.
    pub(crate) fn concern(&self, mut report: crate::Report) -> crate::Report {
        for (_, target) in &self.targets {
            report = report.concerns(&target.text.to_string());
        }
        report
    }
}

fn reaches_all(
    statement: &Statement,
    action: &str,
    accepts: &dyn Fn(&ResourcePattern) -> bool,
) -> bool {
    let resources = &statement.resources;
    let by_type = || {
        overgrant_catalog::catalog()
            .find_action(action)
            .is_some_and(|action| resources.star_for(action.id()).all().possible())
    };
    resources.covers_all().possible() || by_type() || resources.listed().items.iter().any(accepts)
}

/// Whether every condition of a Deny only spares some principals.
pub(crate) fn binds_everybody(statement: &Statement) -> bool {
    statement.conditions.items.iter().all(spares)
}

/// Whether the condition is about the principal, so that the Deny spares those it names.
pub(crate) fn spares(condition: &Condition) -> bool {
    const ABOUT: [&str; 9] = [
        "aws:assumedroot",
        "aws:calledvia",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principalorgpaths",
        "aws:principalservicename",
        "aws:userid",
        "aws:viaawsservice",
    ];
    let about = condition
        .key
        .spelling()
        .is_none_or(|key| ABOUT.contains(&key.as_str()) || key.starts_with("aws:principaltag/"));
    about
        && (condition.operator.is_negated()
            || matches!(condition.operator.test, Test::Bool | Test::Null))
}

/// The smallest place that a list of actions has: its only member, else the list.
pub(crate) fn actions_src(statement: &Statement) -> &overgrant_value::Src {
    let listed = statement.actions.listed();
    match (listed.negated, listed.items.as_slice()) {
        (false, [one]) => one.pattern().src(),
        (true, _) => &listed.key_src,
        (false, _) => &listed.src,
    }
}

/// Whether the statement denies some of the actions by name, and not everything for another reason.
pub(crate) fn guards(statement: &Statement, actions: &[&str]) -> bool {
    let listed = statement.actions.listed();
    !listed.negated
        && statement.actions.covers_all() != Answer::Must
        && actions
            .iter()
            .any(|action| statement.actions.select(action) == Answer::Must)
}

/// Whether the statement reaches every resource.
pub(crate) fn covers_all(statement: &Statement) -> bool {
    statement.resources.covers_all().possible()
}
