//! The index on disk: an append-only file of checked segments.
//!
//! A file is [`MAGIC`], then segments: payload length (u32, little endian), kind (u8), payload, and the first eight bytes of
//! SHA-256 over the previous segment's check, the kind and the payload. The chain makes a segment valid only in its place.
//! Invariant: reading stops at the first segment that is cut or damaged and says where; everything before it is exactly what
//! was appended. A writer goes on from there.

use crate::graph::{Commit, Likeness, ObjectName};
use crate::message::{Mentions, MergedBranches};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};
use thiserror::Error;

/// First bytes of the file; the digit is the format's version.
pub const MAGIC: &[u8; 16] = b"rootstock-land-2";

/// The largest segment that is read.
pub const MAX_SEGMENT: u32 = 64 * 1024 * 1024;

const CHECK: usize = 8;
const KIND_COMMITS: u8 = 1;
const KIND_HEAD: u8 = 2;
const KIND_PATCHES: u8 = 3;
const KIND_FILES: u8 = 4;

/// A head that a branch or channel was seen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadSeen {
    /// Branch or channel, as `branch:master` or `channel:nixos-unstable`.
    pub line: String,
    /// The commit.
    pub commit: ObjectName,
    /// Seconds since 1970 at which the line moved there.
    pub time: i64,
    /// Name of the release, empty for a branch.
    pub release: String,
    /// Whether the time is that of a poll, not of the move itself.
    pub observed: bool,
}

/// What a segment holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Commits, parents before children.
    Commits(Vec<Commit>),
    /// A head.
    Head(HeadSeen),
    /// What commits change, as `git patch-id --stable` names it: the same for a commit and for one picked from it.
    Patches(Vec<(ObjectName, ObjectName)>),
    /// Vulnerabilities that the names of files which a commit adds name.
    Files(Vec<(ObjectName, Vec<String>)>),
}

/// Why a file cannot be read at all.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The file's beginning is not ours: it is another file, or of another version.
    #[error("the file is no landing index of version 2")]
    NotAnIndex,
    /// The disk failed.
    #[error("the landing index cannot be read")]
    Read(#[from] io::Error),
}

/// How a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// After a whole segment.
    Whole,
    /// In a segment that is cut or damaged; the rest of the file is to be written again.
    Damaged,
}

/// Where reading stopped, and what a writer needs to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Bytes that are valid: cut the file here before appending.
    pub length: u64,
    /// Check of the last valid segment.
    pub check: [u8; CHECK],
    /// How the file ended.
    pub ending: Ending,
}

/// Writes a new file's beginning.
///
/// # Errors
/// Those of the stream.
pub fn begin(mut stream: impl Write) -> io::Result<Position> {
    stream.write_all(MAGIC)?;
    Ok(Position {
        length: MAGIC.len() as u64,
        check: [0; CHECK],
        ending: Ending::Whole,
    })
}

/// Appends a segment; `position` moves behind it.
///
/// # Errors
/// Those of the stream, and `InvalidInput` for a segment larger than [`MAX_SEGMENT`].
pub fn append(
    mut stream: impl Write,
    position: &mut Position,
    segment: &Segment,
) -> io::Result<()> {
    let mut payload = Vec::new();
    let kind = match segment {
        Segment::Commits(commits) => {
            for commit in commits {
                write_commit(&mut payload, commit);
            }
            KIND_COMMITS
        }
        Segment::Head(head) => {
            write_text(&mut payload, &head.line);
            payload.extend_from_slice(&head.commit.0);
            payload.extend_from_slice(&head.time.to_le_bytes());
            write_text(&mut payload, &head.release);
            payload.push(u8::from(head.observed));
            KIND_HEAD
        }
        Segment::Patches(patches) => {
            for (commit, patch) in patches {
                payload.extend_from_slice(&commit.0);
                payload.extend_from_slice(&patch.0);
            }
            KIND_PATCHES
        }
        Segment::Files(files) => {
            for (commit, ids) in files {
                payload.extend_from_slice(&commit.0);
                write_texts(&mut payload, ids);
            }
            KIND_FILES
        }
    };
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|length| *length <= MAX_SEGMENT);
    let length =
        length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "segment too large"))?;
    let check = check_of(position.check, kind, &payload);
    let mut bytes = Vec::with_capacity(payload.len() + 5 + CHECK);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.push(kind);
    bytes.append(&mut payload);
    bytes.extend_from_slice(&check);
    stream.write_all(&bytes)?;
    position.length += bytes.len() as u64;
    position.check = check;
    Ok(())
}

