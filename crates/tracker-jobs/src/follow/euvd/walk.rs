//! All of the European database, page by page: what it states no more is in none of its answers about changes.
//!
//! Records move between pages while they are walked through, so one that was not met is asked for by its id.
//! Invariant: only what the database itself says is not there is taken back.

use super::super::FollowError;
use super::super::file::{broken, read, shape};
use super::super::run::Run;
use super::super::snapshot::{Domain, missing};
use super::{BETWEEN, MAX_PAGES, PAGE, State};
use crate::fetch::{Fetched, Validators};
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::HashSet;
use tracker_record::Source;
use tracker_store::Withdrawal;

/// Days from one walk to the next.
const DAYS: i32 = 30;

#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<Item>,
    total: u64,
}

#[derive(Debug, Deserialize)]
struct Item {
    id: String,
}

impl State {
    /// Whether it is time to walk through all, or a walk is under way.
    pub(super) fn wants_walk(&self, today: Date) -> bool {
        let since = |day: Date| today.since(day).map_or(0, |span| span.get_days());
        let due = self.walked.is_none_or(|day| since(day) >= DAYS);
        self.reached.is_some() && self.until.is_none() && (self.walk.is_some() || due)
    }
}

/// Goes on with the walk, as far as one pass goes.
pub(super) async fn go_on(
    run: &mut Run<'_>,
    mut state: State,
    today: Date,
) -> Result<(), FollowError> {
    for _ in 0..MAX_PAGES {
        let number = *state.walk.get_or_insert(0);
        if number == 0 {
            run.forget_sightings().await?;
        }
        let url = format!("{}?size={PAGE}&page={number}", run.feed.url);
        let Fetched::New { download, .. } = run.get(url, Validators::default(), BETWEEN).await?
        else {
            return Err(shape("there is no API at its address"));
        };
        let page: Page =
            serde_json::from_slice(&read(&download)?).map_err(|error| broken(&error))?;
        let rest = page.total.saturating_sub(number * PAGE).min(PAGE);
        if (page.items.len() as u64) < rest {
            let reason = format!("{} records of {rest}", page.items.len());
            return Err(FollowError::Truncated { reason });
        }
        if !page.items.is_empty() {
            run.import(vec![download.input()]).await?;
            let ids: Vec<String> = page.items.into_iter().map(|item| item.id).collect();
            run.put_sightings(&ids).await?;
        }
        if (number + 1) * PAGE >= page.total {
            return ask(run, state, today).await;
        }
        state.walk = Some(number + 1);
        run.save(&state).await?;
    }
    Ok(())
}

/// Asks for what was not met; the walk ends when nothing is left to ask for.
async fn ask(run: &mut Run<'_>, mut state: State, today: Date) -> Result<(), FollowError> {
    let met: HashSet<String> = run.sightings().await?.into_iter().collect();
    let domain = Domain {
        source: Source::Euvd,
        prefix: String::new(),
    };
    let lost = missing(run, &domain, &met).await?;
    let (base, _) = run.feed.url.rsplit_once('/').unwrap_or_default();
    let by_id = format!("{base}/enisaid?id=");
    let now: Vec<String> = lost.ids.iter().take(MAX_PAGES as usize).cloned().collect();
    for id in &now {
        let asked = run.get(format!("{by_id}{id}"), Validators::default(), BETWEEN);
        let there = match asked.await? {
            Fetched::Absent => false,
            Fetched::Unchanged => true,
            Fetched::New { download, .. } => {
                let bytes = read(&download)?;
                let nothing = matches!(bytes.trim_ascii(), b"" | b"null" | b"{}");
                if !nothing {
                    let item: Item =
                        serde_json::from_slice(&bytes).map_err(|error| broken(&error))?;
                    if item.id != *id {
                        return Err(shape(format!("{:?} where {id} was asked for", item.id)));
                    }
                    run.import_changes(vec![download.input()]).await?;
                }
                !nothing
            }
        };
        let one = std::slice::from_ref(id);
        if there {
            run.put_sightings(one).await?;
        } else {
            run.withdraw(Source::Euvd, one, Withdrawal::Whole).await?;
        }
    }
    if now.len() == lost.ids.len() {
        run.forget_sightings().await?;
        state.walk = None;
        state.walked = Some(today);
    }
    run.save(&state).await
}
