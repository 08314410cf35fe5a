//! What the boots of these tests have in common: a key, a kernel, an initrd, images made of them, disks, and what the guest
//! reports.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use crate::bench::{list, rootstock, rootstock_with, store};
use crate::lab::{option, order};
use crate::workshop::{Identity, OWNER};
use boot_stub_core::archive::{Modes, archive};
use boot_stub_core::companions::utf16;
use boot_variables::{Entry, read_store, replace_store};
use boot_vm::{Firmware, Machine, Running, Tpm, fat_disk, without_escapes};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than any boot on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(10);
/// Where firmware looks for a program on a disk.
pub(crate) const PLACE: &str = "EFI/BOOT/BOOTX64.EFI";
/// Folder of the image's companions.
pub(crate) const OWN: &str = "EFI/BOOT/BOOTX64.EFI.extra.d";
/// The command line of the images. On a busy machine the emulated timer is so late that the kernel takes it for broken and gives
/// up, unless it is told not to look.
pub(crate) const LINE: &str = "console=ttyS0 panic=-1 rdinit=/guest/init loglevel=6 no_timer_check";

/// A file that the stage names by a variable.
pub(crate) fn part(variable: &str) -> Vec<u8> {
    let path = std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} names a file; stage 57-boot-install sets it"));
    std::fs::read(path).unwrap()
}

/// Files that images are made of, in one folder.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
    pub(crate) owner: Identity,
}

impl Scene {
    /// The folder gets `stub.efi`, `kernel`, `initrd`, `osrel`, the owner's key and a PCR key as `db` and `pcr`, and
    /// `variables.fd`, whose db has the owner alone.
    pub(crate) fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        rootstock(
            folder.path(),
            "keys create --name Test --role db --role pcr .",
        );
        let scene = Scene {
            owner: Identity::read(folder.path(), "db"),
            folder,
        };
        let guest = [
            ("init", part("BOOT_GUEST")),
            ("efivarfs.ko.xz", part("BOOT_EFIVARFS")),
        ];
        let files = guest.iter().map(|(name, data)| (*name, &**data));
        let modes = Modes {
            directory: 0o555,
            file: 0o555,
        };
        scene.put("initrd", &archive("guest", modes, files).unwrap());
        scene.put("stub.efi", &part("BOOT_STUB"));
        scene.put("kernel", &part("BOOT_KERNEL"));
        scene.put("osrel", b"ID=guest\nVERSION_ID=2\n");
        let own = [Entry::certificate(OWNER, &scene.owner.certificate)];
        let variables = [list("PK", &own), list("KEK", &own), list("db", &own)];
        store(scene.path(), &variables);
        scene
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    /// `rootstock-boot` in the folder.
    pub(crate) fn run(&self, line: &str) -> String {
        rootstock(self.path(), line)
    }

    /// Builds an image with these options into `NAME.efi`, its command line in `NAME.line`, and signs it as the owner.
    pub(crate) fn image(&self, name: &str, line: &str, options: &str) -> Vec<u8> {
        self.put(&format!("{name}.line"), line.as_bytes());
        self.run(&format!(
            "uki build --stub stub.efi --osrel @osrel --cmdline @{name}.line {options} -o {name}.efi"
        ));
        let signed = self.owner.sign(self.read(&format!("{name}.efi")));
        self.put(&format!("{name}.efi"), &signed);
        signed
    }

    /// A disk `NAME.disk` with these files (place and content); they lie in the folder `NAME.volume` too.
    pub(crate) fn disk(&self, name: &str, files: &[(&str, &[u8])]) -> PathBuf {
        let volume = self.path().join(format!("{name}.volume"));
        let mut on_disk = Vec::new();
        for (place, content) in files {
            let path = volume.join(place);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
            on_disk.push(((*place).to_owned(), path));
        }
        let borrowed: Vec<(String, &Path)> = on_disk
            .iter()
            .map(|(n, path)| (n.clone(), &**path))
            .collect();
        let disk = self.path().join(format!("{name}.disk"));
        fat_disk(&disk, &borrowed).unwrap();
        disk
    }

    /// Starts a machine with these disks, in this order, and a TPM of its own.
    pub(crate) fn start(&self, name: &str, disks: &[&Path]) -> (Running, Tpm) {
        let variables = self.path().join(format!("{name}.fd"));
        std::fs::copy(self.path().join("variables.fd"), &variables).unwrap();
        let state = self.path().join(format!("{name}.tpm"));
        std::fs::create_dir_all(&state).unwrap();
        let tpm = Tpm::start(&state).unwrap();
        let mut machine = Machine::new(Firmware::SecureBoot, &variables)
            .tpm(&tpm)
            .random_numbers();
        for disk in disks {
            machine = machine.writable_disk(disk);
        }
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.log"));
        let running = machine
            .start(&log)
            .unwrap_or_else(|error| panic!("{error}"));
        (running, tpm)
    }

