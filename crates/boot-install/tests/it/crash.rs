//! The power fails at every sector that an upgrade writes. After each cut the machine starts an entry that is whole and
//! signed, by itself, and the next run completes.

use crate::fat::{Dice, Event, FatVolume, Fate, format, play};
use crate::workshop::{Machinery, key, loader};
use boot_esp::{
    EntryName, EspPath, Judgement, LoaderConfig, MenuEntry, Volume, bless, choose, execute, survey,
};
use boot_install::{Target, judge};
use boot_pe::Image;
use boot_pe::reference::References;
use boot_signature::{Strictness, verify_image};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Small enough to be played back thousands of times, with more room than an upgrade needs.
const SIZE: usize = 512 * 1024;
const LIMIT: Option<usize> = Some(2);

fn read(volume: &dyn Volume, path: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let path = EspPath::new(path).ok()?;
    volume
        .read(&path, &mut |piece| bytes.extend_from_slice(piece))
        .ok()?;
    Some(bytes)
}

/// Firmware with Secure Boot on and our certificate in db.
fn firmware_loads(bytes: &[u8]) -> bool {
    let anchors = [key().certificate.clone()];
    let now = "2030-01-01T00:00:00Z".parse().unwrap();
    Image::parse(bytes).is_ok_and(|image| {
        verify_image(&image, &anchors, now)
            .is_ok_and(|reports| reports.iter().any(|r| r.is_good(Strictness::Firmware)))
    })
}

/// What the machine starts by itself: the loader of the boot option, else the fallback one; the entry that this loader picks;
/// the stub, which checks what it refers to.
fn start(volume: &dyn Volume) -> Result<String, String> {
    ["EFI/systemd/systemd-bootx64.efi", "EFI/BOOT/BOOTX64.EFI"]
        .iter()
        .filter_map(|path| read(volume, path))
        .find(|bytes| firmware_loads(bytes))
        .ok_or("no boot loader")?;
    let files = volume.files(&EspPath::new("EFI/Linux").unwrap());
    let files = files.map_err(|error| error.to_string())?;
    let mut menu = Vec::new();
    for (path, _) in &files {
        let Some(name) = EntryName::parse(path.name()) else {
            continue;
        };
        let Some(bytes) = read(volume, path.as_str()) else {
            continue;
        };
        // What is no image, or has no os-release, is not shown.
        let Ok(image) = Image::parse(&bytes) else {
            continue;
        };
        let Some(section) = image.section(".osrel") else {
            continue;
        };
        let text = String::from_utf8_lossy(section.data()).into_owned();
        let field = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key))?;
            Some(line.trim_matches('"').to_owned())
        };
        menu.push(MenuEntry {
            name,
            sort_key: field("ID="),
            version: field("VERSION_ID="),
        });
    }
    let pattern =
        read(volume, "loader/loader.conf").and_then(|conf| LoaderConfig::default_of(&conf));
    let entry = choose(&menu, pattern.as_deref()).ok_or("no entry")?;
    let name = entry.name.to_string();
    let bytes = read(volume, &format!("EFI/Linux/{name}")).ok_or("the entry is gone")?;
    if !firmware_loads(&bytes) {
        return Err(format!("{name}: refused"));
    }
    let image = Image::parse(&bytes).map_err(|error| error.to_string())?;
    let section = image.section(".rsref").ok_or("no references")?;
    let references = References::parse(section.data()).map_err(|error| error.to_string())?;
    for reference in &references {
        let path = reference.path().trim_start_matches('/');
        let content = read(volume, path).ok_or(format!("{name}: {path} is gone"))?;
        if <[u8; 32]>::from(Sha256::digest(&content)) != reference.sha256 {
            return Err(format!("{name}: {path} is another"));
        }
    }
    Ok(name)
}

