//! Scalars of block collections: plain, quoted and block ones.
//!
//! Not for scalars in brackets that are plain. Invariant: a form that is not read for sure is `None`,
//! which hands the whole text to the full parser.

use super::super::align;
use super::super::tree::{Kind, Node, Scalar, Style};
use super::Reader;
use smol_str::SmolStr;
use std::ops::Range;

impl Reader<'_> {
    /// A plain scalar of a block collection, over several lines where it is a value.
    pub(super) fn plain(&mut self, parent: Option<usize>) -> Option<Scalar> {
        let start = self.at;
        if !starts_plain(self.peek()?, self.byte(start + 1), false) {
            return None;
        }
        let (mut end, key) = self.plain_run(start)?;
        if key {
            self.at = end;
            return self.exact(start..end, Style::Plain);
        }
        let mut folded: Option<String> = None;
        let (mut at, mut line) = (end, self.line);
        loop {
            while self.byte(at) == Some(b' ') {
                at += 1;
            }
            // A comment ends the scalar; text below it would be an error.
            at += usize::from(self.byte(at) == Some(b'\r'));
            if self.byte(at) != Some(b'\n') {
                break;
            }
            let mut breaks = 0;
            while self.byte(at) == Some(b'\n') {
                breaks += 1;
                at += 1;
                line = at;
                while matches!(self.byte(at), Some(b' ' | b'\r')) {
                    at += 1;
                }
            }
            let deeper = parent.is_none_or(|parent| at - line > parent);
            match self.byte(at) {
                None | Some(b'#') => break,
                Some(b'\t') => return None,
                Some(_) if !deeper => break,
                Some(_) => {}
            }
            // At the root nothing tells where a scalar ends.
            parent?;
            let (more, key) = self.plain_run(at)?;
            if key || more == at {
                return None;
            }
            let text = match folded.as_mut() {
                Some(text) => text,
                None => folded.insert(self.slice(start..end)?.to_owned()),
            };
            folded_break(text, breaks);
            text.push_str(self.slice(at..more)?);
            end = more;
            at = more;
            self.line = line;
        }
        self.at = end;
        match folded {
            None => self.exact(start..end, Style::Plain),
            Some(text) => self.aligned(&text, Style::Plain, start..end),
        }
    }

    /// Where the plain text of this line ends, from `at` on: before a colon with a gap behind it
    /// (then it is a key), before the blanks of a comment or at the line's end.
    fn plain_run(&self, mut at: usize) -> Option<(usize, bool)> {
        let mut end = at;
        while let Some(byte) = self.byte(at) {
            match byte {
                b'\n' | b'\r' => break,
                b'\t' => return None,
                b' ' => at += 1,
                b'#' if at > end => break,
                b':' if self.is_gap(at + 1) => return Some((end, true)),
                b':' if self.byte(at + 1) == Some(b'\t') => return None,
                _ => {
                    at += 1;
                    end = at;
                }
            }
        }
        Some((end, false))
    }

    pub(super) fn exact(&self, range: Range<usize>, style: Style) -> Option<Scalar> {
        let text = SmolStr::from(self.slice(range.clone())?);
        Some(Scalar::exact(text, style, self.span(range)))
    }

    fn aligned(&self, text: &str, style: Style, range: Range<usize>) -> Option<Scalar> {
        let raw = self.slice(range.clone())?;
        Some(Scalar {
            text: text.into(),
            style,
            places: align::segments(text, raw, style, self.span(range)),
        })
    }

    /// A quoted scalar; `at` is left behind the closing quote.
    pub(super) fn quoted(&mut self, parent: Option<usize>) -> Option<Scalar> {
        let start = self.at;
        let quote = self.peek()?;
        let mut at = start + 1;
        let (mut changed, mut lines) = (false, false);
        loop {
            match self.byte(at)? {
                b'\t' => return None,
                b'\n' => {
                    lines = true;
                    while matches!(self.byte(at), Some(b' ' | b'\n' | b'\r')) {
                        at += 1;
                        if self.byte(at - 1) == Some(b'\n') {
                            self.line = at;
                        }
                    }
                    // Lines that are not indented enough count all the same, but no document's mark.
                    parent?;
                    if at == self.line && self.is_mark(at) {
                        return None;
                    }
                }
                b'\'' if quote == b'\'' && self.byte(at + 1) == Some(b'\'') => {
                    changed = true;
                    at += 2;
                }
                b'\\' if quote == b'"' => {
                    changed = true;
                    at += 1;
                    // An escaped line end joins lines without a blank.
                    if matches!(self.byte(at)?, b'\n' | b'\r') {
                        return None;
                    }
                    at += 1;
                }
                byte if byte == quote => break,
                _ => at += 1,
            }
        }
        self.at = at + 1;
        let style = if quote == b'"' {
            Style::Double
        } else {
            Style::Single
        };
        if !changed && !lines {
            return self.exact(start + 1..at, style);
        }
        let inner = self.slice(start + 1..at)?;
        let folded;
        let inner = if lines {
            folded = fold(inner);
            folded.as_str()
        } else {
            inner
        };
        let value = if style == Style::Single {
            inner.replace("''", "'")
        } else {
            unescape(inner)?
        };
        self.aligned(&value, style, start..self.at)
    }

    /// A block scalar from its `|` or `>` on.
    pub(super) fn literal(&mut self, parent: Option<usize>, style: Style) -> Option<Node> {
        self.at += 1;
        let chomp = match self.peek()? {
            sign @ (b'-' | b'+') => {
                self.at += 1;
                Some(sign)
            }
            _ => None,
        };
        self.spaces();
        self.at += usize::from(self.peek() == Some(b'\r'));
        if self.peek() != Some(b'\n') {
            return None;
        }
        self.at += 1;
        let first = self.at;
        let indent = first_column(self.bytes.get(first..)?)?;
        if parent.is_none_or(|parent| indent <= parent) {
            return None;
        }
        let mut text = String::new();
        // Line breaks that stand between the last text and what follows.
        let (mut breaks, mut deep, mut at) = (0, false, first);
        while at < self.bytes.len() {
            let rest = self.text.get(at..)?;
            // A last line without its break is left to the full parser.
            let len = rest.find('\n')?;
            let line = rest.get(..len)?;
            let line = line.strip_suffix('\r').unwrap_or(line);
            let column = line.len() - line.trim_start_matches(' ').len();
            if column == line.len() && column <= indent {
                breaks += 1;
            } else if column < indent {
                break;
            } else {
                let content = line.get(indent..)?;
                if content.starts_with('\t') {
                    return None;
                }
                // Lines that are indented more keep their breaks.
                let deeper = content.starts_with(' ');
                let folds = style == Style::Folded && !deep && !deeper && !text.is_empty();
                if folds && breaks == 1 {
                    text.push(' ');
                } else {
                    text.extend(std::iter::repeat_n('\n', breaks - usize::from(folds)));
                }
                text.push_str(content);
                deep = deeper;
                breaks = 1;
            }
            at += len + 1;
        }
        match chomp {
            Some(b'-') => {}
            Some(_) => text.extend(std::iter::repeat_n('\n', breaks)),
            None => text.push('\n'),
        }
        self.at = at;
        self.line = at;
        self.spaces();
        let range = first..self.at;
        let scalar = self.aligned(&text, style, range.clone())?;
        let span = scalar.exact_span().unwrap_or_else(|| self.span(range));
        Some(Node {
            kind: Kind::Scalar(scalar),
            tag: None,
            span,
        })
    }
}