/// Reads a file, giving each segment to `each`, and says where to go on.
///
/// # Errors
/// [`ArchiveError`]; damage after a valid beginning is no error but an [`Ending`].
pub fn read(mut stream: impl Read, each: impl FnMut(Segment)) -> Result<Position, ArchiveError> {
    let mut magic = [0; MAGIC.len()];
    if read_whole(&mut stream, &mut magic)? != magic.len() || magic != *MAGIC {
        return Err(ArchiveError::NotAnIndex);
    }
    let position = Position {
        length: MAGIC.len() as u64,
        check: [0; CHECK],
        ending: Ending::Whole,
    };
    read_on(stream, position, each)
}

/// Reads on from where an earlier reading stopped; `stream` begins at `position.length`.
///
/// # Errors
/// As [`read`].
pub fn read_on(
    mut stream: impl Read,
    mut position: Position,
    mut each: impl FnMut(Segment),
) -> Result<Position, ArchiveError> {
    position.ending = Ending::Whole;
    loop {
        let mut header = [0; 5];
        match read_whole(&mut stream, &mut header)? {
            0 => return Ok(position),
            5 => {}
            _ => break,
        }
        let [a, b, c, d, kind] = header;
        let length = u32::from_le_bytes([a, b, c, d]);
        if length > MAX_SEGMENT {
            break;
        }
        let mut rest = Vec::new();
        let wanted = length as usize + CHECK;
        stream.by_ref().take(wanted as u64).read_to_end(&mut rest)?;
        let Some((payload, check)) = rest.split_last_chunk::<CHECK>() else {
            break;
        };
        if rest.len() != wanted || check_of(position.check, kind, payload) != *check {
            break;
        }
        let Some(segment) = decode(kind, payload) else {
            break;
        };
        position.length += 5 + wanted as u64;
        position.check = *check;
        each(segment);
    }
    position.ending = Ending::Damaged;
    Ok(position)
}

fn check_of(previous: [u8; CHECK], kind: u8, payload: &[u8]) -> [u8; CHECK] {
    let digest = Sha256::new()
        .chain_update(previous)
        .chain_update([kind])
        .chain_update(payload);
    let mut check = [0; CHECK];
    check
        .iter_mut()
        .zip(digest.finalize())
        .for_each(|(to, from)| *to = from);
    check
}

/// Fills `buffer` as far as the stream goes; says how far.
fn read_whole(stream: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn write_names(bytes: &mut Vec<u8>, names: &[ObjectName]) {
    bytes.extend_from_slice(&(names.len() as u16).to_le_bytes());
    for name in names {
        bytes.extend_from_slice(&name.0);
    }
}

fn write_texts(bytes: &mut Vec<u8>, texts: &[String]) {
    let texts = texts.get(..usize::from(u16::MAX)).unwrap_or(texts);
    bytes.extend_from_slice(&(texts.len() as u16).to_le_bytes());
    for text in texts {
        write_text(bytes, text);
    }
}

fn write_numbers(bytes: &mut Vec<u8>, numbers: &[u32]) {
    bytes.extend_from_slice(&(numbers.len() as u16).to_le_bytes());
    for number in numbers {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
}

fn write_commit(bytes: &mut Vec<u8>, commit: &Commit) {
    bytes.extend_from_slice(&commit.name.0);
    bytes.extend_from_slice(&commit.time.to_le_bytes());
    write_names(bytes, &commit.parents);
    bytes.extend_from_slice(&commit.mentions.pull_request.unwrap_or(0).to_le_bytes());
    write_names(bytes, &commit.mentions.picked_from);
    write_names(bytes, &commit.mentions.reverts);
    write_texts(bytes, &commit.mentions.vulnerabilities);
    // An empty name stands for none: a branch's name is never empty.
    let (from, into) = match &commit.mentions.merge {
        Some(merge) => (merge.from.as_str(), merge.into.as_deref().unwrap_or("")),
        None => ("", ""),
    };
    write_text(bytes, from);
    write_text(bytes, into);
    write_numbers(bytes, &commit.mentions.backport_of);
    write_numbers(bytes, &commit.mentions.reverts_requests);
    write_text(bytes, commit.mentions.topic.as_deref().unwrap_or(""));
    bytes.extend_from_slice(&commit.likeness.author.to_le_bytes());
    bytes.extend_from_slice(&commit.likeness.title.to_le_bytes());
}

/// The rest of a payload; every step says `None` where the payload is too short.
struct Cursor<'a>(&'a [u8]);

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

    fn commit(&mut self) -> Option<Commit> {
        let (name, time) = (self.name()?, i64::from_le_bytes(self.array()?));
        let parents = self.names()?;
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
        let mentions = Mentions {
            pull_request,
            picked_from,
            reverts,
            vulnerabilities,
            merge,
            backport_of,
            reverts_requests,
            topic,
        };
        let author = u32::from_le_bytes(self.array()?);
        let title = u32::from_le_bytes(self.array()?);
        Some(Commit {
            name,
            parents,
            time,
            mentions,
            likeness: Likeness { author, title },
        })
    }
}

fn decode(kind: u8, payload: &[u8]) -> Option<Segment> {
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
