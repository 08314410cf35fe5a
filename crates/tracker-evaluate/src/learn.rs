//! Fits the weights file to labels: aliases first, then the weights, from one half of the vulnerabilities.
//!
//! Positive examples are labelled pairs of strength 1 and 2 and proposals judged right; negative ones are proposals
//! judged wrong, known negatives, and, at a small weight, families that are only near in name to a vulnerability
//! whose family is labelled. Invariant: deterministic; nothing of the other half is looked at.

use crate::corpus::{Corpus, read_packages};
use crate::error::EvaluateError;
use crate::evaluate::{in_time, read_all, read_weights};
use crate::logistic::Examples;
use crate::truth::{self, Kind, Label, Names};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use tracker_match::claim::{self, Claim};
use tracker_match::feature::{Feature, Features};
use tracker_match::index::Candidate;
use tracker_match::name::{fold, squeeze, stems};
use tracker_match::{Index, Weights};
use tracker_record::Vulnerability;

/// What `learn` is given.
#[derive(Debug, Clone, clap::Args)]
pub struct LearnArgs {
    /// Package list of the release (packages.json; plain, zstd or brotli)
    #[arg(long, value_name = "FILE")]
    pub packages: PathBuf,
    /// Records, one JSON document a line, or folders of such files
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub records: Vec<PathBuf>,
    /// Labels (tab-separated: cve, name, label, strength)
    #[arg(long, value_name = "TSV")]
    pub truth: PathBuf,
    /// Judged proposals
    #[arg(long, value_name = "TSV", num_args = 1..)]
    pub judged: Vec<PathBuf>,
    /// Pairs that are no match
    #[arg(long, value_name = "TSV", num_args = 1..)]
    pub negatives: Vec<PathBuf>,
    /// Another distribution's pairs of vulnerability and package name, for aliases only (tab-separated)
    #[arg(long, value_name = "TSV", num_args = 1..)]
    pub aliases_from: Vec<PathBuf>,
    /// Leave out vulnerabilities published after this day
    #[arg(long, value_name = "DATE")]
    pub until: Option<jiff::civil::Date>,
    /// The weights to start from; the program's own if absent
    #[arg(long, value_name = "TSV")]
    pub weights: Option<PathBuf>,
    /// Probability from which on a pair is proposed
    #[arg(long, value_name = "P", default_value_t = 0.5)]
    pub threshold: f64,
    /// Where to write the weights
    #[arg(long, value_name = "TSV")]
    pub output: PathBuf,
}

/// Rounds of choosing each pair's best claim and fitting again.
const ROUNDS: usize = 3;

/// Pull of each weight towards its prior.
const RIDGE: f64 = 1.0;

/// Weight of an example that is assumed, not known, to be negative.
const ASSUMED: f64 = 0.15;

/// Weight of a judged example: the only ones drawn from all proposals.
const JUDGED: f64 = 3.0;

/// Least occurrences of an alias, and least share among the labelled vulnerabilities with its vendor and product.
const ALIAS_COUNT: usize = 2;
const ALIAS_SHARE: f64 = 0.4;

/// A vendor's product.
type Product = (String, String);

