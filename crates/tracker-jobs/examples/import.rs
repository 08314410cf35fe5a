//! Imports feeds into a database and prints the summary as JSON: what the tests kill in the middle.
//!
//! `cargo run -p tracker-jobs --example import -- DATABASE PATH...`
#![expect(
    clippy::print_stdout,
    reason = "the summary is what this program is for"
)]

use anyhow::Context;
use std::path::PathBuf;
use tracker_jobs::{Input, import_feeds};
use tracker_store::Store;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let url = arguments.next().context("name a database and files")?;
    let url = url.to_str().context("the database's address is no text")?;
    let inputs = arguments.map(PathBuf::from).map(Input::Path).collect();
    let store = Store::open(url).await?;
    let summary = import_feeds(&store, inputs, &()).await?;
    println!("{}", serde_json::to_string_pretty(&summary)?);
    store.close().await;
    Ok(())
}
