//! One flipped byte in any part keeps an image from starting, says so on the screen, and leaves the next entry to boot.

use super::scene::{LINE, PLACE, Report, Scene};
use crate::bench::{Boot, oracle, store};
use crate::workshop::probe;
use boot_pe::Image;

/// The bytes with one changed in the middle.
fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    flipped[bytes.len() / 2] ^= 1;
    flipped
}

/// The image with a byte changed in the middle of a section.
fn flipped_in(image: &[u8], section: &str) -> Vec<u8> {
    let parsed = Image::parse(image).expect("an image of ours");
    let section = parsed.section(section).expect("it has the section");
    let at = section.raw_offset as usize + section.data().len() / 2;
    let mut flipped = image.to_vec();
    flipped[at] ^= 1;
    flipped
}

#[test]
fn firmware_refuses_an_image_with_a_flipped_byte() {
    let scene = Scene::new();
    let options = "--linux kernel --initrd initrd";
    let image = scene.image("whole", LINE, options);
    let images = scene.path().join("images");
    std::fs::create_dir(&images).expect("a new folder");
    std::fs::write(images.join("whole.efi"), &image).expect("written");
    for section in [".text", ".cmdline", ".linux", ".initrd"] {
        let name = format!("{}.efi", &section[1..]);
        std::fs::write(images.join(name), flipped_in(&image, section)).expect("written");
    }
    let variables = scene.path().join("variables.fd");
    let boot = Boot {
        folder: scene.path(),
        name: "stub-flipped",
        variables: &variables,
        start: &[(PLACE, &scene.owner.sign(probe()))],
        images: &images,
        tpm: None,
    };
    let answers = boot.answers().load;
    let foretold = oracle(&variables, None, false, &images);
    assert_eq!(answers.len(), 5);
    for (name, answer) in answers {
        let good = name == "whole.efi";
        assert_eq!(answer == "SUCCESS", good, "{name}: {answer}");
        assert_eq!(answer, foretold[&name].status, "{name}");
    }
}

/// Three disks: an altered kernel, an altered initrd, then one that is whole.
fn three_disks(scene: &Scene, name: &str) -> Report {
    let options = "--linux-reference /EFI/rootstock/kernel=kernel --initrd-reference /EFI/rootstock/initrd=initrd";
    let image = scene.image("shared", LINE, options);
    let (kernel, initrd) = (scene.read("kernel"), scene.read("initrd"));
    let disk = |which: &str, kernel: &[u8], initrd: &[u8]| {
        scene.disk(
            &format!("{name}-{which}"),
            &[
                (PLACE, &image),
                ("EFI/rootstock/kernel", kernel),
                ("EFI/rootstock/initrd", initrd),
            ],
        )
    };
    let first = disk("kernel", &flipped(&kernel), &initrd);
    let second = disk("initrd", &kernel, &flipped(&initrd));
    let third = disk("whole", &kernel, &initrd);
    let report = scene.report(name, &[&first, &second, &third]);
    for part in ["kernel", "initrd"] {
        let told = format!(
            "rootstock-stub: not started: /EFI/rootstock/{part} is not the file that the image refers to"
        );
        assert_eq!(
            report.screen.matches(&told).count(),
            1,
            "{part}:\n{}",
            report.screen
        );
    }
    // What was refused was not measured either.
    assert_eq!(report.register(11), scene.foretold_sections("shared.efi"));
    report
}

#[test]
fn an_altered_kernel_or_initrd_beside_the_image_is_refused_and_the_next_disk_boots() {
    let report = three_disks(&Scene::new(), "stub-altered");
    assert_eq!(report.line("secure-boot"), "on");
}

#[test]
fn it_is_refused_without_secure_boot_too() {
    let scene = Scene::new();
    // A machine without keys is in setup mode.
    store(scene.path(), &[]);
    let report = three_disks(&scene, "stub-altered-insecure");
    assert_eq!(report.line("secure-boot"), "off");
}
