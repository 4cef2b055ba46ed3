//! Names and ARNs of resources as templates over their own arguments.
//!
//! Both formats resolve `.arn`, `.id`, `Ref` and `Fn::GetAtt` through this one table, so that a
//! reference equals the resource it means, across formats. Not for attributes that only AWS knows:
//! those stay holes. Source: AWS Service Authorization Reference (ARN formats), the Terraform AWS
//! provider's and CloudFormation's attribute references.

mod table;

use overgrant_value::{Answer, Sym, Text};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::sync::LazyLock;
use table::{FURTHER, TABLE};

/// One resource type of the table.
#[derive(Debug, Clone, Copy)]
pub struct Identified {
    /// Terraform type.
    pub terraform: &'static str,
    /// CloudFormation type.
    pub cloudformation: &'static str,
    /// Argument with the physical name: (Terraform, CloudFormation).
    pub name: (&'static str, &'static str),
    /// ARN with `{P}`, `{R}`, `{A}` for partition, region, account, `{path}` and `{name}`;
    /// `{/name}` is the name with exactly one slash before it, `{host}` the name without `https://`,
    /// `{own}` a part that AWS makes up.
    pub arn: &'static str,
    /// What Terraform's `id` is.
    pub id: Identifies,
    /// What CloudFormation's `Ref` is.
    pub reference: Identifies,
}

/// What an identifier of a resource holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identifies {
    /// The physical name.
    Name,
    /// The ARN.
    Arn,
    /// Something that AWS makes up: a hole.
    Opaque,
}

/// What an attribute of a resource is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Name,
    Arn,
}

/// The text of the identity attribute `attribute` of a resource, or `None` where the table does not
/// know it (the caller then makes a hole [`Sym::Attr`]).
///
/// `kind` is the resource type of either format, `argument` gives the evaluated text of one of the
/// resource's own arguments (`None` where it is absent). A name that is absent becomes a hole of the
/// resource itself.
#[must_use]
pub fn attribute(
    kind: &str,
    attribute: &str,
    root: &str,
    address: &str,
    argument: &dyn Fn(&str) -> Option<Text>,
) -> Option<Text> {
    let row = row(kind)?;
    let terraform = row.terraform == kind;
    if let Some((_, _, template)) = further(kind, attribute) {
        return Some(fill(template, row, terraform, root, address, argument));
    }
    let wanted = asked(row, kind, attribute)?;
    Some(text(row, terraform, wanted, root, address, argument))
}

/// Which of a resource's identities an attribute is; `None` where it is another thing.
fn asked(row: &Identified, kind: &str, attribute: &str) -> Option<Wanted> {
    Some(match (row.terraform == kind, attribute) {
        (true, "arn") | (false, "Arn") => Wanted::Arn,
        (true, "id") => wanted(row.id)?,
        (false, "Ref") => wanted(row.reference)?,
        (true, name) if name == row.name.0 => Wanted::Name,
        (false, name) if name == row.name.1 => Wanted::Name,
        (false, "TopicArn" | "PolicyArn" | "StateMachineArn") => Wanted::Arn,
        _ => return None,
    })
}

fn further(
    kind: &str,
    attribute: &str,
) -> Option<&'static (&'static str, &'static str, &'static str)> {
    FURTHER
        .iter()
        .find(|(of, name, _)| *of == kind && *name == attribute)
}

fn wanted(identifies: Identifies) -> Option<Wanted> {
    match identifies {
        Identifies::Name => Some(Wanted::Name),
        Identifies::Arn => Some(Wanted::Arn),
        Identifies::Opaque => None,
    }
}

/// The row of a resource type of either format.
#[must_use]
pub fn row(kind: &str) -> Option<&'static Identified> {
    static BY_KIND: LazyLock<HashMap<&str, &Identified>> = LazyLock::new(|| {
        TABLE
            .iter()
            .flat_map(|row| [(row.terraform, row), (row.cloudformation, row)])
            .filter(|(kind, _)| !kind.is_empty())
            .collect()
    });
    BY_KIND.get(kind).copied()
}

/// Whether [`attribute`] gives something for this attribute of a resource type.
#[must_use]
pub fn knows(kind: &str, attribute: &str) -> bool {
    row(kind).is_some_and(|row| {
        further(kind, attribute).is_some() || asked(row, kind, attribute).is_some()
    })
}

fn text(
    row: &Identified,
    terraform: bool,
    wanted: Wanted,
    root: &str,
    address: &str,
    argument: &dyn Fn(&str) -> Option<Text>,
) -> Text {
    let template = match wanted {
        Wanted::Name => "{name}",
        Wanted::Arn => row.arn,
    };
    fill(template, row, terraform, root, address, argument)
}

