//! `remote-exec-on-privileged-compute`: commands and sessions on something that runs with a stronger role.

use crate::escalate::{self, Allowed, Gain, Granted};
use crate::{Context, Family, Scope, names};
use overgrant_access::graph::COMMAND_DOCUMENTS;
use overgrant_catalog::EscalationPath;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId, Workload};
use overgrant_policy::Answer;
use overgrant_value::{Src, Sym, Text};

rule! {
    /// Principal can run commands where a stronger role is in force.
    ///
    /// It may open a session or send commands to an instance, task, notebook or agent of this code base whose
    /// role has rights that the principal lacks.
    ///
    /// ## Why
    /// Credentials of the role are there for every process of the instance or task. Who runs a command reads
    /// them and has the rights of the role, until the role is changed.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "runner" {
    ///   name = "runner"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "runner" {
    ///   role       = aws_iam_role.runner.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_instance_profile" "runner" {
    ///   name = "runner"
    ///   role = aws_iam_role.runner.name
    /// }
    /// resource "aws_instance" "runner" {
    ///   ami                  = "ami-0123456789abcdef0"
    ///   instance_type        = "t3.small"
    ///   iam_instance_profile = aws_iam_instance_profile.runner.name
    ///   metadata_options { http_tokens = "required" }
    /// }
    /// resource "aws_iam_user" "support" {
    ///   name = "support"
    /// }
    /// resource "aws_iam_user_policy" "support" {
    ///   user = aws_iam_user.support.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "ssm:SendCommand" # <-- here
    ///       Resource = "*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Runner:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: ec2.amazonaws.com } }
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    ///   Profile:
    ///     Type: AWS::IAM::InstanceProfile
    ///     Properties:
    ///       Roles: [!Ref Runner]
    ///   Instance:
    ///     Type: AWS::EC2::Instance
    ///     Properties:
    ///       ImageId: ami-0123456789abcdef0
    ///       IamInstanceProfile: !Ref Profile
    ///   Support:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       Policies:
    ///         - PolicyName: session
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: ssm:StartSession # <-- here
    ///                 Resource: !Sub arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*
    /// ```
    /// Ports, and no shell, are a lesser finding:
    /// ```cloudformation bad at:medium
    /// Resources:
    ///   Runner:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: ec2.amazonaws.com } }
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    ///   Profile:
    ///     Type: AWS::IAM::InstanceProfile
    ///     Properties:
    ///       Roles: [!Ref Runner]
    ///   Instance:
    ///     Type: AWS::EC2::Instance
    ///     Properties:
    ///       ImageId: ami-0123456789abcdef0
    ///       IamInstanceProfile: !Ref Profile
    ///   Support:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       Policies:
    ///         - PolicyName: session
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: ssm:StartSession # <-- here
    ///                 Resource:
    ///                   - arn:aws:ec2:*:*:instance/*
    ///                   - arn:aws:ssm:*::document/AWS-StartPortForwardingSession
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// resource "aws_iam_role" "runner" {
    ///   name = "runner"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "runner" {
    ///   role       = aws_iam_role.runner.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_instance_profile" "runner" {
    ///   name = "runner"
    ///   role = aws_iam_role.runner.name
    /// }
    /// resource "aws_instance" "runner" {
    ///   ami                  = "ami-0123456789abcdef0"
    ///   instance_type        = "t3.small"
    ///   iam_instance_profile = aws_iam_instance_profile.runner.name
    ///   metadata_options { http_tokens = "required" }
    /// }
    /// resource "aws_iam_user" "support" {
    ///   name = "support"
    /// }
    /// data "aws_iam_policy_document" "support" {
    ///   statement {
    ///     actions   = ["ssm:SendCommand"] # <-- here
    ///     resources = ["*"]
    ///   }
    /// }
    /// resource "aws_iam_user_policy" "support" {
    ///   user = aws_iam_user.support.name
    ///   policy = data.aws_iam_policy_document.support.json
    /// }
    /// ```
    /// ## Good
    /// Documents that run nothing of the caller's:
    /// ```terraform good also:managed-administratoraccess,compute-role-privileged,star-resource-on-scopable-write
    /// resource "aws_iam_role" "runner" {
    ///   name = "runner"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "runner" {
    ///   role       = aws_iam_role.runner.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_instance_profile" "runner" {
    ///   name = "runner"
    ///   role = aws_iam_role.runner.name
    /// }
    /// resource "aws_instance" "runner" {
    ///   ami                  = "ami-0123456789abcdef0"
    ///   instance_type        = "t3.small"
    ///   iam_instance_profile = aws_iam_instance_profile.runner.name
    ///   metadata_options { http_tokens = "required" }
    /// }
    /// resource "aws_iam_user" "support" {
    ///   name = "support"
    /// }
    /// resource "aws_iam_user_policy" "support" {
    ///   user = aws_iam_user.support.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "ssm:SendCommand"
    ///       Resource = ["arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:*::document/AWS-GatherSoftwareInventory"]
    ///     }]
    ///   })
    /// }
    /// ```
    /// Instances by tag:
    /// ```cloudformation good also:managed-administratoraccess,compute-role-privileged
    /// Resources:
    ///   Runner:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: ec2.amazonaws.com } }
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    ///   Profile:
    ///     Type: AWS::IAM::InstanceProfile
    ///     Properties:
    ///       Roles: [!Ref Runner]
    ///   Instance:
    ///     Type: AWS::EC2::Instance
    ///     Properties:
    ///       ImageId: ami-0123456789abcdef0
    ///       IamInstanceProfile: !Ref Profile
    ///   Support:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       Policies:
    ///         - PolicyName: session
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: ssm:StartSession
    ///                 Resource: !Sub arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*
    ///                 Condition:
    ///                   StringEquals: { ssm:resourceTag/team: web }
    /// ```
    /// An instance that Systems Manager does not manage:
    /// ```cloudformation good also:self-escalation-policy-write,star-resource-on-scopable-write,compute-role-privileged
    /// Resources:
    ///   Runner:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: ec2.amazonaws.com } }
    ///       Policies:
    ///         - PolicyName: iam
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - { Effect: Allow, Action: iam:PutRolePolicy, Resource: "*" }
    ///   Profile:
    ///     Type: AWS::IAM::InstanceProfile
    ///     Properties:
    ///       Roles: [!Ref Runner]
    ///   Instance:
    ///     Type: AWS::EC2::Instance
    ///     Properties:
    ///       ImageId: ami-0123456789abcdef0
    ///       IamInstanceProfile: !Ref Profile
    ///   Support:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       Policies:
    ///         - PolicyName: session
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: ssm:StartSession
    ///                 Resource: !Sub arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*
    /// ```
    /// ## How to fix
    /// Name the instances by tag and the documents that may run, and give what people log in to no role that is
    /// stronger than theirs.
    pub(crate) static REMOTE_EXEC_ON_PRIVILEGED_COMPUTE = Rule {
        id: "remote-exec-on-privileged-compute",
        family: Family::Escalation,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 250],
        aliases: &[],
        mappings: &[
            ("ATT&CK", "T1651"),
            ("ATT&CK", "T1021.007"),
            ("NIST", "AC-6(5)"),
            ("NIST", "AC-6(10)"),
            ("NIST", "AC-2(7)"),
        ],
        references: &[
            "https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-examples.html",
            "https://pathfinding.cloud",
        ],
        check: check,
    };
}

