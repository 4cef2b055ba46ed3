//! One case: what each policy says, the policies that say it, and the decision that follows.
//!
//! The decision is a table over the intents, written from AWS's "Policy evaluation logic", "Resource
//! control policies" and "Blocking public access to your Amazon S3 storage". Invariant: the table sees
//! intents only, never a policy.

use super::dice::Dice;
use super::statement::{Asked, context};
use serde_json::{Map, Value, json};

const OWN: &str = "111122223333";
const FOREIGN: &str = "444455556666";
const PROVIDER: &str =
    "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
const SAML: &str = "arn:aws:iam::111122223333:saml-provider/corp";

/// What a policy that may allow, say nothing or deny says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Allow,
    Nothing,
    Deny,
}

impl Says {
    fn roll(dice: &mut Dice, allow: usize, nothing: usize) -> Self {
        match dice.below(10) {
            n if n < allow => Self::Allow,
            n if n < allow + nothing => Self::Nothing,
            _ => Self::Deny,
        }
    }
}

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    User,
    Session,
    Service,
    Anonymous,
    Federated,
}

/// How a resource policy names the caller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    /// Its very ARN (of a user, a session, a service or a provider).
    Own,
    /// The role of a session.
    Role,
    Account,
    Everybody,
}

/// What the resource policy is to say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Resource {
    Allow(Named),
    Nothing,
    Deny,
}

/// The intents of a case.
struct Intent {
    caller: Caller,
    cross_account: bool,
    rcp_capable: bool,
    /// Identity policies count only where the resource policy lets them.
    needs_trust: bool,
    identity: Says,
    boundary: Option<Says>,
    session: Option<Says>,
    resource: Option<Resource>,
    scp: Vec<Says>,
    rcp: Vec<Says>,
    endpoint: Option<Says>,
    /// Block Public Access is on and the bucket policy is public.
    shielded: bool,
}

impl Intent {
    fn is_aws(&self) -> bool {
        matches!(self.caller, Caller::User | Caller::Session)
    }

    /// The decision table.
    fn decision(&self) -> &'static str {
        let scp: &[Says] = if self.is_aws() { &self.scp } else { &[] };
        let rcp: &[Says] = if self.rcp_capable { &self.rcp } else { &[] };
        let caps: Vec<Says> = scp
            .iter()
            .chain(rcp)
            .chain(&self.endpoint)
            .copied()
            .collect();
        let own: Vec<Says> = [Some(self.identity), self.boundary, self.session]
            .into_iter()
            .flatten()
            .collect();
        let denies = |says: &[Says]| says.contains(&Says::Deny);
        if denies(&caps) || denies(&own) || self.resource == Some(Resource::Deny) {
            return "ExplicitlyDenied";
        }
        if caps.iter().any(|says| *says != Says::Allow) || self.shielded && self.is_outside() {
            return "ImplicitlyDenied";
        }
        let passes = |says: Option<Says>| says.is_none_or(|says| says == Says::Allow);
        let (boundary, session) = (passes(self.boundary), passes(self.session));
        let identity = self.identity == Says::Allow && boundary && session;
        let named = match self.resource {
            Some(Resource::Allow(named)) => Some(named),
            _ => None,
        };
        let granted = if !self.is_aws() {
            matches!(named, Some(Named::Own | Named::Everybody))
        } else if self.cross_account {
            identity && named.is_some()
        } else {
            let by_identity = identity && (!self.needs_trust || named.is_some());
            by_identity
                || match named {
                    Some(Named::Own) => true,
                    Some(Named::Everybody) => session,
                    Some(Named::Role) => boundary && session,
                    Some(Named::Account) | None => false,
                }
        };
        if granted {
            "Allowed"
        } else {
            "ImplicitlyDenied"
        }
    }

    /// Whether Block Public Access is about the caller: it serves the own account and services.
    fn is_outside(&self) -> bool {
        self.caller == Caller::Anonymous || self.is_aws() && self.cross_account
    }
}

