//! The states that a policy lets pass: those of a plan, and always those of the running system.
//!
//! Invariants: the running system's states are members whatever the plan leaves out, so nothing that is sealed closes before the
//! next boot; all members are over the same registers of one bank; none is there twice.

use crate::booted::later;
use crate::{Booted, Error, MAX_LEAVES, PcrSet, Policy, PolicyDigest, Result, Rule};

/// Alternatives of which each is the state of a whole boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    list: Vec<PcrSet>,
    /// How many of them the plan did not have.
    added: usize,
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
        let members = Members { list, added };
        members.few("a policy has 4096 at most, the running system's among them")
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
        let passed: Vec<Vec<PcrSet>> = self.list.iter().map(later).collect::<Result<_>>()?;
        let mut known: std::collections::BTreeSet<PcrSet> = self.list.iter().cloned().collect();
        let new = passed.into_iter().flatten();
        self.list
            .extend(new.filter(|state| known.insert(state.clone())));
        self.few("a policy has 4096 at most, four for each boot where PCR 11 counts; none but the first is needed in the initrd")
    }

    /// All of them.
    pub fn states(&self) -> &[PcrSet] {
        &self.list
    }

    /// How many states of the running system the plan left out.
    pub fn added(&self) -> usize {
        self.added
    }

    /// One of them holds.
    pub fn rule(&self) -> Rule {
        let one = |state: &PcrSet| vec![Rule::Registers(state.clone())];
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
