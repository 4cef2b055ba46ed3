//! The files of a run: read once, inside the base, with limits.
//!
//! Not for choosing which files to read: that is discovery's. Invariant: nothing outside the base
//! (and the paths explicitly allowed) is ever opened, whatever symlinks say.

use crate::{FileId, LineColumn, SourceFile, Span};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, RwLock};

/// How large inputs may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one file.
    pub file: u64,
}

impl Default for Limits {
    /// 32 MiB a file: the largest real plan files fit, an image or dump does not.
    fn default() -> Self {
        Self { file: 32 << 20 }
    }
}

/// Whether a file is JSON that a shell may have written: `terraform show -json > plan.json` gives
/// UTF-16 in Windows PowerShell. Terraform itself reads its own files as UTF-8 only.
fn is_plain_json(path: &str) -> bool {
    const OWN: [&str; 3] = [".tf.json", ".tofu.json", ".tfvars.json"];
    path.ends_with(".json") && !OWN.iter().any(|end| path.ends_with(end))
}

/// The text of UTF-16 with a byte order mark; `None` where it is none or not well-formed. Offsets
/// count in the text that results.
fn utf16(bytes: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let (pairs, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    let units: Vec<u16> = pairs.iter().skip(1).map(|pair| unit(*pair)).collect();
    String::from_utf16(&units).ok()
}

/// How a file begins that git-crypt encrypted (AGWA/git-crypt, `crypto` header).
const GIT_CRYPT: &[u8] = b"\0GITCRYPT\0";

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No such file.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// The path leads out of the base.
    #[error("`{0}` lies outside the base of this run; add --allow-path to read it")]
    Outside(String),
    /// A directory, socket, device or pipe.
    #[error("`{0}` is not a regular file")]
    NotAFile(String),
    /// Larger than the limit.
    #[error("`{path}` has {size} bytes, more than the {limit} that are read")]
    TooLarge {
        /// The file.
        path: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Not UTF-8.
    #[error("`{path}` is not UTF-8 text (first bad byte at offset {offset}); save it as UTF-8")]
    NotUtf8 {
        /// The file.
        path: String,
        /// Offset of the first bad byte, 0-based.
        offset: usize,
    },
    /// Encrypted by git-crypt, and not unlocked here.
    #[error(
        "`{0}` is encrypted by git-crypt; run `git-crypt unlock` to have it read, what it says is not known"
    )]
    Encrypted(String),
    /// The system refused.
    #[error("`{path}` cannot be read: {reason}")]
    Io {
        /// The file.
        path: String,
        /// The system's words.
        reason: String,
    },
}

/// All files of a run. Shared between threads; each file is read and kept once.
#[derive(Debug)]
pub struct Sources {
    base: PathBuf,
    allowed: Vec<PathBuf>,
    limits: Limits,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<Arc<SourceFile>>,
    by_path: HashMap<Arc<str>, Result<FileId, ReadError>>,
    /// Names of the files that were read, by directory.
    names: HashMap<Box<str>, Vec<Box<str>>>,
    /// Directories without links, by the path they were asked for under.
    directories: HashMap<PathBuf, PathBuf>,
}

impl Sources {
    /// A set with the base directory `base` (canonicalised where it exists).
    #[must_use]
    pub fn new(base: impl Into<PathBuf>) -> Self {
        let base = base.into();
        let base = base.canonicalize().unwrap_or(base);
        Self {
            base,
            allowed: Vec::new(),
            limits: Limits::default(),
            state: RwLock::default(),
        }
    }

    /// Allows reads below `path` too.
    #[must_use]
    pub fn allow(mut self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        self.allowed.push(path.canonicalize().unwrap_or(path));
        self
    }

    /// Replaces the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The base directory, absolute.
    #[must_use]
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// Adds a text that does not come from disk (tests, examples, standard input).
    pub fn add(&self, path: &str, text: &str) -> Arc<SourceFile> {
        let path: Arc<str> = normalise(path).into();
        let mut state = self.lock();
        insert(&mut state, path, text.into())
    }

