//! The binary of the bootstrap product: parses arguments and calls a library; one module a group of commands.
//!
//! Exit codes, for every command: 0 done and nothing against it, 1 done and something was found that fails,
//! 2 the command could not be carried out. A program of the bootstrap chain is run only inside a sandbox.

mod audit;
mod build;
mod cut;
mod diff;
mod explain;
mod export;
mod input;
mod policy;
mod print;
mod prove;
mod sandbox;
mod verify;
mod why;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// What a Nix closure still trusts, and a root that can be checked.
#[derive(Debug, Parser)]
#[command(name = "rootstock-seed", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::Audit),
    Why(why::Why),
    Cut(cut::Cut),
    Diff(diff::Diff),
    Policy(policy::Policy),
    Build(build::Build),
    Explain(explain::Explain),
    NixExport(export::NixExport),
    Verify(verify::Verify),
    Prove(prove::Prove),
}

fn main() -> ExitCode {
    // A step of a chain begins here, so nothing of the command line is set up for it.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == seed_build::sandbox::ENTER)
    {
        seed_build::sandbox::enter();
    }
    let result = match Arguments::parse().command {
        Command::Audit(command) => command.run(),
        Command::Why(command) => command.run(),
        Command::Cut(command) => command.run(),
        Command::Diff(command) => command.run(),
        Command::Policy(command) => command.run(),
        Command::Build(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::NixExport(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Prove(command) => command.run(),
    };
    result.unwrap_or_else(|error| {
        report(&error);
        ExitCode::from(2)
    })
}

/// An error and its causes on one line of standard error.
fn report(error: &anyhow::Error) {
    print::note(&format!("rootstock-seed: {error:#}"));
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::{Command, CommandFactory};

    /// Help of every command and group.
    fn helps(command: &Command) -> Vec<String> {
        let own = command.get_after_help().map(ToString::to_string);
        let inner = command.get_subcommands().flat_map(helps);
        own.into_iter().chain(inner.collect::<Vec<_>>()).collect()
    }

    #[test]
    fn every_example_can_be_copied() {
        let mut examples = 0;
        for help in helps(&Arguments::command()) {
            // Help is broken at 100 columns, and a broken line is two commands.
            let mut more = false;
            let long = help.lines().find(|line| {
                let example = more || line.trim_start().starts_with("rootstock-seed ");
                more = example && line.ends_with('\\');
                example && line.len() > 100
            });
            assert_eq!(long, None);
            for line in help.replace("\\\n     ", "").lines() {
                let words = line.split_whitespace();
                if words.clone().next() != Some("rootstock-seed") {
                    continue;
                }
                // Words behind a command would be files.
                assert!(!line.trim().contains("   "), "{line}");
                let parsed = Arguments::command().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{line}\n{}", parsed.unwrap_err());
                examples += 1;
            }
        }
        assert!(examples > 25, "{examples}");
    }
}
