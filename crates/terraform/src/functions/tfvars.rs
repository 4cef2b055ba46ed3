//! Functions of Terraform's built-in provider: values as the text of a `.tfvars` file and back.
//!
//! Semantics of Terraform's `internal/builtin/providers/terraform/functions.go` and the layout of
//! `hclwrite`. Invariant: what is decoded stands where the text was written, and it may be an
//! expression without names and calls, as in a `.tfvars` file.

use super::collection::first;
use super::regexes::compiled;
use super::{Call, Function, Kind, Outcome, Stop, Takes, function};
use crate::config::json::literal;
use crate::eval::access::is_open;
use crate::eval::{Scope, ops, text, types};
use crate::syntax::parse_literal_body;
use overgrant_value::{Data, Entry, Map, Text, Ty, Val};
use std::fmt::Write as _;
use unicode_segmentation::UnicodeSegmentation;

pub(super) const TABLE: &[Function] = &[
    function(
        "provider::terraform::encode_tfvars",
        (1, 1),
        Kind::String,
        Takes::Known,
        encode_tfvars,
    ),
    function(
        "provider::terraform::encode_expr",
        (1, 1),
        Kind::String,
        Takes::All,
        encode_expr,
    ),
    function(
        "provider::terraform::decode_tfvars",
        (1, 1),
        Kind::Any,
        Takes::Known,
        decode_tfvars,
    ),
];

/// Names as HCL reads them (hashicorp/hcl, `hclsyntax/spec.md`, "Identifiers").
const NAME: &str = r"^[\p{ID_Start}_][\p{ID_Continue}-]*$";
/// Characters that are written as escapes: Go's `unicode.IsPrint` is false for them.
const ESCAPED: &str = r"^[\p{C}\p{Z}]$";

fn encode_tfvars(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let Data::Map(map) = val.data() else {
        return Err("only an object can be written as values of variables".into());
    };
    let mut writer = Writer::new(call);
    for entry in &map.entries {
        if !writer.is_name(&entry.key.as_known().ok_or(Stop::Open)?)? {
            return Err("a key is no name of a variable".into());
        }
    }
    if is_open(&val) {
        return Err(Stop::Open);
    }
    writer.members(map)?;
    Ok(call.known(&writer.finish()))
}

fn encode_expr(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    if val.is_null() {
        return Err("an argument is null".into());
    }
    let mut writer = Writer::new(call);
    match writer.value(&val) {
        Ok(()) => Ok(call.known(writer.finish().trim())),
        Err(Stop::Open) => {
            let sure = !matches!(val.data(), Data::Unknown(unknown) if !unknown.not_null);
            let start = match types::type_of(&val) {
                _ if !sure => "",
                Ty::String => "\"",
                Ty::Object(_) | Ty::Map(_) => "{",
                Ty::Tuple(_) | Ty::List(_) | Ty::Set(_) => "[",
                _ => "",
            };
            let name = "provider::terraform::encode_expr";
            let rest = ops::call(name, &[&val], Ty::String, call.src());
            let rest = rest.to_text().ok_or(Stop::Open)?;
            Ok(Val::text(Text::known(start).concat(&rest), call.src()))
        }
        Err(stop) => Err(stop),
    }
}

fn decode_tfvars(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let text = call.text(&first(args)?)?;
    if !text.is_known() {
        return Err(Stop::Open);
    }
    let Some(file) = call.evaluator.sources().get(call.span.file) else {
        return Err(Stop::Open);
    };
    let body = parse_literal_body(&file, &literal(&text, call.span), call.span)
        .map_err(|problem| problem.message.clone())?;
    if !body.blocks.is_empty() {
        return Err("blocks are not allowed in values of variables".into());
    }
    let scope = Scope::constant(call.scope.home.clone());
    let mut entries: Vec<Entry> = Vec::with_capacity(body.attributes.len());
    for attr in body.attributes {
        if entries.iter().any(|entry| entry.key.is(&attr.name)) {
            return Err("a variable is given twice".into());
        }
        let val = call.evaluator.expr(&scope, &attr.value);
        // What the text says is no error of the configuration's own names.
        let val = val.map_err(|fail| crate::eval::Fail {
            fixed: false,
            ..fail
        })?;
        entries.push(Entry {
            key: Text::exact(&attr.name, attr.name_span),
            key_src: overgrant_value::Src::at(attr.name_span),
            val,
        });
    }
    let entries = types::sorted(entries);
    Ok(Val::new(Data::Map(Map::object(entries)), call.src()))
}

/// One line of a value that is written.
#[derive(Default)]
struct Line {
    text: String,
    /// Offset of an equals sign that is not the first thing on the line.
    equals: Option<usize>,
    /// How many more brackets the line opens than it closes.
    brackets: isize,
    /// The same behind the equals sign.
    behind: isize,
}

impl Line {
    /// Where the line is cut to be aligned with its neighbours.
    fn cut(&self) -> Option<usize> {
        self.equals.filter(|_| self.behind == 0)
    }
}

