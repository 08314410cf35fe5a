//! `serve`: the pages of a database, until told to stop.

use super::landing::watch;
use super::people::people;
use crate::arguments::Serve;
use crate::output::{self, Outcome};
use anyhow::{Context, bail};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracker_store::{Patience, Store};
use tracker_web::{Landings, Limits, Operations, People};

/// How the pages are watched, and how they end.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Where metrics are answered, if not beside the pages.
    pub(super) metrics: Option<TcpListener>,
    /// How long to go on answering once told to stop.
    pub(super) drain: Duration,
}

/// Serves a database.
pub(crate) async fn run(arguments: Serve) -> anyhow::Result<Outcome> {
    let stop = stop_signal()?;
    let listener = bind(arguments.listen.listen).await?;
    let metrics = match arguments.metrics_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let people = people(arguments.people)?;
    let database = &arguments.database.database;
    let store = Store::open_existing_with(database, Patience::PAGES).await;
    let store = store.context("the database does not open")?;
    let landings = match arguments.landing {
        Some(folder) => Some(watch(&folder, store.clone()).await?),
        None => None,
    };
    announce(&listener, "serving")?;
    if let Some(metrics) = &metrics {
        announce(metrics, "metrics")?;
    }
    let drain = Duration::from_secs(arguments.drain);
    let watch = Watch { metrics, drain };
    serve(listener, store, landings, people, watch, stop).await
}

/// Answers until `stop` resolves, then closes the database.
pub(super) async fn serve(
    listener: TcpListener,
    store: Store,
    landings: Option<Arc<dyn Landings>>,
    people: People,
    watch: Watch,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Outcome> {
    let limits = Limits::default();
    let operations = Operations::new(store.clone());
    let mut site = tracker_web::router_for(store.clone(), landings, people, limits, &operations);
    if watch.metrics.is_none() {
        site = site.merge(operations.metrics());
    }
    let stop = async {
        stop.await;
        operations.stop();
        tracing::info!("stopping");
        tokio::time::sleep(watch.drain).await;
    };
    // Who watches may go on doing so until the last page is sent.
    let (ended, end) = oneshot::channel::<()>();
    let pages = async {
        let served = tracker_web::serve(listener, site, limits, stop).await;
        drop(ended);
        served
    };
    let watched = async {
        let Some(listener) = watch.metrics else {
            return Ok(());
        };
        // The sender is never used, only dropped.
        let end = async { drop(end.await) };
        tracker_web::serve(listener, operations.router(), limits, end).await
    };
    let (pages, watched) = tokio::join!(pages, watched);
    pages.and(watched).context("the server failed")?;
    store.close().await;
    output::note("stopped");
    Ok(Outcome::Done)
}

/// Takes the address, or says why it cannot be had and what to do.
pub(super) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let ip = address.ip();
            bail!(
                "{address} is in use by another program; choose another address, such as `--listen {}`",
                SocketAddr::new(ip, 0)
            )
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            bail!("{address} may not be listened on; ports below 1024 need a privilege")
        }
        Err(error) => Err(error).with_context(|| format!("{address} cannot be listened on")),
    }
}

/// Says where the pages are.
pub(super) fn announce(listener: &TcpListener, what: &str) -> anyhow::Result<()> {
    let address = listener
        .local_addr()
        .context("the listener has no address")?;
    output::text(&format!("{what} on http://{address}\n"))
}

/// Resolves at the first SIGTERM or SIGINT from now on.
pub(super) fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be watched")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be watched")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
