//! What CloudFormation refuses about a call: arguments of the wrong form, keys and items that are not
//! there.
//!
//! Not for references and conditions, which tell their own. Invariant: only what is wrong for every
//! value of the parameters is told, and nothing where a macro may rewrite the template.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

use super::Evaluator;
use super::conditions::function;
use crate::syntax::{Kind, Node};
use overgrant_source::{Level, Span};
use overgrant_value::{Data, Marks, Val};
use std::cell::{Cell, RefCell};

/// The code for an argument of the wrong form.
const FORM: &str = "function-form";
/// An extension of the language without the transform that brings it.
pub(crate) const UNTRANSFORMED: &str = "needs-transform";
/// Keys of a mapping that a message lists.
const LISTED: usize = 6;

/// Why a lookup gives nothing.
pub(super) struct Refused {
    code: &'static str,
    /// What is wrong and what to do; `None` where something that is not here may mend it.
    message: Option<String>,
    /// What stands in place of the value.
    open: &'static str,
}

impl Refused {
    /// A mapping that is not declared.
    pub(super) fn mapping(name: &str, may_be_added: bool) -> Self {
        let message = format!("there is no mapping `{name}`; declare it under Mappings");
        Self {
            code: "unknown-mapping",
            message: (!may_be_added).then_some(message),
            open: "a key that no mapping has",
        }
    }

    /// A key that the members of a mapping do not have.
    pub(super) fn key(mapping: &str, key: &Val, members: &Node) -> Self {
        let key = key.to_text().map(|key| key.to_string());
        let has: Vec<&str> = members
            .entries()
            .iter()
            .map(|entry| entry.key.as_str())
            .collect();
        let rest = has.len().saturating_sub(LISTED);
        let more = if rest == 0 {
            String::new()
        } else {
            format!(" and {rest} more")
        };
        let listed: Vec<&str> = has.into_iter().take(LISTED).collect();
        let message = format!(
            "the mapping `{mapping}` has no key `{}` here; add it, or name one that there is ({}{more})",
            key.unwrap_or_default(),
            listed.join(", "),
        );
        Self {
            code: "unknown-mapping",
            message: (!is_open(members)).then_some(message),
            open: "a key that no mapping has",
        }
    }

    /// An index beyond a list's items.
    pub(super) fn index(index: i64, items: &[Val]) -> Self {
        let message = format!(
            "Fn::Select takes item {index}, counted from 0, of a list of {}; correct the index",
            items.len()
        );
        // An item with alternatives may be absent in some, and one that is a list stands for several.
        let certain =
            |item: &Val| !matches!(item.data(), Data::OneOf(_)) && item.as_items().is_none();
        Self {
            code: "select-index",
            message: items.iter().all(certain).then_some(message),
            open: "an item that the list does not have",
        }
    }

    /// An index that is a word.
    pub(super) fn no_number(index: &Val) -> Self {
        let index = index.to_text().map(|index| index.to_string());
        Self {
            code: "select-index",
            message: Some(format!(
                "the index of Fn::Select is `{}`; write a number from 0",
                index.unwrap_or_default()
            )),
            open: "an item whose index is no number",
        }
    }
}

