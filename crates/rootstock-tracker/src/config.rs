//! Settings of a file, under the command line and the environment.
//!
//! Reading order: `options` (what can be set, read off the command line's definition), `file` (what a file says),
//! `layers` (which value holds), `reference` (the page about all of it).
//! Invariant: a file has no setting of its own: whatever it sets is an option of a command, and passes that option's
//! checks before anything runs.

mod file;
mod layers;
mod options;
mod reference;
#[cfg(test)]
mod tests;

pub(crate) use file::{File, Refusal};
pub(crate) use layers::{Origin, Value, effective};
pub(crate) use options::options;
pub(crate) use reference::page;

use crate::arguments::Arguments;
use clap::builder::ValueParser;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::path::PathBuf;

/// The option that names the file.
const CONFIG: &str = "config";

/// Why a command does not even start.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// The command line is wrong, or asks for help.
    CommandLine(clap::Error),
    /// The file is.
    File(Refusal),
}

impl From<clap::Error> for Unusable {
    fn from(error: clap::Error) -> Unusable {
        Unusable::CommandLine(error)
    }
}

/// The whole command line: what [`Arguments`] declares, and the file.
pub(crate) fn command_line() -> Command {
    let file = Arg::new(CONFIG)
        .long(CONFIG)
        .global(true)
        .env("ROOTSTOCK_CONFIG")
        .value_name("FILE")
        .value_parser(ValueParser::path_buf())
        .help_heading("Configuration")
        .help("File of settings (TOML) under the options and the environment; none is looked for");
    Arguments::command().arg(file)
}

/// Reads a command line, with what the file that it names adds.
pub(crate) fn parse(line: &[OsString]) -> Result<Arguments, Unusable> {
    // What is required may stand in the file, whose name is only known after a first reading without requirements.
    let command = match without_requirements(command_line()).try_get_matches_from(line) {
        Ok(asked) => under(command_line(), &asked).map_err(Unusable::File)?,
        Err(_) => command_line(),
    };
    let mut matches = command.try_get_matches_from(line)?;
    Ok(Arguments::from_arg_matches_mut(&mut matches)?)
}

/// The command line with the file's values as defaults of the command that is asked for.
fn under(command: Command, asked: &ArgMatches) -> Result<Command, Refusal> {
    let path = subcommands(asked);
    let Some(name) = asked.get_one::<PathBuf>(CONFIG) else {
        return Ok(command);
    };
    if !path
        .first()
        .is_some_and(|first| options::is_configured(first))
    {
        return Ok(command);
    }
    let file = File::read(name, &options(&command))?;
    layers::apply(command, &file, &path)
}

fn subcommands(matches: &ArgMatches) -> Vec<String> {
    let mut names = Vec::new();
    let mut matches = matches;
    while let Some((name, below)) = matches.subcommand() {
        names.push(name.to_owned());
        matches = below;
    }
    names
}

fn without_requirements(command: Command) -> Command {
    command
        .mut_args(|arg| match arg.get_long() {
            Some(_) => arg.required(false),
            None => arg,
        })
        .mut_subcommands(without_requirements)
}
