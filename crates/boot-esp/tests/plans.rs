//! Plans for random volumes, carried out on a volume in memory that counts blocks as FAT does: what is protected stays, what is
//! foreign is never touched, all that is wanted is there in the end, no moment takes more room than the plan said, and a
//! second plan has nothing to do.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use boot_esp::{
    Content, Counter, ENTRIES, EntryName, Error, EspPath, Judgement, LOADER_CONF, LoaderConfig,
    Need, NewFile, Protected, SHARED, Space, State, Stem, Survey, Volume, Wanted, WantedEntry,
    execute, plan, survey,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

const BLOCK: u64 = 512;

/// What must hold of the files whenever they are on the disk.
type Always<'a> = Box<dyn Fn(&BTreeMap<EspPath, Vec<u8>>) + 'a>;

struct Memory<'a> {
    files: RefCell<BTreeMap<EspPath, Vec<u8>>>,
    /// Directory slots of each folder; a folder never shrinks.
    slots: RefCell<BTreeMap<EspPath, u64>>,
    total: Cell<u64>,
    highest: Cell<u64>,
    foreign: BTreeSet<EspPath>,
    always: RefCell<Option<Always<'a>>>,
}

impl Memory<'_> {
    fn new(files: BTreeMap<EspPath, Vec<u8>>, foreign: BTreeSet<EspPath>) -> Self {
        let memory = Memory {
            files: RefCell::default(),
            slots: RefCell::default(),
            total: Cell::new(u64::MAX / 2),
            highest: Cell::new(0),
            foreign,
            always: RefCell::new(None),
        };
        for (path, content) in files {
            memory.make_folder(&path.parent().unwrap()).unwrap();
            memory.enter(&path);
            memory.files.borrow_mut().insert(path, content);
        }
        memory
    }

    fn used(&self) -> u64 {
        let blocks = |bytes: u64| bytes.next_multiple_of(BLOCK);
        let files = self.files.borrow();
        let files = files.values().map(|bytes| blocks(bytes.len() as u64));
        let slots = self.slots.borrow();
        let folders = slots.values().map(|slots| blocks((slots * 32).max(1)));
        files.sum::<u64>() + folders.sum::<u64>()
    }

    /// A name in its folder: one slot for each 13 characters, and one more.
    fn enter(&self, path: &EspPath) {
        let folder = path.parent().unwrap();
        let mut slots = self.slots.borrow_mut();
        *slots.entry(folder).or_default() += path.name().len().div_ceil(13) as u64 + 1;
    }

    fn changed(&self, path: &EspPath) -> io::Result<()> {
        assert!(!self.foreign.contains(path), "{path} is not ours");
        let used = self.used();
        self.highest.set(self.highest.get().max(used));
        if used > self.total.get() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl Volume for Memory<'_> {
    fn files(&self, folder: &EspPath) -> io::Result<Vec<(EspPath, u64)>> {
        let files = self.files.borrow();
        let inside = files.iter().filter(|(path, _)| path.is_in(folder));
        Ok(inside
            .map(|(path, bytes)| (path.clone(), bytes.len() as u64))
            .collect())
    }

    fn space(&self) -> io::Result<Space> {
        let total = self.total.get();
        Ok(Space {
            free: total - self.used(),
            total,
            block: BLOCK,
        })
    }

    fn read(&self, path: &EspPath, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let files = self.files.borrow();
        sink(files.get(path).ok_or(io::ErrorKind::NotFound)?);
        Ok(())
    }

    fn make_folder(&self, path: &EspPath) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            self.make_folder(&parent)?;
        }
        if self.slots.borrow().contains_key(path) {
            return Ok(());
        }
        if path.parent().is_some() {
            self.enter(path);
        }
        self.slots.borrow_mut().insert(path.clone(), 2);
        self.changed(path)
    }

    fn create(&self, path: &EspPath) -> io::Result<()> {
        let before = self.files.borrow_mut().insert(path.clone(), Vec::new());
        assert_eq!(before, None, "{path} is there already");
        self.enter(path);
        self.changed(path)
    }

    fn write(&self, path: &EspPath, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.files.borrow_mut();
        let file = files.get_mut(path).ok_or(io::ErrorKind::NotFound)?;
        let end = offset as usize + bytes.len();
        file.resize(file.len().max(end), 0);
        file[offset as usize..end].copy_from_slice(bytes);
        drop(files);
        self.changed(path)
    }

    fn remove(&self, path: &EspPath) -> io::Result<()> {
        self.files.borrow_mut().remove(path);
        self.changed(path)
    }

    fn remove_folder(&self, path: &EspPath) -> io::Result<()> {
        self.slots.borrow_mut().remove(path);
        self.changed(path)
    }

    fn sync(&self) -> io::Result<()> {
        if let Some(always) = &*self.always.borrow() {
            always(&self.files.borrow());
        }
        Ok(())
    }
}

