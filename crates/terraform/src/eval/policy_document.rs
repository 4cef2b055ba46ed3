//! `data.aws_iam_policy_document`: blocks and merged documents as one policy.
//!
//! Semantics of the AWS provider (`internal/service/iam/policy_document_data_source.go` and
//! `policy_model.go`): order source documents, own statements, override documents; a statement whose
//! Sid is already there takes its place. Invariant: the result is a structured value, never text, so
//! that every action keeps its place.

use super::access;
use super::expr::{Eval, at, fail};
use super::instance::Evaluator;
use super::types;
use crate::functions;
use overgrant_source::Level;
use overgrant_value::{
    Answer, Data, Entry, Guard, Map, Marks, Piece, Src, Sym, Text, Ty, Val, json,
};
use smol_str::{SmolStr, format_smolstr};

/// The arguments that name other documents; the last two are of providers before 5.0.
const MERGED: [&str; 4] = [
    "source_policy_documents",
    "override_policy_documents",
    "source_json",
    "override_json",
];

/// A document while it is put together.
#[derive(Default)]
struct Document {
    version: Option<Val>,
    id: Option<Val>,
    statements: Vec<Val>,
}

impl Evaluator<'_> {
    /// The `json` of a policy document whose arguments and blocks are `object`.
    pub(crate) fn policy_document(&self, object: &Val, src: &Src) -> Eval {
        let mut results = Vec::new();
        for (guard, sources) in documents(object, "source_policy_documents", "source_json") {
            for (other, overrides) in
                documents(object, "override_policy_documents", "override_json")
            {
                let Some(guard) = guard.and(&other) else {
                    continue;
                };
                let split = sources.len();
                let all: Vec<Val> = sources.iter().cloned().chain(overrides).collect();
                let document = self.spread(&all, |all| {
                    let (sources, overrides) = all.split_at_checked(split).unwrap_or((all, &[]));
                    self.assemble(object, sources, overrides, src)
                })?;
                results.push((guard, document));
            }
        }
        Ok(match results.as_slice() {
            [(guard, only)] if guard.is_always() => only.clone(),
            _ => Val::one_of(results, "one of several lists of documents", src.clone()),
        })
    }

    fn assemble(&self, object: &Val, sources: &[Val], overrides: &[Val], src: &Src) -> Eval {
        let mut document = Document::default();
        for source in sources {
            self.merge(&mut document, source, src)?;
        }
        let version_old = object
            .get("version")
            .and_then(|val| val.as_str())
            .is_some_and(|v| v == "2008-10-17");
        let statements = object
            .get("statement")
            .map(|val| val.listed())
            .unwrap_or_default();
        for statement in statements {
            let maybe = statement.marks().has(Marks::MAYBE);
            let statement = statement.unmarked(Marks::MAYBE);
            let mut built: Vec<(Guard, Val)> = Vec::new();
            for (guard, statement) in statement.alternatives() {
                let val = if statement.as_map().is_some() {
                    self.statement(&statement, version_old)?
                } else {
                    statement
                };
                built.push((guard, val));
            }
            let mut val = match built.as_slice() {
                [(guard, only)] if guard.is_always() => only.clone(),
                _ => Val::one_of(built, "one of many statements", statement.src().clone()),
            };
            if maybe {
                val = val.marked(Marks::MAYBE);
            }
            put(&mut document.statements, val);
        }
        for (name, place) in [
            ("version", &mut document.version),
            ("policy_id", &mut document.id),
        ] {
            if let Some(val) = object.get(name).filter(|val| !val.is_null()) {
                *place = Some(later(place.take(), val, name == "version"));
            }
        }
        for source in overrides {
            self.merge(&mut document, source, src)?;
        }
        let mut entries = Vec::new();
        let version = document
            .version
            .unwrap_or_else(|| Val::str("2012-10-17", src.clone()));
        entries.push(entry("Version", src, version));
        if let Some(id) = document.id {
            entries.push(entry("Id", src, id));
        }
        // Whoever sets the variables fills a document that is put together from others or by loops.
        let filled_later = MERGED.iter().any(|name| object.get(name).is_some())
            || object
                .get("statement")
                .is_some_and(|val| val.marks().has(Marks::MAYBE));
        if !document.statements.is_empty() {
            let statements = Val::tuple(document.statements, src.clone());
            entries.push(entry("Statement", src, statements));
        } else if filled_later {
            let none = Val::tuple(Vec::new(), src.clone()).marked(Marks::MAYBE);
            entries.push(entry("Statement", src, none));
        }
        let val = Val::new(Data::Map(Map::object(entries)), src.clone());
        Ok(Val::text(Text::json(val), src.clone()))
    }

    /// Adds a document given as text.
    fn merge(
        &self,
        document: &mut Document,
        source: &Val,
        src: &Src,
    ) -> Result<(), super::expr::Fail> {
        if source.is_null() {
            return Ok(());
        }
        let span = source.span().or(src.span);
        let parsed = match source.data() {
            Data::Str(text) if text.emptiness() == Answer::Must => return Ok(()),
            Data::Str(text) => functions::decode_json(text).map(|val| val.under(source)),
            _ => Err("not known".into()),
        };
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(_) if !matches!(source.data(), Data::Str(text) if text.is_known()) => {
                // An open document may hold any statement.
                let unknown =
                    Val::unknown_because("a merged policy document", span).marked(Marks::MAYBE);
                document.statements.push(unknown);
                return Ok(());
            }
            Err(message) => {
                let message = format!("a merged policy document is not valid JSON: {message}");
                return match span {
                    Some(span) => fail(message, span),
                    None => at(
                        Err(message),
                        overgrant_source::Span::new(overgrant_source::FileId(0), 0, 0),
                    ),
                };
            }
        };
        if let Some(version) = parsed.get("Version") {
            document.version = Some(later(document.version.take(), version, true));
        }
        if let Some(id) = parsed
            .get("Id")
            .filter(|id| id.as_str().is_none_or(|id| !id.is_empty()))
        {
            document.id = Some(id);
        }
        match parsed.get("Statement") {
            None => {}
            Some(val) => {
                for statement in val.listed() {
                    let statement = self.without_numbers(&statement);
                    let statement = match source.marks().has(Marks::MAYBE) {
                        true => statement.marked(Marks::MAYBE),
                        false => statement,
                    };
                    put(&mut document.statements, statement);
                }
            }
        }
        Ok(())
    }

    /// The provider reads texts, truth values and lists in conditions; a number is lost without a
    /// word.
    fn without_numbers(&self, statement: &Val) -> Val {
        let (Some(map), Some(condition)) = (statement.as_map(), statement.get("Condition")) else {
            return statement.clone();
        };
        let Some(tests) = condition.as_map() else {
            return statement.clone();
        };
        let mut lost = None;
        let tests = Map::object(
            tests
                .entries
                .iter()
                .map(|test| {
                    let Some(variables) = test.val.as_map() else {
                        return test.clone();
                    };
                    let kept = variables
                        .entries
                        .iter()
                        .filter(|entry| {
                            let number = matches!(entry.val.data(), Data::Num(_));
                            if number {
                                lost = lost.or(entry.val.span());
                            }
                            !number
                        })
                        .cloned()
                        .collect();
                    Entry {
                        val: Val::new(Data::Map(Map::object(kept)), test.val.src().clone()),
                        ..test.clone()
                    }
                })
                .filter(|test| test.val.as_map().is_none_or(|map| !map.entries.is_empty()))
                .collect(),
        );
        let Some(span) = lost else {
            return statement.clone();
        };
        self.report(
            Level::Warning,
            "condition-number-lost",
            "the AWS provider drops a number as condition value when it merges this document; write it in quotes",
            Some(span),
        );
        let entries = map
            .entries
            .iter()
            .map(|entry| {
                if entry.key.is("Condition") {
                    Entry {
                        val: Val::new(Data::Map(tests.clone()), entry.val.src().clone()),
                        ..entry.clone()
                    }
                } else {
                    entry.clone()
                }
            })
            .filter(|entry| {
                !entry.key.is("Condition")
                    || entry.val.as_map().is_none_or(|map| !map.entries.is_empty())
            })
            .collect();
        statement_with(statement, entries)
    }

    fn statement(&self, block: &Val, version_old: bool) -> Eval {
        let src = block.src().clone();
        let key_src = |name: &str| {
            block
                .as_map()
                .and_then(|map| map.entry(name))
                .map_or_else(|| src.clone(), |entry| entry.key_src.clone())
        };
        let set = |name: &str| block.get(name).filter(|val| !val.is_null());
        let mut entries = Vec::new();
        if let Some(sid) = set("sid")
            && sid
                .to_text()
                .is_none_or(|text| text.emptiness() != Answer::Must)
        {
            entries.push(entry("Sid", &key_src("sid"), sid));
        }
        let effect = set("effect").unwrap_or_else(|| Val::str("Allow", src.clone()));
        entries.push(entry("Effect", &key_src("effect"), effect));
        for (from, to, variables) in [
            ("actions", "Action", false),
            ("not_actions", "NotAction", false),
            ("resources", "Resource", true),
            ("not_resources", "NotResource", true),
        ] {
            if let Some(val) = set(from)
                && let Some(val) = self.listed(&val, variables, version_old)?
            {
                entries.push(entry(to, &key_src(from), val));
            }
        }
        for (from, to) in [
            ("principals", "Principal"),
            ("not_principals", "NotPrincipal"),
        ] {
            if let Some(val) = set(from)
                && let Some(val) = self.principals(&val, version_old)?
            {
                entries.push(entry(to, &key_src(from), val));
            }
        }
        if let Some(val) = set("condition")
            && let Some(val) = self.conditions(&val, version_old)?
        {
            entries.push(entry("Condition", &key_src("condition"), val));
        }
        Ok(Val::new(Data::Map(Map::object(entries)), src))
    }

    /// A set of texts as the provider writes it: distinct, descending, a single one without brackets.
    fn listed(
        &self,
        val: &Val,
        variables: bool,
        version_old: bool,
    ) -> Result<Option<Val>, super::expr::Fail> {
        if let Data::OneOf(alts) = val.data() {
            let mut results = Vec::new();
            for alt in alts {
                let val = self.listed(&alt.val, variables, version_old)?;
                results.push((
                    alt.guard.clone(),
                    val.unwrap_or_else(|| Val::tuple(Vec::new(), alt.val.src().clone())),
                ));
            }
            return Ok(Some(Val::one_of(
                results,
                "one of many lists",
                val.src().clone(),
            )));
        }
        let Some(items) = val.as_items() else {
            return Ok((!val.is_null()).then(|| val.clone()));
        };
        let mut keyed: Vec<(String, Val)> = Vec::new();
        for item in items {
            let mut item = item.under(val);
            if item.is_unknown() {
                // The schema has a text here.
                item = types::convert(&item, &Ty::String).unwrap_or(item);
            }
            let item = if variables {
                self.variables(&item, version_old)?
            } else {
                item
            };
            let key = item
                .to_text()
                .map_or_else(|| json::to_key(&item), |text| text.key());
            if !keyed.iter().any(|(known, _)| *known == key) {
                keyed.push((key, item));
            }
        }
        keyed.sort_by(|(a, _), (b, _)| b.cmp(a));
        let mut items: Vec<Val> = keyed.into_iter().map(|(_, item)| item).collect();
        let open = access::is_open(val);
        // Whoever sets the variable fills a list that is empty by default, or for this caller.
        let filled_later = val.marks().has(Marks::FROM_DEFAULT) || !self.is_written(val);
        Ok(match items.len() {
            0 if filled_later => {
                Some(Val::tuple(Vec::new(), val.src().clone()).marked(Marks::MAYBE))
            }
            0 => None,
            1 if !open => items.pop(),
            _ => {
                let list = Val::tuple(items, val.src().clone());
                Some(if open {
                    list.marked(Marks::MAYBE)
                } else {
                    list
                })
            }
        })
    }

    /// Whether the list is written out where it is used.
    fn is_written(&self, val: &Val) -> bool {
        let text = |span| self.sources().slice(span);
        val.src().is_local()
            && val.span().is_none_or(|span| {
                let list = text(span);
                let items = list.strip_prefix('[').map(str::trim_start);
                items.is_some_and(|items| !items.starts_with("for "))
            })
    }

    /// `&{…}` means `${…}`.
    fn variables(&self, val: &Val, version_old: bool) -> Eval {
        let Data::Str(text) = val.data() else {
            return Ok(val.clone());
        };
        let here = |piece: &Piece| matches!(piece, Piece::Lit(lit) if lit.as_str().contains("&{"));
        if !text.pieces().iter().any(here) {
            return Ok(val.clone());
        }
        if version_old {
            let message = "policy variables need version 2012-10-17";
            return match val.span() {
                Some(span) => fail(message, span),
                None => Ok(val.clone()),
            };
        }
        let text: Text = text
            .pieces()
            .iter()
            .map(|piece| match piece {
                Piece::Lit(lit) => Piece::Lit(lit.mapped(lit.as_str().replace("&{", "${"), true)),
                other => other.clone(),
            })
            .collect();
        Ok(Val::text(text, val.src().clone()).marked(val.marks()))
    }

    fn principals(&self, val: &Val, version_old: bool) -> Result<Option<Val>, super::expr::Fail> {
        let blocks = val.listed();
        let unknown = |at| Val::unknown_because("principals of an unknown number", at);
        let mut groups: Vec<(Text, Src, Vec<Val>, bool)> = Vec::new();
        let mut maybe = false;
        let mut filled_later = val.marks().has(Marks::MAYBE);
        for block in &blocks {
            // Of a block that may not exist at all, nothing is sure.
            if access::is_open(block) {
                maybe = true;
                continue;
            }
            for (exists, block) in block.alternatives() {
                if block.as_map().is_none() {
                    return Ok(Some(unknown(block.span())));
                }
                let kind = argument(&block, "type");
                let identifiers = block
                    .get("identifiers")
                    .unwrap_or_else(|| Val::tuple(Vec::new(), block.src().clone()));
                let mut open = access::is_open(&identifiers);
                let mut found = Vec::new();
                filled_later |= identifiers.marks().has(Marks::FROM_DEFAULT);
                for (guard, list) in identifiers.alternatives() {
                    let Some(guard) = exists.and(&guard) else {
                        continue;
                    };
                    if list.as_items().is_none() || !guard.is_always() {
                        open = true;
                    }
                    for item in list.listed() {
                        let item = self.variables(&item, version_old)?;
                        found.push(if guard.is_always() {
                            item
                        } else {
                            Val::one_of(
                                vec![(guard.clone(), item.clone())],
                                "a principal",
                                item.src().clone(),
                            )
                        });
                    }
                }
                match groups.iter_mut().find(|(known, ..)| known.same_text(&kind)) {
                    Some((_, _, items, known_open)) => {
                        items.extend(found);
                        *known_open |= open;
                    }
                    None => {
                        let src = block
                            .as_map()
                            .and_then(|map| map.entry("type"))
                            .map_or_else(|| block.src().clone(), |entry| entry.val.src().clone());
                        groups.push((kind, src, found, open));
                    }
                }
            }
        }
        if let [(kind, _, items, false)] = groups.as_slice()
            && kind.is("*")
            && let [only] = items.as_slice()
            && only.as_str().is_some_and(|text| text == "*")
        {
            return Ok(Some(only.clone()));
        }
        let mut entries = Vec::new();
        for (kind, src, items, open) in groups {
            let list = Val::tuple(items, src.clone());
            let list = if open {
                list.marked(Marks::MAYBE)
            } else {
                list
            };
            if let Some(val) = self.listed(&list, false, version_old)? {
                entries.push(Entry {
                    key: kind,
                    key_src: src,
                    val,
                });
            }
        }
        Ok(match (entries.is_empty(), maybe) {
            (true, true) => Some(unknown(val.span())),
            (true, false) if filled_later => {
                let none = Val::new(Data::Map(Map::object(Vec::new())), val.src().clone());
                Some(none.marked(Marks::MAYBE))
            }
            (true, false) => None,
            (false, _) => {
                let val = Val::new(Data::Map(Map::object(entries)), val.src().clone());
                Some(if maybe { val.marked(Marks::MAYBE) } else { val })
            }
        })
    }

    fn conditions(&self, val: &Val, version_old: bool) -> Result<Option<Val>, super::expr::Fail> {
        let mut tests: Vec<(Text, Src, Vec<Entry>)> = Vec::new();
        for block in val.listed() {
            for (_, block) in block.alternatives() {
                if block.as_map().is_none() {
                    return Ok(Some(Val::unknown_because(
                        "conditions of an unknown number",
                        block.span(),
                    )));
                }
                let place = |name: &str| {
                    block
                        .as_map()
                        .and_then(|map| map.entry(name))
                        .map_or_else(|| block.src().clone(), |entry| entry.val.src().clone())
                };
                let (test, variable) = (argument(&block, "test"), argument(&block, "variable"));
                let values = block
                    .get("values")
                    .unwrap_or_else(|| Val::tuple(Vec::new(), block.src().clone()));
                let values = if values.as_items().is_some() {
                    let mut items = Vec::new();
                    for item in values.listed() {
                        items.push(self.variables(&item, version_old)?);
                    }
                    let list = Val::tuple(items, values.src().clone()).marked(values.marks());
                    if access::is_open(&block) {
                        list.marked(Marks::MAYBE)
                    } else {
                        list
                    }
                } else {
                    values
                };
                let at = match tests.iter().position(|(known, ..)| known.same_text(&test)) {
                    Some(at) => at,
                    None => {
                        tests.push((test, place("test"), Vec::new()));
                        tests.len() - 1
                    }
                };
                let Some((_, _, variables)) = tests.get_mut(at) else {
                    continue;
                };
                match variables
                    .iter_mut()
                    .find(|entry| entry.key.same_text(&variable))
                {
                    Some(entry) => entry.val = joined(&entry.val, &values),
                    None => variables.push(Entry {
                        key: variable,
                        key_src: place("variable"),
                        val: values,
                    }),
                }
            }
        }
        let entries: Vec<Entry> = tests
            .into_iter()
            .map(|(key, key_src, variables)| {
                let variables = variables
                    .into_iter()
                    .map(|entry| Entry {
                        val: single(&entry.val),
                        ..entry
                    })
                    .collect();
                Entry {
                    key,
                    val: Val::new(Data::Map(Map::object(variables)), key_src.clone()),
                    key_src,
                }
            })
            .collect();
        Ok((!entries.is_empty())
            .then(|| Val::new(Data::Map(Map::object(entries)), val.src().clone())))
    }
}

