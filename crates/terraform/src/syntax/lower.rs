//! From hcl-edit's tree to ours.
//!
//! hcl-edit sees structure only: every string is a placeholder there (see `scan`), and all names
//! and numbers are read from the text by their spans. Invariant: every offset that hcl-edit gives
//! is moved by the start of the slice that it parsed, nothing else.

use super::scan::Scan;
use super::template;
use super::tree::{
    Attribute, BinaryOp, Block, Body, Call, Expr, ExprKind, For, Item, Key, Label, Literal, Name,
    Step, StepKind, UnaryOp,
};
use hcl_edit::Span as _;
use hcl_edit::expr::{
    BinaryOperator, Expression, ForExpr, FuncCall, Object, ObjectKey, TraversalOperator,
    UnaryOperator,
};
use hcl_edit::structure::{self, BlockLabel, Structure};
use overgrant_source::{Diagnostic, Level, SourceFile, Span};
use smol_str::SmolStr;
use std::ops::Range;

/// How deep expressions may stand in each other, templates and brackets together.
const MAX_DEPTH: usize = 256;
/// How many repeated keys one block may have.
const MAX_RENAMES: usize = 200;

/// The reason why a block was given up.
pub(super) struct Lost(pub(super) Box<Diagnostic>);

/// Where the scanned text stands.
pub(super) enum Place<'a> {
    /// It is the file's own text.
    File,
    /// It is a value that was put together from places.
    Literal(&'a Literal, Span),
}

