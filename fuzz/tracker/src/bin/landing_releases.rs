//! Any bytes as a channel's history. Invariant: read or refused, never a panic; releases come in order.
#![no_main]

use tracker_landing::releases;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for channel in [None, Some("nixos-unstable")] {
        if let Ok(listing) = releases::read(data, channel) {
            let order = |release: &releases::Listed| (release.channel.clone(), release.time);
            assert!(listing.releases.is_sorted_by_key(order));
        }
    }
});
