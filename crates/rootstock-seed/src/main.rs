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
#[expect(clippy::print_stderr, reason = "the program's one place for errors")]
fn report(error: &anyhow::Error) {
    eprintln!("rootstock-seed: {error:#}");
}
