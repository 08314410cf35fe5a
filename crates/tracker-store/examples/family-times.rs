//! How long a change of families takes by the number of vulnerabilities that it is about:
//! `cargo run --release -p tracker-store --example family-times -- DATABASE [VULNERABILITIES]`.
//!
//! `DATABASE` is the address (`sqlite:PATH`, `postgres://…`) of an empty database, which is filled with made-up data: so
//! many vulnerabilities, of which every third is matched, most of those to one of two families. 44,000, the
//! default, makes a change about 9,000 of the 10,000 that it may be about. One family is merged into the other, which is undone
//! and made anew.
//! Invariant: a time is of one call from outside, during which nobody else writes; nothing is warmed up.
#![allow(clippy::print_stdout, reason = "the report is the purpose")]

use std::time::Instant;
use tracker_store::{Conditions, FamilyAct, FamilyAction, Result, Store, Undo};
use tracker_testkit::scale::{self, DISTRIBUTION, Scale, package_name, triager};
use tracker_triage::Subject;

/// Families that matches are spread over: few, so that the two have many.
const FAMILIES: u64 = 12;
/// Vulnerabilities that are made where nothing is asked.
const MOST: u64 = 44_000;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(url) = arguments.next() else {
        println!("usage: family-times DATABASE [VULNERABILITIES]");
        return Ok(());
    };
    let asked = arguments.next().and_then(|number| number.parse().ok());
    let store = Store::open(&url).await?;
    let scale = Scale {
        vulnerabilities: asked.unwrap_or(MOST),
        packages: FAMILIES,
    };
    scale::fill(&store, scale, &mut |line| println!("{line}")).await?;
    let (who, free) = (triager(0), Conditions::default());
    let act = FamilyAct {
        family: Subject::new(DISTRIBUTION, package_name(FAMILIES - 1)),
        action: FamilyAction::Merge {
            into: package_name(0),
        },
        reason: Some("to be timed".to_owned()),
        dry_run: false,
    };
    let started = Instant::now();
    let merged = store.change_family(&who, &act, &free).await?;
    tell("merged", started, merged.vulnerabilities);
    let mut last = merged.act;
    for what in ["undone", "made anew"] {
        let started = Instant::now();
        let undone = store.undo(&who, Undo::Event(last), None, false).await?;
        tell(what, started, merged.vulnerabilities);
        last = undone.act.unwrap_or(last);
    }
    Ok(())
}

fn tell(what: &str, started: Instant, vulnerabilities: u64) {
    let seconds = started.elapsed().as_secs_f64();
    let each = seconds * 1e6 / vulnerabilities.max(1) as f64;
    println!("{what}: {vulnerabilities} vulnerabilities in {seconds:.2} s, {each:.0} µs each");
}
