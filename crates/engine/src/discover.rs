//! Which files a run reads: the base, the PATHs, the walk.
//!
//! Not for reading and parsing. Invariant: everything found lies in the base or in an allowed
//! directory, is named relative to the base with forward slashes, and comes sorted.

use crate::{Error, Options};
use ignore::{WalkBuilder, WalkState};
use overgrant_cdk::Found;
use overgrant_source::{Diagnostic, Level};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Discovery {
    /// The base of the run, absolute.
    pub base: PathBuf,
    /// The PATHs relative to the base; the base itself is the empty text.
    pub selected: Vec<String>,
    /// Terraform files by directory.
    pub terraform: BTreeMap<String, Vec<String>>,
    /// YAML, JSON and template files, which may be anything.
    pub documents: Vec<String>,
    /// Directories of CDK assemblies.
    pub assemblies: Vec<String>,
    /// Files named on the command line.
    pub explicit: BTreeSet<String>,
    /// Problems of the walk.
    pub diagnostics: Vec<Diagnostic>,
}

impl Discovery {
    /// Whether `path` (relative to the base) is one of the PATHs or lies in one.
    #[must_use]
    pub fn selects(&self, path: &str) -> bool {
        self.selected.iter().any(|dir| within(path, dir))
    }
}

/// Whether `path` is `dir` or lies below it; the empty `dir` is the base.
pub(crate) fn within(path: &str, dir: &str) -> bool {
    if dir.is_empty() {
        return !path.starts_with("../");
    }
    path.strip_prefix(dir)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The directory of a path; empty at the base.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Finds the base and walks the PATHs.
///
/// # Errors
/// A PATH that is missing, unreadable or outside the base.
pub fn discover(options: &Options) -> Result<Discovery, Error> {
    let Base { base, given, full } = Base::of(options)?;
    let mut allowed = Vec::new();
    for dir in &options.allow {
        allowed.push(canonical(dir)?);
    }
    let mut found = Discovery {
        base: base.clone(),
        ..Discovery::default()
    };
    for (path, given) in full.iter().zip(&given) {
        let inside = path.starts_with(&base) || allowed.iter().any(|dir| path.starts_with(dir));
        let Some(relative) = relative(&base, path).filter(|_| inside) else {
            return Err(Error::OutsideBase {
                path: given.display().to_string(),
                base: base.display().to_string(),
            });
        };
        if options.assemblies && path.is_file() && takes_assembly(&mut found, path, &relative) {
            continue;
        }
        found.selected.push(relative.clone());
        if path.is_dir() {
            if std::fs::read_dir(path).is_err() {
                return Err(Error::UnreadablePath {
                    path: given.display().to_string(),
                    reason: "the directory cannot be opened".to_owned(),
                });
            }
            walk(&mut found, path, options);
        } else {
            found.explicit.insert(relative.clone());
            add_file(&mut found, &relative);
            let directory = parent(&relative).to_owned();
            if kind(&relative) == Kind::Terraform {
                siblings(&mut found, path, &directory);
            }
        }
    }
    finish(&mut found, options.assemblies);
    Ok(found)
}

/// The base of a run and its PATHs.
pub(crate) struct Base {
    /// Absolute.
    pub(crate) base: PathBuf,
    /// The PATHs as given; the current directory where none was.
    given: Vec<PathBuf>,
    /// The same, absolute.
    full: Vec<PathBuf>,
}

impl Base {
    /// Finds the base without walking.
    pub(crate) fn of(options: &Options) -> Result<Self, Error> {
        let given: Vec<PathBuf> = if options.paths.is_empty() {
            vec![PathBuf::from(".")]
        } else {
            options.paths.clone()
        };
        let mut full = Vec::new();
        for path in &given {
            full.push(canonical(path)?);
        }
        let base = match &options.root {
            Some(root) => canonical(root)?,
            None => base_of(&full),
        };
        Ok(Self { base, given, full })
    }
}

fn canonical(path: &Path) -> Result<PathBuf, Error> {
    path.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::MissingPath(path.display().to_string()),
        _ => Error::UnreadablePath {
            path: path.display().to_string(),
            reason: error.to_string(),
        },
    })
}

