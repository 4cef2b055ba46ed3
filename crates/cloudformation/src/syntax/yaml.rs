//! YAML text to the spanned tree: plain forms in one pass (`block`), all else over the events of
//! `granit-parser`.
//!
//! Not for typing scalars: the text stays as written. Only the first document that holds something
//! is read. Invariant: the work is bounded by the text's length, whatever its aliases expand to:
//! aliases share nodes, and what they would expand to is counted against [`MAX_NODES`].

use super::masked::Masked;
use super::tree::{self, Entry, Kind, Node, Parsed, Scalar, Style, Tag};
use super::{MAX_DEPTH, MAX_NODES, align, block};
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, StructureStyle};
use overgrant_source::{Comment, Diagnostic, Level, SourceFile, Span};
use smol_str::SmolStr;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Reads `file` as YAML.
///
/// # Errors
/// A diagnostic that loses the file: `yaml-syntax`, or `yaml-limit` where nesting or the expansion
/// of aliases goes too far.
pub fn parse_yaml(file: &SourceFile) -> Result<Parsed, Diagnostic> {
    let whole = file.text();
    parse_from(file, whole.strip_prefix('\u{feff}').unwrap_or(whole))
}

/// Reads the document of `file` that begins at a byte, behind another one.
///
/// # Errors
/// As [`parse_yaml`].
pub fn parse_yaml_behind(file: &SourceFile, start: usize) -> Result<Parsed, Diagnostic> {
    parse_from(file, file.text().get(start..).unwrap_or_default())
}

fn parse_from(file: &SourceFile, text: &str) -> Result<Parsed, Diagnostic> {
    if let Some(parsed) = block::read(file, text) {
        return Ok(parsed);
    }
    parse_fully(file, text)
}

/// Any YAML, over the events of the parser.
pub(super) fn parse_fully(file: &SourceFile, text: &str) -> Result<Parsed, Diagnostic> {
    let mut masked = Masked::default();
    let retries = (MOST_RETRY_BYTES / text.len().max(1)).clamp(1, MOST_RETRIES);
    for _ in 0..retries {
        match Builder::new(file, text, &masked).run() {
            Err(Lost::Indentation(at)) if masked.hide_break(text, at) => {}
            Err(Lost::Indentation(at)) => return Err(bad_indentation(file, text, at)),
            Err(Lost::Comment(at, _)) if masked.hide_comment(text, at) => {}
            Err(Lost::Comment(_, diagnostic)) => return Err(*diagnostic),
            Err(Lost::File(diagnostic)) => return Err(*diagnostic),
            Ok(parsed) => return Ok(parsed),
        }
    }
    Err(bad_indentation(file, text, 0))
}

/// How many places that have to be masked are accepted in one file.
const MOST_RETRIES: usize = 256;
/// Bytes that are read again for their sake.
const MOST_RETRY_BYTES: usize = 64 << 20;

/// Why a reading ended.
enum Lost {
    File(Box<Diagnostic>),
    /// A continuation line of a quoted scalar is indented less than its parent (byte offset).
    Indentation(usize),
    /// A comment (byte offset) has no blank in front.
    Comment(usize, Box<Diagnostic>),
}

fn bad_indentation(file: &SourceFile, text: &str, at: usize) -> Diagnostic {
    let shift = file.text().len() - text.len();
    Diagnostic::new(
        Level::Error,
        "yaml-syntax",
        "not valid YAML: a quoted scalar goes on with less indentation; indent its lines",
    )
    .at(file, tree::span(file.id(), shift, at..at))
    .losing_file()
}

struct Builder<'a> {
    file: &'a SourceFile,
    text: &'a str,
    masked: &'a Masked,
    /// Bytes of the byte order mark in front of `text`.
    shift: usize,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Built>,
    comments: Vec<Comment>,
    diagnostics: Vec<Diagnostic>,
    root: Option<Built>,
}

