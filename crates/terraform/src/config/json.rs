//! JSON syntax (`.tf.json`, `.tfvars.json`) as the same tree as native syntax.
//!
//! Rules: developer.hashicorp.com/terraform/language/syntax/json. Nested blocks cannot be told from
//! arguments without the provider's schema, and come as arguments. Invariant: a string is a template
//! except in a variable's default, and every node has the span of its JSON.

use crate::syntax::tree::{
    Attribute, Block, Body, Expr, ExprKind, Item, Key, Label, Literal, Name,
};
use crate::syntax::{File, parse_literal_template};
use overgrant_source::{Diagnostic, Level, SourceFile, Span};
use overgrant_value::{Data, Entry, Map, Piece, Text, Val, json};
use smol_str::SmolStr;

/// Parses a `.tf.json` file.
pub(crate) fn parse(file: &SourceFile) -> File {
    let mut reader = Reader {
        file,
        result: File::default(),
    };
    match json::parse_file(file, json::Options::default()) {
        Ok(val) => reader.root(&val),
        Err(error) => {
            let mut diagnostic = Diagnostic::new(
                Level::Error,
                "json-syntax",
                format!("this is not valid JSON: {}", error.message),
            );
            diagnostic = match error.span {
                Some(span) => diagnostic.at(file, span),
                None => diagnostic.in_file(file.path()),
            };
            reader.result.diagnostics.push(diagnostic.losing_file());
        }
    }
    reader.result
}

struct Reader<'a> {
    file: &'a SourceFile,
    result: File,
}

/// The runs of a text that a JSON string gave.
pub(crate) fn literal(text: &Text, whole: Span) -> Literal {
    let mut result = Literal::default();
    for piece in text.pieces() {
        let Piece::Lit(lit) = piece else { continue };
        let mut at = 0;
        for seg in lit.segs() {
            let range = seg.at as usize..(seg.at + seg.len) as usize;
            if let Some(gap) = lit.as_str().get(at..range.start) {
                result.push(gap, whole, false);
            }
            if let Some(part) = lit.as_str().get(range.clone()) {
                result.push(part, seg.span, seg.exact);
            }
            at = range.end;
        }
        if let Some(rest) = lit.as_str().get(at..) {
            result.push(rest, whole, false);
        }
    }
    result
}

