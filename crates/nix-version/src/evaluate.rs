//! What a list of ranges says about a version: the algorithm of CVE 5.1 over the normal form.
//!
//! Source: CVE record format 5.1, `product.versions`: the first entry that holds the version decides, its later
//! `changes` modify it, the default status covers the rest. NVD bounds and OSV events are the special case of
//! affected ranges with an unaffected default. Invariant: a range that cannot be compared with the version
//! makes the answer unknown unless it could not change it.

use crate::range::{Bound, Range, Status};
use crate::scheme::{self, Scheme, is_plain, is_release};
use crate::{expression, requirement};
use std::cmp::Ordering;

/// What the ranges say about a version, and which of them decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The status.
    pub status: Status,
    /// What decided; `None`: no range holds the version and the default status applies.
    pub deciding: Option<Deciding>,
}

/// The range, and the change within it, that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deciding {
    /// Index into the ranges given.
    pub range: usize,
    /// Index into its changes.
    pub change: Option<usize>,
}

/// Whether a range holds a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It does.
    Inside,
    /// It does not.
    Outside,
    /// The scheme cannot tell.
    Undecided,
}

/// Evaluates ranges in their source's order; `default` is what holds where none does.
pub fn evaluate(version: &str, ranges: &[Range], default: Status) -> Verdict {
    // A placeholder (`-`, `n/a`) beside ranges with versions says nothing; alone it leaves the matter open.
    let any_version = ranges.iter().any(Range::names_versions);
    let mut undecided: Option<usize> = None;
    let mut verdict = Verdict {
        status: default,
        deciding: None,
    };
    for (index, range) in ranges.iter().enumerate() {
        let membership = range.membership(version);
        // Outside of it, what kind of range it is need not be asked.
        if membership != Membership::Outside && any_version && !range.names_versions() {
            continue;
        }
        match membership {
            Membership::Outside => {}
            Membership::Undecided => {
                undecided.get_or_insert(index);
            }
            Membership::Inside => {
                verdict = range.status_within(version, index);
                break;
            }
        }
    }
    match undecided {
        // It decides nothing if every status it could give is the one found without it.
        Some(index) if !ranges[index].only_says(verdict.status) => Verdict {
            status: Status::Unknown,
            deciding: Some(Deciding {
                range: index,
                change: None,
            }),
        },
        _ => verdict,
    }
}

impl Range {
    /// Whether the range holds the version.
    pub fn membership(&self, version: &str) -> Membership {
        let scheme = Scheme::of(&self.scheme);
        if let Some(exact) = self.exact() {
            if scheme == Scheme::Upstream && is_plain(version) && is_release(exact) {
                // No expression, and neither is a patch level or snapshot of the other.
                return truth(Some(crate::upstream::compare(version, exact).is_eq()));
            }
            if let Some(answer) = requirement::membership(scheme, version, exact) {
                return answer;
            }
            if let Some((lower, upper)) = expression::parse(exact) {
                return both(
                    above(scheme, version, &lower),
                    below(scheme, version, &upper),
                );
            }
            if let Some(stem) = expression::wildcard(exact) {
                return starts_with(version, stem);
            }
        }
        // A package is past most of what is named, so that its upper bound is asked first.
        match below(scheme, version, &self.upper) {
            Membership::Outside => Membership::Outside,
            below => both(above(scheme, version, &self.lower), below),
        }
    }

    /// The one version or expression that this range is made of, if it is exact.
    fn exact(&self) -> Option<&str> {
        match (&self.lower, &self.upper) {
            (Bound::Inclusive(lower), Bound::Inclusive(upper)) if lower == upper => Some(lower),
            _ => None,
        }
    }

    /// Whether the bounds are versions, wildcards or expressions; an unbounded range counts unless all it says
    /// is "unknown" (how a CPE without a version is written).
    fn names_versions(&self) -> bool {
        let everything = self.lower == Bound::Unbounded && self.upper == Bound::Unbounded;
        if everything && self.only_says(Status::Unknown) {
            return false;
        }
        let meaningful = |bound: &Bound| match bound {
            Bound::Unbounded => true,
            Bound::Inclusive(text) | Bound::Exclusive(text) => {
                (scheme::is_version(text) && self.scheme != "prose")
                    || scheme::is_commit(text)
                    || text == "*"
                    || expression::parse(text).is_some()
                    || requirement::is_requirement(Scheme::of(&self.scheme), text)
            }
        };
        meaningful(&self.lower) && meaningful(&self.upper)
    }

