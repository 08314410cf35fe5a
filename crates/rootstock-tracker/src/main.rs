//! The tracker's program. Layer: binary.
//!
//! Reading order: `arguments` (what can be asked), `config` (the same asked by a file), `command` (one module a command), `progress` and `output`
//! (what is shown meanwhile and at the end).
//! Invariant: it parses arguments and calls libraries; whatever it does, a test can do without it.

mod arguments;
mod command;
mod config;
mod logs;
mod output;
mod progress;
mod snapshot;

use config::Unusable;
use output::Outcome;
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let line: Vec<OsString> = std::env::args_os().collect();
    let arguments = match config::parse(&line) {
        Ok(arguments) => arguments,
        Err(Unusable::CommandLine(error)) => {
            // A closed standard error leaves nobody to tell.
            let _ = error.print();
            return ExitCode::from(error.exit_code() as u8);
        }
        Err(Unusable::File(refusal)) => {
            output::failure(&refusal.into());
            return Outcome::unusable();
        }
    };
    logs::start(&arguments.logs);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            output::failure(&anyhow::Error::new(error).context("the runtime does not start"));
            return Outcome::FAILED;
        }
    };
    let outcome = runtime.block_on(command::run(arguments.command));
    // A thread that waits for git or a disk is not waited for: it may be killed at any moment.
    runtime.shutdown_background();
    match outcome {
        Ok(outcome) => outcome.code(),
        // A reader that has seen enough (`| head`) is no failure of ours.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::failure(&error);
            output::code_of(&error)
        }
    }
}
