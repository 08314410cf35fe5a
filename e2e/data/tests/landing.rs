//! The real commit graph of 2019: every answer equals git's own and the data's channel column.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use tracker_landing::message::Mentions;
use tracker_landing::{Ancestry, Commit, CommitNumber, Graph, Likeness, ObjectName};

struct Row {
    commit: Commit,
    channels: Vec<String>,
}

fn rows() -> Vec<Row> {
    let lines = real_data::open_zstd("nixpkgs/commits-2019.tsv.zst").lines();
    let rows = lines.skip(1).map(|line| {
        let line = line.expect("the data is UTF-8");
        let mut fields = line.split('\t');
        let mut field = || fields.next().expect("six fields");
        let name = field().parse().expect("a commit name");
        let parents = field().split_ascii_whitespace();
        let parents = parents
            .map(|parent| parent.parse().expect("a parent's name"))
            .collect();
        let time = field()
            .parse::<jiff::Timestamp>()
            .expect("a date")
            .as_second();
        let mentions = Mentions {
            pull_request: field().parse().ok(),
            ..Mentions::default()
        };
        let channels = field().split(',').map(str::to_owned).collect();
        Row {
            commit: Commit {
                name,
                parents,
                time,
                mentions,
                likeness: Likeness::default(),
            },
            channels,
        }
    });
    rows.collect()
}

/// The file lists commits by date; the graph wants parents first.
fn parents_first(rows: &[Row]) -> Vec<&Commit> {
    let known: BTreeMap<ObjectName, usize> = rows
        .iter()
        .enumerate()
        .map(|(place, row)| (row.commit.name, place))
        .collect();
    let (mut order, mut done) = (Vec::new(), HashSet::new());
    for start in 0..rows.len() {
        let mut open = vec![(start, false)];
        while let Some((place, expanded)) = open.pop() {
            if expanded {
                order.push(&rows[place].commit);
            } else if done.insert(place) {
                open.push((place, true));
                let parents = rows[place]
                    .commit
                    .parents
                    .iter()
                    .filter_map(|p| known.get(p));
                open.extend(parents.map(|parent| (*parent, false)));
            }
        }
    }
    order
}

