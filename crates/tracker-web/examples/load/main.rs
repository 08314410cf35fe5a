//! The tracker under load: server times of every kind of page, of a decision about a thousand matches, and what one
//! `serve` sustains in requests a second and takes in memory.
//!
//! ```text
//! cargo build --release -p rootstock-tracker
//! cargo run --release -p tracker-web --example load -- DATABASE --fill --program target/release/rootstock-tracker
//! ```
//!
//! `DATABASE` is an address (`sqlite:PATH`, `postgres://…`). With `--fill` an empty one is first filled with 500,000
//! matches (`--fill=N`: of N vulnerabilities, about two matches each). `--rounds` (200) is how often each kind of page is
//! asked for, as often again before it is timed; `--slowest` names those that take longest. `--program` is what serves;
//! without it only the handlers are timed. `--seconds` (10) is for how long it is asked, `--rate` (200) how often a
//! second, `--clients` (8) by how many connections. The clients run on the same cores as the server and its database.
//! Invariant: decisions are taken back, so that each run finds the same matches; the log of them grows.
#![allow(clippy::print_stdout, reason = "the report is the purpose")]

mod bulk;
mod clients;
mod served;

use std::path::PathBuf;
use std::time::Duration;
use tracker_store::Store;
use tracker_testkit::scale::{self, Scale};
use tracker_web::{page_addresses, page_times};

/// Requests for each kind of page, without another word.
const ROUNDS: u32 = 200;

/// What was asked for.
struct Arguments {
    database: String,
    fill: Option<u64>,
    rounds: u32,
    slowest: bool,
    program: Option<PathBuf>,
    seconds: u64,
    rate: u32,
    clients: usize,
}

/// A failure to measure; what is slow is no failure.
type Failure = Box<dyn std::error::Error>;

fn arguments() -> Option<Arguments> {
    let mut arguments = Arguments {
        database: String::new(),
        fill: None,
        rounds: ROUNDS,
        slowest: false,
        program: None,
        seconds: 10,
        rate: 200,
        clients: 8,
    };
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        match word.as_str() {
            "--fill" => arguments.fill = Some(Scale::PROMISED.vulnerabilities),
            "--rounds" => arguments.rounds = given.next()?.parse().ok()?,
            "--slowest" => arguments.slowest = true,
            "--program" => arguments.program = Some(given.next()?.into()),
            "--seconds" => arguments.seconds = given.next()?.parse().ok()?,
            "--rate" => arguments.rate = given.next()?.parse().ok()?,
            "--clients" => arguments.clients = given.next()?.parse().ok()?,
            other => match other.strip_prefix("--fill=") {
                Some(number) => arguments.fill = Some(number.parse().ok()?),
                None if other.starts_with('-') => return None,
                None => word.clone_into(&mut arguments.database),
            },
        }
    }
    let possible = arguments.rate > 0 && arguments.clients > 0 && !arguments.database.is_empty();
    possible.then_some(arguments)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let Some(arguments) = arguments() else {
        println!(
            "usage: load DATABASE [--fill[=N]] [--rounds N] [--slowest] [--program PATH] [--seconds N] [--rate N] [--clients N]"
        );
        return Ok(());
    };
    let store = Store::open(&arguments.database).await?;
    let held = store.overview().await?;
    if let Some(vulnerabilities) = arguments.fill.filter(|_| held.vulnerabilities == 0) {
        let scale = Scale {
            vulnerabilities,
            ..Scale::PROMISED
        };
        scale::fill(&store, scale, &mut |line| println!("{line}")).await?;
    }
    let held = store.overview().await?;
    println!(
        "{} vulnerabilities, {} packages, {} matches",
        held.vulnerabilities, held.packages, held.matches
    );
    println!(
        "{:<16}{:>9}{:>10}{:>10}{:>10}",
        "page", "requests", "P50 ms", "P95 ms", "max ms"
    );
    for row in page_times(&store, arguments.rounds).await? {
        let ms = |micros: u64| micros as f64 / 1e3;
        println!(
            "{:<16}{:>9}{:>10.2}{:>10.2}{:>10.2}",
            row.page,
            row.requests,
            ms(row.p50_us),
            ms(row.p95_us),
            ms(row.max_us)
        );
        if arguments.slowest {
            for (taken, address) in &row.slowest {
                println!("{:>12.2} ms  {address}", ms(*taken));
            }
        }
    }
    bulk::measure(&store).await?;
    let Some(program) = &arguments.program else {
        println!("requests a second: name what serves with `--program`");
        return Ok(());
    };
    let addresses: Vec<String> = mixed(page_addresses(&store).await?);
    store.close().await;
    let served = served::Served::start(program, &arguments.database)?;
    let time = Duration::from_secs(arguments.seconds);
    // Open connections and prepared statements first.
    let once = clients::Load::new(&served.address, &addresses, arguments.clients);
    once.run(None, Duration::from_secs(1)).await?;
    let fixed = once.run(Some(arguments.rate), time).await?;
    println!("at {} requests a second: {fixed}", arguments.rate);
    println!("as fast as answered: {}", once.run(None, time).await?);
    println!(
        "memory of the server, most: {:.0} MB",
        served.most_memory()?
    );
    Ok(())
}

/// Addresses of all kinds by turns, as many of each.
fn mixed(kinds: Vec<(&'static str, Vec<String>)>) -> Vec<String> {
    let most = kinds.iter().map(|(_, kind)| kind.len()).max().unwrap_or(0);
    let kinds = kinds.iter().filter(|(_, kind)| !kind.is_empty());
    let kinds: Vec<_> = kinds.collect();
    (0..most)
        .flat_map(|turn| {
            kinds
                .iter()
                .map(move |(_, kind)| kind[turn % kind.len()].clone())
        })
        .collect()
}
