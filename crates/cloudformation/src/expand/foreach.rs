//! `Fn::ForEach` of `AWS::LanguageExtensions`: loops over lists, before everything else.
//!
//! Not for other language extensions, which the evaluator knows as functions. Invariant: a collection
//! that is not known gives one symbolic member, whose keys hold `[?]` and whose uses stay open.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html>

use crate::eval::{LOOP, Parameters};
use crate::syntax::{Entry, Kind, Node, Scalar, Tag, make};
use overgrant_source::{Diagnostic, Level, SourceFile, Span};
use overgrant_value::{Seg, Segs};
use smol_str::SmolStr;
use std::sync::Arc;

const KEY: &str = "Fn::ForEach::";
/// Entries that the loops of one template may make.
const MAX_ENTRIES: usize = 10_000;
/// Nodes that they may copy.
const MAX_COPIED: usize = 2_000_000;

/// The tree with every loop written out.
pub(super) fn expand(
    file: &SourceFile,
    root: &Arc<Node>,
    parameters: &Parameters,
    diagnostics: &mut Vec<Diagnostic>,
) -> Arc<Node> {
    let mut expander = Expander {
        file,
        parameters,
        mappings: root.get("Mappings").cloned(),
        diagnostics,
        made: 0,
        copied: 0,
    };
    expander.node(root)
}

/// One member of a collection.
#[derive(Clone)]
enum Item {
    Known { text: SmolStr, span: Span },
    Open { span: Span },
}

struct Expander<'a> {
    file: &'a SourceFile,
    parameters: &'a Parameters,
    mappings: Option<Arc<Node>>,
    diagnostics: &'a mut Vec<Diagnostic>,
    made: usize,
    /// Nodes copied so far.
    copied: usize,
}

impl Expander<'_> {
    fn node(&mut self, node: &Arc<Node>) -> Arc<Node> {
        let kind = match &node.kind {
            Kind::Scalar(_) => return Arc::clone(node),
            Kind::Seq(items) => Kind::Seq(items.iter().map(|item| self.node(item)).collect()),
            Kind::Map(entries) => {
                let mut all: Vec<Entry> = Vec::with_capacity(entries.len());
                for entry in entries {
                    if entry.key.starts_with(KEY)
                        && let Some(made) = self.repeated(entry)
                    {
                        self.add(&mut all, made);
                    } else {
                        all.push(Entry {
                            value: self.node(&entry.value),
                            ..entry.clone()
                        });
                    }
                }
                Kind::Map(all)
            }
        };
        Arc::new(Node {
            kind,
            tag: node.tag.clone(),
            span: node.span,
        })
    }

    fn add(&mut self, all: &mut Vec<Entry>, made: Vec<Entry>) {
        for entry in made {
            if all.iter().any(|known| known.key == entry.key) {
                self.tell(
                    entry.key_span,
                    format!(
                        "the loop makes `{}` twice; put the loop's variable into the key",
                        entry.key
                    ),
                );
            }
            all.push(entry);
        }
    }

    fn tell(&mut self, at: Span, message: String) {
        self.diagnostics
            .push(Diagnostic::new(Level::Warning, "for-each", message).at(self.file, at));
    }

    /// The entries of one loop; `None` where it has not the three members.
    fn repeated(&mut self, entry: &Entry) -> Option<Vec<Entry>> {
        let [identifier, collection, body] = entry.value.items() else {
            self.tell(
                entry.key_span,
                "a loop has three members: identifier, collection, body".to_owned(),
            );
            return None;
        };
        let identifier = identifier.text()?.to_owned();
        let items = self.collection(collection);
        let size = weight(body);
        let mut all = Vec::new();
        for item in items {
            self.copied = self.copied.saturating_add(size);
            if self.copied > MAX_COPIED {
                self.tell(
                    entry.key_span,
                    "the loops of this template copy too much; the rest was left out".to_owned(),
                );
                return Some(all);
            }
            let body = substitute(body, &identifier, &item);
            let body = self.node(&body);
            for made in body.entries() {
                self.made += 1;
                if self.made > MAX_ENTRIES {
                    self.tell(
                        entry.key_span,
                        format!("the loops of this template make more than {MAX_ENTRIES} entries; the rest was left out"),
                    );
                    return Some(all);
                }
                all.push(made.clone());
            }
        }
        Some(all)
    }

    fn collection(&self, node: &Node) -> Vec<Item> {
        self.known(node)
            .unwrap_or_else(|| vec![Item::Open { span: node.span }])
    }

    /// The members of a collection, if all are known.
    fn known(&self, node: &Node) -> Option<Vec<Item>> {
        let (name, argument) = match (&node.tag, node.entries()) {
            (Some(tag), _) => (tag.name.as_str(), node),
            (None, [entry]) => (
                entry.key.strip_prefix("Fn::").unwrap_or(&entry.key),
                entry.value.as_ref(),
            ),
            (None, _) => {
                let mut all = Vec::new();
                for item in node.items() {
                    match item.text() {
                        Some(text) => all.push(Item::Known {
                            text: text.into(),
                            span: item.span,
                        }),
                        None => all.extend(self.known(item)?),
                    }
                }
                return matches!(node.kind, Kind::Seq(_)).then_some(all);
            }
        };
        match name {
            "Ref" => {
                let name = argument.scalar()?.text.as_str();
                let parameter = self.parameters.get(name)?;
                let raw = parameter.given.as_ref().or(parameter.default.as_ref())?;
                let typed = parameter.typed(raw, name);
                let vals = match typed.as_items() {
                    Some(items) => items.to_vec(),
                    None => vec![typed.clone()],
                };
                vals.iter()
                    .map(|val| {
                        Some(Item::Known {
                            text: val.as_str()?,
                            span: val.span().unwrap_or(argument.span),
                        })
                    })
                    .collect()
            }
            "FindInMap" => {
                let [map, first, second, ..] = argument.items() else {
                    return None;
                };
                let found = self
                    .mappings
                    .as_ref()?
                    .get(&self.key(map)?)?
                    .get(&self.key(first)?)?
                    .get(&self.key(second)?)?;
                self.known(found)
            }
            _ => None,
        }
    }

    fn key(&self, node: &Node) -> Option<SmolStr> {
        match node.text() {
            Some(text) => Some(text.into()),
            None => match self.known(node)?.as_slice() {
                [Item::Known { text, .. }] => Some(text.clone()),
                _ => None,
            },
        }
    }
}