#[test]
fn every_commit_and_head_agree_with_git_and_with_the_channel_column() {
    let rows = rows();
    assert_eq!(rows.len(), 25_586);
    let mut graph = Graph::new();
    for commit in parents_first(&rows) {
        graph.push(commit.clone()).expect("each commit comes once");
    }
    // A channel's name in the column carries the beginning of its head's name.
    let channels: HashSet<&String> = rows.iter().flat_map(|row| &row.channels).collect();
    let head_of = |channel: &String| {
        let (_, prefix) = channel.split_once('@').expect("channel@revision");
        graph.resolve(prefix).expect("the head is in the graph")
    };
    let heads: BTreeMap<&String, CommitNumber> = channels
        .into_iter()
        .map(|channel| (channel, head_of(channel)))
        .collect();
    assert_eq!(heads.len(), 4);
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (names, order) = repository(folder.path(), &graph);
    let trunk = heads.values().max().expect("four heads");
    let ancestry = Ancestry::new(&graph, *trunk);
    let mut compared = 0;
    for (channel, head) in &heads {
        let listing = git(folder.path(), &["rev-list", &names[order[head]]]);
        let contained: HashSet<&str> = listing.lines().collect();
        for row in &rows {
            let commit = graph.find(&row.commit.name).expect("pushed");
            let ours = ancestry.contains(&graph, *head, commit);
            let theirs = contained.contains(names[order[&commit]].as_str());
            assert_eq!(ours, theirs, "git: {channel} and {}", row.commit.name);
            let stated = row.channels.contains(channel);
            assert_eq!(ours, stated, "column: {channel} and {}", row.commit.name);
            compared += 1;
        }
    }
    assert_eq!(compared, 4 * 25_586);
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output();
    let output = output.expect("git runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("git's names are ASCII")
}

/// The same graph as a real repository: git's name of each commit, and each commit's place in that list.
fn repository(folder: &Path, graph: &Graph) -> (Vec<String>, BTreeMap<CommitNumber, usize>) {
    git(folder, &["init", "--quiet", "--bare"]);
    let mut import = Command::new("git");
    import.arg("-C").arg(folder).args([
        "fast-import",
        "--quiet",
        "--force",
        "--export-marks=marks",
    ]);
    let mut import = import.stdin(Stdio::piped()).spawn().expect("git runs");
    let order: BTreeMap<_, _> = graph
        .commits()
        .enumerate()
        .map(|(place, commit)| (commit, place))
        .collect();
    let mut stream = std::io::BufWriter::new(import.stdin.take().expect("a pipe"));
    for (place, commit) in graph.commits().enumerate() {
        let (mark, time) = (place + 1, graph.time(commit));
        write!(
            stream,
            "reset refs/heads/tip\ncommit refs/heads/tip\nmark :{mark}\n"
        )
        .expect("git reads");
        write!(
            stream,
            "committer a <a@example.org> {time} +0000\ndata 1\nx\n"
        )
        .expect("git reads");
        for (nth, parent) in graph.parents(commit).iter().enumerate() {
            let verb = if nth == 0 { "from" } else { "merge" };
            writeln!(stream, "{verb} :{}", order[parent] + 1).expect("git reads");
        }
        writeln!(stream).expect("git reads");
    }
    drop(stream);
    assert!(import.wait().expect("git ends").success());
    let marks = std::fs::read_to_string(folder.join("marks")).expect("git writes the marks");
    let mut names = vec![String::new(); graph.len()];
    for line in marks.lines() {
        let (mark, name) = line.split_once(' ').expect("mark and name");
        name.clone_into(&mut names[mark[1..].parse::<usize>().expect("a number") - 1]);
    }
    (names, order)
}

/// The same history through what `landing index` runs: every (commit, channel) answer is the column's.
#[test]
fn the_real_history_is_indexed_by_the_job_and_answered_from_disk() {
    let rows = rows();
    let mut graph = Graph::new();
    for commit in parents_first(&rows) {
        graph.push(commit.clone()).expect("each commit comes once");
    }
    let channels: HashSet<&String> = rows.iter().flat_map(|row| &row.channels).collect();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let repository_path = folder.path().join("repository");
    std::fs::create_dir(&repository_path).expect("a folder");
    let (names, order) = repository(&repository_path, &graph);
    let mut heads: BTreeMap<&str, CommitNumber> = BTreeMap::new();
    for label in channels {
        let (channel, prefix) = label.split_once('@').expect("channel@revision");
        let head = graph.resolve(prefix).expect("the head is in the graph");
        assert!(heads.insert(channel, head).is_none(), "one head a channel");
        let reference = format!("refs/heads/{channel}");
        git(
            &repository_path,
            &["update-ref", &reference, &names[order[&head]]],
        );
    }
    let trunk = *heads.values().max().expect("four heads");
    let master = names[order[&trunk]].as_str();
    git(
        &repository_path,
        &["update-ref", "refs/heads/master", master],
    );
    let request = tracker_jobs::landing::IndexRequest {
        repository: repository_path,
        folder: folder.path().join("index"),
        trunk: "master".to_owned(),
        branches: Vec::new(),
        channels: heads.keys().map(ToString::to_string).collect(),
        now: jiff::Timestamp::now(),
    };
    let summary = tracker_jobs::landing::index(&request, &()).expect("the repository is whole");
    assert_eq!(summary.moved_channels.len(), 4);
    let opened = tracker_jobs::landing::LandingFolder::open(&request.folder).expect("an index");
    let index = opened.index();
    let ancestry = index.ancestry().expect("a trunk");
    let (mut compared, mut answered) = (0, 0);
    for (place, row) in rows.iter().enumerate() {
        let ours = graph.find(&row.commit.name).expect("pushed");
        let name: ObjectName = names[order[&ours]].parse().expect("a name");
        let Some(commit) = index.graph().find(&name) else {
            // What no head reaches is in no channel.
            assert!(row.channels.iter().all(String::is_empty), "{name}");
            continue;
        };
        let stated: HashSet<&str> = row
            .channels
            .iter()
            .filter_map(|label| Some(label.split_once('@')?.0))
            .collect();
        for (channel, state) in index.channels() {
            let head = state.head().expect("a head");
            let contained = ancestry.contains(index.graph(), head, commit);
            assert_eq!(
                contained,
                stated.contains(channel.as_str()),
                "{channel} {name}"
            );
            compared += 1;
        }
        if place % 250 == 0 {
            let answer = index
                .answer_for(commit, None, request.now)
                .expect("an answer");
            for landing in answer.channels {
                let landed = landing.standing == tracker_landing::answer::Standing::Landed;
                assert_eq!(landed, stated.contains(landing.channel.as_str()), "{name}");
                answered += 1;
            }
        }
    }
    assert!(answered >= 400, "{answered}");
    assert_eq!(compared, 4 * 25_586);
}
