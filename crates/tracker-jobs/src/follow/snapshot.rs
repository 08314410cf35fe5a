//! All that a source states, as one list: what it held before and states no more is taken back.
//!
//! Invariant: a list that lacks more of what is held than lists lose changes nothing, and of a list with parts that are
//! no documents nothing is taken as missing.

use super::FollowError;
use super::file::shape;
use super::run::Run;
use crate::error::JobError;
use crate::input::Input;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tracker_record::feed::Feed;
use tracker_record::unpack::unpack;
use tracker_record::{Source, read_document};
use tracker_store::Withdrawal;

/// The largest part of what is held, in hundredths, that a list may lack.
const MOST_LOST_PERCENT: u64 = 10;

/// So many may be lacking whatever part they are: short lists lose a large part with one.
const FEW_LOST: u64 = 10;

/// What a list must name: the records of a source whose ids begin so.
#[derive(Debug, Clone)]
pub(super) struct Domain {
    pub(super) source: Source,
    pub(super) prefix: String,
}

/// Records of a domain that a list does not name.
#[derive(Debug)]
pub(super) struct Lost {
    source: Source,
    pub(super) ids: Vec<String>,
}

/// Of what is held of a domain, what the inputs do not state.
///
/// # Errors
/// [`FollowError::Truncated`] if it is too much to be believed.
pub(super) async fn lost(
    run: &Run<'_>,
    domain: &Domain,
    input: Input,
) -> Result<Lost, FollowError> {
    let source = domain.source;
    let reading = tokio::task::spawn_blocking(move || stated(source, input)).await;
    let stated = reading.map_err(|error| JobError::Worker(error.to_string()))??;
    let Some(stated) = stated else {
        tracing::info!(%source, "parts of the list cannot be read: nothing is taken back");
        let ids = Vec::new();
        return Ok(Lost { source, ids });
    };
    missing(run, domain, &stated).await
}

/// Of what is held of a domain, what is not among the ids.
///
/// # Errors
/// As [`lost`].
pub(super) async fn missing(
    run: &Run<'_>,
    domain: &Domain,
    stated: &HashSet<String>,
) -> Result<Lost, FollowError> {
    let source = domain.source;
    let absent = |id: &str| !stated.contains(id);
    let held = run.store().stated_records(source, &domain.prefix, absent);
    let (ids, held) = held.await.map_err(JobError::from)?;
    believe(ids.len() as u64, held)?;
    Ok(Lost { source, ids })
}

/// Whether a list may lack so much of what is held.
///
/// # Errors
/// [`FollowError::Truncated`] if not.
pub(super) fn believe(lost: u64, held: u64) -> Result<(), FollowError> {
    if lost > FEW_LOST && lost * 100 > held * MOST_LOST_PERCENT {
        let reason = format!("{lost} of the {held} records that are held are missing");
        return Err(FollowError::Truncated { reason });
    }
    Ok(())
}

/// Takes back what was lost, after what the list states is imported.
pub(super) async fn take_back(run: &mut Run<'_>, lost: &Lost) -> Result<(), FollowError> {
    run.withdraw(lost.source, &lost.ids, Withdrawal::Whole)
        .await
}

/// The ids of a source's records in an input; none if a part of it is no document.
fn stated(source: Source, input: Input) -> Result<Option<HashSet<String>>, FollowError> {
    let (files, _) = input.files()?;
    let mut ids = HashSet::new();
    let mut whole = true;
    for file in files {
        let content = file.open(&Arc::new(AtomicU64::new(0))).map_err(shape)?;
        let unpacked = unpack(&file.name, content, |member, content| {
            if !file.wants(member) {
                return;
            }
            let Ok(Ok(feed)) = content.map(Feed::open) else {
                whole = false;
                return;
            };
            for document in feed {
                match document.map(|document| read_document(&document.raw)) {
                    // What cannot be read now is not what was read before: its id is wrong.
                    Ok(Ok(reading)) if reading.record.source == source => {
                        ids.insert(reading.record.id);
                    }
                    Ok(_) => {}
                    Err(_) => whole = false,
                }
            }
        });
        unpacked.map_err(shape)?;
    }
    Ok(whole.then_some(ids))
}

#[cfg(test)]
mod tests {
    use super::believe;

    #[test]
    fn a_list_may_lack_little() {
        for (lost, held) in [(0, 0), (10, 10), (10, 50), (11, 110), (1000, 10_000)] {
            assert!(believe(lost, held).is_ok(), "{lost} of {held}");
        }
        for (lost, held) in [(11, 11), (11, 109), (1001, 10_000)] {
            let told = believe(lost, held).unwrap_err().to_string();
            assert!(told.starts_with("cut off: "), "{told}");
        }
    }
}
