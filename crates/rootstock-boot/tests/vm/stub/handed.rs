//! What the boot loader hands to an image: a profile, which counts, and a command line, which counts without Secure Boot
//! alone.

use super::scene::{LINE, PLACE, Report, Scene};
use crate::bench::store;

/// An image with two profiles, started by a boot option that asks for the second one and hands over a line. Its report, the
/// scene, and the line.
fn second_profile(name: &str, secure: bool) -> (Report, Scene, String) {
    let scene = Scene::new();
    if !secure {
        // A machine without keys is in setup mode.
        store(scene.path(), &[]);
    }
    scene.put("second.line", format!("{LINE} profile=second").as_bytes());
    let options = "--linux kernel --initrd initrd --uname auto --profile ID=first --profile ID=second \
                   --profile-section 1:.cmdline=@second.line";
    let image = scene.image("profiles", &format!("{LINE} profile=first"), options);
    let disk = scene.disk("profiles", &[(PLACE, &image)]);
    let line = format!("{LINE} handed=over");
    scene.boot_from(PLACE, &format!("@1 {line}"));
    let report = scene.report(name, &[&disk]);
    assert_eq!(report.text("StubProfile"), "1");
    assert_eq!(report.files()["profile"].1, b"ID=second");
    assert_eq!(
        report.register(11),
        scene.foretold_profile("profiles.efi", 1)
    );
    assert_ne!(report.register(11), scene.foretold_sections("profiles.efi"));
    (report, scene, line)
}

#[test]
fn a_profile_is_chosen_and_a_command_line_refused_with_secure_boot() {
    let (report, scene, line) = second_profile("stub-handed", true);
    assert_eq!(report.line("secure-boot"), "on");
    assert_eq!(report.line("cmdline"), format!("{LINE} profile=second"));
    assert!(
        report
            .screen
            .contains("rootstock-stub: refused the boot loader's command line"),
        "{}",
        report.screen
    );
    let options = format!("@1 {line}");
    let foretold = scene.foretold_parameters("profiles", &["--options", &options]);
    assert_eq!([report.register(12), report.register(13)], foretold);
    // The profile is measured, the line is not.
    let alone = scene.foretold_parameters("profiles", &["--options", "@1"]);
    assert_eq!(foretold, alone);
    assert_ne!(foretold, scene.foretold_parameters("profiles", &[]));
}

#[test]
fn without_secure_boot_the_command_line_counts_and_is_measured() {
    let (report, scene, line) = second_profile("stub-handed-insecure", false);
    assert_eq!(report.line("secure-boot"), "off");
    assert_eq!(report.line("cmdline"), line);
    assert!(!report.screen.contains("refused"), "{}", report.screen);
    let options = format!("@1 {line}");
    let options = ["--insecure", "--options", &options];
    let foretold = scene.foretold_parameters("profiles", &options);
    assert_eq!([report.register(12), report.register(13)], foretold);
}
