//! What AWS itself grants on everything to roles of a service, and to controllers that it publishes.
//!
//! Not for what is good: roles that run anybody's code are no model for each other. Invariant: every holder
//! of the statement is such a role, or the document is the published one.

use crate::grants::{self, Grant, Wide};
use crate::whole::{self, Whole};
use crate::{Context, federation};
use overgrant_access::AttachedSource;
use overgrant_catalog::{Action, ActionId, ManagedPolicy, Service, catalog, published_policies};
use overgrant_finding::Severity;
use overgrant_ir::IdentityId;
use overgrant_policy::{Answer, Statement, managed_document};
use std::collections::BTreeMap;

/// Whether AWS's own service roles are granted an action on everything, by the first label of the
/// service principal (`lambda`), worked out when it is first asked for.
#[derive(Default)]
pub(crate) struct Usual {
    services: BTreeMap<String, OfService>,
}

/// AWS's policies for the roles of a service, and what was asked of them.
struct OfService {
    policies: Vec<ManagedPolicy<'static>>,
    granted: BTreeMap<ActionId, bool>,
}

/// Services that run nobody's code with the roles they assume: what AWS gives their service-linked
/// roles is what they need.
const ACTS_ITSELF: [&str; 3] = ["application-autoscaling", "autoscaling", "ecs"];

/// Services with whose roles code or calls of the customer run: a role is as strong as what it may do.
const RUNS_CODE: [&str; 36] = [
    "airflow",
    "airflow-env",
    "amplify",
    "appstream",
    "bedrock",
    "bedrock-agentcore",
    "braket",
    "build",
    "cloud9",
    "cloudformation",
    "codebuild",
    "codepipeline",
    "codestar",
    "credentials",
    "datapipeline",
    "ec2",
    "ecs-tasks",
    "edgelambda",
    "eks",
    "emr-containers",
    "emr-serverless",
    "events",
    "gamelift",
    "glue",
    "iot",
    "kinesisanalytics",
    "lambda",
    "omics",
    "pipes",
    "robomaker",
    "sagemaker",
    "scheduler",
    "servicecatalog",
    "ssm",
    "states",
    "tasks",
];

/// Services that make and remove interfaces of their own in a network of the customer, for which
/// their guides ask this on `*`: the ids are not known before.
const ENTERS_NETWORKS: [&str; 4] = ["codebuild", "firehose", "pipes", "sagemaker"];

/// Whether the action gives up a network interface (one has to be free to be deleted), an address of it
/// or what another account may do with it.
fn gives_up_interface(action: Action<'_>) -> bool {
    const GIVES_UP: [&str; 4] = [
        "DeleteNetworkInterface",
        "DeleteNetworkInterfacePermission",
        "UnassignIpv6Addresses",
        "UnassignPrivateIpAddresses",
    ];
    action.service().prefix() == "ec2" && GIVES_UP.contains(&action.name())
}

/// Whether it is about interfaces of its own that a service gives up: those of instances belong to whoever
/// runs them.
fn is_of_own_interface(grant: &Grant<'_>, labels: &[String], action: Action<'_>) -> bool {
    gives_up_interface(action)
        && !labels
            .iter()
            .any(|label| ["ec2", CLUSTER].contains(&label.as_str()))
        && (makes_interfaces(grant)
            || labels
                .iter()
                .all(|label| ENTERS_NETWORKS.contains(&label.as_str())))
}

/// Whether the document lets its holder make the interfaces that it may remove.
fn makes_interfaces(grant: &Grant<'_>) -> bool {
    const MAKES: &str = "ec2:CreateNetworkInterface";
    let mut allows = grant.document.document.allows();
    allows.any(|statement| statement.actions.select(MAKES) == Answer::Must)
}

/// Whether the action is what API Gateway asks of who makes a domain name: the distribution behind it belongs
/// to AWS and has no ARN to name. Source: Amazon API Gateway, "Set up an edge-optimized custom domain name".
fn is_for_domain_names(cx: &Context<'_>, grant: &Grant<'_>, action: Action<'_>) -> bool {
    const MAKES: &str = "apigateway:POST";
    let makes = |role: IdentityId| {
        let mut policies = cx.access.policies(role).iter();
        policies.any(|attached| {
            let mut allows = attached.document.allows();
            allows.any(|statement| statement.actions.select(MAKES) == Answer::Must)
        })
    };
    action.service().prefix() == "cloudfront"
        && action.name() == "UpdateDistribution"
        && !grant.holders.is_empty()
        && grant.holders.iter().all(|holder| makes(holder.id))
}

