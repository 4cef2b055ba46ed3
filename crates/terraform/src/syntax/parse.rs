//! The way in: a file, an expression or a template as a tree.
//!
//! Not for JSON syntax. Each top-level item is parsed on its own. Invariant: an error costs one
//! item and gives one diagnostic with code `hcl-syntax`.

use super::lower::{Lost, Lowerer, Place};
use super::scan::{Mode, Scan, ScanError, scan};
use super::template;
use super::tree::{Body, Expr, ExprKind, Literal};
use overgrant_source::{Comment, Diagnostic, Level, SourceFile, Span};

/// What a file holds.
#[derive(Debug, Default)]
pub struct File {
    /// Blocks and arguments that were understood.
    pub body: Body,
    /// Comments in order.
    pub comments: Vec<Comment>,
    /// What was not understood.
    pub diagnostics: Vec<Diagnostic>,
}

/// Offset of the first byte behind a byte order mark.
fn start(file: &SourceFile) -> usize {
    if file.text().starts_with('\u{feff}') {
        3
    } else {
        0
    }
}

/// Parses a `.tf`, `.tofu` or `.tfvars` file.
#[must_use]
pub fn parse_file(file: &SourceFile) -> File {
    let scan = scan(file.text(), start(file), Mode::Body);
    let mut lowerer = Lowerer::new(file, file.text(), &scan, Place::File);
    let mut result = File::default();
    for error in &scan.errors {
        result.diagnostics.push(refused(file, error));
    }
    for item in &scan.items {
        let mut body = Body::default();
        match lowerer.item(item.clone(), &mut body) {
            Ok(()) => {
                result.body.attributes.append(&mut body.attributes);
                result.body.blocks.append(&mut body.blocks);
            }
            Err(Lost(diagnostic)) => result.diagnostics.push(*diagnostic),
        }
    }
    result.diagnostics.append(&mut lowerer.diagnostics);
    result
        .diagnostics
        .sort_by_key(|diagnostic| diagnostic.span.map(|span| span.start));
    if result.body.attributes.is_empty() && result.body.blocks.is_empty() {
        for diagnostic in &mut result.diagnostics {
            diagnostic.not_parsed = true;
        }
    }
    result.comments = comments(file, &scan);
    result
}

fn refused(file: &SourceFile, error: &ScanError) -> Diagnostic {
    Diagnostic::new(Level::Error, "hcl-syntax", error.message.clone())
        .at(file, file.span(error.range.clone()))
}

fn comments(file: &SourceFile, scan: &Scan) -> Vec<Comment> {
    scan.comments
        .iter()
        .map(|comment| {
            let span = file.span(comment.range.clone());
            let text = file.slice(span);
            let text = match text.strip_prefix("/*") {
                Some(text) => text.strip_suffix("*/").unwrap_or(text),
                None => text
                    .strip_prefix("//")
                    .unwrap_or_else(|| text.trim_start_matches('#')),
            };
            Comment {
                span,
                text: text.trim().into(),
                trailing: comment.trailing,
            }
        })
        .collect()
}

fn one(
    lowerer: Lowerer<'_>,
    result: Result<Expr, Lost>,
) -> Result<(Expr, Vec<Diagnostic>), Box<Diagnostic>> {
    match result {
        Ok(expr) => Ok((expr, lowerer.diagnostics)),
        Err(Lost(diagnostic)) => Err(diagnostic),
    }
}

/// Parses the whole text of `file` as one expression (a value given on the command line).
///
/// # Errors
/// The diagnostic that says why it is none.
pub fn parse_expression(file: &SourceFile) -> Result<(Expr, Vec<Diagnostic>), Box<Diagnostic>> {
    let scan = scan(file.text(), start(file), Mode::Expression);
    if let Some(error) = scan.errors.first() {
        return Err(Box::new(refused(file, error)));
    }
    let mut lowerer = Lowerer::new(file, file.text(), &scan, Place::File);
    let result = lowerer.range(start(file)..file.text().len());
    one(lowerer, result)
}

