//! Tests of name folding.
//!
//! Invariant checked: folding is idempotent on any text.

use super::*;
use proptest::prelude::*;

#[test]
fn the_list_of_common_names_is_sorted() {
    assert!(COMMON.is_sorted());
    assert!(is_weak("router") && is_weak("ed") && !is_weak("openssl"));
}

#[test]
fn a_mark_that_lower_case_brings_is_dropped() {
    assert_eq!(fold("İ"), "i");
}

proptest! {
    #[test]
    fn folding_is_idempotent(text in "\\PC{0,60}") {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once.clone());
        prop_assert!(!once.starts_with('-') && !once.ends_with('-') && !once.contains("--"));
        for stem in stems(&once) {
            prop_assert!(stem.len() >= 3 && stem != once);
        }
    }
}
