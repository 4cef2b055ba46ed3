//! `cargo dev policy`: the policy engine on plain JSON policies, for people and for test drivers.
//!
//! Not for configurations: that is `overgrant check`. Invariant: `decide` reads JSON lines and
//! writes one line for each, in the same order; the other commands write one JSON object.

pub(crate) mod case;

use anyhow::{Context as _, Result};
use case::Case;
use overgrant_catalog::Need;
use overgrant_policy::{Answer, Document, PolicyKind, Stack, StatementRef, engine};
use overgrant_source::{SourceFile, Sources, Span};
use overgrant_value::{Src, json as reader};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `cargo dev policy`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    question: Question,
}

#[derive(clap::Subcommand)]
enum Question {
    /// Decide requests: JSON lines with policies and a request, from a file or standard input
    Decide {
        /// The cases; standard input without it
        file: Option<PathBuf>,
    },
    /// What NEW allows that OLD does not (identity policies, or resource policies if they name
    /// principals)
    Diff {
        /// The policy before
        old: PathBuf,
        /// The policy after
        new: PathBuf,
    },
    /// Whether strangers can use what a resource policy is on, and which outside accounts it names
    Public {
        /// The resource policy
        file: PathBuf,
        /// Account ids that are ours
        #[arg(long = "account")]
        accounts: Vec<String>,
    },
    /// Whether identity policies let a call be made, with every resource that AWS authorises for it
    Usable {
        /// The API operation, `service:Name`
        call: String,
        /// The policies of one principal
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// What a policy says: problems, statements, and which of them are dead or redundant
    Explain {
        /// The policy
        file: PathBuf,
    },
}

/// Runs the task.
///
/// # Errors
/// Where a file cannot be read, or a line is no case.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.question {
        Question::Decide { file } => decide(file.as_deref()),
        Question::Diff { old, new } => {
            let (old, new) = (read(old)?.document, read(new)?.document);
            let (old, new) = (stack(&old), stack(&new));
            let limits = engine::Limits {
                all: true,
                ..engine::Limits::default()
            };
            let adds = engine::difference_of(&new, &old, &limits);
            let removes = engine::difference_of(&old, &new, &limits);
            let mut line = difference(&adds);
            if let Some(line) = line.as_object_mut() {
                line.insert(
                    "new_is".to_owned(),
                    relation(adds.answer, removes.answer).into(),
                );
                line.insert("removes".to_owned(), difference(&removes));
            }
            print(&line)
        }
        Question::Public { file, accounts } => {
            let document = read(file)?.document;
            let stack = Stack::resource(&document);
            let open = engine::public(&stack);
            let zone = engine::Zone {
                accounts: accounts.iter().map(Into::into).collect(),
            };
            let outside = engine::external(&stack, &zone);
            print(&json!({
                "public": exposure(&open),
                "external": exposure(&outside),
                "public_by_text": word(document.is_public_by_text()),
            }))
        }
        Question::Usable { call, files } => usable(call, files),
        Question::Explain { file } => print(&explain(&read(file)?)),
    }
}

/// A policy file, read.
struct Policy {
    document: Document,
    file: Arc<SourceFile>,
}

fn read(path: &Path) -> Result<Policy> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| name.clone())?;
    let file = Sources::new(".").add(&name, &text);
    let val = reader::parse_file(&file, reader::Options::default()).map_err(|error| {
        let at = error
            .span
            .map_or(String::new(), |span| place_in(&file, span));
        anyhow::anyhow!("{name}{at}: no JSON: {}", error.message)
    })?;
    Ok(Policy {
        document: Document::from_val(&val),
        file,
    })
}

/// `:line:column`, 1-based.
fn place_in(file: &SourceFile, span: Span) -> String {
    let place = file.place(span.start);
    format!(":{}:{}", place.line, place.column)
}

/// How the new policy stands to the old one, by what each allows that the other does not.
fn relation(adds: Answer, removes: Answer) -> &'static str {
    match (adds, removes) {
        (Answer::No, Answer::No) => "equal",
        (Answer::No, Answer::Must) => "tighter",
        (Answer::Must, Answer::No) => "wider",
        (Answer::Must, Answer::Must) => "neither tighter nor wider",
        (Answer::No, Answer::May) => "equal or tighter",
        (Answer::May, Answer::No) => "equal or wider",
        _ => "not known",
    }
}

/// A policy that names principals is a resource policy.
fn stack(document: &Document) -> Stack<'_> {
    let named = document
        .statements
        .iter()
        .any(|statement| statement.principals.listed().present);
    if named {
        Stack::resource(document)
    } else {
        Stack::identity(vec![document])
    }
}

