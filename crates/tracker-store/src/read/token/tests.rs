//! Tokens come back as what they were, and nothing else is taken for one.

use super::Position;
use crate::StoreError;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_token_reads_back(rank: i64, key: i64) {
        let position = Position { rank, key };
        prop_assert_eq!(Position::read(&position.token('u'), 'u').unwrap(), position);
    }

    #[test]
    fn a_token_of_another_list_is_refused(rank: i64, key: i64) {
        let token = Position { rank, key }.token('u');
        let refused = matches!(Position::read(&token, 'p'), Err(StoreError::Token { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn what_is_read_is_written_the_same(text in "u?[0-9a-fA-F+. -]{0,36}|\\PC{0,40}") {
        if let Ok(position) = Position::read(&text, 'u') {
            prop_assert_eq!(position.token('u'), text);
        }
    }
}

#[test]
fn hostile_tokens_are_refused_and_shortened_in_the_message() {
    let long = "u".repeat(100_000);
    for token in [
        "", "u", "u1", "u1.", "u.1", "u01.1", "u+1.1", "u1.1 ", "uA.1", "u1.1.1", "'; --", &long,
    ] {
        let error = Position::read(token, 'u').unwrap_err();
        assert!(error.to_string().len() < 80, "{error}");
    }
}
