//! Why registers differ: two sequences of measurements compared register by register, and each difference given a cause,
//! a likely reason and a remedy.

mod align;
mod cause;
mod classify;

#[cfg(test)]
mod tests;

pub use cause::Cause;

use crate::{Bank, EventLog, Expectation, Mismatch, QuirkKind, Registers};
use serde::Serialize;
use std::collections::BTreeSet;

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The register where it shows.
    pub pcr: u8,
    /// What it is.
    pub cause: Cause,
    /// The part of the machine.
    pub component: &'static str,
    /// The very thing: a file, a variable's entry, a section.
    pub detail: String,
    /// Why that is likely.
    pub likely: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Another cause of this explanation that brings it about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follows_from: Option<Cause>,
}

impl Finding {
    fn new(pcr: u8, cause: Cause, detail: String) -> Finding {
        Finding {
            pcr,
            cause,
            component: cause.component(),
            detail,
            likely: cause.likely(),
            remedy: cause.remedy(),
            follows_from: None,
        }
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The bank that was compared.
    pub bank: Option<Bank>,
    /// Registers that are as expected.
    pub same: Vec<u8>,
    /// Registers that are not.
    pub different: Vec<u8>,
    /// Registers that were not foreseen, so that nothing is said about them.
    pub unforeseen: Vec<u8>,
    /// What changed; causes come before what follows from them.
    pub findings: Vec<Finding>,
}

impl Explanation {
    /// Whether nothing differs.
    pub fn is_as_expected(&self) -> bool {
        self.different.is_empty() && self.findings.is_empty()
    }
}

/// What a machine shows.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Its log.
    pub log: &'a EventLog,
    /// Registers to which the log does not lead.
    pub mismatches: &'a [Mismatch],
}

/// Says why `observed` is not as `expected`.
pub fn explain(expected: &Expectation, observed: Observed<'_>) -> Explanation {
    let actual = Expectation::of_log(observed.log);
    const PREFERRED: [Bank; 4] = [Bank::Sha256, Bank::Sha384, Bank::Sha512, Bank::Sha1];
    let common = |bank: &Bank| expected.banks.contains(bank) && actual.banks.contains(bank);
    let bank = PREFERRED.into_iter().find(common);
    let mut explanation = Explanation {
        bank,
        same: Vec::new(),
        different: Vec::new(),
        unforeseen: Vec::new(),
        findings: Vec::new(),
    };
    let Some(bank) = bank else {
        let names = |banks: &[Bank]| {
            banks
                .iter()
                .map(|b| b.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let detail = format!(
            "expected {}, the log has {}",
            names(&expected.banks),
            names(&actual.banks)
        );
        explanation
            .findings
            .push(Finding::new(0, Cause::BankMissing, detail));
        return explanation;
    };
    compare(expected, &actual, bank, &mut explanation);
    for mismatch in observed
        .mismatches
        .iter()
        .filter(|mismatch| mismatch.bank == bank)
    {
        let detail = format!(
            "the log leads to {}, the TPM has {}",
            mismatch.replayed, mismatch.live
        );
        explanation
            .findings
            .push(Finding::new(mismatch.pcr, Cause::LogIncomplete, detail));
    }
    let altered = observed
        .log
        .quirks
        .iter()
        .filter(|quirk| quirk.kind == QuirkKind::DigestMismatch);
    for quirk in altered {
        let pcr = observed.log.events[quirk.event].pcr as u8;
        let detail = format!("event {}: {}", quirk.event, quirk.detail);
        explanation
            .findings
            .push(Finding::new(pcr, Cause::LogAltered, detail));
    }
    consequences(&mut explanation.findings);
    explanation
}

fn compare(
    expected: &Expectation,
    actual: &Expectation,
    bank: Bank,
    explanation: &mut Explanation,
) {
    let pcrs: BTreeSet<u8> = [expected, actual]
        .iter()
        .flat_map(|side| side.measurements.iter().map(|m| m.pcr))
        .chain(expected.unforeseen.iter().map(|unforeseen| unforeseen.pcr))
        .collect();
    let values = [expected, actual].map(|side| side.registers(&[]));
    for pcr in pcrs {
        if !expected.foresees(pcr) {
            explanation.unforeseen.push(pcr);
            continue;
        }
        let value = |index: usize, locality| {
            let found = values[index].get(bank, pcr).map(<[u8]>::to_vec);
            found.unwrap_or_else(|| Registers::at_start(bank, pcr, locality).value)
        };
        let differs = value(0, expected.locality) != value(1, actual.locality);
        if differs {
            explanation.different.push(pcr);
        } else {
            explanation.same.push(pcr);
        }
        if pcr == 0 && expected.locality != actual.locality {
            let detail = format!(
                "locality {} instead of {}",
                actual.locality, expected.locality
            );
            explanation
                .findings
                .push(Finding::new(0, Cause::StartupLocality, detail));
        }
        let side = |side: &'_ Expectation| {
            side.measurements
                .iter()
                .filter(|m| m.pcr == pcr)
                .cloned()
                .collect::<Vec<_>>()
        };
        let (before, after) = (side(expected), side(actual));
        let changes = align::changes(&before, &after, bank);
        let found = classify::findings(pcr, &before, &after, &changes);
        for finding in found {
            let known = |other: &Finding| {
                (other.pcr, other.cause, &other.detail)
                    == (finding.pcr, finding.cause, &finding.detail)
            };
            if !explanation.findings.iter().any(known) {
                explanation.findings.push(finding);
            }
        }
    }
}

/// Which findings follow from others, and the order: what others follow from comes first.
fn consequences(findings: &mut [Finding]) {
    const ROOTS: [(&[Cause], &[Cause]); 5] = [
        (
            &[Cause::SecureBootOff, Cause::PlatformKeyRemoved],
            &[Cause::AuthorityMissing],
        ),
        (&[Cause::SecureBootOn], &[Cause::AuthorityAdded]),
        (
            &[
                Cause::Kernel,
                Cause::Initrd,
                Cause::CommandLine,
                Cause::OsRelease,
                Cause::PolicyKey,
                Cause::DeviceTree,
                Cause::OtherSection,
            ],
            &[Cause::ImageChanged, Cause::LoaderChanged],
        ),
        (
            &[Cause::ProgramAdded],
            &[Cause::SectionsMeasured, Cause::PassedOptions],
        ),
        (&[Cause::PlatformKeyRemoved], &[Cause::SecureBootOff]),
    ];
    for (roots, followers) in ROOTS {
        let root = findings
            .iter()
            .map(|f| f.cause)
            .find(|cause| roots.contains(cause));
        let Some(root) = root else { continue };
        for finding in findings.iter_mut().filter(|f| followers.contains(&f.cause)) {
            finding.follows_from = Some(root);
        }
    }
    findings.sort_by_key(|finding| finding.follows_from.is_some());
}
