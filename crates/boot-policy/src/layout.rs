//! What a stored policy's digest is compiled from: states register by register as systemd-pcrlock has them, or whole states in a
//! tree, held to the floor of security epochs or not.
//!
//! Invariants: a layout compiles to one digest; only systemd's lets a mixture of states pass; a state that is held passes only while
//! the TPM's own counter is at or below its epoch.
//!
//! Source: systemd's `pcrlock` (`make_policy`), whose policies know registers alone.

use crate::{Floor, MAX_ALTERNATIVES, Members, PcrSet, Policy, PolicyDigest, Result, Rule};
use boot_measure::{Bank, pcrlock};
use std::collections::{BTreeMap, BTreeSet};

/// What the index's digest is compiled from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// Register by register, up to eight values each: systemd-pcrlock's. A mixture of states passes too.
    Registers(pcrlock::Policy),
    /// Whole states, in a tree.
    States(Vec<PcrSet>),
    /// The same, each with the floor that it is held to.
    Held(Vec<(PcrSet, Floor)>),
}

impl Layout {
    /// systemd's layout for up to eight states; ours for more, and for members that are held to a floor, which systemd can't express.
    ///
    /// # Errors
    /// None for members, which are over the same registers of one bank.
    pub fn of(members: &Members) -> Result<Layout> {
        let states = members.states();
        if let Some(held) = members.held_states() {
            return Ok(Layout::Held(held));
        }
        let Some(first) = states.first().filter(|_| states.len() <= MAX_ALTERNATIVES) else {
            return Ok(Layout::States(states.to_vec()));
        };
        let mut values: BTreeMap<u8, Vec<Vec<u8>>> = BTreeMap::new();
        for (pcr, value) in states.iter().flat_map(PcrSet::iter) {
            let list = values.entry(pcr).or_default();
            if !list.iter().any(|known| known == value) {
                list.push(value.to_vec());
            }
        }
        Ok(Layout::Registers(pcrlock::Policy::new(
            first.bank(),
            values,
        )?))
    }

    /// The rules.
    ///
    /// # Errors
    /// When a value breaks a rule.
    pub fn rules(&self) -> Result<Vec<Rule>> {
        Ok(match self {
            Layout::Registers(policy) => Policy::try_from(policy)?.rules,
            Layout::States(states) => {
                let one = |state: &PcrSet| vec![Rule::Registers(state.clone())];
                vec![Rule::AnyOf(states.iter().map(one).collect())]
            }
            Layout::Held(states) => {
                let one = |(state, floor): &(PcrSet, Floor)| {
                    vec![Rule::Registers(state.clone()), floor.rule()]
                };
                vec![Rule::AnyOf(states.iter().map(one).collect())]
            }
        })
    }

    /// What the index holds.
    ///
    /// # Errors
    /// When there are no states, or more than 4096.
    pub fn digest(&self) -> Result<PolicyDigest> {
        Policy::of(self.rules()?).digest()
    }

    /// Its states, with the floors that they are held to; none of systemd's layout.
    pub fn states(&self) -> impl Iterator<Item = (&PcrSet, Option<Floor>)> {
        let (free, held) = match self {
            Layout::Registers(_) => (&[][..], &[][..]),
            Layout::States(states) => (&states[..], &[][..]),
            Layout::Held(states) => (&[][..], &states[..]),
        };
        let held = held.iter().map(|(state, floor)| (state, Some(*floor)));
        free.iter().map(|state| (state, None)).chain(held)
    }

    fn first(&self) -> Option<&PcrSet> {
        self.states().next().map(|(state, _)| state)
    }

    /// The bank that it is about.
    pub fn bank(&self) -> Bank {
        match self {
            Layout::Registers(policy) => policy.bank,
            _ => self.first().map_or(Bank::Sha256, PcrSet::bank),
        }
    }

    /// The registers that it is about.
    pub fn pcrs(&self) -> Vec<u8> {
        match self {
            Layout::Registers(policy) => policy.values.iter().map(|of| of.pcr).collect(),
            _ => {
                let first = self.first().into_iter();
                first.flat_map(PcrSet::iter).map(|(pcr, _)| pcr).collect()
            }
        }
    }

    /// The floors that states are held to, one for each.
    pub fn floors(&self) -> impl Iterator<Item = Floor> {
        self.states().filter_map(|(_, floor)| floor)
    }

    /// Handles of the counters that have to be read to tell whether it is satisfied.
    pub fn counters(&self) -> BTreeSet<u32> {
        self.floors().map(|floor| floor.index).collect()
    }
}
