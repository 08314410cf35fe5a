//! Each way to the hits of a search, or to what concerns a package, leads to the same rows in the same order, there and back.

use super::{HITS, Hits, Order, PACKAGE, PACKAGE_WALK, WALK_OFTEN, WALK_WORDS, Way};
use crate::Store;
use crate::listing::{NO_FINDING, SCOPE_ALL, SCOPE_MATCHED};
use crate::session::Session;
use crate::value::{Value, values};
use crate::words::{Query, all, asked};
use tracker_record::Source;
use tracker_testkit::fixture::{incoming, record};
use tracker_testkit::on_both_databases;
use tracker_testkit::scale::{self, Scale};

const SCALE: Scale = Scale {
    vulnerabilities: 150,
    packages: 30,
};

/// Rows of a page.
const ROWS: usize = 17;

/// All rows of a search in a scope, page by page; at most severity bits `severities`.
async fn walked(
    session: &mut Session,
    way: &Way,
    (order, backwards): (Order, bool),
    (scope, severities): (i64, i64),
    searched: &[Value],
) -> Vec<(i64, i64)> {
    let mut from = if backwards { 0 } else { i64::MAX };
    let mut from_key = from;
    let mut all = Vec::new();
    loop {
        let mut parameters = values![scope, severities, 0_i64, NO_FINDING * 2 - 1, ROWS as i64];
        parameters.extend(searched.iter().cloned());
        parameters.extend([Value::from(from), Value::from(from_key)]);
        let statement = &way.pages[order as usize][usize::from(backwards)];
        let rows = session.rows(statement, parameters).await.unwrap();
        for row in &rows {
            (from, from_key) = (row.integer(0).unwrap(), row.integer(1).unwrap());
            all.push((from, from_key));
        }
        if rows.len() < ROWS {
            return all;
        }
    }
}

on_both_databases! {
    async fn each_way_leads_to_the_same_hits(database) {
        scale::fill(&database.open().await, SCALE, &mut |_| ()).await.unwrap();
        let store = Store::open(database.url()).await.unwrap();
        let mut session = store.read().await.unwrap();
        let mut found = Vec::new();
        for text in ["overflow", "crafted remote", "integer condition", "curl", "nowhere"] {
            let query = [Query::words(text).unwrap()];
            let words = all(&query, session.dialect());
            let asked = asked(&query, session.dialect());
            for scope in [(SCOPE_ALL, i64::MAX), (SCOPE_MATCHED, i64::MAX), (SCOPE_ALL, 0b1000)] {
                for order in [Order::Urgency, Order::Published, Order::Modified] {
                    for backwards in [false, true] {
                        let order = (order, backwards);
                        let hits = walked(&mut session, &HITS, order, scope, &[Value::from(words.as_str())]).await;
                        for (way, words) in [(&WALK_WORDS, &words), (&WALK_OFTEN, &asked)] {
                            let rows = walked(&mut session, way, order, scope, &[Value::from(words.as_str())]).await;
                            assert_eq!(rows, hits, "{text} {scope:?} {order:?}");
                        }
                        found.push(hits.len());
                    }
                }
            }
        }
        assert!(found.iter().any(|rows| *rows > ROWS * 3) && found.contains(&0), "{found:?}");
    }

    async fn it_is_known_how_often_words_hit(database) {
        let store = database.open().await;
        let mut words = Vec::new();
        for number in 0..2400_u32 {
            // In every one, in one of ten, in one of a thousand.
            let rare = if number % 1000 == 0 { "rare" } else { "" };
            let some = if number % 10 == 3 { "some" } else { "" };
            let title = format!("each {some} {rare}");
            words.push(incoming(record(Source::Nvd, &format!("CVE-2026-{}", 10_000 + number), &title)));
        }
        store.put_records(words).await.unwrap();
        let store = Store::open(database.url()).await.unwrap();
        let mut session = store.read().await.unwrap();
        for (text, hits) in [("each", Hits::Often), ("some", Hits::Often), ("rare", Hits::Few), ("none", Hits::Few)] {
            let words = [Query::words(text).unwrap()];
            assert_eq!(Hits::beyond(60, &mut session, &words).await.unwrap(), hits, "{text}");
        }
    }

    async fn each_way_leads_to_the_same_of_a_package(database) {
        scale::fill(&database.open().await, SCALE, &mut |_| ()).await.unwrap();
        let store = Store::open(database.url()).await.unwrap();
        let mut session = store.read().await.unwrap();
        let mut found = Vec::new();
        for package in ["linux", "curl", "nothing"] {
            let searched = values![package, package.len() as i64];
            for scope in [(SCOPE_MATCHED, i64::MAX), (SCOPE_MATCHED, 0b1000)] {
                for backwards in [false, true] {
                    let order = (Order::Urgency, backwards);
                    let rows = walked(&mut session, &PACKAGE, order, scope, &searched).await;
                    let asked = walked(&mut session, &PACKAGE_WALK, order, scope, &searched).await;
                    assert_eq!(asked, rows, "{package} {scope:?}");
                    found.push(rows.len());
                }
            }
        }
        assert!(found.iter().any(|rows| *rows > 5) && found.contains(&0), "{found:?}");
    }
}
