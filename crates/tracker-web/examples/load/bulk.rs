//! Decisions about a thousand matches, as one act each, and taking them back.

use crate::Failure;
use jiff::Timestamp;
use std::time::Instant;
use tracker_store::view::PageRequest;
use tracker_store::{Act, ItemId, Store, Targets, Undo};
use tracker_testkit::scale;
use tracker_triage::query::Query;
use tracker_triage::{Action, Dismissal};

/// Matches of one act.
const MATCHES: usize = 1000;
/// Acts of each kind that are timed.
const TIMES: usize = 3;

/// Times dismissing the thousand most urgent matches that are open, by name and by a query, and undoing it.
pub(crate) async fn measure(store: &Store) -> Result<(), Failure> {
    let open = Query::parse("is:open state:proposed")?;
    let items = first(store, &open).await?;
    // A query that finds about as many: all of some vulnerabilities.
    let mut ids: Vec<&str> = items
        .iter()
        .map(|item| item.vulnerability.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(60);
    let query = Query::parse(&format!("id:{}", ids.join(",")))?;
    for (name, targets) in [
        ("named", Targets::Items(items.clone())),
        ("of a query", Targets::Query(query)),
    ] {
        let act = Act {
            targets,
            action: Action::Dismiss(Dismissal::WrongPackage),
            reason: Some("as measured".to_owned()),
            dry_run: false,
        };
        for _ in 0..TIMES {
            let started = Instant::now();
            let outcome = store.decide(&scale::triager(0), &act).await?;
            let decided = started.elapsed();
            let started = Instant::now();
            if let Some(act) = outcome.act {
                store
                    .undo(&scale::triager(0), Undo::Act(act), None, false)
                    .await?;
            }
            println!(
                "decision about {} matches, {name}: {:.0} ms; undone in {:.0} ms",
                outcome.changed.len(),
                decided.as_secs_f64() * 1e3,
                started.elapsed().as_secs_f64() * 1e3
            );
        }
    }
    Ok(())
}

async fn first(store: &Store, query: &Query) -> Result<Vec<ItemId>, Failure> {
    let mut items = Vec::new();
    let mut request = PageRequest {
        limit: 200,
        ..PageRequest::default()
    };
    while items.len() < MATCHES {
        let page = store.queue(query, Timestamp::now(), None, &request).await?;
        items.extend(page.rows.into_iter().map(|row| row.id));
        request.after = page.next;
        if request.after.is_none() {
            break;
        }
    }
    items.truncate(MATCHES);
    Ok(items)
}
