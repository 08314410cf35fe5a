//! Python's versions and specifiers.
//!
//! Source: the "Version specifiers" specification of the Python Packaging Authority (PEP 440): grammar in its
//! appendix, order in "Summary of permitted suffixes and relative ordering", specifiers in "Version specifiers".
//! Invariant: [`Version`] is totally ordered; what the grammar does not know is not a version.

use crate::number::{Number, split_digits};
use std::cmp::Ordering;

/// Longest text that is read, in bytes.
pub const MAX_LENGTH: usize = 256;

/// A version of a Python distribution.
///
/// ```
/// use nix_version::pep440::Version;
/// let version = |text| Version::parse(text).unwrap();
/// assert!(version("1.0.dev1") < version("1.0a1"));
/// assert!(version("1.0rc1") < version("1.0"));
/// assert_eq!(version("v1.0"), version("1.0.0"));
/// ```
#[derive(Debug, Clone)]
pub struct Version {
    epoch: Number,
    /// With the zeros that were written: `==1.0.*` asks for them.
    release: Vec<Number>,
    pre: Option<(Stage, Number)>,
    post: Option<Number>,
    dev: Option<Number>,
    local: Vec<Segment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Alpha,
    Beta,
    Candidate,
}

/// A part of a local version: words come before numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Word(String),
    Number(Number),
}

/// A bound that may lie beyond all values.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place<T> {
    Before,
    At(T),
    After,
}

impl Version {
    /// Reads a version in any of the spellings that the specification normalises.
    pub fn parse(text: &str) -> Option<Version> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let lower = text.trim().to_ascii_lowercase();
        let text = lower.strip_prefix('v').unwrap_or(&lower);
        let (text, local) = match text.split_once('+') {
            Some((text, local)) => (text, segments(local)?),
            None => (text, Vec::new()),
        };
        let (epoch, text) = match text.split_once('!') {
            Some((epoch, text)) if is_number(epoch) => (Number::new(epoch), text),
            Some(_) => return None,
            None => (Number::default(), text),
        };
        let (release, rest) = release(text)?;
        let (pre, rest) = pre(rest);
        let (post, rest) = post(rest);
        let (dev, rest) = suffix(rest, &["dev"]);
        rest.is_empty().then_some(Version {
            epoch,
            release,
            pre,
            post,
            dev,
            local,
        })
    }

    /// Whether it announces a release: `1.0a1`, `1.0.dev3`.
    pub fn is_pre_release(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    /// The release without the zeros at its end.
    fn trimmed(&self) -> &[Number] {
        let zeros = self
            .release
            .iter()
            .rev()
            .take_while(|n| n.is_zero())
            .count();
        &self.release[..self.release.len() - zeros]
    }

    /// Everything but the local part.
    fn public_order(&self, other: &Version) -> Ordering {
        let pre = |version: &Version| match &version.pre {
            Some(pre) => Place::At(pre.clone()),
            // A development release of the release itself comes before its alphas.
            None if version.post.is_none() && version.dev.is_some() => Place::Before,
            None => Place::After,
        };
        let dev = |version: &Version| version.dev.clone().map_or(Place::After, Place::At);
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| self.trimmed().cmp(other.trimmed()))
            .then_with(|| pre(self).cmp(&pre(other)))
            .then_with(|| self.post.cmp(&other.post))
            .then_with(|| dev(self).cmp(&dev(other)))
    }

    /// Whether epoch and release are the same, whatever follows them.
    fn same_release(&self, other: &Version) -> bool {
        self.epoch == other.epoch && self.trimmed() == other.trimmed()
    }

    /// Whether the release begins with that of `stem`, zeros added as needed.
    fn begins_with(&self, stem: &Version) -> bool {
        let zero = Number::default();
        self.epoch == stem.epoch
            && stem
                .release
                .iter()
                .enumerate()
                .all(|(index, number)| self.release.get(index).unwrap_or(&zero) == number)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        self.public_order(other)
            .then_with(|| self.local.cmp(&other.local))
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

/// A set of specifiers, all of which must hold: `>=1.0, !=1.3.4.*, <2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specifiers(Vec<Specifier>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Specifier {
    operator: Operator,
    version: Version,
    /// Written with `.*` behind it.
    prefix: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Compatible,
    Equal,
    Unequal,
    LessEqual,
    GreaterEqual,
    Less,
    Greater,
}

impl Specifiers {
    /// Reads a set of specifiers; arbitrary equality (`===`) is not read, as it compares texts.
    pub fn parse(text: &str) -> Option<Specifiers> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        text.split(',')
            .map(|part| Specifier::parse(part.trim()))
            .collect::<Option<Vec<_>>>()
            .map(Specifiers)
    }

    /// Whether a version satisfies all of them, pre-releases included.
    pub fn hold(&self, version: &Version) -> bool {
        self.0.iter().all(|specifier| specifier.holds(version))
    }
}

