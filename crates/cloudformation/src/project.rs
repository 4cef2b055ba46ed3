//! The templates of a run: which are stacks, what they export, and when each is let go.
//!
//! Not for what a stack comes to: see `stack`. Invariant: a template that another one may still ask for
//! is kept.

use crate::eval::{Environment, ParameterValues};
use crate::fragment;
use crate::nested::{built_from, nested_paths};
use crate::stack::Run;
use crate::syntax::{Template, TemplateRead, read};
use overgrant_ir::Resource;
use overgrant_source::{Diagnostic, Level, Sources};
use overgrant_value::Val;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How templates use each other.
#[derive(Debug)]
struct Nesting {
    /// Those that are stacks of their own, sorted.
    stacks: Vec<SmolStr>,
    /// Those that another one uses.
    used: BTreeSet<SmolStr>,
}

/// Whether the stack of a template can be worked out without any other template: it nests none that is
/// here, and imports nothing.
#[must_use]
pub fn stands_alone(template: &Template) -> bool {
    !imports(template) && nested_paths(template).is_empty()
}

/// Whether a template may export values.
#[must_use]
pub fn may_export(template: &Template) -> bool {
    template.file.text().contains("Export")
}

fn imports(template: &Template) -> bool {
    template.file.text().contains("ImportValue")
}

/// What templates need of others.
#[derive(Debug, Default)]
pub struct Needs {
    nested: BTreeSet<SmolStr>,
    imports: bool,
}

impl Needs {
    /// The needs of all these templates.
    #[must_use]
    pub fn of(templates: &[Template]) -> Self {
        Self {
            nested: templates.iter().flat_map(nested_paths).collect(),
            imports: templates.iter().any(imports),
        }
    }

    /// Whether the template at `path` (relative to the base) is a nested stack of one of them.
    #[must_use]
    pub fn nest(&self, path: &str) -> bool {
        self.nested.contains(path)
    }

    /// Whether one of them imports what other stacks export.
    #[must_use]
    pub fn import(&self) -> bool {
        self.imports
    }
}

/// What an evaluation starts from.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Values for parameters, for every stack that declares them.
    pub parameters: ParameterValues,
    /// What is known about the place of deployment.
    pub environment: Environment,
    /// Whether the template is part of a CDK assembly: addresses are construct paths then.
    pub cdk: bool,
    /// The root to report instead of the template's path.
    pub root: Option<SmolStr>,
    /// Construct paths by logical id, for templates that do not hold them themselves. An id that
    /// several templates of the stack have must not be among them.
    pub construct_paths: BTreeMap<SmolStr, SmolStr>,
    /// Files beside the template by the names under which they are put into a bucket; a nested stack
    /// whose URL ends in such a name has its template there.
    pub assets: BTreeMap<SmolStr, SmolStr>,
}

/// What a stack came to.
#[derive(Debug, Clone, Default)]
pub struct Evaluated {
    /// Its resources and those of its nested stacks.
    pub resources: Vec<Resource>,
    /// Its outputs.
    pub outputs: BTreeMap<SmolStr, Val>,
    /// What went wrong on the way.
    pub diagnostics: Vec<Diagnostic>,
}

/// A template, until nobody asks for it any more.
type Slot = Mutex<Option<Arc<Template>>>;

/// The templates of a run.
#[derive(Debug)]
pub struct Project {
    pub(crate) sources: Arc<Sources>,
    templates: BTreeMap<SmolStr, Slot>,
    options: BTreeMap<SmolStr, Options>,
    /// Whether some template imports values.
    imports: bool,
    nesting: OnceLock<Nesting>,
    exports: OnceLock<BTreeMap<String, Val>>,
}

impl Project {
    /// A project of these templates.
    #[must_use]
    pub fn new(sources: Arc<Sources>, templates: Vec<Template>) -> Self {
        let imports = templates.iter().any(imports);
        let templates = templates
            .into_iter()
            .map(|template| {
                let path = SmolStr::from(template.file.path());
                (path, Mutex::new(Some(Arc::new(template))))
            })
            .collect();
        Self {
            sources,
            templates,
            options: BTreeMap::new(),
            imports,
            nesting: OnceLock::new(),
            exports: OnceLock::new(),
        }
    }

    /// Sets what the evaluation of the stack at `path` starts from.
    #[must_use]
    pub fn with_options(mut self, path: impl Into<SmolStr>, options: Options) -> Self {
        self.options.insert(path.into(), options);
        self
    }

    /// The templates that were not let go, by path.
    pub fn templates(&self) -> impl Iterator<Item = Arc<Template>> {
        self.templates
            .values()
            .filter_map(|slot| lock(slot).clone())
    }

