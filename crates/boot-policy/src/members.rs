//! The states that a policy lets pass: those of a plan, and always those of the running system.
//!
//! Invariants: the running system's states are members whatever the plan leaves out, so nothing that is sealed closes before the
//! next boot; all members are over the same registers of one bank; none is there twice.

use crate::{Booted, Error, MAX_LEAVES, PcrSet, Policy, PolicyDigest, Result, Rule};

/// Alternatives of which each is the state of a whole boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    list: Vec<PcrSet>,
    /// How many of them the plan did not have: the last ones.
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
        if list.len() > MAX_LEAVES {
            return Err(Error::Invalid {
                what: format!("{} states", list.len()),
                why: "a policy has 4096 at most, the running system's among them",
            });
        }
        let added = list.len() - planned;
        Ok(Members { list, added })
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
