//! `config check`: is this file understood, and what holds with it?

use crate::arguments::ConfigCheck;
use crate::config::{self, File, Origin, Value};
use crate::output::{self, Outcome};
use serde_json::json;
use std::fmt::Write;

/// Checks a file.
pub(crate) fn check(arguments: ConfigCheck) -> anyhow::Result<Outcome> {
    let options = config::options(&config::command_line());
    let file = File::read(&arguments.file, &options)?;
    let held = config::effective(&options, &file, None)?;
    if arguments.json.json {
        let held: Vec<serde_json::Value> = held.iter().map(|value| entry(value, &file)).collect();
        output::json(&held)?;
    } else {
        output::text(&document(&held, &file)?)?;
    }
    Ok(Outcome::Done)
}

fn entry(value: &Value<'_>, file: &File) -> serde_json::Value {
    let Value { option, values, .. } = value;
    json!({
        "command": option.command.join(" "),
        "key": option.key,
        "values": values.as_ref().filter(|_| !option.secret),
        "from": origin(&value.origin, file),
    })
}

fn origin(origin: &Origin, file: &File) -> String {
    match origin {
        Origin::Environment(name) => name.clone(),
        Origin::File(line) => format!("{}:{line}", file.path.display()),
        Origin::BuiltIn => "built in".to_owned(),
    }
}

/// What holds, as a file again.
fn document(held: &[Value<'_>], file: &File) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut command: &[String] = &[];
    for value in held {
        let option = value.option;
        if option.command != command {
            command = &option.command;
            write!(text, "\n[{}]\n", command.join("."))?;
        }
        let from = origin(&value.origin, file);
        let key = &option.key;
        match &value.values {
            Some(values) if !option.secret => {
                let value = option.kind.toml(values);
                writeln!(text, "{key} = {value} # {from}")?;
            }
            _ => writeln!(text, "# {key}: a secret, from {from}")?,
        }
    }
    Ok(text)
}
