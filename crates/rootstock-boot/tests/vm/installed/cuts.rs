//! The power fails while the second generation is installed. Whatever is on the disk then, the machine boots; the next
//! installation completes, and the machine boots what it installed.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use super::computer::{Computer, LOADER};
use crate::workshop::Identity;
use boot_esp::{EspPath, Fat, Progress, execute};
use boot_install::{Request, Settings, Signing, Sources, Target, prepare, profiles};
use boot_vm::{Event, Fate, Recorder};
use std::path::Path;

/// Where firmware finds the loader by a boot option.
const OWN: &str = "EFI/systemd/systemd-bootx64.efi";

/// An installation, sector by sector, and when what was reported.
struct Recorded {
    recorder: Recorder,
    /// After how many events so much of this file was written.
    written: Vec<(String, usize)>,
    /// After how many events this file was read back.
    proven: Vec<(String, usize)>,
}

impl Recorded {
    /// The moment in the middle of what was written of the file whose path begins so: between the two middle pieces.
    fn middle_of(&self, start: &str) -> usize {
        let written = self.written.iter();
        let moments: Vec<usize> = written
            .filter(|(path, _)| path.starts_with(start))
            .map(|(_, moment)| *moment)
            .collect();
        let pair = &moments[moments.len() / 2 - 1..=moments.len() / 2];
        usize::midpoint(pair[0], pair[1])
    }

    /// The path of the second generation's entry.
    fn entry(&self) -> String {
        let mut paths = self.written.iter().map(|(path, _)| path);
        let found = paths.find(|path| path.starts_with("EFI/Linux/rootstock-2-"));
        found.unwrap().clone()
    }

    /// The moment before the sector that makes an entry visible, the first of the file, is written.
    fn before_header(&self, entry: &str) -> usize {
        let mut proven = self.proven.iter();
        let (_, proven) = proven.rfind(|(path, _)| path == entry).unwrap();
        let events = self.recorder.events();
        let header =
            |event: &Event| matches!(event, Event::Write(_, content) if content.starts_with(b"MZ"));
        events[..*proven].iter().rposition(header).unwrap()
    }
}

/// A machine whose first generation has started well, and the installation of a second one with a kernel of its own and a
/// newer loader.
fn upgrade(name: &'static str) -> (Computer, Recorded) {
    let computer = Computer::new(name);
    computer.scene.boot_from(OWN, "");
    // A loader that calls itself one version older is replaced.
    let loader = std::fs::read(LOADER).unwrap();
    computer.scene.put("old.efi", &older(&loader));
    computer.generation(1, &[], false);
    computer.install_with("old.efi", "");
    computer.command(&format!("bless {}", computer.entry(1)));
    computer.generation(2, &[], true);
    let recorded = record(&computer, &loader);
    (computer, recorded)
}

/// The loader with `251` in place of `252`, wherever its version stands.
fn older(loader: &[u8]) -> Vec<u8> {
    let mut loader = loader.to_vec();
    let (new, old) = (b"systemd-boot 252", b"systemd-boot 251");
    let mut found = 0;
    for at in 0..loader.len() - new.len() {
        if loader[at..].starts_with(new) {
            loader[at..at + old.len()].copy_from_slice(old);
            found += 1;
        }
    }
    assert!(found > 0, "Debian's loader is of version 252");
    loader
}

/// What `rootstock-boot install` does, on a copy of the disk that writes down every sector.
fn record(computer: &Computer, loader: &[u8]) -> Recorded {
    let recorder = Recorder::new(computer.disk.partition().unwrap());
    let volume = Fat::open(recorder.disk()).unwrap();
    let owner = Identity::read(computer.scene.path(), "db");
    let sources = Sources::new(&computer.scene.path().join("root"));
    let profile = Path::new("/nix/var/nix/profiles/system").to_owned();
    let installation = prepare(&Request {
        sources: &sources,
        profiles: &profiles(&sources, &[profile], None, None).unwrap(),
        default: None,
        stub: &computer.scene.read("stub.efi"),
        loader: Some(loader),
        signing: Some(Signing {
            signer: owner.signer(),
            certificates: &[&owner.certificate],
        }),
        policy: None,
        targets: &[Target {
            esp: &volume,
            xbootldr: None,
        }],
        settings: &Settings {
            tries: Some(3),
            ..Settings::default()
        },
    })
    .unwrap();
    let (mut written, mut proven) = (Vec::new(), Vec::new());
    let mut progress = |progress: Progress<'_>| {
        let at = |path: &EspPath| (path.to_string(), recorder.moment());
        match progress {
            Progress::Written(path, _) => written.push(at(path)),
            Progress::Proven(path) => proven.push(at(path)),
            Progress::Removed(_) => {}
        }
    };
    execute(&volume, &installation.volumes[0].plan, &mut progress).unwrap();
    drop(volume);
    Recorded {
        recorder,
        written,
        proven,
    }
}

/// The machine boots this generation from a disk whose power failed so, and the second one after the next installation.
fn survives(computer: &Computer, image: &[u8], generation: &str) {
    computer.disk.set_partition(image).unwrap();
    let report = computer.boot("cut", None);
    assert_eq!(report.line("generation"), generation);
    assert_eq!(report.line("secure-boot"), "on");
    computer.install();
    for number in 1..=2 {
        let status = computer.status(number);
        assert_eq!(status["intact"], true, "{status}");
    }
    let report = computer.boot("next", None);
    assert_eq!(report.line("generation"), "2");
}

#[test]
fn the_power_fails_while_a_kernel_is_copied() {
    let (computer, recorded) = upgrade("cut-kernel");
    let cut = recorded.middle_of("EFI/rootstock/");
    survives(
        &computer,
        &recorded.recorder.cut(cut, Fate::Scattered(9)),
        "1",
    );
}

#[test]
fn the_power_fails_just_before_the_entry_is_visible() {
    let (computer, recorded) = upgrade("cut-before");
    let cut = recorded.before_header(&recorded.entry());
    survives(&computer, &recorded.recorder.cut(cut, Fate::InOrder), "1");
}

#[test]
fn the_power_fails_just_after_the_entry_is_visible() {
    let (computer, recorded) = upgrade("cut-after");
    let cut = recorded.before_header(&recorded.entry()) + 1;
    survives(&computer, &recorded.recorder.cut(cut, Fate::InOrder), "2");
}

/// Firmware refuses the loader of its boot option, which lacks its first sector, and takes the other copy.
#[test]
fn the_power_fails_while_the_boot_loader_is_replaced() {
    let (computer, recorded) = upgrade("cut-loader");
    let cut = recorded.before_header(OWN);
    survives(&computer, &recorded.recorder.cut(cut, Fate::InOrder), "2");
}
