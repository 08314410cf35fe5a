//! Any bytes as Hydra's answers. Invariant: read or refused, never a panic; what blocks is within its limit.
#![no_main]

use tracker_landing::hydra::{self, ChannelJob, JobsetState};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = hydra::evaluations(data);
    let _ = hydra::build(data);
    let job = ChannelJob::of("nixos-unstable");
    if let (Ok(builds), Some(job)) = (hydra::constituents(data), job) {
        let mut state = JobsetState::new(job);
        state.set_constituents(builds);
        assert!(state.blocking.len() <= hydra::MAX_BLOCKING);
        assert!(state.failed + state.unfinished <= state.constituents);
    }
});
