//! The report of an evaluation: as text, as JSON, as a picture.
//!
//! Invariant: a rate comes with the counts it was computed from; a rate of nothing is absent.

use crate::truth::Label;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Hits out of a total.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// How many hit.
    pub hits: usize,
    /// Of how many.
    pub total: usize,
}

impl Count {
    /// Counts one more.
    pub fn add(&mut self, hit: bool) {
        self.total += 1;
        self.hits += usize::from(hit);
    }

    /// The rate; `None` of nothing.
    pub fn rate(self) -> Option<f64> {
        (self.total > 0).then(|| self.hits as f64 / self.total as f64)
    }
}

/// The interval in which a rate lies with 95 % probability, by Wilson's score.
pub fn interval(count: Count) -> Option<(f64, f64)> {
    const Z: f64 = 1.96;
    let (rate, total) = (count.rate()?, count.total as f64);
    let spread = Z * (rate * (1.0 - rate) / total + Z * Z / (4.0 * total * total)).sqrt();
    let (middle, scale) = (rate + Z * Z / (2.0 * total), 1.0 + Z * Z / total);
    Some(((middle - spread) / scale, (middle + spread) / scale))
}

/// Figures of one rule.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// Of judged proposals that the rule makes too: the share judged right.
    pub precision: Option<f64>,
    /// Where precision lies with 95 % probability.
    pub precision_interval: Option<(f64, f64)>,
    /// Of labelled pairs of strength 1 and 2: the share proposed.
    pub recall: Option<f64>,
    /// By strength; of a strength without labels, nothing.
    pub recall_by_strength: BTreeMap<String, Option<f64>>,
    /// Share of labels whose family is proposed first.
    pub recall_at_1: Option<f64>,
    /// Share of labels whose family is among the first three.
    pub recall_at_3: Option<f64>,
    /// Proposals for a labelled vulnerability, on average.
    pub candidates_per_vulnerability: f64,
    /// Share of pairs known to be wrong that is proposed.
    pub negatives_proposed: Option<f64>,
    /// Judged proposals by score; a rule without scores is sure of all that it proposes.
    pub calibration: Vec<Bin>,
    /// The counts behind the rates.
    pub counts: BTreeMap<String, Count>,
    /// Recall by where labels come from.
    pub recall_by_source: BTreeMap<String, Count>,
    /// Labels that do not count, by reason.
    pub excluded: BTreeMap<String, usize>,
}

impl Figures {
    fn of(&mut self, name: &str) -> &mut Count {
        self.counts.entry(name.to_owned()).or_default()
    }

    pub(crate) fn count(&mut self, label: &Label, hit: bool) {
        self.of(&format!("strength {}", label.strength)).add(hit);
        if label.strength <= 2 {
            self.of("recall").add(hit);
        }
        for source in label.sources.split(',').filter(|source| !source.is_empty()) {
            self.recall_by_source
                .entry(source.to_owned())
                .or_default()
                .add(hit);
        }
    }

    pub(crate) fn count_rank(&mut self, rank: Option<usize>) {
        self.of("at 1").add(rank.is_some_and(|rank| rank < 1));
        self.of("at 3").add(rank.is_some_and(|rank| rank < 3));
    }

    pub(crate) fn count_judged(&mut self, right: bool) {
        self.of("precision").add(right);
    }

    pub(crate) fn count_negative(&mut self, proposed: bool) {
        self.of("negatives").add(proposed);
    }

    pub(crate) fn finish(&mut self) {
        let rate = |name: &str| self.counts.get(name).copied().and_then(Count::rate);
        self.precision = rate("precision");
        self.precision_interval = self.counts.get("precision").copied().and_then(interval);
        self.recall = rate("recall");
        self.recall_at_1 = rate("at 1");
        self.recall_at_3 = rate("at 3");
        self.negatives_proposed = rate("negatives");
        self.recall_by_strength = ["1", "2", "3"]
            .iter()
            .map(|strength| {
                let recall = rate(&format!("strength {strength}"));
                ((*strength).to_owned(), recall)
            })
            .collect();
    }
}

