//! Condition keys: which values a key may have that matter, and which tests each one passes.
//!
//! Not for statements. Invariant: for every way in which a value of the key can pass and fail the
//! tests asked about, one candidate does so; where that is not sure, `complete` is false.

use crate::condition::SetOperator;
use crate::condition::Test;
use crate::engine::automaton::{Atom, End, explore, spell};
use crate::engine::compile::{Family, KeyTest, TestValue};
use crate::engine::globs::{Glob, Letter};
use crate::scalar;
use overgrant_catalog::{Availability, KeyType, catalog};
use std::collections::BTreeSet;

/// A value that a key may have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Candidate {
    Absent,
    One(Vec<Letter>),
    Many(Vec<Vec<Letter>>),
}

/// The candidates of one key.
#[derive(Debug)]
pub(crate) struct Candidates {
    pub(crate) list: Vec<Candidate>,
    pub(crate) complete: bool,
}

/// What is known about where values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The question is about every request.
    Any,
    /// The caller is a stranger: keys that name a tenant or network carry values that nobody
    /// wrote down.
    Stranger,
}

/// Keys whose value a stranger cannot choose.
const TRUSTED: [&str; 24] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:userid",
    "aws:username",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourcevpcarn",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceowner",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:ec2instancesourcevpc",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "cognito-identity.amazonaws.com:aud",
];

pub(crate) fn is_trusted(key: &str) -> bool {
    TRUSTED.contains(&key)
}