    /// Reads the file at `path` (relative to the base, forward slashes; `.` and `..` are resolved
    /// as text). A file that was read before comes from memory.
    ///
    /// # Errors
    /// See [`ReadError`]; a failure is remembered like a file.
    pub fn load(&self, path: &str) -> Result<Arc<SourceFile>, ReadError> {
        let path = normalise(path);
        if let Some(known) = self.known(&path) {
            return known;
        }
        let read = self.read(&path);
        let mut state = self.lock();
        if let Some(known) = lookup(&state, &path) {
            return known;
        }
        match read {
            Ok(text) => Ok(insert(&mut state, path.into(), text.into())),
            Err(error) => {
                state.by_path.insert(path.into(), Err(error.clone()));
                Err(error)
            }
        }
    }

    /// As [`Self::load`], but keeps the file only if `wanted` says so of its text: most documents of
    /// a repository are nothing for this tool. `None` where it does not.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn load_if(
        &self,
        path: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Option<Arc<SourceFile>>, ReadError> {
        let path = normalise(path);
        if let Some(known) = self.known(&path) {
            return known.map(|file| wanted(file.text()).then_some(file));
        }
        let text = self.read(&path)?;
        if !wanted(&text) {
            return Ok(None);
        }
        let mut state = self.lock();
        match lookup(&state, &path) {
            Some(known) => known.map(Some),
            None => Ok(Some(insert(&mut state, path.into(), text.into()))),
        }
    }

