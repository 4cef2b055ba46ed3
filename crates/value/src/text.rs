//! Text as a rope of literal pieces and holes, each byte with its place in a source file.
//!
//! Not for what texts mean. Invariant: literal pieces are not empty, and their segments are in
//! order and do not overlap; a byte without a segment was made by the tool.

use crate::origin::Way;
use crate::{Seg, Segs, Shape, Src, Sym, Val};
use overgrant_source::Span;
use smallvec::{SmallVec, smallvec};
use smol_str::SmolStr;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text {
    pieces: SmallVec<[Piece; 1]>,
}

/// One part of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Known characters.
    Lit(Lit),
    /// An unknown part; shared, as names and ARNs hand their holes on to every use.
    Hole(Arc<Hole>),
    /// A JSON document whose structure is known (from `jsonencode` and the like), not its text.
    Json(Val),
}

/// Known characters with their places.
#[derive(Debug, Clone, PartialEq)]
pub struct Lit {
    text: SmolStr,
    segs: Segs,
    way: Way,
}

/// An unknown part of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Hole {
    /// What it stands for.
    pub sym: Sym,
    /// What is known about its text.
    pub shape: Shape,
    /// The expression that left it open, and its uses.
    pub src: Src,
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Lit {
    /// Characters with segments (see [`Seg`]).
    #[must_use]
    pub fn new(text: impl Into<SmolStr>, segs: impl IntoIterator<Item = Seg>) -> Self {
        let text = text.into();
        let segs = Segs::new(segs, text.len());
        Self::placed(text, segs)
    }

    /// Characters with the places made for them.
    #[must_use]
    pub fn placed(text: SmolStr, segs: Segs) -> Self {
        Self {
            text,
            segs,
            way: Way::default(),
        }
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The segments in order.
    #[must_use]
    pub fn segs(&self) -> impl DoubleEndedIterator<Item = Seg> + '_ {
        self.segs.iter(self.text.len())
    }

    /// The bytes `range` of this literal with their places. A range that cuts a character gives
    /// nothing.
    #[must_use]
    pub fn slice(&self, range: std::ops::Range<usize>) -> Option<Self> {
        let text = self.text.get(range.clone())?;
        let (from, to) = (to_u32(range.start), to_u32(range.end));
        let segs = self.segs().filter_map(|seg| {
            let start = seg.at.max(from);
            let end = (seg.at + seg.len).min(to);
            (start < end).then(|| Seg {
                at: start - from,
                len: end - start,
                span: if seg.exact {
                    let first = seg.span.start + (start - seg.at);
                    Span::new(seg.span.file, first, first + (end - start))
                } else {
                    seg.span
                },
                exact: seg.exact,
            })
        });
        Some(Self {
            text: text.into(),
            segs: Segs::new(segs, text.len()),
            way: self.way.clone(),
        })
    }

    /// The same places for other characters (`upper`, `trimspace` …): exact where the length stays
    /// and `same_length_map` says that byte n comes from byte n.
    #[must_use]
    pub fn mapped(&self, text: impl Into<SmolStr>, same_length_map: bool) -> Self {
        let text = text.into();
        if same_length_map && text.len() == self.text.len() {
            return Self {
                text,
                segs: self.segs.clone(),
                way: self.way.clone(),
            };
        }
        let segs = self.span().map(|span| Segs::whole(span, false));
        Self {
            text,
            segs: segs.unwrap_or_default(),
            way: self.way.clone(),
        }
    }

    /// The source bytes from the first to the last segment, where they are in one file.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.segs()
            .map(|seg| seg.span)
            .reduce(|all, span| all.to(span))
    }

    /// Place and uses.
    #[must_use]
    pub fn src(&self) -> Src {
        self.way.at(self.span())
    }
}

impl Text {
    /// No characters.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Characters without a place.
    #[must_use]
    pub fn known(text: &str) -> Self {
        Self::from(Piece::Lit(Lit::new(text, [])))
    }

    /// Characters that stand at `span` one to one.
    #[must_use]
    pub fn exact(text: &str, span: Span) -> Self {
        Self::placed(text, span, true)
    }

    /// Characters that come from `span`, but are not its bytes.
    #[must_use]
    pub fn derived(text: &str, span: Span) -> Self {
        Self::placed(text, span, false)
    }

    fn placed(text: &str, span: Span, exact: bool) -> Self {
        let exact = exact && span.len() as usize == text.len();
        Self::from(Piece::Lit(Lit::placed(
            text.into(),
            Segs::whole(span, exact),
        )))
    }

