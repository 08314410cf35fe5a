//! House-keeping commands (`cargo xtask tidy`). Invariant: every check here also runs as an ordinary test.

#![expect(
    clippy::print_stdout,
    reason = "a command-line program reports on standard output"
)]

mod tidy;

use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => {
            let problems = tidy::problems()?;
            for problem in &problems {
                println!("{problem}");
            }
            println!("tidy: {} problems", problems.len());
            Ok(if problems.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        _ => {
            println!(
                "usage: cargo xtask tidy\n\n  tidy   check the house rules that the compiler cannot"
            );
            Ok(ExitCode::from(2))
        }
    }
}