/// Fits weights and writes them.
pub fn run(args: &LearnArgs, out: &mut dyn Write) -> Result<(), EvaluateError> {
    let packages = read_packages(&args.packages)?;
    let start = read_weights(args.weights.as_deref())?;
    let training = |labels: Vec<Label>| -> Vec<Label> {
        labels
            .into_iter()
            .filter(|label| truth::is_training(&label.id))
            .collect()
    };
    let labels = training(truth::read(&args.truth)?);
    let judged = training(read_all(&args.judged)?);
    let negatives = training(read_all(&args.negatives)?);
    let elsewhere = training(read_all(&args.aliases_from)?);
    let mut corpus = Corpus::read(&args.records)?;
    corpus
        .vulnerabilities
        .retain(|v| truth::is_training(&v.id) && in_time(v, args.until));
    let names = Names::new(&packages);
    let aliases = aliases(&corpus, &names, labels.iter().chain(&elsewhere));
    let mut text = String::new();
    header(&mut text, args)?;
    let with_aliases = format!(
        "{}{}",
        render(&start, args.threshold),
        render_aliases(&aliases)
    );
    let mut weights = Weights::parse(&with_aliases).map_err(|source| EvaluateError::Weights {
        path: args.output.clone(),
        source,
    })?;
    let prior: Vec<f64> = Feature::ALL
        .iter()
        .map(|&feature| start.of(feature) * PRIOR_SHARE)
        .collect();
    let mut totals = (0.0, 0.0);
    for _ in 0..ROUNDS {
        let index = Index::with_weights(&packages, weights.clone());
        let examples = examples(&index, &corpus, &names, &labels, &judged, &negatives);
        totals = examples.totals();
        if totals.0 < 20.0 || totals.1 < 20.0 {
            return Err(EvaluateError::TooFew {
                positives: totals.0 as usize,
                negatives: totals.1 as usize,
            });
        }
        let (bias, fitted) = examples.fit(Feature::ALL.len(), RIDGE, &prior);
        weights = weights.with(bias, &fitted);
    }
    text.push_str(&render(&weights, args.threshold));
    text.push_str(&render_aliases(&aliases));
    std::fs::write(&args.output, text).map_err(|source| EvaluateError::File {
        path: args.output.clone(),
        source,
    })?;
    writeln!(
        out,
        "fitted to {:.0} positive and {:.0} negative examples by weight, {} aliases; written to {}",
        totals.0,
        totals.1,
        aliases.len(),
        args.output.display()
    )?;
    Ok(())
}

/// How much of the starting weights is kept as the prior.
const PRIOR_SHARE: f64 = 0.5;

fn header(text: &mut String, args: &LearnArgs) -> Result<(), EvaluateError> {
    text.push_str(
        "# Weights of matching, in log-odds; fitted by `rootstock-tracker learn`, do not edit.\n",
    );
    let files = [&args.truth, &args.packages]
        .into_iter()
        .chain(&args.judged)
        .chain(&args.negatives)
        .chain(&args.aliases_from);
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# {name} sha256:{}", digest(path)?);
    }
    Ok(())
}