/// A finished node with what it weighs once aliases are followed.
#[derive(Clone)]
struct Built {
    node: Arc<Node>,
    nodes: u64,
    height: usize,
}

/// A collection whose end has not come yet.
struct Frame {
    anchor: usize,
    tag: Option<Tag>,
    start: usize,
    flow: bool,
    items: Items,
    nodes: u64,
    height: usize,
}

enum Items {
    Seq(Vec<Arc<Node>>),
    Map {
        entries: Vec<Entry>,
        key: Option<(SmolStr, Span, bool)>,
        merges: Vec<Arc<Node>>,
    },
}

impl<'a> Builder<'a> {
    fn new(file: &'a SourceFile, text: &'a str, masked: &'a Masked) -> Self {
        Self {
            file,
            text,
            masked,
            shift: file.text().len() - text.len(),
            frames: Vec::new(),
            anchors: HashMap::new(),
            comments: Vec::new(),
            diagnostics: Vec::new(),
            root: None,
        }
    }

    fn run(mut self) -> Result<Parsed, Lost> {
        let options = granit_parser::options! {
            emit_unresolved_aliases: true,
            max_buffered_comment_events: 1_000_000,
        };
        let parsed_text = self.masked.text.as_deref().unwrap_or(self.text);
        for next in Parser::new_from_str_with_options(parsed_text, options) {
            let (event, place) = match next {
                Ok(next) => next,
                // The template is complete; what follows it is not read.
                Err(_) if self.root.is_some() => break,
                Err(error) => {
                    let at = error.marker().byte_offset().unwrap_or(0);
                    if matches!(error.kind(), ErrorKind::InvalidQuotedScalarIndent) {
                        return Err(Lost::Indentation(at));
                    }
                    let message = format!("not valid YAML: {}", error.info());
                    let diagnostic = Box::new(self.refusal("yaml-syntax", at, message));
                    return Err(match error.kind() {
                        ErrorKind::CommentNotSeparated => Lost::Comment(at, diagnostic),
                        _ => Lost::File(diagnostic),
                    });
                }
            };
            let range = place.byte_range().unwrap_or(0..0);
            match event {
                Event::DocumentEnd => {
                    let empty = self.root.as_ref().is_none_or(|root| root.node.is_null());
                    if !empty {
                        break;
                    }
                    self.root = None;
                    self.anchors.clear();
                }
                Event::Comment(text, _) => self.comment(&text, range),
                Event::Alias(id) => self.alias(id, range)?,
                Event::UnresolvedAlias(name) => {
                    let message =
                        format!("no anchor `{name}` stands before this alias; define `&{name}`");
                    return Err(self.lost("yaml-syntax", range.start, message));
                }
                Event::Scalar(value, style, anchor, tag) => {
                    let tag = self.tag(tag.as_deref(), &place);
                    let node = self.scalar(&value, style, tag, range);
                    self.finish(
                        anchor,
                        Built {
                            node: Arc::new(node),
                            nodes: 1,
                            height: 1,
                        },
                    )?;
                }
                Event::SequenceStart(style, anchor, tag) => {
                    let tag = self.tag(tag.as_deref(), &place);
                    self.open(anchor, tag, style, range, Items::Seq(Vec::new()))?;
                }
                Event::MappingStart(style, anchor, tag) => {
                    let tag = self.tag(tag.as_deref(), &place);
                    let items = Items::Map {
                        entries: Vec::new(),
                        key: None,
                        merges: Vec::new(),
                    };
                    self.open(anchor, tag, style, range, items)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(range)?,
                _ => {}
            }
        }
        for range in self.masked.comments.clone() {
            let text = self.text.get(range.start + 1..range.end);
            self.comment(text.unwrap_or_default(), range);
        }
        self.comments.sort_by_key(|comment| comment.span.start);
        let root = match self.root {
            Some(built) => built.node,
            None => Arc::new(Node {
                kind: Kind::Scalar(Scalar::exact("".into(), Style::Plain, self.file.span(0..0))),
                tag: None,
                span: self.file.span(0..0),
            }),
        };
        Ok(Parsed {
            root,
            comments: self.comments,
            diagnostics: self.diagnostics,
        })
    }

    fn span(&self, range: Range<usize>) -> Span {
        tree::span(self.file.id(), self.shift, range)
    }

    fn lost(&self, code: &'static str, at: usize, message: String) -> Lost {
        Lost::File(Box::new(self.refusal(code, at, message)))
    }

    fn refusal(&self, code: &'static str, at: usize, message: String) -> Diagnostic {
        Diagnostic::new(Level::Error, code, message)
            .at(self.file, self.span(at..at))
            .losing_file()
    }

    fn comment(&mut self, text: &str, range: Range<usize>) {
        let before = self.text.get(..range.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        self.comments.push(Comment {
            span: self.span(range),
            text: text.trim().into(),
            trailing: !line.trim().is_empty(),
        });
    }

    fn tag(&self, tag: Option<&granit_parser::Tag>, place: &granit_parser::Span) -> Option<Tag> {
        let tag = tag.filter(|tag| tag.handle() == "!" && !tag.suffix().is_empty())?;
        let range = place
            .tag_span()
            .and_then(|span| span.byte_range())
            .or_else(|| place.byte_range())
            .unwrap_or(0..0);
        Some(Tag {
            name: tag.suffix().into(),
            span: self.span(range),
        })
    }

    fn scalar(
        &self,
        value: &str,
        style: ScalarStyle,
        tag: Option<Tag>,
        range: Range<usize>,
    ) -> Node {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let restored = self.masked.restore(value, self.text, &range);
        let value = restored.as_deref().unwrap_or(value);
        let text = SmolStr::from(value);
        let span = self.span(range.clone());
        let block = matches!(style, Style::Literal | Style::Folded);
        let range = if block { self.lines(range) } else { range };
        let raw = self.text.get(range.clone()).unwrap_or_default();
        let scalar = Scalar {
            text,
            style,
            places: align::segments(value, raw, style, self.span(range)),
        };
        let span = if block {
            scalar.exact_span().unwrap_or(span)
        } else {
            span
        };
        Node {
            kind: Kind::Scalar(scalar),
            tag: tag.map(Box::new),
            span,
        }
    }

    /// A block scalar's range from the start of its first line.
    fn lines(&self, range: Range<usize>) -> Range<usize> {
        let before = self.text.get(..range.start).unwrap_or_default();
        let blanks = before.len() - before.trim_end_matches(' ').len();
        range.start - blanks..range.end
    }

    fn alias(&mut self, id: usize, range: Range<usize>) -> Result<(), Lost> {
        let Some(built) = self.anchors.get(&id).cloned() else {
            let message = "an alias names a node it stands in; write the value out".to_owned();
            return Err(self.lost("yaml-syntax", range.start, message));
        };
        if self.frames.len() + built.height > MAX_DEPTH {
            return Err(self.too_deep(range.start));
        }
        self.attach(built, range.start)
    }

    fn too_deep(&self, at: usize) -> Lost {
        self.lost(
            "yaml-limit",
            at,
            format!("nested more than {MAX_DEPTH} levels deep; flatten the file"),
        )
    }

    fn too_many(&self, at: usize) -> Lost {
        self.lost(
            "yaml-limit",
            at,
            format!("more than {MAX_NODES} nodes once aliases are followed; write fewer aliases of aliases"),
        )
    }

    fn open(
        &mut self,
        anchor: usize,
        tag: Option<Tag>,
        style: StructureStyle,
        range: Range<usize>,
        items: Items,
    ) -> Result<(), Lost> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(self.too_deep(range.start));
        }
        let flow = style == StructureStyle::Flow;
        let start = match items {
            Items::Seq(_) if !flow => self.dash(range.start),
            _ => range.start,
        };
        self.frames.push(Frame {
            anchor,
            tag,
            start,
            flow,
            items,
            nodes: 1,
            height: 0,
        });
        Ok(())
    }