/// Writes values in the layout of `terraform fmt`.
struct Writer<'c, 'a, 'e> {
    call: &'c Call<'a, 'e>,
    lines: Vec<Line>,
}

impl<'c, 'a, 'e> Writer<'c, 'a, 'e> {
    fn new(call: &'c Call<'a, 'e>) -> Self {
        Self {
            call,
            lines: vec![Line::default()],
        }
    }

    fn is_name(&self, key: &str) -> Result<bool, Stop> {
        Ok(compiled(self.call, NAME)?.is_match(key))
    }

    fn put(&mut self, text: &str) {
        if let Some(line) = self.lines.last_mut() {
            line.text.push_str(text);
        }
    }

    fn bracket(&mut self, text: &str, change: isize) {
        self.put(text);
        if let Some(line) = self.lines.last_mut() {
            line.brackets += change;
            if line.equals.is_some() {
                line.behind += change;
            }
        }
    }

    fn value(&mut self, val: &Val) -> Result<(), Stop> {
        if is_open(val) && matches!(val.data(), Data::Seq(_) | Data::Map(_)) {
            return Err(Stop::Open);
        }
        match val.data() {
            Data::Null(_) => self.put("null"),
            Data::Bool(value) => self.put(if *value { "true" } else { "false" }),
            Data::Num(num) => self.put(&num.to_string()),
            Data::Str(text) => {
                let text = text::known(text).ok_or(Stop::Open)?;
                self.quoted(&text)?;
            }
            Data::Seq(seq) => {
                self.bracket("[", 1);
                for (index, item) in seq.items.iter().enumerate() {
                    if index > 0 {
                        self.put(", ");
                    }
                    self.value(item)?;
                }
                self.bracket("]", -1);
            }
            Data::Map(map) => {
                self.bracket("{", 1);
                if !map.entries.is_empty() {
                    self.lines.push(Line::default());
                    self.members(map)?;
                }
                self.bracket("}", -1);
            }
            Data::Unknown(_) | Data::OneOf(_) => return Err(Stop::Open),
        }
        Ok(())
    }

    /// Each member on lines of its own.
    fn members(&mut self, map: &Map) -> Result<(), Stop> {
        for entry in &map.entries {
            let key = entry.key.as_known().ok_or(Stop::Open)?;
            if self.is_name(&key)? {
                self.put(&key);
            } else {
                self.quoted(&key)?;
            }
            if let Some(line) = self.lines.last_mut() {
                line.equals = Some(line.text.len());
            }
            self.put(" = ");
            self.value(&entry.val)?;
            self.lines.push(Line::default());
        }
        Ok(())
    }

    fn quoted(&mut self, text: &str) -> Result<(), Stop> {
        let mut out = String::from("\"");
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '"' | '\\' => {
                    out.push('\\');
                    out.push(c);
                }
                '$' | '%' => {
                    out.push(c);
                    if chars.peek() == Some(&'{') {
                        out.push(c);
                    }
                }
                ' '..='~' => out.push(c),
                _ if compiled(self.call, ESCAPED)?.is_match(c.encode_utf8(&mut [0; 4])) => {
                    let code = u32::from(c);
                    let _ = if code < 0x1_0000 {
                        write!(out, "\\u{code:04x}")
                    } else {
                        write!(out, "\\U{code:08x}")
                    };
                }
                _ => out.push(c),
            }
        }
        out.push('"');
        self.put(&out);
        Ok(())
    }

    /// The text with its lines indented and their equals signs aligned.
    fn finish(self) -> String {
        let mut out = String::new();
        let mut open: Vec<isize> = Vec::new();
        let mut indents = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let mut closed = -line.brackets;
            while closed > 0
                && let Some(last) = open.pop()
            {
                if closed < last {
                    open.push(last - closed);
                }
                closed -= last;
            }
            indents.push(2 * open.len());
            if line.brackets > 0 {
                open.push(line.brackets);
            }
        }
        let last = self.lines.len().saturating_sub(1);
        let mut rest = self.lines.as_slice();
        let mut at = 0;
        while !rest.is_empty() {
            // Neighbours with an equals sign are aligned with each other.
            let chain = rest.iter().take_while(|line| line.cut().is_some()).count();
            let (lines, after) = rest.split_at_checked(chain.max(1)).unwrap_or((rest, &[]));
            let width = |line: &Line| {
                let key = line.cut().and_then(|cut| line.text.get(..cut));
                key.map_or(0, |key| key.graphemes(true).count())
            };
            let widest = lines.iter().map(width).max().unwrap_or(0);
            for line in lines {
                if !line.text.is_empty() {
                    let indent = indents.get(at).copied().unwrap_or(0);
                    let _ = write!(out, "{:indent$}", "");
                    let cut = line.cut().unwrap_or(line.text.len());
                    let (head, tail) = line.text.split_at_checked(cut).unwrap_or_default();
                    out.push_str(head);
                    if !tail.is_empty() {
                        let _ = write!(out, "{:pad$}{tail}", "", pad = widest - width(line));
                    }
                }
                if at < last {
                    out.push('\n');
                }
                at += 1;
            }
            rest = after;
        }
        out
    }
}
