//! From what is there and what is wanted to a list of stages, each of which is synced before the next begins.

use crate::survey::{ENTRIES, FoundEntry, Judgement, LOADER_CONF, Need, SHARED, Survey};
use crate::{Content, EntryName, Error, EspPath, LoaderConfig, Result, State, Stem};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

/// What a directory entry with a long name takes at most: one slot of 32 bytes for each 13 characters and one more.
const DIRECTORY_ENTRY: u64 = 32 * (255 / 13 + 2);

/// A file that is to be there.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFile {
    /// Where.
    pub path: EspPath,
    /// With what in it.
    pub content: Content,
}

impl NewFile {
    /// A kernel or initrd, named by its content.
    pub fn shared(kind: &str, content: Content) -> Result<NewFile> {
        let name = hex::encode(content.sha256());
        let path = EspPath::new(&format!("{SHARED}/{name}.{kind}"))?;
        Ok(NewFile { path, content })
    }
}

impl Serialize for NewFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("NewFile", 2)?;
        fields.serialize_field("path", &self.path)?;
        fields.serialize_field("size", &self.content.size())?;
        fields.end()
    }
}

/// A file for the stub to read beside the image, such as a credential.
pub type Companion = (String, Content);

/// An entry that is to be there.
#[derive(Debug, Clone)]
pub struct WantedEntry {
    /// Which.
    pub stem: Stem,
    /// The file name, with the counters that the first volume has or that a new entry gets.
    pub name: EntryName,
    /// Its bytes; `None` when it is on every volume under this name.
    pub content: Option<Content>,
    /// Shared files that it needs.
    pub needs: Vec<NewFile>,
    /// Companion files.
    pub companions: Vec<Companion>,
}

/// A file in use that is to be another: it is removed and made anew. (A file that is renamed over another shares clusters
/// with its old name, or with what it replaced, when the power fails at the wrong moment.)
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rewrite {
    /// The file.
    #[serde(flatten)]
    pub file: NewFile,
    /// Where the present content is kept, when it is not ours.
    pub backup: Option<EspPath>,
}

/// All that is to be on a volume.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Entries; any other entry of ours goes, unless it is protected.
    pub entries: Vec<WantedEntry>,
    /// Boot loaders that are to be written; one after the other, so that another copy is whole at any moment.
    pub loaders: Vec<NewFile>,
    /// The loader's configuration, on the volume that holds the loader.
    pub conf: Option<Content>,
}

/// Entries that stay whatever is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protected {
    /// The one that the machine runs.
    pub booted: Option<Stem>,
    /// The one that would start next.
    pub default: Option<Stem>,
    /// The newest that has started well.
    pub last_good: Option<Stem>,
    /// Generations that exist but could not be read, by profile and number: what they are made of is not known.
    pub unread: BTreeSet<(Option<String>, u64)>,
}

impl Protected {
    /// Whether this entry stays.
    pub fn has(&self, stem: &Stem) -> bool {
        let generation = (stem.profile().map(str::to_owned), stem.generation());
        [&self.booted, &self.default, &self.last_good]
            .into_iter()
            .any(|known| known.as_ref() == Some(stem))
            || self.unread.contains(&generation)
    }
}

/// Why a file is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Its generation is not wanted any more.
    Unwanted,
    /// It is no valid image, or its signature is broken.
    Broken,
    /// No entry needs it.
    Unneeded,
    /// An earlier run did not finish it: it is written anew.
    Unproven,
    /// The same entry is there under the right counters.
    Duplicate,
    /// An earlier run did not finish making or removing it, and its name is lost.
    Remnant,
}

impl Reason {
    /// True for an entry that would start: it is taken out of the menu before it is removed.
    pub(crate) fn is_of_whole_entry(self) -> bool {
        matches!(self, Reason::Unwanted | Reason::Duplicate)
    }
}

/// A file that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// Which.
    pub path: EspPath,
    /// Its length.
    pub size: u64,
    /// Why.
    pub reason: Reason,
}

/// Steps that may happen in any order; all are on the disk before the next stage begins.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Files go.
    Remove(Vec<Removal>),
    /// Files that nothing looks at yet are written.
    Write(Vec<NewFile>),
    /// Entries are written, the two bytes that make them visible last.
    Publish(Vec<NewFile>),
    /// A file of one sector is overwritten in place.
    Overwrite(NewFile),
    /// A file in use is written anew; for a moment it is not there.
    Rewrite(Rewrite),
}