/// The nearest ancestor of the first path that holds `.git`, else the deepest common directory.
fn base_of(paths: &[PathBuf]) -> PathBuf {
    let directory = |path: &PathBuf| {
        if path.is_dir() {
            path.clone()
        } else {
            path.parent().unwrap_or(path).to_owned()
        }
    };
    let Some(first) = paths.first().map(directory) else {
        return PathBuf::from(".");
    };
    if let Some(repository) = first.ancestors().find(|dir| dir.join(".git").exists()) {
        return repository.to_owned();
    }
    let mut common = first;
    for path in paths.iter().skip(1).map(directory) {
        while !path.starts_with(&common) {
            if !common.pop() {
                break;
            }
        }
    }
    common
}

/// `path` relative to `base` with forward slashes; with `..` where it lies outside.
pub(crate) fn relative(base: &Path, path: &Path) -> Option<String> {
    let mut up = String::new();
    let mut from = base;
    loop {
        if let Ok(rest) = path.strip_prefix(from) {
            let mut parts = Vec::new();
            for part in rest.components() {
                parts.push(part.as_os_str().to_str()?);
            }
            let joined = format!("{up}{}", parts.join("/"));
            return Some(joined.trim_end_matches('/').to_owned());
        }
        up.push_str("../");
        from = from.parent()?;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Terraform,
    Document,
    Other,
}

fn kind(path: &str) -> Kind {
    let ends = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    if ends(&[".tf", ".tf.json", ".tofu", ".tofu.json"]) {
        Kind::Terraform
    } else if ends(&[".tfvars.json", ".tftest.json"])
        || matches!(name, "package-lock.json" | "package.json" | "tsconfig.json")
    {
        Kind::Other
    } else if ends(&[".yaml", ".yml", ".json", ".template"]) {
        Kind::Document
    } else {
        Kind::Other
    }
}

fn add_file(found: &mut Discovery, path: &str) {
    match kind(path) {
        Kind::Terraform => found
            .terraform
            .entry(parent(path).to_owned())
            .or_default()
            .push(path.to_owned()),
        Kind::Document => found.documents.push(path.to_owned()),
        Kind::Other if found.explicit.contains(path) => found.documents.push(path.to_owned()),
        Kind::Other => {}
    }
}

/// The other Terraform files of the directory of a file that was named.
fn siblings(found: &mut Discovery, path: &Path, directory: &str) {
    let entries = path.parent().and_then(|dir| std::fs::read_dir(dir).ok());
    for entry in entries.into_iter().flatten().flatten() {
        if let Some(name) = entry.file_name().to_str()
            && kind(name) == Kind::Terraform
            && !name.starts_with('.')
        {
            let path = join(directory, name);
            add_file(found, &path);
        }
    }
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

/// A directory of the disk, for telling assemblies.
struct OnDisk<'a>(&'a Path);

impl overgrant_cdk::Directory for OnDisk<'_> {
    fn list(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    fn has(&self, path: &str) -> bool {
        self.0.join(path).is_file()
    }

    fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(path)).ok()
    }
}

/// What `dir` is to the CDK.
fn assembly(dir: &Path) -> Found {
    overgrant_cdk::detect(&OnDisk(dir))
}

/// A file by which its assembly is named: the assembly is taken instead. Gives whether it was one.
fn takes_assembly(found: &mut Discovery, path: &Path, relative: &str) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let Some(dir) = path
        .parent()
        .filter(|_| name.is_some_and(|name| overgrant_cdk::MARKS.contains(&name)))
    else {
        return false;
    };
    match assembly(dir) {
        Found::Assembly => {
            let dir = parent(relative).to_owned();
            found.selected.push(dir.clone());
            found.assemblies.push(dir);
            true
        }
        Found::Remains => {
            found.selected.push(relative.to_owned());
            found.diagnostics.push(remains(relative));
            true
        }
        Found::Nothing => false,
    }
}

/// Tells of what is left of an assembly, by the file that names it.
fn remains(file: &str) -> Diagnostic {
    let words = "what is here of an assembly names no template that is there, and nothing of it was checked; run `cdk synth` again";
    Diagnostic::new(Level::Warning, "cdk-missing-file", words).in_file(file)
}

#[derive(Default)]
struct Walked {
    files: Vec<PathBuf>,
    assemblies: Vec<PathBuf>,
    /// Manifests and version files without the rest of their assembly.
    remains: Vec<PathBuf>,
    problems: Vec<String>,
}

