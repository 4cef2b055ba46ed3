//! `overgrant access`, `can`, `who-can` and `paths`: questions to the model of the code.
//!
//! Not for answers: those are the `access` crate's. Invariant: exit codes of queries are 0 yes or
//! found, 1 no or none, 2 error, 4 depends.

use crate::arguments::{About, AccessOf, AnswerFormat, CanDo, Input, Paths, PathsFormat, WhoCan};
use crate::exit::Exit;
use overgrant_access::Access;
use overgrant_access::graph::{Explained, Goal, Node, Route};
use overgrant_access::query::{Question, Verdict};
use overgrant_engine::Loaded;
use overgrant_report as report;
use overgrant_report::Asked;
use std::io::Write as _;

fn load(input: &Input) -> anyhow::Result<Loaded> {
    let loaded = overgrant_engine::load(&input.reading.options(&input.paths))?;
    let mut err = anstream::stderr();
    for diagnostic in &loaded.diagnostics {
        if diagnostic.not_parsed {
            let path = diagnostic.path.as_deref().unwrap_or_default();
            writeln!(err, "warning: {path}: {}", diagnostic.message).ok();
        }
    }
    if loaded.files == 0 {
        writeln!(err, "warning: nothing to read was found under the PATHs").ok();
    }
    Ok(loaded)
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

fn question(access: &Access<'_>, loaded: &Loaded, about: &About) -> anyhow::Result<Question> {
    let named = about.resource.as_deref();
    let resource = named.map(|name| overgrant_engine::resource(access, &loaded.config, name));
    let mut values: Vec<(String, Vec<String>)> = Vec::new();
    for (key, value) in &about.context {
        match values
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(key))
        {
            Some((_, list)) => list.push(value.clone()),
            None => values.push((key.clone(), vec![value.clone()])),
        }
    }
    Ok(Question {
        action: overgrant_engine::action(&about.action)?,
        resource: resource.transpose()?,
        context: values,
    })
}

fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Yes => Exit::Clean,
        Verdict::No => Exit::Findings,
        Verdict::Depends => Exit::Depends,
    }
}

pub(crate) fn access(arguments: &AccessOf) -> anyhow::Result<Exit> {
    let loaded = load(&arguments.input)?;
    let access = Access::new(&loaded.model);
    let subject = overgrant_engine::subject(&access, &arguments.principal)?;
    let (id, session) = (subject.identity, subject.session.as_ref());
    let asked = Asked {
        access: &access,
        sources: &loaded.sources,
    };
    let (granted, limits) = (access.grants_in(id, session), access.limits_in(id, session));
    let text = match arguments.format {
        AnswerFormat::Text => report::access_text(&asked, id, &granted, &limits),
        AnswerFormat::Json => report::access_json(&asked, id, &granted, &limits),
    };
    print(&text)?;
    let nothing = granted.is_empty() && limits.unread.is_empty();
    Ok(if nothing { Exit::Findings } else { Exit::Clean })
}

pub(crate) fn can(arguments: &CanDo) -> anyhow::Result<Exit> {
    let loaded = load(&arguments.input)?;
    let access = Access::new(&loaded.model);
    let subject = overgrant_engine::subject(&access, &arguments.principal)?;
    let (id, session) = (subject.identity, subject.session.as_ref());
    let question = question(&access, &loaded, &arguments.about)?;
    let asked = Asked {
        access: &access,
        sources: &loaded.sources,
    };
    let can = access.can_in(id, session, &question);
    let text = match arguments.format {
        AnswerFormat::Text => report::can_text(&asked, &can),
        AnswerFormat::Json => report::can_json(&asked, id, &question, &can),
    };
    print(&text)?;
    Ok(exit(can.verdict))
}

pub(crate) fn who_can(arguments: &WhoCan) -> anyhow::Result<Exit> {
    let loaded = load(&arguments.input)?;
    let access = Access::new(&loaded.model);
    let question = question(&access, &loaded, &arguments.about)?;
    let asked = Asked {
        access: &access,
        sources: &loaded.sources,
    };
    let able = access.who_can(&question);
    let outsiders = question
        .resource
        .as_ref()
        .map(|resource| access.outsiders(&question.action, resource))
        .unwrap_or_default();
    let text = match arguments.format {
        AnswerFormat::Text => report::who_can_text(&asked, &able, &outsiders),
        AnswerFormat::Json => report::who_can_json(&asked, &question, &able, &outsiders),
    };
    print(&text)?;
    let sure = able.iter().any(|one| one.can.verdict == Verdict::Yes)
        || outsiders.iter().any(|one| !one.conditional);
    Ok(if sure {
        Exit::Clean
    } else if able.is_empty() && outsiders.is_empty() {
        Exit::Findings
    } else {
        Exit::Depends
    })
}

pub(crate) fn paths(arguments: &Paths) -> anyhow::Result<Exit> {
    let loaded = load(&arguments.input)?;
    let access = Access::new(&loaded.model);
    let goal = match arguments.to.as_deref() {
        None | Some("admin") => Goal::Admin,
        Some(name) => Goal::Identity(overgrant_engine::principal(&access, name)?),
    };
    let mut from: Vec<Node> = Vec::new();
    for name in &arguments.from {
        for node in overgrant_engine::starts(&access, name)? {
            if !from.contains(&node) {
                from.push(node);
            }
        }
    }
    let graph = access.graph();
    let routes = if arguments.from.is_empty() {
        everybody(&access, goal)
    } else {
        let each = from.into_iter();
        each.flat_map(|node| graph.routes(node, goal)).collect()
    };
    let found: Vec<Explained> = routes
        .iter()
        .filter(|route| arguments.all || route.is_sure())
        .map(|route| access.explain(route))
        .collect();
    let asked = Asked {
        access: &access,
        sources: &loaded.sources,
    };
    let text = match arguments.format {
        PathsFormat::Text => report::paths_text(&asked, &found),
        PathsFormat::Json => report::paths_json(&asked, &found),
        PathsFormat::Dot => report::paths_dot(&asked, &found),
        PathsFormat::Mermaid => report::paths_mermaid(&asked, &found),
        PathsFormat::Html => report::paths_html(&asked, &found),
    };
    print(&text)?;
    let sure = found.iter().any(Explained::is_sure);
    Ok(if sure {
        Exit::Clean
    } else if found.is_empty() {
        Exit::Findings
    } else {
        Exit::Depends
    })
}

/// The best way of every principal and outsider.
fn everybody(access: &Access<'_>, goal: Goal) -> Vec<Route> {
    let graph = access.graph();
    let outsiders = (0..graph.entries().len()).map(Node::Entry);
    let model = access.model();
    let actors = overgrant_engine::actors(model).map(Node::Identity);
    let is_goal = |node: &Node| match (goal, node) {
        (Goal::Admin, Node::Identity(id)) => graph.declares(*id),
        (Goal::Identity(goal), Node::Identity(id)) => goal == *id,
        _ => false,
    };
    outsiders
        .chain(actors)
        .filter(|node| !is_goal(node))
        .filter_map(|node| match goal {
            Goal::Admin => graph.route_to_admin(node),
            Goal::Identity(_) => graph.routes(node, goal).into_iter().next(),
        })
        .collect()
}