/// What will be done to a volume.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// In this order; none when everything is as wanted.
    pub stages: Vec<Stage>,
    /// Bytes that new files take, in whole blocks, directory entries included.
    pub needed: u64,
    /// Bytes that are free when writing begins.
    pub available: u64,
    /// Bytes in use at the fullest moment.
    pub peak: u64,
    /// Whether old entries go before new ones come.
    pub frees_first: bool,
}

impl Plan {
    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Bytes of content that will be written.
    pub fn bytes_to_write(&self) -> u64 {
        self.new_files().map(|file| file.content.size()).sum()
    }

    fn new_files(&self) -> impl Iterator<Item = &NewFile> {
        self.stages.iter().flat_map(|stage| match stage {
            Stage::Remove(_) => &[][..],
            Stage::Write(files) | Stage::Publish(files) => files,
            Stage::Overwrite(file) | Stage::Rewrite(Rewrite { file, .. }) => {
                std::slice::from_ref(file)
            }
        })
    }
}

/// What happens to an entry that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    /// Goes at once: it does not boot.
    Goes(Reason),
    /// Goes at once when another one surely boots, else at the end.
    GoesWhenSafe(Reason),
    /// Goes when its successor is there.
    GoesLate(Reason),
}

/// Plans one volume.
pub fn plan(survey: &Survey, wanted: &Wanted, protected: &Protected) -> Result<Plan> {
    let mut planner = Planner {
        survey,
        removals: Removals::default(),
        files: BTreeMap::new(),
        entries: Vec::new(),
    };
    let fates = planner.entries(wanted, protected)?;
    let boots = |(entry, fate): (&FoundEntry, &Fate)| {
        *fate == Fate::Stays && entry.name.state() != State::Bad && survey.is_intact(entry)
    };
    // When nothing of ours boots there is nothing to lose.
    let frees_first = survey.entries.iter().zip(&fates).any(boots)
        || !survey.entries.iter().any(|entry| survey.is_intact(entry));
    planner.remove_entries(&fates, frees_first);
    for (path, size) in &survey.remnants {
        planner.remove_file(path, *size, Reason::Remnant, true);
    }
    planner.files(wanted, &fates, frees_first);
    planner.finish(wanted, frees_first)
}

#[derive(Default)]
struct Removals {
    early_entries: Vec<Removal>,
    early_files: Vec<Removal>,
    late_entries: Vec<Removal>,
    late_files: Vec<Removal>,
}

struct Planner<'a> {
    survey: &'a Survey,
    removals: Removals,
    /// Shared files and companions to write.
    files: BTreeMap<EspPath, Content>,
    /// Entries to write.
    entries: Vec<NewFile>,
}

