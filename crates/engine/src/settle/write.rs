//! Fixes as text: the semantic edits of a rule in the notation of the file that they change.
//!
//! Not for choosing among fixes, nor for writing files. Invariant: a fix is given whole or not at all,
//! its edits do not touch each other, and none changes a file that was fetched or generated.

use super::is_ours;
use crate::outcome::TextFix;
use crate::unwind::guarded;
use overgrant_cloudformation::{self as cloudformation, Template, TemplateRead};
use overgrant_finding::{Confidence, Edit, Finding};
use overgrant_source::{FileId, SourceFile, Sources, Span, TextEdit};
use overgrant_terraform::{edit as hcl, plan};
use std::collections::HashMap;
use std::sync::Arc;

/// Writes edits; each file is parsed once.
pub(crate) struct Writer<'a> {
    sources: &'a Sources,
    /// Directories of CDK assemblies.
    generated: &'a [String],
    forms: HashMap<FileId, Option<Form>>,
}

/// What a file is, for writing into it.
enum Form {
    Configuration(hcl::Configuration),
    Template(Box<Template>),
    /// A policy in a file of its own, a file of variables: words can be replaced.
    Plain,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(sources: &'a Sources, generated: &'a [String]) -> Self {
        Self {
            sources,
            generated,
            forms: HashMap::new(),
        }
    }

    /// The fix of a finding as text. What holds under a guard only, or perhaps, is not safe to fix.
    pub(crate) fn fix(&mut self, finding: &Finding) -> Option<TextFix> {
        let fix = finding.fix.as_ref()?;
        let edits: Vec<TextEdit> = fix
            .edits
            .iter()
            .map(|edit| self.edit(edit))
            .collect::<Option<_>>()?;
        let apart = edits.iter().enumerate().all(|(index, edit)| {
            let mut others = edits.iter().take(index);
            others.all(|other| !touch(edit.span, other.span))
        });
        let sure = finding.guard.is_none() && finding.confidence > Confidence::Low;
        (apart && !edits.is_empty()).then(|| TextFix {
            title: fix.title.clone(),
            safe: fix.safe && sure,
            edits,
        })
    }

    fn edit(&mut self, edit: &Edit) -> Option<TextEdit> {
        let span = match edit {
            Edit::Replace { span, .. } | Edit::ReplacePart { span, .. } | Edit::Remove { span } => {
                *span
            }
            Edit::AddItems { beside, .. } | Edit::AddResource { beside, .. } => *beside,
            Edit::ReplaceItem { item, .. } => *item,
            Edit::NegateElement { key } => *key,
            Edit::AppendStatement { document, .. } | Edit::AddElement { document, .. } => *document,
            Edit::AddCondition { statement, .. } => *statement,
            Edit::SetAttribute { block, .. } => *block,
        };
        let file = self.sources.get(span.file)?;
        let form = self.form(span, &file)?;
        match edit {
            Edit::Replace { span, from, to } => match form {
                // Both would be read by Terraform itself.
                Form::Configuration(_) => {
                    let escape = |text: &str| text.replace("${", "$${").replace("%{", "%%{");
                    replaced(&file, *span, &escape(from), &escape(to))
                }
                Form::Template(_) | Form::Plain => replaced(&file, *span, from, to),
            },
            Edit::Remove { span } => match form {
                Form::Configuration(read) => hcl::remove(read, *span),
                Form::Template(read) => cloudformation::edit::remove(read, *span),
                Form::Plain => None,
            },
            Edit::AddCondition {
                statement,
                operator,
                key,
                values,
            } => match form {
                Form::Configuration(read) => {
                    hcl::add_condition(read, *statement, operator, key, values)
                }
                Form::Template(read) => {
                    cloudformation::edit::add_condition(read, *statement, operator, key, values)
                }
                Form::Plain => None,
            },
            Edit::AddItems { beside, values } => match form {
                Form::Configuration(read) => hcl::add_items(read, *beside, values),
                Form::Template(read) => cloudformation::edit::add_items(read, *beside, values),
                Form::Plain => None,
            },
            Edit::ReplaceItem { item, values } => match form {
                Form::Configuration(read) => hcl::replace_item(read, *item, values),
                Form::Template(read) => cloudformation::edit::replace_item(read, *item, values),
                Form::Plain => None,
            },
            Edit::NegateElement { key } => {
                let written = file.slice(*key);
                let names = [("actions", "not_actions"), ("Action", "NotAction")];
                names.iter().find_map(|(name, negated)| {
                    replaced(&file, *key, name, negated).filter(|_| written.contains(name))
                })
            }
            Edit::ReplacePart { span, from, to } => match form {
                Form::Configuration(read) => hcl::replace_part(read, *span, from, to),
                Form::Template(read) => cloudformation::edit::replace_part(read, *span, from, to),
                Form::Plain => {
                    let written = file.slice(*span);
                    let text = written.replace(from, to);
                    (written != text).then_some(TextEdit { span: *span, text })
                }
            },
            Edit::AppendStatement { document, draft } => match form {
                Form::Configuration(read) => hcl::append_statement(read, *document, draft),
                Form::Template(read) => {
                    cloudformation::edit::append_statement(read, *document, draft)
                }
                Form::Plain => None,
            },
            Edit::AddElement {
                document,
                name,
                value,
            } => match form {
                Form::Configuration(read) => hcl::add_element(read, *document, name, value),
                Form::Template(read) => {
                    cloudformation::edit::add_element(read, *document, name, value)
                }
                Form::Plain => None,
            },
            Edit::AddResource {
                kind,
                name,
                arguments,
                ..
            } => match form {
                Form::Configuration(read) => hcl::add_resource(read, kind, name, arguments),
                Form::Template(read) => {
                    cloudformation::edit::add_resource(read, kind, name, arguments)
                }
                Form::Plain => None,
            },
            Edit::SetAttribute { block, path, value } => match form {
                Form::Configuration(read) => hcl::set_attribute(read, *block, path, value),
                Form::Template(read) => {
                    cloudformation::edit::set_property(read, *block, path, value)
                }
                Form::Plain => None,
            },
        }
    }

