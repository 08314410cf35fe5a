//! Tests of the proofs on the real chain, of the specifications on hostile texts, and of the encoder against
//! GNU `as`.

mod chain;
mod encoder;
mod listing;
mod machine;
mod native;
mod specification;

use seed_proof::chain::{Sources, Stage};
use std::path::Path;

/// The chain of this checkout.
fn sources() -> Sources {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bootstrap/amd64");
    Sources::new(
        Stage::ALL.map(|stage| {
            std::fs::read(folder.join(stage.file())).expect("the checkout has the chain")
        }),
    )
}
