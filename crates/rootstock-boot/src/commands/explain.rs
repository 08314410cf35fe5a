//! `pcr explain`: why registers are not as expected.

use super::log;
use crate::print::{Out, Verdict};
use boot_measure::{EventLog, Expectation, Explanation, Observed, Registers, explain};
use std::fmt::Write;
use std::path::Path;

pub(super) fn run(
    expected: &Expectation,
    observed: &EventLog,
    pcrs: Option<&Path>,
    out: &Out,
) -> anyhow::Result<Verdict> {
    let mismatches = match pcrs {
        Some(path) => Registers::replay(observed).differences(&log::registers(path)?),
        None => Vec::new(),
    };
    let observed = Observed {
        log: observed,
        mismatches: &mismatches,
    };
    let explanation = explain(expected, observed);
    out.answer(&explanation, text)?;
    Ok(Verdict::when(explanation.is_as_expected()))
}

fn numbers(pcrs: &[u8]) -> String {
    pcrs.iter()
        .map(u8::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn text(explanation: &Explanation) -> String {
    let mut text = String::new();
    for finding in &explanation.findings {
        let _ = writeln!(text, "PCR {}: {} changed", finding.pcr, finding.component);
        let _ = writeln!(text, "  what:   {}", finding.detail);
        match finding.follows_from {
            Some(cause) => {
                let _ = writeln!(text, "  why:    it follows from {}", cause.component());
            }
            None => {
                let _ = writeln!(text, "  why:    {}", finding.likely);
                let _ = writeln!(text, "  to do:  {}", finding.remedy);
            }
        }
    }
    for (what, pcrs) in [
        ("as expected", &explanation.same),
        ("not as expected", &explanation.different),
        ("not foreseen", &explanation.unforeseen),
    ] {
        if !pcrs.is_empty() {
            let _ = writeln!(text, "{what}: PCR {}", numbers(pcrs));
        }
    }
    text
}
