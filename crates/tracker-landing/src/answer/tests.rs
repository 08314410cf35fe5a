//! What a person may type.

use super::Asked;

#[test]
fn a_change_is_asked_for_in_the_forms_that_people_paste() {
    for (text, asked) in [
        ("#12", Asked::PullRequest(12)),
        (
            " https://github.com/NixOS/nixpkgs/pull/12 ",
            Asked::PullRequest(12),
        ),
        (
            "https://github.com/NixOS/nixpkgs/pull/12/files#diff",
            Asked::PullRequest(12),
        ),
        (
            "https://github.com/NixOS/nixpkgs/pull/12#issuecomment-1",
            Asked::PullRequest(12),
        ),
        (
            "https://github.com/NixOS/nixpkgs/commit/abcdef0?w=1",
            Asked::Commit("abcdef0".into()),
        ),
        ("1234567", Asked::Digits(1_234_567, "1234567".into())),
        ("1234567890", Asked::Commit("1234567890".into())),
        ("abcdef0", Asked::Commit("abcdef0".into())),
        ("#", Asked::Commit("#".into())),
        ("#99999999999", Asked::Commit("#99999999999".into())),
        ("", Asked::Commit(String::new())),
    ] {
        assert_eq!(Asked::read(text), asked, "{text}");
    }
}