impl Evaluator<'_> {
    /// As [`Self::combine`] with a function that may refuse. Where it refuses every combination, and
    /// `settled` says that no other can come, the first reason is told.
    pub(super) fn combine_or_tell(
        &self,
        arguments: &[Val],
        span: Span,
        settled: impl Fn() -> bool,
        make: impl Fn(&[Val]) -> Result<Val, Refused>,
    ) -> Val {
        let made = Cell::new(false);
        let refusal: RefCell<Option<Refused>> = RefCell::default();
        let val = self.combine(arguments, span, |vals| match make(vals) {
            Ok(val) => {
                made.set(true);
                val
            }
            Err(refused) => {
                let val = self.open(refused.open, span);
                refusal.borrow_mut().get_or_insert(refused);
                val
            }
        });
        if let Some(refused) = refusal.into_inner().filter(|_| !made.get())
            && let Some(message) = &refused.message
            && !self.sections.rewritten
            && settled()
        {
            self.tell(Level::Warning, refused.code, span, message);
        }
        val
    }

    /// Whether a node has one value, whatever is given to the template.
    pub(super) fn is_settled(&self, node: &Node) -> bool {
        let Some((call, argument)) = call_of(node) else {
            return match &node.kind {
                Kind::Scalar(scalar) => !scalar.text.contains("{{resolve:"),
                Kind::Seq(items) => items.iter().all(|item| self.is_settled(item)),
                Kind::Map(entries) => entries.iter().all(|entry| self.is_settled(&entry.value)),
            };
        };
        match call {
            "Ref" => argument
                .scalar()
                .is_some_and(|name| self.is_given(&name.text)),
            "Sub" => argument
                .scalar()
                .is_some_and(|text| !text.text.replace("${!", "").contains("${")),
            "Join" | "Split" | "Select" | "Base64" | "FindInMap" => {
                let parts = argument.items().iter();
                !argument.items().is_empty() && parts.into_iter().all(|part| self.is_settled(part))
            }
            _ => false,
        }
    }

    /// Whether a name has a value that nothing changes: a pseudo parameter that is known, or a
    /// parameter that was given.
    fn is_given(&self, name: &str) -> bool {
        match name {
            "AWS::Region" => self.environment.region.is_some(),
            "AWS::AccountId" => self.environment.account.is_some(),
            _ => self
                .parameters
                .get(name)
                .and_then(|parameter| parameter.given.as_ref())
                .is_some_and(|given| !given.marks().has(Marks::FROM_DEFAULT)),
        }
    }

    /// Tells of what a resource waits for and the template does not have.
    pub(crate) fn refuse_depends_on(&self, id: &str, resource: &Node) {
        let Some(waits) = resource
            .get("DependsOn")
            .filter(|_| !self.sections.rewritten)
        else {
            return;
        };
        let listed = waits.tag.is_none() && matches!(waits.kind, Kind::Seq(_));
        let one = std::iter::once(waits).filter(|_| !listed);
        for node in one.chain(waits.items().iter().filter(|_| listed)) {
            let message = match node.text() {
                Some(name) if name == id => {
                    format!("`{id}` depends on itself; take the name out of DependsOn")
                }
                Some(name)
                    if self.sections.resource(name).is_none()
                        && !self.sections.may_be_made(name) =>
                {
                    format!(
                        "DependsOn names `{name}`, which is no resource of this template; take it out, or correct the name"
                    )
                }
                Some(_) => continue,
                None if node.is_null() || is_open(node) => continue,
                None => {
                    "DependsOn takes names of resources; no function may stand there".to_owned()
                }
            };
            self.tell(Level::Warning, "depends-on", node.full_span(), &message);
        }
    }

    /// Tells of arguments whose form the function `name` refuses, whatever their values.
    pub(super) fn refuse_form(&self, name: &str, node: &Node, span: Span) {
        if self.sections.rewritten {
            return;
        }
        let own = node
            .tag
            .as_ref()
            .is_none_or(|tag| tag.name == name && node.full_span() == span);
        let form = Form {
            evaluator: self,
            node,
            own,
        };
        if let Some(problem) = form.problem(name) {
            self.tell(Level::Warning, FORM, span, &problem);
        } else if let Some(what) = form.extension(name) {
            let message = format!(
                "{what} needs `Transform: AWS::LanguageExtensions`; add it to the template"
            );
            self.tell(Level::Warning, UNTRANSFORMED, span, &message);
        }
    }
}

/// The argument of a call, looked at by its form.
struct Form<'a> {
    evaluator: &'a Evaluator<'a>,
    node: &'a Node,
    /// Whether its tag is that of the call, or it has none: otherwise it is a call of its own.
    own: bool,
}