fn install(machine: &Machinery, volume: &FatVolume) -> Result<(), String> {
    let targets = [Target {
        esp: volume,
        xbootldr: None,
    }];
    let installation = machine
        .prepare(&targets, LIMIT)
        .map_err(|error| error.to_string())?;
    execute(volume, &installation.volumes[0].plan, &mut |_| {}).map_err(|error| error.to_string())
}

/// What must hold of a disk after a cut; answers what the next run wrote.
fn check(machine: &Machinery, image: Vec<u8>) -> Result<Vec<Event>, String> {
    let volume = FatVolume::mount(image).map_err(|error| error.to_string())?;
    let before = start(&volume)?;
    install(machine, &volume).map_err(|error| format!("next run: {error}"))?;
    let events = volume.disk.borrow().events.clone();
    let after = start(&volume).map_err(|error| format!("after the next run: {error}"))?;
    if !after.starts_with("rootstock-4-") {
        return Err(format!(
            "{before} started before, {after} after the next run"
        ));
    }
    let mut found = survey(&volume, &judge).map_err(|error| error.to_string())?;
    let wrong = found.verify(&volume);
    if !wrong.is_empty() {
        return Err(format!("after the next run: {wrong:?} differ"));
    }
    let broken = found.entries.iter().find(|entry| !found.is_intact(entry));
    match broken {
        Some(entry) => Err(format!("after the next run: {} is not whole", entry.path)),
        None => Ok(events),
    }
}

/// A machine with generations 1 to 3 and an old loader on its disk, and generation 4 with a new loader to come.
fn upgrade() -> (Machinery, Vec<u8>) {
    let mut machine = Machinery::new();
    machine.stub = crate::workshop::stub(700);
    machine.settings.tries = Some(3);
    let volume = FatVolume::mount(format(SIZE)).unwrap();
    for number in 1..=3 {
        machine.simple(number, 1500);
        machine.settings.booted = None;
        install(&machine, &volume).unwrap();
        let booted = start(&volume).unwrap();
        let stem = EntryName::parse(&booted).unwrap().stem;
        bless(&volume, &boot_esp::Stem::parse(&stem).unwrap(), &judge).unwrap();
    }
    machine.settings.booted = Some(start(&volume).unwrap());
    machine.simple(4, 1500);
    machine.loader = Some(loader("258"));
    (machine, volume.image())
}

/// Tries every cut under every fate; equal disks are tried once.
fn try_all(
    machine: &Machinery,
    start: &[u8],
    events: &[Event],
    cuts: impl Iterator<Item = usize>,
    dice: u64,
) -> usize {
    let mut seen = BTreeSet::new();
    for cut in cuts {
        let seed = dice.wrapping_mul(1_000_003).wrapping_add(cut as u64);
        let fates = [Fate::InOrder, Fate::Lost, Fate::Scattered(seed)];
        // Scattering every third cut finds what scattering all does, in less time.
        let count = if cut % 3 == 0 { 3 } else { 2 };
        for fate in fates.into_iter().take(count) {
            let image = play(start, events, cut, fate);
            if !seen.insert(<[u8; 32]>::from(Sha256::digest(&image))) {
                continue;
            }
            if let Err(why) = check(machine, image) {
                panic!(
                    "cut after {cut} of {} events, {fate:?}: {why}",
                    events.len()
                );
            }
        }
    }
    seen.len()
}

#[test]
fn a_power_cut_at_any_write_of_an_upgrade_leaves_a_machine_that_boots_and_can_go_on() {
    let (machine, before) = upgrade();
    let volume = FatVolume::mount(before.clone()).unwrap();
    install(&machine, &volume).unwrap();
    let events = volume.disk.borrow().events.clone();
    assert!(start(&volume).unwrap().starts_with("rootstock-4-"));
    let writes = events
        .iter()
        .filter(|e| matches!(e, Event::Write(..)))
        .count();
    let disks = try_all(&machine, &before, &events, 0..=events.len(), 1);
    println!("{writes} sectors written, {disks} different disks after a cut");
    assert!(writes > 500 && disks > 300, "{writes} {disks}");
}