/// Documents of sessions with a shell; the first one is the account's own and the default.
const SHELLS: [&str; 3] = [
    "SSM-SessionManagerRunShell",
    "AWS-StartInteractiveCommand",
    "AWS-StartNonInteractiveCommand",
];

/// Documents of sessions that reach ports.
const PORTS: [&str; 3] = [
    "AWS-StartPortForwardingSession",
    "AWS-StartPortForwardingSessionToRemoteHost",
    "AWS-StartSSHSession",
];

struct Found<'a> {
    gain: Gain,
    workload: &'a Workload,
    role: &'a Identity,
    path: &'static EscalationPath,
    action: &'static str,
    allowed: Allowed<'a>,
    severity: Severity,
}

fn check(cx: &mut Context<'_>) {
    let mut granted = Granted::default();
    for (caller, identity) in escalate::callers(cx) {
        if escalate::is_exempt(cx, caller, identity) {
            continue;
        }
        for found in best(cx, &mut granted, caller) {
            finding(cx, identity, &found);
        }
    }
}

/// For each service whose actions reach something: the way that wins most.
fn best<'a>(cx: &Context<'a>, granted: &mut Granted, caller: IdentityId) -> Vec<Found<'a>> {
    let mut all: Vec<Found<'a>> = Vec::new();
    for (at, path, edge) in escalate::onto_workloads(cx, caller, "remote-exec-on-privileged-compute") {
        let rights = escalate::rights(cx, edge);
        let Some((action, allowed)) = rights.first().copied() else { continue };
        let (Some(workload), Some(id)) = (cx.model.workloads.get(at), cx.access.role_of(at)) else {
            continue;
        };
        let (Some(role), Some(_)) = (cx.model.identity(id), allowed.place) else { continue };
        let (Some(gain), Some(severity)) = (granted.gain(cx, caller, id), reach(cx, caller, action)) else {
            continue;
        };
        let found = Found { gain, workload, role, path, action, allowed, severity };
        let service = |action: &str| action.split(':').next().unwrap_or_default().to_owned();
        match all.iter_mut().find(|one| service(one.action) == service(action)) {
            Some(known) if (found.gain, found.severity) > (known.gain, known.severity) => *known = found,
            Some(_) => {}
            None => all.push(found),
        }
    }
    all
}

