//! Precision, recall and calibration of proposals against labels, beside two baseline rules.
//!
//! A labelled pair counts for recall only if its record was given and published in time, and its name resolves in
//! the package list; what does not count is counted by reason. Precision is that of judged proposals.
//! Invariant: all figures come from one run over the same vulnerabilities.

use crate::baseline::{Baseline, Rule};
use crate::corpus::{Corpus, read_packages};
use crate::error::EvaluateError;
use crate::report::{Bin, Figures, Report};
use crate::truth::{self, Kind, Label, Names};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::path::PathBuf;
use tracker_inventory::Package;
use tracker_match::index::Candidate;
use tracker_match::weights::probability;
use tracker_match::{FindingStatus, Index, Match, Weights, finding};
use tracker_record::Vulnerability;

/// What `evaluate` is given.
#[derive(Debug, Clone, clap::Args)]
pub struct EvaluateArgs {
    /// Package list of the release (packages.json; plain, zstd or brotli)
    #[arg(long, value_name = "FILE")]
    pub packages: PathBuf,
    /// Records, one JSON document a line (.jsonl, .jsonl.zst), or folders of such files
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub records: Vec<PathBuf>,
    /// Labels (tab-separated: cve, name, label, strength)
    #[arg(long, value_name = "TSV")]
    pub truth: PathBuf,
    /// Judged proposals (tab-separated: id, package, verdict, reason)
    #[arg(long, value_name = "TSV", num_args = 1..)]
    pub judged: Vec<PathBuf>,
    /// Pairs that are no match (tab-separated: id, package)
    #[arg(long, value_name = "TSV", num_args = 1..)]
    pub negatives: Vec<PathBuf>,
    /// Labels that reading showed to be wrong; figures are given with and without them
    #[arg(long, value_name = "TSV")]
    pub disputed: Option<PathBuf>,
    /// Leave out vulnerabilities published after this day (2019-11-17)
    #[arg(long, value_name = "DATE")]
    pub until: Option<jiff::civil::Date>,
    /// Probability from which on a pair is proposed; the weights file's own if absent
    #[arg(long, value_name = "P")]
    pub threshold: Option<f64>,
    /// Another weights file than the program's own
    #[arg(long, value_name = "TSV")]
    pub weights: Option<PathBuf>,
    /// Only vulnerabilities that weights were not fitted to
    #[arg(long)]
    pub held_out: bool,
    /// Write every proposal with score and reasons, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub proposals: Option<PathBuf>,
    /// Write the calibration picture
    #[arg(long, value_name = "SVG")]
    pub picture: Option<PathBuf>,
    /// Machine-readable output
    #[arg(long)]
    pub json: bool,
}

/// One line of the proposals file.
#[derive(Debug, Serialize)]
struct Proposal<'a> {
    #[serde(flatten)]
    matched: &'a Match,
    rank: usize,
}

/// What was found for one vulnerability.
struct Found<'a> {
    vulnerability: &'a Vulnerability,
    candidates: Vec<Candidate>,
}

/// Runs the evaluation and writes its report.
pub fn run(args: &EvaluateArgs, out: &mut dyn Write) -> Result<(), EvaluateError> {
    let packages = read_packages(&args.packages)?;
    let weights = read_weights(args.weights.as_deref())?;
    let threshold = args.threshold.unwrap_or(weights.threshold);
    let labels = truth::read(&args.truth)?;
    let judged = read_all(&args.judged)?;
    let negatives = read_all(&args.negatives)?;
    let disputed: BTreeSet<(String, String)> = match &args.disputed {
        Some(path) => truth::read(path)?
            .into_iter()
            .map(|l| (l.id, l.name))
            .collect(),
        None => BTreeSet::new(),
    };
    let corpus = Corpus::read(&args.records)?;
    let index = Index::with_weights(&packages, weights);
    let started = std::time::Instant::now();
    let found = search(&index, &corpus, args.until, args.held_out);
    let seconds = started.elapsed().as_secs_f64();
    if let Some(path) = &args.proposals {
        write_proposals(path, &found, &index, threshold)?;
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
    };
    let mut report = judge.report(&labels, &judged, &negatives);
    if !disputed.is_empty() {
        let kept: Vec<Label> = labels
            .iter()
            .filter(|label| !disputed.contains(&(label.id.clone(), label.name.clone())))
            .cloned()
            .collect();
        report.without_disputed = Some(judge.recall(&kept, Subject::Ours));
    }
    report.vulnerabilities = found.len();
    report.seconds = seconds;
    report.microseconds_per_vulnerability = seconds * 1e6 / found.len().max(1) as f64;
    if let Some(path) = &args.picture {
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

pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Vec<Label>, EvaluateError> {
    let mut labels = Vec::new();
    for path in paths {
        labels.extend(truth::read(path)?);
    }
    Ok(labels)
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
                            candidates: index.candidates(vulnerability),
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
    threshold: f64,
) -> Result<(), EvaluateError> {
    let at = |source| EvaluateError::File {
        path: path.to_owned(),
        source,
    };
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).map_err(at)?);
    for Found {
        vulnerability,
        candidates,
    } in found
    {
        let proposed = candidates
            .iter()
            .take_while(|candidate| probability(candidate.log_odds) >= threshold);
        for (rank, candidate) in proposed.enumerate() {
            let matched = &candidate
                .clone()
                .into_match(&vulnerability.id, index.weights());
            let line = serde_json::to_string(&Proposal {
                matched,
                rank: rank + 1,
            })
            .map_err(|error| at(error.into()))?;
            writeln!(file, "{line}").map_err(at)?;
        }
    }
    file.flush().map_err(at)
}

