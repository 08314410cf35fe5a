//! Which of the block devices is the volume.
//!
//! Invariant: two that could be meant are none: a copy of a disk beside it must not be taken for it.

use crate::{Error, Result};

/// A block device with a LUKS2 header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// As the kernel names it: `vda2`.
    pub device: String,
    /// UUID in its header.
    pub uuid: String,
}

/// The one with this UUID, or the only one where none is wanted.
///
/// # Errors
/// [`Error::Choice`] when there is none, or more than one.
pub fn choose<'a>(candidates: &'a [Candidate], wanted: Option<&str>) -> Result<&'a Candidate> {
    let fits = |candidate: &&Candidate| {
        wanted.is_none_or(|wanted| candidate.uuid.eq_ignore_ascii_case(wanted))
    };
    let found: Vec<&Candidate> = candidates.iter().filter(fits).collect();
    let named = |what: &str| match wanted {
        Some(uuid) => format!("{what} LUKS2 volume with UUID {uuid}"),
        None => format!("{what} LUKS2 volume"),
    };
    let what = match found[..] {
        [one] => return Ok(one),
        [] => named("no"),
        _ if wanted.is_some() => format!("{}; take the copy away", named("more than one")),
        _ => format!("{}; name one by rd.luks.uuid=", named("more than one")),
    };
    let seen = candidates
        .iter()
        .map(|candidate| format!("{} ({})", candidate.device, candidate.uuid));
    Err(Error::Choice {
        what,
        seen: seen.collect(),
    })
}
