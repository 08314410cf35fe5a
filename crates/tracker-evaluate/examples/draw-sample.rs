//! Draws proposals at random, to be judged by reading: `draw-sample PROPOSALS COUNT SEED`, lines of id and family.
//!
//! Drawn are those of the proposals file (`evaluate --proposals`) whose seeded digest is smallest, so that the sample
//! depends on nothing but the proposals and the seed, and a proposal that stays is drawn again.
//! Invariant: each proposal is as likely as any other.

#![expect(clippy::print_stdout, reason = "the sample is what it prints")]

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::io::BufRead as _;

#[derive(Deserialize)]
struct Proposal {
    vulnerability: String,
    family: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, count, seed] = arguments.as_slice() else {
        return Err("usage: draw-sample PROPOSALS COUNT SEED".into());
    };
    let count: usize = count.parse()?;
    let mut drawn = Vec::new();
    for line in std::io::BufReader::new(std::fs::File::open(file)?).lines() {
        let Proposal {
            vulnerability,
            family,
        } = serde_json::from_str(&line?)?;
        let text = format!("{seed}\t{vulnerability}\t{family}");
        drawn.push((Sha256::digest(text.as_bytes()), vulnerability, family));
    }
    drawn.sort();
    drawn.truncate(count);
    drawn.sort_by(|a, b| (&a.1, &a.2).cmp(&(&b.1, &b.2)));
    for (_, vulnerability, family) in drawn {
        println!("{vulnerability}\t{family}");
    }
    Ok(())
}