    fn held(&self, path: &str) -> Option<Arc<Template>> {
        lock(self.templates.get(path)?).clone()
    }

    /// The template to read for the one at `path`: the author's, where that one is built from it.
    pub(crate) fn author_of(&self, path: SmolStr) -> SmolStr {
        let mut sources = built_from(&path).into_iter();
        sources
            .find(|source| self.templates.contains_key(source))
            .unwrap_or(path)
    }

    /// Paths of the templates that are stacks of their own: those that no other template uses as a
    /// nested stack. Templates that only use each other count as well.
    #[must_use]
    pub fn stacks(&self) -> &[SmolStr] {
        &self.nesting().stacks
    }

    fn nesting(&self) -> &Nesting {
        self.nesting.get_or_init(|| self.nest())
    }

    fn nest(&self) -> Nesting {
        let children: BTreeMap<&SmolStr, Vec<SmolStr>> = self
            .templates
            .iter()
            .map(|(path, slot)| {
                let nested = lock(slot).as_deref().map(nested_paths);
                (path, nested.unwrap_or_default())
            })
            .collect();
        let used: BTreeSet<&SmolStr> = children
            .iter()
            .flat_map(|(path, used)| used.iter().filter(move |other| other != path))
            .collect();
        let mut stacks: Vec<SmolStr> = self
            .templates
            .keys()
            .filter(|path| !used.contains(path))
            .cloned()
            .collect();
        let mut reached: BTreeSet<SmolStr> = BTreeSet::new();
        let mut next = stacks.clone();
        loop {
            while let Some(path) = next.pop() {
                if reached.insert(path.clone()) {
                    next.extend(children.get(&path).into_iter().flatten().cloned());
                }
            }
            let Some(left) = self.templates.keys().find(|path| !reached.contains(*path)) else {
                break;
            };
            stacks.push(left.clone());
            next.push(left.clone());
        }
        stacks.sort();
        let used = used.into_iter().cloned().collect();
        Nesting { stacks, used }
    }

    /// Evaluates the stack whose template stands at `path` (relative to the base), with the options
    /// set for it; nothing where there is none. Stacks can be evaluated on several threads.
    #[must_use]
    pub fn evaluate(&self, path: &str) -> Evaluated {
        let Some(template) = self.held(path) else {
            return Evaluated::default();
        };
        let default = Options::default();
        let options = self.options.get(path).unwrap_or(&default);
        let none = BTreeMap::new();
        let exports = if self.imports { self.exports() } else { &none };
        let root = options.root.clone().unwrap_or_else(|| path.into());
        let mut evaluated = Run::new(self, options, exports, root).stack(
            &template,
            "",
            &options.parameters,
            &mut vec![path.into()],
        );
        evaluated.diagnostics = fragment::settle(&template, evaluated.diagnostics);
        evaluated
    }

    /// As [`Self::evaluate`], for the last time: a template that no other one uses is let go.
    #[must_use]
    pub fn evaluate_last(&self, path: &str) -> Evaluated {
        let evaluated = self.evaluate(path);
        let used = &self.nesting().used;
        if !used.contains(path)
            && let Some(slot) = self.templates.get(path)
        {
            let template = lock(slot).take();
            drop(template);
        }
        evaluated
    }

    /// The exports of all stacks, by the key of their name.
    fn exports(&self) -> &BTreeMap<String, Val> {
        self.exports.get_or_init(|| {
            let none = BTreeMap::new();
            let default = Options::default();
            let mut all = BTreeMap::new();
            for path in self.stacks() {
                let Some(template) = self.held(path) else {
                    continue;
                };
                if !may_export(&template) {
                    continue;
                }
                let options = self.options.get(path).unwrap_or(&default);
                let run = Run::new(
                    self,
                    options,
                    &none,
                    options.root.clone().unwrap_or_else(|| path.clone()),
                );
                for (name, val) in run.exported(&template) {
                    all.entry(name).or_insert(val);
                }
            }
            all
        })
    }

    /// The template at `path`, read if it was not; the diagnostic tells why it cannot be.
    pub(crate) fn template(&self, path: &str) -> Result<Arc<Template>, Option<Diagnostic>> {
        if let Some(template) = self.held(path) {
            return Ok(template);
        }
        let file = self.sources.load(path).map_err(|error| {
            Some(Diagnostic::new(
                Level::Warning,
                "nested-template",
                error.to_string(),
            ))
        })?;
        match read(&file) {
            TemplateRead::Yes(template) => Ok(Arc::from(template)),
            TemplateRead::Lost(diagnostic) => Err(Some(*diagnostic)),
            TemplateRead::No => Err(None),
        }
    }
}

fn lock(slot: &Slot) -> MutexGuard<'_, Option<Arc<Template>>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
