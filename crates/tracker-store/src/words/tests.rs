//! Searches are written so that no text can break out of them.

use super::{Query, Written};
use crate::statement::Dialect;
use proptest::prelude::*;

#[test]
fn a_search_is_written_for_each_database() {
    let query = Query::words("CVE-2021-44228").unwrap();
    assert_eq!(query.text(Dialect::Sqlite), "\"cve202144228\"*");
    assert_eq!(query.text(Dialect::Postgres), "'cve202144228':*");
    let query = Query::inside_name("a.b cde").unwrap();
    assert_eq!(query.text(Dialect::Sqlite), "\"a·b\" AND \"cde\"");
    assert_eq!(query.text(Dialect::Postgres), "'a·b' & 'cde'");
}

proptest! {
    #[test]
    fn a_query_holds_nothing_but_terms(text in "\\PC{0,80}") {
        for query in [Query::words(&text), Query::inside_name(&text)].into_iter().flatten() {
            for (dialect, quote) in [(Dialect::Sqlite, '"'), (Dialect::Postgres, '\'')] {
                let written = query.text(dialect);
                let inside = written.split(quote).skip(1).step_by(2);
                prop_assert!(inside.flat_map(str::chars).all(|c| !c.is_ascii_punctuation() && !c.is_whitespace()));
            }
        }
    }
}
