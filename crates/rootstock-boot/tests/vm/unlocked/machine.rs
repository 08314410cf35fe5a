//! A machine with a system partition that the installer wrote, an encrypted root, and a TPM.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use super::disk::{PASSPHRASE, initrd};
use super::host_tpm::HostTpm;
use crate::bench::rootstock;
use crate::installed::computer::Computer;
use crate::stub::scene::{LIMIT, Report};
use boot_measure::Bank;
use boot_vm::{Firmware, Machine, Tpm};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Registers that the generations are told apart by.
const PCRS: [u8; 3] = [4, 7, 11];
/// What every generation's command line has: the program, and what it is to do.
pub(crate) const WORDS: [&str; 3] = ["rdinit=/sbin/boot-init", "rootfstype=ext4", "guest.log"];

/// Values of registers by number, hexadecimal.
pub(crate) type Values = BTreeMap<u8, String>;

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A register after a word was measured into it.
pub(crate) fn measured(value: &str, word: &str) -> String {
    let digest = Bank::Sha256.digest(&[word.as_bytes()]);
    hex(&Bank::Sha256.digest(&[&unhex(value), &digest]))
}

/// A machine; everything lies in its folder.
pub(crate) struct Unlocked {
    pub(crate) computer: Computer,
}

/// One boot.
pub(crate) struct Boot<'a> {
    /// Its name, for the log.
    pub(crate) step: &'a str,
    /// The beginning of the entry's file name.
    pub(crate) entry: &'a str,
    /// The encrypted root.
    pub(crate) root: &'a Path,
    /// Folder of the TPM's state.
    pub(crate) tpm: Option<&'a str>,
    /// What somebody types when asked for a passphrase; where it is none, nobody may be asked.
    pub(crate) types: Option<&'a str>,
}

impl Unlocked {
    /// One whose initrds hold the program, without generations.
    pub(crate) fn new() -> Unlocked {
        let computer = Computer::new("unlocked");
        computer.scene.put("initrd", &initrd());
        computer
            .scene
            .boot_from("EFI/systemd/systemd-bootx64.efi", "");
        for folder in ["tpm", "other-tpm"] {
            fs::create_dir(computer.scene.path().join(folder)).unwrap();
        }
        computer.scene.put("passphrase", PASSPHRASE.as_bytes());
        Unlocked { computer }
    }

    pub(crate) fn path(&self) -> &Path {
        self.computer.scene.path()
    }

    /// Installs all generations with this loader; none is on trial. Every image has policies for epoch 1.
    pub(crate) fn install(&self, loader: &str) {
        self.computer.command(&format!(
            "install --root root --stub stub.efi --loader {loader} --key db.key --certificate db.crt --policy-key pcr.key --epoch 1 \
             --floor 1"
        ));
    }

    /// What registers will hold when the TPM is asked, in a boot of this generation.
    pub(crate) fn foreseen(&self, generation: u64, options: &str) -> Values {
        let entry = self.computer.entry(generation);
        let line = format!(
            "--json pcr predict --bank sha256 --vars variables.fd --disk disk.img --entry \\EFI\\Linux\\{entry} {options}"
        );
        let said: Value = serde_json::from_str(&self.computer.scene.run(&line)).unwrap();
        let registers = said["registers"].as_array().unwrap();
        let value = |pcr: u8| {
            let found = registers.iter().find(|register| register["pcr"] == pcr);
            let found = found.unwrap_or_else(|| panic!("PCR {pcr}: {said:#}"));
            found["value"].as_str().unwrap().to_owned()
        };
        let mut values: Values = PCRS.iter().map(|pcr| (*pcr, value(*pcr))).collect();
        let eleven = measured(&values[&11], "enter-initrd");
        values.insert(11, eleven);
        values
    }

    /// Enrols the TPM for `count` generations: these, and others before them. The list goes onto the system partition.
    pub(crate) fn enroll(&self, tpm: &HostTpm, root: &Path, count: usize, wanted: &[&Values]) {
        let other = |number: usize| {
            let value = hex(&Bank::Sha256.digest(&[&number.to_be_bytes()]));
            PCRS.map(|pcr| (pcr, value.clone())).into()
        };
        let others = (wanted.len()..count).map(other);
        let list: Vec<Values> = others.chain(wanted.iter().map(|v| (*v).clone())).collect();
        assert_eq!(list.len(), count);
        let name = format!("rootstock-generations-{count}.cred");
        let file = self
            .computer
            .scene
            .put(&name, json!(list).to_string().as_bytes());
        self.credential(&name, &file);
        let (with, root) = (tpm.option(), root.display());
        rootstock(
            self.path(),
            &format!(
                "unlock enroll {with} --generations {name} --passphrase-file passphrase {root}"
            ),
        );
    }

    /// Puts a file beside all images.
    pub(crate) fn credential(&self, name: &str, file: &Path) {
        let disk = &self.computer.disk;
        for folder in ["loader", "loader/credentials"] {
            // It may be there already.
            let _ = disk.make_folder(folder);
        }
        disk.put(&format!("loader/credentials/{name}"), file)
            .unwrap();
    }

    /// Boots until the system on the encrypted root has reported and turned the machine off.
    pub(crate) fn boot(&self, boot: &Boot<'_>) -> Report {
        let conf = format!("timeout 0\ndefault {}*\n", boot.entry);
        let conf = self.computer.scene.put("loader.conf", conf.as_bytes());
        self.computer.disk.put("loader/loader.conf", &conf).unwrap();
        let variables = self.path().join("variables.fd");
        let mut machine = Machine::new(Firmware::SecureBoot, &variables)
            .random_numbers()
            .disk(self.computer.disk.path())
            .disk(boot.root);
        let tpm = boot
            .tpm
            .map(|folder| Tpm::start(&self.path().join(folder)).unwrap());
        if let Some(tpm) = &tpm {
            machine = machine.tpm(tpm);
        }
        let mut running = self.computer.start(machine, boot.step);
        let mut step = |text: &str| {
            let said = running.wait_for(boot.step, text, LIMIT);
            said.unwrap_or_else(|error| panic!("{error}"))
        };
        if let Some(typed) = boot.types {
            step("passphrase or recovery key of");
            let typed = running.type_text(boot.step, &format!("{typed}\n"));
            typed.unwrap_or_else(|error| panic!("{error}"));
        }
        // To the end, so that the kernel shuts the TPM down.
        let said = running.wait_for_off(boot.step, LIMIT);
        let said = said.unwrap_or_else(|error| panic!("{error}"));
        let report = Report::read(&said);
        assert_eq!(report.line("root"), "/dev/mapper/root");
        let asked = report.screen.contains("passphrase");
        assert_eq!(asked, boot.types.is_some(), "{}", report.screen);
        report
    }

    /// A copy of the system partition's disk, and of that copy back.
    pub(crate) fn keep(&self, name: &str) -> PathBuf {
        let kept = self.path().join(name);
        fs::copy(self.computer.disk.path(), &kept).unwrap();
        kept
    }
}