impl Form<'_> {
    fn problem(&self, name: &str) -> Option<String> {
        let extended = self.evaluator.sections.extended;
        let said = |problem: &str| Some(format!("Fn::{name} {problem}"));
        match name {
            "Ref" if self.node.scalar().is_none() && !extended => {
                Some("Ref takes a name; write that of a parameter or resource".to_owned())
            }
            "GetAtt" => {
                let named = match self.node.scalar() {
                    Some(scalar) => scalar.text.contains('.'),
                    None => self.node.items().len() > 1,
                };
                (!named && !self.is_open())
                    .then(|| "Fn::GetAtt takes a resource and one of its attributes; write `Resource.Attribute`".to_owned())
            }
            "Sub" => match self.node.items() {
                _ if self.is_open() => None,
                [text, names] if text.text().is_some() && is_plain_map(names) => None,
                [] if self.own && self.node.scalar().is_some() => None,
                _ => said("takes a written text, or one and a map of names; write it so"),
            },
            "Join" => self.members(name, 2).or_else(|| {
                let [delimiter, list] = self.node.items() else {
                    return None;
                };
                if !extended && delimiter.text().is_none() {
                    return said("takes a written text between the parts; no function may stand there");
                }
                (self.is_no_list(list)).then(|| "Fn::Join takes a list as its second member; put what is there into one".to_owned())
            }),
            "Split" => self.members(name, 2).or_else(|| {
                let [delimiter, text] = self.node.items() else {
                    return None;
                };
                if !extended && delimiter.text().is_none() {
                    return said("takes a written text to split at; no function may stand there");
                }
                (call_of(text).is_none() && text.scalar().is_none()).then(|| "Fn::Split takes a text as its second member; write the list itself where there is one".to_owned())
            }),
            "Select" => self.members(name, 2).or_else(|| {
                let [_, list] = self.node.items() else {
                    return None;
                };
                (self.is_no_list(list)).then(|| "Fn::Select takes a list as its second member; split the text that is there, or put it into a list".to_owned())
            }),
            "If" => self.members(name, 3).or_else(|| {
                // Tools that deploy for CodeStar take a written condition there.
                let named = self.node.items().first().is_some_and(|name| {
                    name.text().is_some()
                        || call_of(name).is_some_and(|(call, _)| is_for_conditions(call))
                });
                (!named).then(|| "Fn::If takes the name of a condition first; declare one under Conditions".to_owned())
            }),
            "FindInMap" => self.lookup(),
            "Cidr" => self.cidr(),
            "Base64" | "ImportValue" | "GetAZs" if self.is_collection() => {
                said("takes a text; what is there is a list or a map")
            }
            "ImportValue" => self.import(),
            "Length" | "ToJsonString" if !extended => None,
            "Length" if self.is_word() => said("takes a list; what is there is a text"),
            "ToJsonString" if self.is_word() => {
                said("takes a list or a map; what is there is a text")
            }
            _ if is_for_conditions(name) => {
                said("stands only in Conditions and Rules; declare a condition there and use it with Fn::If")
            }
            _ => None,
        }
    }

    /// The problem of a call that takes a list of `count` members.
    fn members(&self, name: &str, count: usize) -> Option<String> {
        let found = self.node.items().len();
        if self.is_open() || (self.own && found == count) {
            return None;
        }
        Some(format!(
            "Fn::{name} takes a list of {count} members; write them out"
        ))
    }

    /// What in the call is an extension of the language that is not switched on.
    fn extension(&self, name: &str) -> Option<&'static str> {
        if self.evaluator.sections.extended {
            return None;
        }
        match (name, self.node.items()) {
            ("Length", _) => Some("Fn::Length"),
            ("ToJsonString", _) => Some("Fn::ToJsonString"),
            ("FindInMap", [_, _, _, _]) => Some("the DefaultValue of Fn::FindInMap"),
            _ => None,
        }
    }

    fn lookup(&self) -> Option<String> {
        if self.is_open() {
            return None;
        }
        match self.node.items() {
            [_, _, _] if self.own => None,
            [_, _, _, default] if self.own && default.get("DefaultValue").is_some() => None,
            _ => {
                Some("Fn::FindInMap takes a mapping and two keys; write them in a list".to_owned())
            }
        }
    }

    fn cidr(&self) -> Option<String> {
        if self.is_open() {
            return None;
        }
        let items = self.node.items();
        if !self.own || !(2..=3).contains(&items.len()) {
            return Some(
                "Fn::Cidr takes a block, a count and the bits of each part; write them in a list"
                    .to_owned(),
            );
        }
        let number = |at: usize| {
            let text = items.get(at)?.text()?;
            Some(
                text.trim()
                    .parse::<u16>()
                    .ok()
                    .filter(|n| (1..=256).contains(n)),
            )
        };
        let block = items.first().and_then(|block| block.text());
        if block.is_some_and(|block| !block.contains('/') && !block.contains("{{")) {
            return Some(
                "the block of Fn::Cidr has no length; write it like 10.0.0.0/16".to_owned(),
            );
        }
        if number(1) == Some(None) {
            return Some("the count of Fn::Cidr is a number from 1 to 256; correct it".to_owned());
        }
        (number(2) == Some(None))
            .then(|| "the bits of Fn::Cidr are a number; correct them".to_owned())
    }

    /// An import may not rest on anything that the deployment makes.
    fn import(&self) -> Option<String> {
        let mut next = vec![self.node];
        let mut outer = self.own && self.node.tag.is_some();
        while let Some(node) = next.pop() {
            // In short form the first tag is that of the import itself.
            let call = if std::mem::take(&mut outer) {
                long_call_of(node)
            } else {
                call_of(node)
            };
            let made = match call {
                Some(("Ref", name)) => name.scalar().is_some_and(|name| {
                    self.evaluator.parameters.get(&name.text).is_none()
                        && self.evaluator.sections.resource(&name.text).is_some()
                }),
                Some(("GetAtt" | "ImportValue" | "GetAZs", _)) => true,
                _ => false,
            };
            if made {
                return Some("Fn::ImportValue takes a name that does not depend on resources or other imports; build it of texts and parameters".to_owned());
            }
            next.extend(node.items().iter().map(AsRef::as_ref));
            next.extend(node.entries().iter().map(|entry| entry.value.as_ref()));
        }
        None
    }

    /// Whether a list is wanted and something else is there: a written text, or a parameter that is
    /// none.
    fn is_no_list(&self, node: &Node) -> bool {
        match call_of(node) {
            None => {
                node.scalar()
                    .is_some_and(|scalar| !scalar.text.contains("{{resolve:"))
                    || is_plain_map(node)
            }
            Some(("Ref", name)) => name
                .scalar()
                .and_then(|name| self.evaluator.parameters.get(&name.text))
                .is_some_and(|parameter| !parameter.list),
            Some(_) => false,
        }
    }

    /// Whether the argument is a written list or map.
    fn is_collection(&self) -> bool {
        let plain = match &self.node.kind {
            Kind::Scalar(_) => false,
            Kind::Seq(_) => true,
            Kind::Map(_) => is_plain_map(self.node),
        };
        self.own && plain
    }

    /// Whether the argument is a written text.
    fn is_word(&self) -> bool {
        self.own && self.node.scalar().is_some()
    }

    /// Whether something that is not here may give the argument: a transform, or a tool that packages
    /// the template.
    fn is_open(&self) -> bool {
        let node = self.node;
        let of_tool = |name: &str| name.contains("::") && !name.starts_with("Fn::");
        is_open(node)
            || node.tag.as_ref().is_some_and(|tag| of_tool(&tag.name))
            || node.entries().iter().any(|entry| of_tool(&entry.key))
    }
}

/// The functions that only conditions and rules have.
pub(super) fn is_for_conditions(name: &str) -> bool {
    matches!(
        name,
        "Equals"
            | "And"
            | "Or"
            | "Not"
            | "Condition"
            | "Contains"
            | "EachMemberEquals"
            | "EachMemberIn"
    )
}

/// Whether a transform adds to the members of a mapping.
pub(super) fn is_open(node: &Node) -> bool {
    node.get("Fn::Transform").is_some()
}

/// A call in short or long form; `None` for what is written out.
fn call_of(node: &Node) -> Option<(&str, &Node)> {
    match node.tag {
        Some(_) => function(node),
        None => long_call_of(node),
    }
}

/// A call in long form, whatever tag the node has.
fn long_call_of(node: &Node) -> Option<(&str, &Node)> {
    match node.entries() {
        [entry] if entry.key == "Ref" => Some(("Ref", &entry.value)),
        [entry] => Some((entry.key.strip_prefix("Fn::")?, &entry.value)),
        _ => None,
    }
}

/// Whether a node is a map that is no call.
fn is_plain_map(node: &Node) -> bool {
    matches!(node.kind, Kind::Map(_)) && call_of(node).is_none() && !is_open(node)
}
