//! What the guard does to handlers that no page has: slow ones, and ones that panic.

use super::{Limits, around};
use crate::operate::Operations;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::routing::get;
use std::time::Duration;
use tower::ServiceExt;
use tracker_store::Store;

async fn ask(path: &str) -> (StatusCode, String) {
    let router = Router::new()
        .route(
            "/slow.json",
            get(async || tokio::time::sleep(Duration::from_mins(1)).await),
        )
        .route(
            "/broken",
            get(async || -> &'static str { panic!("a secret") }),
        );
    let limits = Limits {
        time: Duration::from_millis(50),
        ..Limits::default()
    };
    let request = Request::get(path).body(Body::empty()).unwrap();
    let operations = Operations::new(Store::open("sqlite::memory:").await.unwrap());
    let guarded = around(router, limits, operations);
    let response = guarded.oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let (status, body) = ask("/slow.json").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("\"title\": \"This took too long\""), "{body}");
}

#[tokio::test]
async fn a_panic_is_a_page_that_keeps_its_secret() {
    let (status, body) = ask("/broken").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        body.contains("<h1>Something failed here</h1>") && !body.contains("secret"),
        "{body}"
    );
}
