//! Files and templates: `file`, `templatefile`, `fileset` and the like.
//!
//! Relative paths count from the root module's directory, where Terraform runs; a file that is only
//! found from the module's own directory is taken from there. Invariant: nothing is read outside the
//! base of the run.

use super::collection::first;
use super::{Call, Function, Kind, Outcome, Stop, Takes, function};
use crate::config::json::literal;
use crate::config::module::join;
use crate::eval::limits::MAX_FILE;
use crate::eval::{Evaluator, Scope, text};
use crate::roots::normal;
use crate::syntax::tree::Expr;
use crate::syntax::{parse_literal_template, parse_template};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use overgrant_source::{Level, ReadError, SourceFile, Span};
use overgrant_value::{Data, Text, Val};
use smol_str::SmolStr;
use std::rc::Rc;
use std::sync::Arc;
use unicode_normalization::{UnicodeNormalization, is_nfc};

pub(super) const TABLE: &[Function] = &[
    function("file", (1, 1), Kind::String, Takes::Known, file),
    function("fileexists", (1, 1), Kind::Bool, Takes::Known, fileexists),
    function("filebase64", (1, 1), Kind::String, Takes::Known, filebase64),
    function("templatefile", (2, 2), Kind::Any, Takes::All, templatefile),
    function(
        "templatestring",
        (2, 2),
        Kind::String,
        Takes::All,
        templatestring,
    ),
    function("fileset", (2, 2), Kind::StringSet, Takes::Known, fileset),
    function("basename", (1, 1), Kind::String, Takes::Known, basename),
    function("dirname", (1, 1), Kind::String, Takes::Known, dirname),
    function(
        "abspath",
        (1, 1),
        Kind::String,
        Takes::Known,
        |call, args| {
            // The working directory is not known.
            let path = call.string(&first(args)?)?;
            match path.strip_prefix('/') {
                Some(path) => Ok(call.known(&format!("/{}", normal(path)))),
                None => Err(Stop::Open),
            }
        },
    ),
    function("pathexpand", (1, 1), Kind::String, Takes::Known, pathexpand),
];

/// The file at a path; one that must not be read is told and left open.
fn load(call: &Call<'_, '_>, path: &str) -> Result<Arc<SourceFile>, Stop> {
    let untold = |reason: &str| {
        call.evaluator.report(
            Level::Note,
            "file-not-read",
            format!("{reason}; what depends on it is taken as unknown"),
            Some(call.span),
        );
        Stop::Open
    };
    if path.starts_with('/') || path.starts_with('~') {
        return Err(untold(
            "a file is only read inside the base of this run, by a relative path",
        ));
    }
    let file = found(call, path).map_err(|error| match error {
        ReadError::Missing(_) => "the file is not there".into(),
        ReadError::NotAFile(_) => "this is a directory, not a file".into(),
        ReadError::NotUtf8 { .. } => "the file is not UTF-8".into(),
        error => untold(&error.to_string()),
    })?;
    if file.text().len() > MAX_FILE {
        return Err(untold("this file is too large to be part of a policy"));
    }
    Ok(file)
}

fn found(call: &Call<'_, '_>, path: &str) -> Result<Arc<SourceFile>, ReadError> {
    let sources = call.evaluator.sources();
    let from_root = normal(&join(&call.evaluator.dir, path));
    let result = sources.load(&from_root);
    if let Err(ReadError::Missing(_)) = &result
        && let Some(home) = &call.scope.home
    {
        let from_module = normal(&join(&home.module.dir, path));
        if from_module != from_root
            && let Ok(file) = sources.load(&from_module)
        {
            return Ok(file);
        }
    }
    result
}

/// The characters of a file.
pub(super) fn content(call: &Call<'_, '_>, path: &str) -> Result<String, Stop> {
    load(call, path).map(|file| file.text().to_owned())
}

fn file(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let path = call.string(&first(args)?)?;
    let file = load(call, &path)?;
    let span = file.span(0..file.text().len());
    let text = if is_nfc(file.text()) {
        Text::exact(file.text(), span)
    } else {
        Text::derived(&file.text().nfc().collect::<String>(), span)
    };
    Ok(Val::text(text, call.src()).through(call.span, format!("file {}", file.path())))
}

fn fileexists(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let path = call.string(&first(args)?)?;
    match load(call, &path) {
        Ok(_) => Ok(call.yes_no(true)),
        Err(Stop::Fail(fail)) if fail.message.contains("not there") => Ok(call.yes_no(false)),
        Err(Stop::Fail(fail)) if fail.message.contains("UTF-8") => Ok(call.yes_no(true)),
        Err(stop) => Err(stop),
    }
}

fn filebase64(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let path = call.string(&first(args)?)?;
    match content(call, &path) {
        Ok(text) => Ok(call.known(&STANDARD.encode(text.as_bytes()))),
        Err(Stop::Fail(fail)) if fail.message.contains("UTF-8") => Err(Stop::Open),
        Err(stop) => Err(stop),
    }
}

/// A scope with the members of an object as names.
fn names(scope: &Scope, vars: &Val, span: Span) -> Result<Scope, Stop> {
    let Some(map) = vars.as_map() else {
        return if vars.is_unknown() {
            Err(Stop::Open)
        } else {
            Err("the variables must be an object".into())
        };
    };
    let mut inner = Scope::bare(scope.home.clone());
    for entry in &map.entries {
        let name = entry.key.as_known().ok_or(Stop::Open)?;
        let valid = name.chars().enumerate().all(|(at, c)| {
            c.is_alphanumeric() && (at > 0 || !c.is_numeric()) || c == '_' || (c == '-' && at > 0)
        });
        if !valid || name.is_empty() {
            return Err("the names of variables must be identifiers".into());
        }
        let val = entry
            .val
            .under(vars)
            .through(span, format!("template variable {name}"));
        inner = inner.bind(&name, val);
    }
    Ok(inner)
}

