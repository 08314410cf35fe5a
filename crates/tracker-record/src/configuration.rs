//! NVD's configurations: AND/OR trees of CPE matches, turned into statements about products.
//!
//! The same trees occur in NVD 1.1 and 2.0, in CVE 5.1's `cpeApplicability` and in the CPE overlay. Rules:
//! - A vulnerable match is a statement about its product; matches of one product are one statement.
//! - In an AND, the matches that are not vulnerable of the *other* branches are what the product must run on.
//! - A version in the name is that version alone; `*` leaves it to the bounds; `-` says that the source does
//!   not know which versions, so the range is unbounded and its status unknown.
//!
//! Invariant: nothing is evaluated here; a negated node cannot be expressed and is left out with a warning.

use crate::cpe::{self, Cpe, Field, Part};
use crate::json::{At, Warnings};
use crate::record::Affected;
use nix_version::{Bound, Range, Status};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The most "running on" names that the statements of one record hold together.
pub const MAX_PLATFORM_NAMES: usize = 200_000;

/// The scheme of ranges that come from CPE matches.
pub const CPE_SCHEME: &str = "cpe";

/// What the two generations of the format call their fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    matches: &'static str,
    name: &'static str,
}

/// NVD 1.1.
pub(crate) const NVD_11: Names = Names {
    matches: "cpe_match",
    name: "cpe23Uri",
};

/// NVD 2.0, CVE 5.1, CPE overlay.
pub(crate) const NVD_20: Names = Names {
    matches: "cpeMatch",
    name: "criteria",
};

/// A node of the tree.
#[derive(Debug, Default)]
pub(crate) struct Tree<'n> {
    all_needed: bool,
    matches: Vec<Match<'n>>,
    children: Vec<Tree<'n>>,
}

#[derive(Debug)]
struct Match<'n> {
    vulnerable: bool,
    name: &'n str,
    cpe: Cpe<'n>,
    range: Range,
}

impl<'n> Tree<'n> {
    /// Reads a node with its `children` (1.1) or `nodes` (2.0) and its matches.
    pub(crate) fn read(at: &At<'_, 'n>, names: Names, warnings: &mut Warnings) -> Tree<'n> {
        let mut tree = Tree::default();
        if at.truth("negate", warnings) == Some(true) {
            warnings.push(at, "negate", "negated: the node is left out");
            return tree;
        }
        tree.all_needed = match at.text("operator", warnings) {
            Some("AND") => true,
            Some("OR") | None => false,
            Some(other) => {
                warnings.push(at, "operator", format!("{other:?} is read as OR"));
                false
            }
        };
        for key in ["children", "nodes"] {
            for child in at.list(key, warnings) {
                tree.children.push(Tree::read(&child, names, warnings));
            }
        }
        for found in at.list(names.matches, warnings) {
            tree.matches.extend(Match::read(&found, names, warnings));
        }
        tree
    }

    /// Several trees of which any may hold.
    pub(crate) fn any_of(children: Vec<Tree<'n>>) -> Tree<'n> {
        Tree {
            children,
            ..Tree::default()
        }
    }

    /// The statements of the tree.
    pub(crate) fn statements(&self, at: &At<'_, '_>, warnings: &mut Warnings) -> Vec<Affected> {
        let mut statements = Statements::default();
        self.flatten(&Rc::new(Vec::new()), &mut statements);
        if statements.platform_names > MAX_PLATFORM_NAMES {
            let problem = format!(
                "over {MAX_PLATFORM_NAMES} names of what products run on: the rest is left out"
            );
            warnings.push(at, "", problem);
        }
        statements.found
    }

    fn flatten(&self, required: &Rc<Vec<&'n str>>, statements: &mut Statements<'n>) {
        if !self.all_needed {
            for found in self.matches.iter().filter(|found| found.vulnerable) {
                statements.add(found, required);
            }
            for child in &self.children {
                child.flatten(required, statements);
            }
            return;
        }
        // Each branch needs the platforms of the others; a direct match is a branch of its own.
        let direct = self.matches.iter().filter(|found| !found.vulnerable);
        let direct: Vec<&'n str> = direct.map(|found| found.name).collect();
        let branches: Vec<Vec<&'n str>> = self.children.iter().map(Tree::platforms).collect();
        let with_all_but = |skipped: Option<usize>, statements: &mut Statements<'n>| {
            let mut names: Vec<&'n str> = required.as_ref().clone();
            names.extend(&direct);
            for (index, branch) in branches.iter().enumerate() {
                if Some(index) != skipped {
                    names.extend(branch);
                }
            }
            statements.admit(names)
        };
        let everything = with_all_but(None, statements);
        for found in self.matches.iter().filter(|found| found.vulnerable) {
            statements.add(found, &everything);
        }
        for (index, child) in self.children.iter().enumerate() {
            let others = with_all_but(Some(index), statements);
            child.flatten(&others, statements);
        }
    }

    fn platforms(&self) -> Vec<&'n str> {
        let mut names: Vec<&'n str> = self
            .matches
            .iter()
            .filter(|found| !found.vulnerable)
            .map(|found| found.name)
            .collect();
        names.extend(self.children.iter().flat_map(Tree::platforms));
        names
    }
}

