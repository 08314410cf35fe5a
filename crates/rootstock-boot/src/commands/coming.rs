//! The states of the boots that may come from system partitions, as they are or as they will be.
//!
//! Invariant: every loader that may lie on a partition meets every entry that may lie there; what is not foreseen is an error that
//! names the register and the entry.

use super::disk::slashes;
use anyhow::Context;
use boot_esp::{ENTRIES, EspPath, Outlook};
use boot_install::EpochCounter;
use boot_measure::{Bank, Disk, EventLog, PlannedUpdate, Situation, Started, UNTOUCHED, foresee};
use boot_pe::Image;
use boot_pe::epoch::epoch_of;
use boot_policy::{Floor, PcrSet};
use boot_variables::{Guid, Variables};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::ErrorKind;

/// Where a loader lies on a system partition: systemd-boot's own place, and where firmware looks by itself.
const LOADERS: [&str; 4] = [
    "EFI/systemd/systemd-bootx64.efi",
    "EFI/BOOT/BOOTX64.EFI",
    "EFI/systemd/systemd-bootaa64.efi",
    "EFI/BOOT/BOOTAA64.EFI",
];
/// Most images of a partition.
const MAX_ENTRIES: usize = 4096;
/// When the disk is unlocked.
const PHASE: [&str; 1] = ["enter-initrd"];
/// Registers that files beside an entry are measured into.
const BESIDE: [u8; 2] = [12, 13];

/// A disk's partitions, at one moment.
pub(crate) struct View<'a> {
    pub(crate) esp: Outlook<'a>,
    /// The extended boot partition, where there is one.
    pub(crate) extended: Option<Outlook<'a>>,
}

impl View<'_> {
    /// Its partitions, that of the entries first.
    fn volumes(&self) -> impl Iterator<Item = &Outlook<'_>> {
        self.extended.iter().chain([&self.esp])
    }
}

impl Disk for View<'_> {
    fn read(&self, path: &str) -> Option<Cow<'_, [u8]>> {
        let path = EspPath::new(&slashes(path)).ok()?;
        let mut found = self.volumes().filter_map(|volume| volume.read(&path).ok());
        found.next().map(Cow::Owned)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let Ok(folder) = EspPath::new(&slashes(folder)) else {
            return Vec::new();
        };
        let files = self
            .volumes()
            .filter_map(|volume| volume.files(&folder).ok());
        let names = files.flat_map(BTreeMap::into_keys);
        names.map(|path| path.name().to_owned()).collect()
    }

    fn partition_table(&self) -> Option<&[u8]> {
        None
    }

    fn has_partition(&self, _: &Guid) -> bool {
        true
    }
}

/// What is known of the machine, and which registers are asked for.
pub(crate) struct Question<'a> {
    pub(crate) variables: &'a Variables,
    pub(crate) log: Option<&'a EventLog>,
    /// Updates of variables, of which none or all will have been made.
    pub(crate) planned: &'a [PlannedUpdate],
    pub(crate) bank: Bank,
    pub(crate) pcrs: &'a [u8],
    /// The counter that entries are held to, where they are.
    pub(crate) counter: Option<EpochCounter>,
}

/// States in which the disk is unlocked, each with what it is held to: the highest epoch of the entries that lead to it.
pub(crate) type Boots = BTreeMap<PcrSet, Option<Floor>>;

/// A program that may start.
struct Program {
    path: String,
    /// Number of the view that it lies in.
    view: usize,
    bytes: Vec<u8>,
}

impl Program {
    fn floor(&self, counter: EpochCounter) -> anyhow::Result<Floor> {
        let epoch = epoch(&self.bytes).with_context(|| self.path.clone())?;
        Ok(counter.floor(epoch))
    }

    fn started(&self) -> Started<'_> {
        Started {
            path: self.path.clone(),
            bytes: Cow::Borrowed(&self.bytes),
        }
    }
}

/// The security epoch that an image states.
pub(crate) fn epoch(bytes: &[u8]) -> boot_pe::Result<u32> {
    epoch_of(&Image::parse(bytes)?)
}

/// Programs of which each content is there once; a boot measures contents, not names.
pub(crate) struct Pool<'a> {
    views: Vec<View<'a>>,
    programs: Vec<Program>,
    /// Whether what lies beside an entry counts.
    beside: bool,
}

