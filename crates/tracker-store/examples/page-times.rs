//! Server times of list and detail pages: `cargo run --release -p tracker-store --example page-times -- DATABASE`.
//!
//! `DATABASE` is an address (`sqlite:PATH`, `postgres://…`). With `--fill` an empty one is first filled with made-up
//! records, releases and matches in the size that is promised: 240,000 vulnerabilities, 500,000 matches; with
//! `--fill=N` N vulnerabilities and matches in proportion.
//! Invariant: a time is of one call from outside, everything included; nothing is warmed up but by the calls themselves.
#![allow(clippy::print_stdout, reason = "the report is the purpose")]

use std::time::{Duration, Instant};
use tracker_match::FindingStatus;
use tracker_record::Severity;
use tracker_store::view::{Order, Page, PageRequest, VulnerabilityFilter, VulnerabilityRow};
use tracker_store::{Result, Store};
use tracker_testkit::scale::{self, Scale};

/// Pages that each walk turns, and rows of a page.
const PAGES: usize = 40;
const ROWS: u32 = 50;

/// Detail pages that are read of each kind.
const DETAILS: usize = 200;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let fill = arguments
        .iter()
        .find_map(|argument| match argument.as_str() {
            "--fill" => Some(Scale::PROMISED.vulnerabilities),
            other => other.strip_prefix("--fill=")?.parse().ok(),
        });
    let Some(url) = arguments.iter().find(|argument| !argument.starts_with('-')) else {
        println!("usage: page-times DATABASE [--fill[=N]]");
        return Ok(());
    };
    let store = Store::open(url).await?;
    let before = store.overview().await?;
    if let Some(vulnerabilities) = fill.filter(|_| before.vulnerabilities == 0) {
        let scale = Scale {
            vulnerabilities,
            ..Scale::PROMISED
        };
        scale::fill(&store, scale, &mut |line| println!("{line}")).await?;
    }
    let overview = store.overview().await?;
    println!(
        "{} vulnerabilities, {} packages, {} matches, {} channels",
        overview.vulnerabilities,
        overview.packages,
        overview.matches,
        overview.channels.len()
    );
    println!(
        "{:<44} {:>6} {:>9} {:>9} {:>9}",
        "page", "calls", "P50 ms", "P95 ms", "max ms"
    );
    let mut all = Vec::new();
    let mut samples = Vec::new();
    let channel = overview
        .channels
        .first()
        .map(|channel| channel.name.clone());
    for (name, filter) in filters(channel) {
        for order in [Order::Urgency, Order::Published, Order::Modified] {
            let (times, mut rows) = walk(&store, &filter, order).await?;
            report(&format!("{name}, {order:?}"), times.clone());
            all.extend(times);
            samples.append(&mut rows);
        }
    }
    report("all lists", all);
    samples.sort_by(|a, b| a.id.cmp(&b.id));
    samples.dedup_by(|a, b| a.id == b.id);
    details(&store, &samples).await
}

/// The filters that are measured: wide, narrow, none that match, in each combination that a page offers.
fn filters(channel: Option<String>) -> Vec<(&'static str, VulnerabilityFilter)> {
    type Change<'a> = &'a dyn Fn(&mut VulnerabilityFilter);
    let text = |text: &str| Some(text.to_owned());
    let changes: [(&'static str, Change<'_>); 17] = [
        ("everything", &|_| ()),
        ("matched", &|filter| filter.matched = true),
        ("critical", &|filter| {
            filter.severities = vec![Severity::Critical];
        }),
        ("severity none", &|filter| {
            filter.severities = vec![Severity::None];
        }),
        ("exploited", &|filter| filter.exploited = true),
        ("affected", &|filter| {
            filter.states = vec![FindingStatus::Affected];
        }),
        ("channel", &|filter| filter.channel.clone_from(&channel)),
        ("channel, affected, high", &|filter| {
            filter.channel.clone_from(&channel);
            filter.severities = vec![Severity::High];
            filter.states = vec![FindingStatus::Affected];
        }),
        ("word, frequent", &|filter| filter.text = text("overflow")),
        ("words, two", &|filter| filter.text = text("buffer linux")),
        ("word, rare", &|filter| filter.text = text("musl")),
        ("word, nowhere", &|filter| filter.text = text("zzzyzx")),
        ("id", &|filter| filter.text = text("CVE-2019-14697")),
        ("word, matched", &|filter| {
            filter.text = text("crafted");
            filter.matched = true;
        }),
        ("word, channel, critical", &|filter| {
            filter.text = text("remote");
            filter.channel.clone_from(&channel);
            filter.severities = vec![Severity::Critical];
        }),
        ("package", &|filter| filter.package = text("openssl")),
        ("package, many", &|filter| filter.package = text("linux")),
    ];
    let made = changes.map(|(name, change)| {
        let mut filter = VulnerabilityFilter::default();
        change(&mut filter);
        (name, filter)
    });
    made.to_vec()
}

/// Turns pages to the end or for `PAGES`, then back by one, and gives the times.
async fn walk(
    store: &Store,
    filter: &VulnerabilityFilter,
    order: Order,
) -> Result<(Vec<Duration>, Vec<VulnerabilityRow>)> {
    let mut request = PageRequest {
        limit: ROWS,
        order,
        ..PageRequest::default()
    };
    let mut times = Vec::new();
    let mut rows = Vec::new();
    for _ in 0..PAGES {
        let started = Instant::now();
        let page: Page<VulnerabilityRow> = store.vulnerabilities(filter, &request).await?;
        times.push(started.elapsed());
        rows.extend(page.rows.into_iter().take(2));
        match page.next {
            Some(next) => request.after = Some(next),
            None => break,
        }
    }
    Ok((times, rows))
}

/// Times of the pages of one thing.
async fn details(store: &Store, samples: &[VulnerabilityRow]) -> Result<()> {
    let step = (samples.len() / DETAILS).max(1);
    let mut times = Vec::new();
    for row in samples.iter().step_by(step) {
        let started = Instant::now();
        store.vulnerability(&row.id).await?;
        times.push(started.elapsed());
    }
    report("vulnerability", times);
    let request = PageRequest {
        limit: ROWS,
        ..PageRequest::default()
    };
    let mut times = Vec::new();
    let mut packages = Vec::new();
    for text in [
        None,
        Some("a"),
        Some("py"),
        Some("ssl"),
        Some("openssl"),
        Some("python requests"),
        Some("qqqq"),
    ] {
        for _ in 0..5 {
            let started = Instant::now();
            let page = store.packages(text, &request).await?;
            times.push(started.elapsed());
            packages.extend(page.rows);
        }
    }
    report("packages", times);
    let mut times = Vec::new();
    for row in packages.iter().take(DETAILS) {
        let started = Instant::now();
        store.package(&row.distribution, &row.attribute).await?;
        times.push(started.elapsed());
    }
    report("package", times);
    let mut times = Vec::new();
    for channel in store.channels().await? {
        for _ in 0..5 {
            let started = Instant::now();
            store.channel(&channel.name).await?;
            times.push(started.elapsed());
        }
    }
    report("channel", times);
    let mut times = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        store.overview().await?;
        times.push(started.elapsed());
    }
    report("overview", times);
    Ok(())
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let Some(max) = times.last() else {
        return;
    };
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{name:<44} {:>6} {:>9.2} {:>9.2} {:>9.2}",
        times.len(),
        ms(at(50)),
        ms(at(95)),
        ms(*max)
    );
}
