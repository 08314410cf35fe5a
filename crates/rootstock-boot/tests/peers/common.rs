//! Running programs, and the Debian boot files that serve as known good inputs.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Boot files of Debian's packages; a missing one fails the test that asks for them.
pub(crate) const DEBIAN: [&str; 9] = [
    "/usr/lib/shim/shimx64.efi.signed",
    "/usr/lib/shim/shimx64.efi",
    "/usr/lib/shim/mmx64.efi.signed",
    "/usr/lib/shim/fbx64.efi.signed",
    "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
    "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed",
    "/usr/libexec/fwupd/efi/fwupdx64.efi.signed",
    "/usr/lib/systemd/boot/efi/systemd-bootx64.efi",
    "/usr/lib/systemd/boot/efi/linuxx64.efi.stub",
];

/// systemd's UKI stub, version 252.
pub(crate) const STUB: &str = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";

/// A scratch folder that goes away with its value.
pub(crate) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Runs a program in `folder`, its arguments separated by spaces.
pub(crate) fn try_run(folder: &Path, line: &str) -> Output {
    let words = words(line);
    Command::new(words[0])
        .args(&words[1..])
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", words[0]))
}

/// Runs a program that must succeed; its standard output.
pub(crate) fn run(folder: &Path, line: &str) -> String {
    let output = try_run(folder, line);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{line}\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Runs `rootstock-boot`, which must succeed; its standard output.
pub(crate) fn boot(folder: &Path, line: &str) -> String {
    run(
        folder,
        &format!("{} {line}", env!("CARGO_BIN_EXE_rootstock-boot")),
    )
}

/// Runs `rootstock-boot` and returns its exit code and both outputs.
pub(crate) fn boot_code(folder: &Path, line: &str) -> (i32, String) {
    let output = try_run(
        folder,
        &format!("{} {line}", env!("CARGO_BIN_EXE_rootstock-boot")),
    );
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// Writes a file into the folder.
pub(crate) fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}
