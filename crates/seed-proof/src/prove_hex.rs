//! `prove hex`: every byte of S0, S1 and S2 is what its annotation says, is reached or is data, and the seed
//! is the language. Invariant: the three ways to make the bytes (annotations, the language, the walk) agree.

use crate::behaviour::{self, Behaviour, BehaviourError};
use crate::chain::{Sources, Stage};
use crate::flow::{self, FlowError};
use crate::listing::{self, BASE, Checked, Dialect, ListingError};
use crate::x86::memory::{LoadError, Segment};
use thiserror::Error;

/// The largest seed that the project allows.
pub const SEED_LIMIT: usize = 229;

/// What is wrong, and in which stage.
#[derive(Debug, Error)]
#[error("{}: {problem}", stage.file())]
pub struct HexProofError {
    /// The stage.
    pub stage: Stage,
    /// What is wrong.
    pub problem: HexProblem,
}

/// Kinds of failure.
#[derive(Debug, Error)]
pub enum HexProblem {
    /// An annotation does not hold.
    #[error(transparent)]
    Listing(#[from] ListingError),
    /// The listing is not text.
    #[error("not UTF-8")]
    Text,
    /// The language gives other bytes than the annotations.
    #[error("the language reads other bytes than the listing: {0}")]
    Language(String),
    /// The headers are wrong.
    #[error(transparent)]
    Header(#[from] LoadError),
    /// The entry is not at the label `start`.
    #[error("execution begins at {0:#x}, not at `start`")]
    Entry(u64),
    /// The seed is too large.
    #[error("the seed has {0} bytes; {SEED_LIMIT} are allowed")]
    Size(usize),
    /// A path is wrong.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// The seed does something else.
    #[error(transparent)]
    Behaviour(#[from] BehaviourError),
}

/// What was proved about one stage.
#[derive(Clone, Debug)]
pub struct StageProof {
    /// The stage.
    pub stage: Stage,
    /// The checked listing.
    pub listing: Checked,
    /// Instructions that the walk reached.
    pub reached: usize,
}

/// What was proved.
#[derive(Clone, Debug)]
pub struct HexProof {
    /// S0, S1 and S2.
    pub stages: Vec<StageProof>,
    /// The seed's behaviour.
    pub behaviour: Behaviour,
}

/// Proves one stage's listing.
pub fn prove_stage(stage: Stage, text: &[u8]) -> Result<StageProof, HexProofError> {
    let at = |problem| HexProofError { stage, problem };
    check_stage(stage, text).map_err(at)
}

fn check_stage(stage: Stage, text: &[u8]) -> Result<StageProof, HexProblem> {
    let dialect = if stage == Stage::S2 {
        Dialect::Linked
    } else {
        Dialect::Hex
    };
    let readable = std::str::from_utf8(text).map_err(|_| HexProblem::Text)?;
    let listing = listing::check(readable, dialect)?;
    let language = match dialect {
        Dialect::Hex => crate::hex::decode(text).map_err(|error| error.to_string()),
        Dialect::Linked => crate::link::link(text).map_err(|error| error.to_string()),
    };
    match language {
        Ok(bytes) if bytes == listing.bytes => {}
        Ok(_) => return Err(HexProblem::Language("they differ".to_owned())),
        Err(error) => return Err(HexProblem::Language(error)),
    }
    let segment = Segment::read(&listing.bytes)?;
    let start = listing
        .labels
        .get("start")
        .map(|offset| *offset as u64 + BASE as u64);
    if start != Some(segment.entry) || segment.address != BASE as u64 {
        return Err(HexProblem::Entry(segment.entry));
    }
    let reached = flow::walk(&listing)?;
    Ok(StageProof {
        stage,
        listing,
        reached,
    })
}

/// Proves S0, S1 and S2, and the seed's behaviour.
pub fn prove(sources: &Sources) -> Result<HexProof, HexProofError> {
    let mut stages = Vec::new();
    for stage in [Stage::S0, Stage::S1, Stage::S2] {
        stages.push(prove_stage(stage, sources.text(stage))?);
    }
    let at = |problem| HexProofError {
        stage: Stage::S0,
        problem,
    };
    let size = stages[0].listing.bytes.len();
    if size > SEED_LIMIT {
        return Err(at(HexProblem::Size(size)));
    }
    let behaviour = behaviour::prove(&stages[0].listing).map_err(|error| at(error.into()))?;
    Ok(HexProof { stages, behaviour })
}
