//! `prove tamper`: flip every byte of every source and program, one at a time; each must be detected, and the
//! stage named. Invariant: the record detects all; what the other checks would see without it is counted.

use crate::chain::{Built, ChainError, Sources, Stage, translate};
use crate::engine::{Interpreter, specified};
use crate::prove_hex;
use crate::sums::{self, SumError};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// A change that was not detected, or not in its stage.
#[derive(Debug, Error)]
pub enum TamperError {
    /// The chain itself is wrong, so that nothing can be said about changes.
    #[error("the chain before any change: {0}")]
    Before(#[from] SumError),
    /// The chain could not be built.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A flipped byte went through.
    #[error("{what} of {}, byte {offset}: a flip was {found}", stage.name())]
    Missed {
        /// The stage that was changed.
        stage: Stage,
        /// Source or program.
        what: &'static str,
        /// Where.
        offset: usize,
        /// What the check said.
        found: String,
    },
}

/// What one kind of change led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Changes that were tried.
    pub tried: usize,
    /// Refused by the annotations, the walk or the seed's behaviour, or by the stage that reads it.
    pub refused: usize,
    /// Accepted, but the program that comes out is another one, so the stage's own sum differs.
    pub differs: usize,
    /// Accepted, and the same program comes out: comments and blanks. Only the source's sum sees them.
    pub prose: usize,
}

/// What was detected.
#[derive(Clone, Debug, Default)]
pub struct TamperProof {
    /// Flips that the record detected with the right stage: sources, programs.
    pub recorded: (usize, usize),
    /// Without the record: each stage's source.
    pub sources: Vec<(Stage, Seen)>,
    /// Without the record: one flipped bit of the seed, when it builds S1. "Prose" are bits without an effect.
    pub seed: Seen,
}

/// Flips bytes. Without the record, one source byte of `every` is tried, since each needs a build.
pub fn prove(
    sources: &Sources,
    built: &[Built],
    record: &str,
    every: usize,
) -> Result<TamperProof, TamperError> {
    sums::check(record, sources, built)?;
    let mut proof = TamperProof::default();
    for stage in Stage::ALL {
        let source = |sum: &str| sums::check_source(record, stage, sum);
        proof.recorded.0 += flip_all(stage, "source", sources.text(stage), source)?;
        let program = |sum: &str| sums::check_program(record, stage, sum);
        proof.recorded.1 += flip_all(stage, "program", &built[stage as usize].bytes, program)?;
        if stage != Stage::S3 {
            proof
                .sources
                .push((stage, unrecorded(sources, built, stage, every)));
        }
    }
    proof.seed = seed(sources, built);
    Ok(proof)
}

/// The flip of a byte: each bit has its turn.
fn flipped(offset: usize) -> u8 {
    1 << (offset % 8)
}

/// Flips each byte and asks the record. Sums of the unchanged beginning are kept, not computed again.
fn flip_all(
    stage: Stage,
    what: &'static str,
    bytes: &[u8],
    check: impl Fn(&str) -> Result<(), SumError>,
) -> Result<usize, TamperError> {
    let mut before = Sha256::new();
    for (offset, byte) in bytes.iter().enumerate() {
        let mut sum = before.clone();
        sum.update([byte ^ flipped(offset)]);
        sum.update(&bytes[offset + 1..]);
        let sum = ::hex::encode(sum.finalize());
        match check(&sum) {
            Err(error) if error.stage() == Some(stage) => {}
            other => {
                let found = format!("{other:?}");
                return Err(TamperError::Missed {
                    stage,
                    what,
                    offset,
                    found,
                });
            }
        }
        before.update([*byte]);
    }
    Ok(bytes.len())
}

/// What is seen of flips in a source if nothing is recorded about sources.
fn unrecorded(sources: &Sources, built: &[Built], stage: Stage, every: usize) -> Seen {
    let mut seen = Seen::default();
    let text = sources.text(stage);
    for offset in (0..text.len()).step_by(every.max(1)) {
        let mut changed = text.to_vec();
        changed[offset] ^= flipped(offset);
        seen.tried += 1;
        match specified(stage.builder(), &changed) {
            Some(Ok(bytes)) if prove_hex::prove_stage(stage, &changed).is_ok() => {
                if bytes == built[stage as usize].bytes {
                    seen.prose += 1;
                } else {
                    seen.differs += 1;
                }
            }
            _ => seen.refused += 1,
        }
    }
    seen
}

/// What is seen of each flipped bit of the seed when it builds S1.
fn seed(sources: &Sources, built: &[Built]) -> Seen {
    let mut seen = Seen::default();
    let seed = &built[0].bytes;
    // A damaged seed may not end by itself; ten times the right one's instructions are enough to tell.
    let interpreter = Interpreter { limit: 1_000_000 };
    for bit in 0..seed.len() * 8 {
        let mut changed = seed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        seen.tried += 1;
        match translate(&interpreter, Stage::S0, &changed, sources.text(Stage::S1)) {
            Ok(run) if run.status == 0 => match run.files.get(&b"out"[..]) {
                Some(bytes) if *bytes == built[1].bytes => seen.prose += 1,
                _ => seen.differs += 1,
            },
            _ => seen.refused += 1,
        }
    }
    seen
}
