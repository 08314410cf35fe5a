//! Laws against brute force, and the forms that messages, streams and files take.

use crate::Ancestry;
use crate::archive::{self, Ending, HeadSeen, Segment};
use crate::graph::{Commit, CommitNumber, Graph, GraphError, Likeness, ObjectName};
use crate::history::{ChannelHistory, ChannelRelease};
use crate::journey::{self, Hop};
use crate::line::Line;
use crate::log::LogReader;
use crate::message::{Mentions, MergedBranches};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::HashSet;

fn name(number: usize) -> ObjectName {
    let mut bytes = [0; 20];
    // Spread like a hash, so that prefixes differ early.
    let mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bytes
        .iter_mut()
        .zip(mixed.to_be_bytes().iter().cycle())
        .for_each(|(to, from)| *to = *from);
    ObjectName(bytes)
}

fn commit(number: usize, parents: &[usize]) -> Commit {
    let parents = parents.iter().map(|parent| name(*parent)).collect();
    Commit {
        name: name(number),
        parents,
        time: number as i64 * 60,
        mentions: Mentions::default(),
        likeness: Likeness::default(),
    }
}

fn graph(parents: &[Vec<usize>]) -> Graph {
    let mut graph = Graph::new();
    for (number, parents) in parents.iter().enumerate() {
        graph.push(commit(number, parents)).expect("a fresh commit");
    }
    graph
}

/// Everything that `head` contains, by the definition.
fn reachable(graph: &Graph, head: CommitNumber) -> HashSet<CommitNumber> {
    let mut seen = HashSet::from([head]);
    let mut open = vec![head];
    while let Some(next) = open.pop() {
        open.extend(
            graph
                .parents(next)
                .iter()
                .filter(|parent| seen.insert(**parent)),
        );
    }
    seen
}

/// Random histories with merges, criss-cross merges and several roots.
fn histories() -> impl Strategy<Value = Vec<Vec<usize>>> {
    prop::collection::vec((0..100u8, any::<[prop::sample::Index; 3]>()), 1..60).prop_map(|steps| {
        let mut parents = Vec::new();
        for (number, (kind, picks)) in steps.into_iter().enumerate() {
            let count = match kind {
                _ if number == 0 => 0,
                0..3 => 0,
                3..65 => 1,
                65..97 => 2,
                _ => 3,
            };
            let mut chosen: Vec<usize> = Vec::new();
            for pick in picks.iter().take(count) {
                // Mostly near the tip, as in real histories.
                let parent = number - 1 - pick.index(number.min(8));
                if !chosen.contains(&parent) {
                    chosen.push(parent);
                }
            }
            parents.push(chosen);
        }
        parents
    })
}