fn print(value: &Value) -> Result<()> {
    writeln!(std::io::stdout(), "{value}")?;
    Ok(())
}

fn decide(file: Option<&Path>) -> Result<()> {
    let input: Box<dyn std::io::BufRead> = match file {
        Some(path) => Box::new(BufReader::new(
            std::fs::File::open(path).with_context(|| path.display().to_string())?,
        )),
        None => Box::new(BufReader::new(std::io::stdin())),
    };
    let mut out = std::io::stdout().lock();
    for (index, line) in input.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let case = Case::read(&line).with_context(|| format!("line {}", index + 1))?;
        let outcome = case
            .decide()
            .with_context(|| format!("line {}", index + 1))?;
        let blocked: Vec<String> = outcome
            .blocked_by
            .iter()
            .map(|kind| format!("{kind:?}").to_lowercase())
            .collect();
        let line = json!({
            "id": case.id,
            "decision": outcome.verdict().as_str(),
            "by": outcome.by.iter().map(place).collect::<Vec<_>>(),
            "blocked_by": blocked,
        });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Must => "must",
        Answer::May => "may",
        Answer::No => "no",
    }
}

fn place(at: &StatementRef) -> Value {
    let kind = match at.kind {
        PolicyKind::Identity => "identity",
        PolicyKind::Boundary => "boundary",
        PolicyKind::Session => "session",
        PolicyKind::Resource => "resource",
        PolicyKind::Scp => "scp",
        PolicyKind::Rcp => "rcp",
        PolicyKind::Endpoint => "endpoint",
    };
    json!({
        "kind": kind,
        "level": at.level,
        "document": at.document,
        "statement": at.statement,
    })
}

fn witness(witness: &engine::Witness) -> Value {
    json!({
        "action": witness.action,
        "resource": witness.resource,
        "principal": witness.principal,
        "context": witness.context,
        "by": witness.by.iter().map(place).collect::<Vec<_>>(),
    })
}

fn difference(found: &engine::Difference) -> Value {
    let grants: Vec<Value> = found
        .grants
        .iter()
        .map(|grant| {
            json!({
                "by": place(&grant.by),
                "actions": grant.actions.len(),
                "witness": witness(&grant.witness),
            })
        })
        .collect();
    json!({
        "answer": word(found.answer),
        "capped": found.capped,
        "witness": found.witness.as_ref().map(witness),
        "grants": grants,
        "future": found.future.as_ref().map(witness),
    })
}

fn exposure(found: &engine::Exposure) -> Value {
    json!({
        "answer": word(found.answer),
        "capped": found.capped,
        "witnesses": found.witnesses.iter().map(witness).collect::<Vec<_>>(),
    })
}

fn usable(call: &str, files: &[PathBuf]) -> Result<()> {
    let policies = files
        .iter()
        .map(|file| read(file))
        .collect::<Result<Vec<_>>>()?;
    let documents = policies.iter().map(|policy| &policy.document).collect();
    let found = engine::usable(&Stack::identity(documents), call);
    let parts: Vec<Value> = found
        .parts
        .iter()
        .map(|part| {
            json!({
                "action": part.action.as_str(),
                "types": part.types,
                "need": match part.need {
                    Need::Always => "always",
                    Need::Sometimes => "sometimes",
                },
                "answer": word(part.found.answer),
                "witness": part.found.witness.as_ref().map(witness),
            })
        })
        .collect();
    print(&json!({ "answer": word(found.answer), "parts": parts }))
}

fn explain(policy: &Policy) -> Value {
    let document = &policy.document;
    let at = |src: &Src| {
        src.span.map(|span| {
            place_in(&policy.file, span)
                .trim_start_matches(':')
                .to_owned()
        })
    };
    let problems: Vec<Value> = document
        .problems
        .iter()
        .map(|problem| {
            json!({
                "problem": format!("{:?}", problem.kind),
                "at": at(&problem.src),
                "earlier": problem.earlier.as_ref().and_then(at),
            })
        })
        .collect();
    let statements: Vec<Value> = document
        .statements
        .iter()
        .map(|statement| {
            json!({
                "name": statement.name(),
                "effect": format!("{:?}", statement.effect),
                "actions": statement.actions.must().len(),
                "all_actions": word(statement.actions.covers_all()),
                "all_resources": word(statement.resources.covers_all()),
                "narrowed": word(statement.conditions.narrows()),
                "bound": word(statement.conditions.binds()),
                "administration": word(statement.grants_admin()),
            })
        })
        .collect();
    json!({
        "problems": problems,
        "statements": statements,
        "dead": engine::dead_statements(document),
        "redundant": engine::redundant_statements(document),
        "normal": engine::normalise(document),
    })
}