impl Planner<'_> {
    /// The fate of every entry that is there, in the survey's order; collects the entries that are to be written.
    fn entries(&mut self, wanted: &Wanted, protected: &Protected) -> Result<Vec<Fate>> {
        let survey = self.survey;
        let mut fates: Vec<Fate> = survey
            .entries
            .iter()
            .map(|entry| match &entry.judgement {
                _ if protected.has(&entry.stem) => Fate::Stays,
                Judgement::Broken(_) => Fate::Goes(Reason::Broken),
                Judgement::Valid(_) => Fate::GoesWhenSafe(Reason::Unwanted),
            })
            .collect();
        for entry in &wanted.entries {
            let same: Vec<usize> = (0..survey.entries.len())
                .filter(|index| survey.entries[*index].stem == entry.stem)
                .collect();
            let valid =
                |index: &usize| matches!(survey.entries[*index].judgement, Judgement::Valid(_));
            let keeper = same
                .iter()
                .copied()
                .find(|index| valid(index) && survey.entries[*index].name == entry.name);
            if let Some(keeper) = keeper {
                fates[keeper] = Fate::Stays;
                for index in same.into_iter().filter(|index| *index != keeper) {
                    // Two names of one file after a power cut, perhaps: then removing one would free the clusters of both.
                    let one = survey.entries[index].bytes == survey.entries[keeper].bytes;
                    fates[index] = if one {
                        Fate::Stays
                    } else {
                        Fate::Goes(Reason::Broken)
                    };
                }
                continue;
            }
            for index in &same {
                fates[*index] = if valid(index) {
                    Fate::GoesLate(Reason::Duplicate)
                } else {
                    Fate::Goes(Reason::Broken)
                };
            }
            let content = entry.content.clone().or_else(|| {
                let index = same.iter().find(|index| valid(index))?;
                Some(Content::bytes(survey.entries[*index].bytes.clone()))
            });
            let content = content.ok_or_else(|| Error::NoEntry {
                name: entry.name.to_string(),
            })?;
            let path = EspPath::fixed(ENTRIES).join(&entry.name.to_string())?;
            self.entries.push(NewFile { path, content });
        }
        Ok(fates)
    }

    fn remove_entries(&mut self, fates: &[Fate], frees_first: bool) {
        for (entry, fate) in self.survey.entries.iter().zip(fates) {
            let (reason, early) = match fate {
                Fate::Stays => continue,
                Fate::Goes(reason) => (*reason, true),
                Fate::GoesWhenSafe(reason) => (*reason, frees_first),
                Fate::GoesLate(reason) => (*reason, false),
            };
            let list = if early {
                &mut self.removals.early_entries
            } else {
                &mut self.removals.late_entries
            };
            list.push(Removal {
                path: entry.path.clone(),
                size: entry.bytes.len() as u64,
                reason,
            });
        }
    }

    /// Shared files and companions: which stay, go and come.
    fn files(&mut self, wanted: &Wanted, fates: &[Fate], frees_first: bool) {
        let survey = self.survey;
        let early = |fate: &Fate| match fate {
            Fate::Goes(_) => true,
            Fate::GoesWhenSafe(_) => frees_first,
            Fate::Stays | Fate::GoesLate(_) => false,
        };
        // A file is proven by a valid entry that needs it: the entry was made visible after the file was read back.
        let proven = |wanted: fn(&Fate) -> bool| -> BTreeSet<&Need> {
            let entries = survey.entries.iter().zip(fates);
            entries
                .filter(|(_, fate)| wanted(fate))
                .flat_map(|(entry, _)| entry.needs())
                .collect()
        };
        let staying = proven(|fate| matches!(fate, Fate::Stays | Fate::GoesLate(_)));
        let leaving = proven(|fate| matches!(fate, Fate::GoesWhenSafe(_)));
        let has = |set: &BTreeSet<&Need>, path: &EspPath, size: u64| {
            set.iter()
                .any(|need| need.path == *path && need.size == size)
        };
        let coming: BTreeMap<&EspPath, &Content> = wanted
            .entries
            .iter()
            .flat_map(|entry| &entry.needs)
            .map(|file| (&file.path, &file.content))
            .collect();
        for (path, size) in &survey.shared {
            if has(&staying, path, *size) {
                continue;
            }
            let used = has(&leaving, path, *size);
            if used && coming.contains_key(path) {
                continue;
            }
            let reason = if coming.contains_key(path) {
                Reason::Unproven
            } else {
                Reason::Unneeded
            };
            self.remove_file(path, *size, reason, !used || frees_first);
        }
        let kept = |removals: &Removals, path: &EspPath| {
            let removed = removals.early_files.iter().any(|gone| gone.path == *path);
            survey.shared.contains_key(path) && !removed
        };
        for (path, content) in coming {
            if !kept(&self.removals, path) {
                self.files.insert(path.clone(), content.clone());
            }
        }
        self.companions(wanted, fates, &early);
    }

    fn companions(&mut self, wanted: &Wanted, fates: &[Fate], early: &dyn Fn(&Fate) -> bool) {
        let survey = self.survey;
        let mut coming = BTreeMap::new();
        for entry in &wanted.entries {
            for (name, content) in &entry.companions {
                let folder = entry.stem.companion_folder();
                // Names were checked when the entry was made.
                if let Ok(path) = EspPath::new(&format!("{ENTRIES}/{folder}/{name}")) {
                    coming.insert(path, (content, &entry.stem));
                }
            }
        }
        for (path, size) in &survey.companions {
            let owner = path.parent().map(|folder| folder.name().to_lowercase());
            let fate = survey
                .entries
                .iter()
                .zip(fates)
                .find(|(entry, _)| Some(entry.stem.companion_folder()) == owner)
                .map(|(_, fate)| fate);
            let right = coming
                .get(path)
                .is_none_or(|(content, _)| content.size() == *size);
            match fate {
                // Its entry proves it, as with shared files.
                Some(Fate::Stays | Fate::GoesLate(_)) if right => {
                    coming.remove(path);
                }
                Some(fate) => self.remove_file(path, *size, Reason::Unneeded, early(fate)),
                None => self.remove_file(path, *size, Reason::Unproven, true),
            }
        }
        for (path, (content, _)) in coming {
            self.files.insert(path, content.clone());
        }
    }

    fn remove_file(&mut self, path: &EspPath, size: u64, reason: Reason, early: bool) {
        let list = if early {
            &mut self.removals.early_files
        } else {
            &mut self.removals.late_files
        };
        list.push(Removal {
            path: path.clone(),
            size,
            reason,
        });
    }

    fn conf(&self, wanted: &Wanted) -> Option<Stage> {
        let content = wanted.conf.clone()?;
        let present = self.survey.loader_conf.as_deref();
        if present.is_some_and(|bytes| Content::bytes(bytes) == content) {
            return None;
        }
        let file = NewFile {
            path: EspPath::fixed(LOADER_CONF),
            content,
        };
        let ours = |bytes: &[u8]| bytes.starts_with(LoaderConfig::MARK.as_bytes());
        Some(match present {
            Some(bytes) if ours(bytes) && bytes.len() == LoaderConfig::LENGTH => {
                Stage::Overwrite(file)
            }
            Some(bytes) if !ours(bytes) => Stage::Rewrite(Rewrite {
                file,
                backup: Some(EspPath::fixed("loader/loader.conf.before-rootstock")),
            }),
            _ => Stage::Rewrite(Rewrite { file, backup: None }),
        })
    }

    fn finish(self, wanted: &Wanted, frees_first: bool) -> Result<Plan> {
        let space = self.survey.space;
        let replacements = wanted.loaders.iter().map(|file| {
            Stage::Rewrite(Rewrite {
                file: file.clone(),
                backup: None,
            })
        });
        let conf = self.conf(wanted);
        let blocks = |removals: &[Removal]| -> u64 {
            removals.iter().map(|gone| space.of_file(gone.size)).sum()
        };
        let freed = blocks(&self.removals.early_entries) + blocks(&self.removals.early_files);
        let write: Vec<NewFile> = self
            .files
            .into_iter()
            .map(|(path, content)| NewFile { path, content })
            .collect();
        let mut stages = Vec::new();
        let remove = |stages: &mut Vec<Stage>, list: Vec<Removal>| {
            if !list.is_empty() {
                stages.push(Stage::Remove(list));
            }
        };
        remove(&mut stages, self.removals.early_entries);
        remove(&mut stages, self.removals.early_files);
        let first_write = stages.len();
        if !write.is_empty() {
            stages.push(Stage::Write(write));
        }
        if !self.entries.is_empty() {
            stages.push(Stage::Publish(self.entries));
        }
        stages.extend(replacements);
        stages.extend(conf);
        let needed = directories_and_files(&space, &stages[first_write..]);
        remove(&mut stages, self.removals.late_entries);
        remove(&mut stages, self.removals.late_files);
        let available = space.free + freed;
        if needed > available {
            return Err(Error::Space { needed, available });
        }
        let used = space.total - space.free.min(space.total);
        Ok(Plan {
            stages,
            needed,
            available,
            peak: used.saturating_sub(freed) + needed,
            frees_first,
        })
    }
}

/// What the files of some stages take at most, with their names.
fn directories_and_files(space: &crate::Space, stages: &[Stage]) -> u64 {
    let mut names: BTreeMap<Option<EspPath>, u64> = BTreeMap::new();
    let mut total = 0;
    let mut add = |path: &EspPath, size: u64| {
        total += space.of_file(size);
        *names.entry(path.parent()).or_default() += DIRECTORY_ENTRY;
    };
    for stage in stages {
        match stage {
            Stage::Write(files) | Stage::Publish(files) => {
                for file in files {
                    add(&file.path, file.content.size());
                }
            }
            Stage::Rewrite(Rewrite { file, backup }) => {
                add(&file.path, file.content.size());
                if let Some(backup) = backup {
                    add(backup, file.content.size());
                }
            }
            Stage::Overwrite(_) | Stage::Remove(_) => {}
        }
    }
    // One block more for each folder, which may have to be made.
    total
        + names
            .values()
            .map(|bytes| space.of_file(*bytes) + space.block)
            .sum::<u64>()
}