    /// The first dash of a block sequence. The parser gives what follows it where the sequence is no
    /// deeper than the key above.
    fn dash(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        let blanks = before.trim_end_matches(' ');
        if self.text.as_bytes().get(at) != Some(&b'-') && blanks.ends_with('-') {
            blanks.len() - 1
        } else {
            at
        }
    }

    fn close(&mut self, end: Range<usize>) -> Result<(), Lost> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let start = self.span(frame.start..frame.start);
        let mut nodes = frame.nodes;
        let (kind, span) = match frame.items {
            Items::Seq(items) => {
                let span = items
                    .iter()
                    .fold(start, |span, item| span.to(item.full_span()));
                (Kind::Seq(items), span)
            }
            Items::Map {
                mut entries,
                merges,
                ..
            } => {
                let span = entries.iter().fold(start, |span, entry| {
                    let span = span.to(entry.key_span);
                    // An alias or a merged entry stands elsewhere, an absent value nowhere.
                    let value = entry.value.full_span();
                    if value.start >= entry.key_span.end && !value.is_empty() {
                        span.to(value)
                    } else {
                        span
                    }
                });
                for (key, at) in tree::duplicates(&entries) {
                    self.diagnostics
                        .push(block::duplicate(key, "mapping").at(self.file, at));
                }
                nodes = nodes.saturating_add(merge(&mut entries, &merges));
                (Kind::Map(entries), span)
            }
        };
        let span = if frame.flow {
            self.span(frame.start..end.end.max(frame.start))
        } else {
            span
        };
        let node = Arc::new(Node {
            kind,
            tag: frame.tag.map(Box::new),
            span,
        });
        self.finish(
            frame.anchor,
            Built {
                node,
                nodes,
                height: frame.height + 1,
            },
        )
    }

    fn finish(&mut self, anchor: usize, built: Built) -> Result<(), Lost> {
        if anchor != 0 {
            self.anchors.insert(anchor, built.clone());
        }
        let at = built.node.span.start as usize;
        self.attach(built, at.saturating_sub(self.shift))
    }

    /// Hands a finished node to the collection it stands in.
    fn attach(&mut self, built: Built, at: usize) -> Result<(), Lost> {
        let Some(frame) = self.frames.last_mut() else {
            if built.nodes > MAX_NODES {
                return Err(self.too_many(at));
            }
            if self.root.is_none() {
                self.root = Some(built);
            }
            return Ok(());
        };
        frame.nodes = frame.nodes.saturating_add(built.nodes);
        frame.height = frame.height.max(built.height);
        let too_many = frame.nodes > MAX_NODES;
        match &mut frame.items {
            Items::Seq(items) => items.push(built.node),
            Items::Map {
                entries,
                key,
                merges,
            } => match key.take() {
                None => *key = Some(key_of(&built.node)),
                Some((_, _, true)) => merges.push(built.node),
                Some((key, key_span, false)) => entries.push(Entry {
                    key,
                    key_span,
                    value: built.node,
                    merged: false,
                }),
            },
        }
        if too_many {
            return Err(self.too_many(at));
        }
        Ok(())
    }
}

