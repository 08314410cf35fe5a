//! Which number a name has: open addressing over the names that the graph holds anyway.
//!
//! A slot holds the number and a part of the name, so that a name that is not there is seldom compared in full. Slots are chosen
//! with a secret of this process: names that were made to meet in one slot meet nowhere else.
//! Invariant: at most half of the slots are taken, and a name is in the first free slot after its own.

use super::ObjectName;
use std::hash::{BuildHasher, RandomState};

/// The part of a name that a slot holds, and the number plus one; 0 for a free slot.
type Slot = (u32, u32);

/// Slots of a table that holds something.
const FIRST_SLOTS: usize = 1024;

/// Names of the last commits that are found without the table: a commit's parents are mostly among them.
const RECENT: usize = 4096;

/// Numbers by name.
#[derive(Debug)]
pub(super) struct NameTable {
    slots: Vec<Slot>,
    /// Numbers plus one, at the place that the name's first bytes say; a later commit takes the place of an earlier one.
    recent: Vec<u32>,
    taken: usize,
    secret: u64,
}

impl Default for NameTable {
    fn default() -> NameTable {
        NameTable {
            slots: Vec::new(),
            recent: vec![0; RECENT],
            taken: 0,
            secret: RandomState::new().hash_one(0_u8) | 1,
        }
    }
}

impl NameTable {
    /// The number of `name`, where `names` holds each number's name.
    pub(super) fn find(&self, names: &[ObjectName], name: &ObjectName) -> Option<u32> {
        let recent = *self.recent.get(recent_place(name))?;
        if let Some(number) = recent.checked_sub(1)
            && names.get(number as usize) == Some(name)
        {
            return Some(number);
        }
        let (mut slot, tag) = self.place(name)?;
        loop {
            match self.slots.get(slot)? {
                (_, 0) => return None,
                (held, number) if *held == tag => {
                    let number = number - 1;
                    if names.get(number as usize) == Some(name) {
                        return Some(number);
                    }
                }
                _ => {}
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// Makes place for so many names, before the first comes.
    pub(super) fn reserve(&mut self, count: usize) {
        if self.slots.is_empty() {
            let wanted = (count * 2).next_power_of_two().max(FIRST_SLOTS);
            self.slots = vec![(0, 0); wanted];
        }
    }

    /// Adds the name of the next number: `names` ends with it, and it was not there before.
    pub(super) fn add(&mut self, names: &[ObjectName]) {
        if (self.taken + 1) * 2 > self.slots.len() {
            let wanted = (self.slots.len() * 2).max(FIRST_SLOTS);
            self.slots.clear();
            self.slots.resize(wanted, (0, 0));
            for (number, name) in names.iter().enumerate() {
                self.put(name, number as u32);
            }
        } else if let Some((name, before)) = names.split_last() {
            self.put(name, before.len() as u32);
        }
        self.taken = names.len();
        if let Some(name) = names.last()
            && let Some(place) = self.recent.get_mut(recent_place(name))
        {
            *place = names.len() as u32;
        }
    }

    fn put(&mut self, name: &ObjectName, number: u32) {
        let Some((mut slot, tag)) = self.place(name) else {
            return;
        };
        while let Some(held) = self.slots.get_mut(slot) {
            if held.1 == 0 {
                *held = (tag, number + 1);
                return;
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// The slot where the search for a name begins, and its tag; `None` in an empty table.
    fn place(&self, name: &ObjectName) -> Option<(usize, u32)> {
        let mask = self.slots.len().checked_sub(1)?;
        let first = u64::from_le_bytes(*name.0.first_chunk()?);
        let mixed = u128::from(first ^ self.secret) * u128::from(self.secret);
        let spread = (mixed as u64) ^ ((mixed >> 64) as u64);
        Some(((spread >> 32) as usize & mask, spread as u32))
    }
}

fn recent_place(name: &ObjectName) -> usize {
    let [a, b, ..] = name.0;
    usize::from(u16::from_le_bytes([a, b])) % RECENT
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::collections::hash_map::Entry;

    proptest! {
        /// As a map: whatever the names, also such as begin alike.
        #[test]
        fn a_table_is_a_map(numbers in prop::collection::vec((0_u64..40, 0_u64..u64::MAX), 0..3000), expected in 0_usize..3000) {
            let name = |(first, last): (u64, u64)| {
                let mut bytes = [0; 20];
                bytes[..8].copy_from_slice(&first.to_le_bytes());
                bytes[12..].copy_from_slice(&last.to_le_bytes());
                ObjectName(bytes)
            };
            let (mut table, mut names, mut truth) = (NameTable::default(), Vec::new(), HashMap::new());
            if expected > 1000 {
                table.reserve(expected);
            }
            for each in &numbers {
                let name = name(*each);
                prop_assert_eq!(table.find(&names, &name), truth.get(&name).copied());
                if let Entry::Vacant(place) = truth.entry(name) {
                    place.insert(names.len() as u32);
                    names.push(name);
                    table.add(&names);
                }
            }
            for (name, number) in &truth {
                prop_assert_eq!(table.find(&names, name), Some(*number));
            }
            prop_assert_eq!(table.find(&names, &ObjectName([0xee; 20])), None);
        }
    }
}
