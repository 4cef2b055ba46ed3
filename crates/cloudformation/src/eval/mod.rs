//! Evaluation: a template's nodes to values with holes, guards and origins.
//!
//! Not for the meaning of properties. Invariant: what cannot be evaluated is unknown at its own
//! place; its siblings stay. AWS' reference of intrinsic functions:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>.

mod conditions;
mod forms;
mod functions;
mod identity;
#[cfg(test)]
mod intrinsics;
mod mapping;
mod parameters;
mod rules;
mod text;
mod tool;

pub(crate) use conditions::Truth;
pub(crate) use forms::UNTRANSFORMED;

pub(crate) use identity::LOOP;
pub use parameters::ParameterValues;
pub(crate) use parameters::Parameters;
pub(crate) use text::of_scalar;

use crate::syntax::{Kind, Node, Style};
use overgrant_source::{Diagnostic, Level, SourceFile, Span};
use overgrant_value::{Data, Entry, Guard, Map, Num, Src, Sym, Text, Val};
use rules::Rules;
use smol_str::SmolStr;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Levels of calls and references that are followed before a value is left open.
const MAX_CALLS: usize = 192;
/// Nodes looked at for one stack before everything else is left open.
const MAX_STEPS: u64 = 5_000_000;

/// What is known about the place of deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// The account id.
    pub account: Option<SmolStr>,
    /// The region.
    pub region: Option<SmolStr>,
    /// The stack's name.
    pub stack_name: Option<SmolStr>,
}

/// The sections of a template, after its transforms.
#[derive(Debug, Clone)]
pub(crate) struct Sections {
    pub(crate) mappings: Option<Arc<Node>>,
    pub(crate) resources: Option<Arc<Node>>,
    pub(crate) outputs: Option<Arc<Node>>,
    conditions: Option<Arc<Node>>,
    rules: Option<Arc<Node>>,
    by_id: HashMap<SmolStr, Arc<Node>>,
    by_condition: HashMap<SmolStr, Arc<Node>>,
    /// Whether a transform may make resources that are not here, named after those that are.
    transformed: bool,
    /// Whether a packaging tool adds resources of modules.
    modules: bool,
    /// Whether a macro that is not run may change everything.
    pub(crate) rewritten: bool,
    /// Whether a transform extends the language: `AWS::LanguageExtensions`, and others in part.
    extended: bool,
}

/// The transforms of AWS whose work on access is known.
const TRANSFORMS: [&str; 7] = [
    "AWS::Serverless-2016-10-31",
    "AWS::LanguageExtensions",
    "AWS::Include",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
    "AWS::CodeDeployBlueGreen",
    "AWS::CodeStar",
];

/// The transforms of a template with their places.
fn transforms(root: &Node) -> impl Iterator<Item = (&str, Span)> {
    let section = root.get("Transform").into_iter();
    section
        .flat_map(|section| std::iter::once(section).chain(section.items()))
        .filter_map(|node| Some((node.text().or_else(|| node.get("Name")?.text())?, node.span)))
}

/// The macros of a template that this tool does not run, with their places.
pub(crate) fn macros(root: &Node) -> impl Iterator<Item = (&str, Span)> {
    transforms(root).filter(|(name, _)| !TRANSFORMS.contains(name))
}

impl Sections {
    pub(crate) fn of(root: &Node) -> Self {
        let section = |name| root.get(name).cloned();
        let resources = section("Resources");
        let by_id = index(resources.as_ref());
        let by_condition = index(root.get("Conditions"));
        Self {
            mappings: section("Mappings"),
            resources,
            outputs: section("Outputs"),
            conditions: section("Conditions"),
            rules: section("Rules"),
            by_id,
            by_condition,
            transformed: root.get("Transform").is_some(),
            modules: root.get("Modules").is_some(),
            rewritten: macros(root).next().is_some()
                || root.get("Fn::Transform").is_some()
                || transforms(root).any(|(name, _)| name == "AWS::Include"),
            extended: transforms(root).next().is_some(),
        }
    }