/// A text argument of a block; one of several texts is a hole.
fn argument(block: &Val, name: &str) -> Text {
    let Some(val) = block.get(name) else {
        return Text::empty();
    };
    val.to_text().unwrap_or_else(|| {
        let sym = Sym::Other {
            what: format_smolstr!("one of several values of `{name}`"),
            at: val.span(),
        };
        Text::hole(sym, val.src().clone())
    })
}

fn statement_with(statement: &Val, entries: Vec<Entry>) -> Val {
    Val::new(Data::Map(Map::object(entries)), statement.src().clone()).marked(statement.marks())
}

/// The documents that an argument lists; an open list counts as one open document.
/// The lists of documents that an argument may have. A list that stands for any number of documents
/// gives each as one that may be there.
fn documents(object: &Val, name: &str, single: &str) -> Vec<(Guard, Vec<Val>)> {
    let Some(val) = object.get(name).or_else(|| object.get(single)) else {
        return vec![(Guard::always(), Vec::new())];
    };
    let list = |val: Val| {
        if !access::is_open(&val) {
            return val.listed().into_vec();
        }
        match val.as_items() {
            Some(items) => items
                .iter()
                .map(|item| item.under(&val).marked(Marks::MAYBE))
                .collect(),
            None => vec![Val::unknown_because(
                "an unknown number of documents",
                val.span(),
            )],
        }
    };
    let alternatives = val.alternatives().into_iter();
    alternatives
        .map(|(guard, val)| (guard, list(val)))
        .collect()
}

