//! The Allow statements of identity policies with whom they reach: what rules about grants walk.
//!
//! Not for effective access, which the `access` crate answers. Invariant: documents that are used
//! only as a permissions boundary are left out, since those grant nothing.

use crate::context::Report;
use crate::{Context, boundaries, names};
use overgrant_access::{Attached, AttachedSource, Boundary, How};
use overgrant_catalog::{AccessLevel, Action};
use overgrant_ir::{Identity, IdentityId, PolicyDocument};
use overgrant_policy::{ActionSet, Answer, Effect, Pattern, ResourcePattern, Statement};
use overgrant_value::Src;
use std::rc::Rc;

/// One Allow statement of an identity policy.
pub(crate) struct Grant<'a> {
    /// The document with the resource that holds it.
    pub(crate) document: &'a PolicyDocument,
    /// The statement.
    pub(crate) statement: &'a Statement,
    /// The identities it is attached to, with the place of the link.
    pub(crate) holders: Vec<Holder<'a>>,
    /// What Denies and boundaries leave to some holder, where there are any.
    left: Option<Rc<ActionSet>>,
}

/// An identity that a document is attached to.
#[derive(Clone)]
pub(crate) struct Holder<'a> {
    /// Its id.
    pub(crate) id: IdentityId,
    /// The identity.
    pub(crate) identity: &'a Identity,
    /// Where the link stands.
    pub(crate) link: Src,
}

/// All grants of the model, in its order.
pub(crate) fn grants<'a>(cx: &Context<'a>) -> Vec<Grant<'a>> {
    let mut grants = Vec::new();
    let demanded = boundaries::demanded(cx);
    for (id, document) in cx.access.identity_documents() {
        let holders: Vec<Holder<'a>> = cx
            .access
            .uses(id)
            .iter()
            .filter(|one| one.how == How::Policy)
            .filter_map(|one| {
                Some(Holder {
                    id: one.identity,
                    identity: cx.model.identity(one.identity)?,
                    link: one.src.clone(),
                })
            })
            .collect();
        if holders.is_empty() && boundaries::is_unheld_boundary(cx, &demanded, id) {
            continue;
        }
        let left = left(cx, document, &holders).map(Rc::new);
        for statement in document.document.allows() {
            grants.push(Grant {
                document,
                statement,
                holders: holders.clone(),
                left: left.clone(),
            });
        }
    }
    grants
}

/// What Denies and boundaries leave of a document's grants: to any of its holders, or by its own
/// Denies where nobody holds it. `None` where nothing is taken away.
fn left(cx: &Context<'_>, document: &PolicyDocument, holders: &[Holder<'_>]) -> Option<ActionSet> {
    if holders.is_empty() {
        let mut own = document
            .document
            .statements
            .iter()
            .filter(|statement| {
                statement.effect == Effect::Deny
                    && statement.is_certain()
                    && statement.conditions.is_empty()
            })
            .map(denied_everywhere)
            .filter(|denied| !denied.is_empty())
            .peekable();
        own.peek()?;
        return Some(own.fold(ActionSet::all(), |left, denied| left.difference(&denied)));
    }
    let is_free = |holder: &Holder<'_>| {
        matches!(
            cx.access.boundary(holder.id),
            Boundary::None | Boundary::Unresolved(_)
        ) && !cx.access.policies(holder.id).iter().any(|attached| {
            let statements = &attached.document.statements;
            statements.iter().any(|one| one.effect == Effect::Deny)
        })
    };
    if holders.iter().any(is_free) {
        return None;
    }
    let of = |holder: &Holder<'_>| {
        let granted = cx.access.actions_on_something(holder.id);
        let left = granted.intersection(&cx.access.actions_in_boundary(holder.id));
        let policies = cx.access.policies(holder.id);
        let denies = policies
            .iter()
            .flat_map(|attached| &attached.document.statements)
            .filter(|one| {
                one.effect == Effect::Deny && one.is_certain() && one.conditions.is_empty()
            });
        denies.fold(left, |left, deny| left.difference(&denied_everywhere(deny)))
    };
    Some(
        holders
            .iter()
            .fold(ActionSet::empty(), |all, holder| all.union(&of(holder))),
    )
}

/// The actions of a Deny that it takes away on all that they act on.
fn denied_everywhere(deny: &Statement) -> ActionSet {
    let denied = deny.actions.must();
    if deny.resources.covers_all() == Answer::Must {
        return denied;
    }
    denied
        .actions()
        .filter(|action| {
            action.resources().count() == 1
                && deny.resources.star_for(action.id()).all() == Answer::Must
        })
        .map(|action| action.id())
        .collect()
}

