//! The lines of the report.

use std::fmt::Arguments;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Where efivarfs is mounted.
pub(crate) const VARIABLES: &str = "/sys/firmware/efi/efivars";
/// Owner of the boot loader interface's variables.
const LOADER: &str = "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
const SECURE_BOOT: &str = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
/// Registers that are reported.
const REGISTERS: std::ops::RangeInclusive<u8> = 0..=15;
/// Before a variable's content are its attributes.
const ATTRIBUTES: usize = 4;

/// Where lines go.
pub(crate) struct Report<'a>(&'a File);

impl<'a> Report<'a> {
    pub(crate) fn new(console: &'a File) -> Report<'a> {
        Report(console)
    }

    /// One line. A console that takes nothing has no other place to say so; the host sees that lines are missing.
    pub(crate) fn line(&mut self, text: Arguments<'_>) {
        let _ = self.0.write_all(format!("guest {text}\n").as_bytes());
    }

    /// All there is to tell.
    pub(crate) fn everything(&mut self) {
        self.text("generation", "/guest/generation");
        self.variables();
        self.text("lockdown", "/sys/kernel/security/lockdown");
        for register in REGISTERS {
            let path = format!("/sys/class/tpm/tpm0/pcr-sha256/{register}");
            self.text(&format!("pcr {register}"), &path);
        }
        self.extra(Path::new("/.extra"));
        self.root();
        self.text("cmdline", "/proc/cmdline");
        self.line(format_args!("done"));
    }

    /// The event log of firmware, behind everything else because it is long.
    pub(crate) fn event_log(&mut self) {
        match fs::read("/sys/kernel/security/tpm0/binary_bios_measurements") {
            Ok(log) => self.line(format_args!("event-log {}", hex::encode(log))),
            Err(error) => self.line(format_args!("missing event-log: {error}")),
        }
        self.line(format_args!("end"));
    }

    /// What the root is on.
    fn root(&mut self) {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let device = mounts.lines().rev().find_map(|line| {
            let mut words = line.split(' ');
            let device = words.next()?;
            (words.next()? == "/").then_some(device)
        });
        self.line(format_args!("root {}", device.unwrap_or("unknown")));
    }

    fn text(&mut self, name: &str, path: &str) {
        match fs::read_to_string(path) {
            Ok(text) => self.line(format_args!("{name} {}", text.trim_end())),
            Err(error) => self.line(format_args!("missing {name}: {error}")),
        }
    }

    fn variables(&mut self) {
        let secure = fs::read(Path::new(VARIABLES).join(SECURE_BOOT));
        let on = secure.is_ok_and(|value| value.get(ATTRIBUTES) == Some(&1));
        self.line(format_args!(
            "secure-boot {}",
            if on { "on" } else { "off" }
        ));
        for path in sorted(Path::new(VARIABLES)) {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            let Some(name) = name.as_deref().and_then(|name| name.strip_suffix(LOADER)) else {
                continue;
            };
            if let Ok(value) = fs::read(&path) {
                let value = value.get(ATTRIBUTES..).unwrap_or_default();
                self.line(format_args!("variable {name} {}", hex::encode(value)));
            }
        }
    }

    fn extra(&mut self, folder: &Path) {
        for path in sorted(folder) {
            let Ok(metadata) = fs::metadata(&path) else {
                continue;
            };
            if metadata.is_dir() {
                self.extra(&path);
            } else if let Ok(content) = fs::read(&path) {
                let mode = metadata.permissions().mode() & 0o7777;
                let path = path.display();
                self.line(format_args!(
                    "file {path} {mode:o} {}",
                    hex::encode(content)
                ));
            }
        }
    }
}

/// What is in a folder, by name.
pub(crate) fn sorted(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
}