/// What is asked, by service; whether RCPs reach it.
fn asked(dice: &mut Dice, caller: Caller) -> (Asked, bool) {
    let plain: [(&'static str, &'static str, &str, &str, bool); 7] = [
        (
            "s3:GetObject",
            "s3:PutObjectTagging",
            "arn:aws:s3:::bkt/a/b",
            "arn:aws:s3:::other/x",
            true,
        ),
        (
            "sqs:SendMessage",
            "sqs:PurgeQueue",
            "arn:aws:sqs:eu-west-1:111122223333:queue",
            "arn:aws:sqs:eu-west-1:111122223333:zzz",
            true,
        ),
        (
            "kms:Decrypt",
            "kms:CreateGrant",
            "arn:aws:kms:eu-west-1:111122223333:key/k1",
            "arn:aws:kms:eu-west-1:111122223333:key/z9",
            true,
        ),
        (
            "secretsmanager:GetSecretValue",
            "secretsmanager:TagResource",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:zz-AbCdEf",
            true,
        ),
        (
            "lambda:InvokeFunction",
            "lambda:DeleteFunction",
            "arn:aws:lambda:eu-west-1:111122223333:function:work",
            "arn:aws:lambda:eu-west-1:111122223333:function:zzz",
            false,
        ),
        (
            "iam:PassRole",
            "iam:DeleteRole",
            "arn:aws:iam::111122223333:role/app",
            "arn:aws:iam::111122223333:role/zzz",
            false,
        ),
        (
            "sts:AssumeRole",
            "sts:TagSession",
            "arn:aws:iam::111122223333:role/target",
            "arn:aws:iam::111122223333:role/zzz",
            true,
        ),
    ];
    let (action, other_action, resource, other_resource, rcp) = if caller == Caller::Federated {
        let action = if dice.chance(5) {
            "sts:AssumeRoleWithWebIdentity"
        } else {
            "sts:AssumeRoleWithSAML"
        };
        (
            action,
            "sts:TagSession",
            "arn:aws:iam::111122223333:role/target",
            "arn:aws:iam::111122223333:role/zzz",
            true,
        )
    } else {
        dice.pick(&plain)
    };
    let asked = Asked {
        action,
        other_action,
        resource: resource.to_owned(),
        other_resource: other_resource.to_owned(),
        rich: dice.chance(7),
    };
    (asked, rcp)
}