    pub(crate) fn condition(&self, name: &str) -> Option<&Arc<Node>> {
        self.by_condition.get(name)
    }

    /// The names of the conditions in the order of the template.
    fn conditions(&self) -> impl Iterator<Item = &SmolStr> {
        let entries = self.conditions.iter().flat_map(|node| node.entries());
        entries.map(|entry| &entry.key)
    }

    /// Whether something that is not read may declare `name`.
    fn may_be_made(&self, name: &str) -> bool {
        let named_after = || {
            let entries = self.resources.iter().flat_map(|node| node.entries());
            entries
                .into_iter()
                .any(|entry| name.starts_with(entry.key.as_str()))
        };
        self.modules || (self.transformed && named_after())
    }

    /// The alias that SAM made for a function, to which `!Ref Function.Alias` refers.
    fn alias_of(&self, function: &str) -> Option<SmolStr> {
        let entries = self.resources.iter().flat_map(|node| node.entries());
        entries
            .filter(|entry| {
                let rest = entry.key.strip_prefix(function);
                rest.is_some_and(|rest| rest.starts_with("Alias"))
            })
            .find(|entry| {
                let kind = entry.value.get("Type").and_then(|kind| kind.text());
                kind == Some("AWS::Lambda::Alias")
            })
            .map(|entry| entry.key.clone())
    }

    pub(crate) fn resource(&self, id: &str) -> Option<&Arc<Node>> {
        self.by_id.get(id)
    }
}

/// The members of a section by name; of duplicates the last.
fn index(section: Option<&Arc<Node>>) -> HashMap<SmolStr, Arc<Node>> {
    section
        .iter()
        .flat_map(|node| node.entries())
        .map(|entry| (entry.key.clone(), Arc::clone(&entry.value)))
        .collect()
}

/// Whether a value is wanted for what it is or to decide a condition.
///
/// A parameter without a value given by the user stands for its default in the first case, and for
/// everything it may be in the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    Value,
    Condition,
}

/// Everything an evaluator is made for; see the fields of [`Evaluator`].
pub(crate) struct Placement<'a> {
    pub(crate) root: SmolStr,
    pub(crate) prefix: SmolStr,
    pub(crate) addresses: &'a BTreeMap<SmolStr, SmolStr>,
    pub(crate) file: &'a SourceFile,
    pub(crate) sections: &'a Sections,
    pub(crate) parameters: &'a Parameters,
    pub(crate) environment: &'a Environment,
    pub(crate) exports: &'a BTreeMap<String, Val>,
}

/// Evaluates nodes of one stack.
pub(crate) struct Evaluator<'a> {
    /// Root of the symbols: the path of the outermost template.
    pub(crate) root: SmolStr,
    /// What stands before logical ids in addresses: empty or `Nested/`.
    pub(crate) prefix: SmolStr,
    /// Addresses of resources that have another than prefix and logical id.
    pub(crate) addresses: &'a BTreeMap<SmolStr, SmolStr>,
    pub(crate) file: &'a SourceFile,
    pub(crate) sections: &'a Sections,
    pub(crate) parameters: &'a Parameters,
    pub(crate) environment: &'a Environment,
    /// Outputs of nested stacks that were entered, by logical id.
    pub(crate) nested: BTreeMap<SmolStr, BTreeMap<SmolStr, Val>>,
    /// Exports of other templates by name.
    pub(crate) exports: &'a BTreeMap<String, Val>,
    pub(crate) diagnostics: RefCell<Vec<Diagnostic>>,
    told: RefCell<BTreeSet<String>>,
    truths: RefCell<BTreeMap<SmolStr, Option<Truth>>>,
    /// Conditions that are being decided, the outermost first.
    deciding: RefCell<Vec<SmolStr>>,
    rules: Rules,
    identities: RefCell<BTreeMap<(SmolStr, SmolStr), Option<Val>>>,
    depth: Cell<usize>,
    /// How many names are being worked out, each for the next.
    naming: Cell<usize>,
    steps: Cell<u64>,
}

