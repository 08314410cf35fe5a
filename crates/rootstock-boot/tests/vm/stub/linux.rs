//! Debian's kernel boots from our stub with Secure Boot and own keys, and its registers are those foretold.

use super::scene::{LINE, OWN, PLACE, Scene};
use crate::bench::store;
use crate::shim_images::{self, SHIM};
use crate::workshop::Identity;
use boot_vm::file_of;

const REFERENCES: &str = "--linux-reference /EFI/rootstock/kernel=kernel --initrd-reference /EFI/rootstock/initrd=initrd";
/// A register that nothing was measured into.
const UNTOUCHED: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[test]
fn a_kernel_beside_the_image_boots_with_companions() {
    let scene = Scene::new();
    scene.run("uki addon --cmdline added=1 -o addon.efi");
    let addon = scene.owner.sign(scene.read("addon.efi"));
    let stranger = Identity::plain("stranger").sign(scene.read("addon.efi"));
    scene.put("pcrsig", b"{}");
    let options = format!("{REFERENCES} --uname auto --pcrpkey pcr.pub --pcrsig pcrsig");
    // The kernel tells of the seed's table at this level.
    let line = format!("{LINE} loglevel=7");
    let image = scene.image("referenced", &line, &options);
    assert!(
        image.len() < 200 * 1024,
        "an entry with shared parts has {} bytes",
        image.len()
    );
    let (kernel, initrd) = (scene.read("kernel"), scene.read("initrd"));
    let own = |name: &str| format!("{OWN}/{name}");
    let disk = scene.disk(
        "referenced",
        &[
            (PLACE, &image),
            ("EFI/rootstock/kernel", &kernel),
            ("EFI/rootstock/initrd", &initrd),
            (&own("a.addon.efi"), &addon),
            (&own("b.addon.efi"), &stranger),
            (&own("secret.cred"), b"a credential"),
            (&own("more.sysext.raw"), b"an extension"),
            (&own("etc.confext.raw"), b"a configuration"),
            ("loader/credentials/all.cred", b"for all"),
            ("loader/random-seed", &[7; 32]),
        ],
    );
    let report = scene.report("stub-referenced", &[&disk]);
    assert_eq!(report.line("secure-boot"), "on");
    assert!(report.line("lockdown").contains("[integrity]"));
    assert_eq!(report.line("cmdline"), format!("{line} added=1"));
    assert!(
        report
            .screen
            .contains("left out \\EFI\\BOOT\\BOOTX64.EFI.extra.d\\b.addon.efi")
    );
    assert_eq!(
        report.register(11),
        scene.foretold_sections("referenced.efi")
    );
    let foretold = scene.foretold_companions("referenced", "--without b.addon.efi");
    assert_eq!([report.register(12), report.register(13)], foretold);
    assert_ne!(foretold[1], UNTOUCHED);
    let files = report.files();
    for (path, mode, content) in [
        ("credentials/secret.cred", "400", &b"a credential"[..]),
        ("global_credentials/all.cred", "400", b"for all"),
        ("sysext/more.sysext.raw", "444", b"an extension"),
        ("confext/etc.confext.raw", "444", b"a configuration"),
        ("tpm2-pcr-signature.json", "444", b"{}"),
        ("tpm2-pcr-public-key.pem", "444", &scene.read("pcr.pub")),
        ("os-release", "444", &scene.read("osrel")),
    ] {
        assert_eq!(files.get(path), Some(&(mode, content.to_vec())), "{path}");
    }
    assert_eq!(files.len(), 7);
    for (name, value) in [
        ("StubPcrKernelImage", "11"),
        ("StubPcrKernelParameters", "12"),
        ("StubPcrInitRDSysExts", "13"),
        ("StubImageIdentifier", "\\EFI\\BOOT\\BOOTX64.EFI"),
        ("LoaderImageIdentifier", "\\EFI\\BOOT\\BOOTX64.EFI"),
        ("LoaderFirmwareType", "UEFI 2.70"),
        ("StubProfile", "0"),
    ] {
        assert_eq!(report.text(name), value, "{name}");
    }
    assert!(report.text("StubInfo").starts_with("rootstock-stub "));
    assert!(report.text("LoaderFirmwareInfo").starts_with("EDK II 1.00"));
    assert_eq!(report.variable("StubFeatures").len(), 8);
    // The kernel found a seed, and the file can't give it again.
    assert!(report.screen.contains(" RNG=0x"), "{}", report.screen);
    let seed = file_of(&disk, "loader/random-seed").expect("the file is there");
    assert_eq!(seed.len(), 32);
    assert_ne!(seed, [7; 32]);
}

#[test]
fn a_kernel_in_the_image_boots_with_the_chosen_profile() {
    let scene = Scene::new();
    scene.put("profile.line", format!("{LINE} profile=first").as_bytes());
    let options = "--linux kernel --initrd initrd --uname auto --profile ID=first --profile-section 0:.cmdline=@profile.line";
    let image = scene.image("contained", LINE, options);
    let disk = scene.disk("contained", &[(PLACE, &image)]);
    let report = scene.report("stub-contained", &[&disk]);
    assert_eq!(report.line("secure-boot"), "on");
    assert_eq!(report.line("cmdline"), format!("{LINE} profile=first"));
    assert_eq!(
        report.register(11),
        scene.foretold_sections("contained.efi")
    );
    assert_eq!(report.register(12), UNTOUCHED);
    assert_eq!(report.files()["profile"].1, b"ID=first");
}

#[test]
fn shim_starts_the_image_by_a_key_of_the_machines_owner() {
    let scene = Scene::new();
    let made = shim_images::make(scene.path());
    store(scene.path(), &made.variables());
    scene.run("uki addon --cmdline added=1 -o addon.efi");
    let addon = made.mok.sign(scene.read("addon.efi"));
    scene.image("owned", LINE, REFERENCES);
    scene.run("pe strip -o bare.efi owned.efi");
    let image = made.mok.sign(scene.read("bare.efi"));
    scene.put("owned.efi", &image);
    let shim = std::fs::read(SHIM).expect("Debian's shim is installed");
    let disk = scene.disk(
        "owned",
        &[
            (PLACE, &shim),
            ("EFI/BOOT/grubx64.efi", &image),
            ("EFI/rootstock/kernel", &scene.read("kernel")),
            ("EFI/rootstock/initrd", &scene.read("initrd")),
            ("loader/addons/a.addon.efi", &addon),
        ],
    );
    let report = scene.report("stub-shim", &[&disk]);
    assert_eq!(report.line("secure-boot"), "on");
    assert_eq!(report.line("cmdline"), format!("{LINE} added=1"));
    assert_eq!(report.register(11), scene.foretold_sections("owned.efi"));
}
