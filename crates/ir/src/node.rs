//! The nodes and edges of the model.
//!
//! Not for how they are found (`lower`) or joined (`access`). Invariant: references to other nodes
//! are texts as evaluated ([`PolicyRef`], [`ReferenceTo`]); joining them is done once, by `access`.

use crate::{Format, Maker, Resource};
use overgrant_policy::Document;
use overgrant_value::{Guard, Src, Sym, Text, Val};
use smol_str::SmolStr;
use std::sync::Arc;

/// Address, place and certainty of a node.
#[derive(Debug, Clone)]
pub struct Place {
    /// Root module directory, template path or artifact id.
    pub root: SmolStr,
    /// Address in the root.
    pub address: SmolStr,
    /// Resource type as written.
    pub kind: SmolStr,
    /// Format it comes from.
    pub format: Format,
    /// Logical id, where the address is something else.
    pub logical_id: Option<SmolStr>,
    /// Who made it.
    pub maker: Maker,
    /// The whole block.
    pub src: Src,
    /// Its header.
    pub name_src: Src,
    /// When it exists.
    pub guard: Guard,
    /// Whether it may not exist.
    pub maybe: bool,
}

impl Place {
    /// The place of a resource.
    #[must_use]
    pub fn of(resource: &Resource) -> Self {
        Self {
            root: resource.root.clone(),
            address: resource.address.clone(),
            kind: resource.kind.clone(),
            format: resource.format,
            logical_id: resource.logical_id.clone(),
            maker: resource.maker,
            src: resource.src.clone(),
            name_src: resource.name_src.clone(),
            guard: resource.guard.clone(),
            maybe: resource.maybe,
        }
    }

    /// The text that means this resource itself, whatever its name: a hole of it.
    #[must_use]
    pub fn own(&self, path: &str) -> Text {
        Text::hole(
            Sym::Attr {
                root: self.root.clone(),
                addr: self.address.clone(),
                path: path.into(),
            },
            Src::none(),
        )
    }
}

/// Index into [`crate::Model::identities`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdentityId(pub usize);

/// Index into [`crate::Model::documents`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentId(pub usize);

/// What an identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentityKind {
    /// IAM user.
    User,
    /// IAM group.
    Group,
    /// IAM role.
    Role,
    /// Identity Center permission set.
    PermissionSet,
}

impl IdentityKind {
    /// The word for messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
            Self::PermissionSet => "permission set",
        }
    }
}

/// A reference to a policy by ARN, as evaluated.
#[derive(Debug, Clone)]
pub struct PolicyRef {
    /// The ARN; open parts are holes.
    pub text: Text,
    /// Where the reference stands.
    pub src: Src,
    /// When it holds.
    pub guard: Guard,
}

/// A reference to an identity, resource or target by ARN, name or id, as evaluated.
#[derive(Debug, Clone)]
pub struct ReferenceTo {
    /// ARN, name or id; open parts are holes.
    pub text: Text,
    /// What kind of identity is meant, where the argument says so.
    pub kind: Option<IdentityKind>,
    /// Where the reference stands.
    pub src: Src,
    /// When it holds.
    pub guard: Guard,
}

/// A user, group, role or permission set.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub kind: IdentityKind,
    /// Its physical name; a hole where it is made at deployment.
    pub name: Text,
    /// Its path (`/` by default).
    pub path: Text,
    /// Its ARN over account and partition symbols.
    pub arn: Text,
    /// The trust policy of a role.
    pub trust: Option<DocumentId>,
    /// The permissions boundary.
    pub boundary: Option<PolicyRef>,
    /// Longest session in seconds.
    pub max_session: Option<Val>,
    /// All arguments, for rules that need a detail.
    pub attrs: Val,
}

/// What a document is for, as far as the resource that holds it says.
#[derive(Debug, Clone, PartialEq)]
pub enum DocumentRole {
    /// A customer-managed policy: an identity policy or a boundary, as it is attached.
    Managed,
    /// An inline policy of a user, group, role or permission set.
    Inline,
    /// A role's trust policy.
    Trust,
    /// A policy on a resource; the IAM service prefix of that resource (`s3`, `kms`).
    Resource {
        /// IAM service prefix.
        service: SmolStr,
    },
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
    /// Another kind of organisation policy (tags, backup …): not IAM.
    OtherOrganization,
    /// A session policy.
    Session,
    /// A VPC endpoint policy.
    Endpoint,
    /// An AWS IoT Core policy: attached to certificates and Cognito identities.
    Iot,
}

impl DocumentRole {
    /// Whether its statements grant rights to the identity that they are attached to.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        matches!(self, Self::Managed | Self::Inline)
    }
}

