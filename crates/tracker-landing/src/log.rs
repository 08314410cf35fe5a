//! The stream that `git log` writes, read commit by commit.
//!
//! The stream is `git log --topo-order --reverse -z --format=%H%x20%P%n%ct%n%at%x20%ae%n%B`: for each commit its
//! name and its parents' names on one line, the committer time on the next, the author's time and address on the third,
//! then the message, and a zero byte between commits.
//! Invariant: a commit is given whole or not at all; a stream that breaks off is an error, not an end.

use crate::graph::{Commit, GraphError, Likeness, ObjectName};
use crate::message::{Mentions, title_without_tags};
use std::io::{BufRead, Read};
use thiserror::Error;

/// Arguments of `git log` that make the stream this module reads.
pub const ARGUMENTS: &[&str] = &[
    "log",
    "--topo-order",
    "--reverse",
    "-z",
    "--format=%H%x20%P%n%ct%n%at%x20%ae%n%B",
];

/// What is read of a commit: the rest of a longer message is passed over, so that nobody's message ends the index.
pub const MAX_COMMIT_BYTES: u64 = 4 * 1024 * 1024;

/// Lines before the message.
const HEADER_LINES: usize = 3;

/// Why the stream cannot be read on.
#[derive(Debug, Error)]
pub enum LogError {
    /// The stream itself failed: start again.
    #[error("the commit stream breaks off after {commits} commits")]
    Read {
        /// Commits read whole before.
        commits: u64,
        /// What happened.
        source: std::io::Error,
    },
    /// The stream is not in the documented form.
    #[error("commit {commits} of the stream: {reason}")]
    Malformed {
        /// Commits read whole before.
        commits: u64,
        /// What is wrong.
        reason: String,
    },
}

/// Reads commits from a stream of `git log`.
#[derive(Debug)]
pub struct LogReader<R> {
    stream: R,
    commits: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> LogReader<R> {
    /// Reads from `stream`.
    pub fn new(stream: R) -> LogReader<R> {
        LogReader {
            stream,
            commits: 0,
            buffer: Vec::new(),
        }
    }

    fn malformed(&self, reason: impl Into<String>) -> LogError {
        LogError::Malformed {
            commits: self.commits,
            reason: reason.into(),
        }
    }

    /// The next commit; `None` at the end of the stream.
    fn read(&mut self) -> Result<Option<Commit>, LogError> {
        self.buffer.clear();
        let mut limited = Read::take(&mut self.stream, MAX_COMMIT_BYTES + 1);
        limited
            .read_until(0, &mut self.buffer)
            .map_err(|source| LogError::Read {
                commits: self.commits,
                source,
            })?;
        if self.buffer.is_empty() {
            return Ok(None);
        }
        if self.buffer.last() == Some(&0) {
            self.buffer.pop();
        } else if self.buffer.len() as u64 > MAX_COMMIT_BYTES {
            if self.buffer.split(|byte| *byte == b'\n').count() <= HEADER_LINES {
                return Err(
                    self.malformed(format!("has a header of over {MAX_COMMIT_BYTES} bytes"))
                );
            }
            let passed = self.stream.skip_until(0);
            passed.map_err(|source| LogError::Read {
                commits: self.commits,
                source,
            })?;
        }
        let text = String::from_utf8_lossy(&self.buffer);
        let (header, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let (time, rest) = rest.split_once('\n').unwrap_or((rest, ""));
        let (author, message) = rest.split_once('\n').unwrap_or((rest, ""));
        let mut names = header
            .split_ascii_whitespace()
            .map(str::parse::<ObjectName>);
        let name = names.next().ok_or_else(|| self.malformed("has no name"))?;
        let name = name.map_err(|error: GraphError| self.malformed(error.to_string()))?;
        let parents = names
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| self.malformed(error.to_string()))?;
        let time = time
            .parse()
            .map_err(|_| self.malformed(format!("has no time in seconds after commit {name}")))?;
        let commit = Commit {
            name,
            parents,
            time,
            mentions: Mentions::read(message),
            likeness: Likeness::of(
                author,
                title_without_tags(message.lines().next().unwrap_or_default()),
            ),
        };
        self.commits += 1;
        Ok(Some(commit))
    }
}

impl<R: BufRead> Iterator for LogReader<R> {
    type Item = Result<Commit, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
