//! Made-up data in the size that is promised, with the skew of real data: few packages have most matches.
//!
//! Invariant: the same data every time; the only chance is a counter that is mixed.

use jiff::{SignedDuration, Timestamp};
use std::time::Instant;
use tracker_match::FindingStatus;
use tracker_record::{Record, Source};
use tracker_store::{Derived, Result, Store};
use tracker_testkit::fixture;

pub(crate) const VULNERABILITIES: u64 = 240_000;
const PACKAGES: u64 = 73_000;
const CHANNELS: [&str; 3] = ["nixos-24.05", "nixos-24.11", "nixos-unstable"];
/// Every third vulnerability is matched to six or seven families on average: 500,000 matches in all.
const MATCHED_EVERY: u64 = 3;
const BATCH: u64 = 1000;

const WORDS: &[&str] = &[
    "buffer",
    "overflow",
    "remote",
    "attacker",
    "crafted",
    "denial",
    "service",
    "code",
    "execution",
    "memory",
    "linux",
    "kernel",
    "server",
    "parser",
    "validation",
    "input",
    "pointer",
    "heap",
    "stack",
    "bypass",
    "injection",
    "cross",
    "site",
    "scripting",
    "request",
    "header",
    "packet",
    "file",
    "image",
    "library",
    "function",
    "version",
    "before",
    "allows",
    "users",
    "local",
    "privileges",
    "information",
    "disclosure",
    "race",
    "condition",
    "integer",
];
const NAMES: &[&str] = &[
    "linux",
    "openssl",
    "musl",
    "curl",
    "python3",
    "qemu",
    "webkitgtk",
    "ffmpeg",
];

/// A number that looks like chance (the finaliser of splitmix64).
fn mix(number: u64) -> u64 {
    let mut value = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn package_name(number: u64) -> String {
    match NAMES.get(number as usize) {
        Some(name) => (*name).to_owned(),
        None => format!(
            "{}-{}{number}",
            WORDS[(mix(number) % WORDS.len() as u64) as usize],
            ["lib", "tool", "py"][number as usize % 3]
        ),
    }
}

fn vulnerability_id(number: u64) -> String {
    // One real id, for the page that looks for it.
    if number == 0 {
        return "CVE-2019-14697".to_owned();
    }
    format!(
        "CVE-{}-{}",
        2002 + number * 24 / VULNERABILITIES,
        100_000 + number
    )
}

fn record(number: u64) -> Record {
    let word = |index: u64| {
        let pick = mix(number * 64 + index);
        // Squared, so that some words are frequent and others rare.
        let place = (pick % 1000) * (pick % 1000) * WORDS.len() as u64 / 1_000_000;
        WORDS[place as usize]
    };
    let product = package_name(mix(number) % PACKAGES * (mix(number + 7) % 1000) / 1000);
    let sentence: Vec<&str> = (0..40).map(word).collect();
    let title = format!("{} {} in {product}", word(50), word(51));
    let mut record = fixture::record(Source::Nvd, &vulnerability_id(number), &title);
    record.descriptions[0].value.text = format!("{product} {}", sentence.join(" "));
    let published = Timestamp::UNIX_EPOCH
        + SignedDuration::from_hours(24 * 365 * 32 + (number * 210_000 / VULNERABILITIES) as i64);
    record.published = Some(published);
    record.modified = Some(published + SignedDuration::from_hours((mix(number) % 20_000) as i64));
    if !number.is_multiple_of(20) {
        record
            .cvss
            .push(fixture::cvss((mix(number + 1) % 101) as u8));
    }
    if number.is_multiple_of(170) {
        record.exploitation.push(fixture::kev());
    }
    record
        .affected
        .push(fixture::affected(&product, &product, "2.0"));
    record
}

fn matches(number: u64) -> Derived {
    let id = vulnerability_id(number);
    let statuses = [
        FindingStatus::Affected,
        FindingStatus::UnderInvestigation,
        FindingStatus::Fixed,
        FindingStatus::Fixed,
        FindingStatus::NotAffected,
    ];
    let count = if number.is_multiple_of(MATCHED_EVERY) {
        1 + mix(number) % 12
    } else {
        0
    };
    let mut families: Vec<u64> = (0..count)
        .map(|index| {
            let pick = mix(number * 16 + index);
            // A tenth of all matches goes to the first few packages.
            if pick.is_multiple_of(10) {
                pick / 10 % NAMES.len() as u64
            } else {
                pick / 10 % PACKAGES
            }
        })
        .collect();
    families.sort_unstable();
    families.dedup();
    let matches = families
        .into_iter()
        .map(|family| {
            let name = package_name(family);
            let findings = CHANNELS
                .iter()
                .enumerate()
                .map(|(channel, text)| {
                    let status = statuses[(mix(number * 3 + channel as u64 + family) % 5) as usize];
                    fixture::finding(text, &name, "1.0", status)
                })
                .collect();
            fixture::matched(&id, &name, 0.5 + (family % 50) as f64 / 100.0, findings)
        })
        .collect();
    fixture::derived(&id, matches)
}

/// Fills an empty database and tells how long each step took.
pub(crate) async fn fill(store: &Store, vulnerabilities: u64) -> Result<()> {
    let started = Instant::now();
    for channel in CHANNELS {
        let release = fixture::release(
            channel,
            &format!("{channel}-revision"),
            "2026-01-01T00:00:00Z",
        );
        let packages = (0..PACKAGES).map(|number| {
            let name = package_name(number);
            fixture::package(&name, &name, "1.0")
        });
        let release_started = Instant::now();
        store.put_release(&release, packages.collect()).await?;
        println!(
            "release of {PACKAGES} packages: {:.2} s",
            release_started.elapsed().as_secs_f64()
        );
    }
    let mut written = std::time::Duration::ZERO;
    for first in (0..vulnerabilities).step_by(BATCH as usize) {
        let batch = (first..vulnerabilities.min(first + BATCH))
            .map(|number| fixture::incoming(record(number)))
            .collect();
        let batch_started = Instant::now();
        store.put_records(batch).await?;
        written += batch_started.elapsed();
    }
    println!("{vulnerabilities} records: {:.2} s", written.as_secs_f64());
    let inventory = store.current_packages("nixpkgs").await?;
    let mut written = std::time::Duration::ZERO;
    let mut number = 0;
    loop {
        let due = store.due(&inventory, BATCH as u32).await?;
        if due.vulnerabilities.is_empty() {
            break;
        }
        // Records were written in the order of their numbers, so they are due in it.
        let batch: Vec<Derived> = (number..number + due.vulnerabilities.len() as u64)
            .map(matches)
            .collect();
        number += batch.len() as u64;
        let batch_started = Instant::now();
        store.put_derivation("nixpkgs", batch, due.mark).await?;
        written += batch_started.elapsed();
    }
    println!("matches: {:.2} s", written.as_secs_f64());
    store.analyze().await?;
    println!("filled in {:.2} s", started.elapsed().as_secs_f64());
    Ok(())
}
