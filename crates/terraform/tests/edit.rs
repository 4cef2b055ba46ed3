//! Edits of configurations written in every way people write them: what is not meant stays as it is.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking; clippy knows only functions marked as tests"
)]

use overgrant_source::{Draft, Sources, Span, TextEdit, Word};
use overgrant_terraform::edit::{add_condition, append_statement, read, remove, set_attribute};
use overgrant_terraform::{Options, evaluate};
use overgrant_value::{Data, Val, json};
use proptest::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    Encoded,
    Heredoc,
    Blocks,
}

/// How a policy is written.
#[derive(Debug, Clone)]
struct Writing {
    notation: Notation,
    statements: usize,
    /// Whether objects stand on one line.
    inline: bool,
    /// `[{` on one line.
    hugged: bool,
    comments: bool,
    /// Commas behind the last members, where they are allowed.
    commas: bool,
    quoted: bool,
    colon: bool,
    tabs: bool,
    windows: bool,
    /// Which statement tests something already.
    tested: Option<usize>,
    /// Which statement has the condition that an edit would add.
    wanted: Option<usize>,
}

fn writings() -> impl Strategy<Value = Writing> {
    let notation = prop_oneof![
        Just(Notation::Encoded),
        Just(Notation::Heredoc),
        Just(Notation::Blocks)
    ];
    (
        notation,
        1_usize..4,
        proptest::option::of(0_usize..3),
        proptest::array::uniform8(any::<bool>()),
    )
        .prop_map(|(notation, statements, tested, flags)| {
            let [
                inline,
                hugged,
                comments,
                commas,
                quoted,
                colon,
                tabs,
                windows,
            ] = flags;
            Writing {
                notation,
                statements,
                inline,
                hugged: hugged && !inline,
                comments: comments && !inline && notation != Notation::Heredoc,
                commas: commas && notation == Notation::Encoded,
                quoted: quoted || notation == Notation::Heredoc,
                colon: colon || notation == Notation::Heredoc,
                tabs,
                windows,
                tested,
                wanted: None,
            }
        })
}

const OPERATOR: &str = "StringEquals";
const KEY: &str = "iam:PassedToService";
const VALUE: &str = "${x}.amazonaws.com";

impl Writing {
    /// The members of a statement: name and value as JSON.
    fn members(&self, index: usize) -> Vec<(&'static str, String)> {
        let mut members = vec![
            ("Sid", format!("\"S{index}\"")),
            ("Effect", "\"Allow\"".to_owned()),
            ("Action", "[\"iam:PassRole\", \"s3:Get*\"]".to_owned()),
            ("Resource", "\"*\"".to_owned()),
        ];
        let tested = self.tested == Some(index);
        let wanted = self.wanted == Some(index);
        if tested || wanted {
            let escaped = VALUE.replace("${", "$${");
            let tests = [
                (tested, "\"aws:x\"", "\"y\"".to_owned()),
                (wanted, "\"iam:PassedToService\"", format!("\"{escaped}\"")),
            ];
            let tests: Vec<String> = tests
                .into_iter()
                .filter(|(there, ..)| *there)
                .map(|(_, key, value)| format!("{key}{}{value}", self.sign()))
                .collect();
            let (operator, sign) = (self.key(OPERATOR), self.sign());
            members.push((
                "Condition",
                format!("{{{operator}{sign}{{{}}}}}", tests.join(", ")),
            ));
        }
        members
    }

