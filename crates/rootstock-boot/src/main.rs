//! `rootstock-boot`: parses arguments, reads and writes files, prints; what is right or wrong is decided by the libraries.
//!
//! Invariant: nothing is written but what an option names, to a temporary name first, and a dry run writes nothing.

mod cli;
mod commands;
mod files;
mod print;

#[cfg(test)]
mod tests;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let out = print::Out::new(arguments.json, arguments.dry_run);
    match commands::run(arguments.command, &out) {
        Ok(print::Verdict::Good) => ExitCode::SUCCESS,
        Ok(print::Verdict::Bad) => ExitCode::from(1),
        Err(error) => {
            print::error(&error, arguments.json);
            let requested = |cause: &(dyn std::error::Error + 'static)| {
                matches!(
                    cause.downcast_ref::<boot_sign::Error>(),
                    Some(
                        boot_sign::Error::Requested { .. } | boot_sign::Error::WouldRequest { .. }
                    )
                )
            };
            ExitCode::from(if error.chain().any(requested) { 3 } else { 2 })
        }
    }
}
