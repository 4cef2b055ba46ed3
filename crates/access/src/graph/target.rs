//! What steps act on: the roles, users, groups and policies of a root by their ARNs, and what runs
//! with a role.
//!
//! Not for rights. Invariant: [`Shelf::near`] gives at least everything that the pattern may match,
//! in the order of the model.

use crate::Access;
use overgrant_catalog::catalog;
use overgrant_ir::{DocumentId, DocumentRole, IdentityId, IdentityKind, Model, Workload, identity};
use overgrant_policy::ResourcePattern;
use overgrant_value::{Src, Sym, Text};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Things of one kind, found by the end of their ARN.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// All, in the order of the model.
    pub(super) all: Vec<usize>,
    /// End of the ARN (`role/app/x`) and thing, sorted; those whose end is known.
    known: Vec<(String, usize)>,
    /// The others.
    open: Vec<usize>,
}

impl Shelf {
    fn add(&mut self, arn: &Text, thing: usize) {
        self.all.push(thing);
        match tail(&arn.key()) {
            Some(tail) if !tail.contains(['$', '\\']) => self.known.push((tail.to_owned(), thing)),
            _ => self.open.push(thing),
        }
    }

    fn finish(&mut self) {
        self.known.sort();
    }

    /// What a pattern may match; `None` for everything.
    pub(super) fn near(&self, pattern: &ResourcePattern) -> Option<Vec<usize>> {
        let key = pattern.pattern().key();
        let tail = tail(&key)?;
        let end = tail.find(['*', '?', '$', '\\']).unwrap_or(tail.len());
        let literal = tail.get(..end)?;
        if literal.len() <= "group/".len() {
            return None;
        }
        let from = self
            .known
            .partition_point(|(known, _)| known.as_str() < literal);
        let mut found: Vec<usize> = self
            .known
            .get(from..)
            .into_iter()
            .flatten()
            .take_while(|(known, _)| known.starts_with(literal))
            .filter(|(known, _)| end < tail.len() || known == tail)
            .map(|(_, thing)| *thing)
            .chain(self.open.iter().copied())
            .collect();
        found.sort_unstable();
        Some(found)
    }
}

/// The part of an ARN's key after the account; of those of IAM only roles, users, groups and policies.
fn tail(key: &str) -> Option<&str> {
    let Some((_, rest)) = key.split_once(":iam::") else {
        // Open parts of resources hold colons themselves.
        let mut parts = key.splitn(6, ':');
        let plain = parts.by_ref().take(5).all(|part| !part.contains(' '));
        return parts
            .next()
            .filter(|tail| plain && key.starts_with("arn:") && !tail.is_empty());
    };
    let kinds = [":role/", ":user/", ":group/", ":policy/"];
    let at = kinds.iter().filter_map(|kind| rest.find(kind)).min()?;
    rest.get(at + 1..)
}

/// What runs with a role in a root and is in reach of an action, with the ARNs under which it is.
#[derive(Debug, Default)]
pub(super) struct Compute {
    pub(super) shelf: Shelf,
    pub(super) arns: BTreeMap<usize, Text>,
}

impl Compute {
    pub(super) fn new(model: &Model, workloads: &[usize], action: &str) -> Self {
        let mut compute = Self::default();
        for &at in workloads {
            if let Some(workload) = model.workloads.get(at) {
                let arn = arn(workload, action);
                compute.shelf.add(&arn, at);
                compute.arns.insert(at, arn);
            }
        }
        compute.shelf.finish();
        compute
    }
}

/// What an account holds.
#[derive(Debug, Default)]
pub(super) struct Shelves {
    pub(super) roles: Shelf,
    pub(super) users: Shelf,
    pub(super) groups: Shelf,
    /// Managed policies, by document.
    pub(super) policies: Shelf,
    pub(super) sets: Vec<usize>,
    pub(super) workloads: Vec<usize>,
}

/// All accounts. A root whose account nobody says counts as one of its own.
#[derive(Debug, Default)]
pub(super) struct Targets {
    zones: BTreeMap<SmolStr, Shelves>,
    /// Known ends of role ARNs over all roots.
    across: BTreeMap<String, Vec<usize>>,
    /// Whole ARNs of roles by key, for references that name the resource itself.
    exact: BTreeMap<String, usize>,
    nothing: Shelves,
}

