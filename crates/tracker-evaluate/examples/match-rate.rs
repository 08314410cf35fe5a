//! How fast matching is: `match-rate PACKAGES RECORDS…`; one figure a line.
//!
//! All records are looked up in the list and, for each match, every member's versions are judged, on all cores, as the
//! tracker does it before it writes; then about a thousand records are matched alone. Records are in memory an eighth at
//! a time. Invariant: reading files is not in the figures, and every match that is counted was made in full, with its
//! reasons.

#![expect(clippy::print_stdout, reason = "the figures are what it prints")]

use std::path::PathBuf;
use std::time::{Duration, Instant};
use tracker_evaluate::corpus::{Corpus, read_packages};
use tracker_evaluate::standing::Standings;
use tracker_match::Index;
use tracker_record::Vulnerability;

/// One record in how many is matched alone.
const ALONE: usize = 229;

/// Into how many parts the records are divided.
const PARTS: usize = 8;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let packages = arguments
        .next()
        .ok_or("usage: match-rate PACKAGES RECORDS...")?;
    let records: Vec<PathBuf> = arguments.collect();
    let packages = read_packages(&packages)?;
    let started = Instant::now();
    let index = Index::new(&packages);
    println!(
        "index of {} attributes in {} families: {:.2} s",
        packages.len(),
        index.families(),
        started.elapsed().as_secs_f64()
    );
    let standings = Standings::new(&packages);
    let one = |vulnerability: &Vulnerability| {
        let matches = index.matches(vulnerability);
        for matched in &matches {
            standings.of(vulnerability, matched);
        }
        matches.len()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut all, mut matches, mut taken) = (0, 0, Duration::ZERO);
    let mut times: Vec<(Duration, String)> = Vec::new();
    Corpus::in_parts(&records, PARTS, |corpus| {
        let part = &corpus.vulnerabilities;
        let started = Instant::now();
        matches += std::thread::scope(|scope| {
            let threads: Vec<_> = part
                .chunks(part.len().div_ceil(cores).max(1))
                .map(|part| scope.spawn(|| part.iter().map(one).sum::<usize>()))
                .collect();
            // A part that was not matched would flatter the time.
            let found = threads
                .into_iter()
                .map(|thread| thread.join().expect("matching panics on nothing"));
            found.sum::<usize>()
        });
        taken += started.elapsed();
        all += part.len();
        times.extend(part.iter().step_by(ALONE).map(|vulnerability| {
            let started = Instant::now();
            one(vulnerability);
            (started.elapsed(), vulnerability.id.clone())
        }));
    })?;
    println!(
        "{all} vulnerabilities on {cores} cores, {matches} matches: {:.2} s",
        taken.as_secs_f64()
    );
    times.sort_unstable();
    let at = |share: f64| times.get(((times.len() - 1) as f64 * share) as usize);
    let [median, most, longest] = [0.5, 0.99, 1.0].map(|share| at(share).ok_or("no records"));
    println!(
        "one record: median {:?}, 99 % within {:?}, longest {:?} ({})",
        median?.0, most?.0, longest?.0, longest?.1
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find(|line| line.starts_with("VmHWM")) {
        println!(
            "memory at most, records and packages with it: {}",
            peak["VmHWM:".len()..].trim()
        );
    }
    Ok(())
}
