//! Each way to the hits of a search leads to the same rows in the same order, there and back.

use super::{HITS, Order, WALK_OFTEN, WALK_WORDS, Way, often};
use crate::Store;
use crate::listing::{NO_FINDING, SCOPE_ALL, SCOPE_MATCHED};
use crate::session::Session;
use crate::value::{Value, values};
use crate::words::{Query, Written as _};
use tracker_testkit::scale::{self, Scale};
use tracker_testkit::{Kind, on_both_databases};

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
    words: &str,
) -> Vec<(i64, i64)> {
    let mut from = if backwards { 0 } else { i64::MAX };
    let mut from_key = from;
    let mut all = Vec::new();
    loop {
        let mut parameters = values![
            scope,
            severities,
            0_i64,
            NO_FINDING * 2 - 1,
            ROWS as i64,
            words
        ];
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
            let words = Query::words(text).unwrap().text(session.dialect());
            for scope in [(SCOPE_ALL, i64::MAX), (SCOPE_MATCHED, i64::MAX), (SCOPE_ALL, 0b1000)] {
                for order in [Order::Urgency, Order::Published, Order::Modified] {
                    for backwards in [false, true] {
                        let order = (order, backwards);
                        let hits = walked(&mut session, &HITS, order, scope, &words).await;
                        for way in [&WALK_WORDS, &WALK_OFTEN] {
                            let rows = walked(&mut session, way, order, scope, &words).await;
                            assert_eq!(rows, hits, "{text} {scope:?} {order:?}");
                        }
                        found.push(hits.len());
                    }
                }
            }
            let frequent = matches!(text, "overflow" | "crafted remote");
            let asks = database.kind() == Kind::Sqlite && frequent;
            assert_eq!(often(&mut session, &words).await.unwrap(), asks, "{text}");
        }
        assert!(found.iter().any(|rows| *rows > ROWS * 3) && found.contains(&0), "{found:?}");
    }
}
