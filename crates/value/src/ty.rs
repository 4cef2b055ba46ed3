//! The types of values, as Terraform has them; the other formats use a part of them.
//!
//! Not for conversion rules, which belong to the front end. Invariant: object fields are sorted.

use smol_str::SmolStr;

/// One attribute of an object type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// Attribute name.
    pub name: SmolStr,
    /// Its type.
    pub ty: Ty,
    /// Whether it may be left out (`optional(…)`).
    pub optional: bool,
}

/// A type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Ty {
    /// Not known, or `any`.
    #[default]
    Dyn,
    /// Truth value.
    Bool,
    /// Number.
    Number,
    /// Text.
    String,
    /// List of one element type.
    List(Box<Self>),
    /// Set of one element type.
    Set(Box<Self>),
    /// Map of one element type.
    Map(Box<Self>),
    /// Tuple.
    Tuple(Vec<Self>),
    /// Object with fields sorted by name.
    Object(Vec<Field>),
}
