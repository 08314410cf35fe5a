//! Prediction of whole boots: from a variable store and a disk's files, or from a machine's saved log into which changes
//! are put. What is not known is named, never guessed.
//!
//! The rules are EDK II's boot manager and `Tcg2Dxe`, shim 16.1 and systemd 252, each proven by boots in the tests; for
//! later versions the expectation says what it takes for granted.

mod attempts;
mod chain;
mod planned;
mod secure_boot;
mod shim;

pub use planned::PlannedUpdate;

use crate::{Bank, Content, EventLog, EventType, Expectation, Measurement, Order};
use boot_variables::{Platform, Variables};
use std::borrow::Cow;

/// What firmware measures before it calls a boot option (TCG PC Client Platform Firmware Profile, 10.4.4).
pub(crate) const CALLING: &str = "Calling EFI Application from Boot Option";
/// What it measures when that has come back.
pub(crate) const RETURNING: &str = "Returning from EFI Application from Boot Option";
/// When the system leaves firmware.
pub(crate) const EXITING: [&str; 2] = [
    "Exit Boot Services Invocation",
    "Exit Boot Services Returned with Success",
];
/// Registers of firmware that files alone don't tell.
const FIRMWARES: [u8; 5] = [0, 1, 2, 3, 6];
/// Registers that nothing is measured into until somebody does.
pub const UNTOUCHED: [u8; 7] = [8, 9, 11, 12, 13, 14, 15];

/// The disk that a machine starts from.
pub trait Disk {
    /// A file of the system partition, its path's parts separated by `\`; none when it is not there.
    fn read(&self, path: &str) -> Option<Cow<'_, [u8]>>;
    /// Names of the files in a folder, in any order; none when there is no folder.
    fn list(&self, folder: &str) -> Vec<String>;
    /// What firmware measures of the partition table, when there is one.
    fn partition_table(&self) -> Option<&[u8]>;
    /// Whether a partition with this unique GUID is on the disk.
    fn has_partition(&self, unique: &boot_variables::Guid) -> bool;
}

/// A file that is known to be started.
#[derive(Debug, Clone)]
pub struct Started<'a> {
    /// Its path on the disk, or its name.
    pub path: String,
    /// Its content.
    pub bytes: Cow<'a, [u8]>,
}

/// How the stub of a unified kernel image is taken, when not by what it names itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct StubChoice {
    /// Its version.
    pub version: Option<u32>,
    /// Its order of sections.
    pub order: Option<Order>,
    /// Profile of a multi-profile image.
    pub profile: Option<usize>,
}

/// Everything that is known about a boot.
#[derive(Default)]
pub struct Situation<'a> {
    /// The machine's variables.
    pub variables: Option<&'a Variables>,
    /// A log of the machine, whose firmware's events are taken over.
    pub log: Option<&'a EventLog>,
    /// Updates of Secure Boot variables that come before the boot.
    pub planned: &'a [PlannedUpdate],
    /// The disk.
    pub disk: Option<&'a dyn Disk>,
    /// The files that are started one after the other, instead of those that boot options and loaders choose.
    pub chain: Vec<Started<'a>>,
    /// How many boot options fail before that chain.
    pub failed: Option<usize>,
    /// Boot options that start and come back.
    pub returning: &'a [u16],
    /// The entry that systemd-boot starts, a path.
    pub entry: Option<&'a str>,
    /// What firmware can do.
    pub platform: Platform,
    /// Which banks; those of the log when empty.
    pub banks: Vec<Bank>,
    /// How to take the stub.
    pub stub: StubChoice,
    /// Phases that have passed, such as `enter-initrd`.
    pub phases: &'a [&'a str],
    /// Whether the system has left firmware (ExitBootServices).
    pub exited: bool,
}

impl std::fmt::Debug for Situation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Situation")
            .field("planned", &self.planned)
            .field("failed", &self.failed)
            .field("returning", &self.returning)
            .field("entry", &self.entry)
            .field("banks", &self.banks)
            .finish_non_exhaustive()
    }
}

/// An expectation in the making.
struct Foresight<'s, 'a> {
    situation: &'s Situation<'a>,
    expectation: Expectation,
}

