//! The syntax tree: bodies, blocks, expressions, templates.
//!
//! Not for values: nothing is evaluated, names are as written. Invariant: every node has the span
//! of its own bytes, and the text of a template's literal says for each byte where it stands.

use overgrant_source::Span;
use smol_str::SmolStr;

/// What stands between braces, or at the top of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Body {
    /// Arguments in order.
    pub attributes: Vec<Attribute>,
    /// Blocks in order.
    pub blocks: Vec<Block>,
}

impl Body {
    /// The argument `name`.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attr| attr.name == name)
    }

    /// The blocks of type `kind`, in order.
    pub fn blocks_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| block.kind == kind)
    }
}

/// `name = value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// The name.
    pub name: SmolStr,
    /// Its bytes.
    pub name_span: Span,
    /// The value.
    pub value: Expr,
    /// From the name to the end of the value.
    pub span: Span,
}

/// `kind "label" … { body }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The block's type, e.g. `resource`.
    pub kind: SmolStr,
    /// Its bytes.
    pub kind_span: Span,
    /// Labels in order.
    pub labels: Vec<Label>,
    /// What stands in it.
    pub body: Body,
    /// From the type to the closing brace.
    pub span: Span,
    /// From the type to the last label.
    pub header: Span,
}

/// A block's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Without quotes.
    pub text: SmolStr,
    /// With quotes, if there are any.
    pub span: Span,
}

/// An expression with its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its bytes; a quoted string with its quotes, a heredoc with both marker lines.
    pub span: Span,
}

impl Expr {
    /// The text, where it is a string without interpolations.
    #[must_use]
    pub fn literal(&self) -> Option<SmolStr> {
        match &self.kind {
            ExprKind::Template(parts) => match parts.as_slice() {
                [] => Some(SmolStr::default()),
                [Part::Literal(literal)] => Some(literal.text.as_str().into()),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A name with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: SmolStr,
    /// Its bytes.
    pub span: Span,
}

/// The kinds of expression of HCL (hashicorp/hcl, `hclsyntax/spec.md`, "Expressions").
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number as written.
    Number(SmolStr),
    /// A quoted string, heredoc or template file.
    Template(Vec<Part>),
    /// A template of exactly one interpolation, which keeps the type of its expression.
    Wrap(Box<Expr>),
    /// `[a, b]`.
    Tuple(Vec<Expr>),
    /// `{ k = v }`, with repeated keys kept.
    Object(Vec<Item>),
    /// A root name: `var`, `local`, a resource type, an iterator …
    Root(SmolStr),
    /// A value and the steps from it.
    Traversal(Box<Expr>, Vec<Step>),
    /// A function call.
    Call(Call),
    /// `cond ? a : b`.
    Conditional(Box<[Expr; 3]>),
    /// `!a`, `-a`.
    Unary(UnaryOp, Box<Expr>),
    /// `a op b`.
    Binary(BinaryOp, Box<[Expr; 2]>),
    /// `[for …]` or `{for …}`.
    For(Box<For>),
    /// `(a)`.
    Paren(Box<Expr>),
}

/// One item of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Expr,
}

/// The key of an object item.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// A bare name, which is its own text.
    Name(Name),
    /// Any other expression.
    Expr(Expr),
}

/// One step from a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it is.
    pub kind: StepKind,
    /// Its bytes.
    pub span: Span,
}

/// The kinds of step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// `.name`.
    Attr(SmolStr),
    /// `[expr]`.
    Index(Box<Expr>),
    /// `.0`.
    LegacyIndex(SmolStr),
    /// `.*`: the attribute steps after it go into the elements.
    AttrSplat,
    /// `[*]`: all steps after it go into the elements.
    FullSplat,
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The name with its namespaces (`provider::aws::arn_parse`).
    pub name: SmolStr,
    /// The bytes of the name.
    pub name_span: Span,
    /// Arguments in order.
    pub args: Vec<Expr>,
    /// Whether the last argument is a sequence to be spread (`...`).
    pub expand: bool,
}

/// `!` and `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`.
    Not,
    /// `-`.
    Neg,
}