/// Finds the candidates of a key for a group of tests. `signed`: the request has a principal.
pub(crate) fn candidates(
    key: &str,
    tests: &[&KeyTest<'_>],
    source: Source,
    signed: bool,
    axioms: bool,
    budget: &mut usize,
) -> Candidates {
    let facts = catalog().condition_key(key);
    let typed = facts.map(|facts| facts.key_type());
    let many = match typed {
        Some(kind) => matches!(
            kind,
            KeyType::ArrayOfArn | KeyType::ArrayOfBool | KeyType::ArrayOfString
        ),
        None => tests.iter().any(|test| test.operator().set.is_some()),
    };
    let (mut words, mut complete) = words(tests, budget);
    if source == Source::Stranger {
        words = strange(key, words, tests);
    }
    let mut list = Vec::new();
    let always = axioms
        && facts.is_some_and(|facts| match facts.availability() {
            Availability::Always => true,
            Availability::Signed => signed,
            _ => false,
        });
    if !always || words.is_empty() {
        list.push(Candidate::Absent);
    }
    if many {
        complete &= subsets(&words, tests.len(), &mut list);
        if tests.iter().any(|test| test.operator().set.is_none()) {
            // The same key may come as a single value where no type says otherwise.
            list.extend(words.into_iter().map(Candidate::One));
        }
    } else {
        list.extend(words.into_iter().map(Candidate::One));
    }
    Candidates { list, complete }
}

/// Sets of up to `most` values, the empty set last: a request that has the key shows more. False if
/// some were left out.
fn subsets(words: &[Vec<Letter>], most: usize, list: &mut Vec<Candidate>) -> bool {
    let complete = filled_subsets(words, most, list);
    list.push(Candidate::Many(Vec::new()));
    complete
}

fn filled_subsets(words: &[Vec<Letter>], most: usize, list: &mut Vec<Candidate>) -> bool {
    const MOST_SETS: usize = 400;
    let mut layer: Vec<(usize, Vec<Vec<Letter>>)> = vec![(0, Vec::new())];
    let end = list.len() + MOST_SETS;
    for _ in 0..=most {
        let mut next = Vec::new();
        for (from, set) in layer {
            for (index, word) in words.iter().enumerate().skip(from) {
                if list.len() + next.len() > end {
                    return false;
                }
                let mut wider = set.clone();
                wider.push(word.clone());
                next.push((index + 1, wider));
            }
            if !set.is_empty() {
                list.push(Candidate::Many(set));
            }
        }
        layer = next;
    }
    true
}

/// Single values that tell the tests apart.
fn words(tests: &[&KeyTest<'_>], budget: &mut usize) -> (Vec<Vec<Letter>>, bool) {
    let mut words: Vec<Vec<Letter>> = Vec::new();
    let mut complete = true;
    let mut families: Vec<Family> = Vec::new();
    for test in tests {
        let family = test.family();
        if !matches!(family, Family::Presence | Family::Unknown) && !families.contains(&family) {
            families.push(family);
        }
    }
    if families.len() > 1 {
        complete = false;
    }
    if families.is_empty() || families.contains(&Family::Text) {
        complete &= text_words(tests, &mut words, budget);
    }
    let values = |family: Family| {
        tests
            .iter()
            .filter(move |test| test.family() == family)
            .flat_map(|test| &test.values)
            .filter_map(|value| value.text.as_deref())
    };
    let mut texts: Vec<String> = Vec::new();
    for family in families {
        match family {
            Family::Number => numbers(values(family), &mut texts),
            Family::Date => dates(values(family), &mut texts),
            Family::Address => addresses(values(family), &mut texts),
            Family::Bool => texts.extend(["true".to_owned(), "false".to_owned()]),
            Family::Bytes => {
                texts.extend(values(family).map(str::to_owned));
                texts.push("AAECAwQFBgcICQ==".to_owned());
            }
            Family::Text | Family::Presence | Family::Unknown => {}
        }
    }
    words.extend(
        texts
            .into_iter()
            .map(|text| text.chars().map(Letter::Char).collect()),
    );
    (words, complete)
}

fn text_words(tests: &[&KeyTest<'_>], words: &mut Vec<Vec<Letter>>, budget: &mut usize) -> bool {
    let mut atoms: Vec<Atom<'_>> = Vec::new();
    let mut folded = false;
    for test in tests {
        folded |= matches!(
            test.operator().test,
            Test::StringEqualsIgnoreCase | Test::StringNotEqualsIgnoreCase
        );
        for value in &test.values {
            for loose in [false, true] {
                let known = atoms
                    .iter()
                    .any(|atom| atom.loose == loose && atom.glob.toks == value.glob.toks);
                if !known && (!loose || value.glob.is_open()) {
                    atoms.push(Atom::new(&value.glob, loose));
                }
            }
        }
    }
    // An ARN test is blind to what is no ARN; its globs say so themselves.
    let any_arn = tests.iter().any(|test| is_arn(&test.operator().test));
    let arn = Glob::read(
        &overgrant_value::Text::known("arn:*:*:*:*:*"),
        crate::engine::globs::Reading {
            wildcards: true,
            fold: false,
            variables: false,
            arn: true,
        },
    );
    if any_arn {
        atoms.push(Atom::new(&arn, false));
    }
    let mut seen: BTreeSet<Vec<usize>> = BTreeSet::new();
    let end = explore(&atoms, &[], budget, |hits, word| {
        if seen.insert(hits.to_vec()) {
            words.push(word());
        }
        false
    });
    // Letter case makes two texts of one: the exact tests and the folded ones see different ones.
    let mixed = folded
        && tests.iter().any(|test| {
            test.family() == Family::Text
                && !matches!(
                    test.operator().test,
                    Test::StringEqualsIgnoreCase | Test::StringNotEqualsIgnoreCase
                )
        });
    if mixed {
        for test in tests {
            for value in &test.values {
                if let Some(text) = &value.text {
                    for text in [
                        text.clone(),
                        text.to_ascii_uppercase(),
                        text.to_ascii_lowercase(),
                    ] {
                        let word: Vec<Letter> = text.chars().map(Letter::Char).collect();
                        if !words.contains(&word) {
                            words.push(word);
                        }
                    }
                }
            }
        }
    }
    end == End::Complete && !mixed
}

fn is_arn(test: &Test) -> bool {
    matches!(
        test,
        Test::ArnEquals | Test::ArnLike | Test::ArnNotEquals | Test::ArnNotLike
    )
}

/// Each bound, a number between neighbours, and one beyond each end.
fn numbers<'a>(values: impl Iterator<Item = &'a str>, texts: &mut Vec<String>) {
    let mut bounds: Vec<_> = values.filter_map(scalar::number).collect();
    bounds.sort_by(|a, b| a.compare(*b));
    bounds.dedup();
    let one = overgrant_value::Num::int(1);
    let two = overgrant_value::Num::int(2);
    if let (Some(first), Some(last)) = (bounds.first(), bounds.last()) {
        texts.extend(first.checked_add(one.negate()).map(|n| n.to_string()));
        texts.extend(last.checked_add(one).map(|n| n.to_string()));
    } else {
        texts.push("0".to_owned());
    }
    for pair in bounds.windows(2) {
        if let [a, b] = pair {
            let middle = a.checked_add(*b).and_then(|sum| sum.checked_div(two));
            texts.extend(middle.map(|n| n.to_string()));
        }
    }
    texts.extend(bounds.iter().map(ToString::to_string));
}

/// Each bound and the seconds around it.
fn dates<'a>(values: impl Iterator<Item = &'a str>, texts: &mut Vec<String>) {
    const SECOND: i128 = 1_000_000_000;
    let mut seconds: BTreeSet<i128> = BTreeSet::new();
    let mut exact: Vec<String> = Vec::new();
    for value in values {
        if let Some(at) = scalar::date(value) {
            let second = at.div_euclid(SECOND);
            seconds.extend([second - 1, second, second + 1]);
            exact.push(value.to_owned());
        }
    }
    if seconds.is_empty() {
        seconds.insert(1_767_225_600);
    }
    texts.extend(seconds.iter().map(ToString::to_string));
    texts.extend(exact);
}

/// Both ends of each block and the addresses beside them, in both families.
fn addresses<'a>(values: impl Iterator<Item = &'a str>, texts: &mut Vec<String>) {
    let mut found: BTreeSet<(bool, u128)> = BTreeSet::new();
    for block in values.filter_map(scalar::block) {
        let most = if block.six {
            u128::MAX
        } else {
            u128::from(u32::MAX)
        };
        found.insert((block.six, block.first));
        found.insert((block.six, block.last));
        if block.first > 0 {
            found.insert((block.six, block.first - 1));
        }
        if block.last < most {
            found.insert((block.six, block.last + 1));
        }
    }
    found.insert((
        false,
        u32::from(std::net::Ipv4Addr::new(198, 51, 100, 7)).into(),
    ));
    found.insert((
        true,
        std::net::Ipv6Addr::new(0x2001, 0xdb8, 7, 7, 0, 0, 0, 7).into(),
    ));
    texts.extend(found.into_iter().map(|(six, bits)| {
        if six {
            std::net::Ipv6Addr::from(bits).to_string()
        } else {
            std::net::Ipv4Addr::from(u32::try_from(bits).unwrap_or_default()).to_string()
        }
    }));
}

