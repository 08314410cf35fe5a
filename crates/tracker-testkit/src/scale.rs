//! Made-up data in the size that is promised, with the skew of real data: few packages have most matches, few
//! maintainers most packages, and most findings are fixed.
//!
//! Reading order: [`fill`] (everything, in the order in which it comes in), then what it is made of.
//! Invariant: the same data every time, but for the times of decisions; the only chance is a counter that is mixed.

use crate::fixture;
use jiff::{SignedDuration, Timestamp};
use std::time::Instant;
use tracker_match::FindingStatus;
use tracker_record::{Exploitation, Record, Source};
use tracker_store::{
    Act, Conditions, Derived, ItemId, NewRule, ReleasePackage, Result, Store, Targets,
};
use tracker_triage::query::Query;
use tracker_triage::state::DecidedState;
use tracker_triage::subject::Place;
use tracker_triage::{Action, Actor, ActorKind, Dismissal, Verdict};

/// How much is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Vulnerabilities; about twice as many matches.
    pub vulnerabilities: u64,
    /// Packages, on each channel.
    pub packages: u64,
}

impl Scale {
    /// What is promised: 500,000 matches, and the packages of Nixpkgs.
    pub const PROMISED: Scale = Scale {
        vulnerabilities: 240_000,
        packages: 73_000,
    };
}

/// The distribution.
pub const DISTRIBUTION: &str = "nixpkgs";
/// Its channels.
pub const CHANNELS: [&str; 3] = ["nixos-25.11", "nixos-26.05", "nixos-unstable"];
/// Shared views: their names and queries.
pub const VIEWS: [(&str, &str); 8] = [
    ("open", "is:open"),
    ("urgent", "is:open severity>=high kev:yes"),
    ("likely", "is:open epss>=0.5"),
    ("stable", "is:open affected:nixos-26.05 severity:critical"),
    ("contradictions", "is:contradicted"),
    ("suggested", "is:suggested"),
    (
        "nobody's",
        "is:open assignee:none severity>=medium confidence>=0.8",
    ),
    ("kernel", "is:open pname:linux -severity:low"),
];

const MAINTAINERS: u64 = 4_000;
const TRIAGERS: u64 = 6;
/// Every third vulnerability is matched to six or seven families on average: 500,000 matches in all.
const MATCHED_EVERY: u64 = 3;
const BATCH: u64 = 1000;
/// Matches that are decided by one act.
const ACT: usize = 500;

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

/// The name of a package, which is its family, too: the first few are real names and have a tenth of all matches.
pub fn package_name(number: u64) -> String {
    match NAMES.get(number as usize) {
        Some(name) => (*name).to_owned(),
        None => format!(
            "{}-{}{number}",
            WORDS[(mix(number) % WORDS.len() as u64) as usize],
            ["lib", "tool", "py"][number as usize % 3]
        ),
    }
}

/// The id of a vulnerability, from 0.
pub fn vulnerability_id(number: u64) -> String {
    // One real id, for the page that looks for it.
    if number == 0 {
        return "CVE-2019-14697".to_owned();
    }
    format!(
        "CVE-{}-{}",
        2002 + number * 24 / Scale::PROMISED.vulnerabilities,
        100_000 + number
    )
}

fn record(scale: Scale, number: u64) -> Record {
    let word = |index: u64| {
        let pick = mix(number * 64 + index);
        // Squared, so that some words are frequent and others rare.
        let place = (pick % 1000) * (pick % 1000) * WORDS.len() as u64 / 1_000_000;
        WORDS[place as usize]
    };
    let product = package_name(mix(number) % scale.packages * (mix(number + 7) % 1000) / 1000);
    let sentence: Vec<&str> = (0..40).map(word).collect();
    let title = format!("{} {} in {product}", word(50), word(51));
    let mut record = fixture::record(Source::Nvd, &vulnerability_id(number), &title);
    record.descriptions[0].value.text = format!("{product} {}", sentence.join(" "));
    let published = Timestamp::UNIX_EPOCH
        + SignedDuration::from_hours(
            24 * 365 * 32 + (number * 210_000 / Scale::PROMISED.vulnerabilities) as i64,
        );
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
    if !number.is_multiple_of(3) || number.is_multiple_of(2) {
        let share = mix(number + 2) % 1000;
        record
            .exploitation
            .push(fixture::stated(Exploitation::Epss {
                // Cubed: most are very unlikely.
                probability_ppm: (share * share * share / 1000) as u32,
                percentile_ppm: (share * 1000) as u32,
                day: None,
            }));
    }
    record
        .affected
        .push(fixture::affected(&product, &product, "2.0"));
    record
}

/// The maintainer of a number; the first have most packages.
pub fn maintainer(number: u64) -> String {
    format!("maintainer-{}", number % MAINTAINERS)
}

fn package(number: u64) -> ReleasePackage {
    let name = package_name(number);
    let mut package = fixture::package(&name, &name, "1.0");
    for index in 0..=mix(number) % 3 {
        let pick = mix(number * 4 + index + 3) % MAINTAINERS;
        let of = maintainer(pick * pick / MAINTAINERS);
        if !package.package.maintainers.contains(&of) {
            package.package.maintainers.push(of);
        }
    }
    package
}

/// The families that a vulnerability is matched to.
fn families(scale: Scale, number: u64) -> Vec<u64> {
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
                pick / 10 % scale.packages
            }
        })
        .collect();
    families.sort_unstable();
    families.dedup();
    families
}

fn status(pick: u64) -> FindingStatus {
    match pick % 20 {
        0..3 => FindingStatus::Affected,
        3..5 => FindingStatus::UnderInvestigation,
        5..8 => FindingStatus::NotAffected,
        _ => FindingStatus::Fixed,
    }
}

