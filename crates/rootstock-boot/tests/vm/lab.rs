//! Boots whose registers and event logs are looked at: variable stores with boot options, disks with or without a
//! partition table, and the answers as files that `rootstock-boot` reads.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use crate::bench::{answers, rootstock};
use crate::workshop::{Identity, OWNER, probe};
use boot_measure::BootOption;
use boot_variables::{Entry, Guid, Variable, Variables, guids, read_store, replace_store};
use boot_vm::{Firmware, Machine, Tpm, fat_disk};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// Longer than a boot of the probe on a busy machine.
const LIMIT: Duration = Duration::from_mins(10);
const STUB: &str = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
/// Where a partition starts on a disk with a table.
const FIRST_SECTOR: u64 = 2048;

/// What a boot left behind.
pub(crate) struct Booted {
    /// The event log, as firmware keeps it.
    pub(crate) log: PathBuf,
    /// The registers that the TPM then had.
    pub(crate) registers: PathBuf,
    /// The variables that it left.
    pub(crate) variables: PathBuf,
    /// The disk.
    pub(crate) disk: PathBuf,
}

/// A folder for boots, and keys.
pub(crate) struct Lab {
    folder: PathBuf,
    /// In db, and may sign updates.
    pub(crate) owner: Identity,
    /// In db too.
    pub(crate) second: Identity,
    /// Enrolled with shim.
    pub(crate) mok: Identity,
}

/// What an image holds.
pub(crate) struct Contents<'a> {
    pub(crate) linux: Option<&'a [u8]>,
    pub(crate) cmdline: &'a str,
    pub(crate) initrd: &'a str,
    /// SBAT data beside the stub's own.
    pub(crate) sbat: Option<&'a str>,
}

/// The usual ones: the probe as kernel.
pub(crate) const USUAL: Contents<'static> = Contents {
    linux: None,
    cmdline: "quiet",
    initrd: "no archive, but measured as one",
    sbat: None,
};

