//! The `Rules` section: what its assertions forbid the parameters to be.
//!
//! A stack whose parameters break a rule is not made, so that what only holds for such parameters
//! never does. Not for telling which rule is broken by the values given. Invariant: an assertion
//! that cannot be settled from parameters and literals forbids nothing.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html>

use super::conditions::Cases;
use super::{Evaluator, Position};
use crate::syntax::Node;
use overgrant_value::{Guard, Relation, Val};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Assertions of one template that are looked at.
const MAX_ASSERTIONS: usize = 256;
/// Comparisons that a function on lists is worked out with.
const MAX_COMPARISONS: usize = 256;

/// What the rules of a template come to.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Conjunctions that no stack fulfils.
    forbidden: Vec<Guard>,
    /// What is left of the values of the parameters that a rule speaks of by themselves.
    domains: BTreeMap<SmolStr, Vec<SmolStr>>,
}

impl Rules {
    /// Whether the rules forbid everything that `guard` leaves.
    pub(super) fn forbid(&self, guard: &Guard) -> bool {
        self.forbidden.iter().any(|never| never.implied_by(guard))
    }
}

impl Evaluator<'_> {
    /// The values that the parameter `name` may have; empty where every value is allowed.
    pub(super) fn domain(&self, name: &str) -> &[SmolStr] {
        if let Some(left) = self.rules.domains.get(name) {
            return left;
        }
        let parameter = self.parameters.get(name);
        parameter.map(|p| p.allowed.as_slice()).unwrap_or_default()
    }

    pub(super) fn read_rules(&self) -> Rules {
        let mut rules = Rules::default();
        let section = self.sections.rules.as_ref();
        let assertions = section.iter().flat_map(|section| section.entries());
        let assertions = assertions.flat_map(|rule| {
            let assertions = rule.value.get("Assertions");
            let items = assertions.map(|node| node.items()).unwrap_or_default();
            items.iter().map(move |item| (&rule.value, item))
        });
        for (rule, item) in assertions.take(MAX_ASSERTIONS) {
            let when = match rule.get("RuleCondition") {
                Some(condition) => self.cases(condition),
                None => Some(Cases::constant(true)),
            };
            let assert = item.get("Assert").and_then(|assert| self.cases(assert));
            if let (Some(when), Some(assert)) = (when, assert) {
                for holds in &when.holds {
                    let broken = assert.fails.iter().filter_map(|fails| holds.and(fails));
                    // What the given values break is for the service to refuse.
                    rules
                        .forbidden
                        .extend(broken.filter(|never| !never.is_always()));
                }
            }
        }
        self.narrow(&mut rules);
        rules
    }

    /// Works out the domains of the parameters that are forbidden something by themselves.
    fn narrow(&self, rules: &mut Rules) {
        let mut alone: BTreeMap<SmolStr, Vec<&Guard>> = BTreeMap::new();
        for never in &rules.forbidden {
            let mut subjects = never.atoms().iter().map(|atom| &atom.subject);
            if let Some(first) = subjects.next()
                && subjects.all(|subject| subject == first)
            {
                alone.entry(first.clone()).or_default().push(never);
            }
        }
        for (subject, nevers) in alone {
            let Some(name) = self.parameter_of(&subject) else {
                continue;
            };
            let allowed = self.parameters.get(name).map(|p| p.allowed.clone());
            let mut left = allowed.unwrap_or_default();
            if left.is_empty() {
                // One of a list, or else forbidden.
                let excluded = |never: &&&Guard| {
                    let mut atoms = never.atoms().iter();
                    atoms.all(|atom| matches!(atom.relation, Relation::IsNot(_)))
                };
                let atoms = nevers
                    .iter()
                    .find(excluded)
                    .into_iter()
                    .flat_map(|n| n.atoms());
                left.extend(atoms.filter_map(|atom| match &atom.relation {
                    Relation::IsNot(value) => Some(value.clone()),
                    _ => None,
                }));
            }
            left.retain(|value| {
                let this = Guard::atom(subject.clone(), Relation::Is(value.clone()));
                !nevers.iter().any(|never| never.implied_by(&this))
            });
            if !left.is_empty() {
                rules.domains.insert(name.into(), left);
            }
        }
    }

    /// The parameter of this template that guards call `subject`.
    fn parameter_of<'s>(&self, subject: &'s str) -> Option<&'s str> {
        let rest = subject.strip_prefix("parameter ")?;
        let name = rest.split(' ').next().unwrap_or(rest);
        self.parameters.get(name).map(|_| name)
    }

    /// The functions on lists that only rules have.
    pub(super) fn membership(&self, name: &str, argument: &Node) -> Option<Cases> {
        let [left, right] = argument.items() else {
            return None;
        };
        let list = |node: &Node| -> Option<Vec<Val>> {
            let val = self.eval(node, &Guard::always(), Position::Condition);
            val.as_items().map(<[Val]>::to_vec)
        };
        let one = |node: &Node| self.eval(node, &Guard::always(), Position::Condition);
        let among = |val: &Val, list: &[Val]| -> Option<Cases> {
            let members: Option<Vec<Cases>> =
                list.iter().map(|item| self.equal(item, val)).collect();
            self.any(members?)
        };
        match name {
            "Contains" => among(&one(right), &bounded(list(left)?, 1)?),
            "EachMemberEquals" => {
                let wanted = one(right);
                let members = bounded(list(left)?, 1)?;
                let members: Option<Vec<Cases>> = members
                    .iter()
                    .map(|item| self.equal(item, &wanted))
                    .collect();
                self.every(members?)
            }
            "EachMemberIn" => {
                let allowed = list(right)?;
                let members = bounded(list(left)?, allowed.len())?;
                let members: Option<Vec<Cases>> =
                    members.iter().map(|item| among(item, &allowed)).collect();
                self.every(members?)
            }
            _ => None,
        }
    }
}