/// One text on its way to a tree.
pub(super) struct Lowerer<'a> {
    file: &'a SourceFile,
    text: &'a str,
    scan: &'a Scan,
    place: Place<'a>,
    depth: usize,
    /// Problems that cost nothing.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Lowerer<'a> {
    pub(super) fn new(
        file: &'a SourceFile,
        text: &'a str,
        scan: &'a Scan,
        place: Place<'a>,
    ) -> Self {
        Self {
            file,
            text,
            scan,
            place,
            depth: 0,
            diagnostics: Vec::new(),
        }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The place of a range of the text.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        match &self.place {
            Place::File => self.file.span(range),
            Place::Literal(literal, whole) => {
                let part = literal.slice(range);
                match (part.segments.first(), part.segments.last()) {
                    (Some(first), Some(last)) => first.source.to(last.source),
                    _ => *whole,
                }
            }
        }
    }

    /// Adds the text's bytes from `start` on, which read `part`, to a literal.
    pub(super) fn push_run(&self, literal: &mut Literal, part: &str, start: usize) {
        let range = start..start + part.len();
        match &self.place {
            Place::File => literal.push(part, self.file.span(range), true),
            Place::Literal(source, _) => literal.append(&source.slice(range)),
        }
    }

    fn diagnostic(&self, span: Span, message: &str) -> Diagnostic {
        let diagnostic = Diagnostic::new(Level::Error, "hcl-syntax", message);
        if span.file == self.file.id() {
            diagnostic.at(self.file, span)
        } else {
            diagnostic.in_file(self.file.path())
        }
    }

    /// Reports something that Terraform refuses, but that costs no more than itself.
    pub(super) fn complain(&mut self, span: Span, message: &str) {
        let diagnostic = self.diagnostic(span, message);
        self.diagnostics.push(diagnostic);
    }

    /// The same as a reason to give the block up.
    pub(super) fn lost(&self, span: Span, message: &str) -> Lost {
        Lost(Box::new(self.diagnostic(span, message)))
    }

    /// A range of the text without strings and comments, as hcl-edit gets it.
    pub(super) fn structure(&self, range: Range<usize>) -> String {
        String::from_utf8_lossy(&self.scan.structure(range)).into_owned()
    }

    /// A top-level block or argument.
    pub(super) fn item(&mut self, range: Range<usize>, into: &mut Body) -> Result<(), Lost> {
        let at = range.start;
        let mut masked = self.structure(range);
        let mut renames = 0;
        let body = loop {
            match hcl_edit::parser::parse_body(&masked) {
                Ok(body) => break body,
                Err(error) => {
                    self.rename_or_lose(&error, &mut masked, at, &mut renames)?;
                }
            }
        };
        self.body(&body, at, into)
    }

    /// An expression in which newlines do not matter.
    pub(super) fn range(&mut self, range: Range<usize>) -> Result<Expr, Lost> {
        if let Some(expr) = self.names(range.clone()) {
            return Ok(expr);
        }
        // The bracket stands where the sequence's brace or the first byte's predecessor is.
        let at = range.start.wrapping_sub(1);
        let mut masked = format!("({})", self.structure(range));
        let mut renames = 0;
        let parsed = loop {
            match hcl_edit::parser::parse_expr(&masked) {
                Ok(parsed) => break parsed,
                Err(error) => {
                    self.rename_or_lose(&error, &mut masked, at, &mut renames)?;
                }
            }
        };
        match &parsed {
            Expression::Parenthesis(inner) => self.expr(inner.inner(), at),
            other => {
                let span = self.local(other.span(), at);
                Err(self.lost(
                    span,
                    "this is not one expression; an interpolation holds one",
                ))
            }
        }
    }

    /// Names joined by dots, what most interpolations are, without a parser.
    fn names(&self, range: Range<usize>) -> Option<Expr> {
        let text = self.text.get(range.clone())?;
        let start = range.start + (text.len() - text.trim_ascii_start().len());
        let text = text.trim_ascii();
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        };
        if !text.split('.').all(is_name) || matches!(text, "true" | "false" | "null") {
            return None;
        }
        let (first, rest) = text.split_once('.').unwrap_or((text, ""));
        let root = Expr {
            kind: ExprKind::Root(first.into()),
            span: self.span(start..start + first.len()),
        };
        if rest.is_empty() {
            return Some(root);
        }
        let mut at = start + first.len();
        let steps = rest
            .split('.')
            .map(|name| {
                let end = at + 1 + name.len();
                let span = self.span(at..end);
                at = end;
                Step {
                    kind: StepKind::Attr(name.into()),
                    span,
                }
            })
            .collect();
        Some(Expr {
            kind: ExprKind::Traversal(Box::new(root), steps),
            span: self.span(start..start + text.len()),
        })
    }

    /// HCL takes the last of two equal keys, hcl-edit refuses them: give the second other letters.
    fn rename_or_lose(
        &self,
        error: &hcl_edit::parser::Error,
        masked: &mut String,
        at: usize,
        renames: &mut usize,
    ) -> Result<(), Lost> {
        let offset = error.location().offset();
        if error.message().contains("redefined object key") && *renames < MAX_RENAMES {
            *renames += 1;
            if rename(masked, offset, *renames) {
                return Ok(());
            }
        }
        let start = at.wrapping_add(offset).min(self.text.len());
        let end = (start + 1..=self.text.len())
            .find(|&end| self.text.is_char_boundary(end))
            .unwrap_or(start);
        let expected = error
            .message()
            .split_once("expected ")
            .map(|(_, expected)| format!(" (expected {})", expected.trim().replace('\n', " ")))
            .unwrap_or_default();
        let deep = error.message().contains("nest") || error.message().contains("recursion");
        let message = if deep {
            "brackets stand too deep in each other here; move the inner ones to locals".to_owned()
        } else {
            format!(
                "this is not valid Terraform{expected}; the block around it is left out, `terraform validate` tells more"
            )
        };
        Err(self.lost(self.span(start..end), &message))
    }

    fn absolute(&self, range: Option<Range<usize>>, at: usize) -> Range<usize> {
        let range = range.unwrap_or(0..0);
        let clamp = |n: usize| at.wrapping_add(n).min(self.text.len());
        clamp(range.start)..clamp(range.end)
    }

    fn local(&self, range: Option<Range<usize>>, at: usize) -> Span {
        self.span(self.absolute(range, at))
    }

    fn raw(&self, range: Option<Range<usize>>, at: usize) -> &'a str {
        self.text.get(self.absolute(range, at)).unwrap_or("")
    }

    fn body(&mut self, body: &structure::Body, at: usize, into: &mut Body) -> Result<(), Lost> {
        for structure in body {
            match structure {
                Structure::Attribute(attr) => {
                    let value = self.expr(&attr.value, at)?;
                    let name_span = self.local(attr.key.span(), at);
                    into.attributes.push(Attribute {
                        name: self.raw(attr.key.span(), at).into(),
                        name_span,
                        span: name_span.to(value.span),
                        value,
                    });
                }
                Structure::Block(block) => {
                    let block = self.nested(|this| this.block(block, at))?;
                    into.blocks.push(block);
                }
            }
        }
        Ok(())
    }

    fn block(&mut self, block: &structure::Block, at: usize) -> Result<Block, Lost> {
        let kind_span = self.local(block.ident.span(), at);
        let mut header = kind_span;
        let mut labels = Vec::new();
        for label in &block.labels {
            let range = match label {
                BlockLabel::Ident(ident) => ident.span(),
                BlockLabel::String(string) => string.span(),
            };
            let span = self.local(range.clone(), at);
            let raw = self.raw(range, at);
            let text = raw
                .strip_prefix('"')
                .and_then(|raw| raw.strip_suffix('"'))
                .unwrap_or(raw);
            if text.contains(['\\', '$', '%']) {
                self.complain(
                    span,
                    "a block's label is plain text, without escapes and interpolations",
                );
            }
            labels.push(Label {
                text: text.into(),
                span,
            });
            header = header.to(span);
        }
        let mut body = Body::default();
        self.body(&block.body, at, &mut body)?;
        body.attributes.shrink_to_fit();
        body.blocks.shrink_to_fit();
        labels.shrink_to_fit();
        Ok(Block {
            kind: self.raw(block.ident.span(), at).into(),
            kind_span,
            labels,
            body,
            span: self.local(block.span(), at),
            header,
        })
    }

    /// Runs `f` one level deeper, on a larger stack where that is needed.
    fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Lost>) -> Result<T, Lost> {
        self.depth += 1;
        let result = stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || f(self));
        self.depth -= 1;
        result
    }

    fn expr(&mut self, expr: &Expression, at: usize) -> Result<Expr, Lost> {
        let span = self.local(expr.span(), at);
        if self.depth >= MAX_DEPTH {
            return Err(self.lost(
                span,
                "expressions stand too deep in each other here; move the inner ones to locals",
            ));
        }
        let kind = self.nested(|this| this.kind(expr, at, span))?;
        Ok(Expr { kind, span })
    }

    fn kind(&mut self, expr: &Expression, at: usize, span: Span) -> Result<ExprKind, Lost> {
        Ok(match expr {
            Expression::Null(_) => ExprKind::Null,
            Expression::Bool(value) => ExprKind::Bool(*value.value()),
            Expression::Number(_) => {
                let raw = self.raw(expr.span(), at);
                ExprKind::Number(raw.split_whitespace().collect::<String>().into())
            }
            Expression::String(_)
            | Expression::StringTemplate(_)
            | Expression::HeredocTemplate(_) => {
                let start = self.absolute(expr.span(), at).start;
                let scan = self.scan;
                match scan.template_at(start) {
                    Some(raw) => template::lower(self, raw)?,
                    None => return Err(self.lost(span, "this string cannot be read")),
                }
            }
            Expression::Array(array) => ExprKind::Tuple(self.exprs(array.iter(), at)?),
            Expression::Object(object) => ExprKind::Object(self.items(object, at)?),
            Expression::Parenthesis(inner) => {
                ExprKind::Paren(Box::new(self.expr(inner.inner(), at)?))
            }
            Expression::Variable(_) => ExprKind::Root(self.raw(expr.span(), at).into()),
            Expression::Conditional(cond) => {
                self.on_one_line(&cond.cond_expr, &cond.true_expr, at);
                self.on_one_line(&cond.true_expr, &cond.false_expr, at);
                ExprKind::Conditional(Box::new([
                    self.expr(&cond.cond_expr, at)?,
                    self.expr(&cond.true_expr, at)?,
                    self.expr(&cond.false_expr, at)?,
                ]))
            }
            Expression::FuncCall(call) => ExprKind::Call(self.call(call, at)?),
            Expression::Traversal(traversal) => {
                let base = self.expr(&traversal.expr, at)?;
                let mut steps = Vec::with_capacity(traversal.operators.len());
                for operator in &traversal.operators {
                    let kind = self.step(operator.value(), at)?;
                    let span = self.local(operator.span(), at);
                    steps.push(Step { kind, span });
                }
                ExprKind::Traversal(Box::new(base), steps)
            }
            Expression::UnaryOp(op) => {
                let operator = match op.operator.value() {
                    UnaryOperator::Not => UnaryOp::Not,
                    UnaryOperator::Neg => UnaryOp::Neg,
                };
                ExprKind::Unary(operator, Box::new(self.expr(&op.expr, at)?))
            }
            Expression::BinaryOp(op) => {
                self.on_one_line(&op.lhs_expr, &op.rhs_expr, at);
                ExprKind::Binary(
                    binary(*op.operator.value()),
                    Box::new([self.expr(&op.lhs_expr, at)?, self.expr(&op.rhs_expr, at)?]),
                )
            }
            Expression::ForExpr(expr) => ExprKind::For(Box::new(self.for_expr(expr, at)?)),
        })
    }

    /// Complains about a line break around an operator, which hcl-edit takes and Terraform only in
    /// brackets.
    fn on_one_line(&mut self, before: &Expression, after: &Expression, at: usize) {
        let from = self.absolute(before.span(), at).end;
        let to = self.absolute(after.span(), at).start;
        if from < to && self.scan.breaks_line(from..to) {
            let span = self.span(from..to);
            self.complain(
                span,
                "Terraform takes no line break around an operator; put the expression in parentheses",
            );
        }
    }

    fn exprs<'e>(
        &mut self,
        exprs: impl Iterator<Item = &'e Expression>,
        at: usize,
    ) -> Result<Vec<Expr>, Lost> {
        exprs.map(|expr| self.expr(expr, at)).collect()
    }

    fn items(&mut self, object: &Object, at: usize) -> Result<Vec<Item>, Lost> {
        let mut items = Vec::with_capacity(object.len());
        for (key, value) in object {
            let key = match key {
                ObjectKey::Ident(ident) => Key::Name(Name {
                    text: self.raw(ident.span(), at).into(),
                    span: self.local(ident.span(), at),
                }),
                ObjectKey::Expression(expr) => {
                    let key = self.expr(expr, at)?;
                    match key.kind {
                        // Keywords are names here (hclsyntax, `ObjectConsKeyExpr`).
                        ExprKind::Null | ExprKind::Bool(_) => Key::Name(Name {
                            text: self.raw(expr.span(), at).into(),
                            span: key.span,
                        }),
                        _ => Key::Expr(key),
                    }
                }
            };
            let value = self.expr(value.expr(), at)?;
            items.push(Item { key, value });
        }
        Ok(items)
    }

    fn call(&mut self, call: &FuncCall, at: usize) -> Result<Call, Lost> {
        let mut name = String::new();
        let mut name_span = self.local(call.name.name.span(), at);
        for space in &call.name.namespace {
            name.push_str(self.raw(space.span(), at));
            name.push_str("::");
            name_span = self.local(space.span(), at).to(name_span);
        }
        name.push_str(self.raw(call.name.name.span(), at));
        Ok(Call {
            name: name.into(),
            name_span,
            args: self.exprs(call.args.iter(), at)?,
            expand: call.args.expand_final(),
        })
    }

    fn step(&mut self, operator: &TraversalOperator, at: usize) -> Result<StepKind, Lost> {
        Ok(match operator {
            TraversalOperator::AttrSplat(_) => StepKind::AttrSplat,
            TraversalOperator::FullSplat(_) => StepKind::FullSplat,
            TraversalOperator::GetAttr(ident) => StepKind::Attr(self.raw(ident.span(), at).into()),
            TraversalOperator::Index(expr) => StepKind::Index(Box::new(self.expr(expr, at)?)),
            TraversalOperator::LegacyIndex(index) => {
                StepKind::LegacyIndex(SmolStr::from(index.value().to_string()))
            }
        })
    }

    fn for_expr(&mut self, expr: &ForExpr, at: usize) -> Result<For, Lost> {
        let intro = &expr.intro;
        let optional = |this: &mut Self, expr: Option<&Expression>| {
            expr.map(|expr| this.expr(expr, at)).transpose()
        };
        Ok(For {
            key_var: intro
                .key_var
                .as_ref()
                .map(|name| self.raw(name.span(), at).into()),
            value_var: self.raw(intro.value_var.span(), at).into(),
            collection: self.expr(&intro.collection_expr, at)?,
            key: optional(self, expr.key_expr.as_ref())?,
            value: self.expr(&expr.value_expr, at)?,
            group: expr.grouping,
            cond: optional(self, expr.cond.as_ref().map(|cond| &cond.expr))?,
        })
    }
}

