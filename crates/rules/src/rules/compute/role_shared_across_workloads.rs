//! `role-shared-across-workloads`: one role for things that have nothing to do with each other.

use crate::{Context, Family, Scope, names};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{IdentityId, IdentityKind, Workload};
use overgrant_value::Val;

rule! {
    /// Workloads of different applications share one role.
    ///
    /// Functions, tasks or instances of different modules, stacks or application tags run with the same
    /// role. What each of them needs adds up to what all of them have.
    ///
    /// ## Why
    /// Who gets into the least of them has the rights of all, and no log tells which of them made a call.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "shared" {
    ///   name = "shared"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "shared" {
    ///   role = aws_iam_role.shared.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "arn:aws:s3:::acme-bills/*" }]
    ///   })
    /// }
    /// resource "aws_lambda_function" "bills" {
    ///   function_name = "bills"
    ///   role          = aws_iam_role.shared.arn
    ///   tags          = { Application = "billing" }
    /// }
    /// resource "aws_lambda_function" "thumbs" {
    ///   function_name = "thumbs"
    ///   role          = aws_iam_role.shared.arn # <-- here
    ///   tags          = { Application = "photos" }
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Shared:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///       Policies:
    ///         - PolicyName: bills
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: s3:GetObject
    ///                 Resource: arn:aws:s3:::acme-bills/*
    ///   Bills:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Role: !GetAtt Shared.Arn
    ///       Code: {ZipFile: "pass"}
    ///       Tags: [{Key: Service, Value: billing}]
    ///   Thumbs:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Role: !GetAtt Shared.Arn # <-- here
    ///       Code: {ZipFile: "pass"}
    ///       Tags: [{Key: Service, Value: photos}]
    /// ```
    /// ## Good
    /// Blue and green are one application, and so are the functions of one module:
    /// ```terraform good
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_instance_profile" "app" {
    ///   role = aws_iam_role.app.name
    /// }
    /// resource "aws_launch_template" "blue" {
    ///   iam_instance_profile { name = aws_iam_instance_profile.app.name }
    ///   metadata_options { http_tokens = "required" }
    /// }
    /// resource "aws_launch_template" "green" {
    ///   iam_instance_profile { name = aws_iam_instance_profile.app.name }
    ///   metadata_options { http_tokens = "required" }
    /// }
    /// ```
    /// A role that only writes logs may be anybody's:
    /// ```cloudformation good
    /// Resources:
    ///   Shared:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
    ///   Bills:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Role: !GetAtt Shared.Arn
    ///       Code: {ZipFile: "pass"}
    ///       Tags: [{Key: Service, Value: billing}]
    ///   Thumbs:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Role: !GetAtt Shared.Arn
    ///       Code: {ZipFile: "pass"}
    ///       Tags: [{Key: Service, Value: photos}]
    /// ```
    /// Copies of a function at the edge are one function, and so are its versions and aliases:
    /// ```terraform good
    /// resource "aws_iam_role" "edge" {
    ///   name = "edge"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"] } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "edge" {
    ///   role = aws_iam_role.edge.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "dynamodb:GetItem", Resource = "arn:aws:dynamodb:us-east-1:111122223333:table/redirects" }]
    ///   })
    /// }
    /// resource "aws_lambda_function" "edge" {
    ///   function_name = "redirect"
    ///   role          = aws_iam_role.edge.arn
    ///   publish       = true
    ///   tags          = { Service = "shop" }
    /// }
    /// resource "aws_lambda_alias" "live" {
    ///   name             = "live"
    ///   function_name    = aws_lambda_function.edge.function_name
    ///   function_version = aws_lambda_function.edge.version
    /// }
    /// resource "aws_cloudfront_distribution" "shop" {
    ///   enabled = true
    ///   default_cache_behavior {
    ///     lambda_function_association {
    ///       event_type = "viewer-request"
    ///       lambda_arn = aws_lambda_function.edge.qualified_arn
    ///     }
    ///   }
    /// }
    /// ```
    /// The role of `Globals` belongs to the only function there is:
    /// ```sam good
    /// Transform: AWS::Serverless-2016-10-31
    /// Globals:
    ///   Function:
    ///     Role: !GetAtt Shared.Arn
    /// Resources:
    ///   Shared:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///       Policies:
    ///         - PolicyName: orders
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: dynamodb:GetItem
    ///                 Resource: !Sub arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders
    ///   Bills:
    ///     Type: AWS::Serverless::Function
    ///     Properties:
    ///       Handler: main.handler
    ///       Runtime: python3.13
    ///       CodeUri: src/
    ///       Tags: {Service: billing}
    /// ```
    /// ## How to fix
    /// Give each application a role of its own with what it uses.
    pub(crate) static ROLE_SHARED_ACROSS_WORKLOADS = Rule {
        id: "role-shared-across-workloads",
        family: Family::Compute,
        severity: Severity::Low,
        confidence: Confidence::Medium,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[250, 918],
        aliases: &[],
        mappings: &[
            ("NIST", "AC-6"),
            ("NIST", "AC-5"),
            ("ATT&CK", "T1552.005"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1610"),
        ],
        references: &["https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"],
        check: check,
    };
}

/// Services of which every workload needs something: logs, traces, measurements.
const COMMON: [&str; 4] = ["cloudwatch", "logs", "xray", "ec2messages"];

/// Tags that name an application.
const TAGS: [&str; 5] = ["application", "app", "service", "component", "project"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, role) in model.of_kind(IdentityKind::Role) {
        let workloads: Vec<&Workload> = cx
            .access
            .workloads(id)
            .iter()
            .filter_map(|index| model.workloads.get(*index))
            .filter(|one| one.compute && one.place.maker != overgrant_ir::Maker::Framework)
            .collect();
        let Some((first, rest)) = workloads.split_first() else { continue };
        let own = group(first);
        let Some(other) = rest.iter().find(|one| differs(&own, &group(one))) else {
            continue;
        };
        if is_trivial(cx, id) {
            continue;
        }
        let text = format!(
            "`{}` and `{}` share {}, though they are of different applications",
            first.place.address,
            other.place.address,
            names::identity(role)
        );
        let report = cx
            .finding(&other.place, &other.role.src, text)
            .when(&other.role.guard)
            .when(&first.role.guard)
            .cell(role.name.key())
            .principal(&role.place)
            .related(&first.role.src, "runs with it too", Some(&first.place))
            .help("give each application a role of its own");
        cx.report(report);
    }
}