fn templatefile(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [path, vars] = args else {
        return Err("two arguments are needed".into());
    };
    let path = call.string(path)?;
    let file = load(call, &path)?;
    let known = call.evaluator.templates.borrow().get(&file.id()).cloned();
    let template: Rc<Expr> = match known {
        Some(known) => known,
        None => {
            let (expr, _) = parse_template(&file).map_err(|problem| problem.message.clone())?;
            let expr = Rc::new(expr);
            call.evaluator
                .templates
                .borrow_mut()
                .insert(file.id(), Rc::clone(&expr));
            expr
        }
    };
    let scope = names(call.scope, vars, call.span)?;
    let Some(_level) = call.evaluator.in_template() else {
        return Err("templates render each other too deeply".into());
    };
    let val = call.evaluator.expr(&scope, &template)?;
    Ok(val.through(call.span, format!("template {}", file.path())))
}

fn templatestring(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [template, vars] = args else {
        return Err("two arguments are needed".into());
    };
    let scope = names(call.scope, vars, call.span)?;
    render(call.evaluator, &scope, &call.text(template)?, call.span)
}

fn render(evaluator: &Evaluator<'_>, scope: &Scope, template: &Text, span: Span) -> Outcome {
    let template = text::spelled(template);
    if !template.is_known() {
        return Err(Stop::Open);
    }
    let Some(file) = evaluator.sources().get(span.file) else {
        return Err(Stop::Open);
    };
    let (expr, _) = parse_literal_template(&file, &literal(&template, span), span)
        .map_err(|problem| problem.message.clone())?;
    Ok(evaluator.expr(scope, &expr)?)
}

impl Evaluator<'_> {
    /// A template held as text, with variables: `data.template_file`.
    pub(crate) fn render_text(
        &self,
        scope: &Scope,
        template: &Val,
        vars: &Val,
        span: Span,
    ) -> crate::eval::Eval {
        self.spread(&[template.clone(), vars.clone()], |vals| {
            let open = || Ok(Val::unknown_because("a rendered template", Some(span)));
            let [template, vars] = vals else {
                return open();
            };
            let Data::Str(text) = template.data() else {
                return open();
            };
            let result =
                names(scope, vars, span).and_then(|inner| render(self, &inner, text, span));
            match result {
                Ok(val) => Ok(val),
                Err(Stop::Open) => open(),
                Err(Stop::Fail(fail)) => Err(fail),
            }
        })
    }
}

fn basename(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let path = call.text(&first(args)?)?;
    let ending = path.trailing();
    if let (false, Some((_, name))) = (path.is_known(), ending.rsplit_once('/'))
        && !name.is_empty()
    {
        return Ok(call.known(name));
    }
    let path = crate::eval::text::known(&path).ok_or(Stop::Open)?;
    let trimmed = path.trim_end_matches('/');
    let name = if path.is_empty() {
        "."
    } else if trimmed.is_empty() {
        "/"
    } else {
        trimmed.rsplit('/').next().unwrap_or(trimmed)
    };
    Ok(call.known(name))
}

fn dirname(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let path = call.string(&first(args)?)?;
    let dir = match path.rfind('/') {
        None => ".".to_owned(),
        Some(at) => {
            let dir = path.get(..=at).unwrap_or("");
            let absolute = dir.starts_with('/');
            let cleaned = normal(dir);
            match (absolute, cleaned.is_empty()) {
                (true, _) => format!("/{}", cleaned.trim_start_matches('/')),
                (false, true) => ".".to_owned(),
                (false, false) => cleaned,
            }
        }
    };
    Ok(call.known(&dir))
}

fn pathexpand(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let path = call.string(&first(args)?)?;
    if path.starts_with('~') {
        Err(Stop::Open)
    } else {
        Ok(call.known(&path))
    }
}

fn fileset(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [path, pattern] = args else {
        return Err("two arguments are needed".into());
    };
    let (path, pattern) = (call.string(path)?, call.string(pattern)?);
    if path.starts_with('/') || path.starts_with('~') {
        return Err(Stop::Open);
    }
    let matcher = globset::GlobBuilder::new(&pattern)
        .literal_separator(true)
        .build()
        .map_err(|_| "the pattern is not valid")?
        .compile_matcher();
    let dir = normal(&join(&call.evaluator.dir, &path));
    let mut found: Vec<SmolStr> = Vec::new();
    let mut queue = vec![String::new()];
    let mut seen = 0;
    while let Some(below) = queue.pop() {
        for name in call.evaluator.sources().list(&join(&dir, &below)) {
            seen += 1;
            if seen > 20_000 {
                return Err(Stop::Open);
            }
            let relative = join(&below, &name);
            let full = join(&dir, &relative);
            if call.evaluator.sources().exists(&full) {
                if matcher.is_match(&relative) {
                    found.push(relative.into());
                }
            } else if below.matches('/').count() < 16 {
                queue.push(relative);
            }
        }
    }
    found.sort();
    let items = found.iter().map(|path| call.known(path)).collect();
    Ok(Val::new(
        Data::Seq(overgrant_value::Seq {
            kind: overgrant_value::SeqKind::Set,
            elem: overgrant_value::Ty::String,
            items,
        }),
        call.src(),
    ))
}
