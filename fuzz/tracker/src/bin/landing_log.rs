//! Any bytes as a stream of `git log`, indexed and asked. Invariant: never a panic, whatever commits claim.
#![no_main]

use jiff::Timestamp;
use tracker_landing::archive::{HeadSeen, Segment};
use tracker_landing::index::LandingIndex;
use tracker_landing::log::LogReader;

/// Enough for a history of some hundred commits.
const MAX_INPUT: usize = 32 * 1024;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = data.get(..MAX_INPUT).unwrap_or(data);
    let mut index = LandingIndex::new();
    for commit in LogReader::new(data).map_while(Result::ok) {
        let head = |line: &str| HeadSeen {
            line: line.to_owned(),
            commit: commit.name,
            time: commit.time,
            release: String::new(),
            observed: false,
        };
        let heads = ["trunk:master", "branch:staging", "channel:nixos-unstable"].map(head);
        if index.take(Segment::Commits(vec![commit.clone()])).is_err() {
            return;
        }
        for seen in heads {
            // A head is no reason to refuse anything.
            assert!(index.take(Segment::Head(seen)).is_ok());
        }
    }
    index.settle();
    let now = Timestamp::UNIX_EPOCH;
    for commit in index.graph().commits().take(64) {
        let _ = index.answer_for(commit, None, now);
    }
});
