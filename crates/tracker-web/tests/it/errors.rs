//! Requests that get no page: each says why, in the form asked for, and leaves a way out.

use crate::browser::{Browser, HERE};
use crate::matrix::Cast;
use crate::site::Site;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use tracker_people::Role;
use tracker_testkit::on_both_databases;
use tracker_web::PeopleSettings;

on_both_databases! {
    async fn errors_are_pages_with_a_way_out_and_problems_in_json(database) {
        let site = Site::new(&database).await;
        for (path, status, says) in [
            ("/vulnerabilities?severity=huge", StatusCode::BAD_REQUEST, "known are critical, high"),
            ("/vulnerabilities?colour=red", StatusCode::BAD_REQUEST, "cannot be `red`"),
            ("/vulnerabilities?after=nonsense", StatusCode::BAD_REQUEST, "no longer known"),
            ("/log?kind=nonsense", StatusCode::BAD_REQUEST, "`kind` cannot be `nonsense`: known are record-added,"),
            ("/packages?after=nonsense", StatusCode::BAD_REQUEST, "no longer known"),
            ("/vulnerabilities?limit=100000", StatusCode::BAD_REQUEST, "from 1 to 200"),
            ("/vulnerabilities/CVE-2024-9999", StatusCode::NOT_FOUND, "CVE-2024-9999"),
            ("/packages/nixpkgs/opensl", StatusCode::NOT_FOUND, "opensl"),
            ("/packages/guix/openssl", StatusCode::NOT_FOUND, "guix/openssl"),
            ("/channels/nixos-24.0", StatusCode::NOT_FOUND, "nixos-24.0"),
            ("/channels/nixos-24.05/changes/aaa/zzz", StatusCode::NOT_FOUND, "aaa to zzz"),
            ("/records/nvd/CVE-1", StatusCode::NOT_FOUND, "nvd/CVE-1"),
            ("/records/nonsense/CVE-1", StatusCode::NOT_FOUND, "nonsense"),
            ("/nowhere/at/all", StatusCode::NOT_FOUND, "/nowhere/at/all"),
            ("/assets/tracker.css", StatusCode::NOT_FOUND, "tracker.css"),
        ] {
            let page = site.get(path).await;
            assert_eq!(page.status, status, "{path}");
            assert!(page.header("content-type").starts_with("text/html"), "{path}");
            assert_eq!(page.header("cache-control"), "no-store", "{path}");
            assert!(page.body.contains(says) || page.body.replace("</code>", "`").replace("<code>", "`").contains(says), "{path}: {}", page.body);
            assert!(page.body.contains("href=\"/vulnerabilities\"") && page.body.contains("href=\"/\""), "{path}");

            let (before, query) = path.split_once('?').map_or((path, String::new()), |(path, query)| (path, format!("?{query}")));
            let twin = site.get(&format!("{before}.json{query}")).await;
            assert_eq!(twin.status, status, "{path}");
            assert_eq!(twin.header("content-type"), "application/problem+json", "{path}");
            let problem = twin.json();
            assert_eq!(problem["status"], status.as_u16(), "{path}");
            assert_eq!(problem["type"], "about:blank", "{path}");
            assert!(problem["title"].is_string() && problem["detail"].as_str().unwrap().contains(says), "{path}: {problem}");
        }
    }

    async fn an_error_knows_who_is_signed_in(database) {
        let settings = PeopleSettings { public: Some(HERE.parse().unwrap()), ..PeopleSettings::default() };
        let site = Site::with_people(&database, settings).await;
        let mut cast = Cast::new(&site.store).await;
        let mut somebody = cast.session(&site.store, Role::Maintainer).await;
        let mut nobody = Browser::default();
        for path in ["/nowhere", "/vulnerabilities/CVE-2024-9999", "/vulnerabilities?severity=huge", "/assets/none"] {
            let theirs = somebody.get(&site, path).await;
            assert!(theirs.status.is_client_error(), "{path}");
            assert!(theirs.body.contains("href=\"/account\">maintainer<") && !theirs.body.contains("Sign in"), "{path}: {}", theirs.body);
            let public = nobody.get(&site, path).await;
            assert!(public.body.contains("href=\"/sign-in\">Sign in<"), "{path}: {}", public.body);
        }
        // What is of one's own is under `/api/v1`; no page promises it elsewhere, or answers for it.
        let own = somebody.get(&site, "/account").await;
        assert!(own.status == StatusCode::OK && !own.body.contains(".json"), "{}", own.body);
        let twin = somebody.get(&site, "/account.json").await;
        assert_eq!((twin.status, twin.header("content-type")), (StatusCode::NOT_FOUND, "application/problem+json"));
        assert!(twin.body.contains("/account.json"), "{}", twin.body);
        let denied = somebody.post(&site, "/queue", "x=1").await;
        assert_eq!(denied.status, StatusCode::FORBIDDEN);
        assert!(denied.body.contains(">maintainer<") && !denied.body.contains("Sign in"), "{}", denied.body);
        // Where nobody knows yet, nothing is claimed.
        let foreign = somebody.ask(&site, Method::POST, "/queue", Some("https://elsewhere.test"), "x=1").await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN);
        assert!(foreign.body.contains("href=\"/account\">Account<") && !foreign.body.contains("Sign in"), "{}", foreign.body);
    }

    async fn what_is_spelled_alike_is_offered(database) {
        let site = Site::new(&database).await;
        let page = site.get("/packages/nixpkgs/opensl").await.body;
        assert!(page.contains("href=\"/packages/nixpkgs/openssl\""), "{page}");
        let page = site.get("/vulnerabilities/CVE-2024-00010").await.body;
        assert!(page.contains("href=\"/vulnerabilities/CVE-2024-0001\""), "{page}");
        let problem = site.get("/channels/nixos.json").await.json();
        assert_eq!(problem["suggestions"][0]["href"], "/channels/nixos-24.05");
    }

    async fn pages_are_only_read(database) {
        let site = Site::new(&database).await;
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            let answer = site.ask(Request::builder().method(method.clone()).uri("/channels").body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
            assert!(answer.header("allow").contains("GET"), "{method}: {}", answer.header("allow"));
            assert!(answer.body.contains("can only be read"), "{}", answer.body);
        }
    }

    async fn large_requests_are_refused(database) {
        let site = Site::new(&database).await;
        let request = Request::post("/channels.json").body(Body::from(vec![b'a'; 70_000])).unwrap();
        let answer = site.ask(request).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(answer.json()["detail"], "The request carries more than 65536 bytes.");
        let answer = site.get(&format!("/vulnerabilities?q={}", "a".repeat(5_000))).await;
        assert_eq!(answer.status, StatusCode::URI_TOO_LONG);
        assert!(answer.body.contains("longer than 4096 bytes"), "{}", answer.body);
    }

    async fn a_lost_database_is_reported_without_its_details(database) {
        let site = Site::new(&database).await;
        site.store.clone().close().await;
        let page = site.get("/channels").await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        for secret in ["sqlx", "pool", "sqlite", "postgres", "SELECT"] {
            assert!(!page.body.to_lowercase().contains(&secret.to_lowercase()), "{secret}: {}", page.body);
        }
        assert!(page.body.contains("Start page"));
        assert_eq!(site.get("/channels.json").await.json()["status"], 503);
        let ready = site.get("/readyz").await;
        assert_eq!((ready.status, ready.body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"));
        assert_eq!(site.get("/healthz").await.status, StatusCode::OK, "a new process would not mend it");
    }
}
