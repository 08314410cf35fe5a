//! Registers of a TPM after a real boot of a unified kernel image, beside those foreseen from the file alone.

use crate::bench::{Boot, list, rootstock, store};
use crate::workshop::{Identity, OWNER, probe};
use boot_variables::Entry;
use boot_vm::Tpm;

const PLACE: &str = "EFI/BOOT/BOOTX64.EFI";
const STUB: &str = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";

#[test]
fn register_11_is_the_foretold_one_after_a_boot_of_systemds_stub() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("probe.efi"), probe()).unwrap();
    std::fs::write(path.join("initrd"), b"no archive, but measured as one").unwrap();
    rootstock(path, "keys create --name Test --role pcr .");
    rootstock(
        path,
        &format!(
            "uki build --stub {STUB} --linux probe.efi --osrel ID=probe --cmdline quiet --initrd initrd \
             --pcrpkey pcr.pub -o uki.efi"
        ),
    );
    let owner = Identity::plain("owner");
    let image = owner.sign(std::fs::read(path.join("uki.efi")).unwrap());
    std::fs::write(path.join("signed.efi"), &image).unwrap();
    let own = [Entry::certificate(OWNER, &owner.certificate)];
    let variables = store(
        path,
        &[list("PK", &own), list("KEK", &own), list("db", &own)],
    );
    let (state, images) = (path.join("tpm"), path.join("images"));
    std::fs::create_dir(&state).unwrap();
    std::fs::create_dir(&images).unwrap();
    let tpm = Tpm::start(&state).unwrap();
    let boot = Boot {
        folder: path,
        name: "measured",
        variables: &variables,
        start: &[(PLACE, &image)],
        images: &images,
        tpm: Some(&tpm),
    };
    let real = boot.answers().registers;
    let foretold = rootstock(path, "--json pcr predict --bank sha256 signed.efi");
    let foretold: serde_json::Value = serde_json::from_str(&foretold).unwrap();
    assert_eq!(real[&11], foretold[0]["value"].as_str().unwrap());
}
