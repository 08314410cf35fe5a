//! Version texts to test with: tricky ones by hand, and a generator.
//!
//! Invariant: the generator favours what orders differ on: dashes, `pre`, letters, zeros, long numbers.

use proptest::prelude::*;

/// Versions as they occur, and as they should not.
pub(crate) const TRICKY: &[&str] = &[
    "",
    "0",
    "00",
    "1",
    "01",
    "1.",
    "1.0",
    "1.0.0",
    "1-0",
    "1.-0",
    "-1",
    ".1",
    "1..2",
    "1.2",
    "1.2a",
    "1.2.a",
    "1.2pre",
    "1.2pre1",
    "1.2-pre-1",
    "1.2.pre",
    "pre",
    "prex",
    "1.0.2",
    "1.0.2k",
    "1.0.2zh",
    "1.0rc1",
    "1.0-rc.1",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-beta",
    "1.0.0+build",
    "7.9p1",
    "8.5p1",
    "9e",
    "9f",
    "2.3.1",
    "2.3",
    "2.3a",
    "2.3pre3",
    "2.3pre12",
    "2.5",
    "2.5b",
    "2147483647",
    "2147483648",
    "4294967296",
    "99999999999999999999",
    "20190101",
    "20190101123456",
    "2019-11-17",
    "unstable-2019-11-17",
    "0-unstable-2024-01-01",
    "1.2-unstable-2024-01-01",
    "5.10.y",
    "5.10.*",
    "*",
    "v1.2",
    "r1234",
    "1_2",
    "1+2",
    "1~rc1",
    "ä1",
    "1.0ß",
    "alpha",
    "1.0a1",
    "1.0b",
    "1.0c2",
    "1.0.final",
    "1.0.GA",
    "2.0.0.RELEASE",
];

/// Any version-like text.
pub(crate) fn version() -> impl Strategy<Value = String> {
    let component = prop_oneof![
        4 => "[0-9]{1,3}",
        1 => "[0-9]{9,12}",
        2 => prop::sample::select(vec!["pre", "rc", "alpha", "beta", "a", "b", "p", "dev", "unstable", "x", "final"])
            .prop_map(str::to_owned),
        1 => "[a-z]{1,3}",
    ];
    let separator = prop::sample::select(vec!["", ".", ".", ".", "-", "_", "+"]);
    prop_oneof![
        6 => prop::collection::vec((separator, component), 0..6)
            .prop_map(|parts| parts.into_iter().flat_map(|(s, c)| [s.to_owned(), c]).collect()),
        1 => prop::sample::select(TRICKY).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
    ]
}

/// A version that follows the grammar of Semantic Versioning.
pub(crate) fn semantic() -> impl Strategy<Value = String> {
    let number = prop_oneof!["0", "[1-9][0-9]{0,3}"];
    let identifier = prop_oneof![
        "0",
        "[1-9][0-9]{0,2}",
        "[0-9]{0,2}[a-zA-Z-][0-9a-zA-Z-]{0,2}"
    ];
    (
        prop::collection::vec(number, 3),
        prop::collection::vec(identifier, 0..3),
        prop::option::of("[0-9A-Za-z-]{1,4}"),
    )
        .prop_map(|(core, pre, build)| {
            let mut text = core.join(".");
            if !pre.is_empty() {
                text = format!("{text}-{}", pre.join("."));
            }
            build.map_or(text.clone(), |build| format!("{text}+{build}"))
        })
}
