//! The keys of `overgrant.yaml`: what each is for, its schema, and what is in force.
//!
//! Not for reading the file. Invariant: the table names exactly the keys that the reader takes (a
//! test compares them), so the schema cannot accept what a run refuses.

use super::Config;
use globset::GlobMatcher;
use serde_json::{Map, Value, json};

/// One key.
struct Key {
    name: &'static str,
    /// One sentence, without a full stop.
    about: &'static str,
    /// Its part of the JSON schema, without the description.
    schema: fn() -> Value,
    /// The value in force.
    value: fn(&Config) -> Value,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nothing was said.
    Default,
    /// A configuration file.
    File {
        /// Its path, relative to the base or as given.
        path: String,
        /// 1-based line of the key, where it has one of its own.
        line: Option<u32>,
    },
}

/// A key with the value that a run uses.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The key.
    pub key: &'static str,
    /// What it is for, in one sentence without a full stop.
    pub about: &'static str,
    /// The value; aliases and families of rules are replaced by the rules.
    pub value: Value,
    /// Who said so.
    pub origin: Origin,
}

impl Config {
    /// Every key with its value and where that comes from, in the order of the documentation.
    #[must_use]
    pub fn in_force(&self) -> Vec<InForce> {
        KEYS.iter()
            .map(|key| InForce {
                key: key.name,
                about: key.about,
                value: (key.value)(self),
                origin: match (self.given.get(key.name), &self.path) {
                    (Some(line), Some(path)) => Origin::File {
                        path: path.clone(),
                        line: *line,
                    },
                    _ => Origin::Default,
                },
            })
            .collect()
    }

    /// The JSON schema (draft 2020-12) of the file, for editors.
    #[must_use]
    pub fn schema() -> Value {
        let mut properties = Map::new();
        for key in KEYS {
            let mut schema = (key.schema)();
            if let Some(fields) = schema.as_object_mut() {
                fields.insert("description".to_owned(), json!(key.about));
            }
            properties.insert(key.name.to_owned(), schema);
        }
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "overgrant.yaml",
            "description": "Configuration of overgrant; every key is optional",
            "type": "object",
            "additionalProperties": false,
            "properties": properties,
        })
    }
}

/// The 1-based line on which a key of the outermost mapping stands, where it begins the line.
pub(super) fn line_of(text: &str, key: &str) -> Option<u32> {
    let begins = |line: &str| {
        let line = line.strip_prefix(['"', '\'']).unwrap_or(line);
        let rest = line.strip_prefix(key)?;
        let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
        rest.trim_start().starts_with(':').then_some(())
    };
    let at = text.lines().position(|line| begins(line).is_some())?;
    u32::try_from(at + 1).ok()
}

const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

fn texts() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn account() -> Value {
    json!({ "type": ["string", "integer"], "pattern": "^[0-9]{12}$" })
}

fn seconds() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// A closed object.
fn object(properties: Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    })
}

fn glob(matcher: Option<&GlobMatcher>) -> Value {
    matcher.map_or(Value::Null, |matcher| json!(matcher.glob().glob()))
}

/// Drops what was not said.
fn said(fields: Value) -> Value {
    match fields {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect(),
        other => other,
    }
}

