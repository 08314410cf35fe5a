//! What can be set: every long option of every command that does something.
//!
//! Invariant: read off clap's definition, so that a new option is a setting without another line.

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};
use std::any::TypeId;
use std::error::Error as _;

/// Commands that only tell about the program or its files: no file is read for them.
const WITHOUT: &[&str] = &["config", "completions", "man", "reference", "help"];

/// One option of one command.
#[derive(Debug, Clone)]
pub(crate) struct Opt {
    /// Names of the command from the program down; none for an option of all commands.
    pub(crate) command: Vec<String>,
    /// The long flag, which is the key.
    pub(crate) key: String,
    /// What a value looks like.
    pub(crate) kind: Kind,
    /// Its value is told to nobody.
    pub(crate) secret: bool,
    /// May stand outside of the command's table, for all commands that have it.
    pub(crate) common: bool,
    /// Its definition.
    pub(crate) arg: Arg,
}

/// What a value looks like in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Switch,
    /// An array of strings.
    List,
}

impl Kind {
    /// The kind in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Kind::Text => "a string",
            Kind::Number => "a number",
            Kind::Switch => "true or false",
            Kind::List => "an array of strings",
        }
    }

    /// A value as the file has it.
    pub(crate) fn toml(self, values: &[String]) -> String {
        let string = |text: &String| toml::Value::from(text.as_str());
        match self {
            Kind::Text => values
                .iter()
                .map(string)
                .map(|text| text.to_string())
                .collect(),
            Kind::Number | Kind::Switch => values.concat(),
            Kind::List => toml::Value::Array(values.iter().map(string).collect()).to_string(),
        }
    }
}

impl Opt {
    /// Whether the option's own checks accept a value; if not, what they say.
    pub(crate) fn accepts(&self, text: &str) -> Result<(), String> {
        let value = Arg::new("value")
            .long("value")
            .value_parser(self.arg.get_value_parser().clone());
        let line = [format!("--value={text}")];
        let checked = Command::new("check")
            .no_binary_name(true)
            .arg(value)
            .try_get_matches_from(line);
        checked.map(drop).map_err(|error| reason(&error))
    }

    /// The variable that sets it.
    pub(crate) fn variable(&self) -> Option<&str> {
        self.arg.get_env().and_then(|name| name.to_str())
    }
}

fn reason(error: &clap::Error) -> String {
    if let Some(source) = error.source() {
        return source.to_string();
    }
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) if !valid.is_empty() => {
            format!("expected one of {}", valid.join(", "))
        }
        _ => "a value is needed".to_owned(),
    }
}

/// Whether a file is read for this command.
pub(crate) fn is_configured(command: &str) -> bool {
    !WITHOUT.contains(&command)
}

/// All options, in the order of the reference.
pub(crate) fn options(program: &Command) -> Vec<Opt> {
    let mut options = Vec::new();
    collect(program, &mut Vec::new(), &mut options);
    options
}

fn collect(command: &Command, path: &mut Vec<String>, options: &mut Vec<Opt>) {
    options.extend(command.get_arguments().filter_map(|arg| option(path, arg)));
    for below in command.get_subcommands() {
        if path.is_empty() && !is_configured(below.get_name()) {
            continue;
        }
        path.push(below.get_name().to_owned());
        collect(below, path, options);
        path.pop();
    }
}

fn option(path: &[String], arg: &Arg) -> Option<Opt> {
    let key = arg.get_long()?;
    if ["help", "version", super::CONFIG].contains(&key) {
        return None;
    }
    let kind = match arg.get_action() {
        ArgAction::SetTrue => Kind::Switch,
        ArgAction::Append => Kind::List,
        ArgAction::Set if is_number(arg) => Kind::Number,
        ArgAction::Set => Kind::Text,
        _ => return None,
    };
    Some(Opt {
        command: path.to_vec(),
        key: key.to_owned(),
        kind,
        secret: arg.is_hide_env_values_set(),
        common: arg.is_global_set() || arg.get_env().is_some(),
        arg: arg.clone(),
    })
}

fn is_number(arg: &Arg) -> bool {
    let kind = arg.get_value_parser().type_id();
    [
        TypeId::of::<u8>(),
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<usize>(),
        TypeId::of::<i64>(),
        TypeId::of::<f32>(),
        TypeId::of::<f64>(),
    ]
    .iter()
    .any(|number| kind == *number)
}
