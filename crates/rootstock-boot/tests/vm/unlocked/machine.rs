//! Machines with a system partition that the installer wrote, an encrypted root, and a TPM.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use super::disk::PASSPHRASE;
use super::host_tpm::HostTpm;
use crate::bench::rootstock;
use crate::installed::computer::Computer;
use crate::stub::scene::{LIMIT, Report};
use boot_measure::Bank;
use boot_vm::{Firmware, SystemDisk, Tpm};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Registers that the generations are told apart by.
const PCRS: [u8; 3] = [4, 7, 11];
/// What every generation's command line has: the program, and what it is to do.
pub(crate) const WORDS: [&str; 3] = ["rdinit=/init", "rootfstype=ext4", "guest.log"];

/// Values of registers by number, hexadecimal.
pub(crate) type Values = BTreeMap<u8, String>;

/// A register after a word was measured into it.
pub(crate) fn measured(value: &str, word: &str) -> String {
    let digest = Bank::Sha256.digest(&[word.as_bytes()]);
    hex::encode(Bank::Sha256.digest(&[&hex::decode(value).unwrap(), &digest]))
}

/// The screen says this.
pub(crate) fn says(screen: &str, text: &str) {
    assert!(screen.contains(text), "`{text}` is not in:\n{screen}");
}

/// Where machines are prepared; everything lies in its folder.
pub(crate) struct Machines {
    pub(crate) computer: Computer,
}

/// One of them, with copies of what it changes, so that others run at the same time.
pub(crate) struct Machine<'a> {
    computer: &'a Computer,
    /// Its disk, `variables.fd`, and the states of TPMs in `tpm` and `other-tpm`.
    folder: PathBuf,
    disk: SystemDisk,
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

impl Machines {
    /// Their initrds hold the program; there is no generation yet.
    pub(crate) fn new() -> Machines {
        let computer = Computer::new("unlocked");
        let from = |variable: &str| std::env::var(variable).expect("stage 58-boot-unlock sets it");
        computer.scene.run(&format!(
            "initrd build --init {} --modules {} --module virtio_blk -o initrd",
            from("BOOT_INIT"),
            from("BOOT_MODULES")
        ));
        computer
            .scene
            .boot_from("EFI/systemd/systemd-bootx64.efi", "");
        fs::create_dir(computer.scene.path().join("tpm")).unwrap();
        computer.scene.put("passphrase", PASSPHRASE.as_bytes());
        Machines { computer }
    }

    pub(crate) fn path(&self) -> &Path {
        self.computer.scene.path()
    }

    /// Installs all generations with this loader; none is on trial. Every image has policies for epoch 1, signed by this key.
    pub(crate) fn install(&self, loader: &str, policy_key: &str) {
        self.computer.command(&format!(
            "install --root root --stub stub.efi --loader {loader} --key db.key --certificate db.crt --policy-key {policy_key} --epoch 1 \
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

    /// Enrols the TPM for `count` generations: these, and others before them. The list is then in the folder.
    pub(crate) fn enroll(&self, tpm: &HostTpm, root: &Path, count: usize, wanted: &[&Values]) {
        let other = |number: usize| {
            let value = hex::encode(Bank::Sha256.digest(&[&number.to_be_bytes()]));
            PCRS.map(|pcr| (pcr, value.clone())).into()
        };
        let others = (wanted.len()..count).map(other);
        let list: Vec<Values> = others.chain(wanted.iter().map(|v| (*v).clone())).collect();
        assert_eq!(list.len(), count);
        let name = format!("rootstock-generations-{count}.cred");
        let list = json!(list).to_string();
        self.computer.scene.put(&name, list.as_bytes());
        let (with, root) = (tpm.option(), root.display());
        rootstock(
            self.path(),
            &format!(
                "unlock enroll {with} --generations {name} --passphrase-file passphrase {root}"
            ),
        );
    }

    /// A copy of the system partition's disk.
    pub(crate) fn keep(&self, name: &str) -> PathBuf {
        let kept = self.path().join(name);
        fs::copy(self.computer.disk.path(), &kept).unwrap();
        kept
    }

    /// A machine of this name, with copies of a disk, of variables and of the TPM that was enrolled.
    pub(crate) fn machine(&self, name: &str, disk: &Path, variables: &Path) -> Machine<'_> {
        let folder = self.path().join(name);
        for tpm in ["tpm", "other-tpm"] {
            fs::create_dir_all(folder.join(tpm)).unwrap();
        }
        for file in fs::read_dir(self.path().join("tpm")).unwrap() {
            let file = file.unwrap();
            // Sockets stay behind.
            if file.file_type().unwrap().is_file() {
                fs::copy(file.path(), folder.join("tpm").join(file.file_name())).unwrap();
            }
        }
        fs::copy(variables, folder.join("variables.fd")).unwrap();
        let path = folder.join("disk.img");
        fs::copy(disk, &path).unwrap();
        Machine {
            computer: &self.computer,
            disk: SystemDisk::at(&path),
            folder,
        }
    }
}

impl Machine<'_> {
    /// Gives it a copy of this disk.
    pub(crate) fn exchange_disk(&self, disk: &Path) {
        fs::copy(disk, self.disk.path()).unwrap();
    }

    /// The image whose name begins so.
    pub(crate) fn entry(&self, start: &str) -> Vec<u8> {
        let names = self.disk.names("EFI/Linux").unwrap();
        let name = names.iter().find(|name| name.starts_with(start)).unwrap();
        self.disk.file(&format!("EFI/Linux/{name}")).unwrap()
    }

    /// Puts a file onto the system partition.
    pub(crate) fn put(&self, place: &str, file: &Path) {
        self.disk.put(place, file).unwrap();
    }

    /// Puts a file beside all images.
    pub(crate) fn credential(&self, name: &str, file: &Path) {
        for folder in ["loader", "loader/credentials"] {
            // It may be there already.
            let _ = self.disk.make_folder(folder);
        }
        self.put(&format!("loader/credentials/{name}"), file);
    }

    /// Puts a file of the machines' folder there, under its name.
    pub(crate) fn credential_as_named(&self, name: &str) {
        self.credential(name, &self.computer.scene.path().join(name));
    }

    /// Its TPM while it is off.
    pub(crate) fn host_tpm(&self) -> HostTpm {
        HostTpm::start(&self.folder.join("tpm"))
    }

    /// Runs a command on its TPM while it is off, in the machines' folder.
    pub(crate) fn with_tpm(&self, command: &str, options: &str) -> String {
        let tpm = self.host_tpm();
        let line = format!("{command} {} {options}", tpm.option());
        rootstock(self.computer.scene.path(), &line)
    }

    /// Boots until the system on the encrypted root has reported and turned the machine off.
    pub(crate) fn boot(&self, boot: &Boot<'_>) -> Report {
        let conf = format!("timeout 0\ndefault {}*\n", boot.entry);
        let file = self.folder.join("loader.conf");
        fs::write(&file, conf).unwrap();
        self.put("loader/loader.conf", &file);
        let variables = self.folder.join("variables.fd");
        let mut machine = boot_vm::Machine::new(Firmware::SecureBoot, &variables)
            .random_numbers()
            .disk(self.disk.path())
            .disk(boot.root);
        let tpm = boot
            .tpm
            .map(|folder| Tpm::start(&self.folder.join(folder)).unwrap());
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
}