/// The list, where comparing each member `times` times is no great work.
fn bounded(list: Vec<Val>, times: usize) -> Option<Vec<Val>> {
    (list.len().saturating_mul(times) <= MAX_COMPARISONS).then_some(list)
}

#[cfg(test)]
mod tests {
    use crate::testing::one;

    /// The guards of two roles, one there where `C` holds and one where it does not.
    fn guards(rules: &str, condition: &str) -> (Vec<String>, Vec<&'static str>) {
        let found = one(&format!(
            "Parameters:
  Env: {{Type: String, AllowedValues: [dev, test, prod]}}
  Admin: {{Type: String}}
  Subnets: {{Type: 'List<AWS::EC2::Subnet::Id>'}}
Rules:
{rules}
Conditions:
  C: {condition}
Resources:
  Yes: {{Type: AWS::IAM::Role, Condition: C}}
  Both: {{Type: AWS::IAM::Role, Properties: {{V: !If [C, a, b]}}}}
"
        ));
        let lines = found.resources.iter().map(|resource| {
            let val = resource.get("V");
            let val = val.map(|val| overgrant_value::json::to_string(&val));
            format!(
                "{} {} {}",
                resource.address,
                resource.guard,
                val.unwrap_or_default()
            )
        });
        let codes = found.diagnostics.iter().map(|told| told.code).collect();
        (lines.map(|line| line.trim().to_owned()).collect(), codes)
    }

    #[test]
    fn assertions_limit_what_parameters_may_be() {
        let prod = "!Equals [!Ref Env, prod]";
        let on = "!Equals [!Ref Admin, 'on']";
        let assert = |assert: &str| format!("  R: {{Assertions: [{{Assert: {assert}}}]}}");
        let when = |when: &str, assert: &str| {
            format!("  R: {{RuleCondition: {when}, Assertions: [{{Assert: {assert}}}]}}")
        };
        for (rule, condition, wanted) in [
            // Without a rule both sides are there.
            (
                assert("!Equals [a, a]"),
                prod,
                &["Yes parameter Env = prod", "Both  ${one of \"a\", \"b\"}"][..],
            ),
            (
                assert("{'Fn::Contains': [[dev, test], !Ref Env]}"),
                prod,
                &["Both  \"b\""],
            ),
            (
                assert("{'Fn::EachMemberIn': [[!Ref Env], [prod]]}"),
                prod,
                &["Yes parameter Env = prod", "Both  \"a\""],
            ),
            (
                assert("{'Fn::EachMemberEquals': [[!Ref Env, dev], dev]}"),
                prod,
                &["Both  \"b\""],
            ),
            (
                assert("!Not [!Equals [!Ref Env, prod]]"),
                prod,
                &["Both  \"b\""],
            ),
            (
                assert("!Or [!Equals [!Ref Env, dev], !Equals [!Ref Env, prod]]"),
                "!Not [!Equals [!Ref Env, prod]]",
                &["Yes parameter Env = dev", "Both  ${one of \"a\", \"b\"}"],
            ),
            (
                assert("{'Fn::Contains': [['off', 'no'], !Ref Admin]}"),
                on,
                &["Both  \"b\""],
            ),
            (
                when(prod, "!Equals [!Ref Admin, 'off']"),
                &format!("!And [{prod}, {on}]"),
                &["Both  \"b\""],
            ),
            // The rule does not speak of other environments.
            (
                when(prod, "!Equals [!Ref Admin, 'off']"),
                &format!("!And [!Equals [!Ref Env, dev], {on}]"),
                &[
                    "Yes condition C and parameter Admin = on and parameter Env = dev",
                    "Both  ${one of \"a\", \"b\"}",
                ],
            ),
        ] {
            let (seen, codes) = guards(&rule, condition);
            assert_eq!(seen, wanted, "{rule}");
            assert!(codes.is_empty(), "{rule}: {codes:?}");
        }
    }

    #[test]
    fn what_rules_ask_of_the_account_settles_nothing() {
        let open = ["Yes parameter Env = prod", "Both  ${one of \"a\", \"b\"}"];
        for assert in [
            "{'Fn::EachMemberIn': [{'Fn::ValueOfAll': ['AWS::EC2::Subnet::Id', VpcId]}, {'Fn::RefAll': 'AWS::EC2::VPC::Id'}]}",
            "{'Fn::EachMemberEquals': [{'Fn::ValueOf': [Subnets, Tags.Department]}, IT]}",
            "{'Fn::Contains': [{'Fn::RefAll': 'AWS::EC2::VPC::Id'}, !Ref Env]}",
            "{'Fn::Contains': [[!Ref Admin, dev], !Ref Env]}",
            "{'Fn::Contains': [[dev]]}",
            "!Equals [!Ref Subnets, x]",
            "text",
        ] {
            let (seen, codes) = guards(
                &format!("  R: {{Assertions: [{{Assert: {assert}}}]}}"),
                "!Equals [!Ref Env, prod]",
            );
            assert_eq!(seen, open, "{assert}");
            assert!(codes.is_empty(), "{assert}: {codes:?}");
        }
    }
}
