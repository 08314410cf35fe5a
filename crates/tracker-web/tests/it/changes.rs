//! Where a change is: its page, its twin, its feed and its badge, over an index of a small history.

use crate::site::Site;
use axum::http::StatusCode;
use std::sync::Arc;
use tracker_landing::archive::{HeadSeen, Segment};
use tracker_landing::message::Mentions;
use tracker_landing::{Commit, LandingIndex, Likeness, ObjectName};
use tracker_testkit::on_both_databases;
use tracker_web::Landings;

/// An index that stays as it is.
#[derive(Debug)]
pub(crate) struct Fixed(pub(crate) LandingIndex);

impl Landings for Fixed {
    fn with(&self, ask: &mut dyn FnMut(&LandingIndex)) {
        ask(&self.0);
    }
}

const DAY: i64 = 86_400;
/// 2024-05-01.
const BEGIN: i64 = 1_714_521_600;

fn name(number: u8) -> ObjectName {
    ObjectName([number; 20])
}

/// Pull request 7 (commits 2 and 3) is in master and nixos-unstable, by a backport in nothing; nixos-24.05 waits.
pub(crate) fn index() -> Arc<dyn Landings> {
    let commit = |number: u8, parents: &[u8], message: &str| Commit {
        name: name(number),
        parents: parents.iter().map(|parent| name(*parent)).collect(),
        time: BEGIN + i64::from(number) * DAY,
        mentions: Mentions::read(message),
        likeness: Likeness::default(),
    };
    let head = |line: &str, number: u8, day: i64, observed| {
        Segment::Head(HeadSeen {
            line: line.to_owned(),
            commit: name(number),
            time: BEGIN + day * DAY,
            release: String::new(),
            observed,
        })
    };
    let mut index = LandingIndex::new();
    for segment in [
        Segment::Commits(vec![
            commit(1, &[], "begin"),
            commit(2, &[1], "openssl: fix CVE-2024-0001"),
            commit(3, &[1, 2], "Merge pull request #7 from someone/fix"),
            commit(4, &[1], "release: begin"),
        ]),
        head("trunk:master", 3, 10, false),
        head("branch:release-24.05", 4, 10, false),
        head("channel:nixos-unstable", 1, 2, false),
        head("channel:nixos-unstable", 3, 5, false),
        head("channel:nixos-24.05", 4, 6, true),
    ] {
        index.take(segment).unwrap();
    }
    index.settle();
    Arc::new(Fixed(index))
}

on_both_databases! {
    async fn a_change_is_shown_with_its_branches_and_channels(database) {
        let site = Site::new(&database).await;
        let page = site.get("/changes/7").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for part in [
            "<h1>Pull request #7</h1>", "In 1 of 2 channels.", "/vulnerabilities/CVE-2024-0001",
            "someone", "`release-24.05`", "<code>release-24.05</code>", "2024-05-06", "no backport of it is known", "fix merged into master", "released in nixos-unstable",
        ] {
            let wanted = part != "someone" && part != "`release-24.05`";
            assert_eq!(page.body.contains(part), wanted, "{part}: {}", page.body);
        }
        let twin = site.get("/changes/7.json").await.json();
        assert_eq!(twin["commit"], name(3).to_string());
        assert_eq!(twin["channels"][1]["standing"], "landed");
        assert_eq!(twin["channels"][0]["eta"]["state"], "unknown");
        // By the commit itself, and by its beginning.
        let commit = site.get("/changes/0202020202.json").await.json();
        assert_eq!((&commit["commit"], &commit["pull_request"]), (&name(2).to_string().into(), &7.into()));
    }

    async fn a_question_leads_to_its_page(database) {
        let site = Site::new(&database).await;
        for (asked, to) in [
            ("/changes?pr=7", "/changes/7"),
            ("/?pr=7", "/changes/7"),
            ("/changes?pr=%237", "/changes/7"),
            ("/changes?pr=https://github.com/NixOS/nixpkgs/pull/7", "/changes/7"),
            ("/changes?pr=a/b", "/changes/a%2Fb"),
        ] {
            let answer = site.get(asked).await;
            assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, to), "{asked}");
        }
        let page = site.get("/changes").await;
        assert!(page.body.contains("4 commits can be asked about"), "{}", page.body);
        for (path, word) in [
            ("/changes/8", "merged pull request"), ("/changes/ffffff", "commit"), ("/changes/%3Cb%3E", "commit"),
        ] {
            let absent = site.get(path).await;
            assert_eq!(absent.status, StatusCode::NOT_FOUND, "{path}");
            assert!(absent.body.contains(word) && !absent.body.contains("<b>"), "{path}: {}", absent.body);
        }
    }

    async fn a_change_and_a_channel_have_feeds(database) {
        let site = Site::new(&database).await;
        let feed = site.get("/changes/7/feed.atom").await;
        assert!(feed.header("content-type").starts_with("application/atom+xml"), "{feed:?}");
        for part in ["<id>urn:rootstock:change:", "Pull request #7 landed in nixos-unstable", "<updated>2024-05-06T00:00:00Z</updated>"] {
            assert!(feed.body.contains(part), "{part}: {}", feed.body);
        }
        let channel = site.get("/channels/nixos-unstable/feed.atom").await;
        assert_eq!(channel.body.matches("<entry>").count(), 2, "{}", channel.body);
        assert_eq!(site.get("/channels/nixos-00.00/feed.atom").await.status, StatusCode::NOT_FOUND);
    }

    async fn a_badge_tells_of_all_channels_or_of_one(database) {
        let site = Site::new(&database).await;
        for (path, label) in [
            ("/changes/7/badge.svg", "Pull request #7: 1/2 channels"),
            ("/changes/7/badge.svg?channel=nixos-unstable", "nixos-unstable: landed"),
            ("/changes/7/badge.svg?channel=nixos-24.05", "nixos-24.05: waiting"),
        ] {
            let badge = site.get(path).await;
            assert_eq!(badge.header("content-type"), "image/svg+xml", "{path}");
            assert!(badge.body.contains(&format!("<title>{label}</title>")), "{path}: {}", badge.body);
        }
        assert_eq!(site.get("/changes/7/badge.svg?channel=x").await.status, StatusCode::NOT_FOUND);
    }
}
