//! The point evaluator: one request against one stack of policies, step by step.
//!
//! Written to be checked by eye against AWS's documentation, and to check the set engine, with which
//! it shares no matching. Not for questions about sets of requests.
//! Invariant: where nothing in the policies is open, the answer is never `May`.
//! Source: AWS, "Policy evaluation logic"; "How resource control policies work".

mod condition;
mod glob;

use crate::condition::Condition;
use crate::document::{Document, Effect, Resolution};
use crate::principal::{Principal, PrincipalKind};
use crate::request::{
    Caller, Context, ContextValue, Outcome, PolicyKind, Request, Stack, StatementRef,
};
use crate::statement::{Listed, Statement};
use overgrant_catalog::catalog;
use overgrant_value::{Answer, Marks, Text};

/// Whether a condition holds where its key has one value, or none: other keys, which its values may
/// name as variables, are absent.
#[must_use]
pub fn condition_holds(condition: &Condition, value: Option<ContextValue>) -> Answer {
    let mut context = Context::new();
    if let (Some(key), Some(value)) = (condition.key.spelling(), value) {
        context.set(&key, value);
    }
    let scope = Scope {
        context: &context,
        variables: true,
    };
    condition::alone(condition, &scope)
}

/// What policy variables are replaced from.
struct Scope<'a> {
    context: &'a Context,
    /// Whether the document's version makes variables live.
    variables: bool,
}

/// How a resource policy names the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Its very session, or a service or provider: nothing else has to allow.
    Direct,
    /// As a user or one of everybody: a session policy still has to allow, a boundary has not.
    Anyone,
    /// Its role: boundary and session policy still have to allow.
    Role,
    /// Its account: the account's identity policies still have to allow.
    Account,
}

/// Matching statements of one group of policies.
#[derive(Debug, Clone, Copy)]
struct Matched {
    direct: Answer,
    anyone: Answer,
    role: Answer,
    account: Answer,
    deny: Answer,
}

impl Matched {
    const NOTHING: Self = Self {
        direct: Answer::No,
        anyone: Answer::No,
        role: Answer::No,
        account: Answer::No,
        deny: Answer::No,
    };

    fn allow(self) -> Answer {
        self.direct.or(self.anyone).or(self.role).or(self.account)
    }
}

/// Decides one request.
///
/// The principal's own accounts and the organization are those of the request's ARNs and context
/// keys; which policies apply is the caller's choice (for example no SCP for principals of the
/// management account). Kinds that do not bind this kind of caller are skipped: SCPs for anonymous
/// and service callers, RCPs for services that do not support them.
#[must_use]
pub fn decide(stack: &Stack<'_>, request: &Request) -> Outcome {
    let mut run = Run {
        request,
        has_boundary: stack.boundary.is_some(),
        by_allow: Vec::new(),
        by_deny: Vec::new(),
    };
    let outcome = run.decide(stack);
    let by = if outcome.0 == Answer::Must {
        run.by_deny
    } else {
        run.by_allow.append(&mut run.by_deny);
        run.by_allow
    };
    Outcome {
        denied: outcome.0,
        allowed: outcome.1,
        blocked_by: outcome.2,
        by,
    }
}

struct Run<'a> {
    request: &'a Request,
    has_boundary: bool,
    by_allow: Vec<StatementRef>,
    by_deny: Vec<StatementRef>,
}

