//! What is done in steps is what is done at once.

use super::*;
use crate::graph::{Commit, Likeness};
use crate::message::Mentions;
use proptest::prelude::*;

fn name(number: usize) -> ObjectName {
    let mut bytes = [7; 20];
    bytes[..8].copy_from_slice(
        &(number as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .to_le_bytes(),
    );
    ObjectName(bytes)
}

fn head(line: &LineName, commit: ObjectName) -> Segment {
    Segment::Head(HeadSeen {
        line: line.to_string(),
        commit,
        time: 0,
        release: String::new(),
        observed: false,
    })
}

/// Parents of each commit, and what it is like.
fn histories() -> impl Strategy<Value = Vec<(Vec<usize>, u32)>> {
    let commit = |number: usize| {
        let parents = prop::collection::vec(number.saturating_sub(6)..number.max(1), 1..3);
        (parents, 0_u32..6).prop_map(move |(mut parents, like)| {
            parents.dedup();
            if number == 0 {
                parents.clear();
            }
            (parents, like)
        })
    };
    (3_usize..40).prop_flat_map(move |count| (0..count).map(commit).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn looking_in_steps_finds_what_looking_once_finds(history in histories(), step in 1_usize..12) {
        let commits: Vec<Commit> = history.iter().enumerate().map(|(number, (parents, like))| Commit {
            name: name(number),
            parents: parents.iter().map(|parent| name(*parent)).collect(),
            time: number as i64,
            mentions: Mentions::default(),
            likeness: Likeness { author: 0, title: *like },
        }).collect();
        let mut chain = vec![history.len() - 1];
        while let Some(parent) = chain.last().and_then(|last| history[*last].0.first()) {
            chain.push(*parent);
        }
        let trunk = LineName::Trunk("master".to_owned());
        let (mut index, mut found) = (LandingIndex::new(), Vec::new());
        for from in (0..commits.len()).step_by(step) {
            let to = (from + step).min(commits.len());
            index.take(Segment::Commits(commits[from..to].to_vec())).unwrap();
            let Some(tip) = chain.iter().find(|number| **number < to) else { continue };
            index.take(head(&trunk, name(*tip))).unwrap();
            index.settle_branches();
            let wanted = index.to_compare(usize::MAX);
            index.take(Segment::Patches(wanted.iter().map(|name| (*name, *name)).collect())).unwrap();
            found.extend(wanted);
            for (line, commit) in [(COMPARED_LAST, name(to - 1)), (COMPARED_TRUNK, name(*tip))] {
                index.take(head(&LineName::Compared(line.to_owned()), commit)).unwrap();
            }
        }
        let mut whole = LandingIndex::new();
        whole.take(Segment::Commits(commits)).unwrap();
        whole.take(head(&trunk, name(history.len() - 1))).unwrap();
        whole.settle_branches();
        for name in whole.to_compare(usize::MAX) {
            prop_assert!(found.contains(&name), "{name} was not looked at");
        }
        // And the two numbers of every commit are those of an index that was made at once.
        let (grown, made) = (index.ancestry().unwrap(), whole.ancestry().unwrap());
        for commit in whole.graph().commits() {
            prop_assert_eq!(grown.entry(commit), made.entry(commit));
            prop_assert_eq!(grown.anchor(commit), made.anchor(commit));
        }
    }
}

#[test]
fn a_step_forward_looks_at_what_is_new() {
    // A trunk of pull requests of one commit each.
    let commit = |number: usize| Commit {
        name: name(number),
        parents: match number {
            0 => vec![],
            _ if number % 2 == 1 => vec![name(number - 1)],
            _ => vec![name(number - 2), name(number - 1)],
        },
        time: number as i64,
        mentions: Mentions::default(),
        likeness: Likeness::default(),
    };
    let mut graph = Graph::new();
    let mut last = None;
    for number in 0..10_001 {
        last = Some(graph.push(commit(number)).unwrap());
    }
    let mut ancestry = Ancestry::new(&graph, last.unwrap());
    for number in 10_001..10_201 {
        last = Some(graph.push(commit(number)).unwrap());
    }
    let looked_at = ancestry.advance(&graph, last.unwrap());
    assert!(looked_at <= 200 * 5, "{looked_at} commits for 200");
    assert_eq!(ancestry.advance(&graph, last.unwrap()), 0);
}
