//! Fits the weights file to labels: aliases first, then the weights, from one half of the vulnerabilities.
//!
//! Positive examples are labelled pairs of strength 1 and 2 and proposals judged right; negative ones are proposals
//! judged wrong, known negatives, and, at a small weight, families that are only near in name to a vulnerability
//! whose family is labelled, or whose package is not known. Invariant: deterministic; nothing of the other half is looked at.

use crate::corpus::{Corpus, read_packages};
use crate::error::EvaluateError;
use crate::evaluate::in_time;
use crate::logistic::Examples;
use crate::makers;
use crate::truth::{self, Kind, Label, Names};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use tracker_inventory::Package;
use tracker_match::claim::{self, Claim};
use tracker_match::feature::{Feature, Features};
use tracker_match::name::{fold, squeeze, stems};
use tracker_match::{Index, Weights};

/// What `learn` is given.
#[derive(Debug, Clone, clap::Args)]
pub struct LearnArgs {
    /// Package list of the release (packages.json; plain, zstd or brotli).
    #[arg(long, value_name = "FILE")]
    pub packages: PathBuf,
    /// Records, one JSON document a line, or folders of such files.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub records: Vec<PathBuf>,
    /// Labels (tab-separated: cve, name, label, strength).
    #[arg(long, value_name = "TSV")]
    pub truth: PathBuf,
    /// Judged proposals; the program's own if left out.
    #[arg(long, value_name = "TSV", num_args = 1..)]
    pub judged: Vec<PathBuf>,
    /// Pairs that are no match; the program's own if left out.
    #[arg(long, value_name = "TSV", num_args = 1..)]
    pub negatives: Vec<PathBuf>,
    /// Another distribution's pairs of vulnerability and package name, for aliases only (tab-separated).
    #[arg(long, value_name = "TSV", num_args = 1..)]
    pub aliases_from: Vec<PathBuf>,
    /// Leave out vulnerabilities published after this day.
    #[arg(long, value_name = "DATE")]
    pub until: Option<jiff::civil::Date>,
    /// A later package list, for the vulnerabilities published after `--until`.
    #[arg(long, value_name = "FILE", requires = "until")]
    pub later_packages: Option<PathBuf>,
    /// Probability from which on a pair is proposed.
    #[arg(long, value_name = "P", default_value_t = 0.5)]
    pub threshold: f64,
    /// Where to write the weights.
    #[arg(long, value_name = "TSV")]
    pub output: PathBuf,
}

/// Rounds of choosing each pair's best claim and fitting again.
const ROUNDS: usize = 3;

/// Pull of each weight towards its prior.
const RIDGE: f64 = 1.0;

/// Weight of an example that is assumed, not known, to be negative.
const ASSUMED: f64 = 0.15;

/// Weight of a name that is only near, unproved, or a library's that binds to the program of that name, to what an unlabelled vulnerability is about: nearly all of those are
/// something else, and labelled vulnerabilities, each of which has a package, show too few of them.
const UNLABELLED: f64 = 0.1;

/// Of how many unlabelled vulnerabilities one is looked at.
const UNLABELLED_SHARE: u8 = 8;

/// Weight of an example as a list without addresses and descriptions shows it.
const BARE: f64 = 0.3;

/// Weight of a judged example: the only ones drawn from all proposals.
const JUDGED: f64 = 3.0;

/// Least occurrences of an alias whose names are related, of one whose names are not, and of one whose product has a
/// package of its own name beside it, so that the other package may only contain it.
const ALIAS_COUNT: usize = 2;
const ALIAS_COUNT_UNRELATED: usize = 3;
const ALIAS_COUNT_BESIDE_OWN: usize = 6;

/// Least share among the labelled vulnerabilities with the alias' vendor and product.
const ALIAS_SHARE: f64 = 0.4;

/// Most families of one product.
const ALIAS_FAMILIES: usize = 2;

/// A vendor's product.
type Product = (String, String);

