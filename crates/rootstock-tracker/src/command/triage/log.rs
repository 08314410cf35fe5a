//! `triage log`, `history` and `maintainer`: what happened, and what is whose.

use super::{item, print, text};
use crate::arguments::triage::{History, Maintainer, TriageLog};
use crate::command::open_existing;
use crate::output::{self, Outcome};
use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;
use tracker_store::LogFilter;
use tracker_store::view::PageRequest;
use tracker_triage::query::Query;

/// Packages that are told.
const PACKAGES: u32 = 5_000;

pub(super) async fn log(arguments: TriageLog) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let filter = LogFilter {
        vulnerability: arguments.vulnerability,
        actor: arguments.actor,
        kind: arguments.kind,
    };
    let request = PageRequest {
        limit: arguments.page.limit,
        after: arguments.page.after,
        ..PageRequest::default()
    };
    let same = filter.vulnerability.is_some();
    let Some(page) = store.log_page(&filter, &request).await? else {
        let id = filter.vulnerability.unwrap_or_default();
        output::note(&format!(
            "there is no vulnerability `{id}` in this database"
        ));
        return Ok(Outcome::Absent);
    };
    print(arguments.json.json, &page, || text::lines(&page, same))
}

pub(super) async fn history(arguments: History) -> anyhow::Result<Outcome> {
    let store = open_existing(&arguments.database.database).await?;
    let request = PageRequest {
        limit: arguments.page.limit,
        after: arguments.page.after,
        ..PageRequest::default()
    };
    let which = &arguments.which;
    let Some(page) = store.item_log(&item(which), &request).await? else {
        output::note(&format!(
            "`{}` is not matched to `{}` in {}",
            which.vulnerability, which.family, which.distribution
        ));
        return Ok(Outcome::Absent);
    };
    print(arguments.json.json, &page, || text::lines(&page, true))
}

pub(super) async fn maintainer(arguments: Maintainer) -> anyhow::Result<Outcome> {
    let name = &arguments.name;
    let query = format!(
        "is:open maintainer:\"{}\" {}",
        name.replace(['"', '\\'], ""),
        arguments.query
    );
    let query = Query::parse(&query).context("the query")?;
    let store = open_existing(&arguments.database.database).await?;
    let packages = store.maintained_by(name, PACKAGES).await?;
    if packages.is_empty() {
        output::note(&format!("no package names `{name}` as a maintainer"));
        return Ok(Outcome::Absent);
    }
    let request = PageRequest {
        limit: arguments.limit,
        ..PageRequest::default()
    };
    let open = store
        .queue(&query, Timestamp::now(), Some(name), &request)
        .await?;
    let told = json!({ "maintainer": name, "packages": packages, "open": open });
    print(arguments.json.json, &told, || {
        let names: Vec<&str> = packages.iter().map(|one| one.attribute.as_str()).collect();
        format!(
            "maintains {}\n\n{}",
            text::one_line(&names.join(", ")),
            text::page(&open)
        )
    })
}
