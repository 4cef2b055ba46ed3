//! What a statement lets its principals do with a resource, and whether the resource can be public.
//!
//! Not for who they are (`caller`). Invariant: an open action list counts by what it surely holds.

use overgrant_catalog::AccessLevel;
use overgrant_finding::Severity;
use overgrant_ir::{Guardrail, GuardrailKind, Model, Place, PolicyDocument, ReferenceTo};
use overgrant_policy::Statement;
use overgrant_value::{Data, Piece, Sym, Text, Val};
use smol_str::SmolStr;

/// The gravest kind of access of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    List,
    Read,
    Write,
    Administer,
}

impl Reach {
    /// Of the actions that a statement surely allows.
    pub(crate) fn of(statement: &Statement) -> Self {
        let worst = statement
            .actions
            .must()
            .actions()
            .map(|action| match action.level() {
                AccessLevel::List => Self::List,
                AccessLevel::Read => Self::Read,
                AccessLevel::Write | AccessLevel::Tagging => Self::Write,
                AccessLevel::PermissionsManagement => Self::Administer,
            })
            .max();
        worst.unwrap_or(Self::Read)
    }

    /// The word for messages: "anyone can … bucket". AWS files what is done with a key under writing.
    pub(crate) fn verb(self, service: &str) -> &'static str {
        match self {
            Self::Read | Self::Write if service == "kms" => "use",
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write to",
            Self::Administer => "administer",
        }
    }

    /// Public listing is one step below public contents.
    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::List => Severity::High,
            _ => Severity::Critical,
        }
    }
}

/// What S3's block of public policies does to a bucket policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublicBlock {
    /// On by configuration: the policy opens nothing.
    On,
    /// Switched off by configuration.
    Off,
    /// Not configured: on, as for every new bucket.
    Default,
}

/// Judges the blocks that concern the bucket of a policy.
pub(crate) fn public_block(model: &Model, policy: &PolicyDocument) -> PublicBlock {
    let mut result = PublicBlock::Default;
    for block in blocks(model, policy) {
        let is = |names, wanted| setting(block, names).is_some_and(|(_, value)| value == wanted);
        if is(POLICIES, true) || is(BUCKETS, true) {
            return PublicBlock::On;
        }
        if block.subject.is_some() && is(POLICIES, false) {
            result = PublicBlock::Off;
        }
    }
    result
}

/// The block of the bucket that does not refuse public policies, and where it says so.
pub(crate) fn switched_off<'a>(
    model: &'a Model,
    policy: &PolicyDocument,
) -> Option<(&'a Guardrail, Val)> {
    blocks(model, policy)
        .filter(|block| block.subject.is_some())
        .find_map(|block| {
            let (val, value) = setting(block, POLICIES)?;
            (!value).then_some((block, val))
        })
}

/// The settings about policies, as Terraform and CloudFormation name them.
const POLICIES: [&str; 2] = ["block_public_policy", "BlockPublicPolicy"];
const BUCKETS: [&str; 2] = ["restrict_public_buckets", "RestrictPublicBuckets"];

fn setting(block: &Guardrail, names: [&str; 2]) -> Option<(Val, bool)> {
    let val = names.iter().find_map(|name| block.attrs.get(name))?;
    let value = truth(val.clone())?;
    Some((val, value))
}

/// The blocks that concern the bucket of a policy, account-wide ones included.
fn blocks<'a>(model: &'a Model, policy: &PolicyDocument) -> impl Iterator<Item = &'a Guardrail> {
    let bucket = Bucket::of(policy);
    model.guardrails.iter().filter(move |block| {
        block.kind == GuardrailKind::PublicAccessBlock
            && bucket.is_of(&block.place, block.subject.as_ref())
    })
}

/// The bucket that a policy is on.
struct Bucket {
    root: SmolStr,
    /// The resource that holds the policy: the bucket itself, where that has the policy as argument.
    holder: SmolStr,
    keys: Vec<String>,
    addresses: Vec<SmolStr>,
}

