//! Encoding the tables that are looked up: services, actions, resource types, condition keys,
//! service principals and managed policies.
//!
//! Not for: the hand-kept tables, which become Rust statics. Invariant: records are sorted as the
//! reader's binary searches expect; a name that occurs twice is an error.

use super::Parts;
use super::read::{ACTIONS, KEYS, RESOURCES, SERVICES, Table, split, text};
use super::strings::{Blob, Pool, number};
use anyhow::{Context as _, Result, bail, ensure};
use overgrant_catalog::{Availability, layout};
use std::collections::BTreeMap;
use std::path::Path;

/// Raw bytes of one deflate stream: small enough to inflate fast, large enough to compress well.
const CHUNK: usize = 48 * 1024;

/// A section under construction.
#[derive(Default)]
struct Section(Vec<u8>);

impl Section {
    fn byte(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }
    fn short(&mut self, value: u16) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    fn word(&mut self, value: usize) -> Result<&mut Self> {
        self.0.extend(u32::try_from(value)?.to_le_bytes());
        Ok(self)
    }
}

/// Reads all inputs and encodes them.
pub(crate) fn parts(inputs: &Path) -> Result<Parts> {
    let mut pool = Pool::default();
    let mut sections: [Section; layout::SECTIONS] = Default::default();
    let date = text(inputs, "date.txt")?.trim().to_owned();
    let mut put = |index: usize, section: Section| {
        if let Some(place) = sections.get_mut(index) {
            *place = section;
        }
    };

    let mut meta = Section::default();
    meta.short(pool.string(&date)?);
    put(layout::META, meta);
    // The empty lists come first, so that reference 0 is harmless.
    pool.list(&[])?;
    pool.types(Vec::new())?;

    let resources = resources(inputs)?;
    let actions = actions(inputs)?;
    let services = services(inputs, &actions, &resources)?;
    put(
        layout::SERVICES,
        service_records(&mut pool, &services, &actions, &resources)?,
    );
    put(
        layout::RESOURCES,
        resource_records(&mut pool, &services, &resources)?,
    );
    put(
        layout::ACTIONS,
        action_records(&mut pool, &actions, &resources)?,
    );
    let (keys, placeholders) = keys(inputs, &mut pool)?;
    put(layout::KEYS, keys);
    put(layout::PLACEHOLDER_KEYS, placeholders);
    put(layout::EXTRA_ACTIONS, extra_actions(inputs, &mut pool)?);
    put(layout::PRINCIPALS, principals(inputs, &mut pool)?);
    let (records, chunks, policies) = policies(inputs, &mut pool)?;
    put(layout::POLICIES, records);
    put(layout::CHUNKS, chunks);

    let names = actions.values().map(|[name, ..]| name.as_str());
    let blob = Blob::of(names.clone().chain(pool.strings.iter().map(String::as_str)))?;
    let records = sections
        .get_mut(layout::ACTIONS)
        .map_or(&mut [][..], |section| &mut section.0);
    for (record, name) in records.chunks_exact_mut(layout::ACTION_SIZE).zip(names) {
        let (place, _) = record.split_at_mut(4);
        place.copy_from_slice(&blob.reference(name)?.to_le_bytes());
    }
    let mut put = |index: usize, section: Section| {
        if let Some(place) = sections.get_mut(index) {
            *place = section;
        }
    };
    let mut references = Section::default();
    for string in &pool.strings {
        references.0.extend(blob.reference(string)?.to_le_bytes());
    }
    put(layout::STRINGS, references);
    let (mut offsets, mut lists, mut count) = (Section::default(), Section::default(), 0);
    for list in &pool.lists {
        offsets.word(count)?;
        for string in list {
            lists.short(*string);
        }
        count += list.len();
    }
    offsets.word(count)?;
    put(layout::LIST_OFFSETS, offsets);
    put(layout::LISTS, lists);
    let (mut offsets, mut lists) = (Section::default(), Section::default());
    for list in &pool.types {
        offsets.word(lists.0.len() / layout::TYPE_SIZE)?;
        lists.0.extend(list);
    }
    offsets.word(lists.0.len() / layout::TYPE_SIZE)?;
    put(layout::TYPE_LIST_OFFSETS, offsets);
    put(layout::TYPE_LISTS, lists);

    let mut tables = Section::default();
    tables.word(layout::SECTIONS)?;
    let mut start = 4 + layout::SECTIONS * 8;
    for section in &sections {
        tables.word(start)?.word(section.0.len())?;
        start += section.0.len();
    }
    sections
        .iter()
        .for_each(|section| tables.0.extend(&section.0));
    Ok(Parts {
        date,
        strings: blob.text,
        tables: tables.0,
        policies,
    })
}