    /// One hole.
    #[must_use]
    pub fn hole(sym: Sym, src: Src) -> Self {
        Self::from(Piece::Hole(Arc::new(Hole {
            shape: sym.shape(),
            sym,
            src,
        })))
    }

    /// A JSON document.
    #[must_use]
    pub fn json(val: Val) -> Self {
        Self::from(Piece::Json(val))
    }

    /// The pieces in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Adds a piece; an empty literal is dropped.
    pub fn push(&mut self, piece: Piece) {
        if !matches!(&piece, Piece::Lit(lit) if lit.text.is_empty()) {
            self.pieces.push(piece);
        }
    }

    /// Adds all pieces of `other`.
    pub fn append(&mut self, other: &Self) {
        self.pieces.extend(other.pieces.iter().cloned());
    }

    /// The pieces of both.
    #[must_use]
    pub fn concat(mut self, other: &Self) -> Self {
        self.append(other);
        self
    }

    /// Whether no part is open.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.pieces
            .iter()
            .all(|piece| matches!(piece, Piece::Lit(_)))
    }

    /// Known bytes; what stands for a hole or a document counts as one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Lit(lit) => lit.text.len(),
                Piece::Hole(_) | Piece::Json(_) => 1,
            })
            .sum()
    }

    /// Whether there are no characters at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The characters, if all are known.
    #[must_use]
    pub fn as_known(&self) -> Option<SmolStr> {
        match self.pieces.as_slice() {
            [] => Some(SmolStr::default()),
            [Piece::Lit(lit)] => Some(lit.text.clone()),
            pieces => {
                let mut all = String::new();
                for piece in pieces {
                    let Piece::Lit(lit) = piece else { return None };
                    all.push_str(&lit.text);
                }
                Some(all.into())
            }
        }
    }

    /// The characters, if all are known, where they stand if that is one place.
    #[must_use]
    pub fn known_str(&self) -> Option<Cow<'_, str>> {
        match self.pieces.as_slice() {
            [Piece::Lit(lit)] => Some(Cow::Borrowed(&lit.text)),
            _ => self
                .as_known()
                .map(|text| Cow::Owned(text.as_str().to_owned())),
        }
    }

    /// Whether the text is known and equals `text`.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        let mut rest = text;
        for piece in &self.pieces {
            let Piece::Lit(lit) = piece else { return false };
            let Some(after) = rest.strip_prefix(lit.as_str()) else {
                return false;
            };
            rest = after;
        }
        rest.is_empty()
    }

    /// The one JSON document this text is, if it is just that.
    #[must_use]
    pub fn as_json(&self) -> Option<&Val> {
        match self.pieces.as_slice() {
            [Piece::Json(val)] => Some(val),
            _ => None,
        }
    }

    /// The holes in order.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Hole(hole) => Some(&**hole),
            _ => None,
        })
    }

    /// A key that is equal for two texts exactly if they have the same characters and the same
    /// holes: literals with `$` and `\` escaped, holes as `${…}`. For linking and fingerprints,
    /// not for people.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Lit(lit) => {
                    for c in lit.text.chars() {
                        if matches!(c, '$' | '\\') {
                            key.push('\\');
                        }
                        key.push(c);
                    }
                }
                Piece::Hole(hole) => {
                    let _ = fmt::Write::write_fmt(&mut key, format_args!("${{{:?}}}", hole.sym));
                }
                Piece::Json(val) => key.push_str(&crate::json::to_key(val)),
            }
        }
        key
    }

    /// Whether both have the same characters and the same holes, as [`Text::key`] tells it.
    #[must_use]
    pub fn same_text(&self, other: &Self) -> bool {
        let has_json = |text: &Self| {
            text.pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Json(_)))
        };
        if !has_json(self) && !has_json(other) {
            return same_pieces(&self.pieces, &other.pieces);
        }
        // A document equals a text that spells it the canonical way.
        let pairs = self.pieces.len() == other.pieces.len()
            && self
                .pieces
                .iter()
                .zip(&other.pieces)
                .all(|pair| match pair {
                    (Piece::Lit(a), Piece::Lit(b)) => a.text == b.text,
                    (Piece::Hole(a), Piece::Hole(b)) => a.sym == b.sym,
                    (Piece::Json(a), Piece::Json(b)) => a.same_data(b),
                    _ => false,
                });
        pairs || self.key() == other.key()
    }

    /// The bounding source span of all that has a place in the file of the first placed piece.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let mut all: Option<Span> = None;
        for piece in &self.pieces {
            let span = match piece {
                Piece::Lit(lit) => lit.span(),
                Piece::Hole(hole) => hole.src.span,
                Piece::Json(val) => val.span(),
            };
            all = match (all, span) {
                (Some(all), Some(span)) => Some(all.to(span)),
                (all, span) => all.or(span),
            };
        }
        all
    }

    /// The source of the bytes `range`, counted over the literals of a fully known text: the span
    /// of the first segment that is hit, widened to the others in its file.
    #[must_use]
    pub fn src_of(&self, range: std::ops::Range<usize>) -> Option<Src> {
        let mut at = 0;
        let mut found: Option<Src> = None;
        for piece in &self.pieces {
            let Piece::Lit(lit) = piece else { return found };
            let end = at + lit.text.len();
            let from = range.start.max(at);
            let to = range.end.min(end);
            if from < to
                && let Some(part) = lit.slice(from - at..to - at)
            {
                let src = part.src();
                found = Some(match found {
                    None => src,
                    Some(known) => {
                        let span = match (known.span, src.span) {
                            (Some(a), Some(b)) => Some(a.to(b)),
                            (a, b) => a.or(b),
                        };
                        known.with_span(span)
                    }
                });
            }
            at = end;
        }
        found
    }

    /// The same text, every piece with the uses of its container added.
    #[must_use]
    pub fn under(&self, container: &Src) -> Self {
        if container.is_local() {
            return self.clone();
        }
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Lit(lit) => {
                let mut lit = lit.clone();
                lit.way = lit.way.under(container);
                Piece::Lit(lit)
            }
            Piece::Hole(hole) => {
                let src = hole.src.under(container);
                if src == hole.src {
                    return piece.clone();
                }
                Piece::Hole(Arc::new(Hole {
                    src,
                    ..(**hole).clone()
                }))
            }
            Piece::Json(val) => Piece::Json(val.with_src(val.src().under(container))),
        });
        Self {
            pieces: pieces.collect(),
        }
    }
}

