//! The commit graph: every commit has a number, parents before children.
//!
//! Invariant: a commit's parents have smaller numbers, so numbers are a topological order and the graph has no cycle.

mod claims;
mod names;

use crate::message::Mentions;
use claims::Claims;
use jiff::Timestamp;
use names::NameTable;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use thiserror::Error;

/// More parents than any merge has; an octopus of this size is damage.
pub const MAX_PARENTS: usize = 1024;

/// The shortest prefix of an object name that is looked up.
pub const MIN_PREFIX: usize = 4;

/// Commits that may come before the order of names is made anew.
const MAX_UNSORTED: usize = 10_000;

/// What is wrong with a commit, or with a question about one.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum GraphError {
    /// The text is no object name: ask again with hexadecimal digits.
    #[error("`{0}` is not a commit name (4 to 40 hexadecimal digits)")]
    NotAName(String),
    /// The commit is not in the graph: fetch, or index again.
    #[error("commit `{0}` is not in the index")]
    Unknown(String),
    /// Several commits begin so: give more digits.
    #[error(
        "`{prefix}` is ambiguous: it begins {count} commit names, such as {first} and {second}"
    )]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// How many commits begin so.
        count: usize,
        /// One of them.
        first: ObjectName,
        /// Another.
        second: ObjectName,
    },
    /// The commit came twice.
    #[error("commit {0} comes twice")]
    Duplicate(ObjectName),
    /// More parents than [`MAX_PARENTS`].
    #[error("commit {0} names {1} parents; the limit is {MAX_PARENTS}")]
    TooManyParents(ObjectName, usize),
    /// The graph holds as many commits as numbers can name.
    #[error("the index is full at {0} commits")]
    Full(u32),
}

/// A SHA-1 object name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(pub [u8; 20]);

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl serde::Serialize for ObjectName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ObjectName {
    type Err = GraphError;

    fn from_str(text: &str) -> Result<Self, GraphError> {
        let not_a_name = || GraphError::NotAName(text.chars().take(80).collect());
        let digits = text.as_bytes();
        if digits.len() != 40 {
            return Err(not_a_name());
        }
        let mut name = [0; 20];
        for (byte, pair) in name.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
            match pair {
                [high, low] => {
                    *byte = digit(*high).ok_or_else(not_a_name)? << 4
                        | digit(*low).ok_or_else(not_a_name)?;
                }
                _ => return Err(not_a_name()),
            }
        }
        Ok(ObjectName(name))
    }
}

/// A commit's number in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitNumber(pub(crate) u32);

impl CommitNumber {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A commit as it enters the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its name.
    pub name: ObjectName,
    /// Its parents, first parent first.
    pub parents: Vec<ObjectName>,
    /// Committer time in seconds since 1970; the graph sets one beyond the calendar to its end.
    pub time: i64,
    /// What its message says of other commits and pull requests.
    pub mentions: Mentions,
    /// What it may have in common with a commit that was picked from it.
    pub likeness: Likeness,
}

/// What a picked commit keeps of the one it was picked from: digests of 32 bits, to find those worth comparing; 0 stands
/// for unknown. Equal ones prove nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Likeness {
    /// Of the author's address and the time of authorship.
    pub author: u32,
    /// Of the title without its tags.
    pub title: u32,
}

impl Likeness {
    /// The likeness of a commit by its author line (`SECONDS ADDRESS`) and title.
    pub fn of(author: &str, title: &str) -> Likeness {
        let digest = |text: &str| {
            // FNV-1a, folded: any even spread will do.
            let sum = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
                (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
            if text.is_empty() {
                0
            } else {
                ((sum >> 32) ^ sum) as u32
            }
        };
        Likeness {
            author: digest(author),
            title: digest(title),
        }
    }
}

/// All commits of a repository.
#[derive(Debug, Default)]
pub struct Graph {
    names: Vec<ObjectName>,
    times: Vec<i64>,
    likenesses: Vec<Likeness>,
    /// Where each commit's parents begin in `parents`; its end is the next one's beginning.
    starts: Vec<u32>,
    parents: Vec<CommitNumber>,
    claims: Claims,
    numbers: NameTable,
    boundary: Vec<CommitNumber>,
    /// The first so many numbers by name; those that came since are looked through.
    sorted: OnceLock<Vec<u32>>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Graph {
        Graph::default()
    }

