//! The landing index as the pages ask it: kept up with its folder and with the database's releases.
//!
//! Invariant: what is being read anew is asked by nobody; an index that cannot be read stays as it was, and the log says why.

use jiff::Timestamp;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tracker_jobs::landing::{LandingFolder, dated};
use tracker_landing::LandingIndex;
use tracker_store::Store;
use tracker_web::Landings;

/// How often the folder and the database are looked at.
const PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Watched(RwLock<LandingFolder>);

impl Landings for Watched {
    fn with(&self, ask: &mut dyn FnMut(&LandingIndex)) {
        // A question that panicked has changed nothing.
        let folder = self.0.read().unwrap_or_else(PoisonError::into_inner);
        ask(folder.index());
    }
}

/// Opens an index and keeps it up from then on.
pub(in crate::command) async fn watch(
    folder: &Path,
    store: Store,
) -> anyhow::Result<Arc<dyn Landings>> {
    let mut opened = LandingFolder::open(folder)?;
    opened.set_outside(dated(&store).await?);
    let told = store.pulls_updated().await?;
    opened.set_requests(store.pull_notes().await?);
    let watched = Arc::new(Watched(RwLock::new(opened)));
    tokio::spawn(keep_up(Arc::clone(&watched), store, told));
    Ok(watched)
}

/// `told` is the time of the newest telling of a pull request that was taken in.
async fn keep_up(watched: Arc<Watched>, store: Store, mut told: Option<Timestamp>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        // A database that is closed has no releases; the server is about to stop then.
        let (Ok(releases), Ok(newest)) = (dated(&store).await, store.pulls_updated().await) else {
            continue;
        };
        let mut notes = None;
        if newest != told {
            let Ok(read) = store.pull_notes().await else {
                continue;
            };
            notes = Some(read);
            told = newest;
        }
        let watched = Arc::clone(&watched);
        let read = tokio::task::spawn_blocking(move || {
            let mut folder = watched.0.write().unwrap_or_else(PoisonError::into_inner);
            folder.set_outside(releases);
            if let Some(notes) = notes {
                folder.set_requests(notes);
            }
            folder.refresh()
        });
        if let Ok(Err(error)) = read.await {
            tracing::warn!(%error, "the landing index cannot be read on");
        }
    }
}