/// Parses the whole text of `file` as a template (`templatefile`). A byte order mark belongs to the
/// text, as in Terraform.
///
/// # Errors
/// The diagnostic that says why it is none.
pub fn parse_template(file: &SourceFile) -> Result<(Expr, Vec<Diagnostic>), Box<Diagnostic>> {
    let scan = scan(file.text(), 0, Mode::Template);
    if let Some(error) = scan.errors.first() {
        return Err(Box::new(refused(file, error)));
    }
    let mut lowerer = Lowerer::new(file, file.text(), &scan, Place::File);
    let span = file.span(0..file.text().len());
    let result = bare(&mut lowerer, &scan, span);
    one(lowerer, result)
}

/// Parses a text whose bytes stand in various places as a template: strings of `.tf.json` files
/// and `templatestring`. `whole` is the place of the string as a whole, `file` the file that
/// diagnostics name.
///
/// # Errors
/// The diagnostic that says why it is none.
pub fn parse_literal_template(
    file: &SourceFile,
    literal: &Literal,
    whole: Span,
) -> Result<(Expr, Vec<Diagnostic>), Box<Diagnostic>> {
    let scan = scan(&literal.text, 0, Mode::Template);
    if let Some(error) = scan.errors.first() {
        return Err(Box::new(
            Diagnostic::new(Level::Error, "hcl-syntax", error.message.clone()).at(file, whole),
        ));
    }
    let mut lowerer = Lowerer::new(file, &literal.text, &scan, Place::Literal(literal, whole));
    let result = bare(&mut lowerer, &scan, whole);
    one(lowerer, result)
}

/// Parses a text whose bytes stand in various places as a body of arguments and blocks. `whole` is the
/// place of the text as a whole, `file` the file that diagnostics name.
///
/// # Errors
/// The first diagnostic that says why it is none.
pub(crate) fn parse_literal_body(
    file: &SourceFile,
    literal: &Literal,
    whole: Span,
) -> Result<Body, Box<Diagnostic>> {
    let start = if literal.text.starts_with('\u{feff}') {
        3
    } else {
        0
    };
    let scan = scan(&literal.text, start, Mode::Body);
    if let Some(error) = scan.errors.first() {
        return Err(Box::new(
            Diagnostic::new(Level::Error, "hcl-syntax", error.message.clone()).at(file, whole),
        ));
    }
    let mut lowerer = Lowerer::new(file, &literal.text, &scan, Place::Literal(literal, whole));
    let mut body = Body::default();
    for item in &scan.items {
        lowerer
            .item(item.clone(), &mut body)
            .map_err(|lost| lost.0)?;
    }
    match lowerer.diagnostics.into_iter().next() {
        Some(problem) => Err(Box::new(problem)),
        None => Ok(body),
    }
}

