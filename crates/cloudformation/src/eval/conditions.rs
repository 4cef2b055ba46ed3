//! Conditions: under which guards each one is true and false.
//!
//! Not a solver: every equality is an atom over a parameter or pseudo parameter, a condition is two
//! sets of disjoint conjunctions, and one that has more than a single conjunction on either side is
//! spoken of by its name as well. Invariant: guards of the two sides exclude each other.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html>

use super::{Evaluator, Position};
use crate::syntax::Node;
use overgrant_source::{Level, Span};
use overgrant_value::{Answer, Guard, Piece, Relation, Sym, Text, Val};
use smol_str::SmolStr;
use std::sync::Arc;

/// Conjunctions of one side beyond which only the condition's name is used.
const MAX_CASES: usize = 16;

/// When a condition is true and when it is false. `None`: never.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) holds: Option<Guard>,
    pub(crate) fails: Option<Guard>,
}

/// Disjoint conjunctions for both outcomes.
#[derive(Debug, Clone)]
pub(super) struct Cases {
    pub(super) holds: Vec<Guard>,
    pub(super) fails: Vec<Guard>,
}

impl Cases {
    pub(super) fn constant(value: bool) -> Self {
        let always = vec![Guard::always()];
        if value {
            Self {
                holds: always,
                fails: Vec::new(),
            }
        } else {
            Self {
                holds: Vec::new(),
                fails: always,
            }
        }
    }

    fn atom(subject: &str) -> Self {
        Self {
            holds: vec![Guard::atom(subject, Relation::Holds)],
            fails: vec![Guard::atom(subject, Relation::Fails)],
        }
    }

    fn not(self) -> Self {
        Self {
            holds: self.fails,
            fails: self.holds,
        }
    }
}