fn walk(found: &mut Discovery, top: &Path, options: &Options) {
    let walked = Mutex::new(Walked::default());
    let mut builder = WalkBuilder::new(top);
    builder
        .standard_filters(!options.no_ignore)
        .hidden(true)
        .git_global(false)
        .follow_links(false)
        .filter_entry(|entry| {
            !matches!(
                entry.file_name().to_str(),
                Some("node_modules" | ".terraform")
            )
        })
        .threads(options.threads.unwrap_or(0));
    builder.build_parallel().run(|| {
        Box::new(|entry| {
            let mut walked = walked
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            match entry {
                Ok(entry) => {
                    let path = entry.path();
                    let kind = entry.file_type();
                    if kind.is_some_and(|kind| kind.is_dir()) {
                        // Ignore files usually name `cdk.out`, so it is looked for by name.
                        let hidden = path.join("cdk.out");
                        match assembly(path) {
                            Found::Assembly => walked.assemblies.push(path.to_owned()),
                            Found::Remains => {
                                let files =
                                    ["manifest.json", "cdk.out"].map(|name| path.join(name));
                                walked
                                    .remains
                                    .extend(files.into_iter().find(|file| file.is_file()));
                            }
                            Found::Nothing if assembly(&hidden) == Found::Assembly => {
                                walked.assemblies.push(hidden);
                            }
                            Found::Nothing => {}
                        }
                    } else if kind.is_some_and(|kind| kind.is_file())
                        || (kind.is_some_and(|kind| kind.is_symlink()) && path.is_file())
                    {
                        walked.files.push(path.to_owned());
                    }
                }
                Err(error) => walked.problems.push(error.to_string()),
            }
            WalkState::Continue
        })
    });
    let walked = walked
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    for path in &walked.files {
        match relative(&found.base, path) {
            Some(path) => add_file(found, &path),
            None => found.diagnostics.push(Diagnostic::new(
                Level::Warning,
                "path-not-utf8",
                format!(
                    "`{}` is not read: its name is not UTF-8; rename it",
                    path.to_string_lossy()
                ),
            )),
        }
    }
    let assemblies = walked.assemblies.iter();
    found
        .assemblies
        .extend(assemblies.filter_map(|path| relative(&found.base, path)));
    if options.assemblies {
        let left = walked.remains.iter();
        let left = left.filter_map(|path| Some(remains(&relative(&found.base, path)?)));
        found.diagnostics.extend(left);
    }
    let base = format!("{}/", found.base.display());
    for problem in walked.problems {
        found.diagnostics.push(Diagnostic::new(
            Level::Warning,
            "walk",
            format!("a directory is left out: {}", problem.replace(&base, "")),
        ));
    }
}

