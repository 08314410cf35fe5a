//! Many changes of the CVE list come in one piece: the archives of its days, checked against its log of changes.
//!
//! Invariant: whatever the archives hold, in the end every record is as new as the log says.

use crate::follow::{Bench, archive, cve, feed};
use std::fmt::Write;
use tracker_jobs::FeedKind;
use tracker_record::Source;
use tracker_testkit::on_both_databases;

/// Changes in a day, as many as the list has on a busy one.
const DAY: usize = 600;

fn id(number: usize) -> String {
    format!("CVE-2026-{number:04}")
}

/// A log with one delta an hour, whose changes were made in that hour.
fn log(hours: &[(u8, std::ops::Range<usize>)]) -> String {
    let mut log = String::from("[");
    for (hour, numbers) in hours.iter().rev() {
        let changes: Vec<String> = numbers
            .clone()
            .map(|number| {
                format!(
                    r#"{{"cveId":"{}","dateUpdated":"2026-01-01T{hour:02}:00:00.000Z"}}"#,
                    id(number)
                )
            })
            .collect();
        let _ = write!(
            log,
            r#"{}{{"fetchTime":"2026-01-01T{hour:02}:30:00.000Z","numberOfChanges":{},"new":[],"updated":[{}]}}"#,
            if log.len() > 1 { "," } else { "" },
            changes.len(),
            changes.join(",")
        );
    }
    log.push(']');
    log
}

fn releases(names: &[&str]) -> String {
    let releases: Vec<String> = names
        .iter()
        .map(|name| format!(r#"{{"tag_name":"cve_x","assets":[{{"name":"{name}","browser_download_url":"http://192.0.2.1/"}}]}}"#))
        .collect();
    format!("[{}]", releases.join(","))
}

fn records(numbers: impl Iterator<Item = usize>, hour: u8) -> Vec<(String, String)> {
    numbers
        .map(|number| {
            (
                format!("deltaCves/{}.json", id(number)),
                cve(&id(number), hour),
            )
        })
        .collect()
}

fn zip(records: &[(String, String)]) -> Vec<u8> {
    let files: Vec<(&str, String)> = records
        .iter()
        .map(|(name, content)| (name.as_str(), content.clone()))
        .collect();
    archive(&files)
}

/// A bench that holds the state of one o'clock.
async fn begun(store: tracker_store::Store) -> (Bench, tracker_jobs::Feed) {
    let bench = Bench::new(store).await;
    let feed = feed(FeedKind::CveList, bench.site.url(""));
    bench.site.put("all.zip", zip(&records(1..3, 1)));
    bench.site.put("deltaLog.json", log(&[(1, 1..3)]));
    assert_eq!(bench.followed(&feed).await.added, 2);
    bench.site.requests();
    (bench, feed)
}

on_both_databases! {
    async fn a_day_of_changes_costs_three_requests(database) {
        let (bench, feed) = begun(database.open().await).await;
        bench.site.put("deltaLog.json", log(&[(1, 1..3), (2, 1..301), (3, 301..DAY + 1)]));
        bench.site.put("releases.json", releases(&[
            "2026-01-01_delta_CVEs_at_0400Z.zip",
            "2026-01-01_delta_CVEs_at_0200Z.zip",
        ]));
        bench.site.put("2026-01-01_delta_CVEs_at_0400Z.zip", zip(&records(1..=DAY, 3)));
        let report = bench.follow(&feed).await;
        assert_eq!(report.problem, None);
        assert_eq!((report.records.added, report.records.changed), (DAY as u64 - 2, 2));
        assert_eq!(report.requests, 3, "the log, the listing, the archive");
        assert!(report.applied > std::time::Duration::ZERO);
        bench.idle(&feed).await;
    }

    async fn what_an_archive_has_not_is_asked_for_by_itself(database) {
        let (bench, feed) = begun(database.open().await).await;
        bench.site.put("deltaLog.json", log(&[(1, 1..3), (2, 1..40), (3, 1..3)]));
        bench.site.put("releases.json", releases(&["2026-01-01_delta_CVEs_at_0200Z.zip"]));
        // Two of the records changed again after the archive was made, one is missing from it.
        bench.site.put("2026-01-01_delta_CVEs_at_0200Z.zip", zip(&records((1..40).filter(|n| *n != 7), 2)));
        for number in [1, 2, 7] {
            bench.site.put(&format!("2026/0xxx/{}.json", id(number)), cve(&id(number), 3));
        }
        bench.followed(&feed).await;
        assert_eq!(bench.site.requests().len(), 3 + 3);
        assert_eq!(bench.records(Source::CveList).await, 39);
        for (number, hour) in [(1, 3), (3, 2), (7, 3)] {
            let raw = bench.store.raw_record(Source::CveList, &id(number)).await.unwrap().unwrap();
            assert_eq!(String::from_utf8(raw).unwrap(), cve(&id(number), hour));
        }
        bench.idle(&feed).await;
    }

    async fn archives_that_fail_or_lie_cost_requests_and_no_records(database) {
        let (bench, feed) = begun(database.open().await).await;
        for number in 1..30 {
            bench.site.put(&format!("2026/0xxx/{}.json", id(number)), cve(&id(number), 4));
        }
        let name = "2026-01-01_delta_CVEs_at_0200Z.zip";
        let whole = zip(&records(1..30, 2));
        for (hour, listing, content, requests) in [
            (2, "<html>".to_owned(), None, 2 + 29),
            (3, releases(&[name]), None, 3 + 29),
            (4, releases(&[name]), Some(&whole[..whole.len() / 2]), 3 + 29),
        ] {
            bench.site.put("releases.json", listing);
            if let Some(content) = content {
                bench.site.put(name, content);
            }
            bench.site.put("deltaLog.json", log(&[(1, 1..3), (hour, 1..30)]));
            bench.followed(&feed).await;
            assert_eq!(bench.site.requests().len(), requests, "{hour}");
            assert_eq!(bench.records(Source::CveList).await, 29);
        }
        bench.idle(&feed).await;
    }
}
