//! Families merged and split: what moves, what holds, and what undo gives back.

use super::{alice, detail, follows, found, one, queue};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use tracker_match::FindingStatus::{self, Affected, Fixed};
use tracker_record::Source;
use tracker_store::{
    Act, ActOutcome, Conditions, FamilyAct, FamilyAction, FamilyOutcome, Once, Store, StoreError,
    Targets, TriageDetail, Undo,
};
use tracker_testkit::fixture::{
    self, derived, finding, incoming, matched, package, record, release,
};
use tracker_testkit::on_both_databases;
use tracker_triage::state::{DecidedState, Dismissal, FindingState, MatchState};
use tracker_triage::{Action, FamilyError, Place, Subject};

const STABLE: &str = "nixos-19.09";
const UNSTABLE: &str = "nixos-unstable";

/// Attribute, name, family.
type Package = (&'static str, &'static str, &'static str);

const PACKAGES: &[Package] = &[
    ("musl", "musl", "musl"),
    ("musl_1_1", "musl", "musl"),
    ("pkgsStatic.musl", "musl", "musl"),
    ("zlib", "zlib", "zlib"),
    ("zlib-ng", "zlib-ng", "zlib-ng"),
];

fn subject(family: &str) -> Subject {
    Subject::new("nixpkgs", family)
}

async fn packages(store: &Store, channel: &str, revision: &str, day: u8, packages: &[Package]) {
    let list = packages.iter().map(|(attribute, pname, family)| {
        let mut one = package(attribute, pname, "1.0");
        (*family).clone_into(&mut one.family);
        one
    });
    let release = release(channel, revision, &format!("2024-01-{day:02}T00:00:00Z"));
    store.put_release(&release, list.collect()).await.unwrap();
}

/// Matches what is due as matching does: by the packages' own families, each counted as people had it.
async fn matching(store: &Store, status: FindingStatus) {
    let inventory = store.current_packages("nixpkgs").await.unwrap();
    let due = store.due(&inventory, 100).await.unwrap();
    let own: BTreeMap<&str, &str> = PACKAGES.iter().map(|one| (one.0, one.2)).collect();
    let mut members: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (attribute, own) in &own {
        let family = inventory.families.assigned("nixpkgs", attribute, own);
        members.entry(family).or_default().push(attribute);
    }
    let mut all = Vec::new();
    for vulnerability in &due.vulnerabilities {
        let wanted = if vulnerability.id.ends_with('1') {
            ["musl", "zlib"]
        } else {
            ["musl", "zlib-ng"]
        };
        let mut matches = Vec::new();
        for (family, attributes) in &members {
            if !attributes
                .iter()
                .any(|attribute| wanted.contains(&own[attribute]))
            {
                continue;
            }
            let mut findings = Vec::new();
            for release in &inventory.releases {
                let there = |attribute: &&&str| {
                    release
                        .packages
                        .iter()
                        .any(|one| one.attribute == ***attribute)
                };
                for attribute in attributes.iter().filter(there) {
                    findings.push(finding(&release.release.channel, attribute, "1.0", status));
                }
            }
            let mut one = matched(&vulnerability.id, family, 0.9, findings);
            // A match names all members, in whatever release they are.
            one.matched.attributes = attributes.iter().map(|&one| one.to_owned()).collect();
            matches.push(one);
        }
        all.push(derived(&vulnerability.id, matches));
    }
    store
        .put_derivation("nixpkgs", all, due.mark)
        .await
        .unwrap();
}

/// Three vulnerabilities in musl; the first in zlib, the others in zlib-ng. One member of musl left unstable.
async fn filled(store: &Store) {
    let batch = (1..=3).map(|number| {
        let mut one = record(Source::Nvd, &format!("CVE-2024-000{number}"), "A flaw");
        one.cvss.push(fixture::cvss(30 * number));
        incoming(one)
    });
    store.put_records(batch.collect()).await.unwrap();
    packages(store, STABLE, "aaa", 1, PACKAGES).await;
    packages(store, UNSTABLE, "bbb", 2, PACKAGES).await;
    matching(store, Affected).await;
    let fewer: Vec<Package> = PACKAGES
        .iter()
        .filter(|one| one.0 != "musl_1_1")
        .copied()
        .collect();
    packages(store, UNSTABLE, "ccc", 3, &fewer).await;
    matching(store, Affected).await;
}

fn split(family: &str, members: &[&str], into: Option<&str>) -> FamilyAct {
    FamilyAct {
        family: subject(family),
        action: FamilyAction::Split {
            members: members.iter().map(|&one| one.to_owned()).collect(),
            into: into.map(str::to_owned),
        },
        reason: Some("another program".to_owned()),
        dry_run: false,
    }
}

fn merge(family: &str, into: &str) -> FamilyAct {
    FamilyAct {
        action: FamilyAction::Merge {
            into: into.to_owned(),
        },
        reason: Some("the same program".to_owned()),
        ..split(family, &[], None)
    }
}

async fn change(store: &Store, act: &FamilyAct) -> Result<FamilyOutcome, StoreError> {
    store
        .change_family(&alice(), act, &Conditions::default())
        .await
}

async fn back(store: &Store, event: u64) -> Result<ActOutcome, StoreError> {
    store.undo(&alice(), Undo::Event(event), None, false).await
}

async fn decide(store: &Store, vulnerability: &str, family: &str, action: Action) -> ActOutcome {
    let act = Act {
        targets: one(vulnerability, family),
        action,
        reason: Some("so it is".to_owned()),
        dry_run: false,
    };
    store.decide(&alice(), &act).await.unwrap()
}

async fn members(store: &Store, family: &str) -> Vec<String> {
    let found = store.family(&subject(family)).await.unwrap();
    let members = found.map(|found| found.members).unwrap_or_default();
    members.into_iter().map(|member| member.attribute).collect()
}

/// Where a match's findings stand: `attribute on channel: state`.
fn states(detail: &TriageDetail) -> Vec<String> {
    let findings = detail.findings.iter();
    findings
        .map(|one| format!("{} on {}: {}", one.attribute, one.channel, one.state))
        .collect()
}

/// Everything that is shown of the queue, without the keys of the database.
async fn shown(store: &Store) -> Vec<String> {
    let mut all = Vec::new();
    for row in queue(store, "").await.rows {
        let detail = detail(store, &row.id.vulnerability, &row.id.family).await;
        all.push(format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            row.id,
            row.state,
            detail.decisions,
            states(&detail),
            row.since,
            row.confidence_ppm
        ));
    }
    all.sort();
    all
}

