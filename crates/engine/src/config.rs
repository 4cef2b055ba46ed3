//! The configuration file `overgrant.yaml`.
//!
//! Not for command line arguments, which lie over it. Invariant: every key is optional and an
//! unknown key is an error with the near one.

mod keys;

pub use keys::{InForce, Origin};

use crate::Error;
use crate::near::near;
use crate::select::named;
use globset::{Glob, GlobMatcher};
use overgrant_finding::Severity;
use overgrant_rules::{Scope, SessionMax, Settings};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// The name of the file at the base of a run.
pub(crate) const NAME: &str = "overgrant.yaml";

/// One entry of `ignore`: findings that match everything given are suppressed.
#[derive(Debug, Clone)]
pub struct Ignore {
    /// Ids of the rules; empty means every rule.
    pub rules: Vec<&'static str>,
    /// Glob over the path.
    pub path: Option<GlobMatcher>,
    /// Glob over the address.
    pub address: Option<GlobMatcher>,
    /// Why.
    pub reason: Option<String>,
    /// Last day it holds, `YYYY-MM-DD`.
    pub until: Option<String>,
    /// Its position in the list, 1-based, for messages.
    pub number: usize,
}

/// The configuration as read.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Path of the file relative to the base, where there is one.
    pub path: Option<String>,
    /// What rules read.
    pub settings: Settings,
    /// Severity per rule id.
    pub severity: BTreeMap<&'static str, Severity>,
    /// Suppressions.
    pub ignore: Vec<Ignore>,
    /// Variable files per root: (glob over root directories, files), in order.
    pub var_files: Vec<(GlobMatcher, Vec<String>)>,
    /// The keys that the file holds, with the 1-based line of those that begin one.
    given: BTreeMap<String, Option<u32>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    own_accounts: Vec<Account>,
    org_id: Option<String>,
    vendors: BTreeMap<Account, String>,
    approved_issuers: Vec<String>,
    deployer_roles: Vec<String>,
    break_glass: Vec<String>,
    security_roles: Vec<String>,
    public_ok: Vec<String>,
    scope: Vec<String>,
    boundary_required: Vec<BoundaryEntry>,
    session_max: SessionEntry,
    severity: BTreeMap<String, String>,
    ignore: Vec<IgnoreEntry>,
    var_files: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundaryEntry {
    select: String,
    policy: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SessionEntry {
    role: Option<u64>,
    ci: Option<u64>,
    permission_set: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct IgnoreEntry {
    rule: Option<OneOrMore>,
    path: Option<String>,
    address: Option<String>,
    reason: Option<String>,
    until: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// An account id; without quotes YAML reads it as a number.
#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(untagged)]
enum Account {
    Number(u64),
    Text(String),
}

impl Account {
    fn id(&self) -> String {
        match self {
            // YAML drops the zeros in front; shorter numbers are no ids but typing errors.
            Self::Number(number) if *number >= 1_000_000_000 => format!("{number:012}"),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl Config {
    /// Reads the text of the file `path` (for messages).
    ///
    /// # Errors
    /// [`Error::Config`] for what is no YAML, unknown keys and values, with line and remedy.
    pub fn read(path: &str, text: &str) -> Result<Self, Error> {
        let wrong = |message: String| Error::Config {
            path: path.to_owned(),
            message,
        };
        let blank = text
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        if blank {
            return File::default().resolve(path).map_err(wrong);
        }
        let file: File =
            yaml_serde::from_str(text).map_err(|error| wrong(explain(&error.to_string())))?;
        let mut config = file.resolve(path).map_err(wrong)?;
        let keys: BTreeMap<String, IgnoredAny> = yaml_serde::from_str(text).unwrap_or_default();
        config.given = keys
            .into_keys()
            .map(|key| (key.clone(), keys::line_of(text, &key)))
            .collect();
        Ok(config)
    }
}

impl File {
    fn resolve(self, path: &str) -> Result<Config, String> {
        let mut own_accounts = Vec::new();
        for account in &self.own_accounts {
            own_accounts.push(account_id(account)?);
        }
        let mut vendors = Vec::new();
        for (account, name) in &self.vendors {
            vendors.push((account_id(account)?, name.clone()));
        }
        let mut scopes = Vec::new();
        for word in &self.scope {
            scopes.push(scope(word)?);
        }
        let boundary_required = self.boundary_required.into_iter();
        let boundary_required = boundary_required.map(|entry| (entry.select, entry.policy));
        let SessionEntry {
            role,
            ci,
            permission_set,
        } = self.session_max;
        let mut severity = BTreeMap::new();
        for (name, word) in &self.severity {
            let grade: Severity = word.parse().map_err(|_| {
                format!(
                    "severity of `{name}`: `{word}` is none of critical, high, medium, low, info"
                )
            })?;
            for rule in named(name).map_err(|error| error.to_string())? {
                severity.insert(rule.id, grade);
            }
        }
        let mut ignore = Vec::new();
        for (index, entry) in self.ignore.into_iter().enumerate() {
            ignore.push(entry.resolve(index + 1)?);
        }
        let mut var_files = Vec::new();
        for (root, files) in self.var_files {
            var_files.push((glob(&root)?, files));
        }
        Ok(Config {
            path: Some(path.to_owned()),
            settings: Settings {
                own_accounts,
                org_id: self.org_id,
                vendors,
                approved_issuers: self.approved_issuers,
                deployer_roles: self.deployer_roles,
                break_glass: self.break_glass,
                security_roles: self.security_roles,
                public_ok: self.public_ok,
                scopes,
                boundary_required: boundary_required.collect(),
                session_max: SessionMax {
                    role,
                    ci,
                    permission_set,
                },
            },
            severity,
            ignore,
            var_files,
            given: BTreeMap::new(),
        })
    }
}

impl IgnoreEntry {
    fn resolve(self, number: usize) -> Result<Ignore, String> {
        let names = match self.rule {
            None => Vec::new(),
            Some(OneOrMore::One(name)) => vec![name],
            Some(OneOrMore::More(names)) => names,
        };
        let mut rules = Vec::new();
        for name in &names {
            let found = named(name).map_err(|error| format!("ignore entry {number}: {error}"))?;
            rules.extend(found.iter().map(|rule| rule.id));
        }
        if names.is_empty() && self.path.is_none() && self.address.is_none() {
            return Err(format!(
                "ignore entry {number} names no rule, path or address; name at least one"
            ));
        }
        if let Some(until) = &self.until
            && !is_date(until)
        {
            return Err(format!(
                "ignore entry {number}: `{until}` is no date; write YYYY-MM-DD"
            ));
        }
        Ok(Ignore {
            rules,
            path: self.path.as_deref().map(glob).transpose()?,
            address: self.address.as_deref().map(glob).transpose()?,
            reason: self.reason,
            until: self.until,
            number,
        })
    }
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    Glob::new(text)
        .map(|glob| glob.compile_matcher())
        .map_err(|error| format!("`{text}` is no glob: {error}"))
}

fn account_id(account: &Account) -> Result<String, String> {
    let id = account.id();
    if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(id)
    } else {
        Err(format!(
            "`{id}` is no account id; write its 12 digits in quotes"
        ))
    }
}

fn scope(word: &str) -> Result<Scope, String> {
    let all = [
        Scope::Module,
        Scope::Account,
        Scope::Baseline,
        Scope::Organization,
    ];
    all.into_iter()
        .find(|scope| scope.as_str() == word)
        .ok_or_else(|| {
            format!("scope: `{word}` is none of module, account, baseline, organization")
        })
}

/// Whether `text` has the form `YYYY-MM-DD`.
pub(crate) fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10
}

/// The parser's words, with the near key where a key is unknown.
fn explain(message: &str) -> String {
    let Some((_, rest)) = message.split_once("unknown field `") else {
        return message.to_owned();
    };
    let Some((key, rest)) = rest.split_once('`') else {
        return message.to_owned();
    };
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let place = rest
        .rsplit_once(" at ")
        .map_or_else(String::new, |(_, place)| format!(" ({place})"));
    let near = near(key, known.iter().copied()).map_or_else(
        || format!("the keys are {}", known.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    format!("unknown key `{key}`{place}; {near}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_key() {
        let config = Config::read(
            "overgrant.yaml",
            "own_accounts: [111122223333, \"012345678901\"]\norg_id: o-1\nvendors: {\"464622532012\": Datadog}\n\
             approved_issuers: [a.example]\ndeployer_roles: ['*deploy*']\nbreak_glass: [x]\n\
             security_roles: [y]\npublic_ok: [aws_s3_bucket.site]\nscope: [account]\n\
             boundary_required: [{select: 'aws_iam_role.*', policy: '*boundary'}]\nsession_max: {ci: 3600}\n\
             ignore: [{path: 'legacy/**', reason: old, until: 2030-01-01}]\nvar_files: {'stacks/*': [a.tfvars]}\n",
        )
        .unwrap();
        assert_eq!(
            config.settings.own_accounts,
            ["111122223333", "012345678901"]
        );
        assert_eq!(config.settings.vendor("464622532012"), Some("Datadog"));
        assert!(config.settings.speaks(Scope::Account));
        assert!(
            config.ignore[0]
                .path
                .as_ref()
                .unwrap()
                .is_match("legacy/a/b.tf")
        );
        assert!(config.var_files[0].0.is_match("stacks/prod"));
    }

    #[test]
    fn errors_name_the_remedy() {
        let error = |text: &str| Config::read("c", text).unwrap_err().to_string();
        assert!(error("own_acounts: []").contains("did you mean `own_accounts`?"));
        assert!(error("ignore: [{paht: x}]").contains("did you mean `path`?"));
        assert!(error("ignore: [{reason: x}]").contains("names no rule"));
        assert!(error("severity: {grant: huge}").contains("none of critical"));
        assert!(error("scope: [modul]").contains("none of module"));
        assert!(error("own_accounts: [12]").contains("12 digits"));
        assert!(error("ignore: [{path: x, until: soon}]").contains("YYYY-MM-DD"));
        assert!(Config::read("c", "# nothing\n").is_ok());
        assert!(error("[").starts_with("c: "));
    }
}