/// Gives the name at or behind `offset` letters that depend on `round`, keeping its length.
fn rename(masked: &mut String, offset: usize, round: usize) -> bool {
    let mut bytes = std::mem::take(masked).into_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
    let start = bytes
        .iter()
        .skip(offset)
        .take_while(|&&byte| !matches!(byte, b'=' | b':' | b'\n'))
        .position(is_name)
        .map(|found| offset + found);
    if let Some(start) = start {
        let mut index = round;
        let name = bytes
            .get_mut(start..)
            .unwrap_or_default()
            .iter_mut()
            .take_while(|byte| is_name(byte));
        for byte in name {
            let letter = u8::try_from(index % 25).unwrap_or(0);
            index /= 25;
            *byte = b'A' + letter;
        }
    }
    *masked = String::from_utf8_lossy(&bytes).into_owned();
    start.is_some()
}

fn binary(operator: BinaryOperator) -> BinaryOp {
    match operator {
        BinaryOperator::Or => BinaryOp::Or,
        BinaryOperator::And => BinaryOp::And,
        BinaryOperator::Eq => BinaryOp::Eq,
        BinaryOperator::NotEq => BinaryOp::NotEq,
        BinaryOperator::Greater => BinaryOp::Greater,
        BinaryOperator::GreaterEq => BinaryOp::GreaterEq,
        BinaryOperator::Less => BinaryOp::Less,
        BinaryOperator::LessEq => BinaryOp::LessEq,
        BinaryOperator::Plus => BinaryOp::Plus,
        BinaryOperator::Minus => BinaryOp::Minus,
        BinaryOperator::Mul => BinaryOp::Times,
        BinaryOperator::Div => BinaryOp::Div,
        BinaryOperator::Mod => BinaryOp::Mod,
    }
}
