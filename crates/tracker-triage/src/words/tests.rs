//! Words: what is cut, and that no text can break out of a query.

use super::{Query, index, name_pieces};
use proptest::prelude::*;

fn terms(query: &Query) -> (Vec<&str>, bool) {
    let terms = query.terms().iter().map(String::as_str);
    (terms.collect(), query.is_open())
}

#[test]
fn an_id_is_found_whole_and_by_its_parts() {
    assert_eq!(index(["CVE-2021-44228"]), "2021 44228 cve cve202144228");
    let query = Query::words("CVE-2021-44228").unwrap();
    assert_eq!(terms(&query), (vec!["cve202144228"], true));
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
    let query = Query::words("heap over").unwrap();
    assert_eq!(terms(&query), (vec!["heap", "over"], true));
    assert!(query.is_in(&["heap", "overflow"]));
    assert!(!query.is_in(&["heaps", "overflow"]));
    assert!(!query.closed().is_in(&["heap", "overflow"]));
    let query = Query::words("heap in").unwrap();
    assert_eq!(terms(&query), (vec!["heap", "in"], false));
    assert!(!query.is_in(&["heap", "input"]));
    assert_eq!(Query::words(" -- '\"* "), None);
}

#[test]
fn a_name_is_found_by_any_part_of_it() {
    assert_eq!(name_pieces(["a.b"]), "a·b b·· ·b·");
    let text = |query: &str| {
        let query = Query::inside_name(query).unwrap();
        (query.terms().to_vec(), query.is_open())
    };
    assert_eq!(text("ssl"), (vec!["ssl".to_owned()], false));
    assert_eq!(text("Qt"), (vec!["qt".to_owned()], true));
    assert_eq!(
        text("a.b cde"),
        (vec!["a·b".to_owned(), "cde".to_owned()], false)
    );
    assert_eq!(Query::inside_name("...."), None);
}

proptest! {
    #[test]
    fn a_query_holds_nothing_but_terms(text in "\\PC{0,80}") {
        for query in [Query::words(&text), Query::inside_name(&text)].into_iter().flatten() {
            prop_assert!(query.terms().iter().flat_map(|term| term.chars()).all(|c| !c.is_ascii_punctuation() && !c.is_whitespace()));
        }
    }

    #[test]
    fn each_word_of_a_text_finds_it(text in "\\PC{0,80}") {
        let index = index([text.as_str()]);
        let words: Vec<&str> = index.split(' ').collect();
        if let Some(query) = Query::words(&text) {
            prop_assert!(query.is_in(&words));
        }
    }
}
