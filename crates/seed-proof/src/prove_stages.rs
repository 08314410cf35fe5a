//! `prove stages`: S0 to S3 built natively, in the interpreter and by specification are the same bytes; and so
//! is what they make of generated and of damaged texts, errors included.

use crate::chain::{Built, ChainError, Sources, Stage, translate};
use crate::engine::{Engine, EngineError, Files, Interpreter, Run, specified};
use crate::texts::{self, Random};
use thiserror::Error;

/// What differs.
#[derive(Debug, Error)]
pub enum StagesError {
    /// The chain could not be built.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A stage could not be run on a text.
    #[error("{}, text {number}: {source}", stage.name())]
    Engine {
        /// The stage that was run.
        stage: Stage,
        /// Number of the text.
        number: u64,
        /// Why.
        source: EngineError,
    },
    /// Two ways to build a stage give other bytes.
    #[error("{}: {first} and {second} differ at byte {offset}", stage.name())]
    Built {
        /// The stage that was built.
        stage: Stage,
        /// One way.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// First different byte.
        offset: usize,
    },
    /// Two ways to run a stage on a text differ.
    #[error("{}, text {number}: {first} and {second} differ: {what}", stage.name())]
    Text {
        /// The stage that was run.
        stage: Stage,
        /// Number of the text.
        number: u64,
        /// One way.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// How.
        what: String,
    },
}

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Texts for each stage.
    pub texts: u64,
    /// One text of so many is run natively too.
    pub native: u64,
}

/// What was compared.
#[derive(Clone, Debug)]
pub struct StagesProof {
    /// The stages as the native chain built them.
    pub built: Vec<Built>,
    /// The same from the interpreter, with counts.
    pub interpreted: Vec<Built>,
    /// For each stage: texts that were accepted, and refused.
    pub texts: Vec<(Stage, u64, u64)>,
}

fn difference(a: &[u8], b: &[u8]) -> Option<usize> {
    let common = a.iter().zip(b).position(|(a, b)| a != b);
    common.or_else(|| (a.len() != b.len()).then_some(a.len().min(b.len())))
}

/// Builds the chain in each way and compares; then compares on `effort.texts` texts for each stage.
pub fn prove(
    sources: &Sources,
    native: &dyn Engine,
    effort: Effort,
) -> Result<StagesProof, StagesError> {
    let built = sources.build(native)?;
    let interpreted = sources.build(&Interpreter::default())?;
    for (native, other) in built.iter().zip(&interpreted) {
        let stage = native.stage;
        if let Some(offset) = difference(&native.bytes, &other.bytes) {
            let (first, second) = ("native", "interpreter");
            return Err(StagesError::Built {
                stage,
                first,
                second,
                offset,
            });
        }
        if let Some(Ok(bytes)) = specified(stage.builder(), sources.text(stage))
            && let Some(offset) = difference(&native.bytes, &bytes)
        {
            let (first, second) = ("native", "specification");
            return Err(StagesError::Built {
                stage,
                first,
                second,
                offset,
            });
        }
    }
    let mut texts = Vec::new();
    for stage in Stage::ALL {
        let program = &built[stage as usize].bytes;
        let (mut accepted, mut refused) = (0, 0);
        for number in 0..effort.texts {
            let made = make(sources, stage, number);
            let native = (number % effort.native == 0).then_some(native);
            if compare(stage, program, &made, number, native)? {
                accepted += 1;
            } else {
                refused += 1;
            }
        }
        texts.push((stage, accepted, refused));
    }
    Ok(StagesProof {
        built,
        interpreted,
        texts,
    })
}

/// A text for a stage, and what the compiled program must write where that is known.
struct Made {
    text: Vec<u8>,
    output: Option<Vec<u8>>,
}

fn make(sources: &Sources, stage: Stage, number: u64) -> Made {
    let mut random = Random(number << 8 | stage as u64);
    let mut output = None;
    let fresh = match stage {
        Stage::S0 => texts::hex(&mut random),
        Stage::S1 => texts::linked(&mut random),
        Stage::S2 => texts::assembly(&mut random),
        Stage::S3 => {
            let program = texts::program(&mut random);
            output = Some(program.output);
            program.text.into_bytes()
        }
    };
    let text = match number % 4 {
        0 | 1 => {
            return Made {
                text: fresh,
                output,
            };
        }
        3 if stage != Stage::S3 => {
            // What this stage builds is the next one.
            let next = Stage::ALL[stage as usize + 1];
            let excerpt = texts::excerpt(sources.text(next), &mut random);
            texts::damage(&excerpt, &mut random)
        }
        _ => texts::damage(&fresh, &mut random),
    };
    Made { text, output: None }
}

/// Compares all ways to run `program` on a text; whether it accepted the text.
fn compare(
    stage: Stage,
    program: &[u8],
    made: &Made,
    number: u64,
    native: Option<&dyn Engine>,
) -> Result<bool, StagesError> {
    let differ = |first, second, what| StagesError::Text {
        stage,
        number,
        first,
        second,
        what,
    };
    let run = |engine: &dyn Engine, program: &[u8], files: Option<&[u8]>| {
        let result = match files {
            Some(text) => translate(engine, stage, program, text),
            None => engine.run(program, &[], Files::new()),
        };
        result.map_err(|source| StagesError::Engine {
            stage,
            number,
            source,
        })
    };
    let first = run(&Interpreter::default(), program, Some(&made.text))?;
    let output = first.files.get(&b"out"[..]);
    if (first.status == 0) != output.is_some() {
        let what = format!(
            "status {} and an output: {}",
            first.status,
            output.is_some()
        );
        return Err(differ("interpreter", "the rule of errors", what));
    }
    if let Some(expected) = specified(stage, &made.text) {
        let found = match output {
            Some(bytes) => Ok(bytes.clone()),
            None => Err(first.errors.clone()),
        };
        if found != expected {
            let show = |result: &Result<Vec<u8>, Vec<u8>>| match result {
                Ok(bytes) => format!("{} bytes", bytes.len()),
                Err(message) => format!("error {:?}", String::from_utf8_lossy(message)),
            };
            let what = format!("{}, {}", show(&found), show(&expected));
            return Err(differ("interpreter", "specification", what));
        }
    }
    if let Some(native) = native {
        let second = run(native, program, Some(&made.text))?;
        same(&first, &second).map_err(|what| differ("interpreter", "native", what))?;
    }
    if let (Some(expected), Some(program)) = (&made.output, output) {
        let first = run(&Interpreter::default(), program, None)?;
        if first.output != *expected || first.status != 0 {
            let what = "the compiled program writes something else".to_owned();
            return Err(differ("interpreter", "the generator", what));
        }
        if let Some(native) = native {
            let second = run(native, program, None)?;
            same(&first, &second).map_err(|what| differ("interpreter", "native", what))?;
        }
    } else if made.output.is_some() {
        let what = String::from_utf8_lossy(&first.errors).into_owned();
        return Err(differ("interpreter", "the generator", what));
    }
    Ok(output.is_some())
}

fn same(first: &Run, second: &Run) -> Result<(), String> {
    for (what, same) in [
        ("status", first.status == second.status),
        ("files", first.files == second.files),
        ("output", first.output == second.output),
        ("messages", first.errors == second.errors),
    ] {
        if !same {
            return Err(what.to_owned());
        }
    }
    Ok(())
}