fn all_of(attribute: Option<&str>) -> Place {
    Place {
        channel: None,
        attribute: attribute.map(str::to_owned),
    }
}

on_both_databases! {
    async fn what_was_decided_goes_with_a_member_that_is_split_off(database) {
        let store = database.open().await;
        filled(&store).await;
        decide(&store, "CVE-2024-0001", "musl", Action::Confirm).await;
        let fixed = DecidedState::WillNotFix;
        decide(&store, "CVE-2024-0002", "musl", Action::SetState { place: all_of(None), state: fixed }).await;
        let before = shown(&store).await;
        let since = detail(&store, "CVE-2024-0001", "musl").await.row.since;
        let done = change(&store, &split("musl", &["musl_1_1"], None)).await.unwrap();
        assert_eq!((done.into.as_str(), done.vulnerabilities, done.decided), ("musl_1_1", 3, 2));
        follows(&store).await;
        assert_eq!(members(&store, "musl").await, ["musl", "pkgsStatic.musl"]);
        assert_eq!(members(&store, "musl_1_1").await, ["musl_1_1"]);
        // The same decision, not another one; findings and age came along, what was removed, too.
        let own = detail(&store, "CVE-2024-0001", "musl_1_1").await;
        assert_eq!((own.row.state, own.row.since), (MatchState::Confirmed, since));
        assert_eq!(states(&own), ["musl_1_1 on nixos-19.09: affected", "musl_1_1 on nixos-unstable: removed"]);
        let rest = detail(&store, "CVE-2024-0001", "musl").await;
        assert_eq!(rest.decisions.verdict, own.decisions.verdict);
        assert_eq!(rest.findings.len(), 4);
        assert_eq!(own.log, rest.log);
        let second = detail(&store, "CVE-2024-0002", "musl_1_1").await;
        assert_eq!(second.findings[0].state, FindingState::WillNotFix);
        // Derived events tell it with the reason.
        let log = store.triage_log("CVE-2024-0001", 0, 1000).await.unwrap().unwrap();
        let told = log.iter().rfind(|entry| entry.event.kind() == "matched").unwrap();
        assert_eq!(told.reason.as_deref(), Some("musl_1_1 split off from musl in nixpkgs as musl_1_1"));
        // A decision about one is none about the other now.
        decide(&store, "CVE-2024-0003", "musl_1_1", Action::Dismiss(Dismissal::WrongPackage)).await;
        assert_eq!(detail(&store, "CVE-2024-0003", "musl").await.row.state, MatchState::Proposed);
        // It survives a new package list, a version bump and matching anew.
        packages(&store, STABLE, "ddd", 9, PACKAGES).await;
        matching(&store, Fixed).await;
        follows(&store).await;
        assert_eq!(members(&store, "musl_1_1").await, ["musl_1_1"]);
        let own = detail(&store, "CVE-2024-0001", "musl_1_1").await;
        assert_eq!(own.row.state, MatchState::Confirmed);
        assert_eq!(states(&own)[0], "musl_1_1 on nixos-19.09: fixed-by-version");
        // What was decided about the new family alone would be lost by undoing the split.
        let refused = back(&store, done.act).await.unwrap_err();
        assert!(matches!(refused, StoreError::Family(FamilyError::Decided { ref family, .. }) if family == "musl_1_1"));
        decide(&store, "CVE-2024-0003", "musl_1_1", Action::Reopen).await;
        assert!(back(&store, done.act).await.is_err(), "a decision to reopen is one");
        packages(&store, STABLE, "eee", 10, PACKAGES).await;
        matching(&store, Affected).await;
        // Merged instead, everything is where it was.
        change(&store, &merge("musl_1_1", "musl")).await.unwrap();
        follows(&store).await;
        let after = shown(&store).await;
        assert_eq!(after.len(), before.len());
    }

    async fn undo_gives_back_what_was_and_can_be_undone(database) {
        let store = database.open().await;
        filled(&store).await;
        decide(&store, "CVE-2024-0001", "musl", Action::Confirm).await;
        decide(&store, "CVE-2024-0001", "zlib", Action::Assign(Some("bob".to_owned()))).await;
        let before = shown(&store).await;
        for act in [split("musl", &["musl_1_1", "musl"], Some("musl-new")), merge("musl", "zlib")] {
            let done = change(&store, &act).await.unwrap();
            let after = shown(&store).await;
            assert_ne!(after, before);
            let undone = back(&store, done.act).await.unwrap();
            assert_eq!(undone.families, 3);
            follows(&store).await;
            assert_eq!(shown(&store).await, before);
            let again = back(&store, undone.act.unwrap()).await.unwrap();
            follows(&store).await;
            assert_eq!(shown(&store).await, after);
            // Matching anew changes nothing about it.
            matching(&store, Affected).await;
            follows(&store).await;
            back(&store, again.act.unwrap()).await.unwrap();
            matching(&store, Affected).await;
            follows(&store).await;
            assert_eq!(shown(&store).await, before);
        }
        let detail = store.family(&subject("musl")).await.unwrap().unwrap();
        assert_eq!(detail.steps.len(), 2);
        assert!(detail.steps.iter().all(|step| !step.holds && step.last > step.change.event));
        assert_eq!(detail.last, detail.steps[1].last);
    }

    async fn a_merge_joins_members_and_refuses_a_contradiction(database) {
        let store = database.open().await;
        filled(&store).await;
        decide(&store, "CVE-2024-0001", "musl", Action::Confirm).await;
        let dismissed = decide(&store, "CVE-2024-0001", "zlib", Action::Dismiss(Dismissal::WrongPackage)).await;
        let refused = change(&store, &merge("musl", "zlib")).await.unwrap_err();
        let text = refused.to_string();
        assert!(text.starts_with("decisions contradict each other about CVE-2024-0001: `musl` is confirmed by event "), "{text}");
        assert!(text.contains(&format!("`zlib` is dismissed by event {}", dismissed.act.unwrap())), "{text}");
        back(&store, dismissed.act.unwrap()).await.unwrap();
        decide(&store, "CVE-2024-0002", "musl", Action::SetState { place: all_of(None), state: DecidedState::WillNotFix }).await;
        let done = change(&store, &merge("zlib", "musl")).await.unwrap();
        assert_eq!(done.members, ["zlib"]);
        follows(&store).await;
        assert_eq!(members(&store, "musl").await.len(), 4);
        assert_eq!(found(&store, "family:zlib").await, Vec::<String>::new());
        let joined = detail(&store, "CVE-2024-0001", "musl").await;
        assert_eq!(joined.row.state, MatchState::Confirmed);
        assert!(states(&joined).contains(&"zlib on nixos-19.09: affected".to_owned()));
        let gone = store.family(&subject("zlib")).await.unwrap().unwrap();
        assert_eq!((gone.members.len(), gone.heirs), (0, vec!["musl".to_owned()]));
        // What is found to belong to the family later is counted to the other one, too.
        let more: Vec<Package> = PACKAGES.iter().copied().chain([("zlib_2", "zlib", "zlib")]).collect();
        packages(&store, STABLE, "ddd", 9, &more).await;
        assert!(members(&store, "musl").await.contains(&"zlib_2".to_owned()));
        assert_eq!(store.check_triage(&mut || {}).await.unwrap(), []);
        // Changes are taken back in their order.
        change(&store, &split("musl", &["zlib"], Some("deflate"))).await.unwrap();
        let refused = back(&store, done.act).await.unwrap_err();
        assert!(matches!(refused, StoreError::Family(FamilyError::Later { .. })));
    }

    async fn what_cannot_be_is_refused_and_writes_nothing(database) {
        let store = database.open().await;
        filled(&store).await;
        let before = shown(&store).await;
        let refused = [
            split("musl", &["zlib"], None),
            split("musl", &[], None),
            split("musl", &["musl", "musl_1_1"], None),
            split("musl", &["musl", "musl_1_1", "pkgsStatic.musl"], Some("all")),
            split("musl", &["musl"], Some("zlib")),
            split("musl", &["musl"], Some("a/b")),
            split("nothing", &["musl"], None),
            merge("musl", "musl"),
            merge("musl", "nothing"),
            merge("nothing", "musl"),
        ];
        for act in refused {
            let refused = change(&store, &act).await;
            assert!(matches!(refused, Err(StoreError::Family(_))), "{act:?}");
        }
        let dry = FamilyAct { dry_run: true, ..merge("musl", "zlib") };
        let outcome = change(&store, &dry).await.unwrap();
        assert_eq!((outcome.vulnerabilities, outcome.dry_run), (3, true));
        assert_eq!(shown(&store).await, before);
        assert_eq!(store.family(&subject("musl")).await.unwrap().unwrap().steps, []);
        // Twice under one key is once; and not if somebody changed the family since it was read.
        let once = Once { key: "k".to_owned(), digest: "d".to_owned() };
        let conditions = Conditions { once: Some(once), last: Some(0) };
        let act = split("musl", &["musl_1_1"], None);
        let first = store.change_family(&alice(), &act, &conditions).await.unwrap();
        assert_eq!(store.change_family(&alice(), &act, &conditions).await.unwrap(), first);
        let late = Conditions { once: None, last: Some(0) };
        let refused = store.change_family(&alice(), &merge("musl", "zlib"), &late).await;
        assert!(matches!(refused, Err(StoreError::Moved)));
        // A derivation that began before has the families as they were, and begins anew.
        let inventory = store.current_packages("nixpkgs").await.unwrap();
        let due = store.due(&inventory, 100).await.unwrap();
        assert_eq!(due.vulnerabilities.len(), 3, "only what is matched to them is matched again");
        back(&store, first.act).await.unwrap();
        let outdated = store.put_derivation("nixpkgs", Vec::new(), due.mark).await;
        assert!(matches!(outdated, Err(StoreError::Outdated { .. })));
    }

    async fn counts_and_the_log_agree_whatever_is_merged_split_and_undone(database) {
        let mut runner = TestRunner::deterministic();
        for _ in 0..3 {
            let store = database.open().await;
            if store.distributions().await.unwrap().is_empty() {
                filled(&store).await;
            }
            let steps = proptest::collection::vec((0..8_u8, any::<[prop::sample::Index; 3]>()), 12);
            for (kind, picks) in steps.new_tree(&mut runner).unwrap().current() {
                step(&store, kind, &picks).await;
                assert_eq!(store.check(false, &mut || {}).await.unwrap(), []);
                let all = queue(&store, "").await;
                assert_eq!(all.total, Some(all.rows.len() as u64));
            }
            follows(&store).await;
        }
    }
}