impl Reader<'_> {
    fn whole(&self) -> Span {
        self.file.span(0..self.file.text().len())
    }

    fn span(&self, val: &Val) -> Span {
        val.span().unwrap_or_else(|| self.whole())
    }

    fn key_span(&self, entry: &Entry) -> Span {
        entry.key_src.span.unwrap_or_else(|| self.whole())
    }

    /// The objects that stand for one or several blocks.
    fn bodies<'v>(&self, val: &'v Val) -> Vec<(&'v Map, &'v Val)> {
        match val.data() {
            Data::Map(map) => vec![(map, val)],
            Data::Seq(seq) => seq
                .items
                .iter()
                .filter_map(|item| item.as_map().map(|map| (map, item)))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn root(&mut self, val: &Val) {
        for (map, _) in self.bodies(val) {
            for entry in &map.entries {
                let Some(kind) = entry.key.as_known() else {
                    continue;
                };
                let depth = match kind.as_str() {
                    "//" => continue,
                    "resource" | "data" => 2,
                    "variable" | "output" | "module" | "provider" => 1,
                    _ => 0,
                };
                let key = self.key_span(entry);
                self.blocks(&kind, key, depth, Vec::new(), &entry.val);
            }
        }
    }

    fn blocks(
        &mut self,
        kind: &SmolStr,
        kind_span: Span,
        depth: usize,
        labels: Vec<Label>,
        val: &Val,
    ) {
        for (map, whole) in self.bodies(val) {
            if depth > 0 {
                for entry in &map.entries {
                    let Some(text) = entry.key.as_known() else {
                        continue;
                    };
                    let mut labels = labels.clone();
                    labels.push(Label {
                        text,
                        span: self.key_span(entry),
                    });
                    self.blocks(kind, kind_span, depth - 1, labels, &entry.val);
                }
                continue;
            }
            let header = labels.last().map_or(kind_span, |label| label.span);
            let body = self.body(kind, map);
            self.result.body.blocks.push(Block {
                kind: kind.clone(),
                kind_span,
                labels: labels.clone(),
                body,
                span: header.to(self.span(whole)),
                header,
            });
        }
    }

    fn body(&mut self, kind: &str, map: &Map) -> Body {
        let mut body = Body::default();
        for entry in &map.entries {
            let Some(name) = entry.key.as_known() else {
                continue;
            };
            let name_span = self.key_span(entry);
            match name.as_str() {
                "//" => {}
                "dynamic" => self.dynamic(&entry.val, name_span, &mut body),
                _ => {
                    let literal = kind == "variable" && name == "default";
                    let value = self.expr(&entry.val, !literal);
                    body.attributes.push(Attribute {
                        span: name_span.to(value.span),
                        name,
                        name_span,
                        value,
                    });
                }
            }
        }
        body
    }

    fn dynamic(&mut self, val: &Val, kind_span: Span, into: &mut Body) {
        for (map, _) in self.bodies(val) {
            for entry in &map.entries {
                let Some(text) = entry.key.as_known() else {
                    continue;
                };
                let span = self.key_span(entry);
                for (inner, whole) in self.bodies(&entry.val) {
                    let mut body = Body::default();
                    for entry in &inner.entries {
                        let name = entry.key.as_known().unwrap_or_default();
                        let name_span = self.key_span(entry);
                        if name == "content" {
                            for (content, whole) in self.bodies(&entry.val) {
                                let inner = self.body("content", content);
                                body.blocks.push(Block {
                                    kind: name.clone(),
                                    kind_span: name_span,
                                    labels: Vec::new(),
                                    body: inner,
                                    span: self.span(whole),
                                    header: name_span,
                                });
                            }
                        } else {
                            let value = self.expr(&entry.val, true);
                            body.attributes.push(Attribute {
                                span: name_span.to(value.span),
                                name,
                                name_span,
                                value,
                            });
                        }
                    }
                    into.blocks.push(Block {
                        kind: "dynamic".into(),
                        kind_span,
                        labels: vec![Label {
                            text: text.clone(),
                            span,
                        }],
                        body,
                        span: self.span(whole),
                        header: span,
                    });
                }
            }
        }
    }

    fn expr(&mut self, val: &Val, templates: bool) -> Expr {
        let span = self.span(val);
        let kind = match val.data() {
            Data::Bool(value) => ExprKind::Bool(*value),
            Data::Num(num) => ExprKind::Number(smol_str::format_smolstr!("{num}")),
            Data::Str(text) => return self.string(text, span, templates),
            Data::Seq(seq) => ExprKind::Tuple(
                seq.items
                    .iter()
                    .map(|item| self.expr(item, templates))
                    .collect(),
            ),
            Data::Map(map) => ExprKind::Object(
                map.entries
                    .iter()
                    .map(|entry| {
                        let at = self.key_span(entry);
                        let key = match self.string(&entry.key, at, templates) {
                            Expr {
                                kind: ExprKind::Template(parts),
                                span,
                            } if parts.is_empty() => Key::Name(Name {
                                text: SmolStr::default(),
                                span,
                            }),
                            expr => Key::Expr(expr),
                        };
                        Item {
                            key,
                            value: self.expr(&entry.val, templates),
                        }
                    })
                    .collect(),
            ),
            Data::Null(_) | Data::Unknown(_) | Data::OneOf(_) => ExprKind::Null,
        };
        Expr { kind, span }
    }

    fn string(&mut self, text: &Text, span: Span, templates: bool) -> Expr {
        let literal = literal(text, span);
        if templates {
            match parse_literal_template(self.file, &literal, span) {
                Ok((expr, problems)) => {
                    self.result.diagnostics.extend(problems);
                    return expr;
                }
                Err(problem) => self.result.diagnostics.push(*problem),
            }
        }
        Expr {
            kind: ExprKind::Template(vec![crate::syntax::tree::Part::Literal(literal)]),
            span,
        }
    }
}

/// The members of a `.tfvars.json` file as arguments; its strings are literal.
pub(crate) fn values(file: &SourceFile) -> File {
    let mut reader = Reader {
        file,
        result: File::default(),
    };
    match json::parse_file(file, json::Options::default()) {
        Ok(val) => {
            for (map, _) in reader.bodies(&val) {
                let body = reader.literals(map);
                reader.result.body.attributes.extend(body);
            }
        }
        Err(error) => reader.result.diagnostics.push(
            Diagnostic::new(
                Level::Error,
                "json-syntax",
                format!("this is not valid JSON: {}", error.message),
            )
            .in_file(file.path())
            .losing_file(),
        ),
    }
    reader.result
}

impl Reader<'_> {
    fn literals(&mut self, map: &Map) -> Vec<Attribute> {
        map.entries
            .iter()
            .filter_map(|entry| {
                let name = entry.key.as_known()?;
                let name_span = self.key_span(entry);
                let value = self.expr(&entry.val, false);
                Some(Attribute {
                    name,
                    name_span,
                    span: name_span.to(value.span),
                    value,
                })
            })
            .collect()
    }
}
