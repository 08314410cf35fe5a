//! Connections: accepted up to a limit, dropped when they dawdle, finished on shutdown.
//!
//! Invariant: once `stop` resolves no connection is accepted, and every answer begun is sent or given up after
//! [`GRACE`].

mod taken;

use crate::guard::Limits;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use taken::Taken;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::Layer;

/// How long answers under way may take once the server stops.
const GRACE: Duration = Duration::from_secs(10);
/// Pause after the system refuses a connection (out of file descriptors, say): waiting is all that helps.
const REFUSED: Duration = Duration::from_millis(200);

/// Answers on a listener until `stop` resolves.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_headers(64);
    let mut stop = std::pin::pin!(stop);
    loop {
        let slot = Arc::clone(&slots).acquire_owned();
        let accept = async {
            let slot = slot.await.map_err(io::Error::other)?;
            listener
                .accept()
                .await
                .map(|(stream, peer)| (slot, stream, peer))
        };
        let (slot, stream, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = accept => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "connection not accepted");
                    tokio::time::sleep(REFUSED).await;
                    continue;
                }
            },
        };
        // Where the connection is from: what is counted of those who sign in.
        let service = Extension(peer.ip()).layer(router.clone());
        let service = TowerToHyperService::new(service);
        let connection =
            http.serve_connection(TokioIo::new(Taken::new(stream, limits.taking)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "connection broke off");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some answers were given up after {} s", GRACE.as_secs());
    }
    Ok(())
}