/// Whether a plain scalar may begin with `byte`, before `next`.
pub(super) fn starts_plain(byte: u8, next: Option<u8>, flow: bool) -> bool {
    match byte {
        b'-' | b'?' | b':' => !flow && !matches!(next, None | Some(b' ' | b'\n' | b'\r' | b'\t')),
        b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
        | b'"' | b'%' | b'@' | b'`' | b'\t' => false,
        _ => true,
    }
}

/// The column of the first line that is not blank. `None` where there is none, and where a blank
/// line before it is longer.
fn first_column(bytes: &[u8]) -> Option<usize> {
    let (mut column, mut longest) = (0, 0);
    for byte in bytes {
        match byte {
            b' ' => column += 1,
            b'\n' => {
                longest = longest.max(column);
                column = 0;
            }
            b'\r' => {}
            b'\t' => return None,
            _ => return (longest <= column).then_some(column),
        }
    }
    None
}

/// The text of a quoted scalar with its line ends folded.
fn fold(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut breaks = 0;
    for (index, line) in inner.split('\n').enumerate() {
        let line = if index == 0 {
            line
        } else {
            line.trim_start_matches(' ')
        };
        if index > 0 {
            text.truncate(text.trim_end_matches([' ', '\r']).len());
            breaks += 1;
        }
        if matches!(line, "" | "\r") && index > 0 {
            continue;
        }
        folded_break(&mut text, breaks);
        text.push_str(line);
        breaks = 0;
    }
    folded_break(&mut text, breaks);
    text
}

/// What `breaks` line ends in a row fold to.
fn folded_break(text: &mut String, breaks: usize) {
    if breaks == 1 {
        text.push(' ');
    } else {
        text.extend(std::iter::repeat_n('\n', breaks.saturating_sub(1)));
    }
}

/// The value of a double-quoted scalar of one line; `None` for rare escapes.
fn unescape(inner: &str) -> Option<String> {
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        value.push(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            c @ ('"' | '\\' | '/') => c,
            _ => return None,
        });
    }
    Some(value)
}