fn matches(scale: Scale, number: u64) -> Derived {
    let id = vulnerability_id(number);
    let matches = families(scale, number).into_iter().map(|family| {
        let name = package_name(family);
        let usual = status(mix(number * 3 + family));
        let findings = CHANNELS.iter().enumerate().map(|(channel, text)| {
            // A tenth of the findings differ from those of the other channels.
            let pick = mix(number * 5 + family * 3 + channel as u64);
            let status = if pick.is_multiple_of(10) {
                status(pick / 10)
            } else {
                usual
            };
            fixture::finding(text, &name, "1.0", status)
        });
        let score = 0.5 + (mix(family + number) % 50) as f64 / 100.0;
        let mut matched = fixture::matched(&id, &name, score, findings.collect());
        let reach = mix(family + 5) % 1000;
        matched.dependents = Some((reach * reach * reach / 100_000) as u32);
        matched
    });
    let matches = matches.collect();
    fixture::derived(&id, matches)
}

/// What somebody decided about the matches of a vulnerability, if anybody did: about a tenth of all.
fn decision(number: u64, now: Timestamp) -> Option<Action> {
    let alike = number / MATCHED_EVERY;
    Some(match alike % 200 {
        0..8 => Action::Dismiss(Dismissal::WrongPackage),
        8..14 => Action::Confirm,
        14..18 => Action::Assign(Some(triager(alike).name)),
        18 => Action::Snooze(Some(now + SignedDuration::from_hours(24 * 30))),
        19 => Action::Comment("looked at it; upstream is asked".to_owned()),
        20 => Action::SetState {
            place: Place::ALL,
            state: DecidedState::WillNotFix,
        },
        21 => Action::Suggest(Verdict::Confirm),
        _ => return None,
    })
}

/// One of those who decide.
pub fn triager(number: u64) -> Actor {
    Actor::new(ActorKind::Person, format!("triager-{}", number % TRIAGERS))
}

/// Fills an empty database: releases, records, matches, decisions, rules and views, each of which is told with its
/// time.
///
/// # Errors
/// Those of the store.
pub async fn fill(store: &Store, scale: Scale, tell: &mut dyn FnMut(&str)) -> Result<()> {
    for channel in CHANNELS {
        let started = Instant::now();
        let revision = format!("{channel}-revision");
        let release = fixture::release(channel, &revision, "2026-01-01T00:00:00Z");
        let packages = (0..scale.packages).map(package).collect();
        store.put_release(&release, packages).await?;
        tell(&timed(
            &format!("{} packages of {channel}", scale.packages),
            started,
        ));
    }
    let vulnerabilities = scale.vulnerabilities;
    let started = Instant::now();
    for first in (0..vulnerabilities).step_by(BATCH as usize) {
        let batch = (first..vulnerabilities.min(first + BATCH))
            .map(|number| fixture::incoming(record(scale, number)))
            .collect();
        store.put_records(batch).await?;
    }
    tell(&timed(&format!("{vulnerabilities} records"), started));
    let started = Instant::now();
    let inventory = store.current_packages(DISTRIBUTION).await?;
    let mut number = 0;
    loop {
        let due = store.due(&inventory, BATCH as u32).await?;
        if due.vulnerabilities.is_empty() {
            break;
        }
        // Records were written in the order of their numbers, so they are due in it.
        let batch: Vec<Derived> = (number..number + due.vulnerabilities.len() as u64)
            .map(|number| matches(scale, number))
            .collect();
        number += batch.len() as u64;
        store.put_derivation(DISTRIBUTION, batch, due.mark).await?;
    }
    store.analyze().await?;
    let held = store.overview().await?.matches;
    tell(&timed(&format!("{held} matches"), started));
    let started = Instant::now();
    let decided = decide(store, scale).await?;
    store.analyze().await?;
    tell(&timed(&format!("{decided} decisions"), started));
    Ok(())
}

fn timed(what: &str, started: Instant) -> String {
    format!("{what}: {:.1} s", started.elapsed().as_secs_f64())
}

async fn decide(store: &Store, scale: Scale) -> Result<usize> {
    let now = Timestamp::now();
    let mut decided = 0;
    let mut waiting: Vec<(Action, Vec<ItemId>)> = Vec::new();
    for number in (0..scale.vulnerabilities).step_by(MATCHED_EVERY as usize) {
        let Some(action) = decision(number, now) else {
            continue;
        };
        let items = families(scale, number).into_iter().map(|family| ItemId {
            vulnerability: vulnerability_id(number),
            distribution: DISTRIBUTION.to_owned(),
            family: package_name(family),
        });
        match waiting.iter_mut().find(|(other, _)| *other == action) {
            Some((_, held)) => held.extend(items),
            None => waiting.push((action, items.collect())),
        }
    }
    for (index, (action, items)) in waiting.into_iter().enumerate() {
        for items in items.chunks(ACT) {
            let act = Act {
                targets: Targets::Items(items.to_vec()),
                action: action.clone(),
                reason: Some("as the fixture decides".to_owned()),
                dry_run: false,
            };
            let outcome = store.decide(&triager(index as u64), &act).await?;
            decided += outcome.changed.len();
        }
    }
    let expires = now + SignedDuration::from_hours(24 * 90);
    for query in [
        "pname:musl severity<=low",
        "family:curl epss<0.001 severity:low",
    ] {
        let rule = NewRule {
            query,
            expires,
            reason: Some("noise"),
            // A few of low severity are exploited.
            hides_severe: true,
        };
        store
            .make_rule(&triager(0), &rule, &Conditions::default())
            .await?;
    }
    for (name, query) in VIEWS {
        let query = Query::parse(query)?;
        store
            .save_view(&triager(0), name, &query, true, &Conditions::default())
            .await?;
    }
    Ok(decided)
}