impl Run<'_> {
    fn decide(&mut self, stack: &Stack<'_>) -> (Answer, Answer, Vec<PolicyKind>) {
        let caller = &self.request.caller;
        let is_member = matches!(caller, Caller::Aws(_));
        let service = self.request.action.split(':').next().unwrap_or_default();

        let identity = self.group(PolicyKind::Identity, 0, &stack.identity);
        let optional = |run: &mut Self, kind, list: &Option<Vec<&Document>>| {
            list.as_ref().map(|list| run.group(kind, 0, list))
        };
        let boundary = optional(self, PolicyKind::Boundary, &stack.boundary);
        let session = optional(self, PolicyKind::Session, &stack.session);
        let endpoint = optional(self, PolicyKind::Endpoint, &stack.endpoint);
        let resource = stack
            .resource
            .map(|document| self.group(PolicyKind::Resource, 0, &[document]));
        let mut levels = Vec::new();
        if is_member {
            for (level, list) in stack.scp.iter().enumerate() {
                levels.push((PolicyKind::Scp, self.group(PolicyKind::Scp, level, list)));
            }
        }
        if catalog().service(service).is_some_and(|s| s.supports_rcp()) {
            for (level, list) in stack.rcp.iter().enumerate() {
                levels.push((PolicyKind::Rcp, self.group(PolicyKind::Rcp, level, list)));
            }
        }
        levels.extend(endpoint.map(|group| (PolicyKind::Endpoint, group)));

        let denied = [Some(identity), boundary, session, resource]
            .into_iter()
            .flatten()
            .chain(levels.iter().map(|(_, group)| *group))
            .map(|group| group.deny)
            .fold(Answer::No, Answer::or);

        let mut blocked = Vec::new();
        let mut capped = Answer::Must;
        for (kind, group) in &levels {
            capped = capped.and(group.allow());
            if group.allow() != Answer::Must && !blocked.contains(kind) {
                blocked.push(*kind);
            }
        }

        let resource = resource.unwrap_or(Matched::NOTHING);
        let own = |group: Option<Matched>| group.map_or(Answer::Must, Matched::allow);
        let (boundary_allows, session_allows) = (own(boundary), own(session));
        let own_side = boundary_allows.and(session_allows);
        let granted = match caller {
            Caller::Anonymous | Caller::Service(_) | Caller::Federated(_) => {
                resource.direct.or(resource.anyone)
            }
            Caller::Aws(_) => {
                let same = match (&self.request.resource_account, caller.account()) {
                    (Some(resource), Some(caller)) => resource == caller,
                    _ => true,
                };
                let by_identity = identity.allow().and(own_side);
                if same {
                    let trusted = if needs_trust(&self.request.action, stack.resource.is_some()) {
                        resource.allow()
                    } else {
                        Answer::Must
                    };
                    by_identity
                        .and(trusted)
                        .or(resource.direct)
                        .or(resource.anyone.and(session_allows))
                        .or(resource.role.and(own_side))
                } else {
                    resource.allow().and(by_identity)
                }
            }
        };
        if granted != Answer::Must {
            for (kind, allows) in [
                (PolicyKind::Identity, identity.allow()),
                (PolicyKind::Boundary, boundary_allows),
                (PolicyKind::Session, session_allows),
                (PolicyKind::Resource, resource.allow()),
            ] {
                if allows != Answer::Must {
                    blocked.push(kind);
                }
            }
        }
        let shielded = if stack.block_public_access && service.eq_ignore_ascii_case("s3") {
            self.is_shielded(stack)
        } else {
            Answer::No
        };
        if shielded.possible() {
            blocked.push(PolicyKind::Resource);
        }
        let allowed = granted
            .and(capped)
            .and(denied.negate())
            .and(shielded.negate());
        (denied, allowed, blocked)
    }

    /// Block Public Access: a public bucket policy serves services and the own account only.
    fn is_shielded(&self, stack: &Stack<'_>) -> Answer {
        let outside = match &self.request.caller {
            Caller::Anonymous => true,
            Caller::Service(_) | Caller::Federated(_) => false,
            Caller::Aws(_) => self
                .request
                .resource_account
                .as_deref()
                .is_some_and(|account| self.request.caller.account() != Some(account)),
        };
        match stack.resource {
            Some(document) if outside => document.is_public_by_text(),
            _ => Answer::No,
        }
    }

    /// Whether the caller has a permissions boundary: `NotPrincipal` spares no such caller from a
    /// Deny, whatever it lists (AWS, "NotPrincipal", the note on boundaries).
    fn is_bounded(&self) -> bool {
        self.has_boundary && matches!(self.request.caller, Caller::Aws(_))
    }

    fn group(&mut self, kind: PolicyKind, level: usize, documents: &[&Document]) -> Matched {
        let mut matched = Matched::NOTHING;
        for (index, document) in documents.iter().enumerate() {
            let unread = document.resolution == Resolution::Unresolved;
            if unread {
                matched.account = matched.account.or(Answer::May);
                matched.deny = matched.deny.or(Answer::May);
                if kind == PolicyKind::Resource {
                    matched.direct = matched.direct.or(Answer::May);
                }
            }
            for statement in &document.statements {
                let scope = Scope {
                    context: &self.request.context,
                    variables: document.has_variables(),
                };
                let at = StatementRef {
                    kind,
                    level,
                    document: index,
                    statement: statement.index,
                };
                self.statement(statement, &scope, at, &mut matched);
            }
        }
        matched
    }

    fn statement(
        &mut self,
        statement: &Statement,
        scope: &Scope<'_>,
        at: StatementRef,
        matched: &mut Matched,
    ) {
        let mut hit = action(statement, &self.request.action)
            .and(resource(statement, &self.request.resource, scope))
            .and(condition::all(&statement.conditions, scope));
        if !statement.guard.is_always() || statement.marks.has(Marks::MAYBE) {
            hit = hit.at_most_may();
        }
        if hit == Answer::No {
            return;
        }
        let named = at.kind == PolicyKind::Resource;
        let list = &statement.principals.0;
        if statement.effect != Effect::Allow {
            let hit = hit.and(if list.negated && self.is_bounded() {
                Answer::Must
            } else if named || list.present {
                denied_principal(list, &self.request.caller)
            } else {
                Answer::Must
            });
            let hit = if statement.effect == Effect::Unknown {
                hit.at_most_may()
            } else {
                hit
            };
            if hit.possible() {
                self.by_deny.push(at);
            }
            matched.deny = matched.deny.or(hit);
        }
        if statement.effect != Effect::Deny {
            let hit = if statement.effect == Effect::Unknown {
                hit.at_most_may()
            } else {
                hit
            };
            let (naming, is) = if named {
                allowed_principal(list, &self.request.caller)
            } else if list.present {
                // SCP, RCP and endpoint policies may name principals.
                (
                    Naming::Account,
                    allowed_principal(list, &self.request.caller).1,
                )
            } else {
                (Naming::Account, Answer::Must)
            };
            let hit = hit.and(is);
            if hit.possible() {
                self.by_allow.push(at);
            }
            let slot = match naming {
                Naming::Direct => &mut matched.direct,
                Naming::Anyone => &mut matched.anyone,
                Naming::Role => &mut matched.role,
                Naming::Account => &mut matched.account,
            };
            *slot = slot.or(hit);
        }
    }
}