/// What a workload belongs to: stack or root, module path without instance keys, application tag.
fn group(workload: &Workload) -> (String, String, Option<String>) {
    let place = &workload.place;
    let module = match place.address.rfind("module.") {
        Some(_) if place.format.is_terraform() => place
            .address
            .split('.')
            .collect::<Vec<_>>()
            .chunks(2)
            .take_while(|pair| pair.first() == Some(&"module"))
            .filter_map(|pair| pair.get(1))
            .map(|name| name.split('[').next().unwrap_or(name))
            .collect::<Vec<_>>()
            .join("."),
        _ => String::new(),
    };
    (place.root.to_string(), module, tag(&workload.attrs))
}

fn differs(a: &(String, String, Option<String>), b: &(String, String, Option<String>)) -> bool {
    let tags = matches!((&a.2, &b.2), (Some(a), Some(b)) if a != b);
    a.0 != b.0 || a.1 != b.1 || tags
}

/// The known value of the first tag that names an application.
fn tag(attrs: &Val) -> Option<String> {
    let tags = ["tags", "Tags"].iter().find_map(|name| attrs.get(name))?;
    let mut pairs: Vec<(String, Val)> = Vec::new();
    if let Some(map) = tags.as_map() {
        let entries = map.entries.iter();
        pairs.extend(entries.filter_map(|e| Some((e.key.as_known()?.to_string(), e.val.clone()))));
    } else {
        let listed = tags.listed();
        pairs.extend(listed.iter().filter_map(|one| {
            Some((one.get("Key")?.as_str()?.to_string(), one.get("Value")?))
        }));
    }
    TAGS.iter().find_map(|wanted| {
        let (_, val) = pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        Some(val.as_str()?.to_string())
    })
}

/// Whether all that the role is known to grant is what every workload needs.
fn is_trivial(cx: &Context<'_>, id: IdentityId) -> bool {
    cx.access
        .actions_on_something(id)
        .actions()
        .all(|action| COMMON.contains(&action.service().prefix()))
}
