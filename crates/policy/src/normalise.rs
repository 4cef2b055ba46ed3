//! From an evaluated value to a [`Document`]: the one normaliser for every origin.
//!
//! Accepts what AWS accepts (statement as object or list, scalars for lists, keys in any letter
//! case, which is reported) and keeps going on what it does not. Not for judging what is granted.
//! Invariant: nothing that was written is dropped in silence: it is an element, a problem, or open.

use crate::Pattern;
use crate::action::{ActionPattern, Actions};
use crate::condition::{Condition, ConditionKey, Conditions, Operator, Test, Value};
use crate::document::{Document, Effect, Resolution, Version};
use crate::principal::{Principal, PrincipalKind, Principals};
use crate::problem::{Problem, ProblemKind};
use crate::resource::{ResourcePattern, Resources};
use crate::statement::{Listed, Statement};
use overgrant_value::{Data, Entry, Guard, Marks, Src, Sym, Text, Val, json};
use smol_str::SmolStr;

impl Document {
    /// Reads a policy from a value: an object, a text that is JSON (parsed over its rope), or
    /// alternatives of those. Null gives a document without statements.
    #[must_use]
    pub fn from_val(val: &Val) -> Self {
        let mut reader = Reader::new(val.src().clone());
        for (guard, val) in val.alternatives() {
            reader.document(&val, &guard);
        }
        reader.finish()
    }
}

struct Reader {
    document: Document,
    statement: Option<usize>,
    /// When what is being read holds.
    guard: Guard,
}

impl Reader {
    fn new(src: Src) -> Self {
        Self {
            document: Document {
                version: Version::Missing,
                version_src: None,
                id: None,
                statements: Vec::new(),
                problems: Vec::new(),
                resolution: Resolution::Resolved,
                open: Vec::new(),
                src,
            },
            statement: None,
            guard: Guard::always(),
        }
    }

    fn finish(self) -> Document {
        self.document
    }

    fn problem(&mut self, kind: ProblemKind, src: &Src) {
        self.document.problems.push(Problem {
            kind,
            src: src.clone(),
            statement: self.statement,
            guard: self.guard.clone(),
        });
    }

    fn lowered(&mut self, resolution: Resolution) {
        self.document.resolution = self.document.resolution.max(resolution);
    }

    fn note_open(&mut self, sym: &Sym) {
        if !self.document.open.contains(sym) {
            self.document.open.push(sym.clone());
        }
        if !is_nameable(sym) {
            self.lowered(Resolution::Partial);
        }
    }

    fn note_text(&mut self, text: &Text) {
        for hole in text.holes() {
            self.note_open(&hole.sym);
        }
    }

    fn note_unknown(&mut self, sym: &Sym, resolution: Resolution) {
        if !self.document.open.contains(sym) {
            self.document.open.push(sym.clone());
        }
        self.lowered(resolution);
    }

    fn document(&mut self, val: &Val, guard: &Guard) {
        self.guard = guard.clone();
        match val.data() {
            Data::Null(_) => {}
            Data::Unknown(unknown) => self.note_unknown(&unknown.sym, Resolution::Unresolved),
            Data::Str(text) => self.text_document(val, text, guard),
            Data::Map(map) => {
                let entries = map.entries.clone();
                self.object(val, &entries, guard);
            }
            _ => self.problem(ProblemKind::NotAnObject, val.src()),
        }
    }

    fn text_document(&mut self, val: &Val, text: &Text, guard: &Guard) {
        if text.is_known() && text.as_known().is_some_and(|known| known.trim().is_empty()) {
            return;
        }
        match json::parse(text) {
            Ok(parsed) => {
                let parsed = parsed.under(val);
                if let Data::Str(_) = parsed.data() {
                    self.problem(ProblemKind::NotAnObject, val.src());
                } else {
                    self.document(&parsed, guard);
                }
            }
            Err(error) if error.near_hole || !text.is_known() => {
                match text.holes().next() {
                    Some(hole) => self.note_unknown(&hole.sym.clone(), Resolution::Unresolved),
                    None => self.lowered(Resolution::Unresolved),
                };
            }
            Err(error) => {
                let span = error.span.or(val.span());
                self.problem(
                    ProblemKind::NotJson(error.message.into()),
                    &val.src().with_span(span),
                );
                self.lowered(Resolution::Unresolved);
            }
        }
    }