    /// Boots until the guest has reported.
    pub(crate) fn report(&self, name: &str, disks: &[&Path]) -> Report {
        let (mut running, _tpm) = self.start(name, disks);
        let said = running.wait_for(name, "guest done", LIMIT);
        Report::read(&said.unwrap_or_else(|error| panic!("{error}")))
    }

    /// PCR 11 of an image when the kernel starts, in the SHA-256 bank, without the files that it refers to.
    pub(crate) fn foretold_sections(&self, image: &str) -> String {
        self.foretold_profile(image, 0)
    }

    /// The same for one of its profiles.
    pub(crate) fn foretold_profile(&self, image: &str, profile: u32) -> String {
        let profile = match profile {
            0 => String::new(),
            number => format!("--profile {number}"),
        };
        let line = format!("--json pcr predict --bank sha256 {profile} {image}");
        let values: serde_json::Value = serde_json::from_str(&self.run(&line)).unwrap();
        values[0]["value"].as_str().unwrap().to_owned()
    }

    /// Gives firmware a boot option for a file of the disk, which it tries before others and hands these words to.
    pub(crate) fn boot_from(&self, file: &str, handed: &str) {
        let path = self.path().join("variables.fd");
        let image = std::fs::read(&path).unwrap();
        let mut all = read_store(&image).unwrap();
        let mut option = option(1, &format!("\\{}", file.replace('/', "\\")));
        if !handed.is_empty() {
            option.data.extend(utf16(handed));
        }
        all.insert(option);
        all.insert(order(&[1]));
        std::fs::write(path, replace_store(&image, &all).unwrap()).unwrap();
    }

    /// PCR 12 and 13 of the image on a disk of [`Scene::disk`].
    pub(crate) fn foretold_companions(&self, disk: &str, options: &str) -> [String; 2] {
        let options: Vec<&str> = options.split_whitespace().collect();
        self.foretold_parameters(disk, &options)
    }

    /// The same with options that may hold spaces.
    pub(crate) fn foretold_parameters(&self, disk: &str, options: &[&str]) -> [String; 2] {
        let volume = format!("{disk}.volume");
        let start = ["--json", "pcr", "companions", "--volume", &volume];
        let words = [&start[..], options, &[PLACE]].concat();
        let said = rootstock_with(self.path(), &words);
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        [0, 1].map(|at| said["registers"][at]["value"].as_str().unwrap().to_owned())
    }
}

/// What a guest said.
#[derive(Debug)]
pub(crate) struct Report {
    /// All that the serial port said.
    pub(crate) screen: String,
    lines: Vec<String>,
}

impl Report {
    pub(crate) fn read(said: &str) -> Report {
        let screen = without_escapes(said);
        // The kernel's own lines may come in between, but not into one.
        let lines = screen.lines().filter_map(|line| line.split_once("guest "));
        Report {
            lines: lines.map(|(_, line)| line.to_owned()).collect(),
            screen: screen.clone(),
        }
    }

    /// The rest of the line that begins so, when there is one.
    pub(crate) fn told(&self, start: &str) -> Option<&str> {
        let start = format!("{start} ");
        self.lines.iter().find_map(|line| line.strip_prefix(&start))
    }

    /// The same, which must be there.
    pub(crate) fn line(&self, start: &str) -> &str {
        let found = self.told(start);
        found.unwrap_or_else(|| panic!("no line `{start}`:\n{}", self.screen))
    }

    /// A register in lower case.
    pub(crate) fn register(&self, number: u8) -> String {
        self.line(&format!("pcr {number}")).to_lowercase()
    }

    /// Files under `/.extra`: mode and content by path.
    pub(crate) fn files(&self) -> BTreeMap<&str, (&str, Vec<u8>)> {
        let lines = self
            .lines
            .iter()
            .filter_map(|line| line.strip_prefix("file /.extra/"));
        lines
            .map(|line| {
                let words: Vec<&str> = line.split(' ').collect();
                (words[0], (words[1], hex::decode(words[2]).unwrap()))
            })
            .collect()
    }

    /// A variable of the boot loader interface.
    pub(crate) fn variable(&self, name: &str) -> Vec<u8> {
        hex::decode(self.line(&format!("variable {name}"))).unwrap()
    }

    /// Firmware's event log.
    pub(crate) fn event_log(&self) -> Vec<u8> {
        hex::decode(self.line("event-log")).unwrap()
    }

    /// The same as text, without its NUL.
    pub(crate) fn text(&self, name: &str) -> String {
        let units: Vec<u16> = self
            .variable(name)
            .chunks(2)
            .map(|pair| u16::from_le_bytes(pair.try_into().unwrap()))
            .collect();
        String::from_utf16(&units)
            .unwrap()
            .trim_end_matches('\0')
            .to_owned()
    }
}
