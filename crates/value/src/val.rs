//! The value itself: shared, immutable, cheap to clone.
//!
//! Not for evaluation, which is a front end's. Invariant: a `OneOf` has 2 to 8 alternatives, none
//! of them a `OneOf`, each with a guard that can hold.

use crate::digest::{Digest, of_data};
use crate::size::Size;
use crate::{Guard, Map, Num, Src, Sym, Text, Ty};
use overgrant_source::Span;
use smallvec::{SmallVec, smallvec};
use smol_str::SmolStr;
use std::sync::{Arc, OnceLock};

/// A value with its origin. The contents are shared by all its uses, which differ in origin and marks
/// only.
#[derive(Debug, Clone)]
pub struct Val {
    body: Arc<Body>,
    src: Src,
    marks: Marks,
}

#[derive(Debug)]
struct Body {
    data: Data,
    size: Size,
    /// Boxed, as few values are asked for it.
    digest: OnceLock<Box<Digest>>,
}

impl PartialEq for Val {
    /// Contents with all places, origin and marks.
    fn eq(&self, other: &Self) -> bool {
        self.marks == other.marks
            && self.src == other.src
            && (self.shares_data(other) || self.data() == other.data())
    }
}

/// The contents of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Null of a type.
    Null(Ty),
    /// Truth value.
    Bool(bool),
    /// Number.
    Num(Num),
    /// Text, possibly with holes.
    Str(Text),
    /// Tuple, list or set.
    Seq(Seq),
    /// Object or map.
    Map(Map),
    /// Nothing is known but, perhaps, the type; boxed, as it is larger than all others.
    Unknown(Box<Unknown>),
    /// One of several values, each under a guard.
    OneOf(Vec<Alt>),
}

/// One alternative.
#[derive(Debug, Clone, PartialEq)]
pub struct Alt {
    /// When it holds.
    pub guard: Guard,
    /// The value then.
    pub val: Val,
}

/// What kind of sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SeqKind {
    /// Fixed length, any types.
    Tuple,
    /// One element type.
    List,
    /// One element type, sorted, distinct.
    Set,
}

/// A tuple, list or set.
#[derive(Debug, Clone, PartialEq)]
pub struct Seq {
    /// The kind.
    pub kind: SeqKind,
    /// Element type of lists and sets; [`Ty::Dyn`] for tuples.
    pub elem: Ty,
    /// The elements in order.
    pub items: Vec<Val>,
}

/// A value of which nothing is known but its source and, perhaps, its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Unknown {
    /// What it stands for.
    pub sym: Sym,
    /// Its type; [`Ty::Dyn`] where that is open too.
    pub ty: Ty,
    /// Whether it is surely not null.
    pub not_null: bool,
}

/// Facts that ride on a value: a set of flags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Marks(u8);

impl Marks {
    /// No mark.
    pub const NONE: Self = Self(0);
    /// Never to be shown.
    pub const SENSITIVE: Self = Self(1);
    /// Exists during one run only.
    pub const EPHEMERAL: Self = Self(2);
    /// Comes from the default of a variable or parameter.
    pub const FROM_DEFAULT: Self = Self(4);
    /// Exists for some inputs only (unknown `count`, `for_each`).
    pub const MAYBE: Self = Self(8);

    /// Whether all flags of `other` are set.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Without the flags of `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// Most alternatives a `OneOf` keeps; more become unknown.
const MOST_ALTERNATIVES: usize = 8;

impl Val {
    /// A value with its origin.
    #[must_use]
    pub fn new(data: Data, src: Src) -> Self {
        Self {
            body: Arc::new(Body {
                size: Size::of(&data),
                data,
                digest: OnceLock::new(),
            }),
            src,
            marks: Marks::NONE,
        }
    }

    /// How large the value is.
    #[must_use]
    pub fn size(&self) -> Size {
        self.body.size
    }

    /// Null without a type.
    #[must_use]
    pub fn null(src: Src) -> Self {
        Self::new(Data::Null(Ty::Dyn), src)
    }

    /// A truth value.
    #[must_use]
    pub fn bool(value: bool, src: Src) -> Self {
        Self::new(Data::Bool(value), src)
    }

    /// A whole number.
    #[must_use]
    pub fn int(value: i64, src: Src) -> Self {
        Self::new(Data::Num(Num::int(value.into())), src)
    }

    /// Known text without inner positions (the whole of `src` stands for it).
    #[must_use]
    pub fn str(value: &str, src: Src) -> Self {
        let text = match src.span {
            Some(span) => Text::derived(value, span),
            None => Text::known(value),
        };
        Self::new(Data::Str(text), src)
    }

