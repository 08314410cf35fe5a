//! The landing index over real repositories: every answer is git's, whatever happened to the index before.

mod hydra;
mod incremental;
mod join;
mod links;
mod network;
mod repository;

use jiff::Timestamp;
use repository::{EPOCH, New, Repository};
use std::fmt::Write;
use std::path::Path;
use tracker_jobs::landing::{
    HistoryImport, IndexRequest, IndexSummary, LandingError, LandingFolder, import_history, index,
};
use tracker_landing::answer::{Answer, AnswerError, Asked, Eta, Standing};
use tracker_landing::graph::GraphError;

fn hour(hour: i64) -> Timestamp {
    Timestamp::from_second(EPOCH + hour * 3600).unwrap()
}

fn request(repository: &Path, folder: &Path, at: i64) -> IndexRequest {
    let patterns = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    IndexRequest {
        repository: repository.to_owned(),
        folder: folder.to_owned(),
        trunk: "master".to_owned(),
        branches: patterns(&["staging", "staging-next", "release-[0-9]*"]),
        channels: patterns(&["nixos-*"]),
        now: hour(at),
    }
}

fn run(repository: &Repository, folder: &Path, at: i64) -> IndexSummary {
    index(&request(repository.path(), folder, at), &()).unwrap()
}

fn answer(folder: &Path, change: &str, at: i64) -> Answer {
    let folder = LandingFolder::open(folder).unwrap();
    folder
        .index()
        .answer(&Asked::read(change), hour(at))
        .unwrap()
}

/// A fix on its way through staging and staging-next, and its backport by a pull request.
fn history() -> (Repository, Vec<String>) {
    let mut repository = Repository::new();
    let commit = |branch, hour, message| New {
        branch,
        from: None,
        merge: &[],
        hour,
        message,
        file: None,
    };
    let from = |branch, from, hour, message| New {
        from: Some(from),
        ..commit(branch, hour, message)
    };
    repository.write(&[
        commit("master", 0, "initial"),
        from("staging", 1, 1, "pkg: fix CVE-2024-12345"),
        from("staging-next", 1, 2, "other: update"),
    ]);
    repository.write(&[New {
        merge: &[2],
        ..commit(
            "staging-next",
            5,
            "Merge branch 'staging' into staging-next",
        )
    }]);
    repository.write(&[
        commit("master", 6, "unrelated"),
        from("release-24.05", 1, 7, "release: begin"),
        from("work", 1, 8, "tool: 1 -> 2"),
    ]);
    let fix = repository.name(2);
    let message = format!("pkg: fix CVE-2024-12345\n\n(cherry picked from commit {fix})\n");
    repository.write(&[
        New {
            merge: &[4],
            ..commit(
                "master",
                10,
                "Merge pull request #100 from NixOS/staging-next",
            )
        },
        New {
            merge: &[7],
            ..commit("master", 11, "Merge pull request #101 from someone/tool")
        },
        from("backport", 6, 12, &message),
    ]);
    repository.write(&[New {
        merge: &[10],
        ..commit(
            "release-24.05",
            13,
            "Merge pull request #102 from someone/backport",
        )
    }]);
    repository.git(&[
        "update-ref",
        "refs/heads/nixos-unstable",
        &repository.name(5),
    ]);
    repository.git(&["update-ref", "refs/heads/nixos-24.05", &repository.name(6)]);
    let names = (1..=11).map(|mark| repository.name(mark)).collect();
    (repository, names)
}

