//! `infer-cpe`: which vendor and product a record is about, from everything in it but its CPEs; checked against a
//! curated overlay.
//!
//! A CNA's vendor and product are turned into CPE vocabulary: by what the same CNA names were decided to be in other
//! records, by the vendor:product pairs that a dictionary has, and by folding.
//! Invariant: the record that is asked about takes no part in answering.

use crate::corpus::{Corpus, open};
use crate::error::EvaluateError;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead as _, Write};
use std::path::PathBuf;
use tracker_match::address;
use tracker_match::name::{fold, squeeze};
use tracker_record::Vulnerability;
use tracker_record::cpe::Cpe;
use tracker_record::record::{Affected, Source};

/// What `infer-cpe` is given.
#[derive(Debug, Clone, clap::Args)]
pub struct InferArgs {
    /// Records of the CVE list and the curated overlay, or folders of such files.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub records: Vec<PathBuf>,
    /// Known pairs, one `vendor,product` a line.
    #[arg(long, value_name = "CSV")]
    pub dictionary: Option<PathBuf>,
    /// Print each answer that differs from the overlay's.
    #[arg(long)]
    pub show_differences: bool,
    /// Machine-readable output.
    #[arg(long)]
    pub json: bool,
}

/// A vendor and product of the CPE vocabulary, folded.
type Pair = (String, String);

/// What the vocabulary knows.
#[derive(Debug, Default)]
struct Vocabulary {
    /// Products to their vendors.
    vendors: HashMap<String, BTreeSet<String>>,
    /// Squeezed vendor and product to a pair.
    pairs: HashMap<(String, String), Pair>,
    /// What a CNA's vendor and product were curated to be, with how often and in which record first.
    decided: HashMap<Pair, BTreeMap<Pair, BTreeSet<String>>>,
    /// What a CNA's vendor was curated to be.
    decided_vendors: HashMap<String, BTreeMap<String, BTreeSet<String>>>,
}

/// The result.
#[derive(Debug, Default, Serialize)]
pub struct Agreement {
    /// Records with a CNA's product and a curated CPE.
    pub records: usize,
    /// Those where the inferred vendor and product are the curated ones.
    pub agree: usize,
    /// Those where normalised vendor and product alone are.
    pub equality_alone: usize,
}

/// Infers, compares and writes the result.
pub fn run(args: &InferArgs, out: &mut dyn Write) -> Result<(), EvaluateError> {
    let corpus = Corpus::read(&args.records)?;
    let mut vocabulary = Vocabulary::default();
    if let Some(path) = &args.dictionary {
        for line in open(path)?.lines() {
            let line = line.map_err(|source| EvaluateError::File {
                path: path.clone(),
                source,
            })?;
            if let Some((vendor, product)) = line.trim().split_once(',') {
                vocabulary.add(fold(vendor), fold(product));
            }
        }
    }
    for vulnerability in &corpus.vulnerabilities {
        vocabulary.learn(vulnerability);
    }
    let mut agreement = Agreement::default();
    for vulnerability in &corpus.vulnerabilities {
        let curated = curated(vulnerability);
        let Some(affected) = named(vulnerability).next() else {
            continue;
        };
        if curated.is_empty() {
            continue;
        }
        agreement.records += 1;
        let plain = named(vulnerability)
            .filter_map(names)
            .any(|pair| curated.contains(&pair));
        agreement.equality_alone += usize::from(plain);
        let inferred = named(vulnerability).filter_map(|a| vocabulary.infer(a, &vulnerability.id));
        let inferred: BTreeSet<Pair> = inferred.collect();
        if inferred.iter().any(|pair| curated.contains(pair)) {
            agreement.agree += 1;
        } else if args.show_differences {
            writeln!(
                out,
                "{}: {:?} -> {inferred:?}, curated {curated:?}",
                vulnerability.id,
                names(affected)
            )?;
        }
    }
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &agreement).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        let share = |count: usize| 100.0 * count as f64 / agreement.records.max(1) as f64;
        writeln!(
            out,
            "{} records: {} agree ({:.1} %); equality of normalised names alone {} ({:.1} %)",
            agreement.records,
            agreement.agree,
            share(agreement.agree),
            agreement.equality_alone,
            share(agreement.equality_alone)
        )?;
    }
    Ok(())
}

/// Vendors and products that the overlay states.
fn curated(vulnerability: &Vulnerability) -> BTreeSet<Pair> {
    vulnerability
        .records
        .iter()
        .filter(|record| record.source == Source::CpeOverlay)
        .flat_map(|record| &record.affected)
        .flat_map(|stated| &stated.value.cpes)
        .filter_map(|cpe| Cpe::parse(cpe))
        .filter_map(|cpe| Some((fold(cpe.vendor.text()?), fold(cpe.product.text()?))))
        .collect()
}

/// What the CNA states.
fn named(vulnerability: &Vulnerability) -> impl Iterator<Item = &Affected> {
    vulnerability
        .records
        .iter()
        .filter(|record| record.source == Source::CveList)
        .flat_map(|record| &record.affected)
        .filter(|stated| stated.origin.starts_with("cna"))
        .map(|stated| &stated.value)
        .filter(|affected| names(affected).is_some())
}

