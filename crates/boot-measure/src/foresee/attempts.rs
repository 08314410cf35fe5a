//! Boot options: which are tried, which fail, which one starts; what firmware measures around each.

use super::chain::Boot;
use super::{CALLING, Foresight, RETURNING, Started, UNTOUCHED};
use crate::boot_option::{BootOption, tried};
use crate::{Content, EventType, Measurement};
use boot_variables::{Guid, Machine, Variables, firmware};

/// What firmware starts from a device whose option names no file.
const REMOVABLE: [(boot_pe::Machine, &str); 4] = [
    (boot_pe::Machine::X64, r"\EFI\BOOT\BOOTX64.EFI"),
    (boot_pe::Machine::Aa64, r"\EFI\BOOT\BOOTAA64.EFI"),
    (boot_pe::Machine::Riscv64, r"\EFI\BOOT\BOOTRISCV64.EFI"),
    (
        boot_pe::Machine::Loongarch64,
        r"\EFI\BOOT\BOOTLOONGARCH64.EFI",
    ),
];
/// What EDK II puts into options that it makes itself (mBmAutoCreateBootOptionGuid).
const AUTOMATIC: Guid = Guid::from_u128(0x8108ac4e_9f11_4d59_850e_e21a522c59b2);
/// What a boot may measure into once firmware is done.
const ALL: [u8; 10] = [4, 5, 7, 8, 9, 11, 12, 13, 14, 15];

/// What becomes of an option.
enum Outcome {
    /// Nothing was started; the next one is tried.
    Fails,
    /// It starts and stays.
    Starts,
    /// It starts and comes back.
    Returns,
    /// It is not known.
    Unknown,
}

impl Foresight<'_, '_> {
    /// Firmware's attempts and what they start.
    pub(super) fn attempts(&mut self, variables: &Variables) -> crate::Result<()> {
        let mut machine = Machine::read(variables)?;
        machine.platform = self.situation.platform;
        let mut boot = Boot::new(machine, variables);
        let calls = self.before_attempts(&mut boot);
        if self.situation.chain.is_empty() {
            self.options(variables, &mut boot, calls);
            return Ok(());
        }
        let logged = self.situation.log.map_or(0, |log| {
            let returning =
                |event: &&crate::Event| event.pcr == 4 && event.data == RETURNING.as_bytes();
            log.events.iter().filter(returning).count()
        });
        let failed = self.situation.failed.unwrap_or(logged);
        if failed > 0 && self.situation.failed.is_none() {
            let text = format!(
                "{failed} boot options fail first, as in the log, and measure nothing else"
            );
            self.expectation.assumptions.insert(text);
        }
        for _ in 0..failed {
            self.next_attempt(calls);
        }
        let mut chain = self.situation.chain.iter();
        let first = chain.next().expect("the chain is not empty");
        self.start(&mut boot, first, &mut chain.cloned().collect());
        Ok(())
    }

    /// PCR 4 and 5 up to their separators. Whether firmware measures that it calls an option.
    fn before_attempts(&mut self, boot: &mut Boot<'_>) -> bool {
        let Some(log) = self.situation.log else {
            self.action(4, CALLING);
            self.separator(4);
            self.separator(5);
            return true;
        };
        let mut calls = false;
        for pcr in [4, 5] {
            let own = log.events.iter().filter(|event| event.pcr == pcr);
            let end = own
                .clone()
                .position(|event| event.kind == EventType::SEPARATOR);
            let Some(end) = end else {
                let why = format!(
                    "the log has no separator in PCR {pcr}, so where firmware's part ends is not known"
                );
                self.expectation.doubt(pcr as u8, why);
                continue;
            };
            for event in own.take(end + 1) {
                calls |= event.data == CALLING.as_bytes();
                self.expectation.measurements.extend(Measurement::of(event));
            }
        }
        // Entries of db that firmware has measured already are not measured again.
        let authority = |m: &&Measurement| m.kind == EventType::EFI_VARIABLE_AUTHORITY;
        for measurement in self.expectation.measurements.iter().filter(authority) {
            if let Content::Variable { data, .. } = &measurement.content {
                boot.by_firmware.insert(data.clone());
            }
        }
        calls
    }

    fn next_attempt(&mut self, calls: bool) {
        if calls {
            self.action(4, RETURNING);
            self.action(4, CALLING);
        }
    }

    fn options(&mut self, variables: &Variables, boot: &mut Boot<'_>, calls: bool) {
        let options = tried(variables);
        if options.is_empty() {
            let why = "the store has no boot option: firmware makes them at its first start; boot once and take the store then, or name the files that start";
            self.doubt_all(&ALL, why);
            return;
        }
        for option in &options {
            match self.option(option, boot) {
                Outcome::Starts | Outcome::Unknown => return,
                Outcome::Fails | Outcome::Returns => self.next_attempt(calls),
            }
        }
        let why =
            "no boot option starts: what firmware does then (menu, shell, network) is not known";
        self.doubt_all(&ALL, why);
    }

    fn unknown(&mut self, why: String) -> Outcome {
        self.doubt_all(&ALL, &why);
        Outcome::Unknown
    }

    fn option(&mut self, option: &BootOption, boot: &mut Boot<'_>) -> Outcome {
        let name = option.variable();
        let disk = self
            .situation
            .disk
            .expect("options are looked up on a disk");
        if option.path.firmware_file.is_some() {
            return self.unknown(format!(
                "{name} starts a program of firmware, which is not on the disk"
            ));
        }
        if let Some(uri) = &option.path.uri {
            return self.unknown(format!("{name} starts from the network: {uri}"));
        }
        if let Some(partition) = &option.path.partition
            && !disk.has_partition(partition)
        {
            return self.unknown(format!("{name} starts from partition {partition}, which is not the system partition of this disk"));
        }
        let removable = REMOVABLE
            .iter()
            .find(|(machine, _)| *machine == self.situation.platform.processor);
        let path = match (&option.path.file, removable) {
            (Some(file), _) => file.clone(),
            (None, Some((_, path))) => {
                let text = format!(
                    "{name} names a device without a file, taken to be this disk: firmware starts {path}"
                );
                self.expectation.assumptions.insert(text);
                (*path).to_owned()
            }
            (None, None) => return self.unknown(format!("{name} names no file")),
        };
        let Some(bytes) = disk.read(&path) else {
            return Outcome::Fails;
        };
        if !firmware(&boot.machine, &bytes).boots {
            return Outcome::Fails;
        }
        if option.optional == AUTOMATIC.0 {
            let text = "firmware keeps the boot options that it has made itself: the devices are the same as before";
            self.expectation.assumptions.insert(text.to_owned());
        }
        boot.options = if option.optional == AUTOMATIC.0 {
            Vec::new()
        } else {
            option.optional.clone()
        };
        self.start(boot, &Started { path, bytes }, &mut Vec::new());
        if self.situation.returning.contains(&option.number) {
            boot.leave();
            return Outcome::Returns;
        }
        if UNTOUCHED.iter().all(|pcr| !self.expectation.foresees(*pcr)) {
            return Outcome::Unknown;
        }
        Outcome::Starts
    }
}