impl Specifier {
    fn parse(text: &str) -> Option<Specifier> {
        const OPERATORS: [(&str, Operator); 7] = [
            ("~=", Operator::Compatible),
            ("==", Operator::Equal),
            ("!=", Operator::Unequal),
            ("<=", Operator::LessEqual),
            (">=", Operator::GreaterEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let (word, operator) = OPERATORS
            .into_iter()
            .find(|(word, _)| text.starts_with(word))?;
        let text = text[word.len()..].trim();
        let (stem, prefix) = match text.strip_suffix(".*") {
            Some(stem) => (stem, true),
            None => (text, false),
        };
        let version = Version::parse(stem)?;
        let equality = matches!(operator, Operator::Equal | Operator::Unequal);
        let local = !version.local.is_empty();
        let bare = version.pre.is_none() && version.post.is_none() && version.dev.is_none();
        let refused = (prefix && (!equality || local || !bare))
            || (local && !equality)
            || (operator == Operator::Compatible && version.release.len() < 2);
        (!refused).then_some(Specifier {
            operator,
            version,
            prefix,
        })
    }

    fn holds(&self, version: &Version) -> bool {
        let named = &self.version;
        match self.operator {
            Operator::Equal => self.equals(version),
            Operator::Unequal => !self.equals(version),
            Operator::LessEqual => version.public_order(named).is_le(),
            Operator::GreaterEqual => version.public_order(named).is_ge(),
            // Neither the pre-releases of the named version nor its post-releases are meant.
            Operator::Less => {
                version < named
                    && (named.is_pre_release()
                        || !version.is_pre_release()
                        || !version.same_release(named))
            }
            Operator::Greater => {
                let same = version.same_release(named);
                version > named
                    && !(same && version.post.is_some() && named.post.is_none())
                    && (!same || version.local.is_empty())
            }
            Operator::Compatible => {
                let mut stem = named.clone();
                stem.release.pop();
                version.public_order(named).is_ge() && version.begins_with(&stem)
            }
        }
    }

    fn equals(&self, version: &Version) -> bool {
        let named = &self.version;
        if self.prefix {
            return version.begins_with(named);
        }
        if named.local.is_empty() {
            version.public_order(named).is_eq()
        } else {
            version == named
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn release(text: &str) -> Option<(Vec<Number>, &str)> {
    let (first, mut rest) = split_digits(text);
    if first.is_empty() {
        return None;
    }
    let mut release = vec![Number::new(first)];
    while let Some(tail) = rest.strip_prefix('.') {
        let (digits, tail) = split_digits(tail);
        if digits.is_empty() {
            break;
        }
        release.push(Number::new(digits));
        rest = tail;
    }
    Some((release, rest))
}

/// `[-_.]WORD[-_.]N`, where the separators and the number may be missing.
fn suffix<'a>(text: &'a str, words: &[&str]) -> (Option<Number>, &'a str) {
    let bare = text.strip_prefix(['-', '_', '.']).unwrap_or(text);
    for word in words {
        if let Some(rest) = bare.strip_prefix(word) {
            let (digits, tail) = split_digits(rest.strip_prefix(['-', '_', '.']).unwrap_or(rest));
            return if digits.is_empty() {
                (Some(Number::default()), rest)
            } else {
                (Some(Number::new(digits)), tail)
            };
        }
    }
    (None, text)
}

fn pre(text: &str) -> (Option<(Stage, Number)>, &str) {
    let stages: [(Stage, &[&str]); 3] = [
        (Stage::Alpha, &["alpha", "a"]),
        (Stage::Beta, &["beta", "b"]),
        (Stage::Candidate, &["preview", "pre", "rc", "c"]),
    ];
    for (stage, words) in stages {
        if let (Some(number), rest) = suffix(text, words) {
            return (Some((stage, number)), rest);
        }
    }
    (None, text)
}

fn post(text: &str) -> (Option<Number>, &str) {
    // `1.0-1` is the first post-release.
    if let Some(rest) = text.strip_prefix('-') {
        let (digits, tail) = split_digits(rest);
        if !digits.is_empty() {
            return (Some(Number::new(digits)), tail);
        }
    }
    suffix(text, &["post", "rev", "r"])
}

fn segments(text: &str) -> Option<Vec<Segment>> {
    text.split(['-', '_', '.'])
        .map(|part| {
            let whole = !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
            whole.then(|| {
                if is_number(part) {
                    Segment::Number(Number::new(part))
                } else {
                    Segment::Word(part.to_owned())
                }
            })
        })
        .collect()
}
