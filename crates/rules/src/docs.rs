//! The doc comment of a rule, cut into what pages, help and tests need.
//!
//! Layout: a summary line; a paragraph; `## Why`, `## Bad`, `## Good`, `## How to fix`, optionally
//! `## Options`. References come from the rule. Invariant: examples are fenced blocks whose info
//! string is a language (`terraform`, `cloudformation`, `sam`, `json`, `workflow`, `gitlab`, `bitbucket`) and `bad`, `good` or `unknown`;
//! a line that ends in `# <-- here` (or `// <-- here`) is where the primary place must start.

use crate::Rule;

/// What an example must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExampleKind {
    /// The rule fires.
    Bad,
    /// No rule fires at medium or above, this one not at all.
    Good,
    /// The rule is silent or of low confidence.
    Unknown,
}

/// One example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Language: `terraform`, `cloudformation`, `sam`, `json`, or a service whose pipeline it is.
    pub language: String,
    /// What it must do.
    pub kind: ExampleKind,
    /// The text without markers.
    pub text: String,
    /// The 1-based line where the primary place must start.
    pub marked: Option<u32>,
    /// Words after the kind: `name:value` pairs (rustdoc refuses `=`): rules that may also
    /// fire (`also:rule-id`), the rule that speaks in place of this one (`under:rule-id`), the severity
    /// here (`at:low`), and configuration (`own_accounts:111122223333`, `vendors:444455556666`).
    pub options: Vec<String>,
}

/// The parts of a rule's documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Docs {
    /// One line.
    pub summary: String,
    /// All examples in order.
    pub examples: Vec<Example>,
    /// The whole text as Markdown, markers removed, leading blanks of doc comments removed.
    pub markdown: String,
}

impl Docs {
    /// Cuts the documentation of `rule`.
    #[must_use]
    pub fn of(rule: &Rule) -> Self {
        let lines: Vec<&str> = rule
            .docs
            .lines()
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        let mut docs = Self {
            summary: lines
                .first()
                .map_or_else(String::new, |line| line.trim_end_matches('.').to_owned()),
            examples: Vec::new(),
            markdown: String::new(),
        };
        let mut open: Option<Example> = None;
        for line in lines {
            match (&mut open, line.trim_start().strip_prefix("```")) {
                (None, Some(info)) => {
                    let mut words = info.split_whitespace();
                    let language = words.next().unwrap_or("").to_owned();
                    let kind = words.next().and_then(kind_of);
                    docs.markdown
                        .push_str(&format!("```{}\n", fence(&language)));
                    open = Some(Example {
                        language,
                        kind: kind.unwrap_or(ExampleKind::Good),
                        text: String::new(),
                        marked: None,
                        options: words.map(str::to_owned).collect(),
                    });
                    if kind.is_none()
                        && let Some(example) = &mut open
                    {
                        example.language.clear();
                    }
                }
                (Some(_), Some(_)) => {
                    docs.markdown.push_str("```\n");
                    docs.examples
                        .extend(open.take().filter(|example| !example.language.is_empty()));
                }
                (Some(example), None) => {
                    let (text, marked) = unmark(line);
                    if marked {
                        let line = example.text.matches('\n').count() + 1;
                        example.marked = u32::try_from(line).ok();
                    }
                    example.text.push_str(text);
                    example.text.push('\n');
                    docs.markdown.push_str(text);
                    docs.markdown.push('\n');
                }
                (None, None) => {
                    docs.markdown.push_str(line);
                    docs.markdown.push('\n');
                }
            }
        }
        docs
    }

    /// The first paragraph after the summary.
    #[must_use]
    pub fn paragraph(&self) -> String {
        let body = self.markdown.split_once('\n').map_or("", |(_, rest)| rest);
        body.trim_start()
            .split("\n\n")
            .find(|part| !part.starts_with('#') && !part.trim().is_empty())
            .unwrap_or(&self.summary)
            .replace('\n', " ")
            .trim()
            .to_owned()
    }

    /// The text of the section `## name`, without its heading.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&str> {
        let heading = format!("## {name}\n");
        let (_, rest) = self.markdown.split_once(&heading)?;
        Some(
            rest.split_once("\n## ")
                .map_or(rest, |(section, _)| section)
                .trim(),
        )
    }
}

fn kind_of(word: &str) -> Option<ExampleKind> {
    match word {
        "bad" => Some(ExampleKind::Bad),
        "good" => Some(ExampleKind::Good),
        "unknown" => Some(ExampleKind::Unknown),
        _ => None,
    }
}

/// The name that Markdown renderers know for a language of ours.
fn fence(language: &str) -> &str {
    match language {
        "terraform" => "hcl",
        "bitbucket" | "cloudformation" | "gitlab" | "sam" | "workflow" => "yaml",
        other => other,
    }
}

fn unmark(line: &str) -> (&str, bool) {
    for marker in ["# <-- here", "// <-- here"] {
        if let Some(text) = line.trim_end().strip_suffix(marker) {
            return (text.trim_end(), true);
        }
    }
    (line, false)
}