    fn object(&mut self, val: &Val, entries: &[Entry], guard: &Guard) {
        if self.document.src.span.is_none() {
            self.document.src = val.src().clone();
        }
        self.duplicates(entries);
        let mut statements = None;
        for entry in entries {
            let Some(name) = self.element(entry, &["Version", "Id", "Statement"], "document")
            else {
                continue;
            };
            let inner = entry.val.under(val);
            match name {
                "Version" => self.version(&inner),
                "Id" => self.document.id = inner.to_text(),
                _ => statements = Some(inner),
            }
        }
        match statements {
            Some(list) => {
                for (inner, list) in list.alternatives() {
                    if let Some(guard) = guard.and(&inner) {
                        self.guard = guard.clone();
                        self.statements(&list, &guard);
                    }
                }
            }
            None => self.problem(ProblemKind::Missing("Statement".into()), val.src()),
        }
    }

    fn version(&mut self, val: &Val) {
        self.document.version_src = Some(val.src().clone());
        self.document.version = match val.to_text().and_then(|text| text.as_known()) {
            Some(text) if text == "2012-10-17" => Version::V2012,
            Some(text) if text == "2008-10-17" => Version::V2008,
            Some(text) => {
                self.problem(ProblemKind::BadVersion(text.clone()), val.src());
                Version::Other(text)
            }
            None => Version::Unknown,
        };
    }

    fn statements(&mut self, list: &Val, guard: &Guard) {
        match list.data() {
            Data::Unknown(unknown) => self.note_unknown(&unknown.sym, Resolution::Unresolved),
            Data::Map(_) => self.one_statement(list, guard),
            Data::Seq(_) => {
                for item in list.listed() {
                    for (inner, item) in item.alternatives() {
                        if let Some(guard) = guard.and(&inner) {
                            self.listed_statement(&item, &guard);
                        }
                    }
                }
            }
            Data::Null(_) => self.problem(ProblemKind::Missing("Statement".into()), list.src()),
            _ => self.problem(
                wrong_type("Statement", "an object or a list of objects"),
                list.src(),
            ),
        }
    }

    fn listed_statement(&mut self, item: &Val, guard: &Guard) {
        match item.data() {
            Data::Map(_) => self.one_statement(item, guard),
            Data::Unknown(unknown) => self.note_unknown(&unknown.sym, Resolution::Unresolved),
            Data::Null(_) => {}
            // A list in the list: what `concat` of conditionals leaves when it is half known.
            Data::Seq(_) => self.statements(item, guard),
            _ => self.problem(wrong_type("Statement", "a list of objects"), item.src()),
        }
    }