/// What the boot will measure, up to the moment when the kernel starts, and further where the situation says so.
pub fn foresee(situation: &Situation<'_>) -> crate::Result<Expectation> {
    let banks = match (&situation.banks[..], situation.log) {
        ([], Some(log)) => log.banks(),
        ([], None) => vec![Bank::Sha256],
        (banks, _) => banks.to_vec(),
    };
    let mut foresight = Foresight {
        situation,
        expectation: Expectation {
            banks,
            locality: situation.log.map_or(0, EventLog::startup_locality),
            ..Expectation::default()
        },
    };
    foresight.run()?;
    Ok(foresight.expectation)
}

impl Foresight<'_, '_> {
    fn run(&mut self) -> crate::Result<()> {
        if let Some(log) = self.situation.log {
            let missing = |bank: &Bank| !log.banks().contains(bank);
            if let Some(bank) = self.expectation.banks.iter().copied().find(missing) {
                return Err(crate::Error::Bank { bank });
            }
        }
        let variables = self.secure_variables()?;
        self.firmware();
        let chosen = !self.situation.chain.is_empty()
            || (self.situation.disk.is_some() && self.situation.variables.is_some());
        self.secure_boot(variables.as_ref());
        match variables {
            Some(variables) if chosen => self.attempts(&variables)?,
            _ => self.as_logged(),
        }
        if self.situation.exited {
            for text in EXITING {
                self.action(5, text);
            }
        }
        Ok(())
    }

    /// Registers of firmware's own code and settings: from the log, or not at all.
    fn firmware(&mut self) {
        let Some(log) = self.situation.log else {
            for pcr in FIRMWARES {
                self.expectation.doubt(
                    pcr,
                    "files do not tell what firmware measures of itself; give a log of the machine",
                );
            }
            return;
        };
        let own = log
            .events
            .iter()
            .filter(|event| FIRMWARES.contains(&(event.pcr as u8)));
        self.expectation
            .measurements
            .extend(own.filter_map(Measurement::of));
        let stored = self.situation.variables;
        if stored.is_some_and(|variables| other_options(log, variables)) {
            let why = "the store's boot options are not those of the log, and firmware may add some of its own";
            self.expectation.doubt(1, why);
        }
    }

    /// What follows firmware, as the log says it.
    fn as_logged(&mut self) {
        let Some(log) = self.situation.log else {
            for pcr in [4, 5].into_iter().chain(UNTOUCHED) {
                self.expectation
                    .doubt(pcr, "nothing tells what is started: give a disk and variables, files in the order of their start, or a log");
            }
            return;
        };
        self.expectation
            .assumptions
            .insert("the machine starts the same files in the same way as in the log".to_owned());
        let mut after = false;
        for event in &log.events {
            let later = match event.pcr {
                4 | 8..=23 => true,
                5 => !(self.situation.exited && is_exit(event)),
                7 => {
                    let authority = after && event.kind != EventType::SEPARATOR;
                    after |= event.kind == EventType::SEPARATOR;
                    authority
                }
                _ => false,
            };
            if later {
                self.expectation.measurements.extend(Measurement::of(event));
            }
        }
    }

    fn measure(&mut self, pcr: u8, kind: EventType, measured: &[&[u8]], content: Content) {
        let banks = &self.expectation.banks;
        let measurement = Measurement::of_data(banks, pcr, kind, measured, content);
        self.expectation.measurements.push(measurement);
    }

    fn action(&mut self, pcr: u8, text: &str) {
        let content = Content::Text(text.to_owned());
        self.measure(pcr, EventType::EFI_ACTION, &[text.as_bytes()], content);
    }

    fn separator(&mut self, pcr: u8) {
        self.measure(pcr, EventType::SEPARATOR, &[&[0; 4]], Content::Separator);
    }

    fn doubt_all(&mut self, pcrs: &[u8], why: &str) {
        for pcr in pcrs {
            self.expectation.doubt(*pcr, why);
        }
    }
}

/// Whether the log's boot options are others than the store's.
fn other_options(log: &EventLog, variables: &Variables) -> bool {
    let boot = [EventType::EFI_VARIABLE_BOOT, EventType::EFI_VARIABLE_BOOT2];
    let mut logged = log.events.iter().filter(|event| boot.contains(&event.kind));
    logged.any(|event| match Content::of(event) {
        Content::Variable { vendor, name, data } => variables
            .get(vendor, &name)
            .is_none_or(|stored| stored.data != data),
        // Some firmware logs the content alone, which does not tell what it is of.
        _ => true,
    })
}

fn is_exit(event: &crate::Event) -> bool {
    EXITING.iter().any(|text| event.data == text.as_bytes())
}