impl Bucket {
    fn of(policy: &PolicyDocument) -> Self {
        let targets = policy.targets.iter().map(|to| &to.text);
        Self {
            root: policy.place.root.clone(),
            holder: policy.place.address.clone(),
            keys: targets.clone().map(Text::key).collect(),
            addresses: targets.filter_map(made_by).cloned().collect(),
        }
    }

    /// Whether a setting at the place is about this bucket, or names none.
    fn is_of(&self, place: &Place, subject: Option<&ReferenceTo>) -> bool {
        place.root == self.root
            && subject.is_none_or(|subject| {
                let named = made_by(&subject.text);
                self.keys.contains(&subject.text.key())
                    || named.is_some_and(|named| self.addresses.contains(named))
                    || place.address == self.holder
                    || self.addresses.contains(&place.address)
            })
    }
}

/// Whether the bucket of a policy serves a website, and the statement does no more than let it be read.
pub(crate) fn serves_website(
    model: &Model,
    policy: &PolicyDocument,
    statement: &Statement,
) -> bool {
    let granted = statement.actions.must();
    granted.actions().all(|action| action.name() == "GetObject")
        && is_website(model, &Bucket::of(policy))
}

fn is_website(model: &Model, bucket: &Bucket) -> bool {
    model.grants.iter().any(|grant| {
        let website = ["website", "WebsiteConfiguration"].iter().any(|name| {
            let val = grant.attrs.get(name);
            val.is_some_and(|val| val.as_items().is_none_or(|items| !items.is_empty()))
        });
        let name = ["bucket", "BucketName"]
            .iter()
            .find_map(|name| grant.attrs.get(name)?.to_text());
        let named = name.is_some_and(|name| bucket.keys.contains(&name.key()));
        grant.service == "s3"
            && grant.target.is_some()
            && (website || grant.place.kind == "aws_s3_bucket_website_configuration")
            && (bucket.is_of(&grant.place, grant.target.as_ref())
                || named && grant.place.root == bucket.root)
    })
}

/// The address of the resource whose attribute a text is.
fn made_by(text: &Text) -> Option<&SmolStr> {
    match text.pieces() {
        [Piece::Hole(hole)] => match &hole.sym {
            Sym::Attr { addr, .. } => Some(addr),
            _ => None,
        },
        _ => None,
    }
}

/// A truth value, also where a template writes it as text.
pub(crate) fn truth(val: Val) -> Option<bool> {
    match val.data() {
        Data::Bool(value) => Some(*value),
        Data::Str(text) => match text.as_known()?.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Whether everybody can do what the statement surely allows without it: repositories of ECR Public
/// are there to be pulled from.
pub(crate) fn is_public_anyway(statement: &Statement) -> bool {
    let listed = statement.actions.listed();
    // Pulling an image is no action in the reference of the service.
    !listed.negated
        && !listed.items.is_empty()
        && listed.items.iter().all(|item| {
            item.service()
                .is_some_and(|service| service == "ecr-public")
        })
        && statement
            .actions
            .must()
            .actions()
            .all(|action| action.level() <= AccessLevel::Read)
}

/// Whether a policy with `*` on a resource of this service is reachable by strangers at all: some
/// are only reached from inside a network, or sit in front of an authorizer of their own.
pub(crate) fn can_be_public(model: &Model, policy: &PolicyDocument, service: &str) -> bool {
    match service {
        "execute-api" | "vpc-lattice" | "vpc-lattice-svcs" | "lambda" => false,
        // Only a domain whose arguments are known not to put it into a network.
        "es" => model
            .settings
            .iter()
            .filter(|setting| setting.place.address == policy.place.address)
            .any(|setting| {
                ["vpc_options", "VPCOptions"]
                    .iter()
                    .all(|name| setting.attrs.get(name).is_none_or(|val| val.is_null()))
            }),
        _ => true,
    }
}