/// How much of a command line the caller gets by an action of Systems Manager: `None` where the
/// documents that it may use run nothing of its own. Other services have no documents. Source: AWS
/// Systems Manager, "Sample IAM policies for Session Manager".
fn reach(cx: &Context<'_>, caller: IdentityId, action: &str) -> Option<Severity> {
    let may = |name: &str| {
        let own = cx.access.allows(caller, action, Some(&document(name, true))).answer;
        own.or(cx.access.allows(caller, action, Some(&document(name, false))).answer) == Answer::Must
    };
    match action {
        "ssm:SendCommand" => COMMAND_DOCUMENTS.iter().any(|name| may(name)).then_some(Severity::High),
        "ssm:StartSession" => {
            let shell = SHELLS.iter().any(|name| may(name));
            if shell || !names_documents(cx, caller, action) {
                Some(Severity::High)
            } else {
                PORTS.iter().any(|name| may(name)).then_some(Severity::Medium)
            }
        }
        _ => Some(Severity::High),
    }
}

/// Whether some statement for the action lists documents: without one the default shell is free.
fn names_documents(cx: &Context<'_>, caller: IdentityId, action: &str) -> bool {
    let policies = cx.access.policies(caller).iter();
    policies.flat_map(|attached| attached.document.allows()).any(|statement| {
        statement.actions.select(action).possible()
            && SHELLS.iter().chain(&PORTS).any(|name| {
                [true, false]
                    .iter()
                    .any(|own| statement.resources.select(&document(name, *own)).possible())
            })
    })
}

/// The ARN of a document: of the account, or of AWS.
fn document(name: &str, own: bool) -> Text {
    let hole = |sym: Sym| Text::hole(sym, Src::none());
    let account = if own { hole(Sym::Account) } else { Text::known("") };
    Text::known("arn:")
        .concat(&hole(Sym::Partition))
        .concat(&Text::known(":ssm:"))
        .concat(&hole(Sym::Region))
        .concat(&Text::known(":"))
        .concat(&account)
        .concat(&Text::known(&format!(":document/{name}")))
}

fn finding(cx: &mut Context<'_>, caller: &Identity, found: &Found<'_>) {
    let Some(place) = found.allowed.place else { return };
    let what = &found.workload.place.address;
    let end = match found.gain {
        Gain::Admin => "and so become administrator",
        Gain::More => "and so take on its rights",
    };
    let how = if found.severity == Severity::High { "run commands on" } else { "reach ports of" };
    let text = format!(
        "{} can {how} `{what}` with role `{}` {end}",
        names::identity(caller),
        names::plain(found.role)
    );
    let report = cx
        .finding(place, &found.allowed.action_src(found.action), text)
        .statement(found.allowed.statement)
        .severity(found.severity)
        .confidence(escalate::confidence(found.path))
        .related(
            &found.workload.role.src,
            format!("`{what}` runs with `{}`", names::plain(found.role)),
            Some(&found.workload.place),
        )
        .related(&found.role.place.name_src, "the role that is won", Some(&found.role.place))
        .principal(&caller.place)
        .path(found.path.id)
        .help("name the instances by tag and the documents that may run");
    cx.report(report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, inline, trusting};

    fn found(policy: &str) -> Vec<Severity> {
        let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        Scene::new()
            .resource("aws_iam_role", "vm", &trusting("vm", r#"{"Service":"ec2.amazonaws.com"}"#))
            .resource("aws_iam_role_policy", "vm", &inline("vm", all))
            .resource("aws_iam_instance_profile", "vm", r#"{"name":"vm","role":"vm"}"#)
            .resource("aws_instance", "vm", r#"{"iam_instance_profile":"vm"}"#)
            .resource("aws_iam_role", "ops", &trusting("ops", r#"{"Service":"lambda.amazonaws.com"}"#))
            .resource("aws_iam_role_policy", "ops", &inline("ops", policy))
            .run(&REMOTE_EXEC_ON_PRIVILEGED_COMPUTE)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn the_documents_decide_what_runs() {
        let on = |action: &str, resources: &str| {
            found(&format!(
                r#"{{"Effect":"Allow","Action":"ssm:{action}","Resource":["arn:aws:ec2:*:*:instance/*"{resources}]}}"#
            ))
        };
        let document = |name: &str| format!(r#","arn:aws:ssm:*:*:document/{name}""#);
        assert_eq!(on("SendCommand", &document("AWS-RunShellScript")), [Severity::High]);
        assert_eq!(on("SendCommand", &document("*")), [Severity::High]);
        assert_eq!(on("SendCommand", &document("AWS-GatherSoftwareInventory")), []);
        assert_eq!(on("SendCommand", ""), [], "no document may be sent");
        assert_eq!(on("StartSession", ""), [Severity::High]);
        assert_eq!(on("StartSession", &document("SSM-SessionManagerRunShell")), [Severity::High]);
        assert_eq!(on("StartSession", &document("AWS-StartPortForwardingSession")), [Severity::Medium]);
    }

    #[test]
    fn tags_and_weak_roles_are_silent() {
        let tagged = r#"{"Effect":"Allow","Action":"ssm:StartSession","Resource":"*","Condition":{"StringEquals":{"ssm:resourceTag/team":"web"}}}"#;
        assert_eq!(found(tagged), []);
        let admin = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        assert_eq!(found(admin), [], "nothing is won");
    }
}