impl<'n> Match<'n> {
    fn read(at: &At<'_, 'n>, names: Names, warnings: &mut Warnings) -> Option<Match<'n>> {
        let Some(name) = at.text(names.name, warnings) else {
            warnings.push(at, names.name, "a match without a name is left out");
            return None;
        };
        let Some(cpe) = Cpe::parse(name) else {
            let problem = format!("{name:?} is no CPE 2.3 name: the match is left out");
            warnings.push(at, names.name, problem);
            return None;
        };
        let vulnerable = at.truth("vulnerable", warnings).unwrap_or(true);
        let range = range(at, &cpe, warnings);
        Some(Match {
            vulnerable,
            name,
            cpe,
            range,
        })
    }
}

fn range(at: &At<'_, '_>, cpe: &Cpe<'_>, warnings: &mut Warnings) -> Range {
    let lower = bound(
        at,
        "versionStartIncluding",
        "versionStartExcluding",
        warnings,
    );
    let upper = bound(at, "versionEndIncluding", "versionEndExcluding", warnings);
    let bounded = (&lower, &upper) != (&Bound::Unbounded, &Bound::Unbounded);
    let (lower, upper, status) = match (cpe.version_text(), &cpe.version) {
        (Some(version), _) if !bounded => {
            let exact = Bound::Inclusive(version);
            (exact.clone(), exact, Status::Affected)
        }
        (_, Field::NotApplicable) if !bounded => (lower, upper, Status::Unknown),
        _ => (lower, upper, Status::Affected),
    };
    Range {
        scheme: CPE_SCHEME.to_owned(),
        lower,
        upper,
        status,
        changes: Vec::new(),
    }
}

fn bound(at: &At<'_, '_>, inclusive: &str, exclusive: &str, warnings: &mut Warnings) -> Bound {
    match (at.text(inclusive, warnings), at.text(exclusive, warnings)) {
        (None, None) => Bound::Unbounded,
        (Some(version), None) => Bound::Inclusive(version.to_owned()),
        (None, Some(version)) => Bound::Exclusive(version.to_owned()),
        (Some(_), Some(version)) => {
            let problem = format!("two bounds on one side: {exclusive} is used");
            warnings.push(at, inclusive, problem);
            Bound::Exclusive(version.to_owned())
        }
    }
}

/// What makes matches one statement.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Product<'n> {
    part: Part,
    vendor: Option<String>,
    product: Option<String>,
    target_sw: Option<String>,
    sw_edition: Option<String>,
    required: Rc<Vec<&'n str>>,
}

#[derive(Debug, Default)]
struct Statements<'n> {
    found: Vec<Affected>,
    index: HashMap<Product<'n>, usize>,
    names: HashSet<(usize, String)>,
    platform_names: usize,
}

impl<'n> Statements<'n> {
    /// Counts a list of platforms, and empties it where the record has too many.
    fn admit(&mut self, mut names: Vec<&'n str>) -> Rc<Vec<&'n str>> {
        names.sort_unstable();
        names.dedup();
        self.platform_names = self.platform_names.saturating_add(names.len());
        if self.platform_names > MAX_PLATFORM_NAMES {
            names.clear();
        }
        Rc::new(names)
    }

    fn add(&mut self, found: &Match<'n>, required: &Rc<Vec<&'n str>>) {
        let text = |field: &Field<'_>| field.text().map(str::to_owned);
        let key = Product {
            part: found.cpe.part,
            vendor: text(&found.cpe.vendor),
            product: text(&found.cpe.product),
            target_sw: text(&found.cpe.target_sw),
            sw_edition: text(&found.cpe.sw_edition),
            required: Rc::clone(required),
        };
        let (vendor, product) = (key.vendor.clone(), key.product.clone());
        let position = *self.index.entry(key).or_insert_with(|| {
            self.platform_names = self.platform_names.saturating_add(required.len());
            // NVD: what is not listed is not vulnerable.
            let mut affected = Affected::new(Status::Unaffected);
            affected.vendor = vendor;
            affected.product = product;
            if self.platform_names <= MAX_PLATFORM_NAMES {
                affected.running_on = required.iter().map(|&name| name.to_owned()).collect();
            }
            self.found.push(affected);
            self.found.len() - 1
        });
        let affected = &mut self.found[position];
        if let Some(name) = cpe::without_version(found.name)
            && affected.cpes.last() != Some(&name)
            && self.names.insert((position, name.clone()))
        {
            affected.cpes.push(name);
        }
        affected.ranges.push(found.range.clone());
    }
}

#[cfg(test)]
mod tests;