/// Something that people or the tracker do; what cannot be done is refused, and nothing else.
async fn step(store: &Store, kind: u8, picks: &[prop::sample::Index; 3]) {
    let rows = queue(store, "").await.rows;
    let families: Vec<String> = {
        let mut all: Vec<String> = rows.iter().map(|row| row.id.family.clone()).collect();
        all.sort();
        all.dedup();
        all
    };
    let family = |pick: usize| families[picks[pick].index(families.len())].clone();
    let row = &rows[picks[0].index(rows.len())].id;
    let refused = match kind {
        0 | 1 => {
            let from = family(0);
            let members = members(store, &from).await;
            let member = members[picks[1].index(members.len())].as_str();
            let name = format!("new-{}", picks[2].index(1000));
            change(store, &split(&from, &[member], Some(&name)))
                .await
                .err()
        }
        2 => change(store, &merge(&family(0), &family(1))).await.err(),
        3 | 4 => {
            let log = store
                .log_page(
                    &tracker_store::LogFilter::default(),
                    &tracker_store::view::PageRequest {
                        limit: 100,
                        ..Default::default()
                    },
                )
                .await
                .unwrap()
                .unwrap();
            if log.rows.is_empty() {
                return;
            }
            let entry = &log.rows[picks[0].index(log.rows.len().min(6))].entry;
            back(store, entry.sequence).await.err()
        }
        5 => {
            let place = all_of(None);
            let state = DecidedState::WillNotFix;
            let action = [
                Action::Confirm,
                Action::Dismiss(Dismissal::WrongPackage),
                Action::Reopen,
                Action::SetState { place, state },
            ];
            let act = Act {
                targets: Targets::Items(vec![row.clone()]),
                action: action[picks[1].index(4)].clone(),
                reason: None,
                dry_run: false,
            };
            store.decide(&alice(), &act).await.err()
        }
        6 => {
            matching(
                store,
                if picks[0].index(2) == 0 {
                    Affected
                } else {
                    Fixed
                },
            )
            .await;
            None
        }
        _ => {
            let number = picks[0].index(1_000_000);
            let day = u8::try_from(4 + picks[1].index(20)).unwrap();
            packages(store, STABLE, &format!("r{number}"), day, PACKAGES).await;
            matching(store, Affected).await;
            None
        }
    };
    assert!(
        matches!(
            refused,
            None | Some(StoreError::Family(_) | StoreError::Triage(_))
        ),
        "{refused:?}"
    );
}
