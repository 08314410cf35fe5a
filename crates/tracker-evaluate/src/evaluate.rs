//! Precision, recall and calibration of proposals against labels, beside two baseline rules.
//!
//! A labelled pair counts for recall only if its record was given and published in time, and its name resolves in
//! the package list; what does not count is counted by reason. Precision is that of judged proposals.
//! Invariant: all figures come from one run over the same vulnerabilities.

use crate::baseline::Baseline;
use crate::corpus::{Corpus, read_packages};
use crate::error::EvaluateError;
use crate::judge::{Judge, Subject};
use crate::repology;
use crate::report::Year;
use crate::standing::{Standing, Standings};
use crate::truth::{self, Label, Names};
use jiff::Timestamp;
use serde::Serialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use tracker_match::weights::probability;
use tracker_match::{Index, Match, MatchKind, Statements, Weights};
use tracker_record::Vulnerability;

/// What `evaluate` is given.
#[derive(Debug, Clone, clap::Args)]
pub struct EvaluateArgs {
    /// Package list of the release (packages.json; plain, zstd or brotli).
    #[arg(long, value_name = "FILE")]
    pub packages: PathBuf,
    /// Records, one JSON document a line (.jsonl, .jsonl.zst), or folders of such files.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub records: Vec<PathBuf>,
    /// Labels (tab-separated: cve, name, label, strength).
    #[arg(long, value_name = "TSV")]
    pub truth: PathBuf,
    /// Judged proposals (tab-separated: id, package, verdict, reason); the program's own if left out.
    #[arg(long, value_name = "TSV", num_args = 1..)]
    pub judged: Vec<PathBuf>,
    /// Pairs that are no match (tab-separated: id, package); the program's own if left out.
    #[arg(long, value_name = "TSV", num_args = 1..)]
    pub negatives: Vec<PathBuf>,
    /// Labels that reading showed to be wrong, without which figures are given too; the program's own if left out.
    #[arg(long, value_name = "TSV", num_args = 1..)]
    pub disputed: Vec<PathBuf>,
    /// Leave out vulnerabilities published after this day (2019-11-17).
    #[arg(long, value_name = "DATE")]
    pub until: Option<jiff::civil::Date>,
    /// Probability from which on a pair is proposed; the weights file's own if absent.
    #[arg(long, value_name = "P")]
    pub threshold: Option<f64>,
    /// Another weights file than the program's own.
    #[arg(long, value_name = "TSV")]
    pub weights: Option<PathBuf>,
    /// Repology's rules (a file, folder or tarball), which are no part of the program.
    #[arg(long, value_name = "PATH")]
    pub repology: Option<PathBuf>,
    /// Only vulnerabilities that weights were not fitted to.
    #[arg(long)]
    pub held_out: bool,
    /// Write every proposal with score and reasons, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub proposals: Option<PathBuf>,
    /// Write the calibration table as a picture.
    #[arg(long, value_name = "SVG")]
    pub calibration_svg: Option<PathBuf>,
    /// Machine-readable output.
    #[arg(long)]
    pub json: bool,
}

/// One line of the proposals file.
#[derive(Debug, Serialize)]
struct Proposal<'a> {
    #[serde(flatten)]
    matched: &'a Match,
    rank: usize,
    /// The worst status of its members in the list; see [`crate::standing`].
    standing: Standing,
    /// Whether the package is the product, or contains it.
    kind: MatchKind,
}

/// What was found for one vulnerability: families with their scores, best first.
pub(crate) struct Found<'a> {
    pub(crate) vulnerability: &'a Vulnerability,
    pub(crate) scores: Vec<(Arc<str>, f64)>,
}

impl Found<'_> {
    /// The families from a threshold on.
    pub(crate) fn proposed(&self, threshold: f64) -> impl Iterator<Item = &str> {
        self.scores
            .iter()
            .take_while(move |(_, score)| *score >= threshold)
            .map(|(family, _)| &**family)
    }

    fn is_proposed(&self, threshold: f64) -> bool {
        self.proposed(threshold).next().is_some()
    }

    /// The score of the best of some families.
    pub(crate) fn score(&self, families: &BTreeSet<String>) -> Option<f64> {
        self.scores
            .iter()
            .find(|(family, _)| families.contains(&**family))
            .map(|(_, score)| *score)
    }
}