fn path(text: &str) -> EspPath {
    EspPath::new(text).unwrap()
}

/// One of a few kernels and initrds, of different sizes.
fn shared(number: u64) -> NewFile {
    let kind = if number < 4 { "linux" } else { "initrd" };
    let bytes = vec![number as u8; 700 + 900 * number as usize];
    NewFile::shared(kind, Content::bytes(bytes)).unwrap()
}

/// An entry by generation, variant (what it is made of) and whether it is of another profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Which {
    generation: u64,
    variant: u64,
    profile: bool,
}

impl Which {
    fn stem(self) -> Stem {
        let digest = Sha256::digest([self.generation as u8, self.variant as u8]).into();
        let profile = self.profile.then_some("other");
        Stem::new(profile, self.generation, &[], &digest)
    }

    fn needs(self) -> Vec<NewFile> {
        let kernel = (self.generation + self.variant) % 4;
        vec![shared(kernel), shared(4 + self.generation % 3)]
    }

    /// An image as the judge here reads it: one line for each file that it needs.
    fn bytes(self) -> Vec<u8> {
        let lines = self.needs().into_iter().map(|file| {
            let digest = file.content.sha256().map(|byte| format!("{byte:02x}"));
            let digest = digest.concat();
            format!("{} {} {digest}\n", file.path, file.content.size())
        });
        let head = format!("MZ {}\n", self.stem());
        head.into_bytes()
            .into_iter()
            .chain(lines.flat_map(String::into_bytes))
            .chain(vec![b'\n'; 900])
            .collect()
    }
}

fn judge(bytes: &[u8]) -> Judgement {
    let text = String::from_utf8_lossy(bytes);
    if !text.starts_with("MZ rootstock-") {
        return Judgement::Broken("no image".to_owned());
    }
    let need = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let digit = |at: usize| u8::from_str_radix(&words[2][at..at + 2], 16).unwrap();
        Need {
            path: path(words[0]),
            size: words[1].parse().unwrap(),
            sha256: std::array::from_fn(|index| digit(2 * index)),
        }
    };
    let lines = text.lines().skip(1).filter(|line| !line.is_empty());
    Judgement::Valid(lines.map(need).collect())
}

#[derive(Debug, Clone)]
struct Found {
    which: Which,
    /// Boots left, when it is counted.
    left: Option<u32>,
    broken: bool,
}

/// A volume before, and what is wanted of it.
#[derive(Debug, Clone)]
struct Case {
    found: Vec<Found>,
    /// Shared files that are there, and whether their content was cut short.
    shared: Vec<(u64, bool)>,
    wanted: BTreeSet<Which>,
    /// Which of those found are the booted and the default one.
    protected: [Option<usize>; 2],
    unread: Option<u64>,
    /// Credentials of wanted entries, in bytes.
    credential: Option<usize>,
    conf: bool,
    /// Bytes that are free.
    free: u64,
}