/// `(service, lower-cased type)` to the cells of a resource type; the order is the record order.
type Resources = BTreeMap<(String, String), [String; 3]>;
/// `(service, lower-cased name)` to the cells of an action; the order is the id order.
type Actions = BTreeMap<(String, String), [String; 7]>;

fn resources(inputs: &Path) -> Result<Resources> {
    let table = Table::read(inputs, "resources.tsv.gz", &RESOURCES)?;
    let mut resources = Resources::new();
    for (place, [service, name, pattern, keys]) in table.rows()? {
        let key = (service.to_owned(), name.to_ascii_lowercase());
        let cells = [name, pattern, keys].map(str::to_owned);
        ensure!(
            resources.insert(key, cells).is_none(),
            "{place}: `{service}:{name}` stands twice"
        );
    }
    Ok(resources)
}

fn actions(inputs: &Path) -> Result<Actions> {
    let table = Table::read(inputs, "actions.tsv.gz", &ACTIONS)?;
    let mut actions = Actions::new();
    for (
        place,
        [
            service,
            name,
            level,
            over,
            types,
            keys,
            dependents,
            flags,
            _,
        ],
    ) in table.rows()?
    {
        let key = (service.to_owned(), name.to_ascii_lowercase());
        let cells = [name, level, over, types, keys, dependents, flags].map(str::to_owned);
        ensure!(
            actions.insert(key, cells).is_none(),
            "{place}: `{service}:{name}` stands twice"
        );
    }
    override_types(inputs, &mut actions)?;
    Ok(actions)
}

/// Resource types that the reference has wrong, by hand.
fn override_types(inputs: &Path, actions: &mut Actions) -> Result<()> {
    let header = ["service", "action", "resource_types", "reason"];
    let table = Table::read(inputs, "resource_type_overrides.tsv", &header)?;
    for (place, [service, name, types, _]) in table.rows()? {
        let key = (service.to_owned(), name.to_ascii_lowercase());
        let Some([_, _, _, known, ..]) = actions.get_mut(&key) else {
            bail!("{place}: there is no action `{service}:{name}`");
        };
        ensure!(known != types, "{place}: the reference says the same");
        types.clone_into(known);
    }
    Ok(())
}

/// How many keys of `map` belong to services before `service`.
fn before<V>(map: &BTreeMap<(String, String), V>, service: &str) -> usize {
    map.range(..(service.to_owned(), String::new())).count()
}

/// Prefix to name in words and RCP support. A service that only an action or a resource type names
/// is called by its prefix.
type Services = BTreeMap<String, (String, bool)>;

fn services(inputs: &Path, actions: &Actions, resources: &Resources) -> Result<Services> {
    let table = Table::read(inputs, "services.tsv.gz", &SERVICES)?;
    let mut services = Services::new();
    for (place, [service, name, _, _, rcp]) in table.rows()? {
        ensure!(
            service == service.to_ascii_lowercase(),
            "{place}: `{service}` has capitals"
        );
        let twice = services
            .insert(service.to_owned(), (name.to_owned(), rcp == "rcp"))
            .is_some();
        ensure!(!twice, "{place}: `{service}` stands twice");
    }
    for (service, _) in actions.keys().chain(resources.keys()) {
        let unnamed = || (service.clone(), false);
        services.entry(service.clone()).or_insert_with(unnamed);
    }
    Ok(services)
}

fn service_records(
    pool: &mut Pool,
    services: &Services,
    actions: &Actions,
    resources: &Resources,
) -> Result<Section> {
    let mut section = Section::default();
    for (service, (name, rcp)) in services {
        let first = number(before(resources, service))?;
        section
            .short(pool.string(service)?)
            .short(pool.string(name)?);
        section
            .word(before(actions, service))?
            .short(first)
            .short(u16::from(*rcp));
    }
    section.short(pool.string("")?).short(pool.string("")?);
    section
        .word(actions.len())?
        .short(number(resources.len())?)
        .short(0);
    Ok(section)
}

fn resource_records(
    pool: &mut Pool,
    services: &Services,
    resources: &Resources,
) -> Result<Section> {
    let mut section = Section::default();
    for ((service, _), [name, pattern, keys]) in resources {
        let index = services.range(..service.clone()).count();
        section.short(number(index)?).short(pool.string(name)?);
        section
            .short(pool.string(pattern)?)
            .short(pool.list(&split(keys, ','))?);
    }
    Ok(section)
}