#[test]
fn a_fix_is_followed_through_staging_and_its_backport() {
    let (repository, names) = history();
    let folder = tempfile::tempdir().unwrap();
    let first = run(&repository, folder.path(), 20);
    assert_eq!(
        (first.new_commits, first.commits, first.branches),
        (11, 11, 4)
    );
    assert_eq!(first.moved_channels, ["nixos-24.05", "nixos-unstable"]);
    repository.git(&["update-ref", "refs/heads/nixos-unstable", &names[7]]);
    let second = run(&repository, folder.path(), 30);
    assert_eq!(
        (second.new_commits, &*second.moved_channels),
        (0, &["nixos-unstable".to_owned()][..])
    );

    let fix = answer(folder.path(), &names[1][..8], 40);
    assert_eq!(fix.vulnerabilities, ["CVE-2024-12345"]);
    let way: Vec<_> = fix
        .path
        .iter()
        .map(|s| (s.commit.to_string(), s.into.as_deref(), s.time))
        .collect();
    assert_eq!(
        way,
        [
            (names[1].clone(), Some("staging"), hour(1)),
            (names[3].clone(), Some("staging-next"), hour(5)),
            (names[7].clone(), Some("master"), hour(10)),
        ]
    );
    assert_eq!(fix.backports.len(), 1);
    assert_eq!(
        (
            fix.backports[0].commit.to_string(),
            fix.backports[0].pull_request
        ),
        (names[9].clone(), Some(102))
    );
    let tick = |branch: &str| {
        fix.branches
            .iter()
            .find(|tick| tick.branch == branch)
            .unwrap()
    };
    assert_eq!(
        (tick("master").since, tick("master").via),
        (Some(hour(10)), None)
    );
    let release = tick("release-24.05");
    assert_eq!(
        (release.since, release.via.map(|v| v.to_string())),
        (Some(hour(13)), Some(names[9].clone()))
    );
    let channel = |name: &str| fix.channels.iter().find(|c| c.channel == name).unwrap();
    let unstable = channel("nixos-unstable");
    assert_eq!(unstable.standing, Standing::Landed);
    let (first, before) = (
        unstable.first.as_ref().unwrap(),
        unstable.before.as_ref().unwrap(),
    );
    assert_eq!(
        (first.time, first.commit.to_string(), first.observed),
        (hour(30), names[7].clone(), true)
    );
    assert_eq!(before.time, hour(20));
    let stable = channel("nixos-24.05");
    assert_eq!(
        (stable.standing, &*stable.branch),
        (Standing::Waiting, "release-24.05")
    );
    let Some(Eta::Unknown { because }) = &stable.eta else {
        panic!("{stable:?}")
    };
    assert!(
        because.contains("1 of the 12 that a forecast needs"),
        "{because}"
    );

    // By its pull request, by the address of it, by digits alone.
    for asked in [
        "#101",
        "101",
        "https://github.com/NixOS/nixpkgs/pull/101/files",
    ] {
        let tool = answer(folder.path(), asked, 40);
        assert_eq!(
            (tool.commit.to_string(), tool.pull_request),
            (names[8].clone(), Some(101)),
            "{asked}"
        );
        let Some(Eta::Unknown { because }) = &tool
            .channels
            .iter()
            .find(|c| c.channel == "nixos-24.05")
            .unwrap()
            .eta
        else {
            panic!()
        };
        assert!(because.contains("no backport"), "{because}");
    }
    // The only commit of a pull request knows its number.
    assert_eq!(answer(folder.path(), &names[6], 40).pull_request, Some(101));
}

#[test]
fn what_is_not_there_is_named() {
    let (repository, names) = history();
    let folder = tempfile::tempdir().unwrap();
    let absent = LandingFolder::open(folder.path()).unwrap_err();
    assert!(matches!(absent, LandingError::Absent(_)), "{absent}");
    run(&repository, folder.path(), 20);
    let opened = LandingFolder::open(folder.path()).unwrap();
    let ask = |text: &str| {
        opened
            .index()
            .answer(&Asked::read(text), hour(20))
            .unwrap_err()
    };
    assert_eq!(ask("#7"), AnswerError::NoPullRequest(7));
    assert_eq!(ask("7"), AnswerError::NoPullRequest(7));
    let unknown = "f".repeat(40);
    assert_eq!(
        ask(&unknown),
        AnswerError::Commit(GraphError::Unknown(unknown.clone()))
    );
    assert!(matches!(
        ask("pkg"),
        AnswerError::Commit(GraphError::NotAName(_))
    ));
    assert_eq!(
        opened.index().naming("CVE-2024-12345").len(),
        2,
        "{names:?}"
    );
}

