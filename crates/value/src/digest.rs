//! Fixed-size digests of values, by which the arguments of calls that were not evaluated are told
//! apart.
//!
//! Not for equality of values that are at hand ([`Val::same_data`]) nor for fingerprints. Invariant:
//! the digest does not depend on places, and each shared value is gone through once.

use crate::{Data, Piece, Sym, Text, Val, json};
use smol_str::{SmolStr, format_smolstr};
use std::hash::{DefaultHasher, Hash as _, Hasher};

/// 128 bits, so that equal digests of different values need not be feared.
pub(crate) type Digest = [u64; 2];

/// Longest canonical text of an argument that is kept as it is, in bytes.
const MAX_ARGUMENT: usize = 200;
/// Most nodes of a value whose canonical text is written at all.
const MAX_NODES: usize = 16;

/// Two hashes of one stream.
struct Wide(DefaultHasher, DefaultHasher);

impl Wide {
    fn new() -> Self {
        let mut second = DefaultHasher::new();
        second.write_u8(1);
        Self(DefaultHasher::new(), second)
    }

    fn digest(&self) -> Digest {
        [self.0.finish(), self.1.finish()]
    }
}

impl Hasher for Wide {
    fn finish(&self) -> u64 {
        self.0.finish()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
        self.1.write(bytes);
    }
}

pub(crate) fn of_data(data: &Data) -> Digest {
    let mut hasher = Wide::new();
    std::mem::discriminant(data).hash(&mut hasher);
    match data {
        Data::Null(_) => {}
        Data::Bool(value) => value.hash(&mut hasher),
        Data::Num(num) => num.hash(&mut hasher),
        Data::Str(text) => hash_text(text, &mut hasher),
        Data::Seq(seq) => {
            seq.items.len().hash(&mut hasher);
            for item in &seq.items {
                item.digest().hash(&mut hasher);
            }
        }
        Data::Map(map) => {
            map.entries.len().hash(&mut hasher);
            for entry in &map.entries {
                hash_text(&entry.key, &mut hasher);
                entry.val.digest().hash(&mut hasher);
            }
        }
        Data::Unknown(unknown) => unknown.sym.hash(&mut hasher),
        Data::OneOf(alts) => {
            alts.len().hash(&mut hasher);
            for alt in alts {
                alt.guard.hash(&mut hasher);
                alt.val.digest().hash(&mut hasher);
            }
        }
    }
    hasher.digest()
}

/// Literals are hashed byte by byte, so that the cut into pieces does not count.
fn hash_text(text: &Text, hasher: &mut Wide) {
    for piece in text.pieces() {
        match piece {
            Piece::Lit(lit) => hasher.write(lit.as_str().as_bytes()),
            Piece::Hole(hole) => {
                hasher.write_u8(0xff);
                hole.sym.hash(hasher);
            }
            Piece::Json(val) => {
                hasher.write_u8(0xfe);
                val.digest().hash(hasher);
            }
        }
    }
    hasher.write_u8(0xfd);
}

fn shown(digest: Digest) -> SmolStr {
    let [a, b] = digest;
    format_smolstr!("#{a:016x}{b:016x}")
}

/// A canonical text as it is, or the digest of a long one.
fn bounded(text: String) -> SmolStr {
    if text.len() <= MAX_ARGUMENT {
        return text.into();
    }
    let mut hasher = Wide::new();
    hasher.write(text.as_bytes());
    shown(hasher.digest())
}

fn is_small(val: &Val, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    match val.data() {
        Data::Seq(seq) => seq.items.iter().all(|item| is_small(item, left)),
        Data::Map(map) => map.entries.iter().all(|entry| is_small(&entry.val, left)),
        Data::OneOf(alts) => alts.iter().all(|alt| is_small(&alt.val, left)),
        Data::Str(text) => text.pieces().iter().all(|piece| match piece {
            Piece::Lit(lit) => lit.as_str().len() <= MAX_ARGUMENT,
            Piece::Hole(_) => true,
            Piece::Json(val) => is_small(val, left),
        }),
        _ => true,
    }
}

impl Sym {
    /// The result of a call that was not evaluated. The canonical text of a long argument is
    /// replaced by a digest, so that calls within calls do not grow.
    #[must_use]
    pub fn call(name: impl Into<SmolStr>, args: &[&Val]) -> Self {
        let parts: Vec<SmolStr> = args
            .iter()
            .map(|arg| {
                let mut left = MAX_NODES;
                if is_small(arg, &mut left) {
                    bounded(json::to_key(arg))
                } else {
                    shown(arg.digest())
                }
            })
            .collect();
        Self::Call {
            name: name.into(),
            args: parts.join(",").into(),
        }
    }

    /// A change of text that was not evaluated, of what this symbol stands for.
    #[must_use]
    pub fn changed_by(&self, name: impl Into<SmolStr>) -> Self {
        Self::Call {
            name: name.into(),
            args: bounded(format!("{self:?}")),
        }
    }

    /// The member `step` of something unknown that is not addressed by a path.
    #[must_use]
    pub fn member(&self, step: &str) -> Self {
        let of = bounded(format!("{self:?}"));
        Self::Call {
            name: "[]".into(),
            args: format_smolstr!("{of},{step}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Src;

    #[test]
    fn calls_within_calls_stay_short_and_apart() {
        let mut a = Val::unknown(Sym::Account, Src::none());
        let mut b = Val::unknown(Sym::Region, Src::none());
        for _ in 0..50 {
            a = Val::unknown(Sym::call("f", &[&a, &a]), Src::none());
            b = Val::unknown(Sym::call("f", &[&b, &b]), Src::none());
        }
        let (Data::Unknown(x), Data::Unknown(y)) = (a.data(), b.data()) else {
            panic!("both are unknown");
        };
        assert_ne!(x.sym, y.sym);
        assert!(format!("{:?}", x.sym).len() < 1_000);
        let mut sym = Sym::Account;
        for _ in 0..50 {
            sym = sym.member("x");
        }
        assert!(format!("{sym:?}").len() < 1_000);
    }

    #[test]
    fn shared_values_are_gone_through_once() {
        let mut val = Val::unknown(Sym::Account, Src::none());
        for _ in 0..60 {
            val = Val::tuple(vec![val.clone(), val], Src::none());
        }
        assert_eq!(Sym::call("f", &[&val]), Sym::call("f", &[&val]));
        assert!(val.same_data(&val.clone()));
    }

    #[test]
    fn places_and_cuts_do_not_count() {
        let long = "x".repeat(MAX_ARGUMENT + 1);
        let whole = Val::text(Text::known(&format!("{long}yz")), Src::none());
        let cut = Text::known(&format!("{long}y")).concat(&Text::known("z"));
        let cut = Val::text(cut, Src::none());
        assert_eq!(Sym::call("f", &[&whole]), Sym::call("f", &[&cut]));
        assert!(whole.same_data(&cut));
    }
}
