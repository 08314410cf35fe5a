//! A root with two generations, a key, and a stub and a loader that do nothing, for tests of several kinds.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use boot_pe::{Image, Machine, NewSection, addon_base, rebuild};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

pub(crate) const STORE: &str = "/nix/store/00000000000000000000000000000000-";

/// A program that does nothing, with these sections.
pub(crate) fn program(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let base = addon_base(Machine::X64).unwrap();
    let image = Image::parse(&base).unwrap();
    let mut list: Vec<_> = image.sections.iter().map(NewSection::keep).collect();
    for (name, data) in sections {
        list.push(NewSection::data(name, Cow::Borrowed(data)).unwrap());
    }
    rebuild(&image, &list).unwrap()
}

/// Adds a generation, which the profile then points to.
pub(crate) fn add(folder: &Path, number: u64) {
    let toplevel = format!("{STORE}nixos-{number}");
    let real = folder.join("root").join(&toplevel[1..]);
    fs::create_dir_all(&real).unwrap();
    let kernel = program(&[(".number", &number.to_be_bytes())]);
    fs::write(real.join("kernel"), kernel).unwrap();
    fs::write(real.join("initrd"), format!("initrd {number}")).unwrap();
    fs::write(real.join("boot.json"), document(&toplevel).to_string()).unwrap();
    let profiles = folder.join("root/nix/var/nix/profiles");
    let link = format!("system-{number}-link");
    symlink(&toplevel, profiles.join(&link)).unwrap();
    let _ = fs::remove_file(profiles.join("system"));
    symlink(link, profiles.join("system")).unwrap();
}

/// A stub and a loader, a key, and a root with generations 1 and 2.
pub(crate) fn prepare(folder: &Path) {
    let note = boot_stub_core::StubNote::OUR_TEXT.as_bytes();
    fs::write(folder.join("stub.efi"), program(&[(".rsstub", note)])).unwrap();
    let magic = b"#### LoaderInfo: systemd-boot 257.9 ####";
    fs::write(folder.join("loader.efi"), program(&[(".sdmagic", magic)])).unwrap();
    let created = Command::new(env!("CARGO_BIN_EXE_rootstock-boot"))
        .args([
            "keys", "create", "--kind", "p256", "--role", "db", "--name", "test", ".",
        ])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(created.status.success(), "{created:?}");
    fs::create_dir_all(folder.join("root/nix/var/nix/profiles")).unwrap();
    for number in 1..=2 {
        add(folder, number);
    }
    fs::create_dir(folder.join("esp")).unwrap();
    fs::create_dir(folder.join("efivars")).unwrap();
}

/// A Bootspec document.
pub(crate) fn document(toplevel: &str) -> Value {
    json!({
        "org.nixos.bootspec.v1": {
            "label": "NixOS",
            "system": "x86_64-linux",
            "init": format!("{toplevel}/init"),
            "toplevel": toplevel,
            "kernel": format!("{toplevel}/kernel"),
            "kernelParams": [],
            "initrd": format!("{toplevel}/initrd"),
        }
    })
}
