//! Whether an identity can make a call: all of what AWS authorises for it, not one resource of it.
//!
//! Not for breadth, where one resource is enough ([`crate::Access::allows`]). Invariant: NO says that
//! some part which the call always takes is never allowed, whatever the open links are.

use crate::Access;
use overgrant_ir::IdentityId;
use overgrant_policy::engine::{Usable, usable};
use overgrant_policy::{Answer, Stack};

impl Access<'_> {
    /// Whether the identity's policies, under its boundary, let it make the call `service:Operation`
    /// (letter case aside), part by part: see [`usable`]. A policy or boundary that is not surely in
    /// force makes MAY.
    #[must_use]
    pub fn usable(&self, id: IdentityId, call: &str) -> Usable {
        let policies = self.policies(id);
        let mut stack = Stack::identity(policies.iter().map(|one| &*one.document).collect());
        let bound = self.links.boundary_document(self.model, id);
        let known = match bound {
            Ok(bound) => {
                stack.boundary = bound.map(|(document, _)| vec![document]);
                true
            }
            Err(_) => false,
        };
        let mut found = usable(&stack, call);
        if !policies.iter().all(crate::Attached::is_certain) {
            found.answer = Answer::May;
        } else if !known {
            found.answer = found.answer.at_most_may();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use crate::Access;
    use crate::tests::{named, quoted, resource};
    use overgrant_ir::lower;
    use overgrant_policy::Answer;

    /// The answer for `ec2:RunInstances`, with statements of the role and of its boundary.
    fn launch(own: &str, bound: Option<&str>) -> Answer {
        let bound_text = bound.map_or(String::new(), |_| {
            r#","permissions_boundary":"arn:aws:iam::111111111111:policy/b""#.to_owned()
        });
        let role = format!(
            r#"{{"name":"r","arn":"arn:aws:iam::111111111111:role/r","assume_role_policy":"{{}}"{bound_text}}}"#
        );
        let inline = format!(r#"{{"role":"r","policy":{}}}"#, quoted(own));
        let mut resources = vec![
            resource("a", "aws_iam_role", "r", &role),
            resource("a", "aws_iam_role_policy", "p", &inline),
        ];
        if let Some(bound) = bound {
            let attrs = format!(
                r#"{{"name":"b","arn":"arn:aws:iam::111111111111:policy/b","policy":{}}}"#,
                quoted(bound)
            );
            resources.push(resource("a", "aws_iam_policy", "b", &attrs));
        }
        let model = lower(resources);
        Access::new(&model)
            .usable(named(&model, "r"), "ec2:RunInstances")
            .answer
    }

    #[test]
    fn every_part_of_a_call_is_needed() {
        let on = |resource: &str| {
            format!(r#"{{"Effect":"Allow","Action":"ec2:*","Resource":"{resource}"}}"#)
        };
        let instance = on("arn:aws:ec2:*:*:instance/*");
        assert_eq!(launch(&on("*"), None), Answer::Must);
        assert_eq!(launch(&instance, None), Answer::No);
        assert_eq!(launch(&on("*"), Some(&instance)), Answer::No);
        assert_eq!(launch(&on("*"), Some(&on("*"))), Answer::Must);
    }
}
