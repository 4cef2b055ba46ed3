//! Templates: escapes, strip markers, heredoc indentation, directives.
//!
//! Not for evaluation. The order of the steps is hashicorp/hcl's (`hclsyntax/parser_template.go`):
//! one literal per line (heredocs and files) or per run (quoted), strip markers eat from the
//! neighbouring literal only, then `<<-` removes the common indentation, then neighbouring literals
//! become one. Invariant: no literal of the result is empty.

use super::lower::{Lost, Lowerer};
use super::scan::{RawPart, RawTemplate, TemplateKind};
use super::tree::{Expr, ExprKind, ForPart, IfPart, Literal, Part};
use overgrant_source::Span;
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::ops::Range;
use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_segmentation::UnicodeSegmentation;

enum Token {
    Literal(Literal),
    Interp(Expr),
    Directive(Directive, Span),
}

enum Directive {
    If(Expr),
    Else,
    EndIf,
    For(Option<SmolStr>, SmolStr, Expr),
    EndFor,
}

/// Lowers a template to its parts; a quoted template or file of one interpolation keeps the type
/// of its expression.
pub(super) fn lower(lowerer: &mut Lowerer<'_>, raw: &RawTemplate) -> Result<ExprKind, Lost> {
    // Most strings are one run.
    if let ([RawPart::Literal(range)], TemplateKind::Quoted) = (raw.parts.as_slice(), raw.kind) {
        let literal = decode(lowerer, range.clone(), raw.kind);
        return Ok(ExprKind::Template(vec![Part::Literal(literal)]));
    }
    let mut tokens = tokens(lowerer, raw)?;
    if raw.kind == (TemplateKind::Heredoc { indented: true }) {
        dedent(&mut tokens);
    }
    let mut queue = meld(tokens);
    let mut parts = Vec::new();
    match parse(&mut queue, &mut parts, lowerer, 0)? {
        None => {}
        Some((_, span)) => {
            return Err(lowerer.lost(span, "this directive closes nothing; remove it"));
        }
    }
    if let [Part::Interp(_)] = parts.as_slice()
        && let Some(Part::Interp(expr)) = parts.pop()
    {
        return Ok(ExprKind::Wrap(Box::new(expr)));
    }
    parts.shrink_to_fit();
    Ok(ExprKind::Template(parts))
}

fn tokens(lowerer: &mut Lowerer<'_>, raw: &RawTemplate) -> Result<Vec<Token>, Lost> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut trim_next = false;
    for part in &raw.parts {
        match part {
            RawPart::Literal(range) => {
                for range in split(lowerer.text(), range, raw.kind) {
                    let mut literal = decode(lowerer, range, raw.kind);
                    if std::mem::take(&mut trim_next) {
                        let kept = literal.text.trim_start().len();
                        literal = literal.slice(literal.text.len() - kept..literal.text.len());
                    }
                    tokens.push(Token::Literal(literal));
                }
            }
            RawPart::Sequence {
                outer,
                inner,
                directive,
                trim_left,
                trim_right,
            } => {
                if *trim_left && let Some(Token::Literal(literal)) = tokens.last_mut() {
                    let kept = literal.text.trim_end().len();
                    *literal = literal.slice(0..kept);
                }
                trim_next = *trim_right;
                let token = if *directive {
                    let span = lowerer.span(outer.clone());
                    Token::Directive(parse_directive(lowerer, inner.clone(), span)?, span)
                } else {
                    Token::Interp(lowerer.range(inner.clone())?)
                };
                tokens.push(token);
            }
        }
    }
    Ok(tokens)
}

/// Lines of a heredoc or file; a quoted literal is one run.
fn split(text: &str, range: &Range<usize>, kind: TemplateKind) -> Vec<Range<usize>> {
    if kind == TemplateKind::Quoted {
        return vec![range.clone()];
    }
    let mut at = range.start;
    let lines = text.get(range.clone()).unwrap_or("").split_inclusive('\n');
    lines
        .map(|line| {
            let start = at;
            at += line.len();
            start..at
        })
        .collect()
}