proptest! {
    #[test]
    fn containment_is_reachability_for_every_pair_and_trunk(
        parents in histories(), trunk in any::<prop::sample::Index>(), step in any::<prop::sample::Index>()
    ) {
        let graph = graph(&parents);
        let all: Vec<CommitNumber> = graph.commits().collect();
        let trunk = all[trunk.index(all.len())];
        let direct = Ancestry::new(&graph, trunk);
        // The same index reached in two steps, the first of them on a smaller graph.
        let small = self::graph(&parents[..=step.index(parents.len())]);
        let mut stepwise = Ancestry::new(&small, CommitNumber(step.index(parents.len()) as u32));
        stepwise.advance(&graph, trunk);
        for head in &all {
            let truth = reachable(&graph, *head);
            for commit in &all {
                prop_assert_eq!(direct.contains(&graph, *head, *commit), truth.contains(commit));
                prop_assert_eq!(stepwise.contains(&graph, *head, *commit), truth.contains(commit));
            }
        }
    }

    #[test]
    fn a_history_knows_every_stay_whatever_the_channel_does(
        parents in histories(), trunk in any::<prop::sample::Index>(),
        moves in prop::collection::vec(any::<prop::sample::Index>(), 1..12)
    ) {
        let graph = graph(&parents);
        let all: Vec<CommitNumber> = graph.commits().collect();
        let ancestry = Ancestry::new(&graph, all[trunk.index(all.len())]);
        let heads: Vec<CommitNumber> = moves.iter().map(|pick| all[pick.index(all.len())]).collect();
        let mut history = ChannelHistory::new();
        for (day, head) in heads.iter().enumerate() {
            let time = Timestamp::from_second(day as i64 * 86_400).expect("a small number");
            let release = ChannelRelease { name: day.to_string(), commit: graph.name(*head), time, observed: false };
            history.push(&graph, &ancestry, release, *head).expect("in order");
        }
        let contents: Vec<_> = heads.iter().map(|head| reachable(&graph, *head)).collect();
        for commit in &all {
            // The definition: runs of days on which the head contains the commit.
            let mut truth: Vec<(String, Option<String>)> = Vec::new();
            for (day, content) in contents.iter().enumerate() {
                let before = day > 0 && contents[day - 1].contains(commit);
                match (before, content.contains(commit)) {
                    (false, true) => truth.push((day.to_string(), None)),
                    (true, false) => truth.last_mut().expect("a stay").1 = Some(day.to_string()),
                    _ => {}
                }
            }
            let stays: Vec<_> = history.stays(&ancestry, *commit).iter()
                .map(|stay| (stay.first.name.clone(), stay.lost.map(|lost| lost.name.clone()))).collect();
            prop_assert_eq!(stays, truth);
        }
    }

    #[test]
    fn a_file_cut_or_changed_anywhere_gives_a_prefix_of_what_was_written(
        parents in histories(), at in any::<prop::sample::Index>(), change in 0..=255u8
    ) {
        let segments = segments(&parents);
        let bytes = written(&segments);
        let at = at.index(bytes.len());
        for damaged in [bytes[..at].to_vec(), { let mut b = bytes.clone(); b[at] ^= change; b }] {
            let mut read = Vec::new();
            match archive::read(damaged.as_slice(), |segment| read.push(segment)) {
                Ok(position) => {
                    prop_assert!(segments.starts_with(&read));
                    let whole = read.len() == segments.len() && damaged.len() == bytes.len();
                    let at_seam = written(&segments[..read.len()]).len() == damaged.len();
                    prop_assert_eq!(position.ending == Ending::Whole, whole || at_seam);
                    prop_assert_eq!(position.length as usize, written(&segments[..read.len()]).len());
                }
                Err(_) => prop_assert!(at < archive::MAGIC.len()),
            }
        }
    }

    #[test]
    fn any_bytes_as_a_file_or_a_stream_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut file = archive::MAGIC.to_vec();
        file.extend_from_slice(&bytes);
        archive::read(file.as_slice(), |_| {}).expect("damage is an ending, not an error");
        let _ = LogReader::new(bytes.as_slice()).collect::<Vec<_>>();
        Mentions::read(&String::from_utf8_lossy(&bytes));
    }
}

fn segments(parents: &[Vec<usize>]) -> Vec<Segment> {
    let mut commits: Vec<Commit> = parents
        .iter()
        .enumerate()
        .map(|(number, parents)| commit(number, parents))
        .collect();
    commits[0].mentions = Mentions {
        pull_request: Some(7),
        picked_from: vec![name(1)],
        reverts: vec![name(2), name(3)],
        vulnerabilities: vec!["CVE-2019-14697".to_owned()],
        merge: Some(MergedBranches {
            from: "staging".to_owned(),
            into: None,
        }),
        backport_of: vec![5, 6],
        reverts_requests: vec![8],
        topic: Some("musl".to_owned()),
    };
    commits[0].likeness = Likeness::of("100 a@example.org", "musl: fix");
    let head = HeadSeen {
        line: "channel:nixos-19.09".to_owned(),
        commit: name(0),
        time: -5,
        release: "nixos-19.09.1".to_owned(),
        observed: true,
    };
    let late = commits.split_off(commits.len() / 2);
    vec![
        Segment::Commits(commits),
        Segment::Head(head),
        Segment::Commits(late),
        Segment::Patches(vec![(name(0), name(9))]),
        Segment::Files(vec![(name(0), vec!["CVE-2019-14698".to_owned()])]),
    ]
}

fn written(segments: &[Segment]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut position = archive::begin(&mut bytes).expect("memory");
    for segment in segments {
        archive::append(&mut bytes, &mut position, segment).expect("memory");
    }
    bytes
}