fn level(word: &str) -> Result<u8> {
    Ok(match word {
        "" => layout::NO_LEVEL,
        "List" => 0,
        "Read" => 1,
        "Write" => 2,
        "Tagging" => 3,
        "Permissions management" => 4,
        _ => bail!("`{word}` is no access level"),
    })
}

fn flags(cell: &str) -> Result<u8> {
    let mut bits = 0;
    for flag in split(cell, ',') {
        bits |= match flag {
            "cred" => 1,
            "privesc" => 2,
            "expose" => 4,
            "respolicy" => 8,
            _ => bail!("`{flag}` is no flag"),
        };
    }
    Ok(bits)
}

/// The names are filled in when all strings are known.
fn action_records(pool: &mut Pool, actions: &Actions, resources: &Resources) -> Result<Section> {
    let numbers: BTreeMap<&(String, String), usize> = resources
        .keys()
        .enumerate()
        .map(|(number, key)| (key, number))
        .collect();
    let mut section = Section::default();
    for ((service, _), [name, aws, over, types, keys, dependents, marks]) in actions {
        let place = || format!("{service}:{name}");
        let aws = level(aws).with_context(place)?;
        ensure!(aws != layout::NO_LEVEL, "{}: no access level", place());
        let over = level(over).with_context(place)?;
        let mut records = Section::default();
        for cell in type_cells(types) {
            let (name, keys) = cell.split_once('{').unwrap_or((cell, ""));
            let required = name.ends_with('*');
            let name = name.strip_suffix('*').unwrap_or(name);
            let keys = keys.strip_suffix('}').unwrap_or(keys);
            let key = (service.clone(), name.to_ascii_lowercase());
            let format = numbers
                .get(&key)
                .map_or(Ok(layout::NONE), |at| number(*at))?;
            records.short(pool.string(name)?).short(format);
            records
                .short(pool.list(&split(keys, ','))?)
                .short(u16::from(required));
        }
        section.word(0)?.byte(aws | over << 4);
        section
            .byte(flags(marks).with_context(place)?)
            .short(pool.types(records.0)?);
        section
            .short(pool.list(&split(keys, ','))?)
            .short(pool.list(&split(dependents, ','))?);
    }
    Ok(section)
}

/// The types of a cell, separated by `|` outside braces.
fn type_cells(cell: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let parts = cell.split(|letter| {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        letter == '|' && depth == 0
    });
    parts.filter(|part| !part.is_empty()).collect()
}

fn keys(inputs: &Path, pool: &mut Pool) -> Result<(Section, Section)> {
    let table = Table::read(inputs, "condition_keys.tsv.gz", &KEYS)?;
    let mut rows = table.rows::<5>()?;
    rows.sort_by_key(|(_, cells)| cells[0].to_ascii_lowercase());
    let (mut section, mut placeholders) = (Section::default(), Section::default());
    let mut last = String::new();
    for (index, (place, [name, kinds, scope, availability, services])) in rows.iter().enumerate() {
        ensure!(
            last != name.to_ascii_lowercase(),
            "{place}: `{name}` stands twice"
        );
        last = name.to_ascii_lowercase();
        let kinds = split(kinds, '|');
        let kind = match kinds.first().copied().unwrap_or_default() {
            "String" => 0,
            "ArrayOfString" => 1,
            "ARN" => 2,
            "ArrayOfARN" => 3,
            "Bool" => 4,
            "ArrayOfBool" => 5,
            "Numeric" => 6,
            "Date" => 7,
            "IPAddress" => 8,
            other => bail!("{place}: `{other}` is no key type"),
        };
        let scope = match *scope {
            "global" => 0,
            "service" => 1,
            "tag" => 2,
            other => bail!("{place}: `{other}` is no scope"),
        };
        let presence = Availability::ALL
            .iter()
            .position(|(_, word)| word == availability);
        let presence = presence.with_context(|| format!("{place}: `{availability}` is unknown"))?;
        let list = if scope == 1 {
            split(services, ',')
        } else {
            Vec::new()
        };
        section.short(pool.string(name)?).byte(kind).byte(scope);
        section
            .byte(u8::try_from(presence)?)
            .byte(u8::from(kinds.len() > 1));
        section.short(pool.list(&list)?);
        if name.contains("${") {
            placeholders.short(number(index)?);
        }
    }
    Ok((section, placeholders))
}

fn extra_actions(inputs: &Path, pool: &mut Pool) -> Result<Section> {
    let header = ["action", "managed_policies_using", "example_policy"];
    let table = Table::read(inputs, "extra_actions.tsv.gz", &header)?;
    let mut names: Vec<&str> = table
        .rows::<3>()?
        .iter()
        .map(|(_, cells)| cells[0])
        .collect();
    names.sort_by_key(|name| name.to_ascii_lowercase());
    let mut section = Section::default();
    for name in names {
        section.short(pool.string(name)?);
    }
    Ok(section)
}

