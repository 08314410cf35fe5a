//! What a source states no more is stated no more; what a list lacks too much of is not believed.

use crate::follow::{Bench, archive, feed, kev, parameter};
use crate::follow_feeds::{alpine, commit, comparison, debian, epss, euvd};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tracker_jobs::{Content, Feed, FeedKind, derive};
use tracker_record::{Record, Source};
use tracker_testkit::{fixture, on_both_databases};

impl Bench {
    /// A pass after which so many records are withdrawn.
    async fn withdraws(&self, feed: &Feed, count: u64) {
        let report = self.follow(feed).await;
        assert_eq!((report.problem, report.withdrawn), (None, count));
    }

    /// What a source says of a vulnerability.
    async fn said(&self, id: &str, source: Source) -> Vec<Record> {
        let detail = self.store.vulnerability(id).await.unwrap().unwrap();
        let records = detail.records.into_iter().map(|view| view.record);
        records.filter(|record| record.source == source).collect()
    }
}

/// So many packages at a version.
fn packages(numbers: impl Iterator<Item = usize>) -> Vec<(String, String)> {
    numbers
        .map(|number| (format!("package-{number}"), "1-r1".to_owned()))
        .collect()
}

fn borrowed(packages: &[(String, String)]) -> Vec<(&str, &str)> {
    packages
        .iter()
        .map(|(name, version)| (name.as_str(), version.as_str()))
        .collect()
}