impl Grant<'_> {
    /// ``role `ci` may`` where there is one holder, else ``policy `p` lets its holder``.
    pub(crate) fn subject(&self) -> String {
        match self.holders.as_slice() {
            [one] => format!("{} may", names::identity(one.identity)),
            _ => format!("{} lets its holder", names::document(self.document)),
        }
    }

    /// The actions that the statement surely lists and that no Deny or boundary takes away.
    pub(crate) fn granted(&self) -> ActionSet {
        let listed = self.statement.actions.must();
        match &self.left {
            Some(left) => listed.intersection(left),
            None => listed,
        }
    }

    /// Whether the statement surely covers a whole resource type of the action, which no Deny or
    /// boundary takes away.
    pub(crate) fn wide(&self, action: Action<'_>) -> Option<Wide> {
        if self.leaves(action) {
            wide(self.statement, action)
        } else {
            None
        }
    }

    /// Whether Denies and boundaries leave the action to some holder.
    pub(crate) fn leaves(&self, action: Action<'_>) -> bool {
        let left = self.left.as_ref();
        left.is_none_or(|left| left.contains(action.id()))
    }

    /// How a message says on what the statement is, for what is that wide.
    pub(crate) fn extent(&self, wide: Wide) -> &'static str {
        match (wide, self.statement.resources.listed().negated) {
            (Wide::Account, false) => "on every resource",
            (Wide::Account, true) => "on every resource but those it leaves out",
            (Wide::Region, _) => "on every resource of a region",
        }
    }

    /// Whether a condition surely or perhaps narrows the statement.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.statement.conditions.narrows().possible()
    }

    /// The resource member that makes the statement wide for an action: `*` itself, else a member
    /// that covers the type alone, else the whole list.
    pub(crate) fn wide_src(&self, action: Action<'_>) -> Src {
        let resources = &self.statement.resources;
        let listed = resources.listed();
        if listed.negated {
            return listed.key_src.clone();
        }
        if let Some(star) = resources.star() {
            return star.pattern().src().clone();
        }
        listed
            .items
            .iter()
            .find(|item| item.pattern().has_wildcard() && item.suits(action.id()))
            .map_or_else(|| listed.src.clone(), |item| open_part(item.pattern()))
    }

    /// Where the action is granted: the pattern, or the key of `NotAction`.
    pub(crate) fn action_src(&self, action: Action<'_>) -> Src {
        let actions = &self.statement.actions;
        actions.pattern_for(&action.to_string()).map_or_else(
            || actions.listed().key_src.clone(),
            |item| item.pattern().src().clone(),
        )
    }

    /// Begins a finding about what the statement lets its holders do: `use … on every resource`.
    pub(crate) fn finding(&self, cx: &Context<'_>, src: &Src, deed: String) -> Report {
        let text = format!("{} {deed}", self.subject());
        let report = cx.finding(&self.document.place, src, text).deed(deed);
        self.describe(report)
    }

    /// Adds what every finding about a grant shows: statement, attachments, principals.
    pub(crate) fn describe(&self, report: Report) -> Report {
        let mut report = report.statement(self.statement);
        for holder in &self.holders {
            let place = &holder.identity.place;
            report = report
                .related(
                    &holder.link,
                    format!("attached to `{}`", place.address),
                    Some(place),
                )
                .principal(place);
        }
        report
    }
}

/// The text of a member, or the text with its wildcard where that stands elsewhere: the default of a
/// variable that is put into an ARN.
fn open_part(pattern: &Pattern) -> Src {
    let whole = pattern.src();
    let within = |src: &Src| match (whole.span, src.span) {
        (Some(whole), Some(part)) => whole.contains(part),
        _ => true,
    };
    pattern
        .wildcard_src()
        .filter(|src| !within(src))
        .unwrap_or_else(|| whole.clone())
}

/// Names up to three actions and counts the rest: `` `a`, `b`, `c` and 4 more``.
pub(crate) fn list_actions(actions: &[Action<'_>]) -> String {
    const SHOWN: usize = 3;
    let mut words = actions
        .iter()
        .take(SHOWN)
        .map(|action| format!("`{action}`"))
        .collect::<Vec<_>>();
    if actions.len() > SHOWN {
        let more = actions.len() - SHOWN;
        return format!("{} and {more} more", words.join(", "));
    }
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} and {last}", words.join(", ")),
        Some(only) => only,
        None => String::new(),
    }
}

/// Whether an action changes something. AWS files some that only look under writes; those of them that
/// get something may hand out credentials.
pub(crate) fn writes(action: Action<'_>) -> bool {
    const LOOKS: [&str; 2] = ["Describe", "List"];
    const OF_PERMISSIONS: [&str; 4] = ["Get", "Search", "Validate", "View"];
    let begins = |verbs: &[&str]| verbs.iter().any(|verb| action.name().starts_with(verb));
    let looks = begins(&LOOKS)
        || action.level() == AccessLevel::PermissionsManagement && begins(&OF_PERMISSIONS);
    action.level() >= AccessLevel::Write && !looks
}

/// Whether sending mail is all that the user may do: SMTP of SES works with a user only. Source:
/// Amazon SES, "Obtaining Amazon SES SMTP credentials".
pub(crate) fn only_sends_mail(cx: &Context<'_>, user: IdentityId) -> bool {
    const SENDS: [&str; 2] = ["SendEmail", "SendRawEmail"];
    let granted = cx.access.actions_on_something(user);
    let readable = cx
        .access
        .policies(user)
        .iter()
        .all(|one| one.source != AttachedSource::Unresolved || is_doubtful(one));
    readable
        && !granted.is_empty()
        && granted
            .actions()
            .all(|action| action.service().prefix() == "ses" && SENDS.contains(&action.name()))
}