#[test]
fn a_second_cut_while_the_first_is_repaired_does_no_harm_either() {
    let (machine, before) = upgrade();
    let volume = FatVolume::mount(before.clone()).unwrap();
    install(&machine, &volume).unwrap();
    let events = volume.disk.borrow().events.clone();
    let mut dice = Dice(7);
    for _ in 0..10 {
        let cut = dice.roll(events.len());
        let fate = Fate::Scattered(dice.roll(1 << 30) as u64);
        let image = play(&before, &events, cut, fate);
        let repair = check(&machine, image.clone()).unwrap();
        let cuts: Vec<usize> = (0..3).map(|_| dice.roll(repair.len() + 1)).collect();
        try_all(&machine, &image, &repair, cuts.into_iter(), 3);
    }
}

#[test]
fn a_power_cut_while_an_entry_is_blessed_leaves_it_bootable() {
    let (machine, before) = upgrade();
    let volume = FatVolume::mount(before).unwrap();
    install(&machine, &volume).unwrap();
    let image = volume.image();
    drop(volume);
    let volume = FatVolume::mount(image.clone()).unwrap();
    let counted = start(&volume).unwrap();
    assert!(counted.ends_with("+3.efi"));
    let stem = boot_esp::Stem::parse(&EntryName::parse(&counted).unwrap().stem).unwrap();
    assert!(bless(&volume, &stem, &judge).unwrap());
    assert!(!start(&volume).unwrap().contains('+'));
    assert!(
        !bless(&volume, &stem, &judge).unwrap(),
        "blessing twice is blessing once"
    );
    let events = volume.disk.borrow().events.clone();
    for cut in 0..=events.len() {
        for fate in [Fate::InOrder, Fate::Lost, Fate::Scattered(cut as u64)] {
            let volume = FatVolume::mount(play(&image, &events, cut, fate)).unwrap();
            let name =
                start(&volume).unwrap_or_else(|why| panic!("cut after {cut}, {fate:?}: {why}"));
            assert!(name.starts_with("rootstock-4-"), "{name}");
            bless(&volume, &stem, &judge).unwrap();
            let name = start(&volume).unwrap();
            assert!(
                name.starts_with("rootstock-4-") && !name.contains('+'),
                "{name}"
            );
        }
    }
}

/// The same writes with nothing but the order of the program to keep them apart: some cut finds a machine that does not start,
/// so the model has teeth.
#[test]
fn without_its_flushes_the_same_upgrade_does_harm() {
    let (machine, before) = upgrade();
    let volume = FatVolume::mount(before.clone()).unwrap();
    install(&machine, &volume).unwrap();
    let mut events = volume.disk.borrow().events.clone();
    events.retain(|event| matches!(event, Event::Write(..)));
    let harmed = |cut: usize| {
        let image = play(&before, &events, cut, Fate::Scattered(cut as u64));
        FatVolume::mount(image).map_or(true, |volume| start(&volume).is_err())
    };
    assert!((0..events.len()).rev().step_by(7).any(harmed));
}

#[test]
fn the_model_notices_what_it_is_there_for() {
    let (_, before) = upgrade();
    let volume = FatVolume::mount(before).unwrap();
    let name = start(&volume).unwrap();
    let path = EspPath::new(&format!("EFI/Linux/{name}")).unwrap();
    let found = survey(&volume, &judge).unwrap();
    let entry = found
        .entries
        .iter()
        .find(|entry| entry.path == path)
        .unwrap();
    let Judgement::Valid(needs) = &entry.judgement else {
        panic!("it starts");
    };
    volume.write(&needs[0].path, 100, b"flip").unwrap();
    assert!(start(&volume).unwrap_err().contains("is another"));
    volume.remove(&needs[0].path).unwrap();
    assert!(start(&volume).unwrap_err().contains("is gone"));
    volume.write(&path, 0x300, b"flip").unwrap();
    assert!(start(&volume).unwrap_err().contains("refused"));
}