/// Whose proposals are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject {
    Ours,
    Rule(Rule),
}

struct Judge<'a> {
    names: Names,
    baseline: Baseline,
    packages: &'a [Package],
    threshold: f64,
    by_id: HashMap<&'a str, &'a Found<'a>>,
    corpus: &'a Corpus,
    index: &'a Index,
}

impl Judge<'_> {
    fn report(&self, labels: &[Label], judged: &[Label], negatives: &[Label]) -> Report {
        let ours = self.figures(labels, judged, negatives, Subject::Ours);
        let baselines = [
            ("substring", Rule::Substring),
            ("cpe-equals-pname", Rule::Exact),
        ]
        .into_iter()
        .map(|(name, rule)| {
            let figures = self.figures(labels, judged, negatives, Subject::Rule(rule));
            (name.to_owned(), figures)
        })
        .collect();
        let (misses, false_matches) = self.worst(labels, judged, negatives);
        Report {
            figures: ours,
            baselines,
            without_disputed: None,
            calibration: self.calibration(judged),
            version_verdicts: self.version_verdicts(labels),
            proposals: self.by_id.values().map(|f| self.proposed(f).count()).sum(),
            vulnerabilities_with_proposal: self
                .by_id
                .values()
                .filter(|f| self.proposed(f).next().is_some())
                .count(),
            threshold: self.threshold,
            worst_misses: misses,
            worst_false_matches: false_matches,
            ..Report::default()
        }
    }

    fn proposed<'f>(&self, found: &'f Found<'_>) -> impl Iterator<Item = &'f str> {
        let threshold = self.threshold;
        found
            .candidates
            .iter()
            .take_while(move |candidate| probability(candidate.log_odds) >= threshold)
            .map(|candidate| candidate.family.as_str())
    }

    fn proposals(&self, id: &str, subject: Subject) -> Vec<String> {
        let Some(found) = self.by_id.get(id) else {
            return Vec::new();
        };
        match subject {
            Subject::Ours => self.proposed(found).map(str::to_owned).collect(),
            Subject::Rule(rule) => self
                .baseline
                .propose(rule, found.vulnerability)
                .into_iter()
                .collect(),
        }
    }

    /// Why a label does not count, if it does not.
    fn excluded(&self, label: &Label) -> Option<&'static str> {
        if self.corpus.get(&label.id).is_none() {
            Some("no record")
        } else if !self.by_id.contains_key(label.id.as_str()) {
            Some("published later or not held out")
        } else if self.names.families(&label.name).is_empty() {
            Some("name not in the packages")
        } else {
            None
        }
    }

    /// Recall figures alone.
    pub(crate) fn recall(&self, labels: &[Label], subject: Subject) -> Figures {
        let mut figures = Figures::default();
        let mut truth: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for label in labels
            .iter()
            .filter(|label| label.kind != Kind::OtherProduct)
        {
            truth
                .entry(&label.id)
                .or_default()
                .extend(self.names.families(&label.name));
        }
        for label in labels.iter().filter(|label| label.kind == Kind::Affects) {
            if let Some(reason) = self.excluded(label) {
                *figures.excluded.entry(reason.to_owned()).or_default() += 1;
                continue;
            }
            let families = self.names.families(&label.name);
            let proposals = self.proposals(&label.id, subject);
            let hit = proposals.iter().any(|family| families.contains(family));
            figures.count(label, hit);
            // Other true families of the same vulnerability do not push this one down.
            let others = truth.get(label.id.as_str());
            let rank = proposals
                .iter()
                .filter(|family| {
                    families.contains(*family) || !others.is_some_and(|set| set.contains(*family))
                })
                .position(|family| families.contains(family));
            figures.count_rank(rank);
        }
        let labelled: BTreeSet<&str> = labels
            .iter()
            .filter(|label| self.excluded(label).is_none())
            .map(|label| label.id.as_str())
            .collect();
        let total: usize = labelled
            .iter()
            .map(|id| self.proposals(id, subject).len())
            .sum();
        figures.candidates_per_vulnerability = total as f64 / labelled.len().max(1) as f64;
        figures
    }

    fn figures(
        &self,
        labels: &[Label],
        judged: &[Label],
        negatives: &[Label],
        subject: Subject,
    ) -> Figures {
        let mut figures = self.recall(labels, subject);
        for label in judged.iter().filter(|label| self.excluded(label).is_none()) {
            if self.proposes(label, subject) {
                figures.count_judged(label.kind == Kind::Affects);
            }
        }
        let other = labels
            .iter()
            .filter(|label| label.kind == Kind::OtherProduct);
        for label in negatives.iter().chain(other) {
            if self.excluded(label).is_none() {
                figures.count_negative(self.proposes(label, subject));
            }
        }
        figures.finish();
        figures
    }

    fn proposes(&self, label: &Label, subject: Subject) -> bool {
        let families = self.names.families(&label.name);
        self.proposals(&label.id, subject)
            .iter()
            .any(|family| families.contains(family))
    }

    fn score(&self, label: &Label) -> Option<f64> {
        let families = self.names.families(&label.name);
        self.by_id.get(label.id.as_str()).and_then(|found| {
            found
                .candidates
                .iter()
                .find(|candidate| families.contains(&candidate.family))
                .map(|candidate| probability(candidate.log_odds))
        })
    }

    /// Judged proposals by score, in tenths.
    fn calibration(&self, judged: &[Label]) -> Vec<Bin> {
        let mut bins = vec![Bin::default(); 10];
        for label in judged.iter().filter(|label| self.excluded(label).is_none()) {
            if let Some(score) = self.score(label) {
                let bin = ((score * 10.0) as usize).min(9);
                bins[bin].add(score, label.kind == Kind::Affects);
            }
        }
        bins.iter_mut()
            .enumerate()
            .for_each(|(index, bin)| bin.finish(index));
        bins.into_iter().filter(|bin| bin.count > 0).collect()
    }

    /// Labelled versions against findings: affected ones must not be called unaffected, nor the reverse.
    fn version_verdicts(&self, labels: &[Label]) -> BTreeMap<String, usize> {
        let mut verdicts = BTreeMap::new();
        for label in labels {
            if label.kind == Kind::OtherProduct
                || label.strength > 2
                || self.excluded(label).is_some()
            {
                continue;
            }
            let families = self.names.families(&label.name);
            let Some(found) = self.by_id.get(label.id.as_str()) else {
                continue;
            };
            let Some(candidate) = found
                .candidates
                .iter()
                .find(|c| families.contains(&c.family))
            else {
                continue;
            };
            let Some(package) = self
                .packages
                .iter()
                .find(|package| candidate.attributes.contains(&package.attribute))
            else {
                continue;
            };
            let matched = candidate
                .clone()
                .into_match(&label.id, self.index.weights());
            for version in &label.versions {
                let package = Package {
                    version: Some(version.clone()),
                    patches: Vec::new(),
                    known_vulnerabilities: Vec::new(),
                    ..package.clone()
                };
                let says = match finding(found.vulnerability, &matched, &package).status {
                    FindingStatus::Affected => "affected",
                    FindingStatus::UnderInvestigation => "open",
                    FindingStatus::Fixed | FindingStatus::NotAffected => "not affected",
                };
                let truth = if label.kind == Kind::Affects {
                    "affected"
                } else {
                    "not affected"
                };
                *verdicts
                    .entry(format!("labelled {truth}, found {says}"))
                    .or_default() += 1;
            }
        }
        verdicts
    }

    /// The labels of strength 1 and 2 that are missed, and the wrong pairs that are proposed, worst first.
    fn worst(
        &self,
        labels: &[Label],
        judged: &[Label],
        negatives: &[Label],
    ) -> (Vec<String>, Vec<String>) {
        const SHOWN: usize = 25;
        let line = |label: &Label, score: f64| format!("{} {} ({score:.2})", label.id, label.name);
        let mut misses: Vec<(u8, f64, String)> = labels
            .iter()
            .filter(|l| l.kind == Kind::Affects && l.strength <= 2)
            .filter(|l| self.excluded(l).is_none() && !self.proposes(l, Subject::Ours))
            .map(|l| (l.strength, self.score(l).unwrap_or(0.0), l))
            .map(|(strength, score, l)| (strength, score, line(l, score)))
            .collect();
        misses.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        let other = labels.iter().chain(judged);
        let mut wrong: Vec<(f64, String)> = other
            .filter(|label| label.kind == Kind::OtherProduct)
            .chain(negatives)
            .filter(|l| self.excluded(l).is_none() && self.proposes(l, Subject::Ours))
            .map(|l| (self.score(l).unwrap_or(0.0), l))
            .map(|(score, l)| (score, line(l, score)))
            .collect();
        wrong.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        wrong.dedup();
        (
            misses
                .into_iter()
                .map(|(_, _, text)| text)
                .take(SHOWN)
                .collect(),
            wrong
                .into_iter()
                .map(|(_, text)| text)
                .take(SHOWN)
                .collect(),
        )
    }
}
