//! What held when the running system was unlocked: the state that a policy must go on letting pass until the next boot.
//!
//! A register is not now what it was then: the system has extended PCR 11 by the phases since, and PCR 15 by what it is. The
//! firmware's log tells what was before. After a resume from hibernation the log is that of the boot that went to sleep, while
//! the registers are those of the boot that woke it up, so that both are states that may come again.
//!
//! Invariants: there is a state, and every state is over the same registers; a register that the log does not explain is named.
//!
//! Sources: UAPI.5 and systemd's `systemd-pcrphase.service` (8), `systemd-cryptsetup`'s measurement of the volume's key; Linux
//! `kernel/power/hibernate.c` (the image is restored by a kernel that was booted by itself).

use crate::{Error, PcrSet, Result};
use boot_measure::{Bank, EventLog, Register, Registers};

/// The phases of a boot, as words that PCR 11 is extended with; disks are unlocked after the first.
const PHASES: [&str; 6] = [
    "enter-initrd",
    "leave-initrd",
    "sysinit",
    "ready",
    "shutdown",
    "final",
];
/// How many of them pass before the system shuts down.
const RUNNING: usize = 4;
/// What the system extends after the disk was unlocked: phases (11), and what it is (15: the volume's key, the machine's id).
const PHASED: u8 = 11;
const IDENTITY: u8 = 15;

/// How the states of the running system are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// The registers are those that the log leads to.
    ByLog,
    /// The log is of another boot than the registers: the system was resumed, or the log left something out. Both the state of
    /// the log and that of the registers are taken.
    ByLogAndRegisters {
        /// Registers that the log does not explain.
        unexplained: Vec<u8>,
    },
    /// There is no log: the registers as they are now are taken for what they were.
    ByRegisters,
}

/// The states of the running system when its disk was unlocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booted {
    states: Vec<PcrSet>,
    /// How they are known.
    pub known: Known,
}

impl Booted {
    /// From the values that registers of a bank have now, and the firmware's log.
    ///
    /// # Errors
    /// When `now` lacks one of the registers, or none is asked for.
    pub fn of(now: &Registers, log: Option<&EventLog>, bank: Bank, pcrs: &[u8]) -> Result<Booted> {
        let held = |pcr: u8| {
            now.get(bank, pcr)
                .map(<[u8]>::to_vec)
                .ok_or_else(|| Error::Invalid {
                    what: format!("PCR {pcr}"),
                    why: "the TPM has no such register of this bank",
                })
        };
        let live = |identity: &dyn Fn(Vec<u8>) -> Vec<u8>| {
            let value = |pcr: &u8| {
                let value = held(*pcr)?;
                Ok((
                    *pcr,
                    if *pcr == IDENTITY {
                        identity(value)
                    } else {
                        value
                    },
                ))
            };
            PcrSet::new(bank, pcrs.iter().map(value).collect::<Result<Vec<_>>>()?)
        };
        let Some(log) = log else {
            return Ok(Booted {
                states: vec![live(&|value| value)?],
                known: Known::ByRegisters,
            });
        };
        let replayed = Registers::replay(log);
        let locality = log.startup_locality();
        let at_start = |pcr: u8| {
            let logged = replayed.get(bank, pcr).map(<[u8]>::to_vec);
            logged.unwrap_or_else(|| Registers::at_start(bank, pcr, locality).value)
        };
        let mut values = Vec::new();
        let mut unexplained = Vec::new();
        for pcr in pcrs.iter().copied() {
            let (then, explained) = match pcr {
                PHASED => phased(bank, at_start(pcr), &held(pcr)?),
                IDENTITY => (at_start(pcr), true),
                _ => {
                    let then = at_start(pcr);
                    let explained = then == held(pcr)?;
                    (then, explained)
                }
            };
            values.push((pcr, then));
            if !explained {
                unexplained.push(pcr);
            }
        }
        let logged = PcrSet::new(bank, values)?;
        if unexplained.is_empty() {
            return Ok(Booted {
                states: vec![logged],
                known: Known::ByLog,
            });
        }
        let live = live(&|_| at_start(IDENTITY))?;
        Ok(Booted {
            states: vec![logged, live],
            known: Known::ByLogAndRegisters { unexplained },
        })
    }

    /// The states: one, or two where the log is of another boot.
    pub fn states(&self) -> &[PcrSet] {
        &self.states
    }
}

/// A state at unlocking in the phases that follow, until the system shuts down; none where no phase is measured into its registers.
pub(crate) fn later(state: &PcrSet) -> Result<Vec<PcrSet>> {
    let bank = state.bank();
    let Some((_, unlocked)) = state.iter().find(|(pcr, _)| *pcr == PHASED) else {
        return Ok(Vec::new());
    };
    let mut register = Register {
        bank,
        value: unlocked.to_vec(),
    };
    let phase = |word: &&str| {
        register.measure(&[word.as_bytes()]);
        let now = |(pcr, value): (u8, &[u8])| match pcr {
            PHASED => (pcr, register.value.clone()),
            _ => (pcr, value.to_vec()),
        };
        PcrSet::new(bank, state.iter().map(now))
    };
    PHASES[1..RUNNING].iter().map(phase).collect()
}

/// What PCR 11 was when the disk was unlocked, and whether the phases explain what it is now. Where nobody measured phases it
/// is as the stub left it.
fn phased(bank: Bank, start: Vec<u8>, now: &[u8]) -> (Vec<u8>, bool) {
    let mut register = Register {
        bank,
        value: start.clone(),
    };
    if register.value == now {
        return (start, true);
    }
    let mut unlocked = None;
    for word in PHASES {
        register.measure(&[word.as_bytes()]);
        let first = unlocked.get_or_insert_with(|| register.value.clone());
        if register.value == now {
            return (first.clone(), true);
        }
    }
    (unlocked.unwrap_or(start), false)
}