    /// A text.
    #[must_use]
    pub fn text(text: Text, src: Src) -> Self {
        Self::new(Data::Str(text), src)
    }

    /// A tuple.
    #[must_use]
    pub fn tuple(items: Vec<Self>, src: Src) -> Self {
        Self::new(
            Data::Seq(Seq {
                kind: SeqKind::Tuple,
                elem: Ty::Dyn,
                items,
            }),
            src,
        )
    }

    /// An object with known keys, written by the tool.
    #[must_use]
    pub fn object(entries: Vec<(&str, Self)>, src: Src) -> Self {
        let entries = entries
            .into_iter()
            .map(|(key, val)| crate::Entry {
                key: Text::known(key),
                key_src: src.clone(),
                val,
            })
            .collect();
        Self::new(Data::Map(Map::object(entries)), src)
    }

    /// An unknown value of an open type.
    #[must_use]
    pub fn unknown(sym: Sym, src: Src) -> Self {
        Self::unknown_of(sym, Ty::Dyn, src)
    }

    /// An unknown value of a type.
    #[must_use]
    pub fn unknown_of(sym: Sym, ty: Ty, src: Src) -> Self {
        Self::new(
            Data::Unknown(Box::new(Unknown {
                sym,
                ty,
                not_null: false,
            })),
            src,
        )
    }

    /// Unknown for a reason in words, at a place.
    #[must_use]
    pub fn unknown_because(what: impl Into<SmolStr>, at: Option<Span>) -> Self {
        let src = at.map_or_else(Src::none, Src::at);
        Self::unknown(
            Sym::Other {
                what: what.into(),
                at,
            },
            src,
        )
    }