const KEYS: &[Key] = &[
    Key {
        name: "own_accounts",
        about: "Ids of the accounts that are yours; without them an account id is foreign only if it is a known vendor's",
        schema: || json!({ "type": "array", "items": account() }),
        value: |config| json!(config.settings.own_accounts),
    },
    Key {
        name: "org_id",
        about: "Id of your organization",
        schema: || json!({ "type": "string", "pattern": "^o-[a-z0-9]+$" }),
        value: |config| json!(config.settings.org_id),
    },
    Key {
        name: "vendors",
        about: "Accounts of others that are meant to have access, by id, with the name for messages",
        schema: || json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        value: |config| config.settings.vendors.iter().cloned().collect(),
    },
    Key {
        name: "approved_issuers",
        about: "Hosts of OIDC issuers that were reviewed",
        schema: texts,
        value: |config| json!(config.settings.approved_issuers),
    },
    Key {
        name: "deployer_roles",
        about: "Addresses or ARN globs of the roles that are meant to administer",
        schema: texts,
        value: |config| json!(config.settings.deployer_roles),
    },
    Key {
        name: "break_glass",
        about: "Addresses or ARN globs of emergency roles",
        schema: texts,
        value: |config| json!(config.settings.break_glass),
    },
    Key {
        name: "security_roles",
        about: "Addresses or ARN globs of roles of security tooling",
        schema: texts,
        value: |config| json!(config.settings.security_roles),
    },
    Key {
        name: "public_ok",
        about: "Address globs of resources that are meant to be public",
        schema: texts,
        value: |config| json!(config.settings.public_ok),
    },
    Key {
        name: "scope",
        about: "What the code base is meant to describe; rules about something absent run only where it should be there",
        schema: || {
            let words = ["module", "account", "baseline", "organization"];
            json!({ "type": "array", "items": { "enum": words } })
        },
        value: |config| {
            let scopes = &config.settings.scopes;
            let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            json!(if words.is_empty() {
                vec!["module"]
            } else {
                words
            })
        },
    },
    Key {
        name: "boundary_required",
        about: "Identities (address globs) that must have a permissions boundary, and which (ARN glob)",
        schema: || {
            let text = json!({ "type": "string" });
            let entry = object(
                json!({ "select": text, "policy": text }),
                &["select", "policy"],
            );
            json!({ "type": "array", "items": entry })
        },
        value: |config| {
            let entries = config.settings.boundary_required.iter();
            entries
                .map(|(select, policy)| json!({ "select": select, "policy": policy }))
                .collect()
        },
    },
    Key {
        name: "session_max",
        about: "Longest sessions in seconds, by kind of identity",
        schema: || {
            let fields = json!({ "role": seconds(), "ci": seconds(), "permission_set": seconds() });
            object(fields, &[])
        },
        value: |config| {
            let max = &config.settings.session_max;
            said(json!({ "role": max.role, "ci": max.ci, "permission_set": max.permission_set }))
        },
    },
    Key {
        name: "severity",
        about: "Severity by rule, alias or family",
        schema: || json!({ "type": "object", "additionalProperties": { "enum": SEVERITIES } }),
        value: |config| {
            let entries = config.severity.iter();
            entries
                .map(|(rule, severity)| ((*rule).to_owned(), json!(severity.as_str())))
                .collect()
        },
    },
    Key {
        name: "ignore",
        about: "Findings to suppress: those that match everything an entry names",
        schema: || {
            let text = json!({ "type": "string" });
            let fields = json!({
                "rule": { "anyOf": [text, texts()] },
                "path": text,
                "address": text,
                "reason": text,
                "until": { "type": "string", "format": "date" },
            });
            let mut entry = object(fields, &[]);
            if let Some(fields) = entry.as_object_mut() {
                let one = ["rule", "path", "address"].map(|name| json!({ "required": [name] }));
                fields.insert("anyOf".to_owned(), json!(one));
            }
            json!({ "type": "array", "items": entry })
        },
        value: |config| {
            let entries = config.ignore.iter();
            entries
                .map(|entry| {
                    said(json!({
                        "rule": (!entry.rules.is_empty()).then_some(&entry.rules),
                        "path": glob(entry.path.as_ref()),
                        "address": glob(entry.address.as_ref()),
                        "reason": entry.reason,
                        "until": entry.until,
                    }))
                })
                .collect()
        },
    },
    Key {
        name: "var_files",
        about: "Terraform variable files by glob over root directories",
        schema: || json!({ "type": "object", "additionalProperties": texts() }),
        value: |config| {
            let entries = config.var_files.iter();
            entries
                .map(|(roots, files)| (roots.glob().glob().to_owned(), json!(files)))
                .collect()
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_the_keys_that_the_reader_takes() {
        let error = Config::read("c", "zzzzzzzz: 1").unwrap_err().to_string();
        let (_, listed) = error.split_once("the keys are ").unwrap();
        let taken: Vec<&str> = listed.split(", ").collect();
        let named: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        assert_eq!(named, taken);
        let schema = Config::schema();
        assert_eq!(schema["properties"].as_object().unwrap().len(), named.len());
        assert_eq!(schema["additionalProperties"], json!(false));
    }

    #[test]
    fn what_is_in_force_can_be_read_again() {
        let text = "# mine\nown_accounts: [111122223333]\n\"scope\": [account]\nsession_max: {ci: 900}\n\
                    severity: {trust-anyone: low}\nignore: [{path: a/**, reason: old}]\nvar_files: {'s/*': [a.tfvars]}\n\
                    boundary_required: [{select: '*', policy: '*b'}]\nvendors: {'464622532012': Datadog}\n";
        let config = Config::read("overgrant.yaml", text).unwrap();
        let shown = config.in_force();
        let own = &shown[0];
        let at = |line| Origin::File {
            path: "overgrant.yaml".to_owned(),
            line,
        };
        assert_eq!(own.value, json!(["111122223333"]));
        assert_eq!(own.origin, at(Some(2)));
        let scope = shown.iter().find(|one| one.key == "scope").unwrap();
        assert_eq!(
            (&scope.value, &scope.origin),
            (&json!(["account"]), &at(Some(3)))
        );
        assert_eq!(shown[1].origin, Origin::Default);
        let again: String = shown
            .iter()
            .filter(|one| !one.value.is_null())
            .map(|one| format!("{}: {}\n", one.key, one.value))
            .collect();
        let again = Config::read("overgrant.yaml", &again).unwrap();
        for (one, two) in shown.iter().zip(again.in_force()) {
            assert_eq!(one.value, two.value, "{}", one.key);
        }
        let nothing = Config::default().in_force();
        assert!(nothing.iter().all(|one| one.origin == Origin::Default));
    }
}