/// Builds one case.
pub(crate) fn case(id: usize, dice: &mut Dice) -> Value {
    let caller = match dice.below(10) {
        0..4 => Caller::Session,
        4..7 => Caller::User,
        7 => Caller::Service,
        8 => Caller::Anonymous,
        _ => Caller::Federated,
    };
    let (asked, rcp_capable) = asked(dice, caller);
    let is_aws = matches!(caller, Caller::User | Caller::Session);
    let cross_account = is_aws && dice.chance(3);
    let account = if cross_account { FOREIGN } else { OWN };
    let principal = match caller {
        Caller::User => format!("arn:aws:iam::{account}:user/alice"),
        Caller::Session => format!("arn:aws:sts::{account}:assumed-role/app/sess"),
        Caller::Service => "events.amazonaws.com".to_owned(),
        Caller::Anonymous => "*".to_owned(),
        Caller::Federated if asked.action.ends_with("SAML") => SAML.to_owned(),
        Caller::Federated => PROVIDER.to_owned(),
    };
    // A role has a trust policy and a key has a key policy; IAM's own actions have none.
    let must_have = asked.action.starts_with("sts:") || asked.action.starts_with("kms:");
    let cannot = asked.action.starts_with("iam:");
    let resource =
        (!cannot && (must_have || !is_aws || dice.chance(6))).then(|| resource(dice, caller));
    let s3_bpa = asked.action.starts_with("s3:") && dice.chance(3);
    let levels = |dice: &mut Dice| -> Vec<Says> {
        let most = if dice.chance(4) { 3 } else { 0 };
        (0..most).map(|_| Says::roll(dice, 8, 1)).collect()
    };
    let mut intent = Intent {
        caller,
        cross_account,
        rcp_capable,
        needs_trust: asked.action.starts_with("kms:") || asked.action.starts_with("sts:AssumeRole"),
        identity: if is_aws {
            Says::roll(dice, 6, 3)
        } else {
            Says::Nothing
        },
        boundary: (is_aws && dice.chance(3)).then(|| Says::roll(dice, 6, 3)),
        session: (caller == Caller::Session && dice.chance(4)).then(|| Says::roll(dice, 6, 3)),
        resource,
        scp: if is_aws || dice.chance(3) {
            levels(dice)
        } else {
            Vec::new()
        },
        rcp: levels(dice),
        endpoint: dice.chance(2).then(|| Says::roll(dice, 7, 2)),
        shielded: false,
    };
    let mut public = Some(false);
    let mut line = Map::new();
    line.insert("id".to_owned(), json!(id));
    line.insert("principal".to_owned(), json!(principal));
    line.insert("action".to_owned(), json!(asked.action));
    line.insert("resource".to_owned(), json!(asked.resource));
    line.insert("resource_account".to_owned(), json!(OWN));
    line.insert("context".to_owned(), context(asked.rich));
    let plain = |dice: &mut Dice, says: Says| document(statements(dice, &asked, says));
    if is_aws {
        let mut documents = vec![plain(dice, intent.identity)];
        if dice.chance(3) {
            documents.push(plain(dice, Says::Nothing));
        }
        dice.shuffle(&mut documents);
        line.insert("identity".to_owned(), json!(documents));
    } else {
        line.insert("identity".to_owned(), json!([]));
    }
    if let Some(says) = intent.boundary {
        line.insert("boundary".to_owned(), json!([plain(dice, says)]));
    }
    if let Some(says) = intent.session {
        line.insert("session".to_owned(), plain(dice, says));
    }
    if let Some(says) = intent.endpoint {
        let list = everybody(statements(dice, &asked, says));
        line.insert("vpce".to_owned(), json!([document(list)]));
    }
    for (name, levels, named) in [("scp", &intent.scp, false), ("rcp", &intent.rcp, true)] {
        if levels.is_empty() {
            continue;
        }
        let documents: Vec<Value> = levels
            .iter()
            .map(|says| {
                let mut list = statements(dice, &asked, *says);
                if named {
                    list = everybody(list);
                }
                json!([document(list)])
            })
            .collect();
        line.insert(name.to_owned(), json!(documents));
    }
    if let Some(resource) = intent.resource {
        let bounded = intent.boundary.is_some();
        let list = resource_statements(dice, &asked, &principal, caller, bounded, resource);
        public = list
            .iter()
            .map(is_public)
            .try_fold(false, |any, one| one.map(|one| any || one));
        line.insert("resource_policy".to_owned(), document(list));
    }
    if let (true, Some(public)) = (s3_bpa, public) {
        line.insert("s3_bpa".to_owned(), json!(true));
        intent.shielded = public;
    }
    line.insert("expect".to_owned(), json!(intent.decision()));
    Value::Object(line)
}

fn resource(dice: &mut Dice, caller: Caller) -> Resource {
    let named: &[Named] = match caller {
        Caller::User => &[Named::Own, Named::Account, Named::Everybody],
        Caller::Session => &[Named::Own, Named::Role, Named::Account, Named::Everybody],
        Caller::Anonymous => &[Named::Everybody],
        Caller::Service | Caller::Federated => &[Named::Own, Named::Everybody],
    };
    match Says::roll(dice, 7, 2) {
        Says::Allow => {
            let at = dice.below(named.len());
            named
                .get(at)
                .map_or(Resource::Nothing, |named| Resource::Allow(*named))
        }
        Says::Nothing => Resource::Nothing,
        Says::Deny => Resource::Deny,
    }
}

