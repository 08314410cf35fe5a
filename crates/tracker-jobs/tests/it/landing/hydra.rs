//! Hydra as it really answers: a job leads to its build, what stands is kept for forecasts, and one that is down is asked less often.

use super::network::{EVALUATION, follow, repository};
use super::{hour, run};
use crate::site::{Fault, Site};
use std::path::Path;
use tracker_jobs::landing::{LandingFolder, channel_feed};
use tracker_landing::eta::Phase;
use tracker_landing::hydra::BuildState;
use tracker_testkit::on_both_databases;

fn evaluate(site: &Site, id: u64, revision: &str) {
    let evaluation = EVALUATION
        .replace("REVISION", revision)
        .replace("ID", &id.to_string());
    site.put("jobset/nixos/trunk-combined/evals", evaluation);
}

fn build(site: &Site, id: u64, finished: bool, status: &str) {
    let finished = u8::from(finished);
    let text =
        format!(r#"{{"id":{id},"job":"tested","finished":{finished},"buildstatus":{status}}}"#);
    site.put(&format!("build/{id}"), text);
}

fn phases(index: &Path) -> Vec<Phase> {
    let opened = LandingFolder::open(index).unwrap();
    let channel = &opened.index().channels()["nixos-unstable"];
    channel
        .past()
        .phases
        .iter()
        .map(|seen| seen.phase)
        .collect()
}

on_both_databases! {
    async fn a_job_leads_to_its_build_and_its_state_is_kept_for_forecasts(database) {
        let store = database.open().await;
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("index");
        let repository = repository();
        run(&repository, &index, 10);
        let site = Site::start().await;
        let revision = repository.name(2);
        site.put("nixos-unstable/history", format!("{} {}\n", repository.name(1), hour(3).as_second()));
        site.put("nixos-unstable/git-revision", repository.name(1));
        evaluate(&site, 7, &revision);
        // Hydra answers `eval/N/job/J` by a redirect to the build, with its whole address or with a path.
        site.lead("eval/7/job/tested", &site.url("build/11"));
        build(&site, 11, false, "null");
        site.put("build/11/constituents", r#"[{"id":12,"job":"nixos.tests.a","finished":0,"buildstatus":null}]"#);
        let report = follow(&store, &site, folder.path()).await;
        assert_eq!(report.problems, [""; 0]);
        let asked = site.requests();
        let to_build: Vec<&String> = asked.iter().filter(|head| head.starts_with("GET /build/11 ")).collect();
        assert_eq!(to_build.len(), 1, "{asked:?}");
        assert!(to_build[0].to_lowercase().contains("accept: application/json"), "{}", to_build[0]);
        let aggregate = async || store.channel_waits().await.unwrap()[0].state.aggregate.clone().unwrap();
        assert_eq!((aggregate().await.id, aggregate().await.state), (11, BuildState::Unfinished));
        assert_eq!(phases(&index), [Phase::Building]);
        // Asked again with nothing new, nothing is written.
        let length = std::fs::metadata(index.join("index")).unwrap().len();
        follow(&store, &site, folder.path()).await;
        assert_eq!(std::fs::metadata(index.join("index")).unwrap().len(), length);

        // A part fails: the job is blocked before it has ended.
        site.put("build/11/constituents", r#"[{"id":12,"job":"nixos.tests.a","finished":1,"buildstatus":1}]"#);
        follow(&store, &site, folder.path()).await;
        assert_eq!(phases(&index), [Phase::Building, Phase::Blocked]);
        build(&site, 11, true, "2");
        follow(&store, &site, folder.path()).await;
        assert_eq!(aggregate().await.state, BuildState::DependencyFailed);

        // The next evaluation passes; Hydra names the build by a path alone.
        evaluate(&site, 8, &revision);
        site.lead("eval/8/job/tested", "/build/21");
        build(&site, 21, true, "0");
        site.put("build/21/constituents", r#"[{"id":12,"job":"nixos.tests.a","finished":1,"buildstatus":0}]"#);
        assert_eq!(follow(&store, &site, folder.path()).await.problems, [""; 0]);
        assert_eq!((aggregate().await.id, aggregate().await.state), (21, BuildState::Passed));
        assert_eq!(phases(&index), [Phase::Building, Phase::Blocked, Phase::Passed]);
    }

    async fn a_hydra_that_leads_in_circles_or_is_down_is_told_and_asked_less_often(database) {
        let store = database.open().await;
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("index");
        let repository = repository();
        run(&repository, &index, 10);
        let site = Site::start().await;
        site.put("nixos-unstable/history", format!("{} {}\n", repository.name(1), hour(3).as_second()));
        site.put("nixos-unstable/git-revision", repository.name(1));
        evaluate(&site, 7, &repository.name(2));
        site.lead("eval/7/job/tested", "/eval/7/job/tested");
        let circle = follow(&store, &site, folder.path()).await;
        assert_eq!(circle.problems.len(), 1, "{:?}", circle.problems);
        assert!(site.requests().len() < 30, "a circle is left");
        let state = async || store.follow_state(&channel_feed("nixos-unstable")).await.unwrap();
        let wait = |state: &tracker_store::FollowState| state.next.unwrap().duration_since(state.checked.unwrap());
        let first = state().await;
        // An evaluation without that job.
        evaluate(&site, 9, &repository.name(2));
        let absent = follow(&store, &site, folder.path()).await;
        assert!(absent.problems[0].contains("eval/9/job/tested"), "{:?}", absent.problems);
        let second = state().await;
        assert_eq!((first.failures, second.failures), (1, 2));
        assert!(wait(&second) > wait(&first));
        site.requests();
        site.lead("eval/9/job/tested", "/build/31");
        build(&site, 31, true, "0");
        site.put("build/31/constituents", "[]");
        // Three tries at the first address meet a server that is down; the rest is asked all the same.
        site.fail([Fault::Status(503, None), Fault::Status(503, None), Fault::Status(503, None)]);
        let down = follow(&store, &site, folder.path()).await;
        assert_eq!(down.problems.len(), 1, "{:?}", down.problems);
        assert_eq!(phases(&index), [Phase::Passed]);
        assert_eq!(state().await.failures, 3);
        assert_eq!(follow(&store, &site, folder.path()).await.problems, [""; 0]);
        assert_eq!(state().await.failures, 0);
    }
}
