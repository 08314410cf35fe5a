//! Invariant checked: the short way for numbers alone orders as the long way does.

use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn short_ways_change_no_order(left in "v?[0-2a-c.-]{0,8}", right in "v?[0-2a-c.-]{0,8}") {
        let long = compare_tokens(interpreted(&left), interpreted(&right));
        prop_assert_eq!(compare(&left, &right), long);
    }

    #[test]
    fn numbers_alone_are_ordered_as_all_versions_are(
        left in "[0-9][0-9.]{0,12}",
        right in "[0-9][0-3.]{0,12}",
        same in "[0-9][0-3.]{0,4}",
    ) {
        prop_assert!(is_numbers(&left) && is_numbers(&right));
        prop_assert_eq!(compare_dotted(&left, &right), compare_tokens(&left, &right));
        let (left, right) = (format!("{same}.{left}"), format!("{same}.{right}"));
        prop_assert_eq!(compare_dotted(&left, &right), compare_tokens(&left, &right));
        let zeros = format!("{same}.0.0");
        prop_assert_eq!(compare_dotted(&same, &zeros), compare_tokens(&same, &zeros));
    }
}

#[test]
fn what_is_more_than_numbers_goes_the_long_way() {
    for text in ["", ".1", "1a", "1-2", "1.0rc1", "१"] {
        assert!(!is_numbers(text), "{text}");
    }
}
