//! Names in addresses: each leads to its own page and to its own twin, however odd.

use crate::site::{CRITICAL, ODD, Site};
use axum::http::StatusCode;
use tracker_testkit::on_both_databases;

/// The links of a page that begin with a prefix, as a browser would follow them.
fn links(html: &str, prefix: &str) -> Vec<String> {
    let start = format!("href=\"{prefix}");
    html.split(&start)
        .skip(1)
        .map(|rest| format!("{prefix}{}", rest.split('"').next().unwrap()).replace("&#38;", "&"))
        .collect()
}

on_both_databases! {
    async fn every_odd_attribute_has_its_page_and_twin(database) {
        let site = Site::new(&database).await;
        let list = site.get("/packages").await.body;
        let addresses = links(&list, "/packages/nixpkgs/");
        for attribute in ODD {
            let mut found = Vec::new();
            for address in &addresses {
                let twin = site.get(&format!("{address}.json")).await;
                assert_eq!(twin.status, StatusCode::OK, "{address}");
                if twin.json()["attribute"] == *attribute {
                    found.push(address);
                }
            }
            let [address] = found[..] else { panic!("{attribute} is at {found:?}") };
            let page = site.get(address).await;
            assert_eq!(page.status, StatusCode::OK, "{address}");
            assert!(page.header("content-type").starts_with("text/html"), "{address}");
        }
    }

    async fn a_plain_json_suffix_asks_for_the_twin(database) {
        let site = Site::new(&database).await;
        let twin = site.get("/packages/nixpkgs/foo.json").await;
        assert_eq!(twin.json()["attribute"], "foo");
        let twin = site.get("/packages/nixpkgs/foo.json.json").await;
        assert_eq!(twin.json()["attribute"], "foo.json");
        let page = site.get("/packages/nixpkgs/foo%2Ejson").await;
        assert!(page.body.contains("<h1>foo.json</h1>"), "{}", page.body);
        assert!(page.body.contains("href=\"/packages/nixpkgs/foo%2Ejson.json\""), "it names its twin");
    }

    async fn a_decoding_proxy_still_reaches_the_page(database) {
        // `bar%2Ejson` decoded on the way: there is no `bar`, so its twin cannot be meant.
        let site = Site::new(&database).await;
        let page = site.get("/packages/nixpkgs/bar.json").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("<h1>bar.json</h1>"), "{}", page.body);
    }

    async fn another_id_leads_to_the_public_one(database) {
        let site = Site::new(&database).await;
        for id in ["GHSA-aaaa-bbbb-cccc", "cve-2024-0001"] {
            let answer = site.get(&format!("/vulnerabilities/{id}")).await;
            assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT, "{id}");
            assert_eq!(answer.header("location"), format!("/vulnerabilities/{CRITICAL}"));
            let answer = site.get(&format!("/vulnerabilities/{id}.json")).await;
            assert_eq!(answer.header("location"), format!("/vulnerabilities/{CRITICAL}.json"));
        }
        let answer = site.get("/vulnerabilities?q=GHSA-aaaa-bbbb-cccc").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.header("location"), format!("/vulnerabilities/{CRITICAL}"));
    }
}
