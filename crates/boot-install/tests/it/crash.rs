//! The power fails at every sector that an upgrade writes, on one partition, on an extended boot partition beside it, and on
//! two disks that are kept alike. After each cut the machine starts an entry that is whole and signed, by itself, and the next
//! run completes.

use crate::fat::{Dice, Event, FatVolume, Fate, Log, SECTOR, format, play};
use crate::workshop::{Machinery, key, loader};
use boot_esp::{
    EntryName, EspPath, Judgement, LoaderConfig, MenuEntry, Stem, Volume, bless, choose, execute,
    survey,
};
use boot_install::{Target, judge};
use boot_pe::Image;
use boot_pe::reference::References;
use boot_signature::{Strictness, verify_image};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io;

/// Small enough to be played back thousands of times, with more room than an upgrade needs.
const SIZE: usize = 512 * 1024;
const LIMIT: Option<usize> = Some(2);

/// Where loader and entries are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layout {
    /// On one partition.
    One,
    /// The loader on the EFI system partition, entries on the extended boot partition.
    Split,
    /// All on both of two disks.
    Two,
}

/// The partitions of a machine.
struct Disks {
    layout: Layout,
    volumes: Vec<FatVolume>,
    log: Log,
}

impl Disks {
    fn mount(layout: Layout, images: Vec<Vec<u8>>) -> io::Result<Disks> {
        let log = Log::default();
        let volumes = images
            .into_iter()
            .enumerate()
            .map(|(number, image)| FatVolume::mount(image, number, &log));
        Ok(Disks {
            layout,
            volumes: volumes.collect::<io::Result<_>>()?,
            log,
        })
    }

    fn empty(layout: Layout) -> Disks {
        let count = if layout == Layout::One { 1 } else { 2 };
        Disks::mount(layout, vec![format(SIZE); count]).unwrap()
    }

    fn images(&self) -> Vec<Vec<u8>> {
        self.volumes.iter().map(FatVolume::image).collect()
    }

    fn events(&self) -> Vec<(usize, Event)> {
        self.log.borrow().clone()
    }

    /// The partition that holds the entries.
    fn entries(&self) -> &FatVolume {
        &self.volumes[usize::from(self.layout == Layout::Split)]
    }

