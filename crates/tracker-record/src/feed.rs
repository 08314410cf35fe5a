//! A feed split into raw documents, one at a time: JSON lines, JSON values one after another, a list of
//! records, a list inside an envelope (NVD, KEV, EUVD), the trackers of Debian and Alpine, an EPSS table. What it
//! is, its first bytes say.
//!
//! Splitting only follows strings, escapes and brackets, so a broken record costs that record alone.
//! Invariant: memory is bounded by one document (of Debian's tracker by one package, of Alpine's by one file), and
//! every byte belongs to a document, to a [`Skipped`] or to the envelope.

mod alpine;
mod debian;
mod scan;
mod window;

use crate::read::Epss;
use scan::{Head, ListStep, Member, Scan};
use std::collections::VecDeque;
use std::io::Read;
use window::Window;

/// The largest document that is read, in bytes; the largest real one has under 2 MB.
pub const MAX_DOCUMENT_BYTES: usize = 32 << 20;

/// How much of the beginning is looked at to tell lines from one long text.
const HEAD_BYTES: usize = 1 << 20;

/// The first block of a tar archive.
const TAR_BLOCK_BYTES: usize = 512;

/// Keys under which envelopes keep their list of records.
const LISTS: [&[u8]; 4] = [b"vulnerabilities", b"CVE_Items", b"vulns", b"items"];

/// The most documents that a package of Debian's tracker, or a file of Alpine's, is cut into.
const MAX_PARTS: usize = 200_000;

/// A raw document of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its number in the feed, from 0.
    pub index: u64,
    /// Where it begins, in bytes of the unpacked feed.
    pub offset: u64,
    /// The document.
    pub raw: Vec<u8>,
}

/// A part of a feed that is no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The number it would have had.
    pub index: u64,
    /// Where it begins.
    pub offset: u64,
    /// Why.
    pub reason: SplitError,
}

/// Why a part of a feed is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Longer than [`MAX_DOCUMENT_BYTES`].
    #[error("larger than {} MiB", MAX_DOCUMENT_BYTES >> 20)]
    TooLarge,
    /// The feed ends inside it.
    #[error("the feed ends before the record does")]
    NotClosed,
    /// Something between the values.
    #[error("{found:?} where a record should begin")]
    NotJson {
        /// The first characters.
        found: String,
    },
    /// The feed could not be read on: cut off, damaged, or over a limit of unpacking.
    #[error("cannot be read on: {reason}")]
    Unreadable {
        /// What the reader says.
        reason: String,
    },
}

/// Why a file is no feed at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAFeed {
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// An archive of an unsupported kind.
    #[error("is a tar archive, not a feed: unpack it and name the files")]
    Tar,
    /// A table other than EPSS's.
    #[error("is a table whose first line is {header:?}, not EPSS's")]
    Table {
        /// The first line, shortened.
        header: String,
    },
    /// Text in another encoding.
    #[error("is {encoding} text; feeds are UTF-8")]
    Encoding {
        /// Which.
        encoding: &'static str,
    },
    /// Neither JSON nor a table.
    #[error("is no JSON and no table")]
    Unknown,
    /// The beginning could not be read.
    #[error("{reason}")]
    Unreadable {
        /// What the reader says.
        reason: String,
    },
}

#[derive(Debug)]
enum Shape {
    /// Values one after another.
    Values,
    /// A value a line.
    Lines,
    /// Inside a list; `true` if an envelope closes after it.
    List(bool),
    /// Inside Debian's object of packages.
    Packages,
    /// Rows under a head.
    Table(Epss),
    /// Nothing more comes.
    Done,
}

/// What a step through a feed came to.
enum Step {
    /// A document, or a part that is none.
    Item(Result<Document, Skipped>),
    /// Nothing yet: the next step goes on.
    Again,
    /// The feed ends.
    End,
}

impl From<Result<Document, Skipped>> for Step {
    fn from(item: Result<Document, Skipped>) -> Step {
        Step::Item(item)
    }
}

/// The documents of a feed, in order.
#[derive(Debug)]
pub struct Feed<R> {
    window: Window<R>,
    shape: Shape,
    next_index: u64,
    /// Elements of an envelope that was one line.
    waiting: VecDeque<Document>,
}