impl Evaluator<'_> {
    /// When the condition `name` holds; `None` where the template has none of that name.
    pub(crate) fn condition(&self, name: &str) -> Option<Truth> {
        if let Some(known) = self.truths.borrow().get(name) {
            return known.clone();
        }
        let node = Arc::clone(self.sections.condition(name)?);
        // A condition that depends on itself is spoken of by its name.
        let own = self.named(name);
        self.truths.borrow_mut().insert(name.into(), Some(own));
        self.deciding.borrow_mut().push(name.into());
        let truth = self.settle(name, self.cases(&node));
        self.deciding.borrow_mut().pop();
        self.truths
            .borrow_mut()
            .insert(name.into(), Some(truth.clone()));
        Some(truth)
    }

    /// Decides the conditions that nothing has asked for, so that what is wrong with them is told.
    pub(crate) fn decide_all(&self) {
        for name in self.sections.conditions() {
            self.condition(name);
        }
    }

    /// As [`Self::condition`]; an undeclared name is told and left open.
    pub(crate) fn condition_or_open(&self, name: &str, at: &Node) -> Truth {
        self.condition(name).unwrap_or_else(|| {
            if !self.sections.rewritten {
                self.tell(
                    Level::Warning,
                    "unknown-condition",
                    at.full_span(),
                    &format!("no condition `{name}` is declared; add it to Conditions"),
                );
            }
            self.named(name)
        })
    }

    /// A condition of which only the name is spoken.
    fn named(&self, name: &str) -> Truth {
        let subject = self.subject("condition", name);
        Truth {
            holds: Some(Guard::atom(subject.clone(), Relation::Holds)),
            fails: Some(Guard::atom(subject, Relation::Fails)),
        }
    }

    fn settle(&self, name: &str, cases: Option<Cases>) -> Truth {
        let Some(cases) = cases else {
            return self.named(name);
        };
        let exact = cases.holds.len() <= 1 && cases.fails.len() <= 1;
        let side = |guards: Vec<Guard>, relation: Relation| -> Option<Guard> {
            let mut guards = guards.into_iter().filter(|guard| self.possible(guard));
            let first = guards.next()?;
            if exact {
                return Some(first);
            }
            let common = guards.fold(first, |common, guard| shared(&common, &guard));
            common.and(&Guard::atom(self.subject("condition", name), relation))
        };
        Truth {
            holds: side(cases.holds, Relation::Holds),
            fails: side(cases.fails, Relation::Fails),
        }
    }

    /// What CloudFormation refuses about a condition, which is then spoken of by its name.
    fn refuse(&self, at: &Node, problem: &str) {
        if let Some(name) = self.deciding.borrow().last() {
            let message = format!("the condition `{name}` {problem}");
            self.tell(Level::Warning, "condition-form", at.full_span(), &message);
        }
    }

    /// Tells of a resource in the condition that is being decided.
    pub(super) fn refuse_resource(&self, name: &str, span: Span) {
        if let Some(condition) = self.deciding.borrow().last() {
            let message = format!(
                "the condition `{condition}` refers to the resource `{name}`; only parameters and mappings are known when conditions are decided"
            );
            self.tell(Level::Warning, "condition-form", span, &message);
        }
    }

    /// Tells of a function with more or fewer members than it takes.
    fn count(&self, name: &str, argument: &Node) {
        let (least, most) = match name {
            "Equals" => (2, 2),
            "Not" => (1, 1),
            "And" | "Or" => (2, 10),
            _ => return,
        };
        let found = argument.items().len();
        if found < least || found > most {
            let takes = match (least, most) {
                (1, _) => "one member".to_owned(),
                (2, 2) => "two members".to_owned(),
                _ => format!("{least} to {most} members"),
            };
            self.refuse(
                argument,
                &format!("gives `Fn::{name}` {found}; it takes {takes}"),
            );
        }
    }

    /// The cases of a condition expression; `None` where there are too many or it is not one.
    pub(super) fn cases(&self, node: &Node) -> Option<Cases> {
        let Some((name, argument)) = function(node) else {
            self.refuse(
                node,
                "is none; write one of `Fn::Equals`, `Fn::Not`, `Fn::And`, `Fn::Or`",
            );
            return None;
        };
        self.count(name, argument);
        match name {
            "Equals" => match argument.items() {
                [left, right] => self.equality(left, right),
                _ => None,
            },
            "Not" => match argument.items() {
                [inner] => self.cases(inner).map(Cases::not),
                _ => None,
            },
            "And" | "Or" if argument.items().is_empty() => None,
            "And" => self.all(argument),
            "Or" => {
                let members: Option<Vec<Cases>> = argument
                    .items()
                    .iter()
                    .map(|item| self.cases(item))
                    .collect();
                self.any(members?)
            }
            "Condition" => {
                let named = argument.scalar()?.text.as_str();
                if self.deciding.borrow().iter().any(|name| name == named) {
                    self.refuse(argument, &format!("depends on itself through `{named}`"));
                }
                let truth = self.condition_or_open(named, argument);
                Some(Cases {
                    holds: truth.holds.into_iter().collect(),
                    fails: truth.fails.into_iter().collect(),
                })
            }
            _ => self.membership(name, argument),
        }
    }

    fn all(&self, argument: &Node) -> Option<Cases> {
        let members: Option<Vec<Cases>> = argument
            .items()
            .iter()
            .map(|item| self.cases(item))
            .collect();
        self.every(members?)
    }

    /// When all members are true.
    pub(super) fn every(&self, members: Vec<Cases>) -> Option<Cases> {
        conjunction(members, |guard| self.possible(guard))
    }

    /// When one member is true.
    pub(super) fn any(&self, members: Vec<Cases>) -> Option<Cases> {
        let negated = members.into_iter().map(Cases::not).collect();
        self.every(negated).map(Cases::not)
    }

    fn equality(&self, left: &Node, right: &Node) -> Option<Cases> {
        let always = Guard::always();
        let left = self.eval(left, &always, Position::Condition);
        let right = self.eval(right, &always, Position::Condition);
        let mut cases = Cases {
            holds: Vec::new(),
            fails: Vec::new(),
        };
        for (left_guard, left) in left.alternatives() {
            for (right_guard, right) in right.alternatives() {
                let Some(guard) = left_guard.and(&right_guard) else {
                    continue;
                };
                let here = self.equal(&left, &right)?;
                let under = |guards: Vec<Guard>| {
                    guards
                        .into_iter()
                        .filter_map(|g| g.and(&guard))
                        .collect::<Vec<_>>()
                };
                cases.holds.extend(under(here.holds));
                cases.fails.extend(under(here.fails));
            }
        }
        (cases.holds.len() <= MAX_CASES && cases.fails.len() <= MAX_CASES).then_some(cases)
    }

    pub(super) fn equal(&self, left: &Val, right: &Val) -> Option<Cases> {
        let (left, right) = (left.to_text()?, right.to_text()?);
        match left.equals(&right) {
            Answer::Must => return Some(Cases::constant(true)),
            Answer::No => return Some(Cases::constant(false)),
            Answer::May => {}
        }
        let (open, literal) = match (left.as_known(), right.as_known()) {
            (None, Some(literal)) => (&left, literal),
            (Some(literal), None) => (&right, literal),
            _ => {
                let (a, b) = (left.to_string(), right.to_string());
                let (a, b) = if a <= b { (a, b) } else { (b, a) };
                return Some(Cases::atom(&format!("{a} = {b}")));
            }
        };
        let Some(sym) = single(open) else {
            return Some(Cases::atom(&format!("{open} = {literal}")));
        };
        let subject = subject_of(sym);
        let domain = match sym {
            Sym::Input { name, .. } => self.domain(name),
            _ => &[],
        };
        if !domain.is_empty() && !domain.contains(&literal) {
            return Some(Cases::constant(false));
        }
        let others: Vec<&SmolStr> = domain.iter().filter(|value| **value != literal).collect();
        let fails = match (domain.is_empty(), others.as_slice()) {
            (false, []) => Vec::new(),
            (false, [only]) => vec![Guard::atom(subject.clone(), Relation::Is((*only).clone()))],
            _ => vec![Guard::atom(
                subject.clone(),
                Relation::IsNot(literal.clone()),
            )],
        };
        Some(Cases {
            holds: vec![Guard::atom(subject, Relation::Is(literal))],
            fails,
        })
    }

    /// Whether a guard leaves every parameter with allowed values one of them, and no rule of the
    /// template forbids it.
    pub(super) fn possible(&self, guard: &Guard) -> bool {
        if self.rules.forbid(guard) {
            return false;
        }
        guard.atoms().iter().all(|atom| {
            let Some(name) = atom.subject.strip_prefix("parameter ") else {
                return true;
            };
            let name = name.split(' ').next().unwrap_or(name);
            let domain = self.domain(name);
            domain.is_empty()
                || domain.iter().any(|value| {
                    let this = Guard::atom(atom.subject.clone(), Relation::Is(value.clone()));
                    guard.and(&this).is_some()
                })
        })
    }
}

