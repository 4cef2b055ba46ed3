//! `imdsv1-allowed`: instances whose credentials a single plain request can read.

use crate::{Context, Family, Scope, fixes, organization};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::Place;
use overgrant_value::{Sym, Val};

rule! {
    /// Instance metadata can be read without a session token.
    ///
    /// Version 1 of the instance metadata service (IMDSv1) answers any plain HTTP request from the
    /// instance. Version 2 wants a token that is fetched with a PUT request first.
    ///
    /// ## Why
    /// A server-side request forgery, an open proxy or a misconfigured reverse proxy on the instance
    /// suffices to read the credentials of its role. With version 2 the attacker would have to send a PUT
    /// request with a header, which such flaws seldom allow.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_instance" "web" {
    ///   ami                  = "ami-0123456789abcdef0"
    ///   instance_type        = "t3.micro"
    ///   iam_instance_profile = "web"
    ///   metadata_options {
    ///     http_tokens = "optional" # <-- here
    ///   }
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Web:
    ///     Type: AWS::EC2::LaunchTemplate
    ///     Properties:
    ///       LaunchTemplateData:
    ///         IamInstanceProfile:
    ///           Name: web
    ///         MetadataOptions:
    ///           HttpTokens: optional # <-- here
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_instance" "web" {
    ///   ami                  = "ami-0123456789abcdef0"
    ///   instance_type        = "t3.micro"
    ///   iam_instance_profile = "web"
    ///   metadata_options {
    ///     http_tokens = "required"
    ///   }
    /// }
    /// ```
    /// Where the endpoint is off, nothing can be read:
    /// ```terraform good
    /// resource "aws_launch_template" "batch" {
    ///   metadata_options {
    ///     http_endpoint = "disabled"
    ///     http_tokens   = "optional"
    ///   }
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Web:
    ///     Type: AWS::EC2::LaunchTemplate
    ///     Properties:
    ///       LaunchTemplateData:
    ///         MetadataOptions:
    ///           HttpTokens: required
    /// ```
    /// The account's default decides where nothing is said:
    /// ```terraform good
    /// resource "aws_ec2_instance_metadata_defaults" "all" {
    ///   http_tokens = "required"
    /// }
    /// resource "aws_instance" "web" {
    ///   ami                  = "ami-0123456789abcdef0"
    ///   instance_type        = "t3.micro"
    ///   iam_instance_profile = "web"
    /// }
    /// ```
    /// So does a declarative policy of the organization:
    /// ```terraform good
    /// resource "aws_organizations_policy" "ec2" {
    ///   name = "ec2"
    ///   type = "DECLARATIVE_POLICY_EC2"
    ///   content = jsonencode({
    ///     ec2_attributes = { instance_metadata_defaults = { http_tokens = { "@@assign" = "required" } } }
    ///   })
    /// }
    /// resource "aws_instance" "web" {
    ///   ami                  = "ami-0123456789abcdef0"
    ///   instance_type        = "t3.micro"
    ///   iam_instance_profile = "web"
    /// }
    /// ```
    /// Without an instance profile there may be nothing to lose:
    /// ```terraform good at:low
    /// resource "aws_instance" "web" {
    ///   ami           = "ami-0123456789abcdef0"
    ///   instance_type = "t3.micro"
    ///   metadata_options {
    ///     http_tokens = "optional"
    ///   }
    /// }
    /// ```
    /// An image may demand tokens by itself:
    /// ```terraform good
    /// resource "aws_ami" "hardened" {
    ///   name                = "hardened"
    ///   imds_support        = "v2.0"
    ///   root_device_name    = "/dev/xvda"
    ///   virtualization_type = "hvm"
    /// }
    /// resource "aws_instance" "web" {
    ///   ami                  = aws_ami.hardened.id
    ///   instance_type        = "t3.micro"
    ///   iam_instance_profile = "web"
    /// }
    /// ```
    /// So do the images of Amazon Linux 2023:
    /// ```cloudformation good
    /// Resources:
    ///   Web:
    ///     Type: AWS::EC2::Instance
    ///     Properties:
    ///       ImageId: "{{resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}}"
    ///       IamInstanceProfile: web
    /// ```
    /// ## How to fix
    /// Set `http_tokens = "required"` (`HttpTokens: required`), and make it the default of the account
    /// and of your images.
    pub(crate) static IMDSV1_ALLOWED = Rule {
        id: "imdsv1-allowed",
        family: Family::Compute,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[918],
        aliases: &[
            "CKV_AWS_79",
            "CKV_AWS_341",
            "AWS-0028",
            "AWS-0130",
            "ec2_instance_imdsv2_enabled",
            "HIPAA.Security-EC2IMDSv2",
        ],
        mappings: &[
            ("CIS5", "5.7"),
            ("FSBP", "EC2.8"),
            ("FSBP", "EC2.170"),
            ("FSBP", "AutoScaling.3"),
            ("NIST", "AC-6"),
            ("NIST", "CM-7"),
            ("NIST", "SC-7"),
            ("NIST", "IA-9"),
            ("ATT&CK", "T1552.005"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1610"),
        ],
        references: &[
            "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html",
        ],
        check: check,
    };
}

/// Where a resource type keeps its metadata options.
struct Kind {
    names: [&'static str; 2],
    /// Path to the object that holds options and profile: (Terraform, CloudFormation).
    body: (&'static [&'static str], &'static [&'static str]),
    options: (&'static str, &'static str),
    tokens: (&'static str, &'static str),
    endpoint: (&'static str, &'static str),
    /// The value that lets version 1 in.
    open: &'static str,
    /// What names the role or profile.
    profile: (&'static str, &'static str),
}