    fn sign(&self) -> &'static str {
        if self.colon { ": " } else { " = " }
    }

    fn key(&self, name: &str) -> String {
        match self.quoted {
            true => format!("\"{name}\""),
            false => name.to_owned(),
        }
    }

    fn note(&self, text: &str) -> String {
        match self.comments {
            true => format!(" # {text}"),
            false => String::new(),
        }
    }

    fn statement(&self, index: usize, indent: &str) -> String {
        let members = self.members(index);
        let written =
            |(name, value): &(&str, String)| format!("{}{}{value}", self.key(name), self.sign());
        if self.inline {
            let members: Vec<String> = members.iter().map(written).collect();
            return format!("{{ {} }}", members.join(", "));
        }
        let mut text = String::from("{\n");
        for (at, member) in members.iter().enumerate() {
            let last = at + 1 == members.len();
            let comma = match self.notation {
                Notation::Heredoc => !last,
                _ => self.commas,
            };
            text.push_str(&format!(
                "{indent}  {}{}{}\n",
                written(member),
                if comma { "," } else { "" },
                self.note("why")
            ));
        }
        format!("{text}{indent}}}")
    }

    fn block(&self, index: usize) -> String {
        let mut text = String::from("  statement {\n");
        for (name, value) in self.members(index) {
            let line = match name {
                "Sid" => format!("sid = {value}"),
                "Effect" => format!("effect = {value}"),
                "Action" => format!("actions = {value}"),
                "Resource" => format!("resources = [{value}]"),
                _ => continue,
            };
            text.push_str(&format!("    {line}{}\n", self.note("why")));
        }
        for (there, key, value) in [
            (self.tested, "aws:x", "y".to_owned()),
            (self.wanted, KEY, VALUE.replace("${", "$${")),
        ] {
            if there == Some(index) {
                text.push_str(&format!(
                    "    condition {{\n      test = \"{OPERATOR}\"\n      variable = \"{key}\"\n      values = [\"{value}\"]\n    }}\n"
                ));
            }
        }
        text.push_str("  }\n");
        text
    }

    fn text(&self) -> String {
        let statements = |indent: &str| -> Vec<String> {
            (0..self.statements)
                .map(|index| self.statement(index, indent))
                .collect()
        };
        let list = |indent: &str, trailing: bool| -> String {
            if self.hugged {
                return format!("[{}]", statements(indent).join(", "));
            }
            let inner = format!("{indent}  ");
            let items = statements(&inner).join(&format!(",{}\n{inner}", self.note("next")));
            let comma = if trailing { "," } else { "" };
            format!("[\n{inner}{items}{comma}\n{indent}]")
        };
        let document = |trailing: bool| {
            let comma = if self.notation == Notation::Heredoc {
                ","
            } else {
                ""
            };
            format!(
                "{{\n    {}{}\"2012-10-17\"{comma}\n    {}{}{}\n  }}",
                self.key("Version"),
                self.sign(),
                self.key("Statement"),
                self.sign(),
                list("    ", trailing)
            )
        };
        let policy = match self.notation {
            Notation::Encoded => format!("jsonencode({})", document(self.commas)),
            Notation::Heredoc => format!("<<EOT\n{}\nEOT", document(false)),
            Notation::Blocks => "data.aws_iam_policy_document.d.json".to_owned(),
        };
        let mut text = format!("resource \"aws_iam_policy\" \"p\" {{\n  policy = {policy}\n}}\n");
        if self.notation == Notation::Blocks {
            let blocks: Vec<String> = (0..self.statements)
                .map(|index| self.block(index))
                .collect();
            text.push_str(&format!(
                "\ndata \"aws_iam_policy_document\" \"d\" {{\n{}}}\n",
                blocks.join("\n")
            ));
        }
        if self.tabs {
            text = text
                .lines()
                .map(|line| {
                    let rest = line.trim_start_matches(' ');
                    format!("{}{rest}\n", "\t".repeat((line.len() - rest.len()) / 2))
                })
                .collect();
        }
        if self.windows {
            text = text.replace('\n', "\r\n");
        }
        text
    }
}

/// The policy as Terraform would have it, members sorted.
fn policy(text: &str) -> String {
    let sources = Sources::new("/nowhere");
    sources.add("main.tf", text);
    let output = evaluate(&sources, &[String::new()], &Options::default());
    assert!(
        output.diagnostics.is_empty(),
        "{text}\n{:?}",
        output.diagnostics
    );
    let found = output
        .resources
        .iter()
        .find(|resource| resource.address == "aws_iam_policy.p")
        .and_then(|resource| resource.get("policy"))
        .unwrap();
    let Data::Str(found) = found.data() else {
        panic!("{text}")
    };
    let document = match found.as_json() {
        Some(val) => val.clone(),
        None => json::parse(found).unwrap_or_else(|error| panic!("{text}\n{}", error.message)),
    };
    sorted(&document)
}

