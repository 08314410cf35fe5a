//! The database's answer to a query is the one that the query gives about each match itself.

use super::{CHANNEL, alice, decide, item, one, prepared, rule, tomorrow};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use tracker_match::FindingStatus::{Affected, Fixed, NotAffected, UnderInvestigation};
use tracker_record::Source;
use tracker_store::view::PageRequest;
use tracker_store::{Conditions, Store};
use tracker_testkit::fixture::{
    self, derived, finding, incoming, matched, package, record, release,
};
use tracker_testkit::on_both_databases;
use tracker_triage::query::Query;
use tracker_triage::state::{DecidedState, Dismissal};
use tracker_triage::{Action, Item, Place, words};

/// Queries that are asked.
const QUERIES: usize = 150;

const OTHER: &str = "nixos-unstable";

/// Packages: attribute, name, family, maintainers.
const PACKAGES: &[(&str, &str, &str, &[&str])] = &[
    ("musl", "musl", "musl", &["alice", "bob"]),
    ("pkgsStatic.musl", "musl-static", "musl", &["carol"]),
    ("zlib", "zlib", "zlib", &[]),
    ("openssl", "openssl", "openssl", &["alice"]),
    ("odd name", "odd", "odd (name)", &["d\"e"]),
];

async fn filled(store: &Store) {
    prepared(store).await;
    let batch = (0..30_u8).map(|number| {
        let mut one = record(
            Source::Nvd,
            &format!("CVE-2023-{number:04}"),
            ["Heap overflow", "Use after free", "Größe overflows"][usize::from(number % 3)],
        );
        if number % 5 != 0 {
            one.cvss.push(fixture::cvss(number * 3 + 10));
        }
        if number % 4 == 0 {
            one.exploitation.push(fixture::kev());
        }
        incoming(one)
    });
    store.put_records(batch.collect()).await.unwrap();
    for (channel, revision, packages) in
        [(CHANNEL, "bbb", PACKAGES), (OTHER, "ccc", &PACKAGES[..3])]
    {
        let packages = packages
            .iter()
            .map(|(attribute, pname, family, maintainers)| {
                let mut one = package(attribute, pname, "1.0");
                (*family).clone_into(&mut one.family);
                one.package.maintainers =
                    maintainers.iter().map(|name| (*name).to_owned()).collect();
                one
            });
        store
            .put_release(
                &release(channel, revision, "2024-05-01T00:00:00Z"),
                packages.collect(),
            )
            .await
            .unwrap();
    }
    matches(store).await;
    decisions(store).await;
}

/// Every vulnerability in some families, with all statuses.
async fn matches(store: &Store) {
    let inventory = store.current_packages("nixpkgs").await.unwrap();
    let due = store.due(&inventory, 100).await.unwrap();
    let statuses = [Affected, Fixed, NotAffected, UnderInvestigation];
    let found = due
        .vulnerabilities
        .iter()
        .enumerate()
        .map(|(position, due)| {
            let mut matches = Vec::new();
            for (index, family) in ["musl", "zlib", "openssl", "odd (name)"]
                .into_iter()
                .enumerate()
            {
                if (position + index) % 3 == 0 {
                    continue;
                }
                let mut findings = Vec::new();
                for (attribute, _, of, _) in PACKAGES.iter().filter(|package| package.2 == family) {
                    findings.push(finding(
                        CHANNEL,
                        attribute,
                        "1.0",
                        statuses[(position + index) % 4],
                    ));
                    if *of == "musl" || *of == "zlib" {
                        findings.push(finding(
                            OTHER,
                            attribute,
                            "1.0",
                            statuses[(position * 3 + index) % 4],
                        ));
                    }
                }
                let mut one = matched(
                    &due.id,
                    family,
                    ((position * 7 + index * 13) % 100) as f64 / 100.0,
                    findings,
                );
                one.dependents = (index == 1).then_some(position as u32);
                matches.push(one);
            }
            derived(&due.id, matches)
        });
    store
        .put_derivation("nixpkgs", found.collect(), due.mark)
        .await
        .unwrap();
}

/// One decision of each kind, and a rule.
async fn decisions(store: &Store) {
    let everywhere = |state| Action::SetState {
        place: Place::ALL,
        state,
    };
    for (number, family, action) in [
        (1, "musl", Action::Confirm),
        (2, "musl", Action::Dismiss(Dismissal::WrongPackage)),
        (3, "zlib", Action::Assign(Some("alice".to_owned()))),
        (4, "zlib", Action::Assign(Some("none".to_owned()))),
        (5, "openssl", Action::Snooze(Some(tomorrow()))),
        (6, "openssl", everywhere(DecidedState::WillNotFix)),
        (7, "musl", everywhere(DecidedState::Affected)),
        (8, "zlib", everywhere(DecidedState::Affected)),
    ] {
        let id = format!("CVE-2023-{number:04}");
        if store
            .triage_item(&item(&id, family), Timestamp::now())
            .await
            .unwrap()
            .is_some()
        {
            decide(store, one(&id, family), action).await;
        }
    }
    store
        .make_rule(
            &alice(),
            &rule("pname:odd severity<=medium"),
            &Conditions::default(),
        )
        .await
        .unwrap();
}

