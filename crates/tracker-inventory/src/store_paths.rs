//! A channel release's `store-paths`: what was built for it, a store path a line.
//!
//! Invariant: a package gets an output by its name only where exactly one path has that name.

use crate::error::InventoryError;
use crate::package::Package;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

/// Most paths that a release may have; a large one has some 150,000.
pub const MAX_STORE_PATHS: usize = 4_000_000;

/// Longest line that is read, in bytes: a store path's name has at most 211.
const MAX_LINE: u64 = 4096;

/// Characters of a store path's hash.
const HASH: usize = 32;

/// The paths by their names (`bash-5.2`).
#[derive(Debug, Default)]
pub struct StorePaths {
    by_name: HashMap<String, Option<String>>,
    /// Paths read.
    pub count: usize,
}

impl StorePaths {
    /// Reads the list, decompressed.
    ///
    /// # Errors
    /// When a line is no store path, or there are too many.
    pub fn read(input: &mut dyn Read) -> Result<StorePaths, InventoryError> {
        let mut input = BufReader::new(input);
        let mut paths = StorePaths::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut input).take(MAX_LINE).read_until(b'\n', &mut line);
            if read.map_err(InventoryError::Read)? == 0 {
                return Ok(paths);
            }
            paths.count += 1;
            if paths.count > MAX_STORE_PATHS {
                return Err(InventoryError::Limit {
                    what: "store paths",
                    limit: MAX_STORE_PATHS as u64,
                });
            }
            let text = String::from_utf8_lossy(&line);
            let base = text.trim_end().rsplit('/').next().unwrap_or_default();
            let Some((hash, name)) = base.split_once('-') else {
                return Err(InventoryError::Kind {
                    expected: "a list of store paths",
                    found: format!("line {} is none", paths.count),
                });
            };
            if hash.len() != HASH || name.is_empty() {
                return Err(InventoryError::Kind {
                    expected: "a list of store paths",
                    found: format!("line {} is none", paths.count),
                });
            }
            paths
                .by_name
                .entry(name.to_owned())
                .and_modify(|held| *held = None)
                .or_insert_with(|| Some(base.to_owned()));
        }
    }

    /// Gives packages the outputs that were built under their names; how many were found.
    pub fn join(&self, packages: &mut [Package]) -> usize {
        let mut found = 0;
        for package in packages {
            let name = match &package.version {
                Some(version) => format!("{}-{version}", package.pname),
                None => package.pname.clone(),
            };
            if let Some(path) = self.by_name.get(&name) {
                found += 1;
                if package.output.is_none() {
                    package.output.clone_from(path);
                }
            }
        }
        found
    }
}
