//! Labels against proposals: recall, precision, calibration, version verdicts, and what is worst.
//!
//! Invariant: a label that does not count is counted by its reason, and ours and the baselines are judged alike.

use crate::baseline::{Baseline, Rule};
use crate::corpus::Corpus;
use crate::evaluate::Found;
use crate::report::{Bin, Figures, Report};
use crate::truth::{Kind, Label, Names};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tracker_inventory::Package;
use tracker_match::{FindingStatus, Index, finding};

/// Whose proposals are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject {
    Ours,
    Rule(Rule),
}

/// The labels' side: every figure of a report is made here.
pub(crate) struct Judge<'a> {
    pub(crate) names: Names,
    pub(crate) baseline: Baseline,
    pub(crate) packages: &'a [Package],
    pub(crate) threshold: f64,
    pub(crate) by_id: HashMap<&'a str, &'a Found<'a>>,
    pub(crate) corpus: &'a Corpus,
    pub(crate) index: &'a Index,
    /// What the rules said before, which look at every package each time.
    pub(crate) told: RefCell<HashMap<(Rule, String), BTreeSet<String>>>,
}

impl Judge<'_> {
    pub(crate) fn report(&self, labels: &[Label], judged: &[Label], negatives: &[Label]) -> Report {
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
        found.proposed(self.threshold)
    }

    fn proposals(&self, id: &str, subject: Subject) -> Vec<String> {
        let Some(found) = self.by_id.get(id) else {
            return Vec::new();
        };
        match subject {
            Subject::Ours => self.proposed(found).map(str::to_owned).collect(),
            Subject::Rule(rule) => {
                let mut told = self.told.borrow_mut();
                told.entry((rule, id.to_owned()))
                    .or_insert_with(|| self.baseline.propose(rule, found.vulnerability))
                    .iter()
                    .cloned()
                    .collect()
            }
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
        figures.calibration = self.calibration(judged, subject);
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
        self.by_id
            .get(label.id.as_str())
            .and_then(|found| found.score(&families))
    }

    /// Judged proposals by score, in tenths; a rule gives each of its own the score 1.
    fn calibration(&self, judged: &[Label], subject: Subject) -> Vec<Bin> {
        let mut bins = vec![Bin::default(); 10];
        for label in judged.iter().filter(|label| self.excluded(label).is_none()) {
            let score = match subject {
                Subject::Ours => self.score(label),
                Subject::Rule(_) => self.proposes(label, subject).then_some(1.0),
            };
            if let Some(score) = score {
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
            let Some(candidate) = self
                .index
                .candidates(found.vulnerability)
                .into_iter()
                .find(|candidate| families.contains(&*candidate.family))
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
            let matched = candidate.into_match(&label.id, self.index.weights());
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
