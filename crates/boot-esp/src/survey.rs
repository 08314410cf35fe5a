//! What is on a volume, as far as it is ours.

use crate::{EntryName, Error, EspPath, Result, Space, State, Stem, Volume};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io;

/// Where entries are: the folder in which boot loaders look for unified images.
pub const ENTRIES: &str = "EFI/Linux";
/// Where kernels and initrds are, by content. The whole folder is ours.
pub const SHARED: &str = "EFI/rootstock";
/// The loader's configuration.
pub const LOADER_CONF: &str = "loader/loader.conf";
/// Where the boot loader of the boot option is, and how its name begins.
const LOADERS: &str = "EFI/systemd";
const LOADER_NAME: &str = "systemd-boot";
/// Largest entry that is read.
const MAX_ENTRY: u64 = 64 * 1024 * 1024;
/// Largest configuration of a loader that is read.
const MAX_CONFIG: usize = 64 * 1024;

/// A file that an entry needs beside itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Where.
    pub path: EspPath,
    /// Its length.
    pub size: u64,
    /// Its digest.
    pub sha256: [u8; 32],
}

/// What is thought of an entry's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Whole, and signed by somebody: what it needs.
    Valid(Vec<Need>),
    /// Not: why.
    Broken(String),
}

/// Judges an entry's bytes: signature, form, and what it refers to.
pub type Judge<'a> = &'a dyn Fn(&[u8]) -> Judgement;

/// An entry of ours.
#[derive(Debug, Clone)]
pub struct FoundEntry {
    /// Its name, taken apart.
    pub name: EntryName,
    /// What the name says.
    pub stem: Stem,
    /// Where it is.
    pub path: EspPath,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether it is whole.
    pub judgement: Judgement,
}

impl FoundEntry {
    /// What it needs, when it is whole itself.
    pub fn needs(&self) -> &[Need] {
        match &self.judgement {
            Judgement::Valid(needs) => needs,
            Judgement::Broken(_) => &[],
        }
    }
}

/// What is on a volume.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Room.
    pub space: Space,
    /// Entries of ours.
    pub entries: Vec<FoundEntry>,
    /// Every file in [`SHARED`], with its size.
    pub shared: BTreeMap<EspPath, u64>,
    /// Every file in companion folders of ours, with its size.
    pub companions: BTreeMap<EspPath, u64>,
    /// What a power cut left of programs that were being made or removed: under a short name that FAT made up, with its size.
    pub remnants: Vec<(EspPath, u64)>,
    /// The loader's configuration.
    pub loader_conf: Option<Vec<u8>>,
}

/// Reads a volume: its entries whole, of all else names and sizes.
pub fn survey(volume: &dyn Volume, judge: Judge<'_>) -> Result<Survey> {
    let folder = EspPath::fixed(ENTRIES);
    let root = EspPath::fixed("");
    let space = volume.space().map_err(Error::io("space of", &root))?;
    let mut entries = Vec::new();
    let mut companions = BTreeMap::new();
    for (path, size) in volume
        .files(&folder)
        .map_err(Error::io("listing", &folder))?
    {
        if let Some(stem) = companion_of(&path) {
            // Of an entry that is not ours there is nothing to know.
            if Stem::parse(stem).is_some() {
                companions.insert(path, size);
            }
            continue;
        }
        if path.parent().as_ref() != Some(&folder) {
            continue;
        }
        let Some(name) = EntryName::parse(path.name()) else {
            continue;
        };
        let Some(stem) = Stem::parse(&name.stem) else {
            continue;
        };
        let (bytes, judgement) = if size > MAX_ENTRY {
            let why = format!("{size} bytes: larger than any entry");
            (Vec::new(), Judgement::Broken(why))
        } else {
            match read(volume, &path) {
                Ok(bytes) => {
                    let judgement = judge(&bytes);
                    (bytes, judgement)
                }
                // A chain of clusters that was cut: this entry is lost, the rest is not.
                Err(error) => (Vec::new(), Judgement::Broken(error.to_string())),
            }
        };
        entries.push(FoundEntry {
            name,
            stem,
            path,
            bytes,
            judgement,
        });
    }
    let shared_folder = EspPath::fixed(SHARED);
    let shared: BTreeMap<EspPath, u64> = volume
        .files(&shared_folder)
        .map_err(Error::io("listing", &shared_folder))?
        .into_iter()
        .collect();
    let mut remnants = remnants(volume, &folder, Stem::PREFIX)?;
    remnants.extend(self::remnants(
        volume,
        &EspPath::fixed(LOADERS),
        LOADER_NAME,
    )?);
    let conf = EspPath::fixed(LOADER_CONF);
    let loader_conf = read(volume, &conf)
        .ok()
        .filter(|bytes| bytes.len() <= MAX_CONFIG);
    Ok(Survey {
        space,
        entries,
        shared,
        companions,
        remnants,
        loader_conf,
    })
}

