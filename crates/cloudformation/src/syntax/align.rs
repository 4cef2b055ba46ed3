//! Which source bytes each part of a YAML scalar's value came from.
//!
//! The parser gives the decoded value and the raw slice; this walks both side by side. Not for
//! decoding: where the two cannot be matched, the whole slice stands for the whole value. Invariant:
//! the segments cover the value without gaps, and an exact one agrees byte for byte.

use super::tree::{Style, clamp};
use overgrant_source::Span;
use overgrant_value::{Seg, Segs};

/// Segments of `value`, written as `raw` in style `style`; `at` is the span of `raw`.
pub(super) fn segments(value: &str, raw: &str, style: Style, at: Span) -> Segs {
    if value.is_empty() {
        return Segs::none();
    }
    let mut out = Builder {
        at,
        segments: Vec::new(),
        value: 0,
    };
    let matched = match style {
        Style::Plain => flow(&mut out, value, raw, 0, raw.len(), style),
        Style::Single | Style::Double => {
            flow(&mut out, value, raw, 1, raw.len().saturating_sub(1), style)
        }
        Style::Literal | Style::Folded => block(&mut out, value, raw),
    };
    if matched.is_some() && out.value == value.len() {
        Segs::new(out.segments, value.len())
    } else {
        Segs::whole(at, false)
    }
}

struct Builder {
    at: Span,
    segments: Vec<Seg>,
    /// Bytes of the value covered so far.
    value: usize,
}

impl Builder {
    /// The next `len` bytes of the value came from `raw[from..to]`.
    fn push(&mut self, len: usize, from: usize, to: usize, exact: bool) {
        if len == 0 {
            return;
        }
        let span = Span::new(
            self.at.file,
            self.at.start.saturating_add(clamp(from)),
            self.at.start.saturating_add(clamp(to)),
        );
        let at = clamp(self.value);
        self.value += len;
        if exact
            && let Some(last) = self.segments.last_mut()
            && last.exact
            && last.span.end == span.start
        {
            last.len += clamp(len);
            last.span.end = span.end;
            return;
        }
        self.segments.push(Seg {
            at,
            len: clamp(len),
            span,
            exact,
        });
    }
}

fn is_break(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Plain and quoted scalars: runs of equal bytes, escapes, and folded line breaks.
fn flow(
    out: &mut Builder,
    value: &str,
    raw: &str,
    mut from: usize,
    end: usize,
    style: Style,
) -> Option<()> {
    let source = raw.as_bytes();
    let text = value.as_bytes();
    while from < end {
        let byte = *source.get(from)?;
        if style == Style::Double && byte == b'\\' {
            let next = *source.get(from + 1)?;
            if is_break(next) {
                from = skip_white(source, from + 1, end);
                continue;
            }
            let to = from + escape_len(next);
            let width = char_width(value, out.value)?;
            out.push(width, from, to.min(end), false);
            from = to;
            continue;
        }
        if style == Style::Single && byte == b'\'' {
            out.push(1, from, from + 2, false);
            from += 2;
            continue;
        }
        let blanks = blanks_at(source, from, end);
        if is_break_at(source, from + blanks, end) {
            let to = skip_white(source, from, end);
            let made = text
                .get(out.value..)?
                .iter()
                .take_while(|b| **b == b' ' || **b == b'\n')
                .count();
            let breaks = count_breaks(source.get(from..to)?);
            let expected = if to >= end && made == 0 {
                0
            } else {
                breaks.saturating_sub(1).max(1)
            };
            if made < expected {
                return None;
            }
            out.push(expected, from, to, false);
            from = to;
            continue;
        }
        let start = from;
        while from < end {
            let byte = *source.get(from)?;
            let special = (style == Style::Double && byte == b'\\')
                || (style == Style::Single && byte == b'\'');
            // A run of blanks is looked at once, so that long ones cost no more than short ones.
            let blanks = blanks_at(source, from, end);
            if special || is_break_at(source, from + blanks, end) {
                break;
            }
            from += blanks.max(1);
        }
        let len = from - start;
        if text.get(out.value..out.value + len)? != source.get(start..from)? {
            return None;
        }
        out.push(len, start, from, true);
    }
    Some(())
}

/// Bytes of an escape, its backslash included, from the byte behind the backslash.
fn escape_len(next: u8) -> usize {
    match next {
        b'x' => 4,
        b'u' => 6,
        b'U' => 10,
        0xC0..=0xDF => 3,
        0xE0..=0xEF => 4,
        0xF0..=0xFF => 5,
        _ => 2,
    }
}

fn char_width(value: &str, at: usize) -> Option<usize> {
    value.get(at..)?.chars().next().map(char::len_utf8)
}

fn blanks_at(source: &[u8], from: usize, end: usize) -> usize {
    source
        .get(from..end)
        .unwrap_or_default()
        .iter()
        .take_while(|byte| is_blank(**byte))
        .count()
}

fn is_break_at(source: &[u8], at: usize, end: usize) -> bool {
    at < end && source.get(at).is_some_and(|byte| is_break(*byte))
}

fn skip_white(source: &[u8], from: usize, end: usize) -> usize {
    let white = source
        .get(from..end)
        .unwrap_or_default()
        .iter()
        .take_while(|byte| is_blank(**byte) || is_break(**byte))
        .count();
    from + white
}

fn count_breaks(bytes: &[u8]) -> usize {
    let mut count = 0;
    let mut previous = 0;
    for &byte in bytes {
        if byte == b'\r' || (byte == b'\n' && previous != b'\r') {
            count += 1;
        }
        previous = byte;
    }
    count
}

/// Block scalars: each source line's content is a part of the value; what stands between two
/// contents in the value (line feeds, the blank of a fold) came from the break between them.
fn block(out: &mut Builder, value: &str, raw: &str) -> Option<()> {
    let indent = raw
        .lines()
        .find(|line| !line.trim().is_empty())
        .map_or(0, |line| line.len() - line.trim_start_matches(' ').len());
    let mut offset = 0;
    let mut last_end: Option<usize> = None;
    for (index, line) in raw.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += line.len();
        let text = line.trim_end_matches(['\n', '\r']);
        // The raw slice may begin behind the first line's indentation.
        let skip = if index == 0 && !text.starts_with(' ') {
            0
        } else {
            text.bytes().take(indent).take_while(|b| *b == b' ').count()
        };
        let content = text.get(skip..)?;
        if content.trim().is_empty() && content.is_empty() {
            continue;
        }
        let rest = value.get(out.value..)?;
        let gap = gap_before(rest, content)?;
        let content_start = start + skip;
        out.push(gap, last_end.unwrap_or(start), content_start, false);
        out.push(
            content.len(),
            content_start,
            content_start + content.len(),
            true,
        );
        last_end = Some(content_start + content.len());
    }
    let tail = value.len().checked_sub(out.value)?;
    let rest = value.get(out.value..)?;
    if !rest.bytes().all(|b| b == b'\n') {
        return None;
    }
    out.push(tail, last_end.unwrap_or(0), raw.len(), false);
    Some(())
}

