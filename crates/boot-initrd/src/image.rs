//! The archive: files at their places, the folders above them made, in the order of their names.

use crate::{CommandLine, Dependencies, Error, Result, check_program};
use boot_stub_core::archive::tree;
use std::collections::{BTreeMap, BTreeSet};

/// Where the kernel looks for the first program.
pub const INIT: &str = "init";
/// Words that go before the kernel's command line.
pub const WORDS: &str = "etc/boot-init/words";
/// Longest place, in bytes, and most parts of it.
const MAX_PLACE: usize = 512;
const MAX_PARTS: usize = 32;
/// Types and modes of records.
const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_555;
const FILE: u32 = 0o100_444;

/// What an initrd is made of.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The first program, `boot-init`.
    pub init: &'a [u8],
    /// The kernel's release, as `uname -r` says it.
    pub release: &'a str,
    /// What its modules need; see [`Chosen`](crate::Chosen).
    pub dependencies: &'a Dependencies,
    /// Its modules: files and their content.
    pub modules: &'a [(String, Vec<u8>)],
    /// Words that go before the kernel's command line.
    pub words: &'a str,
    /// More files, by their places.
    pub more: &'a BTreeMap<String, Vec<u8>>,
}

/// An initrd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The archive.
    pub bytes: Vec<u8>,
    /// Its files with their sizes, in its order.
    pub files: Vec<(String, usize)>,
}

/// A place inside of the archive, without the slash before it.
fn place(text: &str) -> Result<&str> {
    let wrong = |why| Error::Place {
        place: text.to_owned(),
        why,
    };
    let inner = text.strip_prefix('/').unwrap_or(text);
    if inner.len() > MAX_PLACE || inner.split('/').count() > MAX_PARTS {
        return Err(wrong("it is longer than 512 bytes or 32 parts"));
    }
    let good = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    if inner.split('/').all(good) {
        Ok(inner)
    } else {
        Err(wrong("it is no path from the root"))
    }
}

impl Image {
    /// Writes the archive.
    ///
    /// # Errors
    /// When the program is not linked statically, the words can't be followed, two files have one place, or all are too large.
    pub fn build(content: &Content<'_>) -> Result<Image> {
        check_program(content.init)?;
        CommandLine::parse(content.words)?;
        let folder = format!("lib/modules/{}", content.release);
        if content.release.contains('/') {
            return Err(Error::Place {
                place: folder,
                why: "a kernel's release has no slash",
            });
        }
        let table = content.dependencies.to_text();
        let mut all: BTreeMap<String, (u32, &[u8])> = BTreeMap::new();
        let mut add = |path: &str, mode, bytes| {
            let path = place(path)?.to_owned();
            match all.insert(path.clone(), (mode, bytes)) {
                None => Ok(()),
                Some(_) => Err(Error::Place {
                    place: path,
                    why: "two files have this place",
                }),
            }
        };
        add(INIT, PROGRAM, content.init)?;
        if !content.words.is_empty() {
            add(WORDS, FILE, content.words.as_bytes())?;
        }
        add(&format!("{folder}/modules.dep"), FILE, table.as_bytes())?;
        for (file, bytes) in content.modules {
            add(&format!("{folder}/{file}"), FILE, bytes)?;
        }
        for (path, bytes) in content.more {
            add(path, FILE, bytes)?;
        }
        archive(&all)
    }
}

fn archive(all: &BTreeMap<String, (u32, &[u8])>) -> Result<Image> {
    let mut folders = BTreeSet::new();
    for path in all.keys() {
        folders.extend(path.match_indices('/').map(|(at, _)| &path[..at]));
    }
    if let Some(both) = folders.iter().find(|folder| all.contains_key(**folder)) {
        return Err(Error::Place {
            place: (*both).to_owned(),
            why: "it is a file and a folder",
        });
    }
    let mut records: Vec<(&str, u32, &[u8])> = folders
        .into_iter()
        .map(|folder| (folder, FOLDER, &[][..]))
        .chain(
            all.iter()
                .map(|(path, (mode, bytes))| (&**path, *mode, *bytes)),
        )
        .collect();
    // A folder's name begins the names of what is in it.
    records.sort_unstable_by_key(|record| record.0);
    let bytes = tree(records.iter().copied()).map_err(|_| Error::TooLarge)?;
    let files = all
        .iter()
        .map(|(path, (_, bytes))| (path.clone(), bytes.len()));
    Ok(Image {
        bytes,
        files: files.collect(),
    })
}
