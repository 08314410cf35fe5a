//! Derivation: what is due, what is written, what is told afterwards.

use crate::{first_page, ids};
use tracker_match::FindingStatus::{Affected, Fixed, NotAffected, UnderInvestigation};
use tracker_record::{Severity, Source};
use tracker_store::view::{PageRequest, VulnerabilityFilter};
use tracker_store::{Cause, Derived, Store, StoreError};
use tracker_testkit::fixture::{
    self, derived, finding, incoming, matched, package, record, release,
};
use tracker_testkit::on_both_databases;

const OLD: &str = "2024-01-01T00:00:00Z";
const NEW: &str = "2024-03-01T00:00:00Z";

/// Two vulnerabilities and a release of one channel.
async fn prepared(store: &Store) {
    let mut first = record(Source::Nvd, "CVE-2024-0001", "One");
    first.cvss.push(fixture::cvss(98));
    let batch = vec![
        incoming(first),
        incoming(record(Source::Nvd, "CVE-2024-0002", "Two")),
    ];
    store
        .put_records(batch)
        .await
        .expect("the records are kept");
    let packages = vec![
        package("musl", "musl", "1.1.22"),
        package("zlib", "zlib", "1.2"),
    ];
    let release = release("nixos-19.09", "aaa", OLD);
    store
        .put_release(&release, packages)
        .await
        .expect("the release is kept");
}

/// Derives what is due: what the closure finds for each id.
async fn derive(store: &Store, find: impl Fn(&str) -> Derived) -> tracker_store::DerivationOutcome {
    let inventory = store
        .current_packages("nixpkgs")
        .await
        .expect("the packages can be read");
    let due = store
        .due(&inventory, 100)
        .await
        .expect("what is due can be read");
    let found = due
        .vulnerabilities
        .iter()
        .map(|due| find(&due.id))
        .collect();
    let outcome = store.put_derivation("nixpkgs", found, due.mark).await;
    outcome.expect("the matches are kept")
}

async fn due_ids(store: &Store) -> Vec<String> {
    let inventory = store
        .current_packages("nixpkgs")
        .await
        .expect("the packages can be read");
    let due = store
        .due(&inventory, 100)
        .await
        .expect("what is due can be read");
    assert_eq!(due.remaining, 0);
    due.vulnerabilities.into_iter().map(|due| due.id).collect()
}

/// How many vulnerabilities affect musl, as the list of packages tells.
async fn affected(store: &Store) -> u32 {
    let page = store.packages(Some("musl"), &PageRequest::default()).await;
    page.expect("the packages can be read").rows[0].affected
}

fn musl_is(status: tracker_match::FindingStatus) -> impl Fn(&str) -> Derived {
    move |id| {
        let found = finding("nixos-19.09", "musl", "1.1.22", status);
        let matches = (id == "CVE-2024-0001").then(|| matched(id, "musl", 0.97, vec![found]));
        derived(id, matches.into_iter().collect())
    }
}