impl<R: Read> Feed<R> {
    /// Looks at the beginning and tells what kind of feed it is.
    ///
    /// # Errors
    /// When it is none; the reason is meant for people.
    pub fn open(input: R) -> Result<Feed<R>, NotAFeed> {
        let mut window = Window::new(input);
        // Two lines settle what kind it is, and a block of a tar archive.
        while window.rest().len() < HEAD_BYTES
            && (window.rest().len() < TAR_BLOCK_BYTES
                || memchr::memchr_iter(b'\n', window.rest()).nth(1).is_none())
        {
            match window.fill() {
                Ok(true) => {}
                Ok(false) => break,
                // What came before the failure is worth its records; the failure comes up again behind them.
                Err(_) if !window.rest().is_empty() => break,
                Err(error) => {
                    let reason = error.to_string();
                    return Err(NotAFeed::Unreadable { reason });
                }
            }
        }
        if window.rest().starts_with(b"\xef\xbb\xbf") {
            window.consume(3);
        }
        let head = window.rest();
        let shape = match refusal(head) {
            Some(NotAFeed::Empty) if head.len() >= HEAD_BYTES => return Err(NotAFeed::Unknown),
            Some(refusal) => return Err(refusal),
            None if begins_table(head) => {
                let (epss, length) = Epss::head(head).ok_or_else(|| NotAFeed::Table {
                    header: first_line(head),
                })?;
                window.consume(length);
                Shape::Table(epss)
            }
            None => match debian::begins(head) {
                Some(first) => {
                    window.consume(first);
                    Shape::Packages
                }
                None if two_lines_of_objects(head) => Shape::Lines,
                None => Shape::Values,
            },
        };
        Ok(Feed {
            window,
            shape,
            next_index: 0,
            waiting: VecDeque::new(),
        })
    }

    fn document(&mut self, offset: u64, raw: Vec<u8>) -> Document {
        let index = self.number();
        Document { index, offset, raw }
    }

    fn number(&mut self) -> u64 {
        self.next_index += 1;
        self.next_index - 1
    }

    fn skipped(&mut self, offset: u64, reason: SplitError) -> Skipped {
        if matches!(
            reason,
            SplitError::Unreadable { .. } | SplitError::NotClosed
        ) {
            self.shape = Shape::Done;
        }
        let index = self.number();
        Skipped {
            index,
            offset,
            reason,
        }
    }

    /// The next line that is not blank.
    fn next_line(&mut self) -> Option<Result<(u64, Vec<u8>), Skipped>> {
        loop {
            let offset = self.window.offset();
            match self.window.line(MAX_DOCUMENT_BYTES) {
                Ok(None) => return None,
                Ok(Some(line)) if line.trim_ascii().is_empty() => {}
                Ok(Some(line)) => return Some(Ok((offset, line.trim_ascii_end().to_vec()))),
                Err(reason) => return Some(Err(self.skipped(offset, reason))),
            }
        }
    }

    fn next_of_lines(&mut self) -> Step {
        let (offset, raw) = match self.next_line() {
            Some(Ok(line)) => line,
            Some(Err(skipped)) => return Step::Item(Err(skipped)),
            None => return Step::End,
        };
        // A line may be an envelope of its own: an answer of NVD's interface a line.
        let may_be_envelope = LISTS
            .iter()
            .any(|key| memchr::memmem::find(&raw, key).is_some());
        if may_be_envelope && let Some(elements) = Head::list_of(&raw, &LISTS) {
            for range in elements {
                let start = range.start as u64;
                let document = self.document(offset + start, raw[range].to_vec());
                self.waiting.push_back(document);
            }
            return Step::Again;
        }
        Ok(self.document(offset, raw)).into()
    }

    fn next_of_table(&mut self) -> Step {
        let (offset, row) = match self.next_line() {
            Some(Ok(line)) => line,
            Some(Err(skipped)) => return Step::Item(Err(skipped)),
            None => return Step::End,
        };
        let Shape::Table(epss) = &self.shape else {
            return Step::End;
        };
        let raw = epss.document(&row);
        Ok(self.document(offset, raw)).into()
    }

    /// One step through top-level values.
    fn next_of_values(&mut self) -> Step {
        let first = match self
            .window
            .skip(|byte| byte.is_ascii_whitespace() || byte == b',')
        {
            Ok(Some(first)) => first,
            Ok(None) => return Step::End,
            Err(reason) => {
                let offset = self.window.offset();
                return Err(self.skipped(offset, reason)).into();
            }
        };
        let offset = self.window.offset();
        match first {
            b'[' => {
                self.window.consume(1);
                self.shape = Shape::List(false);
                Step::Again
            }
            b'{' => {
                let mut head = Head::new(&LISTS);
                match self
                    .window
                    .take(MAX_DOCUMENT_BYTES, |bytes| head.scan(bytes))
                {
                    Ok(raw) if head.found_list() => {
                        drop(raw);
                        self.shape = Shape::List(true);
                        Step::Again
                    }
                    Ok(raw) => match alpine::documents(&raw) {
                        Some(documents) => {
                            for raw in documents {
                                let document = self.document(offset, raw);
                                self.waiting.push_back(document);
                            }
                            Step::Again
                        }
                        None => Ok(self.document(offset, raw)).into(),
                    },
                    Err(reason) => Err(self.skipped(offset, reason)).into(),
                }
            }
            _ => {
                // Goes on at the next line.
                let reason = match self.window.line(MAX_DOCUMENT_BYTES) {
                    Ok(line) => SplitError::NotJson {
                        found: first_line(&line.unwrap_or_default()),
                    },
                    Err(reason) => reason,
                };
                Err(self.skipped(offset, reason)).into()
            }
        }
    }

