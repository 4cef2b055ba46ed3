//! The scene of a row: a caller with its rights, what it acts on, and the state that the row needs.
//!
//! Invariant: what is won is administrator; nothing else in the scene gives the caller a right.

use super::super::rows::{Plan, Select, rows};
use super::super::target;
use super::permission_set;
use overgrant_catalog::{Gain, Precondition, Target, TargetKind};
use overgrant_ir::{Format, Mode, Resource};
use overgrant_value::{Guard, Src, Sym, Text, Val, json};

/// How a scene differs from the one that walks the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// Without the leg of this group.
    Leg(usize),
    /// Without what the precondition needs.
    State(Precondition),
    /// Without the trust of the passed role in the service.
    Trust,
    /// Rights in an inline and a managed policy.
    Split,
    /// Rights of a user and of its group.
    Group,
    /// A Deny of the first leg.
    Deny,
    /// A boundary without the rights.
    Narrow,
    /// A boundary with all rights.
    Wide,
}

pub(super) struct Scene {
    pub(super) terraform: bool,
    resources: Vec<Resource>,
}

fn parse(text: &str) -> Val {
    json::parse(&Text::known(text)).unwrap()
}

pub(super) fn document(statements: &[String]) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    )
}

/// The property of a template that lists the holders of a policy.
fn title(kind: &str) -> &'static str {
    match kind {
        "role" => "Roles",
        "user" => "Users",
        _ => "Groups",
    }
}

pub(super) fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#)
}

pub(super) const EVERYTHING: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

impl Scene {
    pub(super) fn add(
        &mut self,
        terraform: &str,
        cloudformation: &str,
        name: &str,
        attrs: (&str, &str),
    ) {
        let (kind, text) = if self.terraform {
            (terraform, attrs.0)
        } else {
            (cloudformation, attrs.1)
        };
        self.with(kind, name, parse(text));
    }

    fn with(&mut self, kind: &str, name: &str, attrs: Val) {
        assert!(!kind.is_empty(), "no such type in this format: {name}");
        self.resources.push(Resource {
            root: "r".into(),
            address: format!("{kind}.{name}").into(),
            kind: kind.into(),
            mode: Mode::Managed,
            format: if self.terraform {
                Format::Terraform
            } else {
                Format::CloudFormation
            },
            logical_id: None,
            origin: None,
            maker: overgrant_ir::Maker::Author,
            attrs,
            src: Src::none(),
            name_src: Src::none(),
            guard: Guard::always(),
            maybe: false,
        });
    }

