//! How long the pages take, measured on the handlers themselves: routing, queries, rendering, tags; no network.

use crate::guard::Limits;
use crate::pages::queue::act;
use crate::path;
use crate::routes::router;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::Request;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashMap;
use std::time::Instant;
use tower::ServiceExt;
use tracker_store::view::{ChannelSummary, Order, PageRequest, VulnerabilityFilter};
use tracker_store::{Store, StoreError};
use tracker_triage::query::Query;

/// Rows that a list of addresses to ask for is drawn from, for each order.
const SAMPLE: u32 = 200;

/// Addresses of a kind that are named for being slow.
const SLOWEST: usize = 3;

/// The times of one kind of page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageTimes {
    /// The kind.
    pub page: &'static str,
    /// Requests made.
    pub requests: u32,
    /// Median, in microseconds.
    pub p50_us: u64,
    /// 95th percentile, in microseconds.
    pub p95_us: u64,
    /// Longest, in microseconds.
    pub max_us: u64,
    /// The addresses whose fastest answers took longest, each with that in microseconds: what to look at first.
    pub slowest: Vec<(u64, String)>,
    /// Mean size of a page, in bytes.
    pub mean_bytes: u64,
}

/// Asks for each kind of page `rounds` times, over many different ones of it, and times the answers.
///
/// # Errors
/// Those of the store while addresses are collected. A page that fails is a panic: a figure without it would lie.
pub async fn page_times(store: &Store, rounds: u32) -> Result<Vec<PageTimes>, StoreError> {
    let site = router(store.clone(), Limits::default());
    let mut times = Vec::new();
    for (page, addresses) in page_addresses(store).await? {
        if !addresses.is_empty() {
            times.push(measure(&site, page, &addresses, rounds).await);
        }
    }
    Ok(times)
}

async fn measure(
    site: &Router,
    page: &'static str,
    addresses: &[String],
    rounds: u32,
) -> PageTimes {
    let mut micros = Vec::with_capacity(rounds as usize);
    let mut fastest: HashMap<&str, u64> = HashMap::new();
    let mut bytes = 0;
    // As many before, so that on every connection statements are prepared and planned for good.
    for address in addresses.iter().cycle().take(rounds as usize) {
        ask(site, address).await;
    }
    for address in addresses.iter().cycle().take(rounds as usize) {
        let started = Instant::now();
        bytes += ask(site, address).await;
        let taken = started.elapsed().as_micros() as u64;
        micros.push(taken);
        let best = fastest.entry(address).or_insert(taken);
        *best = taken.min(*best);
    }
    let fastest = fastest.into_iter();
    let mut slowest: Vec<_> = fastest
        .map(|(address, taken)| (taken, address.to_owned()))
        .collect();
    slowest.sort_unstable_by(|a, b| b.cmp(a));
    slowest.truncate(SLOWEST);
    micros.sort_unstable();
    let at = |share: usize| micros[(micros.len() * share).div_ceil(100).saturating_sub(1)];
    PageTimes {
        page,
        requests: rounds,
        p50_us: at(50),
        p95_us: at(95),
        max_us: at(100),
        slowest,
        mean_bytes: bytes / u64::from(rounds.max(1)),
    }
}

/// Size of the answer.
async fn ask(site: &Router, address: &str) -> u64 {
    let request = Request::get(address)
        .body(Body::empty())
        .expect("our own addresses are valid");
    let Ok(response) = site.clone().oneshot(request).await;
    let status = response.status();
    assert!(status.is_success(), "{address} answers {status}");
    response.body().size_hint().lower()
}

/// Addresses of every kind of page, taken from what the database holds.
///
/// # Errors
/// Those of the store.
pub async fn page_addresses(store: &Store) -> Result<Vec<(&'static str, Vec<String>)>, StoreError> {
    let mut rows = Vec::new();
    for (order, matched) in [
        (Order::Urgency, true),
        (Order::Published, false),
        (Order::Modified, false),
    ] {
        let filter = VulnerabilityFilter {
            matched,
            ..VulnerabilityFilter::default()
        };
        let request = PageRequest {
            limit: SAMPLE,
            order,
            ..PageRequest::default()
        };
        rows.extend(store.vulnerabilities(&filter, &request).await?.rows);
    }
    let channels = store.channels().await?;
    let packages = store
        .packages(
            None,
            &PageRequest {
                limit: SAMPLE,
                ..PageRequest::default()
            },
        )
        .await?;
    let views = store.views(None).await?;
    let (in_queue, of_maintainers) = queue(store, &channels).await?;
    let words = rows
        .iter()
        .filter_map(|row| row.title.split_whitespace().find(|word| word.len() > 5));
    let words = words.filter(|word| word.chars().all(char::is_alphanumeric));
    let families = rows.iter().filter_map(|row| row.families.first());
    Ok(vec![
        ("overview", vec!["/".to_owned()]),
        ("list", lists(&channels)),
        (
            "search",
            words
                .map(|word| format!("/vulnerabilities?scope=all&q={}", path::query_value(word)))
                .collect(),
        ),
        (
            "of a package",
            families
                .map(|family| path::vulnerabilities_of(family))
                .collect(),
        ),
        ("queue", in_queue),
        ("maintainer", of_maintainers),
        (
            "saved view",
            views.iter().map(|view| asked(&view.query)).collect(),
        ),
        ("match", matches(store).await?),
        ("log", vec!["/log".to_owned()]),
        (
            "vulnerability",
            rows.iter()
                .map(|row| path::vulnerability(&row.id))
                .collect(),
        ),
        (
            "package",
            packages
                .rows
                .iter()
                .map(|row| path::package(&row.distribution, &row.attribute))
                .collect(),
        ),
        (
            "find packages",
            packages
                .rows
                .iter()
                .map(|row| format!("/packages?q={}", path::query_value(&row.pname)))
                .collect(),
        ),
        (
            "channel",
            channels
                .iter()
                .map(|channel| path::channel(&channel.name))
                .collect(),
        ),
    ])
}