impl Targets {
    pub(super) fn new(access: &Access<'_>) -> Self {
        let model = access.model();
        let mut all = Self::default();
        for (at, identity) in model.identities.iter().enumerate() {
            let zone = access.zone(IdentityId(at));
            let root = all.zones.entry(zone).or_default();
            match identity.kind {
                IdentityKind::Role => {
                    root.roles.add(&identity.arn, at);
                    let key = identity.arn.key();
                    if let Some(tail) = tail(&key).filter(|tail| !tail.contains(['$', '\\'])) {
                        all.across.entry(tail.to_owned()).or_default().push(at);
                    }
                    all.exact.insert(key, at);
                }
                IdentityKind::User => root.users.add(&identity.arn, at),
                IdentityKind::Group => root.groups.add(&identity.arn, at),
                IdentityKind::PermissionSet => root.sets.push(at),
            }
        }
        for (id, document) in model.all_documents() {
            if document.role == DocumentRole::Managed
                && let Some(arn) = &document.arn
            {
                let zone = access.zone_of_root(&document.place.root);
                let root = all.zones.entry(zone).or_default();
                root.policies.add(arn, id.0);
            }
        }
        for (at, workload) in model.workloads.iter().enumerate() {
            let zone = access.zone_of_root(&workload.place.root);
            let root = all.zones.entry(zone).or_default();
            root.workloads.push(at);
        }
        for root in all.zones.values_mut() {
            for shelf in [
                &mut root.roles,
                &mut root.users,
                &mut root.groups,
                &mut root.policies,
            ] {
                shelf.finish();
            }
        }
        all
    }

    pub(super) fn of(&self, zone: &str) -> &Shelves {
        self.zones.get(zone).unwrap_or(&self.nothing)
    }

    /// The one role of another account that a pattern without wildcards names.
    pub(super) fn elsewhere(&self, pattern: &ResourcePattern) -> Option<IdentityId> {
        let key = pattern.pattern().key();
        if let Some(role) = self.exact.get(&key) {
            return Some(IdentityId(*role));
        }
        let tail = tail(&key)?;
        match self.across.get(tail)?.as_slice() {
            [one] => Some(IdentityId(*one)),
            _ => None,
        }
    }
}

/// The managed policies of the code that are attached to an identity.
pub(super) fn attached(access: &Access<'_>, id: IdentityId) -> Vec<DocumentId> {
    access
        .policies(id)
        .iter()
        .filter_map(|attached| match attached.source {
            crate::AttachedSource::Model(document) => Some(document),
            crate::AttachedSource::AwsManaged { .. } | crate::AttachedSource::Unresolved => None,
        })
        .collect()
}

/// The ARN of any role, user, group or policy of an account: a hole that stands for every name. What
/// is surely allowed on it is allowed on all.
pub(super) fn any(kind: &str) -> Text {
    let hole = |sym: Sym| Text::hole(sym, Src::none());
    let other = Sym::Other {
        what: "any name".into(),
        at: None,
    };
    Text::known("arn:")
        .concat(&hole(Sym::Partition))
        .concat(&Text::known(":iam::"))
        .concat(&hole(Sym::Account))
        .concat(&Text::known(&format!(":{kind}/")))
        .concat(&hole(other))
}

