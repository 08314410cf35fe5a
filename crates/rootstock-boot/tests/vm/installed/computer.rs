//! A machine with a disk: a store with generations, the commands that install them, and what is on the disk afterwards.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use crate::bench::rootstock;
use crate::stub::scene::{LIMIT, LINE, Report, Scene};
use boot_stub_core::archive::{Modes, archive};
use boot_vm::{Firmware, Machine, Running, SystemDisk, Tpm};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The real boot loader.
pub(crate) const LOADER: &str = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi";
/// Where entries are.
const ENTRIES: &str = "EFI/Linux";
/// Room for three kernels and the initrds beside them.
const MEBIBYTES: u64 = 64;
/// Vendor of the loader's variables, as efivarfs names files.
pub(crate) const VENDOR: &str = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/// A machine. Its folder has what [`Scene`] makes, `root` with the store, `efivars` and the disk.
pub(crate) struct Computer {
    pub(crate) scene: Scene,
    pub(crate) disk: SystemDisk,
    pub(crate) name: &'static str,
}

impl Computer {
    /// One with an empty disk and no generation yet.
    pub(crate) fn new(name: &'static str) -> Computer {
        let scene = Scene::new();
        for folder in [
            "root/nix/store",
            "root/nix/var/nix/profiles",
            "root/boot",
            "efivars",
        ] {
            fs::create_dir_all(scene.path().join(folder)).unwrap();
        }
        let disk = SystemDisk::create(&scene.path().join("disk.img"), MEBIBYTES).unwrap();
        fs::rename(
            scene.path().join("kernel"),
            scene.path().join("root/boot/kernel"),
        )
        .unwrap();
        Computer { scene, disk, name }
    }

    fn real(&self, path: &str) -> PathBuf {
        self.scene.path().join("root").join(&path[1..])
    }

    /// Puts a file into the store; its number makes it another path.
    fn store(&self, number: u64, name: &str, content: &[u8]) -> String {
        let path = format!("/nix/store/{number:032}-{name}");
        fs::write(self.real(&path), content).unwrap();
        path
    }

    /// Adds a generation, which the profile then points to: the scene's initrd, a small one that tells the number, and these
    /// words on the command line. With `kernel` it has one of its own.
    pub(crate) fn generation(&self, number: u64, words: &[&str], kernel: bool) {
        let shared = fs::read(self.scene.path().join("root/boot/kernel")).unwrap();
        let kernel = if kernel {
            // Bytes behind a program change nothing but its digest.
            let own = [&shared[..], &number.to_le_bytes()].concat();
            self.store(number, "kernel", &own)
        } else {
            self.store(0, "kernel", &shared)
        };
        let modes = Modes {
            directory: 0o555,
            file: 0o444,
        };
        let text = number.to_string();
        let own = archive(
            "guest",
            modes,
            [("generation", text.as_bytes())].into_iter(),
        )
        .unwrap();
        let initrds = [
            self.store(0, "initrd", &self.scene.read("initrd")),
            self.store(number, "initrd", &own),
        ];
        let toplevel = format!("/nix/store/{number:032}-nixos");
        let parameters = LINE.split(' ').chain(words.iter().copied());
        let document = json!({
            "org.nixos.bootspec.v2": {
                "label": "NixOS of a test",
                "system": "x86_64-linux",
                "init": format!("{toplevel}/init"),
                "toplevel": toplevel,
                "kernel": kernel,
                "kernelParams": parameters.collect::<Vec<_>>(),
                "initrds": initrds,
            }
        });
        fs::create_dir_all(self.real(&toplevel)).unwrap();
        fs::write(self.real(&toplevel).join("boot.json"), document.to_string()).unwrap();
        let profiles = self.real("/nix/var/nix/profiles");
        let link = format!("system-{number}-link");
        symlink(&toplevel, profiles.join(&link)).unwrap();
        let _ = fs::remove_file(profiles.join("system"));
        symlink(link, profiles.join("system")).unwrap();
    }