/// The number of nodes.
fn weight(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(_) => 1,
        Kind::Seq(items) => 1 + items.iter().map(|item| weight(item)).sum::<usize>(),
        Kind::Map(entries) => {
            1 + entries
                .iter()
                .map(|entry| weight(&entry.value))
                .sum::<usize>()
        }
    }
}

/// `body` with the loop's variable replaced.
fn substitute(body: &Arc<Node>, name: &str, item: &Item) -> Arc<Node> {
    let own = |argument: &Node| argument.scalar().is_some_and(|scalar| scalar.text == name);
    let is_reference = match (&body.tag, body.entries()) {
        (Some(tag), _) => tag.name == "Ref" && own(body),
        (None, [entry]) => entry.key == "Ref" && own(&entry.value),
        _ => false,
    };
    if is_reference {
        return match item {
            Item::Known { text, span } => make::text(text, *span),
            Item::Open { .. } => make::reference(&format!("{LOOP}{name}"), body.span),
        };
    }
    let kind = match &body.kind {
        Kind::Scalar(scalar) => return in_scalar(body, scalar, name, item),
        Kind::Seq(items) => Kind::Seq(
            items
                .iter()
                .map(|inner| substitute(inner, name, item))
                .collect(),
        ),
        Kind::Map(entries) => Kind::Map(
            entries
                .iter()
                .map(|entry| Entry {
                    key: in_key(&entry.key, name, item),
                    value: substitute(&entry.value, name, item),
                    ..entry.clone()
                })
                .collect(),
        ),
    };
    Arc::new(Node {
        kind,
        tag: body.tag.clone(),
        span: body.span,
    })
}

/// A key with the variable replaced; `&{X}` keeps letters and digits only.
fn in_key(key: &SmolStr, name: &str, item: &Item) -> SmolStr {
    if !key.contains('{') {
        return key.clone();
    }
    let (text, plain) = match item {
        Item::Known { text, .. } => (
            text.to_string(),
            text.chars().filter(char::is_ascii_alphanumeric).collect(),
        ),
        Item::Open { .. } => ("[?]".to_owned(), "[?]".to_owned()),
    };
    key.replace(&format!("${{{name}}}"), &text)
        .replace(&format!("&{{{name}}}"), &plain)
        .into()
}

/// A string with the variable replaced, places kept.
fn in_scalar(node: &Arc<Node>, scalar: &Scalar, name: &str, item: &Item) -> Arc<Node> {
    let marks = [format!("${{{name}}}"), format!("&{{{name}}}")];
    if !marks.iter().any(|mark| scalar.text.contains(mark)) {
        return Arc::clone(node);
    }
    let mut text = String::new();
    let mut segments = Vec::new();
    let mut at = 0;
    while let Some((start, mark)) = marks
        .iter()
        .filter_map(|mark| Some((at + scalar.text.get(at..)?.find(mark.as_str())?, mark)))
        .min()
    {
        copy(scalar, at..start, &mut text, &mut segments);
        let (new, span) = match item {
            Item::Known { text, span } => (text.to_string(), *span),
            Item::Open { span } => (format!("${{{LOOP}{name}}}"), *span),
        };
        push(&mut text, &mut segments, &new, span, false);
        at = start + mark.len();
    }
    copy(scalar, at..scalar.text.len(), &mut text, &mut segments);
    // A string that is open where the variable stood is evaluated like Fn::Sub's.
    let tag = match item {
        Item::Open { span } if node.tag.is_none() => Some(Box::new(Tag {
            name: "Sub".into(),
            span: *span,
        })),
        _ => node.tag.clone(),
    };
    Arc::new(Node {
        kind: Kind::Scalar(Scalar {
            places: Segs::new(segments, text.len()),
            text: text.into(),
            style: scalar.style,
        }),
        tag,
        span: node.span,
    })
}