#[test]
fn a_commit_that_the_file_cannot_hold_leaves_it_as_it_was() {
    let mut bytes = Vec::new();
    let mut position = archive::begin(&mut bytes).expect("memory");
    let many: Vec<usize> = (0..=usize::from(u16::MAX)).collect();
    let segment = Segment::Commits(vec![commit(70_000, &many)]);
    let error = archive::append(&mut bytes, &mut position, &segment).expect_err("too many");
    assert!(error.to_string().contains("has 65536 parents"), "{error}");
    assert_eq!(bytes, written(&[]));
}

#[test]
fn a_line_lists_only_what_the_trunk_does_not_explain() {
    // 0-1-2-3 is the trunk; 4-5 leaves it at 1.
    let graph = graph(&[vec![], vec![0], vec![1], vec![2], vec![1], vec![4]]);
    let ancestry = Ancestry::new(&graph, CommitNumber(3));
    let mut line = Line::new();
    line.push(&graph, &ancestry, CommitNumber(4));
    line.push(&graph, &ancestry, CommitNumber(5));
    assert_eq!(line.own_commits(), 2);
    assert_eq!(line.first(&ancestry, CommitNumber(0)), Some(0));
    assert_eq!(line.first(&ancestry, CommitNumber(5)), Some(1));
    assert_eq!(line.first(&ancestry, CommitNumber(2)), None);
    assert_eq!(ancestry.landed(CommitNumber(4)), None);
}

#[test]
fn a_name_is_found_by_its_beginning_and_questions_that_cannot_be_answered_are_named() {
    let graph = graph(&[vec![], vec![0], vec![1]]);
    let full = name(1).to_string();
    assert_eq!(graph.resolve(&full), Ok(CommitNumber(1)));
    assert_eq!(
        graph.resolve(&full[..8].to_uppercase()),
        Ok(CommitNumber(1))
    );
    assert_eq!(
        graph.resolve("123"),
        Err(GraphError::NotAName("123".to_owned()))
    );
    assert_eq!(
        graph.resolve("zzzz"),
        Err(GraphError::NotAName("zzzz".to_owned()))
    );
    assert!(matches!(
        graph.resolve("00000000"),
        Err(GraphError::Unknown(_))
    ));
    let mut twins = Graph::new();
    for last in [1, 2] {
        let mut bytes = [0xab; 20];
        bytes[19] = last;
        let commit = Commit {
            name: ObjectName(bytes),
            ..commit(0, &[])
        };
        twins.push(commit.clone()).expect("fresh");
        assert_eq!(
            twins.push(commit.clone()),
            Err(GraphError::Duplicate(commit.name))
        );
    }
    assert!(matches!(
        twins.resolve("abab"),
        Err(GraphError::Ambiguous { count: 2, .. })
    ));
}

/// Who says what is gathered at the first question and kept up from then on.
#[test]
fn claims_are_found_from_both_ends_whenever_they_are_asked_for() {
    let saying = |number: usize, message: &str| Commit {
        mentions: Mentions::read(message),
        ..commit(number, &[])
    };
    let messages = [
        "Merge pull request #5 from a/b".to_owned(),
        "step".to_owned(),
        format!("a: fix (#5)\n\n(cherry picked from commit {})", name(0)),
        format!("Revert \"a\"\n\nThis reverts commit {}.", name(0)),
        "a: fix\n\nBackport of #5".to_owned(),
        "Revert \"a\"\n\nReverts #5".to_owned(),
    ];
    for asked_after in 0..messages.len() {
        let mut graph = Graph::new();
        for (number, message) in messages.iter().enumerate() {
            let pushed = graph.push(saying(number, message)).expect("fresh");
            assert_eq!(
                graph.mentions(pushed).is_some(),
                number != 1,
                "asked of the newest"
            );
            if number == asked_after {
                graph.of_pull_request(5);
            }
        }
        let numbers = |commits: &[CommitNumber]| commits.iter().map(|c| c.0).collect::<Vec<_>>();
        assert_eq!(numbers(graph.of_pull_request(5)), [0, 2]);
        assert_eq!(numbers(graph.picks_of(&name(0))), [2]);
        assert_eq!(numbers(graph.reverts_of(&name(0))), [3]);
        assert_eq!(numbers(graph.backports_of(5)), [4]);
        assert_eq!(numbers(graph.reverts_of_request(5)), [5]);
        let said = |number| graph.mentions(CommitNumber(number));
        assert_eq!(said(0).and_then(|m| m.pull_request), Some(5));
        assert_eq!(said(1), None);
        assert_eq!(said(4).map(|m| m.backport_of.clone()), Some(vec![5]));
    }
}

