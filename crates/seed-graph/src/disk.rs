//! Looking at a root's bytes where they lie: a store object, or a local file that a `file:` address names.
//!
//! Invariants: links are not followed; only regular files are opened; a tree is walked without recursion, each
//! directory once, so no loop of links can hold it.

use crate::content::{Budget, Classifier, Content};
use crate::{Item, Key, Origin};
use std::fs;
use std::path::{Path, PathBuf};

/// What a root holds, if its bytes are at hand in `objects` (a store folder) or at a `file:` address.
pub fn content(key: &Key, item: &Item, objects: Option<&Path>, budget: Budget) -> Option<Content> {
    let path = place(key, item, objects)?;
    let mut classifier = Classifier::new(budget);
    tree(&mut classifier, &path, &item.name);
    Some(classifier.finish())
}

/// Where a root's bytes lie, if they are at hand.
fn place(key: &Key, item: &Item, objects: Option<&Path>) -> Option<PathBuf> {
    if let Key::Host(path) = key {
        // A host's path is usually a link to the real program; that one link is resolved.
        return fs::canonicalize(path).ok();
    }
    let stored = objects
        .zip(item.output.as_ref())
        .map(|(objects, path)| objects.join(path.to_string()));
    let stored = stored.filter(|path| path.symlink_metadata().is_ok());
    let local = || match item.origin {
        Origin::Fixed { .. } => item
            .url
            .as_deref()?
            .strip_prefix("file://")
            .map(PathBuf::from),
        _ => None,
    };
    stored
        .or_else(local)
        .filter(|path| path.symlink_metadata().is_ok())
}

/// Looks at a file or at every file below a folder.
pub fn tree(classifier: &mut Classifier, path: &Path, name: &str) {
    let mut open = vec![(path.to_path_buf(), name.to_owned())];
    while let Some((path, name)) = open.pop() {
        let kind = match path.symlink_metadata() {
            Ok(metadata) => metadata.file_type(),
            Err(error) => {
                classifier.problem(&name, error);
                continue;
            }
        };
        if kind.is_file() {
            match fs::File::open(&path) {
                Ok(mut file) => classifier.file(&name, &mut file),
                Err(error) => classifier.problem(&name, error),
            }
        } else if kind.is_dir() {
            match fs::read_dir(&path) {
                Ok(entries) => {
                    let inner = |entry: fs::DirEntry| {
                        (
                            entry.path(),
                            format!("{name}/{}", entry.file_name().to_string_lossy()),
                        )
                    };
                    let mut found: Vec<_> = entries.flatten().map(inner).collect();
                    found.sort();
                    open.extend(found.into_iter().rev());
                }
                Err(error) => classifier.problem(&name, error),
            }
        } else if !kind.is_symlink() {
            classifier.problem(&name, "neither file, folder nor link: not opened");
        }
    }
}