/// Whether the account's identity policies count only if the resource policy lets them: for keys,
/// and for roles whose trust policy is part of the stack.
fn needs_trust(action: &str, has_policy: bool) -> bool {
    let action = action.to_ascii_lowercase();
    action.starts_with("kms:") || has_policy && action.starts_with("sts:assumerole")
}

fn guarded(answer: Answer, always: bool) -> Answer {
    if always { answer } else { answer.at_most_may() }
}

/// Whether the list as written selects, negation and open rest included.
fn select<T>(list: &Listed<T>, hit: impl Fn(&T) -> Answer) -> Answer {
    let open = if list.open { Answer::May } else { Answer::No };
    let any = list.items.iter().map(hit).fold(open, Answer::or);
    if list.negated { any.negate() } else { any }
}

fn action(statement: &Statement, action: &str) -> Answer {
    let action = action.to_ascii_lowercase();
    let context = Context::new();
    let scope = Scope {
        context: &context,
        variables: false,
    };
    let list = &statement.actions.0;
    if !list.present {
        return Answer::No;
    }
    select(list, |item| {
        let Some(parts) = glob::read(item.0.text(), true, &scope) else {
            return Answer::No;
        };
        let lower: Vec<_> = parts
            .into_iter()
            .map(|part| match part {
                glob::Part::Char(c) => glob::Part::Char(c.to_ascii_lowercase()),
                other => other,
            })
            .collect();
        guarded(glob::matches(&lower, &action), item.0.guard().is_always())
    })
}