const EC2: Kind = Kind {
    names: ["aws_instance", "AWS::EC2::Instance"],
    body: (&[], &[]),
    options: ("metadata_options", "MetadataOptions"),
    tokens: ("http_tokens", "HttpTokens"),
    endpoint: ("http_endpoint", "HttpEndpoint"),
    open: "optional",
    profile: ("iam_instance_profile", "IamInstanceProfile"),
};

const KINDS: [Kind; 4] = [
    EC2,
    Kind {
        names: ["aws_launch_template", "AWS::EC2::LaunchTemplate"],
        body: (&[], &["LaunchTemplateData"]),
        ..EC2
    },
    Kind {
        names: ["aws_launch_configuration", "AWS::AutoScaling::LaunchConfiguration"],
        ..EC2
    },
    Kind {
        names: ["aws_sagemaker_notebook_instance", "AWS::SageMaker::NotebookInstance"],
        options: (
            "instance_metadata_service_configuration",
            "InstanceMetadataServiceConfiguration",
        ),
        tokens: (
            "minimum_instance_metadata_service_version",
            "MinimumInstanceMetadataServiceVersion",
        ),
        open: "1",
        profile: ("role_arn", "RoleArn"),
        ..EC2
    },
];

fn check(cx: &mut Context<'_>) {
    // The account's default decides where a resource says nothing.
    let defaults = ["aws_ec2_instance_metadata_defaults"];
    let by_account = cx.model.settings_of(&defaults).any(|setting| {
        setting
            .attrs
            .get("http_tokens")
            .and_then(|val| val.as_str())
            .is_some_and(|tokens| tokens == "required")
    });
    let enforced = by_account || organization::declares_tokens(cx);
    for kind in &KINDS {
        for setting in cx.model.settings_of(&kind.names) {
            let terraform = setting.place.format.is_terraform();
            let pick = |(a, b): (&'static str, &'static str)| if terraform { a } else { b };
            let path = if terraform { kind.body.0 } else { kind.body.1 };
            let Some(body) = setting.attrs.at(path) else {
                continue;
            };
            let options = body.get(pick(kind.options)).map(first);
            let member = |name| options.as_ref().and_then(|val| val.get(name));
            let is = |val: &Val, word: &str| val.as_str().is_some_and(|text| text == word);
            if member(pick(kind.endpoint)).is_some_and(|val| is(&val, "disabled")) {
                continue;
            }
            let has_profile = body.get(pick(kind.profile)).is_some_and(|val| !val.is_null());
            match member(pick(kind.tokens)).filter(|val| !val.is_null()) {
                Some(tokens) if is(&tokens, kind.open) => {
                    explicit(cx, &setting.place, &tokens, kind, has_profile);
                }
                Some(_) => {}
                None if enforced || kind.open != "optional" => {}
                // The launch template says it then, or the account's default.
                None if body.get("launch_template").is_some()
                    || body.get("LaunchTemplate").is_some() => {}
                None if member_unknown(options.as_ref()) => {}
                None if is_demanded_by_image(cx, &body, terraform) => {}
                None => absent(cx, &setting.place, kind),
            }
        }
    }
}