/// Vendor and product, folded; `n/a` is no name.
fn names(affected: &Affected) -> Option<Pair> {
    let product = affected
        .product
        .as_ref()
        .or(affected.package_name.as_ref())?;
    let product = fold(product);
    let vendor = affected.vendor.as_deref().map(fold).unwrap_or_default();
    (!matches!(product.as_str(), "" | "n-a" | "unknown")).then_some((vendor, product))
}

impl Vocabulary {
    fn add(&mut self, vendor: String, product: String) {
        self.pairs
            .entry((squeeze(&vendor), squeeze(&product)))
            .or_insert_with(|| (vendor.clone(), product.clone()));
        self.vendors.entry(product).or_default().insert(vendor);
    }

    fn learn(&mut self, vulnerability: &Vulnerability) {
        let curated = curated(vulnerability);
        // One product on either side: otherwise it is not clear which is which.
        let stated: BTreeSet<Pair> = named(vulnerability).filter_map(names).collect();
        if let (1, Some(stated)) = (stated.len(), stated.first()) {
            for pair in &curated {
                let id = vulnerability.id.clone();
                self.decided
                    .entry(stated.clone())
                    .or_default()
                    .entry(pair.clone())
                    .or_default()
                    .insert(id.clone());
                self.decided_vendors
                    .entry(stated.0.clone())
                    .or_default()
                    .entry(pair.0.clone())
                    .or_default()
                    .insert(id);
            }
        }
    }

    /// The pair for a CNA's statement, in a record that is itself not to be asked.
    fn infer(&self, affected: &Affected, record: &str) -> Option<Pair> {
        let (vendor, product) = names(affected)?;
        let most = |answers: &BTreeMap<Pair, BTreeSet<String>>| {
            answers
                .iter()
                .map(|(pair, ids)| (ids.len() - usize::from(ids.contains(record)), pair))
                .filter(|(count, _)| *count > 0)
                .max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(a.1)))
                .map(|(_, pair)| pair.clone())
        };
        if let Some(pair) = self
            .decided
            .get(&(vendor.clone(), product.clone()))
            .and_then(most)
        {
            return Some(pair);
        }
        let products = forms(&vendor, &product, affected);
        let vendors = self.vendor_forms(&vendor, &products, affected, record);
        for product in &products {
            for vendor in &vendors {
                let key = (squeeze(vendor), squeeze(product));
                if let Some(pair) = self.pairs.get(&key) {
                    return Some(pair.clone());
                }
            }
        }
        // A product that only one vendor has.
        for product in &products {
            if let Some(known) = self.vendors.get(product)
                && known.len() == 1
                && let Some(vendor) = known.first()
            {
                return Some((vendor.clone(), product.clone()));
            }
        }
        let vendor = vendors
            .first()
            .cloned()
            .unwrap_or_else(|| format!("{}-project", products[0]));
        Some((vendor, products[0].clone()))
    }

    /// What a vendor may be called, likeliest first.
    fn vendor_forms(
        &self,
        vendor: &str,
        products: &[String],
        affected: &Affected,
        record: &str,
    ) -> Vec<String> {
        let mut forms = Vec::new();
        if let Some(known) = self.decided_vendors.get(vendor) {
            let mut known: Vec<(usize, &String)> = known
                .iter()
                .map(|(name, ids)| (ids.len() - usize::from(ids.contains(record)), name))
                .filter(|(count, _)| *count > 0)
                .collect();
            known.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
            forms.extend(known.into_iter().map(|(_, name)| name.clone()));
        }
        if !matches!(vendor, "" | "n-a" | "unknown" | "unspecified") {
            forms.push(vendor.to_owned());
            for ending in [
                "-inc",
                "-ltd",
                "-llc",
                "-gmbh",
                "-corporation",
                "-corp",
                "-foundation",
                "-team",
                "-software",
                "-project",
                "-co-ltd",
                "-technologies",
            ] {
                if let Some(stem) = vendor.strip_suffix(ending) {
                    forms.push(stem.to_owned());
                }
            }
        }
        let address = affected.repository.as_deref().and_then(address::parse);
        forms.extend(
            address
                .and_then(|address| address.owner)
                .map(|owner| fold(&owner)),
        );
        for product in products {
            forms.push(format!("{product}-project"));
            forms.push(product.clone());
        }
        forms
    }
}

/// What a product may be called, likeliest first.
fn forms(vendor: &str, product: &str, affected: &Affected) -> Vec<String> {
    let mut forms = Vec::new();
    let mut add = |form: &str| {
        if !form.is_empty() && !forms.iter().any(|f| f == form) {
            forms.push(form.to_owned());
        }
    };
    add(product);
    if let Some(rest) = product.strip_prefix(vendor) {
        add(rest.trim_start_matches('-'));
    }
    for part in [&affected.product, &affected.package_name]
        .into_iter()
        .flatten()
    {
        if let Some((_, last)) = part.rsplit_once(['/', ':']) {
            add(&fold(last));
        }
        // `Some Plugin – what it does`, `Name (short)`: the name is before the mark.
        for mark in [" – ", " - ", " | ", " (", ": ", ", "] {
            if let Some((first, _)) = part.split_once(mark) {
                add(&fold(first));
            }
        }
    }
    for ending in [
        "-plugin",
        "-for-wordpress",
        "-plugin-for-wordpress",
        "-wordpress-plugin",
        "-software",
        "-server",
        "-application",
        "-app",
        "-cms",
    ] {
        if let Some(stem) = product.strip_suffix(ending) {
            add(stem);
        }
    }
    forms
}
