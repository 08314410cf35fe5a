//! The filter's round trip, and every way to get it wrong.

use super::{ListQuery, ORDERS, PackageQuery, Paging, SEVERITIES, STATES, Scope};
use crate::error::Error;
use proptest::prelude::*;
use tracker_store::view::VulnerabilityFilter;

fn refusal(query: &str) -> String {
    ListQuery::read(query).expect_err(query).to_string()
}

#[test]
fn an_empty_form_filters_nothing() {
    let list = ListQuery::read("q=&severity=&channel=&order=urgency").unwrap();
    assert_eq!(list, ListQuery::default());
    assert_eq!(list.address("/vulnerabilities"), "/vulnerabilities");
}

#[test]
fn repeated_parameters_widen_and_do_not_repeat() {
    let list = ListQuery::read("severity=high&severity=critical&severity=high").unwrap();
    assert_eq!(list.query(), "severity=high&severity=critical");
}

#[test]
fn what_is_not_understood_is_named() {
    assert!(
        refusal("severity=huge")
            .starts_with("the parameter `severity` cannot be `huge`: known are critical")
    );
    assert!(refusal("sevrity=high").contains("`sevrity`"));
    assert!(refusal("limit=0").contains("1 to 200"));
    assert!(refusal("limit=201").contains("1 to 200"));
    assert!(refusal("after=a&before=b").contains("not both"));
    assert!(refusal(&format!("q={}", "a".repeat(201))).contains("200 bytes"));
    assert!(refusal("q=%00").contains("zero bytes"));
    assert!(matches!(
        ListQuery::read(&format!("after={}", "a".repeat(513))),
        Err(Error::BadToken)
    ));
}

#[test]
fn packages_are_searched_by_name_alone() {
    let list = PackageQuery::read("q=openssl&limit=10&after=t").unwrap();
    assert_eq!(
        list.address_at(&list.paging.before("u"), "/packages"),
        "/packages?q=openssl&limit=10&before=u"
    );
    let refused = PackageQuery::read("severity=high").unwrap_err().to_string();
    assert!(
        refused.contains("known are q, limit, after and before"),
        "{refused}"
    );
}

prop_compose! {
    fn list()(
        text in proptest::option::of("[^\0\\s]([^\0]{0,20}[^\0\\s])?"),
        severities in proptest::sample::subsequence(SEVERITIES, 0..=SEVERITIES.len()),
        states in proptest::sample::subsequence(STATES, 0..=STATES.len()),
        exploited: bool,
        channel in proptest::option::of("[a-z0-9.&=+% -]*[a-z]"),
        order in proptest::sample::select(ORDERS),
        scope in proptest::option::of(proptest::sample::select(&[Scope::All, Scope::Matched][..])),
        limit in proptest::option::of(1u32..=200),
        after in proptest::option::of("[A-Za-z0-9_=-]{1,40}"),
    ) -> ListQuery {
        ListQuery {
            filter: VulnerabilityFilter {
                text: text.map(|text: String| text.trim().to_owned()).filter(|text| !text.is_empty()),
                severities: severities.iter().map(|(severity, _)| *severity).collect(),
                states: states.iter().map(|(state, _)| *state).collect(),
                exploited,
                channel: channel.map(|channel: String| channel.trim().to_owned()),
                ..VulnerabilityFilter::default()
            },
            scope,
            order: order.0,
            paging: Paging { limit, after, before: None },
        }
    }
}

proptest! {
    #[test]
    fn addresses_read_back(list in list()) {
        prop_assert_eq!(ListQuery::read(&list.query()).unwrap(), list);
    }

    #[test]
    fn no_query_panics(query in ".{0,300}") {
        let _ = ListQuery::read(&query);
        let _ = PackageQuery::read(&query);
    }
}
