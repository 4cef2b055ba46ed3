//! Mechanical fixes in the words of rules.
//!
//! Not for how they are written in a format. Invariant: a literal is replaced only where it stands in
//! the policy itself or in a policy document of Terraform; one that comes through a variable or local may
//! have other readers.

use crate::Settings;
use overgrant_catalog::Action;
use overgrant_finding::{Edit, Fix};
use overgrant_policy::{Condition, Document, Operator, ResourcePattern, Statement, Version};
use overgrant_source::{Draft, Span, Word};
use overgrant_value::{Hop, Src};

/// Whether what stands at a place is part of the policy, which only documents of Terraform lead to.
fn is_written_here(src: &Src) -> bool {
    src.hops().iter().all(is_document)
}

fn is_document(hop: &Hop) -> bool {
    hop.label.starts_with("data.aws_iam_policy_document.")
}

/// Where a value stands in the policy itself: a literal, or the ARN of a resource of Terraform. What a
/// variable or local gives may be one of several.
fn beside(src: &Src) -> Option<Span> {
    let hops = src.hops();
    match hops.split_first() {
        Some((first, rest)) if !is_document(first) => {
            let arn = first.label.ends_with(".arn") && first.label.contains("aws_");
            (arn && rest.iter().all(is_document)).then_some(first.span)
        }
        _ => src.span.filter(|_| is_written_here(src)),
    }
}

/// `to` in the place of the literal `from` at `src`.
pub(crate) fn replace(src: &Src, from: &str, to: &str) -> Option<Edit> {
    let span = src.span.filter(|_| is_written_here(src))?;
    Some(Edit::Replace {
        span,
        from: from.to_owned(),
        to: to.to_owned(),
    })
}

/// A fix that neither grants anything nor takes away access that is used.
pub(crate) fn safe(title: impl Into<String>, edits: impl IntoIterator<Item = Edit>) -> Fix {
    Fix {
        title: title.into(),
        safe: true,
        edits: edits.into_iter().collect(),
    }
}

/// A fix that changes who may do what, or what a running system needs.
pub(crate) fn changing(title: impl Into<String>, edits: impl IntoIterator<Item = Edit>) -> Fix {
    Fix {
        safe: false,
        ..safe(title, edits)
    }
}

/// Another operator for a condition; none where the operator has more keys, or the other one stands in
/// the statement already.
pub(crate) fn operator(statement: &Statement, condition: &Condition, to: &str) -> Option<Edit> {
    let mut others = statement
        .conditions
        .items
        .iter()
        .filter(|other| !std::ptr::eq(*other, condition));
    let free = others.all(|other| {
        other.operator_src.span != condition.operator_src.span
            && !other.operator.name.eq_ignore_ascii_case(to)
    });
    if !free {
        return None;
    }
    replace(&condition.operator_src, &condition.operator.name, to)
}

/// The comparison of an operator, without set operator and `IfExists`.
pub(crate) fn bare(operator: &Operator) -> &str {
    let name = operator.name.as_str();
    let name = name.split_once(':').map_or(name, |(_, test)| test);
    let end = name.len().saturating_sub("IfExists".len());
    match name.split_at_checked(end) {
        Some((test, end)) if end.eq_ignore_ascii_case("IfExists") => test,
        _ => name,
    }
}

/// A further condition of a statement.
pub(crate) fn condition(
    statement: &Statement,
    operator: &str,
    key: &str,
    value: &str,
) -> Option<Edit> {
    let place = statement
        .src
        .span
        .filter(|_| is_written_here(&statement.src))?;
    Some(Edit::AddCondition {
        statement: place,
        operator: operator.to_owned(),
        key: key.to_owned(),
        values: vec![value.to_owned()],
    })
}

/// Other words in the place of a part of the literal at `src`, wherever it stands in it.
pub(crate) fn replace_part(src: &Src, from: &str, to: &str) -> Option<Edit> {
    Some(Edit::ReplacePart {
        span: src.span.filter(|_| is_written_here(src))?,
        from: from.to_owned(),
        to: to.to_owned(),
    })
}

/// Values behind those that an element lists, which all stand in the statement itself.
pub(crate) fn add(last: &Src, values: impl IntoIterator<Item = impl Into<Word>>) -> Option<Edit> {
    Some(Edit::AddItems {
        beside: beside(last)?,
        values: values.into_iter().map(Into::into).collect(),
    })
}

/// Values in the place of one that an element lists.
pub(crate) fn instead(item: &Src, values: Vec<String>) -> Option<Edit> {
    let item = item.span.filter(|_| is_written_here(item))?;
    Some(Edit::ReplaceItem { item, values })
}

