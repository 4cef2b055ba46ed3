//! Which rules run.
//!
//! Not for what is shown of their findings. Invariant: a name is a rule id, an alias or a family;
//! anything else is an error with the near name.

use crate::Error;
use crate::near::near;
use overgrant_rules::{ALL, Family, Rule};

/// The rules that run, sorted by id.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    rules: Vec<&'static Rule>,
}

impl Selection {
    /// The rules of `select` (all where it is empty) without those of `ignore`.
    ///
    /// # Errors
    /// [`Error::UnknownRule`] for a name that is none.
    pub fn new(select: &[String], ignore: &[String]) -> Result<Self, Error> {
        let mut rules: Vec<&'static Rule> = Vec::new();
        if select.is_empty() {
            rules.extend(ALL);
        }
        for name in select {
            rules.extend(named(name)?);
        }
        for name in ignore {
            let out = named(name)?;
            rules.retain(|rule| !out.iter().any(|other| other.id == rule.id));
        }
        rules.sort_by_key(|rule| rule.id);
        rules.dedup_by_key(|rule| rule.id);
        Ok(Self { rules })
    }

    /// The rules, sorted by id.
    #[must_use]
    pub fn rules(&self) -> &[&'static Rule] {
        &self.rules
    }

    /// Whether the rule runs.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.rules.iter().any(|rule| rule.id == id)
    }
}

/// The rules that a name means: one by id, those with the alias, or a family.
pub(crate) fn named(name: &str) -> Result<Vec<&'static Rule>, Error> {
    let rules: Vec<&'static Rule> = overgrant_rules::named(name).collect();
    if !rules.is_empty() {
        return Ok(rules);
    }
    if let Some(family) = Family::ALL.into_iter().find(|known| known.as_str() == name) {
        let members = ALL.iter().copied().filter(|rule| rule.family == family);
        return Ok(members.collect());
    }
    Err(Error::UnknownRule {
        name: name.to_owned(),
        near: near_rule(name).map(str::to_owned),
    })
}

/// The rule id, alias or family closest to `name`.
#[must_use]
pub fn near_rule(name: &str) -> Option<&'static str> {
    let ids = ALL.iter().map(|rule| rule.id);
    let families = Family::ALL.into_iter().map(Family::as_str);
    let aliases = ALL.iter().flat_map(|rule| rule.aliases.iter().copied());
    near(name, ids.chain(families)).or_else(|| near(name, aliases))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ids_families_or_errors() {
        assert!(Selection::new(&["grant".into()], &[]).is_ok());
        let none = Selection::new(&[], &Family::ALL.map(|f| f.as_str().to_owned()));
        assert!(none.unwrap().rules().is_empty());
        let error = Selection::new(&["gran".into()], &[]).unwrap_err();
        assert!(error.to_string().contains("`grant`"), "{error}");
    }
}