    /// Makes place for so many commits, so that what holds them need not grow step by step.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.numbers.reserve(count);
        self.names.reserve(count);
        self.times.reserve(count);
        self.likenesses.reserve(count);
        self.starts.reserve(count);
        self.parents.reserve(count);
    }

    /// How many commits there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Adds a commit whose parents were added before. A parent that is not there makes it a boundary commit: what
    /// lies beyond is unknown, as in a shallow clone.
    ///
    /// # Errors
    /// [`GraphError::Duplicate`], [`GraphError::TooManyParents`] or [`GraphError::Full`]; the graph is unchanged then.
    pub fn push(&mut self, commit: Commit) -> Result<CommitNumber, GraphError> {
        let mentions = Some(commit.mentions).filter(|mentions| !mentions.is_empty());
        let parents = commit.parents.iter().copied();
        self.add(commit.name, parents, commit.time, commit.likeness, mentions)
    }

    /// Adds a commit as [`Graph::push`] does, from its parts.
    pub(crate) fn add(
        &mut self,
        name: ObjectName,
        parents: impl ExactSizeIterator<Item = ObjectName>,
        time: i64,
        likeness: Likeness,
        mentions: Option<Mentions>,
    ) -> Result<CommitNumber, GraphError> {
        if parents.len() > MAX_PARENTS {
            return Err(GraphError::TooManyParents(name, parents.len()));
        }
        // One number is kept free: the indices use it for "nowhere".
        let number = u32::try_from(self.len()).ok().filter(|n| *n < u32::MAX - 1);
        let number = number.ok_or(GraphError::Full(u32::MAX - 1))?;
        if self.find(&name).is_some() {
            return Err(GraphError::Duplicate(name));
        }
        self.starts.push(self.parents.len() as u32);
        let mut complete = true;
        for parent in parents {
            match self.find(&parent) {
                Some(parent) => self.parents.push(parent),
                None => complete = false,
            }
        }
        let this = CommitNumber(number);
        if !complete {
            self.boundary.push(this);
        }
        self.likenesses.push(likeness);
        if let Some(mentions) = mentions {
            self.claims.add(this, mentions);
        }
        self.names.push(name);
        let (earliest, latest) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        self.times.push(time.clamp(earliest, latest));
        self.numbers.add(&self.names);
        let sorted = self.sorted.get().map_or(self.len(), Vec::len);
        if self.len() - sorted > MAX_UNSORTED {
            self.sorted = OnceLock::new();
        }
        Ok(this)
    }

    /// The commit with this name.
    pub fn find(&self, name: &ObjectName) -> Option<CommitNumber> {
        self.numbers.find(&self.names, name).map(CommitNumber)
    }

    /// The commit that a person means by a name or the beginning of one.
    ///
    /// # Errors
    /// [`GraphError::NotAName`], [`GraphError::Unknown`] or [`GraphError::Ambiguous`].
    pub fn resolve(&self, text: &str) -> Result<CommitNumber, GraphError> {
        let digits = text.trim().to_ascii_lowercase();
        let valid = (MIN_PREFIX..=40).contains(&digits.len())
            && digits.bytes().all(|c| c.is_ascii_hexdigit());
        if !valid {
            return Err(GraphError::NotAName(text.chars().take(80).collect()));
        }
        let lowest: ObjectName = format!("{digits:0<40}").parse()?;
        let highest: ObjectName = format!("{digits:f<40}").parse()?;
        let sorted = self.sorted.get_or_init(|| {
            let mut order: Vec<u32> = (0..self.names.len() as u32).collect();
            order.sort_unstable_by_key(|number| self.names.get(*number as usize));
            order
        });
        let name_at = |number: u32| self.name(CommitNumber(number));
        let from = sorted.partition_point(|number| name_at(*number) < lowest);
        let to = sorted.partition_point(|number| name_at(*number) <= highest);
        let mut found = sorted.get(from..to).unwrap_or_default().to_vec();
        let since = sorted.len() as u32..self.names.len() as u32;
        found.extend(since.filter(|number| (lowest..=highest).contains(&name_at(*number))));
        match found.as_slice() {
            [] => Err(GraphError::Unknown(digits)),
            [one] => Ok(CommitNumber(*one)),
            [first, second, ..] => Err(GraphError::Ambiguous {
                prefix: digits,
                count: found.len(),
                first: name_at(*first),
                second: name_at(*second),
            }),
        }
    }