    fn one_statement(&mut self, val: &Val, guard: &Guard) {
        let Some(map) = val.as_map() else { return };
        let entries = map.entries.clone();
        let index = self.document.statements.len();
        self.statement = Some(index);
        let outer = std::mem::replace(&mut self.guard, guard.clone());
        self.duplicates(&entries);
        let mut statement = Statement {
            index,
            sid: None,
            effect: Effect::Unknown,
            effect_src: val.src().clone(),
            principals: Principals(Listed::absent()),
            actions: Actions::new(Listed::absent()),
            resources: Resources(Listed::absent()),
            conditions: Conditions::default(),
            src: val.src().clone(),
            guard: guard.clone(),
            marks: val.marks(),
        };
        let mut has_effect = false;
        for entry in &entries {
            let Some(name) = self.element(entry, &ELEMENTS, "statement") else {
                continue;
            };
            let inner = entry.val.under(val);
            let key_src = entry.key_src.under(val.src());
            if inner.is_null() {
                // `null` is what an absent optional attribute becomes.
                continue;
            }
            match name {
                "Sid" => statement.sid = inner.to_text(),
                "Effect" => {
                    has_effect = true;
                    statement.effect_src = inner.src().clone();
                    statement.effect = self.effect(&inner);
                }
                "Action" | "NotAction" => {
                    let list = self.actions(&inner, name == "NotAction", key_src.clone());
                    let both = statement.actions.0.is_firm() && list.is_firm();
                    self.exclusive(both, "Action", "NotAction", &key_src);
                    if !statement.actions.0.present || list.is_firm() {
                        statement.actions = Actions::new(list);
                    }
                }
                "Resource" | "NotResource" => {
                    let list = self.resources(&inner, name == "NotResource", key_src.clone());
                    let both = statement.resources.0.is_firm() && list.is_firm();
                    self.exclusive(both, "Resource", "NotResource", &key_src);
                    if !statement.resources.0.present || list.is_firm() {
                        statement.resources = Resources(list);
                    }
                }
                "Principal" | "NotPrincipal" => {
                    let list = self.principals(&inner, name == "NotPrincipal", key_src.clone());
                    let both = statement.principals.0.is_firm() && list.is_firm();
                    self.exclusive(both, "Principal", "NotPrincipal", &key_src);
                    if !statement.principals.0.present || list.is_firm() {
                        statement.principals = Principals(list);
                    }
                }
                _ => statement.conditions = self.conditions(&inner),
            }
        }
        if !has_effect {
            self.problem(ProblemKind::Missing("Effect".into()), val.src());
        }
        if !statement.actions.0.present {
            self.problem(ProblemKind::Missing("Action".into()), val.src());
        }
        self.duplicate_sid(&statement);
        self.document.statements.push(statement);
        self.statement = None;
        self.guard = outer;
    }

    fn duplicate_sid(&mut self, statement: &Statement) {
        let Some(sid) = statement.sid.as_ref().and_then(Text::as_known) else {
            return;
        };
        let twice = !sid.is_empty()
            && self.document.statements.iter().any(|other| {
                other.sid.as_ref().is_some_and(|text| text.is(&sid))
                    && other.guard.and(&statement.guard).is_some()
            });
        if twice {
            self.problem(ProblemKind::DuplicateSid(sid), &statement.src);
        }
    }

    fn effect(&mut self, val: &Val) -> Effect {
        match val.data() {
            Data::Unknown(unknown) => {
                self.note_unknown(&unknown.sym, Resolution::Unresolved);
                Effect::Unknown
            }
            Data::OneOf(_) => Effect::Unknown,
            _ => match val.to_text() {
                Some(text) => match text.as_known().as_deref() {
                    Some("Allow") => Effect::Allow,
                    Some("Deny") => Effect::Deny,
                    Some(other) => {
                        self.problem(ProblemKind::BadEffect(other.into()), val.src());
                        match other.to_ascii_lowercase().as_str() {
                            "allow" => Effect::Allow,
                            "deny" => Effect::Deny,
                            _ => Effect::Unknown,
                        }
                    }
                    None => {
                        self.note_text(&text);
                        self.lowered(Resolution::Unresolved);
                        Effect::Unknown
                    }
                },
                None => {
                    self.problem(wrong_type("Effect", "`Allow` or `Deny`"), val.src());
                    Effect::Unknown
                }
            },
        }
    }