/// Resource types whose code or commands an action reaches: names without `aws_`, `AWS::`, `_` and
/// `::`, in lower case.
pub(super) fn kinds(action: &str) -> &'static [&'static str] {
    const INSTANCES: &[&str] = &[
        "instance",
        "ec2instance",
        "spotinstancerequest",
        "launchtemplate",
        "ec2launchtemplate",
        "launchconfiguration",
        "autoscalinglaunchconfiguration",
    ];
    let (service, name) = action.split_once(':').unwrap_or((action, ""));
    match service {
        "lambda" => &["lambdafunction", "serverlessfunction"],
        "codebuild" => &["codebuildproject"],
        "states" => &[
            "sfnstatemachine",
            "stepfunctionsstatemachine",
            "serverlessstatemachine",
        ],
        "apprunner" => &["apprunnerservice"],
        "ec2" if name.contains("LaunchTemplate") => &["launchtemplate", "ec2launchtemplate"],
        "ec2" | "ec2-instance-connect" | "ssm" => INSTANCES,
        "ecs" => &["ecstaskdefinition", "ecsservice"],
        "batch" => &["batchjobdefinition"],
        "codedeploy" => &["codedeploydeploymentgroup"],
        "glue" if name.contains("DevEndpoint") => &["gluedevendpoint"],
        "glue" => &["gluejob"],
        "sagemaker" if name.contains("Domain") => &["sagemakerdomain", "sagemakeruserprofile"],
        "sagemaker" => &["sagemakernotebookinstance"],
        "bedrock-agentcore" if name.contains("CodeInterpreter") => &[
            "bedrockagentcorecodeinterpreter",
            "bedrockagentcorecodeinterpretercustom",
        ],
        "bedrock-agentcore" if name.contains("Browser") => {
            &["bedrockagentcorebrowser", "bedrockagentcorebrowsercustom"]
        }
        "bedrock-agentcore" => &["bedrockagentcoreagentruntime", "bedrockagentcoreruntime"],
        "cloudformation" if name.contains("StackSet") => &["cloudformationstackset"],
        "cloudformation" => &["cloudformationstack"],
        "airflow" => &["mwaaenvironment"],
        "eks" => &["ekspodidentityassociation"],
        "cloud9" => &["cloud9environmentec2"],
        "servicecatalog" => &[
            "servicecatalogconstraint",
            "servicecataloglaunchroleconstraint",
        ],
        "scheduler" => &["schedulerschedule"],
        "amplify" => &["amplifyapp"],
        _ => &[],
    }
}

/// The spelling that [`kinds`] uses.
pub(super) fn plain(kind: &str) -> String {
    let rest = kind
        .strip_prefix("awscc_")
        .or_else(|| kind.strip_prefix("aws_"))
        .or_else(|| kind.strip_prefix("AWS::"))
        .unwrap_or(kind);
    rest.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// The ARN under which an action meets a workload: its own where the action knows that type, else
/// that of the first type with an open name.
pub(super) fn arn(workload: &Workload, action: &str) -> Text {
    let place = &workload.place;
    let attribute = if place.format.is_terraform() {
        "arn"
    } else {
        "Arn"
    };
    let argument = |name: &str| workload.attrs.get(name)?.to_text();
    let own = identity::attribute(
        &place.kind,
        attribute,
        &place.root,
        &place.address,
        &argument,
    );
    let types = catalog()
        .find_action(action)
        .into_iter()
        .flat_map(|action| action.resources().filter_map(|one| one.resource_type()));
    let mut first = None;
    for kind in types {
        let made = filled(kind.arn_pattern(), place);
        let begins = |text: &Text| {
            let key = text.key();
            let rest = key
                .split_once("${Partition}")
                .map(|(_, rest)| rest.to_owned());
            rest.unwrap_or(key)
        };
        if let Some(own) = &own {
            let (own_key, made_key) = (begins(own), begins(&made));
            // Up to the name, with its type.
            let shape = |key: &str| -> String {
                key.replace("${Region}", "")
                    .replace("${Account}", "")
                    .chars()
                    .take_while(|c| *c != '/' && *c != '$')
                    .collect()
            };
            let (a, b) = (shape(&own_key), shape(&made_key));
            let same = a.trim_end_matches(':') == b.trim_end_matches(':')
                || a.starts_with(&b) && b.matches(':').count() >= 5;
            if same {
                return own.clone();
            }
        }
        first = first.or(Some(made));
    }
    first.or(own).unwrap_or_else(|| place.own(attribute))
}

/// An ARN format with the symbols of the deployment, and the resource itself for every name.
fn filled(format: &str, place: &overgrant_ir::Place) -> Text {
    let mut text = Text::default();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        let hole = match name {
            "Partition" => Text::hole(Sym::Partition, Src::none()),
            "Region" => Text::hole(Sym::Region, Src::none()),
            "Account" => Text::hole(Sym::Account, Src::none()),
            _ => place.own("id"),
        };
        text = text.concat(&Text::known(before)).concat(&hole);
        rest = tail;
    }
    text.concat(&Text::known(rest))
}
