//! Under which values of parameters and conditions an alternative holds.
//!
//! Not a solver: a conjunction of simple atoms, enough for `Fn::If`, `?:` and unknown `count`.
//! Invariant: atoms are sorted and distinct, and no guard that exists contradicts itself.

use smol_str::SmolStr;
use std::fmt;

/// What an atom says about its subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// The subject equals this literal.
    Is(SmolStr),
    /// The subject differs from this literal.
    IsNot(SmolStr),
    /// The subject, a condition, is true.
    Holds,
    /// The subject, a condition, is false.
    Fails,
}

/// One elementary statement, e.g. `Env = prod` or `HasOidc`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Atom {
    /// What is spoken of, as the user writes it: `var.env`, `parameter Env`, `condition HasOidc`.
    pub subject: SmolStr,
    /// What is said.
    pub relation: Relation,
}

/// A conjunction of atoms; the empty one always holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guard {
    atoms: Vec<Atom>,
}

impl Guard {
    /// Holds always.
    #[must_use]
    pub fn always() -> Self {
        Self::default()
    }

    /// Holds when the one atom does.
    #[must_use]
    pub fn atom(subject: impl Into<SmolStr>, relation: Relation) -> Self {
        Self {
            atoms: vec![Atom {
                subject: subject.into(),
                relation,
            }],
        }
    }

    /// Whether it holds always.
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.atoms.is_empty()
    }

    /// The atoms, sorted.
    #[must_use]
    pub fn atoms(&self) -> &[Atom] {
        &self.atoms
    }

    /// Both together; `None` where they contradict each other.
    #[must_use]
    pub fn and(&self, other: &Self) -> Option<Self> {
        let mut atoms = self.atoms.clone();
        for atom in &other.atoms {
            if atoms.iter().any(|known| contradict(known, atom)) {
                return None;
            }
            if let Err(at) = atoms.binary_search(atom) {
                atoms.insert(at, atom.clone());
            }
        }
        Some(Self { atoms })
    }

    /// What is left to say where `other` holds: the atoms that it does not imply.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut atoms = self.atoms.clone();
        atoms.retain(|atom| !other.implies(atom));
        Self { atoms }
    }

    /// Whether this guard holds wherever `other` does.
    #[must_use]
    pub fn implied_by(&self, other: &Self) -> bool {
        self.atoms.iter().all(|atom| other.implies(atom))
    }

    fn implies(&self, atom: &Atom) -> bool {
        self.atoms.iter().any(|known| {
            known == atom
                || (known.subject == atom.subject
                    && matches!((&known.relation, &atom.relation),
                        (Relation::Is(is), Relation::IsNot(not)) if is != not))
        })
    }
}

fn contradict(a: &Atom, b: &Atom) -> bool {
    use Relation::{Fails, Holds, Is, IsNot};
    a.subject == b.subject
        && match (&a.relation, &b.relation) {
            (Is(x), Is(y)) => x != y,
            (Is(x), IsNot(y)) | (IsNot(x), Is(y)) => x == y,
            (Holds, Fails) | (Fails, Holds) => true,
            _ => false,
        }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.relation {
            Relation::Is(value) if value.is_empty() => write!(f, "{} is empty", self.subject),
            Relation::IsNot(value) if value.is_empty() => {
                write!(f, "{} is not empty", self.subject)
            }
            Relation::Is(value) => write!(f, "{} = {value}", self.subject),
            Relation::IsNot(value) => write!(f, "{} is not {value}", self.subject),
            Relation::Holds => write!(f, "{}", self.subject),
            Relation::Fails => write!(f, "not {}", self.subject),
        }
    }
}

impl fmt::Display for Guard {
    /// The atoms joined by "and"; nothing for the guard that always holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, atom) in self.atoms.iter().enumerate() {
            if index > 0 {
                f.write_str(" and ")?;
            }
            write!(f, "{atom}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_have_no_guard() {
        let prod = Guard::atom("Env", Relation::Is("prod".into()));
        let dev = Guard::atom("Env", Relation::Is("dev".into()));
        let not_dev = Guard::atom("Env", Relation::IsNot("dev".into()));
        let on = Guard::atom("On", Relation::Holds);
        let off = Guard::atom("On", Relation::Fails);
        assert_eq!(prod.and(&dev), None);
        assert_eq!(not_dev.and(&dev), None);
        assert_eq!(on.and(&off), None);
        assert_eq!(prod.and(&prod), Some(prod.clone()));
        assert_eq!(prod.and(&on).unwrap().to_string(), "Env = prod and On");
        assert!(not_dev.implied_by(&prod));
        assert!(!prod.implied_by(&not_dev));
        assert!(Guard::always().implied_by(&prod));
        for (relation, words) in [
            (Relation::Is(SmolStr::default()), "Env is empty"),
            (Relation::IsNot(SmolStr::default()), "Env is not empty"),
        ] {
            assert_eq!(Guard::atom("Env", relation).to_string(), words);
        }
    }
}