fn bare(lowerer: &mut Lowerer<'_>, scan: &Scan, span: Span) -> Result<Expr, Lost> {
    let kind = match scan.templates.first() {
        Some(raw) => template::lower(lowerer, raw)?,
        None => ExprKind::Template(Vec::new()),
    };
    Ok(Expr { kind, span })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::tree::{Key, Part, StepKind};
    use overgrant_source::Sources;

    fn file(text: &str) -> File {
        let sources = Sources::new("/nowhere");
        parse_file(&sources.add("a.tf", text))
    }

    fn good(text: &str) -> File {
        let file = file(text);
        assert!(
            file.diagnostics.is_empty(),
            "{text}\n{:?}",
            file.diagnostics
        );
        file
    }

    fn value(text: &str) -> Expr {
        let mut file = good(text);
        file.body.attributes.remove(0).value
    }

    fn cut(text: &str, span: Span) -> &str {
        text.get(span.range()).unwrap()
    }

    /// The literal text of a template, interpolations as `<source>`.
    fn flat(text: &str, expr: &Expr) -> String {
        let parts = match &expr.kind {
            ExprKind::Template(parts) => parts.clone(),
            ExprKind::Wrap(inner) => vec![Part::Interp((**inner).clone())],
            other => panic!("{other:?}"),
        };
        flat_parts(text, &parts)
    }

    fn flat_parts(text: &str, parts: &[Part]) -> String {
        parts
            .iter()
            .map(|part| match part {
                Part::Literal(literal) => literal.text.clone(),
                Part::Interp(expr) => format!("<{}>", cut(text, expr.span)),
                Part::If(part) => format!(
                    "<if {}|{}|{}>",
                    cut(text, part.cond.span),
                    flat_parts(text, &part.then),
                    flat_parts(text, &part.otherwise)
                ),
                Part::For(part) => format!(
                    "<for {}|{}>",
                    cut(text, part.collection.span),
                    flat_parts(text, &part.body)
                ),
            })
            .collect()
    }

    fn template(text: &str) -> String {
        flat(text, &value(text))
    }

    #[test]
    fn blocks_and_arguments_have_their_bytes() {
        let text =
            "resource \"aws_x\" \"y\" {\n  name = \"n\"\n  inner {\n    a = [1, var.b]\n  }\n}\n";
        let file = good(text);
        let block = &file.body.blocks[0];
        assert_eq!(cut(text, block.header), "resource \"aws_x\" \"y\"");
        assert_eq!(cut(text, block.span), text.trim_end());
        assert_eq!(block.labels[1].text, "y");
        assert_eq!(cut(text, block.labels[1].span), "\"y\"");
        let inner = block.body.blocks_of("inner").next().unwrap();
        let attr = inner.body.attribute("a").unwrap();
        assert_eq!(cut(text, attr.span), "a = [1, var.b]");
        let ExprKind::Tuple(items) = &attr.value.kind else {
            panic!("{attr:?}")
        };
        assert_eq!(cut(text, items[1].span), "var.b");
    }

    #[test]
    fn a_bad_block_costs_itself() {
        let middle = [
            "resource \"b\" \"b\" {\n  x = = 1\n}",
            "resource \"b\" \"b\" {\n  x = [1, 2\n}",
            "resource \"b\" \"b\" {\n  x = \"open\n}",
            "resource \"b\" \"b\" {\n  x = 1\n",
            "resource \"b\" \"b\" {\n  x = <<EOT\n}\n",
            "resource \"b\" \"b\" {\n  x = \"${a\"\n}",
            "resource \"b\" \"b\" {\n  x = 1\n  x = 2\n}",
            "resource \"b\" \"b\" {\n  x = 'a'\n}",
            "}}",
        ];
        for bad in middle {
            let text = format!("locals {{\n  a = 1\n}}\n{bad}\nlocals {{\n  c = 3\n}}\n");
            let file = file(&text);
            let kinds: Vec<_> = file.body.blocks.iter().map(|b| b.kind.as_str()).collect();
            assert_eq!(kinds, ["locals", "locals"], "{bad}");
            assert_eq!(file.diagnostics.len(), 1, "{bad}: {:?}", file.diagnostics);
            let diagnostic = &file.diagnostics[0];
            assert_eq!(diagnostic.code, "hcl-syntax");
            assert!(!diagnostic.not_parsed);
            let span = diagnostic.span.unwrap();
            let from = u32::try_from(text.find(bad).unwrap()).unwrap();
            assert!(span.start >= from, "{bad}");
        }
    }

    #[test]
    fn a_file_without_any_good_block_is_not_parsed() {
        let file = file("resource {{{\n");
        assert!(file.diagnostics[0].not_parsed);
    }

    #[test]
    fn a_byte_order_mark_counts() {
        let text = "\u{feff}# c\na = \"x\"\n";
        let file = good(text);
        assert_eq!(cut(text, file.body.attributes[0].value.span), "\"x\"");
        assert_eq!(cut(text, file.comments[0].span), "# c");
        assert!(!file.comments[0].trailing);
    }

    #[test]
    fn line_ends_of_windows_are_newlines() {
        let text = "a = {\r\n  x = 1 # c\r\n  y = <<E\r\nl1\r\nE\r\n}\r\nb = 2\r\n";
        let file = good(text);
        assert_eq!(file.comments[0].text, "c");
        assert_eq!(cut(text, file.comments[0].span), "# c");
        assert!(file.comments[0].trailing);
        let ExprKind::Object(items) = &file.body.attributes[0].value.kind else {
            panic!()
        };
        assert_eq!(flat(text, &items[1].value), "l1\r\n");
        assert_eq!(file.body.attributes.len(), 2);
    }

    #[test]
    fn comments_are_not_in_strings() {
        let text = "a = \"# no // no /* no\" // yes\n/* two\nlines */ b = 1\nc = <<E\n# no\n${1 /* in */}\nE\n#yes";
        let file = good(text);
        let found: Vec<_> = file.comments.iter().map(|c| c.text.as_str()).collect();
        assert_eq!(found, ["yes", "two\nlines", "in", "yes"]);
        assert_eq!(file.body.attributes.len(), 3);
    }

    #[test]
    fn repeated_keys_are_kept() {
        let text = "a = { Action = 1, \"Action\" = 2, Action = 3, \"Action\" = 4, b = { x = 1\n x = 2 }, (b) = 1, (b) = 2 }\n";
        let ExprKind::Object(items) = value(text).kind else {
            panic!()
        };
        let keys: Vec<String> = items
            .iter()
            .map(|item| match &item.key {
                Key::Name(name) => {
                    assert_eq!(cut(text, name.span), name.text.as_str());
                    name.text.to_string()
                }
                Key::Expr(expr) => cut(text, expr.span).to_owned(),
            })
            .collect();
        assert_eq!(
            keys,
            [
                "Action",
                "\"Action\"",
                "Action",
                "\"Action\"",
                "b",
                "(b)",
                "(b)"
            ]
        );
    }

    #[test]
    fn newlines_in_for_do_not_matter() {
        for text in [
            "a = { for k in l : k => a ? b :\n c }\n",
            "a = {\n for k, v in l :\n k\n =>\n a &&\n b...\n if k\n != v\n}\n",
            "a = { # c\n for k in { x = 1\n y = 2 } : k => k\n +\n 1 }\n",
            "a = [\n for k in l\n :\n k\n + 1\n]\n",
            "a = f(\n 1\n ,\n 2\n + 3,\n)\n",
            "a = (1\n + 2\n)\n",
            "a = x[\n1\n]\n",
            "a = \"${\n 1\n +\n 2\n}\"\n",
        ] {
            value(text);
        }
    }

    #[test]
    fn only_the_marker_alone_ends_a_heredoc() {
        assert_eq!(
            template("a = <<EOF\nEOF\"\nEOFX\n EOF x\n${b}EOF\n  EOF\n"),
            "EOF\"\nEOFX\n EOF x\n<b>EOF\n"
        );
        for bad in ["a = << EOT\nx\nEOT\n", "a = <<\"EOT\"\nx\nEOT\n"] {
            assert_eq!(file(bad).diagnostics.len(), 1, "{bad}");
        }
        value("a = [<<A\nx\nA\n, 2]\n");
        assert_eq!(template("a = <<A\nA\n"), "");
    }

    #[test]
    fn heredoc_indentation_is_hashicorps() {
        let cases = [
            ("<<-A\n    x\n      y\n  A\n", "x\n  y\n"),
            ("<<A\n    x\n  A\n", "    x\n"),
            ("<<-A\n\t\tx\n\t\t\ty\nA\n", "x\n\ty\n"),
            ("<<-A\n  x\n        \n\n  y\nA\n", "x\n        \n\ny\n"),
            ("<<-A\n  x\n${b}\n  A\n", "  x\n<b>\n"),
            ("<<-A\n  x ${b}\n    y\n  A\n", "x <b>\n  y\n"),
            (
                "<<-A\n  %{ for x in y ~}\n  b\n  %{ endfor ~}\n  A\n",
                "<for y|  b\n>",
            ),
            ("<<A\n  x\n  ${~ b ~}\n  y\nA\n", "  x\n<b>  y\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(template(&format!("a = {text}")), expected, "{text}");
        }
    }

    #[test]
    fn escapes_and_signs() {
        let cases = [
            (r#""a\n\"\\\u00e9\U0001F600""#, "a\n\"\\é😀"),
            (
                r#""$${x} %%{x} $$${x} $ % $$ $x""#,
                "${x} %{x} $${x} $ % $$ $x",
            ),
            (r#""${a}-${"${b}"}""#, "<a>-<\"${b}\">"),
            (r#""e\u0301""#, "é"),
            (r#""x  ${~ a ~}  y""#, "x<a>y"),
            (r#""%{ if a }b%{ else }c%{ endif }""#, "<if a|b|c>"),
            (r#""%{ if a ~} b %{~ endif }""#, "<if a|b|>"),
        ];
        for (text, expected) in cases {
            assert_eq!(template(&format!("a = {text}\n")), expected, "{text}");
        }
        assert!(matches!(value("a = \"${b}\"\n").kind, ExprKind::Wrap(_)));
        let bad = file("a = \"bad \\d escape\"\n");
        assert_eq!(bad.diagnostics.len(), 1);
        assert_eq!(bad.diagnostics[0].span.unwrap().start, 9);
    }

    #[test]
    fn each_byte_of_a_template_has_its_place() {
        let text = "a = <<-E\n    {\n      \"x\": \"$${y}é\"\n    }\n  E\n";
        let ExprKind::Template(parts) = value(text).kind else {
            panic!()
        };
        let [Part::Literal(literal)] = parts.as_slice() else {
            panic!("{parts:?}")
        };
        assert_eq!(literal.text, "{\n  \"x\": \"${y}é\"\n}\n");
        let mut next = 0;
        for segment in &literal.segments {
            assert_eq!(segment.offset, next, "no gaps");
            next += segment.len;
            let range = segment.offset as usize..next as usize;
            let source = cut(text, segment.source);
            if segment.exact {
                assert_eq!(literal.text.get(range).unwrap(), source);
            } else {
                assert_eq!((literal.text.get(range).unwrap(), source), ("${", "$${"));
            }
        }
        assert_eq!(next as usize, literal.text.len());
    }

    #[test]
    fn a_line_break_around_an_operator_needs_parentheses() {
        for (text, problems) in [
            ("a = b ?\n  c : d\n", 1),
            ("a = b ? c :\n  d\n", 1),
            ("a = b +\n  c\n", 1),
            ("a = {\n  x = b ? # why\n    c : d\n}\n", 1),
            ("a = (b ?\n  c :\n  d)\n", 0),
            ("a = [b +\n  c]\n", 0),
            ("a = { for k, v in b : k => v ?\n  1 : 2 }\n", 0),
            ("a = \"${b ?\n  c : d}\"\n", 0),
        ] {
            let block = format!("x {{\n{text}}}\n");
            assert_eq!(file(&block).diagnostics.len(), problems, "{text}");
        }
    }

    #[test]
    fn plain_names_are_parsed_as_any_expression() {
        for text in ["var.a", " local.b-c.d ", "x", "each.value.y_1"] {
            let plain = format!("a = \"${{{text}}}\"\n");
            let full = format!("a = \"${{({text})}}\"\n");
            let (ExprKind::Wrap(plain_expr), ExprKind::Wrap(full_expr)) =
                (value(&plain).kind, value(&full).kind)
            else {
                panic!()
            };
            let ExprKind::Paren(full_expr) = full_expr.kind else {
                panic!()
            };
            let shown = |text: &str, expr: &Expr| match &expr.kind {
                ExprKind::Traversal(root, steps) => {
                    let steps = steps
                        .iter()
                        .map(|s| (s.kind.clone(), cut(text, s.span).to_owned()));
                    (
                        root.kind.clone(),
                        cut(text, expr.span).to_owned(),
                        steps.collect(),
                    )
                }
                kind => (kind.clone(), cut(text, expr.span).to_owned(), Vec::new()),
            };
            assert_eq!(shown(&plain, &plain_expr), shown(&full, &full_expr));
        }
        let file = good("a = \"${true}${null == x}\"\n");
        let ExprKind::Template(parts) = &file.body.attributes[0].value.kind else {
            panic!()
        };
        assert!(matches!(&parts[0], Part::Interp(e) if e.kind == ExprKind::Bool(true)));
    }

    #[test]
    fn numbers_are_text() {
        for number in [
            "1",
            "1.50",
            "1e100",
            "123456789012345678901234567890",
            "1E-2",
        ] {
            let text = format!("a = {number}\n");
            assert_eq!(value(&text).kind, ExprKind::Number(number.into()));
        }
    }

    #[test]
    fn steps_and_calls() {
        let text = "a = x.b.0.c[*].d.*.e[\"k\"]\nb = provider::aws::f(1, y...)\n";
        let file = good(text);
        let ExprKind::Traversal(_, steps) = &file.body.attributes[0].value.kind else {
            panic!()
        };
        assert_eq!(steps.len(), 8, "{steps:?}");
        assert_eq!(steps[1].kind, StepKind::LegacyIndex("0".into()));
        assert_eq!(steps[3].kind, StepKind::FullSplat);
        assert_eq!(steps[5].kind, StepKind::AttrSplat);
        let ExprKind::Call(call) = &file.body.attributes[1].value.kind else {
            panic!()
        };
        assert_eq!(
            (call.name.as_str(), call.expand),
            ("provider::aws::f", true)
        );
        assert_eq!(cut(text, call.name_span), "provider::aws::f");
    }

    #[test]
    fn deep_input_is_a_diagnostic() {
        for text in [
            format!("a = {}1{}\n", "(".repeat(5000), ")".repeat(5000)),
            format!("a = {}1{}\n", "[".repeat(5000), "]".repeat(5000)),
            format!("a = {}1{}\n", "\"${".repeat(5000), "}\"".repeat(5000)),
            format!("a = {}1\n", "!".repeat(5000)),
            format!("a = x{}\n", "[0]".repeat(5000)),
        ] {
            let file = file(&text);
            assert!(file.diagnostics.len() <= 1);
        }
    }

    #[test]
    fn templates_of_files_and_literals() {
        let sources = Sources::new("/nowhere");
        let text = "\u{feff}a\\n ${x}\n";
        let file = sources.add("t.tftpl", text);
        let (expr, problems) = parse_template(&file).unwrap();
        assert_eq!(flat(text, &expr), "\u{feff}a\\n <x>\n");
        assert!(problems.is_empty());

        let mut literal = Literal::default();
        literal.push("pre ", Span::new(file.id(), 100, 104), true);
        literal.push("${x}", Span::new(file.id(), 200, 204), true);
        let whole = Span::new(file.id(), 99, 300);
        let (expr, _) = parse_literal_template(&file, &literal, whole).unwrap();
        let ExprKind::Template(parts) = expr.kind else {
            panic!()
        };
        let Part::Interp(inner) = &parts[1] else {
            panic!()
        };
        assert_eq!((inner.span.start, inner.span.end), (202, 203));
        assert!(parse_expression(&sources.add("e", "{a = 1}")).is_ok());
        assert!(parse_expression(&sources.add("f", "{a = 1}}")).is_err());
        assert!(parse_expression(&sources.add("g", "1 2")).is_err());
    }
}
