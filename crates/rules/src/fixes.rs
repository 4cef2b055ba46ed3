//! Mechanical fixes in the words of rules.
//!
//! Not for how they are written in a format. Invariant: a literal is replaced only where it stands in
//! the policy itself or in a policy document of Terraform; one that comes through a variable or local may
//! have other readers.

use crate::Settings;
use overgrant_catalog::Action;
use overgrant_finding::{Edit, Fix};
use overgrant_policy::{Condition, Document, Operator, Statement};
use overgrant_value::{Hop, Src};

/// Whether what stands at a place is part of the policy, which only documents of Terraform lead to.
fn is_written_here(src: &Src) -> bool {
    let document = |hop: &Hop| hop.label.starts_with("data.aws_iam_policy_document.");
    src.hops().iter().all(document)
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

/// Values behind those that an element lists, which all stand in the statement itself.
pub(crate) fn add(beside: &Src, values: impl IntoIterator<Item = String>) -> Option<Edit> {
    let beside = beside.span.filter(|_| is_written_here(beside))?;
    Some(Edit::AddItems {
        beside,
        values: values.into_iter().collect(),
    })
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
    let place = document
        .src
        .span
        .filter(|_| is_written_here(&document.src))?;
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let edit = Edit::AppendStatement {
        document: place,
        elements: vec![
            ("Effect", texts(&["Deny"])),
            ("Action", texts(actions)),
            ("Resource", texts(&[resource])),
        ],
    };
    let names = actions.join("`, `");
    Some(changing(format!("Deny `{names}`"), [edit]))
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
