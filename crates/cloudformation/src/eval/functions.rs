//! The intrinsic functions.
//!
//! Not for references and conditions, which have files of their own. Invariant: an argument with
//! alternatives gives a result with alternatives; an argument that is open leaves open only what
//! depends on it.

use super::forms::{Refused, is_for_conditions};
use super::text::{of_scalar, with_dynamic_references};
use super::tool;
use super::{Evaluator, Position};
use crate::syntax::{Node, Scalar};
use overgrant_source::{Level, Span};
use overgrant_value::{Data, Guard, Map, Piece, Relation, Src, Sym, Text, Ty, Val, json};
use smol_str::SmolStr;
use std::sync::Arc;

/// Combinations of alternatives beyond which a result is left open.
const MAX_COMBINATIONS: usize = 32;
/// Bytes of a text that a function puts together; a template has no more:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const MAX_TEXT: usize = 1 << 20;
/// What a piece of a text weighs beside its bytes.
const PIECE: usize = 64;

impl Evaluator<'_> {
    /// Calls the function `name` (without `Fn::`). `node` is its argument: in short form the tagged
    /// node itself.
    pub(super) fn call(
        &self,
        name: &str,
        node: &Node,
        span: Span,
        guard: &Guard,
        position: Position,
    ) -> Val {
        // In short form the tag on the argument is this very call.
        let whole = || {
            if node.tag.as_ref().is_some_and(|tag| tag.name == name) && node.full_span() == span {
                self.untagged(node, guard, position)
            } else {
                self.eval(node, guard, position)
            }
        };
        let items = node.items();
        let argument = |index: usize| match items.get(index) {
            Some(item) => self.eval(item, guard, position),
            None => Val::null(Src::at(span)),
        };
        self.refuse_form(name, node, span);
        match name {
            "Ref" => match node.scalar() {
                Some(name) => self.reference(&name.text, span, guard, position),
                None => self.open("a reference to a computed name", span),
            },
            "GetAtt" => self.get_att(node, span, guard, position),
            "Sub" => self.sub(node, span, guard, position),
            "Join" => {
                let delimiter = items.first().and_then(|n| n.text()).unwrap_or_default();
                let list = argument(1);
                self.join(delimiter, &list, span)
            }
            "If" => self.if_else(items, span, guard, position),
            "FindInMap" => self.find_in_map(items, span, guard, position),
            "Select" => {
                let index = argument(0);
                let head = items
                    .get(1)
                    .and_then(|list| self.split_head(list, &index, span, guard, position));
                head.unwrap_or_else(|| self.select(items, &index, &argument(1), span))
            }
            "Split" => {
                let delimiter = items.first().and_then(|n| n.text()).unwrap_or_default();
                self.split(delimiter, &argument(1), span)
            }
            "ImportValue" => self.import(&whole(), span),
            "GetStackOutput" => self.stack_output(&whole(), span),
            // The text before encoding: what is encoded is read by people, and never compared.
            "Base64" => whole(),
            "ToJsonString" => {
                let val = whole();
                Val::text(Text::json(val), Src::at(span))
            }
            "Length" => {
                let list = whole();
                self.combine(&[list], span, |vals| {
                    match vals.first().and_then(|val| val.as_items()) {
                        Some(items)
                            if items.iter().all(|i| !matches!(i.data(), Data::OneOf(_))) =>
                        {
                            Val::int(
                                i64::try_from(items.len()).unwrap_or(i64::MAX),
                                Src::at(span),
                            )
                        }
                        _ => Val::unknown_of(called("Fn::Length", vals), Ty::Number, Src::at(span)),
                    }
                })
            }
            // Only rules ask these, of what is in the account.
            "RefAll" | "ValueOf" | "ValueOfAll" => Val::unknown_of(
                called(&format!("Fn::{name}"), &[whole()]),
                Ty::Dyn,
                Src::at(span),
            ),
            "GetAZs" | "Cidr" => Val::unknown_of(
                called(&format!("Fn::{name}"), &[whole()]),
                Ty::List(Box::new(Ty::String)),
                Src::at(span),
            ),
            "Transform" => {
                let entry = self.open_entry(span);
                Val::new(Data::Map(Map::object(vec![entry])), Src::at(span))
            }
            _ if is_for_conditions(name) => self.open(format!("the result of {name}"), span),
            _ => {
                self.tell(
                    Level::Warning,
                    "unknown-function",
                    span,
                    &format!("the function `{name}` is not known and its value was left open; check its spelling"),
                );
                self.open(format!("the result of {name}"), span)
            }
        }
    }

    /// Applies `make` to every combination of the arguments' alternatives that can occur.
    pub(super) fn combine(
        &self,
        arguments: &[Val],
        span: Span,
        make: impl Fn(&[Val]) -> Val,
    ) -> Val {
        if arguments
            .iter()
            .all(|val| !matches!(val.data(), Data::OneOf(_)))
        {
            return make(arguments);
        }
        let mut rows = vec![(Guard::always(), Vec::new())];
        for val in arguments {
            let alternatives = val.alternatives();
            let mut next = Vec::new();
            for (guard, row) in &rows {
                for (other, val) in &alternatives {
                    if let Some(guard) = guard.and(other) {
                        let mut row = row.clone();
                        row.push(val.clone());
                        next.push((guard, row));
                    }
                }
            }
            if next.len() > MAX_COMBINATIONS {
                return self.open("a value with too many alternatives", span);
            }
            rows = next;
        }
        let alternatives = rows
            .into_iter()
            .map(|(guard, row)| (guard, make(&row)))
            .collect();
        Val::one_of(
            alternatives,
            "a value with too many alternatives",
            Src::at(span),
        )
    }

    fn get_att(&self, node: &Node, span: Span, guard: &Guard, position: Position) -> Val {
        if let Some(scalar) = node.scalar() {
            return match scalar.text.split_once('.') {
                Some((id, attribute)) => self.attribute(id, attribute, span),
                None => self.open("an attribute without a name", span),
            };
        }
        if let [id, attribute] = node.items()
            && let (Some(id), Some(attribute)) = (id.text(), attribute.text())
        {
            return self.attribute(id, attribute, span);
        }
        // The name may be computed with AWS::LanguageExtensions.
        let parts: Vec<Val> = node
            .items()
            .iter()
            .map(|part| self.eval(part, guard, position))
            .collect();
        self.combine(&parts, span, |parts| {
            let names: Option<Vec<SmolStr>> = parts.iter().map(Val::as_str).collect();
            match names.as_deref() {
                Some([id, names @ ..]) if !names.is_empty() => {
                    self.attribute(id, &names.join("."), span)
                }
                _ => self.open("an attribute with a computed name", span),
            }
        })
    }

    fn sub(&self, node: &Node, span: Span, guard: &Guard, position: Position) -> Val {
        let (template, names): (Option<&Scalar>, Option<&Arc<Node>>) = match node.items() {
            [template, names] => (template.scalar(), Some(names)),
            _ => (node.scalar(), None),
        };
        let computed = matches!(node.items(), [template, _] if template.tag.is_some())
            || node.tag.as_ref().is_some_and(|tag| tag.name != "Sub");
        let Some(template) = template.filter(|_| !computed) else {
            return self.open("a computed Fn::Sub template", span);
        };
        let whole = of_scalar(template);
        let text = template.text.as_str();
        let slice = |from: usize, to: usize| whole.slice(from..to).unwrap_or_default();
        let place = |from: usize, to: usize| template.span_of(from..to).unwrap_or(span);
        // Literal parts and values in turn; only values have alternatives.
        let mut parts: Vec<Val> = Vec::new();
        let literal = |parts: &mut Vec<Val>, text: Text| {
            if !text.is_empty() {
                parts.push(Val::text(text, Src::none()));
            }
        };
        let mut at = 0;
        while let Some(start) = text.get(at..).and_then(|rest| rest.find("${")) {
            let start = at + start;
            let Some(len) = text.get(start..).and_then(|rest| rest.find('}')) else {
                break;
            };
            let end = start + len + 1;
            literal(&mut parts, slice(at, start));
            let name = text.get(start + 2..end - 1).unwrap_or_default();
            if name.starts_with('!') {
                literal(&mut parts, slice(start, start + 2));
                literal(&mut parts, slice(start + 3, end));
            } else {
                let name = name.trim();
                let span = place(start, end);
                self.spend(names.map_or(0, |names| names.entries().len()));
                let own = names.and_then(|names| names.get(name));
                parts.push(match (own, name.split_once('.')) {
                    (Some(node), _) => self
                        .eval(node, guard, position)
                        .through(span, format!("${{{name}}}")),
                    (None, Some((id, attribute))) if !tool::is_variable(id) => {
                        self.attribute(id, attribute, span)
                    }
                    (None, _) => self.reference(name, span, guard, position),
                });
            }
            at = end;
        }
        literal(&mut parts, slice(at, text.len()));
        self.combine(&parts, span, |parts| {
            let texts = parts.iter().map(|part| as_text(part, "Fn::Sub"));
            self.concatenated(texts, parts, span)
        })
    }

    fn join(&self, delimiter: &str, list: &Val, span: Span) -> Val {
        self.combine(std::slice::from_ref(list), span, |lists| {
            let Some(items) = lists.first().and_then(|list| list.as_items()) else {
                let sym = called(&format!("Fn::Join {delimiter}"), lists);
                return Val::text(Text::hole(sym, Src::at(span)), Src::at(span));
            };
            // A list inside the list (an Fn::If that gives several) is joined with the rest.
            let items: Vec<Val> = items.to_vec();
            self.combine(&items, span, |items| {
                let all = items.iter().flat_map(Val::listed).enumerate();
                let texts = all.flat_map(|(index, item)| {
                    let between = (index > 0).then(|| Text::derived(delimiter, span));
                    between.into_iter().chain([as_text(&item, "Fn::Join")])
                });
                self.concatenated(texts, items, span)
            })
        })
    }

    /// The texts in a row, as the value of a call with these arguments. One that grows beyond all
    /// templates is left open.
    fn concatenated(
        &self,
        texts: impl Iterator<Item = Text>,
        arguments: &[Val],
        span: Span,
    ) -> Val {
        let mut result = Text::empty();
        let mut len = 0;
        for text in texts {
            len += text.len() + PIECE * text.pieces().len();
            if len > MAX_TEXT {
                self.tell(
                    Level::Warning,
                    "too-complex",
                    span,
                    "this text grows beyond a megabyte and was left open; write it shorter",
                );
                return self.open("a text that is too long", span);
            }
            result.append(&text);
        }
        finished(result, arguments, span)
    }

    fn if_else(&self, items: &[Arc<Node>], span: Span, guard: &Guard, position: Position) -> Val {
        let [condition, yes, no] = items else {
            return self.open("an Fn::If without its three members", span);
        };
        let named = |tag: &crate::syntax::Tag| tag.name == "Condition";
        let name = condition
            .scalar()
            .filter(|_| condition.tag.as_deref().is_none_or(named));
        let Some(name) = name.map(|scalar| scalar.text.clone()) else {
            return self.open("an Fn::If with a computed condition", span);
        };
        let truth = self.condition_or_open(&name, condition);
        let under = |side: &Option<Guard>| {
            let both = side.as_ref().and_then(|side| guard.and(side));
            both.filter(|both| self.possible(both))
        };
        let implied = |side: &Option<Guard>| side.as_ref().is_some_and(|s| s.implied_by(guard));
        let (holds, fails) = (under(&truth.holds), under(&truth.fails));
        match (holds, fails) {
            (Some(holds), None) => self.eval(yes, &holds, position),
            (None, Some(fails)) => self.eval(no, &fails, position),
            (None, None) => Val::null(Src::at(span)),
            (Some(holds), Some(_)) if implied(&truth.holds) => self.eval(yes, &holds, position),
            (Some(_), Some(fails)) if implied(&truth.fails) => self.eval(no, &fails, position),
            (Some(holds), Some(fails)) => {
                let alternatives = vec![
                    (
                        truth.holds.unwrap_or_default(),
                        self.eval(yes, &holds, position),
                    ),
                    (
                        truth.fails.unwrap_or_default(),
                        self.eval(no, &fails, position),
                    ),
                ];
                Val::one_of(
                    alternatives,
                    "a value with too many alternatives",
                    Src::at(span),
                )
            }
        }
    }

    fn select(&self, items: &[Arc<Node>], index: &Val, list: &Val, span: Span) -> Val {
        let make = |vals: &[Val]| {
            let [index, list] = vals else {
                return Ok(self.open("an Fn::Select without its two members", span));
            };
            let Some(items) = list.as_items() else {
                return Ok(Val::unknown(called("Fn::Select", vals), Src::at(span)));
            };
            match index.as_i64() {
                Some(index) => {
                    let item = usize::try_from(index).ok().and_then(|at| items.get(at));
                    item.map(|item| item.under(list).through(span, "Fn::Select"))
                        .ok_or_else(|| Refused::index(index, items))
                }
                None if index.as_str().is_some() => Err(Refused::no_number(index)),
                None => {
                    let subject = index
                        .to_text()
                        .map_or_else(|| "index".to_owned(), |text| text.to_string());
                    let alternatives = items
                        .iter()
                        .enumerate()
                        .map(|(at, item)| {
                            let at = SmolStr::from(at.to_string());
                            (
                                Guard::atom(subject.as_str(), Relation::Is(at)),
                                item.under(list),
                            )
                        })
                        .collect();
                    Ok(Val::one_of(
                        alternatives,
                        "an item of a list",
                        Src::at(span),
                    ))
                }
            }
        };
        let settled = || items.iter().all(|item| self.is_settled(item));
        self.combine_or_tell(&[index.clone(), list.clone()], span, settled, make)
    }

    fn split(&self, delimiter: &str, text: &Val, span: Span) -> Val {
        self.combine(std::slice::from_ref(text), span, |vals| {
            let open = || {
                Val::unknown_of(
                    called(&format!("Fn::Split {delimiter}"), vals),
                    Ty::List(Box::new(Ty::String)),
                    Src::at(span),
                )
            };
            let Some(text) = vals.first().and_then(Val::to_text) else {
                return open();
            };
            let mut chars = delimiter.chars();
            let parts = match (chars.next(), chars.next()) {
                (Some(separator), None) => text.split(separator),
                (Some(_), Some(_)) => split_known(&text, delimiter),
                _ => None,
            };
            match parts {
                Some(parts) => Val::tuple(
                    parts
                        .into_iter()
                        .map(|part| {
                            let src = Src::at(part.span().unwrap_or(span));
                            Val::text(part, src)
                        })
                        .collect(),
                    Src::at(span),
                ),
                None => open(),
            }
        })
    }

    /// A part of a split text that stands before the first hole in which the delimiter may be: it is
    /// known, however many parts follow. Nothing where `list` is no such split.
    fn split_head(
        &self,
        list: &Node,
        index: &Val,
        span: Span,
        guard: &Guard,
        position: Position,
    ) -> Option<Val> {
        let (delimiter, text) = match (&list.tag, list.entries()) {
            (Some(tag), _) if tag.name == "Split" => (list.items().first()?, list.items().get(1)?),
            (None, [only]) if only.key == "Fn::Split" => {
                (only.value.items().first()?, only.value.items().get(1)?)
            }
            _ => return None,
        };
        let index = usize::try_from(index.as_i64()?).ok()?;
        let mut sign = delimiter.text()?.chars();
        let (separator, None) = (sign.next()?, sign.next()) else {
            return None;
        };
        let text = self.eval(text, guard, position).to_text()?;
        if text.is_known() || text.split(separator).is_some() {
            return None;
        }
        let mut head = Text::empty();
        for piece in text.pieces() {
            let part = Text::from(piece.clone());
            if !part.is_known() && part.split(separator).is_none() {
                break;
            }
            head.append(&part);
        }
        let mut parts = head.split(separator)?;
        // The last one goes on in the hole.
        parts.pop();
        let part = parts.into_iter().nth(index)?;
        let src = Src::at(part.span().unwrap_or(span));
        Some(Val::text(part, src).through(span, "Fn::Select"))
    }

    fn import(&self, name: &Val, span: Span) -> Val {
        self.combine(std::slice::from_ref(name), span, |vals| {
            let Some(name) = vals.first().and_then(Val::to_text) else {
                return self.open("an import with a computed name", span);
            };
            match self.exports.get(&name.key()) {
                Some(val) => val.through(span, format!("export {name}")),
                None => {
                    let sym = Sym::Import(SmolStr::from(name.to_string()));
                    Val::text(Text::hole(sym, Src::at(span)), Src::at(span))
                }
            }
        })
    }

    fn stack_output(&self, argument: &Val, span: Span) -> Val {
        let field = |name| {
            argument
                .get(name)
                .and_then(|val| val.to_text())
                .map(|text| SmolStr::from(text.to_string()))
                .unwrap_or_default()
        };
        let sym = Sym::Output {
            root: SmolStr::default(),
            module: field("StackName"),
            name: field("OutputName"),
        };
        Val::text(Text::hole(sym, Src::at(span)), Src::at(span))
    }
}

