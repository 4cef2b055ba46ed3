//! How large a value is with everything that it shares written out.
//!
//! Values share their parts, so that a few lines can stand for more nodes than any memory holds. What
//! goes through a whole value asks this first. Invariant: sizes are sums of what the parts remember,
//! and stop at the largest number instead of wrapping.

use crate::{Data, Piece, Text, Val};

/// The size of a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// One for each node, and one more for every 64 bytes of known text.
    pub weight: u32,
    /// How deep nodes stand in each other; 1 for a value without members.
    pub depth: u16,
    /// Whether the value or a part of it is one of several.
    pub choices: bool,
}

impl Size {
    /// The size of a node with these contents.
    pub(crate) fn of(data: &Data) -> Self {
        let below = match data {
            Data::Null(_) | Data::Bool(_) | Data::Num(_) | Data::Unknown(_) => Self::default(),
            Data::Str(text) => Self::of_text(text),
            Data::Seq(seq) => all(seq.items.iter().map(Val::size)),
            Data::Map(map) => all(map.entries.iter().map(|entry| {
                let key = Self::of_text(&entry.key);
                entry.val.size().beside(key)
            })),
            Data::OneOf(alts) => Self {
                choices: true,
                ..all(alts.iter().map(|alt| alt.val.size()))
            },
        };
        Self {
            weight: below.weight.saturating_add(1),
            depth: below.depth.saturating_add(1),
            choices: below.choices,
        }
    }

    fn of_text(text: &Text) -> Self {
        all(text.pieces().iter().map(|piece| match piece {
            Piece::Lit(lit) => Self {
                weight: u32::try_from(lit.as_str().len() / 64).unwrap_or(u32::MAX),
                ..Self::default()
            },
            Piece::Hole(_) => Self::default(),
            Piece::Json(val) => val.size(),
        }))
    }

    fn beside(self, other: Self) -> Self {
        Self {
            weight: self.weight.saturating_add(other.weight),
            depth: self.depth.max(other.depth),
            choices: self.choices | other.choices,
        }
    }
}

fn all(sizes: impl Iterator<Item = Size>) -> Size {
    sizes.fold(Size::default(), Size::beside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Src;

    #[test]
    fn what_is_shared_counts_each_time() {
        let text = Val::str(&"x".repeat(640), Src::none());
        assert_eq!((text.size().weight, text.size().depth), (11, 1));
        let mut val = Val::object(vec![("a", text)], Src::none());
        assert_eq!((val.size().weight, val.size().depth), (12, 2));
        let document = Val::text(Text::json(val.clone()), Src::none());
        assert_eq!((document.size().weight, document.size().depth), (13, 3));
        for _ in 0..64 {
            val = Val::tuple(vec![val.clone(), val], Src::none());
        }
        assert_eq!((val.size().weight, val.size().depth), (u32::MAX, 66));
    }
}
