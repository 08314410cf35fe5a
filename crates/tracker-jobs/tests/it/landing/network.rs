//! Pull requests and channels over HTTP, in the shapes of GitHub and Hydra: what is new is taken in, what is not costs one request.

use super::repository::{New, Repository};
use super::{hour, run};
use crate::follow::fetcher;
use crate::site::{Fault, Site};
use std::path::Path;
use std::time::Duration;
use tracker_jobs::Secret;
use tracker_jobs::landing::{
    ChannelReport, ChannelSource, LandingFolder, PULLS_FEED, PullSource, PullSummary, channel_feed,
    follow_channel, import_pulls, poll_pulls,
};
use tracker_landing::hydra::BuildState;
use tracker_store::Store;
use tracker_testkit::on_both_databases;

fn pull(number: u32, minute: u32, state: &str) -> String {
    let merged = if state == "closed" {
        r#""2025-06-01T09:00:00Z""#
    } else {
        "null"
    };
    format!(
        r#"{{"id":1,"number":{number},"title":"curl: fix CVE-2025-{number}","body":null,"state":"{state}","user":{{"login":"someone","type":"User"}},"base":{{"ref":"master"}},"head":{{"ref":"fix"}},"labels":[{{"id":1,"name":"security"}}],"created_at":"2025-06-01T08:00:00Z","updated_at":"2025-06-01T10:{minute:02}:00Z","merged_at":{merged},"merge_commit_sha":null}}"#
    )
}

async fn poll(store: &Store, site: &Site, spool: &Path) -> PullSummary {
    let source = PullSource {
        url: site.url("pulls"),
        key: Some(Secret("k-e-y".to_owned())),
        pages: 3,
        between: Duration::ZERO,
    };
    poll_pulls(store, &fetcher(spool), &source).await.unwrap()
}

/// A list of `count` pull requests, the latest updated first, in pages.
fn serve(site: &Site, pulls: Vec<String>) {
    site.api("pulls", move |query| {
        let page: usize = query.rsplit_once("&page=").unwrap().1.parse().unwrap();
        assert!(query.contains("state=all&sort=updated&direction=desc&per_page=100"));
        let page = pulls.chunks(100).nth(page - 1).unwrap_or_default();
        format!("[{}]", page.join(","))
    });
}

pub(super) async fn follow(store: &Store, site: &Site, folder: &Path) -> ChannelReport {
    let source = ChannelSource {
        channels: vec!["nixos-unstable".to_owned()],
        history_url: site.url("{channel}/history"),
        head_url: site.url("{channel}/git-revision"),
        hydra_url: site.url(""),
        folder: folder.join("index"),
    };
    let fetcher = fetcher(&folder.join("spool"));
    follow_channel(store, &fetcher, &source, "nixos-unstable")
        .await
        .unwrap()
}

pub(super) fn repository() -> Repository {
    let mut repository = Repository::new();
    let step = |hour| New {
        branch: "master",
        from: None,
        merge: &[],
        hour,
        message: "step",
        file: None,
    };
    repository.write(&[step(0), step(1), step(2)]);
    repository
}

pub(super) const EVALUATION: &str = r#"{"first":"?page=1","last":"?page=1","evals":[{"id":ID,"timestamp":1714564900,"jobsetevalinputs":{"nixpkgs":{"type":"git","uri":"u","revision":"REVISION","value":null,"dependency":null}},"builds":[11],"hasnewbuilds":1,"flake":null,"checkouttime":1,"evaltime":2}]}"#;

