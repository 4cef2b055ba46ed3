//! One resource as a front end evaluated it: type, address, arguments.
//!
//! Not for what the arguments mean: that is lowering's. Invariant: `attrs` is an object; nested
//! blocks of Terraform are lists of objects under the block's name, as in the provider's schema.

use overgrant_value::{Guard, Src, Val};
use smol_str::SmolStr;

/// Where a resource was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Terraform or OpenTofu configuration.
    Terraform,
    /// A Terraform plan as JSON.
    Plan,
    /// A CloudFormation or SAM template (SAM is expanded before).
    CloudFormation,
    /// A template of a CDK assembly.
    Cdk,
    /// A bare policy document.
    Policy,
    /// A job of a pipeline: GitHub Actions, GitLab CI/CD, Bitbucket Pipelines.
    Workflow,
}

impl Format {
    /// Whether types and attributes are named as in Terraform.
    #[must_use]
    pub fn is_terraform(self) -> bool {
        matches!(self, Self::Terraform | Self::Plan)
    }
}

/// Who made a resource, and so who can change what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Maker {
    /// The author of the configuration.
    #[default]
    Author,
    /// The CDK: a policy that its grant methods fill. The author chooses the grants, not what they list.
    CdkGrant,
    /// A framework for its own ends (CDK custom resource providers and the like).
    Framework,
}

/// Managed here or only looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// A resource.
    Managed,
    /// A Terraform data source.
    Data,
}

/// One evaluated resource instance.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Root module directory, template path or artifact id, relative to the base; empty for the base.
    pub root: SmolStr,
    /// Address in that root as its user writes it.
    pub address: SmolStr,
    /// The type: `aws_iam_role`, `AWS::IAM::Role`.
    pub kind: SmolStr,
    /// Managed or data.
    pub mode: Mode,
    /// The format it comes from.
    pub format: Format,
    /// CloudFormation's logical id, where the address is something else.
    pub logical_id: Option<SmolStr>,
    /// The source entry that a generated resource comes from (SAM).
    pub origin: Option<SmolStr>,
    /// Who made it.
    pub maker: Maker,
    /// The arguments: an object.
    pub attrs: Val,
    /// The whole block.
    pub src: Src,
    /// Its header: type and labels, or the logical id.
    pub name_src: Src,
    /// When it exists.
    pub guard: Guard,
    /// Whether it may not exist although its guard says nothing (unknown `count`, `for_each`).
    pub maybe: bool,
}

impl Resource {
    /// The argument `name`, unless it is absent or null.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Val> {
        self.attrs.get(name).filter(|val| !val.is_null())
    }

    /// The first of several names that is set: one name per format.
    #[must_use]
    pub fn get_any(&self, names: &[&str]) -> Option<Val> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The objects of a nested block or list of objects; alternatives are all given.
    #[must_use]
    pub fn blocks(&self, name: &str) -> Vec<Val> {
        let Some(val) = self.get(name) else {
            return Vec::new();
        };
        val.alternatives()
            .into_iter()
            .flat_map(|(_, val)| val.listed())
            .flat_map(|val| val.alternatives())
            .map(|(_, val)| val)
            .collect()
    }
}
