//! The scanner: strings, templates, heredocs, comments and brackets of one text, in one pass.
//!
//! Not for expressions. Strings are found here and nowhere else, so that what ends a heredoc or an
//! interpolation is HashiCorp's rule (hashicorp/hcl, `hclsyntax/scan_tokens.rl`). Invariant: the
//! masked text has the length of the text, and differs from it only inside comments, numbers, and
//! at newlines that HCL ignores.

use std::ops::Range;

/// How deep templates may stand in each other.
const MAX_TEMPLATES: usize = 32;
/// How often scanning starts again behind an item that never ends.
const MAX_RESTARTS: usize = 16;

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Blocks and arguments.
    Body,
    /// One expression.
    Expression,
    /// A template without quotes (a template file).
    Template,
}

/// How a template is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TemplateKind {
    /// `"…"`.
    Quoted,
    /// `<<X` (`indented`: `<<-X`).
    Heredoc { indented: bool },
    /// A whole text.
    Bare,
}

/// A template as found: nested ones have entries of their own.
#[derive(Debug)]
pub(crate) struct RawTemplate {
    pub(crate) range: Range<usize>,
    pub(crate) kind: TemplateKind,
    pub(crate) parts: Vec<RawPart>,
}

/// A part of a template.
#[derive(Debug)]
pub(crate) enum RawPart {
    /// Text as written, escapes not decoded.
    Literal(Range<usize>),
    /// `${…}` or `%{…}`.
    Sequence {
        outer: Range<usize>,
        inner: Range<usize>,
        directive: bool,
        trim_left: bool,
        trim_right: bool,
    },
}

/// A comment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RawComment {
    pub(crate) range: Range<usize>,
    pub(crate) trailing: bool,
}

/// Something that HashiCorp's scanner refuses; it costs the top-level item around it.
#[derive(Debug)]
pub(crate) struct ScanError {
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
}

/// What was found in a text.
#[derive(Debug)]
pub(crate) struct Scan {
    masked: Vec<u8>,
    /// In order of their starts.
    pub(crate) templates: Vec<RawTemplate>,
    /// Top-level blocks and arguments, in order.
    pub(crate) items: Vec<Range<usize>>,
    pub(crate) comments: Vec<RawComment>,
    pub(crate) errors: Vec<ScanError>,
}

enum Frame {
    Bracket {
        close: u8,
        at: usize,
        ignores_newlines: bool,
    },
    Quoted(usize),
    Heredoc(usize, Range<usize>),
    Bare(usize),
    Sequence(usize, RawPart),
}

/// Scans `text` from the byte `start` on.
pub(crate) fn scan(text: &str, start: usize, mode: Mode) -> Scan {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: start,
        stack: Vec::new(),
        item: None,
        literal: start,
        restarts: 0,
        out: Scan {
            masked: text.as_bytes().to_vec(),
            templates: Vec::new(),
            items: Vec::new(),
            comments: Vec::new(),
            errors: Vec::new(),
        },
    };
    if mode == Mode::Template {
        scanner.out.templates.push(RawTemplate {
            range: start..text.len(),
            kind: TemplateKind::Bare,
            parts: Vec::new(),
        });
        scanner.stack.push(Frame::Bare(0));
    }
    scanner.run(mode);
    scanner.out
}

impl Scan {
    /// The template that starts at a byte.
    pub(crate) fn template_at(&self, start: usize) -> Option<&RawTemplate> {
        let index = self
            .templates
            .binary_search_by_key(&start, |template| template.range.start)
            .ok()?;
        self.templates.get(index)
    }

    /// Whether a newline that HCL does not ignore stands in `range`.
    pub(crate) fn breaks_line(&self, range: Range<usize>) -> bool {
        let bytes = self.masked.get(range).unwrap_or_default();
        bytes.contains(&b'\n')
    }

    /// The text of `range` for a parser that does not need to know strings: each outermost
    /// template in it is one quoted string of the same length, free of escapes and newlines.
    pub(crate) fn structure(&self, range: Range<usize>) -> Vec<u8> {
        let mut bytes = self.masked.get(range.clone()).unwrap_or_default().to_vec();
        let first = self
            .templates
            .partition_point(|template| template.range.start < range.start);
        let mut done = range.start;
        for (index, template) in self.templates.iter().enumerate().skip(first) {
            let found = &template.range;
            if found.start >= range.end {
                break;
            }
            if found.start < done {
                continue;
            }
            done = found.end;
            let local = found.start - range.start..found.end - range.start;
            if let Some(bytes) = bytes.get_mut(local) {
                placeholder(bytes, index);
            }
        }
        bytes
    }
}

