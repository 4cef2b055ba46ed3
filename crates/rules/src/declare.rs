//! The two macros that declare rules: no build step, no dependency.
//!
//! `rule!` keeps the doc comment twice, as rustdoc and as text for help, pages and examples;
//! `rules!` declares the modules and the sorted list. Invariant: a rule is one file and one line.

/// Declares a rule: its doc comment becomes `docs`.
macro_rules! rule {
    (
        $(#[doc = $doc:literal])*
        $vis:vis static $name:ident = Rule { $($field:ident : $value:expr),* $(,)? };
    ) => {
        $(#[doc = $doc])*
        $vis static $name: $crate::Rule = $crate::Rule {
            docs: concat!($($doc, "\n"),*),
            $($field: $value),*
        };
    };
}

/// Declares the rule modules of all families and `ALL`.
macro_rules! rules {
    ($($family:ident { $($module:ident :: $rule:ident),* $(,)? })*) => {
        $(pub(crate) mod $family { $(pub(crate) mod $module;)* })*
        /// Every rule, by family and then in the order of declaration.
        pub static ALL: &[&$crate::Rule] = &[$($(&$family::$module::$rule,)*)*];
    };
}
