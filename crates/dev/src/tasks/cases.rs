//! `cargo dev cases`: random policy cases with the decision that AWS documents.
//!
//! Every case is built from intent: the generator first chooses what each policy is to say (allow, say
//! nothing, deny), then writes statements that say so, and takes the decision from a table over the
//! intents. It calls nothing of the policy engine, so that the two check each other. Not for shapes
//! without a known decision. Invariant: the same seed gives the same lines.

mod dice;
mod statement;
mod table;

use anyhow::{Context as _, Result};
use dice::Dice;
use serde_json::Value;
use std::io::Write as _;

/// Arguments of `cargo dev cases`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where the random sequence starts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of cases
    #[arg(long, default_value_t = 1_000)]
    count: usize,
}

/// Runs the task.
///
/// # Errors
/// Where standard output cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for case in cases(arguments.seed).take(arguments.count) {
        writeln!(out, "{case}").context("cannot write to standard output")?;
    }
    Ok(())
}

/// All cases of a seed, without end.
pub(crate) fn cases(seed: u64) -> impl Iterator<Item = Value> {
    let mut dice = Dice::new(seed);
    (1_usize..).map(move |id| table::case(id, &mut dice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::policy::case::Case;
    use std::collections::BTreeMap;

    /// Every decision of the point evaluator is the intended one, and every outcome occurs.
    #[test]
    fn decisions_are_the_intended_ones() {
        let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
        for case in cases(11).take(4_000) {
            let read = Case::of(&case).unwrap();
            let expected = read.expect.clone().unwrap();
            let got = read.decide().unwrap().verdict().as_str();
            assert_eq!(got, expected, "{case}");
            *outcomes.entry(expected).or_default() += 1;
        }
        assert_eq!(outcomes.len(), 3, "{outcomes:?}");
        assert!(outcomes.values().all(|count| *count > 400), "{outcomes:?}");
    }
}
