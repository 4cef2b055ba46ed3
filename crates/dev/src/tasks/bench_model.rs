//! `cargo dev bench-model`: how the escalation graph grows with the number of roles.
//!
//! Models are made, not read: four statements a role, of the kinds that real roles hold, and a function
//! for every tenth. In the shape `teams` patterns match the roles of one team of 25; in `wide` the patterns
//! of a tenth of the roles match a third of all of them, so that the model grows together. Not for reading
//! and evaluating. Invariant: the same numbers give the same model.

use anyhow::{Context as _, Result};
use overgrant_access::Access;
use overgrant_access::graph::{Goal, Node};
use overgrant_ir::{Format, IdentityId, Mode, Resource, lower};
use overgrant_policy::Answer;
use overgrant_value::{Guard, Src, Text, json};
use std::time::Instant;

/// Arguments of `cargo dev bench-model`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Numbers of roles, each measured by itself
    #[arg(default_values_t = [100, 1_000, 5_000])]
    roles: Vec<usize>,

    /// How far patterns reach
    #[arg(long, value_enum, default_value = "teams")]
    shape: Shape,
}

/// How far the patterns of statements reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// The roles of one team, whatever the number of roles.
    Teams,
    /// A share of all roles that does not shrink.
    Wide,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout();
    for &roles in &arguments.roles {
        let model = lower(resources(roles, arguments.shape)?);
        let statements: usize = model
            .documents
            .iter()
            .map(|one| one.document.statements.len())
            .sum();
        let start = Instant::now();
        let access = Access::new(&model);
        let linked = start.elapsed();
        let start = Instant::now();
        let graph = access.graph();
        let built = start.elapsed();
        let start = Instant::now();
        let reach = (0..model.identities.len())
            .filter(|at| graph.reaches(Node::Identity(IdentityId(*at))) == Answer::Must)
            .count();
        let ways = graph
            .routes(Node::Identity(IdentityId(0)), Goal::Admin)
            .len();
        let searched = start.elapsed();
        writeln!(
            out,
            "{roles} roles, {statements} statements: link {:.0} ms, build {:.0} ms, search {:.1} ms; {} edges, \
             {reach} reach administration, {ways} ways from the first; peak {:.0} MiB",
            linked.as_secs_f64() * 1e3,
            built.as_secs_f64() * 1e3,
            searched.as_secs_f64() * 1e3,
            graph.edges().len(),
            crate::tasks::bench::peak_mib(),
        )
        .context("cannot write to standard output")?;
    }
    Ok(())
}

/// Roles of one team, which share a prefix.
const TEAM: usize = 25;

/// Prefixes of roles in the wide shape.
const PARTS: usize = 3;

fn prefix(at: usize, shape: Shape) -> String {
    match shape {
        Shape::Teams => format!("t{}", at / TEAM),
        Shape::Wide => format!("p{}", at % PARTS),
    }
}

fn name(at: usize, shape: Shape) -> String {
    format!("{}-svc{at}", prefix(at, shape))
}

/// The statements of a role, by its number: most read and write their own things, some pass roles,
/// change functions or assume others, of their team or by name; some may do so on everything.
fn statements(at: usize, roles: usize, shape: Shape) -> Vec<String> {
    let own = name(at, shape);
    let group = prefix(at, shape);
    let next = (at + 1) % roles;
    let allow = |actions: &str, resource: &str| {
        format!(r#"{{"Effect":"Allow","Action":[{actions}],"Resource":"{resource}"}}"#)
    };
    let special = match at % 10 {
        0 => allow(
            r#""iam:PassRole","lambda:CreateFunction","lambda:InvokeFunction""#,
            "*",
        ),
        1 => allow(
            r#""iam:PassRole""#,
            &format!("arn:aws:iam::*:role/{}", name(next, shape)),
        ),
        2 => allow(
            r#""sts:AssumeRole""#,
            &format!("arn:aws:iam::*:role/{}", name(next, shape)),
        ),
        3 => allow(
            r#""lambda:UpdateFunctionCode","lambda:InvokeFunction""#,
            &format!("arn:aws:lambda:*:*:function:{group}-*"),
        ),
        4 => allow(
            r#""iam:UpdateAssumeRolePolicy""#,
            &format!("arn:aws:iam::*:role/{group}-*"),
        ),
        5 if shape == Shape::Wide => allow(
            r#""iam:PassRole","lambda:CreateFunction","lambda:InvokeFunction""#,
            &format!("arn:aws:iam::*:role/{group}-*"),
        ),
        5 => allow(r#""ec2:RunInstances","ec2:CreateTags""#, "*"),
        7 if shape == Shape::Wide => allow(
            r#""sts:AssumeRole""#,
            &format!("arn:aws:iam::*:role/{group}-*"),
        ),
        6 => allow(r#""sts:AssumeRole""#, "*"),
        _ => allow(
            r#""sqs:SendMessage","sqs:ReceiveMessage""#,
            &format!("arn:aws:sqs:*:*:q{at}"),
        ),
    };
    let last = if at % 500 == 499 {
        allow(r#""*""#, "*")
    } else {
        allow(
            r#""codebuild:CreateProject","codebuild:StartBuild""#,
            &format!("arn:aws:codebuild:*:*:project/p{at}"),
        )
    };
    vec![
        allow(
            r#""s3:GetObject","s3:PutObject""#,
            &format!("arn:aws:s3:::data/{own}/*"),
        ),
        allow(r#""logs:CreateLogStream","logs:PutLogEvents""#, "*"),
        special,
        last,
    ]
}

fn resources(roles: usize, shape: Shape) -> Result<Vec<Resource>> {
    let services = ["lambda", "ec2", "codebuild", "ecs-tasks"];
    let mut all = Vec::new();
    for at in 0..roles {
        let name = name(at, shape);
        let service = services
            .get(at % services.len())
            .copied()
            .unwrap_or("lambda");
        let mut trust = format!(
            r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"Service":"{service}.amazonaws.com"}}}}"#
        );
        if at % 7 == 0 {
            trust += r#",{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"},"Condition":{"StringEquals":{"sts:ExternalId":"x"}}}"#;
        }
        let attrs = format!(
            r#"{{"name":"{name}","assume_role_policy":{:?}}}"#,
            format!(r#"{{"Version":"2012-10-17","Statement":[{trust}]}}"#)
        );
        all.push(resource(
            "aws_iam_role",
            &format!("aws_iam_role.{name}"),
            &attrs,
        )?);
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            statements(at, roles, shape).join(",")
        );
        let attrs = format!(r#"{{"role":"{name}","policy":{policy:?}}}"#);
        all.push(resource(
            "aws_iam_role_policy",
            &format!("aws_iam_role_policy.{name}"),
            &attrs,
        )?);
        if at % 10 == 0 {
            let attrs = format!(r#"{{"function_name":"{name}","role":"{name}"}}"#);
            all.push(resource(
                "aws_lambda_function",
                &format!("aws_lambda_function.{name}"),
                &attrs,
            )?);
        }
    }
    Ok(all)
}

fn resource(kind: &str, address: &str, attrs: &str) -> Result<Resource> {
    let attrs = json::parse(&Text::known(attrs))
        .ok()
        .context("a sample that is no JSON")?;
    Ok(Resource {
        root: "".into(),
        address: address.into(),
        kind: kind.into(),
        mode: Mode::Managed,
        format: Format::Terraform,
        logical_id: None,
        origin: None,
        maker: overgrant_ir::Maker::Author,
        attrs,
        src: Src::none(),
        name_src: Src::none(),
        guard: Guard::always(),
        maybe: false,
    })
}
