//! A volume for reading: as it is, or as it will be when a plan has been carried out.

use crate::plan::Rewrite;
use crate::survey::read;
use crate::{Content, Error, EspPath, Plan, Result, Stage, Volume};
use std::collections::BTreeMap;

/// What is to be read on a volume.
pub struct Outlook<'a> {
    volume: &'a dyn Volume,
    /// What the plan changes; `None` for a file that goes.
    changed: BTreeMap<&'a EspPath, Option<&'a Content>>,
}

impl std::fmt::Debug for Outlook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlook")
            .field("changed", &self.changed.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Outlook<'a> {
    /// The volume as it is.
    pub fn now(volume: &'a dyn Volume) -> Outlook<'a> {
        Outlook {
            volume,
            changed: BTreeMap::new(),
        }
    }

    /// The volume as `plan` will leave it.
    pub fn after(volume: &'a dyn Volume, plan: &'a Plan) -> Outlook<'a> {
        let mut changed = BTreeMap::new();
        for stage in &plan.stages {
            match stage {
                Stage::Remove(removals) => {
                    changed.extend(removals.iter().map(|gone| (&gone.path, None)));
                }
                Stage::Write(files) | Stage::Publish(files) => {
                    changed.extend(files.iter().map(|file| (&file.path, Some(&file.content))));
                }
                Stage::Overwrite(file) | Stage::Rewrite(Rewrite { file, .. }) => {
                    changed.insert(&file.path, Some(&file.content));
                }
            }
        }
        Outlook { volume, changed }
    }

    /// The files right in a folder with their sizes, in the order of names; none when the folder is not there.
    pub fn files(&self, folder: &EspPath) -> Result<BTreeMap<EspPath, u64>> {
        let found = self.volume.files(folder);
        let mut files: BTreeMap<EspPath, u64> = found
            .map_err(Error::io("listing", folder))?
            .into_iter()
            .collect();
        for (path, content) in &self.changed {
            match content {
                Some(content) => files.insert((*path).clone(), content.size()),
                None => files.remove(path),
            };
        }
        files.retain(|path, _| path.parent().as_ref() == Some(folder));
        Ok(files)
    }

    /// A whole file.
    pub fn read(&self, path: &EspPath) -> Result<Vec<u8>> {
        match self.changed.get(path) {
            Some(Some(content)) => content.to_vec(),
            Some(None) => {
                let gone = std::io::ErrorKind::NotFound.into();
                Err(Error::io("reading", path)(gone))
            }
            None => read(self.volume, path).map_err(Error::io("reading", path)),
        }
    }
}
