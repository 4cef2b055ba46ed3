//! Instances with a public address and a port that the internet reaches.
//!
//! A port that is open is no flaw in what listens there, so that an entry is only possible: confidence low.
//! Not for load balancers and launch templates. Source: EC2, "Security group rules", "Amazon EC2 instance IP
//! addressing".

use super::{Exposed, Target, any, finder, of_kinds, refers};
use crate::Context;
use overgrant_finding::Confidence;
use overgrant_ir::{Setting, Workload};
use overgrant_value::{Text, Val};

const INSTANCES: [&str; 2] = ["aws_instance", "AWS::EC2::Instance"];
const GROUPS: [&str; 2] = ["aws_security_group", "AWS::EC2::SecurityGroup"];
const RULES: [&str; 3] = [
    "AWS::EC2::SecurityGroupIngress",
    "aws_security_group_rule",
    "aws_vpc_security_group_ingress_rule",
];
const EVERYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

pub(super) fn entries<'a>(cx: &Context<'a>, targets: &[Target<'a>]) -> Vec<Exposed<'a>> {
    let mut found = Vec::new();
    for Target { role, workload } in of_kinds(
        targets,
        &INSTANCES,
        &["iam_instance_profile", "IamInstanceProfile"],
    ) {
        let Some((address, groups)) = faces_internet(workload) else {
            continue;
        };
        let root = &workload.place.root;
        let open = cx.model.settings_of(&GROUPS).find(|group| {
            groups.iter().any(|id| refers(id, root, &group.place)) && is_open(cx, group)
        });
        let Some(group) = open else {
            continue;
        };
        found.push(Exposed {
            role: *role,
            workload,
            place: &workload.place,
            src: address.src().clone(),
            marks: address.marks(),
            statement: None,
            who: finder(workload),
            how: format!(
                "it has a public address, and `{}` lets the internet in",
                group.place.address
            ),
            confidence: Confidence::Low,
        });
    }
    found
}

/// What gives an instance a public address, and its security groups.
fn faces_internet(instance: &Workload) -> Option<(Val, Vec<Text>)> {
    let attrs = &instance.attrs;
    let interfaces = any(attrs, &["NetworkInterfaces"])
        .map(|all| all.listed())
        .unwrap_or_default();
    let places = std::iter::once(attrs).chain(&interfaces);
    let mut found = places.filter_map(|one| {
        let address = any(
            one,
            &["associate_public_ip_address", "AssociatePublicIpAddress"],
        )?;
        (address.as_bool() == Some(true)).then(|| {
            let listed = any(one, &["vpc_security_group_ids", "GroupSet"]).map(|ids| ids.listed());
            let ids = listed
                .unwrap_or_default()
                .iter()
                .filter_map(Val::to_text)
                .collect();
            (address, ids)
        })
    });
    found.next()
}

/// Whether a security group lets the internet in, by itself or by a rule of its own.
fn is_open(cx: &Context<'_>, group: &Setting) -> bool {
    let inline =
        any(&group.attrs, &["ingress", "SecurityGroupIngress"]).map(|rules| rules.listed());
    if inline.unwrap_or_default().iter().any(from_everywhere) {
        return true;
    }
    cx.model.settings_of(&RULES).any(|rule| {
        let id = any(&rule.attrs, &["security_group_id", "GroupId"]).and_then(|id| id.to_text());
        let is_egress = rule
            .attrs
            .get("type")
            .is_some_and(|kind| kind.as_str().as_deref() != Some("ingress"));
        !is_egress
            && id.is_some_and(|id| refers(&id, &rule.place.root, &group.place))
            && from_everywhere(&rule.attrs)
    })
}

fn from_everywhere(rule: &Val) -> bool {
    const SOURCES: [&str; 6] = [
        "cidr_blocks",
        "ipv6_cidr_blocks",
        "cidr_ipv4",
        "cidr_ipv6",
        "CidrIp",
        "CidrIpv6",
    ];
    SOURCES
        .iter()
        .filter_map(|name| rule.get(name))
        .flat_map(|cidrs| cidrs.listed())
        .any(|cidr| {
            cidr.as_str()
                .is_some_and(|cidr| EVERYWHERE.contains(&cidr.as_str()))
        })
}
