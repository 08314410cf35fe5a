//! Orders by example: what projects, Semantic Versioning and Nixpkgs' naming rules say.
//!
//! Invariant: each line is an ascending chain; equal neighbours are tested apart.

use nix_version::semver::SemVer;
use nix_version::{Scheme, snapshot, upstream};
use std::cmp::Ordering;

fn ascending(order: impl Fn(&str, &str) -> Ordering, chain: &[&str]) {
    for (index, left) in chain.iter().enumerate() {
        for right in &chain[index + 1..] {
            assert_eq!(order(left, right), Ordering::Less, "{left} < {right}");
        }
    }
}

#[test]
fn upstream_orders_releases_as_projects_do() {
    ascending(
        upstream::compare,
        &[
            "1.0.2", "1.0.2a", "1.0.2k", "1.0.2u", "1.0.2za", "1.0.2zh", "1.1.0",
        ],
    );
    ascending(upstream::compare, &["7.8p1", "7.9", "7.9p1", "8.0p1"]);
    ascending(
        upstream::compare,
        &[
            "1.0.dev1",
            "1.0a1",
            "1.0b2",
            "1.0rc1",
            "1.0",
            "1.0.post1",
            "1.0.1",
        ],
    );
    ascending(
        upstream::compare,
        &["2.0.0-M1", "2.0.0-rc.1", "2.0.0", "2.0.1"],
    );
    ascending(upstream::compare, &["8d", "9", "9a", "9e", "9f"]);
    for (left, right) in [
        ("2.0", "2.0.0"),
        ("v1.2", "1.2"),
        ("1.0.final", "1.0"),
        ("1.0RC1", "1.0.0-rc1"),
    ] {
        assert_eq!(
            upstream::compare(left, right),
            Ordering::Equal,
            "{left} = {right}"
        );
    }
}

#[test]
fn semver_orders_as_its_section_11() {
    let order = |a: &str, b: &str| {
        SemVer::parse(a)
            .unwrap()
            .precedence(&SemVer::parse(b).unwrap())
    };
    ascending(
        order,
        &[
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "2.0.0",
            "2.1.0",
            "2.1.1",
            "99999999999999999999.0.0",
        ],
    );
    for bad in [
        "1",
        "1.0",
        "1.0.0.0",
        "01.0.0",
        "1.0.0-01",
        "1.0.0-",
        "1.0.0+",
        "v1.0.0",
        "1.0.0-a..b",
        " 1.0.0",
    ] {
        assert!(SemVer::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn snapshots_are_read() {
    let read = |text| snapshot::parse(text).map(|s| (s.after, s.day));
    assert_eq!(read("0-unstable-2024-01-01"), Some((None, 20240101)));
    assert_eq!(read("unstable-2024-01-01"), Some((None, 20240101)));
    assert_eq!(
        read("1.2.3-unstable-2024-01-01"),
        Some((Some("1.2.3"), 20240101))
    );
    assert_eq!(read("2019-11-17"), Some((None, 20191117)));
    assert_eq!(read("20191117"), Some((None, 20191117)));
    for text in [
        "1.2.3",
        "2019-13-17",
        "20191350",
        "unstable",
        "0-unstable-20xx-01-01",
        "12345678",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn what_is_not_on_one_line_is_not_compared() {
    let compare = |a, b| Scheme::Upstream.compare(a, b);
    assert_eq!(compare("2019-11-17", "1.2"), None);
    assert_eq!(compare("2019-11-17", "2019-12-01"), Some(Ordering::Less));
    assert_eq!(compare("0-unstable-2024-01-01", "1.2"), None);
    assert_eq!(
        compare("1.2-unstable-2024-01-01", "1.2"),
        Some(Ordering::Greater)
    );
    assert_eq!(
        compare("1.2-unstable-2024-01-01", "1.1"),
        Some(Ordering::Greater)
    );
    assert_eq!(compare("1.2-unstable-2024-01-01", "1.3"), None);
    assert_eq!(compare("1.2", "unspecified"), None);
    let commit = "5f506b95f9f6290f4c46f523cc3f5cef581c5666";
    assert_eq!(compare("1.2", commit), None);
    assert_eq!(
        Scheme::Commit.compare(commit, commit),
        Some(Ordering::Equal)
    );
    assert_eq!(Scheme::Commit.compare("1.2", "1.2"), None);
}
