//! Which value holds: the command line's, then the environment's, then the file's, then the built-in one.
//!
//! Invariant: the upper two layers are clap's own; the file's values come in as defaults, below both.

use super::file::{File, Refusal};
use super::options::{Opt, options};
use clap::Command;
use clap::builder::OsStr;

/// The value of one option when its flag is not given.
#[derive(Debug)]
pub(crate) struct Value<'a> {
    /// The option.
    pub(crate) option: &'a Opt,
    /// The value; several for a list, none if a credential is named that only the service manager knows.
    pub(crate) values: Option<Vec<String>>,
    /// Where it is from.
    pub(crate) origin: Origin,
}

/// Where a value is from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This variable.
    Environment(String),
    /// This line of the file.
    File(usize),
    /// The program.
    BuiltIn,
}

/// The values of all options that have one, for the command at a path, or for all commands.
pub(crate) fn effective<'a>(
    options: &'a [Opt],
    file: &File,
    command: Option<&[String]>,
) -> Result<Vec<Value<'a>>, Refusal> {
    let mut held = Vec::new();
    for option in options {
        let of_all = option.command.is_empty();
        if command.is_some_and(|command| !of_all && option.command != command) {
            continue;
        }
        held.extend(value(option, file)?);
    }
    Ok(held)
}

fn value<'a>(option: &'a Opt, file: &File) -> Result<Option<Value<'a>>, Refusal> {
    let set = option
        .variable()
        .and_then(|name| Some((name, std::env::var(name).ok()?)));
    let (values, origin) = if let Some((name, text)) = set {
        (Some(vec![text]), Origin::Environment(name.to_owned()))
    } else if let Some(entry) = file.entry(option) {
        (file.values(entry)?, Origin::File(entry.line))
    } else {
        let built_in = option.arg.get_default_values();
        if built_in.is_empty() {
            return Ok(None);
        }
        let built_in = built_in
            .iter()
            .map(|text| text.to_string_lossy().into_owned());
        (Some(built_in.collect()), Origin::BuiltIn)
    };
    Ok(Some(Value {
        option,
        values,
        origin,
    }))
}

/// The command line with the file's values as defaults of the command at a path.
pub(super) fn apply(command: Command, file: &File, path: &[String]) -> Result<Command, Refusal> {
    let options = options(&command);
    let mut command = command;
    for value in effective(&options, file, Some(path))? {
        let Value {
            option,
            values,
            origin: Origin::File(_),
        } = value
        else {
            continue;
        };
        let Some(values) = values else {
            let entry = file.entry(option).expect("the value is from the file");
            return Err(file.refusal(
                entry,
                "no credentials were handed over ($CREDENTIALS_DIRECTORY is not set)",
            ));
        };
        command = with_default(command, &option.command, option, values);
    }
    Ok(command)
}

fn with_default(command: Command, path: &[String], option: &Opt, values: Vec<String>) -> Command {
    match path.split_first() {
        Some((first, rest)) => {
            command.mut_subcommand(first, |below| with_default(below, rest, option, values))
        }
        None => command.mut_arg(option.arg.get_id(), |arg| {
            // clap wants them for as long as the program runs, and that is how long they hold.
            let values = values.into_iter().map(|text| OsStr::from(&*text.leak()));
            arg.required(false)
                .hide_default_value(option.secret)
                .default_values(values)
        }),
    }
}
