//! What a person may type, and what the way is.

use super::Asked;
use crate::archive::{HeadSeen, Segment};
use crate::graph::{Commit, Likeness, ObjectName};
use crate::index::LandingIndex;
use crate::message::Mentions;
use jiff::Timestamp;

/// From the branches to the small channel, then to the full one; a channel that has only a backport is no step of the way.
#[test]
fn the_way_ends_with_the_releases_in_order_of_time() {
    let name = |number: u8| ObjectName([number; 20]);
    let commit = |number: u8, parents: &[u8], message: &str| Commit {
        name: name(number),
        parents: parents.iter().map(|parent| name(*parent)).collect(),
        time: i64::from(number) * 100,
        mentions: Mentions::read(message),
        likeness: Likeness::default(),
    };
    let pick = format!("a: fix\n\n(cherry picked from commit {})", name(2));
    let head = |line: &str, number: u8, time: i64, observed| {
        Segment::Head(HeadSeen {
            line: line.to_owned(),
            commit: name(number),
            time,
            release: String::new(),
            observed,
        })
    };
    let mut index = LandingIndex::new();
    for segment in [
        Segment::Commits(vec![
            commit(1, &[], "begin"),
            commit(2, &[1], "a: fix"),
            commit(3, &[1, 2], "Merge pull request #9 from a/fix"),
            commit(4, &[1], &pick),
        ]),
        head("trunk:master", 3, 900, false),
        head("branch:release-24.05", 4, 900, false),
        head("channel:nixos-unstable", 1, 150, false),
        head("channel:nixos-unstable", 3, 600, false),
        head("channel:nixos-unstable-small", 1, 160, false),
        head("channel:nixos-unstable-small", 3, 500, true),
        head("channel:nixos-24.05", 4, 550, false),
    ] {
        index.take(segment).expect("fresh");
    }
    index.settle();
    let now = Timestamp::from_second(1_000).expect("small");
    let answer = index.answer(&Asked::PullRequest(9), now).expect("merged");
    assert_eq!(answer.path.len(), 1);
    let releases = answer.releases();
    let said: Vec<(i64, &str)> = releases
        .iter()
        .map(|(release, words)| (release.time.as_second(), words.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (500, "first seen in nixos-unstable-small"),
            (600, "released in nixos-unstable"),
        ]
    );
}

#[test]
fn a_change_is_asked_for_in_the_forms_that_people_paste() {
    for (text, asked) in [
        ("#12", Asked::PullRequest(12)),
        (
            " https://github.com/NixOS/nixpkgs/pull/12 ",
            Asked::PullRequest(12),
        ),
        (
            "https://github.com/NixOS/nixpkgs/pull/12/files#diff",
            Asked::PullRequest(12),
        ),
        (
            "https://github.com/NixOS/nixpkgs/pull/12#issuecomment-1",
            Asked::PullRequest(12),
        ),
        (
            "https://github.com/NixOS/nixpkgs/commit/abcdef0?w=1",
            Asked::Commit("abcdef0".into()),
        ),
        ("1234567", Asked::Digits(1_234_567, "1234567".into())),
        ("1234567890", Asked::Commit("1234567890".into())),
        ("abcdef0", Asked::Commit("abcdef0".into())),
        ("#", Asked::Commit("#".into())),
        ("#99999999999", Asked::Commit("#99999999999".into())),
        ("", Asked::Commit(String::new())),
    ] {
        assert_eq!(Asked::read(text), asked, "{text}");
    }
}
