//! Filters and paging, by the addresses that the pages themselves give.

use crate::site::{CRITICAL, HOSTILE, Site};
use serde_json::Value;
use tracker_testkit::on_both_databases;

fn ids(list: &Value) -> Vec<&str> {
    list["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap())
        .collect()
}

on_both_databases! {
    async fn filters_narrow(database) {
        let site = Site::new(&database).await;
        for (query, expected) in [
            ("", vec![CRITICAL, "CVE-2024-0002", HOSTILE]),
            ("?scope=all", vec![CRITICAL, "CVE-2024-0002", HOSTILE, "CVE-2024-0003"]),
            ("?kev=1", vec![CRITICAL]),
            ("?severity=medium&severity=low", vec!["CVE-2024-0002", HOSTILE]),
            ("?state=affected", vec![CRITICAL]),
            ("?state=fixed&channel=nixos-unstable", vec![CRITICAL]),
            ("?state=fixed&channel=nixos-24.05", vec![]),
            ("?package=openssl", vec![CRITICAL]),
            ("?package=python3Packages.requests", vec!["CVE-2024-0002"]),
            ("?q=heap+overflow", vec![CRITICAL]),
            ("?q=packaged", vec![]),
            ("?q=packaged&scope=all", vec!["CVE-2024-0003"]),
        ] {
            let list = site.get(&format!("/vulnerabilities.json{query}")).await.json();
            assert_eq!(ids(&list), expected, "{query}");
            assert_eq!(list["total"], expected.len(), "{query}");
        }
    }

    async fn links_walk_the_whole_list_both_ways(database) {
        let site = Site::new(&database).await;
        let mut address = "/vulnerabilities.json?scope=all&limit=1".to_owned();
        let mut forward = Vec::new();
        let back = loop {
            let list = site.get(&address).await.json();
            forward.push(ids(&list)[0].to_owned());
            match list["links"]["next"].as_str() {
                Some(next) => address = next.to_owned(),
                None => break list["links"]["previous"].as_str().unwrap().to_owned(),
            }
        };
        assert_eq!(forward, [CRITICAL, "CVE-2024-0002", HOSTILE, "CVE-2024-0003"]);
        let mut address = back;
        let mut backward = vec![forward[3].clone()];
        loop {
            let list = site.get(&address).await.json();
            backward.push(ids(&list)[0].to_owned());
            match list["links"]["previous"].as_str() {
                Some(previous) => address = previous.to_owned(),
                None => break,
            }
        }
        backward.reverse();
        assert_eq!(backward, forward);
    }

    async fn packages_are_paged_too(database) {
        let site = Site::new(&database).await;
        let mut address = "/packages.json?limit=5".to_owned();
        let mut seen = Vec::new();
        loop {
            let list = site.get(&address).await.json();
            seen.extend(list["rows"].as_array().unwrap().iter().map(|row| row["attribute"].as_str().unwrap().to_owned()));
            match list["links"]["next"].as_str() {
                Some(next) => address = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen.len(), 12, "{seen:?}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 12, "{seen:?}");
    }

    async fn an_empty_result_offers_to_look_wider(database) {
        let site = Site::new(&database).await;
        let page = site.get("/vulnerabilities?q=packaged").await.body;
        assert!(page.contains("href=\"/vulnerabilities?q=packaged&#38;scope=all\""), "{page}");
    }
}