/// What is left of programs of ours, with their sizes: under a short name that FAT made up, and no program, because it is
/// empty, cannot be read, or lacks its first two bytes. A power cut in the middle of making or removing one leaves that; it
/// has to go before anything new is written, which might get clusters that it still claims.
fn remnants(volume: &dyn Volume, folder: &EspPath, prefix: &str) -> Result<Vec<(EspPath, u64)>> {
    let files = volume.files(folder);
    let files = files.map_err(Error::io("listing", folder))?;
    let is_remnant = |(path, size): &(EspPath, u64)| {
        path.parent().as_ref() == Some(folder)
            && is_short_for(path.name(), prefix)
            && *size <= MAX_ENTRY
            && read(volume, path)
                .map_or(true, |bytes| bytes.is_empty() || bytes.starts_with(&[0, 0]))
    };
    Ok(files.into_iter().filter(is_remnant).collect())
}

/// True for names such as `ROOTST~1.EFI` and `RO12AB~1.EFI`, which FAT drivers give to files that begin with `prefix`.
fn is_short_for(name: &str, prefix: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let Some((start, number)) = name
        .strip_suffix(".efi")
        .filter(|stem| stem.len() <= 8)
        .and_then(|stem| stem.split_once('~'))
    else {
        return false;
    };
    let hashed = |start: &str| {
        start.len() == 6
            && start.starts_with(&prefix[..2])
            && start[2..].bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits && !start.is_empty() && (prefix.starts_with(start) || hashed(start))
}

/// The stem in `EFI/Linux/STEM.efi.extra.d/FILE`.
fn companion_of(path: &EspPath) -> Option<&str> {
    let (rest, _) = path.as_str().rsplit_once('/')?;
    rest.rsplit('/').next()?.strip_suffix(".efi.extra.d")
}

/// The whole file.
pub(crate) fn read(volume: &dyn Volume, path: &EspPath) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    volume.read(path, &mut |piece| bytes.extend_from_slice(piece))?;
    Ok(bytes)
}

/// The digest of a file on the volume.
pub(crate) fn digest(volume: &dyn Volume, path: &EspPath) -> io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    volume.read(path, &mut |piece| hasher.update(piece))?;
    Ok(hasher.finalize().into())
}

impl Survey {
    /// True when the entry is whole and everything that it needs is there, by name and size.
    pub fn is_intact(&self, entry: &FoundEntry) -> bool {
        let there = |need: &Need| self.shared.get(&need.path) == Some(&need.size);
        matches!(&entry.judgement, Judgement::Valid(needs) if needs.iter().all(there))
    }

    /// The newest entry that has started well; if none has, the newest that is not bad. Only intact ones count, and those of
    /// another profile, whose numbers say nothing here, behind the system's own.
    pub fn last_good(&self) -> Option<&FoundEntry> {
        let newest = |state: State| {
            self.entries
                .iter()
                .filter(|entry| entry.name.state() == state && self.is_intact(entry))
                .max_by_key(|FoundEntry { stem, .. }| {
                    let own = stem.profile().is_none();
                    (own, !stem.is_specialised(), stem.generation())
                })
        };
        newest(State::Good).or_else(|| newest(State::Untried))
    }

    /// Checks the digest of every shared file that an entry needs; what is wrong is taken out of the survey, so that a plan
    /// writes it again.
    pub fn verify(&mut self, volume: &dyn Volume) -> Vec<EspPath> {
        let mut wrong = Vec::new();
        let needs: BTreeMap<EspPath, Need> = self
            .entries
            .iter()
            .flat_map(FoundEntry::needs)
            .map(|need| (need.path.clone(), need.clone()))
            .collect();
        for (path, need) in needs {
            if self.shared.contains_key(&path) && digest(volume, &path).ok() != Some(need.sha256) {
                // Size 0 is never right.
                self.shared.insert(path.clone(), 0);
                wrong.push(path);
            }
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::is_short_for;
    use crate::Stem;

    #[test]
    fn short_names_that_drivers_make_up_for_ours_are_known() {
        for (name, ours) in [
            ("ROOTST~1.EFI", true),
            ("rootst~12.efi", false),
            ("ROOTS~12.EFI", true),
            ("RO3F9A~1.EFI", true),
            ("ROZF9A~1.EFI", false),
            ("ROOTST~A.EFI", false),
            ("ROOTST~1.CFG", false),
            ("ROUTER~1.EFI", false),
            ("~1.EFI", false),
            ("ROOTSTOC.EFI", false),
            ("rootst~.efi", false),
        ] {
            assert_eq!(is_short_for(name, Stem::PREFIX), ours, "{name}");
        }
    }
}
