//! Prints how fast a tree is hashed as a NAR: against SHA-256 of the same bytes in memory, and against
//! `nix-store --dump TREE | sha256sum`, all in one run, best of several rounds each, in turns.
//!
//! `cargo run --release -p nix-archive --example nar-rate [TREE]`; without TREE, a tree of 512 MiB is made.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring program for the terminal"
)]

use nix_archive::tree::{Case, dump};
use nix_store_path::{Algorithm, Hash};
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const ROUNDS: usize = 7;

fn main() {
    let made = tempfile::tempdir().unwrap();
    let tree = std::env::args()
        .nth(1)
        .map_or_else(|| make(made.path()), PathBuf::from);
    let nar = dump(&tree, Vec::new(), Case::Kept).unwrap();
    let gigabytes = nar.len() as f64 / 1e9;
    let mut memory = Duration::MAX;
    let mut ours = Duration::MAX;
    let mut theirs = Duration::MAX;
    let shell = format!("nix-store --dump '{}' | sha256sum", tree.display());
    for _ in 0..ROUNDS {
        memory = memory.min(time(|| Hash::of(Algorithm::Sha256, &nar).base16()));
        ours = ours.min(time(|| {
            nix_archive::hash(&tree, Algorithm::Sha256, Case::Kept)
                .unwrap()
                .hash
                .base16()
        }));
        theirs = theirs.min(time(|| {
            let output = Command::new("sh").args(["-c", &shell]).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        }));
    }
    let rate = |time: Duration| gigabytes / time.as_secs_f64();
    println!("archive                             {gigabytes:.3} GB");
    println!(
        "SHA-256 of these bytes in memory    {:.2} GB/s",
        rate(memory)
    );
    println!("nix_archive::hash of the tree       {:.2} GB/s", rate(ours));
    println!(
        "nix-store --dump | sha256sum        {:.2} GB/s",
        rate(theirs)
    );
    println!(
        "ratio to SHA-256 in memory          {:.2}",
        memory.as_secs_f64() / ours.as_secs_f64()
    );
    println!(
        "ratio to nix-store --dump           {:.2}",
        theirs.as_secs_f64() / ours.as_secs_f64()
    );
}

fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

/// A tree like a large package: few large files, many small ones.
fn make(root: &Path) -> PathBuf {
    let tree = root.join("tree");
    fs::create_dir(&tree).unwrap();
    let mut state = 1u64;
    let mut bytes = |count: usize| -> Vec<u8> {
        let next = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 56) as u8
        };
        std::iter::repeat_with(next).take(count).collect()
    };
    for i in 0..60 {
        fs::write(tree.join(format!("large{i}")), bytes(8 << 20)).unwrap();
    }
    for i in 0..2000 {
        fs::write(tree.join(format!("small{i}")), bytes(16 << 10)).unwrap();
    }
    tree
}