    /// The text of the file at `path`, as [`Self::load`] finds it, without keeping it: for files
    /// in which nothing is ever reported.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn peek(&self, path: &str) -> Result<Arc<str>, ReadError> {
        let path = normalise(path);
        match self.known(&path) {
            Some(known) => known.map(|file| file.shared_text()),
            None => self.read(&path).map(Arc::from),
        }
    }

    /// At most the first `most` bytes of the file at `path` as they stand, for telling what a file
    /// that cannot be read was meant to be; nothing where there is none.
    #[must_use]
    pub fn head(&self, path: &str, most: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let full = self.resolve(&normalise(path)).ok();
        if let Some(file) = full
            .filter(|full| full.is_file())
            .and_then(|full| std::fs::File::open(full).ok())
        {
            // What was read before an error is all there is to tell by.
            let _ = file.take(most).read_to_end(&mut bytes);
        }
        bytes
    }

    /// Whether a regular file stands at `path` (relative to the base) and may be read.
    #[must_use]
    pub fn exists(&self, path: &str) -> bool {
        let path = normalise(path);
        if let Some(known) = self.known(&path) {
            return known.is_ok();
        }
        self.resolve(&path).is_ok_and(|full| full.is_file())
    }

    /// The names in the directory `path` (relative to the base), sorted; empty where it is none or
    /// lies outside.
    #[must_use]
    pub fn list(&self, path: &str) -> Vec<String> {
        let path = normalise(path);
        let mut names: Vec<String> = match self.resolve(&path) {
            Ok(full) => std::fs::read_dir(full)
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|entry| entry.file_name().into_string().ok())
                .collect(),
            Err(_) => Vec::new(),
        };
        if let Some(read) = self.read_lock().names.get(path.as_str()) {
            names.extend(read.iter().map(|name| name.to_string()));
        }
        names.sort();
        names.dedup();
        names
    }

    /// The file with this id.
    ///
    /// Ids only come from this set, so the lookup succeeds; a foreign id gives `None`.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<Arc<SourceFile>> {
        self.read_lock().files.get(id.0 as usize).cloned()
    }

    /// Path, first place and end (exclusive) of a span.
    #[must_use]
    pub fn locate(&self, span: Span) -> Option<(Arc<str>, LineColumn, LineColumn)> {
        let file = self.get(span.file)?;
        Some((
            file.path().into(),
            file.place(span.start),
            file.place(span.end),
        ))
    }

    /// The text behind a span; empty where there is none.
    #[must_use]
    pub fn slice(&self, span: Span) -> String {
        self.get(span.file)
            .map_or_else(String::new, |file| file.slice(span).to_owned())
    }

    /// Every file read so far, sorted by path.
    #[must_use]
    pub fn files(&self) -> Vec<Arc<SourceFile>> {
        let mut files = self.read_lock().files.clone();
        files.sort_by(|a, b| a.path().cmp(b.path()));
        files
    }

    fn known(&self, path: &str) -> Option<Result<Arc<SourceFile>, ReadError>> {
        lookup(&self.read_lock(), path)
    }

    fn resolve(&self, path: &str) -> Result<PathBuf, ReadError> {
        let full = self.base.join(path);
        let full = self.canonical(&full).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ReadError::Missing(path.to_owned()),
            _ => ReadError::Io {
                path: path.to_owned(),
                reason: error.to_string(),
            },
        })?;
        let inside =
            full.starts_with(&self.base) || self.allowed.iter().any(|dir| full.starts_with(dir));
        if inside {
            Ok(full)
        } else {
            Err(ReadError::Outside(path.to_owned()))
        }
    }

    /// The path without links. Directories are asked once.
    fn canonical(&self, full: &Path) -> std::io::Result<PathBuf> {
        let (Some(dir), Some(name)) = (full.parent(), full.file_name()) else {
            return full.canonicalize();
        };
        if full.symlink_metadata()?.is_symlink() {
            return full.canonicalize();
        }
        let known = self.read_lock().directories.get(dir).cloned();
        let dir = match known {
            Some(known) => known,
            None => {
                let real = dir.canonicalize()?;
                let mut state = self.lock();
                state.directories.insert(dir.into(), real.clone());
                real
            }
        };
        Ok(dir.join(name))
    }

    fn read(&self, path: &str) -> Result<String, ReadError> {
        let full = self.resolve(path)?;
        let io = |error: std::io::Error| ReadError::Io {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        // The kind is asked before opening: opening a pipe would wait for a writer.
        let meta = std::fs::metadata(&full).map_err(io)?;
        if !meta.is_file() {
            return Err(ReadError::NotAFile(path.to_owned()));
        }
        let too_large = |size| ReadError::TooLarge {
            path: path.to_owned(),
            size,
            limit: self.limits.file,
        };
        if meta.len() > self.limits.file {
            return Err(too_large(meta.len()));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
        std::fs::File::open(&full)
            .map_err(io)?
            .take(self.limits.file + 1)
            .read_to_end(&mut bytes)
            .map_err(io)?;
        if bytes.len() as u64 > self.limits.file {
            return Err(too_large(bytes.len() as u64));
        }
        if bytes.starts_with(GIT_CRYPT) {
            return Err(ReadError::Encrypted(path.to_owned()));
        }
        if is_plain_json(path)
            && let Some(text) = utf16(&bytes)
        {
            return Ok(text);
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) => Err(ReadError::NotUtf8 {
                path: path.to_owned(),
                offset: error.utf8_error().valid_up_to(),
            }),
        }
    }

    fn lock(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn read_lock(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn lookup(state: &State, path: &str) -> Option<Result<Arc<SourceFile>, ReadError>> {
    match state.by_path.get(path)? {
        Ok(id) => state.files.get(id.0 as usize).cloned().map(Ok),
        Err(error) => Some(Err(error.clone())),
    }
}

fn insert(state: &mut State, path: Arc<str>, text: Arc<str>) -> Arc<SourceFile> {
    let id = FileId(u32::try_from(state.files.len()).unwrap_or(u32::MAX));
    let file = Arc::new(SourceFile::new(id, Arc::clone(&path), text));
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", &path));
    state.names.entry(dir.into()).or_default().push(name.into());
    state.files.push(Arc::clone(&file));
    state.by_path.insert(path, Ok(id));
    file
}

/// A relative path with forward slashes, `.` and inner `..` resolved; a leading `..` stays, so that
/// the check against the base can refuse it.
fn normalise(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    let absolute = path.starts_with('/');
    for part in Path::new(&path).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str().unwrap_or("")),
            Component::ParentDir => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ => parts.push(".."),
            },
            _ => {}
        }
    }
    let joined = parts.join("/");
    if absolute {
        format!("/{joined}")
    } else {
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn reads_inside_the_base_only() {
        let dir = scratch();
        std::fs::create_dir(dir.path().join("base")).unwrap();
        std::fs::write(dir.path().join("secret"), "s").unwrap();
        std::fs::write(dir.path().join("base/a.tf"), "x").unwrap();
        let sources = Sources::new(dir.path().join("base"));
        assert_eq!(sources.load("./x/../a.tf").unwrap().text(), "x");
        assert_eq!(sources.load("a.tf").unwrap().id(), FileId(0), "read once");
        assert!(matches!(
            sources.load("../secret"),
            Err(ReadError::Outside(_))
        ));
        assert!(matches!(sources.load("none"), Err(ReadError::Missing(_))));
        assert!(matches!(sources.load(""), Err(ReadError::NotAFile(_))));
    }

    #[test]
    fn json_of_a_shell_may_be_utf16() {
        let dir = scratch();
        let text = "{\"é\": \"𝄞\"}\n";
        let mut little = vec![0xff, 0xfe];
        little.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        let mut big = vec![0xfe, 0xff];
        big.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        let cut = little.split_last().unwrap().1.to_vec();
        let lone = vec![0xff, 0xfe, 0x00, 0xd8];
        for (name, bytes, read) in [
            ("plan.json", &little, true),
            ("big.json", &big, true),
            ("a.tf.json", &little, false),
            ("a.auto.tfvars.json", &little, false),
            ("a.tf", &little, false),
            ("cut.json", &cut, false),
            ("lone.json", &lone, false),
        ] {
            std::fs::write(dir.path().join(name), bytes).unwrap();
            let file = Sources::new(dir.path()).load(name);
            assert_eq!(file.is_ok_and(|file| file.text() == text), read, "{name}");
        }
    }

    #[test]
    fn only_wanted_files_are_kept() {
        let dir = scratch();
        std::fs::write(dir.path().join("a.json"), "{}").unwrap();
        std::fs::write(dir.path().join("b.json"), "[]").unwrap();
        let sources = Sources::new(dir.path());
        let wanted = |text: &str| text.starts_with('{');
        let found = |path: &str| sources.load_if(path, wanted).unwrap().is_some();
        assert!(found("a.json") && found("a.json") && !found("b.json"));
        assert_eq!(&*sources.peek("b.json").unwrap(), "[]");
        assert_eq!(sources.files().len(), 1);
        assert!(sources.load_if("c.json", wanted).is_err() && sources.peek("c.json").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_does_not_lead_out() {
        let dir = scratch();
        std::fs::create_dir(dir.path().join("base")).unwrap();
        std::fs::write(dir.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink(dir.path().join("secret"), dir.path().join("base/link"))
            .unwrap();
        let sources = Sources::new(dir.path().join("base"));
        assert!(matches!(sources.load("link"), Err(ReadError::Outside(_))));
        let sources = sources.allow(dir.path());
        assert!(sources.load("link").is_err(), "a failure is remembered");
    }

    #[test]
    fn refuses_what_is_no_text() {
        let dir = scratch();
        std::fs::write(dir.path().join("b"), [b'a', 0xff]).unwrap();
        std::fs::write(dir.path().join("c"), "12345").unwrap();
        std::fs::write(dir.path().join("d"), [GIT_CRYPT, &[0xff]].concat()).unwrap();
        let sources = Sources::new(dir.path()).with_limits(Limits { file: 4 });
        let encrypted = Sources::new(dir.path()).load("d").unwrap_err();
        assert_eq!(encrypted, ReadError::Encrypted("d".into()));
        assert_eq!(
            sources.load("b").unwrap_err(),
            ReadError::NotUtf8 {
                path: "b".into(),
                offset: 1
            }
        );
        assert!(matches!(
            sources.load("c"),
            Err(ReadError::TooLarge { size: 5, .. })
        ));
    }

    #[test]
    fn paths_are_text() {
        assert_eq!(normalise("./a/./b/../c"), "a/c");
        assert_eq!(normalise("../a"), "../a");
        assert_eq!(normalise("a/../../b"), "../b");
    }
}