    /// Runs `rootstock-boot COMMAND` on the disk, with what the loader has told.
    pub(crate) fn command(&self, command: &str) -> Value {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let line = format!("--json {verb} --esp disk.img --efivars efivars {rest}");
        serde_json::from_str(&rootstock(self.scene.path(), &line)).unwrap()
    }

    /// Installs all generations with three tries for a new one.
    pub(crate) fn install(&self) -> Value {
        self.install_with(LOADER, "")
    }

    /// The same with another boot loader, and more options.
    pub(crate) fn install_with(&self, loader: &str, more: &str) -> Value {
        self.command(&format!(
            "install --root root --stub stub.efi --loader {loader} --key db.key --certificate db.crt --tries 3 {more}"
        ))
    }

    /// What `status` says about the entry of a generation.
    pub(crate) fn status(&self, generation: u64) -> Value {
        let said = self.command("status --verify");
        let entries = said[0]["entries"].as_array().unwrap();
        let found = entries
            .iter()
            .find(|entry| entry["generation"] == generation);
        found.unwrap_or_else(|| panic!("{said:#}")).clone()
    }

    /// The file names of entries, as mtools read them.
    pub(crate) fn names(&self) -> Vec<String> {
        self.disk.names(ENTRIES).unwrap()
    }

    /// The file name of a generation's entry.
    pub(crate) fn entry(&self, generation: u64) -> String {
        let start = format!("rootstock-{generation}-");
        let names = self.names();
        let found = names.iter().find(|name| name.starts_with(&start));
        found
            .unwrap_or_else(|| panic!("{start}: {names:?}"))
            .clone()
    }

    /// dosfstools find nothing wrong with the partition.
    pub(crate) fn check_disk(&self) {
        let content = self.disk.partition().unwrap();
        let file = self.scene.put("partition", &content);
        let output = Command::new("/usr/sbin/fsck.fat")
            .arg("-n")
            .arg(file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
    }

    /// The machine with its disk. It has one store of variables for its life.
    pub(crate) fn machine(&self) -> Machine {
        let variables = self.scene.path().join("variables.fd");
        Machine::new(Firmware::SecureBoot, &variables)
            .random_numbers()
            .writable_disk(self.disk.path())
    }

    /// Turns a machine on; the log carries this machine's name and that of the step.
    pub(crate) fn start(&self, machine: Machine, step: &str) -> Running {
        let log = format!("installed-{}-{step}.log", self.name);
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(log);
        machine
            .start(&log)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// One boot until the guest has reported.
    pub(crate) fn boot(&self, step: &str, tpm: Option<&Tpm>) -> Report {
        let machine = self.machine();
        let machine = match tpm {
            Some(tpm) => machine.tpm(tpm),
            None => machine,
        };
        let mut running = self.start(machine, step);
        self.reported(&mut running, step)
    }

    /// What a guest says next. The loader's variables are kept for the commands.
    pub(crate) fn reported(&self, running: &mut Running, step: &str) -> Report {
        let said = running.wait_for(step, "guest done", LIMIT);
        let report = Report::read(&said.unwrap_or_else(|error| panic!("{error}")));
        for name in ["LoaderEntrySelected", "LoaderBootCountPath"] {
            let file = self.scene.path().join(format!("efivars/{name}-{VENDOR}"));
            match report.told(&format!("variable {name}")) {
                // Before the content of a file of efivarfs are its attributes.
                Some(_) => {
                    let content = [&[6, 0, 0, 0][..], &report.variable(name)].concat();
                    fs::write(file, content).unwrap();
                }
                None => drop(fs::remove_file(file)),
            }
        }
        report
    }

    /// A TPM of this machine, for one boot.
    pub(crate) fn tpm(&self) -> Tpm {
        let state = self.scene.path().join("tpm");
        fs::create_dir_all(&state).unwrap();
        Tpm::start(&state).unwrap_or_else(|error| panic!("{error}"))
    }
}
