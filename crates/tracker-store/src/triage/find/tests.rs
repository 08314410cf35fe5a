//! Each way gives the same matches in the same order.

use super::{Asked, Span};
use crate::Store;
use jiff::{SignedDuration, Timestamp};
use tracker_testkit::on_both_databases;
use tracker_testkit::scale::{self, Scale};
use tracker_triage::query::Query;

const SCALE: Scale = Scale {
    vulnerabilities: 600,
    packages: 40,
};

const QUERIES: &[&str] = &[
    "",
    "is:open",
    "is:snoozed",
    "-is:open severity>=medium",
    "status:fixed-by-version or kev:yes",
    "assignee:none state:proposed",
    "severity:low overflow",
    "crafted remote -severity:low",
    "affected:nixos-26.05 confidence>=0.7 -pname:linux",
    "maintainer:maintainer-0 or is:suggested",
    "fixed:nixos-unstable epss<0.2",
];

/// All matches, page by page, there and back again.
async fn walked(store: &Store, query: &Query, few: usize) -> (Vec<(i64, i64)>, Option<u64>) {
    let mut session = store.read().await.unwrap();
    let now = Timestamp::now() + SignedDuration::from_hours(1);
    let me = None;
    let asked = Asked {
        query,
        now,
        me,
        few,
    };
    let mut all = Vec::new();
    let mut span = Span::first(37);
    let count = loop {
        let (page, total) = asked.page(&mut session, span).await.unwrap();
        all.extend(page.iter().copied());
        match page.last() {
            Some(last) if page.len() == 37 => span.from = *last,
            _ => break total,
        }
    };
    let mut back = Vec::new();
    if let Some(last) = all.last() {
        span = Span {
            from: *last,
            backwards: true,
            limit: 23,
        };
        back.push(*last);
        loop {
            let (page, _) = asked.page(&mut session, span).await.unwrap();
            back.extend(page.iter().copied());
            match page.last() {
                Some(last) => span.from = *last,
                None => break,
            }
        }
    }
    back.reverse();
    let bare = |places: &[crate::read::token::Position]| -> Vec<(i64, i64)> {
        places.iter().map(|place| (place.rank, place.key)).collect()
    };
    assert_eq!(bare(&all), bare(&back), "{query}");
    let most = asked.all(&mut session, 50).await.unwrap();
    assert_eq!(bare(&most), bare(&all)[..all.len().min(50)], "{query}");
    (bare(&all), count)
}

on_both_databases! {
    async fn each_way_leads_to_the_same_matches(database) {
        scale::fill(&database.open().await, SCALE, &mut |_| ()).await.unwrap();
        let store = Store::open(database.url()).await.unwrap();
        for text in QUERIES {
            let query = Query::parse(text).unwrap();
            let (few, total) = walked(&store, &query, usize::MAX / 2).await;
            assert_eq!(total, Some(few.len() as u64), "{text}");
            assert!(few.is_sorted_by(|a, b| a > b), "{text}");
            // Along the ranks where anything is unsure, and by leads of a few.
            for limit in [0, 60] {
                let (many, total) = walked(&store, &query, limit).await;
                assert_eq!(many, few, "{text}");
                assert!(total.is_none_or(|total| total == few.len() as u64), "{text}");
            }
        }
        assert_eq!(store.check(false, &mut || ()).await.unwrap(), []);
    }
}
