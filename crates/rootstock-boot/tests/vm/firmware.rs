//! The firmware itself: LoadImage's answer for every class of verdict, with Secure Boot on and off.

use crate::bench::{Boot, compare, list, oracle, store};
use crate::images::{self, Images};
use crate::workshop::{Identity, OWNER, probe};
use boot_variables::Entry;

const PLACE: &str = "EFI/BOOT/BOOTX64.EFI";

/// Debian's own boot files, whose signers this machine does not know.
const DEBIAN: [(&str, &str, &str); 5] = [
    (
        "debian-shim",
        "/usr/lib/shim/shimx64.efi.signed",
        "not-allowed",
    ),
    (
        "debian-shim-unsigned",
        "/usr/lib/shim/shimx64.efi",
        "unsigned",
    ),
    (
        "debian-grub",
        "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
        "not-allowed",
    ),
    (
        "debian-fwupd",
        "/usr/libexec/fwupd/efi/fwupdx64.efi.signed",
        "not-allowed",
    ),
    (
        "debian-systemd-boot",
        "/usr/lib/systemd/boot/efi/systemd-bootx64.efi",
        "unsigned",
    ),
];

fn debian(images: &mut Images) {
    for (name, path, reason) in DEBIAN {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        images.add(name, reason, bytes);
    }
}

#[test]
fn each_file_gets_the_foretold_answer_with_secure_boot_and_without() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path();
    let files = path.join("images");
    std::fs::create_dir(&files).expect("a folder for images");
    let mut images = Images::default();
    let lists = images::firmware(&mut images);
    debian(&mut images);
    let reasons = images.write(&files);
    let platform = Identity::plain("platform");
    let own = [Entry::certificate(OWNER, &platform.certificate)];
    let variables = store(
        path,
        &[
            list("PK", &own),
            list("KEK", &own),
            list("db", &lists.db),
            list("dbx", &lists.dbx),
        ],
    );
    let start = lists.owner.sign(probe());
    let mut boot = Boot {
        folder: path,
        name: "firmware",
        variables: &variables,
        start: &[(PLACE, &start)],
        images: &files,
        tpm: None,
    };
    let foretold = oracle(&variables, None, false, &files);
    compare(&boot.answers().load, &foretold, &reasons);

    // The same files on a machine without keys of its owner: nothing is checked but that they load.
    std::fs::create_dir(path.join("open")).expect("a folder for the other store");
    let open = store(&path.join("open"), &[]);
    boot.variables = &open;
    boot.name = "firmware-open";
    let foretold = oracle(&open, None, false, &files);
    let mut open_reasons = reasons;
    open_reasons.insert("table-cut-off.efi".to_owned(), "not-loadable");
    for reason in open_reasons
        .values_mut()
        .filter(|reason| **reason != "not-loadable")
    {
        *reason = "secure-boot-off";
    }
    compare(&boot.answers().load, &foretold, &open_reasons);
}