impl Lab {
    pub(crate) fn new() -> Lab {
        // Tests share it, so nobody is left to remove it: the next run does.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("probe.efi"), probe()).unwrap();
        Lab {
            folder,
            owner: Identity::plain("owner"),
            second: Identity::plain("second"),
            mok: Identity::plain("mok"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Runs `rootstock-boot` here.
    pub(crate) fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rootstock-boot"))
            .args(line.split_whitespace())
            .current_dir(self.path())
            .output()
            .unwrap()
    }

    /// A unified kernel image with systemd's stub, unsigned.
    pub(crate) fn image(&self, contents: &Contents<'_>) -> Vec<u8> {
        // Tests that share the lab make images at the same time.
        let folder = tempfile::tempdir_in(self.path()).unwrap();
        let path = folder.path();
        let linux = match contents.linux {
            None => self.path().join("probe.efi"),
            Some(bytes) => {
                let linux = path.join("linux");
                std::fs::write(&linux, bytes).unwrap();
                linux
            }
        };
        std::fs::write(path.join("initrd"), contents.initrd).unwrap();
        std::fs::write(path.join("cmdline"), contents.cmdline).unwrap();
        let sbat = match contents.sbat {
            None => "",
            Some(text) => {
                std::fs::write(path.join("sbat"), text).unwrap();
                "--sbat @sbat"
            }
        };
        let linux = linux.display();
        rootstock(
            path,
            &format!(
                "uki build --stub {STUB} --linux {linux} --osrel ID=probe --cmdline @cmdline --initrd initrd {sbat} -o uki.efi"
            ),
        );
        std::fs::read(path.join("uki.efi")).unwrap()
    }

    /// A store from another one with these variables put in, empty ones taken out.
    pub(crate) fn store(&self, name: &str, base: &Path, variables: Vec<Variable>) -> PathBuf {
        let image = std::fs::read(base).unwrap();
        let mut all: Variables = read_store(&image).unwrap();
        for variable in variables {
            // An empty variable is one that is not there.
            if variable.data.is_empty() {
                all.remove(variable.vendor, &variable.name);
            } else {
                all.insert(variable);
            }
        }
        let path = self.path().join(format!("{name}.vars"));
        std::fs::write(&path, replace_store(&image, &all).unwrap()).unwrap();
        path
    }

    /// Boots: the disk has these files, behind a partition table of as many partitions as `table` says.
    pub(crate) fn boot(
        &self,
        name: &str,
        variables: &Path,
        files: &[(&str, &[u8])],
        table: usize,
    ) -> Booted {
        let path = self.path();
        let own = path.join(format!("{name}.fd"));
        std::fs::copy(variables, &own).unwrap();
        let disk = self.disk(name, files, table);
        let state = path.join(format!("{name}.tpm"));
        std::fs::create_dir(&state).unwrap();
        let tpm = Tpm::start(&state).unwrap();
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.log"));
        let machine = Machine::new(Firmware::SecureBoot, &own)
            .disk(&disk)
            .tpm(&tpm);
        let mut running = machine
            .start(&log)
            .unwrap_or_else(|error| panic!("{error}"));
        let said = running.wait_for(name, "probe done", LIMIT);
        let answers = answers(&said.unwrap_or_else(|error| panic!("{error}")));
        drop(running);
        let updates = files
            .iter()
            .filter(|(place, _)| place.starts_with("updates/"));
        assert_eq!(answers.set.len(), updates.count(), "each update was tried");
        for (file, status) in &answers.set {
            assert_eq!(status, "SUCCESS", "{file}");
        }
        let registers = answers
            .registers
            .iter()
            .fold(String::new(), |mut text, (pcr, value)| {
                let _ = writeln!(text, "{pcr}:sha256={value}");
                text
            });
        let (log, values) = (
            path.join(format!("{name}.bin")),
            path.join(format!("{name}.pcrs")),
        );
        std::fs::write(&values, registers).unwrap();
        std::fs::write(&log, bytes_of(&answers.log)).unwrap();
        Booted {
            log,
            registers: values,
            variables: own,
            disk,
        }
    }

    /// A disk with these files: a bare file system, or one in the first of several partitions.
    pub(crate) fn disk(&self, name: &str, files: &[(&str, &[u8])], table: usize) -> PathBuf {
        let path = self.path();
        let mut named = Vec::new();
        for (index, (place, content)) in files.iter().enumerate() {
            let file = path.join(format!("{name}-file{index}"));
            std::fs::write(&file, content).unwrap();
            named.push(((*place).to_owned(), file));
        }
        let borrowed: Vec<(String, &Path)> = named.iter().map(|(n, f)| (n.clone(), &**f)).collect();
        let disk = path.join(format!("{name}.disk"));
        fat_disk(&disk, &borrowed).unwrap();
        if table > 0 {
            with_table(&disk, table);
        }
        disk
    }
}

/// Puts a partition table before a file system: the partition of the system, then small ones.
fn with_table(disk: &Path, partitions: usize) {
    use std::io::Write as _;
    let system = std::fs::read(disk).unwrap();
    let sectors = system.len() as u64 / 512;
    let mut script = format!(
        "label: gpt\nlabel-id: 11111111-2222-3333-4444-000000000000\n\
         start={FIRST_SECTOR}, size={sectors}, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=11111111-2222-3333-4444-000000000001\n"
    );
    for number in 1..partitions {
        let start = FIRST_SECTOR + sectors + 2048 * number as u64;
        let _ = writeln!(
            script,
            "start={start}, size=2048, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=11111111-2222-3333-4444-00000000000{}",
            number + 1
        );
    }
    let mut bytes = vec![0; FIRST_SECTOR as usize * 512];
    bytes.extend(&system);
    bytes.extend(vec![0; 8 << 20]);
    std::fs::write(disk, bytes).unwrap();
    let mut child = Command::new("sfdisk")
        .args(["--quiet", "--no-reread", "--no-tell-kernel"])
        .arg(disk)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success());
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn global(name: &str, data: Vec<u8>) -> Variable {
    Variable {
        name: name.to_owned(),
        vendor: guids::GLOBAL,
        attributes: 7,
        time: boot_variables::EfiTime::default(),
        data,
    }
}

/// A boot option that starts a file.
pub(crate) fn option(number: u16, file: &str) -> Variable {
    global(
        &format!("Boot{number:04X}"),
        BootOption::of_file("a test", file),
    )
}

/// The order of options.
pub(crate) fn order(numbers: &[u16]) -> Variable {
    global(
        "BootOrder",
        numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
    )
}

/// EDK II's switch: Secure Boot stays off although there is a platform key.
pub(crate) fn secure_boot_disabled() -> Variable {
    Variable {
        vendor: Guid::from_u128(0xf0a30bc7_af08_4556_99c4_001009c93a44),
        attributes: 3,
        ..global("SecureBootEnable", vec![0])
    }
}

/// A certificate as an entry.
pub(crate) fn certificate(identity: &Identity) -> Entry {
    Entry::certificate(OWNER, &identity.certificate)
}
