//! A policy as people write it: `jsonencode`, policy document of Terraform, heredoc, template.
//!
//! Invariant: all of them say the same.

use serde_json::Value;
use std::fmt::Write as _;

/// The notations, as the table of fixes names them; JSON templates are made from `yaml`.
pub(super) const ALL: [&str; 4] = ["hcl", "block", "heredoc", "yaml"];

/// What a policy stands in.
#[derive(Clone, Copy)]
pub(super) enum Holder {
    /// A managed policy.
    Policy,
    /// The permissions boundary of a role that is allowed everything.
    Boundary,
    /// A service control policy of a unit.
    Unit,
    /// The trust policy of a role; GitHub's provider stands beside it.
    Trust,
    /// A topic.
    Topic,
    /// A bucket.
    Bucket,
}

/// Stands for the ARN of the provider beside a trust policy.
pub(super) const PROVIDER: &str = "@provider";

/// The whole file.
pub(super) fn file(holder: Holder, notation: &str, policy: &Value) -> String {
    let arn = "aws_iam_openid_connect_provider.github.arn";
    let provider = match notation {
        "yaml" => "!Ref Provider".to_owned(),
        "heredoc" => format!("\"${{{arn}}}\""),
        _ => arn.to_owned(),
    };
    write(holder, notation, policy).replace(&quoted(PROVIDER), &provider)
}

fn write(holder: Holder, notation: &str, policy: &Value) -> String {
    if notation == "yaml" {
        let (before, after) = around_in_template(holder);
        let mut text = before.to_owned();
        yaml(policy, before.rsplit('\n').next().unwrap(), &mut text);
        return format!("{text}\n{after}");
    }
    let (before, after) = around_in_terraform(holder);
    match notation {
        "hcl" => {
            let mut text = String::new();
            hcl(policy, "  ", &mut text);
            format!("{before}jsonencode({text}){after}")
        }
        "heredoc" => {
            let json = serde_json::to_string_pretty(policy).unwrap();
            let json = json.replace("${", "$${").replace('\n', "\n    ");
            format!("{before}<<-JSON\n    {json}\n  JSON{after}")
        }
        "block" => format!(
            "{}\n{before}data.aws_iam_policy_document.d.json{after}",
            block(policy)
        ),
        other => panic!("{other}"),
    }
}

const SERVICE_ROLE: &str = r#"  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
"#;

fn around_in_terraform(holder: Holder) -> (&'static str, String) {
    match holder {
        Holder::Policy => ("resource \"aws_iam_policy\" \"p\" {\n  policy = ", "\n}\n".into()),
        Holder::Boundary => (
            "resource \"aws_iam_policy\" \"p\" {\n  name   = \"cap\"\n  policy = ",
            format!(
                "\n}}\nresource \"aws_iam_role\" \"r\" {{\n  permissions_boundary = aws_iam_policy.p.arn\n{SERVICE_ROLE}}}\nresource \"aws_iam_role_policy\" \"r\" {{\n  role = aws_iam_role.r.name\n  policy = jsonencode({{\n    Version   = \"2012-10-17\"\n    Statement = [{{ Effect = \"Allow\", Action = \"*\", Resource = \"*\" }}]\n  }})\n}}\n"
            ),
        ),
        Holder::Unit => (
            "resource \"aws_organizations_policy\" \"p\" {\n  name    = \"p\"\n  content = ",
            "\n}\nresource \"aws_organizations_policy_attachment\" \"p\" {\n  policy_id = aws_organizations_policy.p.id\n  target_id = \"ou-k3m9-p7q2r4s8\"\n}\n".into(),
        ),
        Holder::Trust => (
            "resource \"aws_iam_openid_connect_provider\" \"github\" {\n  url            = \"https://token.actions.githubusercontent.com\"\n  client_id_list = [\"sts.amazonaws.com\"]\n}\nresource \"aws_iam_role\" \"p\" {\n  assume_role_policy = ",
            "\n}\n".into(),
        ),
        Holder::Topic => (
            "resource \"aws_sns_topic_policy\" \"p\" {\n  arn    = \"arn:aws:sns:eu-west-1:111122223333:orders\"\n  policy = ",
            "\n}\n".into(),
        ),
        Holder::Bucket => (
            "resource \"aws_s3_bucket_policy\" \"p\" {\n  bucket = \"acme-logs\"\n  policy = ",
            "\n}\n".into(),
        ),
    }
}