impl<'a> Pool<'a> {
    /// An empty one, for a question about these registers.
    pub(crate) fn new(pcrs: &[u8]) -> Pool<'a> {
        Pool {
            views: Vec::new(),
            programs: Vec::new(),
            beside: pcrs.iter().any(|pcr| BESIDE.contains(pcr)),
        }
    }

    /// The number of a view.
    pub(crate) fn view(&mut self, view: View<'a>) -> usize {
        self.views.push(view);
        self.views.len() - 1
    }

    /// The number of a program, which finds in a view what it refers to.
    pub(crate) fn program(&mut self, path: String, bytes: Vec<u8>, view: usize) -> usize {
        let same = |known: &Program| known.bytes == bytes && (!self.beside || known.view == view);
        if let Some(known) = self.programs.iter().position(same) {
            return known;
        }
        self.programs.push(Program { path, view, bytes });
        self.programs.len() - 1
    }

    /// The loaders of a view, one for each place.
    pub(crate) fn loaders(
        &mut self,
        view: usize,
    ) -> anyhow::Result<[Option<usize>; LOADERS.len()]> {
        let mut found = [None; LOADERS.len()];
        for (place, found) in LOADERS.iter().zip(&mut found) {
            let path = EspPath::new(place)?;
            let bytes = match self.views[view].esp.read(&path) {
                Ok(bytes) => bytes,
                Err(boot_esp::Error::Io { error, .. }) if error.kind() == ErrorKind::NotFound => {
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            *found = Some(self.program(path.to_string(), bytes, view));
        }
        Ok(found)
    }

    /// The unified kernel images of a view.
    pub(crate) fn entries(&mut self, view: usize) -> anyhow::Result<Vec<usize>> {
        let folder = EspPath::new(ENTRIES)?;
        let mut images = Vec::new();
        for volume in self.views[view].volumes() {
            let files = volume.files(&folder)?.into_keys();
            for path in files.filter(|path| path.name().to_ascii_lowercase().ends_with(".efi")) {
                images.push((path.to_string(), volume.read(&path)?));
            }
        }
        anyhow::ensure!(
            images.len() <= MAX_ENTRIES,
            "{ENTRIES}: more than {MAX_ENTRIES} images"
        );
        let images = images.into_iter();
        Ok(images
            .map(|(path, bytes)| self.program(path, bytes, view))
            .collect())
    }

    /// The states in which the disk is unlocked in these boots of a loader and an entry; each once.
    pub(crate) fn states<'b>(
        &self,
        starts: impl IntoIterator<Item = &'b (usize, usize)>,
        question: &Question<'_>,
    ) -> anyhow::Result<Boots> {
        let mut states = Boots::new();
        let plans: &[&[PlannedUpdate]] = match question.planned {
            [] => &[&[]],
            planned => &[&[], planned],
        };
        for (loader, entry) in starts {
            let floor = question
                .counter
                .map(|counter| self.programs[*entry].floor(counter))
                .transpose()?;
            for planned in plans {
                let state = self.state(*loader, *entry, planned, question)?;
                let highest = states.entry(state).or_insert(floor);
                *highest = floor.max(*highest);
            }
        }
        Ok(states)
    }

    fn state(
        &self,
        loader: usize,
        entry: usize,
        planned: &[PlannedUpdate],
        question: &Question<'_>,
    ) -> anyhow::Result<PcrSet> {
        let entry = &self.programs[entry];
        let expectation = foresee(&Situation {
            variables: Some(question.variables),
            log: question.log,
            planned,
            disk: Some(&self.views[entry.view]),
            chain: vec![self.programs[loader].started(), entry.started()],
            banks: vec![question.bank],
            phases: &PHASE,
            exited: true,
            ..Situation::default()
        })?;
        let registers = expectation.registers(&UNTOUCHED);
        let value = |pcr: &u8| {
            let mut doubts = expectation.unforeseen.iter();
            let doubt = doubts.find(|doubt| doubt.pcr == *pcr);
            let why = || {
                let why = doubt.map_or("nothing is known of it", |doubt| &doubt.why);
                format!("PCR {pcr} of {}: {why}", entry.path)
            };
            let value = registers.get(question.bank, *pcr);
            anyhow::Ok((*pcr, value.with_context(why)?.to_vec()))
        };
        let values = question.pcrs.iter().map(value);
        Ok(PcrSet::new(
            question.bank,
            values.collect::<anyhow::Result<Vec<_>>>()?,
        )?)
    }
}
