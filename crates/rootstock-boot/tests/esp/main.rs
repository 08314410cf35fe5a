//! The commands for Bootspec and the EFI system partition, run as a person runs them, and what other people's tools say:
//! fsck.fat and mtools about a partition, Python's jsonschema about the schema, systemd about versions and credentials, Nix
//! about the module.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

mod commands;
#[path = "../generations/mod.rs"]
mod generations;
mod module;
mod peers;

use std::path::Path;
use std::process::{Command, Output};

/// Runs `rootstock-boot` with these arguments in a folder.
pub(crate) fn boot(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rootstock-boot"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Runs a program that must succeed; its standard output.
pub(crate) fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    text(&output)
}

/// The standard output of what must have succeeded.
pub(crate) fn text(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
