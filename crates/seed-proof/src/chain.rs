//! The chain S0 to S3: its sources, and what builds what. Invariant: a stage is built by the stage before
//! it and by nothing else; the seed itself is its own source, read as hexadecimal.

use crate::engine::{Engine, EngineError, Files, Run};
use thiserror::Error;

/// A stage up to S3, and where its source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The seed: commented hexadecimal.
    S0,
    /// The linker: labels and references.
    S1,
    /// The assembler.
    S2,
    /// The compiler of the subset of C.
    S3,
}

impl Stage {
    /// All stages, in the order of building.
    pub const ALL: [Stage; 4] = [Stage::S0, Stage::S1, Stage::S2, Stage::S3];

    /// Its folder's name.
    pub fn name(self) -> &'static str {
        ["S0", "S1", "S2", "S3"][self as usize]
    }

    /// Its source, below the chain's folder.
    pub fn file(self) -> &'static str {
        [
            "S0/seed.hex0",
            "S1/linker.hex0",
            "S2/assembler.hex1",
            "S3/compiler.s2",
        ][self as usize]
    }

    /// The stage that builds it; the seed builds itself.
    pub fn builder(self) -> Stage {
        Stage::ALL[(self as usize).saturating_sub(1)]
    }
}

/// What can go wrong around a chain.
#[derive(Debug, Error)]
pub enum ChainError {
    /// The seed's source is not hexadecimal.
    #[error("S0: {0}")]
    Seed(#[from] crate::hex::HexError),
    /// A stage could not be run.
    #[error("{stage}: {source}", stage = stage.name())]
    Engine {
        /// The stage that was being built.
        stage: Stage,
        /// Why.
        source: EngineError,
    },
    /// A stage refused its input.
    #[error("{stage}: status {status}: {message}", stage = stage.name())]
    Refused {
        /// The stage that was being built.
        stage: Stage,
        /// Exit status of its builder.
        status: u8,
        /// What the builder said.
        message: String,
    },
}

/// The sources of all stages.
#[derive(Clone, Debug)]
pub struct Sources {
    texts: [Vec<u8>; 4],
}

impl Sources {
    /// The texts of S0 to S3, in this order.
    pub fn new(texts: [Vec<u8>; 4]) -> Sources {
        Sources { texts }
    }

    /// The source of a stage.
    pub fn text(&self, stage: Stage) -> &[u8] {
        &self.texts[stage as usize]
    }

    /// The same sources but for one.
    pub fn with(&self, stage: Stage, text: Vec<u8>) -> Sources {
        let mut changed = self.clone();
        changed.texts[stage as usize] = text;
        changed
    }

    /// Builds S0 to S3; the outputs in that order, and how each run went.
    pub fn build(&self, engine: &dyn Engine) -> Result<Vec<Built>, ChainError> {
        let seed = crate::hex::decode(self.text(Stage::S0))?;
        let mut built: Vec<Built> = Vec::new();
        for stage in Stage::ALL {
            let program = match stage {
                Stage::S0 => &seed,
                _ => &built[stage.builder() as usize].bytes,
            };
            let run = translate(engine, stage.builder(), program, self.text(stage))
                .map_err(|source| ChainError::Engine { stage, source })?;
            match run.files.get(&b"out"[..]) {
                Some(bytes) if run.status == 0 => built.push(Built {
                    stage,
                    bytes: bytes.clone(),
                    run,
                }),
                _ => {
                    return Err(ChainError::Refused {
                        stage,
                        status: run.status,
                        message: String::from_utf8_lossy(&run.errors).trim().to_owned(),
                    });
                }
            }
        }
        Ok(built)
    }
}

/// A stage that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// Which.
    pub stage: Stage,
    /// The program.
    pub bytes: Vec<u8>,
    /// The run of its builder.
    pub run: Run,
}

/// Runs `program`, which is `stage`, on one source; the output's name is `out`.
pub fn translate(
    engine: &dyn Engine,
    stage: Stage,
    program: &[u8],
    source: &[u8],
) -> Result<Run, EngineError> {
    let files = Files::from([(b"in".to_vec(), source.to_vec())]);
    let arguments: [&str; 2] = if stage == Stage::S3 {
        ["out", "in"]
    } else {
        ["in", "out"]
    };
    engine.run(program, &arguments, files)
}
