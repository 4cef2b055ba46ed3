//! `overgrant config`: the configuration in force, and the schema of its file.
//!
//! Not for reading it: that is the engine's. Invariant: nothing is walked or evaluated.

use crate::arguments::{AnswerFormat, Config};
use crate::exit::Exit;
use overgrant_engine::Options;
use std::io::Write as _;

pub(crate) fn run(arguments: &Config) -> anyhow::Result<Exit> {
    let text = if arguments.schema {
        overgrant_report::pretty(&overgrant_engine::Config::schema())
    } else {
        let options = Options {
            paths: arguments.paths.clone(),
            root: arguments.root.clone(),
            config: arguments.config.clone(),
            ..Options::default()
        };
        let shown = overgrant_engine::configuration(&options)?.in_force();
        match arguments.format {
            AnswerFormat::Text => overgrant_report::configuration_text(&shown),
            AnswerFormat::Json => overgrant_report::configuration_json(&shown),
        }
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(Exit::Clean)
}
