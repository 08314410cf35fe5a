//! Ways through the site: nobody has to know an address to come to a page.

use crate::site::Site;
use axum::http::StatusCode;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tracker_testkit::on_both_databases;
use tracker_web::{Kind, ROUTES};

/// Pages of one pattern that are looked at; the fixture has fewer of most.
const OF_ONE_PATTERN: usize = 20;

/// The pattern that a path answers to, the most literal one first.
fn pattern(path: &str) -> Option<&'static str> {
    let fits = |pattern: &str| {
        let (asked, pattern): (Vec<&str>, Vec<&str>) =
            (path.split('/').collect(), pattern.split('/').collect());
        let mut pairs = asked.iter().zip(&pattern);
        asked.len() == pattern.len() && pairs.all(|(a, b)| b.starts_with('{') || a == b)
    };
    let patterns = ROUTES.iter().map(|route| route.path);
    patterns
        .filter(|pattern| fits(pattern))
        .min_by_key(|pattern| pattern.matches('{').count())
}

fn links(body: &str) -> impl Iterator<Item = String> {
    let ends = body.split(" href=\"").skip(1);
    let links = ends.filter_map(|rest| rest.split('"').next());
    links
        .filter(|link| link.starts_with('/'))
        .map(|link| link.replace("&#38;", "&"))
}

on_both_databases! {
    async fn every_page_is_linked_from_another(database) {
        let site = Site::new(&database).await;
        let mut reached: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let mut next = VecDeque::from(["/".to_owned()]);
        while let Some(address) = next.pop_front() {
            let path = address.split(['?', '#']).next().unwrap_or_default();
            let Some(pattern) = pattern(path) else { continue };
            let seen = reached.entry(pattern).or_default();
            if seen.len() >= OF_ONE_PATTERN || !seen.insert(address.clone()) {
                continue;
            }
            // The fixture's attacker is a family without packages and a maintainer of no usable name.
            if address.contains("%3Cscript") && !address.starts_with("/packages/") {
                continue;
            }
            let page = site.get(&address).await;
            assert_eq!(page.status, StatusCode::OK, "{address}");
            next.extend(links(&page.body));
        }
        let pages = ROUTES.iter().filter(|route| matches!(route.kind, Kind::Page));
        let alone: Vec<&str> = pages
            .map(|route| route.path)
            .filter(|path| !reached.contains_key(path))
            .collect();
        assert!(alone.is_empty(), "no page links {alone:?}");
    }

    async fn what_happens_is_a_link_away(database) {
        let site = Site::new(&database).await;
        for (page, link) in [
            ("/vulnerabilities/CVE-2024-0001", "/log?q=CVE-2024-0001"),
            ("/packages/nixpkgs/openssl", "/events?package=openssl"),
            ("/maintainers/alyssa", "/events?maintainer=alyssa"),
        ] {
            let body = site.get(page).await.body;
            assert!(body.contains(&format!("href=\"{link}\"")), "{page}: {body}");
            let there = site.get(link).await;
            assert_eq!(there.status, StatusCode::OK, "{link}");
            let feed = link.replacen('?', "/feed.atom?", 1);
            assert!(there.body.contains(&format!("href=\"{feed}\"")), "{link}: {}", there.body);
        }
    }

    async fn what_can_be_done_until_the_fix_is_there(database) {
        let site = Site::new(&database).await;
        let page = site.get("/vulnerabilities/CVE-2024-0001").await.body;
        let twin = site.get("/vulnerabilities/CVE-2024-0001.json").await.json();
        let module = twin["meanwhile"][0]["module"].as_str().unwrap();
        for part in ["system.replaceDependencies.replacements", "oldDependency = pkgs.openssl;", "nixos-unstable/nixexprs.tar.xz"] {
            assert!(module.contains(part) && page.contains(part), "{part}: {module} {page}");
        }
        let [channel, from] = ["channel", "from"].map(|key| &twin["meanwhile"][0][key]);
        assert_eq!((channel, from), (&"nixos-24.05".into(), &"nixos-unstable".into()));
        // Of what is affected nowhere there is nothing to say.
        let other = site.get("/vulnerabilities/CVE-2024-0002").await.body;
        assert!(!other.contains("Until the fix is there"), "{other}");
    }

    async fn a_closure_can_be_held_against_what_is_affected(database) {
        let site = Site::new(&database).await;
        let list = "/api/v1/channels/nixos-24.05/affected";
        let page = site.get("/channels/nixos-24.05").await.body;
        assert!(page.contains(&format!("href=\"{list}\"")), "{page}");
        let told = site.get(list).await.json();
        assert_eq!((&told["channel"], &told["revision"]), (&"nixos-24.05".into(), &"bbb".into()));
        let packages = serde_json::json!([{
            "attribute": "openssl", "pname": "openssl", "version": "3.0.5",
            "vulnerabilities": [{ "id": "CVE-2024-0001", "severity": "critical", "exploited": true }],
        }]);
        assert_eq!((&told["complete"], &told["packages"]), (&true.into(), &packages));
        // Fixed there, not affected or under investigation is not affected.
        let other = site.get("/api/v1/channels/nixos-unstable/affected").await.json();
        assert_eq!(other["packages"], serde_json::json!([]));
        let none = site.get("/api/v1/channels/nowhere/affected").await;
        assert_eq!((none.status, none.header("content-type")), (StatusCode::NOT_FOUND, "application/problem+json"));
    }
}
