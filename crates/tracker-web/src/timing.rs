//! How long the pages take, measured on the handlers themselves: routing, queries, rendering, tags; no network.

use crate::guard::Limits;
use crate::path;
use crate::routes::router;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::Request;
use serde::Serialize;
use std::time::Instant;
use tower::ServiceExt;
use tracker_store::view::{Order, PageRequest, VulnerabilityFilter};
use tracker_store::{Store, StoreError};

/// Rows that a list of addresses to ask for is drawn from, for each order.
const SAMPLE: u32 = 200;

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
    for (page, addresses) in addresses(store).await? {
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
    let mut bytes = 0;
    // One request first, so that connections are open and statements prepared.
    ask(site, &addresses[0]).await;
    for address in addresses.iter().cycle().take(rounds as usize) {
        let started = Instant::now();
        bytes += ask(site, address).await;
        micros.push(started.elapsed().as_micros() as u64);
    }
    micros.sort_unstable();
    let at = |share: usize| micros[(micros.len() * share).div_ceil(100).saturating_sub(1)];
    PageTimes {
        page,
        requests: rounds,
        p50_us: at(50),
        p95_us: at(95),
        max_us: at(100),
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
async fn addresses(store: &Store) -> Result<Vec<(&'static str, Vec<String>)>, StoreError> {
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
    for channel in &channels {
        let name = path::query_value(&channel.name);
        lists.push(format!("/vulnerabilities?channel={name}&state=affected"));
    }
    let words = rows
        .iter()
        .filter_map(|row| row.title.split_whitespace().find(|word| word.len() > 5));
    let words = words.filter(|word| word.chars().all(char::is_alphanumeric));
    let families = rows.iter().filter_map(|row| row.families.first());
    Ok(vec![
        ("overview", vec!["/".to_owned()]),
        ("list", lists),
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