fn which() -> impl Strategy<Value = Which> {
    (1..7_u64, 0..2_u64, proptest::bool::weighted(0.2)).prop_map(
        |(generation, variant, profile)| Which {
            generation,
            variant,
            profile,
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let found = (
        which(),
        proptest::option::of(0..3_u32),
        proptest::bool::weighted(0.2),
    )
        .prop_map(|(which, left, broken)| Found {
            which,
            left,
            broken,
        });
    let list = proptest::collection::vec(found, 0..6);
    let index = || proptest::option::of(0..6_usize);
    (
        list,
        proptest::collection::vec((0..7_u64, proptest::bool::weighted(0.1)), 0..10),
        proptest::collection::btree_set(which(), 0..5),
        [index(), index()],
        proptest::option::of(1..7_u64),
        proptest::option::of(1..3000_usize),
        any::<bool>(),
        prop_oneof![0..60_000_u64, Just(200_000)],
    )
        .prop_map(
            |(found, shared, wanted, protected, unread, credential, conf, free)| Case {
                found,
                shared,
                wanted,
                protected,
                unread,
                credential,
                conf,
                free,
            },
        )
}

const FOREIGN: [&str; 6] = [
    "EFI/Linux/nixos-generation-3.efi",
    "EFI/Linux/rootstock-3.efi",
    "EFI/Linux/ROOTST~1.EFI",
    "EFI/Linux/other.efi.extra.d/a.cred",
    "EFI/nixos/kernel.efi",
    "loader/entries/arch.conf",
];

impl Case {
    fn volume(&self) -> Memory<'static> {
        let mut files = BTreeMap::new();
        let foreign: BTreeSet<EspPath> = FOREIGN.iter().map(|name| path(name)).collect();
        for name in &foreign {
            // The short name is a program's, so it is somebody's.
            files.insert(name.clone(), b"MZ somebody's".to_vec());
        }
        for (number, cut) in &self.shared {
            let file = shared(*number);
            let mut bytes = file.content.to_vec().unwrap();
            bytes.truncate(if *cut { 100 } else { bytes.len() });
            files.insert(file.path, bytes);
        }
        for found in &self.found {
            let counter = found.left.map(Counter::fresh);
            let name = EntryName::image(&found.which.stem().to_string(), counter);
            let mut bytes = found.which.bytes();
            if found.broken {
                bytes[..2].fill(0);
            }
            files.insert(path(&format!("{ENTRIES}/{name}")), bytes);
        }
        Memory::new(files, foreign)
    }

    fn protected(&self, survey: &Survey) -> Protected {
        let stem = |index: usize| {
            let found = self.found.get(self.protected[index]?)?;
            Some(found.which.stem())
        };
        Protected {
            booted: stem(0),
            default: stem(1),
            last_good: survey.last_good().map(|entry| entry.stem.clone()),
            unread: self.unread.iter().map(|number| (None, *number)).collect(),
        }
    }

    /// As the installer wants it: known names are kept, and what is intact needs nothing.
    fn wanted(&self, volume: &dyn Volume) -> Wanted {
        let found = survey(volume, &judge).unwrap();
        let entry = |which: &Which| {
            let stem = which.stem();
            let known = found
                .entries
                .iter()
                .filter(|entry| {
                    entry.stem == stem && matches!(entry.judgement, Judgement::Valid(_))
                })
                .min_by_key(|entry| entry.name.counter.is_some());
            let fresh = EntryName::image(&stem.to_string(), Some(Counter::fresh(3)));
            let companion = self
                .credential
                .map(|size| ("luks.cred".to_owned(), Content::bytes(vec![7; size])));
            WantedEntry {
                name: known.map_or(fresh, |entry| entry.name.clone()),
                stem,
                content: Some(Content::bytes(which.bytes())),
                needs: match known.filter(|entry| found.is_intact(entry)) {
                    Some(_) => Vec::new(),
                    None => which.needs(),
                },
                companions: companion.into_iter().collect(),
            }
        };
        let config = LoaderConfig {
            default: "rootstock-*".to_owned(),
            timeout: None,
            editor: false,
            console_mode: None,
        };
        Wanted {
            entries: self.wanted.iter().map(entry).collect(),
            loaders: Vec::new(),
            conf: self.conf.then(|| Content::bytes(config.render().unwrap())),
        }
    }
}

/// Whether an entry's bytes and all that it needs are there.
fn boots(files: &BTreeMap<EspPath, Vec<u8>>, entry: &EspPath) -> bool {
    let Some(Judgement::Valid(needs)) = files.get(entry).map(|bytes| judge(bytes)) else {
        return false;
    };
    needs.iter().all(|need| {
        let there = files.get(&need.path);
        there.is_some_and(|bytes| <[u8; 32]>::from(Sha256::digest(bytes)) == need.sha256)
    })
}

proptest! {
    #[test]
    fn a_plan_keeps_what_it_must_and_takes_no_more_room_than_it_says(case in case()) {
        let volume = case.volume();
        volume.total.set(volume.used() + case.free);
        let start = volume.files.borrow().clone();
        let used = volume.used();
        let found = survey(&volume, &judge).unwrap();
        let protected = case.protected(&found);
        let wanted = case.wanted(&volume);
        let planned = match plan(&found, &wanted, &protected) {
            Ok(planned) => planned,
            Err(Error::Space { needed, available }) => {
                prop_assert!(needed > available && available >= case.free);
                return Ok(());
            }
            Err(error) => panic!("{error}"),
        };

        // Entries that boot and must stay, and whether anything boots that is not bad.
        let stays = |stem: &Stem| {
            let kept = [&protected.booted, &protected.default, &protected.last_good];
            kept.into_iter().flatten().any(|kept| kept == stem)
                || protected.unread.contains(&(stem.profile().map(str::to_owned), stem.generation()))
        };
        let bootable: Vec<(EspPath, Stem, State)> = found
            .entries
            .iter()
            .filter(|entry| boots(&start, &entry.path))
            .map(|entry| (entry.path.clone(), entry.stem.clone(), entry.name.state()))
            .collect();
        // Of one entry under several names one may go.
        let kept: BTreeSet<Stem> = bootable.iter().map(|(_, stem, _)| stem.clone()).filter(stays).collect();
        let good = bootable.iter().any(|(_, _, state)| *state != State::Bad);
        *volume.always.borrow_mut() = Some(Box::new(move |files: &BTreeMap<EspPath, Vec<u8>>| {
            let names = files.keys().filter(|path| path.parent() == Some(self::path(ENTRIES)));
            let now: Vec<(Stem, State)> = names
                .filter(|path| boots(files, path))
                .filter_map(|path| {
                    let name = EntryName::parse(path.name())?;
                    Some((Stem::parse(&name.stem)?, name.state()))
                })
                .collect();
            for stem in &kept {
                assert!(now.iter().any(|(other, _)| other == stem), "{stem} must stay");
            }
            assert!(!good || now.iter().any(|(_, state)| *state != State::Bad), "nothing boots");
        }));
        execute(&volume, &planned, &mut |_| {}).unwrap();
        *volume.always.borrow_mut() = None;

        let highest = volume.highest.get().max(used);
        prop_assert!(highest <= planned.peak.max(used), "{highest} bytes, {} planned", planned.peak);
        prop_assert!(planned.peak.max(used) <= volume.total.get());
        let end = volume.files.borrow().clone();
        for name in FOREIGN {
            prop_assert_eq!(&end[&path(name)], &start[&path(name)]);
        }
        for entry in &wanted.entries {
            let place = path(&format!("{ENTRIES}/{}", entry.name));
            prop_assert!(boots(&end, &place), "{} is to boot", place);
            for (name, content) in &entry.companions {
                let place = path(&format!("{ENTRIES}/{}/{name}", entry.stem.companion_folder()));
                prop_assert_eq!(&end[&place], &content.to_vec().unwrap());
            }
        }
        // Nothing is left that no entry needs.
        let now = survey(&volume, &judge).unwrap();
        let needed: BTreeSet<&EspPath> =
            now.entries.iter().flat_map(boot_esp::FoundEntry::needs).map(|need| &need.path).collect();
        for file in now.shared.keys() {
            prop_assert!(needed.contains(file), "{} in {SHARED} is of no use", file);
        }
        prop_assert_eq!(end.contains_key(&path(LOADER_CONF)), case.conf);
        let again = plan(&now, &case.wanted(&volume), &protected).unwrap();
        prop_assert!(again.is_empty(), "{:?}", again.stages);
    }
}
