//! From an evaluated value to a [`Document`]: the one normaliser for every origin.
//!
//! Accepts what AWS accepts (statement as object or list, scalars for lists, keys in any letter
//! case, which is reported) and keeps going on what it does not. Not for judging what is granted.
//! Invariant: nothing that was written is dropped in silence: it is an element, a problem, or open.

mod conditions;
mod lists;
mod statement;

use crate::document::{Document, Resolution, Version};
use crate::problem::{Problem, ProblemKind};
use overgrant_value::{Data, Entry, Guard, Piece, Src, Sym, Text, Val, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Most bytes of a document's text: 25 times the largest quota (20 KiB, for bucket policies).
const MOST_TEXT: usize = 512 * 1024;
/// Most statements of a document, and members of a list: the largest quota holds fewer.
const MOST_ITEMS: usize = 5_000;

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

    fn finish(mut self) -> Document {
        // A run holds thousands of documents, most with one statement.
        self.document.statements.shrink_to_fit();
        self.document
    }

    fn problem(&mut self, kind: ProblemKind, src: &Src) {
        self.document.problems.push(Problem {
            kind,
            src: src.clone(),
            earlier: None,
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
        let length: usize = text
            .pieces()
            .iter()
            .map(|piece| match piece {
                Piece::Lit(lit) => lit.as_str().len(),
                _ => 0,
            })
            .sum();
        if length > MOST_TEXT {
            self.too_large("text", val.src());
            self.lowered(Resolution::Unresolved);
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
                let kind = match text.as_known() {
                    Some(word) if is_word(&word) => ProblemKind::StandIn(word),
                    _ => ProblemKind::NotJson(error.message.into()),
                };
                self.problem(kind, &val.src().with_span(span));
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
        // Elements and conditions are few; longer mappings are sorted.
        const FEW: usize = 12;
        let mut first: BTreeMap<Cow<'_, str>, &Src> = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            let Some(key) = entry.key.known_str() else {
                continue;
            };
            let earlier = if entries.len() <= FEW {
                let mut before = entries.iter().take(at);
                before
                    .find(|other| other.key.is(&key))
                    .map(|other| &other.key_src)
            } else {
                let earlier = first.get(&key).copied();
                if earlier.is_none() {
                    first.insert(key.clone(), &entry.key_src);
                }
                earlier
            };
            if let Some(earlier) = earlier {
                let kind = ProblemKind::DuplicateKey(key.into());
                self.twice(kind, &entry.key_src, earlier.clone());
            }
        }
    }

    /// A problem of something that has a counterpart before it.
    fn twice(&mut self, kind: ProblemKind, src: &Src, earlier: Src) {
        self.problem(kind, src);
        if let Some(problem) = self.document.problems.last_mut() {
            problem.earlier = Some(earlier);
        }
    }

    /// Reports what is too large, and leaves the rest open.
    fn too_large(&mut self, what: &str, src: &Src) {
        let kind = ProblemKind::TooLarge(what.into());
        if !self
            .document
            .problems
            .iter()
            .any(|known| known.kind == kind)
        {
            self.problem(kind, src);
        }
    }
}

fn wrong_type(element: &str, expected: &str) -> ProblemKind {
    ProblemKind::WrongType(element.into(), expected.into())
}

/// Whether a symbol leaves a document *resolved*: account, region, partition, the stack, and the identity of
/// a resource in the configuration.
#[must_use]
pub fn is_nameable(sym: &Sym) -> bool {
    match sym {
        Sym::Account | Sym::Region | Sym::Partition | Sym::UrlSuffix => true,
        Sym::Input { name, .. } => matches!(name.as_str(), "AWS::StackName" | "AWS::StackId"),
        // Account and region of a provider, and who deploys with it.
        Sym::Data { addr, path, .. } => {
            matches!(path.as_str(), "account_id" | "region")
                || addr.contains("data.aws_caller_identity.")
        }
        Sym::Attr { path, .. } => {
            let last = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
            is_identity(&last) || matches!(last.as_str(), "ref" | "suffix" | "defaultsecuritygroup")
        }
        // Of a resource that a module or stack makes which is not at hand.
        Sym::Output { name, .. } => is_identity(&name.to_ascii_lowercase()),
        _ => false,
    }
}

/// Whether an attribute of this name (lower case) says which resource it is.
fn is_identity(name: &str) -> bool {
    ["arn", "id", "name"].iter().any(|end| name.ends_with(end))
}

/// Whether a text is nothing but letters, digits and what joins them in a name.
fn is_word(text: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.chars().all(inside) && text.contains(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Effect;
    use overgrant_source::{FileId, Span};
    use overgrant_value::Relation;

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
    fn what_stands_twice_names_both_places() {
        let text = r#"{"Statement": [
            {"Sid": "A", "Effect": "Allow", "Action": "a:b", "Action": "c:d", "Resource": "*"},
            {"Sid": "A", "Effect": "Allow", "Action": "a:b", "Resource": "*",
             "Condition": {"StringEquals": {"aws:k": "1", "aws:k": "2"}}}]}"#;
        let file = overgrant_source::Sources::new("/").add("p.json", text);
        let val = json::parse_file(&file, json::Options::default()).unwrap();
        let problems = Document::from_val(&val).problems;
        let starts = |src: &Src| src.span.unwrap().range().start;
        let places: Vec<(usize, usize)> = problems
            .iter()
            .map(|problem| {
                (
                    starts(problem.earlier.as_ref().unwrap()),
                    starts(&problem.src),
                )
            })
            .collect();
        let nth = |what: &str, n: usize| text.match_indices(what).nth(n).unwrap().0;
        let both = |what: &str| (nth(what, 0), nth(what, 1));
        let sids = (nth(r#"{"Sid""#, 0), nth(r#"{"Sid""#, 1));
        assert_eq!(places, [both(r#""Action""#), both(r#""aws:k""#), sids]);
    }

    #[test]
    fn no_size_is_too_large_to_read() {
        let many =
            vec![r#"{"Effect": "Allow", "Action": "a:b", "Resource": "*"}"#; 6_000].join(",");
        let long = format!(r#"{{"Id": "{}", "Statement": []}}"#, "x".repeat(600_000));
        let deep = "[".repeat(100_000);
        let wide = vec![r#""s3:Get""#; 6_000].join(",");
        for (text, kind, resolution) in [
            (
                format!(r#"{{"Statement": [{many}]}}"#),
                "Statement",
                Resolution::Unresolved,
            ),
            (long, "text", Resolution::Unresolved),
            (
                format!(r#"{{"Statement": {{"Effect": "Allow", "Action": [{wide}]}}}}"#),
                "Action",
                Resolution::Partial,
            ),
        ] {
            let document = read(&text);
            let kinds: Vec<_> = document.problems.iter().map(|p| p.kind.clone()).collect();
            assert_eq!(kinds, [ProblemKind::TooLarge(kind.into())]);
            assert_eq!(document.resolution, resolution, "{kind}");
        }
        assert!(matches!(
            read(&deep).problems[0].kind,
            ProblemKind::NotJson(_)
        ));
    }

    #[test]
    fn a_word_is_no_broken_json() {
        let kind = |text: &str| read(text).problems[0].kind.clone();
        assert_eq!(
            kind("extra_policy"),
            ProblemKind::StandIn("extra_policy".into())
        );
        for broken in ["Version: 2012", "{", "a b"] {
            assert!(matches!(kind(broken), ProblemKind::NotJson(_)), "{broken}");
        }
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
        let deployer = Sym::Data {
            root: "r".into(),
            addr: "data.aws_caller_identity.current".into(),
            path: "arn".into(),
        };
        let document = Document::from_val(&Val::text(text(deployer), Src::none()));
        assert_eq!(document.resolution, Resolution::Resolved);
        for (name, resolution) in [
            ("bucket_arn", Resolution::Resolved),
            ("prefix", Resolution::Partial),
        ] {
            let output = Sym::Output {
                root: "r".into(),
                module: "module.bucket".into(),
                name: name.into(),
            };
            let document = Document::from_val(&Val::text(text(output), Src::none()));
            assert_eq!(document.resolution, resolution, "{name}");
        }
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
    fn an_element_that_differs_by_case_makes_a_statement_for_each() {
        let src = Src::none();
        let text = |text: &str| Val::str(text, src.clone());
        let prod = Guard::atom("Env", Relation::Is("prod".into()));
        let other = Guard::atom("Env", Relation::IsNot("prod".into()));
        let either = |yes: Val, no: Val| {
            Val::one_of(
                vec![(prod.clone(), yes), (other.clone(), no)],
                "either",
                src.clone(),
            )
        };
        let none = || Val::null(src.clone());
        let read = |entries: Vec<(&str, Val)>| {
            let statement = Val::object(entries, src.clone());
            let document = Val::object(vec![("Statement", statement)], src.clone());
            Document::from_val(&document)
        };
        let document = read(vec![
            ("Effect", either(text("Deny"), text("Allow"))),
            ("Action", either(text("iam:*"), none())),
            ("NotAction", either(none(), text("ec2:*"))),
            ("Resource", text("*")),
        ]);
        assert_eq!(document.problems, []);
        let told: Vec<_> = document
            .statements
            .iter()
            .map(|one| (one.effect, one.actions.0.negated, one.guard.clone()))
            .collect();
        assert_eq!(
            told,
            [
                (Effect::Deny, false, prod.clone()),
                (Effect::Allow, true, other.clone()),
            ]
        );
        // One that is always there stays an error beside its opposite.
        let document = read(vec![
            ("Effect", text("Allow")),
            ("Action", either(text("iam:*"), none())),
            ("NotAction", text("ec2:*")),
            ("Resource", text("*")),
        ]);
        let guards: Vec<_> = document.problems.iter().map(|one| &one.guard).collect();
        assert_eq!(guards, [&prod]);
        assert_eq!(document.statements.len(), 2);
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
