//! What an unknown part stands for, and what is known about its shape.
//!
//! The same symbols serve every format, so that a role of one compares equal with a trust of
//! another. Invariant: two symbols are equal only if they surely stand for the same value.

use overgrant_source::Span;
use smol_str::SmolStr;
use std::fmt;

/// What stands behind a hole or an unknown value.
///
/// `root` is the root module or template (path relative to the base), `addr` an address in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sym {
    /// The account that is deployed into (12 digits).
    Account,
    /// The region that is deployed into.
    Region,
    /// The partition (`aws` unless something says otherwise).
    Partition,
    /// The DNS suffix of the partition.
    UrlSuffix,
    /// An attribute of a resource that is known after deployment only.
    Attr {
        /// Root module or template.
        root: SmolStr,
        /// Address of the resource in that root.
        addr: SmolStr,
        /// Attribute path, e.g. `arn`, `Arn`.
        path: SmolStr,
    },
    /// An input without a value: a Terraform variable or a template parameter.
    Input {
        /// Root module or template.
        root: SmolStr,
        /// Module path with instance keys; empty in the root itself and in templates.
        module: SmolStr,
        /// Name of the variable or parameter.
        name: SmolStr,
    },
    /// An attribute of a data source.
    Data {
        /// Root module.
        root: SmolStr,
        /// Address with `data.`.
        addr: SmolStr,
        /// Attribute path.
        path: SmolStr,
    },
    /// An output of a module or stack that cannot be entered.
    Output {
        /// Root module or template.
        root: SmolStr,
        /// Address of the module call or nested stack.
        module: SmolStr,
        /// Name of the output.
        name: SmolStr,
    },
    /// A value exported by another stack, by its export name.
    Import(SmolStr),
    /// A dynamic reference such as `ssm:/path` or `secretsmanager:name`.
    Dynamic(SmolStr),
    /// Key, value or index of an expansion whose members are not known.
    Each {
        /// Root module.
        root: SmolStr,
        /// Address of the expanded block.
        addr: SmolStr,
        /// `key`, `value`, `index` and a path below.
        what: SmolStr,
    },
    /// A call that was not evaluated, by its name and the canonical text of its arguments.
    Call {
        /// Function name.
        name: SmolStr,
        /// Canonical text of the arguments.
        args: SmolStr,
    },
    /// Anything else; equal only at the same place.
    Other {
        /// What it is, in words.
        what: SmolStr,
        /// Where.
        at: Option<Span>,
    },
}

impl Sym {
    /// The short name a user would know it by: `var.x`, `aws_iam_role.ci.arn`, `account`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Account => "the account id".into(),
            Self::Region => "the region".into(),
            Self::Partition => "the partition".into(),
            Self::UrlSuffix => "the DNS suffix".into(),
            Self::Attr { addr, path, .. } | Self::Data { addr, path, .. } => {
                format!("{addr}.{path}")
            }
            Self::Input { module, name, .. } if module.is_empty() => name.to_string(),
            Self::Input { module, name, .. } => format!("{module}.{name}"),
            Self::Output { module, name, .. } => format!("{module}.{name}"),
            Self::Import(name) => format!("import {name}"),
            Self::Dynamic(name) => format!("{{{{resolve:{name}}}}}"),
            Self::Each { addr, what, .. } => format!("each.{what} of {addr}"),
            Self::Call { name, .. } => format!("{name}(…)"),
            Self::Other { what, .. } => what.to_string(),
        }
    }

    /// The shape that values of this symbol surely have.
    #[must_use]
    pub fn shape(&self) -> Shape {
        match self {
            Self::Account | Self::Region | Self::Partition | Self::UrlSuffix => Shape::WORD,
            Self::Attr { .. } => Shape::NOT_EMPTY,
            _ => Shape::ANY,
        }
    }
}

impl fmt::Display for Sym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// What is known about the text of a hole: a set of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape(u8);

impl Shape {
    /// Nothing is known.
    pub const ANY: Self = Self(0);
    /// Has no `:`.
    pub const NO_COLON: Self = Self(1);
    /// Has no `/`.
    pub const NO_SLASH: Self = Self(2);
    /// Has neither `*` nor `?`.
    pub const NO_WILDCARD: Self = Self(4);
    /// Is not empty.
    pub const NOT_EMPTY: Self = Self(8);
    /// All of the above: account ids, regions, partitions, physical names.
    pub const WORD: Self = Self(15);

    /// Whether all flags of `other` are known.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of flags.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
