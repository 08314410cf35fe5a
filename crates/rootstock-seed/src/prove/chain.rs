//! The stages S0 to S3 of a checkout, and the engine that runs them natively in the sandbox.

use crate::print::{self, Verdict};
use crate::sandbox;
use anyhow::Context;
use seed_proof::chain::{Sources, Stage};
use seed_proof::engine::{Engine, EngineError, Files, Run};
use serde_json::json;
use std::path::Path;

/// Reads the sources of S0 to S3.
pub(crate) fn sources(folder: &Path) -> anyhow::Result<Sources> {
    let mut texts: [Vec<u8>; 4] = Default::default();
    for stage in Stage::ALL {
        let path = folder.join(stage.file());
        texts[stage as usize] = std::fs::read(&path).with_context(|| path.display().to_string())?;
    }
    Ok(Sources::new(texts))
}

/// S3, built from the seed's source natively.
pub(crate) fn s3(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let built = sources(folder)?.build(&Native)?;
    let last = built.into_iter().last().context("the chain has stages")?;
    Ok(last.bytes)
}

/// Says what does not hold.
pub(crate) fn broken(problem: &dyn std::fmt::Display, json: bool) -> anyhow::Result<Verdict> {
    let problem = problem.to_string();
    let report = json!({ "good": false, "problem": problem });
    print::answer(&report, json, |_| format!("does not hold: {problem}"))?;
    Ok(Verdict::Bad)
}

/// Writes to a temporary name first.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, bytes).with_context(|| temporary.display().to_string())?;
    std::fs::rename(&temporary, path).with_context(|| path.display().to_string())
}

/// On this processor, in the sandbox; the only output is `out`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Native;

impl Engine for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn run(&self, program: &[u8], arguments: &[&str], files: Files) -> Result<Run, EngineError> {
        let failed = |what: String| EngineError::Native(what);
        let mut inputs = sandbox::Files::default();
        for (name, bytes) in &files {
            inputs.add(String::from_utf8_lossy(name).into_owned(), bytes.as_slice());
        }
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        let outcome = sandbox::run(program, &arguments, &inputs, Some("out"))
            .map_err(|error| failed(format!("{error:#}")))?;
        if outcome.status > 128 {
            return Err(failed(format!("killed by signal {}", outcome.status - 128)));
        }
        let mut files = files;
        files.remove(&b"out"[..]);
        files.extend(outcome.output.map(|bytes| (b"out".to_vec(), bytes)));
        Ok(Run {
            status: outcome.status as u8,
            files,
            output: outcome.stdout,
            errors: outcome.stderr,
            ..Run::default()
        })
    }
}