/// CISA's container in a record of the CVE list.
fn enriched(id: &str, hour: u8) -> String {
    let ssvc = r#""adp":[{"providerMetadata":{"orgId":"c","shortName":"CISA-ADP"},"metrics":[{"other":{"type":"ssvc","content":{"options":[{"Exploitation":"active"},{"Automatable":"yes"},{"Technical Impact":"total"}]}}}]}],"cna""#;
    crate::follow::cve(id, hour).replace(r#""cna""#, ssvc)
}

on_both_databases! {
    async fn what_debian_no_longer_states_is_withdrawn_unless_it_is_too_much(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::File(Content::Debian), bench.site.url("json"));
        let list = |numbers: std::ops::Range<usize>| debian(&borrowed(&packages(numbers)));
        bench.site.put("json", list(0..40));
        bench.withdraws(&feed, 0).await;
        // A package that affects a channel: with its statement the match's evidence goes.
        bench.site.put("json", list(2..40));
        bench.withdraws(&feed, 2).await;
        assert_eq!(bench.records(Source::Debian).await, 38);
        let said = bench.said("CVE-2026-0001", Source::Debian).await;
        let silent: Vec<&str> = said.iter().filter(|one| one.affected.is_empty()).map(|one| one.id.as_str()).collect();
        assert_eq!(silent, ["package-0/CVE-2026-0001", "package-1/CVE-2026-0001"]);
        bench.idle(&feed).await;
        let detail = bench.store.vulnerability("CVE-2026-0001").await.unwrap().unwrap();
        assert_eq!(detail.history.iter().filter(|entry| entry.kind == "record-withdrawn").count(), 2);

        // A list that lacks 14 of 38, though well formed and newer than half of the last one.
        bench.site.put("json", list(16..45));
        let told = bench.follow(&feed).await;
        assert_eq!(told.problem.as_deref(), Some("cut off: 14 of the 38 records that are held are missing"));
        assert_eq!((told.withdrawn, told.records.added), (0, 0), "nothing of it is taken");
        assert_eq!(bench.records(Source::Debian).await, 38);
        let state = bench.store.follow_state("feed").await.unwrap();
        assert_eq!((state.problem, state.failures), (told.problem, 1));
        assert!(state.succeeded.unwrap() < state.checked.unwrap());

        bench.site.put("json", list(0..40));
        let counts = bench.followed(&feed).await;
        assert_eq!((counts.added, counts.changed, counts.unchanged), (0, 2, 38), "stated again");
        assert_eq!(bench.records(Source::Debian).await, 40);
        assert!(bench.said("CVE-2026-0001", Source::Debian).await.iter().all(|one| !one.affected.is_empty()));
    }

    async fn a_list_of_alpine_withdraws_what_its_own_repository_stated(database) {
        let bench = Bench::new(database.open().await).await;
        let named = |name: &str, file: &str| Feed { name: name.to_owned(), ..feed(FeedKind::File(Content::Alpine), bench.site.url(file)) };
        let (edge, stable) = (named("edge", "edge.json"), named("stable", "stable.json"));
        let list = |numbers: std::ops::Range<usize>| alpine(&borrowed(&packages(numbers)));
        bench.site.put("edge.json", list(0..4));
        bench.site.put("stable.json", list(0..4).replace("\"edge\"", "\"v3.22\""));
        bench.withdraws(&edge, 0).await;
        bench.withdraws(&stable, 0).await;
        assert_eq!(bench.records(Source::Alpine).await, 8);
        bench.site.put("stable.json", list(1..4).replace("\"edge\"", "\"v3.22\""));
        bench.withdraws(&stable, 1).await;
        bench.withdraws(&edge, 0).await;
        let said = bench.said("CVE-2026-0001", Source::Alpine).await;
        let silent: Vec<&str> = said.iter().filter(|one| one.affected.is_empty()).map(|one| one.id.as_str()).collect();
        assert_eq!(silent, ["v3.22/main/package-0/CVE-2026-0001"]);
    }

    async fn what_leaves_the_catalogue_is_exploited_no_more_and_scores_go_with_the_table(database) {
        let bench = Bench::new(database.open().await).await;
        let kev_feed = feed(FeedKind::File(Content::Kev), bench.site.url("kev.json"));
        let ids = ["CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003"];
        bench.site.put("kev.json", kev(1, &ids));
        bench.withdraws(&kev_feed, 0).await;
        let epss_feed = Feed { name: "epss".to_owned(), ..feed(FeedKind::File(Content::Epss), bench.site.url("epss")) };
        bench.site.put("epss", epss(1, &[(1, "0.1"), (2, "0.2"), (3, "0.3")]));
        bench.withdraws(&epss_feed, 0).await;
        let summary = |id: &'static str| {
            let store = bench.store.clone();
            async move { store.vulnerability(id).await.unwrap().unwrap().summary }
        };
        assert!(summary("CVE-2026-0003").await.exploited);
        bench.site.put("kev.json", kev(2, &ids[..2]));
        bench.withdraws(&kev_feed, 1).await;
        let gone = summary("CVE-2026-0003").await;
        assert_eq!((gone.exploited, gone.epss_ppm), (false, Some(300_000)));
        bench.site.put("epss", epss(2, &[(1, "0.1"), (2, "0.2")]));
        bench.withdraws(&epss_feed, 1).await;
        assert_eq!(summary("CVE-2026-0003").await.epss_ppm, None);
        assert!(summary("CVE-2026-0002").await.exploited);
    }

    async fn a_withdrawn_statement_stops_deciding_findings(database) {
        let bench = Bench::new(database.open().await).await;
        let packages = fixture::package("libfoo", "libfoo", "1.0");
        bench.store.put_release(&fixture::release("nixos-unstable", "rev", "2026-01-02T00:00:00Z"), vec![packages]).await.unwrap();
        let feed = feed(FeedKind::Repository("reviewed/"), bench.site.url(""));
        let osv = r#"{"schema_version":"1.6.0","id":"GHSA-1","modified":"2026-01-02T00:00:00Z","summary":"Overflow in libfoo","affected":[{"package":{"ecosystem":"PyPI","name":"libfoo"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.0"}]}]}]}"#;
        bench.site.put("commits/HEAD", format!(r#"{{"sha":"{}"}}"#, commit(1)));
        bench.site.put(&format!("zipball/{}", commit(1)), archive(&[("x/reviewed/GHSA-1.json", osv.to_owned())]));
        bench.withdraws(&feed, 0).await;
        derive(&bench.store, &()).await.unwrap();
        let matches = || async {
            bench.store.vulnerability("GHSA-1").await.unwrap().unwrap().matches.len()
        };
        assert_eq!(matches().await, 1);
        bench.site.put("commits/HEAD", format!(r#"{{"sha":"{}"}}"#, commit(2)));
        bench.site.put(&format!("compare/{}...{}", commit(1), commit(2)), comparison("ahead", &[("reviewed/GHSA-1.json", "removed")]));
        bench.withdraws(&feed, 1).await;
        derive(&bench.store, &()).await.unwrap();
        assert_eq!(matches().await, 0);
    }

    async fn a_file_that_leaves_its_repository_takes_its_statements_along(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::Repository("reviewed/"), bench.site.url(""));
        let site = &bench.site;
        let head = |number| site.put("commits/HEAD", format!(r#"{{"sha":"{}"}}"#, commit(number)));
        let osv = |id: &str| crate::import::osv(id, 1, "title");
        let all: Vec<(String, String)> = (1..=5).map(|number| (format!("x/reviewed/2026/GHSA-{number}.json"), osv(&format!("GHSA-{number}")))).collect();
        let all: Vec<(&str, String)> = all.iter().map(|(name, content)| (name.as_str(), content.clone())).collect();
        head(1);
        site.put(&format!("zipball/{}", commit(1)), archive(&all));
        bench.withdraws(&feed, 0).await;

        head(2);
        let renamed = |from: &str, to: &str| format!(r#"{{"filename":"{to}","previous_filename":"{from}","status":"renamed"}}"#);
        let files = [
            r#"{"filename":"reviewed/2026/GHSA-1.json","status":"removed"}"#.to_owned(),
            renamed("reviewed/2026/GHSA-2.json", "unreviewed/2026/GHSA-2.json"),
            renamed("reviewed/2026/GHSA-3.json", "reviewed/2027/GHSA-3.json"),
        ];
        site.put(&format!("compare/{}...{}", commit(1), commit(2)), format!(r#"{{"status":"ahead","files":[{}]}}"#, files.join(",")));
        site.put(&format!("raw/{}/reviewed/2027/GHSA-3.json", commit(2)), osv("GHSA-3"));
        bench.withdraws(&feed, 2).await;
        assert_eq!(bench.records(Source::Osv).await, 3);
        for (id, published) in [("GHSA-1", false), ("GHSA-2", false), ("GHSA-3", true)] {
            let state = bench.store.vulnerability(id).await.unwrap().unwrap().summary.state;
            assert_eq!(state == tracker_record::RecordState::Published, published, "{id}");
        }
        // A history that was rewritten: the archive tells what is there, and a lie of it is none.
        head(3);
        site.put(&format!("zipball/{}", commit(3)), archive(&all[2..4]));
        bench.withdraws(&feed, 1).await;
        assert_eq!(bench.records(Source::Osv).await, 2);
    }

    async fn what_cisa_added_goes_with_its_file_and_the_record_stays(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::Repository(""), bench.site.url(""));
        bench.site.put("commits/HEAD", format!(r#"{{"sha":"{}"}}"#, commit(1)));
        bench.site.put(&format!("zipball/{}", commit(1)), archive(&[
            ("v/2026/1xxx/CVE-2026-1000.json", enriched("CVE-2026-1000", 3)),
            ("v/2026/1xxx/CVE-2026-1001.json", enriched("CVE-2026-1001", 3)),
        ]));
        bench.withdraws(&feed, 0).await;
        assert_eq!(bench.said("CVE-2026-1000", Source::CveList).await[0].exploitation.len(), 1);
        bench.site.put("commits/HEAD", format!(r#"{{"sha":"{}"}}"#, commit(2)));
        bench.site.put(&format!("compare/{}...{}", commit(1), commit(2)), comparison("ahead", &[("2026/1xxx/CVE-2026-1000.json", "removed")]));
        bench.withdraws(&feed, 1).await;
        let said = bench.said("CVE-2026-1000", Source::CveList).await;
        assert!(said[0].exploitation.is_empty());
        assert_eq!((said[0].descriptions.len(), said[0].affected.len()), (1, 1));
        assert_eq!(bench.said("CVE-2026-1001", Source::CveList).await[0].exploitation.len(), 1);
        assert_eq!(bench.records(Source::CveList).await, 2);
    }

    async fn the_european_database_is_walked_through_for_what_it_took_back(database) {
        let bench = Bench::new(database.open().await).await;
        let feed = feed(FeedKind::Euvd, bench.site.url("api/search"));
        // What it holds, and what its pages leave out because it moved between two of them.
        let held: Arc<Mutex<BTreeSet<usize>>> = Arc::new(Mutex::new((0..130).collect()));
        let (pages, answers) = (Arc::clone(&held), Arc::clone(&held));
        let missed = 7;
        bench.site.api("api/search", move |query| {
            if query.contains("fromUpdatedDate") {
                return euvd(0..0, 0);
            }
            let mut held: Vec<usize> = pages.lock().unwrap().iter().copied().collect();
            let page: usize = parameter(query, "page").unwrap().parse().unwrap();
            if held.len() < 130 {
                held.retain(|id| *id != missed);
            }
            let on_page = held.iter().skip(page * 100).take(100);
            let items: Vec<String> = on_page.map(|id| {
                let one = euvd(*id..*id + 1, 1);
                one[one.find('[').unwrap() + 1..one.rfind(']').unwrap()].to_owned()
            }).collect();
            format!(r#"{{"items":[{}],"total":{}}}"#, items.join(","), held.len())
        });
        bench.withdraws(&feed, 0).await;
        assert_eq!(bench.records(Source::Euvd).await, 130);
        bench.idle(&feed).await;

        for id in [3, 120] {
            answers.lock().unwrap().remove(&id);
        }
        let one = euvd(missed..missed + 1, 1);
        bench.site.put("api/enisaid?id=EUVD-2026-7", &one[one.find('[').unwrap() + 1..one.rfind(']').unwrap()]);
        let mut state = bench.store.follow_state("feed").await.unwrap();
        let mut cursor: serde_json::Value = serde_json::from_str(&state.cursor).unwrap();
        assert!(cursor["walked"].is_string(), "{cursor}");
        cursor["walked"] = "2026-01-01".into();
        state.cursor = cursor.to_string();
        bench.store.put_follow_state(&state).await.unwrap();
        bench.site.requests();
        bench.withdraws(&feed, 2).await;
        let requests = bench.site.requests();
        assert_eq!(requests.len(), 1 + 2 + 3, "changes, two pages, three that were not met: {requests:?}");
        assert_eq!(bench.records(Source::Euvd).await, 128);
        for (id, state) in [(3, "withdrawn"), (7, "published"), (120, "withdrawn")] {
            let summary = bench.store.vulnerability(&format!("CVE-2026-{:04}", id + 1000)).await.unwrap().unwrap().summary;
            assert_eq!(serde_json::to_value(summary.state).unwrap(), state, "{id}");
        }
        bench.idle(&feed).await;
        assert!(bench.store.sightings("feed").await.unwrap().is_empty());
    }
}
