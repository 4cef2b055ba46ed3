//! From a construct path to the line of the app that made it.
//!
//! The library records stack frames in the metadata of an assembly: `aws:cdk:creationStack` since
//! 2.251, before that a `trace` on `aws:cdk:logicalId` where `CDK_DEBUG` was set. Not for guessing: a
//! construct without a frame in a file of the run has no line. Invariant: a frame only counts when its
//! file stands below the base.

use overgrant_source::{SourceFile, Sources, Span};
use serde_json::Value;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Directories of installed packages.
const LIBRARIES: [&str; 2] = ["/node_modules/", "/site-packages/"];

/// Where a construct came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Construct {
    /// The construct path without a leading slash.
    pub path: SmolStr,
    /// The resource's block in its template.
    pub template: Span,
    /// The expression in the app, from its first character to the end of the line.
    pub source: Span,
    /// Whether the place is the construct's own; otherwise it is that of the construct around it.
    pub own: bool,
}

/// The frames of an assembly's constructs.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    /// By construct path without leading slash: frames, newest first.
    frames: BTreeMap<String, Vec<String>>,
    /// Construct paths of handlers that the library made.
    pub(crate) handlers: Vec<String>,
    /// By construct path: the class.
    pub(crate) classes: BTreeMap<SmolStr, SmolStr>,
    /// The directory of the app: the parent of the outermost assembly, empty or with a slash.
    app: String,
}

impl Traces {
    pub(crate) fn new(app: String) -> Self {
        Self {
            app,
            ..Self::default()
        }
    }

    /// Adds the metadata of a stack: an object of paths and lists of entries. Gives the construct
    /// paths of the logical ids that occur once in the stack and its nested stacks.
    pub(crate) fn add(&mut self, metadata: &Value) -> BTreeMap<SmolStr, SmolStr> {
        let mut paths: BTreeMap<SmolStr, Option<SmolStr>> = BTreeMap::new();
        let metadata = metadata.get("metadata").unwrap_or(metadata);
        for (path, entries) in metadata.as_object().into_iter().flatten() {
            let path = path.trim_start_matches('/');
            for entry in entries.as_array().into_iter().flatten() {
                let kind = entry
                    .get("type")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                if kind.starts_with("aws:cdk:is-custom-resource-handler") {
                    self.handlers.push(path.to_owned());
                }
                if kind == "aws:cdk:logicalId"
                    && let Some(id) = entry.get("data").and_then(Value::as_str)
                {
                    paths
                        .entry(id.into())
                        .and_modify(|path| *path = None)
                        .or_insert_with(|| Some(path.into()));
                }
                let frames = match kind {
                    "aws:cdk:creationStack" => entry.get("data"),
                    "aws:cdk:logicalId" => entry.get("trace"),
                    _ => None,
                };
                let frames: Vec<String> = frames
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(|frame| frame.as_str().map(str::to_owned))
                    .collect();
                if !frames.is_empty() {
                    self.frames.entry(path.to_owned()).or_insert(frames);
                }
            }
        }
        paths
            .into_iter()
            .filter_map(|(id, path)| Some((id, path?)))
            .collect()
    }

