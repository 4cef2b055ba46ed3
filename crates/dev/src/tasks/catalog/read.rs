//! Reading the input tables: tab-separated, plain or gzipped, with a header that is checked.
//!
//! Not for: meaning. Invariant: every row has as many cells as the header names.

use anyhow::{Context as _, Result, bail, ensure};
use std::fs;
use std::io::Read as _;
use std::path::Path;

/// The columns of `actions.tsv.gz`.
pub(crate) const ACTIONS: [&str; 9] = [
    "service",
    "action",
    "access_level",
    "access_level_override",
    "resource_types",
    "condition_keys",
    "dependent_actions",
    "flags",
    "source",
];
/// The columns of `resources.tsv.gz`.
pub(crate) const RESOURCES: [&str; 4] = ["service", "type", "arn_pattern", "condition_keys"];
/// The columns of `condition_keys.tsv.gz`.
pub(crate) const KEYS: [&str; 5] = ["key", "type", "scope", "availability", "services"];
/// The columns of `services.tsv.gz`.
pub(crate) const SERVICES: [&str; 5] = [
    "service",
    "name",
    "actions",
    "resource_types",
    "rcp_supported",
];

/// One input table, without its header.
pub(crate) struct Table {
    name: String,
    rows: Vec<Vec<String>>,
}

/// The text of an input; unzipped if its name ends in `.gz`.
pub(crate) fn text(inputs: &Path, name: &str) -> Result<String> {
    let path = inputs.join(name);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut text = String::new();
    if name.ends_with(".gz") {
        flate2::read::GzDecoder::new(bytes.as_slice())
            .read_to_string(&mut text)
            .with_context(|| format!("cannot unzip {}", path.display()))?;
    } else {
        text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))?;
    }
    Ok(text)
}

impl Table {
    /// Reads `name`, whose header has to be `header`.
    pub(crate) fn read(inputs: &Path, name: &str, header: &[&str]) -> Result<Self> {
        let text = text(inputs, name)?;
        let mut lines = text.lines();
        let found: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
        ensure!(
            found == header,
            "{name}: the columns are {found:?}, not {header:?}"
        );
        let mut rows = Vec::new();
        for (index, line) in lines.enumerate() {
            let row: Vec<String> = line.split('\t').map(str::to_owned).collect();
            if row.len() != header.len() {
                bail!(
                    "{name}:{}: {} cells, not {}",
                    index + 2,
                    row.len(),
                    header.len()
                );
            }
            rows.push(row);
        }
        Ok(Self {
            name: name.to_owned(),
            rows,
        })
    }

    /// The rows as arrays of `N` cells, each with words that say where it stands.
    pub(crate) fn rows<const N: usize>(&self) -> Result<Vec<(String, [&str; N])>> {
        let mut rows = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            let place = format!("{}:{}", self.name, index + 2);
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            let Ok(cells) = <[&str; N]>::try_from(cells) else {
                bail!("{place}: not {N} cells");
            };
            rows.push((place, cells));
        }
        Ok(rows)
    }
}

/// The parts of a cell; none for an empty cell or `-`.
pub(crate) fn split(cell: &str, by: char) -> Vec<&str> {
    if cell.is_empty() || cell == "-" {
        return Vec::new();
    }
    cell.split(by).map(str::trim).collect()
}
