//! Templates that `sam package` wrote, beside the one they were written from.
//!
//! Both say the same of every resource, so the written one is not checked again. Not for the output of a
//! build, which stands in a hidden folder, nor for assemblies. Invariant: a template is left out only where one
//! in the same folder, not written so itself, declares all its resources.

use overgrant_cloudformation::Template;
use overgrant_source::{Diagnostic, Level};
use std::collections::BTreeSet;

/// What `sam package` leaves in the metadata of every resource.
const MARK: &str = "SamResourceId";

/// The paths of packaged templates whose source is among the templates too, each with a note that says so.
pub(super) fn beside_source<'t>(
    templates: impl Iterator<Item = &'t Template>,
) -> Vec<(String, Diagnostic)> {
    let (packaged, sources): (Vec<_>, Vec<_>) = templates.partition(|one| is_packaged(one));
    packaged
        .into_iter()
        .filter_map(|one| {
            let path = one.file.path();
            let names = resources(one);
            let source = sources.iter().find(|source| {
                folder(source.file.path()) == folder(path) && names.is_subset(&resources(source))
            })?;
            let words = format!(
                "what `sam package` wrote from `{}` is not checked beside it",
                source.file.path()
            );
            let note = Diagnostic::new(Level::Note, "packaged-template", words).in_file(path);
            Some((path.to_owned(), note))
        })
        .collect()
}

/// Whether `sam package` wrote the template.
pub(super) fn is_packaged(template: &Template) -> bool {
    template.file.text().contains(MARK)
        && template.root.get("Resources").is_some_and(|all| {
            all.entries().iter().any(|one| {
                let metadata = one.value.get("Metadata");
                metadata.is_some_and(|metadata| metadata.get(MARK).is_some())
            })
        })
}

fn resources(template: &Template) -> BTreeSet<&str> {
    let all = template.root.get("Resources").into_iter();
    all.flat_map(|all| all.entries())
        .map(|one| one.key.as_str())
        .collect()
}

/// The folder in which a path stands; empty for the base.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_cloudformation::{TemplateRead, read};
    use overgrant_source::Sources;

    fn left_out(files: &[(&str, &str)]) -> Vec<String> {
        let sources = Sources::new(".");
        let templates: Vec<Template> = files
            .iter()
            .filter_map(|(path, text)| match read(&sources.add(path, text)) {
                TemplateRead::Yes(template) => Some(*template),
                _ => None,
            })
            .collect();
        assert_eq!(templates.len(), files.len());
        let found = beside_source(templates.iter());
        found.into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn the_output_of_sam_is_left_to_its_source() {
        const SOURCE: &str = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n";
        const PACKAGED: &str = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Metadata:\n      SamResourceId: F\n";
        const OTHER: &str = "Resources:\n  G:\n    Type: AWS::Serverless::Function\n";
        assert_eq!(
            left_out(&[("a/p.yaml", PACKAGED), ("a/t.yaml", SOURCE)]),
            ["a/p.yaml"]
        );
        for source in [
            ("b/t.yaml", SOURCE),
            ("a/t.yaml", OTHER),
            ("a/t.yaml", PACKAGED),
        ] {
            assert_eq!(
                left_out(&[("a/p.yaml", PACKAGED), source]),
                [""; 0],
                "{source:?}"
            );
        }
    }
}