/// A key's text and span, and whether it is the merge key. A key that is a collection has no text.
fn key_of(node: &Node) -> (SmolStr, Span, bool) {
    match node.scalar() {
        Some(scalar) => {
            let merge = scalar.text == "<<" && scalar.style == Style::Plain;
            (scalar.text.clone(), node.span, merge)
        }
        None => (SmolStr::default(), node.span, false),
    }
}

/// Adds the entries of the merged nodes (mappings or sequences of them) that are not there yet, as
/// YAML's merge key type says; gives the number of entries looked at, which ends beyond
/// [`MAX_NODES`].
fn merge(entries: &mut Vec<Entry>, merges: &[Arc<Node>]) -> u64 {
    if merges.is_empty() {
        return 0;
    }
    let mut known: std::collections::HashSet<SmolStr> =
        entries.iter().map(|entry| entry.key.clone()).collect();
    let mut count = 0;
    for source in merges {
        let maps: &[Arc<Node>] = match &source.kind {
            Kind::Seq(items) => items,
            Kind::Map(_) | Kind::Scalar(_) => std::slice::from_ref(source),
        };
        for map in maps {
            let mut added = Vec::new();
            // Of duplicates the last counts, so the walk goes backwards.
            for entry in map.entries().iter().rev() {
                count += 1;
                if count > MAX_NODES {
                    return count;
                }
                if known.insert(entry.key.clone()) {
                    added.push(Entry {
                        merged: true,
                        ..entry.clone()
                    });
                }
            }
            entries.extend(added.into_iter().rev());
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_source::Sources;

    fn parse(text: &str) -> (Arc<SourceFile>, Result<Parsed, Diagnostic>) {
        let file = Sources::new(".").add("t.yaml", text);
        let parsed = parse_yaml(&file);
        (file, parsed)
    }

    fn root(text: &str) -> (Arc<SourceFile>, Arc<Node>) {
        let (file, parsed) = parse(text);
        (file, parsed.unwrap().root)
    }

    fn slice<'a>(file: &'a SourceFile, node: &Node) -> &'a str {
        file.slice(node.span)
    }

    #[test]
    fn block_collections_span_their_children() {
        let (file, node) = root("A:\n  - x: 1\n    y:\n  -   z\n\n# end\nB: !Sub  q\n\n");
        assert_eq!(
            slice(&file, node.get("A").unwrap()),
            "- x: 1\n    y:\n  -   z"
        );
        assert_eq!(
            slice(&file, &node.get("A").unwrap().items()[0]),
            "x: 1\n    y"
        );
        assert_eq!(
            slice(&file, &node),
            "A:\n  - x: 1\n    y:\n  -   z\n\n# end\nB: !Sub  q"
        );
        let tagged = node.get("B").unwrap();
        assert_eq!(slice(&file, tagged), "q", "a tag is no part of the value");
        assert_eq!(file.slice(tagged.full_span()), "!Sub  q");
        assert_eq!(tagged.tag.as_ref().unwrap().name, "Sub");
    }

    #[test]
    fn flow_collections_span_their_brackets() {
        let (file, node) = root("A: !Join [ '', [a, {b: c}] ]\nB: 1");
        let join = node.get("A").unwrap();
        assert_eq!(slice(&file, join), "[ '', [a, {b: c}] ]");
        assert_eq!(slice(&file, &join.items()[1].items()[1]), "{b: c}");
        assert_eq!(slice(&file, &join.items()[0]), "''");
    }

    #[test]
    fn scalars_keep_their_text() {
        let (_, node) = root("a: 012345678901\nb: 2012-10-17\nc: yes\nd: 1e3\ne:\nf: \"\"\ng: ~");
        for (key, text) in [
            ("a", "012345678901"),
            ("b", "2012-10-17"),
            ("c", "yes"),
            ("d", "1e3"),
        ] {
            assert_eq!(node.get(key).unwrap().text(), Some(text));
        }
        assert!(node.get("e").unwrap().is_null());
        assert!(!node.get("f").unwrap().is_null());
        assert!(node.get("g").unwrap().is_null());
    }

    #[test]
    fn block_scalars_point_at_their_bytes() {
        let text = "P: |\n  {\n    \"Action\": \"*\"\n  }\n\nQ: x\n";
        let (file, node) = root(text);
        let policy = node.get("P").unwrap();
        let scalar = policy.scalar().unwrap();
        assert_eq!(scalar.text, "{\n  \"Action\": \"*\"\n}\n");
        assert_eq!(slice(&file, policy), "{\n    \"Action\": \"*\"\n  }");
        let star = scalar.text.find('*').unwrap();
        let span = scalar.span_of(star..star + 1).unwrap();
        assert_eq!(span.start as usize, text.find('*').unwrap());
        assert_eq!(file.slice(span), "*");
    }

    #[test]
    fn a_tagged_folded_block_points_at_its_bytes() {
        let text = "P: !Sub >-\n    arn:${A}\n    /*\r\n    end\nQ: 1";
        let (file, node) = root(text);
        let scalar = node.get("P").unwrap().scalar().unwrap().clone();
        assert_eq!(scalar.text, "arn:${A} /* end");
        let at = scalar.text.find("/*").unwrap();
        assert_eq!(file.slice(scalar.span_of(at..at + 2).unwrap()), "/*");
    }

    #[test]
    fn a_byte_order_mark_counts_in_offsets() {
        let (file, node) = root("\u{feff}a: 'b'\r\nc: d\r\n");
        assert_eq!(slice(&file, node.get("a").unwrap()), "'b'");
        assert_eq!(slice(&file, node.get("c").unwrap()), "d");
    }

    #[test]
    fn non_ascii_text_does_not_shift_spans() {
        let (file, node) = root(
            "a: \"\u{1F600}\u{e9}\" # \u{1F600}\nb: *\u{e9}\n"
                .replace("*\u{e9}", "x")
                .as_str(),
        );
        assert_eq!(slice(&file, node.get("b").unwrap()), "x");
    }

    #[test]
    fn duplicate_keys_are_kept_and_told() {
        let (_, parsed) = parse("A: 1\nB: 2\nA: 3\n");
        let parsed = parsed.unwrap();
        assert_eq!(parsed.root.entries().len(), 3);
        assert_eq!(parsed.root.get("A").unwrap().text(), Some("3"));
        assert_eq!(parsed.diagnostics.len(), 1);
        assert_eq!(parsed.diagnostics[0].code, "duplicate-key");
        assert_eq!(parsed.diagnostics[0].span.unwrap().start, 10);
    }

    #[test]
    fn aliases_share_and_merge_keys_merge() {
        let (_, node) = root(
            "base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\ntwo:\n  <<: [{z: 4}, *b]\nthree: *b\n",
        );
        let one = node.get("one").unwrap();
        assert_eq!(one.get("x").unwrap().text(), Some("1"));
        assert_eq!(one.get("y").unwrap().text(), Some("3"), "explicit keys win");
        assert!(one.entry("x").unwrap().merged);
        let two = node.get("two").unwrap();
        assert_eq!(two.get("z").unwrap().text(), Some("4"));
        assert_eq!(two.get("y").unwrap().text(), Some("2"));
        assert!(Arc::ptr_eq(
            node.get("base").unwrap(),
            node.get("three").unwrap()
        ));
    }

    #[test]
    fn an_alias_bomb_is_refused_quickly() {
        let mut text = String::from("a0: &a0 [x, x, x, x]\n");
        for level in 1..40 {
            let last = level - 1;
            text.push_str(&format!(
                "a{level}: &a{level} [*a{last}, *a{last}, *a{last}, *a{last}]\n"
            ));
        }
        let (_, parsed) = parse(&text);
        let lost = parsed.unwrap_err();
        assert_eq!(lost.code, "yaml-limit");
        assert!(lost.not_parsed);
    }

    #[test]
    fn hostile_texts_take_no_time() {
        let merges = "  <<: *a\n".repeat(100_000);
        let (_, parsed) = parse(&format!("a: &a {{x: 1}}\nb:\n{merges}"));
        assert!(parsed.is_ok());
        let many: String = (0..2000).map(|n| format!("k{n}: 1, ")).collect();
        let (_, parsed) = parse(&format!("a: &a {{{many}}}\nb:\n{merges}"));
        assert_eq!(parsed.unwrap_err().code, "yaml-limit");
        let (_, parsed) = parse(&format!("a: \"x{}y\"\n", " ".repeat(1_000_000)));
        assert!(parsed.is_ok());
    }

    #[test]
    fn deep_nesting_is_refused() {
        let text = "[".repeat(200_000);
        assert!(parse(&text).1.is_err());
        let text = format!("{}x{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert!(parse(&text).1.is_ok());
        let text = format!(
            "{}x{}",
            "[".repeat(MAX_DEPTH + 1),
            "]".repeat(MAX_DEPTH + 1)
        );
        assert_eq!(parse(&text).1.unwrap_err().code, "yaml-limit");
    }

    #[test]
    fn an_alias_to_its_own_node_or_to_none_is_an_error() {
        assert_eq!(parse("a: &a [*a]").1.unwrap_err().code, "yaml-syntax");
        assert_eq!(parse("a: *b").1.unwrap_err().code, "yaml-syntax");
    }

    #[test]
    fn quoted_scalars_may_go_on_left_of_their_parent() {
        let text = "a:\n    b: '{\n   \"x\":\n\n  \"*\"\n  }'\n    c: 1\n";
        let (file, node) = root(text);
        let scalar = node.get("a").unwrap().get("b").unwrap().scalar().unwrap();
        assert_eq!(scalar.text, "{ \"x\":\n\"*\" }");
        let star = scalar.text.find('*').unwrap();
        assert_eq!(file.slice(scalar.span_of(star..star + 1).unwrap()), "*");
        assert_eq!(node.get("a").unwrap().get("c").unwrap().text(), Some("1"));
    }

    #[test]
    fn comments_may_stand_right_behind_quotes_and_brackets() {
        let text = "# top\na: 'x'#one\nb: [\"y\"#two ]\n, z]#three\nc: {d: &e 1}#\n";
        let (file, parsed) = parse(text);
        let parsed = parsed.unwrap();
        assert_eq!(parsed.root.get("a").unwrap().text(), Some("x"));
        assert_eq!(slice(&file, &parsed.root.get("b").unwrap().items()[1]), "z");
        assert_eq!(
            parsed.root.get("c").unwrap().get("d").unwrap().text(),
            Some("1")
        );
        let seen: Vec<_> = parsed.comments.iter().map(|c| file.slice(c.span)).collect();
        assert_eq!(seen, ["# top", "#one", "#two ]", "#three", "#"]);
        // PyYAML accepts none of these.
        for text in ["a: |#x\n  b\n", "a: 'x'y#z\n"] {
            assert_eq!(parse(text).1.unwrap_err().code, "yaml-syntax", "{text}");
        }
    }

    #[test]
    fn only_the_first_document_counts() {
        let (_, node) = root("---\na: 1\n---\na: 2\n");
        assert_eq!(node.get("a").unwrap().text(), Some("1"));
        let (_, node) = root("# head\n---\n---\na: 2\n");
        assert_eq!(node.get("a").unwrap().text(), Some("2"));
        let (_, node) = root("a: 1\n---\n[unclosed\n");
        assert_eq!(node.get("a").unwrap().text(), Some("1"));
    }

    #[test]
    fn comments_have_spans_and_places() {
        let (file, parsed) = parse("# top\na: 'x # no' # side\nb: |\n  # text\n");
        let comments = parsed.unwrap().comments;
        let seen: Vec<_> = comments
            .iter()
            .map(|c| (file.slice(c.span), &*c.text, c.trailing))
            .collect();
        assert_eq!(seen, [("# top", "top", false), ("# side", "side", true)]);
    }

    #[test]
    fn many_comments_in_a_row_are_read() {
        let text = format!("a:\n{}  b: 1\n", "  # c\n".repeat(5000));
        let (_, parsed) = parse(&text);
        assert_eq!(parsed.unwrap().comments.len(), 5000);
    }

    #[test]
    fn tabs_and_two_tags_are_syntax_errors() {
        assert_eq!(parse("a:\n\tb: 1\n").1.unwrap_err().code, "yaml-syntax");
        assert_eq!(
            parse("a: !Base64 !Sub x\n").1.unwrap_err().code,
            "yaml-syntax"
        );
    }
}
