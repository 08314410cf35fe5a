//! The floor of security epochs follows what has started well: an entry is blessed on every partition, and only then the TPM's
//! counter is raised to the epoch that its image states.
//!
//! Invariants: the counter never passes the epoch of an entry that is whole and blessed on every partition; a power cut between
//! any two steps leaves a machine whose running generation still unlocks, and the next call goes on where the last one ended.

use boot_esp::{EspPath, FoundEntry, Judgement, State, Stem, Survey, Volume, bless, survey};
use boot_install::{EpochCounter, judge};
use boot_pe::Image;
use boot_pe::epoch::epoch_of;
use boot_tpm::{Tpm, Transport};
use serde::Serialize;

/// Why the floor was not raised; the entry may be blessed all the same.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A partition can't be read or written.
    #[error(transparent)]
    Volume(#[from] boot_esp::Error),
    /// The TPM refused.
    #[error(transparent)]
    Tpm(#[from] boot_tpm::Error),
    /// An image can't be read.
    #[error("{path}")]
    Image {
        /// Which.
        path: EspPath,
        /// Why.
        #[source]
        error: boot_pe::Error,
    },
    /// The entry is not what a floor may follow.
    #[error("{entry}: {why}; the floor stays")]
    Unproven {
        /// The entry.
        entry: String,
        /// What it lacks.
        why: &'static str,
    },
}

/// What the functions of this crate answer.
pub type Result<T> = std::result::Result<T, Error>;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Followed {
    /// True when the entry's name changed on a partition.
    pub blessed: bool,
    /// The epoch that the entry states.
    pub epoch: u32,
    /// What the counter held before; none when it is not defined.
    pub before: Option<u64>,
    /// What it holds now.
    pub floor: Option<u64>,
}

/// Blesses the entry that runs on every volume that holds entries, then raises the counter to its epoch. A counter that is as
/// high already stays, as after a rollback that the floor allows; one that is not defined is left undefined.
///
/// # Errors
/// When a volume lacks the entry or its images differ in epoch, or the TPM refuses. What was blessed stays so.
pub fn follow<T: Transport>(
    volumes: &[&dyn Volume],
    running: &Stem,
    counter: EpochCounter,
    tpm: &mut Tpm<T>,
    owner: &[u8],
) -> Result<Followed> {
    let mut blessed = false;
    for volume in volumes {
        blessed |= bless(*volume, running, &judge)?;
    }
    let epoch = proven_epoch(volumes, running)?;
    let before = tpm.floor(counter.index)?;
    let wanted = counter.floor(epoch).epoch;
    let floor = match before {
        Some(held) if held < wanted => Some(tpm.raise_floor(counter.index, wanted, owner)?),
        held => held,
    };
    Ok(Followed {
        blessed,
        epoch,
        before,
        floor,
    })
}

/// The epoch of an entry that is whole and blessed on every volume.
///
/// # Errors
/// When it is not, or the volumes' images state different epochs.
pub fn proven_epoch(volumes: &[&dyn Volume], entry: &Stem) -> Result<u32> {
    let unproven = |why| Error::Unproven {
        entry: entry.to_string(),
        why,
    };
    let mut epochs = Vec::new();
    for volume in volumes {
        let found = survey(*volume, &judge)?;
        let good = proven(&found, entry).ok_or_else(|| unproven("it is not whole and blessed"))?;
        let image = Image::parse(&good.bytes).and_then(|image| epoch_of(&image));
        epochs.push(image.map_err(|error| Error::Image {
            path: good.path.clone(),
            error,
        })?);
    }
    let first = epochs
        .first()
        .ok_or_else(|| unproven("there is no partition with entries"))?;
    if epochs.iter().any(|epoch| epoch != first) {
        return Err(unproven("the partitions' images state different epochs"));
    }
    Ok(*first)
}

fn proven<'a>(found: &'a Survey, entry: &Stem) -> Option<&'a FoundEntry> {
    let good = |one: &&FoundEntry| {
        one.stem == *entry
            && one.name.state() == State::Good
            && matches!(one.judgement, Judgement::Valid(_))
            && found.is_intact(one)
    };
    // A counted name beside the good one is a blessing that was cut off.
    let counted = |one: &FoundEntry| one.stem == *entry && one.name.state() != State::Good;
    if found.entries.iter().any(counted) {
        return None;
    }
    found.entries.iter().find(good)
}
