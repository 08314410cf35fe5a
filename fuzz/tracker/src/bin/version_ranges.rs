//! Three texts as versions. Invariant: orders are reversible, and ranges are evaluated without a panic.
#![no_main]

use nix_version::{Bound, Range, Status, evaluate, expression, nix, snapshot, upstream};

libfuzzer_sys::fuzz_target!(|texts: (&str, &str, &str)| {
    let (version, lower, upper) = texts;
    assert_eq!(
        nix::compare(version, lower),
        nix::compare(lower, version).reverse()
    );
    assert_eq!(
        upstream::compare(version, lower),
        upstream::compare(lower, version).reverse()
    );
    let _ = (
        snapshot::parse(version),
        expression::parse(lower),
        nix::split_name(upper),
    );
    for scheme in [
        "custom", "semver", "git", "nix", "prose", "cpe", "PyPI", "Maven", "RubyGems", "Go", "Debian:12", "rpm",
        "Alpine:v3.20",
    ] {
        let range = Range {
            scheme: scheme.to_owned(),
            lower: Bound::Inclusive(lower.to_owned()),
            upper: Bound::Exclusive(upper.to_owned()),
            status: Status::Affected,
            changes: vec![(upper.to_owned(), Status::Unaffected)],
        };
        let exact = Range::exact_version(scheme, lower, Status::Affected);
        let _ = range.to_string();
        let _ = evaluate(version, &[range, exact], Status::Unknown);
    }
});
