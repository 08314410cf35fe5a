//! Measures an import: time and rate into an empty SQLite database, peak memory, and the same again unchanged.
//! Processor time is what a loaded machine does not distort.
//!
//! `cargo run --release -p tracker-jobs --example import-rate -- PATH...`
#![expect(clippy::print_stdout, reason = "figures are what this program is for")]

use anyhow::Context;
use std::path::PathBuf;
use std::time::Instant;
use tracker_jobs::{ImportSummary, Input, import_feeds};
use tracker_store::Store;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    anyhow::ensure!(!paths.is_empty(), "name the files or folders to import");
    let folder = tempfile::tempdir().context("a scratch folder")?;
    let file = folder.path().join("tracker.db");
    let store = Store::open(&format!("sqlite:{}", file.display())).await?;
    for pass in ["import", "the same again"] {
        let inputs = paths.iter().cloned().map(Input::Path).collect();
        let (start, processor) = (Instant::now(), processor_seconds()?);
        let summary = import_feeds(&store, inputs, &()).await?;
        print_pass(pass, &summary, start.elapsed().as_secs_f64());
        println!(
            "  {:.1} s of processor time",
            processor_seconds()? - processor
        );
    }
    println!("peak memory: {} MiB", peak_memory_kib()? / 1024);
    store.close().await;
    println!(
        "database: {} MB",
        std::fs::metadata(&file)?.len() / 1_000_000
    );
    Ok(())
}

fn print_pass(pass: &str, summary: &ImportSummary, seconds: f64) {
    let total = summary.total();
    let documents =
        total.added + total.changed + total.unchanged + total.superseded + total.rejected;
    println!(
        "{pass}: {documents} documents in {seconds:.1} s, {:.0} a second",
        documents as f64 / seconds
    );
    for (source, counts) in &summary.sources {
        println!(
            "  {source}: {} added, {} changed, {} unchanged, {} superseded, {} rejected",
            counts.added, counts.changed, counts.unchanged, counts.superseded, counts.rejected
        );
    }
    println!("  {} warnings", summary.warning_count);
    for refused in &summary.refused {
        println!("  refused {}: {}", refused.file, refused.reason);
    }
    for rejected in summary.rejected.iter().take(10) {
        println!(
            "  rejected {} record {}: {}",
            rejected.file, rejected.index, rejected.reason
        );
    }
}

/// Time on the processors so far, user and system, in the kernel's hundredths of a second.
fn processor_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The second field is the program's name in parentheses; user and system time are the 14th and 15th.
    let fields = stat
        .rsplit_once(')')
        .context("the system states no times")?
        .1;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks = ticks.map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / 100.0)
}

fn peak_memory_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("the system states no peak memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
