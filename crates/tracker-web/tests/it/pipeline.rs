//! The board, events and labels: what they show, as pages, twins and feeds.

use crate::site::{CRITICAL, Site};
use axum::http::StatusCode;
use tracker_landing::hydra::{Build, BuildState, ChannelJob, Evaluation, JobsetState};
use tracker_landing::request::{PullRequest, RequestState};
use tracker_match::FindingStatus::{Affected, Fixed};
use tracker_store::ChannelWait;
use tracker_testkit::fixture::{at, derived, finding, matched};
use tracker_testkit::on_both_databases;

const ATTACK: &str = r#""><script>alert(1)</script>"#;

fn pull(number: u32, state: RequestState, labels: &[&str]) -> PullRequest {
    let merged = (state == RequestState::Merged).then(|| at("2024-05-03T12:00:00Z"));
    PullRequest {
        number,
        title: format!("openssl: {ATTACK}"),
        author: "someone".to_owned(),
        state,
        base: "master".to_owned(),
        head: "fix".to_owned(),
        created: at("2024-05-02T00:00:00Z"),
        updated: at("2024-05-04T00:00:00Z"),
        merged,
        merge_commit: None,
        labels: labels.iter().map(ToString::to_string).collect(),
        vulnerabilities: vec![CRITICAL.to_owned()],
        backport_of: vec![7],
    }
}

pub(crate) async fn derive_again(site: &Site, statuses: [tracker_match::FindingStatus; 2]) {
    let inventory = site.store.current_packages("nixpkgs").await.unwrap();
    let due = site.store.due(&inventory, 100).await.unwrap();
    let channels = ["nixos-24.05", "nixos-unstable"].into_iter().zip(statuses);
    let findings = channels
        .map(|(channel, status)| finding(channel, "openssl", "3.0.5", status))
        .collect();
    let found = vec![derived(
        CRITICAL,
        vec![matched(CRITICAL, "openssl", 0.97, findings)],
    )];
    site.store
        .put_derivation("nixpkgs", found, due.mark)
        .await
        .unwrap();
}

