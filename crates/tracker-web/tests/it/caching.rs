//! Tags and cache policies: nothing unchanged is sent twice, nothing changed is withheld.

use crate::site::{CRITICAL, Site};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use tracker_record::Source;
use tracker_testkit::fixture::{incoming, record};
use tracker_testkit::on_both_databases;

on_both_databases! {
    async fn an_unchanged_page_is_not_sent_again(database) {
        let site = Site::new(&database).await;
        for path in [format!("/vulnerabilities/{CRITICAL}.json"), "/about".to_owned()] {
            let first = site.get(&path).await;
            let tag = first.header("etag").to_owned();
            assert!(tag.starts_with("W/\""), "{path}: {tag}");
            assert_eq!(first.header("cache-control"), "no-cache");
            let again = || Request::get(&path).header("if-none-match", &tag).body(Body::empty()).unwrap();
            let answer = site.ask(again()).await;
            assert_eq!((answer.status, answer.body.as_str()), (StatusCode::NOT_MODIFIED, ""), "{path}");
            assert_eq!(answer.header("etag"), tag);
        }
    }

    async fn a_changed_page_is(database) {
        let site = Site::new(&database).await;
        let path = format!("/vulnerabilities/{CRITICAL}.json");
        let tag = site.get(&path).await.header("etag").to_owned();
        let mut newer = record(Source::CveList, CRITICAL, "Another view of it");
        newer.modified = Some("2024-03-01T00:00:00Z".parse().unwrap());
        site.store.put_records(vec![incoming(newer)]).await.unwrap();
        let answer = site.ask(Request::get(&path).header("if-none-match", &tag).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_ne!(answer.header("etag"), tag);
    }

    async fn the_style_sheet_is_kept_for_ever_under_its_digest(database) {
        let site = Site::empty(&database).await;
        let page = site.get("/").await.body;
        let address = page.split("<link rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
        let sheet = site.get(address).await;
        assert_eq!(sheet.header("content-type"), "text/css; charset=utf-8");
        assert_eq!(sheet.header("cache-control"), "public, max-age=31536000, immutable");
        assert!(sheet.body.contains("prefers-color-scheme: dark"));
        let other = address.replace("/assets/tracker.", "/assets/tracker.0");
        assert_eq!(site.get(&other).await.status, StatusCode::NOT_FOUND);
    }

    async fn answers_are_compressed_on_request(database) {
        let site = Site::new(&database).await;
        let plain = site.get("/").await.body.len();
        let request = Request::get("/").header("accept-encoding", "gzip").body(Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(site.router.clone(), request).await.unwrap();
        assert_eq!(response.headers()["content-encoding"], "gzip");
        let packed = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        assert!(packed.len() * 2 < plain, "{} of {plain}", packed.len());
    }
}
