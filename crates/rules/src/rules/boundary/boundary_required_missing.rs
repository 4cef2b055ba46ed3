//! `boundary-required-missing`: a role or user without the permissions boundary that the configuration
//! wants.

use crate::listed::{self, is_listed};
use crate::{Context, Family, Scope, fixes, names};
use overgrant_access::Boundary;
use overgrant_finding::{Confidence, Edit, Severity};
use overgrant_ir::{Identity, IdentityId, IdentityKind, Maker};

rule! {
    /// Role or user lacks the permissions boundary that is required of it.
    ///
    /// `boundary_required` in `overgrant.yaml` says which roles and users must have a boundary, and which
    /// one. Nothing is reported without that setting.
    ///
    /// ## Why
    /// A delegated team, or a pipeline that creates roles, is trusted because the boundary caps what it
    /// can make. One role without it, taken over, has whatever its policies give, and can be given more.
    ///
    /// ## Bad
    /// ```terraform bad boundary_required:aws_iam_role.*=*policy/team-cap
    /// resource "aws_iam_role" "worker" { # <-- here
    ///   name = "worker"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad boundary_required:worker-*=*policy/team-cap
    /// Resources:
    ///   Worker:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       RoleName: worker-eu
    ///       PermissionsBoundary: arn:aws:iam::111122223333:policy/old-cap # <-- here
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: ec2.amazonaws.com
    /// ```
    /// ## Good
    /// ```terraform good boundary_required:aws_iam_role.*=*policy/team-cap
    /// resource "aws_iam_role" "worker" {
    ///   name                 = "worker"
    ///   permissions_boundary = "arn:aws:iam::111122223333:policy/team-cap"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// Without the setting nothing is required; a boundary that comes from elsewhere is taken for the
    /// right one:
    /// ```cloudformation good boundary_required:Worker=*policy/team-cap
    /// Parameters:
    ///   Cap:
    ///     Type: String
    /// Resources:
    ///   Worker:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       PermissionsBoundary: !Ref Cap
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: ec2.amazonaws.com
    /// ```
    /// ```terraform good
    /// resource "aws_iam_role" "worker" {
    ///   name = "worker"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// Nobody puts a boundary on what AWS makes:
    /// ```terraform good boundary_required:*=*policy/team-cap
    /// resource "aws_iam_service_linked_role" "scaling" {
    ///   aws_service_name = "autoscaling.amazonaws.com"
    /// }
    /// resource "aws_ssoadmin_permission_set" "view" {
    ///   name         = "view"
    ///   instance_arn = "arn:aws:sso:::instance/ssoins-1111222233334444"
    /// }
    /// ```
    /// ## How to fix
    /// Set `permissions_boundary` (`PermissionsBoundary`) to the policy that the setting names.
    ///
    /// ## Options
    /// `boundary_required`: a list of `{select: GLOB, policy: GLOB}`; `select` is an address, a name or an
    /// ARN of roles and users, `policy` the ARN, name or address of the boundary.
    pub(crate) static BOUNDARY_REQUIRED_MISSING = Rule {
        id: "boundary-required-missing",
        family: Family::Boundary,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 266],
        aliases: &[],
        mappings: &[
            ("CIS7", "2.1.2"),
            ("NIST", "AC-6"),
            ("NIST", "AC-6(1)"),
            ("NIST", "AC-6(5)"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1098.003"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"],
        check: check,
    };
}

/// Paths of roles that AWS makes and that take no boundary.
const RESERVED: [&str; 2] = ["/aws-service-role/", "/aws-reserved/"];

fn check(cx: &mut Context<'_>) {
    let settings = cx.settings;
    for (index, identity) in cx.model.identities.iter().enumerate() {
        let takes_one = matches!(identity.kind, IdentityKind::Role | IdentityKind::User)
            && !RESERVED
                .iter()
                .any(|path| identity.path.leading().starts_with(path));
        let required = settings
            .boundary_required
            .iter()
            .find(|(select, _)| takes_one && is_listed(std::slice::from_ref(select), identity));
        let Some((_, policy)) = required else { continue };
        let who = names::identity(identity);
        let (src, text) = match (cx.access.boundary(IdentityId(index)), &identity.boundary) {
            (Boundary::None, _) => (
                &identity.place.name_src,
                format!("{who} has no permissions boundary; `{policy}` is required"),
            ),
            (_, Some(boundary)) if is_other(cx, IdentityId(index), policy) => (
                &boundary.src,
                format!("{who} has the boundary `{}`; `{policy}` is required", boundary.text),
            ),
            _ => continue,
        };
        let report = cx
            .finding(&identity.place, src, text)
            .cell(policy.clone())
            .principal(&identity.place)
            .help("set the boundary that the configuration requires");
        let edit = edit(identity, policy);
        cx.report(report.fix(edit.map(|edit| fixes::changing("Set the boundary", [edit]))));
    }
}

/// What sets the boundary, where the configuration gives one ARN and not a pattern.
fn edit(identity: &Identity, policy: &str) -> Option<Edit> {
    if !policy.starts_with("arn:") || policy.contains(['*', '?']) {
        return None;
    }
    let name = match &*identity.place.kind {
        "aws_iam_role" | "aws_iam_user" => "permissions_boundary",
        "AWS::IAM::Role" | "AWS::IAM::User" if identity.place.maker == Maker::Author => "PermissionsBoundary",
        _ => return None,
    };
    match &identity.boundary {
        None => fixes::set(&identity.place.name_src, name, policy),
        Some(boundary) => fixes::replace(&boundary.src, &boundary.text.as_known()?, policy),
    }
}

/// Whether the boundary surely is not the one that the glob means.
fn is_other(cx: &Context<'_>, id: IdentityId, policy: &str) -> bool {
    match cx.access.boundary(id) {
        Boundary::None => false,
        Boundary::Document(document) => cx.model.document(document).is_some_and(|document| {
            let name = document.name.as_ref().and_then(overgrant_value::Text::as_known);
            let end = policy.rsplit('/').next().unwrap_or(policy);
            !listed::matches(policy, &document.place.address)
                && name.is_some_and(|name| !listed::matches(policy, &name) && !listed::matches(end, &name))
        }),
        Boundary::AwsManaged { name, .. } => {
            let arn = format!("arn:aws:iam::aws:policy/{name}");
            !listed::matches(policy, &name) && !listed::matches(policy, &arn)
        }
        Boundary::Unresolved(reference) => reference
            .text
            .as_known()
            .is_some_and(|text| !listed::matches(policy, &text)),
    }
}