/// Judged proposals of nearly one score.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Bin {
    /// Lower end of the scores.
    pub from: f64,
    /// Upper end.
    pub to: f64,
    /// How many.
    pub count: usize,
    /// Their mean score.
    pub mean_score: f64,
    /// The share of them judged right.
    pub fraction_right: f64,
}

impl Bin {
    pub(crate) fn add(&mut self, score: f64, right: bool) {
        self.count += 1;
        self.mean_score += score;
        self.fraction_right += f64::from(u8::from(right));
    }

    pub(crate) fn finish(&mut self, index: usize) {
        self.from = index as f64 / 10.0;
        self.to = self.from + 0.1;
        let count = self.count.max(1) as f64;
        self.mean_score /= count;
        self.fraction_right /= count;
    }
}

/// Vulnerabilities of one year.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Year {
    /// Those with a match.
    pub proposed: usize,
    /// Those of them with a match that its versions do not settle (see [`crate::standing`]).
    pub open: usize,
    /// Those of the open ones whose open matches are all with packages that only contain the product.
    pub open_in_components: usize,
}

/// Everything that an evaluation says.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Our figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// The baselines' figures on the same vulnerabilities; their precision is on proposals sampled from ours.
    pub baselines: BTreeMap<String, Figures>,
    /// Recall without the labels that reading showed to be wrong.
    pub without_disputed: Option<Figures>,
    /// Labelled versions against our verdicts.
    pub version_verdicts: BTreeMap<String, usize>,
    /// The threshold used.
    pub threshold: f64,
    /// Vulnerabilities looked up.
    pub vulnerabilities: usize,
    /// Those with at least one proposal.
    pub vulnerabilities_with_proposal: usize,
    /// By the year in the id: proposed, and still open.
    pub years: BTreeMap<String, Year>,
    /// Proposals in all.
    pub proposals: usize,
    /// Time of all look-ups.
    pub seconds: f64,
    /// Time of one.
    pub microseconds_per_vulnerability: f64,
    /// Labelled pairs that are missed.
    pub worst_misses: Vec<String>,
    /// Wrong pairs that are proposed.
    pub worst_false_matches: Vec<String>,
}