/// `NotAction` in the place of `Action`.
pub(crate) fn negate(key: &Src) -> Option<Edit> {
    let key = key.span.filter(|_| is_written_here(key))?;
    Some(Edit::NegateElement { key })
}

/// The same actions in a Deny that lists some already; none where it lists what it spares.
pub(crate) fn deny_too(deny: &Statement, actions: &[Action<'_>]) -> Option<Fix> {
    let listed = deny.actions.listed();
    let last = listed.items.last().filter(|_| !listed.negated)?;
    let edit = add(
        last.pattern().src(),
        actions.iter().map(ToString::to_string),
    )?;
    Some(changing("Deny these actions too", [edit]))
}

/// A further Deny of a document for these actions on a resource.
pub(crate) fn deny(document: &Document, actions: &[&str], resource: &str) -> Option<Fix> {
    let draft = denial(actions, vec![resource.into()], None);
    let names = actions.join("`, `");
    Some(changing(
        format!("Deny `{names}`"),
        [append(document, draft)?],
    ))
}

/// A Deny of actions on resources, perhaps under a condition.
pub(crate) fn denial(
    actions: &[&str],
    resources: Vec<Word>,
    condition: Option<(&'static str, &'static str, &'static str)>,
) -> Draft {
    Draft {
        elements: vec![
            ("Effect", vec!["Deny".into()]),
            (
                "Action",
                actions.iter().map(|action| (*action).into()).collect(),
            ),
            ("Resource", resources),
        ],
        condition,
    }
}

/// A statement behind the others of a document.
pub(crate) fn append(document: &Document, draft: Draft) -> Option<Edit> {
    let place = document
        .src
        .span
        .filter(|_| is_written_here(&document.src))?;
    Some(Edit::AppendStatement {
        document: place,
        draft,
    })
}

/// The version of 2012 for a document of an older one or without any, and of no other.
pub(crate) fn current_version(document: &Document) -> Option<Edit> {
    match (&document.version, &document.version_src) {
        (Version::V2008, Some(src)) => replace(src, "2008-10-17", "2012-10-17"),
        (Version::Missing, _) => Some(Edit::AddElement {
            document: document
                .src
                .span
                .filter(|_| is_written_here(&document.src))?,
            name: "Version",
            value: "2012-10-17",
        }),
        _ => None,
    }
}

/// The bucket (`objects` is false) or all its objects, in the words of a resource of the bucket.
pub(crate) fn of_bucket(resource: &ResourcePattern, objects: bool) -> Option<Word> {
    Some(Word::Like {
        place: beside(resource.pattern().src())?,
        end: resource.below_bucket()?,
        to: if objects { "/*" } else { "" }.to_owned(),
    })
}

/// The own user in the place of `*`; none where an action of the statement acts on something else.
pub(crate) fn own_user(statement: &Statement) -> Option<Fix> {
    let star = statement.resources.star()?;
    let granted = statement.actions.must();
    let on_users = |action: Action<'_>| {
        let mut types = action
            .resources()
            .filter_map(|resource| resource.resource_type());
        action.service().prefix() == "iam" && types.any(|kind| kind.name() == "user")
    };
    let fits = !granted.is_empty()
        && granted == statement.actions.may()
        && granted.actions().all(on_users);
    let own = "arn:aws:iam::*:user/${aws:username}";
    let edit = replace(star.pattern().src(), "*", own).filter(|_| fits)?;
    Some(changing("Limit it to the own user", [edit]))
}

/// The condition that a service acts for the user's account; none where the statement is for others
/// than services, or where it is not known which account that is.
pub(crate) fn own_account(settings: &Settings, statement: &Statement) -> Option<Fix> {
    let [account] = settings.own_accounts.as_slice() else {
        return None;
    };
    let mut principals = statement.principals.iter();
    if principals.any(|principal| principal.service().is_none()) {
        return None;
    }
    let edit = condition(statement, "StringEquals", "aws:SourceAccount", account)?;
    Some(changing("Accept calls for your account only", [edit]))
}

/// The argument or property at `path` of the resource at `header`, which has none there yet.
pub(crate) fn set(header: &Src, path: &str, value: &str) -> Option<Edit> {
    Some(Edit::SetAttribute {
        block: header.span?,
        path: path.to_owned(),
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_lose_what_stands_around_the_comparison() {
        for (name, wanted) in [
            ("BoolIfExists", "Bool"),
            ("ForAllValues:StringLikeIfExists", "StringLike"),
            ("ForAnyValue:StringEquals", "StringEquals"),
            ("boolifexists", "bool"),
            ("IfExists", ""),
            ("Null", "Null"),
        ] {
            assert_eq!(bare(&Operator::parse(name)), wanted);
        }
    }
}