/// A policy document with the resource that holds it.
#[derive(Debug, Clone)]
pub struct PolicyDocument {
    /// The resource that holds it.
    pub place: Place,
    /// What it is for.
    pub role: DocumentRole,
    /// The document; shared, because everything that it is attached to points to it.
    pub document: Arc<Document>,
    /// Its name, where it has one.
    pub name: Option<Text>,
    /// Its own ARN, for managed policies.
    pub arn: Option<Text>,
    /// The identities (names, ARNs) an inline policy belongs to, or the resources (ARN, URL, name)
    /// a resource policy is put on.
    pub targets: Vec<ReferenceTo>,
    /// Where the argument that holds the document stands.
    pub argument_src: Src,
}

/// How a policy is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AttachmentStyle {
    /// A separate attachment resource, or a list of a principal.
    Shared,
    /// Owns the list and detaches everything else.
    Exclusive,
}

/// A managed policy attached to an identity.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// The resource that says so.
    pub place: Place,
    /// The policy.
    pub policy: PolicyRef,
    /// The identity.
    pub identity: ReferenceTo,
    /// What kind of identity is meant; `None` where any may be.
    pub identity_kind: Option<IdentityKind>,
    /// How.
    pub style: AttachmentStyle,
}

/// A user in a group.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The resource that says so.
    pub place: Place,
    /// The user.
    pub user: ReferenceTo,
    /// The group.
    pub group: ReferenceTo,
}

/// What kind of identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProviderKind {
    /// OpenID Connect.
    Oidc,
    /// SAML.
    Saml,
}

/// An identity provider.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Where it is.
    pub place: Place,
    /// OIDC or SAML.
    pub kind: ProviderKind,
    /// Issuer URL (OIDC) or name (SAML).
    pub url: Option<Text>,
    /// Its ARN.
    pub arn: Text,
    /// Audiences.
    pub audiences: Vec<ReferenceTo>,
    /// All arguments.
    pub attrs: Val,
}

/// Something that runs with a role: function, task, instance, build, job …
#[derive(Debug, Clone)]
pub struct Workload {
    /// Where it is.
    pub place: Place,
    /// Attribute that names the role, e.g. `role`, `task_role_arn`, `iam_instance_profile`.
    pub attribute: SmolStr,
    /// The role or instance profile.
    pub role: ReferenceTo,
    /// The service that assumes the role, e.g. `lambda.amazonaws.com`, where it is known.
    pub service: Option<SmolStr>,
    /// Whether code or actions of the one who configures it run with the role.
    pub compute: bool,
    /// All arguments.
    pub attrs: Val,
}

/// What kind of guardrail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GuardrailKind {
    /// Attaches an organisation policy to a root, unit or account.
    OrganizationAttachment,
    /// S3 Block Public Access of a bucket or account.
    PublicAccessBlock,
}

/// A limit from outside: organisation policy attachments, public access blocks.
#[derive(Debug, Clone)]
pub struct Guardrail {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub kind: GuardrailKind,
    /// The policy, bucket or account it concerns.
    pub subject: Option<ReferenceTo>,
    /// What it is attached to.
    pub target: Option<ReferenceTo>,
    /// All arguments.
    pub attrs: Val,
}

/// What kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CredentialKind {
    /// An access key resource.
    AccessKey,
    /// A console password.
    LoginProfile,
    /// A value that looks like a key, found in an argument.
    Literal,
    /// A secret that leaves through an output.
    Output,
}

/// A long-lived credential.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub kind: CredentialKind,
    /// The user it belongs to, where that is said.
    pub user: Option<ReferenceTo>,
    /// The place of the value; its text is never shown.
    pub src: Src,
    /// In which argument it stands, for messages.
    pub attribute: SmolStr,
}

/// Single arguments that AWS turns into a statement or that decide public access: Lambda
/// permissions, function URLs, ACLs.
#[derive(Debug, Clone)]
pub struct ResourceGrant {
    /// Where it is.
    pub place: Place,
    /// IAM service prefix of the resource.
    pub service: SmolStr,
    /// The resource, where it is named.
    pub target: Option<ReferenceTo>,
    /// The statement it amounts to, if it amounts to one.
    pub document: Option<DocumentId>,
    /// All arguments.
    pub attrs: Val,
}

/// A resource whose arguments some rule needs as they are (launch templates, trails, accounts).
#[derive(Debug, Clone)]
pub struct Setting {
    /// Where it is.
    pub place: Place,
    /// All arguments.
    pub attrs: Val,
}