fn decode(lowerer: &mut Lowerer<'_>, range: Range<usize>, kind: TemplateKind) -> Literal {
    let text = lowerer.text().get(range.clone()).unwrap_or("");
    let mut literal = Literal::default();
    let mut plain = 0;
    let mut at = 0;
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        let (decoded, len): (String, usize) = match byte {
            b'\\' if kind == TemplateKind::Quoted => match escape(text, at) {
                Some(found) => found,
                None => {
                    let span = lowerer.span(range.start + at..range.start + at + 1);
                    lowerer.complain(
                        span,
                        "a backslash in a quoted string begins one of \\n \\r \\t \\\" \\\\ \\uXXXX \\UXXXXXXXX; double it to mean itself",
                    );
                    at += 1;
                    continue;
                }
            },
            b'$' | b'%' if bytes.get(at + 1) == Some(&byte) && bytes.get(at + 2) == Some(&b'{') => {
                (format!("{}{{", char::from(byte)), 3)
            }
            _ => {
                at += 1;
                continue;
            }
        };
        push_exact(lowerer, &mut literal, text, plain..at, range.start);
        let source = lowerer.span(range.start + at..range.start + at + len);
        literal.push(&decoded, source, false);
        at += len;
        plain = at;
    }
    push_exact(lowerer, &mut literal, text, plain..text.len(), range.start);
    normalise(literal)
}

fn push_exact(
    lowerer: &Lowerer<'_>,
    literal: &mut Literal,
    text: &str,
    local: Range<usize>,
    base: usize,
) {
    let part = text.get(local.clone()).unwrap_or("");
    lowerer.push_run(literal, part, base + local.start);
}

fn normalise(literal: Literal) -> Literal {
    if literal.text.is_ascii() || is_nfc(&literal.text) {
        return literal;
    }
    let whole: String = literal.text.nfc().collect();
    let mut result = Literal::default();
    for segment in &literal.segments {
        let range = segment.offset as usize..(segment.offset + segment.len) as usize;
        let text = literal.text.get(range).unwrap_or("");
        let composed: String = text.nfc().collect();
        let exact = segment.exact && composed == text;
        result.push(&composed, segment.source, exact);
    }
    if result.text != whole
        && let (Some(first), Some(last)) = (literal.segments.first(), literal.segments.last())
    {
        // A character and its accent come from two runs.
        let source = first.source.to(last.source);
        result = Literal::default();
        result.push(&whole, source, false);
    }
    result
}

fn escape(text: &str, at: usize) -> Option<(String, usize)> {
    let kind = *text.as_bytes().get(at + 1)?;
    let simple = |c: char| Some((c.to_string(), 2));
    let unicode = |digits: usize| {
        let code = text.get(at + 2..at + 2 + digits)?;
        if !code.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let c = char::from_u32(u32::from_str_radix(code, 16).ok()?)?;
        Some((c.to_string(), 2 + digits))
    };
    match kind {
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'"' => simple('"'),
        b'\\' => simple('\\'),
        b'u' => unicode(4),
        b'U' => unicode(8),
        _ => None,
    }
}

/// Removes the indentation that all lines of a `<<-` heredoc share.
fn dedent(tokens: &mut [Token]) {
    let mut least = usize::MAX;
    let mut line_start = true;
    let mut adjust = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let literal = match token {
            Token::Literal(literal) => Some(literal.text.as_str()),
            Token::Interp(_) | Token::Directive(..) => None,
        };
        if line_start {
            match literal {
                // A line of blanks alone does not count and stays as it is.
                Some(text) if text.trim_start().is_empty() && text.ends_with('\n') => {}
                Some(text) => {
                    let blanks = text.len() - text.trim_start().len();
                    let clusters = text.get(..blanks).unwrap_or("").graphemes(true).count();
                    least = least.min(clusters);
                    adjust.push(index);
                }
                None => least = 0,
            }
        }
        line_start = literal.is_some_and(|text| text.ends_with('\n'));
    }
    if least == 0 || least == usize::MAX {
        return;
    }
    for index in adjust {
        if let Some(Token::Literal(literal)) = tokens.get_mut(index) {
            let bytes: usize = literal.text.graphemes(true).take(least).map(str::len).sum();
            *literal = literal.slice(bytes..literal.text.len());
        }
    }
}