    /// The texts of a list element with their guards; whether some could not be read.
    fn texts(&mut self, element: &str, val: &Val) -> (Vec<(Text, Val, Guard)>, bool) {
        let mut texts = Vec::new();
        let mut open = false;
        for (outer, val) in val.alternatives() {
            if let Data::Unknown(unknown) = val.data() {
                // An unknown list and an unknown text look alike: as text it is one open member.
                self.note_open(&unknown.sym);
                if !matches!(unknown.ty, overgrant_value::Ty::String) {
                    open = true;
                    self.lowered(Resolution::Partial);
                    continue;
                }
            }
            for item in val.listed() {
                for (inner, item) in item.alternatives() {
                    let Some(guard) = outer.and(&inner) else {
                        continue;
                    };
                    match item.to_text() {
                        Some(text) => {
                            self.note_text(&text);
                            texts.push((text, item, guard));
                        }
                        None if item.is_null() => {}
                        None => match item.as_items() {
                            // A list in the list: half known results of `concat` and `flatten`.
                            Some(_) => {
                                let (more, also_open) = self.texts(element, &item);
                                open |= also_open;
                                texts.extend(more.into_iter().filter_map(|(text, val, inner)| {
                                    guard.and(&inner).map(|guard| (text, val, guard))
                                }));
                            }
                            None => self.problem(
                                wrong_type(element, "a text or a list of texts"),
                                item.src(),
                            ),
                        },
                    }
                }
            }
        }
        (texts, open)
    }

    fn listed<T>(
        &mut self,
        element: &str,
        val: &Val,
        negated: bool,
        key_src: Src,
        make: impl Fn(Text, &Val, Guard) -> T,
    ) -> Listed<T> {
        let (texts, open) = self.texts(element, val);
        Listed {
            present: true,
            negated,
            items: texts
                .into_iter()
                .map(|(text, val, guard)| make(text, &val, guard))
                .collect(),
            open,
            key_src,
            src: val.src().clone(),
        }
    }

    fn actions(&mut self, val: &Val, negated: bool, key_src: Src) -> Listed<ActionPattern> {
        self.listed("Action", val, negated, key_src, |text, val, guard| {
            ActionPattern(Pattern::new(
                text,
                true,
                val.src().clone(),
                guard,
                val.marks(),
            ))
        })
    }

    fn resources(&mut self, val: &Val, negated: bool, key_src: Src) -> Listed<ResourcePattern> {
        self.listed("Resource", val, negated, key_src, |text, val, guard| {
            ResourcePattern::new(Pattern::new(
                text,
                false,
                val.src().clone(),
                guard,
                val.marks(),
            ))
        })
    }

    fn principals(&mut self, val: &Val, negated: bool, key_src: Src) -> Listed<Principal> {
        let mut list = Listed {
            present: true,
            negated,
            items: Vec::new(),
            open: val.marks().has(Marks::MAYBE),
            key_src,
            src: val.src().clone(),
        };
        for (guard, val) in val.alternatives() {
            self.principal_alternative(&val, &guard, &mut list);
        }
        list
    }

    fn principal_alternative(&mut self, val: &Val, guard: &Guard, list: &mut Listed<Principal>) {
        match val.data() {
            Data::Unknown(unknown) => {
                self.note_unknown(&unknown.sym, Resolution::Partial);
                list.open = true;
            }
            Data::Map(map) => {
                let entries = map.entries.clone();
                self.duplicates(&entries);
                for entry in &entries {
                    let inner = entry.val.under(val);
                    self.principal_entry(entry, &inner, guard, list);
                }
            }
            Data::Null(_) => {}
            _ => match val.to_text() {
                Some(text) if text.is("*") => {
                    list.items
                        .push(Principal::aws(text, val.src().clone(), guard.clone()));
                }
                Some(text) => {
                    self.note_text(&text);
                    let known = text.is_known();
                    if known {
                        self.problem(
                            wrong_type("Principal", "`*` or an object such as {\"AWS\": …}"),
                            val.src(),
                        );
                    } else {
                        list.open = true;
                    }
                    list.items.push(Principal {
                        kind: PrincipalKind::Unknown(text.clone()),
                        text,
                        src: val.src().clone(),
                        guard: guard.clone(),
                    });
                }
                None => self.problem(wrong_type("Principal", "`*` or an object"), val.src()),
            },
        }
    }