    /// The name of a commit of this graph.
    pub fn name(&self, commit: CommitNumber) -> ObjectName {
        self.names
            .get(commit.index())
            .copied()
            .unwrap_or(ObjectName([0; 20]))
    }

    /// Committer time in seconds since 1970.
    pub fn time(&self, commit: CommitNumber) -> i64 {
        self.times.get(commit.index()).copied().unwrap_or_default()
    }

    /// The parents that are in the graph, first parent first.
    pub fn parents(&self, commit: CommitNumber) -> &[CommitNumber] {
        let from = self
            .starts
            .get(commit.index())
            .map_or(0, |start| *start as usize);
        let to = self
            .starts
            .get(commit.index() + 1)
            .map_or(self.parents.len(), |s| *s as usize);
        self.parents.get(from..to).unwrap_or_default()
    }

    /// All commits, parents before children.
    pub fn commits(&self) -> impl DoubleEndedIterator<Item = CommitNumber> + use<> {
        (0..self.names.len() as u32).map(CommitNumber)
    }

    /// The commits that no other one has as a parent: every other one is reached from them.
    pub fn tips(&self) -> impl Iterator<Item = CommitNumber> + use<> {
        let mut is_parent = vec![false; self.len()];
        for parent in &self.parents {
            if let Some(mark) = is_parent.get_mut(parent.index()) {
                *mark = true;
            }
        }
        self.commits()
            .zip(is_parent)
            .filter(|(_, is_parent)| !is_parent)
            .map(|(commit, _)| commit)
    }

    /// Commits with a parent outside the graph. Not empty in a shallow clone.
    pub fn boundary(&self) -> &[CommitNumber] {
        &self.boundary
    }

    /// Gathers who says what, so that the first question need not.
    pub(crate) fn gather_claims(&self) {
        self.claims.sayers();
    }

    /// What the commit's message says of others.
    pub fn mentions(&self, commit: CommitNumber) -> Option<&Mentions> {
        self.claims.of(commit)
    }

    /// The commits that say they are this pull request's, oldest first.
    pub fn of_pull_request(&self, number: u32) -> &[CommitNumber] {
        self.claims.sayers().pull_requests.of(&number)
    }

    /// The commits that say they were picked from this one.
    pub fn picks_of(&self, name: &ObjectName) -> &[CommitNumber] {
        self.claims.sayers().picked.of(name)
    }

    /// The commits that say they bring this pull request to another branch.
    pub fn backports_of(&self, request: u32) -> &[CommitNumber] {
        self.claims.sayers().backports.of(&request)
    }

    /// The commits that say they undo this pull request.
    pub fn reverts_of_request(&self, request: u32) -> &[CommitNumber] {
        self.claims.sayers().reverted_requests.of(&request)
    }

    /// What a commit may have in common with its picks.
    pub fn likeness(&self, commit: CommitNumber) -> Likeness {
        self.likenesses
            .get(commit.index())
            .copied()
            .unwrap_or_default()
    }

    /// The commits that say they revert this one.
    pub fn reverts_of(&self, name: &ObjectName) -> &[CommitNumber] {
        self.claims.sayers().reverted.of(name)
    }
}
