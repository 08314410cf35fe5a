//! Words: what is cut, and that no text can break out of a query.

use super::{Query, index, name_pieces};
use crate::statement::Dialect;
use proptest::prelude::*;

#[test]
fn an_id_is_found_whole_and_by_its_parts() {
    assert_eq!(index(["CVE-2021-44228"]), "2021 44228 cve cve202144228");
    let query = Query::words("CVE-2021-44228").unwrap();
    assert_eq!(query.text(Dialect::Sqlite), "\"cve202144228\"*");
    assert_eq!(query.text(Dialect::Postgres), "'cve202144228':*");
}

#[test]
fn words_are_in_lower_case_each_once() {
    assert_eq!(
        index(["Heap overflow,", "heap (in) Größe/größe"]),
        "größe heap in overflow"
    );
}

#[test]
fn only_the_last_word_of_a_query_may_be_a_beginning_and_only_a_long_one() {
    let text = |query: &str| Query::words(query).unwrap().text(Dialect::Postgres);
    assert_eq!(text("heap over"), "'heap' & 'over':*");
    assert_eq!(text("heap in"), "'heap' & 'in'");
    assert_eq!(Query::words(" -- '\"* "), None);
}

#[test]
fn a_name_is_found_by_any_part_of_it() {
    assert_eq!(name_pieces(["a.b"]), "a·b b·· ·b·");
    let text = |query: &str| Query::inside_name(query).unwrap().text(Dialect::Sqlite);
    assert_eq!(text("ssl"), "\"ssl\"");
    assert_eq!(text("Qt"), "\"qt\"*");
    assert_eq!(text("a.b cde"), "\"a·b\" AND \"cde\"");
    assert_eq!(Query::inside_name("...."), None);
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

    #[test]
    fn each_word_of_a_text_finds_it(text in "\\PC{0,80}") {
        let index = index([text.as_str()]);
        let words: Vec<&str> = index.split(' ').collect();
        if let Some(query) = Query::words(&text) {
            prop_assert!(query.terms.iter().all(|term| words.contains(&term.as_str())));
        }
    }
}
