//! `evaluate`, `learn`, `infer-cpe`: how good matching is, and the weights that make it so. No database is asked.

use crate::output::Outcome;
use std::io::{self, Write};
use tracker_evaluate::{EvaluateArgs, EvaluateError, InferArgs, LearnArgs, evaluate, infer, learn};

/// Measures matching.
pub(super) fn evaluate(arguments: &EvaluateArgs) -> anyhow::Result<Outcome> {
    print(|out| evaluate::run(arguments, out))
}

/// Fits the weights.
pub(super) fn learn(arguments: &LearnArgs) -> anyhow::Result<Outcome> {
    print(|out| learn::run(arguments, out))
}

/// Infers and compares.
pub(super) fn infer_cpe(arguments: &InferArgs) -> anyhow::Result<Outcome> {
    print(|out| infer::run(arguments, out))
}

fn print(run: impl FnOnce(&mut dyn Write) -> Result<(), EvaluateError>) -> anyhow::Result<Outcome> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    run(&mut out)?;
    out.flush()?;
    Ok(Outcome::Done)
}
