//! The trait by which a distribution's package lists plug in.
//!
//! Invariant: packages are handed on as they are read; an implementation holds no more than one of them, but for
//! Debian's, whose order tells nothing of versions.

use crate::error::InventoryError;
use crate::package::Package;
use std::collections::HashSet;
use std::io::Read;

/// Most packages that a release may have. Nixpkgs has about 140,000.
pub const MAX_PACKAGES: usize = 2_000_000;

/// Most refused entries that are described; the rest is only counted.
pub const MAX_REJECTED: usize = 1_000;

/// What an inventory says about itself, and what of it was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The channel, where stated.
    pub channel: Option<String>,
    /// The revision, where stated.
    pub revision: Option<String>,
    /// The date as the file has it, where stated.
    pub date: Option<String>,
    /// Packages handed on.
    pub packages: usize,
    /// Entries refused, at most [`MAX_REJECTED`] of them.
    pub rejected: Vec<Rejected>,
    /// How many entries were refused in all.
    pub rejected_count: usize,
}

impl Header {
    /// Notes a refused entry.
    pub(crate) fn reject(&mut self, entry: &str, reason: impl Into<String>) {
        self.rejected_count += 1;
        if self.rejected.len() < MAX_REJECTED {
            self.rejected.push(Rejected {
                entry: entry.chars().take(200).collect(),
                reason: reason.into(),
            });
        }
    }
}

/// Where every reader puts what it finds: packages go on, each attribute once, the rest is noted as refused.
pub(crate) struct Sink<'a> {
    pub(crate) header: Header,
    each: &'a mut dyn FnMut(Package),
    seen: HashSet<String>,
    entries: usize,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(each: &'a mut dyn FnMut(Package)) -> Sink<'a> {
        Sink {
            header: Header::default(),
            each,
            seen: HashSet::new(),
            entries: 0,
        }
    }

    /// Takes an entry, or why it is none; `false` when there are more than [`MAX_PACKAGES`].
    #[must_use]
    pub(crate) fn put(&mut self, entry: &str, package: Result<Package, &str>) -> bool {
        self.entries += 1;
        match package {
            Err(reason) => self.header.reject(entry, reason),
            Ok(package) if !self.seen.insert(package.attribute.clone()) => {
                let reason = "the attribute occurs a second time";
                self.header.reject(&package.attribute, reason);
            }
            Ok(package) => {
                self.header.packages += 1;
                (self.each)(package);
            }
        }
        self.entries <= MAX_PACKAGES
    }
}

/// An entry that is no package, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Attribute, name or line.
    pub entry: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A format of package lists.
pub trait Inventory {
    /// Reads a list (decompressed, see [`crate::open()`]) and hands on its packages in the list's order, each
    /// attribute once.
    fn read(
        &self,
        input: &mut dyn Read,
        each: &mut dyn FnMut(Package),
    ) -> Result<Header, InventoryError>;

    /// Reads a list into memory.
    fn read_all(&self, input: &mut dyn Read) -> Result<(Header, Vec<Package>), InventoryError> {
        let mut packages = Vec::new();
        let header = self.read(input, &mut |package| packages.push(package))?;
        Ok((header, packages))
    }
}