/// Operators of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `||`.
    Or,
    /// `&&`.
    And,
    /// `==`.
    Eq,
    /// `!=`.
    NotEq,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterEq,
    /// `<`.
    Less,
    /// `<=`.
    LessEq,
    /// `+`.
    Plus,
    /// `-`.
    Minus,
    /// `*`.
    Times,
    /// `/`.
    Div,
    /// `%`.
    Mod,
}

/// A `for` expression.
#[derive(Debug, Clone, PartialEq)]
pub struct For {
    /// The first of two names.
    pub key_var: Option<SmolStr>,
    /// The last or only name.
    pub value_var: SmolStr,
    /// What is gone through.
    pub collection: Expr,
    /// The key of an object's items; `None` for a tuple.
    pub key: Option<Expr>,
    /// The value of an item.
    pub value: Expr,
    /// Whether items of the same key are grouped (`...`).
    pub group: bool,
    /// Which items are taken.
    pub cond: Option<Expr>,
}

/// One part of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Literal text.
    Literal(Literal),
    /// `${expr}`.
    Interp(Expr),
    /// `%{if}`.
    If(Box<IfPart>),
    /// `%{for}`.
    For(Box<ForPart>),
}

/// `%{ if cond }then%{ else }otherwise%{ endif }`.
#[derive(Debug, Clone, PartialEq)]
pub struct IfPart {
    /// The condition.
    pub cond: Expr,
    /// Parts if true.
    pub then: Vec<Part>,
    /// Parts if false.
    pub otherwise: Vec<Part>,
}

/// `%{ for k, v in collection }body%{ endfor }`.
#[derive(Debug, Clone, PartialEq)]
pub struct ForPart {
    /// The first of two names.
    pub key_var: Option<SmolStr>,
    /// The last or only name.
    pub value_var: SmolStr,
    /// What is gone through.
    pub collection: Expr,
    /// Parts of each round.
    pub body: Vec<Part>,
}

/// Literal text with the place of each byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Literal {
    /// The text, escapes decoded, in Unicode normal form C (go-cty's `cty.StringVal`).
    pub text: String,
    /// Runs of the text in order, without gaps.
    pub segments: Vec<Segment>,
}

/// A run of a literal's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Offset in the text, in bytes.
    pub offset: u32,
    /// Length in the text, in bytes.
    pub len: u32,
    /// The bytes in the file.
    pub source: Span,
    /// Whether the run is those bytes one to one; otherwise it is made from them (an escape).
    pub exact: bool,
}

impl Literal {
    /// Adds a run.
    pub(crate) fn push(&mut self, text: &str, source: Span, exact: bool) {
        if text.is_empty() {
            return;
        }
        let offset = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.text.push_str(text);
        if exact
            && let Some(last) = self.segments.last_mut()
            && last.exact
            && last.source.file == source.file
            && last.source.end == source.start
        {
            last.len += len;
            last.source.end = source.end;
            return;
        }
        if self.segments.is_empty() {
            self.segments.reserve_exact(1);
        }
        self.segments.push(Segment {
            offset,
            len,
            source,
            exact,
        });
    }

    /// Adds all of `other`.
    pub(crate) fn append(&mut self, other: &Self) {
        for segment in &other.segments {
            let range = segment.offset as usize..(segment.offset + segment.len) as usize;
            if let Some(text) = other.text.get(range) {
                self.push(text, segment.source, segment.exact);
            }
        }
    }

    /// The bytes `range` with their places; empty where the range cuts a character.
    #[must_use]
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        let Some(text) = self.text.get(range.clone()) else {
            return Self::default();
        };
        let from = u32::try_from(range.start).unwrap_or(u32::MAX);
        let to = u32::try_from(range.end).unwrap_or(u32::MAX);
        let segments = self.segments.iter().filter_map(|segment| {
            let start = segment.offset.max(from);
            let end = (segment.offset + segment.len).min(to);
            (start < end).then(|| Segment {
                offset: start - from,
                len: end - start,
                source: if segment.exact {
                    let first = segment.source.start + (start - segment.offset);
                    Span::new(segment.source.file, first, first + (end - start))
                } else {
                    segment.source
                },
                exact: segment.exact,
            })
        });
        Self {
            text: text.to_owned(),
            segments: segments.collect(),
        }
    }
}