/// Whether the pieces, none of them a document, give the same text however literals are cut.
fn same_pieces(a: &[Piece], b: &[Piece]) -> bool {
    let (mut a, mut b) = (a.iter(), b.iter());
    let (mut left, mut right) = ("", "");
    let (mut here, mut there): (Option<&Sym>, Option<&Sym>) = (None, None);
    loop {
        while left.is_empty() && here.is_none() {
            match a.next() {
                Some(Piece::Lit(lit)) => left = lit.as_str(),
                Some(Piece::Hole(hole)) => here = Some(&hole.sym),
                Some(Piece::Json(_)) => return false,
                None => break,
            }
        }
        while right.is_empty() && there.is_none() {
            match b.next() {
                Some(Piece::Lit(lit)) => right = lit.as_str(),
                Some(Piece::Hole(hole)) => there = Some(&hole.sym),
                Some(Piece::Json(_)) => return false,
                None => break,
            }
        }
        match (here, there) {
            (None, None) if left.is_empty() && right.is_empty() => return true,
            (None, None) => {}
            (Some(x), Some(y)) if x == y => {
                (here, there) = (None, None);
                continue;
            }
            _ => return false,
        }
        let common = left.len().min(right.len());
        let (Some(x), Some(y)) = (
            left.as_bytes().get(..common),
            right.as_bytes().get(..common),
        ) else {
            return false;
        };
        // Equal bytes end at a character's end in both or in none.
        let (Some(after_left), Some(after_right)) = (left.get(common..), right.get(common..))
        else {
            return false;
        };
        if common == 0 || x != y {
            return false;
        }
        left = after_left;
        right = after_right;
    }
}

impl From<Piece> for Text {
    fn from(piece: Piece) -> Self {
        let mut text = Self::empty();
        text.push(piece);
        text
    }
}

impl FromIterator<Piece> for Text {
    fn from_iter<I: IntoIterator<Item = Piece>>(pieces: I) -> Self {
        let mut text = Self {
            pieces: smallvec![],
        };
        for piece in pieces {
            text.push(piece);
        }
        text
    }
}

impl fmt::Display for Text {
    /// For people: literals as they are, holes as `${name}`, documents as JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Lit(lit) => f.write_str(&lit.text)?,
                Piece::Hole(hole) => write!(f, "${{{}}}", hole.sym)?,
                Piece::Json(val) => f.write_str(&crate::json::to_string(val))?,
            }
        }
        Ok(())
    }
}