#[test]
fn repositories_that_would_give_wrong_answers_are_refused() {
    let (repository, _) = history();
    let scratch = tempfile::tempdir().unwrap();
    let shallow = scratch.path().join("shallow");
    let source = format!("file://{}", repository.path().display());
    repository::git(
        scratch.path(),
        &[
            "clone",
            "--quiet",
            "--bare",
            "--depth=1",
            &source,
            "shallow",
        ],
    );
    let folder = scratch.path().join("index");
    let refused = index(&request(&shallow, &folder, 0), &()).unwrap_err();
    assert!(matches!(refused, LandingError::Shallow(_)), "{refused}");
    assert!(refused.to_string().contains("--unshallow"), "{refused}");
    assert!(!folder.exists(), "nothing is made for a refused repository");

    let refused = index(&request(scratch.path(), &folder, 0), &()).unwrap_err();
    assert!(
        matches!(&refused, LandingError::Git { message, .. } if message.contains("not a git repository")),
        "{refused}"
    );

    repository::git(
        scratch.path(),
        &[
            "init",
            "--quiet",
            "--bare",
            "--object-format=sha256",
            "other",
        ],
    );
    let refused = index(&request(&scratch.path().join("other"), &folder, 0), &()).unwrap_err();
    assert!(
        matches!(&refused, LandingError::ObjectFormat { format, .. } if format == "sha256"),
        "{refused}"
    );

    let other = IndexRequest {
        trunk: "main".to_owned(),
        ..request(repository.path(), &folder, 0)
    };
    let refused = index(&other, &()).unwrap_err().to_string();
    assert!(
        refused.contains("no branch `main`") && refused.contains("`master`"),
        "{refused}"
    );
}

#[test]
fn what_was_fetched_since_is_taken_in_and_a_rewritten_branch_is_named() {
    let (mut repository, _) = history();
    let folder = tempfile::tempdir().unwrap();
    run(&repository, folder.path(), 20);
    let mut opened = LandingFolder::open(folder.path()).unwrap();
    let new = |branch, from, merge, hour, message| New {
        branch,
        from,
        merge,
        hour,
        message,
        file: None,
    };
    repository.write(&[new("staging", None, &[], 35, "given up later")]);
    assert_eq!(
        run(&repository, folder.path(), 36).rewritten_branches,
        [""; 0]
    );
    // Staging is begun anew from master, and master goes on.
    repository.write(&[
        new("staging", Some(9), &[], 40, "again"),
        new("master", None, &[13], 41, "Merge staging into master"),
    ]);
    let summary = run(&repository, folder.path(), 50);
    assert_eq!(summary.new_commits, 2);
    assert_eq!(summary.rewritten_branches, ["staging"]);
    assert!(opened.refresh().unwrap());
    assert!(!opened.refresh().unwrap());
    let fresh = tempfile::tempdir().unwrap();
    run(&repository, fresh.path(), 50);
    let anew = LandingFolder::open(fresh.path()).unwrap();
    let dropped = opened
        .index()
        .answer(&Asked::read(&repository.name(12)), hour(60))
        .unwrap();
    assert!(
        dropped.branches.iter().all(|tick| !tick.contained),
        "{dropped:?}"
    );
    for mark in (1..=11).chain(13..=14) {
        let commit = repository.name(mark);
        let asked = Asked::read(&commit);
        let grown = opened.index().answer(&asked, hour(60)).unwrap();
        let whole = anew.index().answer(&asked, hour(60)).unwrap();
        assert_eq!(
            (&grown.path, &grown.branches),
            (&whole.path, &whole.branches),
            "{commit}"
        );
        for tick in grown.branches.iter().filter(|tick| tick.via.is_none()) {
            let truth = repository.is_ancestor(&commit, &tick.branch);
            assert_eq!(tick.contained, truth, "{commit} in {}", tick.branch);
        }
    }
}