    /// Alternatives under guards: nested ones are flattened, contradictory ones dropped, equal data
    /// under complementary guards merged. One survivor that holds always is returned as it is; none
    /// or too many give an unknown value that says `what`.
    #[must_use]
    pub fn one_of(alternatives: Vec<(Guard, Self)>, what: &str, src: Src) -> Self {
        if let [(guard, val)] = alternatives.as_slice()
            && guard.is_always()
            && !matches!(val.data(), Data::OneOf(_))
        {
            return val.clone();
        }
        let mut flat: Vec<Alt> = Vec::new();
        for (guard, val) in alternatives {
            for (inner, val) in val.alternatives() {
                if let Some(guard) = guard.and(&inner)
                    && !flat.iter().any(|alt| alt.guard == guard && alt.val == val)
                {
                    flat.push(Alt { guard, val });
                }
            }
        }
        let same = flat
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.val.same_data(&b.val)));
        if flat.len() > MOST_ALTERNATIVES || flat.is_empty() {
            return Self::unknown_because(what, src.span);
        }
        match flat.first() {
            Some(first) if flat.len() > 1 && same => first.val.clone(),
            Some(first) if flat.len() == 1 && first.guard.is_always() => first.val.clone(),
            _ => Self::new(Data::OneOf(flat), src),
        }
    }

    /// The contents.
    #[must_use]
    pub fn data(&self) -> &Data {
        &self.body.data
    }

    /// The origin.
    #[must_use]
    pub fn src(&self) -> &Src {
        &self.src
    }

    /// The bytes that wrote it.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.src.span
    }

    /// The marks on this node (not those of its members).
    #[must_use]
    pub fn marks(&self) -> Marks {
        self.marks
    }

    /// The same value with more marks.
    #[must_use]
    pub fn marked(&self, marks: Marks) -> Self {
        if self.marks.has(marks) {
            return self.clone();
        }
        Self {
            marks: self.marks.with(marks),
            ..self.clone()
        }
    }

    /// The same value without marks of `marks`.
    #[must_use]
    pub fn unmarked(&self, marks: Marks) -> Self {
        if self.marks.without(marks) == self.marks {
            return self.clone();
        }
        Self {
            marks: self.marks.without(marks),
            ..self.clone()
        }
    }

    /// The same value after one more use.
    #[must_use]
    pub fn through(&self, span: Span, label: impl Into<SmolStr>) -> Self {
        self.with_src(self.src.through(span, label))
    }

    /// The same value with the uses of the value that contained it added.
    #[must_use]
    pub fn under(&self, container: &Self) -> Self {
        let marks = self.marks.with(container.marks);
        if container.src.is_local() && marks == self.marks {
            return self.clone();
        }
        Self {
            body: Arc::clone(&self.body),
            src: self.src.under(&container.src),
            marks,
        }
    }

    /// The same contents with another origin.
    #[must_use]
    pub fn with_src(&self, src: Src) -> Self {
        Self {
            body: Arc::clone(&self.body),
            src,
            marks: self.marks,
        }
    }

    /// Whether both are uses of one value.
    fn shares_data(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.body, &other.body)
    }

    /// Whether the contents are equal, places aside.
    #[must_use]
    pub fn same_data(&self, other: &Self) -> bool {
        if self.shares_data(other) {
            return true;
        }
        match (self.data(), other.data()) {
            (Data::Null(_), Data::Null(_)) => true,
            (Data::Bool(a), Data::Bool(b)) => a == b,
            (Data::Num(a), Data::Num(b)) => a == b,
            (Data::Str(a), Data::Str(b)) => a.same_text(b),
            (Data::Seq(a), Data::Seq(b)) => {
                a.items.len() == b.items.len()
                    && a.items.iter().zip(&b.items).all(|(a, b)| a.same_data(b))
            }
            (Data::Map(a), Data::Map(b)) => {
                a.entries.len() == b.entries.len()
                    && a.entries
                        .iter()
                        .zip(&b.entries)
                        .all(|(a, b)| a.key.same_text(&b.key) && a.val.same_data(&b.val))
            }
            (Data::Unknown(a), Data::Unknown(b)) => a.sym == b.sym,
            (Data::OneOf(a), Data::OneOf(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .zip(b)
                        .all(|(a, b)| a.guard == b.guard && a.val.same_data(&b.val))
            }
            _ => false,
        }
    }

    /// A digest of the contents, equal for contents that are equal piece by piece. It is computed
    /// once for all uses of a value.
    pub(crate) fn digest(&self) -> Digest {
        **self
            .body
            .digest
            .get_or_init(|| Box::new(of_data(&self.body.data)))
    }

    /// The alternatives with their guards; one that always holds for a plain value. Uses and marks
    /// of the `OneOf` are added to each.
    #[must_use]
    pub fn alternatives(&self) -> SmallVec<[(Guard, Self); 1]> {
        match self.data() {
            Data::OneOf(alts) => alts
                .iter()
                .map(|alt| (alt.guard.clone(), alt.val.under(self)))
                .collect(),
            _ => smallvec![(Guard::always(), self.clone())],
        }
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.data(), Data::Null(_))
    }

    /// Whether nothing is known of it.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self.data(), Data::Unknown(_))
    }

    /// Fully known text.
    #[must_use]
    pub fn as_str(&self) -> Option<SmolStr> {
        match self.data() {
            Data::Str(text) => text.as_known(),
            _ => None,
        }
    }

    /// Known truth value; the texts `true` and `false` count, as every format here accepts them.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.data() {
            Data::Bool(value) => Some(*value),
            Data::Str(text) => match text.as_known()?.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// Known whole number; decimal text counts.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.data() {
            Data::Num(num) => num.to_i64(),
            Data::Str(text) => Num::parse(&text.as_known()?)?.to_i64(),
            _ => None,
        }
    }

    /// The object or map.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match self.data() {
            Data::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The elements of a sequence.
    #[must_use]
    pub fn as_items(&self) -> Option<&[Self]> {
        match self.data() {
            Data::Seq(seq) => Some(&seq.items),
            _ => None,
        }
    }

    /// The member `key` of an object or map, with the uses of the container added.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Self> {
        self.as_map()?.get(key).map(|val| val.under(self))
    }

    /// The member at a path of known keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<Self> {
        let mut val = self.clone();
        for key in path {
            val = val.get(key)?;
        }
        Some(val)
    }

    /// The value as text: text as it is, scalars in their usual spelling, unknown as a hole,
    /// `None` for null, containers and alternatives.
    #[must_use]
    pub fn to_text(&self) -> Option<Text> {
        let spelled = |text: &str| match self.span() {
            Some(span) => Text::derived(text, span),
            None => Text::known(text),
        };
        match self.data() {
            Data::Str(text) => Some(text.under(self.src())),
            Data::Bool(value) => Some(spelled(if *value { "true" } else { "false" })),
            Data::Num(num) => Some(spelled(&num.to_string())),
            Data::Unknown(unknown) => Some(Text::hole(unknown.sym.clone(), self.src().clone())),
            Data::Null(_) | Data::Seq(_) | Data::Map(_) | Data::OneOf(_) => None,
        }
    }

    /// The value as a list of elements: a sequence's elements, or the value itself; null gives
    /// none. Uses of the container are added. Policies write many lists as scalars.
    #[must_use]
    pub fn listed(&self) -> SmallVec<[Self; 1]> {
        match self.data() {
            Data::Null(_) => SmallVec::new(),
            Data::Seq(seq) => seq.items.iter().map(|item| item.under(self)).collect(),
            _ => smallvec![self.clone()],
        }
    }
}
