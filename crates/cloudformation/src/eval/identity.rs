//! What `Ref` and `Fn::GetAtt` give: parameters, pseudo parameters, resources, nested outputs.
//!
//! Not for the identity of types, which the model's table knows for both formats. Invariant: a
//! reference to a resource equals every other spelling of the same identity in the same root.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/pseudo-parameter-reference.html>

use super::conditions::subject_of;
use super::parameters::Parameter;
use super::{Evaluator, Position};
use overgrant_ir::identity;
use overgrant_source::{Level, Span};
use overgrant_value::{Guard, Hole, Lit, Piece, Relation, Seg, Shape, Src, Sym, Text, Ty, Val};
use smol_str::SmolStr;
use std::sync::Arc;

/// Prefix of the names that loops over unknown collections leave behind; see `expand::foreach`.
pub(crate) const LOOP: &str = "AWS::ForEach::";

/// Names made of names that are followed before a name is a hole.
const MAX_NAMING: usize = 16;

impl Evaluator<'_> {
    /// `Ref`.
    pub(super) fn reference(
        &self,
        name: &str,
        span: Span,
        guard: &Guard,
        position: Position,
    ) -> Val {
        if let Some(val) = self.pseudo(name, span, position) {
            return val;
        }
        if let Some(parameter) = self.parameters.get(name) {
            return self.parameter(name, parameter, span, guard, position);
        }
        if self.sections.resource(name).is_some() {
            if position == Position::Condition {
                self.refuse_resource(name, span);
            }
            return self.attribute(name, "Ref", span);
        }
        if let Some((function, "Alias")) = name.split_once('.')
            && let Some(alias) = self.sections.alias_of(function)
        {
            return self.attribute(&alias, "Ref", span);
        }
        if super::tool::is_variable(name) {
            let sym = Sym::Other {
                what: format!("${{{name}}}").into(),
                at: Some(span),
            };
            return Val::text(Text::hole(sym, Src::at(span)), Src::at(span));
        }
        if !name.contains('.') {
            self.unknown_reference(name, span);
        }
        Val::unknown_of(self.attr(name, "Ref"), Ty::String, Src::at(span))
    }

    fn unknown_reference(&self, name: &str, span: Span) {
        let resources = self.sections.resources.as_ref();
        self.spend(resources.map_or(0, |node| node.entries().len()));
        if self.steps.get() > super::MAX_STEPS || self.sections.may_be_made(name) {
            return;
        }
        let policy_variable = name.contains(':') && !name.contains("::");
        let message = if policy_variable {
            format!(
                "`${{{name}}}` inside Fn::Sub is taken for a reference; write `${{!{name}}}` for the policy variable"
            )
        } else {
            format!("`{name}` is neither a parameter nor a resource of this template; declare it")
        };
        self.tell(Level::Warning, "unknown-reference", span, &message);
    }

    fn pseudo(&self, name: &str, span: Span, position: Position) -> Option<Val> {
        let src = Src::at(span);
        let hole = |sym: Sym| Val::text(Text::hole(sym, src.clone()), src.clone());
        let known = |value: &Option<SmolStr>, sym: Sym| match value {
            Some(value) if position == Position::Condition => Val::str(value, src.clone()),
            _ => hole(sym),
        };
        let val = match name {
            "AWS::NoValue" => Val::null(src.clone()),
            "AWS::AccountId" => known(&self.environment.account, Sym::Account),
            "AWS::Region" => known(&self.environment.region, Sym::Region),
            "AWS::Partition" => hole(Sym::Partition),
            "AWS::URLSuffix" => hole(Sym::UrlSuffix),
            "AWS::StackName" => match &self.environment.stack_name {
                Some(name) if self.prefix.is_empty() => Val::str(name, src.clone()),
                _ => Val::text(word(self.input(name), &src), src.clone()),
            },
            "AWS::StackId" => self.stack_id(span, position),
            "AWS::NotificationARNs" => Val::unknown_of(
                self.input(name),
                Ty::List(Box::new(Ty::String)),
                src.clone(),
            ),
            _ => {
                let item = name.strip_prefix(LOOP)?;
                hole(Sym::Each {
                    root: self.root.clone(),
                    addr: format!("{}Fn::ForEach", self.prefix).into(),
                    what: item.into(),
                })
            }
        };
        Some(val)
    }

    /// The ARN of the stack, of which only the last part is not told by something else.
    fn stack_id(&self, span: Span, position: Position) -> Val {
        let src = Src::at(span);
        let mut text = Text::derived("arn:", span);
        for (name, sign) in [
            ("AWS::Partition", ":cloudformation:"),
            ("AWS::Region", ":"),
            ("AWS::AccountId", ":stack/"),
            ("AWS::StackName", "/"),
        ] {
            let part = self.pseudo(name, span, position);
            text.append(&part.and_then(|val| val.to_text()).unwrap_or_default());
            text.append(&Text::derived(sign, span));
        }
        text.append(&word(self.input("AWS::StackId"), &src));
        Val::text(text, src)
    }

    fn parameter(
        &self,
        name: &str,
        parameter: &Parameter,
        span: Span,
        guard: &Guard,
        position: Position,
    ) -> Val {
        let symbol = self.input(name);
        let subject = subject_of(&symbol);
        let label = format!("parameter {name}");
        if let Some(given) = &parameter.given {
            let defaulted = given.marks().has(overgrant_value::Marks::FROM_DEFAULT);
            if position == Position::Value || !defaulted {
                return parameter.typed(given, name).through(span, label);
            }
        }
        let open = Val::unknown_of(symbol, parameter.ty(), Src::at(span));
        if position == Position::Condition {
            return open;
        }
        let assume = |value: &SmolStr| {
            let literal = Val::str(value, Src::at(parameter.span));
            parameter.typed(&literal, name).through(span, label.clone())
        };
        let said = guard.atoms().iter().find_map(|atom| match &atom.relation {
            Relation::Is(value) if atom.subject == subject => Some(value),
            _ => None,
        });
        if let Some(default) = &parameter.default {
            let agrees = match default.as_str() {
                Some(text) => guard
                    .and(&Guard::atom(subject.clone(), Relation::Is(text)))
                    .is_some(),
                None => true,
            };
            if agrees {
                return parameter
                    .typed(default, name)
                    .through(span, format!("default of parameter {name}"));
            }
        }
        if let Some(value) = said {
            return assume(value);
        }
        if parameter.allowed.is_empty() || parameter.list || parameter.ssm {
            return open;
        }
        let alternatives = parameter
            .allowed
            .iter()
            .map(|value| {
                (
                    Guard::atom(subject.clone(), Relation::Is(value.clone())),
                    value,
                )
            })
            .filter(|(alternative, _)| guard.and(alternative).is_some())
            .map(|(alternative, value)| (alternative, assume(value)))
            .collect();
        let val = Val::one_of(alternatives, "a parameter with many values", Src::at(span));
        if val.is_unknown() { open } else { val }
    }

    /// `Fn::GetAtt` of a resource, and `Ref` with the attribute `Ref`.
    pub(super) fn attribute(&self, id: &str, attribute: &str, span: Span) -> Val {
        if let Some(output) = attribute.strip_prefix("Outputs.") {
            return self.nested_output(id, output, span);
        }
        if attribute == "Alias"
            && let Some(alias) = self.sections.alias_of(id)
        {
            return self.attribute(&alias, "Ref", span);
        }
        if self.sections.resource(id).is_none() && !id.contains('.') {
            self.unknown_reference(id, span);
        }
        let label = if attribute == "Ref" {
            format!("Ref {id}")
        } else {
            format!("{id}.{attribute}")
        };
        match self.known_identity(id, attribute) {
            Some(val) => placed(&val, span, &label),
            None => {
                let sym = self.attr(id, attribute);
                Val::text(Text::hole(sym, Src::at(span)), Src::at(span))
            }
        }
    }

    fn nested_output(&self, id: &str, output: &str, span: Span) -> Val {
        match self.nested.get(id).and_then(|outputs| outputs.get(output)) {
            Some(val) => val.through(span, format!("output {output} of {id}")),
            None => {
                let sym = Sym::Output {
                    root: self.root.clone(),
                    module: self.address(id),
                    name: output.into(),
                };
                Val::unknown(sym, Src::at(span))
            }
        }
    }

    /// The identity of a resource by the table, without places of its uses.
    fn known_identity(&self, id: &str, attribute: &str) -> Option<Val> {
        let key = (SmolStr::from(id), SmolStr::from(attribute));
        if let Some(known) = self.identities.borrow().get(&key) {
            return known.clone();
        }
        let naming = self.naming.get();
        if naming >= MAX_NAMING {
            return None;
        }
        // While it is being worked out, the resource's name is a hole.
        self.identities.borrow_mut().insert(key.clone(), None);
        self.naming.set(naming + 1);
        let val = self.identify(id, attribute);
        self.naming.set(naming);
        self.identities.borrow_mut().insert(key, val.clone());
        val
    }

    fn identify(&self, id: &str, attribute: &str) -> Option<Val> {
        let node = self.sections.resource(id)?;
        let kind = node.get("Type")?.text()?;
        let row = identity::row(kind).filter(|_| identity::knows(kind, attribute))?;
        let guard = node
            .get("Condition")
            .and_then(|name| self.condition(name.text()?))
            .and_then(|truth| truth.holds)
            .unwrap_or_default();
        let argument = |name: &str| match node.get("Properties").and_then(|p| p.get(name)) {
            Some(node) => self.value(node, &guard),
            None => Val::null(Src::none()),
        };
        let arguments = [argument(row.name.1), argument("Path")];
        let address = self.address(id);
        let make = |vals: &[Val]| {
            let text = |name: &str| {
                let val = if name == "Path" {
                    vals.get(1)
                } else {
                    vals.first()
                };
                val?.to_text()
            };
            identity::attribute(kind, attribute, &self.root, &address, &text)
                .map(|text| Val::text(shaped(&text, kind), Src::none()))
        };
        make(&arguments)?;
        let result = self.combine(&arguments, node.span, |vals| {
            make(vals).unwrap_or_else(|| Val::null(Src::none()))
        });
        (!result.is_unknown()).then_some(result)
    }
}