/// Pages of the list of vulnerabilities.
fn lists(channels: &[ChannelSummary]) -> Vec<String> {
    let mut lists = vec!["/vulnerabilities".to_owned()];
    for query in [
        "scope=all",
        "kev=1",
        "severity=critical",
        "severity=high&scope=all",
        "order=published",
        "order=modified&scope=all",
        "state=affected",
    ] {
        lists.push(format!("/vulnerabilities?{query}"));
    }
    for channel in channels {
        let name = path::query_value(&channel.name);
        lists.push(format!("/vulnerabilities?channel={name}&state=affected"));
    }
    lists
}

/// Queries of all kinds: wide and narrow, of few values and of many, the urgent and the least so.
const QUERIES: [&str; 20] = [
    "is:open",
    "is:open severity>=high",
    "is:open severity:low",
    "is:open kev:yes",
    "is:open epss>=0.1",
    "is:open age<7d",
    "is:open assignee:none confidence>=0.9",
    "is:open default:yes or is:suggested",
    "is:contradicted",
    "is:snoozed",
    "state:confirmed",
    "state:dismissed severity:critical",
    "status:fixed-by-version kev:yes",
    "status:will-not-fix",
    "confidence<0.6 is:open",
    "dependents>=1000 is:open",
    "overflow",
    "overflow is:open severity:low",
    "remote code execution is:open",
    "-severity:low,none -kev:yes epss<0.001",
];

fn asked(query: &str) -> String {
    format!("/queue?q={}", path::query_value(query))
}

/// Pages of the queue, by queries of all kinds, and their second pages; and those of maintainers.
async fn queue(
    store: &Store,
    channels: &[ChannelSummary],
) -> Result<(Vec<String>, Vec<String>), StoreError> {
    let mut maintainers = Vec::new();
    let mut queries: Vec<String> = QUERIES.iter().map(|query| (*query).to_owned()).collect();
    for channel in channels {
        let name = &channel.name;
        queries.push(format!("is:open affected:{name}"));
        queries.push(format!("fixed:{name} severity:critical"));
    }
    let request = PageRequest {
        limit: 200,
        ..PageRequest::default()
    };
    let everything = Query::everything();
    let page = store.queue(&everything, Timestamp::now(), None, &request);
    for row in page.await?.rows.iter().step_by(40) {
        let family = &row.id.family;
        let quoted = format!("\"{}\"", family.replace(['\\', '"'], ""));
        queries.push(format!("family:{quoted}"));
        queries.push(format!("pname:{quoted} is:open"));
        for package in store
            .packages(Some(family), &request)
            .await?
            .rows
            .iter()
            .take(1)
        {
            let detail = store
                .package(&package.distribution, &package.attribute)
                .await?;
            let held = detail.and_then(|detail| detail.maintainers.into_iter().next());
            if let Some(name) = held {
                queries.push(format!("maintainer:\"{name}\" is:open"));
                maintainers.push(format!("/maintainers/{}", path::segment(&name)));
            }
        }
    }
    let mut addresses = Vec::new();
    for query in queries {
        let Ok(parsed) = Query::parse(&query) else {
            continue;
        };
        addresses.push(asked(&query));
        let request = PageRequest::default();
        let page = store
            .queue(&parsed, Timestamp::now(), None, &request)
            .await?;
        let next = page
            .next
            .map(|next| format!("{}&after={next}", asked(&query)));
        addresses.extend(next);
    }
    Ok((addresses, maintainers))
}

/// Pages of single matches.
async fn matches(store: &Store) -> Result<Vec<String>, StoreError> {
    let request = PageRequest {
        limit: SAMPLE,
        ..PageRequest::default()
    };
    let everything = Query::everything();
    let page = store.queue(&everything, Timestamp::now(), None, &request);
    let rows = page.await?.rows;
    Ok(rows.iter().map(|row| act::address(&row.id)).collect())
}