fn digest(path: &Path) -> Result<String, EvaluateError> {
    use sha2::{Digest as _, Sha256};
    let bytes = std::fs::read(path).map_err(|source| EvaluateError::File {
        path: path.to_owned(),
        source,
    })?;
    let digest = Sha256::digest(&bytes);
    Ok(digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

fn render(weights: &Weights, threshold: f64) -> String {
    let mut text = format!("bias\t{:.3}\nthreshold\t{threshold}\n", weights.bias);
    for &feature in Feature::ALL {
        let _ = writeln!(
            text,
            "weight\t{}\t{:.3}",
            feature.name(),
            weights.of(feature)
        );
    }
    text
}

fn render_aliases(aliases: &BTreeMap<Product, Vec<(String, usize)>>) -> String {
    let mut text = String::new();
    for ((vendor, product), families) in aliases {
        for (family, count) in families {
            let _ = writeln!(text, "alias\t{vendor}\t{product}\t{family}\t{count}");
        }
    }
    text
}

/// Which products turned out to be families that their names do not lead to.
fn aliases<'a>(
    corpus: &Corpus,
    names: &Names,
    labels: impl Iterator<Item = &'a Label>,
) -> BTreeMap<Product, Vec<(String, usize)>> {
    let mut truth: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for label in labels.filter(|label| label.kind != Kind::OtherProduct) {
        let families = names.families(&label.name);
        truth.entry(&label.id).or_default().extend(families);
    }
    let mut seen: BTreeMap<Product, usize> = BTreeMap::new();
    let mut unled: Vec<(String, BTreeSet<Product>)> = Vec::new();
    for (id, families) in truth {
        let Some(vulnerability) = corpus.get(id).filter(|_| !families.is_empty()) else {
            continue;
        };
        let claims = claim::subject(vulnerability).claims;
        // Systems that ship a package are named beside it; only the kernel is one and a package too.
        let products: BTreeSet<Product> = claims
            .iter()
            .filter(|claim| claim.part != Some('o') || claim.name.contains("kernel"))
            .map(product)
            .collect();
        for product in &products {
            *seen.entry(product.clone()).or_default() += 1;
        }
        for family in families {
            if !claims.iter().any(|claim| leads_to(claim, &family)) {
                unled.push((family, products.clone()));
            }
        }
    }
    let mut counts: BTreeMap<(Product, String), usize> = BTreeMap::new();
    for (family, products) in &unled {
        for product in products {
            *counts.entry((product.clone(), family.clone())).or_default() += 1;
        }
    }
    // Of the products of one vulnerability, the one that goes with the family most often is what stands for it.
    let mut credited: BTreeMap<(Product, String), usize> = BTreeMap::new();
    for (family, products) in unled {
        let key = |product: &Product| (product.clone(), family.clone());
        let most = products.iter().map(|product| counts[&key(product)]).max();
        for product in products
            .iter()
            .filter(|product| Some(counts[&key(product)]) == most)
        {
            *credited.entry(key(product)).or_default() += 1;
        }
    }
    let mut aliases: BTreeMap<Product, Vec<(String, usize)>> = BTreeMap::new();
    for ((product, family), count) in credited {
        let share = count as f64 / seen[&product] as f64;
        if count >= ALIAS_COUNT && share >= ALIAS_SHARE {
            aliases.entry(product).or_default().push((family, count));
        }
    }
    aliases
}

fn product(claim: &Claim) -> Product {
    (claim.vendor.clone().unwrap_or_default(), claim.name.clone())
}

/// Whether a claim's name is the family's, a language set's prefix, separators and affixes aside.
fn leads_to(claim: &Claim, family: &str) -> bool {
    let bare = family.rsplit_once('.').map_or(family, |(_, bare)| bare);
    squeeze(&claim.name) == squeeze(&fold(bare))
        || stems(&claim.name).iter().any(|stem| stem == bare)
}

fn features_of(features: Features) -> Vec<u8> {
    features.iter().map(|feature| feature as u8).collect()
}

/// Turns labels into examples, each pair by its best claim under the index's weights.
fn examples(
    index: &Index,
    corpus: &Corpus,
    names: &Names,
    labels: &[Label],
    judged: &[Label],
    negatives: &[Label],
) -> Examples {
    let mut examples = Examples::default();
    let find =
        |vulnerability: &Vulnerability| -> Vec<Candidate> { index.candidates(vulnerability) };
    let mut truth: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for label in labels.iter().chain(judged) {
        truth
            .entry(&label.id)
            .or_default()
            .extend(names.families(&label.name));
    }
    let proved = labels
        .iter()
        .filter(|label| label.kind != Kind::OtherProduct && label.strength <= 2);
    let other = labels
        .iter()
        .filter(|label| label.kind == Kind::OtherProduct);
    let known = proved
        .map(|label| (label, true, 1.0))
        .chain(other.chain(negatives).map(|label| (label, false, 1.0)))
        .chain(
            judged
                .iter()
                .map(|label| (label, label.kind == Kind::Affects, JUDGED)),
        );
    let mut assumed: BTreeSet<&str> = BTreeSet::new();
    for (label, positive, weight) in known {
        let Some(vulnerability) = corpus.get(&label.id) else {
            continue;
        };
        let families = names.families(&label.name);
        let candidates = find(vulnerability);
        for candidate in &candidates {
            if families.contains(&candidate.family) {
                examples.add(features_of(candidate.features), positive, weight);
            }
        }
        if positive && assumed.insert(&label.id) {
            let labelled = truth.get(label.id.as_str());
            for candidate in candidates.iter().take(12) {
                let named = candidate.features.has(Feature::NameEquals)
                    || candidate.features.has(Feature::Alias);
                if !named && !labelled.is_some_and(|set| set.contains(&candidate.family)) {
                    examples.add(features_of(candidate.features), false, ASSUMED);
                }
            }
        }
    }
    examples
}