    fn principal_entry(
        &mut self,
        entry: &Entry,
        val: &Val,
        guard: &Guard,
        list: &mut Listed<Principal>,
    ) {
        const TYPES: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];
        let known = entry.key.as_known();
        let kind = known.as_ref().and_then(|key| {
            TYPES
                .into_iter()
                .find(|name| name.eq_ignore_ascii_case(key))
        });
        if let (Some(key), Some(kind)) = (&known, kind)
            && key != kind
        {
            self.problem(
                ProblemKind::WrongCase(key.clone(), kind.into()),
                &entry.key_src,
            );
        }
        if kind.is_none() {
            match known {
                Some(key) => self.problem(ProblemKind::UnknownPrincipalType(key), &entry.key_src),
                None => list.open = true,
            }
        }
        let (texts, open) = self.texts("Principal", val);
        list.open |= open;
        for (text, val, inner) in texts {
            let Some(guard) = guard.and(&inner) else {
                continue;
            };
            let src = val.src().clone();
            list.items.push(match kind {
                Some("AWS") => Principal::aws(text, src, guard),
                kind => {
                    let made = match kind {
                        Some("Service") => PrincipalKind::Service(text.clone()),
                        Some("Federated") => PrincipalKind::Federated(text.clone()),
                        Some("CanonicalUser") => PrincipalKind::Canonical(text.clone()),
                        _ => PrincipalKind::Unknown(text.clone()),
                    };
                    Principal {
                        kind: made,
                        text,
                        src,
                        guard,
                    }
                }
            });
        }
    }

    fn conditions(&mut self, val: &Val) -> Conditions {
        let mut conditions = Conditions {
            items: Vec::new(),
            open: false,
            src: val.src().clone(),
        };
        for (guard, val) in val.alternatives() {
            match val.data() {
                Data::Null(_) => {}
                Data::Map(map) => {
                    self.duplicates(&map.entries);
                    for entry in &map.entries {
                        self.operator(entry, &entry.val.under(&val), &guard, &mut conditions);
                    }
                }
                Data::Unknown(unknown) => {
                    self.note_unknown(&unknown.sym, Resolution::Partial);
                    conditions.open = true;
                }
                // An empty list is what PHP-like generators write for "none".
                Data::Seq(seq) if seq.items.is_empty() => {}
                _ => self.problem(wrong_type("Condition", "an object"), val.src()),
            }
        }
        conditions
    }

    fn operator(&mut self, entry: &Entry, val: &Val, guard: &Guard, conditions: &mut Conditions) {
        let name = entry
            .key
            .as_known()
            .unwrap_or_else(|| SmolStr::from(entry.key.to_string()));
        let operator = Operator::parse(&name);
        if operator.test == Test::Unknown && entry.key.is_known() {
            self.problem(ProblemKind::UnknownOperator(name), &entry.key_src);
        }
        for (inner, val) in val.alternatives() {
            let Some(guard) = guard.and(&inner) else {
                continue;
            };
            match val.data() {
                Data::Null(_) => {}
                Data::Map(map) => {
                    for pair in &map.entries {
                        let values = pair.val.under(&val);
                        self.note_text(&pair.key);
                        let list = self.listed(
                            "Condition",
                            &values,
                            false,
                            pair.key_src.clone(),
                            |text, val, guard| {
                                Value(Pattern::new(
                                    text,
                                    false,
                                    val.src().clone(),
                                    guard,
                                    val.marks(),
                                ))
                            },
                        );
                        conditions.items.push(Condition {
                            operator: operator.clone(),
                            operator_src: entry.key_src.clone(),
                            key: ConditionKey {
                                text: pair.key.clone(),
                                src: pair.key_src.clone(),
                            },
                            values: list.items,
                            open: list.open,
                            src: list.src,
                            guard: guard.clone(),
                        });
                    }
                }
                Data::Unknown(unknown) => {
                    self.note_unknown(&unknown.sym, Resolution::Partial);
                    conditions.open = true;
                }
                _ => self.problem(
                    wrong_type("Condition", "an object of operators with keys"),
                    val.src(),
                ),
            }
        }
    }

    fn exclusive(&mut self, both: bool, a: &str, b: &str, src: &Src) {
        if both {
            self.problem(ProblemKind::Exclusive(a.into(), b.into()), src);
        }
    }

    /// The canonical name of a key, reporting other letter case and keys the language lacks.
    fn element(
        &mut self,
        entry: &Entry,
        names: &[&'static str],
        place: &str,
    ) -> Option<&'static str> {
        let Some(key) = entry.key.as_known() else {
            self.note_text(&entry.key);
            self.lowered(if place == "document" {
                Resolution::Unresolved
            } else {
                Resolution::Partial
            });
            return None;
        };
        let found = names
            .iter()
            .find(|name| name.eq_ignore_ascii_case(&key))
            .copied();
        match found {
            Some(name) if name != key => {
                self.problem(ProblemKind::WrongCase(key, name.into()), &entry.key_src);
            }
            None => self.problem(ProblemKind::UnknownElement(key), &entry.key_src),
            _ => {}
        }
        found
    }

    fn duplicates(&mut self, entries: &[Entry]) {
        for (index, entry) in entries.iter().enumerate() {
            let earlier = entries.get(..index).unwrap_or_default();
            if entry.key.is_known()
                && earlier
                    .iter()
                    .any(|other| other.key.key() == entry.key.key())
            {
                let key = entry.key.as_known().unwrap_or_default();
                self.problem(ProblemKind::DuplicateKey(key), &entry.key_src);
            }
        }
    }
}