fn document(statements: Vec<Map<String, Value>>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn with(mut statement: Map<String, Value>, key: &str, value: Value) -> Map<String, Value> {
    statement.insert(key.to_owned(), value);
    statement
}

/// Statements that together say what is wanted, and others that do not match.
fn statements(dice: &mut Dice, asked: &Asked, says: Says) -> Vec<Map<String, Value>> {
    let mut list = Vec::new();
    let decided = match says {
        Says::Allow => Some("Allow"),
        Says::Deny => Some("Deny"),
        Says::Nothing => None,
    };
    if let Some(effect) = decided {
        list.push(with(asked.statement(dice, false), "Effect", json!(effect)));
    }
    if says == Says::Deny && dice.chance(7) {
        list.push(with(asked.statement(dice, false), "Effect", json!("Allow")));
    }
    if says == Says::Nothing || dice.chance(4) {
        let effect = if dice.chance(6) { "Allow" } else { "Deny" };
        list.push(with(asked.statement(dice, true), "Effect", json!(effect)));
    }
    dice.shuffle(&mut list);
    list
}

/// The same for policies that name everybody.
fn everybody(list: Vec<Map<String, Value>>) -> Vec<Map<String, Value>> {
    list.into_iter()
        .map(|statement| with(statement, "Principal", json!("*")))
        .collect()
}

/// Whether S3 takes the statement for public: it allows everybody, and no key pins the caller. `None`
/// where a condition is on a key that may pin: which values do is another question.
fn is_public(statement: &Map<String, Value>) -> Option<bool> {
    let anyone = match statement.get("Principal") {
        Some(Value::String(text)) => text == "*",
        Some(list) => list.get("AWS").is_some_and(|text| *text == "*"),
        None => statement.contains_key("NotPrincipal"),
    };
    if !anyone
        || statement
            .get("Effect")
            .is_none_or(|effect| effect != "Allow")
    {
        return Some(false);
    }
    let may_pin = statement.get("Condition").is_some_and(|condition| {
        let text = condition.to_string();
        ["aws:SourceIp", "aws:SourceArn"]
            .iter()
            .any(|key| text.contains(key))
    });
    (!may_pin).then_some(true)
}

fn resource_statements(
    dice: &mut Dice,
    asked: &Asked,
    principal: &str,
    caller: Caller,
    bounded: bool,
    wanted: Resource,
) -> Vec<Map<String, Value>> {
    let account = principal.split(':').nth(4).unwrap_or_default();
    let own = match caller {
        Caller::Service => json!({"Service": principal}),
        Caller::Federated => json!({"Federated": principal}),
        Caller::Anonymous => json!("*"),
        Caller::User | Caller::Session => json!({"AWS": principal}),
    };
    let role = format!("arn:aws:iam::{account}:role/app");
    let everyone = [json!("*"), json!({"AWS": "*"})];
    let named = |dice: &mut Dice, named: Named| match named {
        Named::Own => own.clone(),
        Named::Role => json!({"AWS": [role, "arn:aws:iam::999988887777:root"]}),
        Named::Account => {
            let root = format!("arn:aws:iam::{account}:root");
            dice.pick(&[json!({"AWS": account}), json!({"AWS": root})])
        }
        Named::Everybody => dice.pick(&everyone),
    };
    let strangers = [
        json!({"AWS": "arn:aws:iam::999988887777:user/mallory"}),
        json!({"AWS": ["999988887777", "arn:aws:iam::111122223333:user/zed"]}),
        json!({"Service": "sns.amazonaws.com"}),
        json!({"Federated": "arn:aws:iam::999988887777:saml-provider/x"}),
    ];
    let mut list = Vec::new();
    let effect = |effect: &str| json!(effect);
    match wanted {
        Resource::Allow(how) => {
            let statement = with(asked.statement(dice, false), "Effect", effect("Allow"));
            list.push(with(statement, "Principal", named(dice, how)));
        }
        Resource::Deny => {
            let statement = with(asked.statement(dice, false), "Effect", effect("Deny"));
            list.push(if dice.chance(3) {
                with(statement, "NotPrincipal", dice.pick(&strangers))
            } else {
                let how = match caller {
                    Caller::Anonymous => Named::Everybody,
                    Caller::Session if dice.chance(3) => Named::Role,
                    Caller::User | Caller::Session if dice.chance(3) => Named::Account,
                    _ if dice.chance(5) => Named::Own,
                    _ => Named::Everybody,
                };
                with(statement, "Principal", named(dice, how))
            });
            let statement = with(asked.statement(dice, false), "Effect", effect("Allow"));
            list.push(with(statement, "Principal", dice.pick(&everyone)));
        }
        Resource::Nothing => {}
    }
    if wanted == Resource::Nothing || dice.chance(4) {
        // Right in all but the principal, or wrong in another element.
        let (statement, who) = if dice.chance(5) {
            (asked.statement(dice, false), dice.pick(&strangers))
        } else {
            (asked.statement(dice, true), dice.pick(&everyone))
        };
        let word = if dice.chance(6) { "Allow" } else { "Deny" };
        let statement = with(statement, "Effect", effect(word));
        list.push(with(statement, "Principal", who));
    }
    if caller == Caller::User && !bounded && dice.chance(2) {
        // A Deny that spares the caller and its account.
        let statement = with(asked.statement(dice, false), "Effect", effect("Deny"));
        let spared = json!({"AWS": [principal, account]});
        list.push(with(statement, "NotPrincipal", spared));
    }
    dice.shuffle(&mut list);
    list
}
