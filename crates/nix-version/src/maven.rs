//! Maven's versions and version ranges.
//!
//! Source: Maven's "POM reference", section "Version order specification" and "Dependency version requirement
//! specification", and the behaviour of `ComparableVersion` 3.8 where the two agree. Invariant: every text is a version;
//! the order is reversible, and total on versions without nested separators (`1-.1`), where Maven's own is not.

use crate::number::{Number, split_digits};
use std::cmp::Ordering;

/// Longest text that is read, in bytes; longer ones are no versions.
pub const MAX_LENGTH: usize = 256;

/// A version of a Maven artifact.
///
/// ```
/// use nix_version::maven::Version;
/// let version = |text| Version::parse(text).unwrap();
/// assert!(version("1.0-alpha-1") < version("1.0-SNAPSHOT"));
/// assert!(version("1.0-SNAPSHOT") < version("1.0"));
/// assert_eq!(version("1.0.0.Final"), version("1"));
/// ```
#[derive(Debug, Clone)]
pub struct Version(List);

/// Items at one level; a dash, or a change between digits and letters, opens the next.
#[derive(Debug, Clone, Default)]
struct List {
    items: Vec<Item>,
    inner: Option<Box<List>>,
}

#[derive(Debug, Clone)]
enum Item {
    Number(Number),
    Word(String),
}

/// What stands at a place of a version: [`Place::Nothing`] where it has ended.
#[derive(Clone, Copy)]
enum Place<'a> {
    Nothing,
    Item(&'a Item),
    List(&'a List),
}

impl Version {
    /// Reads a version; `None` only if it is too long or has no character of one.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_LENGTH {
            return None;
        }
        let mut levels = levels(&text.to_lowercase());
        let mut inner: Option<Box<List>> = None;
        while let Some(items) = levels.pop() {
            let mut list = List { items, inner };
            list.trim();
            inner = Some(Box::new(list));
        }
        inner.map(|list| Version(*list))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        compare(Place::List(&self.0), Place::List(&other.0))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Version) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl List {
    fn place(&self, index: usize) -> Place<'_> {
        match (self.items.get(index), &self.inner) {
            (Some(item), _) => Place::Item(item),
            (None, Some(list)) if index == self.items.len() => Place::List(list),
            _ => Place::Nothing,
        }
    }

    fn len(&self) -> usize {
        self.items.len() + usize::from(self.inner.is_some())
    }

    /// Drops what says nothing from the end: zeros, words for the release itself, empty lists.
    fn trim(&mut self) {
        if self.inner.as_ref().is_some_and(|inner| inner.len() == 0) {
            self.inner = None;
        }
        while self.items.last().is_some_and(Item::is_nothing) {
            self.items.pop();
        }
    }
}

impl Item {
    fn is_nothing(&self) -> bool {
        match self {
            Item::Number(number) => number.is_zero(),
            Item::Word(word) => word.is_empty(),
        }
    }
}

/// Cuts a version into levels of items.
fn levels(text: &str) -> Vec<Vec<Item>> {
    let mut levels: Vec<Vec<Item>> = vec![Vec::new()];
    let mut rest = text;
    loop {
        let (digits, tail) = split_digits(rest);
        let (token, tail, numeric) = if digits.is_empty() {
            let end = rest
                .find(|c: char| c == '.' || c == '-' || c.is_ascii_digit())
                .unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            (word, tail, false)
        } else {
            (digits, tail, true)
        };
        let glued = tail.starts_with(|c: char| c != '.' && c != '-');
        let at_end = tail.is_empty();
        if token.is_empty() {
            // Nothing between two separators is a zero; nothing at the end is nothing.
            if !at_end {
                push(&mut levels, Item::Number(Number::default()));
            }
        } else if numeric {
            push(&mut levels, Item::Number(Number::new(token)));
        } else {
            // A word behind a dot counts as behind a dash. `ComparableVersion` keeps to that only where a digit or the end
            // follows, so that its `1.x.y` is below `1-SNAPSHOT`, which is below `1`, which is below `1.x.y`.
            if levels.last().is_some_and(|level| !level.is_empty()) {
                levels.push(Vec::new());
            }
            push(&mut levels, Item::Word(meaning(token, glued)));
        }
        if glued {
            levels.push(Vec::new());
            rest = tail;
        } else if let Some(tail) = tail.strip_prefix('.') {
            rest = tail;
        } else if let Some(tail) = tail.strip_prefix('-') {
            levels.push(Vec::new());
            rest = tail;
        } else {
            return levels;
        }
    }
}