fn push(text: &mut String, segments: &mut Vec<Seg>, new: &str, span: Span, exact: bool) {
    if new.is_empty() {
        return;
    }
    let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    segments.push(Seg {
        at: clamp(text.len()),
        len: clamp(new.len()),
        span,
        exact,
    });
    text.push_str(new);
}

/// Copies a part of a scalar with its places.
fn copy(
    scalar: &Scalar,
    range: std::ops::Range<usize>,
    text: &mut String,
    segments: &mut Vec<Seg>,
) {
    for segment in scalar.segments() {
        let start = (segment.at as usize).max(range.start);
        let end = ((segment.at + segment.len) as usize).min(range.end);
        if let Some(part) = scalar.text.get(start..end)
            && let Some(span) = scalar.span_of(start..end)
        {
            push(text, segments, part, span, segment.exact);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::one;
    use overgrant_value::json;

    fn resources(text: &str) -> Vec<String> {
        one(&format!("Transform: AWS::LanguageExtensions\n{text}"))
            .resources
            .iter()
            .map(|r| format!("{} {}", r.address, json::to_string(&r.attrs)))
            .collect()
    }

    #[test]
    fn loops_nest_and_replace_in_keys_and_texts() {
        assert_eq!(
            resources(
                "Resources:
  Fn::ForEach::Outer:
    - E
    - [Dev, Prod]
    - Fn::ForEach::Inner:
        - S
        - [Api, '10.0']
        - 'Q${E}&{S}': {Type: AWS::Lambda::Function, Properties: {Name: !Sub '${E}-${S}-${AWS::Region}', R: !Ref S}}
"
            ),
            [
                r#"QDevApi {"Name":"Dev-Api-${the region}","R":"Api"}"#,
                r#"QDev100 {"Name":"Dev-10.0-${the region}","R":"10.0"}"#,
                r#"QProdApi {"Name":"Prod-Api-${the region}","R":"Api"}"#,
                r#"QProd100 {"Name":"Prod-10.0-${the region}","R":"10.0"}"#,
            ]
        );
    }

    #[test]
    fn collections_come_from_parameters_and_mappings() {
        let body = "- {'T${N}': {Type: AWS::Lambda::Function}}";
        assert_eq!(
            resources(&format!(
                "Parameters: {{L: {{Type: CommaDelimitedList, Default: 'a,b'}}}}\nResources:\n  Fn::ForEach::T:\n    - N\n    - !Ref L\n    {body}\n"
            )),
            ["Ta {}", "Tb {}"]
        );
        assert_eq!(
            resources(&format!(
                "Mappings: {{M: {{k: {{l: [p]}}}}}}\nResources:\n  Fn::ForEach::T:\n    - N\n    - !FindInMap [M, k, l]\n    {body}\n"
            )),
            ["Tp {}"]
        );
    }

    #[test]
    fn giant_loops_end() {
        let list = |n: usize| {
            (0..n)
                .map(|n| format!("i{n}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let items = list(300);
        let text = format!(
            "Transform: AWS::LanguageExtensions\nResources:\n  'Fn::ForEach::A':\n    - A\n    - [{items}]\n    - 'Fn::ForEach::B':\n      - B\n      - [{items}]\n      - 'Fn::ForEach::C':\n        - C\n        - [{items}]\n        - 'T${{A}}${{B}}${{C}}': {{Type: AWS::SNS::Topic}}\n"
        );
        let found = one(&text);
        assert!(
            found.diagnostics.iter().any(|told| told.code == "for-each"),
            "{:?}",
            found.diagnostics
        );
        assert!(found.resources.len() <= 10_000);
    }

    #[test]
    fn an_unknown_collection_gives_one_open_member() {
        assert_eq!(
            resources(
                "Parameters: {L: {Type: CommaDelimitedList}}
Resources:
  Fn::ForEach::T:
    - N
    - !Ref L
    - 'T${N}': {Type: AWS::SNS::Topic, Properties: {A: 'x-${N}', B: !Ref N}}
"
            ),
            [r#"T[?] {"A":"x-${each.N of Fn::ForEach}","B":"${each.N of Fn::ForEach}"}"#]
        );
    }
}
