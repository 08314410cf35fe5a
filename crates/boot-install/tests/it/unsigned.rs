//! Machines without Secure Boot: nothing is signed, and whether an entry is whole is known by the checksum in its header.

use crate::workshop::{Machinery, alone, entries, install, loader, partition, tree};
use boot_pe::Image;
use std::fs;

#[test]
fn entries_and_loader_have_no_signature_and_what_is_damaged_is_written_again() {
    let mut machine = Machinery::new();
    machine.signed = false;
    machine.simple(1, 9000);
    machine.simple(2, 9000);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    install(&machine, &targets, None);
    let good = tree(folder.path());
    let programs = good
        .iter()
        .filter(|(name, _)| name.to_lowercase().ends_with(".efi"));
    let mut count = 0;
    for (name, bytes) in programs {
        assert!(
            Image::parse(bytes).unwrap().certificate_table().is_none(),
            "{name}"
        );
        count += 1;
    }
    assert_eq!(count, 4);
    assert!(install(&machine, &targets, None).volumes[0].plan.is_empty());
    let name = format!("EFI/Linux/{}", entries(folder.path())[1]);
    let mut bad = good[&name].clone();
    bad[0x500] ^= 1;
    fs::write(folder.path().join(&name), bad).unwrap();
    assert_eq!(install(&machine, &targets, None).made, 1);
    assert!(tree(folder.path()) == good);
}

#[test]
fn turning_signing_on_makes_every_entry_anew_and_signs_the_loader() {
    let mut machine = Machinery::new();
    machine.signed = false;
    machine.simple(1, 9000);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    let unsigned = install(&machine, &targets, None).default;
    machine.signed = true;
    // The same version: what is missing is the signature.
    machine.loader = Some(loader("257.9"));
    let signed = install(&machine, &targets, None).default;
    assert_ne!(unsigned, signed);
    let files = tree(folder.path());
    for name in [
        format!("EFI/Linux/{signed}.efi"),
        "EFI/systemd/systemd-bootx64.efi".to_owned(),
        "EFI/BOOT/BOOTX64.EFI".to_owned(),
    ] {
        let image = Image::parse(&files[&name]).unwrap();
        assert!(image.certificate_table().is_some(), "{name}");
    }
}