/// A statement without the element speaks of the resource that it is on.
fn resource(statement: &Statement, resource: &str, scope: &Scope<'_>) -> Answer {
    let list = &statement.resources.0;
    if !list.present {
        return Answer::Must;
    }
    // A variable without a value makes the statement invalid: the complement selects nothing either.
    let invalid =
        |item: &crate::ResourcePattern| glob::is_invalid_for(item.pattern.text(), resource, scope);
    if list.negated && list.items.iter().any(invalid) {
        return Answer::No;
    }
    select(list, |item| {
        let hit = glob::read(item.pattern.text(), true, scope)
            .map_or(Answer::No, |parts| glob::resource(&parts, resource));
        guarded(hit, item.pattern.guard().is_always())
    })
}

/// How an Allow of a resource policy names the caller, the strongest way first.
fn allowed_principal(list: &Listed<Principal>, caller: &Caller) -> (Naming, Answer) {
    if list.negated {
        // Everybody but those listed, anonymous callers included.
        let listed = select(list, |item| {
            guarded(names(item, caller).1, item.guard.is_always())
        });
        return (Naming::Anyone, listed);
    }
    let mut best = (Naming::Account, Answer::No);
    for item in &list.items {
        let (naming, hit) = names(item, caller);
        let hit = guarded(hit, item.guard.is_always());
        let rank = |naming: Naming, hit: Answer| (hit, 3 - naming as u8);
        if rank(naming, hit) > rank(best.0, best.1) {
            best = (naming, hit);
        }
    }
    if list.open && best.1 != Answer::Must {
        best = (Naming::Direct, Answer::May);
    }
    best
}

/// Whether a Deny is about the caller. `NotPrincipal` spares a role session only where it lists the
/// session itself or its account: naming the role is not enough.
fn denied_principal(list: &Listed<Principal>, caller: &Caller) -> Answer {
    if !list.present {
        return Answer::Must;
    }
    select(list, |item| {
        let (naming, hit) = names(item, caller);
        let session = matches!(caller, Caller::Aws(arn) if arn.contains(":assumed-role/"));
        if list.negated && session && naming == Naming::Role {
            return Answer::No;
        }
        guarded(hit, item.guard.is_always())
    })
}

/// Whether and how one principal names the caller.
pub(crate) fn names(principal: &Principal, caller: &Caller) -> (Naming, Answer) {
    let same = |text: &Text, wanted: &str| {
        if text.is(wanted) {
            Answer::Must
        } else if text.is_known() {
            Answer::No
        } else {
            let context = Context::new();
            let scope = Scope {
                context: &context,
                variables: false,
            };
            glob::read(text, false, &scope)
                .map_or(Answer::No, |parts| glob::matches(&parts, wanted))
        }
    };
    let text = &principal.text;
    match (principal.kind, caller) {
        (PrincipalKind::Anyone, _) => (Naming::Anyone, Answer::Must),
        (PrincipalKind::Service, Caller::Service(name))
        | (PrincipalKind::Federated, Caller::Federated(name)) => (Naming::Direct, same(text, name)),
        (PrincipalKind::Account, Caller::Aws(_)) => {
            let hit = match (principal.account(), caller.account()) {
                (Some(named), Some(caller)) => Answer::from_bool(named == caller),
                (None, Some(_)) if !text.is_known() => Answer::May,
                _ => Answer::No,
            };
            (Naming::Account, hit)
        }
        (PrincipalKind::Aws, Caller::Aws(arn)) => {
            let direct = same(text, arn);
            let is_role = arn.contains(":role/");
            if direct.possible() {
                return (
                    if is_role {
                        Naming::Role
                    } else {
                        Naming::Direct
                    },
                    direct,
                );
            }
            (Naming::Role, role_of(text, arn))
        }
        (PrincipalKind::Unknown, _) if !text.is_known() => (Naming::Direct, Answer::May),
        _ => (Naming::Direct, Answer::No),
    }
}