    fn form(&mut self, span: Span, file: &Arc<SourceFile>) -> Option<&Form> {
        let (sources, generated) = (self.sources, self.generated);
        let known = self.forms.entry(span.file).or_insert_with(|| {
            let synthesized = file.path().split('/').any(|part| part == "cdk.out");
            if synthesized || !is_ours(sources, generated, span) {
                return None;
            }
            guarded("reading a file to fix", || form(file))
                .ok()
                .flatten()
        });
        known.as_ref()
    }
}

fn form(file: &Arc<SourceFile>) -> Option<Form> {
    let path = file.path();
    if path.ends_with(".tf") || path.ends_with(".tofu") {
        return hcl::read(file).map(Form::Configuration);
    }
    if path.ends_with(".json") && plan::is_plan(file.text()) {
        return None;
    }
    if !cloudformation::may_be_template(file.text()) {
        return Some(Form::Plain);
    }
    match cloudformation::read(file) {
        TemplateRead::Yes(template) => Some(Form::Template(template)),
        TemplateRead::No => Some(Form::Plain),
        TemplateRead::Lost(_) => None,
    }
}

/// Whether two edits change the same bytes or neighbouring ones.
pub(crate) fn touch(a: Span, b: Span) -> bool {
    a.file == b.file && a.start <= b.end && b.start <= a.end
}

/// The edit that puts `to` in the place of `from`, if that is all that stands at `span` beside quotes.
fn replaced(file: &SourceFile, span: Span, from: &str, to: &str) -> Option<TextEdit> {
    let written = file.slice(span);
    let at = written.find(from)?;
    let (before, rest) = written.split_at_checked(at)?;
    let after = rest.strip_prefix(from)?;
    if before != after || !matches!(before, "" | "\"" | "'" | "\\\"") {
        return None;
    }
    let mut letters = to.chars();
    let word = letters
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric())
        && letters.all(|c| c.is_ascii_alphanumeric() || "-_./:*?${}".contains(c));
    // Braces mean something to YAML outside quotes.
    if !word || before.is_empty() && to.contains(['{', '}']) {
        return None;
    }
    let start = span.start as usize + at;
    Some(TextEdit {
        span: file.span(start..start + from.len()),
        text: to.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_quotes() {
        for (text, from, to, wanted) in [
            ("\"a\"", "a", "b", Some("\"b\"")),
            ("'a'", "a", "b", Some("'b'")),
            ("a", "a", "s3:Get*", Some("s3:Get*")),
            ("\\\"a\\\"", "a", "b", Some("\\\"b\\\"")),
            ("xa", "a", "b", None),
            ("\"a", "a", "b", None),
            ("a", "a", "*", None),
            ("a", "a", "b\"c", None),
            ("c", "a", "b", None),
        ] {
            let sources = Sources::new("/nowhere");
            let file = sources.add("t", text);
            let edit = replaced(&file, file.span(0..text.len()), from, to);
            let after = edit.map(|edit| {
                let mut after = text.to_owned();
                after.replace_range(edit.span.range(), &edit.text);
                after
            });
            assert_eq!(after.as_deref(), wanted, "{text}");
        }
    }
}