/// Overwrites a template by a quoted string; a plain one stays, others get letters of their own,
/// so that two keys of an object stay two.
fn placeholder(bytes: &mut [u8], mut index: usize) {
    let plain = |byte: &u8| !matches!(byte, b'\\' | b'$' | b'%' | b'\n' | b'\r');
    if bytes.first() == Some(&b'"') && bytes.iter().all(plain) {
        return;
    }
    let last = bytes.len().saturating_sub(1);
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = if at == 0 || at == last {
            b'"'
        } else if index > 0 {
            let letter = u8::try_from(index % 26).unwrap_or(0);
            index /= 26;
            b'a' + letter
        } else {
            b'_'
        };
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Frame>,
    item: Option<usize>,
    literal: usize,
    restarts: usize,
    out: Scan,
}

fn is_ident_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_ident(byte: u8) -> bool {
    is_ident_start(byte) || byte.is_ascii_digit() || byte == b'-'
}

impl Scanner<'_> {
    fn run(&mut self, mode: Mode) {
        loop {
            let result = if self.at < self.bytes.len() {
                self.step()
            } else {
                match self.finish() {
                    Ok(()) => return,
                    Err(error) => Err(error),
                }
            };
            if let Err(error) = result {
                if mode != Mode::Body {
                    self.out.errors.push(error);
                    return;
                }
                if !self.recover(error) {
                    return;
                }
            }
        }
    }

    fn step(&mut self) -> Result<(), ScanError> {
        match self.stack.last() {
            Some(&Frame::Quoted(index)) => self.quoted(index),
            Some(Frame::Heredoc(index, marker)) => {
                let (index, marker) = (*index, marker.clone());
                self.heredoc(index, marker)
            }
            Some(&Frame::Bare(index)) => self.bare(index),
            _ => self.normal(),
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn error(&self, range: Range<usize>, message: impl Into<String>) -> ScanError {
        ScanError {
            range,
            message: message.into(),
        }
    }

    fn blank(&mut self, range: Range<usize>) {
        for byte in self.out.masked.get_mut(range).into_iter().flatten() {
            *byte = b' ';
        }
    }

    fn begin_item(&mut self) {
        if self.stack.is_empty() && self.item.is_none() {
            self.item = Some(self.at);
        }
    }

    fn end_item(&mut self) {
        if let Some(start) = self.item.take() {
            let windows = self.at > start && self.bytes.get(self.at - 1) == Some(&b'\r');
            self.out.items.push(start..self.at - usize::from(windows));
        }
    }

    fn normal(&mut self) -> Result<(), ScanError> {
        let byte = self.peek(0);
        match byte {
            b' ' | b'\t' => self.at += 1,
            b'\r' if self.peek(1) == b'\n' => self.at += 1,
            b'\n' => self.newline(),
            b'#' => self.line_comment(),
            b'/' if self.peek(1) == b'/' => self.line_comment(),
            b'/' if self.peek(1) == b'*' => self.block_comment()?,
            _ => {
                self.begin_item();
                match byte {
                    b'"' => {
                        self.open_template(TemplateKind::Quoted, self.at)?;
                        self.stack
                            .push(Frame::Quoted(self.out.templates.len().saturating_sub(1)));
                        self.at += 1;
                        self.literal = self.at;
                    }
                    b'<' if self.peek(1) == b'<' => self.open_heredoc()?,
                    b'(' | b'[' | b'{' => self.open_bracket(byte),
                    b')' | b']' | b'}' => self.close_bracket(byte)?,
                    b'0'..=b'9' => self.number(),
                    _ if is_ident_start(byte) => {
                        while is_ident(self.peek(0)) {
                            self.at += 1;
                        }
                    }
                    _ => self.at += 1,
                }
            }
        }
        Ok(())
    }

    fn newline(&mut self) {
        let ignored = match self.stack.last() {
            Some(Frame::Bracket {
                ignores_newlines, ..
            }) => *ignores_newlines,
            Some(_) => true,
            None => false,
        };
        if ignored {
            let start = if self.at > 0 && self.bytes.get(self.at - 1) == Some(&b'\r') {
                self.at - 1
            } else {
                self.at
            };
            self.blank(start..self.at + 1);
        } else if self.stack.is_empty() {
            self.end_item();
        }
        self.at += 1;
    }

    fn comment(&mut self, start: usize) {
        let line = self
            .bytes
            .get(..start)
            .unwrap_or_default()
            .rsplit(|&byte| byte == b'\n')
            .next()
            .unwrap_or_default();
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let trailing = !line.iter().all(u8::is_ascii_whitespace);
        self.out.comments.push(RawComment {
            range: start..self.at,
            trailing,
        });
        self.blank(start..self.at);
    }

    fn line_comment(&mut self) {
        let start = self.at;
        while self.at < self.bytes.len() && self.peek(0) != b'\n' {
            self.at += 1;
        }
        if self.at > start && self.bytes.get(self.at - 1) == Some(&b'\r') {
            self.at -= 1;
        }
        self.comment(start);
    }

    fn block_comment(&mut self) -> Result<(), ScanError> {
        let start = self.at;
        let rest = self.bytes.get(start + 2..).unwrap_or_default();
        let Some(len) = rest.windows(2).position(|pair| pair == b"*/") else {
            self.at = self.bytes.len();
            return Err(self.error(start..start + 2, "this comment has no end; add `*/`"));
        };
        self.at = start + 2 + len + 2;
        self.comment(start);
        Ok(())
    }

    fn number(&mut self) {
        let start = self.at;
        let digits = |scanner: &mut Self| {
            while scanner.peek(0).is_ascii_digit() {
                scanner.at += 1;
            }
        };
        digits(self);
        let mut long = self.at - start > 15;
        if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
            self.at += 1;
            digits(self);
        }
        if matches!(self.peek(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if self.peek(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                digits(self);
                long = true;
            }
        }
        // The parser behind keeps numbers in machine words; ours are read from the text.
        if long && let Some(bytes) = self.out.masked.get_mut(start..self.at) {
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = if index == 1 { b'.' } else { b'1' };
            }
        }
    }

    fn open_bracket(&mut self, open: u8) {
        let (close, ignores_newlines) = match open {
            b'(' => (b')', true),
            b'[' => (b']', true),
            _ => (b'}', self.is_for()),
        };
        self.stack.push(Frame::Bracket {
            close,
            at: self.at,
            ignores_newlines,
        });
        self.at += 1;
    }

    /// Whether `for` and a name follow the brace at the cursor.
    fn is_for(&self) -> bool {
        let mut at = self.skip_blanks(self.at + 1);
        let word = self.bytes.get(at..at + 3);
        if word != Some(b"for".as_slice()) {
            return false;
        }
        at += 3;
        let next = self.skip_blanks(at);
        next > at && self.bytes.get(next).copied().is_some_and(is_ident_start)
    }

    fn skip_blanks(&self, mut at: usize) -> usize {
        loop {
            match self.bytes.get(at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => at += 1,
                Some(b'#') => at = self.line_end(at),
                Some(b'/') if self.bytes.get(at + 1) == Some(&b'/') => at = self.line_end(at),
                _ => return at,
            }
        }
    }

    fn line_end(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap_or(rest.len())
    }

    fn close_bracket(&mut self, found: u8) -> Result<(), ScanError> {
        match self.stack.last() {
            Some(Frame::Bracket { close, .. }) if *close == found => {
                self.stack.pop();
                self.at += 1;
                Ok(())
            }
            Some(Frame::Sequence(..)) if found == b'}' => {
                self.close_sequence();
                Ok(())
            }
            Some(Frame::Bracket { close, .. }) => {
                let close = char::from(*close);
                Err(self.error(
                    self.at..self.at + 1,
                    format!(
                        "`{}` found where `{close}` must close the bracket before it",
                        char::from(found)
                    ),
                ))
            }
            _ => Err(self.error(
                self.at..self.at + 1,
                format!("`{}` closes nothing; remove it", char::from(found)),
            )),
        }
    }

    fn open_template(&mut self, kind: TemplateKind, start: usize) -> Result<(), ScanError> {
        let open = self
            .stack
            .iter()
            .filter(|frame| matches!(frame, Frame::Sequence(..)))
            .count();
        if open >= MAX_TEMPLATES {
            return Err(self.error(
                start..start + 1,
                format!("templates stand more than {MAX_TEMPLATES} deep in each other; move the inner ones to locals"),
            ));
        }
        self.out.templates.push(RawTemplate {
            range: start..start,
            kind,
            parts: Vec::new(),
        });
        Ok(())
    }

    fn open_heredoc(&mut self) -> Result<(), ScanError> {
        let start = self.at;
        let mut at = start + 2;
        let indented = self.bytes.get(at) == Some(&b'-');
        at += usize::from(indented);
        let marker_start = at;
        if !self.bytes.get(at).copied().is_some_and(is_ident_start) {
            self.at += 2;
            return Err(self.error(
                start..start + 2,
                "a heredoc needs a marker right behind `<<` or `<<-`, without quotes or blanks",
            ));
        }
        while self.bytes.get(at).copied().is_some_and(is_ident) {
            at += 1;
        }
        let marker = marker_start..at;
        if self.bytes.get(at) == Some(&b'\r') {
            at += 1;
        }
        if self.bytes.get(at) != Some(&b'\n') {
            self.at = at;
            return Err(self.error(
                start..at,
                "the line of a heredoc's marker must end behind the marker",
            ));
        }
        self.open_template(TemplateKind::Heredoc { indented }, start)?;
        self.at = at + 1;
        self.literal = self.at;
        let index = self.out.templates.len().saturating_sub(1);
        self.stack.push(Frame::Heredoc(index, marker));
        Ok(())
    }

    fn push_part(&mut self, index: usize, part: RawPart) {
        if matches!(&part, RawPart::Literal(range) if range.is_empty()) {
            return;
        }
        if let Some(template) = self.out.templates.get_mut(index) {
            template.parts.push(part);
        }
    }

    fn close_template(&mut self, index: usize, literal_end: usize, end: usize) {
        self.push_part(index, RawPart::Literal(self.literal..literal_end));
        if let Some(template) = self.out.templates.get_mut(index) {
            template.range.end = end;
        }
        self.stack.pop();
        self.at = end;
    }

    fn quoted(&mut self, index: usize) -> Result<(), ScanError> {
        match self.peek(0) {
            b'"' => self.close_template(index, self.at, self.at + 1),
            b'\\' if self.at + 1 < self.bytes.len() && self.peek(1) != b'\n' => self.at += 2,
            b'\n' | b'\r' => {
                let start = self.out.templates.get(index).map_or(0, |t| t.range.start);
                return Err(self.error(
                    start..self.at,
                    "a quoted string ends on its line; close it, or use a heredoc",
                ));
            }
            sign @ (b'$' | b'%') => self.dollar(index, sign)?,
            _ => self.at += 1,
        }
        Ok(())
    }

    fn bare(&mut self, index: usize) -> Result<(), ScanError> {
        match self.peek(0) {
            sign @ (b'$' | b'%') => self.dollar(index, sign),
            _ => {
                self.at += 1;
                Ok(())
            }
        }
    }

    fn heredoc(&mut self, index: usize, marker: Range<usize>) -> Result<(), ScanError> {
        let line_start = self.at == 0 || self.bytes.get(self.at - 1) == Some(&b'\n');
        if line_start {
            let end = self.line_end(self.at);
            let line = self.bytes.get(self.at..end).unwrap_or_default();
            let word = line.trim_ascii();
            if !word.is_empty() && Some(word) == self.bytes.get(marker) {
                let blanks = line.len() - line.trim_ascii_start().len();
                let literal_end = self.at;
                self.close_template(index, literal_end, literal_end + blanks + word.len());
                return Ok(());
            }
        }
        match self.peek(0) {
            sign @ (b'$' | b'%') => self.dollar(index, sign)?,
            _ => {
                self.at += 1;
                while !matches!(self.peek(0), b'$' | b'%' | 0)
                    && self.bytes.get(self.at - 1) != Some(&b'\n')
                {
                    self.at += 1;
                }
            }
        }
        Ok(())
    }

    /// At `$` or `%`: one before a brace opens a sequence, several escape it.
    fn dollar(&mut self, index: usize, sign: u8) -> Result<(), ScanError> {
        let mut run = 1;
        while self.peek(run) == sign {
            run += 1;
        }
        if self.peek(run) != b'{' {
            self.at += run;
            return Ok(());
        }
        if run > 1 {
            self.at += run + 1;
            return Ok(());
        }
        self.push_part(index, RawPart::Literal(self.literal..self.at));
        let trim_left = self.peek(2) == b'~';
        let inner = self.at + 2 + usize::from(trim_left);
        self.stack.push(Frame::Sequence(
            index,
            RawPart::Sequence {
                outer: self.at..self.at,
                inner: inner..inner,
                directive: sign == b'%',
                trim_left,
                trim_right: false,
            },
        ));
        self.at = inner;
        Ok(())
    }

    fn close_sequence(&mut self) {
        let Some(Frame::Sequence(index, part)) = self.stack.pop() else {
            return;
        };
        if let RawPart::Sequence {
            outer,
            inner,
            directive,
            trim_left,
            ..
        } = part
        {
            let trim_right = self.at > inner.start && self.bytes.get(self.at - 1) == Some(&b'~');
            let end = self.at - usize::from(trim_right);
            self.push_part(
                index,
                RawPart::Sequence {
                    outer: outer.start..self.at + 1,
                    inner: inner.start..end,
                    directive,
                    trim_left,
                    trim_right,
                },
            );
        }
        self.at += 1;
        self.literal = self.at;
    }

    /// At the end of the text.
    fn finish(&mut self) -> Result<(), ScanError> {
        match self.stack.last() {
            None => {
                self.end_item();
                Ok(())
            }
            Some(&Frame::Bare(index)) => {
                let end = self.bytes.len();
                self.close_template(index, end, end);
                self.finish()
            }
            Some(frame) => {
                let (range, message) = match frame {
                    Frame::Bracket { at, close, .. } => (
                        *at..*at + 1,
                        format!("this bracket is never closed; add `{}`", char::from(*close)),
                    ),
                    Frame::Quoted(index) | Frame::Bare(index) => (
                        self.template_start(*index),
                        "this string is never closed; add `\"`".to_owned(),
                    ),
                    Frame::Heredoc(index, _) => (
                        self.template_start(*index),
                        "this heredoc has no end; put its marker alone on a line behind it"
                            .to_owned(),
                    ),
                    Frame::Sequence(index, _) => (
                        self.template_start(*index),
                        "an interpolation in this template is never closed; add `}`".to_owned(),
                    ),
                };
                Err(ScanError { range, message })
            }
        }
    }

    fn template_start(&self, index: usize) -> Range<usize> {
        let start = self.out.templates.get(index).map_or(0, |t| t.range.start);
        start..start + 1
    }

    /// Gives the item up and goes to the next line that looks like the start of one. Says whether
    /// there is anything left to scan.
    fn recover(&mut self, error: ScanError) -> bool {
        let start = self.item.take().unwrap_or(self.at);
        let ran_out = self.at >= self.bytes.len();
        let from = if ran_out { start } else { self.at.max(start) };
        self.out.errors.push(error);
        self.stack.clear();
        if ran_out {
            self.restarts += 1;
            if self.restarts > MAX_RESTARTS {
                return false;
            }
        }
        self.out
            .templates
            .retain(|template| template.range.start < start);
        let Some(next) = self.next_start(from) else {
            return false;
        };
        self.out
            .comments
            .retain(|comment| comment.range.start < next);
        if let (Some(to), Some(from)) = (self.out.masked.get_mut(next..), self.bytes.get(next..)) {
            to.copy_from_slice(from);
        }
        self.at = next;
        self.literal = next;
        true
    }

    /// The next line behind `from` that begins, in its first column, with a name followed by a
    /// label, a brace or an equals sign.
    fn next_start(&self, from: usize) -> Option<usize> {
        let mut at = self.line_end(from) + 1;
        while at < self.bytes.len() {
            let end = self.line_end(at);
            let line = self.bytes.get(at..end)?;
            let name = line.iter().take_while(|&&byte| is_ident(byte)).count();
            let rest = line.get(name..)?.trim_ascii_start();
            let follows = match rest {
                [b'=', b'=', ..] => false,
                [b'"' | b'{' | b'=', ..] => true,
                _ => false,
            };
            if name > 0 && line.first().copied().is_some_and(is_ident_start) && follows {
                return Some(at);
            }
            at = end + 1;
        }
        None
    }
}