/// The symbol of a call that was not evaluated.
fn called(name: &str, arguments: &[Val]) -> Sym {
    let args: Vec<String> = arguments.iter().map(json::to_key).collect();
    Sym::Call {
        name: name.into(),
        args: args.join(",").into(),
    }
}

/// A value as text; a list or map in a place for text stays open.
fn as_text(val: &Val, function: &str) -> Text {
    val.to_text().unwrap_or_else(|| {
        Text::hole(
            called(function, std::slice::from_ref(val)),
            val.src().clone(),
        )
    })
}

/// A text made of parts: dynamic references resolved, the parts' marks kept.
fn finished(text: Text, parts: &[Val], span: Span) -> Val {
    let marks = parts
        .iter()
        .fold(overgrant_value::Marks::NONE, |all, part| {
            all.with(part.marks())
        });
    let reference = text
        .pieces()
        .iter()
        .any(|piece| matches!(piece, Piece::Lit(lit) if lit.as_str().contains("{{resolve:")));
    let val = if reference {
        with_dynamic_references(text, Src::at(span))
    } else {
        Val::text(text, Src::at(span))
    };
    val.marked(marks)
}

/// Splits a fully known text at a delimiter of several characters.
fn split_known(text: &Text, delimiter: &str) -> Option<Vec<Text>> {
    let known = text.as_known()?;
    let mut parts = Vec::new();
    let mut at = 0;
    for part in known.split(delimiter) {
        parts.push(text.slice(at..at + part.len())?);
        at += part.len() + delimiter.len();
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use crate::testing::{one, property, spans};

    fn text(yaml: &str) -> String {
        property(&format!(
            "Parameters:\n  P: {{Type: String, Default: d}}\n  N: {{Type: String}}\n  L: {{Type: CommaDelimitedList, Default: 'x, y'}}\n\
             Mappings:\n  M: {{a: {{k: 1}}, b: {{k: 2}}}}\n\
             Resources:\n  B: {{Type: AWS::S3::Bucket, Properties: {{BucketName: bkt}}}}\n  \
             R: {{Type: AWS::IAM::Role, Properties: {{Path: /p/}}}}\n  D: {{Type: AWS::DynamoDB::Table}}\n  \
             X:\n    Type: AWS::SNS::Topic\n    Properties:\n      V: {yaml}\n"
        ))
    }

    #[test]
    fn sub_keeps_literals_and_holes() {
        assert_eq!(
            text("!Sub 'a${P}b${!aws:username}c${X.Y}'"),
            "\"ad\u{62}${aws:username}c${X.Y}\""
        );
        assert_eq!(
            text("!Sub ['${A}/${B}', {A: !Ref P}]"),
            "\"d/bkt\"",
            "names of the map come first, then resources"
        );
        assert_eq!(text("{'Fn::Sub': '${AWS::Region}$'}"), "\"${the region}$\"");
        assert_eq!(text("!Sub '${N}'"), "\"${N}\"");
    }

    #[test]
    fn join_select_and_split() {
        assert_eq!(
            text("!Join ['-', [a, !Ref P, !Ref 'AWS::NoValue', b]]"),
            "\"a-d-b\""
        );
        assert_eq!(text("!Join ['', !Ref L]"), "\"xy\"");
        assert_eq!(text("!Select [1, !Ref L]"), "\"y\"");
        assert_eq!(text("!Select [0, !Split ['-', 'a-b']]"), "\"a\"");
        assert_eq!(
            text("!Select [5, !Split [':', !GetAtt R.Arn]]"),
            "\"role/p/${R.name}\""
        );
        assert_eq!(
            text("{'Fn::Select': ['4', {'Fn::Split': [':', {'Fn::GetAtt': [R, Arn]}]}]}"),
            "\"${the account id}\""
        );
    }

    #[test]
    fn parts_before_an_open_one_are_selected() {
        let arn = "!Sub 'arn:aws:sqs:${AWS::Region}:1:${N}'";
        assert_eq!(
            text(&format!("!Select [2, !Split [':', {arn}]]")),
            "\"sqs\""
        );
        let region = format!("{{'Fn::Select': [3, {{'Fn::Split': [':', {arn}]}}]}}");
        assert_eq!(text(&region), "\"${the region}\"");
        assert!(text(&format!("!Select [5, !Split [':', {arn}]]")).contains("Fn::Select"));
        assert_eq!(
            text("!Select [1, !Split ['/', !Ref 'AWS::StackId']]"),
            "\"${AWS::StackName}\""
        );
        assert_eq!(
            text("!Select [2, !Split ['/', !Ref 'AWS::StackId']]"),
            "\"${AWS::StackId}\""
        );
        assert_eq!(
            text("!Select [1, !Split ['/', !GetAtt D.StreamArn]]"),
            "\"${D.name}\""
        );
    }

    #[test]
    fn references_have_the_identity_of_the_type() {
        assert_eq!(text("!GetAtt B.Arn"), "\"arn:${the partition}:s3:::bkt\"");
        assert_eq!(text("!Ref B"), "\"bkt\"");
        assert_eq!(
            text("!GetAtt [R, Arn]"),
            "\"arn:${the partition}:iam::${the account id}:role/p/${R.name}\""
        );
        assert_eq!(text("!Ref R"), "\"${R.name}\"");
        assert_eq!(text("!GetAtt R.RoleId"), "\"${R.RoleId}\"");
    }

    #[test]
    fn find_in_map_knows_keys_and_gives_alternatives() {
        assert_eq!(text("!FindInMap [M, a, k]"), "1");
        let both = text("!FindInMap [M, !Ref N, k]");
        assert!(both.contains('1') && both.contains('2'), "{both}");
        assert_eq!(text("!FindInMap [M, c, k, {DefaultValue: z}]"), "\"z\"");
    }

    #[test]
    fn the_rest_is_open_or_plain() {
        assert_eq!(text("!Length [a, b]"), "2");
        assert!(text("!ImportValue name").contains("import name"));
        assert_eq!(text("!Base64 abc"), "\"abc\"");
        assert!(text("!GetAZs ''").contains("Fn::GetAZs"));
        assert!(text("[!Custom::Thing x, kept]").contains("kept"));
    }

    #[test]
    fn a_transform_leaves_its_mapping_open() {
        let found = one(
            "Resources: {X: {Type: 'AWS::SNS::Topic', Properties: {A: 1, 'Fn::Transform': {Name: M}}}, Y: {Type: 'AWS::SNS::Topic', Properties: {'Fn::Transform': {Name: M}}}}",
        );
        for resource in &found.resources {
            assert!(resource.attrs.as_map().unwrap().has_open_keys());
        }
        assert!(found.resources[0].get("A").is_some());
        assert_eq!(found.diagnostics.len(), 1);
    }

    #[test]
    fn unknown_functions_are_told_once() {
        let found =
            one("Resources: {X: {Type: 'AWS::SNS::Topic', Properties: {A: !Foo x, B: !Foo y}}}");
        let codes: Vec<_> = found.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(codes, ["unknown-function"]);
    }

    #[test]
    fn literal_parts_keep_their_places() {
        let yaml = "Resources:\n  X:\n    Type: AWS::SNS::Topic\n    Properties:\n      V: !Join ['', ['arn:', !Ref 'AWS::Partition', ':s3:::*']]\n";
        assert_eq!(spans(yaml), ["arn:", "!Ref 'AWS::Partition'", ":s3:::*"]);
        let yaml = "Resources:\n  X:\n    Type: AWS::SNS::Topic\n    Properties:\n      V: !Sub |\n        a ${AWS::Region}\n        *\n";
        assert_eq!(spans(yaml), ["a ", "${AWS::Region}", "\n        *\n"]);
    }
}
