//! The three kinds of events, each as `.json` and as Atom, per channel, package, maintainer and query, at moments that the tests
//! choose.

use crate::changes::Fixed;
use crate::pipeline::derive_again;
use crate::site::{CRITICAL, Site, fill};
use axum::http::StatusCode;
use jiff::Timestamp;
use std::sync::Arc;
use tracker_landing::archive::{HeadSeen, Segment};
use tracker_landing::message::Mentions;
use tracker_landing::{Commit, LandingIndex, Likeness, ObjectName};
use tracker_match::FindingStatus::{Affected, Fixed as IsFixed};
use tracker_testkit::Database;
use tracker_testkit::fixture::{at, package, release};
use tracker_testkit::on_both_databases;
use tracker_web::Landings;

const DAY: i64 = 86_400;
/// 2024-05-01.
const BEGIN: i64 = 1_714_521_600;
/// The day at which the fix reaches master.
const FIX: u8 = 21;

fn day(day: i64) -> Timestamp {
    Timestamp::from_second(BEGIN + day * DAY).unwrap()
}

fn name(number: u8) -> ObjectName {
    ObjectName([number; 20])
}

/// A channel that moved every noon for three weeks, to what was merged at midnight, and then stood still until `lands`: a fix was
/// merged meanwhile.
fn index(lands: Option<i64>) -> Arc<dyn Landings> {
    let mut index = LandingIndex::new();
    let commits = (1..=FIX).map(|number| Commit {
        name: name(number),
        parents: (number > 1).then(|| name(number - 1)).into_iter().collect(),
        time: BEGIN + i64::from(number) * DAY,
        mentions: Mentions::read(match number {
            FIX => "openssl: fix CVE-2024-0001",
            _ => "other: update",
        }),
        likeness: Likeness::default(),
    });
    index.take(Segment::Commits(commits.collect())).unwrap();
    let mut head = |line: &str, number: u8, time: i64| {
        let head = HeadSeen {
            line: line.to_owned(),
            commit: name(number),
            time,
            release: String::new(),
            observed: false,
        };
        index.take(Segment::Head(head)).unwrap();
    };
    head("trunk:master", FIX, BEGIN);
    for number in 1..FIX {
        let noon = BEGIN + i64::from(number) * DAY + DAY / 2;
        head("channel:nixos-unstable", number, noon);
    }
    if let Some(day) = lands {
        head("channel:nixos-unstable", FIX, BEGIN + day * DAY);
    }
    index.settle();
    Arc::new(Fixed(index))
}

/// The site, where openssl is somebody's.
async fn site(database: &Database, landings: Arc<dyn Landings>) -> Site {
    let site = Site::over(database, landings).await;
    fill(&site.store).await;
    for (channel, version) in [("nixos-24.05", "3.0.5"), ("nixos-unstable", "3.0.5")] {
        let mut openssl = package("openssl", "openssl", version);
        openssl.package.maintainers.push("someone".to_owned());
        let newer = release(channel, "fff", "2024-06-03T00:00:00Z");
        site.store.put_release(&newer, vec![openssl]).await.unwrap();
    }
    derive_again(&site, [Affected, Affected]).await;
    site
}

/// The ids of the events of a kind, as the twin tells them; the feed must tell the same.
async fn told(site: &Site, query: &str, kind: &str, now: Timestamp) -> Vec<(String, String)> {
    let twin = site.get_at(&format!("/events.json{query}"), now).await;
    assert_eq!(twin.status, StatusCode::OK, "{query}: {}", twin.body);
    let twin = twin.json();
    let feed = site.get_at(&format!("/events/feed.atom{query}"), now).await;
    assert!(
        feed.header("content-type")
            .starts_with("application/atom+xml"),
        "{query}"
    );
    let events = twin["events"].as_array().unwrap();
    assert_eq!(
        feed.body.matches("<entry>").count(),
        events.len(),
        "{query}: {}",
        feed.body
    );
    let text = |event: &serde_json::Value, key: &str| event[key].as_str().unwrap().to_owned();
    let of_kind = events.iter().filter(|event| event["kind"] == kind);
    let told: Vec<_> = of_kind
        .map(|event| (text(event, "id"), text(event, "at")))
        .collect();
    for (id, at) in &told {
        assert!(
            feed.body.contains(&format!("<id>{id}</id>")),
            "{query}: {}",
            feed.body
        );
        assert!(
            feed.body.contains(&at[..19]),
            "{query}: {at} in {}",
            feed.body
        );
    }
    told
}

/// Each way of asking, and whether an event that concerns openssl, critical, on nixos-unstable is told.
const ASKED: &[(&str, bool)] = &[
    ("", true),
    ("?channel=nixos-unstable", true),
    ("?channel=nixos-00.00", false),
    ("?package=openssl", true),
    ("?package=curl", false),
    ("?maintainer=someone", true),
    ("?maintainer=nobody", false),
    ("?q=severity:critical", true),
    ("?q=severity:low", false),
    ("?q=severity:low+severity:critical", true),
    (
        "?q=package:openssl+channel:nixos-unstable+maintainer:someone",
        true,
    ),
    ("?q=package:openssl+channel:nixos-00.00", false),
    ("?q=openssl+severity:critical", true),
    ("?q=nothing+severity:critical", false),
    ("?package=openssl&q=severity:low", false),
];