/// Whether the attachment may not be there at all: one for each member of a list that is empty by default.
fn is_doubtful(attached: &Attached) -> bool {
    let maybe = attached.place.as_ref().is_some_and(|place| place.maybe);
    maybe || attached.link != Answer::Must
}

/// How wide the resources of a statement are for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wide {
    /// Every resource of the type in one region.
    Region,
    /// Every one in the account.
    Account,
}

/// Whether some member could cover a whole resource type: what [`wide`] asks of each action.
pub(crate) fn may_be_wide(statement: &Statement) -> bool {
    let listed = statement.resources.listed();
    listed.negated
        || listed
            .items
            .iter()
            .any(|item| item.pattern().has_wildcard())
}

/// Whether the statement surely covers a whole resource type of the action.
pub(crate) fn wide(statement: &Statement, action: Action<'_>) -> Option<Wide> {
    let resources = &statement.resources;
    let listed = resources.listed();
    let hopeless = |item: &ResourcePattern| {
        !item.pattern().has_wildcard() || names_another_service(item, action)
    };
    if !listed.negated && listed.items.iter().all(hopeless) {
        return None;
    }
    let star = resources.star_for(action.id());
    if star.all() == Answer::Must {
        Some(Wide::Account)
    } else if star.regional() == Answer::Must {
        Some(Wide::Region)
    } else {
        None
    }
}

/// Whether the member is an ARN of a service that no resource type of the action belongs to.
fn names_another_service(item: &ResourcePattern, action: Action<'_>) -> bool {
    let Some(service) = item.service() else {
        return false;
    };
    !action
        .resources()
        .filter_map(|resource| resource.resource_type())
        .any(|kind| kind.arn_pattern().split(':').nth(2) == Some(service.as_str()))
}

#[cfg(test)]
mod tests {
    use crate::testing::Scene;
    use crate::{Rule, find};

    fn rule(id: &str) -> &'static Rule {
        find(id).unwrap()
    }

    const REWRITE: &str = r#"{\"Effect\":\"Allow\",\"Action\":\"iam:*\",\"Resource\":\"*\"}"#;

    fn role(boundary: &str) -> usize {
        let policy = |statements: &str| format!(r#"{{\"Statement\":[{statements}]}}"#);
        Scene::new()
            .resource(
                "aws_iam_policy",
                "limit",
                &format!(r#"{{"name":"limit","policy":"{}"}}"#, policy(boundary)),
            )
            .resource(
                "aws_iam_role",
                "r",
                &format!(
                    r#"{{"name":"r","permissions_boundary":"arn:aws:iam::123456789012:policy/limit",
                        "inline_policy":[{{"name":"p","policy":"{}"}}]}}"#,
                    policy(REWRITE)
                ),
            )
            .run(rule("trust-policy-rewrite"))
            .iter()
            .filter(|(_, finding)| finding.principals.len() == 1)
            .count()
    }

    /// The places of a rule on one statement.
    fn places(id: &str, statement: &str) -> Vec<String> {
        let found = Scene::new().statements(statement).run(rule(id));
        found.into_iter().map(|(bytes, _)| bytes).collect()
    }

    #[test]
    fn the_place_suits_the_action() {
        let statement = r#"{"Effect":"Allow","Action":["iam:PassRole","iam:GetInstanceProfile"],
            "Resource":["arn:aws:iam::*:instance-profile/*","arn:aws:iam::*:role/*"]}"#;
        let role = r#""arn:aws:iam::*:role/*""#;
        assert_eq!(places("passrole-any-role-any-service", statement), [role]);
    }

    #[test]
    fn all_buckets_and_objects_are_all_of_s3() {
        let on = |resource: &str| {
            let statement =
                format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"{resource}"}}"#);
            places("service-wildcard-on-all", &statement)
        };
        assert_eq!(on("arn:aws:s3:::*"), [r#""s3:*""#]);
        assert_eq!(on("arn:aws:s3:::acme-*"), [""; 0]);
    }

    #[test]
    fn a_boundary_takes_away() {
        let allows = |action: &str| {
            format!(r#"{{\"Effect\":\"Allow\",\"Action\":\"{action}\",\"Resource\":\"*\"}}"#)
        };
        assert_eq!(role(&allows("iam:UpdateAssumeRolePolicy")), 1);
        assert_eq!(role(&allows("s3:*")), 0);
    }

    #[test]
    fn a_deny_beside_the_allow_takes_away() {
        let found = |deny: &str| {
            Scene::new()
                .statements(&format!(
                    r#"{{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}},
                       {{"Effect":"Deny","Action":"kms:*","Resource":"{deny}"}}"#
                ))
                .places(rule("kms-decrypt-all-keys"))
                .len()
        };
        assert_eq!(found("arn:aws:kms:*:*:key/1"), 1);
        assert_eq!(found("*"), 0);
        assert_eq!(found("arn:aws:kms:*:*:key/*"), 0);
    }
}
