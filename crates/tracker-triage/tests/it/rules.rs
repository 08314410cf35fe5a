//! Suppression rules: what they may ask, and what they hide.

use crate::{at, item};
use tracker_record::Severity;
use tracker_triage::rule::{HIDDEN_SEVERE, Rule, hidden_severe, severe, suppressed_until};
use tracker_triage::{MatchState, Query};

#[test]
fn a_rule_holds_for_everybody_at_any_time() {
    for (query, refused) in [
        ("pname:linux severity<=medium", None),
        ("is:contradicted", None),
        ("", Some("it would find everything")),
        ("maintainer:@me", Some("`maintainer:@me` depends on")),
        ("kev:no -age<7d", Some("`age<1w` depends on")),
        ("is:open", Some("`is:open` depends on")),
        ("kev:maybe", Some("is no value of `kev`")),
    ] {
        match (Rule::query(query), refused) {
            (Ok(_), None) => {}
            (Err(error), Some(refused)) => {
                assert!(error.to_string().contains(refused), "{query}: {error}");
            }
            (other, _) => panic!("{query}: {other:?}"),
        }
    }
}

#[test]
fn a_rule_survives_a_version_bump_and_the_latest_end_counts() {
    let rule = |number, query: &str, expires| Rule {
        number,
        query: Rule::query(query).unwrap(),
        expires: at(expires),
    };
    let rules = [
        rule(1, "pname:musl severity<=high", 10),
        rule(2, "family:musl", 20),
        rule(3, "kev:yes", 30),
    ];
    let mut item = item();
    assert_eq!(suppressed_until(&rules, &item), Some(at(20)));
    // Other channels, other versions, another score of the match: none of it is asked for.
    item.channels.clear();
    item.confidence_ppm = 10;
    assert_eq!(suppressed_until(&rules, &item), Some(at(20)));
    item.pnames = vec!["other".to_owned()];
    item.family = "other".to_owned();
    assert_eq!(suppressed_until(&rules, &item), None);
}

#[test]
fn what_is_severe_is_told_apart() {
    let rule = Rule::query("pname:musl").unwrap();
    let of = |severity, exploited, state| {
        let mut item = item();
        item.pnames = vec!["musl".to_owned()];
        (item.severity, item.exploited, item.state) = (severity, exploited, state);
        severe(&rule).matches(&item, at(0), None)
    };
    use MatchState::{Confirmed, Dismissed, Proposed};
    for (severity, exploited, state, wanted) in [
        (Severity::Critical, false, Proposed, true),
        (Severity::High, false, Confirmed, true),
        (Severity::Medium, false, Proposed, false),
        (Severity::Unknown, true, Proposed, true),
        (Severity::Critical, true, Dismissed, false),
    ] {
        assert_eq!(
            of(severity, exploited, state),
            wanted,
            "{severity:?} {exploited} {state:?}"
        );
    }
    let mut other = item();
    other.pnames = vec!["zlib".to_owned()];
    (other.severity, other.exploited) = (Severity::Critical, true);
    assert!(
        !severe(&rule).matches(&other, at(0), None),
        "the rule does not cover it"
    );
    other.suppressed_until = Some(at(10));
    assert!(hidden_severe().matches(&other, at(0), None));
    assert!(!hidden_severe().matches(&other, at(11), None));
    assert_eq!(Query::parse(HIDDEN_SEVERE).unwrap(), hidden_severe());
}