on_both_databases! {
    async fn the_board_tells_how_channels_stand_and_what_they_wait_for(database) {
        let site = Site::new(&database).await;
        let mut state = JobsetState::new(ChannelJob::of("nixos-24.05").unwrap());
        state.evaluation = Some(Evaluation { id: 9, time: 1, revision: None });
        state.set_constituents(vec![Build { id: 1, job: format!("tests.{ATTACK}"), state: BuildState::Failed }]);
        let wait = ChannelWait { channel: "nixos-24.05".to_owned(), state, checked: at("2024-06-01T00:00:00Z") };
        site.store.put_channel_wait(&wait).await.unwrap();
        site.store.set_channel_support("nixos-24.05", Some(at("2024-12-31T00:00:00Z"))).await.unwrap();
        let page = site.get("/pipeline").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for part in [
            "nixos/release-24.05/tested in evaluation 9", "Of 1 jobs 1 failed", "ended 2024-12-31",
            "Not followed on Hydra.", "none yet: it has not been watched for long enough",
        ] {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }
        assert!(!page.body.contains("<script"));
        let twin = site.get("/pipeline/nixos-24.05.json").await.json();
        assert_eq!(twin["waits_for"]["state"]["failed"], 1);
        assert_eq!(twin["newest"]["observed"], true);
        assert!(twin["age"].as_i64().unwrap() > 0);
        assert_eq!(site.get("/pipeline/nixos-00.00").await.status, StatusCode::NOT_FOUND);
        // The fix is on master, and unstable has it; the release branch has not, so nothing waits there.
        let unstable = site.get("/pipeline/nixos-unstable.json").await.json();
        assert_eq!(unstable["waiting"].as_array().unwrap().len(), 0);
    }

    async fn events_are_told_of_all_and_of_what_is_asked_for(database) {
        let site = Site::new(&database).await;
        site.store.set_channel_support("nixos-24.05", Some(at("2024-12-31T00:00:00Z"))).await.unwrap();
        let events = async |query: &str| {
            let twin = site.get(&format!("/events.json{query}")).await.json();
            let kinds = twin["events"].as_array().unwrap().iter();
            kinds.map(|event| event["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(events("").await, ["end-of-life-near"]);
        assert!(events("?channel=nixos-unstable").await.is_empty());
        site.store.set_channel_support("nixos-24.05", None).await.unwrap();
        derive_again(&site, [Affected, Fixed]).await;
        derive_again(&site, [Fixed, Fixed]).await;
        assert_eq!(events("").await, ["fixed-everywhere"]);
        for (query, found) in [
            ("?package=openssl", 1), ("?package=curl", 0), ("?channel=nixos-24.05", 1), ("?channel=x", 0),
            ("?q=heap+openssl", 1), ("?q=nothing", 0), ("?maintainer=nobody", 0), ("?package=openssl&channel=x", 0),
        ] {
            assert_eq!(events(query).await.len(), found, "{query}");
        }
        let feed = site.get("/events/feed.atom?package=openssl").await;
        assert!(feed.header("content-type").starts_with("application/atom+xml"));
        assert_eq!(feed.body.matches("<entry>").count(), 1, "{}", feed.body);
        assert!(feed.body.contains(&format!("{CRITICAL} is fixed in every supported channel")));
        assert_eq!(site.get("/events?colour=red").await.status, StatusCode::BAD_REQUEST);
        let page = site.get("/events?q=%3Cb%3E").await;
        assert!(page.status == StatusCode::OK && !page.body.contains("<b>"));
    }

    async fn labels_tell_what_is_opened_merged_and_landed(database) {
        let site = Site::new(&database).await;
        let both = ["1.severity: security", "backport"];
        let pulls = [pull(7, RequestState::Merged, &both), pull(70, RequestState::Open, &both[..1])];
        site.store.put_pulls(&pulls).await.unwrap();
        let feed = site.get("/labels/feed.atom?label=1.severity:+security").await.body;
        for part in ["[new] #70", "[new] #7 ", "[merged] #7 ", "[landed in nixos-unstable] #7 "] {
            assert_eq!(feed.matches(part).count(), 1, "{part}: {feed}");
        }
        assert!(!feed.contains("<script") && feed.contains("<updated>2024-05-06T00:00:00Z</updated>"));
        let twin = site.get("/labels.json?label=1.severity:+security&label=backport").await.json();
        assert_eq!(twin["pull_requests"].as_array().unwrap().len(), 1);
        assert_eq!(twin["pull_requests"][0]["landed"][0]["channel"], "nixos-unstable");
        let page = site.get("/labels?label=none").await;
        assert!(page.body.contains("No pull request that is known bears all of these."));
        assert_eq!(site.get("/labels?tag=x").await.status, StatusCode::BAD_REQUEST);
    }

    async fn a_pull_request_that_is_open_is_told_with_what_can_be_expected(database) {
        let site = Site::new(&database).await;
        site.store.put_pulls(&[pull(70, RequestState::Open, &["security"])]).await.unwrap();
        let page = site.get("/changes/70").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for part in ["Pull request #70", "If it were merged now", "has been watched for long enough", CRITICAL, "/changes/7"] {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }
        assert!(!page.body.contains("<script"));
        let twin = site.get("/changes/70.json").await.json();
        assert_eq!(twin["pull_request"]["state"], "open");
        assert_eq!(twin["prospects"].as_array().unwrap().len(), 2);
        assert_eq!(twin["prospects"][1]["eta"]["state"], "unknown");
    }

    async fn a_finding_shows_where_its_fix_is(database) {
        let site = Site::new(&database).await;
        let page = site.get(&format!("/vulnerabilities/{CRITICAL}")).await.body;
        // Affected on the release, whose branch has no backport; fixed on unstable by the release that has it.
        assert!(page.contains(r#"<p class="fix"><a href="/changes/7">Pull request #7</a> is not here"#), "{page}");
        assert!(page.contains(r#"<p class="fix"><a href="/changes/7">Pull request #7</a> is in the release of"#), "{page}");
    }
}
