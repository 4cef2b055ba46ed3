//! What AWS itself grants on everything to roles of a service, and to controllers that it publishes.
//!
//! Not for what is good: roles that run anybody's code are no model for each other. Invariant: every holder
//! of the statement is such a role, or the document is the published one.

use crate::grants::{self, Grant, Wide};
use crate::{Context, federation};
use overgrant_access::AttachedSource;
use overgrant_catalog::{Action, ActionId, ManagedPolicy, catalog};
use overgrant_ir::IdentityId;
use overgrant_policy::{Answer, Statement, managed_document};
use std::collections::BTreeMap;

/// Whether AWS's own service roles are granted an action on everything, by the first label of the
/// service principal (`lambda`), worked out when it is first asked for.
#[derive(Default)]
pub(crate) struct Usual {
    policies: BTreeMap<String, Vec<ManagedPolicy<'static>>>,
    granted: BTreeMap<(String, ActionId), bool>,
}

/// Services that run nobody's code with the roles they assume: what AWS gives their service-linked
/// roles is what they need.
const ACTS_ITSELF: [&str; 3] = ["application-autoscaling", "autoscaling", "ecs"];

/// Services that make and remove interfaces of their own in a network of the customer, for which
/// their guides ask this on `*`: the ids are not known before.
const ENTERS_NETWORKS: [&str; 4] = ["codebuild", "firehose", "pipes", "sagemaker"];

/// Whether the action removes a network interface, which has to be free.
fn is_interface_removal(action: Action<'_>) -> bool {
    action.service().prefix() == "ec2" && action.name() == "DeleteNetworkInterface"
}

/// What stands for the service accounts of a cluster.
const CLUSTER: &str = "eks";

impl Usual {
    /// Whether every holder is a role of a service to whose roles AWS grants the action on `*`, or the
    /// document that of a controller that is published with it.
    pub(crate) fn is_usual(
        &mut self,
        cx: &Context<'_>,
        grant: &Grant<'_>,
        action: Action<'_>,
    ) -> bool {
        if is_published(grant, action) {
            return true;
        }
        !grant.holders.is_empty()
            && grant.holders.iter().all(|holder| {
                let labels = labels(cx, holder.id);
                let interface = is_interface_removal(action);
                !labels.is_empty()
                    && labels.iter().all(|label| {
                        interface && ENTERS_NETWORKS.contains(&label.as_str())
                            || self.of(label, action)
                    })
            })
    }

    fn of(&mut self, label: &str, action: Action<'_>) -> bool {
        let called = CALLED.iter().find(|(own, _)| *own == label);
        let label = called.map_or(label, |(_, name)| name);
        let policies = self
            .policies
            .entry(label.to_owned())
            .or_insert_with(|| policies(label));
        *self
            .granted
            .entry((label.to_owned(), action.id()))
            .or_insert_with(|| is_granted(label, policies, action))
    }
}

/// The services that assume a role, by first label; nothing where others may too.
fn labels(cx: &Context<'_>, role: IdentityId) -> Vec<String> {
    let Some((_, trust)) = cx.access.trust(role) else {
        return Vec::new();
    };
    let mut labels: Vec<String> = Vec::new();
    for statement in trust.document.allows() {
        if federation::accepts_service_accounts(statement) {
            labels.push(CLUSTER.to_owned());
            continue;
        }
        // Who else a caller of the module lets in is not what this code writes the policy for.
        if statement.principals.listed().open && statement.principals.iter().next().is_none() {
            continue;
        }
        for principal in &statement.principals {
            match principal.service() {
                Some(service) if service == "pods.eks.amazonaws.com" => {
                    labels.push(CLUSTER.to_owned());
                }
                Some(service) if service == "ec2.amazonaws.com" && is_node(cx, role) => {
                    labels.push(CLUSTER.to_owned());
                }
                Some(service) => labels.extend(service.split('.').next().map(str::to_owned)),
                None => return Vec::new(),
            }
        }
    }
    labels
}

/// Whether the role is one of nodes of a cluster: it has the policy that AWS wrote for those.
fn is_node(cx: &Context<'_>, role: IdentityId) -> bool {
    cx.access.policies(role).iter().any(|attached| {
        matches!(&attached.source, AttachedSource::AwsManaged { name, .. } if name == "AmazonEKSWorkerNodePolicy")
    })
}

