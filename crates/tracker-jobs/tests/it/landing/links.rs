//! Links that no trailer tells: patches, pull requests' references, files' names, and what was undone again.

use super::repository::{New, Repository};
use super::{answer, hour, run};
use tracker_jobs::landing::LandingFolder;
use tracker_landing::answer::{Link, Standing};

const BEGIN: &str = "{\n  version = 1;\n  a = 1;\n  b = 2;\n  c = 3;\n}\n";
const FIXED: &str = "{\n  version = 2;\n  a = 1;\n  b = 2;\n  c = 3;\n}\n";

fn commit<'a>(branch: &'a str, hour: i64, message: &'a str) -> New<'a> {
    New {
        branch,
        from: None,
        merge: &[],
        hour,
        message,
        file: None,
    }
}

/// Marks: 1 begin, 2 release begins, 3 fix on master, 4 the same on the release without a trailer, 5 another of that title.
fn history() -> Repository {
    let mut repository = Repository::new();
    let tool = |content| Some(("pkgs/tool/default.nix", content));
    repository.write(&[
        New {
            file: tool(BEGIN),
            ..commit("master", 0, "tool: init")
        },
        New {
            from: Some(1),
            ..commit("release-24.05", 1, "release: begin")
        },
        New {
            file: tool(FIXED),
            ..commit("master", 2, "tool: 1 -> 2, CVE-2024-1111")
        },
        New {
            file: tool(FIXED),
            ..commit("release-24.05", 3, "[24.05] tool: 1 -> 2, CVE-2024-1111")
        },
        New {
            file: Some(("pkgs/tool/other.nix", "x\n")),
            ..commit("release-24.05", 4, "tool: 1 -> 2, CVE-2024-1111")
        },
    ]);
    repository.git(&["update-ref", "refs/heads/nixos-24.05", &repository.name(5)]);
    repository
}

#[test]
fn a_commit_that_changes_the_same_is_a_backport_though_it_does_not_say_so() {
    let repository = history();
    let folder = tempfile::tempdir().unwrap();
    let first = run(&repository, folder.path(), 10);
    assert_eq!(first.compared, 3);
    let fix = answer(folder.path(), &repository.name(3), 20);
    let [backport] = fix.backports.as_slice() else {
        panic!("{:?}", fix.backports);
    };
    assert_eq!(backport.commit.to_string(), repository.name(4));
    assert_eq!(backport.by, Link::Patch);
    assert_eq!(fix.channels[0].standing, Standing::Landed);
    assert_eq!(fix.channels[0].via, Some(backport.commit));
    // Nothing is compared twice, and the links last.
    assert_eq!(run(&repository, folder.path(), 11).compared, 0);
    assert_eq!(answer(folder.path(), &repository.name(3), 20), fix);
}

#[test]
fn a_pull_request_that_says_what_it_backports_is_linked() {
    let mut repository = history();
    repository.write(&[New {
        from: Some(3),
        ..commit("work", 5, "other: rewrite")
    }]);
    repository.write(&[
        New {
            merge: &[6],
            ..commit(
                "master",
                6,
                "Merge pull request #70 from a/work\n\nother: rewrite",
            )
        },
        New {
            from: Some(5),
            ..commit("other", 7, "other: rewrite in another way")
        },
    ]);
    let title = "Merge pull request #71 from NixOS/backport-70-to-release-24.05\n\n[Backport release-24.05] other: rewrite";
    repository.write(&[New {
        merge: &[8],
        ..commit("release-24.05", 8, title)
    }]);
    let folder = tempfile::tempdir().unwrap();
    run(&repository, folder.path(), 10);
    let change = answer(folder.path(), "#70", 20);
    let [backport] = change.backports.as_slice() else {
        panic!("{:?}", change.backports);
    };
    assert_eq!(
        (backport.by, backport.pull_request),
        (Link::Request, Some(71))
    );
    let release = change
        .branches
        .iter()
        .find(|tick| tick.branch == "release-24.05")
        .unwrap();
    assert_eq!((release.contained, release.since), (true, Some(hour(8))));
}

#[test]
fn what_was_undone_is_told_and_what_was_done_again_too() {
    let mut repository = history();
    let fix = repository.name(3);
    let undo = format!("Revert \"tool\"\n\nThis reverts commit {fix}.\n");
    repository.write(&[commit("master", 5, &undo)]);
    repository.git(&["update-ref", "refs/heads/nixos-unstable", "master"]);
    let folder = tempfile::tempdir().unwrap();
    run(&repository, folder.path(), 10);
    let standing = |channel: &str, at| {
        let fix = answer(folder.path(), &fix, at);
        let landing = fix
            .channels
            .iter()
            .find(|one| one.channel == channel)
            .unwrap();
        (
            landing.standing,
            landing.reverted.map(|name| name.to_string()),
        )
    };
    let revert = repository.name(6);
    assert_eq!(
        standing("nixos-unstable", 20),
        (Standing::Reverted, Some(revert.clone()))
    );
    // The release branch has the backport and not its revert.
    assert_eq!(standing("nixos-24.05", 20), (Standing::Landed, None));
    let again = format!("Reapply \"tool\"\n\nThis reverts commit {revert}.\n");
    repository.write(&[commit("master", 12, &again)]);
    repository.git(&["update-ref", "refs/heads/nixos-unstable", "master"]);
    run(&repository, folder.path(), 30);
    assert_eq!(standing("nixos-unstable", 40), (Standing::Landed, None));
}

#[test]
fn a_file_whose_name_names_a_vulnerability_links_its_commit() {
    let mut repository = history();
    let patch = Some(("pkgs/tool/CVE-2024-2222.patch", "--- a\n"));
    repository.write(&[New {
        file: patch,
        ..commit("master", 6, "tool: add a patch")
    }]);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&repository, folder.path(), 10).named_by_files, 1);
    let change = answer(folder.path(), &repository.name(6), 20);
    assert_eq!(change.vulnerabilities, ["CVE-2024-2222"]);
    let opened = LandingFolder::open(folder.path()).unwrap();
    assert_eq!(opened.index().naming("CVE-2024-2222").len(), 1);
    assert_eq!(run(&repository, folder.path(), 11).named_by_files, 0);
    // The board has the fixes, each once, with where they are.
    let board = opened
        .index()
        .board("nixos-24.05", hour(0), hour(20))
        .unwrap();
    assert!(board.waiting.is_empty(), "{:?}", board.waiting);
    let fixes = opened.index().fixes_of("nixos-24.05", hour(0), hour(20));
    let told: Vec<String> = fixes.iter().map(|fix| fix.commit.to_string()).collect();
    // The backport is within the fix; the commit that only has its title is one of its own.
    assert_eq!(told, [repository.name(3), repository.name(5)]);
    assert!(fixes.iter().all(|fix| fix.landed.is_some()));
    let fixed = opened
        .index()
        .landed_fix("CVE-2024-1111", &["tool"], "nixos-24.05");
    assert_eq!(fixed.unwrap().commit.to_string(), repository.name(3));
    assert_eq!(
        opened
            .index()
            .landed_fix("CVE-2024-1111", &["curl"], "nixos-24.05"),
        None
    );
}
