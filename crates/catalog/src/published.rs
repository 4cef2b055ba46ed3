//! Policies that the makers of a controller publish for it and that are copied as they are.
//!
//! Not for policies that a narrower form is published of, or that hand out rights: those are judged as
//! anybody's. Invariant: an entry names actions on `*` alone, and is told by what the document lists.

/// A policy that is published for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedPolicy {
    /// The program that it is for.
    pub program: &'static str,
    /// Where it is published.
    pub source: &'static str,
    /// Actions that a copy lists by name, in lower case: together they tell it from other policies.
    pub marks: &'static [&'static str],
    /// Actions that it grants on `*`, in lower case and sorted.
    pub actions: &'static [&'static str],
}

/// All published policies.
#[must_use]
pub fn published_policies() -> &'static [PublishedPolicy] {
    &PUBLISHED
}

static PUBLISHED: [PublishedPolicy; 9] = [
    PublishedPolicy {
        program: "AWS Load Balancer Controller",
        source: "https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/docs/install/iam_policy.json",
        marks: &[
            "elasticloadbalancing:setwebacl",
            "waf-regional:associatewebacl",
        ],
        actions: &[
            "ec2:authorizesecuritygroupingress",
            "ec2:revokesecuritygroupingress",
            "elasticloadbalancing:addlistenercertificates",
            "elasticloadbalancing:deletelistener",
            "elasticloadbalancing:deleterule",
            "elasticloadbalancing:deregistertargets",
            "elasticloadbalancing:modifylistener",
            "elasticloadbalancing:modifyrule",
            "elasticloadbalancing:registertargets",
            "elasticloadbalancing:removelistenercertificates",
            "elasticloadbalancing:setrulepriorities",
            "elasticloadbalancing:setwebacl",
            "shield:createprotection",
            "shield:deleteprotection",
            "waf-regional:associatewebacl",
            "waf-regional:disassociatewebacl",
            "wafv2:associatewebacl",
            "wafv2:disassociatewebacl",
        ],
    },
    PublishedPolicy {
        program: "AWS ALB Ingress Controller, first version",
        source: "https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/v1.1.9/docs/examples/iam-policy.json",
        marks: &[
            "ec2:modifynetworkinterfaceattribute",
            "elasticloadbalancing:setwebacl",
            "waf-regional:associatewebacl",
            "waf:getwebacl",
        ],
        actions: &[
            "ec2:authorizesecuritygroupingress",
            "ec2:deletesecuritygroup",
            "ec2:modifyinstanceattribute",
            "ec2:modifynetworkinterfaceattribute",
            "ec2:revokesecuritygroupingress",
            "elasticloadbalancing:addlistenercertificates",
            "elasticloadbalancing:createlistener",
            "elasticloadbalancing:createloadbalancer",
            "elasticloadbalancing:createrule",
            "elasticloadbalancing:createtargetgroup",
            "elasticloadbalancing:deletelistener",
            "elasticloadbalancing:deleteloadbalancer",
            "elasticloadbalancing:deleterule",
            "elasticloadbalancing:deletetargetgroup",
            "elasticloadbalancing:deregistertargets",
            "elasticloadbalancing:modifylistener",
            "elasticloadbalancing:modifyloadbalancerattributes",
            "elasticloadbalancing:modifyrule",
            "elasticloadbalancing:modifytargetgroup",
            "elasticloadbalancing:modifytargetgroupattributes",
            "elasticloadbalancing:registertargets",
            "elasticloadbalancing:removelistenercertificates",
            "elasticloadbalancing:setipaddresstype",
            "elasticloadbalancing:setsecuritygroups",
            "elasticloadbalancing:setsubnets",
            "elasticloadbalancing:setwebacl",
        ],
    },
    PublishedPolicy {
        program: "AWS App Mesh Controller",
        source: "https://github.com/aws/aws-app-mesh-controller-for-k8s/blob/master/config/iam/controller-iam-policy.json",
        marks: &[
            "appmesh:createvirtualnode",
            "appmesh:deletevirtualnode",
            "appmesh:listvirtualrouters",
            "servicediscovery:registerinstance",
        ],
        actions: &[
            "appmesh:creategatewayroute",
            "appmesh:createmesh",
            "appmesh:createroute",
            "appmesh:createvirtualgateway",
            "appmesh:createvirtualnode",
            "appmesh:createvirtualrouter",
            "appmesh:createvirtualservice",
            "appmesh:deletegatewayroute",
            "appmesh:deletemesh",
            "appmesh:deleteroute",
            "appmesh:deletevirtualgateway",
            "appmesh:deletevirtualnode",
            "appmesh:deletevirtualrouter",
            "appmesh:deletevirtualservice",
            "appmesh:updategatewayroute",
            "appmesh:updatemesh",
            "appmesh:updateroute",
            "appmesh:updatevirtualgateway",
            "appmesh:updatevirtualnode",
            "appmesh:updatevirtualrouter",
            "appmesh:updatevirtualservice",
            "route53:changeresourcerecordsets",
            "route53:deletehealthcheck",
            "route53:updatehealthcheck",
            "servicediscovery:deleteservice",
            "servicediscovery:deregisterinstance",
            "servicediscovery:registerinstance",
            "servicediscovery:updateinstancecustomhealthstatus",
        ],
    },
    PublishedPolicy {
        program: "Amazon EBS CSI driver",
        source: "https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/example-iam-policy.json",
        marks: &[
            "ec2:attachvolume",
            "ec2:createsnapshot",
            "ec2:describevolumesmodifications",
            "ec2:detachvolume",
        ],
        actions: &[
            "ec2:attachvolume",
            "ec2:detachvolume",
            "ec2:enablefastsnapshotrestores",
            "ec2:modifyvolume",
        ],
    },
    PublishedPolicy {
        program: "Amazon FSx for Lustre CSI driver",
        source: "https://github.com/kubernetes-sigs/aws-fsx-csi-driver/blob/master/docs/install.md",
        marks: &[
            "fsx:createfilesystem",
            "fsx:deletefilesystem",
            "fsx:describefilesystems",
            "iam:createservicelinkedrole",
            "iam:putrolepolicy",
        ],
        actions: &["fsx:deletefilesystem", "fsx:updatefilesystem"],
    },
    PublishedPolicy {
        program: "Amazon FSx for OpenZFS CSI driver",
        source: "https://github.com/kubernetes-sigs/aws-fsx-openzfs-csi-driver/blob/main/docs/install.md",
        marks: &[
            "fsx:createvolume",
            "fsx:deletefilesystem",
            "fsx:deletesnapshot",
            "iam:createservicelinkedrole",
            "iam:putrolepolicy",
        ],
        actions: &[
            "fsx:deletefilesystem",
            "fsx:deletesnapshot",
            "fsx:deletevolume",
            "fsx:updatefilesystem",
        ],
    },
    // The queue and its messages can be named, and are told where they are not.
    PublishedPolicy {
        program: "AWS Node Termination Handler",
        source: "https://github.com/aws/aws-node-termination-handler/blob/main/README.md",
        marks: &[
            "autoscaling:completelifecycleaction",
            "autoscaling:describeautoscalinginstances",
            "ec2:describeinstances",
            "sqs:receivemessage",
        ],
        actions: &["autoscaling:completelifecycleaction"],
    },
    PublishedPolicy {
        program: "Velero plugin for AWS",
        source: "https://github.com/vmware-tanzu/velero-plugin-for-aws/blob/main/README.md",
        marks: &[
            "ec2:createsnapshot",
            "ec2:createvolume",
            "ec2:deletesnapshot",
            "s3:abortmultipartupload",
            "s3:listmultipartuploadparts",
        ],
        actions: &["ec2:deletesnapshot"],
    },
    PublishedPolicy {
        program: "cloud-provider-aws, control plane",
        source: "https://cloud-provider-aws.sigs.k8s.io/prerequisites/",
        marks: &[
            "ec2:createroute",
            "ec2:detachvolume",
            "elasticloadbalancing:applysecuritygroupstoloadbalancer",
            "elasticloadbalancing:setloadbalancerpoliciesforbackendserver",
        ],
        actions: &[
            "ec2:attachvolume",
            "ec2:authorizesecuritygroupingress",
            "ec2:createroute",
            "ec2:deleteroute",
            "ec2:deletesecuritygroup",
            "ec2:deletevolume",
            "ec2:detachvolume",
            "ec2:modifyinstanceattribute",
            "ec2:modifyvolume",
            "ec2:revokesecuritygroupingress",
            "elasticloadbalancing:applysecuritygroupstoloadbalancer",
            "elasticloadbalancing:attachloadbalancertosubnets",
            "elasticloadbalancing:configurehealthcheck",
            "elasticloadbalancing:createlistener",
            "elasticloadbalancing:createloadbalancer",
            "elasticloadbalancing:createloadbalancerlisteners",
            "elasticloadbalancing:createloadbalancerpolicy",
            "elasticloadbalancing:createtargetgroup",
            "elasticloadbalancing:deletelistener",
            "elasticloadbalancing:deleteloadbalancer",
            "elasticloadbalancing:deleteloadbalancerlisteners",
            "elasticloadbalancing:deletetargetgroup",
            "elasticloadbalancing:deregisterinstancesfromloadbalancer",
            "elasticloadbalancing:deregistertargets",
            "elasticloadbalancing:detachloadbalancerfromsubnets",
            "elasticloadbalancing:modifylistener",
            "elasticloadbalancing:modifyloadbalancerattributes",
            "elasticloadbalancing:modifytargetgroup",
            "elasticloadbalancing:registerinstanceswithloadbalancer",
            "elasticloadbalancing:registertargets",
            "elasticloadbalancing:setloadbalancerpoliciesforbackendserver",
            "elasticloadbalancing:setloadbalancerpoliciesoflistener",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;

    #[test]
    fn entries_name_actions_that_exist_in_order() {
        for entry in published_policies() {
            assert!(
                entry.actions.is_sorted() && entry.marks.is_sorted(),
                "{}",
                entry.program
            );
            assert!(
                entry.marks.len() > 1 && entry.source.starts_with("https://"),
                "{}",
                entry.program
            );
            for name in entry.marks.iter().chain(entry.actions) {
                assert!(
                    catalog().action_id(name).is_some(),
                    "{}: {name}",
                    entry.program
                );
                assert_eq!(*name, name.to_ascii_lowercase());
            }
        }
    }
}