/// All members true, or the first false one after true ones.
fn conjunction(members: Vec<Cases>, possible: impl Fn(&Guard) -> bool) -> Option<Cases> {
    let mut holds = vec![Guard::always()];
    let mut fails = Vec::new();
    for member in members {
        let mut still = Vec::new();
        for guard in &holds {
            for failing in &member.fails {
                fails.extend(guard.and(failing).filter(&possible));
            }
            for holding in &member.holds {
                still.extend(guard.and(holding).filter(&possible));
            }
        }
        holds = still;
        if holds.len() > MAX_CASES || fails.len() > MAX_CASES {
            return None;
        }
    }
    // What never holds fails always, whichever member it is that fails.
    if holds.is_empty() {
        fails = vec![Guard::always()];
    }
    Some(Cases { holds, fails })
}

/// The atoms that both guards have.
fn shared(a: &Guard, b: &Guard) -> Guard {
    a.atoms()
        .iter()
        .filter(|atom| b.atoms().contains(atom))
        .map(|atom| Guard::atom(atom.subject.clone(), atom.relation.clone()))
        .fold(Guard::always(), |all, atom| all.and(&atom).unwrap_or(all))
}

/// The one symbol a text consists of.
fn single(text: &Text) -> Option<&Sym> {
    match text.pieces() {
        [Piece::Hole(hole)] => Some(&hole.sym),
        _ => None,
    }
}

/// How a guard speaks of a symbol.
pub(super) fn subject_of(sym: &Sym) -> SmolStr {
    match sym {
        Sym::Input { name, module, .. } if module.is_empty() => format!("parameter {name}").into(),
        Sym::Input { name, module, .. } => format!("parameter {name} of {module}").into(),
        Sym::Region => "region".into(),
        Sym::Account => "account".into(),
        Sym::Partition => "partition".into(),
        other => other.describe().into(),
    }
}

