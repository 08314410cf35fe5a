//! Names that products of several makers have, counted over records.
//!
//! Invariant: a maker who is called like its product is none of several: `wget:wget` and `gnu:wget` are two ways to write
//! one.

use crate::corpus::Corpus;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use tracker_match::claim;
use tracker_match::name::squeeze;

/// From how many makers on a name is said to be anybody's.
const SEVERAL: usize = 3;

/// The names, each with how many makers have a product of that name.
pub(crate) fn of(corpus: &Corpus) -> BTreeMap<String, usize> {
    let mut makers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for vulnerability in &corpus.vulnerabilities {
        for claim in claim::subject(vulnerability, None).claims {
            let Some(vendor) = claim.vendor else { continue };
            let own = vendor.strip_suffix("-project").unwrap_or(&vendor);
            if squeeze(own) != squeeze(&claim.name) && claim.part != Some('h') {
                makers.entry(claim.name).or_default().insert(own.to_owned());
            }
        }
    }
    let counted = makers
        .into_iter()
        .map(|(name, makers)| (name, makers.len()));
    counted.filter(|&(_, count)| count >= SEVERAL).collect()
}

/// Lines of a weights file.
pub(crate) fn render(makers: &BTreeMap<String, usize>) -> String {
    makers
        .iter()
        .fold(String::new(), |mut text, (name, count)| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "makers\t{name}\t{count}");
            text
        })
}
