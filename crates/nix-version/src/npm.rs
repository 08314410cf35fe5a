//! npm's ranges: `^1.2.3`, `~1.2`, `1.x || >=2.5.0`, `1.2 - 2.3`.
//!
//! Source: the documentation of npm's `semver` package, section "Ranges". Invariant: a range is a union of sets
//! of comparisons of whole versions; what the grammar does not know is not a range.

use crate::number::Number;
use crate::semver::SemVer;
use std::cmp::Ordering;

/// Longest text that is read, in bytes.
pub const MAX_LENGTH: usize = 256;

/// Which pre-releases a range may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreReleases {
    /// Those of a version that the range itself names as pre-release: what `npm install` chooses from.
    Named,
    /// All that lie within: what "is it affected" asks for.
    All,
}

/// A range.
///
/// ```
/// use nix_version::npm::{PreReleases, Range};
/// use nix_version::semver::SemVer;
/// let range = Range::parse("^1.2.3 || 3.x", PreReleases::All).unwrap();
/// assert!(range.holds(&SemVer::parse("1.9.0").unwrap()));
/// assert!(!range.holds(&SemVer::parse("2.0.0").unwrap()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    sets: Vec<Vec<Comparison>>,
    pre_releases: PreReleases,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    operator: Operator,
    /// A whole version.
    version: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Less,
    LessEqual,
    Equal,
    GreaterEqual,
    Greater,
}

/// A version of which numbers may be missing or `x`.
#[derive(Debug, Clone, Default)]
struct Partial {
    numbers: Vec<Number>,
    texts: Vec<String>,
    pre: Option<String>,
}

impl Range {
    /// Reads a range.
    pub fn parse(text: &str, pre_releases: PreReleases) -> Option<Range> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let sets = text
            .split("||")
            .map(|part| set(part.trim(), pre_releases))
            .collect::<Option<Vec<_>>>()?;
        Some(Range { sets, pre_releases })
    }

    /// Whether the range holds a version.
    pub fn holds(&self, version: &SemVer<'_>) -> bool {
        self.sets.iter().any(|set| {
            let named = |comparison: &Comparison| {
                SemVer::parse(&comparison.version)
                    .is_some_and(|named| named.is_pre_release() && named.same_release(version))
            };
            set.iter().all(|comparison| comparison.holds(version))
                && (self.pre_releases == PreReleases::All
                    || !version.is_pre_release()
                    || set.iter().any(named))
        })
    }
}

impl Comparison {
    fn holds(&self, version: &SemVer<'_>) -> bool {
        SemVer::parse(&self.version).is_some_and(|named| {
            let order = version.precedence(&named);
            match self.operator {
                Operator::Less => order == Ordering::Less,
                Operator::LessEqual => order != Ordering::Greater,
                Operator::Equal => order == Ordering::Equal,
                Operator::GreaterEqual => order != Ordering::Less,
                Operator::Greater => order == Ordering::Greater,
            }
        })
    }
}

/// One set of comparisons: a hyphen range, or simple ranges with blanks between them.
fn set(text: &str, pre_releases: PreReleases) -> Option<Vec<Comparison>> {
    let low = if pre_releases == PreReleases::All {
        "-0"
    } else {
        ""
    };
    if let Some((from, to)) = text.split_once(" - ") {
        let (from, to) = (Partial::parse(from.trim())?, Partial::parse(to.trim())?);
        return Some(hyphen(&from, &to, pre_releases));
    }
    let mut comparisons = Vec::new();
    let mut words = text.split_ascii_whitespace();
    while let Some(word) = words.next() {
        let end = word
            .find(|c| !matches!(c, '<' | '>' | '=' | '~' | '^'))
            .unwrap_or(word.len());
        let (operator, rest) = word.split_at(end);
        // The version may stand apart from its operator.
        let partial = Partial::parse(if rest.is_empty() { words.next()? } else { rest })?;
        match operator {
            "^" => partial.caret(low, &mut comparisons),
            "~" | "~>" => partial.tilde(&mut comparisons),
            "" | "=" => partial.equal(low, &mut comparisons),
            ">" | ">=" | "<" | "<=" => partial.compared(operator, low, &mut comparisons),
            _ => return None,
        }
    }
    Some(comparisons)
}

fn hyphen(from: &Partial, to: &Partial, pre_releases: PreReleases) -> Vec<Comparison> {
    let all = pre_releases == PreReleases::All;
    let mut comparisons = Vec::new();
    match (from.numbers.len(), &from.pre) {
        (0, _) => {}
        (3, Some(_)) => comparisons.push(at_least(from.whole())),
        _ => comparisons.push(at_least(format!(
            "{}{}",
            from.filled(),
            if all { "-0" } else { "" }
        ))),
    }
    match (to.numbers.len(), &to.pre) {
        (0, _) => {}
        (3, None) if all => comparisons.push(below(&to.raised(2))),
        (3, _) => comparisons.push(Comparison {
            operator: Operator::LessEqual,
            version: to.whole(),
        }),
        (given, _) => comparisons.push(below(&to.raised(given - 1))),
    }
    comparisons
}