/// The function that a condition node calls, in short or long form.
pub(super) fn function(node: &Node) -> Option<(&str, &Node)> {
    if let Some(tag) = &node.tag {
        return Some((tag.name.as_str(), node));
    }
    match node.entries() {
        [entry] => Some((
            entry.key.strip_prefix("Fn::").unwrap_or(&entry.key),
            &entry.value,
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{one, property};

    const HEAD: &str = "Parameters:
  Env: {Type: String, AllowedValues: [dev, prod], Default: dev}
  Three: {Type: String, AllowedValues: [a, b, c]}
  Arn: {Type: String, Default: ''}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  IsDev: !Equals [dev, !Ref Env]
  NotProd: !Not [!Condition IsProd]
  Never: !Equals [!Ref Env, staging]
  Always: !Equals [a, a]
  Both: !And [!Condition IsProd, !Equals [!Ref 'AWS::Region', us-east-1]]
  Either: !Or [!Condition IsProd, !Equals [!Ref Three, a]]
  HasArn: !Not [!Equals [!Ref Arn, '']]
  Loop: !Not [!Condition Loop]
";

    #[test]
    fn conditions_that_are_refused_are_told() {
        for (conditions, told) in [
            (
                "C: !Or [!Equals [a, b]]",
                Some("gives `Fn::Or` 1; it takes 2 to 10 members"),
            ),
            (
                "C: !And []",
                Some("gives `Fn::And` 0; it takes 2 to 10 members"),
            ),
            (
                "C: !Not [!Equals [a, b], !Equals [a, b]]",
                Some("gives `Fn::Not` 2; it takes one member"),
            ),
            (
                "C: !Equals [a]",
                Some("gives `Fn::Equals` 1; it takes two members"),
            ),
            ("C: yes", Some("is none; write one of")),
            ("C: {a: b, c: d}", Some("is none; write one of")),
            (
                "C: !Not [!Condition C]",
                Some("depends on itself through `C`"),
            ),
            (
                "C: !Not [!Condition D]\n  D: !Not [!Condition C]",
                Some("depends on itself through `C`"),
            ),
            (
                "C: !Or [!Condition D, !Condition D]\n  D: !Equals [a, b]",
                None,
            ),
        ] {
            let template = format!(
                "Conditions:\n  {conditions}\nResources:\n  R: {{Type: AWS::SNS::Topic, Condition: C}}\n"
            );
            let found = one(&template).diagnostics;
            let messages: Vec<&str> = found.iter().map(|told| told.message.as_str()).collect();
            match told {
                None => assert_eq!(messages, [""; 0], "{conditions}"),
                Some(told) => {
                    assert_eq!(messages.len(), 1, "{messages:?}");
                    assert!(messages[0].contains(told), "{messages:?}");
                }
            }
        }
    }

    fn guards(conditions: &[&str]) -> Vec<String> {
        let mut text = format!("{HEAD}Resources:\n");
        for name in conditions {
            text.push_str(&format!(
                "  {name}R: {{Type: AWS::SNS::Topic, Condition: {name}}}\n"
            ));
        }
        one(&text)
            .resources
            .iter()
            .map(|resource| format!("{}: {}", resource.address, resource.guard))
            .collect()
    }

    #[test]
    fn conditions_become_guards() {
        assert_eq!(
            guards(&[
                "IsProd", "IsDev", "NotProd", "Never", "Always", "Both", "Either"
            ]),
            [
                "IsProdR: parameter Env = prod",
                "IsDevR: parameter Env = dev",
                "NotProdR: parameter Env = dev",
                "AlwaysR: ",
                "BothR: condition Both and parameter Env = prod and region = us-east-1",
                "EitherR: condition Either",
            ]
        );
    }

    #[test]
    fn a_condition_on_itself_is_open() {
        assert_eq!(guards(&["Loop"]), ["LoopR: not condition Loop"]);
    }

    fn value(yaml: &str, condition: &str) -> String {
        property(&format!(
            "{HEAD}Resources:\n  X:\n    Type: AWS::SNS::Topic\n{condition}    Properties:\n      V: {yaml}\n"
        ))
    }

    #[test]
    fn contradictory_branches_vanish() {
        let nested = "!If [IsProd, !If [IsDev, never, prod], dev]";
        let val = value(nested, "");
        assert!(
            !val.contains("never") && val.contains("prod") && val.contains("dev"),
            "{val}"
        );
        assert_eq!(value(nested, "    Condition: NotProd\n"), "\"dev\"");
        assert_eq!(value("!If [Always, a, b]", ""), "\"a\"");
        assert_eq!(
            value(
                "!Join ['', [!If [IsProd, a, b], !If [IsDev, c, d]]]",
                "    Condition: IsProd\n"
            ),
            "\"ad\""
        );
    }

    #[test]
    fn a_branch_does_not_use_a_default_that_contradicts_it() {
        let val = value("!If [HasArn, !Ref Arn, none]", "");
        assert!(val.contains("${Arn}") && val.contains("none"), "{val}");
        assert_eq!(value("!Ref Env", "    Condition: IsProd\n"), "\"prod\"");
        assert_eq!(value("!Ref Env", ""), "\"dev\"", "the default is the value");
    }

    #[test]
    fn no_value_removes() {
        assert_eq!(value("[!Ref 'AWS::NoValue', a]", ""), "[\"a\"]");
        let found = one(&format!(
            "{HEAD}Resources: {{X: {{Type: AWS::SNS::Topic, Properties: {{A: !If [Always, !Ref 'AWS::NoValue', x], B: 1}}}}}}"
        ));
        assert!(found.resources[0].get("A").is_none());
        assert!(found.resources[0].get("B").is_some());
    }

    #[test]
    fn an_undeclared_condition_is_told() {
        let found = one("Resources: {X: {Type: AWS::SNS::Topic, Condition: Nope}}");
        assert_eq!(found.diagnostics[0].code, "unknown-condition");
        assert_eq!(found.resources.len(), 1);
    }
}
