//! Parameters: their types, defaults, allowed values and the values given by the user.
//!
//! Not for conditions. Invariant: a default is a value only where a value is asked for, and it is
//! marked; in conditions a parameter without a given value stands for its whole domain.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>

use super::text::of_scalar;
use crate::syntax::Node;
use overgrant_source::Span;
use overgrant_value::{Data, Marks, Src, Sym, Text, Ty, Val};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Values given from outside, by parameter name: `--parameters`, the arguments of a nested stack.
pub type ParameterValues = BTreeMap<SmolStr, Val>;

/// The parameters of one template.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters {
    by_name: BTreeMap<SmolStr, Parameter>,
}

/// One parameter.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    /// A list: `CommaDelimitedList` and `List<…>`.
    pub(crate) list: bool,
    /// The value is the name of an SSM parameter and stands for what that holds.
    pub(crate) ssm: bool,
    pub(crate) secret: bool,
    pub(crate) default: Option<Val>,
    pub(crate) allowed: Vec<SmolStr>,
    pub(crate) given: Option<Val>,
    /// The name in the `Parameters` section.
    pub(crate) span: Span,
}

impl Parameters {
    /// Reads the section; `given` values of undeclared names are ignored.
    pub(crate) fn read(section: Option<&Node>, given: &ParameterValues) -> Self {
        let mut by_name = BTreeMap::new();
        for entry in section.map(Node::entries).unwrap_or_default() {
            let body = &entry.value;
            let text = |key| body.get(key).and_then(|node| node.text()).unwrap_or("");
            let kind = text("Type");
            let ssm = kind.starts_with("AWS::SSM::Parameter::Value<");
            let list = kind == "CommaDelimitedList" || kind.contains("List<");
            let secret = text("NoEcho") == "true";
            let default = body.get("Default").and_then(|node| {
                let val = match node.scalar() {
                    Some(scalar) => Val::text(of_scalar(scalar), Src::at(node.span)),
                    None => return None,
                };
                Some(val.marked(Marks::FROM_DEFAULT))
            });
            let allowed = body
                .get("AllowedValues")
                .map(|node| {
                    node.items()
                        .iter()
                        .filter_map(|item| item.text())
                        .map(SmolStr::from)
                        .collect()
                })
                .unwrap_or_default();
            by_name.insert(
                entry.key.clone(),
                Parameter {
                    list,
                    ssm,
                    secret,
                    default,
                    allowed,
                    given: given.get(&entry.key).cloned(),
                    span: entry.key_span,
                },
            );
        }
        Self { by_name }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Parameter> {
        self.by_name.get(name)
    }
}

impl Parameter {
    /// The value that `raw` (as given or as default) has under this parameter's type.
    pub(crate) fn typed(&self, raw: &Val, name: &str) -> Val {
        let marks = raw.marks();
        let val = if self.ssm {
            let path = raw
                .to_text()
                .map_or_else(|| name.to_owned(), |text| text.to_string());
            let ty = if self.list {
                Ty::List(Box::new(Ty::String))
            } else {
                Ty::String
            };
            Val::unknown_of(
                Sym::Dynamic(format!("ssm:{path}").into()),
                ty,
                raw.src().clone(),
            )
        } else if self.list {
            split_list(raw)
        } else {
            match raw.data() {
                Data::Num(_) | Data::Bool(_) => raw
                    .to_text()
                    .map_or_else(|| raw.clone(), |text| Val::text(text, raw.src().clone())),
                _ => raw.clone(),
            }
        };
        let val = val.marked(marks);
        if self.secret {
            val.marked(Marks::SENSITIVE)
        } else {
            val
        }
    }

    /// The type of an open value.
    pub(crate) fn ty(&self) -> Ty {
        if self.list {
            Ty::List(Box::new(Ty::String))
        } else {
            Ty::String
        }
    }
}

/// A comma-delimited list; items are trimmed, an empty text is an empty list.
fn split_list(raw: &Val) -> Val {
    let Data::Str(text) = raw.data() else {
        return raw.clone();
    };
    if text.is_empty() {
        return Val::tuple(Vec::new(), raw.src().clone());
    }
    let parts = if text.is_known() {
        text.split_where_known(',')
    } else {
        match text.split(',') {
            Some(parts) => parts,
            None => {
                return Val::unknown_of(
                    Sym::Call {
                        name: "list".into(),
                        args: text.key().into(),
                    },
                    Ty::List(Box::new(Ty::String)),
                    raw.src().clone(),
                );
            }
        }
    };
    let items = parts
        .into_iter()
        .map(|part| {
            let part = trimmed(part);
            let src = raw.src().with_span(part.span().or(raw.span()));
            Val::text(part, src)
        })
        .collect();
    Val::tuple(items, raw.src().clone())
}

fn trimmed(text: Text) -> Text {
    let blanks = |c: &char| c.is_whitespace();
    let front: usize = text
        .leading()
        .chars()
        .take_while(blanks)
        .map(char::len_utf8)
        .sum();
    let text = text.without_prefix(front).unwrap_or(text);
    let back: usize = text
        .trailing()
        .chars()
        .rev()
        .take_while(blanks)
        .map(char::len_utf8)
        .sum();
    text.without_suffix(back).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_and_trimmed() {
        let list = split_list(&Val::str("a, b ,c", Src::none()));
        let items: Vec<_> = list
            .as_items()
            .unwrap()
            .iter()
            .map(|item| item.as_str().unwrap())
            .collect();
        assert_eq!(items, ["a", "b", "c"]);
        assert!(
            split_list(&Val::str("", Src::none()))
                .as_items()
                .unwrap()
                .is_empty()
        );
    }
}
