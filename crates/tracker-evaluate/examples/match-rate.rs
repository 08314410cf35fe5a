//! How fast matching is: `match-rate PACKAGES RECORDS…`; one figure a line.
//!
//! All records are looked up in the list and, for each match, every member's versions are judged, on all cores, as the
//! tracker does it before it writes; then each of a thousand records is matched alone. Invariant: reading files is not
//! in the figures, and every match that is counted was made in full, with its reasons.

#![expect(clippy::print_stdout, reason = "the figures are what it prints")]

use std::path::PathBuf;
use std::time::{Duration, Instant};
use tracker_evaluate::corpus::{Corpus, read_packages};
use tracker_evaluate::standing::Standings;
use tracker_match::Index;
use tracker_record::Vulnerability;

/// How many records are matched alone.
const ALONE: usize = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let packages = arguments
        .next()
        .ok_or("usage: match-rate PACKAGES RECORDS...")?;
    let records: Vec<PathBuf> = arguments.collect();
    let packages = read_packages(&packages)?;
    let corpus = Corpus::read(&records)?;
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
    let all = &corpus.vulnerabilities;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let started = Instant::now();
    let matches: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = all
            .chunks(all.len().div_ceil(cores).max(1))
            .map(|part| scope.spawn(|| part.iter().map(one).sum::<usize>()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a thread panicked"))
            .sum::<Result<usize, _>>()
    })?;
    println!(
        "{} vulnerabilities on {cores} cores, {matches} matches: {:.2} s",
        all.len(),
        started.elapsed().as_secs_f64()
    );
    let step = (all.len() / ALONE).max(1);
    let mut times: Vec<Duration> = all
        .iter()
        .step_by(step)
        .map(|vulnerability| {
            let started = Instant::now();
            one(vulnerability);
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: f64| times.get(((times.len() - 1) as f64 * share) as usize);
    println!(
        "one record: median {:?}, 99 % within {:?}, longest {:?}",
        at(0.5).ok_or("no records")?,
        at(0.99).ok_or("no records")?,
        at(1.0).ok_or("no records")?
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