/// Whether the text is the ARN of the role behind a role session.
fn role_of(text: &Text, session: &str) -> Answer {
    let parts: Vec<&str> = session.splitn(6, ':').collect();
    let [_, partition, "sts", _, account, resource] = parts.as_slice() else {
        return Answer::No;
    };
    let Some(("assumed-role", rest)) = resource.split_once('/') else {
        return Answer::No;
    };
    let name = rest.split('/').next().unwrap_or_default();
    match text.as_known() {
        Some(role) => {
            let head = format!("arn:{partition}:iam::{account}:role/");
            Answer::from_bool(
                role.strip_prefix(&head)
                    .is_some_and(|path| path.rsplit('/').next() == Some(name)),
            )
        }
        None => Answer::May,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;
    use crate::request::ContextValue;
    use overgrant_value::{Src, Val};

    fn document(json: &str) -> Document {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{json}]}}"#);
        let document = Document::from_val(&Val::text(Text::known(&text), Src::none()));
        assert_eq!(document.problems, [], "{json}");
        document
    }

    fn request(caller: &str, action: &str, resource: &str) -> Request {
        Request {
            caller: Caller::parse(caller),
            action: action.into(),
            resource: resource.into(),
            resource_account: Some("111122223333".into()),
            context: Context::new(),
        }
    }

    const USER: &str = "arn:aws:iam::111122223333:user/alice";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/s";
    const OTHER: &str = "arn:aws:iam::444455556666:user/bob";

    fn verdict(stack: &Stack<'_>, request: &Request) -> Verdict {
        let outcome = decide(stack, request);
        assert!(outcome.allowed != Answer::May && outcome.denied != Answer::May);
        outcome.verdict()
    }

    #[test]
    fn a_boundary_caps_and_a_deny_wins() {
        let all = document(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#);
        let cap = document(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#);
        let no = document(r#"{"Effect": "Deny", "Action": "s3:Put*", "Resource": "*"}"#);
        let stack = Stack {
            boundary: Some(vec![&cap]),
            ..Stack::identity(vec![&all, &no])
        };
        let ask = |action: &str| verdict(&stack, &request(USER, action, "arn:aws:s3:::b/k"));
        assert_eq!(ask("s3:GetObject"), Verdict::Allowed);
        assert_eq!(ask("sqs:SendMessage"), Verdict::ImplicitlyDenied);
        assert_eq!(ask("S3:putobject"), Verdict::ExplicitlyDenied);
        let outcome = decide(&stack, &request(USER, "s3:PutObject", "arn:aws:s3:::b/k"));
        assert_eq!(outcome.by.len(), 1);
        assert_eq!(outcome.by[0].document, 1);
    }

    #[test]
    fn a_resource_policy_grants_by_the_form_of_its_principal() {
        for (principal, caller, wanted) in [
            (r#""*""#, USER, Verdict::Allowed),
            (r#""*""#, "*", Verdict::Allowed),
            (r#""*""#, OTHER, Verdict::ImplicitlyDenied),
            (
                r#"{"AWS": "111122223333"}"#,
                USER,
                Verdict::ImplicitlyDenied,
            ),
            (
                r#"{"AWS": "arn:aws:iam::111122223333:user/alice"}"#,
                USER,
                Verdict::Allowed,
            ),
            (
                r#"{"AWS": "arn:aws:iam::111122223333:role/p/app"}"#,
                SESSION,
                Verdict::Allowed,
            ),
            (
                r#"{"AWS": "arn:aws:iam::111122223333:role/other"}"#,
                SESSION,
                Verdict::ImplicitlyDenied,
            ),
            (
                r#"{"Service": "sns.amazonaws.com"}"#,
                "sns.amazonaws.com",
                Verdict::Allowed,
            ),
        ] {
            let policy = document(&format!(
                r#"{{"Effect": "Allow", "Action": "sqs:*", "Resource": "*", "Principal": {principal}}}"#
            ));
            let stack = Stack::resource(&policy);
            let queue = "arn:aws:sqs:eu-west-1:111122223333:q";
            assert_eq!(
                verdict(&stack, &request(caller, "sqs:SendMessage", queue)),
                wanted,
                "{principal} {caller}"
            );
        }
    }

    #[test]
    fn keys_answer_to_their_own_policy() {
        let all = document(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#);
        let root = document(
            r#"{"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": "111122223333"}}"#,
        );
        let key = request(
            USER,
            "kms:Decrypt",
            "arn:aws:kms:eu-west-1:111122223333:key/k",
        );
        let alone = Stack::identity(vec![&all]);
        assert_eq!(verdict(&alone, &key), Verdict::ImplicitlyDenied);
        let both = Stack {
            resource: Some(&root),
            ..alone
        };
        assert_eq!(verdict(&both, &key), Verdict::Allowed);
    }

    #[test]
    fn every_level_of_the_organization_has_to_allow() {
        let all = document(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#);
        let s3 = document(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#);
        let stack = Stack {
            scp: vec![vec![&all], vec![&s3]],
            ..Stack::identity(vec![&all])
        };
        let queue = request(
            USER,
            "sqs:SendMessage",
            "arn:aws:sqs:eu-west-1:111122223333:q",
        );
        assert_eq!(verdict(&stack, &queue), Verdict::ImplicitlyDenied);
        assert_eq!(decide(&stack, &queue).blocked_by, [PolicyKind::Scp]);
    }

    #[test]
    fn operators_by_type_and_presence() {
        let mut context = Context::new();
        for (key, value) in [
            ("aws:SourceIp", "10.1.2.3"),
            ("aws:CurrentTime", "2026-01-01T00:00:00Z"),
            ("s3:max-keys", "10"),
            ("aws:username", "alice"),
            ("aws:SourceArn", "arn:aws:sns:eu-west-1:1:t"),
            ("x:bin", "QQ=="),
        ] {
            context.set(key, ContextValue::One(value.into()));
        }
        context.set(
            "aws:TagKeys",
            ContextValue::Many(vec!["a".into(), "b".into()]),
        );
        for (json, wanted) in [
            (r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#, true),
            (r#"{"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#, false),
            (r#"{"DateLessThan": {"aws:CurrentTime": "2026-06"}}"#, true),
            (
                r#"{"DateGreaterThan": {"aws:CurrentTime": "2026-06"}}"#,
                false,
            ),
            (
                r#"{"NumericLessThanEquals": {"s3:max-keys": "10.0"}}"#,
                true,
            ),
            (r#"{"NumericLessThan": {"s3:max-keys": 10}}"#, false),
            (
                r#"{"StringEquals": {"AWS:UserName": "${aws:username}"}}"#,
                true,
            ),
            (r#"{"StringEquals": {"aws:username": "al*"}}"#, false),
            (r#"{"StringLike": {"aws:username": "al*"}}"#, true),
            (r#"{"StringLike": {"aws:username": "${aws:nokey}"}}"#, false),
            (
                r#"{"StringNotLike": {"aws:username": "${aws:nokey}"}}"#,
                true,
            ),
            (
                r#"{"StringLike": {"aws:username": "${aws:nokey, 'alice'}"}}"#,
                true,
            ),
            (
                r#"{"StringEqualsIgnoreCase": {"aws:username": "ALICE"}}"#,
                true,
            ),
            (
                r#"{"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}"#,
                true,
            ),
            (r#"{"ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}}"#, false),
            (r#"{"BinaryEquals": {"x:bin": "QQ=="}}"#, true),
            (r#"{"Null": {"aws:PrincipalOrgID": "true"}}"#, true),
            (r#"{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}"#, false),
            (
                r#"{"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}"#,
                true,
            ),
            (
                r#"{"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}"#,
                true,
            ),
            (r#"{"StringEquals": {"aws:TagKeys": "a"}}"#, false),
            (
                r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}"#,
                true,
            ),
            (
                r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}"#,
                false,
            ),
            (
                r#"{"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}"#,
                true,
            ),
            (
                r#"{"ForAllValues:StringEquals": {"aws:none": ["a"]}}"#,
                true,
            ),
            (
                r#"{"ForAnyValue:StringNotEquals": {"aws:none": ["a"]}}"#,
                false,
            ),
            (r#"{"StringEquals": {"aws:username": []}}"#, false),
        ] {
            let policy = document(&format!(
                r#"{{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {json}}}"#
            ));
            let mut request = request(USER, "s3:ListBucket", "arn:aws:s3:::b");
            request.context = context.clone();
            let wanted = if wanted {
                Verdict::Allowed
            } else {
                Verdict::ImplicitlyDenied
            };
            assert_eq!(
                verdict(&Stack::identity(vec![&policy]), &request),
                wanted,
                "{json}"
            );
        }
    }
}