    fn targets(&self) -> Vec<Target<'_>> {
        let target = |esp: usize, xbootldr: Option<usize>| Target {
            esp: &self.volumes[esp],
            xbootldr: xbootldr.map(|number| &self.volumes[number] as &dyn Volume),
        };
        match self.layout {
            Layout::One => vec![target(0, None)],
            Layout::Split => vec![target(0, Some(1))],
            Layout::Two => vec![target(0, None), target(1, None)],
        }
    }

    /// What the machine starts by itself. Of two disks each must start: the other may be the one that breaks.
    fn start(&self) -> Result<String, String> {
        let volume = |number: usize| &self.volumes[number] as &dyn Volume;
        match self.layout {
            Layout::One => start(volume(0), &[volume(0)]),
            Layout::Split => start(volume(0), &[volume(0), volume(1)]),
            Layout::Two => {
                start(volume(1), &[volume(1)]).map_err(|why| format!("second disk: {why}"))?;
                start(volume(0), &[volume(0)])
            }
        }
    }

    fn install(&self, machine: &Machinery) -> Result<(), String> {
        let targets = self.targets();
        let installation = machine
            .prepare(&targets, LIMIT)
            .map_err(|error| error.to_string())?;
        for prepared in &installation.volumes {
            let target = &targets[prepared.target];
            let volume = match target.xbootldr {
                Some(volume) if prepared.xbootldr => volume,
                _ => target.esp,
            };
            execute(volume, &prepared.plan, &mut |_| {}).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

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

/// What firmware starts from a partition: the loader of the boot option, else the fallback one; the entry that this loader
/// picks among those of all its partitions; the stub, which checks what it refers to.
fn start(esp: &dyn Volume, partitions: &[&dyn Volume]) -> Result<String, String> {
    ["EFI/systemd/systemd-bootx64.efi", "EFI/BOOT/BOOTX64.EFI"]
        .iter()
        .filter_map(|path| read(esp, path))
        .find(|bytes| firmware_loads(bytes))
        .ok_or("no boot loader")?;
    let mut menu = Vec::new();
    for partition in partitions {
        let files = partition.files(&EspPath::new("EFI/Linux").unwrap());
        for (path, _) in files.map_err(|error| error.to_string())? {
            let shown = EntryName::parse(path.name())
                .and_then(|name| shown(name, &read(*partition, path.as_str())?));
            // Whatever a removal left under another name must not be in the menu.
            if let Some(entry) = shown
                .as_ref()
                .filter(|entry| !entry.name.stem.starts_with("rootstock-"))
            {
                return Err(format!("{} is shown", entry.name));
            }
            menu.extend(shown.map(|entry| (entry, *partition)));
        }
    }
    let pattern = read(esp, "loader/loader.conf").and_then(|conf| LoaderConfig::default_of(&conf));
    let entries: Vec<MenuEntry> = menu.iter().map(|(entry, _)| entry.clone()).collect();
    let chosen = choose(&entries, pattern.as_deref()).ok_or("no entry")?;
    let own = menu.iter().find(|(entry, _)| entry == chosen);
    let partition = own.ok_or("the entry is gone")?.1;
    let name = chosen.name.to_string();
    let bytes = read(partition, &format!("EFI/Linux/{name}")).ok_or("the entry is gone")?;
    if !firmware_loads(&bytes) {
        return Err(format!("{name}: refused"));
    }
    let image = Image::parse(&bytes).map_err(|error| error.to_string())?;
    let section = image.section(".rsref").ok_or("no references")?;
    let references = References::parse(section.data()).map_err(|error| error.to_string())?;
    for reference in &references {
        let path = reference.path().trim_start_matches('/');
        let content = read(partition, path).ok_or(format!("{name}: {path} is gone"))?;
        if <[u8; 32]>::from(Sha256::digest(&content)) != reference.sha256 {
            return Err(format!("{name}: {path} is another"));
        }
    }
    Ok(name)
}

/// A file as the loader shows it; what is no image, or has no os-release, is not shown.
fn shown(name: EntryName, bytes: &[u8]) -> Option<MenuEntry> {
    let image = Image::parse(bytes).ok()?;
    let section = image.section(".osrel")?;
    let text = String::from_utf8_lossy(section.data()).into_owned();
    let field = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        Some(line.trim_matches('"').to_owned())
    };
    Some(MenuEntry {
        name,
        sort_key: field("ID="),
        version: field("VERSION_ID="),
    })
}

/// Every file, in the order of paths.
fn tree(volume: &FatVolume) -> Result<Vec<(EspPath, Vec<u8>)>, String> {
    let mut files = Vec::new();
    for folder in ["EFI", "loader"] {
        let found = volume.files(&EspPath::new(folder).unwrap());
        files.extend(found.map_err(|error| error.to_string())?);
    }
    files.sort();
    let content = |(path, _): (EspPath, u64)| {
        let bytes = read(volume, path.as_str()).ok_or_else(|| format!("{path} can't be read"))?;
        Ok((path, bytes))
    };
    files.into_iter().map(content).collect()
}

/// What must hold of the disks after a cut; answers what the next run wrote.
fn check(
    machine: &Machinery,
    layout: Layout,
    images: Vec<Vec<u8>>,
) -> Result<Vec<(usize, Event)>, String> {
    let disks = Disks::mount(layout, images).map_err(|error| error.to_string())?;
    let before = disks.start()?;
    disks
        .install(machine)
        .map_err(|error| format!("next run: {error}"))?;
    let events = disks.events();
    let after = disks
        .start()
        .map_err(|error| format!("after the next run: {error}"))?;
    if !after.starts_with("rootstock-4-") {
        return Err(format!(
            "{before} started before, {after} after the next run"
        ));
    }
    let mut found = survey(disks.entries(), &judge).map_err(|error| error.to_string())?;
    let wrong = found.verify(disks.entries());
    if !wrong.is_empty() {
        return Err(format!("after the next run: {wrong:?} differ"));
    }
    let broken = found.entries.iter().find(|entry| !found.is_intact(entry));
    if let Some(entry) = broken {
        return Err(format!("after the next run: {} is not whole", entry.path));
    }
    if layout == Layout::Two {
        let [first, second] = [tree(&disks.volumes[0])?, tree(&disks.volumes[1])?];
        let other = |file: &&(EspPath, Vec<u8>)| !first.contains(file) || !second.contains(file);
        if let Some((path, _)) = first.iter().chain(&second).find(other) {
            return Err(format!("after the next run the disks differ in {path}"));
        }
    }
    Ok(events)
}

/// A machine with generations 1 to 3 and an old loader on its disks, and generation 4 with a new loader to come.
fn upgrade(layout: Layout) -> (Machinery, Vec<Vec<u8>>) {
    let mut machine = Machinery::new();
    machine.stub = crate::workshop::stub(700);
    machine.settings.tries = Some(3);
    let disks = Disks::empty(layout);
    for number in 1..=3 {
        machine.simple(number, 1500);
        machine.settings.booted = None;
        disks.install(&machine).unwrap();
        let stem = Stem::parse(&EntryName::parse(&disks.start().unwrap()).unwrap().stem).unwrap();
        for target in disks.targets() {
            bless(target.xbootldr.unwrap_or(target.esp), &stem, &judge).unwrap();
        }
    }
    machine.settings.booted = Some(disks.start().unwrap());
    machine.simple(4, 1500);
    machine.loader = Some(loader("258"));
    (machine, disks.images())
}

/// The upgrade: what it wrote.
fn events(machine: &Machinery, layout: Layout, before: &[Vec<u8>]) -> Vec<(usize, Event)> {
    let disks = Disks::mount(layout, before.to_vec()).unwrap();
    disks.install(machine).unwrap();
    assert!(disks.start().unwrap().starts_with("rootstock-4-"));
    disks.events()
}

/// Tries cuts under their fates; equal disks are tried once. How many were tried.
fn try_all(
    machine: &Machinery,
    layout: Layout,
    start: &[Vec<u8>],
    events: &[(usize, Event)],
    cuts: impl Iterator<Item = usize>,
    dice: u64,
) -> usize {
    let mut seen = BTreeSet::new();
    for cut in cuts {
        let seed = dice.wrapping_mul(1_000_003).wrapping_add(cut as u64);
        // Dice for every third cut find what they find for all, in less time.
        let fates = match cut % 3 {
            0 => &[Fate::InOrder, Fate::Lost, Fate::Scattered(seed)][..],
            1 => &[Fate::InOrder, Fate::Lost, Fate::Torn(seed)],
            _ => &[Fate::InOrder, Fate::Lost],
        };
        for fate in fates.iter().copied() {
            let images = play(start, events, cut, fate);
            let digest = images.iter().fold(Sha256::new(), Sha256::chain_update);
            if !seen.insert(<[u8; 32]>::from(digest.finalize())) {
                continue;
            }
            if let Err(why) = check(machine, layout, images) {
                panic!(
                    "{layout:?}, cut after {cut} of {} events, {fate:?}: {why}",
                    events.len()
                );
            }
        }
    }
    seen.len()
}

#[test]
fn a_power_cut_at_any_write_of_an_upgrade_leaves_a_machine_that_boots_and_can_go_on() {
    let (machine, before) = upgrade(Layout::One);
    let events = events(&machine, Layout::One, &before);
    let writes = events
        .iter()
        .filter(|(_, event)| matches!(event, Event::Write(..)))
        .count();
    let all = 0..=events.len();
    let disks = try_all(&machine, Layout::One, &before, &events, all, 1);
    println!("{writes} sectors written, {disks} different disks after a cut");
    assert!(writes > 500 && disks > 300, "{writes} {disks}");
}

#[test]
fn a_power_cut_does_no_harm_where_entries_have_a_partition_of_their_own() {
    let (machine, before) = upgrade(Layout::Split);
    let events = events(&machine, Layout::Split, &before);
    let cuts = (0..=events.len()).step_by(7);
    let disks = try_all(&machine, Layout::Split, &before, &events, cuts, 2);
    assert!(disks > 100, "{disks}");
}

#[test]
fn a_power_cut_does_no_harm_where_two_disks_are_kept_alike_and_they_are_alike_again_after_the_next_run()
 {
    let (machine, before) = upgrade(Layout::Two);
    let events = events(&machine, Layout::Two, &before);
    let cuts = (0..=events.len()).step_by(11);
    let disks = try_all(&machine, Layout::Two, &before, &events, cuts, 3);
    assert!(disks > 100, "{disks}");
}

#[test]
fn a_second_cut_while_the_first_is_repaired_does_no_harm_either() {
    let (machine, before) = upgrade(Layout::One);
    let events = events(&machine, Layout::One, &before);
    let mut dice = Dice(7);
    for round in 0..10 {
        let cut = dice.roll(events.len());
        let seed = dice.roll(1 << 30) as u64;
        let fate = if round % 2 == 0 {
            Fate::Scattered(seed)
        } else {
            Fate::Torn(seed)
        };
        let images = play(&before, &events, cut, fate);
        let repair = check(&machine, Layout::One, images.clone()).unwrap();
        let cuts: Vec<usize> = (0..3).map(|_| dice.roll(repair.len() + 1)).collect();
        try_all(&machine, Layout::One, &images, &repair, cuts.into_iter(), 3);
    }
}

#[test]
fn a_power_cut_while_an_entry_is_blessed_leaves_it_bootable() {
    let (machine, before) = upgrade(Layout::One);
    let disks = Disks::mount(Layout::One, before).unwrap();
    disks.install(&machine).unwrap();
    let images = disks.images();
    let disks = Disks::mount(Layout::One, images.clone()).unwrap();
    let counted = disks.start().unwrap();
    assert!(counted.ends_with("+3.efi"));
    let stem = Stem::parse(&EntryName::parse(&counted).unwrap().stem).unwrap();
    assert!(bless(disks.entries(), &stem, &judge).unwrap());
    assert!(!disks.start().unwrap().contains('+'));
    assert!(
        !bless(disks.entries(), &stem, &judge).unwrap(),
        "blessing twice is blessing once"
    );
    let events = disks.events();
    for cut in 0..=events.len() {
        let seed = cut as u64;
        let dice = if cut % 2 == 0 {
            Fate::Scattered(seed)
        } else {
            Fate::Torn(seed)
        };
        for fate in [Fate::InOrder, Fate::Lost, dice] {
            let disks = Disks::mount(Layout::One, play(&images, &events, cut, fate)).unwrap();
            let name = disks
                .start()
                .unwrap_or_else(|why| panic!("cut after {cut}, {fate:?}: {why}"));
            assert!(name.starts_with("rootstock-4-"), "{name}");
            bless(disks.entries(), &stem, &judge).unwrap();
            let name = disks.start().unwrap();
            assert!(
                name.starts_with("rootstock-4-") && !name.contains('+'),
                "{name}"
            );
        }
    }
}

/// The sector that makes a program one, torn at every place: the machine starts the old entry or the new one.
#[test]
fn a_program_is_there_whole_or_not_at_all_wherever_its_first_sector_is_torn() {
    let (machine, before) = upgrade(Layout::One);
    let events = events(&machine, Layout::One, &before);
    let mut tried = 0;
    for (cut, (_, event)) in events.iter().enumerate() {
        let Event::Write(sector, content) = event else {
            continue;
        };
        if !content.starts_with(b"MZ") {
            continue;
        }
        let images = play(&before, &events, cut, Fate::InOrder);
        for end in (0..8).chain((8..SECTOR).step_by(24)) {
            let mut images = images.clone();
            images[0][sector * SECTOR..][..end].copy_from_slice(&content[..end]);
            let disks = Disks::mount(Layout::One, images).unwrap();
            let started = disks.start();
            assert!(started.is_ok(), "cut {cut}, torn at {end}: {started:?}");
            tried += 1;
        }
    }
    assert!(tried >= 3 * 29, "{tried}");
}

/// The same writes with nothing but the order of the program to keep them apart: some cut finds a machine that does not start,
/// so the model has teeth.
#[test]
fn without_its_flushes_the_same_upgrade_does_harm() {
    let (machine, before) = upgrade(Layout::One);
    let mut events = events(&machine, Layout::One, &before);
    events.retain(|(_, event)| matches!(event, Event::Write(..)));
    let harmed = |cut: usize| {
        let images = play(&before, &events, cut, Fate::Scattered(cut as u64));
        Disks::mount(Layout::One, images).map_or(true, |disks| disks.start().is_err())
    };
    assert!((0..events.len()).rev().step_by(7).any(harmed));
}

#[test]
fn the_model_notices_what_it_is_there_for() {
    let (_, before) = upgrade(Layout::One);
    let disks = Disks::mount(Layout::One, before).unwrap();
    let volume = disks.entries();
    let name = disks.start().unwrap();
    let path = EspPath::new(&format!("EFI/Linux/{name}")).unwrap();
    let found = survey(volume, &judge).unwrap();
    let entry = found
        .entries
        .iter()
        .find(|entry| entry.path == path)
        .unwrap();
    let Judgement::Valid(needs) = &entry.judgement else {
        panic!("it starts");
    };
    volume.write(&needs[0].path, 100, b"flip").unwrap();
    assert!(disks.start().unwrap_err().contains("is another"));
    volume.remove(&needs[0].path).unwrap();
    assert!(disks.start().unwrap_err().contains("is gone"));
    volume.write(&path, 0x300, b"flip").unwrap();
    assert!(disks.start().unwrap_err().contains("refused"));
}
