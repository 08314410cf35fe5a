//! Carrying out a plan. Whatever happens, the stage that was synced last holds.

use crate::plan::{NewFile, Plan, Rewrite, Stage};
use crate::survey::{ENTRIES, Judge, Judgement, digest, read};
use crate::{Content, EntryName, Error, EspPath, Result, Stem, Volume};
use std::collections::BTreeSet;

/// The part of a program that is written last: its first two bytes, `MZ`. Without them the file is no PE image, so no loader
/// shows it and no firmware starts it. Nothing else changes in that sector, so it makes no difference where it is torn.
const MAGIC: usize = 2;
/// What a new program is filled with before its content comes: less than any loader looks at.
const SHORT: usize = 512;

/// What just happened.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A file was removed.
    Removed(&'a EspPath),
    /// So many bytes of a file were written.
    Written(&'a EspPath, u64),
    /// A file was read back and is right.
    Proven(&'a EspPath),
}

/// Carries out `plan`. After an error the volume is as after a power cut: what booted boots, and another run completes.
pub fn execute(
    volume: &dyn Volume,
    plan: &Plan,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<()> {
    let mut run = Run { volume, progress };
    for stage in &plan.stages {
        match stage {
            Stage::Remove(removals) => {
                let whole = removals
                    .iter()
                    .filter(|gone| gone.reason.is_of_whole_entry());
                run.hide(&whole.map(|gone| &gone.path).collect::<Vec<_>>())?;
                run.remove(&removals.iter().map(|gone| &gone.path).collect::<Vec<_>>())?;
            }
            Stage::Write(files) => run.write(files, false)?,
            Stage::Publish(files) => run.write(files, true)?,
            Stage::Overwrite(file) => run.overwrite(file)?,
            Stage::Rewrite(rewrite) => run.rewrite(rewrite)?,
        }
    }
    Ok(())
}

/// The files of one entry: under its good name, and under counted ones.
struct Blessing {
    target: EspPath,
    /// Whether something lies under the good name, and whether it is whole.
    present: bool,
    whole: bool,
    counted: Vec<EspPath>,
    /// The first whole content under a counted name, where the good one has none.
    bytes: Vec<u8>,
}

impl Blessing {
    fn find(volume: &dyn Volume, stem: &Stem, judge: Judge<'_>) -> Result<Blessing> {
        let folder = EspPath::fixed(ENTRIES);
        let found = volume
            .files(&folder)
            .map_err(Error::io("listing", &folder))?;
        let own: Vec<EspPath> = found
            .into_iter()
            .map(|(path, _)| path)
            .filter(|path| path.parent().as_ref() == Some(&folder))
            .filter(|path| {
                let name = EntryName::parse(path.name());
                name.and_then(|name| Stem::parse(&name.stem)).as_ref() == Some(stem)
            })
            .collect();
        let good = EntryName::image(&stem.to_string(), None);
        let target = folder.join(&good.to_string())?;
        let present = own.contains(&target);
        let whole = present && valid(volume, &target, judge).is_some();
        let counted: Vec<EspPath> = own.into_iter().filter(|path| *path != target).collect();
        let bytes = if whole {
            Vec::new()
        } else {
            let bytes = counted.iter().find_map(|path| valid(volume, path, judge));
            bytes.ok_or_else(|| Error::NoEntry {
                name: stem.to_string(),
            })?
        };
        Ok(Blessing {
            target,
            present,
            whole,
            counted,
            bytes,
        })
    }

    fn changes(&self) -> bool {
        !self.whole || !self.counted.is_empty()
    }
}

fn valid(volume: &dyn Volume, path: &EspPath, judge: Judge<'_>) -> Option<Vec<u8>> {
    let bytes = read(volume, path).ok()?;
    matches!(judge(&bytes), Judgement::Valid(_)).then_some(bytes)
}

/// Whether [`bless`] would change something.
pub fn would_bless(volume: &dyn Volume, stem: &Stem, judge: Judge<'_>) -> Result<bool> {
    Ok(Blessing::find(volume, stem, judge)?.changes())
}

/// Takes the counters off an entry's name: it has started well. The entry is copied to its new name and only then removed
/// under the old one, because a renaming that a power cut interrupts may leave no name at all. True when something changed.
pub fn bless(volume: &dyn Volume, stem: &Stem, judge: Judge<'_>) -> Result<bool> {
    let found = Blessing::find(volume, stem, judge)?;
    let changes = found.changes();
    let mut run = Run {
        volume,
        progress: &mut |_| {},
    };
    if !found.whole {
        if found.present {
            run.remove(&[&found.target])?;
        }
        let file = NewFile {
            path: found.target,
            content: Content::bytes(found.bytes),
        };
        run.write(&[file], true)?;
    }
    let counted: Vec<&EspPath> = found.counted.iter().collect();
    let still_shown = counted.iter().copied();
    let still_shown = still_shown.filter(|path| valid(volume, path, judge).is_some());
    run.hide(&still_shown.collect::<Vec<_>>())?;
    run.remove(&counted)?;
    Ok(changes)
}

struct Run<'a> {
    volume: &'a dyn Volume,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

impl Run<'_> {
    fn sync(&self) -> Result<()> {
        let root = EspPath::fixed("/");
        self.volume.sync().map_err(Error::io("syncing", &root))
    }

    /// Makes programs that are whole no programs before they are removed: a power cut in the middle of a removal may leave a
    /// file under the short name that FAT made up, and the boot loader would show it.
    fn hide(&mut self, paths: &[&EspPath]) -> Result<()> {
        if paths.is_empty() {
            return Ok(());
        }
        for path in paths {
            self.volume
                .write(path, 0, &[0; MAGIC])
                .map_err(Error::io("writing", path))?;
        }
        self.sync()
    }

    fn remove(&mut self, paths: &[&EspPath]) -> Result<()> {
        if paths.is_empty() {
            return Ok(());
        }
        for path in paths {
            self.volume
                .remove(path)
                .map_err(Error::io("removing", path))?;
            (self.progress)(Progress::Removed(path));
        }
        self.sync()?;
        // Companion folders go with their last file; a folder that holds more stays.
        let folders: BTreeSet<EspPath> = paths
            .iter()
            .filter_map(|path| path.parent())
            .filter(|folder| folder.as_str().ends_with(".efi.extra.d"))
            .collect();
        let mut changed = false;
        for folder in folders {
            let rest = self
                .volume
                .files(&folder)
                .map_err(Error::io("listing", &folder))?;
            if rest.is_empty() {
                let removed = self.volume.remove_folder(&folder);
                removed.map_err(Error::io("removing", &folder))?;
                changed = true;
            }
        }
        if changed { self.sync() } else { Ok(()) }
    }

    /// Writes new files. Their names come to the disk first, then their content, which is read back; programs get their
    /// first two bytes last.
    fn write(&mut self, files: &[NewFile], magic_last: bool) -> Result<()> {
        let folders: BTreeSet<EspPath> = files.iter().filter_map(|f| f.path.parent()).collect();
        for folder in &folders {
            self.volume
                .make_folder(folder)
                .map_err(Error::io("making folder", folder))?;
        }
        self.sync()?;
        for file in files {
            self.volume
                .create(&file.path)
                .map_err(Error::io("creating", &file.path))?;
        }
        self.sync()?;
        if magic_last {
            // A cluster holds what was deleted before, perhaps the header of another entry, until it is written to. These
            // files are too short for a loader to find anything in them.
            for file in files {
                let length = SHORT.min(file.content.size() as usize);
                self.volume
                    .write(&file.path, 0, &[0; SHORT][..length])
                    .map_err(Error::io("writing", &file.path))?;
            }
            self.sync()?;
        }
        for file in files {
            self.fill(file, magic_last)?;
        }
        self.sync()?;
        if magic_last {
            for file in files {
                self.prove_body(file)?;
            }
            for file in files {
                let magic = magic(&file.content)?;
                self.volume
                    .write(&file.path, 0, &magic)
                    .map_err(Error::io("writing", &file.path))?;
            }
            self.sync()?;
        }
        for file in files {
            self.prove(&file.path, &file.content)?;
        }
        Ok(())
    }

    fn fill(&mut self, file: &NewFile, magic_last: bool) -> Result<()> {
        let (volume, progress) = (self.volume, &mut *self.progress);
        file.content.copy(&mut |offset, piece| {
            let written = if magic_last && offset == 0 {
                let mut hidden = piece.to_vec();
                let end = MAGIC.min(hidden.len());
                hidden[..end].fill(0);
                volume.write(&file.path, offset, &hidden)
            } else {
                volume.write(&file.path, offset, piece)
            };
            written.map_err(Error::io("writing", &file.path))?;
            progress(Progress::Written(&file.path, piece.len() as u64));
            Ok(())
        })
    }

    /// Reads back a program whose first two bytes are still missing.
    fn prove_body(&mut self, file: &NewFile) -> Result<()> {
        let mut found =
            read(self.volume, &file.path).map_err(Error::io("reading back", &file.path))?;
        let magic = magic(&file.content)?;
        if found.len() as u64 == file.content.size() {
            found[..magic.len()].copy_from_slice(&magic);
        }
        if Content::bytes(found) == file.content {
            Ok(())
        } else {
            Err(Error::ReadBack {
                path: file.path.clone(),
            })
        }
    }

    fn prove(&mut self, path: &EspPath, content: &Content) -> Result<()> {
        let found = digest(self.volume, path).map_err(Error::io("reading back", path))?;
        if found != *content.sha256() {
            return Err(Error::ReadBack { path: path.clone() });
        }
        (self.progress)(Progress::Proven(path));
        Ok(())
    }

    fn overwrite(&mut self, file: &NewFile) -> Result<()> {
        self.fill(file, false)?;
        self.sync()?;
        self.prove(&file.path, &file.content)
    }

    fn rewrite(&mut self, rewrite: &Rewrite) -> Result<()> {
        let file = &rewrite.file;
        if let Some(backup) = &rewrite.backup {
            self.keep(&file.path, backup)?;
        }
        if read(self.volume, &file.path).is_ok_and(|bytes| bytes.starts_with(b"MZ")) {
            self.hide(&[&file.path])?;
        }
        self.remove(&[&file.path])?;
        self.write(std::slice::from_ref(file), true)
    }

    /// Copies a file that is not ours before it is replaced; an older copy stays.
    fn keep(&mut self, path: &EspPath, backup: &EspPath) -> Result<()> {
        if digest(self.volume, backup).is_ok() {
            return Ok(());
        }
        let present = read(self.volume, path).map_err(Error::io("reading", path))?;
        let copy = NewFile {
            path: backup.clone(),
            content: Content::bytes(present),
        };
        self.write(&[copy], false)
    }
}

/// The bytes of a program that are written last.
fn magic(content: &Content) -> Result<Vec<u8>> {
    let mut magic = Vec::with_capacity(MAGIC);
    content.copy(&mut |_, piece| {
        let room = MAGIC - magic.len();
        magic.extend_from_slice(&piece[..room.min(piece.len())]);
        Ok(())
    })?;
    Ok(magic)
}