/// Whether the service is that of stacks, and every holder by its name the role that stack sets work with in an
/// account: AWS gives it `cloudformation:*` as the least. Source: AWS CloudFormation, "Set up advanced
/// permissions options for stack set operations".
fn is_for_stacks(grant: &Grant<'_>, service: Service<'static>) -> bool {
    let says = |name: String| {
        let name = name.to_ascii_lowercase().replace(['-', '_'], "");
        name.contains("stacksetexecution")
    };
    service.prefix() == "cloudformation"
        && !grant.holders.is_empty()
        && grant.holders.iter().all(|holder| {
            let role = holder.identity;
            says(role.name.to_string()) || says(role.place.address.to_string())
        })
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
        if is_published(grant, action) || is_for_domain_names(cx, grant, action) {
            return true;
        }
        self.every_holder(cx, grant, |usual, labels| {
            is_of_own_interface(grant, labels, action)
                || labels.iter().all(|label| usual.of(label, action))
        })
    }

    /// The same for an action that hands out rights: only where the service itself is all that acts.
    pub(crate) fn is_usual_of_service(
        &mut self,
        cx: &Context<'_>,
        grant: &Grant<'_>,
        action: Action<'_>,
    ) -> bool {
        self.every_holder(cx, grant, |usual, labels| {
            labels
                .iter()
                .all(|label| acts_itself(label) && usual.of(label, action))
        })
    }

    /// The services that a statement grants as a whole: low where they are the holders' own.
    pub(crate) fn whole_services<'a>(
        &mut self,
        cx: &Context<'_>,
        grant: &Grant<'a>,
    ) -> Vec<Whole<'a>> {
        let mut services = whole::services(grant);
        for one in &mut services {
            if one.severity == Severity::Medium
                && (is_for_stacks(grant, one.service)
                    || self.is_own_service(cx, grant, one.service))
            {
                one.severity = Severity::Low;
            }
        }
        services
    }

    /// Whether a whole service is granted to roles of just that service: it can do no more with them than
    /// it can anyway, or AWS grants it to all of them.
    fn is_own_service(
        &mut self,
        cx: &Context<'_>,
        grant: &Grant<'_>,
        service: Service<'static>,
    ) -> bool {
        self.every_holder(cx, grant, |usual, labels| {
            labels.iter().all(|label| {
                label == service.prefix()
                    && (acts_itself(label)
                        || service
                            .actions()
                            .filter_map(|id| catalog().action(ActionId(id)))
                            .filter(|action| grants::writes(*action))
                            .all(|action| usual.of(label, action)))
            })
        })
    }

    /// Whether there are holders, each a role of services only that the question is answered for.
    fn every_holder(
        &mut self,
        cx: &Context<'_>,
        grant: &Grant<'_>,
        mut holds: impl FnMut(&mut Self, &[String]) -> bool,
    ) -> bool {
        !grant.holders.is_empty()
            && grant.holders.iter().all(|holder| {
                let labels = labels(cx, holder.id);
                !labels.is_empty() && holds(self, &labels)
            })
    }

    fn of(&mut self, label: &str, action: Action<'_>) -> bool {
        if !self.services.contains_key(label) {
            let service = OfService {
                policies: policies(label),
                granted: BTreeMap::new(),
            };
            self.services.insert(label.to_owned(), service);
        }
        self.services.get_mut(label).is_some_and(|service| {
            let policies = &service.policies;
            *service
                .granted
                .entry(action.id())
                .or_insert_with(|| is_granted(label, policies, action))
        })
    }
}

