//! `evaluate`, `learn` and `infer-cpe` from the command line: `cargo run --release -p tracker-evaluate --example
//! matching -- evaluate --help`. Invariant: arguments are parsed here, everything else is the library's.

use clap::Parser;
use std::process::ExitCode;
use tracker_evaluate::{EvaluateArgs, InferArgs, LearnArgs, evaluate, infer, learn};

/// Measures matching and fits its weights
#[derive(Debug, Parser)]
enum Command {
    /// Precision, recall and calibration of proposals against labels
    Evaluate(EvaluateArgs),
    /// Fit the weights file to labels
    Learn(LearnArgs),
    /// Vendor and product of records whose CPEs are hidden, against a curated overlay
    InferCpe(InferArgs),
}

fn main() -> ExitCode {
    let out = &mut std::io::stdout().lock();
    let outcome = match Command::parse() {
        Command::Evaluate(args) => evaluate::run(&args, out),
        Command::Learn(args) => learn::run(&args, out),
        Command::InferCpe(args) => infer::run(&args, out),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ =
                std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("error: {error}\n"));
            ExitCode::FAILURE
        }
    }
}
