//! How long a policy is at least, and what AWS allows.
//!
//! Not for judging. Invariant: a length is a lower bound: what is open counts nothing.

use overgrant_catalog::quota;
use overgrant_policy::{Document, Pattern, Statement};

/// What a figure means: above every value of the limit, or only above the first.
pub(crate) enum Over {
    /// Above every value; the last one.
    All(u32),
    /// Above the first one only.
    First { value: u32, most: u32 },
}

/// Where a figure stands against the values of a limit; `None` below the first.
pub(crate) fn over(limit: &str, figure: usize) -> Option<Over> {
    let values: Vec<u32> = quota(limit).map(|quota| quota.value).collect();
    let (first, last) = (*values.first()?, *values.last()?);
    let exceeds = |value: u32| usize::try_from(value).is_ok_and(|value| figure > value);
    if exceeds(last) {
        Some(Over::All(last))
    } else if exceeds(first) {
        Some(Over::First {
            value: first,
            most: last,
        })
    } else {
        None
    }
}

/// The least number of characters that the document has without blanks.
pub(crate) fn least_length(document: &Document) -> usize {
    // {"Version":"2012-10-17","Statement":} and a comma between statements.
    const FRAME: usize = 37;
    let statements: usize = document
        .statements
        .iter()
        .filter(|statement| statement.is_certain())
        .map(|statement| statement_length(statement) + 1)
        .sum();
    FRAME + statements.saturating_sub(1)
}

fn statement_length(statement: &Statement) -> usize {
    // {"Effect":"Deny"} is the shortest statement; each element adds its key.
    let mut length = 17;
    let actions = statement.actions.listed();
    length += list(
        r#","Action":"#,
        actions.items.iter().map(|item| item.pattern()),
    );
    let resources = statement.resources.listed();
    length += list(
        r#","Resource":"#,
        resources.items.iter().map(|item| item.pattern()),
    );
    length += statement
        .principals
        .iter()
        .map(|item| item.known_length() + 3)
        .sum::<usize>();
    for condition in &statement.conditions.items {
        length += condition.key.spelling().map_or(0, |key| key.len()) + 3;
        length += list("", condition.values.iter().map(|value| value.pattern()));
    }
    length
}

/// One member is a text; more are a list with brackets and commas.
fn list<'a>(key: &str, patterns: impl Iterator<Item = &'a Pattern>) -> usize {
    let members: Vec<usize> = patterns
        .filter(|pattern| pattern.guard().is_always())
        .map(|pattern| pattern_length(pattern) + 2)
        .collect();
    match members.as_slice() {
        [] => 0,
        [one] => key.len() + one,
        more => key.len() + more.iter().sum::<usize>() + more.len() + 1,
    }
}

/// Length of what is known.
fn pattern_length(pattern: &Pattern) -> usize {
    if pattern.is_known() {
        pattern.to_string().len()
    } else {
        // Of an open text no more than nothing is sure.
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_value::{Src, Text, Val};

    #[test]
    fn the_count_is_a_lower_bound() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sqs:*","Resource":"*"}]}"#;
        let document = Document::from_val(&Val::text(Text::known(text), Src::none()));
        assert!(least_length(&document) <= text.len());
        assert!(least_length(&document) + 10 > text.len());
    }
}