on_both_databases! {
    async fn everything_is_due_until_it_is_derived_and_again_when_either_side_changes(database) {
        let store = database.open().await;
        prepared(&store).await;
        assert_eq!(due_ids(&store).await, ["CVE-2024-0001", "CVE-2024-0002"]);
        let outcome = derive(&store, musl_is(Affected)).await;
        assert_eq!((outcome.matched, outcome.findings_changed, outcome.unchanged), (1, 1, 1));
        assert!(due_ids(&store).await.is_empty());
        // A changed record is due again, by itself.
        let mut changed = record(Source::Nvd, "CVE-2024-0002", "Two, better told");
        changed.modified = Some(fixture::at(NEW));
        store.put_records(vec![incoming(changed)]).await.unwrap();
        assert_eq!(due_ids(&store).await, ["CVE-2024-0002"]);
        derive(&store, musl_is(Affected)).await;
        // A newer release makes everything due, an older one nothing.
        let packages = || vec![package("musl", "musl", "1.1.24")];
        store.put_release(&release("nixos-19.09", "000", "2023-01-01T00:00:00Z"), packages()).await.unwrap();
        assert!(due_ids(&store).await.is_empty());
        store.put_release(&release("nixos-19.09", "bbb", NEW), packages()).await.unwrap();
        assert_eq!(due_ids(&store).await, ["CVE-2024-0001", "CVE-2024-0002"]);
        // The same again writes nothing.
        let before = store.last_change().await.unwrap();
        let outcome = derive(&store, musl_is(Affected)).await;
        assert_eq!((outcome.matched, outcome.unmatched, outcome.findings_changed, outcome.unchanged), (0, 0, 0, 2));
        assert_eq!(store.last_change().await.unwrap(), before);
        assert!(due_ids(&store).await.is_empty());
    }

    async fn what_is_due_comes_in_pieces_that_a_restart_goes_on_with(database) {
        let store = database.open().await;
        prepared(&store).await;
        let inventory = store.current_packages("nixpkgs").await.unwrap();
        let due = store.due(&inventory, 1).await.unwrap();
        assert_eq!((due.vulnerabilities.len(), due.remaining), (1, 1));
        store.put_derivation("nixpkgs", Vec::new(), due.mark).await.unwrap();
        store.close().await;
        let store = database.open().await;
        assert_eq!(due_ids(&store).await, ["CVE-2024-0002"]);
        let all = store.all_vulnerabilities(None, 1).await.unwrap();
        let rest = store.all_vulnerabilities(Some(all.mark), 10).await.unwrap();
        assert_eq!((all.vulnerabilities.len(), rest.vulnerabilities.len()), (1, 1));
    }

    async fn a_release_that_arrives_meanwhile_makes_the_derivation_outdated(database) {
        let store = database.open().await;
        prepared(&store).await;
        let inventory = store.current_packages("nixpkgs").await.unwrap();
        let due = store.due(&inventory, 100).await.unwrap();
        store.put_release(&release("nixos-19.09", "bbb", NEW), vec![package("musl", "musl", "2")]).await.unwrap();
        let found = vec![musl_is(Affected)("CVE-2024-0001")];
        let error = store.put_derivation("nixpkgs", found, due.mark).await.unwrap_err();
        assert!(matches!(error, StoreError::Outdated { .. }), "{error}");
        let detail = store.vulnerability("CVE-2024-0001").await.unwrap().unwrap();
        assert!(detail.matches.is_empty());
        let unknown = store.current_packages("guix").await.unwrap();
        assert!(unknown.releases.is_empty());
    }

    async fn a_match_is_shown_everywhere_and_its_history_told(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, musl_is(Affected)).await;
        let detail = store.vulnerability("CVE-2024-0001").await.unwrap().unwrap();
        assert_eq!((detail.summary.families.as_slice(), detail.summary.family_count), (["musl".to_owned()].as_slice(), 1));
        assert_eq!(detail.summary.channels[0].status, Affected);
        let view = &detail.matches[0];
        assert_eq!((view.family.as_str(), view.score, view.reasons.len()), ("musl", 0.97, 1));
        assert_eq!((view.findings[0].status, view.findings[0].since), (Affected, None));
        let overview = store.overview().await.unwrap();
        assert_eq!((overview.matches, overview.packages, overview.urgent.len()), (1, 2, 1));
        assert_eq!(overview.affected_by_severity, [(Severity::Critical, 1)]);
        assert_eq!(overview.channels[0].counts, [(Affected, 1)]);
        let channel = store.channel("nixos-19.09").await.unwrap().unwrap();
        assert_eq!(channel.urgent.as_slice(), std::slice::from_ref(&detail.summary));
        let package = store.package("nixpkgs", "musl").await.unwrap().unwrap();
        assert_eq!(package.vulnerabilities[0].findings, view.findings);

        assert_eq!(affected(&store).await, 1);

        // A newer release fixes it.
        store.put_release(&release("nixos-19.09", "bbb", NEW), vec![fixture::package("musl", "musl", "1.1.24")]).await.unwrap();
        derive(&store, musl_is(Fixed)).await;
        let detail = store.vulnerability("CVE-2024-0001").await.unwrap().unwrap();
        assert_eq!(detail.matches[0].findings[0].since, Some(fixture::at(NEW)));
        assert_eq!(affected(&store).await, 0);
        assert_eq!(detail.history[0].kind, "fixed-everywhere");
        assert_eq!(detail.history[1].kind, "finding-changed");
        assert_eq!(detail.history[1].text, "nixos-19.09: fixed, was affected: musl");
        assert!(store.channel("nixos-19.09").await.unwrap().unwrap().urgent.is_empty());

        // And a better matcher drops it.
        let mut changed = record(Source::Nvd, "CVE-2024-0001", "One, another product");
        changed.modified = Some(fixture::at(NEW));
        store.put_records(vec![incoming(changed)]).await.unwrap();
        let outcome = derive(&store, |id| derived(id, Vec::new())).await;
        assert_eq!((outcome.unmatched, outcome.findings_changed), (1, 1));
        let detail = store.vulnerability("CVE-2024-0001").await.unwrap().unwrap();
        assert!(detail.matches.is_empty() && detail.summary.families.is_empty());
        let kinds: Vec<_> = detail.history.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(kinds, ["unmatched", "record-changed", "fixed-everywhere", "finding-changed", "matched", "record-added"]);
        assert_eq!(detail.history[0].text, "no longer matched to musl in nixpkgs");
        let matched = VulnerabilityFilter { matched: true, ..VulnerabilityFilter::default() };
        assert!(first_page(&store, &matched).await.rows.is_empty());
        assert_eq!(store.overview().await.unwrap().matches, 0);
    }

    async fn what_moved_says_why_and_other_weights_make_everything_due(database) {
        let store = database.open().await;
        prepared(&store).await;
        let history = async |store: &Store| {
            let entries = store.triage_log("CVE-2024-0001", 0, 100).await.unwrap().unwrap();
            entries.into_iter().map(|entry| (entry.event.sentence(), entry.reason.unwrap_or_default())).collect::<Vec<_>>()
        };
        let told = |text: &str, why: &str| Some((text.to_owned(), why.to_owned()));
        assert_eq!(store.begin_derivation("nixpkgs", "one").await.unwrap(), Some(Cause::Packages));
        derive(&store, musl_is(Affected)).await;
        assert_eq!(history(&store).await.last().cloned(), told("matched to musl in nixpkgs, score 0.97", "the package list changed"));

        // The same weights and packages: nothing is due.
        assert_eq!(store.begin_derivation("nixpkgs", "one").await.unwrap(), None);
        assert!(due_ids(&store).await.is_empty());

        // Other weights: everything is due, and what they leave alone stays as it is.
        assert_eq!(store.begin_derivation("nixpkgs", "two").await.unwrap(), Some(Cause::Weights));
        assert_eq!(due_ids(&store).await, ["CVE-2024-0001", "CVE-2024-0002"]);
        let events = history(&store).await.len();
        let outcome = derive(&store, musl_is(Affected)).await;
        assert_eq!((outcome.matched, outcome.unmatched, outcome.findings_changed, outcome.unchanged), (0, 0, 0, 2));
        assert_eq!(history(&store).await.len(), events);

        // A score that moves, then a match that goes, each with what moved it.
        store.begin_derivation("nixpkgs", "three").await.unwrap();
        derive(&store, |id| {
            let found = vec![finding("nixos-19.09", "musl", "1.1.22", Affected)];
            derived(id, if id == "CVE-2024-0001" { vec![matched(id, "musl", 0.6, found)] } else { Vec::new() })
        }).await;
        assert_eq!(history(&store).await.last().cloned(), told("match to musl in nixpkgs scores 0.60, was 0.97", "matching itself changed"));
        let mut changed = record(Source::Nvd, "CVE-2024-0001", "One, another product");
        changed.modified = Some(fixture::at(NEW));
        store.put_records(vec![incoming(changed)]).await.unwrap();
        assert_eq!(store.begin_derivation("nixpkgs", "three").await.unwrap(), None);
        assert_eq!(due_ids(&store).await, ["CVE-2024-0001"]);
        derive(&store, |id| derived(id, Vec::new())).await;
        assert_eq!(history(&store).await.last().cloned(), told("no longer matched to musl in nixpkgs", "the vulnerability changed"));
    }

    async fn matches_from_before_weights_were_noted_are_due_once(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, musl_is(Affected)).await;
        assert!(due_ids(&store).await.is_empty());
        assert_eq!(store.begin_derivation("nixpkgs", "one").await.unwrap(), Some(Cause::Weights));
        assert_eq!(due_ids(&store).await.len(), 2);
        derive(&store, musl_is(Affected)).await;
        assert_eq!(store.begin_derivation("nixpkgs", "one").await.unwrap(), None);
        assert!(due_ids(&store).await.is_empty());
    }

    async fn distributions_do_not_touch_each_others_matches(database) {
        let store = database.open().await;
        prepared(&store).await;
        derive(&store, musl_is(Affected)).await;
        let mut guix = release("guix-master", "fff", OLD);
        guix.distribution = "guix".to_owned();
        store.put_release(&guix, vec![package("musl", "musl", "1.2")]).await.unwrap();
        let inventory = store.current_packages("guix").await.unwrap();
        let due = store.due(&inventory, 100).await.unwrap();
        assert_eq!(due.vulnerabilities.len(), 2);
        let found = finding("guix-master", "musl", "1.2", UnderInvestigation);
        let found = vec![derived("CVE-2024-0001", vec![matched("CVE-2024-0001", "musl", 0.9, vec![found])])];
        store.put_derivation("guix", found, due.mark).await.unwrap();
        let detail = store.vulnerability("CVE-2024-0001").await.unwrap().unwrap();
        let distributions: Vec<_> = detail.matches.iter().map(|view| view.distribution.as_str()).collect();
        assert_eq!(distributions, ["nixpkgs", "guix"]);
        assert_eq!(detail.summary.family_count, 1);
        assert_eq!(detail.summary.channels.len(), 2);
        assert!(due_ids(&store).await.is_empty());
    }

    async fn a_vulnerability_that_is_gone_takes_its_matches_along(database) {
        let store = database.open().await;
        prepared(&store).await;
        let alone = record(Source::Osv, "GHSA-aaaa-bbbb-cccc", "Not numbered yet");
        store.put_records(vec![incoming(alone.clone())]).await.unwrap();
        let find = |id: &str| derived(id, vec![matched(id, "zlib", 0.9, vec![finding("nixos-19.09", "zlib", "1.2", NotAffected)])]);
        derive(&store, find).await;
        assert_eq!(store.overview().await.unwrap().matches, 3);
        let mut numbered = alone;
        numbered.aliases = vec!["CVE-2024-0002".to_owned()];
        numbered.modified = Some(fixture::at(NEW));
        store.put_records(vec![incoming(numbered)]).await.unwrap();
        assert_eq!(store.overview().await.unwrap().matches, 2);
        let zlib = VulnerabilityFilter { package: Some("zlib".to_owned()), ..VulnerabilityFilter::default() };
        assert_eq!(ids(&first_page(&store, &zlib).await), ["CVE-2024-0001", "CVE-2024-0002"]);
        let detail = store.vulnerability("CVE-2024-0002").await.unwrap().unwrap();
        assert!(detail.history.iter().filter(|entry| entry.kind == "matched").count() == 2);
    }
}
