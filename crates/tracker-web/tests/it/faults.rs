//! A database that is away, slow, held by others: each page says so and when to come again, tells nothing of what is
//! behind it, and is back by itself.

use crate::matrix::Cast;
use crate::site::{Answer, CRITICAL, Site, fill};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use std::time::{Duration, Instant};
use tracker_people::Role;
use tracker_store::{Patience, Store, StoreError};
use tracker_testkit::{Database, Held, Kind, PrivateServer, on_both_databases};
use tracker_web::{Limits, PeopleSettings};

/// That of somebody who waits for a test.
const PATIENCE: Patience = Patience {
    connection: Duration::from_millis(400),
    lock: Duration::from_millis(300),
    turn: Duration::from_millis(900),
    statement: Some(Duration::from_millis(700)),
};

fn site(store: Store) -> Site {
    let people = PeopleSettings::default();
    Site::of(store, crate::changes::index(), people, Limits::default())
}

/// The answer, page or problem, of a database that does not do what it should.
fn check_failure(answer: &Answer, title: &str) {
    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        answer.body
    );
    assert!(answer.body.contains(title), "{title}: {}", answer.body);
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds));
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.body.to_lowercase();
    for secret in [
        "sqlx",
        "pool",
        "sqlite",
        "postgres",
        "select ",
        "statement",
        "tracker_template",
    ] {
        assert!(!body.contains(secret), "{secret}: {body}");
    }
    if answer.header("content-type") == "application/problem+json" {
        assert_eq!(
            (&answer.json()["status"], &answer.json()["title"]),
            (&json!(503), &json!(title))
        );
    } else {
        assert!(
            answer.body.contains("Start page"),
            "a way on: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn a_server_that_is_restarted_is_away_and_then_back() {
    let mut server = PrivateServer::new().await;
    let store = Store::open_with(&server.url(), PATIENCE).await.unwrap();
    fill(&store).await;
    let site = site(store);
    assert_eq!(site.get("/channels").await.status, StatusCode::OK);
    server.stop().await;
    for path in [
        "/channels",
        "/queue",
        "/channels.json",
        "/api/v1/vulnerabilities",
    ] {
        let started = Instant::now();
        check_failure(&site.get(path).await, "The database is away");
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{path}: {:?}",
            started.elapsed()
        );
    }
    assert_eq!(site.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(
        site.get("/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    server.start().await;
    for path in ["/channels", "/queue", "/readyz"] {
        assert_eq!(
            site.get(path).await.status,
            StatusCode::OK,
            "{path}: by itself"
        );
    }
}

#[tokio::test]
async fn pages_that_wait_for_the_database_leave_it_to_others() {
    let database = Database::new(Kind::Postgres).await;
    let site = site(database.open_with(PATIENCE).await);
    fill(&site.store).await;
    let held = Held::new(database.url()).await;
    // More than there are connections.
    let slow = (0..30).map(|number| {
        let path = if number % 2 == 0 {
            "/vulnerabilities"
        } else {
            "/vulnerabilities.json"
        };
        let site = site.clone();
        tokio::spawn(async move { site.get(path).await })
    });
    let slow: Vec<_> = slow.collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let started = Instant::now();
    for path in ["/channels", "/jobs", "/about.json", "/readyz"] {
        assert_eq!(site.get(path).await.status, StatusCode::OK, "{path}");
    }
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    let mut slowest = 0;
    for answer in slow {
        let answer = answer.await.unwrap();
        if answer.body.contains("This took too long") {
            check_failure(&answer, "This took too long");
            slowest += 1;
        } else {
            check_failure(&answer, "Many ask for this");
        }
    }
    assert!(slowest >= 5, "{slowest}");
    held.release().await;
    assert_eq!(
        site.get("/vulnerabilities").await.status,
        StatusCode::OK,
        "by itself"
    );
}

on_both_databases! {
    async fn what_cannot_be_written_now_is_not_written_and_pages_go_on(database) {
        let site = site(database.open_with(PATIENCE).await);
        fill(&site.store).await;
        let mut cast = Cast::new(&site.store).await;
        let token = cast.token(&site.store, Role::Triager).await.unwrap();
        let decide = || {
            let order = json!({
                "matches": [{ "vulnerability": CRITICAL, "distribution": "nixpkgs", "family": "openssl" }],
                "decision": { "do": "confirm" },
            });
            let request = Request::post("/api/v1/decisions").header("authorization", format!("Bearer {token}"));
            request.header("content-type", "application/json").body(Body::from(order.to_string())).unwrap()
        };
        assert_eq!(site.api("/api/v1/whoami", Some(&token)).await.status, StatusCode::OK);
        let held = Held::new(database.url()).await;
        let title = if database.kind() == Kind::Sqlite { "The database is away" } else { "This took too long" };
        check_failure(&site.ask(decide()).await, title);
        for path in ["/channels", "/jobs", "/about"] {
            assert_eq!(site.get(path).await.status, StatusCode::OK, "{path}");
        }
        held.release().await;
        let done = site.ask(decide()).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
        assert_eq!(done.json()["changed"].as_array().unwrap().len(), 1, "nothing was written before");
    }
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let database = Database::new(Kind::Sqlite).await;
    fill(&database.open().await).await;
    let hurried = Patience {
        statement: Some(Duration::ZERO),
        ..PATIENCE
    };
    let store = database.open_with(hurried).await;
    let looked = store.check(false, &mut || ()).await;
    assert!(matches!(looked, Err(StoreError::Slow(_))), "{looked:?}");
    // What is short is answered all the same, on the same connection.
    assert_eq!(store.channels().await.unwrap().len(), 2);
}
