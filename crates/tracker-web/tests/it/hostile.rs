//! Feeds and packages are written by strangers: nothing of theirs becomes markup, and only web addresses become links.

use crate::browser::{HERE, form_urlencoded};
use crate::matrix::Cast;
use crate::site::{ATTACK, HOSTILE, MARKDOWN, Site};
use axum::http::StatusCode;
use tracker_people::Role;
use tracker_testkit::on_both_databases;
use tracker_web::PeopleSettings;

/// Asserts that a page holds no markup but ours.
fn harmless(path: &str, html: &str) {
    let lower = html.to_lowercase();
    assert!(!lower.contains("<script"), "{path}: {html}");
    assert!(!lower.contains("<img"), "{path}: {html}");
    for tag in tags(html) {
        let tag = tag.to_lowercase();
        // Outside its quoted values a tag consists of our own words.
        let names: String = tag.split('"').step_by(2).collect();
        assert!(
            !names.contains(" on") && !names.contains(" style="),
            "{path}: <{tag}>"
        );
        assert!(
            names
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-=/! ".contains(c)),
            "{path}: <{tag}>"
        );
        if let Some((_, address)) = tag.split_once("href=\"") {
            assert!(
                address.starts_with(['/', '#']) || address.starts_with("http"),
                "{path}: <{tag}>"
            );
        }
        if tag.contains("href=\"http") {
            assert!(
                tag.contains("rel=\"noopener nofollow ugc\""),
                "{path}: <{tag}>"
            );
        }
    }
}

/// What stands between `<` and the `>` that is outside quotes.
fn tags(html: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let mut quoted = false;
        let end = rest.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let end = end.expect("every tag is closed");
        tags.push(&rest[..end]);
        rest = &rest[end..];
    }
    tags
}

on_both_databases! {
    async fn no_page_runs_what_a_feed_says(database) {
        let site = Site::new(&database).await;
        let encoded = percent_encoding::percent_encode(ATTACK.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string();
        for path in [
            "/".to_owned(),
            "/vulnerabilities?scope=all".to_owned(),
            format!("/vulnerabilities/{HOSTILE}"),
            "/vulnerabilities/CVE-2024-0001".to_owned(),
            "/packages".to_owned(),
            format!("/packages?q={encoded}"),
            "/packages/nixpkgs/python3Packages.requests".to_owned(),
            format!("/packages/nixpkgs/{encoded}"),
            "/channels/nixos-unstable".to_owned(),
            "/channels/nixos-unstable/changes/ccc/ccc".to_owned(),
            // What a reader is lured to follow.
            format!("/vulnerabilities?q={encoded}&package={encoded}&channel={encoded}"),
            format!("/vulnerabilities?severity={encoded}"),
            format!("/vulnerabilities/{encoded}"),
            format!("/packages/{encoded}/{encoded}"),
            format!("/channels/{encoded}"),
            format!("/{encoded}"),
        ] {
            let page = site.get(&path).await;
            assert!(page.header("content-type").starts_with("text/html"), "{path}");
            harmless(&path, &page.body);
        }
        let page = site.get(&format!("/vulnerabilities/{HOSTILE}")).await.body;
        assert!(page.contains("&#60;script&#62;alert(1)"), "the attack is shown as what it is");
        assert!(page.contains("<span class=\"out\">javascript:alert(4)</span>"), "{page}");
    }

    async fn markdown_of_strangers_and_people_is_set_and_harmless(database) {
        let settings = PeopleSettings { public: Some(HERE.parse().unwrap()), ..PeopleSettings::default() };
        let site = Site::with_people(&database, settings).await;
        let page = site.get(&format!("/vulnerabilities/{HOSTILE}")).await.body;
        for shown in [
            "<p><strong>Impact</strong></p>",
            "<code>code</code> &lt;script&gt;alert(8)&lt;/script&gt;",
            "<a href=\"https://example.org/?a=1&amp;b\" rel=\"noopener nofollow ugc\">web</a>",
            ">picture: x</a>",
            "&lt;div onmouseover=alert(10)",
        ] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        let mut triager = Cast::new(&site.store).await.session(&site.store, Role::Triager).await;
        let one = "/vulnerabilities/CVE-2024-0001/nixpkgs/openssl";
        let form = form_urlencoded(&[("do", "comment"), ("text", &format!("Seen **there**.\u{1b}[2J\u{8}{MARKDOWN}"))]);
        assert_eq!(triager.post(&site, one, &form).await.status, StatusCode::SEE_OTHER);
        for path in [one, "/log", "/vulnerabilities/CVE-2024-0001"] {
            let page = site.get(path).await.body;
            // The head of a page of triage has our own script.
            let (_, page) = page.split_once("</head>").unwrap();
            harmless(path, page);
            assert!(page.contains("Seen <strong>there</strong>."), "{path}: {page}");
        }
        // Which package it is about is no part of what was said: a heading stays one.
        let form = form_urlencoded(&[("do", "comment"), ("text", "# Reproduced\n\nOn x86.")]);
        assert_eq!(triager.post(&site, one, &form).await.status, StatusCode::SEE_OTHER);
        let log = site.get("/log").await.body;
        assert!(log.contains("<span class=\"name\">openssl</span>: ") && log.contains("<p><strong>Reproduced</strong></p>"), "{log}");
        // A feed has it as its author wrote it, but for what neither a terminal nor XML may be given.
        let feed = site.get("/log/feed.atom").await.body;
        assert!(feed.contains("Seen **there**.\u{fffd}[2J\u{fffd}") && !feed.contains(['\u{1b}', '\u{8}']), "{feed}");
    }

    async fn raw_documents_are_data(database) {
        let site = Site::new(&database).await;
        let raw = site.get(&format!("/records/cve-list/{HOSTILE}")).await;
        assert_eq!(raw.header("content-type"), "application/json");
        assert_eq!(raw.header("x-content-type-options"), "nosniff");
        assert_eq!(raw.json()["id"], HOSTILE);
    }

    async fn no_header_takes_a_line_break(database) {
        let site = Site::new(&database).await;
        let answer = site.get("/vulnerabilities?q=CVE-2024-0001%0D%0Aset-cookie:x=1").await;
        assert!(answer.headers.get("set-cookie").is_none());
    }
}
