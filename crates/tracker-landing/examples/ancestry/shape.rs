//! A history of Nixpkgs' shape: a trunk of merged pull requests, staging and staging-next cycles, release branches with
//! backports. Invariant: the same count gives the same history.

use tracker_landing::message::Mentions;
use tracker_landing::{Commit, Likeness, ObjectName};

/// Parents by number, the trunk, and where branches end.
pub(crate) struct Shape {
    pub(crate) parents: Vec<Vec<usize>>,
    pub(crate) commits: Vec<Commit>,
    pub(crate) trunk: Vec<usize>,
    pub(crate) heads: Vec<(String, usize)>,
}

/// A name that is spread like a hash.
pub(crate) fn name(text: &str) -> ObjectName {
    let mut bytes = [0; 20];
    let mut state: u64 = text.parse().unwrap_or(0);
    for chunk in bytes.chunks_mut(4) {
        state = (state ^ (state >> 31))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(0x5851_f42d);
        chunk.copy_from_slice(&(state >> 32).to_le_bytes()[..4]);
    }
    // The number itself keeps names distinct.
    bytes[..4]
        .iter_mut()
        .zip(text.bytes().rev())
        .for_each(|(byte, digit)| *byte ^= digit);
    let number: u32 = text.parse().unwrap_or(0);
    bytes[16..].copy_from_slice(&number.to_le_bytes());
    ObjectName(bytes)
}

impl Shape {
    pub(crate) fn text(number: usize) -> String {
        number.to_string()
    }

    pub(crate) fn new(count: usize) -> Shape {
        let mut shape = Shape {
            parents: vec![vec![]],
            commits: Vec::new(),
            trunk: vec![0],
            heads: Vec::new(),
        };
        let mut state = 1_u64;
        let mut random = move |bound: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % bound
        };
        let (mut staging, mut next) = (0, 0);
        let mut releases: Vec<usize> = Vec::new();
        while shape.parents.len() < count {
            let master = *shape.trunk.last().unwrap_or(&0);
            match random(1000) {
                0..620 => {
                    // A pull request: one to three commits from a recent base, then the merge.
                    let back = random(shape.trunk.len().min(400));
                    let mut tip = shape.trunk[shape.trunk.len() - 1 - back];
                    for _ in 0..=random(3) {
                        tip = shape.add(&[tip]);
                    }
                    let merge = shape.add(&[master, tip]);
                    shape.trunk.push(merge);
                }
                620..800 => {
                    let direct = shape.add(&[master]);
                    shape.trunk.push(direct);
                }
                800..900 => staging = shape.add(&[staging]),
                900..930 => {
                    // master flows into staging-next, and that into staging: criss-cross.
                    next = shape.add(&[next, master]);
                    staging = shape.add(&[staging, next]);
                }
                930..933 => {
                    next = shape.add(&[next, staging]);
                    let merge = shape.add(&[master, next]);
                    shape.trunk.push(merge);
                }
                _ => {
                    if releases.len() < 37
                        && shape.parents.len() > count / 38 * (releases.len() + 1)
                    {
                        releases.push(master);
                    }
                    if let Some(last) = releases.len().checked_sub(1) {
                        let which = last - random(last.min(1) + 1);
                        let head = releases[which];
                        releases[which] = shape.add(&[head]);
                    }
                }
            }
        }
        shape.parents.truncate(count);
        shape.trunk.retain(|commit| *commit < count);
        let master = *shape.trunk.last().unwrap_or(&0);
        let inside = |commit: usize| commit.min(count - 1);
        shape.heads = vec![
            ("master".into(), master),
            ("staging".into(), inside(staging)),
            ("staging-next".into(), inside(next)),
        ];
        shape.heads.extend(
            releases
                .iter()
                .enumerate()
                .map(|(n, head)| (format!("release-{n:02}"), inside(*head))),
        );
        shape.commits = shape
            .parents
            .iter()
            .enumerate()
            .map(|(number, parents)| Commit {
                name: name(&Shape::text(number)),
                parents: parents
                    .iter()
                    .map(|parent| name(&Shape::text(*parent)))
                    .collect(),
                time: 1_500_000_000 + number as i64 * 60,
                mentions: Mentions::default(),
                likeness: Likeness::default(),
            })
            .collect();
        shape
    }

    fn add(&mut self, parents: &[usize]) -> usize {
        self.parents.push(parents.to_vec());
        self.parents.len() - 1
    }
}
