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
    use std::fs;
    use std::path::Path;

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

    #[test]
    fn what_the_book_shows_is_taken() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let book = fs::read_dir(root.join("docs/seed")).unwrap();
        let stages = ["S0", "S1", "S2", "S3", "S4"];
        let stages = stages.map(|stage| root.join("bootstrap/amd64").join(stage).join("README.md"));
        let book = book.map(|entry| entry.unwrap().path()).chain(stages);
        let mut commands = 0;
        for document in book.chain([root.join("README.md")]) {
            let text = fs::read_to_string(&document).unwrap().replace("\\\n", " ");
            for line in text.split("```").skip(1).step_by(2).flat_map(str::lines) {
                let line = line.split_once(" #").map_or(line, |(command, _)| command);
                let whole = !line.contains(['…', '|', '&', '>', '$']) && !line.contains("...");
                let words = line.split_whitespace();
                if !whole || words.clone().next() != Some("rootstock-seed") {
                    continue;
                }
                let parsed = Arguments::command().try_get_matches_from(words);
                let name = document.display();
                if let Err(error) = parsed {
                    assert!(!error.use_stderr(), "{name}: {line}\n{error}");
                }
                commands += 1;
            }
        }
        assert!(commands > 5, "{commands}");
    }
}
