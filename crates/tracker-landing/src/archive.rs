//! The index on disk: an append-only file of checked segments.
//!
//! A file is [`MAGIC`], then segments: payload length (u32, little endian), kind (u8), payload, and the first eight bytes of
//! SHA-256 over the previous segment's check, the kind and the payload. The chain makes a segment valid only in its place.
//! Invariant: reading stops at the first segment that is cut or damaged and says where; everything before it is exactly what
//! was appended. A writer goes on from there.

mod decode;

use crate::graph::{Commit, ObjectName};
pub(crate) use decode::RawCommit;
use decode::{Cursor, decode};
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
/// Those of the stream, and `InvalidInput` for a segment larger than [`MAX_SEGMENT`] or a commit of more than 65,535 parents.
pub fn append(
    mut stream: impl Write,
    position: &mut Position,
    segment: &Segment,
) -> io::Result<()> {
    let mut payload = Vec::new();
    let kind = match segment {
        Segment::Commits(commits) => {
            for commit in commits {
                if commit.parents.len() > usize::from(u16::MAX) {
                    let (name, count) = (commit.name, commit.parents.len());
                    let problem = format!("commit {name} has {count} parents");
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
                }
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
    let position = check_beginning(&mut stream)?;
    read_on(stream, position, each)
}

/// Reads on from where an earlier reading stopped; `stream` begins at `position.length`.
///
/// # Errors
/// As [`read`].
pub fn read_on(
    stream: impl Read,
    position: Position,
    mut each: impl FnMut(Segment),
) -> Result<Position, ArchiveError> {
    check_on(stream, position, |checked| match checked.segment() {
        Some(segment) => {
            each(segment);
            true
        }
        None => false,
    })
}

/// A segment whose check is right, in its bytes.
#[derive(Debug)]
pub struct Checked {
    kind: u8,
    payload: Vec<u8>,
    /// Where the file goes on after it.
    pub after: Position,
}

impl Checked {
    /// What it holds; `None` for one of a kind that this version does not know.
    pub fn segment(&self) -> Option<Segment> {
        decode(self.kind, &self.payload)
    }

    /// Gives each of its commits to `each`, as they stand; `None` where it holds something else.
    pub(crate) fn commits<E>(
        &self,
        mut each: impl FnMut(RawCommit<'_>) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        if self.kind != KIND_COMMITS {
            return None;
        }
        let mut cursor = Cursor(&self.payload);
        while !cursor.0.is_empty() {
            if let Err(error) = each(cursor.raw_commit()?) {
                return Some(Err(error));
            }
        }
        Some(Ok(()))
    }
}

/// Reads a file's beginning: where its segments begin.
///
/// # Errors
/// [`ArchiveError`].
pub fn check_beginning(mut stream: impl Read) -> Result<Position, ArchiveError> {
    let mut magic = [0; MAGIC.len()];
    if read_whole(&mut stream, &mut magic)? != magic.len() || magic != *MAGIC {
        return Err(ArchiveError::NotAnIndex);
    }
    Ok(Position {
        length: MAGIC.len() as u64,
        check: [0; CHECK],
        ending: Ending::Whole,
    })
}

/// Reads on as [`read_on`], giving each segment as it stands; one that `each` cannot read is where the file is damaged.
///
/// # Errors
/// As [`read`].
pub fn check_on(
    mut stream: impl Read,
    mut position: Position,
    mut each: impl FnMut(Checked) -> bool,
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
        let mut payload = Vec::new();
        let wanted = length as usize + CHECK;
        let limited = stream.by_ref().take(wanted as u64);
        if { limited }.read_to_end(&mut payload)? != wanted {
            break;
        }
        let Some(check) = payload.split_off(length as usize).first_chunk().copied() else {
            break;
        };
        if check_of(position.check, kind, &payload) != check {
            break;
        }
        let after = Position {
            length: position.length + 5 + wanted as u64,
            check,
            ending: Ending::Whole,
        };
        let checked = Checked {
            kind,
            payload,
            after,
        };
        if !each(checked) {
            break;
        }
        position = after;
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