#[test]
fn a_parent_outside_makes_a_boundary() {
    let mut graph = Graph::new();
    let number = graph.push(commit(5, &[4])).expect("fresh");
    assert_eq!(graph.boundary(), [number]);
    assert!(graph.parents(number).is_empty());
}

#[test]
fn messages_name_pull_requests_picks_reverts_and_vulnerabilities() {
    let picked = name(3).to_string();
    let message = format!(
        "Merge pull request #75035 from someone/branch\n\nmusl: fix cve-2019-14697, CVE-2019-14697, CVE-19-1, CVE-2019-12\n\n\
         (cherry picked from commit {picked})\nThis reverts commit {picked}.\n(cherry picked from commit abc)\n"
    );
    let mentions = Mentions::read(&message);
    assert_eq!(mentions.pull_request, Some(75035));
    assert_eq!(mentions.picked_from, [name(3)]);
    assert_eq!(mentions.reverts, [name(3)]);
    assert_eq!(mentions.vulnerabilities, ["CVE-2019-14697"]);
    assert_eq!(
        Mentions::read("grafana: 5.4.3 -> 6.0.0 (#56412)").pull_request,
        Some(56412)
    );
    assert_eq!(
        Mentions::read("grafana: see (#1) for more").pull_request,
        None
    );
}

#[test]
fn a_stream_gives_whole_commits_and_names_what_is_wrong() {
    let (a, b) = (name(0), name(1));
    let stream =
        format!("{a} \n100\n99 a@b\nfirst (#9)\n\0{b} {a}\n160\n159 a@b\n[25.05] second\n\nbody\n");
    let commits: Vec<Commit> = LogReader::new(stream.as_bytes())
        .collect::<Result<_, _>>()
        .expect("well formed");
    assert_eq!(commits.len(), 2);
    assert_eq!(commits[0].mentions.pull_request, Some(9));
    assert_eq!(
        commits[1].likeness,
        Likeness::of("159 a@b", "second"),
        "a tag is no part of the title"
    );
    assert_eq!(
        (commits[1].parents.as_slice(), commits[1].time),
        ([a].as_slice(), 160)
    );
    // A message of any length is its commit's alone.
    let long = "x".repeat(crate::log::MAX_COMMIT_BYTES as usize + 10);
    let stream =
        format!("{a} \n100\n99 a@b\nfirst (#9)\n{long}\n\0{b} {a}\n160\n159 a@b\nsecond\n");
    let commits: Vec<Commit> = LogReader::new(stream.as_bytes())
        .collect::<Result<_, _>>()
        .expect("both");
    assert_eq!((commits.len(), commits[1].name), (2, b));
    assert_eq!(commits[0].mentions.pull_request, Some(9));
    let error = LogReader::new(long.as_bytes())
        .next()
        .expect("an item")
        .expect_err("no header");
    assert!(error.to_string().contains("a header of over"), "{error}");
    let broken = format!("{a} \n100\n99 a@b\nfirst\n\0{b} {a}\n");
    let error = LogReader::new(broken.as_bytes())
        .last()
        .expect("an item")
        .expect_err("cut");
    assert!(
        error.to_string().contains("commit 1 of the stream"),
        "{error}"
    );
}

#[test]
fn a_release_that_goes_back_in_time_is_refused() {
    let graph = graph(&[vec![]]);
    let ancestry = Ancestry::new(&graph, CommitNumber(0));
    let mut history = ChannelHistory::new();
    let release = |second| ChannelRelease {
        commit: name(0),
        name: format!("r{second}"),
        time: Timestamp::from_second(second).expect("small"),
        observed: false,
    };
    history
        .push(&graph, &ancestry, release(100), CommitNumber(0))
        .expect("first");
    let error = history
        .push(&graph, &ancestry, release(99), CommitNumber(0))
        .expect_err("older");
    assert!(error.to_string().contains("`r99`"), "{error}");
    assert_eq!(history.releases().len(), 1);
}

