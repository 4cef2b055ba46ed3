//! Parts of a template that are put together before they are deployed.
//!
//! Each part uses what another one declares. Not for a template that misspells a name. Invariant: a template that
//! declares parameters or conditions of its own is no part.

use crate::eval::UNTRANSFORMED;
use crate::syntax::Template;
use overgrant_source::{Diagnostic, Level};
use std::collections::BTreeSet;

/// What is told of a value or condition that nothing declares.
const UNDECLARED: [&str; 2] = ["unknown-reference", "unknown-condition"];
/// What is told besides of a part: names of resources, mappings and transforms in other parts.
const ELSEWHERE: [&str; 3] = ["depends-on", "unknown-mapping", UNTRANSFORMED];

/// From how many such names on they are taken for those of another part.
const MANY: usize = 3;

/// Says once of a part (which may also leave the transform to another one) what would be said of each name that it takes from another.
pub(crate) fn settle(template: &Template, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let declares = |section: &str| template.root.get(section).is_some();
    if ["Parameters", "Conditions", "Transform"]
        .into_iter()
        .any(declares)
    {
        return diagnostics;
    }
    let path = template.file.path();
    let of_part = |one: &Diagnostic| {
        UNDECLARED.contains(&one.code) && one.path.as_deref().is_none_or(|at| at == path)
    };
    let names: BTreeSet<&str> = diagnostics
        .iter()
        .filter(|one| of_part(one))
        .map(|one| one.message.as_str())
        .collect();
    if names.len() < MANY {
        return diagnostics;
    }
    let words = format!(
        "{} names are declared nowhere in this template: it is a part; check what is put together from it",
        names.len()
    );
    let (undeclared, mut kept): (Vec<_>, Vec<_>) = diagnostics
        .into_iter()
        .filter(|one| !ELSEWHERE.contains(&one.code))
        .partition(of_part);
    let first = undeclared.into_iter().next();
    kept.extend(first.map(|first| Diagnostic {
        level: Level::Warning,
        code: "part-of-template",
        message: words,
        ..first
    }));
    kept
}

#[cfg(test)]
mod tests {
    use crate::project::Project;
    use crate::syntax::{TemplateRead, read};
    use overgrant_source::Sources;
    use std::sync::Arc;

    fn codes(text: &str) -> Vec<&'static str> {
        let sources = Arc::new(Sources::new("."));
        let TemplateRead::Yes(template) = read(&sources.add("t.yaml", text)) else {
            panic!("no template");
        };
        let project = Project::new(sources, vec![*template]);
        let found = project.evaluate("t.yaml").diagnostics;
        found.into_iter().map(|one| one.code).collect()
    }

    #[test]
    fn a_part_is_told_once() {
        let part = "Resources: {Q: {Type: AWS::SQS::Queue, Condition: A, Properties: {QueueName: !Sub '${B}-${C}'}}}";
        assert_eq!(codes(part), ["part-of-template"]);
        let joined = format!(
            "{part}\n  T: {{Type: AWS::SNS::Topic, DependsOn: E, Properties: {{TopicName: !FindInMap [F, g, h, {{DefaultValue: i}}]}}}}"
        )
        .replacen("Resources: {Q:", "Resources:\n  Q:", 1)
        .replacen("}}}\n", "}}\n", 1);
        assert_eq!(codes(&joined), ["part-of-template"], "{joined}");
        let whole = format!("Parameters: {{D: {{Type: String}}}}\n{part}");
        assert_eq!(codes(&whole).len(), 3);
        let slip = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref B}}}";
        assert_eq!(codes(slip), ["unknown-reference"]);
    }
}
