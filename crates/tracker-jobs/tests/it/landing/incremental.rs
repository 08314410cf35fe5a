//! A fetch costs what is new: counted in commits that git tells of, bytes that are written and patches that are compared.

use super::repository::{New, Repository};
use super::{answer, run};
use std::path::Path;
use tracker_jobs::landing::LandingFolder;

/// Commits of the history before the fetch.
const BEFORE: i64 = 1_500;

/// A line of commits with files of their own, so that no two change the same.
fn line(repository: &mut Repository, branch: &str, hours: std::ops::Range<i64>) {
    let texts: Vec<(String, String)> = hours
        .clone()
        .map(|hour| {
            (
                format!("{branch}-{hour}: update"),
                format!("{branch}-{hour}"),
            )
        })
        .collect();
    let commits: Vec<New<'_>> = hours
        .zip(&texts)
        .map(|(hour, (message, file))| New {
            branch,
            from: None,
            merge: &[],
            hour,
            message,
            file: Some((file, "x")),
        })
        .collect();
    repository.write(&commits);
}

fn file(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("index")).unwrap()
}

#[test]
fn a_fetch_costs_what_is_new() {
    let mut repository = Repository::new();
    line(&mut repository, "master", 0..BEFORE);
    let release = New {
        branch: "release-24.05",
        from: Some(1_000),
        merge: &[],
        hour: BEFORE,
        message: "release: begin",
        file: Some(("release", "x")),
    };
    repository.write(&[release]);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let first = run(&repository, folder, 2_000);
    assert_eq!((first.new_commits, first.read_commits), (1_501, 1_501));
    let before = file(folder);
    // Nothing is new, and nothing is written or read.
    let still = run(&repository, folder, 2_001);
    assert_eq!(
        (still.new_commits, still.read_commits, still.compared),
        (0, 0, 0)
    );
    assert_eq!(file(folder), before);

    // Twenty commits, and one of long ago is brought to the release branch without saying so.
    line(&mut repository, "master", BEFORE + 1..BEFORE + 20);
    let silent = New {
        from: None,
        hour: BEFORE + 30,
        message: "[24.05] master-1200: update",
        file: Some(("master-1200", "x")),
        ..release
    };
    let picked = repository.write(&[silent]);
    let fetched = run(&repository, folder, 2_100);
    assert_eq!((fetched.new_commits, fetched.read_commits), (20, 20));
    assert_eq!(fetched.compared, 2, "the pick and what has its title");
    let after = file(folder);
    assert!(after.starts_with(&before), "what was written stays");
    let (grown, each) = (after.len() - before.len(), before.len() / 1_501);
    // Besides the commits: two patches, and a few heads.
    assert!(
        grown < 20 * each + 1_200,
        "{grown} bytes for 20 commits of {each}"
    );

    let original = repository.name(1_201);
    let found = answer(folder, &original, 2_200);
    assert_eq!(found.backports.len(), 1, "{found:?}");
    assert_eq!(
        found.backports[0].commit.to_string(),
        repository.name(picked[0])
    );
    // The whole, made anew, says the same.
    let anew = tempfile::tempdir().unwrap();
    run(&repository, anew.path(), 2_100);
    assert_eq!(answer(anew.path(), &original, 2_200), found);
}

#[test]
fn a_pair_is_found_when_one_of_it_reaches_the_trunk_later() {
    let mut repository = Repository::new();
    let commit = |branch, from, hour, message, file| New {
        branch,
        from,
        merge: &[],
        hour,
        message,
        file,
    };
    let change = Some(("pkg", "2"));
    repository.write(&[
        commit("master", None, 0, "initial", Some(("pkg", "1"))),
        commit("staging", Some(1), 1, "pkg: 1 -> 2", change),
        commit("release-24.05", Some(1), 2, "pkg: 1 -> 2", change),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Neither is on the trunk.
    assert_eq!(run(&repository, folder, 5).compared, 0);
    repository.write(&[commit("master", None, 6, "other: update", None)]);
    assert_eq!(run(&repository, folder, 7).compared, 0);
    repository.write(&[New {
        merge: &[2],
        ..commit(
            "master",
            None,
            8,
            "Merge branch 'staging' into master",
            None,
        )
    }]);
    let landed = run(&repository, folder, 9);
    assert_eq!((landed.read_commits, landed.compared), (1, 2));
    let opened = LandingFolder::open(folder).unwrap();
    let index = opened.index();
    let tip = index
        .graph()
        .find(&repository.name(2).parse().unwrap())
        .unwrap();
    let found = index.answer_for(tip, None, super::hour(10)).unwrap();
    assert_eq!(found.backports[0].commit.to_string(), repository.name(3));
}

/// Git walks down by time, and times lie: what is new still comes parents first and whole, with and without git's own index.
#[test]
fn a_fetch_of_commits_whose_clocks_went_back_is_whole() {
    for indexed in [false, true] {
        let mut repository = Repository::new();
        line(&mut repository, "master", 0..200);
        let old = New {
            branch: "release-24.05",
            from: Some(20),
            merge: &[],
            hour: 210,
            message: "release: begin",
            file: None,
        };
        repository.write(&[old]);
        if indexed {
            repository.git(&["commit-graph", "write", "--reachable"]);
        }
        let folder = tempfile::tempdir().unwrap();
        run(&repository, folder.path(), 300);
        // Each commit is older than its parent, the last ones older than all that is known; and a new branch begins far back.
        let backwards: Vec<i64> = (-60..190).rev().step_by(10).collect();
        let new: Vec<New<'_>> = backwards
            .iter()
            .map(|hour| New {
                branch: "master",
                from: None,
                hour: *hour,
                message: "step",
                ..old
            })
            .collect();
        let master = repository.write(&new);
        let late = New {
            branch: "release-23.11",
            from: Some(3),
            hour: 5,
            ..old
        };
        let merge = New {
            from: None,
            merge: &[*master.last().unwrap()],
            hour: -100,
            ..late
        };
        repository.write(&[late, merge]);
        let fetched = run(&repository, folder.path(), 400);
        assert_eq!(fetched.new_commits, backwards.len() as u64 + 2);
        let opened = LandingFolder::open(folder.path()).unwrap();
        let (graph, ancestry) = (opened.index().graph(), opened.index().ancestry().unwrap());
        assert!(graph.boundary().is_empty());
        assert_eq!(graph.len(), 201 + backwards.len() + 2);
        for head in ["master", "release-23.11", "release-24.05"] {
            let tip = opened.index().branches()[head];
            for commit in graph.commits().step_by(7) {
                assert_eq!(
                    ancestry.contains(graph, tip, commit),
                    repository.is_ancestor(&graph.name(commit).to_string(), head),
                );
            }
        }
    }
}