/// Whether a mapping is a function in long form.
fn is_call(entries: &[crate::syntax::Entry]) -> bool {
    matches!(entries, [entry] if entry.key != "Fn::Transform"
        && (entry.key == "Ref" || entry.key.starts_with("Fn::")))
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(place: Placement<'a>) -> Self {
        let mut evaluator = Self {
            root: place.root,
            prefix: place.prefix,
            addresses: place.addresses,
            file: place.file,
            sections: place.sections,
            parameters: place.parameters,
            environment: place.environment,
            exports: place.exports,
            nested: BTreeMap::new(),
            diagnostics: RefCell::default(),
            told: RefCell::default(),
            truths: RefCell::default(),
            deciding: RefCell::default(),
            rules: Rules::default(),
            identities: RefCell::default(),
            depth: Cell::new(0),
            naming: Cell::new(0),
            steps: Cell::new(0),
        };
        evaluator.rules = evaluator.read_rules();
        evaluator
    }

    /// The value of `node` where `guard` holds; null where it is `AWS::NoValue`.
    pub(crate) fn value(&self, node: &Node, guard: &Guard) -> Val {
        self.eval(node, guard, Position::Value)
    }

    /// The members of a mapping that are `read`; of a call (`Fn::If`) all that it gives.
    pub(crate) fn members(&self, node: &Node, guard: &Guard, read: impl Fn(&str) -> bool) -> Val {
        match &node.kind {
            Kind::Map(entries) if node.tag.is_none() && !is_call(entries) => {
                let read = entries
                    .iter()
                    .filter(|entry| entry.key == "Fn::Transform" || read(&entry.key));
                self.mapping(read, guard, Position::Value, Src::at(node.span))
            }
            _ => self.value(node, guard),
        }
    }

    fn eval(&self, node: &Node, guard: &Guard, position: Position) -> Val {
        let depth = self.depth.get();
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if depth >= MAX_CALLS || steps > MAX_STEPS {
            self.tell(
                Level::Warning,
                "too-complex",
                node.full_span(),
                "this value takes too many steps and was left open; write it shorter",
            );
            return Val::unknown_because("a value that takes too many steps", Some(node.span));
        }
        self.depth.set(depth + 1);
        let val = self.eval_node(node, guard, position);
        self.depth.set(depth);
        val
    }

    fn eval_node(&self, node: &Node, guard: &Guard, position: Position) -> Val {
        if let Some(tag) = &node.tag {
            return self.call(&tag.name, node, node.full_span(), guard, position);
        }
        self.untagged(node, guard, position)
    }

    /// A node whose tag, if it has one, was dealt with: a call in long form, or a plain value.
    fn untagged(&self, node: &Node, guard: &Guard, position: Position) -> Val {
        if let [entry] = node.entries()
            && is_call(node.entries())
        {
            let name = entry.key.strip_prefix("Fn::").unwrap_or(&entry.key);
            return self.call(name, &entry.value, node.span, guard, position);
        }
        self.plain(node, guard, position)
    }

    /// A node that is no call.
    fn plain(&self, node: &Node, guard: &Guard, position: Position) -> Val {
        let src = Src::at(node.span);
        match &node.kind {
            Kind::Scalar(scalar) => {
                if scalar.style == Style::Plain {
                    match scalar.text.as_str() {
                        "" | "~" | "null" | "Null" | "NULL" => return Val::null(src),
                        "true" => return Val::bool(true, src),
                        "false" => return Val::bool(false, src),
                        word => {
                            if word
                                .bytes()
                                .all(|byte| !byte.is_ascii_alphabetic() || byte == b'e')
                                && let Some(num) = Num::parse(word)
                                && num.to_string() == word
                            {
                                return Val::new(Data::Num(num), src);
                            }
                        }
                    }
                }
                let text = text::of_scalar(scalar);
                if scalar.text.contains("{{resolve:") {
                    return text::with_dynamic_references(text, src);
                }
                if scalar.text.contains("${")
                    && let Some(open) = tool::left_open(&text)
                {
                    return Val::text(open, src);
                }
                Val::text(text, src)
            }
            Kind::Seq(items) => {
                let mut vals = Vec::with_capacity(items.len());
                let all = items.iter().map(|item| self.eval(item, guard, position));
                vals.extend(all.filter(|val| !val.is_null()));
                Val::tuple(vals, src)
            }
            Kind::Map(entries) => self.mapping(entries.iter(), guard, position, src),
        }
    }

    fn mapping<'n>(
        &self,
        entries: impl Iterator<Item = &'n crate::syntax::Entry>,
        guard: &Guard,
        position: Position,
        src: Src,
    ) -> Val {
        let mut members = Vec::with_capacity(entries.size_hint().1.unwrap_or_default());
        let all = entries.map(|entry| match entry.key.as_str() {
            "Fn::Transform" => self.open_entry(entry.key_span),
            _ => Entry {
                key: Text::derived(&entry.key, entry.key_span),
                key_src: Src::at(entry.key_span),
                val: self.eval(&entry.value, guard, position),
            },
        });
        members.extend(all.filter(|entry| !entry.val.is_null()));
        Val::new(Data::Map(Map::object(members)), src)
    }

    /// Entries that a macro or an included file adds to a mapping: a key and a value that are not
    /// known, so that looking for a key in vain proves nothing.
    pub(crate) fn open_entry(&self, span: Span) -> Entry {
        self.tell(
            Level::Note,
            "transform",
            span,
            "a macro or an included file that is not here was left open; what it adds is not checked",
        );
        let val = self.open("what a transform adds", span);
        let sym = Sym::Other {
            what: "what a transform adds".into(),
            at: Some(span),
        };
        Entry {
            key: Text::hole(sym, Src::at(span)),
            key_src: Src::at(span),
            val,
        }
    }

    /// Counts work that is not the evaluation of a node.
    fn spend(&self, steps: usize) {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.steps.set(self.steps.get().saturating_add(steps));
    }

    /// A value that stays open, with the reason.
    fn open(&self, what: impl Into<SmolStr>, span: Span) -> Val {
        Val::unknown_because(what, Some(span))
    }

    /// The symbol of a parameter.
    fn input(&self, name: &str) -> Sym {
        Sym::Input {
            root: self.root.clone(),
            module: self.prefix.trim_end_matches('/').into(),
            name: name.into(),
        }
    }

    /// The symbol of a resource's attribute.
    fn attr(&self, id: &str, path: &str) -> Sym {
        Sym::Attr {
            root: self.root.clone(),
            addr: self.address(id),
            path: path.into(),
        }
    }

    /// The address of the resource with the logical id `id`.
    pub(crate) fn address(&self, id: &str) -> SmolStr {
        match self.addresses.get(id) {
            Some(address) => address.clone(),
            None if self.prefix.is_empty() => id.into(),
            None => format!("{}{id}", self.prefix).into(),
        }
    }

    /// How a guard speaks of something of this template: `condition X`, in nested stacks
    /// `condition X of Nested`.
    fn subject(&self, what: &str, name: &str) -> SmolStr {
        let nested = self.prefix.trim_end_matches('/');
        if nested.is_empty() {
            format!("{what} {name}").into()
        } else {
            format!("{what} {name} of {nested}").into()
        }
    }

    /// Adds a diagnostic, each message once.
    pub(crate) fn tell(&self, level: Level, code: &'static str, span: Span, message: &str) {
        if self.told.borrow_mut().insert(format!("{code} {message}")) {
            self.diagnostics
                .borrow_mut()
                .push(Diagnostic::new(level, code, message).at(self.file, span));
        }
    }
}
