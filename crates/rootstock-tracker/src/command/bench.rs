//! `bench`: figures of this program on the data at hand.

use super::open_existing;
use crate::arguments::BenchPages;
use crate::output::{self, Outcome};
use std::fmt::Write;

/// Times the pages.
pub(crate) async fn pages(arguments: BenchPages) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let times = tracker_web::page_times(&store, arguments.rounds).await?;
    if arguments.json.json {
        output::json(&times)?;
        return Ok(Outcome::Done);
    }
    let mut table = format!(
        "{:<16}{:>9}{:>10}{:>10}{:>10}{:>10}\n",
        "page", "requests", "P50 ms", "P95 ms", "max ms", "kB"
    );
    for row in &times {
        let ms = |micros: u64| micros as f64 / 1_000.0;
        writeln!(
            table,
            "{:<16}{:>9}{:>10.2}{:>10.2}{:>10.2}{:>10.1}",
            row.page,
            row.requests,
            ms(row.p50_us),
            ms(row.p95_us),
            ms(row.max_us),
            row.mean_bytes as f64 / 1_000.0
        )?;
    }
    output::text(&table)?;
    Ok(Outcome::Done)
}
