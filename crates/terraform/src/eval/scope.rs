//! Which names an expression sees.
//!
//! Not for what they are worth: that is [`super::reference`]. Invariant: a bound name hides those of
//! the module.

use super::instance::Instance;
use overgrant_value::Val;
use smol_str::SmolStr;
use std::rc::Rc;

/// A name that a loop, an iterator or a template brings.
#[derive(Debug)]
pub(crate) struct Binding {
    name: SmolStr,
    val: Val,
    next: Option<Rc<Self>>,
}

/// `each` or `count` of an expanded block.
#[derive(Debug, Clone)]
pub(crate) enum Each {
    /// `count.index`.
    Count(Val),
    /// `each.key`, `each.value`.
    Pair(Val, Val),
}

/// Which names an expression sees.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// The module instance; `None` for values given from outside and inside template files.
    pub(crate) instance: Option<Rc<Instance>>,
    /// The module whose directory counts for files.
    pub(crate) home: Option<Rc<Instance>>,
    names: Option<Rc<Binding>>,
    pub(crate) each: Option<Rc<Each>>,
    /// Whether a condition that hangs on a default of the root is analysed both ways.
    pub(crate) branches: bool,
    /// Whether calls are refused.
    pub(crate) constant: bool,
}

impl Scope {
    /// The names of a module instance.
    pub(crate) fn of(instance: &Rc<Instance>) -> Self {
        Self {
            instance: Some(Rc::clone(instance)),
            home: Some(Rc::clone(instance)),
            names: None,
            each: None,
            branches: false,
            constant: false,
        }
    }

    /// No names but those that are bound.
    pub(crate) fn bare(home: Option<Rc<Instance>>) -> Self {
        Self {
            instance: None,
            home,
            names: None,
            each: None,
            branches: false,
            constant: false,
        }
    }

    /// Neither names nor calls: what the text of a `.tfvars` file may hold.
    pub(crate) fn constant(home: Option<Rc<Instance>>) -> Self {
        Self {
            constant: true,
            ..Self::bare(home)
        }
    }

    /// With `each` or `count`.
    pub(crate) fn with_each(mut self, each: Option<Rc<Each>>) -> Self {
        self.each = each;
        self
    }

    /// With one more name.
    pub(crate) fn bind(&self, name: &SmolStr, val: Val) -> Self {
        let mut scope = self.clone();
        scope.names = Some(Rc::new(Binding {
            name: name.clone(),
            val,
            next: self.names.clone(),
        }));
        scope
    }

    /// The value of a bound name.
    pub(crate) fn bound(&self, name: &str) -> Option<Val> {
        let mut next = self.names.as_ref();
        while let Some(binding) = next {
            if binding.name == name {
                return Some(binding.val.clone());
            }
            next = binding.next.as_ref();
        }
        None
    }
}
