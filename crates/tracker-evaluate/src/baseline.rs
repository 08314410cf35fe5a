//! The two rules in use elsewhere, run on the same records for comparison.
//!
//! Invariant: as their users run them: no vendor, no version, no threshold.

use std::collections::{BTreeMap, BTreeSet};
use tracker_inventory::Package;
use tracker_match::family::bare_name;
use tracker_match::family_of;
use tracker_match::name::fold;
use tracker_record::Vulnerability;
use tracker_record::cpe::{Cpe, Part};

/// A rule that proposes families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The derivation's name contains a product or package name, whatever its case.
    Substring,
    /// The product of an application's CPE equals the package's name, folded; a language's prefix aside.
    Exact,
}

/// Packages as the rules see them.
#[derive(Debug)]
pub struct Baseline {
    /// Lower-case derivation name, and family.
    names: BTreeSet<(String, String)>,
    by_name: BTreeMap<String, BTreeSet<String>>,
}

impl Baseline {
    /// Prepares a release.
    pub fn new(packages: &[Package]) -> Self {
        let mut names = BTreeSet::new();
        let mut by_name: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for package in packages {
            let family = family_of(package);
            names.insert((package.pname.to_lowercase(), family.clone()));
            for name in [fold(&package.pname), bare_name(package)] {
                by_name.entry(name).or_default().insert(family.clone());
            }
        }
        Baseline { names, by_name }
    }

    /// The families that a rule proposes.
    pub fn propose(&self, rule: Rule, vulnerability: &Vulnerability) -> BTreeSet<String> {
        let mut proposed = BTreeSet::new();
        match rule {
            Rule::Substring => {
                let mut terms = BTreeSet::new();
                for statement in vulnerability.effective_affected() {
                    let affected = statement.affected;
                    let named = [&affected.package_name, &affected.product];
                    terms.extend(named.into_iter().flatten().map(|name| name.to_lowercase()));
                }
                for term in terms
                    .iter()
                    .filter(|term| !term.is_empty() && term.as_str() != "n/a")
                {
                    let hits = self.names.iter().filter(|(name, _)| name.contains(term));
                    proposed.extend(hits.map(|(_, family)| family.clone()));
                }
            }
            Rule::Exact => {
                let cpes = vulnerability
                    .effective_affected()
                    .flat_map(|statement| &statement.affected.cpes);
                for cpe in cpes.filter_map(|cpe| Cpe::parse(cpe)) {
                    if cpe.part != Part::Application {
                        continue;
                    }
                    let families = cpe
                        .product
                        .text()
                        .and_then(|product| self.by_name.get(&fold(product)));
                    proposed.extend(families.into_iter().flatten().cloned());
                }
            }
        }
        proposed
    }
}
