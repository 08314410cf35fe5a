//! Measures the ancestry index on a generated history of Nixpkgs' shape, beside `git` on the same history.
//!
//! `cargo run --release -p tracker-landing --example ancestry -- [COMMITS]` (default 1,000,000) prints the time to index, the
//! time to take in 500 more commits, the 99th percentile of a query, the size on disk and the memory at its peak, then the
//! same questions asked of `git merge-base --is-ancestor` and `git branch --contains`. Invariant: every answer that is timed
//! against git is also compared with git's.

#![expect(clippy::print_stdout, reason = "a measurement prints its figures")]
#![expect(
    clippy::unwrap_used,
    reason = "a measurement stops at the first surprise"
)]

mod beside_git;
mod shape;

use shape::{Shape, name};
use std::time::Instant;
use tracker_landing::archive::{self, Segment};
use tracker_landing::{Ancestry, CommitNumber, Graph};

fn main() {
    let count = std::env::args()
        .nth(1)
        .map_or(1_000_000, |text| text.parse().unwrap());
    let shape = Shape::new(count);
    let mut bytes = Vec::new();
    let mut position = archive::begin(&mut bytes).unwrap();
    for batch in shape.commits[..count - 500].chunks(10_000) {
        archive::append(&mut bytes, &mut position, &Segment::Commits(batch.to_vec())).unwrap();
    }
    println!(
        "history: {count} commits, {} branches, {} MB on disk",
        shape.heads.len(),
        bytes.len() / 1_000_000
    );

    let started = Instant::now();
    let mut graph = Graph::new();
    archive::read(bytes.as_slice(), |segment| {
        if let Segment::Commits(commits) = segment {
            for commit in commits {
                graph.push(commit).unwrap();
            }
        }
    })
    .unwrap();
    drop(bytes);
    let trunk_before = shape
        .trunk
        .iter()
        .rev()
        .copied()
        .find(|n| *n < count - 500)
        .unwrap();
    let mut ancestry = Ancestry::new(&graph, number(&graph, trunk_before));
    println!("full index: {:.2} s", started.elapsed().as_secs_f64());

    let started = Instant::now();
    for commit in &shape.commits[count - 500..] {
        graph.push(commit.clone()).unwrap();
    }
    ancestry.advance(&graph, number(&graph, *shape.trunk.last().unwrap()));
    println!(
        "500 new commits: {:.1} ms",
        started.elapsed().as_secs_f64() * 1e3
    );

    let heads: Vec<CommitNumber> = shape
        .heads
        .iter()
        .map(|(_, head)| number(&graph, *head))
        .collect();
    let mut times: Vec<u128> = (0..200_000_u64)
        .map(|round| {
            let commit = number(
                &graph,
                (round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize % count,
            );
            let head = heads[round as usize % heads.len()];
            let started = Instant::now();
            std::hint::black_box(ancestry.contains(&graph, head, commit));
            started.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    println!(
        "query: median {} us, P99 {:.1} us, worst {:.1} us",
        times[100_000] as f64 / 1e3,
        times[198_000] as f64 / 1e3,
        times[199_999] as f64 / 1e3
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!(
        "memory: {}",
        status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap()
    );
    drop(times);
    beside_git::compare(&shape, &graph, &ancestry);
}

fn number(graph: &Graph, commit: usize) -> CommitNumber {
    graph.find(&name(&Shape::text(commit))).unwrap()
}
