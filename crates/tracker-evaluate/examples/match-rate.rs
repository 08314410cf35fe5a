//! How fast matching is: `match-rate PACKAGES RECORDS…`; one figure a line, then the ten slowest records.
//!
//! All records are looked up in the list and, for each match, every member's versions are judged, on all cores, as the
//! tracker does it before it writes; then each is matched alone, the slowest several times over. Records are in memory an
//! eighth at a time. Times of single records are their thread's on a processor, so that other programs do not lengthen
//! them; of those measured several times the least counts. Invariant: reading files is not in the figures, and every
//! match that is counted was made in full, with its reasons.

#![expect(clippy::print_stdout, reason = "the figures are what it prints")]

use rustix::time::{ClockId, clock_gettime};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tracker_evaluate::corpus::{Corpus, read_packages};
use tracker_evaluate::standing::Standings;
use tracker_match::Index;
use tracker_record::Vulnerability;

/// Into how many parts the records are divided.
const PARTS: usize = 8;

/// How many of a part, the slowest at the first time, are measured again.
const AGAIN: usize = 100;

/// How often these are measured again.
const TIMES: usize = 5;

/// How many of the slowest are named.
const NAMED: usize = 10;

/// What is promised for one record.
const PROMISED: Duration = Duration::from_millis(2);

/// What this thread has used of a processor.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let packages = arguments
        .next()
        .ok_or("usage: match-rate PACKAGES RECORDS...")?;
    let records: Vec<PathBuf> = arguments.collect();
    let packages = read_packages(&packages)?;
    let started = used();
    let index = Index::new(&packages);
    println!(
        "index of {} attributes in {} families: {:.2} s",
        packages.len(),
        index.families(),
        used().saturating_sub(started).as_secs_f64()
    );
    let standings = Standings::new(&packages);
    let one = |vulnerability: &Vulnerability| {
        let matches = index.matches(vulnerability);
        standings.of_all(vulnerability, &matches);
        matches.len()
    };
    let alone = |vulnerability: &Vulnerability| {
        let started = used();
        let matches = one(vulnerability);
        (
            used().saturating_sub(started),
            vulnerability.id.clone(),
            matches,
        )
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut all, mut matches) = (0, 0);
    let (mut taken, mut worked) = (Duration::ZERO, Duration::ZERO);
    let mut times: Vec<(Duration, String, usize)> = Vec::new();
    Corpus::in_parts(&records, PARTS, |corpus| {
        let part = &corpus.vulnerabilities;
        let started = Instant::now();
        std::thread::scope(|scope| {
            let threads: Vec<_> = part
                .chunks(part.len().div_ceil(cores).max(1))
                .map(|part| scope.spawn(|| (part.iter().map(one).sum::<usize>(), used())))
                .collect();
            for thread in threads {
                // A part that was not matched would flatter the time.
                let (found, used) = thread.join().expect("matching panics on nothing");
                matches += found;
                worked += used;
            }
        });
        taken += started.elapsed();
        all += part.len();
        let mut first: Vec<_> = part.iter().map(alone).collect();
        first.sort_unstable_by(|a, b| b.cmp(a));
        for slow in first.iter_mut().take(AGAIN) {
            let vulnerability = corpus.get(&slow.1).expect("it was matched just now");
            let again = (0..TIMES).map(|_| alone(vulnerability).0).min();
            slow.0 = slow.0.min(again.unwrap_or(slow.0));
        }
        times.append(&mut first);
    })?;
    println!(
        "{all} vulnerabilities on {cores} cores, {matches} matches: {:.2} s, {:.2} s of processors",
        taken.as_secs_f64(),
        worked.as_secs_f64()
    );
    times.sort_unstable();
    let at = |share: f64| times.get(((times.len() - 1) as f64 * share) as usize);
    let [median, most, nearly, longest] =
        [0.5, 0.99, 0.9999, 1.0].map(|share| at(share).map_or(Duration::ZERO, |found| found.0));
    let over = times.iter().filter(|(time, ..)| *time > PROMISED).count();
    println!(
        "one record: median {median:?}, 99 % within {most:?}, 99.99 % within {nearly:?}, longest {longest:?}; \
         {over} of {all} over {PROMISED:?}"
    );
    for (time, id, matches) in times.iter().rev().take(NAMED) {
        println!("  {id}: {time:?}, {matches} matches");
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find(|line| line.starts_with("VmHWM")) {
        println!(
            "memory at most, records and packages with it: {}",
            peak["VmHWM:".len()..].trim()
        );
    }
    Ok(())
}
