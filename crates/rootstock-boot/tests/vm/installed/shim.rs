//! The same entries through Debian's shim 16.1: firmware knows shim alone, and the key is enrolled with shim as that of the
//! machine's owner.

use super::computer::{Computer, LOADER};
use crate::bench::{list, store};
use crate::shim_images::SHIM;
use crate::workshop::{Identity, OWNER, image_hash};
use boot_variables::Entry;
use std::path::Path;

#[test]
fn installed_entries_boot_through_shim() {
    let computer = Computer::new("shim");
    let scene = &computer.scene;
    let shim = std::fs::read(SHIM).expect("Debian's shim is installed");
    let platform = [Entry::certificate(
        OWNER,
        &Identity::plain("platform").certificate,
    )];
    let own = [Entry::certificate(OWNER, &scene.owner.certificate)];
    let db = [Entry::image_sha256(OWNER, &image_hash(&shim))];
    store(
        scene.path(),
        &[
            list("PK", &platform),
            list("KEK", &platform),
            list("db", &db),
            list("MokList", &own),
        ],
    );
    for folder in ["EFI", "EFI/BOOT"] {
        computer.disk.make_folder(folder).expect("mtools make it");
    }
    let place = "EFI/BOOT/BOOTX64.EFI";
    computer.disk.put(place, Path::new(SHIM)).expect("copied");
    // shim starts what its boot option names.
    scene.boot_from(place, "\\EFI\\systemd\\systemd-bootx64.efi");
    computer.generation(1, &[], false);
    let said = computer.install_with(LOADER, "");
    let notes = said["notes"].to_string();
    assert!(
        notes.contains("another program is there and stays"),
        "{notes}"
    );
    let still = computer.disk.file(place).expect("it is there");
    assert!(still == shim, "shim was touched");
    let report = computer.boot("first", None);
    assert_eq!(report.line("secure-boot"), "on");
    assert_eq!(report.line("generation"), "1");
    let names = computer.names();
    assert!(names[0].ends_with("+2-1.efi"), "{names:?}");
}
