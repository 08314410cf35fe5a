//! A vulnerability's statements, laid out by the names that they use, and how close each is to a package.
//!
//! Roundup records make hundreds of statements and concern dozens of packages: names are folded once for all of them,
//! and a package finds the statements that speak of it by looking up its own names. Invariant: what a statement is to a
//! package depends on their names alone, not on the other statements.

use crate::claim;
use crate::family::{bare_name, family_of};
use crate::name::{fold, squeeze, stems};
use crate::platform::only_elsewhere;
use crate::reason::Match;
use crate::verdict::Verdicts;
use nix_version::{Bound, Range, Status, upstream};
use std::cell::OnceCell;
use std::collections::HashMap;
use tracker_inventory::Package;
use tracker_record::{Statement, Vulnerability};

/// What a vulnerability says, prepared once for all that it matches.
#[derive(Debug)]
pub struct Statements<'a> {
    /// Its ids, lower case.
    pub(crate) ids: Vec<String>,
    all: Vec<Told<'a>>,
    /// By what a package may be called: where it stands, and the statement that it leads to.
    by_name: HashMap<String, Vec<(Form, u32)>>,
    /// Names as written, with the statements that use them.
    shown: HashMap<String, Vec<u32>>,
}

/// A statement, and what is worked out of it when first asked for.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    pub(crate) statement: Statement<'a>,
    elsewhere: OnceCell<Option<String>>,
    /// Where the affected range stands that ends last.
    last_of_all: OnceCell<Option<usize>>,
}

impl Told<'_> {
    /// Of its affected ranges that `ended` holds of, the one that ends last; of two that end alike, the later one.
    ///
    /// Sources name a thousand versions of a kernel, and a list has a dozen kernels, most of them past all that is named:
    /// which one ends last of all is worked out once.
    pub(crate) fn last_ended(&self, ended: impl Fn(&Range) -> bool) -> Option<&Range> {
        let ranges = &self.statement.affected.ranges;
        let last_of_all = *self.last_of_all.get_or_init(|| last(ranges, |_| true));
        match last_of_all.map(|at| &ranges[at]) {
            Some(range) if !ended(range) => last(ranges, ended).map(|at| &ranges[at]),
            answer => answer,
        }
    }

    /// The systems that it is limited to, where no package runs on any of them.
    pub(crate) fn only_elsewhere(&self) -> Option<&str> {
        self.elsewhere
            .get_or_init(|| only_elsewhere(self.statement.affected))
            .as_deref()
    }
}

/// What of a statement's name is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The name.
    Whole,
    /// The name without separators.
    Squeezed,
    /// Vendor and name.
    Both,
    /// The name, an affix aside.
    Stem,
}

impl<'a> Statements<'a> {
    /// Prepares a vulnerability.
    pub fn new(vulnerability: &'a Vulnerability) -> Self {
        let mut of: HashMap<(String, Option<String>), Vec<u32>> = HashMap::new();
        let mut shown: HashMap<String, Vec<u32>> = HashMap::new();
        let mut all = Vec::new();
        for (number, statement) in (0..).zip(vulnerability.effective_affected()) {
            claim::names(&statement, |name, written, vendor| {
                push(of.entry((name, vendor)).or_default(), number);
                let written = claim::shown(written);
                match shown.get_mut(written) {
                    Some(known) => push(known, number),
                    None => drop(shown.insert(written.to_owned(), vec![number])),
                }
            });
            all.push(Told {
                statement,
                elsewhere: OnceCell::new(),
                last_of_all: OnceCell::new(),
            });
        }
        let mut by_name: HashMap<String, Vec<(Form, u32)>> = HashMap::new();
        for ((name, vendor), numbers) in of {
            let mut lay = |key: String, form| {
                let laid = by_name.entry(key).or_default();
                laid.extend(numbers.iter().map(|&number| (form, number)));
            };
            lay(squeeze(&name), Form::Squeezed);
            for stem in stems(&name) {
                lay(stem, Form::Stem);
            }
            if let Some(vendor) = vendor {
                lay(format!("{vendor}-{name}"), Form::Both);
            }
            lay(name, Form::Whole);
        }
        Statements {
            ids: ids(vulnerability),
            all,
            by_name,
            shown,
        }
    }

