//! The store as its callers see it, each test on both databases.

mod check;
mod copy;
mod derivation;
mod embargo;
mod follow;
mod import;
mod jobs;
mod landing;
mod lists;
mod operate;
mod people;
mod releases;
mod schema;
mod triage;
mod withdrawal;

use tracker_store::Store;
use tracker_store::view::{Page, PageRequest, VulnerabilityFilter, VulnerabilityRow};

/// The first page of a list in the default order.
async fn first_page(store: &Store, filter: &VulnerabilityFilter) -> Page<VulnerabilityRow> {
    let request = PageRequest {
        limit: 100,
        ..PageRequest::default()
    };
    let page = store.vulnerabilities(filter, &request).await;
    page.expect("the list can be read")
}

/// The public ids of a page.
fn ids(page: &Page<VulnerabilityRow>) -> Vec<String> {
    page.rows.iter().map(|row| row.id.clone()).collect()
}