    /// A step through the packages of Debian's tracker.
    fn next_of_packages(&mut self) -> Step {
        let between = |byte: u8| byte.is_ascii_whitespace() || byte == b',';
        let first = self.window.skip(between);
        let offset = self.window.offset();
        let reason = match first {
            Ok(Some(b'}')) => {
                self.window.consume(1);
                self.shape = Shape::Values;
                return Step::Again;
            }
            Ok(Some(_)) => {
                let mut member = Member::new();
                let taken = self
                    .window
                    .take(MAX_DOCUMENT_BYTES, |bytes| member.scan(bytes));
                match taken.and_then(|member| debian::documents(&member)) {
                    Ok(documents) => {
                        for (start, raw) in documents {
                            let document = self.document(offset + start as u64, raw);
                            self.waiting.push_back(document);
                        }
                        return Step::Again;
                    }
                    Err(reason) => reason,
                }
            }
            Ok(None) => SplitError::NotClosed,
            Err(reason) => reason,
        };
        Step::Item(Err(self.skipped(offset, reason)))
    }

    fn next_of_list(&mut self, in_envelope: bool) -> Step {
        let between = |byte: u8| byte.is_ascii_whitespace() || byte == b',';
        let first = self.window.skip(between);
        let offset = self.window.offset();
        let reason = match first {
            Ok(Some(b']')) => {
                self.window.consume(1);
                self.shape = Shape::Values;
                if in_envelope {
                    // The rest of the envelope, down to its closing bracket.
                    let mut rest = Scan::inside_object();
                    if let Err(reason) = self.window.discard(|bytes| rest.scan(bytes)) {
                        return Err(self.skipped(offset, reason)).into();
                    }
                }
                return Step::Again;
            }
            Ok(Some(_)) => {
                let mut element = Scan::element();
                match self
                    .window
                    .take(MAX_DOCUMENT_BYTES, |bytes| element.scan(bytes))
                {
                    Ok(raw) => return Ok(self.document(offset, raw)).into(),
                    Err(reason) => reason,
                }
            }
            Ok(None) => SplitError::NotClosed,
            Err(reason) => reason,
        };
        Err(self.skipped(offset, reason)).into()
    }
}

impl<R: Read> Iterator for Feed<R> {
    type Item = Result<Document, Skipped>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(document) = self.waiting.pop_front() {
                return Some(Ok(document));
            }
            let step = match self.shape {
                Shape::Values => self.next_of_values(),
                Shape::Lines => self.next_of_lines(),
                Shape::List(in_envelope) => self.next_of_list(in_envelope),
                Shape::Packages => self.next_of_packages(),
                Shape::Table(_) => self.next_of_table(),
                Shape::Done => Step::End,
            };
            match step {
                Step::Item(item) => return Some(item),
                Step::Again => {}
                Step::End => return None,
            }
        }
    }
}

/// Why the beginning is none of a feed, if it plainly is not.
fn refusal(head: &[u8]) -> Option<NotAFeed> {
    let encoding = |encoding| Some(NotAFeed::Encoding { encoding });
    let first = head.trim_ascii_start().first();
    match head {
        _ if head.get(257..262) == Some(b"ustar") => Some(NotAFeed::Tar),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{' | b'[', 0, ..] | [0, b'{' | b'[', ..] => {
            encoding("UTF-16 or UTF-32")
        }
        _ if first.is_none() => Some(NotAFeed::Empty),
        _ if matches!(first, Some(b'{' | b'[')) || begins_table(head) => None,
        _ => {
            let line = first_line(head);
            let text = !head.iter().take(TAR_BLOCK_BYTES).any(|byte| *byte < b'\t');
            if text && line.contains([',', ';', '\t']) {
                return Some(NotAFeed::Table { header: line });
            }
            Some(NotAFeed::Unknown)
        }
    }
}

fn begins_table(head: &[u8]) -> bool {
    head.first() == Some(&b'#') || head.starts_with(b"cve,")
}

/// Whether the first two lines each begin an object: then each line is a document, and a broken one ends
/// where its line does.
fn two_lines_of_objects(head: &[u8]) -> bool {
    let mut lines = head.trim_ascii_start().splitn(3, |byte| *byte == b'\n');
    let mut begins = || lines.next().and_then(|line| line.first()) == Some(&b'{');
    begins() && begins()
}

/// The first line as text, shortened.
fn first_line(head: &[u8]) -> String {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = &line[..line.len().min(240)];
    let text = String::from_utf8_lossy(line);
    text.trim().chars().take(60).collect()
}

/// What [`ListStep`] says, for readers of a list that is wholly in memory.
pub(crate) type Elements = Vec<std::ops::Range<usize>>;

fn elements_of(list: &[u8]) -> Option<Elements> {
    let mut found = Elements::new();
    let mut position = 0;
    loop {
        match ListStep::at(list, position)? {
            ListStep::End => return Some(found),
            ListStep::Element(range) => {
                position = range.end;
                found.push(range);
            }
        }
    }
}

#[cfg(test)]
mod tests;