    /// The status of a version inside the range, after the changes up to it.
    fn status_within(&self, version: &str, range: usize) -> Verdict {
        let scheme = Scheme::of(&self.scheme);
        let mut status = self.status;
        let mut change = None;
        for (index, (at, changed)) in self.changes.iter().enumerate() {
            match scheme.compare(version, at) {
                Some(Ordering::Less) => {}
                Some(_) => (status, change) = (*changed, Some(index)),
                None if *changed == status => {}
                None => (status, change) = (Status::Unknown, Some(index)),
            }
        }
        Verdict {
            status,
            deciding: Some(Deciding { range, change }),
        }
    }

    /// Whether every status that this range can give is the one named.
    fn only_says(&self, status: Status) -> bool {
        self.status == status && self.changes.iter().all(|(_, changed)| *changed == status)
    }
}

/// Whether the version is at or above a lower bound.
fn above(scheme: Scheme, version: &str, bound: &Bound) -> Membership {
    match bound {
        Bound::Unbounded => Membership::Inside,
        // "From zero" and "from the beginning" in the words of OSV and the CNAs.
        Bound::Inclusive(text) if matches!(text.as_str(), "0" | "*" | "") => Membership::Inside,
        Bound::Inclusive(text) => truth(scheme.compare(version, text).map(Ordering::is_ge)),
        Bound::Exclusive(text) => truth(scheme.compare(version, text).map(Ordering::is_gt)),
    }
}

/// Whether the version is at or below an upper bound.
fn below(scheme: Scheme, version: &str, bound: &Bound) -> Membership {
    match bound {
        Bound::Unbounded => Membership::Inside,
        Bound::Inclusive(text) | Bound::Exclusive(text) if text == "*" => Membership::Inside,
        Bound::Inclusive(text) => {
            if let Some(stem) = expression::wildcard(text) {
                let within = starts_with(version, stem);
                return if within == Membership::Inside {
                    within
                } else {
                    truth(scheme.compare(version, stem).map(Ordering::is_lt))
                };
            }
            match scheme.compare(version, text) {
                Some(Ordering::Greater) if follows(version, text) => Membership::Undecided,
                order => truth(order.map(Ordering::is_le)),
            }
        }
        Bound::Exclusive(text) => truth(scheme.compare(version, text).map(Ordering::is_lt)),
    }
}

/// Whether `version` is a patch level or snapshot of exactly the release `named` (`8.5p1`, `1.2-unstable-…`): it
/// may or may not be what a source calls `named`.
fn follows(version: &str, named: &str) -> bool {
    if let Some(snapshot) = crate::snapshot::parse(version) {
        return snapshot
            .after
            .is_some_and(|after| crate::upstream::compare(after, named).is_eq());
    }
    version
        .strip_prefix(named)
        .and_then(|rest| rest.strip_prefix(['p', 'P']))
        .is_some_and(|level| !level.is_empty() && level.bytes().all(|b| b.is_ascii_digit()))
}

fn starts_with(version: &str, stem: &str) -> Membership {
    if !scheme::is_version(version) || crate::snapshot::parse(version).is_some() {
        return Membership::Undecided;
    }
    let rest = version.strip_prefix(stem);
    if rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit())) {
        Membership::Inside
    } else {
        Membership::Outside
    }
}

fn truth(answer: Option<bool>) -> Membership {
    match answer {
        Some(true) => Membership::Inside,
        Some(false) => Membership::Outside,
        None => Membership::Undecided,
    }
}

fn both(left: Membership, right: Membership) -> Membership {
    use Membership::{Inside, Outside, Undecided};
    match (left, right) {
        (Outside, _) | (_, Outside) => Outside,
        (Inside, Inside) => Inside,
        _ => Undecided,
    }
}