/// Sorts everything, and keeps the files of assemblies for their manifests.
fn finish(found: &mut Discovery, assemblies: bool) {
    for files in found.terraform.values_mut() {
        files.sort();
        files.dedup();
    }
    found.assemblies.sort();
    found.assemblies.dedup();
    if assemblies {
        let outer = found.assemblies.clone();
        // Nested assemblies are read by the one around them.
        found
            .assemblies
            .retain(|dir| !outer.iter().any(|other| other != dir && within(dir, other)));
        let held = std::mem::take(&mut found.documents);
        let explicit = &found.explicit;
        let dirs = &found.assemblies;
        found.documents = held
            .into_iter()
            .filter(|path| explicit.contains(path) || !dirs.iter().any(|dir| within(path, dir)))
            .collect();
        found
            .terraform
            .retain(|dir, _| !dirs.iter().any(|assembly| within(dir, assembly)));
    } else {
        found.assemblies.clear();
    }
    found.documents.sort();
    found.documents.dedup();
    found.selected.sort();
    found.selected.dedup();
    found
        .diagnostics
        .sort_by(|a, b| (&a.message, &a.path).cmp(&(&b.message, &b.path)));
    found
        .diagnostics
        .dedup_by(|a, b| (&a.message, &a.path) == (&b.message, &b.path));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = if file.ends_with(".gitignore") {
                "cdk.out\nignored/\n"
            } else {
                ""
            };
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    fn run(options: &Options) -> Discovery {
        discover(options).unwrap()
    }

    fn at(path: PathBuf) -> Options {
        Options {
            paths: vec![path],
            ..Options::default()
        }
    }

    #[test]
    fn walks_with_ignore_files_and_finds_assemblies() {
        let dir = tree(&[
            ".git/HEAD",
            ".gitignore",
            "a/main.tf",
            "a/x.tf.json",
            "a/terraform.tfvars.json",
            "ignored/t.yaml",
            "app/cdk.out/manifest.json",
            "app/cdk.out/cdk.out",
            "app/cdk.out/S.template.json",
            "app/cdk.out/assembly-P/manifest.json",
            "app/cdk.out/assembly-P/cdk.out",
            "node_modules/x/t.yaml",
            "a/.terraform/modules/m/main.tf",
            "t.template",
        ]);
        let found = run(&at(dir.path().to_owned()));
        assert_eq!(found.assemblies, ["app/cdk.out"]);
        assert_eq!(found.documents, ["t.template"]);
        assert_eq!(found.terraform["a"], ["a/main.tf", "a/x.tf.json"]);
        assert_eq!(found.terraform.len(), 1);
        let all = run(&Options {
            no_ignore: true,
            assemblies: false,
            ..at(dir.path().to_owned())
        });
        assert!(all.assemblies.is_empty());
        assert!(all.documents.contains(&"ignored/t.yaml".to_owned()));
        assert!(
            all.documents
                .contains(&"app/cdk.out/S.template.json".to_owned())
        );
        assert!(
            !all.documents
                .iter()
                .any(|path| path.contains("node_modules"))
        );
    }

    #[test]
    fn a_file_of_an_assembly_names_the_assembly() {
        let dir = tree(&[
            ".git/HEAD",
            "o/tree.json",
            "o/S.template.json",
            "o/manifest.json",
        ]);
        std::fs::write(dir.path().join("o/cdk.out"), "").unwrap();
        for name in ["manifest.json", "cdk.out", "tree.json"] {
            let found = run(&at(dir.path().join("o").join(name)));
            assert_eq!(
                (found.assemblies, found.selected),
                (vec!["o".to_owned()], vec!["o".to_owned()])
            );
            assert!(found.explicit.is_empty());
        }
        let found = run(&at(dir.path().join("o/S.template.json")));
        assert_eq!(found.documents, ["o/S.template.json"]);
        assert!(found.assemblies.is_empty());
    }

    #[test]
    fn what_is_left_of_an_assembly_is_told() {
        let dir = tree(&[".git/HEAD", "a/b/t.yaml"]);
        std::fs::write(dir.path().join("a/cdk.out"), r#"{"version": "54.0.0"}"#).unwrap();
        for path in ["", "a", "a/cdk.out"] {
            let found = run(&at(dir.path().join(path)));
            let told: Vec<_> = found
                .diagnostics
                .iter()
                .map(|d| d.path.as_deref())
                .collect();
            assert_eq!(told, [Some("a/cdk.out")], "{path}");
            assert!(found.assemblies.is_empty());
            assert_eq!(found.documents.len(), usize::from(path != "a/cdk.out"));
        }
    }

    #[test]
    fn a_file_selects_itself_and_brings_its_directory() {
        let dir = tree(&[
            ".git/HEAD",
            "a/main.tf",
            "a/b.tf",
            "ignored/t.yaml",
            ".gitignore",
        ]);
        let found = run(&at(dir.path().join("a/main.tf")));
        assert_eq!(found.terraform["a"], ["a/b.tf", "a/main.tf"]);
        assert!(found.selects("a/main.tf") && !found.selects("a/b.tf"));
        let found = run(&at(dir.path().join("ignored/t.yaml")));
        assert_eq!(
            found.documents,
            ["ignored/t.yaml"],
            "a named file is always read"
        );
    }

    #[test]
    fn the_base_is_the_repository_or_the_common_directory() {
        let dir = tree(&["r/.git/HEAD", "r/a/b/main.tf", "x/p/main.tf", "x/q/main.tf"]);
        let real = dir.path().canonicalize().unwrap();
        assert_eq!(run(&at(dir.path().join("r/a/b"))).base, real.join("r"));
        let both = Options {
            paths: vec![dir.path().join("x/p"), dir.path().join("x/q")],
            ..Options::default()
        };
        let found = run(&both);
        assert_eq!(found.base, real.join("x"));
        assert_eq!(found.selected, ["p", "q"]);
        let outside = Options {
            root: Some(dir.path().join("r")),
            ..at(dir.path().join("x/p"))
        };
        assert!(matches!(discover(&outside), Err(Error::OutsideBase { .. })));
        let allowed = Options {
            allow: vec![dir.path().join("x")],
            ..outside
        };
        assert_eq!(run(&allowed).selected, ["../x/p"]);
        let missing = at(dir.path().join("none"));
        assert!(matches!(discover(&missing), Err(Error::MissingPath(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_parent_is_no_loop() {
        let dir = tree(&["a/main.tf"]);
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/up")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("a/self"), dir.path().join("a/self")).unwrap();
        let found = run(&at(dir.path().to_owned()));
        assert_eq!(found.terraform.len(), 1);
    }
}
