//! The system that runs: what its state was when its disk was unlocked, and the list of states that it is added to.
//!
//! Invariant: a policy that is sealed or stored on the machine that it is for lets the running system's state pass; where that has
//! to change a list, the list that was used is written.

use super::boot;
use super::unlock::TpmOptions;
use crate::files;
use crate::print::Out;
use anyhow::Context;
use boot_measure::Bank;
use boot_policy::{Booted, Known, Members, PcrSet};
use boot_tpm::{Tpm, Transport};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where Linux keeps firmware's log.
const LOG: &str = "/sys/kernel/security/tpm0/binary_bios_measurements";

/// The running system.
#[derive(Debug, clap::Args)]
pub(crate) struct RunningOptions {
    /// Event log of the firmware that started the running system; this machine's own when left out.
    #[arg(long, value_name = "FILE")]
    running_log: Option<PathBuf>,
}

impl RunningOptions {
    /// Whether the TPM is one that a system runs with: this machine's, or one whose log was given.
    pub(crate) fn runs(&self, at: &TpmOptions) -> bool {
        at.is_device() || self.running_log.is_some()
    }

    /// The log of the firmware that started the running system, where there is one.
    pub(crate) fn log(&self, at: &TpmOptions) -> Option<PathBuf> {
        let own = (at.is_device() && Path::new(LOG).exists()).then(|| PathBuf::from(LOG));
        self.running_log.clone().or(own)
    }

    /// The running system's states.
    pub(crate) fn booted<T: Transport>(
        &self,
        tpm: &mut Tpm<T>,
        at: &TpmOptions,
        bank: Bank,
        pcrs: &[u8],
    ) -> anyhow::Result<Booted> {
        let log = self.log(at);
        let log = log.as_deref().map(boot::log).transpose()?;
        let now = tpm.registers(bank, pcrs)?;
        Ok(Booted::of(&now, log.as_ref(), bank, pcrs)?)
    }
}

/// How the running system's state is known, in words.
pub(crate) fn known(booted: &Booted) -> String {
    match &booted.known {
        Known::ByLog => "the running system's state is that of firmware's log".to_owned(),
        Known::ByLogAndRegisters { unexplained } => {
            let pcrs: Vec<String> = unexplained.iter().map(u8::to_string).collect();
            format!(
                "firmware's log does not lead to PCR {}: the system was resumed, or the log is not whole; the states of both the log and \
                 the registers are members",
                pcrs.join(", ")
            )
        }
        Known::ByRegisters => {
            "there is no event log: the registers as they are now are taken for the running system's state".to_owned()
        }
    }
}

/// The registers that a list of states is over.
pub(crate) fn registers_of(states: &[PcrSet]) -> Vec<u8> {
    let first = states.first();
    first.map_or_else(Vec::new, |state| state.iter().map(|(pcr, _)| pcr).collect())
}

/// A list of states, as `--generations` reads it.
pub(crate) fn list(states: &[PcrSet]) -> String {
    let one = |state: &PcrSet| {
        state
            .iter()
            .map(|(pcr, value)| (pcr, hex::encode(value)))
            .collect()
    };
    let list: Vec<BTreeMap<u8, String>> = states.iter().map(one).collect();
    serde_json::to_string(&list).expect("plain values") + "\n"
}

/// The states of a list with those of the running system. A list that lacks them is written anew, to the path that was given for it.
pub(crate) fn with_running(
    states: Vec<PcrSet>,
    booted: &Booted,
    written: Option<&PathBuf>,
    out: &Out,
) -> anyhow::Result<Vec<PcrSet>> {
    let members = Members::new(states, booted)?;
    match written {
        Some(path) => files::write(out, path, list(members.states()).as_bytes())?,
        None => anyhow::ensure!(
            members.added() == 0,
            "the list of generations lacks the system that runs ({}), which would no longer unlock the disk: give --write-generations \
             FILE for the list with it, which the initrd needs then",
            known(booted)
        ),
    }
    Ok(members.states().to_vec())
}

/// Names the path in an error of what was read from it.
pub(crate) fn read<A>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> boot_policy::Result<A>,
) -> anyhow::Result<A> {
    parse(&files::read(path)?).with_context(|| path.display().to_string())
}
