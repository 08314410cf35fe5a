//! Why the TPM released nothing, in words: what stands against each token, what the registers are about, and what changed
//! since a boot that was right.
//!
//! Invariant: nothing is guessed: a part of the machine is named only where event logs show it.

use crate::opener::Beside;
use boot_measure::{Expectation, Explanation, Observed, explain};
use boot_policy::Refusal;
use boot_tpm::Code;
use boot_unlock::Error;
use std::collections::BTreeSet;

/// What stood in the way.
#[derive(Debug, Default)]
pub struct Causes {
    /// There is no TPM, or it can't be used.
    pub no_tpm: Option<boot_tpm::Error>,
    /// By token.
    pub tokens: Vec<(u32, Error)>,
    /// By recovery token of the owner.
    pub owner: Vec<Error>,
}

/// What a register is about (TCG PC Client Platform Firmware Profile, UAPI.7).
fn about(pcr: u8) -> &'static str {
    match pcr {
        0 => "firmware",
        1 => "firmware's settings",
        2 => "extension cards' programs",
        3 => "extension cards' settings",
        4 => "the programs that were started: boot loader and image",
        5 => "partition table and loader's settings",
        7 => "Secure Boot: whether it is on, its keys, and who signed what was started",
        8 => "commands of a boot loader",
        9 => "initrd and options that the kernel was given",
        11 => "the image: kernel, initrd, command line",
        12 => "options, credentials and addons from outside of the image",
        13 => "system extensions",
        14 => "the machine owner's keys of shim",
        15 => "the system's identity",
        _ => "what its users say",
    }
}

/// The registers that a refusal is about.
fn registers(error: &Error) -> &[u8] {
    match error {
        Error::Changed { pcrs, .. } => pcrs,
        Error::Unsigned { .. } => &[11],
        Error::Tpm(boot_tpm::Error::Refusal(refusal)) => match refusal.cause() {
            Refusal::Registers { pcrs } => pcrs,
            _ => &[],
        },
        _ => &[],
    }
}

/// What can be done about it.
fn remedy(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Tpm(boot_tpm::Error::Refusal(refusal)) => match refusal.cause() {
            Refusal::Counter { .. } => {
                "this generation is below the floor: it was revoked; start a newer one"
            }
            Refusal::NoCounter { .. } => {
                "the TPM was cleared, or the floor removed: define it again and raise it"
            }
            _ => return None,
        },
        Error::Tpm(error) => match error.failure()?.code() {
            Code::Integrity => {
                "this is another TPM than the one that was enrolled, or it was cleared: enrol this one"
            }
            _ => return None,
        },
        Error::Unsigned { count: 0, .. } => {
            "the image carries no policy that the enrolled key signed: it is not an image of that key's holder, or was \
             installed without it"
        }
        Error::Stored { .. } => {
            "`rootstock-boot pcrlock store --esp` puts the policy that the TPM holds beside the image; where its index is gone, store \
             one and enrol anew"
        }
        Error::OtherAlternatives { .. } => {
            "the list of generations beside the image is another: put back the one that the token was sealed for, or seal anew"
        }
        _ => return None,
    })
}

/// True when a policy is what is missing.
fn wants_policy(error: &Error) -> bool {
    matches!(error, Error::Stored { .. } | Error::Unsigned { .. })
}

impl Causes {
    /// Lines for the console.
    pub fn lines(&self, beside: &Beside) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(error) = &self.no_tpm {
            lines.push(format!("no TPM to ask: {}", chain(error)));
        }
        let mut wanted = BTreeSet::new();
        for (number, error) in &self.tokens {
            let said = error.to_string();
            // Most errors name their token themselves.
            let start = format!("token {number}: ");
            let said = said.strip_prefix(&start).unwrap_or(&said);
            lines.push(format!("token {number} is refused: {said}"));
            lines.extend(remedy(error).map(|remedy| format!("  {remedy}")));
            wanted.extend(registers(error));
        }
        if self.tokens.iter().any(|(_, error)| wants_policy(error)) {
            let unread = beside.unread.iter();
            lines.extend(
                unread.map(|(name, error)| format!("{name} is left out: {}", chain(error))),
            );
        }
        for error in &self.owner {
            lines.push(format!(
                "the owner's recovery token is refused: {}",
                chain(error)
            ));
        }
        for pcr in &wanted {
            lines.push(format!("  PCR {pcr} is about {}", about(*pcr)));
        }
        if !wanted.is_empty() {
            // A policy in the TPM goes register by register, and is refused at the first.
            wanted.extend(beside.stored.iter().flat_map(|policy| policy.layout.pcrs()));
            lines.extend(changed(beside, &wanted));
        }
        lines
    }
}

/// What changed since the boot that comes nearest, of those whose logs lie beside the image.
fn changed(beside: &Beside, wanted: &BTreeSet<u8>) -> Vec<String> {
    let Some(log) = &beside.log else {
        return vec![
            "  firmware's event log is not there, so what changed is not known".to_owned(),
        ];
    };
    let observed = Observed {
        log,
        mismatches: &[],
    };
    let explained = beside.good_logs.iter().map(|good| {
        let mut found = explain(&Expectation::of_log(good), observed);
        found
            .findings
            .retain(|finding| wanted.contains(&finding.pcr));
        found
    });
    let differing = explained.filter(|found| !found.findings.is_empty());
    let nearest = differing.min_by_key(|found| found.findings.len());
    nearest.as_ref().map(findings).unwrap_or_default()
}

fn findings(explanation: &Explanation) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in &explanation.findings {
        let (pcr, component, detail) = (finding.pcr, finding.component, &finding.detail);
        lines.push(format!("  changed: {component} (PCR {pcr}: {detail})"));
        if finding.follows_from.is_none() {
            lines.push(format!("    likely: {}", finding.likely));
            lines.push(format!("    to do: {}", finding.remedy));
        }
    }
    lines
}

/// An error with what it comes from, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = error.source();
    }
    text
}