#[test]
fn an_index_cut_or_damaged_at_any_byte_is_never_wrong_and_is_made_whole_again() {
    let (repository, names) = history();
    let folder = tempfile::tempdir().unwrap();
    run(&repository, folder.path(), 20);
    let file = folder.path().join("index");
    let whole = std::fs::read(&file).unwrap();
    let truth: Vec<Answer> = names
        .iter()
        .map(|name| answer(folder.path(), name, 40))
        .collect();
    let check = |what: &str| {
        let Ok(opened) = LandingFolder::open(folder.path()) else {
            return;
        };
        for (name, truth) in names.iter().zip(&truth) {
            let Ok(said) = opened.index().answer(&Asked::read(name), hour(40)) else {
                continue;
            };
            // It may know fewer branches and channels; of those it knows it says nothing else.
            for tick in &said.branches {
                let own = tick.via.is_none();
                assert!(
                    !own || truth.branches.contains(tick),
                    "{what}: {name} {tick:?}"
                );
            }
            for landing in said
                .channels
                .iter()
                .filter(|c| c.standing == Standing::Landed)
            {
                assert!(
                    truth.channels.contains(landing),
                    "{what}: {name} {landing:?}"
                );
            }
        }
    };
    for length in 0..whole.len() {
        std::fs::write(&file, &whole[..length]).unwrap();
        check(&format!("cut at {length}"));
    }
    for place in (16..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x20;
        std::fs::write(&file, &damaged).unwrap();
        check(&format!("damaged at {place}"));
    }
    let made_whole = |what: &str| {
        run(&repository, folder.path(), 20);
        let again: Vec<Answer> = names
            .iter()
            .map(|name| answer(folder.path(), name, 40))
            .collect();
        assert_eq!(again, truth, "{what}");
    };
    for length in [0, 9, 16, 20, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).unwrap();
        made_whole(&format!("cut at {length}"));
    }
    let mut damaged = whole.clone();
    damaged[whole.len() / 3] ^= 1;
    std::fs::write(&file, &damaged).unwrap();
    made_whole("damaged");
    std::fs::write(&file, b"something else entirely").unwrap();
    let foreign = index(&request(repository.path(), folder.path(), 20), &()).unwrap_err();
    assert!(
        matches!(foreign, LandingError::Archive { .. }),
        "another file is not overwritten: {foreign}"
    );
}

#[test]
fn two_writers_do_not_meet() {
    let (repository, _) = history();
    let folder = tempfile::tempdir().unwrap();
    run(&repository, folder.path(), 20);
    let lock = std::fs::File::open(folder.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let busy = index(&request(repository.path(), folder.path(), 20), &()).unwrap_err();
    assert!(matches!(busy, LandingError::Busy(_)), "{busy}");
    drop(lock);
    run(&repository, folder.path(), 20);
}

#[test]
fn a_clock_that_went_back_records_nothing() {
    let (repository, names) = history();
    let folder = tempfile::tempdir().unwrap();
    run(&repository, folder.path(), 20);
    repository.git(&["update-ref", "refs/heads/nixos-unstable", &names[7]]);
    let summary = run(&repository, folder.path(), 10);
    assert!(summary.moved_channels.is_empty());
    assert!(
        summary.warnings[0].contains("nixos-unstable"),
        "{:?}",
        summary.warnings
    );
    assert_eq!(
        run(&repository, folder.path(), 21).moved_channels,
        ["nixos-unstable"]
    );
    let early = answer(folder.path(), &names[8], 15);
    let unstable = early
        .channels
        .iter()
        .find(|c| c.channel == "nixos-unstable")
        .unwrap();
    let Some(Eta::Unknown { because }) = &unstable.eta else {
        panic!("{unstable:?}")
    };
    assert!(because.contains("clock"), "{because}");
}

fn import(
    folder: &Path,
    text: &str,
    channel: Option<&str>,
    now: i64,
) -> tracker_jobs::landing::HistorySummary {
    let import = HistoryImport {
        folder: folder.to_owned(),
        name: "history".to_owned(),
        bytes: text.as_bytes().to_vec(),
        channel: channel.map(str::to_owned),
        now: hour(now),
    };
    import_history(&import).unwrap()
}

#[test]
fn a_history_file_dates_releases_with_their_rollbacks_and_gaps() {
    let (repository, names) = history();
    let folder = tempfile::tempdir().unwrap();
    let at = |h: i64| EPOCH + h * 3600;
    let stranger = "0123456789".repeat(4);
    let text = format!(
        "# revision time name\n{} {} one\n{} {}\n\n{} {} back\n{stranger} {} gap\n{} {}\nnonsense {}\n{} {}\n",
        names[0],
        at(2),
        names[7],
        at(12),
        names[4],
        at(14),
        at(15),
        names[8],
        hour(16),
        at(17),
        names[8],
        at(900),
    );
    let summary = import(folder.path(), &text, Some("nixos-unstable"), 100);
    assert_eq!(
        (
            summary.added,
            summary.known,
            summary.unknown_commits,
            summary.rejected_count
        ),
        (5, 0, 5, 2)
    );
    assert!(
        summary.rejected.iter().any(|(place, _)| *place == 8),
        "{summary:?}"
    );
    assert!(
        summary
            .rejected
            .iter()
            .any(|(place, reason)| *place == 9 && reason.contains("ahead")),
        "{summary:?}"
    );
    // History before the commits: it counts once they are there.
    run(&repository, folder.path(), 20);
    assert_eq!(
        import(folder.path(), &text, Some("nixos-unstable"), 100).known,
        5
    );
    let opened = LandingFolder::open(folder.path()).unwrap();
    let channel = &opened.index().channels()["nixos-unstable"];
    assert_eq!(
        (channel.history().rollbacks(), channel.strangers()),
        (1, &["gap".to_owned()][..])
    );
    let fix = answer(folder.path(), &names[1], 40);
    let unstable = fix
        .channels
        .iter()
        .find(|c| c.channel == "nixos-unstable")
        .unwrap();
    // The poll at hour 20 saw the channel where the file has it at 14: it is at the commit without the fix.
    assert_eq!(unstable.standing, Standing::Landed);
    assert_eq!(
        unstable.first.as_ref().unwrap().time,
        hour(16),
        "after the rollback it came again"
    );

    let metrics = format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[
        {{"metric":{{"channel":"nixos-24.05","revision":"{}","current":"1"}},"values":[[{}.5,"1"],[{},"1"]]}},
        {{"metric":{{"channel":"nixos-24.05","revision":"{}","current":"0"}},"values":[[{},"1"]]}}]}}}}"#,
        names[10],
        at(30),
        at(31),
        names[5],
        at(32),
    );
    assert_eq!(import(folder.path(), &metrics, None, 100).added, 1);
    let fix = answer(folder.path(), &names[1], 40);
    let stable = fix
        .channels
        .iter()
        .find(|c| c.channel == "nixos-24.05")
        .unwrap();
    assert_eq!(
        (stable.standing, stable.first.as_ref().unwrap().time),
        (Standing::Landed, hour(30))
    );
    assert_eq!(
        stable.via.map(|via| via.to_string()),
        Some(names[9].clone())
    );
}