fn entry(key: &str, key_src: &Src, val: Val) -> Entry {
    Entry {
        key: Text::known(key),
        key_src: key_src.clone(),
        val,
    }
}

/// The version that counts: the lexically greater one; an id is replaced.
fn later(known: Option<Val>, val: Val, compare: bool) -> Val {
    match known {
        Some(known) if compare => match (known.as_str(), val.as_str()) {
            (Some(a), Some(b)) if a > b => known,
            _ => val,
        },
        _ => val,
    }
}

fn sid(statement: &Val) -> Option<SmolStr> {
    statement.get("Sid")?.as_str().filter(|sid| !sid.is_empty())
}

fn put(statements: &mut Vec<Val>, statement: Val) {
    if let Some(wanted) = sid(&statement)
        && let Some(known) = statements
            .iter_mut()
            .find(|known| sid(known).as_ref() == Some(&wanted))
    {
        *known = statement;
        return;
    }
    statements.push(statement);
}

fn joined(a: &Val, b: &Val) -> Val {
    if a.is_unknown() {
        return a.clone();
    }
    if b.is_unknown() {
        return b.clone();
    }
    let items = a.listed().into_iter().chain(b.listed()).collect();
    Val::tuple(items, a.src().clone()).marked(a.marks().with(b.marks()))
}

fn single(val: &Val) -> Val {
    match val.as_items() {
        Some([only]) if !access::is_open(val) => only.under(val),
        _ => val.clone(),
    }
}
