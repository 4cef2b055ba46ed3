//! Single expressions and the outputs of a root, as `terraform console` and `terraform output` give
//! them.
//!
//! For comparisons with Terraform; not part of a check. Invariant: an answer has a JSON text only
//! where every part is known.

use crate::config::Loader;
use crate::eval::text::write;
use crate::eval::types::type_of;
use crate::eval::{Evaluator, Scope};
use crate::functions::plain;
use crate::syntax::parse_file;
use crate::{Options, roots};
use overgrant_source::{Level, Sources};
use overgrant_value::{Data, Map, Text, Ty, Val, json};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What an expression came to.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The value.
    pub val: Val,
    /// Its JSON as `jsonencode` writes it; `None` where a part is not known.
    pub json: Option<String>,
    /// Its type in the notation of `terraform output -json`.
    pub ty: String,
}

/// The answer that a value is.
#[must_use]
pub fn answer(val: &Val) -> Answer {
    let mut text = String::new();
    Answer {
        json: write(val, &mut text).map(|()| text),
        ty: notation(&type_of(val)),
        val: val.clone(),
    }
}

/// A JSON text as `jsondecode` reads it, if it is one and its numbers have at most 38 digits.
#[must_use]
pub fn decoded(text: &str) -> Option<Val> {
    json::parse(&Text::known(text)).ok().map(|val| plain(&val))
}

/// A type in the notation of `terraform output -json`.
#[must_use]
pub fn notation(ty: &Ty) -> String {
    let list = |of: &[Ty]| of.iter().map(notation).collect::<Vec<_>>().join(",");
    match ty {
        Ty::Dyn => "\"dynamic\"".into(),
        Ty::Bool => "\"bool\"".into(),
        Ty::Number => "\"number\"".into(),
        Ty::String => "\"string\"".into(),
        Ty::List(of) => format!("[\"list\",{}]", notation(of)),
        Ty::Set(of) => format!("[\"set\",{}]", notation(of)),
        Ty::Map(of) => format!("[\"map\",{}]", notation(of)),
        Ty::Tuple(of) => format!("[\"tuple\",[{}]]", list(of)),
        Ty::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("\"{}\":{}", field.name, notation(&field.ty)))
                .collect();
            format!("[\"object\",{{{}}}]", fields.join(","))
        }
    }
}

/// Evaluates expressions (name, text) in the module at the base of `sources`, in order.
///
/// An answer is an error where Terraform would refuse the expression, in words.
#[must_use]
pub fn expressions(sources: &Sources, cases: &[(String, String)]) -> Vec<Result<Answer, String>> {
    let loader = Loader::new(sources);
    let evaluator = Evaluator::new(&loader, "", BTreeMap::new(), BTreeMap::new());
    let root = evaluator.root_instance();
    let scope = Scope::of(&root);
    let one = |(name, text): &(String, String)| {
        let file = sources.add(&format!("{name}.tf"), &format!("x = {text}\n"));
        let parsed = parse_file(&file);
        if let Some(problem) = parsed.diagnostics.first() {
            return Err(problem.message.clone());
        }
        let Some(attr) = parsed.body.attributes.first() else {
            return Err("no expression".to_owned());
        };
        let val = evaluator
            .expr(&scope, &attr.value)
            .map_err(|fail| fail.message)?;
        let reported = evaluator.take_diagnostics();
        let refused = |code: &str| matches!(code, "unknown-function" | "terraform-evaluation");
        if let Some(problem) = reported.iter().find(|one| refused(one.code)) {
            return Err(problem.message.clone());
        }
        let val = match evaluator.is_object(&val) {
            true => Val::unknown_because("a resource as a whole", None),
            false => val,
        };
        Ok(answer(&val))
    };
    cases.iter().map(one).collect()
}

/// The outputs of the root module at the base of `sources`, and what is wrong with the root.
#[must_use]
pub fn outputs(
    sources: &Sources,
    options: &Options,
) -> (BTreeMap<SmolStr, Result<Answer, String>>, Vec<String>) {
    let loader = Loader::new(sources);
    let module = loader.module("");
    let mut problems = Vec::new();
    let given = roots::given(sources, &module, options, &mut problems);
    let evaluator = Evaluator::new(&loader, "", given, roots::installed(sources, ""));
    let root = evaluator.root_instance();
    let mut outputs = BTreeMap::new();
    for (name, block) in &root.module.outputs {
        let val = evaluator.output(&root, name, block.header);
        let val = val
            .map(|val| answer(&whole(&evaluator, &val)))
            .map_err(|fail| fail.message);
        outputs.insert(name.clone(), val);
    }
    problems.extend(roots::evaluated(&evaluator, Vec::new()).diagnostics);
    for module in loader.all() {
        problems.extend(module.diagnostics.iter().cloned());
    }
    let problems = problems
        .into_iter()
        .filter(|problem| problem.level != Level::Note)
        .map(|problem| problem.message)
        .collect();
    (outputs, problems)
}

/// A value with every module in it as an object of its outputs.
fn whole(evaluator: &Evaluator<'_>, val: &Val) -> Val {
    let val = evaluator.materialise(val);
    let data = match val.data() {
        Data::Seq(seq) => {
            let mut seq = seq.clone();
            for item in &mut seq.items {
                *item = whole(evaluator, item);
            }
            Data::Seq(seq)
        }
        Data::Map(map) => {
            let mut map = Map::clone(map);
            for entry in &mut map.entries {
                entry.val = whole(evaluator, &entry.val);
            }
            Data::Map(map)
        }
        _ => return val,
    };
    Val::new(data, val.src().clone())
}
