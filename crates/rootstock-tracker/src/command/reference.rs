//! What is made from the command line itself: completions, manual pages, the reference.

use crate::arguments::ReferencePage;
use crate::config::{self, command_line};
use crate::output::{self, Outcome};
use anyhow::Context;
use clap::Command;
use std::fmt::Write;
use std::path::PathBuf;

/// Prints a shell's completions.
pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_line(), "rootstock-tracker", &mut script);
    output::text(&String::from_utf8(script).context("the completions are no text")?)?;
    Ok(Outcome::Done)
}

/// Prints the manual page, or writes all of them.
pub(crate) fn man(out: Option<PathBuf>) -> anyhow::Result<Outcome> {
    let Some(folder) = out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command_line()).render(&mut page)?;
        output::text(&String::from_utf8(page).context("the manual page is no text")?)?;
        return Ok(Outcome::Done);
    };
    clap_mangen::generate_to(command_line().disable_help_subcommand(true), &folder)
        .with_context(|| format!("the manual pages cannot be written to {}", folder.display()))?;
    Ok(Outcome::Done)
}

/// Prints a page of the reference.
pub(crate) fn markdown(page: ReferencePage) -> anyhow::Result<Outcome> {
    let page = match page {
        ReferencePage::Commands => commands()?,
        ReferencePage::Config => config::page(&config::options(&command_line())),
    };
    output::text(&page)?;
    Ok(Outcome::Done)
}

fn commands() -> anyhow::Result<String> {
    let mut command = command_line().disable_help_subcommand(true).term_width(100);
    command.build();
    let mut page = String::from(
        "# `rootstock-tracker`\n\nMade by `rootstock-tracker reference`; a test compares. Variables are named beside the option that they set.\n",
    );
    section(&mut command, &mut page)?;
    Ok(page)
}

fn section(command: &mut Command, page: &mut String) -> anyhow::Result<()> {
    let help = command.clone().render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    write!(
        page,
        "\n## `{}`\n\n```text\n{}\n```\n",
        full_name(command),
        lines.join("\n")
    )?;
    let mut below: Vec<Command> = shown(command).cloned().collect();
    below
        .iter_mut()
        .try_for_each(|command| section(command, page))
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
}

fn full_name(command: &Command) -> String {
    command
        .get_bin_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned()
}
