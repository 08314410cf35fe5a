//! What CNAs write into `version`, and what it means.

use super::*;
use crate::json::Node;
use proptest::prelude::*;

fn read_one(json: &str) -> (Option<Range>, usize) {
    let node: Node<'_> = serde_json::from_str(json).unwrap();
    let mut warnings = Warnings::default();
    let range = read(&At::root(&node), &mut warnings);
    (range, warnings.into_vec().len())
}

fn bounds(text: &str) -> Option<(Bound, Bound)> {
    let json = serde_json::json!({"version": text, "status": "affected"}).to_string();
    read_one(&json).0.map(|range| (range.lower, range.upper))
}

fn inclusive(version: &str) -> Bound {
    Bound::Inclusive(version.to_owned())
}

fn exclusive(version: &str) -> Bound {
    Bound::Exclusive(version.to_owned())
}

#[test]
fn comparisons_in_text() {
    for (text, lower, upper) in [
        ("< 1.2", Bound::Unbounded, exclusive("1.2")),
        (">= 1.0, < 1.2", inclusive("1.0"), exclusive("1.2")),
        (">1.0,<=v1.2-rc1", exclusive("1.0"), inclusive("v1.2-rc1")),
        ("= 1.2", inclusive("1.2"), inclusive("1.2")),
        ("before 1.2", Bound::Unbounded, exclusive("1.2")),
        ("Prior to 1.2", Bound::Unbounded, exclusive("1.2")),
        (
            "1.2 and earlier versions",
            Bound::Unbounded,
            inclusive("1.2"),
        ),
        ("through 1.2", Bound::Unbounded, inclusive("1.2")),
        ("1.2", inclusive("1.2"), inclusive("1.2")),
        ("*", Bound::Unbounded, Bound::Unbounded),
    ] {
        assert_eq!(bounds(text), Some((lower, upper)), "{text}");
    }
    assert_eq!(bounds("n/a"), None);
    assert_eq!(bounds("unspecified"), None);
}

#[test]
fn prose_is_kept_under_a_scheme_that_nothing_compares() {
    for text in ["all known versions", "< 1.2, < 1.3", "1.x before hotfix 3"] {
        let json = serde_json::json!({"version": text, "status": "affected"}).to_string();
        let range = read_one(&json).0.unwrap();
        assert_eq!(range.scheme, PROSE, "{text}");
        assert_eq!(range.lower, inclusive(text));
    }
}

#[test]
fn structured_ranges() {
    let (range, warnings) = read_one(
        r#"{"version":"0","lessThan":"*","versionType":"semver","status":"affected",
            "changes":[{"at":"1.5","status":"unaffected"},{"at":"2.0"}]}"#,
    );
    let range = range.unwrap();
    assert_eq!(warnings, 1, "a change without status is said");
    assert_eq!(
        (range.lower, range.upper),
        (Bound::Unbounded, Bound::Unbounded)
    );
    assert_eq!(range.changes, [("1.5".to_owned(), Status::Unaffected)]);
    let (range, _) = read_one(r#"{"version":"unspecified","lessThan":"3","status":"affected"}"#);
    assert_eq!(range.unwrap().upper, exclusive("3"));
    let (range, warnings) =
        read_one(r#"{"version":"1","lessThan":"3","lessThanOrEqual":"4","status":"maybe"}"#);
    let range = range.unwrap();
    assert_eq!(
        (range.upper, range.status, warnings),
        (exclusive("3"), Status::Unknown, 2)
    );
}

proptest! {
    #[test]
    fn a_comparison_keeps_its_version(version in "[0-9][0-9a-z.+~-]{0,8}") {
        let exact = Bound::Inclusive(version.clone());
        prop_assert_eq!(bounds(&format!("<= {version}")), Some((Bound::Unbounded, exact.clone())));
        prop_assert_eq!(bounds(&version), Some((exact.clone(), exact)));
    }
}