    /// What they say of the members of a match.
    pub fn verdicts(&self, matched: &Match) -> Verdicts<'_> {
        let reasons = || matched.reasons.iter();
        let aliased = reasons().any(|reason| CONNECTING.contains(&reason.feature.as_str()));
        let mut quoted = Vec::new();
        if aliased {
            // Reasons quote names as written, up to a closing quotation mark.
            let quotes: Vec<&str> = reasons()
                .flat_map(|reason| {
                    let ends = reason.text.match_indices('”');
                    ends.map(|(end, _)| &reason.text[..end])
                })
                .collect();
            for (written, numbers) in &self.shown {
                if quotes.iter().any(|quote| quote.ends_with(written.as_str())) {
                    quoted.extend_from_slice(numbers);
                }
            }
        }
        Verdicts::new(self, quoted)
    }

    /// The statements that speak of a package, in order, each with how close its names are, 0 the closest. `quoted`
    /// are those that only learned knowledge connects with it: the reason that led here quotes their name.
    pub(crate) fn about(&self, package: &Package, quoted: &[u32]) -> Vec<(u8, &Told<'a>)> {
        let bare = bare_name(package);
        let attribute = package.attribute.rsplit('.').next().unwrap_or_default();
        let mut found: Vec<(u32, u8)> = quoted.iter().map(|&number| (number, 3)).collect();
        let mut find = |name: &str, form, close| {
            let laid = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
            let laid = laid.iter().filter(|(laid, _)| *laid == form);
            found.extend(laid.map(|&(_, number)| (number, close)));
        };
        for name in [
            bare.as_str(),
            &fold(&package.pname),
            &family_of(package),
            &fold(attribute),
        ] {
            find(name, Form::Whole, 0);
        }
        find(&bare, Form::Both, 1);
        find(&squeeze(&bare), Form::Squeezed, 1);
        find(&bare, Form::Stem, 2);
        for stem in stems(&bare) {
            find(&stem, Form::Whole, 2);
        }
        found.sort_unstable();
        found.dedup_by_key(|(number, _)| *number);
        found
            .into_iter()
            .map(|(number, close)| (close, &self.all[number as usize]))
            .filter(|(_, told)| {
                claim::concerns(told.statement.affected, package.ecosystem.as_deref())
            })
            .collect()
    }
}

/// Where, of the affected ranges that `counts` holds of, the one stands that ends last. Sources list versions in rising
/// order, so that from the end on most are known to end before it.
fn last(ranges: &[Range], counts: impl Fn(&Range) -> bool) -> Option<usize> {
    let end = |at: usize| match &ranges[at].upper {
        Bound::Inclusive(upper) | Bound::Exclusive(upper) => upper.as_str(),
        Bound::Unbounded => "",
    };
    let mut last: Option<usize> = None;
    for (at, range) in ranges.iter().enumerate().rev() {
        let later = last.is_none_or(|last| upstream::compare(end(at), end(last)).is_gt());
        if range.status == Status::Affected && later && counts(range) {
            last = Some(at);
        }
    }
    last
}

/// Relations that connect names which need not be alike.
const CONNECTING: &[&str] = &[
    "alias",
    "stated-cpe",
    "stated-purl",
    "repository-name",
    "vendor-product-equals",
    "name-begins",
];

/// Adds a statement that may have been added just before.
fn push(numbers: &mut Vec<u32>, number: u32) {
    if numbers.last() != Some(&number) {
        numbers.push(number);
    }
}

/// The public id and all aliases.
fn ids(vulnerability: &Vulnerability) -> Vec<String> {
    std::iter::once(vulnerability.id.as_str())
        .chain(vulnerability.aliases())
        .map(str::to_ascii_lowercase)
        .collect()
}

#[cfg(test)]
mod tests;