/// Every match as a value, from what was put in and what the page of it tells.
async fn items(store: &Store, now: Timestamp) -> Vec<Item> {
    let request = PageRequest {
        limit: 200,
        ..PageRequest::default()
    };
    let page = store
        .queue(&Query::everything(), now, None, &request)
        .await
        .unwrap();
    assert!(
        page.next.is_none() && page.rows.len() > 50,
        "{}",
        page.rows.len()
    );
    let mut items = Vec::new();
    for row in page.rows {
        let detail = store.triage_item(&row.id, now).await.unwrap().unwrap();
        let mut channels: BTreeMap<String, u32> = BTreeMap::new();
        for finding in &detail.findings {
            *channels.entry(finding.channel.clone()).or_default() |= finding.state.bit();
        }
        let members = || PACKAGES.iter().filter(|package| package.2 == row.id.family);
        let own = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let description = format!("{}, as the fixture tells it.", row.title);
        items.push(Item {
            words: words::index([
                row.id.vulnerability.as_str(),
                row.title.as_str(),
                description.as_str(),
            ]),
            attributes: own(members().map(|package| package.0).collect()),
            pnames: own(members().map(|package| package.1).collect()),
            maintainers: own(members()
                .flat_map(|package| package.3.iter().copied())
                .collect()),
            vulnerability: row.id.vulnerability,
            distribution: row.id.distribution,
            family: row.id.family,
            state: row.state,
            severity: row.severity,
            score_tenths: row.score_tenths,
            exploited: row.exploited,
            epss_ppm: row.epss_ppm,
            confidence_ppm: row.confidence_ppm,
            dependents: row.dependents,
            default_install: row.default_install,
            since: row.since,
            channels,
            assignee: row.assignee,
            snoozed_until: row.snoozed_until,
            suppressed_until: row.suppressed_until,
            contradicted: row.contradicted,
            added: row.added,
            suggested: row.suggested,
        });
    }
    items
}

/// Tests that find some and miss some.
const TESTS: &[&str] = &[
    "severity>=high",
    "severity:low,unknown",
    "severity<medium",
    "score>5.5",
    "score<=3",
    "kev:yes",
    "epss>0.1",
    "epss<=1",
    "confidence>=50%",
    "confidence<0.3",
    "dependents>3",
    "dependents<=3",
    "default:yes",
    "age<1h",
    "age>=1h",
    "age<=2w",
    "state:proposed",
    "state:confirmed,dismissed",
    "status:affected",
    "status:will-not-fix,removed",
    "status:not-affected",
    "is:open",
    "is:snoozed",
    "is:suppressed",
    "is:contradicted,added",
    "channel:nixos-unstable",
    "channel:nowhere",
    "affected:nixos-19.09",
    "affected:nixos-unstable,nowhere",
    "fixed:nixos-19.09",
    "id:CVE-2023-0004",
    "id:CVE-1",
    "distribution:nixpkgs",
    "distribution:guix",
    "family:musl,zlib",
    "family:\"odd (name)\"",
    "package:pkgsStatic.musl",
    "package:\"odd name\"",
    "pname:musl-static",
    "pname:nothing",
    "maintainer:@me",
    "maintainer:carol",
    "maintainer:\"d\\\"e\"",
    "assignee:none",
    "assignee:@me",
    "assignee:\"none\"",
    "assignee:none,@me",
    "overflow",
    "overf",
    "\"heap overflow\"",
    "größe",
    "CVE-2023-0007",
    "text:free,heap",
    "'",
    "\"%\\\\_\"a",
];

fn query() -> impl Strategy<Value = String> {
    let test = proptest::sample::select(TESTS).prop_map(str::to_owned);
    test.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| format!("-({inner})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a} or {b})")),
        ]
    })
}

on_both_databases! {
    async fn the_database_answers_as_the_query_does(database) {
        let store = database.open().await;
        filled(&store).await;
        let now = Timestamp::now() + SignedDuration::from_hours(2);
        let items = items(&store, now).await;
        let request = PageRequest { limit: 200, ..PageRequest::default() };
        let mut runner = TestRunner::deterministic();
        let (mut some, mut none) = (0, 0);
        let mut texts: Vec<String> = TESTS.iter().map(|test| (*test).to_owned()).collect();
        let more = proptest::collection::vec(query(), QUERIES).new_tree(&mut runner).unwrap().current();
        texts.extend(more);
        for text in texts {
            let Ok(query) = Query::parse(&text) else {
                // Two of the tests are no queries.
                continue;
            };
            for me in [Some("alice"), None] {
                let page = store.queue(&query, now, me, &request).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
                let mut answered: Vec<_> = page.rows.iter().map(|row| (row.id.vulnerability.clone(), row.id.family.clone())).collect();
                let matching = items.iter().filter(|item| query.matches(item, now, me));
                let mut wanted: Vec<_> = matching.map(|item| (item.vulnerability.clone(), item.family.clone())).collect();
                answered.sort();
                wanted.sort();
                assert_eq!(answered, wanted, "{text}, asked by {me:?}");
                assert_eq!(page.total, Some(wanted.len() as u64), "{text}");
                if wanted.is_empty() { none += 1 } else { some += 1 }
            }
        }
        assert!(some > 150 && none > 20, "{some} {none}");
    }
}
