//! Segments from the bytes of a file.
//!
//! Invariant: a payload that is too short, or of a kind that this version does not know, gives nothing.

use super::{HeadSeen, KIND_COMMITS, KIND_FILES, KIND_HEAD, KIND_PATCHES, Segment};
use crate::graph::{Commit, Likeness, ObjectName};
use crate::message::{Mentions, MergedBranches};

/// A commit as a payload holds it.
#[derive(Debug)]
pub(crate) struct RawCommit<'a> {
    pub(crate) name: ObjectName,
    pub(crate) time: i64,
    /// The parents' names, 20 bytes each.
    parents: &'a [u8],
    /// `None` where its message makes no claim.
    pub(crate) mentions: Option<Mentions>,
    pub(crate) likeness: Likeness,
}

impl<'a> RawCommit<'a> {
    /// The parents, first parent first.
    pub(crate) fn parents(&self) -> impl ExactSizeIterator<Item = ObjectName> + use<'a> {
        self.parents.chunks_exact(NAME).map(|bytes| {
            let mut name = ObjectName([0; NAME]);
            name.0.copy_from_slice(bytes);
            name
        })
    }
}

const NAME: usize = 20;

/// What [`Cursor::mentions`] reads where a message makes no claim: most do not.
const NO_MENTIONS: &[u8] = &[0; 26];

/// The rest of a payload; every step says `None` where the payload is too short.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn name(&mut self) -> Option<ObjectName> {
        self.array().map(ObjectName)
    }

    fn names(&mut self) -> Option<Vec<ObjectName>> {
        let count = u16::from_le_bytes(self.array()?);
        (0..count).map(|_| self.name()).collect()
    }

    fn text(&mut self) -> Option<String> {
        let length = u32::from_le_bytes(self.array()?);
        String::from_utf8(self.bytes(length as usize)?.to_vec()).ok()
    }

    fn texts(&mut self) -> Option<Vec<String>> {
        let count = u16::from_le_bytes(self.array()?);
        (0..count).map(|_| self.text()).collect()
    }

    fn numbers(&mut self) -> Option<Vec<u32>> {
        let count = u16::from_le_bytes(self.array()?);
        (0..count)
            .map(|_| self.array().map(u32::from_le_bytes))
            .collect()
    }

    /// Reads a commit without taking it apart.
    pub(super) fn raw_commit(&mut self) -> Option<RawCommit<'a>> {
        let (name, time) = (self.name()?, i64::from_le_bytes(self.array()?));
        let count = usize::from(u16::from_le_bytes(self.array()?));
        let parents = self.bytes(count * NAME)?;
        let mentions = match self.0.strip_prefix(NO_MENTIONS) {
            Some(rest) => {
                self.0 = rest;
                None
            }
            None => Some(self.mentions()?),
        };
        let author = u32::from_le_bytes(self.array()?);
        let title = u32::from_le_bytes(self.array()?);
        Some(RawCommit {
            name,
            time,
            parents,
            mentions,
            likeness: Likeness { author, title },
        })
    }

    fn mentions(&mut self) -> Option<Mentions> {
        let pull_request = Some(u32::from_le_bytes(self.array()?)).filter(|n| *n != 0);
        let (picked_from, reverts) = (self.names()?, self.names()?);
        let vulnerabilities = self.texts()?;
        let (from, into) = (
            self.text()?,
            Some(self.text()?).filter(|into| !into.is_empty()),
        );
        let merge = (!from.is_empty()).then_some(MergedBranches { from, into });
        let (backport_of, reverts_requests) = (self.numbers()?, self.numbers()?);
        let topic = Some(self.text()?).filter(|topic| !topic.is_empty());
        Some(Mentions {
            pull_request,
            picked_from,
            reverts,
            vulnerabilities,
            merge,
            backport_of,
            reverts_requests,
            topic,
        })
    }

    fn commit(&mut self) -> Option<Commit> {
        let raw = self.raw_commit()?;
        Some(Commit {
            name: raw.name,
            parents: raw.parents().collect(),
            time: raw.time,
            mentions: raw.mentions.unwrap_or_default(),
            likeness: raw.likeness,
        })
    }
}

pub(super) fn decode(kind: u8, payload: &[u8]) -> Option<Segment> {
    let mut cursor = Cursor(payload);
    match kind {
        KIND_COMMITS => {
            let mut commits = Vec::new();
            while !cursor.0.is_empty() {
                commits.push(cursor.commit()?);
            }
            Some(Segment::Commits(commits))
        }
        KIND_HEAD => {
            let line = cursor.text()?;
            let (commit, time) = (cursor.name()?, i64::from_le_bytes(cursor.array()?));
            let release = cursor.text()?;
            let observed = cursor.array::<1>()? == [1];
            Some(Segment::Head(HeadSeen {
                line,
                commit,
                time,
                release,
                observed,
            }))
        }
        KIND_PATCHES => {
            let mut patches = Vec::new();
            while !cursor.0.is_empty() {
                patches.push((cursor.name()?, cursor.name()?));
            }
            Some(Segment::Patches(patches))
        }
        KIND_FILES => {
            let mut files = Vec::new();
            while !cursor.0.is_empty() {
                files.push((cursor.name()?, cursor.texts()?));
            }
            Some(Segment::Files(files))
        }
        _ => None,
    }
}