/// What a stranger can bring: for keys that name a tenant, only values that run through a wildcard;
/// for addresses, only those in no range narrow enough to name a network.
fn strange(key: &str, words: Vec<Vec<Letter>>, tests: &[&KeyTest<'_>]) -> Vec<Vec<Letter>> {
    if key == "aws:sourceip" {
        let blocks: Vec<_> = tests
            .iter()
            .flat_map(|test| &test.values)
            .filter_map(|value| scalar::block(value.text.as_deref()?))
            .filter(|block| (block.last - block.first) < if block.six { 1 << 112 } else { 1 << 24 })
            .collect();
        return words
            .into_iter()
            .filter(|word| {
                plain(word)
                    .and_then(|text| scalar::address(&text))
                    .is_some_and(|(six, bits)| {
                        !blocks.iter().any(|block| block.contains(six, bits))
                    })
            })
            .collect();
    }
    if key == "aws:vpcsourceip" || key == "aws:principalisawsservice" {
        return Vec::new();
    }
    if !is_trusted(key) {
        return words;
    }
    let profile = |word: &[Letter]| -> Vec<bool> {
        tests
            .iter()
            .flat_map(|test| &test.values)
            .flat_map(|value| [false, true].map(|loose| value.glob.contains(word, loose)))
            .collect()
    };
    words
        .into_iter()
        .filter_map(|word| {
            if word.contains(&Letter::Fresh) {
                return Some(word);
            }
            let wanted = profile(&word);
            (0..=word.len()).find_map(|at| {
                let mut longer = word.clone();
                longer.insert(at, Letter::Fresh);
                (profile(&longer) == wanted).then_some(longer)
            })
        })
        .collect()
}

/// The text of a word without open or fresh letters.
fn plain(word: &[Letter]) -> Option<String> {
    word.iter()
        .map(|letter| match letter {
            Letter::Char(c) => Some(*c),
            _ => None,
        })
        .collect()
}

/// Whether the test holds for the candidate: for every value of its open parts, or (`high`) for
/// some.
pub(crate) fn holds(test: &KeyTest<'_>, candidate: &Candidate, high: bool) -> bool {
    let operator = test.operator();
    if test.family() == Family::Unknown {
        return high;
    }
    if high && !test.certain {
        return true;
    }
    if test.family() == Family::Presence {
        let absent = *candidate == Candidate::Absent;
        return any_value(test, high, |value| match &value.text {
            Some(text) => scalar::boolean(text) == Some(absent),
            None => high,
        });
    }
    let single = |word: &[Letter]| {
        let negated = operator.is_negated();
        // What a negated test matches for some value, it does not surely refuse.
        let inner = high != negated;
        any_value(test, inner, |value| matches(test, value, word, inner)) != negated
    };
    match (operator.set, candidate) {
        (_, Candidate::Absent) => operator.holds_without_key(),
        (None, Candidate::One(word)) => single(word),
        (None, Candidate::Many(_)) => false,
        (Some(SetOperator::ForAllValues), Candidate::One(word))
        | (Some(SetOperator::ForAnyValue), Candidate::One(word)) => single(word),
        (Some(SetOperator::ForAllValues), Candidate::Many(words)) => {
            words.iter().all(|word| single(word))
        }
        (Some(SetOperator::ForAnyValue), Candidate::Many(words)) => {
            words.iter().any(|word| single(word))
        }
    }
}

fn any_value(test: &KeyTest<'_>, high: bool, pass: impl Fn(&TestValue) -> bool) -> bool {
    (high && test.condition.open)
        || test
            .values
            .iter()
            .any(|value| (high || value.certain) && pass(value))
}

fn matches(test: &KeyTest<'_>, value: &TestValue, word: &[Letter], high: bool) -> bool {
    let typed = |same: &dyn Fn(&str, &str) -> Option<bool>| match (&value.text, plain(word)) {
        (Some(wanted), Some(text)) => same(&text, wanted).unwrap_or(false),
        (None, _) => high,
        _ => false,
    };
    let order = |how: &str, order: std::cmp::Ordering| match how {
        "lessthan" => order.is_lt(),
        "lessthanequals" => order.is_le(),
        "greaterthan" => order.is_gt(),
        "greaterthanequals" => order.is_ge(),
        _ => order.is_eq(),
    };
    match &test.operator().test {
        Test::Bool => typed(&|a, b| Some(scalar::boolean(a)? == scalar::boolean(b)?)),
        Test::Numeric(how) => {
            typed(&|a, b| Some(order(how, scalar::number(a)?.compare(scalar::number(b)?))))
        }
        Test::Date(how) => typed(&|a, b| Some(order(how, scalar::date(a)?.cmp(&scalar::date(b)?)))),
        Test::BinaryEquals => typed(&|a, b| Some(scalar::bytes(a)? == scalar::bytes(b)?)),
        Test::IpAddress | Test::NotIpAddress => typed(&|a, b| {
            let (six, bits) = scalar::address(a)?;
            Some(scalar::block(b)?.contains(six, bits))
        }),
        Test::StringEqualsIgnoreCase | Test::StringNotEqualsIgnoreCase => {
            let lower: Vec<Letter> = word
                .iter()
                .map(|letter| match letter {
                    Letter::Char(c) => Letter::Char(c.to_ascii_lowercase()),
                    other => *other,
                })
                .collect();
            value.glob.contains(&lower, high)
        }
        test if is_arn(test) => value.glob.contains(word, high) && is_an_arn(word),
        _ => value.glob.contains(word, high),
    }
}

/// Whether the word has an ARN's segments; one with an open part may have.
fn is_an_arn(word: &[Letter]) -> bool {
    let colons = word.iter().filter(|l| **l == Letter::Char(':')).count();
    let open = word.iter().any(|l| matches!(l, Letter::Open(_)));
    open || colons >= 5
        && word.starts_with(&[Letter::Char('a'), Letter::Char('r'), Letter::Char('n')])
}

/// The keys of the policy variables without a default that the candidate's values contain, lower case.
pub(crate) fn variables(candidate: &Candidate, tests: &[&KeyTest<'_>]) -> Vec<String> {
    let words = match candidate {
        Candidate::Absent => &[],
        Candidate::One(word) => std::slice::from_ref(word),
        Candidate::Many(words) => words.as_slice(),
    };
    let mut found = Vec::new();
    for letter in words.iter().flatten() {
        let Letter::Open(open) = letter else { continue };
        let name = tests
            .iter()
            .flat_map(|test| &test.values)
            .flat_map(|value| &value.glob.names)
            .find(|(id, _)| *id == open.id)
            .map(|(_, name)| name);
        if let Some(name) = name
            && let Some(key) = &name.key
            && !name.text.contains(',')
            && !found.contains(key)
        {
            found.push(key.clone());
        }
    }
    found
}

/// Spells a candidate for a witness; `None` for an absent key.
pub(crate) fn show(candidate: &Candidate, tests: &[&KeyTest<'_>]) -> Option<Vec<String>> {
    let globs: Vec<&Glob> = tests
        .iter()
        .flat_map(|test| &test.values)
        .map(|value| &value.glob)
        .collect();
    match candidate {
        Candidate::Absent => None,
        Candidate::One(word) => Some(vec![spell(word, &globs)]),
        Candidate::Many(words) => Some(words.iter().map(|word| spell(word, &globs)).collect()),
    }
}
