//! Ranges by example: CVE 5.1, NVD bounds, OSV events in their normal form, and what stays unknown.
//!
//! Invariant: the examples name real version numbers and say what a person who reads the range would say.

use nix_version::Status::{Affected, Unaffected, Unknown};
use nix_version::{Bound, Deciding, Range, Status, evaluate, expression};
use proptest::prelude::*;

fn range(scheme: &str, lower: Bound, upper: Bound, status: Status) -> Range {
    Range {
        scheme: scheme.into(),
        lower,
        upper,
        status,
        changes: Vec::new(),
    }
}

fn from(text: &str) -> Bound {
    Bound::Inclusive(text.into())
}

fn before(text: &str) -> Bound {
    Bound::Exclusive(text.into())
}

fn status(version: &str, ranges: &[Range], default: Status) -> Status {
    evaluate(version, ranges, default).status
}

#[test]
fn nvd_bounds() {
    let musl = [range(
        "cpe",
        from("0.9.12"),
        Bound::Inclusive("1.1.23".into()),
        Affected,
    )];
    assert_eq!(status("1.1.22", &musl, Unaffected), Affected);
    assert_eq!(status("1.1.23", &musl, Unaffected), Affected);
    assert_eq!(status("1.1.24", &musl, Unaffected), Unaffected);
    assert_eq!(status("0.9.11", &musl, Unaffected), Unaffected);
    assert_eq!(
        musl[0].to_string(),
        "from 0.9.12 up to and including 1.1.23"
    );
    let verdict = evaluate("1.1.22", &musl, Unaffected);
    assert_eq!(
        verdict.deciding,
        Some(Deciding {
            range: 0,
            change: None
        })
    );
}

#[test]
fn cve_changes_and_default_status() {
    let mut branch = range("semver", from("1.0.0"), before("2.0.0"), Affected);
    branch.changes = vec![
        ("1.4.5".into(), Unaffected),
        ("1.5.0".into(), Affected),
        ("1.5.7".into(), Unaffected),
    ];
    let ranges = [
        branch,
        range("semver", from("3.0.0"), before("3.1.0"), Unaffected),
    ];
    for (version, expected) in [
        ("1.0.0", Affected),
        ("1.4.4", Affected),
        ("1.4.5", Unaffected),
        ("1.5.2", Affected),
        ("1.5.7", Unaffected),
        ("2.0.0", Unknown),
        ("3.0.5", Unaffected),
        ("1.4.5-rc.1", Affected),
    ] {
        assert_eq!(status(version, &ranges, Unknown), expected, "{version}");
    }
    let verdict = evaluate("1.5.2", &ranges, Unknown);
    assert_eq!(
        verdict.deciding,
        Some(Deciding {
            range: 0,
            change: Some(1)
        })
    );
}

#[test]
fn the_first_entry_that_holds_the_version_decides() {
    let ranges = [
        Range::exact_version("custom", "2.0", Unaffected),
        range("custom", from("1.0"), before("3.0"), Affected),
    ];
    assert_eq!(status("2.0", &ranges, Unaffected), Unaffected);
    assert_eq!(status("2.1", &ranges, Unaffected), Affected);
}

#[test]
fn kernel_wildcards_name_a_branch() {
    let ranges = [
        range("semver", from("0"), before("4.2"), Unaffected),
        range(
            "semver",
            from("5.10.105"),
            Bound::Inclusive("5.10.*".into()),
            Unaffected,
        ),
        range(
            "original_commit_for_fix",
            from("5.17"),
            Bound::Inclusive("*".into()),
            Unaffected,
        ),
    ];
    assert_eq!(status("5.10.104", &ranges[..2], Affected), Affected);
    assert_eq!(status("5.10.200", &ranges[..2], Affected), Unaffected);
    assert_eq!(status("5.11.1", &ranges[..2], Affected), Affected);
    assert_eq!(status("4.1.9", &ranges, Affected), Unaffected);
}

#[test]
fn commits_leave_a_release_unknown_unless_they_cannot_matter() {
    let commit = |digit: &str| digit.repeat(40);
    let git = range("git", from(&commit("1")), before(&commit("2")), Affected);
    assert_eq!(
        status("1.2", std::slice::from_ref(&git), Unaffected),
        Unknown
    );
    assert_eq!(
        status("1.2", std::slice::from_ref(&git), Affected),
        Affected
    );
    let known = range("semver", from("1.0"), before("1.3"), Affected);
    assert_eq!(status("1.2", &[git, known], Unaffected), Affected);
}

#[test]
fn placeholders_leave_it_open() {
    let placeholder = [Range::exact_version("custom", "n/a", Affected)];
    assert_eq!(status("1.2", &placeholder, Unknown), Unknown);
    let cpe = [Range::exact_version("cpe", "-", Affected)];
    assert_eq!(status("1.2", &cpe, Unaffected), Unknown);
    let beside = [
        Range::exact_version("cpe", "-", Affected),
        Range::exact_version("cpe", "1.2", Affected),
    ];
    assert_eq!(status("1.3", &beside, Unaffected), Unaffected);
    assert_eq!(status("1.2", &beside, Unaffected), Affected);
    let silent = range("cpe", Bound::Unbounded, Bound::Unbounded, Unknown);
    assert_eq!(
        status("1.2", std::slice::from_ref(&silent), Unaffected),
        Unknown
    );
    assert_eq!(
        status(
            "1.3",
            &[silent, Range::exact_version("cpe", "1.2", Affected)],
            Unaffected
        ),
        Unaffected
    );
    let candidate = [Range::exact_version("cpe", "1.0:rc1", Affected)];
    assert_eq!(status("1.0rc1", &candidate, Unaffected), Affected);
    assert_eq!(status("1.0", &candidate, Unaffected), Unaffected);
}

