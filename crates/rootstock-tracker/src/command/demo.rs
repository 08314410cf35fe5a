//! `demo`: the snapshot in the program, read by the ordinary import, then served.

use super::open;
use super::serve::{Watch, announce, bind, serve, stop_signal};
use crate::arguments::Demo;
use crate::output::{self, Outcome};
use crate::progress::Display;
use crate::snapshot;
use anyhow::Context;
use jiff::SignedDuration;
use tracker_people::Role;
use tracker_web::People;

/// How long the link to sign in holds.
const LIFE: SignedDuration = SignedDuration::from_hours(24);

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
    let address = listener.local_addr()?;
    // The pages are the machine's own, or those of whoever asked for them to be more.
    let here = if address.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", address.port())
    } else {
        format!("http://{address}")
    };
    if let Ok(public) = here.parse() {
        let link = tracker_web::sign_in_link(&store, &public, "triager", Role::Triager, LIFE).await;
        output::note(&format!("sign in as a triager: {}", link?));
    }
    output::note("press Ctrl-C to stop");
    // Last: whoever waits for it finds all that there is to know.
    announce(&listener, "ready")?;
    let people = People::default();
    serve(listener, store, None, people, Watch::default(), stop).await
}