/// A template with its fields filled.
fn fill(
    template: &str,
    row: &Identified,
    terraform: bool,
    root: &str,
    address: &str,
    argument: &dyn Fn(&str) -> Option<Text>,
) -> Text {
    let name_argument = if terraform { row.name.0 } else { row.name.1 };
    let own = |path: &'static str| {
        hole(Sym::Attr {
            root: root.into(),
            addr: address.into(),
            path: SmolStr::new_static(path),
        })
    };
    let name = || {
        argument(name_argument).unwrap_or_else(|| {
            let prefix = terraform.then(|| argument(&format!("{name_argument}_prefix")));
            match prefix.flatten() {
                Some(prefix) => prefix.concat(&own("name")),
                None => own("name"),
            }
        })
    };
    let mut result = Text::empty();
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        result.append(&Text::known(literal));
        let Some((field, after)) = after.split_once('}') else {
            break;
        };
        result.append(&match field {
            "P" => hole(Sym::Partition),
            "R" => hole(Sym::Region),
            "A" => hole(Sym::Account),
            "path" => argument(if terraform { "path" } else { "Path" })
                .unwrap_or_else(|| Text::known("/")),
            "host" => host(name()),
            "own" => own("suffix"),
            "/name" => {
                let name = name();
                match name.starts_with("/") {
                    Answer::Must => name,
                    Answer::No => Text::known("/").concat(&name),
                    Answer::May => own("name with its slash"),
                }
            }
            _ => name(),
        });
        rest = after;
    }
    result.concat(&Text::known(rest))
}

/// An issuer's URL as IAM writes it in ARNs and condition keys: without scheme.
fn host(url: Text) -> Text {
    const SCHEME: &str = "https://";
    match url.starts_with(SCHEME) {
        Answer::Must => url.without_prefix(SCHEME.len()).unwrap_or(url),
        _ => url,
    }
}

fn hole(sym: Sym) -> Text {
    Text::hole(sym, overgrant_value::Src::none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_give_equal_arns() {
        let argument = |name: &str| matches!(name, "name" | "RoleName").then(|| Text::known("ci"));
        let a = attribute("aws_iam_role", "arn", "r", "aws_iam_role.ci", &argument).unwrap();
        let b = attribute("AWS::IAM::Role", "Arn", "t", "Ci", &argument).unwrap();
        assert_eq!(a.key(), b.key());
        assert_eq!(
            a.to_string(),
            "arn:${the partition}:iam::${the account id}:role/ci"
        );
    }

    #[test]
    fn a_name_that_aws_makes_is_a_hole_of_the_resource() {
        let none = |_: &str| None;
        let a = attribute("aws_sqs_queue", "arn", "r", "aws_sqs_queue.q", &none).unwrap();
        assert_eq!(a.holes().count(), 4);
        assert_eq!(
            attribute("aws_sqs_queue", "id", "r", "aws_sqs_queue.q", &none),
            None
        );
        assert_eq!(attribute("aws_vpc", "id", "r", "aws_vpc.v", &none), None);
    }

    #[test]
    fn slashes_suffixes_and_issuers() {
        let given =
            |value: &'static str| move |name: &str| (name == "name").then(|| Text::known(value));
        for name in ["a/b", "/a/b"] {
            let arn = attribute("aws_ssm_parameter", "arn", "r", "x", &given(name)).unwrap();
            assert!(arn.to_string().ends_with(":parameter/a/b"), "{name}");
        }
        let secret = attribute("aws_secretsmanager_secret", "id", "r", "s", &given("n")).unwrap();
        assert!(secret.to_string().ends_with(":secret:n-${s.suffix}"));
        let url = |name: &str| (name == "url").then(|| Text::known("https://a.example/b"));
        let kind = "aws_iam_openid_connect_provider";
        let provider = attribute(kind, "arn", "r", "o", &url).unwrap();
        assert!(provider.to_string().ends_with(":oidc-provider/a.example/b"));
        let prefix = |name: &str| (name == "name_prefix").then(|| Text::known("ci-"));
        let role = attribute("aws_iam_role", "name", "r", "x", &prefix).unwrap();
        assert_eq!(role.to_string(), "ci-${x.name}");
        let logs = |name: &str| (name == "LogGroupName").then(|| Text::known("l"));
        let group = attribute("AWS::Logs::LogGroup", "Arn", "t", "L", &logs).unwrap();
        assert!(group.to_string().ends_with(":log-group:l:*"));
    }

    #[test]
    fn the_table_has_each_type_once() {
        for pick in [
            |row: &Identified| row.terraform,
            |row: &Identified| row.cloudformation,
        ] {
            let mut names: Vec<_> = TABLE.iter().map(pick).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    }
}