fn sorted(val: &Val) -> String {
    match val.data() {
        Data::Map(map) => {
            let mut members: Vec<String> = map
                .entries
                .iter()
                .map(|entry| format!("{}:{}", entry.key, sorted(&entry.val)))
                .collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        // A list of one is that one.
        Data::Seq(seq) => match seq.items.as_slice() {
            [only] => sorted(only),
            items => format!("{:?}", items.iter().map(sorted).collect::<Vec<_>>()),
        },
        _ => json::to_string(val),
    }
}

/// The place of the statement with an index, as a finding has it.
fn place(text: &str, index: usize) -> Span {
    let sources = Sources::new("/nowhere");
    let file = sources.add("main.tf", text);
    let sid = text.find(&format!("\"S{index}\"")).unwrap();
    let start = match text.get(..sid).unwrap().rfind("statement {") {
        Some(start) => start,
        None => text.get(..sid).unwrap().rfind('{').unwrap(),
    };
    let mut depth = 0;
    let length = text
        .get(start..)
        .unwrap()
        .char_indices()
        .find_map(|(at, c)| {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            (c == '}' && depth == 0).then_some(at + 1)
        })
        .unwrap();
    file.span(start..start + length)
}

fn edited(
    text: &str,
    edit: impl Fn(&overgrant_terraform::edit::Configuration) -> Option<TextEdit>,
) -> Option<String> {
    let sources = Sources::new("/nowhere");
    let file = sources.add("main.tf", text);
    let edit = edit(&read(&file).unwrap())?;
    let mut out = text.to_owned();
    out.replace_range(edit.span.range(), &edit.text);
    Some(out)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_condition_is_added_to_its_statement_only(writing in writings(), at in 0_usize..3) {
        let at = at % writing.statements;
        let text = writing.text();
        let add = |text: &str| {
            let values = [VALUE.to_owned()];
            edited(text, |conf| add_condition(conf, place(text, at), OPERATOR, KEY, &values))
        };
        let new = add(&text).unwrap_or_else(|| panic!("no edit:\n{text}"));
        let wanted = Writing { wanted: Some(at), ..writing.clone() };
        prop_assert_eq!(policy(&new), policy(&wanted.text()), "{}", new);
        prop_assert_eq!(add(&new), None, "there already");
        if writing.windows {
            prop_assert_eq!(new.matches('\n').count(), new.matches("\r\n").count());
        }
        // Every line stays, or has one comma more.
        for line in text.lines().filter(|line| !writing.inline && !line.contains(OPERATOR)) {
            let stays = new.lines().any(|known| known == line || known == format!("{line},"));
            prop_assert!(stays, "{}\n{}", line, new);
        }
    }

    #[test]
    fn a_statement_is_added_and_removed(writing in writings()) {
        let text = writing.text();
        let document = {
            let sources = Sources::new("/nowhere");
            let file = sources.add("main.tf", &text);
            let from = match writing.notation {
                Notation::Blocks => text.find("data \"aws").unwrap(),
                Notation::Encoded => text.find("jsonencode(").unwrap() + 11,
                Notation::Heredoc => text.find("EOT").unwrap() + 3 + if writing.windows { 2 } else { 1 },
            };
            let to = match writing.notation {
                Notation::Blocks => text.rfind('}').unwrap() + 1,
                Notation::Encoded => text.rfind("})").unwrap() + 1,
                Notation::Heredoc => text.rfind("EOT").unwrap() - if writing.windows { 2 } else { 1 },
            };
            file.span(from..to)
        };
        let elements = [
            ("Sid", vec![Word::from(format!("S{}", writing.statements))]),
            ("Effect", vec![Word::from("Allow")]),
            ("Action", vec![Word::from("iam:PassRole"), Word::from("s3:Get*")]),
            ("Resource", vec![Word::from("*")]),
        ];
        let draft = Draft { elements: elements.into(), condition: None };
        let new = edited(&text, |conf| append_statement(conf, document, &draft))
            .unwrap_or_else(|| panic!("no edit:\n{text}"));
        let wanted = Writing { statements: writing.statements + 1, tested: writing.tested.filter(|at| *at < writing.statements), ..writing.clone() };
        prop_assert_eq!(policy(&new), policy(&wanted.text()), "{}", new);

        let last = place(&new, writing.statements);
        let back = edited(&new, |conf| remove(conf, last)).unwrap_or_else(|| panic!("no removal:\n{new}"));
        prop_assert_eq!(policy(&back), policy(&text), "{}", back);
        let only = Writing { statements: 1, ..writing };
        let only = only.text();
        prop_assert_eq!(edited(&only, |conf| remove(conf, place(&only, 0))), None);
    }
}

fn header(text: &str) -> Span {
    let sources = Sources::new("/nowhere");
    let file = sources.add("main.tf", text);
    file.span(0..text.find(" {").unwrap())
}

#[test]
fn arguments_are_set_and_made() {
    let block = "resource \"aws_instance\" \"i\" {\n  ami = \"a\" # why\n\n  metadata_options {\n    http_endpoint = \"enabled\"\n  }\n}\n";
    for (text, path, value, expected) in [
        (block, "ami", "b", block.replace("\"a\"", "\"b\"")),
        (
            block,
            "count",
            "2",
            block.replace("# why\n", "# why\n  count = 2\n"),
        ),
        (
            block,
            "metadata_options.http_tokens",
            "required",
            block.replace(
                "\"enabled\"\n",
                "\"enabled\"\n    http_tokens = \"required\"\n",
            ),
        ),
        (
            block,
            "root.encrypted",
            "true",
            block.replace("  }\n}", "  }\n\n  root {\n    encrypted = true\n  }\n}"),
        ),
        (
            "resource \"a\" \"b\" {}\n",
            "x",
            "${y}",
            "resource \"a\" \"b\" {\n  x = \"$${y}\"\n}\n".to_owned(),
        ),
        (
            "resource \"a\" \"b\" { c = 1 }\n",
            "x.y.z",
            "0",
            "resource \"a\" \"b\" {\n  c = 1\n\n  x {\n    y {\n      z = 0\n    }\n  }\n}\n"
                .to_owned(),
        ),
        (
            "resource \"a\" \"b\" {\n\tc = <<EOT\n}\nEOT\n}\n",
            "x",
            "1",
            "resource \"a\" \"b\" {\n\tc = <<EOT\n}\nEOT\n\tx = 1\n}\n".to_owned(),
        ),
    ] {
        let new = edited(text, |conf| set_attribute(conf, header(text), path, value));
        assert_eq!(new.as_deref(), Some(expected.as_str()), "{text}{path}");
    }
    for (text, path) in [
        ("resource \"a\" \"b\" {\n  m = {}\n}\n", "m.x"),
        ("resource \"a\" \"b\" {\n  m {\n  }\n  m {\n  }\n}\n", "m.x"),
        (
            "resource \"a\" \"b\" {\n  dynamic \"m\" {\n    for_each = []\n    content {}\n  }\n}\n",
            "m.x",
        ),
    ] {
        assert_eq!(
            edited(text, |conf| set_attribute(conf, header(text), path, "1")),
            None,
            "{text}"
        );
    }
}

#[test]
fn items_go_with_what_belongs_to_them() {
    let text = "resource \"a\" \"b\" {\n  one = [\"x\", \"y\", \"z\"]\n  two = [\n    \"p\", # kept\n    \"q\",\n  ]\n  three = [\"only\"]\n\n  gone {\n    a = 1\n  }\n}\n";
    let removed = |item: &str| {
        edited(text, |conf| {
            let at = text.find(item).unwrap();
            let sources = Sources::new("/nowhere");
            let file = sources.add("main.tf", text);
            remove(conf, file.span(at..at + item.len()))
        })
    };
    for (item, from, to) in [
        ("\"x\"", "\"x\", ", ""),
        ("\"y\"", "\"y\", ", ""),
        ("\"z\"", ", \"z\"", ""),
        ("three = [\"only\"]", "  three = [\"only\"]\n", ""),
        ("gone {\n    a = 1\n  }", "\n  gone {\n    a = 1\n  }\n", ""),
    ] {
        assert_eq!(removed(item), Some(text.replace(from, to)), "{item}");
    }
    for item in ["\"only\"", "\"p\"", "\"q\"", "b"] {
        assert_eq!(
            removed(item),
            None,
            "{item}: the only one, or somebody's comment"
        );
    }
}

#[test]
fn what_is_not_written_out_gets_no_edit() {
    for text in [
        "locals {\n  p = \"{\\\"Sid\\\": \\\"S0\\\"}\"\n  s = [{ Sid = \"S0\", Condition = local.c }]\n}\n",
        "locals {\n  s = [{ for k, v in local.m : k => \"S0\" }]\n}\n",
        "locals {\n  s = <<EOT\n{%{ if true }\"Sid\": \"S0\"%{ endif }}\nEOT\n}\n",
    ] {
        let new = edited(text, |conf| {
            add_condition(conf, place(text, 0), OPERATOR, KEY, &["v".to_owned()])
        });
        assert_eq!(new, None, "{text}");
    }
    let sources = Sources::new("/nowhere");
    assert!(read(&sources.add("a.tf", "resource \"a\" {{\n")).is_none());
}

#[test]
fn interpolations_stand_in_json_as_values_and_in_strings() {
    let text = "locals {\n  p = <<EOT\n{\"Statement\": [{\"Sid\": \"S0\", \"Resource\": \"a${ local.x }b\", \"Action\": ${jsonencode(local.a)}}]}\nEOT\n}\n";
    let at = text.find("{\"Sid").unwrap();
    let end = text.find("]}").unwrap();
    let new = edited(text, |conf| {
        let sources = Sources::new("/nowhere");
        let span = sources.add("main.tf", text).span(at..end);
        add_condition(conf, span, OPERATOR, KEY, &["v".to_owned()])
    });
    let added = ", \"Condition\": {\"StringEquals\": {\"iam:PassedToService\": \"v\"}}";
    let expected = format!(
        "{}{added}{}",
        text.get(..end - 1).unwrap(),
        text.get(end - 1..).unwrap()
    );
    assert_eq!(new, Some(expected));
}