    /// Whether the library made the construct at `path`.
    pub(crate) fn is_framework(&self, path: &str) -> bool {
        self.handlers.iter().any(|handler| {
            path.strip_prefix(handler.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The class of the construct at `path`.
    pub(crate) fn class(&self, path: &str) -> Option<&SmolStr> {
        self.classes.get(path)
    }

    /// The place of the construct at `path` in the app, or of the nearest construct around it (the
    /// role of a policy that a grant made).
    pub(crate) fn place(&self, sources: &Sources, path: &str) -> Option<(Span, bool)> {
        let mut at = path;
        loop {
            for name in [
                at.to_owned(),
                format!("{at}/Resource"),
                format!("{at}/Default"),
            ] {
                if let Some(span) = self.user_frame(sources, &name) {
                    return Some((span, at == path));
                }
            }
            // The stack itself is too far away to be of use.
            at = at.rsplit_once('/')?.0;
            if !at.contains('/') {
                return None;
            }
        }
    }

    fn user_frame(&self, sources: &Sources, path: &str) -> Option<Span> {
        self.frames
            .get(path)?
            .iter()
            .filter_map(|frame| parse(frame))
            .filter(|frame| !LIBRARIES.iter().any(|part| frame.path.contains(part)))
            .find_map(|frame| {
                let file = self.find(sources, frame.path)?;
                span_of(&file, frame.line, frame.column)
            })
    }

    /// The file of the run that a path on the machine of the synthesis names: the longest end of
    /// it that stands below the base, or below the app's directory.
    fn find(&self, sources: &Sources, path: &str) -> Option<Arc<SourceFile>> {
        let path = path
            .strip_prefix("file://")
            .unwrap_or(path)
            .replace('\\', "/");
        let base = sources.base().to_str().unwrap_or_default();
        if let Some(inside) = path
            .strip_prefix(base)
            .and_then(|rest| rest.strip_prefix('/'))
        {
            return sources.load(inside).ok();
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        for start in 0..parts.len() {
            let end = parts.get(start..)?.join("/");
            let below_app = format!("{}{end}", self.app);
            // A bare file name says too little anywhere but in the app's own directory.
            let several = end.contains('/');
            for candidate in [several.then_some(end.as_str()), Some(below_app.as_str())] {
                if let Some(candidate) = candidate
                    && sources.exists(candidate)
                {
                    return sources.load(candidate).ok();
                }
            }
        }
        None
    }
}

struct Frame<'a> {
    path: &'a str,
    line: u32,
    /// `None` where the language's stacks have no columns.
    column: Option<u32>,
}

/// `new Class (/abs/app.ts:LINE:COL)` or `/abs/app.ts:LINE:COL`, and what Python and .NET write:
/// `File "/abs/app.py", line LINE, in name`, `at Name() in /abs/App.cs:line LINE`. Collapsed frames
/// are none. Java names no directories, so that its frames are no places.
fn parse(frame: &str) -> Option<Frame<'_>> {
    lined(frame).or_else(|| placed(frame))
}

/// A frame with a line and no column.
fn lined(frame: &str) -> Option<Frame<'_>> {
    let frame = frame.trim();
    let (path, line) = match frame.strip_prefix("File \"") {
        Some(rest) => rest.split_once("\", line ")?,
        None => frame.rsplit_once(" in ")?.1.rsplit_once(":line ")?,
    };
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    Some(Frame {
        path,
        line: line.get(..digits)?.parse().ok()?,
        column: None,
    })
}

fn placed(frame: &str) -> Option<Frame<'_>> {
    let frame = frame.trim().trim_start_matches("at ");
    if frame.starts_with("...") || frame.starts_with('(') {
        return None;
    }
    let place = match frame.rsplit_once('(') {
        Some((_, place)) => place.strip_suffix(')')?,
        None => frame,
    };
    let (rest, column) = place.rsplit_once(':')?;
    let (path, line) = rest.rsplit_once(':')?;
    Some(Frame {
        path,
        line: line.parse().ok()?,
        column: Some(column.parse().ok()?),
    })
}

/// From a place (1-based, UTF-16 column; else the first character of the line) to the end of its line.
fn span_of(file: &SourceFile, line: u32, column: Option<u32>) -> Option<Span> {
    let start = file.lines().line_start(line)? as usize;
    let text = file.text().get(start..)?.lines().next()?;
    let end = text.trim_end().len();
    let Some(column) = column else {
        let at = text.len() - text.trim_start().len();
        return (at < end).then(|| file.span(start + at..start + end));
    };
    let mut units = 1;
    let mut at = text.len();
    for (offset, c) in text.char_indices() {
        if units >= column {
            at = offset;
            break;
        }
        units += u32::try_from(c.len_utf16()).unwrap_or(1);
    }
    (at < end).then(|| file.span(start + at..start + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_and_collapsed_ones_are_not() {
        let frame = parse("new SampleStack (/home/dev/app.ts:63:5)").unwrap();
        assert_eq!(
            (frame.path, frame.line, frame.column),
            ("/home/dev/app.ts", 63, Some(5))
        );
        for (text, path, line) in [
            (
                r#"  File "/home/dev/app.py", line 12, in <module>"#,
                "/home/dev/app.py",
                12,
            ),
            (r#"File "/home/dev/app.py", line 7"#, "/home/dev/app.py", 7),
            (
                "at App.Stack..ctor() in /home/dev/App.cs:line 30",
                "/home/dev/App.cs",
                30,
            ),
        ] {
            let frame = parse(text).unwrap();
            assert_eq!((frame.path, frame.line, frame.column), (path, line, None));
        }
        assert!(parse("C:/x/app.ts:1:2").is_some());
        for text in [
            "...jsii runtime, node internals...",
            "at com.example.App.main(App.java:12)",
            "...node internals...",
            "...new Bucket2 in aws-cdk-lib...",
            "(no user code in 10 frames, use --stack-trace-limit to capture more)",
            "",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_longest_end_below_the_base_is_the_file() {
        let sources = Sources::new(".");
        sources.add("infra/bin/app.ts", "a\n  new X(1); \n");
        sources.add("app.ts", "other\n");
        let mut traces = Traces::new("infra/".into());
        let metadata = serde_json::json!({
            "/S/Role/Resource": [{"type": "aws:cdk:creationStack", "data": ["...x...", "f (/build/repo/infra/bin/app.ts:2:3)"]}],
            "/S/Lib": [{"type": "aws:cdk:creationStack", "data": ["f (/build/repo/node_modules/x/app.ts:1:1)"]}],
            "/S/Bare": [{"type": "aws:cdk:creationStack", "data": ["f (/build/app.ts:1:1)"]}],
        });
        traces.add(&metadata);
        let (span, own) = traces.place(&sources, "S/Role").unwrap();
        assert_eq!(sources.slice(span), "new X(1);");
        assert!(own);
        let (_, own) = traces.place(&sources, "S/Role/DefaultPolicy").unwrap();
        assert!(!own, "a policy falls back to its role");
        assert_eq!(traces.place(&sources, "S/Lib"), None);
        assert_eq!(traces.place(&sources, "S/Bare"), None, "not below the app");
        assert_eq!(traces.place(&sources, "S/None"), None);
        sources.add("infra/app.py", "import x\nif y:\n    Role(self, 'R')  \n");
        let metadata = serde_json::json!({
            "/S/Py": [{"type": "aws:cdk:creationStack", "data": [
                "...jsii runtime, node internals...", "File \"/ci/repo/infra/app.py\", line 3, in __init__"]}],
        });
        traces.add(&metadata);
        let (span, _) = traces.place(&sources, "S/Py").unwrap();
        assert_eq!(sources.slice(span), "Role(self, 'R')");
    }
}