fn at_least(version: String) -> Comparison {
    Comparison {
        operator: Operator::GreaterEqual,
        version,
    }
}

/// Below a release and all its pre-releases.
fn below(release: &str) -> Comparison {
    Comparison {
        operator: Operator::Less,
        version: format!("{release}-0"),
    }
}

impl Partial {
    fn parse(text: &str) -> Option<Partial> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split('+').next()?;
        let (core, pre) = match text.split_once('-') {
            Some((core, pre)) => (core, Some(pre)),
            None => (text, None),
        };
        let parts: Vec<&str> = core.split('.').collect();
        let any = |part: &&str| matches!(*part, "" | "x" | "X" | "*");
        if parts.len() > 3 || (parts.len() > 1 && parts.contains(&"")) || core.is_empty() {
            return None;
        }
        let given = parts.iter().position(any).unwrap_or(parts.len());
        let mut partial = Partial::default();
        for (index, part) in parts.iter().enumerate() {
            if any(part) {
                continue;
            }
            let plain = part.bytes().all(|b| b.is_ascii_digit());
            if !plain || (part.len() > 1 && part.starts_with('0')) {
                return None;
            }
            if index < given {
                partial.numbers.push(Number::new(part));
                partial.texts.push((*part).to_owned());
            }
        }
        if let Some(pre) = pre {
            if parts.len() < 3 {
                return None;
            }
            SemVer::parse(&format!("0.0.0-{pre}"))?;
            partial.pre = (given == 3).then(|| pre.to_owned());
        }
        Some(partial)
    }

    /// The numbers given, and zeros.
    fn filled(&self) -> String {
        let number = |index: usize| self.texts.get(index).map_or("0", String::as_str);
        format!("{}.{}.{}", number(0), number(1), number(2))
    }

    fn whole(&self) -> String {
        match &self.pre {
            Some(pre) => format!("{}-{pre}", self.filled()),
            None => self.filled(),
        }
    }

    /// The release after all that share the numbers up to an index.
    fn raised(&self, index: usize) -> String {
        let mut texts = vec!["0".to_owned(); 3];
        for (place, text) in self.texts.iter().enumerate().take(index) {
            texts[place].clone_from(text);
        }
        if let Some(number) = self.numbers.get(index) {
            texts[index] = number.next().to_string();
        }
        texts.join(".")
    }

    fn zero(&self, index: usize) -> bool {
        self.numbers.get(index).is_none_or(Number::is_zero)
    }

    fn equal(&self, low: &str, out: &mut Vec<Comparison>) {
        match self.numbers.len() {
            0 => {}
            3 => out.push(Comparison {
                operator: Operator::Equal,
                version: self.whole(),
            }),
            given => out.extend([
                at_least(format!("{}{low}", self.filled())),
                below(&self.raised(given - 1)),
            ]),
        }
    }

    fn tilde(&self, out: &mut Vec<Comparison>) {
        match self.numbers.len() {
            0 => {}
            1 => out.extend([at_least(self.filled()), below(&self.raised(0))]),
            _ => out.extend([at_least(self.whole()), below(&self.raised(1))]),
        }
    }

    fn caret(&self, low: &str, out: &mut Vec<Comparison>) {
        let given = self.numbers.len();
        if given == 0 {
            return;
        }
        // The first number that is not zero stays.
        let fixed = match (self.zero(0), self.zero(1)) {
            (true, true) if given == 3 => 2,
            (true, _) if given >= 2 => 1,
            _ => 0,
        };
        let from = if self.pre.is_some() || (given == 3 && fixed == 0) {
            self.whole()
        } else {
            format!("{}{low}", self.filled())
        };
        out.extend([at_least(from), below(&self.raised(fixed))]);
    }

    fn compared(&self, operator: &str, low: &str, out: &mut Vec<Comparison>) {
        let given = self.numbers.len();
        let comparison = match (operator, given) {
            // Nothing is beyond everything.
            ("<" | ">", 0) => below("0.0.0"),
            (_, 0) => return,
            (">=", 3) => at_least(self.whole()),
            (">=", _) => at_least(format!("{}{low}", self.filled())),
            (">", 3) => Comparison {
                operator: Operator::Greater,
                version: self.whole(),
            },
            (">", _) => at_least(format!("{}{low}", self.raised(given - 1))),
            ("<=", 3) => Comparison {
                operator: Operator::LessEqual,
                version: self.whole(),
            },
            ("<=", _) => below(&self.raised(given - 1)),
            (_, 3) => Comparison {
                operator: Operator::Less,
                version: self.whole(),
            },
            (_, _) => below(&self.filled()),
        };
        out.push(comparison);
    }
}
