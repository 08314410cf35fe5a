//! Turns: how many requests of one route are answered at once, so that a kind of page that is slow leaves connections
//! to the database for the others.
//!
//! Invariant: no route takes more than half of the connections.

use crate::error::Error;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tracker_store::Store;

/// How long a request waits for its turn.
const WAIT: Duration = Duration::from_secs(4);

/// The turns of every route. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    most: usize,
    routes: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

impl Turns {
    pub(crate) fn new(store: &Store) -> Turns {
        let most = store.connections().most as usize;
        Turns {
            most: most.div_ceil(2).max(1),
            routes: Arc::default(),
        }
    }

    /// That of a route, of which there are as many as lines in the table.
    fn of(&self, route: &str) -> Arc<Semaphore> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        match routes.get(route) {
            Some(turns) => Arc::clone(turns),
            None => {
                let turns = Arc::new(Semaphore::new(self.most));
                routes.insert(route.to_owned(), Arc::clone(&turns));
                turns
            }
        }
    }
}

/// Lets a request on once it is its turn.
pub(crate) async fn wait(State(turns): State<Turns>, request: Request, next: Next) -> Response {
    let Some(route) = request.extensions().get::<MatchedPath>() else {
        return next.run(request).await;
    };
    // Signing in waits for others than the database.
    if route.as_str().starts_with("/sign-in") {
        return next.run(request).await;
    }
    let turns = turns.of(route.as_str());
    match tokio::time::timeout(WAIT, turns.acquire()).await {
        Ok(Ok(_turn)) => next.run(request).await,
        _ => Error::Crowded.into_response(),
    }
}