/// What the policy that AWS publishes for its load balancer controller grants on `*`, where nothing narrower
/// is possible. Source: kubernetes-sigs/aws-load-balancer-controller, `docs/install/iam_policy.json`.
const LOAD_BALANCER_CONTROLLER: [&str; 18] = [
    "ec2:authorizesecuritygroupingress",
    "ec2:revokesecuritygroupingress",
    "elasticloadbalancing:addlistenercertificates",
    "elasticloadbalancing:deletelistener",
    "elasticloadbalancing:deleterule",
    "elasticloadbalancing:deregistertargets",
    "elasticloadbalancing:modifylistener",
    "elasticloadbalancing:modifyrule",
    "elasticloadbalancing:registertargets",
    "elasticloadbalancing:removelistenercertificates",
    "elasticloadbalancing:setrulepriorities",
    "elasticloadbalancing:setwebacl",
    "shield:createprotection",
    "shield:deleteprotection",
    "waf-regional:associatewebacl",
    "waf-regional:disassociatewebacl",
    "wafv2:associatewebacl",
    "wafv2:disassociatewebacl",
];

/// What tells the document of the load balancer controller from others.
const MARKS_OF_CONTROLLER: [&str; 2] = [
    "elasticloadbalancing:setwebacl",
    "waf-regional:associatewebacl",
];

/// Whether the document is that of the controller and the action one of those.
fn is_published(grant: &Grant<'_>, action: Action<'_>) -> bool {
    let name = action.to_string().to_ascii_lowercase();
    let lists = |name: &&str| {
        let mut allows = grant.document.document.allows();
        allows.any(|statement| statement.actions.select(name) == Answer::Must)
    };
    LOAD_BALANCER_CONTROLLER.contains(&name.as_str()) && MARKS_OF_CONTROLLER.iter().all(lists)
}

/// How policies of AWS name a service whose principal has another name.
const CALLED: [(&str, &str); 3] = [
    ("dlm", "datalifecyclemanager"),
    // Functions at the edge run with the roles of functions.
    ("edgelambda", "lambda"),
    ("fis", "faultinjectionsimulator"),
];

/// The policies for instances, which run anybody's code: older ones grant whole services.
const OF_INSTANCES: [&str; 2] = [
    "AmazonEC2ContainerServiceforEC2Role",
    "AmazonSSMManagedInstanceCore",
];

/// What the roles of a service may besides what AWS's policies for them say.
const BESIDES: [(&str, &str, &str); 2] = [
    // The policy template `VPCAccessPolicy` of SAM has it.
    ("lambda", "ec2", "DetachNetworkInterface"),
    // Text messages go to numbers, which are no resources. Source: Amazon Cognito, "SMS message
    // settings for user pools".
    ("cognito-idp", "sns", "Publish"),
];

/// AWS's policies for roles of a service.
fn policies(label: &str) -> Vec<ManagedPolicy<'static>> {
    catalog()
        .managed_policies()
        .filter(|policy| is_of(*policy, label))
        .collect()
}

/// Whether one of the policies for roles of a service grants the action on everything.
fn is_granted(label: &str, policies: &[ManagedPolicy<'static>], action: Action<'_>) -> bool {
    let service = action.service().prefix();
    let besides = BESIDES
        .iter()
        .any(|(of, prefix, name)| label == *of && service == *prefix && action.name() == *name);
    let prefix = format!("{service}:");
    besides
        || policies
            .iter()
            .filter(|policy| mentions(**policy, &prefix))
            .any(|policy| {
                managed_document(*policy)
                    .allows()
                    .any(|one| grants(one, action))
            })
}

/// Whether something of the service, or everything, stands in the policy: a look at its text, as most
/// are never read.
fn mentions(policy: ManagedPolicy<'_>, prefix: &str) -> bool {
    let text = policy.document();
    text.contains(prefix) || text.contains("\"*:") || text.contains("\"Action\":\"*\"")
}

fn grants(statement: &Statement, action: Action<'_>) -> bool {
    !statement.actions.listed().negated
        && !statement.conditions.narrows().possible()
        && statement.actions.selected().0.contains(action.id())
        && (statement.resources.covers_all() == Answer::Must
            || grants::wide(statement, action) == Some(Wide::Account))
}

/// Whether AWS keeps the policy for roles of the service.
fn is_of(policy: ManagedPolicy<'_>, label: &str) -> bool {
    let name = policy.name().to_ascii_lowercase();
    match label {
        // Controllers that run in the cluster: AWS names their policies after it or the driver.
        CLUSTER => name.starts_with("amazoneks") || name.contains("csidriver"),
        "ec2" => OF_INSTANCES.contains(&policy.name()),
        _ => {
            // `ecs-tasks` and `ecs` have their roles in policies with `ECS` in the name.
            let word = label.split('-').next().unwrap_or_default();
            let named = name.contains(word)
                || name.contains(&label.replace('-', ""))
                || (word == "ecs" && name.contains("containerservice"));
            let path = policy.path_and_name();
            let linked = path.starts_with("aws-service-role/") && ACTS_ITSELF.contains(&label);
            let of_roles = path.starts_with("service-role/") || linked;
            let titled = !path.contains('/') && name.starts_with(&format!("aws{word}rolefor"));
            word.len() >= 3 && named && (of_roles || titled)
        }
    }
}