/// Fits weights and writes them.
pub fn run(args: &LearnArgs, out: &mut dyn Write) -> Result<(), EvaluateError> {
    let packages = read_packages(&args.packages)?;
    let training = |labels: Vec<Label>| -> Vec<Label> {
        labels
            .into_iter()
            .filter(|label| truth::is_training(&label.id))
            .collect()
    };
    let disputed: BTreeSet<(String, String)> = truth::DISPUTED
        .or(&[])?
        .into_iter()
        .map(|label| (label.id, label.name))
        .collect();
    let mut labels = training(truth::read(&args.truth)?);
    labels.retain(|label| !disputed.contains(&(label.id.clone(), label.name.clone())));
    let judged = training(truth::JUDGED.or(&args.judged)?);
    let negatives = training(truth::NEGATIVES.or(&args.negatives)?);
    let mut elsewhere = Vec::new();
    for path in &args.aliases_from {
        elsewhere.extend(training(truth::read(path)?));
    }
    let mut corpus = Corpus::read(&args.records)?;
    corpus.vulnerabilities.retain(|v| truth::is_training(&v.id));
    let later = corpus
        .vulnerabilities
        .extract_if(.., |v| !in_time(v, args.until))
        .collect();
    let names = Names::new(&packages);
    let aliases = aliases(&corpus, &names, labels.iter().chain(&elsewhere));
    let tables = render_aliases(&aliases) + &makers::render(&makers::of(&corpus));
    let mut lists = vec![List {
        packages,
        names,
        corpus: Arc::new(corpus),
    }];
    if let Some(path) = &args.later_packages {
        let packages = read_packages(path)?;
        lists.push(List {
            names: Names::new(&packages),
            packages,
            corpus: Arc::new(Corpus {
                vulnerabilities: later,
                ..Corpus::default()
            }),
        });
    }
    let mut text = String::new();
    header(&mut text, args)?;
    let start = Weights::parse(&tables).map_err(|source| EvaluateError::Weights {
        path: args.output.clone(),
        source,
    })?;
    let prior: Vec<f64> = Feature::ALL.iter().map(|&feature| prior(feature)).collect();
    let mut weights = start.with(0.0, &prior);
    let mut totals = (0.0, 0.0);
    for _ in 0..ROUNDS {
        let mut examples = Examples::default();
        for list in &lists {
            let mut part = Examples::default();
            add_examples(&mut part, list, &weights, &labels, &judged, &negatives);
            examples.extend(part, 1.0);
            // Lists without home pages exist; each example counts again as such a list shows it.
            let mut part = Examples::default();
            let bare = list.without_addresses();
            add_examples(&mut part, &bare, &weights, &labels, &judged, &negatives);
            examples.extend(part, BARE);
        }
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
    text.push_str(&tables);
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

/// What a feature weighs before any example is seen: a little for what names say, much for what rules a match out.
/// The fit starts here, never from earlier weights, so that fitting again gives the same file.
fn prior(feature: Feature) -> f64 {
    match feature {
        Feature::StatedCpe | Feature::StatedPurl => 3.0,
        Feature::Alias => 2.0,
        Feature::NameEquals
        | Feature::SqueezedEquals
        | Feature::RepositoryName
        | Feature::SameRepository
        | Feature::SameSite
        | Feature::VendorInAddress
        | Feature::MakerInName
        | Feature::SameRecipe
        | Feature::TwinOfTop
        | Feature::WorldAgrees => 1.0,
        Feature::TextNames
        | Feature::VersionNear
        | Feature::TwoSources
        | Feature::Sibling
        | Feature::SameRelease => 0.5,
        Feature::StemEquals
        | Feature::NameBegins
        | Feature::NameEnds
        | Feature::Initials
        | Feature::CommercialElsewhere
        | Feature::DescribedBinding
        | Feature::Companion
        | Feature::Binding
        | Feature::WeakUnproved
        | Feature::SystemOfOther
        | Feature::SetAlone
        | Feature::BetterElsewhere
        | Feature::OtherRepository
        | Feature::VersionFar
        | Feature::PartSystem => -1.0,
        Feature::Extension
        | Feature::DecidedElsewhere
        | Feature::WorldConflicts
        | Feature::PartHardware
        | Feature::Hosted => -2.0,
        Feature::NearUnproved | Feature::SetSeldomMeant => -1.5,
        Feature::ExactUnproved => -0.5,
        Feature::WorldForeign => -3.0,
        _ => 0.0,
    }
}

fn header(text: &mut String, args: &LearnArgs) -> Result<(), EvaluateError> {
    text.push_str(
        "# Weights of matching, in log-odds; fitted by `rootstock-tracker learn`, do not edit.\n",
    );
    let mut line = |name: &str, bytes: &[u8]| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# {name} sha256:{}", digest(bytes));
    };
    let own = [
        (truth::JUDGED, args.judged.is_empty()),
        (truth::NEGATIVES, args.negatives.is_empty()),
        (truth::DISPUTED, true),
    ];
    for (file, _) in own.iter().filter(|(_, used)| *used) {
        line(file.name, file.text.as_bytes());
    }
    let files = [&args.truth, &args.packages]
        .into_iter()
        .chain(&args.judged)
        .chain(&args.negatives)
        .chain(&args.aliases_from)
        .chain(&args.later_packages);
    for path in files {
        let bytes = std::fs::read(path).map_err(|source| EvaluateError::File {
            path: path.clone(),
            source,
        })?;
        line(
            &path.file_name().unwrap_or_default().to_string_lossy(),
            &bytes,
        );
    }
    Ok(())
}

fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    hex::encode(Sha256::digest(bytes))
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
        let claims = claim::subject(vulnerability, None).claims;
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
        let own = names.families(&product.1);
        let least = if !own.is_empty() && !own.contains(&family) {
            ALIAS_COUNT_BESIDE_OWN
        } else if related(&product.1, &family) {
            ALIAS_COUNT
        } else {
            ALIAS_COUNT_UNRELATED
        };
        if count >= least && share >= ALIAS_SHARE {
            aliases.entry(product).or_default().push((family, count));
        }
    }
    // A product that is found in many packages is a component of them, not another name for them.
    aliases.retain(|_, families| families.len() <= ALIAS_FAMILIES);
    aliases
}

