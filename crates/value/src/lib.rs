//! The evaluated value: typed, partly unknown, every leaf with its place and the way it came.
//!
//! Front ends of every format evaluate to a [`Val`]; a policy is read from a [`Val`] once, whatever
//! its origin. Not for: formats and IAM, which this crate does not know.
//! Invariant: what is not known is an [`Unknown`], a [`Hole`] in a [`Text`] or a [`Data::OneOf`],
//! never an empty string, a dropped element or a guessed constant.

mod answer;
mod assume;
mod digest;
mod guard;
pub mod json;
mod map;
mod num;
mod origin;
mod ropes;
mod segs;
mod size;
mod sym;
mod text;
mod ty;
mod val;

pub use answer::Answer;
pub use guard::{Atom, Guard, Relation};
pub use map::{Entry, Map, MapKind};
pub use num::Num;
pub use origin::{Hop, Src};
pub use segs::{Seg, Segs};
pub use size::Size;
pub use sym::{Shape, Sym};
pub use text::{Hole, Lit, Piece, Text};
pub use ty::{Field, Ty};
pub use val::{Alt, Data, Marks, Seq, SeqKind, Unknown, Val};
