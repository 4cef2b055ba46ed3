//! Instances with a public address and a port that the internet reaches.
//!
//! A port that is open is no flaw in what listens there, so that an entry is only possible.
//! Not for load balancers and launch templates. Source: EC2, "Security group rules", "Amazon EC2 instance IP
//! addressing".

use super::{Exposed, Openness, Target, any, finder, of_kinds, referred};
use overgrant_ir::{Model, Place, Workload};
use overgrant_value::{Text, Val};
use std::collections::BTreeMap;

const INSTANCES: [&str; 2] = ["aws_instance", "AWS::EC2::Instance"];
const GROUPS: [&str; 2] = ["aws_security_group", "AWS::EC2::SecurityGroup"];
const RULES: [&str; 3] = [
    "AWS::EC2::SecurityGroupIngress",
    "aws_security_group_rule",
    "aws_vpc_security_group_ingress_rule",
];
const EVERYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

pub(super) fn entries<'a>(model: &'a Model, targets: &[Target<'a>]) -> Vec<Exposed<'a>> {
    let mut found = Vec::new();
    let open = open_groups(model);
    let attributes = ["iam_instance_profile", "IamInstanceProfile"];
    for Target { role, at, workload } in of_kinds(targets, &INSTANCES, &attributes) {
        let Some((address, groups)) = faces_internet(workload) else {
            continue;
        };
        let root = workload.place.root.as_str();
        let mut ids = groups.iter().flat_map(|id| referred(id, root));
        let Some(group) = ids.find_map(|address| open.get(&(root, address))) else {
            continue;
        };
        found.push(Exposed {
            role: *role,
            at: *at,
            workload,
            place: &workload.place,
            src: address.src().clone(),
            marks: address.marks(),
            statement: None,
            who: finder(workload),
            how: format!(
                "it has a public address, and `{}` lets the internet in",
                group.address
            ),
            openness: Openness::Possible,
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

/// The security groups that let the internet in, by themselves or by a rule of their own, by root and
/// address.
fn open_groups(model: &Model) -> BTreeMap<(&str, &str), &Place> {
    let all = model.settings_of(&GROUPS);
    let groups: BTreeMap<_, _> = all
        .map(|group| {
            let place = &group.place;
            ((place.root.as_str(), place.address.as_str()), group)
        })
        .collect();
    let inline = |attrs: &Val| {
        let rules = any(attrs, &["ingress", "SecurityGroupIngress"]);
        let rules = rules.map(|rules| rules.listed()).unwrap_or_default();
        rules.iter().any(from_everywhere)
    };
    let mut open: BTreeMap<(&str, &str), &Place> = groups
        .iter()
        .filter(|(_, group)| inline(&group.attrs))
        .map(|(key, group)| (*key, &group.place))
        .collect();
    for rule in model.settings_of(&RULES) {
        let is_egress = rule
            .attrs
            .get("type")
            .is_some_and(|kind| kind.as_str().as_deref() != Some("ingress"));
        if is_egress || !from_everywhere(&rule.attrs) {
            continue;
        }
        let id = any(&rule.attrs, &["security_group_id", "GroupId"]).and_then(|id| id.to_text());
        for address in id.iter().flat_map(|id| referred(id, &rule.place.root)) {
            if let Some(group) = groups.get(&(rule.place.root.as_str(), address)) {
                let place = &group.place;
                open.insert((place.root.as_str(), place.address.as_str()), place);
            }
        }
    }
    open
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
