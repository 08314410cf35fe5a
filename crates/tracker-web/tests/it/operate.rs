//! Probes and metrics: what each of them depends on, and what it never does.

use crate::site::{CRITICAL, Site};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use tracker_store::FollowState;
use tracker_testkit::on_both_databases;

/// The value of a line of the metrics.
fn value(metrics: &str, series: &str) -> Option<f64> {
    let series = format!("rootstock_tracker_{series} ");
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix(&series))?;
    Some(line.parse().unwrap())
}

on_both_databases! {
    async fn a_service_that_stops_lives_but_is_not_ready(database) {
        let site = Site::empty(&database).await;
        assert_eq!(site.get("/readyz").await.status, StatusCode::OK);
        site.operations.stop();
        let ready = site.get("/readyz").await;
        assert_eq!((ready.status, ready.body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"));
        assert_eq!(site.get("/healthz").await.status, StatusCode::OK);
        assert_eq!(site.get("/about").await.status, StatusCode::OK, "what still comes is answered");
    }

    async fn requests_are_counted_by_route(database) {
        let site = Site::new(&database).await;
        for path in ["/about", "/about.json", "/vulnerabilities/CVE-2024-9999", "/no/such/place"] {
            site.get(path).await;
        }
        site.get(&format!("/vulnerabilities/{CRITICAL}?q=a-word-of-a-visitor")).await;
        let odd = Request::builder().method("BREW").uri("/about").body(Body::empty()).unwrap();
        site.ask(odd).await;
        site.get("/healthz").await;
        let answer = site.get("/metrics").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
        let metrics = answer.body;
        for (series, count) in [
            (r#"http_requests_total{route="/about",method="GET",status="200"}"#, 2.0),
            (r#"http_requests_total{route="/about",method="other",status="405"}"#, 1.0),
            (r#"http_requests_total{route="/vulnerabilities/{id}",method="GET",status="404"}"#, 1.0),
            (r#"http_requests_total{route="/vulnerabilities/{id}",method="GET",status="200"}"#, 1.0),
            (r#"http_requests_total{route="none",method="GET",status="404"}"#, 1.0),
            (r#"http_request_duration_seconds_count{route="/about"}"#, 3.0),
            (r#"http_request_duration_seconds_bucket{le="+Inf",route="none"}"#, 1.0),
            ("http_requests_under_way", 0.0),
        ] {
            assert_eq!(value(&metrics, series), Some(count), "{series}: {metrics}");
        }
        for absent in ["healthz", "BREW", CRITICAL, "a-word-of-a-visitor", "/no/such"] {
            assert!(!metrics.contains(absent), "{absent}: {metrics}");
        }
    }

    async fn the_database_and_the_feeds_are_measured(database) {
        let site = Site::new(&database).await;
        let state = FollowState {
            feed: "kev".to_owned(),
            checked: Some("2026-01-02T03:04:05Z".parse().unwrap()),
            succeeded: Some("2026-01-02T03:04:00Z".parse().unwrap()),
            failures: 3,
            problem: Some("cut off".to_owned()),
            ..FollowState::default()
        };
        site.store.put_follow_state(&state).await.unwrap();
        let metrics = site.get("/metrics").await.body;
        for (series, expected) in [
            ("records", 5.0),
            ("vulnerabilities", 4.0),
            ("packages", 12.0),
            ("database_up", 1.0),
            (r#"feed_asked_timestamp_seconds{feed="kev"}"#, 1_767_323_045.0),
            (r#"feed_succeeded_timestamp_seconds{feed="kev"}"#, 1_767_323_040.0),
            (r#"feed_failures{feed="kev"}"#, 3.0),
        ] {
            assert_eq!(value(&metrics, series), Some(expected), "{series}: {metrics}");
        }
        assert!(value(&metrics, "matches").unwrap() > 0.0, "{metrics}");
        assert!(value(&metrics, "database_connections_most").unwrap() >= 1.0, "{metrics}");
        assert!(metrics.contains("rootstock_tracker_build_info{version=\""), "{metrics}");
        assert!(metrics.ends_with("# EOF\n"));
        site.store.clone().close().await;
        let metrics = site.get("/metrics").await.body;
        assert_eq!(value(&metrics, "database_up"), Some(0.0), "it still answers: {metrics}");
    }

    async fn a_request_has_an_id(database) {
        let site = Site::empty(&database).await;
        let ask = async |id: &str| {
            let request = Request::get("/about").header("x-request-id", id);
            let answer = site.ask(request.body(Body::empty()).unwrap()).await;
            answer.header("x-request-id").to_owned()
        };
        assert_eq!(ask("proxy-7.a_b").await, "proxy-7.a_b");
        let mut made = Vec::new();
        for unfit in ["", "a b", "a\"b", "é", &"x".repeat(65)] {
            made.push(ask(unfit).await);
        }
        assert!(made.iter().all(|id| id.len() == 16), "{made:?}");
        made.sort();
        made.dedup();
        assert_eq!(made.len(), 5, "no two are alike: {made:?}");
    }
}