/// Whether the image sets `ImdsSupport` to `v2.0`, so that its instances demand tokens: an image of the
/// model, or a public parameter of Amazon Linux 2023. Source: Amazon EC2, "Configure instance metadata
/// options for new instances".
fn is_demanded_by_image(cx: &Context<'_>, body: &Val, terraform: bool) -> bool {
    let names: &[&str] = if terraform { &["image_id", "ami"] } else { &["ImageId"] };
    let argument = names
        .iter()
        .filter_map(|name| body.get(name))
        .find_map(|val| val.to_text());
    let Some(image) = argument else {
        return false;
    };
    let made = organization::resource_of(&image).is_some_and(|(root, address)| {
        cx.model.settings_of(&["aws_ami"]).any(|ami| {
            let support = ami.attrs.get("imds_support");
            ami.place.root == *root
                && ami.place.address == *address
                && support.is_some_and(|val| val.as_str().is_some_and(|word| word == "v2.0"))
        })
    });
    made || image.holes().any(|hole| {
        matches!(&hole.sym, Sym::Dynamic(words) if words.contains("/al2023-ami-"))
    })
}

/// The first block of a nested block, or the object itself.
fn first(val: Val) -> Val {
    val.as_items()
        .and_then(|items| items.first().cloned())
        .unwrap_or(val)
}

fn member_unknown(options: Option<&Val>) -> bool {
    options.is_some_and(|val| val.as_map().is_none() && !val.is_null())
}

fn explicit(cx: &mut Context<'_>, place: &Place, tokens: &Val, kind: &Kind, has_profile: bool) {
    let text = format!(
        "`{}` lets anything on the instance read its credentials without a session token (IMDSv1)",
        place.address
    );
    let mut report = cx
        .finding(place, tokens.src(), text)
        .cell("imdsv1")
        .marks(tokens.marks())
        .label("version 1 is answered");
    if !has_profile && kind.open == "optional" {
        report = report
            .severity(Severity::Low)
            .note("no instance profile is set here, so there may be no role to lose");
    }
    let (wanted, help) = if kind.open == "optional" {
        ("required", "require session tokens")
    } else {
        ("2", "set the minimum version to 2")
    };
    report = report.help(help);
    let edit = fixes::replace(tokens.src(), kind.open, wanted);
    report = report.fix(edit.map(|edit| fixes::changing("Require session tokens", [edit])));
    cx.report(report);
}

fn absent(cx: &mut Context<'_>, place: &Place, kind: &Kind) {
    let text = format!(
        "`{}` leaves it to image and account whether instance metadata needs a session token",
        place.address
    );
    let report = cx
        .finding(place, &place.name_src, text)
        .cell("imds unset")
        .severity(Severity::Low)
        .help("require session tokens");
    let terraform = place.format.is_terraform();
    let (body, options, tokens) = if terraform {
        (kind.body.0, kind.options.0, kind.tokens.0)
    } else {
        (kind.body.1, kind.options.1, kind.tokens.1)
    };
    let path = [body, &[options, tokens]].concat().join(".");
    let edit = fixes::set(&place.name_src, &path, "required");
    cx.report(report.fix(edit.map(|edit| fixes::changing("Require session tokens", [edit]))));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(kind: &str, attrs: &str) -> Vec<Severity> {
        Scene::new()
            .resource(kind, "x", attrs)
            .run(&IMDSV1_ALLOWED)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn explicit_is_high_and_absent_is_low() {
        let optional = r#"{"iam_instance_profile":"web","metadata_options":[{"http_tokens":"optional"}]}"#;
        assert_eq!(found("aws_instance", optional), [Severity::High]);
        assert_eq!(found("aws_instance", "{}"), [Severity::Low]);
        let no_profile = r#"{"metadata_options":[{"http_tokens":"optional"}]}"#;
        assert_eq!(found("aws_instance", no_profile), [Severity::Low]);
        assert_eq!(found("aws_instance", r#"{"launch_template":[{"id":"lt-1"}]}"#), []);
    }

    #[test]
    fn required_or_disabled_is_silent() {
        for options in [
            r#"{"http_tokens":"required"}"#,
            r#"{"http_endpoint":"disabled","http_tokens":"optional"}"#,
        ] {
            let attrs = format!(r#"{{"metadata_options":[{options}]}}"#);
            assert_eq!(found("aws_launch_template", &attrs), [], "{options}");
        }
    }

    #[test]
    fn cloudformation_names_are_known() {
        let attrs = r#"{"LaunchTemplateData":{"IamInstanceProfile":{"Name":"w"},
            "MetadataOptions":{"HttpTokens":"optional"}}}"#;
        assert_eq!(found("AWS::EC2::LaunchTemplate", attrs), [Severity::High]);
        let notebook = r#"{"RoleArn":"arn:aws:iam::123456789012:role/r",
            "InstanceMetadataServiceConfiguration":{"MinimumInstanceMetadataServiceVersion":"1"}}"#;
        assert_eq!(found("AWS::SageMaker::NotebookInstance", notebook), [Severity::High]);
    }
}