#[test]
fn a_channel_that_was_watched_for_long_has_a_forecast_with_its_record() {
    let mut repository = Repository::new();
    // A commit every three hours; the channel follows once a day, some hours behind.
    let messages: Vec<New<'_>> = (0..8 * 90)
        .map(|n| New {
            branch: "master",
            from: None,
            merge: &[],
            hour: n * 3,
            message: "step",
            file: None,
        })
        .collect();
    let marks = repository.write(&messages);
    let listing = repository.git(&["log", "--reverse", "--format=%H", "master"]);
    let names: Vec<&str> = listing.lines().collect();
    assert_eq!(names.len(), marks.len());
    let mut text = String::new();
    for day in 1..88_i64 {
        let (head, late) = (day as usize * 8, 5 + (day * 7) % 9);
        let at = EPOCH + (day * 24 + late) * 3600;
        writeln!(text, "{} {at}", names[head]).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    run(&repository, folder.path(), 0);
    assert_eq!(
        import(folder.path(), &text, Some("nixos-unstable"), 10_000).added,
        87
    );
    let said = answer(folder.path(), names[87 * 8 + 3], 87 * 24 + 14);
    let unstable = &said.channels[0];
    let Some(Eta::Forecast {
        low,
        median,
        high,
        record,
        stages,
    }) = &unstable.eta
    else {
        panic!("{unstable:?}")
    };
    // The next release comes some 24 hours after the last one.
    assert!(hour(87 * 24 + 14) <= *low && low <= median && median <= &high.unwrap());
    assert!(
        (hour(88 * 24)..hour(89 * 24 + 20)).contains(median),
        "{median}"
    );
    assert!(record.changes >= 150 && record.coverage > 0.7, "{record:?}");
    assert_eq!(stages, &["channel"]);
    // Months later nothing more came: the channel stands still, and a forecast would be a guess.
    let late = answer(folder.path(), names[87 * 8 + 3], 300 * 24);
    let Some(Eta::Unknown { because }) = &late.channels[0].eta else {
        panic!()
    };
    assert!(because.contains("has not moved for 21"), "{because}");
}
