//! Steps from a value: `.name`, `[key]`, `.0`, `.*` and `[*]`.
//!
//! Invariant: a step into a resource, data source or module evaluates that one attribute.

use super::access::{self, Elements};
use super::expr::{Eval, at, fail};
use super::instance::Evaluator;
use super::scope::Scope;
use super::types::type_of;
use crate::syntax::tree::{Step, StepKind};
use overgrant_source::Span;
use overgrant_value::{Data, Marks, Num, Seq, SeqKind, Src, Ty, Val};

impl Evaluator<'_> {
    /// Takes steps from a value.
    pub(crate) fn steps(&self, scope: &Scope, mut val: Val, steps: &[Step]) -> Eval {
        let mut rest = steps;
        while let Some((step, after)) = rest.split_first() {
            let here = step.span;
            val = match &step.kind {
                StepKind::Attr(name) => self.attribute(&val, name, here)?,
                StepKind::LegacyIndex(at) => {
                    let index = Val::new(
                        Data::Num(Num::parse(at).unwrap_or(Num::int(0))),
                        Src::at(here),
                    );
                    self.index(&val, &index, here)?
                }
                StepKind::Index(expr) => {
                    let index = self.expr(scope, expr)?;
                    self.index(&val, &index, here)?
                }
                StepKind::FullSplat => return self.splat(scope, &val, after, here),
                StepKind::AttrSplat => {
                    let within = after
                        .iter()
                        .take_while(|step| {
                            matches!(step.kind, StepKind::Attr(_) | StepKind::LegacyIndex(_))
                        })
                        .count();
                    let (inner, outer) = after.split_at_checked(within).unwrap_or((after, &[]));
                    let all = self.splat(scope, &val, inner, here)?;
                    return self.steps(scope, all, outer);
                }
            };
            rest = after;
        }
        Ok(val)
    }

    /// `val.name`.
    pub(crate) fn attribute(&self, val: &Val, name: &str, span: Span) -> Eval {
        self.spread(std::slice::from_ref(val), |vals| match vals {
            [val] => match self.resolve(val, name, span) {
                Some(result) => result,
                None => at(access::attribute(val, name), span),
            },
            _ => fail("a step from nothing", span),
        })
    }

    /// `val[key]`.
    pub(crate) fn index(&self, val: &Val, key: &Val, span: Span) -> Eval {
        self.spread(&[val.clone(), key.clone()], |vals| match vals {
            [val, key] => {
                if let Some(name) = super::text::of(key)
                    && val.is_unknown()
                    && let Some(result) = self.resolve(val, &name, span)
                {
                    return result;
                }
                at(access::index(val, key), span)
            }
            _ => fail("a step from nothing", span),
        })
    }

    fn splat(&self, scope: &Scope, val: &Val, steps: &[Step], span: Span) -> Eval {
        self.spread(std::slice::from_ref(val), |vals| {
            let [val] = vals else {
                return fail("a splat of nothing", span);
            };
            let src = val.src().with_span(Some(span));
            match val.data() {
                Data::Null(_) => Ok(Val::tuple(Vec::new(), src)),
                Data::Seq(seq) => {
                    let mut items = Vec::with_capacity(seq.items.len());
                    for item in &seq.items {
                        items.push(self.steps(scope, item.under(val), steps)?);
                    }
                    let kind = if seq.kind == SeqKind::Tuple {
                        SeqKind::Tuple
                    } else {
                        SeqKind::List
                    };
                    let elem = if kind == SeqKind::Tuple {
                        Ty::Dyn
                    } else {
                        items
                            .first()
                            .map(type_of)
                            .unwrap_or_else(|| splat_type(&seq.elem, steps))
                    };
                    Ok(Val::new(Data::Seq(Seq { kind, elem, items }), src).marked(val.marks()))
                }
                Data::Unknown(unknown) => {
                    let listed = matches!(unknown.ty, Ty::List(_) | Ty::Set(_) | Ty::Tuple(_));
                    if !listed
                        && (self.is_object(val)
                            || matches!(
                                unknown.ty,
                                Ty::Object(_) | Ty::Map(_) | Ty::String | Ty::Number | Ty::Bool
                            ))
                    {
                        return Ok(Val::tuple(
                            vec![self.steps(scope, val.clone(), steps)?],
                            src,
                        ));
                    }
                    let item = match access::elements(val) {
                        Ok(Elements::Open(mut rounds)) => rounds.pop().map(|(_, item)| item),
                        _ => None,
                    };
                    let item = item.unwrap_or_else(|| val.clone());
                    let item = self.steps(scope, item.marked(Marks::MAYBE), steps)?;
                    Ok(Val::tuple(vec![item], src).marked(Marks::MAYBE))
                }
                _ => Ok(Val::tuple(
                    vec![self.steps(scope, val.clone(), steps)?],
                    src,
                )),
            }
        })
    }
}

fn splat_type(elem: &Ty, steps: &[Step]) -> Ty {
    let mut ty = elem.clone();
    for step in steps {
        ty = match (&ty, &step.kind) {
            (Ty::Object(fields), StepKind::Attr(name)) => fields
                .iter()
                .find(|field| field.name == *name)
                .map(|field| field.ty.clone())
                .unwrap_or_default(),
            (Ty::Map(inner) | Ty::List(inner), _) => (**inner).clone(),
            _ => Ty::Dyn,
        };
    }
    ty
}
