//! Every address of the site, in both forms: a route that is missing from the table fails.

use crate::site::{CRITICAL, Site};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use tracker_testkit::on_both_databases;
use tracker_web::{Kind, ROUTES};

/// An address for each pattern.
fn example(pattern: &str) -> String {
    pattern
        .replace(
            "/vulnerabilities/{id}",
            &format!("/vulnerabilities/{CRITICAL}"),
        )
        .replace("{distribution}", "nixpkgs")
        .replace("{attribute}", "openssl")
        .replace("{family}", "openssl")
        .replace("{name}", "nixos-24.05")
        .replace("{maintainer}", "alyssa")
        .replace("{change}", "7")
        .replace("{from}", "aaa")
        .replace("{to}", "bbb")
}

/// What a page has and no other.
const MARKS: &[(&str, &str)] = &[
    ("/", "Most urgent"),
    ("/vulnerabilities", "3 vulnerabilities"),
    ("/vulnerabilities/{id}", "Where it stands"),
    ("/queue", "What can be asked"),
    (
        "/vulnerabilities/{id}/{distribution}/{family}",
        "Matches of this vulnerability",
    ),
    ("/rules", "No rule hides anything"),
    (
        "/families/{distribution}/{family}",
        "Nobody merged or split it",
    ),
    ("/packages", "12 packages"),
    (
        "/packages/{distribution}/{attribute}",
        "What openssl is for",
    ),
    ("/channels", "nixos-unstable"),
    ("/channels/{name}", "State of the current release"),
    (
        "/channels/{name}/changes/{from}/{to}",
        "the same packages in the same versions",
    ),
    ("/changes", "Where is this change?"),
    ("/changes/{change}", "Pull request #7"),
    ("/pipeline", "built from release-24.05"),
    ("/pipeline/{name}", "Pipeline of nixos-24.05"),
    ("/events", "Nothing of this has happened yet"),
    ("/log", "Nobody did anything yet"),
    ("/maintainers/{maintainer}", "Maintains 1 package of"),
    ("/labels", "Pull requests by label"),
    ("/jobs", "There are no jobs"),
    ("/about", "Data sources"),
];

on_both_databases! {
    async fn every_page_answers_in_both_forms(database) {
        let site = Site::new(&database).await;
        for route in ROUTES.iter().filter(|route| route.kind == Kind::Page) {
            let pattern = route.path;
            let mark = MARKS.iter().find(|(known, _)| *known == pattern);
            let (_, mark) = mark.unwrap_or_else(|| panic!("no example for {pattern}"));
            let path = example(pattern);
            let page = site.get(&path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
            assert!(page.body.contains(mark), "{path} lacks `{mark}`: {}", page.body);
            let twin = if path == "/" { "/index.json".to_owned() } else { format!("{path}.json") };
            let answer = site.get(&twin).await;
            assert_eq!(answer.status, StatusCode::OK, "{twin}");
            assert_eq!(answer.header("content-type"), "application/json", "{twin}");
            assert!(answer.json().is_object(), "{twin}");
            if page.header("content-type").starts_with("text/html") {
                assert!(page.body.contains(&format!("href=\"{twin}\"")), "{path} names its twin");
            }
        }
    }

    async fn an_empty_database_has_every_page_but_things(database) {
        let site = Site::empty(&database).await;
        for path in ["/", "/vulnerabilities", "/packages", "/channels", "/about", "/healthz", "/readyz"] {
            let page = site.get(path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
        }
        let overview = site.get("/").await.body;
        assert!(overview.contains("channel import"), "it says what to do first: {overview}");
    }

    async fn a_followed_feed_that_fails_is_told_on_the_data_sources_page(database) {
        let site = Site::new(&database).await;
        assert!(!site.get("/about").await.body.contains("Followed over the network"));
        let state = tracker_store::FollowState {
            feed: "kev".to_owned(),
            checked: Some("2026-01-02T03:04:05Z".parse().unwrap()),
            failures: 3,
            problem: Some("cut off: 3 records of <b>5</b>".to_owned()),
            ..tracker_store::FollowState::default()
        };
        site.store.put_follow_state(&state).await.unwrap();
        let page = site.get("/about").await.body;
        assert!(page.contains("failing</strong>, 3 times: cut off: 3 records of &#60;b&#62;5"), "{page}");
        assert!(page.contains("2026-01-02T03:04:05Z"), "{page}");
        assert!(page.contains("<span class=\"quiet\">never</span>"), "{page}");
        let succeeded = Some("2026-01-01T01:02:03Z".parse().unwrap());
        site.store.put_follow_state(&tracker_store::FollowState { succeeded, ..state }).await.unwrap();
        assert!(site.get("/about").await.body.contains("2026-01-01T01:02:03Z"), "the last success beside it");
        let twin = site.get("/about.json").await.json();
        assert_eq!(twin["followed"][0]["problem"], "cut off: 3 records of <b>5</b>");
        assert_eq!(twin["followed"][0]["succeeded"], "2026-01-01T01:02:03Z");
        assert!(twin["followed"][0].get("cursor").is_none());
    }

    async fn every_answer_carries_the_guard(database) {
        let site = Site::new(&database).await;
        for (path, method) in [
            ("/", Method::GET),
            ("/channels.json", Method::GET),
            ("/nowhere", Method::GET),
            ("/nowhere.json", Method::GET),
            ("/about", Method::POST),
            ("/vulnerabilities?severity=x", Method::GET),
            ("/records/cve-list/CVE-2024-0666", Method::GET),
            ("/favicon.ico", Method::GET),
            ("/robots.txt", Method::GET),
        ] {
            let answer = site.ask(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
            let policy = answer.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
            assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{path}: {policy}");
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-opener-policy", "same-origin"),
            ] {
                assert_eq!(answer.header(name), value, "{path}");
            }
            let open = if path.contains(".json") { "*" } else { "" };
            assert_eq!(answer.header("access-control-allow-origin"), open, "{path}");
            assert!(answer.header("server-timing").starts_with("app;dur="), "{path}");
        }
    }

    async fn head_is_answered_without_a_body(database) {
        let site = Site::new(&database).await;
        let answer = site.ask(Request::head("/about").body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""));
    }
}
