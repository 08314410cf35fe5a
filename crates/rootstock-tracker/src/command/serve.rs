//! `serve`: the pages of a database, until told to stop.

use super::landing::watch;
use super::open_existing;
use crate::arguments::Serve;
use crate::output::{self, Outcome};
use anyhow::{Context, bail};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracker_store::Store;
use tracker_web::{Landings, Limits};

/// Serves a database.
pub(crate) async fn run(arguments: Serve) -> anyhow::Result<Outcome> {
    let stop = stop_signal()?;
    let listener = bind(arguments.listen.listen).await?;
    let store = open_existing(&arguments.database.database).await?;
    let landings = match arguments.landing {
        Some(folder) => Some(watch(&folder, store.clone()).await?),
        None => None,
    };
    announce(&listener, "serving")?;
    serve(listener, store, landings, stop).await
}

/// Answers until `stop` resolves, then closes the database.
pub(super) async fn serve(
    listener: TcpListener,
    store: Store,
    landings: Option<Arc<dyn Landings>>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Outcome> {
    let limits = Limits::default();
    let router = tracker_web::router_with(store.clone(), landings, limits);
    tracker_web::serve(listener, router, limits, stop)
        .await
        .context("the server failed")?;
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