/// Whether nothing but the service itself acts with its roles.
fn acts_itself(label: &str) -> bool {
    RUNS_CODE.binary_search(&label).is_err()
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

/// Whether the document is one that is published for a program and the action one of those on `*`.
fn is_published(grant: &Grant<'_>, action: Action<'_>) -> bool {
    let name = action.to_string().to_ascii_lowercase();
    let lists = |name: &&str| {
        let mut allows = grant.document.document.allows();
        allows.any(|statement| {
            let item = statement.actions.pattern_for(name);
            item.is_some_and(|item| {
                !item.pattern().has_wildcard() && item.matches(name) == Answer::Must
            })
        })
    };
    published_policies().iter().any(|entry| {
        entry.actions.binary_search(&name.as_str()).is_ok() && entry.marks.iter().all(lists)
    })
}

/// How policies of AWS name a service besides by its label.
const CALLED: [(&str, &str); 6] = [
    ("dlm", "datalifecyclemanager"),
    // Functions at the edge run with the roles of functions.
    ("edgelambda", "lambda"),
    ("elasticmapreduce", "emr"),
    ("events", "eventtarget"),
    ("fis", "faultinjectionsimulator"),
    ("vmie", "vmimportexport"),
];

/// The policies for instances, which run anybody's code: older ones grant whole services.
const OF_INSTANCES: [&str; 5] = [
    "AWSElasticBeanstalkWebTier",
    "AWSElasticDisasterRecoveryEc2InstancePolicy",
    "AWSPCSComputeNodePolicy",
    "AmazonEC2ContainerServiceforEC2Role",
    "AmazonSSMManagedInstanceCore",
];

/// The policies for agents that send telemetry from wherever code runs.
const OF_AGENTS: [&str; 2] = [
    "AmazonPrometheusRemoteWriteAccess",
    "CloudWatchAgentServerPolicy",
];

/// Policies for roles of a service that neither path nor name tells. Source for the last: Amazon SageMaker AI,
/// "How to use SageMaker AI execution roles".
const OF_ROLES: [(&str, &str); 2] = [
    (
        "servicecatalog",
        "AmazonSageMakerAdmin-ServiceCatalogProductsServiceRolePolicy",
    ),
    ("sagemaker", "AmazonSageMakerFullAccess"),
];

/// Where such agents run: on instances, in tasks and in clusters.
const RUNS_AGENTS: [&str; 3] = ["ec2", "ecs-tasks", CLUSTER];

/// What the roles of a service may besides what AWS's policies for them say.
const BESIDES: [(&str, &str, &str); 5] = [
    // Profiles for inference are made up as they are needed. Source: Amazon Bedrock, "Prerequisites for
    // inference profiles".
    ("bedrock", "bedrock", "DeleteInferenceProfile"),
    // Scaling by an alarm. Source: AWS CloudFormation, "Amazon ECS template snippets".
    ("application-autoscaling", "cloudwatch", "SetAlarmState"),
    // The policy template `VPCAccessPolicy` of SAM has it.
    ("edgelambda", "ec2", "DetachNetworkInterface"),
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
    if RUNS_AGENTS.contains(&label) && OF_AGENTS.contains(&policy.name()) {
        return true;
    }
    let name = policy.name().to_ascii_lowercase();
    if OF_ROLES.contains(&(label, policy.name())) {
        return true;
    }
    match label {
        // Controllers that run in the cluster: AWS names their policies after it or the driver.
        CLUSTER => name.starts_with("amazoneks") || name.contains("csidriver"),
        "ec2" => OF_INSTANCES.contains(&policy.name()),
        _ => is_named_after(policy, &name, label),
    }
}

/// Whether the name, in lower case, and the path say that it is for roles of the service.
fn is_named_after(policy: ManagedPolicy<'_>, name: &str, label: &str) -> bool {
    // `ecs-tasks` and `ecs` have their roles in policies with `ECS` in the name.
    let word = label.split('-').next().unwrap_or_default();
    let called = |other: &(&str, &str)| other.0 == label && name.contains(other.1);
    let named = name.contains(word)
        || name.contains(&label.replace('-', ""))
        || CALLED.iter().any(called)
        || (word == "ecs" && name.contains("containerservice"));
    let path = policy.path_and_name();
    let linked = path.starts_with("aws-service-role/") && ACTS_ITSELF.contains(&label);
    let of_roles = path.starts_with("service-role/") || linked;
    let titled = !path.contains('/') && is_titled(name, word, acts_itself(label));
    word.len() >= 3 && named && (of_roles || titled)
}

/// Whether a policy without a path has the title of one for roles of the service. Titles of policies for
/// roles that run code say as much of other roles.
fn is_titled(name: &str, word: &str, acts_itself: bool) -> bool {
    const TITLES: [&str; 4] = [
        "infrastructurerole",
        "rolepolicy",
        "serviceaccess",
        "servicerole",
    ];
    let own = name
        .strip_prefix("aws")
        .or_else(|| name.strip_prefix("amazon"));
    let Some(title) = own.and_then(|own| own.strip_prefix(word)) else {
        return false;
    };
    title.starts_with("rolefor") || acts_itself && TITLES.iter().any(|of| title.contains(of))
}