on_both_databases! {
    async fn a_fix_that_is_late_is_told_once_wherever_it_concerns(database) {
        let site = site(&database, index(None)).await;
        // In time still, at the moment of the merge and a few hours on.
        assert!(told(&site, "", "late", day(21)).await.is_empty());
        let told_first = told(&site, "", "late", day(31)).await;
        assert_eq!(told_first.len(), 1);
        let (id, late_since) = &told_first[0];
        assert_eq!(id, &format!("urn:rootstock:late:nixos-unstable:{}", name(FIX)));
        let late_since: Timestamp = late_since.parse().unwrap();
        assert!(day(21) < late_since && late_since < day(25), "{late_since}");
        for (query, wanted) in ASKED {
            let told = told(&site, query, "late", day(31)).await;
            assert_eq!(told, if *wanted { told_first.clone() } else { Vec::new() }, "{query}");
        }
        // Days later it is the same event, of the same moment; a second before that moment there was none.
        assert_eq!(told(&site, "", "late", day(36)).await, told_first);
        let before = Timestamp::from_second(late_since.as_second() - 1).unwrap();
        assert!(told(&site, "", "late", before).await.is_empty());
        let page = site.get_at("/events?package=openssl", day(31)).await.body;
        assert!(page.contains("is late for nixos-unstable") && page.contains("it was promised by"), "{page}");
        let board = site.get_at("/pipeline/nixos-unstable.json", day(31)).await.json();
        assert_eq!(board["late"].as_array().unwrap().len(), 1);
        assert_eq!(site.get("/events?q=severity:dreadful").await.status, StatusCode::BAD_REQUEST);
    }

    async fn a_fix_that_came_late_is_told_and_one_in_time_is_not(database) {
        let late = site(&database, index(Some(30))).await;
        let told_late = told(&late, "?channel=nixos-unstable", "late", day(40)).await;
        assert_eq!(told_late.len(), 1);
        // After two months it is history.
        assert!(told(&late, "", "late", day(100)).await.is_empty());
    }

    async fn a_fix_in_time_is_not_late(database) {
        let site = site(&database, index(Some(22))).await;
        assert!(told(&site, "", "late", day(40)).await.is_empty());
    }

    async fn a_fix_in_every_supported_channel_is_told_wherever_it_concerns(database) {
        let site = site(&database, index(None)).await;
        derive_again(&site, [IsFixed, Affected]).await;
        let now = Timestamp::now();
        assert!(told(&site, "", "fixed-everywhere", now).await.is_empty());
        derive_again(&site, [IsFixed, IsFixed]).await;
        let first = told(&site, "", "fixed-everywhere", now).await;
        assert_eq!(first.len(), 1);
        assert!(first[0].0.ends_with(CRITICAL));
        for (query, wanted) in ASKED {
            let told = told(&site, query, "fixed-everywhere", now).await;
            assert_eq!(told, if *wanted { first.clone() } else { Vec::new() }, "{query}");
        }
    }

    async fn the_end_of_a_channel_is_told_thirty_days_before(database) {
        let site = site(&database, index(None)).await;
        let ends = at("2024-12-31T00:00:00Z");
        site.store.set_channel_support("nixos-unstable", Some(ends)).await.unwrap();
        let near = at("2024-12-01T00:00:00Z");
        let before = Timestamp::from_second(near.as_second() - 1).unwrap();
        assert!(told(&site, "", "end-of-life-near", before).await.is_empty());
        let first = told(&site, "", "end-of-life-near", near).await;
        assert_eq!(first, [("urn:rootstock:end-of-life:nixos-unstable:2024-12-31".to_owned(), near.to_string())]);
        // A channel's end has no severity; it concerns the packages that the channel has, and those who maintain one.
        for (query, wanted) in [
            ("?channel=nixos-unstable", true), ("?channel=nixos-24.05", false), ("?package=openssl", true),
            ("?package=curl", false), ("?maintainer=someone", true), ("?maintainer=nobody", false),
            ("?q=maintainer:nobody", false), ("?q=maintainer:someone", true), ("?q=support+ends", true),
            ("?package=openssl&q=package:curl", false), ("?maintainer=someone&q=maintainer:nobody", false),
            ("?q=severity:critical", false), ("?q=channel:nixos-unstable", true), ("?q=channel:nixos-24.05", false),
        ] {
            let told = told(&site, query, "end-of-life-near", at("2024-12-20T00:00:00Z")).await;
            assert_eq!(told, if wanted { first.clone() } else { Vec::new() }, "{query}");
        }
    }
}