impl Report {
    /// Writes the report as text.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "{:<26}{:>10}{:>12}{:>18}",
            "", "ours", "substring", "CPE equals pname"
        )?;
        let columns = [
            Some(&self.figures),
            self.baselines.get("substring"),
            self.baselines.get("cpe-equals-pname"),
        ];
        let names = [
            "precision",
            "strength 1",
            "strength 2",
            "strength 3",
            "at 1",
            "at 3",
            "negatives",
        ];
        for name in names {
            write!(out, "{name:<26}")?;
            for (figures, width) in columns.iter().zip([10, 12, 18]) {
                let count = figures.and_then(|figures| figures.counts.get(name));
                let text = count
                    .and_then(|count| count.rate())
                    .map_or("-".to_owned(), |rate| format!("{rate:.3}"));
                write!(out, "{text:>width$}")?;
            }
            let counts = self.figures.counts.get(name).copied().unwrap_or_default();
            writeln!(out, "   {}/{}", counts.hits, counts.total)?;
        }
        write!(out, "{:<26}", "proposals/vulnerability")?;
        for (figures, width) in columns.iter().zip([10, 12, 18]) {
            let mean = figures.map_or(0.0, |figures| figures.candidates_per_vulnerability);
            write!(out, "{mean:>width$.2}")?;
        }
        writeln!(out, "\n")?;
        if let Some((from, to)) = self.figures.precision_interval {
            writeln!(out, "precision lies between {from:.3} and {to:.3} (95 %)")?;
        }
        if let Some(figures) = &self.without_disputed {
            for name in ["strength 1", "strength 2"] {
                let count = figures.counts.get(name).copied().unwrap_or_default();
                writeln!(
                    out,
                    "without disputed labels, {name}: {}/{}",
                    count.hits, count.total
                )?;
            }
        }
        writeln!(
            out,
            "vulnerabilities {}, with a proposal {}, proposals {}, threshold {:.3}",
            self.vulnerabilities,
            self.vulnerabilities_with_proposal,
            self.proposals,
            self.threshold
        )?;
        writeln!(
            out,
            "look-ups took {:.2} s, {:.0} µs each",
            self.seconds, self.microseconds_per_vulnerability
        )?;
        self.print_lists(out)
    }

    fn print_lists(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\ncalibration (judged proposals)")?;
        for bin in &self.figures.calibration {
            writeln!(
                out,
                "  {:.1} to {:.1}: {:>4} judged, mean score {:.2}, right {:.2}",
                bin.from, bin.to, bin.count, bin.mean_score, bin.fraction_right
            )?;
        }
        section(
            out,
            "version verdicts",
            self.version_verdicts
                .iter()
                .map(|(k, v)| format!("{k}: {v}")),
        )?;
        section(
            out,
            "vulnerabilities by year",
            self.years.iter().map(|(k, v)| {
                format!(
                    "{k}: {} matched, {} of them open, {} of these only as a component",
                    v.proposed, v.open, v.open_in_components
                )
            }),
        )?;
        section(
            out,
            "labels that do not count",
            self.figures
                .excluded
                .iter()
                .map(|(k, v)| format!("{k}: {v}")),
        )?;
        section(
            out,
            "recall by source",
            self.figures
                .recall_by_source
                .iter()
                .map(|(k, v)| format!("{k}: {}/{}", v.hits, v.total)),
        )?;
        section(out, "worst misses", self.worst_misses.iter().cloned())?;
        section(
            out,
            "worst false matches",
            self.worst_false_matches.iter().cloned(),
        )
    }

    /// The calibration table as a picture: each bin's score against the share judged right, sized by count.
    pub fn svg(&self) -> String {
        let mut svg = String::from(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 320 320\" role=\"img\" aria-label=\"Calibration\">\n\
             <rect width=\"320\" height=\"320\" fill=\"#fff\"/>\n\
             <path d=\"M40 280V20M40 280H300\" stroke=\"#333\" fill=\"none\"/>\n\
             <path d=\"M40 280L300 20\" stroke=\"#999\" stroke-dasharray=\"4 4\"/>\n\
             <text x=\"170\" y=\"310\" font-size=\"12\" text-anchor=\"middle\">score</text>\n\
             <text x=\"14\" y=\"150\" font-size=\"12\" text-anchor=\"middle\" transform=\"rotate(-90 14 150)\">judged right</text>\n",
        );
        for bin in &self.figures.calibration {
            let (x, y) = (
                40.0 + 260.0 * bin.mean_score,
                280.0 - 260.0 * bin.fraction_right,
            );
            let radius = 2.0 + (bin.count as f64).sqrt() / 2.0;
            // Writing to a string cannot fail.
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"#2563eb\" fill-opacity=\".7\"><title>{} judged</title></circle>",
                bin.count
            );
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn section(
    out: &mut dyn Write,
    title: &str,
    lines: impl Iterator<Item = String>,
) -> io::Result<()> {
    writeln!(out, "\n{title}")?;
    for line in lines {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    //! Invariant checked: an interval holds its rate and narrows with the count.

    use super::{Count, interval};

    #[test]
    fn an_interval_is_wilsons() {
        let of = |hits, total| interval(Count { hits, total });
        assert_eq!(of(0, 0), None);
        let (from, to) = of(90, 100).unwrap();
        assert!((from - 0.826).abs() < 0.001 && (to - 0.945).abs() < 0.001);
        let (narrow, _) = of(900, 1000).unwrap();
        assert!(narrow > from);
        assert!(of(10, 10).unwrap().1 <= 1.0);
    }
}
