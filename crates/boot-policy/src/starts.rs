//! Which boots may come while boot files are changed on several system partitions, and when a machine that hibernated wakes up.
//!
//! A boot's state follows from the loader that the firmware took, the partition that it took it from, and the entry. Partitions
//! are written one after the other, so until all are in step each may start its old or its new loader; firmware takes the next
//! partition where one fails. A machine that wakes up from hibernation starts a loader and an entry as any boot does, and its
//! disk is unlocked before the image is read; the kernel takes the image only when it is the very kernel that wrote it. So the
//! running entry has to be startable by every loader that may lie there by then, not only by the one that it was started by.
//!
//! Invariant: whatever moment the power fails at, and whichever partition the firmware takes next, the boot is one of
//! [`Change::starts`].

use std::collections::BTreeSet;

/// A system partition, and the loader on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition<L> {
    /// The loader that lies there now; none where there is none yet.
    pub now: Option<L>,
    /// The loader that will; none where the partition will no longer be started from.
    pub then: Option<L>,
}

/// What is about to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<L, E> {
    /// All partitions that firmware may start from. A loader is told from another by what firmware measures of it: where the
    /// partition's disk is measured too, the same file on two disks is two loaders.
    pub partitions: Vec<Partition<L>>,
    /// The entries that lie there now.
    pub now: Vec<E>,
    /// Those that will.
    pub then: Vec<E>,
    /// The entry that runs, and that an image of hibernation would be of.
    pub running: Option<E>,
}

/// How far the change has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It is about to begin, or was cut off.
    Changing,
    /// Every partition has been written and read back.
    Changed,
}

impl<L: Clone + Ord, E: Clone + Ord> Change<L, E> {
    /// The boots that may come: loader and entry, each pair once, in order.
    pub fn starts(&self, stage: Stage) -> BTreeSet<(L, E)> {
        let old = stage == Stage::Changing;
        let loaders: BTreeSet<&L> = self
            .partitions
            .iter()
            .flat_map(|partition| {
                let now = partition.now.as_ref().filter(|_| old);
                now.into_iter().chain(&partition.then)
            })
            .collect();
        let before = self.now.iter().filter(|_| old);
        let entries: BTreeSet<&E> = before.chain(&self.then).chain(&self.running).collect();
        let with = |loader: &L| {
            entries
                .iter()
                .map(|entry| (loader.clone(), (*entry).clone()))
                .collect::<Vec<_>>()
        };
        loaders.into_iter().flat_map(with).collect()
    }
}