fn principals(inputs: &Path, pool: &mut Pool) -> Result<Section> {
    let header = [
        "principal",
        "partition_suffix",
        "passed_to_service",
        "service_linked_role",
        "principal_key",
        "via_service",
        "iac_mentions",
    ];
    let table = Table::read(inputs, "service_principals.tsv", &header)?;
    let mut rows = table.rows::<7>()?;
    rows.sort_by_key(|(_, cells)| cells[0].to_owned());
    let mut section = Section::default();
    for (place, [name, partition, passed, linked, key, via, mentions]) in rows {
        section
            .short(pool.string(name)?)
            .short(u16::from(partition == "cn"));
        for count in [passed, linked, key, via] {
            section.short(count.parse().with_context(|| place.clone())?);
        }
        section.word(mentions.parse().with_context(|| place.clone())?)?;
    }
    Ok(section)
}

/// One policy, and the text of its document as it stands in the line: its last field.
fn policy_line(line: &str) -> Result<(serde_json::Value, &str)> {
    let line = line.strip_suffix(',').unwrap_or(line);
    let policy: serde_json::Value = serde_json::from_str(line)?;
    let document = line
        .split_once("\"document\":")
        .and_then(|(_, rest)| rest.strip_suffix('}'));
    let document = document.context("a managed policy without a document at its end")?;
    let parsed: serde_json::Value = serde_json::from_str(document)?;
    ensure!(
        policy.get("document") == Some(&parsed),
        "the document is not the last field"
    );
    Ok((policy, document))
}

/// The index, the chunks, and the deflate streams.
fn policies(inputs: &Path, pool: &mut Pool) -> Result<(Section, Section, Vec<u8>)> {
    let text = text(inputs, "managed_policies.json.gz")?;
    let lines: Vec<(serde_json::Value, &str)> = text
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(policy_line)
        .collect::<Result<_>>()?;
    let mut sorted = BTreeMap::new();
    for (policy, document) in &lines {
        let field = |name: &str| {
            policy
                .get(name)
                .and_then(|v| v.as_str())
                .unwrap_or_default()
        };
        let name = field("name");
        let path = field("arn").strip_prefix("arn:aws:iam::aws:policy/");
        let path = path.with_context(|| format!("{name}: not an AWS-managed policy"))?;
        ensure!(
            path.rsplit('/').next() == Some(name),
            "{name}: the ARN ends otherwise"
        );
        let status = match field("status") {
            "" => 0,
            "deprecated" => 2,
            other if other.starts_with("not-listed") => 1,
            other => bail!("{name}: `{other}` is no status"),
        };
        let row = (
            path,
            field("version"),
            field("created"),
            field("updated"),
            status,
            document,
        );
        ensure!(sorted.insert(name, row).is_none(), "{name} stands twice");
    }
    let (mut records, mut chunks, mut streams) = (Section::default(), Section::default(), vec![]);
    let (mut raw, mut chunk) = (Vec::new(), 0_u16);
    let mut close = |raw: &mut Vec<u8>| -> Result<()> {
        let stream = miniz_oxide::deflate::compress_to_vec(raw, 10);
        chunks
            .word(streams.len())?
            .word(stream.len())?
            .word(raw.len())?;
        ensure!(
            raw.len() <= layout::MAX_CHUNK,
            "a managed policy is too large"
        );
        streams.extend(stream);
        raw.clear();
        Ok(())
    };
    for (path, version, created, updated, status, document) in sorted.values() {
        if !raw.is_empty() && raw.len() + document.len() > CHUNK {
            close(&mut raw)?;
            chunk += 1;
        }
        records
            .short(pool.string(path)?)
            .short(pool.string(version)?);
        records
            .short(pool.string(created)?)
            .short(pool.string(updated)?);
        records
            .short(*status)
            .short(chunk)
            .word(raw.len())?
            .word(document.len())?;
        raw.extend(document.as_bytes());
    }
    close(&mut raw)?;
    Ok((records, chunks, streams))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_inside_braces_do_not_separate() {
        assert_eq!(type_cells("a*{k|l}|b{x}|c*"), ["a*{k|l}", "b{x}", "c*"]);
        assert!(type_cells("").is_empty());
    }

    #[test]
    fn unknown_words_are_refused() {
        assert!(level("Danger").is_err());
        assert!(flags("cred,danger").is_err());
        assert_eq!(flags("cred,respolicy").unwrap(), 9);
    }
}