    /// A role that trusts services, its own account, and more.
    fn role(
        &mut self,
        name: &str,
        services: &[&str],
        account: bool,
        more: &str,
        boundary: Option<&str>,
    ) {
        let text = |text: &str| Val::str(text, Src::none());
        let mut statements: Vec<Val> = services
            .iter()
            .map(|service| {
                parse(&format!(
                    r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"Service":"{service}"}}}}"#
                ))
            })
            .collect();
        if account {
            let own = Val::text(Text::hole(Sym::Account, Src::none()), Src::none());
            statements.push(Val::object(
                vec![
                    ("Effect", text("Allow")),
                    ("Action", text("sts:AssumeRole")),
                    ("Principal", Val::object(vec![("AWS", own)], Src::none())),
                ],
                Src::none(),
            ));
        }
        if !more.is_empty() {
            statements.push(parse(more));
        }
        let trust = Val::object(
            vec![("Statement", Val::tuple(statements, Src::none()))],
            Src::none(),
        );
        let (kind, names) = if self.terraform {
            (
                "aws_iam_role",
                ["name", "assume_role_policy", "permissions_boundary"],
            )
        } else {
            (
                "AWS::IAM::Role",
                [
                    "RoleName",
                    "AssumeRolePolicyDocument",
                    "PermissionsBoundary",
                ],
            )
        };
        let mut fields = vec![(names[0], text(name)), (names[1], trust)];
        if let Some(boundary) = boundary {
            fields.push((names[2], text(boundary)));
        }
        self.with(kind, name, Val::object(fields, Src::none()));
    }

    fn user(&mut self, name: &str, login: bool, boundary: bool) {
        let bound = |key: &str| {
            if boundary {
                format!(r#","{key}":"bound""#)
            } else {
                String::new()
            }
        };
        let profile = if login {
            r#","LoginProfile":{"Password":"x"}"#
        } else {
            ""
        };
        self.add(
            "aws_iam_user",
            "AWS::IAM::User",
            name,
            (
                &format!(r#"{{"name":"{name}"{}}}"#, bound("permissions_boundary")),
                &format!(
                    r#"{{"UserName":"{name}"{profile}{}}}"#,
                    bound("PermissionsBoundary")
                ),
            ),
        );
        if login && self.terraform {
            self.add(
                "aws_iam_user_login_profile",
                "",
                name,
                (&format!(r#"{{"user":"{name}"}}"#), ""),
            );
        }
    }

    fn group(&mut self, name: &str, member: Option<&str>) {
        self.add(
            "aws_iam_group",
            "AWS::IAM::Group",
            name,
            (
                &format!(r#"{{"name":"{name}"}}"#),
                &format!(r#"{{"GroupName":"{name}"}}"#),
            ),
        );
        if let Some(user) = member {
            self.add(
                "aws_iam_user_group_membership",
                "AWS::IAM::UserToGroupAddition",
                name,
                (
                    &format!(r#"{{"user":"{user}","groups":["{name}"]}}"#),
                    &format!(r#"{{"GroupName":"{name}","Users":["{user}"]}}"#),
                ),
            );
        }
    }

    /// An inline policy of a `role`, `user` or `group`.
    fn inline(&mut self, kind: &str, name: &str, policy: &str, statements: &[String]) {
        let document = document(statements);
        let title = title(kind);
        let terraform = format!("aws_iam_{kind}_policy");
        self.add(
            &terraform,
            "AWS::IAM::Policy",
            policy,
            (
                &format!(r#"{{"{kind}":"{name}","policy":{document:?}}}"#),
                &format!(r#"{{"{title}":["{name}"],"PolicyDocument":{document}}}"#),
            ),
        );
    }

    /// A managed policy, attached.
    pub(super) fn managed(
        &mut self,
        kind: &str,
        holder: Option<&str>,
        policy: &str,
        statements: &[String],
    ) {
        let document = document(statements);
        let title = title(kind);
        let attached = holder.map_or(String::new(), |name| format!(r#","{title}":["{name}"]"#));
        self.add(
            "aws_iam_policy",
            "AWS::IAM::ManagedPolicy",
            policy,
            (
                &format!(r#"{{"name":"{policy}","policy":{document:?}}}"#),
                &format!(
                    r#"{{"ManagedPolicyName":"{policy}","PolicyDocument":{document}{attached}}}"#
                ),
            ),
        );
        if let Some(name) = holder.filter(|_| self.terraform) {
            let attachment = format!("aws_iam_{kind}_policy_attachment");
            let attrs = format!(r#"{{"{kind}":"{name}","policy_arn":"{policy}"}}"#);
            self.add(&attachment, "", policy, (&attrs, ""));
        }
    }

    fn profile(&mut self) {
        self.add(
            "aws_iam_instance_profile",
            "AWS::IAM::InstanceProfile",
            "profile",
            (
                r#"{"name":"profile","role":"target"}"#,
                r#"{"InstanceProfileName":"profile","Roles":["target"]}"#,
            ),
        );
    }

    /// Something of the kind that an action changes, with the role `target`.
    fn workload(&mut self, action: &str, batch: bool) -> bool {
        let Some(kind) = target::kinds(action).first() else {
            return true;
        };
        let (batches, cfn_batches) = if batch {
            (
                r#","build_batch_config":[{"service_role":"target"}]"#,
                r#","BuildBatchConfig":{"ServiceRole":"target"}"#,
            )
        } else {
            ("", "")
        };
        let project = format!(r#"{{"name":"f","service_role":"target"{batches}}}"#);
        let cfn_project = format!(r#"{{"Name":"f","ServiceRole":"target"{cfn_batches}}}"#);
        let (terraform, cloudformation, attrs): (&str, &str, (&str, &str)) = match *kind {
            "lambdafunction" => (
                "aws_lambda_function",
                "AWS::Lambda::Function",
                (
                    r#"{"function_name":"f","role":"target"}"#,
                    r#"{"FunctionName":"f","Role":"target"}"#,
                ),
            ),
            "codebuildproject" => (
                "aws_codebuild_project",
                "AWS::CodeBuild::Project",
                (&project, &cfn_project),
            ),
            "sfnstatemachine" => (
                "aws_sfn_state_machine",
                "AWS::StepFunctions::StateMachine",
                (
                    r#"{"name":"f","role_arn":"target"}"#,
                    r#"{"StateMachineName":"f","RoleArn":"target"}"#,
                ),
            ),
            "apprunnerservice" => (
                "aws_apprunner_service",
                "AWS::AppRunner::Service",
                (
                    r#"{"service_name":"f","instance_configuration":[{"instance_role_arn":"target"}]}"#,
                    r#"{"ServiceName":"f","InstanceConfiguration":{"InstanceRoleArn":"target"}}"#,
                ),
            ),
            "instance" => (
                "aws_instance",
                "AWS::EC2::Instance",
                (
                    r#"{"iam_instance_profile":"profile"}"#,
                    r#"{"IamInstanceProfile":"profile"}"#,
                ),
            ),
            "launchtemplate" => (
                "aws_launch_template",
                "AWS::EC2::LaunchTemplate",
                (
                    r#"{"name":"f","iam_instance_profile":[{"name":"profile"}]}"#,
                    r#"{"LaunchTemplateName":"f","LaunchTemplateData":{"IamInstanceProfile":{"Name":"profile"}}}"#,
                ),
            ),
            "ecstaskdefinition" => (
                "aws_ecs_task_definition",
                "AWS::ECS::TaskDefinition",
                (
                    r#"{"family":"f","task_role_arn":"target"}"#,
                    r#"{"Family":"f","TaskRoleArn":"target"}"#,
                ),
            ),
            "batchjobdefinition" => (
                "aws_batch_job_definition",
                "AWS::Batch::JobDefinition",
                (
                    r#"{"name":"f","container_properties":"{\"jobRoleArn\":\"target\"}"}"#,
                    r#"{"JobDefinitionName":"f","ContainerProperties":{"JobRoleArn":"target"}}"#,
                ),
            ),
            "codedeploydeploymentgroup" => (
                "aws_codedeploy_deployment_group",
                "AWS::CodeDeploy::DeploymentGroup",
                (
                    r#"{"deployment_group_name":"f","service_role_arn":"target"}"#,
                    r#"{"DeploymentGroupName":"f","ServiceRoleArn":"target"}"#,
                ),
            ),
            "gluedevendpoint" => (
                "aws_glue_dev_endpoint",
                "AWS::Glue::DevEndpoint",
                (
                    r#"{"name":"f","role_arn":"target"}"#,
                    r#"{"EndpointName":"f","RoleArn":"target"}"#,
                ),
            ),
            "gluejob" => (
                "aws_glue_job",
                "AWS::Glue::Job",
                (
                    r#"{"name":"f","role_arn":"target"}"#,
                    r#"{"Name":"f","Role":"target"}"#,
                ),
            ),
            "sagemakernotebookinstance" => (
                "aws_sagemaker_notebook_instance",
                "AWS::SageMaker::NotebookInstance",
                (
                    r#"{"name":"f","role_arn":"target"}"#,
                    r#"{"NotebookInstanceName":"f","RoleArn":"target"}"#,
                ),
            ),
            "sagemakerdomain" => (
                "aws_sagemaker_domain",
                "AWS::SageMaker::Domain",
                (
                    r#"{"domain_name":"f","default_user_settings":[{"execution_role":"target"}]}"#,
                    r#"{"DomainName":"f","DefaultUserSettings":{"ExecutionRole":"target"}}"#,
                ),
            ),
            "bedrockagentcorecodeinterpreter" => (
                "aws_bedrockagentcore_code_interpreter",
                "AWS::BedrockAgentCore::CodeInterpreterCustom",
                (
                    r#"{"execution_role_arn":"target"}"#,
                    r#"{"ExecutionRoleArn":"target"}"#,
                ),
            ),
            "bedrockagentcorebrowser" => (
                "aws_bedrockagentcore_browser",
                "AWS::BedrockAgentCore::BrowserCustom",
                (
                    r#"{"execution_role_arn":"target"}"#,
                    r#"{"ExecutionRoleArn":"target"}"#,
                ),
            ),
            "bedrockagentcoreagentruntime" => (
                "aws_bedrockagentcore_agent_runtime",
                "AWS::BedrockAgentCore::Runtime",
                (r#"{"role_arn":"target"}"#, r#"{"RoleArn":"target"}"#),
            ),
            "cloudformationstackset" => (
                "aws_cloudformation_stack_set",
                "AWS::CloudFormation::StackSet",
                (
                    r#"{"name":"f","administration_role_arn":"target"}"#,
                    r#"{"StackSetName":"f","AdministrationRoleARN":"target"}"#,
                ),
            ),
            "schedulerschedule" => (
                "aws_scheduler_schedule",
                "AWS::Scheduler::Schedule",
                (
                    r#"{"name":"f","target":[{"role_arn":"target"}]}"#,
                    r#"{"Name":"f","Target":{"RoleArn":"target"}}"#,
                ),
            ),
            "amplifyapp" => (
                "aws_amplify_app",
                "AWS::Amplify::App",
                (
                    r#"{"name":"f","compute_role_arn":"target"}"#,
                    r#"{"Name":"f","ComputeRoleArn":"target"}"#,
                ),
            ),
            // Nested stacks of templates take the role of the stack that holds them.
            "cloudformationstack" => (
                "aws_cloudformation_stack",
                "",
                (r#"{"name":"f","iam_role_arn":"target"}"#, ""),
            ),
            "mwaaenvironment" => (
                "aws_mwaa_environment",
                "AWS::MWAA::Environment",
                (
                    r#"{"name":"f","execution_role_arn":"target"}"#,
                    r#"{"Name":"f","ExecutionRoleArn":"target"}"#,
                ),
            ),
            "ekspodidentityassociation" => (
                "aws_eks_pod_identity_association",
                "AWS::EKS::PodIdentityAssociation",
                (r#"{"role_arn":"target"}"#, r#"{"RoleArn":"target"}"#),
            ),
            "servicecatalogconstraint" => (
                "aws_servicecatalog_constraint",
                "AWS::ServiceCatalog::LaunchRoleConstraint",
                (
                    r#"{"parameters":"{\"RoleArn\":\"target\"}"}"#,
                    r#"{"RoleArn":"target"}"#,
                ),
            ),
            "cloud9environmentec2" => return true,
            other => panic!("no sample of {other}"),
        };
        if terraform.is_empty() && self.terraform || cloudformation.is_empty() && !self.terraform {
            return false;
        }
        self.add(terraform, cloudformation, "f", attrs);
        true
    }
}

/// The caller is a user where the row says so, or where a group is to give the rights.
fn is_user(plan: &Plan, change: Change) -> bool {
    plan.path.caller == overgrant_catalog::Caller::User || change == Change::Group
}

/// The resources of a scene; `None` where the format cannot hold them.
pub(super) fn scene(plan: &Plan, terraform: bool, change: Change) -> Option<Vec<Resource>> {
    let path = plan.path;
    let mut scene = Scene {
        terraform,
        resources: Vec::new(),
    };
    let has = |one: Precondition| plan.needs(one) && change != Change::State(one);
    let caller = if is_user(plan, change) {
        "user"
    } else {
        "role"
    };
    let bounded = matches!(change, Change::Narrow | Change::Wide)
        || path.id != "PE-IAM-023"
            && path.gain == Gain::Guardrail
            && !plan.needs(Precondition::PolicyCarriesDeny)
            && !plan.needs(Precondition::ManagementAccount)
            && change != Change::State(Precondition::PolicyIsBoundary);
    // Rows whose role has a name of its own.
    let strong = match plan.path.id {
        "PE-ORG-ACCESSROLE" if has(Precondition::ManagementAccount) => {
            "OrganizationAccountAccessRole"
        }
        "PE-CDK-DEPLOYROLE" if has(Precondition::CdkBootstrapPresent) => {
            "cdk-hnb659fds-deploy-role-111122223333-eu-west-1"
        }
        _ => "target",
    };
    let own_target = has(Precondition::TargetIsCaller);
    let named = |target: Target| match target.kind {
        TargetKind::Role if own_target => format!("arn:aws:iam::*:{caller}/caller"),
        TargetKind::Role if target.index > 1 => "arn:aws:iam::*:role/second".to_owned(),
        TargetKind::Role => format!("arn:aws:iam::*:role/{strong}"),
        TargetKind::User if own_target => "arn:aws:iam::*:user/caller".to_owned(),
        TargetKind::User => "arn:aws:iam::*:user/target".to_owned(),
        TargetKind::Group => "arn:aws:iam::*:group/target".to_owned(),
        TargetKind::Policy
            if path.category == overgrant_catalog::Category::GuardrailRemoval
                && !plan.needs(Precondition::PolicyIsBoundary) =>
        {
            "*".to_owned()
        }
        TargetKind::Policy if plan.needs(Precondition::PolicyIsBoundary) => {
            "arn:aws:iam::*:policy/bound".to_owned()
        }
        TargetKind::Policy => "arn:aws:iam::*:policy/attached".to_owned(),
        TargetKind::Existing | TargetKind::New | TargetKind::Any => "*".to_owned(),
    };
    // The legs in the order of the row's groups.
    let mut legs: Vec<String> = Vec::new();
    for (group, at) in plan.actions.iter().enumerate() {
        let (action, _) = rows().actions[*at];
        let leg = path.legs[group]
            .iter()
            .find(|leg| leg.action == action)
            .unwrap();
        if change != Change::Leg(group) {
            legs.push(allow(action, &named(leg.target)));
        }
    }
    if change == Change::Deny {
        let (action, _) = rows().actions[plan.actions[0]];
        legs.push(format!(
            r#"{{"Effect":"Deny","Action":"{action}","Resource":"*"}}"#
        ));
    }
    // The caller.
    let set = has(Precondition::PermissionSetAssignedToCaller);
    if set && change == Change::Group {
        return None;
    } else if set {
        permission_set::add(&mut scene, &legs, change);
    } else if caller == "user" {
        scene.user("caller", false, bounded);
    } else {
        let bound = bounded.then_some("bound");
        scene.role("caller", &["ec2.amazonaws.com"], false, "", bound);
    }
    let half = legs.len() / 2;
    match change {
        _ if set => {}
        Change::Split => {
            scene.inline(caller, "caller", "one", &legs[..half]);
            scene.managed(caller, Some("caller"), "two", &legs[half..]);
        }
        Change::Group => {
            scene.group("helpers", Some("caller"));
            scene.inline("group", "helpers", "one", &legs[..half]);
            scene.inline("user", "caller", "two", &legs[half..]);
        }
        _ => scene.inline(caller, "caller", "one", &legs),
    }
    if bounded && !set {
        let rights = match change {
            Change::Narrow => allow("s3:GetObject", "*"),
            Change::Wide => EVERYTHING.to_owned(),
            // A limit that leaves the way itself open.
            _ => r#"{"Effect":"Allow","Action":["iam:*","sts:*"],"Resource":"*"}"#.to_owned(),
        };
        scene.managed(caller, None, "bound", &[rights]);
    }
    // State.
    if has(Precondition::PolicyCarriesDeny) {
        let deny = r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#.to_owned();
        let (kind, holder) = if plan.needs(Precondition::GroupMember) {
            ("group", "target")
        } else {
            (caller, "caller")
        };
        let detached = plan
            .actions
            .iter()
            .any(|at| rows().actions[*at].0.contains(":Detach"));
        if detached {
            scene.managed(kind, Some(holder), "deny", &[deny]);
        } else {
            scene.inline(kind, holder, "deny", &[deny]);
        }
    }
    if has(Precondition::PolicyAttached) {
        scene.managed(
            caller,
            Some("caller"),
            "attached",
            &[allow("s3:ListBucket", "*")],
        );
    } else if plan.needs(Precondition::PolicyAttached) {
        scene.managed(caller, None, "attached", &[allow("s3:ListBucket", "*")]);
    }
    if plan.needs(Precondition::PolicyAttachedToTarget) {
        let holder = has(Precondition::PolicyAttachedToTarget).then_some("target");
        scene.managed("role", holder, "attached", &[allow("s3:ListBucket", "*")]);
    }
    // What is acted on.
    let kinds: Vec<Target> = plan.letters.iter().map(|(target, _)| *target).collect();
    let on = |kind: TargetKind, index: u8| kinds.contains(&Target { kind, index });
    let mut services: Vec<&str> = Vec::new();
    if change != Change::Trust {
        services.extend(path.services_any.first());
        services.extend(
            path.services_all
                .iter()
                .filter(|one| one.role.index == 1)
                .map(|one| one.principal),
        );
    }
    let cognito = if has(Precondition::RoleTrustsIdentityPool) {
        r#"{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"cognito-identity.amazonaws.com"}}"#
    } else if has(Precondition::RoleTrustsProvider) {
        r#"{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/example.com"}}"#
    } else {
        ""
    };
    let trusts = has(Precondition::RoleTrustsCaller);
    // One row takes the limit off the role that is assumed.
    let limited = (path.id == "PE-IAM-023").then_some("limit");
    scene.role(strong, &services, trusts, cognito, limited);
    if limited.is_some() {
        scene.managed("role", None, "limit", &[allow("iam:*", "*")]);
    }
    scene.inline("role", strong, "strong", &[EVERYTHING.to_owned()]);
    if on(TargetKind::Role, 2) {
        let second: Vec<&str> = path
            .services_all
            .iter()
            .filter(|one| one.role.index == 2)
            .map(|one| one.principal)
            .collect();
        scene.role("second", &second, false, "", None);
    }
    if on(TargetKind::User, 1) && !own_target {
        let login = has(Precondition::UserHasLoginProfile)
            || change == Change::State(Precondition::UserWithoutLoginProfile);
        scene.user("target", login, false);
        scene.inline("user", "target", "strong-user", &[EVERYTHING.to_owned()]);
        if has(Precondition::UserHasTwoKeys) {
            for key in ["k1", "k2"] {
                scene.add(
                    "aws_iam_access_key",
                    "AWS::IAM::AccessKey",
                    key,
                    (r#"{"user":"target"}"#, r#"{"UserName":"target"}"#),
                );
            }
        }
    }
    if on(TargetKind::Group, 1) {
        let member = has(Precondition::GroupMember).then_some("caller");
        scene.group("target", member);
        if !plan.needs(Precondition::GroupMember) {
            scene.inline("group", "target", "strong-group", &[EVERYTHING.to_owned()]);
        }
    }
    let instance = plan.on(TargetKind::Existing).first().is_some_and(|action| {
        target::kinds(action)
            .iter()
            .any(|kind| kind.ends_with("instance") || kind.ends_with("launchtemplate"))
    });
    let unprofiled = change == Change::State(Precondition::InstanceProfilePresent);
    if has(Precondition::InstanceProfilePresent) || instance && !unprofiled {
        scene.profile();
    }
    if has(Precondition::InstanceManagedBySsm) {
        scene.inline(
            "role",
            "target",
            "managed-instance",
            &[allow("ssm:UpdateInstanceInformation", "*")],
        );
    }
    if change == Change::State(Precondition::InstanceManagedBySsm) {
        scene
            .resources
            .retain(|one| !one.address.ends_with(".strong"));
    }
    let bound = [
        Precondition::ComputeBoundToRole,
        Precondition::ServiceRolePresent,
        Precondition::LaunchRolePresent,
    ];
    let removed = bound.iter().any(|one| change == Change::State(*one));
    if let (Some(action), false) = (plan.on(TargetKind::Existing).first(), removed) {
        let batch = has(Precondition::BatchConfigured);
        if !scene.workload(action, batch) && plan.select == Select::Existing {
            return None;
        }
    }
    Some(scene.resources)
}