/// How many blanks and line feeds of `rest` stand before `content`.
fn gap_before(rest: &str, content: &str) -> Option<usize> {
    let mut gap = 0;
    loop {
        let tail = rest.get(gap..)?;
        if tail.starts_with(content) {
            return Some(gap);
        }
        match tail.bytes().next()? {
            b' ' | b'\n' => gap += 1,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_source::FileId;

    fn parts(value: &str, raw: &str, style: Style) -> Vec<(String, String, bool)> {
        let at = Span::new(FileId(0), 0, u32::try_from(raw.len()).unwrap());
        let segments = segments(value, raw, style, at);
        let mut covered = 0;
        let found = segments
            .iter(value.len())
            .map(|s| {
                assert_eq!(s.at, covered, "no gaps");
                covered += s.len;
                let value = value.get(s.at as usize..(s.at + s.len) as usize).unwrap();
                (
                    value.to_owned(),
                    raw.get(s.span.range()).unwrap().to_owned(),
                    s.exact,
                )
            })
            .collect();
        assert_eq!(covered as usize, value.len());
        found
    }

    fn part(value: &str, raw: &str, exact: bool) -> (String, String, bool) {
        (value.to_owned(), raw.to_owned(), exact)
    }

    #[test]
    fn plain_and_folded_plain() {
        assert_eq!(
            parts("a b", "a b", Style::Plain),
            [part("a b", "a b", true)]
        );
        assert_eq!(
            parts("a b\nc", "a \n  b\n\n  c", Style::Plain),
            [
                part("a", "a", true),
                part(" ", " \n  ", false),
                part("b", "b", true),
                part("\n", "\n\n  ", false),
                part("c", "c", true),
            ]
        );
    }

    #[test]
    fn quotes_and_escapes() {
        assert_eq!(
            parts("it's", "'it''s'", Style::Single),
            [
                part("it", "it", true),
                part("'", "''", false),
                part("s", "s", true)
            ]
        );
        assert_eq!(
            parts("a\"\u{e9}*", r#""a\"\u00e9*""#, Style::Double),
            [
                part("a", "a", true),
                part("\"", r#"\""#, false),
                part("\u{e9}", r"\u00e9", false),
                part("*", "*", true),
            ]
        );
        assert_eq!(
            parts("ab", "\"a\\\n   b\"", Style::Double),
            [part("a", "a", true), part("b", "b", true)]
        );
    }

    #[test]
    fn literal_blocks_lose_their_indentation() {
        assert_eq!(
            parts(
                "{\n  \"a\": 1\n}\n",
                "{\n    \"a\": 1\n  }\n",
                Style::Literal
            )
            .len(),
            1,
            "a slice without the first indentation cannot be dedented"
        );
        assert_eq!(
            parts("{\n  x\n\n}\n", "  {\n    x\n\n  }\n", Style::Literal),
            [
                part("{", "{", true),
                part("\n", "\n  ", false),
                part("  x", "  x", true),
                part("\n\n", "\n\n  ", false),
                part("}", "}", true),
                part("\n", "\n", false),
            ]
        );
    }

    #[test]
    fn folded_blocks() {
        assert_eq!(
            parts("a b\nc\n", "  a\n  b\n\n  c\n", Style::Folded),
            [
                part("a", "a", true),
                part(" ", "\n  ", false),
                part("b", "b", true),
                part("\n", "\n\n  ", false),
                part("c", "c", true),
                part("\n", "\n", false),
            ]
        );
    }

    #[test]
    fn what_does_not_match_is_inexact_as_a_whole() {
        assert_eq!(parts("x", "y", Style::Plain), [part("x", "y", false)]);
    }
}
