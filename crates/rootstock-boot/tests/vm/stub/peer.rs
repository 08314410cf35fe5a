//! systemd's stub 252 and ours measure the same companions into the same registers, as foretold.

use super::scene::{OWN, PLACE, Scene};
use crate::bench::Boot;
use crate::workshop::probe;
use boot_vm::Tpm;

const SYSTEMD: &str = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";

#[test]
fn credentials_and_extensions_are_measured_as_systemd_does() {
    let scene = Scene::new();
    scene.put("probe.efi", &probe());
    let theirs = std::fs::read(SYSTEMD).expect("systemd's stub is installed");
    let ours = scene.read("stub.efi");
    let none = scene.path().join("none");
    std::fs::create_dir(&none).expect("a new folder");
    let mut seen = Vec::new();
    for (name, stub) in [("ours", ours), ("theirs", theirs)] {
        scene.put("stub.efi", &stub);
        let image = scene.image(name, "quiet", "--linux probe.efi --initrd osrel");
        let credential = format!("{OWN}/b.cred");
        let other = format!("{OWN}/a.CRED");
        let extension = format!("{OWN}/x.raw");
        let start: [(&str, &[u8]); 4] = [
            (PLACE, &image),
            (&credential, b"second"),
            (&other, b"first"),
            (&extension, b"an extension"),
        ];
        scene.disk(name, &start);
        let state = scene.path().join(format!("{name}.tpm"));
        std::fs::create_dir(&state).expect("a new folder");
        let tpm = Tpm::start(&state).expect("swtpm starts");
        let boot = Boot {
            folder: scene.path(),
            name: &format!("stub-peer-{name}"),
            variables: &scene.path().join("variables.fd"),
            start: &start,
            images: &none,
            tpm: Some(&tpm),
        };
        let registers = boot.answers().registers;
        assert_eq!(
            registers[&11],
            scene.foretold_sections(&format!("{name}.efi"))
        );
        let companions = [registers[&12].clone(), registers[&13].clone()];
        assert_eq!(companions, scene.foretold_companions(name, ""), "{name}");
        seen.push(companions);
    }
    assert_eq!(seen[0], seen[1]);
}
