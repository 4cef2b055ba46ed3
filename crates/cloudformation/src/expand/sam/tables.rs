//! The facts of SAM that are data: policy templates and connector profiles.
//!
//! Not for applying them. Invariant: the files under `data/` parse completely; a test reads them.

use std::sync::OnceLock;

/// A named policy template.
pub(super) struct PolicyTemplate {
    pub(super) name: &'static str,
    pub(super) parameters: Vec<&'static str>,
    pub(super) statements: Vec<Statement>,
}

/// One allowing statement; resources and condition values are `Fn::Sub` templates.
#[derive(Default)]
pub(super) struct Statement {
    pub(super) actions: Vec<&'static str>,
    pub(super) resources: Vec<&'static str>,
    /// Operator, key, value.
    pub(super) conditions: Vec<(&'static str, &'static str, &'static str)>,
    /// The service it is for.
    pub(super) principal: Option<&'static str>,
    /// The source that the service acts for.
    pub(super) source: Option<&'static str>,
}

/// What carries a connector's grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    SourceRole,
    DestinationRole,
    Permission,
    Topic,
    Queue,
}

/// What a connector between two types grants.
pub(super) struct Profile {
    pub(super) source: &'static str,
    pub(super) destination: &'static str,
    pub(super) carrier: Carrier,
    pub(super) read: Vec<Statement>,
    pub(super) write: Vec<Statement>,
}

/// The policy template of that name.
pub(super) fn policy_template(name: &str) -> Option<&'static PolicyTemplate> {
    static ALL: OnceLock<Vec<PolicyTemplate>> = OnceLock::new();
    ALL.get_or_init(|| policy_templates(include_str!("../../../data/sam_policy_templates.txt")))
        .iter()
        .find(|template| template.name == name)
}

/// The profile for a pair of types.
pub(super) fn profile(source: &str, destination: &str) -> Option<&'static Profile> {
    static ALL: OnceLock<Vec<Profile>> = OnceLock::new();
    ALL.get_or_init(|| profiles(include_str!("../../../data/sam_connectors.txt")))
        .iter()
        .find(|profile| profile.source == source && profile.destination == destination)
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn policy_templates(text: &'static str) -> Vec<PolicyTemplate> {
    let mut all: Vec<PolicyTemplate> = Vec::new();
    for line in lines(text) {
        if line.starts_with(' ') {
            if let Some(template) = all.last_mut() {
                statement_line(&mut template.statements, line.trim());
            }
        } else {
            let mut words = line.split(' ');
            all.push(PolicyTemplate {
                name: words.next().unwrap_or_default(),
                parameters: words.collect(),
                statements: Vec::new(),
            });
        }
    }
    all
}

fn profiles(text: &'static str) -> Vec<Profile> {
    let mut all: Vec<Profile> = Vec::new();
    let mut writes = false;
    for line in lines(text) {
        if !line.starts_with(' ') {
            let mut words = line.split(' ');
            all.push(Profile {
                source: words.next().unwrap_or_default(),
                destination: words.next().unwrap_or_default(),
                carrier: match words.next() {
                    Some("role-source") => Carrier::SourceRole,
                    Some("role-destination") => Carrier::DestinationRole,
                    Some("topic") => Carrier::Topic,
                    Some("queue") => Carrier::Queue,
                    _ => Carrier::Permission,
                },
                read: Vec::new(),
                write: Vec::new(),
            });
            continue;
        }
        let Some(profile) = all.last_mut() else {
            continue;
        };
        match line.trim() {
            "Read" => writes = false,
            "Write" => writes = true,
            line if writes => statement_line(&mut profile.write, line),
            line => statement_line(&mut profile.read, line),
        }
    }
    all
}

fn statement_line(statements: &mut Vec<Statement>, line: &'static str) {
    let Some((word, rest)) = line.split_once(' ') else {
        return;
    };
    if word == "allow" {
        statements.push(Statement {
            actions: rest.split(' ').collect(),
            ..Statement::default()
        });
        return;
    }
    let Some(statement) = statements.last_mut() else {
        return;
    };
    match word {
        "on" => statement.resources.push(rest),
        "by" => statement.principal = Some(rest),
        "from" => statement.source = Some(rest),
        "if" => {
            let mut words = rest.splitn(3, ' ');
            if let (Some(operator), Some(key), Some(value)) =
                (words.next(), words.next(), words.next())
            {
                statement.conditions.push((operator, key, value));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_is_read() {
        let templates = policy_templates(include_str!("../../../data/sam_policy_templates.txt"));
        assert_eq!(templates.len(), 81);
        for template in &templates {
            assert!(!template.statements.is_empty(), "{}", template.name);
            for statement in &template.statements {
                assert!(!statement.actions.is_empty() && !statement.resources.is_empty());
                assert!(statement.actions.iter().all(|action| action.contains(':')));
            }
            for parameter in &template.parameters {
                let mark = format!("${{{parameter}}}");
                let used = template.statements.iter().any(|statement| {
                    statement.resources.iter().any(|r| r.contains(&mark))
                        || statement
                            .conditions
                            .iter()
                            .any(|(_, _, v)| v.contains(&mark))
                });
                assert!(used, "{} {parameter}", template.name);
            }
        }
        let profiles = profiles(include_str!("../../../data/sam_connectors.txt"));
        assert_eq!(profiles.len(), 31);
        assert!(
            profiles
                .iter()
                .all(|p| !p.read.is_empty() || !p.write.is_empty())
        );
    }
}