on_both_databases! {
    async fn pull_requests_are_imported_and_then_only_what_was_updated_is_asked_for(database) {
        let store = database.open().await;
        let spool = tempfile::tempdir().unwrap();
        let file = format!("{}\nnothing\n{}\n", pull(1, 0, "open"), pull(2, 0, "closed"));
        let imported = import_pulls(&store, "pulls.jsonl", file.as_bytes()).await.unwrap();
        assert_eq!((imported.counts.added, imported.rejected_count), (2, 1));
        assert_eq!(imported.rejected[0].0, 2);

        let site = Site::start().await;
        let many: Vec<String> = (1..=150).map(|number| pull(number, 59 - number / 3, "open")).collect();
        serve(&site, many);
        let first = poll(&store, &site, spool.path()).await;
        assert_eq!((first.problem, first.requests, first.counts.added), (None, 2, 148));
        let asked = site.requests();
        assert!(asked[0].to_lowercase().contains("authorization: bearer k-e-y"), "{}", asked[0]);
        assert!(asked[0].to_lowercase().contains("accept: application/vnd.github+json"));
        // Nothing is new: the tag of the first page says so.
        let second = poll(&store, &site, spool.path()).await;
        assert_eq!((second.requests, second.counts.added + second.counts.changed), (1, 0));
        // One was merged meanwhile.
        let mut many: Vec<String> = (2..=150).map(|number| pull(number, 58 - number / 3, "open")).collect();
        many.insert(0, pull(1, 59, "closed").replace("10:59", "11:00"));
        serve(&site, many);
        let third = poll(&store, &site, spool.path()).await;
        assert_eq!((third.requests, third.counts.changed), (1, 1));
        assert!(store.pull(1).await.unwrap().unwrap().merged.is_some());
    }

    async fn a_server_of_pull_requests_that_fails_is_asked_less_often(database) {
        let store = database.open().await;
        let spool = tempfile::tempdir().unwrap();
        let site = Site::start().await;
        site.api("pulls", |_| r#"{"message":"Bad credentials"}"#.to_owned());
        let said = poll(&store, &site, spool.path()).await;
        assert!(said.problem.unwrap().contains("Bad credentials"));
        let once = store.follow_state(PULLS_FEED).await.unwrap();
        site.fail([Fault::Status(500, None), Fault::Status(502, None), Fault::Cut(1)]);
        assert!(poll(&store, &site, spool.path()).await.problem.is_some());
        let twice = store.follow_state(PULLS_FEED).await.unwrap();
        assert_eq!((once.failures, twice.failures), (1, 2));
        let wait = |state: &tracker_store::FollowState| state.next.unwrap().duration_since(state.checked.unwrap());
        assert!(wait(&twice) > wait(&once));
        serve(&site, vec![pull(5, 1, "open")]);
        assert_eq!(poll(&store, &site, spool.path()).await.counts.added, 1);
        assert_eq!(store.follow_state(PULLS_FEED).await.unwrap().failures, 0);
        // More was updated since than a poll may read: what lies between is not passed over.
        let many = (10..=400).map(|number| pull(number, 50, "open")).collect();
        serve(&site, many);
        let cut = poll(&store, &site, spool.path()).await;
        assert!(cut.problem.unwrap().contains("more than 300"));
    }

    async fn a_channel_is_followed_by_its_history_its_head_and_its_jobs(database) {
        let store = database.open().await;
        let folder = tempfile::tempdir().unwrap();
        let repository = repository();
        let index = folder.path().join("index");
        run(&repository, &index, 10);
        let site = Site::start().await;
        let (one, two) = (repository.name(1), repository.name(2));
        site.put("nixos-unstable/history", format!("{one} {}\n", hour(3).as_second()));
        site.put("nixos-unstable/git-revision", &two);
        let evaluation = EVALUATION.replace("REVISION", &two).replace("ID", "7");
        site.put("jobset/nixos/trunk-combined/evals", &evaluation);
        site.put("eval/7/job/tested", r#"{"id":11,"job":"tested","finished":0,"buildstatus":null}"#);
        site.put("build/11/constituents", r#"[{"id":12,"job":"nixos.tests.a","finished":1,"buildstatus":1},{"id":13,"job":"nixos.tests.b","finished":0,"buildstatus":null}]"#);
        let first = follow(&store, &site, folder.path()).await;
        assert_eq!((first.releases, first.moved, first.problems.len(), first.requests), (1, true, 0, 5));
        let asked = site.requests();
        assert!(asked.iter().any(|head| head.starts_with("GET /eval/7/job/tested") && head.to_lowercase().contains("accept: application/json")));
        let waits = store.channel_waits().await.unwrap();
        let state = &waits[0].state;
        assert_eq!((state.failed, state.unfinished), (1, 1));
        assert_eq!(state.blocking[0].job, "nixos.tests.a");
        assert_eq!(state.evaluation.as_ref().unwrap().revision.as_ref(), Some(&two));
        let opened = LandingFolder::open(&index).unwrap();
        let channel = &opened.index().channels()["nixos-unstable"];
        let releases = channel.history().releases();
        assert_eq!(releases.iter().map(|one| one.observed).collect::<Vec<_>>(), [false, true]);

        // Nothing moved: the history, the head, the evaluations and the constituents are not sent again.
        let second = follow(&store, &site, folder.path()).await;
        assert_eq!((second.releases, second.moved, second.problems.len()), (0, false, 0));
        // It passed; from then on the evaluation is all that is asked for.
        site.put("eval/7/job/tested", r#"{"id":11,"job":"tested","finished":1,"buildstatus":0}"#);
        follow(&store, &site, folder.path()).await;
        site.requests();
        assert_eq!(follow(&store, &site, folder.path()).await.requests, 3);
        assert_eq!(site.requests().len(), 3);
        let waits = store.channel_waits().await.unwrap();
        assert_eq!(waits[0].state.aggregate.as_ref().unwrap().state, BuildState::Passed);
    }

    async fn a_metrics_server_that_is_asked_again_adds_no_release_for_the_same_revision(database) {
        let store = database.open().await;
        let folder = tempfile::tempdir().unwrap();
        let repository = repository();
        run(&repository, &folder.path().join("index"), 10);
        let site = Site::start().await;
        let mut releases = Vec::new();
        for (mark, hour_seen) in [(1, 11), (1, 12), (2, 13), (1, 14)] {
            let (revision, second) = (repository.name(mark), hour(hour_seen).as_second());
            let answer = format!(
                r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{"channel":"nixos-unstable","revision":"{revision}","current":"1"}},"value":[{second}.5,"1"]}}]}}}}"#
            );
            site.put("nixos-unstable/history", answer);
            site.put("nixos-unstable/git-revision", &revision);
            releases.push(follow(&store, &site, folder.path()).await.releases);
        }
        // The last one is a channel that went back.
        assert_eq!(releases, [1, 0, 1, 1]);
    }

    async fn a_channel_that_cannot_be_asked_leaves_what_is_held(database) {
        let store = database.open().await;
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("index");
        let repository = repository();
        run(&repository, &index, 10);
        let site = Site::start().await;
        site.put("nixos-unstable/history", format!("{} 1714564900\nnonsense\n", repository.name(1)));
        site.put("nixos-unstable/git-revision", "<html>sorry</html>");
        site.put("jobset/nixos/trunk-combined/evals", "{\"evals\":");
        let report = follow(&store, &site, folder.path()).await;
        assert_eq!((report.releases, report.problems.len()), (1, 3), "{:?}", report.problems);
        let state = store.follow_state(&channel_feed("nixos-unstable")).await.unwrap();
        assert_eq!(state.failures, 1);
        assert!(state.problem.unwrap().contains("no commit name"));
        assert!(store.channel_waits().await.unwrap().is_empty());
        // The network is gone altogether.
        let gone = site.url("");
        drop(site);
        let source = ChannelSource {
            channels: Vec::new(),
            history_url: format!("{gone}history"),
            head_url: String::new(),
            hydra_url: String::new(),
            folder: index.clone(),
        };
        let fetcher = fetcher(&folder.path().join("spool"));
        let report = follow_channel(&store, &fetcher, &source, "nixos-unstable").await.unwrap();
        assert_eq!(report.problems.len(), 1);
        assert_eq!(LandingFolder::open(&index).unwrap().index().channels().len(), 1);
    }
}
