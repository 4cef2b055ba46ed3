//! Findings in what a framework makes for its own ends, such as the handlers of the CDK's custom
//! resources: true, but for the framework's authors.
//!
//! Not for leaving them out. Invariant: such a finding is never more severe than low, unless the
//! configuration says so, and a note tells why.

use overgrant_finding::{Finding, Severity};
use overgrant_ir::{Maker, Resource};
use overgrant_value::Answer;
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// Roles and their policies in the bootstrap template of the CDK, without that of CloudFormation itself, whose
/// rights are the user's to choose.
const BOOTSTRAP: [&str; 6] = [
    "DeploymentActionRole",
    "FilePublishingRole",
    "FilePublishingRoleDefaultPolicy",
    "ImagePublishingRole",
    "ImagePublishingRoleDefaultPolicy",
    "LookupRole",
];

/// Whether it is the parameter that tells which bootstrap template is there.
fn is_bootstrap_version(resource: &Resource) -> bool {
    resource.kind == "AWS::SSM::Parameter"
        && resource
            .get("Name")
            .and_then(|name| name.to_text())
            .is_some_and(|name| name.starts_with("/cdk-bootstrap/") == Answer::Must)
}

/// Roots and addresses of the resources that a framework made.
pub(crate) struct Framework(BTreeSet<(SmolStr, SmolStr)>);

impl Framework {
    pub(crate) fn new(resources: &[Resource]) -> Self {
        let bootstrap: BTreeSet<&SmolStr> = resources
            .iter()
            .filter(|resource| is_bootstrap_version(resource))
            .map(|resource| &resource.root)
            .collect();
        let made = resources.iter().filter(|resource| {
            resource.maker == Maker::Framework
                || bootstrap.contains(&resource.root)
                    && BOOTSTRAP.contains(&resource.address.as_str())
        });
        Self(
            made.map(|resource| (resource.root.clone(), resource.address.clone()))
                .collect(),
        )
    }

    /// Lowers a finding in one of them.
    pub(crate) fn soften(&self, finding: &mut Finding) {
        let key = (finding.root.clone(), finding.holder.clone());
        if self.0.contains(&key) && finding.severity > Severity::Low {
            finding.severity = Severity::Low;
            finding
                .notes
                .push("made by the framework, whose authors can change it".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_ir::{Format, Mode};
    use overgrant_value::{Guard, Src, Val};

    fn resource(address: &str, kind: &str, name: &str) -> Resource {
        Resource {
            root: "t.yaml".into(),
            address: address.into(),
            kind: kind.into(),
            mode: Mode::Managed,
            format: Format::CloudFormation,
            logical_id: None,
            origin: None,
            maker: Maker::Author,
            attrs: Val::object(vec![("Name", Val::str(name, Src::none()))], Src::none()),
            src: Src::none(),
            name_src: Src::none(),
            guard: Guard::always(),
            maybe: false,
        }
    }

    #[test]
    fn roles_beside_the_version_of_the_bootstrap_are_the_framework_s() {
        let made = |parameter: &str| {
            Framework::new(&[
                resource("DeploymentActionRole", "AWS::IAM::Role", ""),
                resource("CloudFormationExecutionRole", "AWS::IAM::Role", ""),
                resource("CdkBootstrapVersion", "AWS::SSM::Parameter", parameter),
            ])
            .0
            .len()
        };
        assert_eq!(
            (made("/cdk-bootstrap/q/version"), made("/acme/version")),
            (1, 0)
        );
    }
}