/// A hole without any sign that divides names.
fn word(sym: Sym, src: &Src) -> Text {
    Text::from(Piece::Hole(Arc::new(Hole {
        sym,
        shape: Shape::WORD,
        src: src.clone(),
    })))
}

/// The text with what is known of the names of such resources: most kinds allow no slash in them.
fn shaped(text: &Text, kind: &str) -> Text {
    const WITH_SLASHES: [&str; 4] = [
        "AWS::Logs::LogGroup",
        "AWS::SecretsManager::Secret",
        "AWS::SSM::Parameter",
        "AWS::ECR::Repository",
    ];
    if WITH_SLASHES.contains(&kind) {
        return text.clone();
    }
    let named = |hole: &Hole| match &hole.sym {
        Sym::Attr { path, .. } => matches!(path.as_str(), "name" | "StreamArn"),
        _ => false,
    };
    text.pieces()
        .iter()
        .map(|piece| match piece {
            Piece::Hole(hole) if named(hole) => {
                let mut hole = Arc::clone(hole);
                let own = Arc::make_mut(&mut hole);
                own.shape = own.shape.with(Shape::NO_SLASH);
                Piece::Hole(hole)
            }
            other => other.clone(),
        })
        .collect()
}

/// The value as used at `span`: parts without a place get this one, parts that stand elsewhere get
/// the use as a hop.
fn placed(val: &Val, span: Span, label: &str) -> Val {
    let alternatives = val
        .alternatives()
        .into_iter()
        .map(|(guard, val)| {
            let text = val.to_text().unwrap_or_default();
            (
                guard,
                Val::text(placed_text(&text, span, label), Src::at(span)),
            )
        })
        .collect();
    Val::one_of(alternatives, "a name with many values", Src::at(span))
}