fn product(claim: &Claim) -> Product {
    (claim.vendor.clone().unwrap_or_default(), claim.name.clone())
}

/// Whether a product and a family have a word in common, or the product's initials begin the family's name.
fn related(product: &str, family: &str) -> bool {
    let bare = family.rsplit_once('.').map_or(family, |(_, bare)| bare);
    let initials: String = product
        .split('-')
        .filter_map(|word| word.chars().next())
        .collect();
    let shared = product
        .split('-')
        .filter(|word| word.len() >= 3)
        .any(|word| bare.contains(word));
    let begun = bare
        .get(..bare.len().min(3))
        .is_some_and(|begin| product.contains(begin));
    shared || begun || (initials.len() >= 3 && bare.starts_with(&initials))
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

/// A package list, and the vulnerabilities that are looked up in it.
struct List {
    packages: Vec<Package>,
    names: Names,
    corpus: Arc<Corpus>,
}

impl List {
    /// The same list as one without addresses and descriptions shows it.
    fn without_addresses(&self) -> List {
        let mut packages = self.packages.clone();
        for package in &mut packages {
            package.homepages = Vec::new();
            package.source_urls = Vec::new();
            package.description = None;
        }
        List {
            packages,
            names: self.names.clone(),
            corpus: Arc::clone(&self.corpus),
        }
    }
}

/// Adds what only has a name near to that of an unlabelled vulnerability as a negative example.
fn add_unlabelled(
    examples: &mut Examples,
    index: &Index,
    corpus: &Corpus,
    labelled: &BTreeMap<&str, BTreeSet<String>>,
) {
    let chosen = corpus.vulnerabilities.iter().filter(|vulnerability| {
        let id = vulnerability.id.as_str();
        !labelled.contains_key(id) && truth::shuffled(id).is_multiple_of(UNLABELLED_SHARE)
    });
    for candidate in chosen.flat_map(|vulnerability| index.candidates(vulnerability)) {
        let doubtful = [
            Feature::NearUnproved,
            Feature::Binding,
            Feature::SetSeldomMeant,
        ];
        if doubtful
            .into_iter()
            .any(|feature| candidate.features.has(feature))
        {
            examples.add(features_of(candidate.features), false, UNLABELLED);
        }
    }
}

/// Turns labels into examples, each pair by its best claim under the weights so far.
fn add_examples(
    examples: &mut Examples,
    list: &List,
    weights: &Weights,
    labels: &[Label],
    judged: &[Label],
    negatives: &[Label],
) {
    let index = Index::with_weights(&list.packages, weights.clone());
    let (corpus, names) = (&list.corpus, &list.names);
    let mut truth: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for label in labels.iter().chain(judged) {
        truth
            .entry(&label.id)
            .or_default()
            .extend(names.families(&label.name));
    }
    add_unlabelled(examples, &index, corpus, &truth);
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
        let candidates = index.candidates(vulnerability);
        // A name that a program and a language's package share means the program, unless the label says otherwise.
        let in_set = |family: &str| family.contains('.');
        let mixed = families.iter().any(|family| !in_set(family));
        let meant = |family: &str| families.contains(family) && !(mixed && in_set(family));
        for candidate in &candidates {
            if meant(&candidate.family) {
                examples.add(features_of(candidate.features), positive, weight);
            }
        }
        if positive && assumed.insert(&label.id) {
            let labelled = truth.get(label.id.as_str());
            for candidate in candidates.iter().take(12) {
                let named = candidate.features.has(Feature::NameEquals)
                    || candidate.features.has(Feature::Alias);
                if !named && !labelled.is_some_and(|set| set.contains(&*candidate.family)) {
                    examples.add(features_of(candidate.features), false, ASSUMED);
                }
            }
        }
    }
}