/// Runs the evaluation and writes its report.
pub fn run(args: &EvaluateArgs, out: &mut dyn Write) -> Result<(), EvaluateError> {
    let packages = read_packages(&args.packages)?;
    let weights = read_weights(args.weights.as_deref())?;
    let threshold = args.threshold.unwrap_or(weights.threshold);
    let labels = truth::read(&args.truth)?;
    let judged = truth::SAMPLE.or(&args.judged)?;
    let negatives = truth::NEGATIVES.or(&args.negatives)?;
    let disputed: BTreeSet<(String, String)> = truth::DISPUTED
        .or(&args.disputed)?
        .into_iter()
        .map(|label| (label.id, label.name))
        .collect();
    let corpus = Corpus::read(&args.records)?;
    let mut index = Index::with_weights(&packages, weights);
    if let Some(path) = &args.repology {
        index = index.with_siblings(repology::read(path)?);
    }
    let started = std::time::Instant::now();
    let found = search(&index, &corpus, args.until, args.held_out);
    let seconds = started.elapsed().as_secs_f64();
    let standings = Standings::new(&packages);
    if let Some(path) = &args.proposals {
        write_proposals(path, &found, &index, &standings, threshold)?;
    }
    let judge = Judge {
        names: Names::new(&packages),
        baseline: Baseline::new(&packages),
        packages: &packages,
        threshold,
        by_id: found
            .iter()
            .map(|found| (found.vulnerability.id.as_str(), found))
            .collect(),
        corpus: &corpus,
        index: &index,
        told: RefCell::default(),
    };
    let mut report = judge.report(&labels, &judged, &negatives);
    if !disputed.is_empty() {
        let kept: Vec<Label> = labels
            .iter()
            .filter(|label| !disputed.contains(&(label.id.clone(), label.name.clone())))
            .cloned()
            .collect();
        let mut without = judge.recall(&kept, Subject::Ours);
        without.finish();
        report.without_disputed = Some(without);
    }
    report.years = years(&found, &index, &standings, threshold);
    report.vulnerabilities = found.len();
    report.seconds = seconds;
    report.microseconds_per_vulnerability = seconds * 1e6 / found.len().max(1) as f64;
    if let Some(path) = &args.calibration_svg {
        std::fs::write(path, report.svg()).map_err(|source| EvaluateError::File {
            path: path.clone(),
            source,
        })?;
    }
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        report.print(out)?;
    }
    Ok(())
}

/// The weights of a file, or the program's own.
pub(crate) fn read_weights(path: Option<&std::path::Path>) -> Result<Weights, EvaluateError> {
    let Some(path) = path else {
        return Ok(Weights::embedded());
    };
    let text = std::fs::read_to_string(path).map_err(|source| EvaluateError::File {
        path: path.to_owned(),
        source,
    })?;
    Weights::parse(&text).map_err(|source| EvaluateError::Weights {
        path: path.to_owned(),
        source,
    })
}

/// Whether a vulnerability was published by the end of a day; one without a date was not.
pub(crate) fn in_time(vulnerability: &Vulnerability, until: Option<jiff::civil::Date>) -> bool {
    let Some(until) = until else { return true };
    let end = until
        .tomorrow()
        .ok()
        .and_then(|day| format!("{day}T00:00:00Z").parse().ok())
        .unwrap_or(Timestamp::MAX);
    vulnerability
        .published()
        .is_some_and(|published| published < end)
}

/// Looks every vulnerability up, on all cores; the order is the corpus'.
fn search<'a>(
    index: &Index,
    corpus: &'a Corpus,
    until: Option<jiff::civil::Date>,
    held_out: bool,
) -> Vec<Found<'a>> {
    let chosen: Vec<&Vulnerability> = corpus
        .vulnerabilities
        .iter()
        .filter(|v| in_time(v, until) && !(held_out && truth::is_training(&v.id)))
        .collect();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let chunk = chosen.len().div_ceil(workers).max(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = chosen
            .chunks(chunk)
            .map(|part| {
                scope.spawn(move || {
                    part.iter()
                        .map(|vulnerability| Found {
                            vulnerability,
                            scores: index
                                .candidates(vulnerability)
                                .into_iter()
                                .map(|found| (found.family, probability(found.log_odds)))
                                .collect(),
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .flatten()
            .collect()
    })
}

fn write_proposals(
    path: &std::path::Path,
    found: &[Found<'_>],
    index: &Index,
    standings: &Standings<'_>,
    threshold: f64,
) -> Result<(), EvaluateError> {
    let at = |source| EvaluateError::File {
        path: path.to_owned(),
        source,
    };
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).map_err(at)?);
    for found in found.iter().filter(|found| found.is_proposed(threshold)) {
        let proposed = index
            .candidates(found.vulnerability)
            .into_iter()
            .take_while(|candidate| probability(candidate.log_odds) >= threshold);
        let statements = Statements::new(found.vulnerability);
        for (rank, candidate) in proposed.enumerate() {
            let matched = &candidate.into_match(&found.vulnerability.id, index.weights());
            let line = serde_json::to_string(&Proposal {
                matched,
                rank: rank + 1,
                standing: standings.of(&statements, matched),
                kind: matched.kind(),
            })
            .map_err(|error| at(error.into()))?;
            writeln!(file, "{line}").map_err(at)?;
        }
    }
    file.flush().map_err(at)
}

/// How many vulnerabilities of each year are proposed, and how many of those are open.
fn years(
    found: &[Found<'_>],
    index: &Index,
    standings: &Standings<'_>,
    threshold: f64,
) -> BTreeMap<String, Year> {
    let mut years: BTreeMap<String, Year> = BTreeMap::new();
    for found in found.iter().filter(|found| found.is_proposed(threshold)) {
        let vulnerability = found.vulnerability;
        let statements = Statements::new(vulnerability);
        let open: Vec<MatchKind> = index
            .candidates(vulnerability)
            .into_iter()
            .take_while(|candidate| probability(candidate.log_odds) >= threshold)
            .map(|candidate| candidate.into_match(&vulnerability.id, index.weights()))
            .filter(|matched| standings.of(&statements, matched).is_open())
            .map(|matched| matched.kind())
            .collect();
        let year = vulnerability.id.split('-').nth(1).unwrap_or_default();
        let year = years.entry(year.to_owned()).or_default();
        year.proposed += 1;
        year.open += usize::from(!open.is_empty());
        let contained = !open.is_empty() && open.iter().all(|&kind| kind == MatchKind::Component);
        year.open_in_components += usize::from(contained);
    }
    years
}