fn meld(tokens: Vec<Token>) -> VecDeque<Token> {
    let mut melded: VecDeque<Token> = VecDeque::new();
    for token in tokens {
        match token {
            Token::Literal(literal) if literal.text.is_empty() => {}
            Token::Literal(literal) => match melded.back_mut() {
                Some(Token::Literal(before)) => before.append(&literal),
                _ => melded.push_back(Token::Literal(literal)),
            },
            other => melded.push_back(other),
        }
    }
    melded
}

fn parse_directive(
    lowerer: &mut Lowerer<'_>,
    inner: Range<usize>,
    span: Span,
) -> Result<Directive, Lost> {
    let text = lowerer.structure(inner.clone());
    let (word, rest) = word(&text);
    let rest_start = inner.end - rest.len();
    match word {
        "if" => Ok(Directive::If(lowerer.range(rest_start..inner.end)?)),
        "else" if rest.trim().is_empty() => Ok(Directive::Else),
        "endif" if rest.trim().is_empty() => Ok(Directive::EndIf),
        "endfor" if rest.trim().is_empty() => Ok(Directive::EndFor),
        "for" => {
            let bad = "a `for` directive reads `%{ for name in collection }` or `%{ for key, name in collection }`";
            let (first, rest) = self::word(rest);
            let after = rest.trim_start();
            let (second, rest) = match after.strip_prefix(',') {
                Some(after) => {
                    let (second, rest) = self::word(after);
                    (Some(second), rest)
                }
                None => (None, rest),
            };
            let (keyword, rest) = self::word(rest);
            if first.is_empty() || second == Some("") || keyword != "in" {
                return Err(lowerer.lost(span, bad));
            }
            let collection = inner.end - rest.len()..inner.end;
            let (key, value) = match second {
                Some(second) => (Some(SmolStr::from(first)), SmolStr::from(second)),
                None => (None, SmolStr::from(first)),
            };
            Ok(Directive::For(key, value, lowerer.range(collection)?))
        }
        _ => Err(lowerer.lost(
            span,
            "a template directive is one of if, else, endif, for, endfor; write `%%{` for the characters themselves",
        )),
    }
}

/// The first name of a text and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Reads parts up to a directive that ends a group, and gives that directive.
fn parse(
    queue: &mut VecDeque<Token>,
    parts: &mut Vec<Part>,
    lowerer: &mut Lowerer<'_>,
    depth: usize,
) -> Result<Option<(Directive, Span)>, Lost> {
    while let Some(token) = queue.pop_front() {
        match token {
            Token::Literal(literal) => parts.push(Part::Literal(literal)),
            Token::Interp(expr) => parts.push(Part::Interp(expr)),
            Token::Directive(_, span) if depth > 64 => {
                return Err(lowerer.lost(span, "directives stand more than 64 deep in each other"));
            }
            Token::Directive(Directive::If(cond), span) => {
                let (mut then, mut otherwise) = (Vec::new(), Vec::new());
                let mut end = parse(queue, &mut then, lowerer, depth + 1)?;
                if matches!(end, Some((Directive::Else, _))) {
                    end = parse(queue, &mut otherwise, lowerer, depth + 1)?;
                }
                if !matches!(end, Some((Directive::EndIf, _))) {
                    return Err(lowerer.lost(span, "this directive lacks its `%{ endif }`"));
                }
                parts.push(Part::If(Box::new(IfPart {
                    cond,
                    then,
                    otherwise,
                })));
            }
            Token::Directive(Directive::For(key_var, value_var, collection), span) => {
                let mut body = Vec::new();
                let end = parse(queue, &mut body, lowerer, depth + 1)?;
                if !matches!(end, Some((Directive::EndFor, _))) {
                    return Err(lowerer.lost(span, "this directive lacks its `%{ endfor }`"));
                }
                parts.push(Part::For(Box::new(ForPart {
                    key_var,
                    value_var,
                    collection,
                    body,
                })));
            }
            Token::Directive(end, span) => return Ok(Some((end, span))),
        }
    }
    Ok(None)
}