#[test]
fn merges_name_their_branches_and_prose_names_none() {
    let merge = |subject: &str| {
        Mentions::read(subject)
            .merge
            .map(|merge| (merge.from, merge.into.unwrap_or_default()))
    };
    let named = |from: &str, into: &str| Some((from.to_owned(), into.to_owned()));
    assert_eq!(
        merge("Merge staging-next into staging"),
        named("staging-next", "staging")
    );
    assert_eq!(
        merge("Merge branch 'staging' into staging-next"),
        named("staging", "staging-next")
    );
    assert_eq!(
        merge("Merge remote-tracking branch 'origin/master' into staging"),
        named("master", "staging")
    );
    assert_eq!(
        merge("Merge pull request #9 from NixOS/staging-next"),
        named("staging-next", "")
    );
    assert_eq!(merge("Merge these two lists of packages"), None);
    assert_eq!(merge("musl: Merge staging into master"), None);
}

#[test]
fn a_journey_names_every_merge_that_carried_the_commit_on() {
    // master: 0 1 2 8; staging: 3 (from 0), 5 (merges the change 4), 6; staging-next: 7 merges staging; 8 merges it into master.
    let parents = [
        vec![],
        vec![0],
        vec![1],
        vec![0],
        vec![3],
        vec![3, 4],
        vec![5],
        vec![1, 6],
        vec![2, 7],
    ];
    let graph = graph(&parents);
    let ancestry = Ancestry::new(&graph, CommitNumber(8));
    let merges = |commit| {
        let hops: Vec<Hop> = journey::to_trunk(&graph, &ancestry, CommitNumber(commit));
        hops.iter().map(|hop| hop.merge.0).collect::<Vec<_>>()
    };
    assert_eq!(merges(4), [5, 7, 8]);
    assert_eq!(merges(6), [7, 8]);
    assert_eq!(merges(2), Vec::<u32>::new());
    let short = Ancestry::new(&graph, CommitNumber(2));
    assert!(journey::to_trunk(&graph, &short, CommitNumber(4)).is_empty());
}

#[test]
fn backports_and_reverts_of_pull_requests_are_read_in_the_forms_of_people_and_bots() {
    for (message, of) in [
        (
            "Merge pull request #9 from NixOS/backport-494836-to-release-25.11\n\n[Backport release-25.11] curl: fix",
            vec![494_836],
        ),
        ("curl: fix\n\nBackport of #12.", vec![12]),
        (
            "curl: fix\n\n* Backport of https://github.com/NixOS/nixpkgs/pull/12",
            vec![12],
        ),
        (
            "curl: fix\n\nManual backport of NixOS/nixpkgs#12, see there",
            vec![12],
        ),
        (
            "curl: fix\n\nBot-based backport to `release-25.05`, triggered by a label in #12.",
            vec![12],
        ),
        ("curl: fix\n\nThe backport of #12 failed", vec![]),
        ("curl: fix\n\nBackport of the fix", vec![]),
    ] {
        assert_eq!(Mentions::read(message).backport_of, of, "{message}");
    }
    let reverts = |message: &str| Mentions::read(message).reverts_requests;
    assert_eq!(
        reverts("Revert \"curl: fix\"\n\nReverts NixOS/nixpkgs#12"),
        [12]
    );
    assert_eq!(
        reverts("Merge pull request #13 from a/revert-12-fix\n\nRevert"),
        [12]
    );
    assert!(reverts("curl: fix\n\nThis reverts some of #12").is_empty());
}

#[test]
fn a_change_that_names_a_vulnerability_says_what_it_is_about() {
    let topic = |message: &str| Mentions::read(message).topic;
    let fix = "curl: fix CVE-2024-0001";
    assert_eq!(topic(fix).as_deref(), Some("curl"));
    let merge = format!("Merge pull request #9 from a/b\n\n[25.05] {fix}\n");
    assert_eq!(topic(&merge).as_deref(), Some("curl"));
    assert_eq!(topic("curl: 1 -> 2"), None, "it names no vulnerability");
    assert_eq!(topic("fix CVE-2024-0001"), None);
    for (topic, package, about) in [
        ("curl", "curl", true),
        ("{curl,wget}", "wget", true),
        ("python3Packages.requests", "requests", true),
        ("curl, wget", "curl", true),
        ("curlHTTP3", "curl", false),
    ] {
        assert_eq!(crate::message::is_about(topic, package), about, "{topic}");
    }
}