fn around_in_template(holder: Holder) -> (&'static str, &'static str) {
    match holder {
        Holder::Policy => (
            "Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        ",
            "",
        ),
        Holder::Boundary => (
            "Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: cap
      PolicyDocument:
        ",
            "  R:
    Type: AWS::IAM::Role
    Properties:
      PermissionsBoundary: !Ref P
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: sts:AssumeRole
            Principal: {Service: ec2.amazonaws.com}
      Policies:
        - PolicyName: all
          PolicyDocument:
            Version: '2012-10-17'
            Statement: [{Effect: Allow, Action: '*', Resource: '*'}]
",
        ),
        Holder::Unit => (
            "Resources:
  P:
    Type: AWS::Organizations::Policy
    Properties:
      Name: p
      Type: SERVICE_CONTROL_POLICY
      TargetIds: [ou-k3m9-p7q2r4s8]
      Content:
        ",
            "",
        ),
        Holder::Trust => (
            "Resources:
  Provider:
    Type: AWS::IAM::OIDCProvider
    Properties:
      Url: https://token.actions.githubusercontent.com
      ClientIdList: [sts.amazonaws.com]
  P:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        ",
            "",
        ),
        Holder::Topic => (
            "Resources:
  P:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: ['arn:aws:sns:eu-west-1:111122223333:orders']
      PolicyDocument:
        ",
            "",
        ),
        Holder::Bucket => (
            "Resources:
  P:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: acme-logs
      PolicyDocument:
        ",
            "",
        ),
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn in_hcl(value: &Value) -> String {
    value.to_string().replace("${", "$${")
}

fn hcl(value: &Value, indent: &str, out: &mut String) {
    let deeper = format!("{indent}  ");
    match value {
        Value::Object(map) => {
            out.push_str("{\n");
            for (key, value) in map {
                let name = key.bytes().all(|byte| byte.is_ascii_alphanumeric());
                let key = if name { key.clone() } else { quoted(key) };
                write!(out, "{deeper}{key} = ").unwrap();
                hcl(value, &deeper, out);
                out.push('\n');
            }
            write!(out, "{indent}}}").unwrap();
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                hcl(item, indent, out);
            }
            out.push(']');
        }
        leaf => out.push_str(&in_hcl(leaf)),
    }
}

fn listed(value: &Value) -> String {
    match value {
        Value::Array(_) => in_hcl(value),
        one => format!("[{}]", in_hcl(one)),
    }
}

fn many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

fn block(policy: &Value) -> String {
    let mut out = String::from("data \"aws_iam_policy_document\" \"d\" {\n");
    if policy["Version"] != "2012-10-17" {
        writeln!(out, "  version = {}\n", policy["Version"]).unwrap();
    }
    for statement in many(&policy["Statement"]) {
        out.push_str("  statement {\n");
        for (key, value) in statement.as_object().unwrap() {
            match key.as_str() {
                "Sid" => writeln!(out, "    sid = {value}").unwrap(),
                "Effect" => writeln!(out, "    effect = {value}").unwrap(),
                "Action" => writeln!(out, "    actions = {}", listed(value)).unwrap(),
                "NotAction" => writeln!(out, "    not_actions = {}", listed(value)).unwrap(),
                "Resource" => writeln!(out, "    resources = {}", listed(value)).unwrap(),
                "Principal" if value == "*" => {
                    out.push_str("    principals {\n      type = \"*\"\n      identifiers = [\"*\"]\n    }\n");
                }
                "Principal" => {
                    for (kind, names) in value.as_object().unwrap() {
                        let kind = quoted(kind);
                        let names = listed(names);
                        writeln!(out, "    principals {{\n      type = {kind}\n      identifiers = {names}\n    }}").unwrap();
                    }
                }
                "Condition" => {
                    for (operator, keys) in value.as_object().unwrap() {
                        for (key, values) in keys.as_object().unwrap() {
                            let (test, variable) = (quoted(operator), quoted(key));
                            let values = listed(values);
                            writeln!(out, "    condition {{\n      test = {test}\n      variable = {variable}\n      values = {values}\n    }}").unwrap();
                        }
                    }
                }
                other => panic!("{other}"),
            }
        }
        out.push_str("  }\n");
    }
    out.push_str("}\n");
    out
}

/// A value in block style; `indent` is that of its keys.
fn yaml(value: &Value, indent: &str, out: &mut String) {
    match value {
        Value::Object(map) => {
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    write!(out, "\n{indent}").unwrap();
                }
                let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric());
                let key = if plain { key.clone() } else { quoted(key) };
                write!(out, "{key}:").unwrap();
                let deeper = format!("{indent}  ");
                match value {
                    Value::Object(_) | Value::Array(_) => write!(out, "\n{deeper}").unwrap(),
                    _ => out.push(' '),
                }
                yaml(value, &deeper, out);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    write!(out, "\n{indent}").unwrap();
                }
                out.push_str("- ");
                yaml(item, &format!("{indent}  "), out);
            }
        }
        leaf => out.push_str(&leaf.to_string()),
    }
}
