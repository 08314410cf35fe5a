//! The states that a policy lets pass: those of a plan, and always those of the running system.
//!
//! Invariants: the running system's states are members whatever the plan leaves out, so nothing that is sealed closes before the
//! next boot; all members are over the same registers of one bank; none is there twice; each of them is held to a floor, or none.

use crate::booted::later;
use crate::{Booted, Error, Floor, MAX_LEAVES, PcrSet, Policy, PolicyDigest, Result, Rule};
use std::collections::BTreeMap;

/// Alternatives of which each is the state of a whole boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    list: Vec<PcrSet>,
    /// How many of them the plan did not have.
    added: usize,
    /// What each is held to; empty where none is.
    floors: BTreeMap<PcrSet, Floor>,
}

impl Members {
    /// The states of a plan, and those of the running system that it lacks.
    ///
    /// # Errors
    /// When two states are over other registers, or there are more than 4096.
    pub fn new(plan: impl IntoIterator<Item = PcrSet>, booted: &Booted) -> Result<Members> {
        let mut known = std::collections::BTreeSet::new();
        let mut list = Vec::new();
        let registers = |set: &PcrSet| {
            (
                set.bank(),
                set.iter().map(|(pcr, _)| pcr).collect::<Vec<_>>(),
            )
        };
        let wanted = booted.states().first().map(registers);
        for (number, state) in plan.into_iter().enumerate() {
            if Some(registers(&state)) != wanted {
                return Err(Error::Invalid {
                    what: format!("state {number} of the plan"),
                    why: "it is over other registers than the running system's",
                });
            }
            if known.insert(state.clone()) {
                list.push(state);
            }
        }
        let planned = list.len();
        let missing = |state: &&PcrSet| known.insert((*state).clone());
        list.extend(booted.states().iter().filter(missing).cloned());
        let added = list.len() - planned;
        let members = Members {
            list,
            added,
            floors: BTreeMap::new(),
        };
        members.few("a policy has 4096 at most, the running system's among them")
    }

    /// The same, each held to a floor: it passes only while the TPM's counter is at or below its epoch. Boots that the registers do
    /// not tell apart are one state, and the highest of their epochs is its. `running` is for states of the running system that the
    /// plan lacks.
    ///
    /// # Errors
    /// As for [`Members::new`].
    pub fn held(
        plan: impl IntoIterator<Item = (PcrSet, Floor)>,
        booted: &Booted,
        running: Floor,
    ) -> Result<Members> {
        let plan: Vec<(PcrSet, Floor)> = plan.into_iter().collect();
        let mut members = Members::new(plan.iter().map(|(state, _)| state.clone()), booted)?;
        for (state, floor) in plan {
            let highest = members.floors.entry(state).or_insert(floor);
            *highest = floor.max(*highest);
        }
        for state in &members.list {
            members.floors.entry(state.clone()).or_insert(running);
        }
        Ok(members)
    }

    fn few(self, why: &'static str) -> Result<Members> {
        let what = || format!("{} states", self.list.len());
        if self.list.len() > MAX_LEAVES {
            return Err(Error::Invalid { what: what(), why });
        }
        Ok(self)
    }

    /// The same boots, from unlocking until they shut down: PCR 11 with the phases that pass, as systemd-pcrlock has it. What is
    /// sealed is released to the running system then, which can write the next policy by itself.
    ///
    /// # Errors
    /// When there are more than 4096 states then, four for each boot whose PCR 11 counts.
    pub fn until_shutdown(mut self) -> Result<Members> {
        let mut known: std::collections::BTreeSet<PcrSet> = self.list.iter().cloned().collect();
        for unlocked in self.list.clone() {
            let floor = self.floors.get(&unlocked).copied();
            for passed in later(&unlocked)? {
                if known.insert(passed.clone()) {
                    self.floors
                        .extend(floor.map(|floor| (passed.clone(), floor)));
                    self.list.push(passed);
                }
            }
        }
        self.few("a policy has 4096 at most, four for each boot where PCR 11 counts; none but the first is needed in the initrd")
    }

    /// All of them.
    pub fn states(&self) -> &[PcrSet] {
        &self.list
    }

    /// All of them with what they are held to; none where they are held to nothing.
    pub(crate) fn held_states(&self) -> Option<Vec<(PcrSet, Floor)>> {
        let one = |state: &PcrSet| Some((state.clone(), *self.floors.get(state)?));
        self.list.iter().map(one).collect()
    }

    /// How many states of the running system the plan left out.
    pub fn added(&self) -> usize {
        self.added
    }

    /// One of them holds.
    pub fn rule(&self) -> Rule {
        let one = |state: &PcrSet| {
            let floor = self.floors.get(state).copied().map(Floor::rule);
            std::iter::once(Rule::Registers(state.clone()))
                .chain(floor)
                .collect()
        };
        Rule::AnyOf(self.list.iter().map(one).collect())
    }

    /// The policy of these alone.
    pub fn policy(&self) -> Policy {
        Policy::of(vec![self.rule()])
    }

    /// Its digest: what an NV index holds, or an object is sealed with.
    ///
    /// # Errors
    /// None, since there is one member at least and no more than 4096.
    pub fn digest(&self) -> Result<PolicyDigest> {
        self.policy().digest()
    }
}
