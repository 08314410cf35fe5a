//! `demo`: the snapshot in the program, read by the ordinary import, then served.

use super::open;
use super::serve::{Watch, announce, bind, serve, stop_signal};
use crate::arguments::Demo;
use crate::output::{self, Outcome};
use crate::progress::Display;
use crate::snapshot;
use anyhow::Context;

/// Serves the snapshot.
pub(crate) async fn run(arguments: Demo) -> anyhow::Result<Outcome> {
    let mut stop = std::pin::pin!(stop_signal()?);
    // The address first: a busy port should not cost the wait for the import.
    let listener = bind(arguments.listen.listen).await?;
    let folder = tempfile::tempdir().context("no folder for temporary files")?;
    let url = arguments
        .database
        .unwrap_or_else(|| format!("sqlite:{}", folder.path().join("demo.sqlite").display()));
    let store = open(&url).await?;
    let progress = Display::new();
    tokio::select! {
        loaded = snapshot::load(&store, &progress) => loaded?,
        () = &mut stop => {
            output::note("stopped before the snapshot was read");
            return Ok(Outcome::Done);
        }
    }
    progress.finish();
    announce(&listener, "ready")?;
    output::note("press Ctrl-C to stop");
    serve(listener, store, None, Watch::default(), stop).await
}