fn placed_text(text: &Text, span: Span, label: &str) -> Text {
    let here = Src::at(span).through(span, label);
    let mut all = Text::empty();
    for piece in text.pieces() {
        match piece {
            Piece::Lit(lit) if lit.segs().next().is_none() => {
                let len = u32::try_from(lit.as_str().len()).unwrap_or(u32::MAX);
                let seg = Seg {
                    at: 0,
                    len,
                    span,
                    exact: false,
                };
                all.push(Piece::Lit(Lit::new(lit.as_str(), [seg])));
            }
            Piece::Hole(hole) if hole.src.span.is_none() => {
                let mut hole = (**hole).clone();
                // No physical name holds a colon or a wildcard, so that ARNs can be split.
                if matches!(&hole.sym, Sym::Attr { path, .. } if path == "name") {
                    hole.shape = hole
                        .shape
                        .with(Shape::NO_COLON)
                        .with(Shape::NO_WILDCARD)
                        .with(Shape::NOT_EMPTY);
                }
                hole.src = Src::at(span);
                all.push(Piece::Hole(Arc::new(hole)));
            }
            other => all.append(&Text::from(other.clone()).under(&here)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::testing::{one, property};

    #[test]
    fn unknown_references_are_told_where_nothing_can_make_them() {
        let body = "Resources: {X: {Type: AWS::SNS::Topic, Properties: {V: !Ref XStage}}}";
        let codes = |text: &str| {
            one(text)
                .diagnostics
                .iter()
                .map(|d| d.code)
                .collect::<Vec<_>>()
        };
        assert_eq!(codes(body), ["unknown-reference"]);
        assert!(codes(&format!("Transform: AWS::Serverless-2016-10-31\n{body}")).is_empty());
        assert!(codes(&format!("Modules: {{}}\n{body}")).is_empty());
    }

    #[test]
    fn a_policy_variable_in_sub_is_told_with_its_remedy() {
        let found =
            one("Resources: {X: {Type: AWS::SNS::Topic, Properties: {V: !Sub '${aws:username}'}}}");
        assert!(found.diagnostics[0].message.contains("${!aws:username}"));
    }

    #[test]
    fn parameters_have_types() {
        let value = |parameter: &str| {
            property(&format!(
                "Parameters: {{P: {parameter}}}\nResources: {{X: {{Type: AWS::SNS::Topic, Properties: {{V: !Ref P}}}}}}"
            ))
        };
        assert_eq!(value("{Type: Number, Default: 5}"), "\"5\"");
        assert_eq!(
            value("{Type: 'List<Number>', Default: '1, 2'}"),
            r#"["1","2"]"#
        );
        assert!(
            value("{Type: 'AWS::SSM::Parameter::Value<String>', Default: /a/b}")
                .contains("resolve:ssm:/a/b")
        );
        let both = value("{Type: String, AllowedValues: [a, b]}");
        assert!(both.contains('a') && both.contains('b'), "{both}");
        assert!(value("{Type: String}").contains('P'));
    }

    #[test]
    fn an_account_id_keeps_its_digits() {
        assert_eq!(
            property(
                "Resources: {X: {Type: AWS::SNS::Topic, Properties: {V: [012345678901, 123456789012, 2012-10-17]}}}"
            ),
            r#"["012345678901",123456789012,"2012-10-17"]"#
        );
    }
}