#[test]
fn prose_is_never_compared() {
    let ranges = [Range::exact_version("prose", "1.2-through-1.4", Affected)];
    assert_eq!(status("1.3", &ranges, Unaffected), Unknown);
    assert_eq!(status("1.2-through-1.4", &ranges, Unaffected), Unknown);
}

#[test]
fn constraints_in_place_of_versions_are_read() {
    let ranges = [Range::exact_version("custom", ">= 1.0, < 1.2.3", Affected)];
    assert_eq!(status("1.2.2", &ranges, Unaffected), Affected);
    assert_eq!(status("1.2.3", &ranges, Unaffected), Unaffected);
    assert_eq!(status("0.9", &ranges, Unaffected), Unaffected);
    for (text, inside, outside) in [
        ("< 2.4", "2.3", "2.4"),
        ("<= 2.4", "2.4", "2.5"),
        ("= 2.4", "2.4", "2.5"),
        ("prior to 2.4", "2.3", "2.4"),
        ("2.4 and earlier", "2.4", "2.5"),
        ("All versions before 2.4", "2.3.9", "2.4"),
        ("2.4.x", "2.4.7", "2.40"),
    ] {
        let ranges = [Range::exact_version("custom", text, Affected)];
        assert_eq!(status(inside, &ranges, Unaffected), Affected, "{text}");
        assert_eq!(status(outside, &ranges, Unaffected), Unaffected, "{text}");
    }
    assert_eq!(
        status(
            "9",
            &[Range::exact_version("custom", "*", Affected)],
            Unaffected
        ),
        Affected
    );
    for text in ["<", ">= , <", "< one", "1.0 - 2.0", "< 1 2"] {
        assert!(expression::parse(text).is_none(), "{text}");
    }
}

#[test]
fn snapshots_and_patch_levels_are_unknown_where_they_could_be_either() {
    let through = [range(
        "cpe",
        Bound::Unbounded,
        Bound::Inclusive("8.5".into()),
        Affected,
    )];
    assert_eq!(status("8.4p1", &through, Unaffected), Affected);
    assert_eq!(status("8.5p1", &through, Unaffected), Unknown);
    assert_eq!(status("8.6p1", &through, Unaffected), Unaffected);
    assert_eq!(
        status("8.5-unstable-2024-01-01", &through, Unaffected),
        Unknown
    );
    let fixed = [range("cpe", Bound::Unbounded, before("1.3"), Affected)];
    assert_eq!(
        status("1.2-unstable-2024-01-01", &fixed, Unaffected),
        Unknown
    );
    assert_eq!(
        status("1.3-unstable-2024-01-01", &fixed, Unaffected),
        Unaffected
    );
    assert_eq!(status("0-unstable-2024-01-01", &fixed, Unaffected), Unknown);
    let all = [range("cpe", Bound::Unbounded, Bound::Unbounded, Affected)];
    assert_eq!(status("0-unstable-2024-01-01", &all, Unaffected), Affected);
}

proptest! {
    /// A half-open chain of ranges covers every comparable version exactly once.
    #[test]
    fn neighbouring_ranges_neither_overlap_nor_leave_a_gap(
        version in crate::versions::version(),
        cut in crate::versions::version(),
    ) {
        let below = range("custom", Bound::Unbounded, before(&cut), Affected);
        let above = range("custom", from(&cut), Bound::Unbounded, Affected);
        let inside = |r: &Range| status(&version, std::slice::from_ref(r), Unaffected);
        prop_assume!(!matches!(cut.as_str(), "0" | "*" | ""));
        let pair = (inside(&below), inside(&above));
        prop_assert!(
            matches!(pair, (Affected, Unaffected) | (Unaffected, Affected)) || pair.0 == Unknown || pair.1 == Unknown,
            "{} at {}: {:?}", version, cut, pair
        );
    }

    /// One plain version holds what is neither below nor above it.
    #[test]
    fn a_plain_version_is_where_both_bounds_are(
        version in "[0-9]{1,3}(\\.[0-9]{1,3}){0,4}",
        named in "[0-9]{1,3}(\\.[0-9]{1,3}){0,4}((:rc|-beta|p|a)[0-9]{1,2}|k)?",
        same in any::<bool>(),
    ) {
        let version = if same { format!("{named}.0") } else { version };
        let exact = range("cpe", from(&named), Bound::Inclusive(named.clone()), Affected);
        let above = range("cpe", from(&named), Bound::Unbounded, Affected);
        let below = range("cpe", Bound::Unbounded, Bound::Inclusive(named.clone()), Affected);
        let inside = |r: &Range| status(&version, std::slice::from_ref(r), Unaffected);
        let both = match (inside(&above), inside(&below)) {
            (Affected, Affected) => Affected,
            (Unaffected, _) | (_, Unaffected) => Unaffected,
            _ => Unknown,
        };
        prop_assert_eq!(inside(&exact), both, "{} in {}", version, named);
    }
}
