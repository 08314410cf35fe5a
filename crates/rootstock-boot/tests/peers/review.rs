//! Debian's signed shim, GRUB and fwupd were accepted by reviewers, so no rule may refuse them; changed in one place each,
//! they must be refused by the rule about that place.

use crate::common::{boot, boot_code, put, run, scratch};
use boot_pe::Image;
use std::path::Path;

const SHIM: &str = "/usr/lib/shim/shimx64.efi.signed";
const GRUB: &str = "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed";
const GOOD: [&str; 7] = [
    SHIM,
    "/usr/lib/shim/shimx64.efi",
    "/usr/lib/shim/mmx64.efi.signed",
    "/usr/lib/shim/fbx64.efi.signed",
    GRUB,
    "/usr/libexec/fwupd/efi/fwupdx64.efi.signed",
    "/usr/lib/systemd/boot/efi/systemd-bootx64.efi",
];

/// The rules that a file breaks, with their weights.
fn findings(folder: &Path, file: &str) -> Vec<(String, String)> {
    let (_, text) = boot_code(
        folder,
        &format!("--json sbat lint --at 2026-06-01T00:00:00Z {file}"),
    );
    let judged: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    let text =
        |finding: &serde_json::Value, key: &str| finding[key].as_str().expect("text").to_owned();
    let findings = judged[0]["findings"].as_array().expect("findings");
    findings
        .iter()
        .map(|f| (text(f, "rule"), text(f, "weight")))
        .collect()
}

#[test]
fn what_reviewers_accepted_breaks_no_rule() {
    let folder = scratch();
    for file in GOOD {
        let (code, text) = boot_code(folder.path(), &format!("sbat lint {file}"));
        assert_eq!(code, 0, "{text}");
    }
}

type Change = (&'static str, &'static str, fn(&mut Vec<u8>));

/// Writes `new` over the only place of `old`.
fn swap(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let mut places = bytes
        .windows(old.len())
        .enumerate()
        .filter(|(_, part)| *part == old);
    let (at, _) = places.next().expect("it is there");
    drop(places);
    bytes[at..at + new.len()].copy_from_slice(new);
}

fn pe(bytes: &[u8]) -> usize {
    Image::parse(bytes).expect("a boot file").pe_offset as usize
}

/// Header of the section of this name.
fn section(bytes: &[u8], name: &str) -> usize {
    let image = Image::parse(bytes).expect("a boot file");
    let index = image
        .sections
        .iter()
        .position(|s| s.name() == name)
        .expect("the section");
    image.pe_offset as usize + 24 + usize::from(image.optional_size) + 40 * index
}

#[test]
fn each_change_is_found_by_its_rule() {
    let changes: [Change; 13] = [
        (SHIM, "sbat-revoked", |b| {
            swap(b, b"\nshim,4,", b"\nshim,3,");
        }),
        (SHIM, "sbat-upstream", |b| {
            swap(b, b"\nshim,4,", b"\nshin,4,");
        }),
        (SHIM, "sbat-vendor", |b| {
            swap(b, b"\nshim.debian,", b"\nshim_debian,");
        }),
        (SHIM, "sbat-malformed", |b| {
            swap(b, b"\nshim,4,", b"\nshim,x,");
        }),
        (SHIM, "shim-version", |b| {
            swap(b, b"$Version: 16.1 $", b"$Version: 15.7 $");
        }),
        (SHIM, "vendor-certificate-unreadable", |b| {
            let image = Image::parse(b).expect("a boot file");
            let vendor = image.section_by_long_name(".vendor_cert");
            let at = vendor.expect("shim has one").raw_offset as usize;
            b[at + 3] = 0x7f;
        }),
        (SHIM, "layout", |b| b.extend([1; 24])),
        (GRUB, "sbat-missing", |b| {
            let at = section(b, ".sbat");
            b[at..at + 5].copy_from_slice(b".none");
        }),
        (GRUB, "sbat-revoked", |b| {
            swap(b, b"\ngrub,5,", b"\ngrub,4,");
        }),
        (GRUB, "subsystem", |b| {
            let at = pe(b) + 24 + 68;
            b[at] = 11;
        }),
        (GRUB, "machine", |b| {
            let at = pe(b) + 4;
            b[at..at + 2].copy_from_slice(&0x14c_u16.to_le_bytes());
        }),
        (GRUB, "layout", |b| {
            let at = section(b, "mods") + 20;
            b[at] ^= 0x10;
        }),
        (GOOD[5], "writable-executable", |b| {
            // fwupd claims NX compatibility, so this matters.
            let at = section(b, ".data") + 36 + 3;
            b[at] |= 0x20;
        }),
    ];
    let folder = scratch();
    for (index, (file, rule, change)) in changes.into_iter().enumerate() {
        let before = findings(folder.path(), file);
        assert!(
            !before.iter().any(|(_, weight)| weight == "error"),
            "{file}"
        );
        let mut bytes = std::fs::read(file).expect("Debian's file");
        change(&mut bytes);
        let name = format!("changed{index}.efi");
        put(folder.path(), &name, &bytes);
        let after = findings(folder.path(), &name);
        let expected = (rule.to_owned(), "error".to_owned());
        assert!(after.contains(&expected), "{file}: {rule} not in {after:?}");
    }
}

#[test]
fn the_questionnaire_is_what_other_tools_read() {
    let folder = scratch();
    let path = folder.path();
    let text = boot(path, &format!("sbat review {SHIM} {GRUB}"));
    let sum = run(path, &format!("sha256sum {SHIM}"));
    let sum = sum.split_whitespace().next().expect("a sum");
    let pesign = run(path, &format!("pesign -h -i {SHIM}"));
    let hash = pesign.split_whitespace().nth(1).expect("a hash");
    for part in [
        sum,
        hash,
        "shim,4,UEFI shim,shim,1,https://github.com/rhboot/shim",
        "grub.debian,5,",
        "16.1",
        "Debian Secure Boot CA",
        "sbat,1,2025021800",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let lines = || {
        text.lines()
            .skip_while(|l| !l.contains("Modules built into GRUB"))
    };
    let modules: Vec<&str> = lines().nth(3).expect("the list").split(' ').collect();
    for module in ["linux", "chain", "normal", "fat", "part_gpt", "tpm"] {
        assert!(
            modules.contains(&module),
            "{module} is missing in {modules:?}"
        );
    }
    // Each module's own object names it, so the count is that of the modules which GRUB's tool packed.
    assert!(modules.len() > 50, "{modules:?}");
    let merged = boot(path, &format!("sbat show -o merged.csv {SHIM} {GRUB}"));
    assert_eq!(merged.lines().count(), 6, "{merged}");
    assert_eq!(boot(path, "sbat show merged.csv"), merged);
}
