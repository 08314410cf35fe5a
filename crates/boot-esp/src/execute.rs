//! Carrying out a plan. Whatever happens, the stage that was synced last holds.

use crate::plan::{NewFile, Plan, Rewrite, Stage};
use crate::survey::{ENTRIES, Judge, Judgement, digest, read};
use crate::{Content, EntryName, Error, EspPath, Result, Stem, Volume};
use std::collections::BTreeSet;

/// The part of an entry that is written last. A sector is written whole or not at all, and without it the file is no PE
/// image, so no loader shows it.
const HEADER: usize = 512;

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
                let paths: Vec<&EspPath> = removals.iter().map(|gone| &gone.path).collect();
                run.remove(&paths)?;
            }
            Stage::Write(files) => run.write(files, false)?,
            Stage::Publish(files) => run.write(files, true)?,
            Stage::Overwrite(file) => run.overwrite(file)?,
            Stage::Rewrite(rewrite) => run.rewrite(rewrite)?,
        }
    }
    Ok(())
}

/// Takes the counters off an entry's name: it has started well. The entry is copied to its new name and only then removed
/// under the old one, because a renaming that a power cut interrupts may leave no name at all. True when something changed.
pub fn bless(volume: &dyn Volume, stem: &Stem, judge: Judge<'_>) -> Result<bool> {
    let folder = EspPath::fixed(ENTRIES);
    let found = volume
        .files(&folder)
        .map_err(Error::io("listing", &folder))?;
    let own: Vec<(EspPath, EntryName)> = found
        .into_iter()
        .filter(|(path, _)| path.parent().as_ref() == Some(&folder))
        .filter_map(|(path, _)| {
            let name = EntryName::parse(path.name())?;
            (Stem::parse(&name.stem).as_ref() == Some(stem)).then_some((path, name))
        })
        .collect();
    let valid = |path: &EspPath| -> Option<Vec<u8>> {
        let bytes = read(volume, path).ok()?;
        matches!(judge(&bytes), Judgement::Valid(_)).then_some(bytes)
    };
    let good = EntryName::image(&stem.to_string(), None);
    let target = folder.join(&good.to_string())?;
    let mut run = Run {
        volume,
        progress: &mut |_| {},
    };
    let present = own.iter().find(|(path, _)| *path == target);
    let counted: Vec<&EspPath> = own
        .iter()
        .map(|(path, _)| path)
        .filter(|path| **path != target)
        .collect();
    let whole = present.is_some_and(|(path, _)| valid(path).is_some());
    if !whole {
        let bytes = counted.iter().find_map(|path| valid(path));
        let bytes = bytes.ok_or_else(|| Error::NoEntry {
            name: stem.to_string(),
        })?;
        if present.is_some() {
            run.remove(&[&target])?;
        }
        let file = NewFile {
            path: target,
            content: Content::bytes(bytes),
        };
        run.write(&[file], true)?;
    }
    run.remove(&counted)?;
    Ok(!whole || !counted.is_empty())
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

    /// Writes new files. Their names come to the disk first, then their content, which is read back; entries get their header
    /// last.
    fn write(&mut self, files: &[NewFile], header_last: bool) -> Result<()> {
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
        if header_last {
            // A cluster holds what was deleted before, perhaps the header of another entry, until it is written to. These
            // files are too short for a loader to find anything in them.
            for file in files {
                let length = HEADER.min(file.content.size() as usize);
                self.volume
                    .write(&file.path, 0, &[0; HEADER][..length])
                    .map_err(Error::io("writing", &file.path))?;
            }
            self.sync()?;
        }
        for file in files {
            self.fill(file, header_last)?;
        }
        self.sync()?;
        if header_last {
            for file in files {
                self.prove_body(file)?;
            }
            for file in files {
                let header = head(&file.content)?;
                self.volume
                    .write(&file.path, 0, &header)
                    .map_err(Error::io("writing", &file.path))?;
            }
            self.sync()?;
        }
        for file in files {
            self.prove(&file.path, &file.content)?;
        }
        Ok(())
    }

    fn fill(&mut self, file: &NewFile, header_last: bool) -> Result<()> {
        let (volume, progress) = (self.volume, &mut *self.progress);
        file.content.copy(&mut |offset, piece| {
            let written = if header_last && offset == 0 {
                let mut hidden = piece.to_vec();
                let end = HEADER.min(hidden.len());
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

    /// Reads back an entry whose header is still missing.
    fn prove_body(&mut self, file: &NewFile) -> Result<()> {
        let mut found =
            read(self.volume, &file.path).map_err(Error::io("reading back", &file.path))?;
        let header = head(&file.content)?;
        if found.len() as u64 == file.content.size() {
            found[..header.len()].copy_from_slice(&header);
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

/// The bytes of an entry that are written last.
fn head(content: &Content) -> Result<Vec<u8>> {
    let mut header = Vec::with_capacity(HEADER);
    content.copy(&mut |_, piece| {
        let room = HEADER - header.len();
        header.extend_from_slice(&piece[..room.min(piece.len())]);
        Ok(())
    })?;
    Ok(header)
}