fn push(levels: &mut [Vec<Item>], item: Item) {
    if let Some(level) = levels.last_mut() {
        level.push(item);
    }
}

/// A word by its meaning: abbreviations before a digit, and the words for the release itself.
fn meaning(word: &str, before_digit: bool) -> String {
    match word {
        "a" if before_digit => "alpha",
        "b" if before_digit => "beta",
        "m" if before_digit => "milestone",
        "ga" | "final" | "release" => "",
        "cr" => "rc",
        other => other,
    }
    .to_owned()
}

/// The known words in their order; the empty one is the release. Others follow, by their letters.
fn rank(word: &str) -> (usize, &str) {
    const WORDS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
    match WORDS.iter().position(|known| *known == word) {
        Some(rank) => (rank, ""),
        None => (WORDS.len(), word),
    }
}

fn compare(left: Place<'_>, right: Place<'_>) -> Ordering {
    match (left, right) {
        (Place::Nothing, Place::Nothing) => Ordering::Equal,
        (Place::Nothing, _) => beside_nothing(right).reverse(),
        (_, Place::Nothing) => beside_nothing(left),
        (Place::List(left), Place::List(right)) => (0..left.len().max(right.len()))
            .map(|index| compare(left.place(index), right.place(index)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal),
        // `1.1` follows `1-1`, which follows `1-sp` and every other word.
        (Place::Item(item), Place::List(_)) => match item {
            Item::Number(_) => Ordering::Greater,
            Item::Word(_) => Ordering::Less,
        },
        (Place::List(_), Place::Item(_)) => compare(right, left).reverse(),
        (Place::Item(left), Place::Item(right)) => match (left, right) {
            (Item::Number(left), Item::Number(right)) => left.cmp(right),
            (Item::Number(_), Item::Word(_)) => Ordering::Greater,
            (Item::Word(_), Item::Number(_)) => Ordering::Less,
            (Item::Word(left), Item::Word(right)) => rank(left).cmp(&rank(right)),
        },
    }
}

fn beside_nothing(place: Place<'_>) -> Ordering {
    match place {
        Place::Nothing => Ordering::Equal,
        Place::Item(Item::Number(number)) if number.is_zero() => Ordering::Equal,
        Place::Item(Item::Number(_)) => Ordering::Greater,
        Place::Item(Item::Word(word)) => rank(word).cmp(&rank("")),
        Place::List(list) => (0..list.len())
            .map(|index| beside_nothing(list.place(index)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal),
    }
}

/// A union of intervals: `[1.0,2.0)`, `(,1.0],[1.2,)`, `[1.5]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intervals(Vec<(Option<End>, Option<End>)>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    version: Version,
    inclusive: bool,
}

impl Intervals {
    /// Reads a union of intervals; a bare version is a wish, not an interval.
    pub fn parse(text: &str) -> Option<Intervals> {
        let mut rest = text.trim();
        if rest.len() > MAX_LENGTH {
            return None;
        }
        let mut intervals = Vec::new();
        while !rest.is_empty() {
            let from = rest.strip_prefix('[').map(|tail| (tail, true));
            let (tail, from_inclusive) =
                from.or_else(|| rest.strip_prefix('(').map(|tail| (tail, false)))?;
            let end = tail.find([']', ')'])?;
            let to_inclusive = tail[end..].starts_with(']');
            let inside = &tail[..end];
            let bound = |text: &str, inclusive| match text.trim() {
                "" => Some(None),
                text => Version::parse(text).map(|version| Some(End { version, inclusive })),
            };
            intervals.push(match inside.split_once(',') {
                Some((from, to)) => (bound(from, from_inclusive)?, bound(to, to_inclusive)?),
                None if from_inclusive && to_inclusive => {
                    let exact = bound(inside, true)?;
                    exact.as_ref()?;
                    (exact.clone(), exact)
                }
                None => return None,
            });
            rest = tail[end + 1..].trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        (!intervals.is_empty()).then_some(Intervals(intervals))
    }

    /// Whether one of the intervals holds the version.
    pub fn hold(&self, version: &Version) -> bool {
        self.0.iter().any(|(from, to)| {
            let above = from.as_ref().is_none_or(|end| {
                let order = version.cmp(&end.version);
                order.is_gt() || (end.inclusive && order.is_eq())
            });
            let below = to.as_ref().is_none_or(|end| {
                let order = version.cmp(&end.version);
                order.is_lt() || (end.inclusive && order.is_eq())
            });
            above && below
        })
    }
}
