//! Ways to run a stage: in the interpreter, as a specification, or as a caller of this library does it (natively).
//! Invariant: all take the same files and leave the same files, so that their outputs can be compared.

use crate::assemble::assemble;
use crate::x86::machine::{Fault, Machine};
use std::collections::BTreeMap;
use thiserror::Error;

pub use crate::x86::kernel::Files;

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Exit status.
    pub status: u8,
    /// The files after the run.
    pub files: Files,
    /// Text on descriptor 1.
    pub output: Vec<u8>,
    /// Text on descriptor 2.
    pub errors: Vec<u8>,
    /// Instructions, where they are counted.
    pub instructions: u64,
    /// System calls by number, where they are counted.
    pub calls: BTreeMap<u64, u64>,
}

/// Why a stage could not be run.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The caller's engine failed.
    #[error("{0}")]
    Native(String),
    /// The interpreter stopped.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A way to run a stage.
pub trait Engine {
    /// Its name in reports.
    fn name(&self) -> &'static str;
    /// Runs `program` in a folder with `files`; `arguments` follow the program's own name.
    fn run(&self, program: &[u8], arguments: &[&str], files: Files) -> Result<Run, EngineError>;
}

/// In the interpreter.
#[derive(Clone, Copy, Debug)]
pub struct Interpreter {
    /// Most instructions before the run counts as endless.
    pub limit: u64,
}

impl Default for Interpreter {
    /// More instructions than any stage needs by a factor of hundred.
    fn default() -> Interpreter {
        Interpreter {
            limit: 2_000_000_000,
        }
    }
}

impl Engine for Interpreter {
    fn name(&self) -> &'static str {
        "interpreter"
    }

    fn run(&self, program: &[u8], arguments: &[&str], files: Files) -> Result<Run, EngineError> {
        let mut list: Vec<&[u8]> = vec![b"/program"];
        list.extend(arguments.iter().map(|text| text.as_bytes()));
        let outcome = Machine::load(program, &list, files)?.run(self.limit)?;
        Ok(Run {
            status: outcome.status,
            files: outcome.files,
            output: outcome.output,
            errors: outcome.errors,
            instructions: outcome.instructions,
            calls: outcome.calls,
        })
    }
}

/// What the specification of a stage's language says about a text: its output, or the message of S0 to S2.
pub fn specified(stage: crate::chain::Stage, text: &[u8]) -> Option<Result<Vec<u8>, Vec<u8>>> {
    use crate::chain::Stage;
    let line = |line: usize| match line {
        0 => Vec::new(),
        line => format!("line {line}\n").into_bytes(),
    };
    Some(match stage {
        Stage::S0 => crate::hex::decode(text).map_err(|error| match error.offset() {
            None => Vec::new(),
            Some(offset) => {
                let mut message = text[offset.min(text.len())..].to_vec();
                message.resize(64, 0);
                message
            }
        }),
        Stage::S1 => crate::link::link(text).map_err(|error| line(error.line)),
        Stage::S2 => assemble(text).map_err(|error| line(error.line)),
        Stage::S3 => return None,
    })
}