const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

fn wrong_type(element: &str, expected: &str) -> ProblemKind {
    ProblemKind::WrongType(element.into(), expected.into())
}

/// Whether a symbol leaves a document *resolved*: account, region, partition, and the identity of
/// a resource in the configuration.
fn is_nameable(sym: &Sym) -> bool {
    match sym {
        Sym::Account | Sym::Region | Sym::Partition | Sym::UrlSuffix => true,
        Sym::Attr { path, .. } => {
            let last = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
            last.ends_with("arn")
                || matches!(last.as_str(), "id" | "name" | "ref")
                || last.ends_with("name")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_source::{FileId, Span};

    fn read(text: &str) -> Document {
        let end = u32::try_from(text.len()).unwrap();
        let span = Span::new(FileId(0), 0, end);
        Document::from_val(&Val::text(Text::exact(text, span), Src::at(span)))
    }

    #[test]
    fn scalars_and_objects_stand_for_lists() {
        let document = read(
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": ["*"],
                "Principal": {"AWS": "*"}, "Condition": {"StringLike": {"aws:x": "a*"}}}}"#,
        );
        assert_eq!(document.problems, []);
        assert_eq!(document.resolution, Resolution::Resolved);
        let statement = &document.statements[0];
        assert_eq!(statement.effect, Effect::Allow);
        assert_eq!(statement.name(), "#0");
        assert!(statement.resources.star().is_some());
        assert!(statement.principals.anyone().is_some());
        assert_eq!(
            statement.actions.select("S3:getobject"),
            overgrant_value::Answer::Must
        );
        assert_eq!(statement.conditions.items.len(), 1);
        assert!(document.has_variables());
    }

    #[test]
    fn letter_case_and_strangers_are_reported() {
        let document = read(
            r#"{"statement": [{"effect": "allow", "action": "a:b", "resource": "*", "Foo": 1}]}"#,
        );
        let kinds: Vec<_> = document
            .problems
            .iter()
            .map(|problem| &problem.kind)
            .collect();
        assert!(kinds.contains(&&ProblemKind::WrongCase(
            "statement".into(),
            "Statement".into()
        )));
        assert!(kinds.contains(&&ProblemKind::WrongCase("effect".into(), "Effect".into())));
        assert!(kinds.contains(&&ProblemKind::BadEffect("allow".into())));
        assert!(kinds.contains(&&ProblemKind::UnknownElement("Foo".into())));
        assert_eq!(document.statements[0].effect, Effect::Allow);
        assert_eq!(document.version, Version::Missing);
    }

    #[test]
    fn broken_text_is_a_problem_at_its_place() {
        let document = read(r#"{"Statement": [}"#);
        assert!(matches!(document.problems[0].kind, ProblemKind::NotJson(_)));
        assert_eq!(
            document.problems[0].src.span,
            Some(Span::new(FileId(0), 15, 16))
        );
        assert_eq!(document.resolution, Resolution::Unresolved);
    }

    #[test]
    fn open_parts_lower_the_resolution() {
        let sym = Sym::Input {
            root: "r".into(),
            module: "".into(),
            name: "x".into(),
        };
        let text = |sym: Sym| {
            Text::known(
                r#"{"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": ""#,
            )
            .concat(&Text::hole(sym, Src::none()))
            .concat(&Text::known("\"}]}"))
        };
        let partial = Document::from_val(&Val::text(text(sym.clone()), Src::none()));
        assert_eq!(partial.resolution, Resolution::Partial);
        assert_eq!(partial.open, std::slice::from_ref(&sym));
        let resolved = Document::from_val(&Val::text(text(Sym::Account), Src::none()));
        assert_eq!(resolved.resolution, Resolution::Resolved);
        let whole = Document::from_val(&Val::unknown(sym, Src::none()));
        assert_eq!(whole.resolution, Resolution::Unresolved);
    }

    #[test]
    fn alternatives_become_guarded_statements() {
        let on = Guard::atom("condition Prod", overgrant_value::Relation::Holds);
        let off = Guard::atom("condition Prod", overgrant_value::Relation::Fails);
        let statement = |action: &str| {
            Val::object(
                vec![
                    ("Effect", Val::str("Allow", Src::none())),
                    ("Action", Val::str(action, Src::none())),
                    ("Resource", Val::str("*", Src::none())),
                ],
                Src::none(),
            )
        };
        let either = Val::one_of(
            vec![(on.clone(), statement("a:b")), (off, statement("c:d"))],
            "x",
            Src::none(),
        );
        let document = Document::from_val(&Val::object(
            vec![("Statement", Val::tuple(vec![either], Src::none()))],
            Src::none(),
        ));
        assert_eq!(document.statements.len(), 2);
        assert_eq!(document.statements[0].guard, on);
    }

    #[test]
    fn what_may_be_absent_excludes_nothing() {
        let src = Src::none();
        let entry = |key: &str, val: Val| Entry {
            key: Text::known(key),
            key_src: Src::none(),
            val,
        };
        let statement = Val::new(
            Data::Map(overgrant_value::Map::object(vec![
                entry("Effect", Val::str("Allow", src.clone())),
                entry("Action", Val::str("s3:GetObject", src.clone())),
                entry("NotAction", Val::unknown_because("an attribute", None)),
            ])),
            src.clone(),
        );
        let val = Val::new(
            Data::Map(overgrant_value::Map::object(vec![entry(
                "Statement",
                statement,
            )])),
            src,
        );
        let document = Document::from_val(&val);
        assert_eq!(document.problems.len(), 0);
        let actions = document.statements[0].actions.listed();
        assert!(!actions.negated);
        assert_eq!(actions.items.len(), 1);
    }

    #[test]
    fn principals_of_every_form() {
        let document = read(
            r#"{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {
                "AWS": ["123456789012", "arn:aws:iam::123456789012:role/x"], "Service": "ec2.amazonaws.com",
                "Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", "Foo": "x"}}]}"#,
        );
        let principals: Vec<_> = document.statements[0].principals.iter().collect();
        assert_eq!(principals.len(), 5);
        assert_eq!(principals[0].account().unwrap(), "123456789012");
        assert_eq!(principals[2].service().unwrap(), "ec2.amazonaws.com");
        assert_eq!(
            principals[3].issuer().unwrap(),
            "token.actions.githubusercontent.com"
        );
        assert!(matches!(
            document.problems[0].kind,
            ProblemKind::UnknownPrincipalType(_)
        ));
        assert!(matches!(
            read(r#"{"Statement": [{"Effect": "Allow", "Action": "a:b", "Principal": "me"}]}"#)
                .problems[0]
                .kind,
            ProblemKind::WrongType(..)
        ));
    }
}
