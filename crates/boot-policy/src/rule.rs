//! A policy as a description, what digest it compiles to, and which commands satisfy it on a machine as it is.
//!
//! Invariants: the commands of [`Policy::satisfy`] lead a session to [`Policy::digest`], whichever alternative they take;
//! they are as many as the rules and the depth of the trees need; a policy that is not satisfied says what stands against
//! the alternative that comes nearest.

use crate::{
    Comparison, Error, KeyArea, MAX_LEAVES, NvPublic, OrTree, PcrSet, PolicyDigest, Result,
};

/// Deepest nesting of alternatives.
const MAX_DEPTH: usize = 4;

/// Who else has a say: what a policy rests on, before its own rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Whatever the holder of a key has signed (PolicyAuthorize).
    SignedBy {
        /// The public key.
        key: KeyArea,
        /// Policy reference, up to 32 bytes; usually empty.
        reference: Vec<u8>,
    },
    /// Whatever an NV index holds (PolicyAuthorizeNV); the index is described as written.
    StoredIn(NvPublic),
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Registers have these values.
    Registers(PcrSet),
    /// One of the alternatives holds: each is a list of rules.
    AnyOf(Vec<Vec<Rule>>),
    /// What an NV index holds, eight bytes, compares with a number; the index is described as written.
    Counter {
        /// The index.
        index: NvPublic,
        /// How.
        comparison: Comparison,
        /// With what.
        number: u64,
    },
    /// The sealed object's own authorisation value is given: a PIN.
    Pin,
}

/// A policy: a base and conditions, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What it rests on; none when the rules are all of it.
    pub base: Option<Base>,
    /// Conditions, in order.
    pub rules: Vec<Rule>,
}

/// What a machine is like.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Its registers.
    pub registers: boot_measure::Registers,
    /// What counters hold, by handle of the NV index.
    pub counters: std::collections::BTreeMap<u32, u64>,
    /// True when a PIN is given.
    pub pin: bool,
}

/// What the base of a policy approves, to be satisfied first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// The approved policy's rules.
    pub rules: Vec<Rule>,
    /// The signature over its digest and the reference; empty where an NV index approves.
    pub signature: Vec<u8>,
}

/// One command on a policy session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// PolicyPCR.
    Pcr(PcrSet),
    /// PolicyOR.
    Or(Vec<PolicyDigest>),
    /// PolicyNV.
    Nv {
        /// The index, as written.
        index: NvPublic,
        /// How it compares.
        comparison: Comparison,
        /// With what.
        number: u64,
    },
    /// PolicyAuthValue.
    AuthValue,
    /// VerifySignature of `approved` with the reference, then PolicyAuthorize with the ticket.
    Authorize {
        /// The public key.
        key: KeyArea,
        /// Policy reference.
        reference: Vec<u8>,
        /// The digest that the session has by now.
        approved: PolicyDigest,
        /// The signature over it.
        signature: Vec<u8>,
    },
    /// PolicyAuthorizeNV.
    AuthorizeNv(NvPublic),
    /// PolicySigned, without the session's nonce and without an end.
    Signed {
        /// The public key.
        key: KeyArea,
        /// Policy reference.
        reference: Vec<u8>,
        /// The key's signature over [`crate::Owner::to_be_signed`].
        signature: Vec<u8>,
    },
}

/// Why a policy is not satisfied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Registers have other values.
    #[error("PCR {} has another value than the policy wants", list(.pcrs))]
    Registers {
        /// Which.
        pcrs: Vec<u8>,
    },
    /// A counter is past what the policy allows: the generation is below the floor.
    #[error("the counter {index:#010x} holds {held}, and the policy wants it {} {number}", words(*.comparison))]
    Counter {
        /// Handle.
        index: u32,
        /// What it holds.
        held: u64,
        /// How it must compare.
        comparison: Comparison,
        /// With what.
        number: u64,
    },
    /// A counter that the policy asks for is not there.
    #[error("there is no counter {index:#010x}")]
    NoCounter {
        /// Handle.
        index: u32,
    },
    /// A PIN is wanted.
    #[error("the policy wants a PIN")]
    Pin,
    /// No alternative holds.
    #[error("none of {count} alternatives holds; the nearest is number {nearest}: {refusal}")]
    Alternatives {
        /// How many there are.
        count: usize,
        /// The nearest, from 0.
        nearest: usize,
        /// What stands against it.
        refusal: Box<Refusal>,
    },
    /// The base approves nothing that was given.
    #[error("nothing that the policy's base approves was given")]
    NothingApproved,
}

fn list(pcrs: &[u8]) -> String {
    let texts: Vec<String> = pcrs.iter().map(u8::to_string).collect();
    texts.join(", ")
}

fn words(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "to be",
        Comparison::AtMost => "to be at most",
        Comparison::AtLeast => "to be at least",
    }
}

impl TryFrom<&boot_measure::pcrlock::Policy> for Policy {
    type Error = Error;

    /// systemd-pcrlock's policy, as an NV index holds its digest: all registers of one value together, then each register
    /// of several.
    fn try_from(policy: &boot_measure::pcrlock::Policy) -> Result<Policy> {
        let (single, several): (Vec<_>, Vec<_>) =
            policy.values.iter().partition(|of| of.values.len() == 1);
        let set = |pairs: Vec<(u8, Vec<u8>)>| PcrSet::new(policy.bank, pairs).map(Rule::Registers);
        let mut rules = Vec::new();
        if !single.is_empty() {
            let pairs = single.iter().map(|of| (of.pcr, of.values[0].clone()));
            rules.push(set(pairs.collect())?);
        }
        for of in several {
            let one = |value: &Vec<u8>| Ok(vec![set(vec![(of.pcr, value.clone())])?]);
            rules.push(Rule::AnyOf(
                of.values.iter().map(one).collect::<Result<_>>()?,
            ));
        }
        Ok(Policy::of(rules))
    }
}

impl Refusal {
    /// How far from holding: the order by which the nearest alternative is chosen. A generation whose registers hold but
    /// which is below the floor is nearer than one that is not booted at all.
    fn distance(&self) -> usize {
        match self {
            Refusal::Pin => 0,
            Refusal::Counter { .. } | Refusal::NoCounter { .. } => 1,
            Refusal::Registers { pcrs } => 1 + pcrs.len(),
            Refusal::Alternatives { refusal, .. } => refusal.distance(),
            Refusal::NothingApproved => usize::MAX,
        }
    }

    /// What stands against the nearest alternative, without the alternatives around it.
    pub fn cause(&self) -> &Refusal {
        match self {
            Refusal::Alternatives { refusal, .. } => refusal.cause(),
            other => other,
        }
    }
}

impl Base {
    fn digest(&self) -> PolicyDigest {
        match self {
            Base::SignedBy { key, reference } => PolicyDigest::authorize(&key.name(), reference),
            Base::StoredIn(index) => PolicyDigest::authorize_nv(&index.name()),
        }
    }
}

/// The digest after the rules, from a digest before them.
fn compile(before: PolicyDigest, rules: &[Rule], depth: usize) -> Result<PolicyDigest> {
    rules.iter().try_fold(before, |digest, rule| {
        Ok(match rule {
            Rule::Registers(registers) => digest.pcr(registers),
            Rule::Counter {
                index,
                comparison,
                number,
            } => digest.nv(&index.name(), *comparison, *number),
            Rule::Pin => digest.auth_value(),
            Rule::AnyOf(alternatives) => tree(digest, alternatives, depth)?.root(),
        })
    })
}

fn tree(before: PolicyDigest, alternatives: &[Vec<Rule>], depth: usize) -> Result<OrTree> {
    if depth == MAX_DEPTH {
        return Err(Error::Invalid {
            what: "alternatives".to_owned(),
            why: "they are nested deeper than four times",
        });
    }
    if alternatives.len() > MAX_LEAVES {
        return Err(Error::Invalid {
            what: format!("{} alternatives", alternatives.len()),
            why: "a policy has one to 4096",
        });
    }
    let leaves: Vec<PolicyDigest> = alternatives
        .iter()
        .map(|rules| compile(before, rules, depth + 1))
        .collect::<Result<_>>()?;
    OrTree::new(&leaves)
}

/// The digest that commands lead to, or why there are none.
type Outcome = std::result::Result<PolicyDigest, Refusal>;

/// Satisfies rules on a machine: appends the commands, and answers the digest that they lead to.
fn walk(
    before: PolicyDigest,
    rules: &[Rule],
    state: &State,
    depth: usize,
    commands: &mut Vec<Command>,
) -> Result<Outcome> {
    let mut digest = before;
    for rule in rules {
        match rule {
            Rule::Registers(registers) => {
                let pcrs = registers.differing(&state.registers);
                if !pcrs.is_empty() {
                    return Ok(Err(Refusal::Registers { pcrs }));
                }
                digest = digest.pcr(registers);
                commands.push(Command::Pcr(registers.clone()));
            }
            Rule::Counter {
                index,
                comparison,
                number,
            } => {
                let (handle, comparison, number) = (index.index, *comparison, *number);
                let Some(held) = state.counters.get(&handle).copied() else {
                    return Ok(Err(Refusal::NoCounter { index: handle }));
                };
                if !comparison.holds(held, number) {
                    return Ok(Err(Refusal::Counter {
                        index: handle,
                        held,
                        comparison,
                        number,
                    }));
                }
                digest = digest.nv(&index.name(), comparison, number);
                commands.push(Command::Nv {
                    index: index.clone(),
                    comparison,
                    number,
                });
            }
            Rule::Pin if !state.pin => return Ok(Err(Refusal::Pin)),
            Rule::Pin => {
                digest = digest.auth_value();
                commands.push(Command::AuthValue);
            }
            Rule::AnyOf(alternatives) => {
                match choose(digest, alternatives, state, depth, commands)? {
                    Ok(root) => digest = root,
                    refused => return Ok(refused),
                }
            }
        }
    }
    Ok(Ok(digest))
}

/// Takes the first alternative that holds.
fn choose(
    before: PolicyDigest,
    alternatives: &[Vec<Rule>],
    state: &State,
    depth: usize,
    commands: &mut Vec<Command>,
) -> Result<Outcome> {
    let mut nearest = Nearest::default();
    let start = commands.len();
    for (number, rules) in alternatives.iter().enumerate() {
        match walk(before, rules, state, depth + 1, commands)? {
            Ok(_) => {
                let tree = tree(before, alternatives, depth)?;
                let path = tree.path(number).expect("the leaf is one of the tree");
                commands.extend(path.into_iter().map(|group| Command::Or(group.to_vec())));
                return Ok(Ok(tree.root()));
            }
            Err(refusal) => {
                commands.truncate(start);
                nearest.note(number, refusal);
            }
        }
    }
    match nearest.refusal() {
        Some(refusal) => Ok(Err(refusal)),
        None => Err(Error::Invalid {
            what: "0 alternatives".to_owned(),
            why: "a policy has one to 4096",
        }),
    }
}

/// The alternative that comes nearest, of those that do not hold.
#[derive(Default)]
struct Nearest {
    count: usize,
    best: Option<(usize, Refusal)>,
}

impl Nearest {
    fn note(&mut self, number: usize, refusal: Refusal) {
        self.count += 1;
        let best = self.best.as_ref();
        if best.is_none_or(|(_, best)| refusal.distance() < best.distance()) {
            self.best = Some((number, refusal));
        }
    }

    /// None when nothing was tried.
    fn refusal(self) -> Option<Refusal> {
        let (nearest, refusal) = self.best?;
        Some(match self.count {
            1 => refusal,
            count => Refusal::Alternatives {
                count,
                nearest,
                refusal: Box::new(refusal),
            },
        })
    }
}

impl Policy {
    /// A policy of rules alone.
    pub fn of(rules: Vec<Rule>) -> Policy {
        Policy { base: None, rules }
    }

    fn start(&self) -> PolicyDigest {
        self.base.as_ref().map_or(PolicyDigest::START, Base::digest)
    }

    /// The digest that an object is sealed with.
    ///
    /// # Errors
    /// When alternatives are none, more than 4096, or nested deeper than four times.
    pub fn digest(&self) -> Result<PolicyDigest> {
        compile(self.start(), &self.rules, 0)
    }

    /// The commands that lead a session to the digest on this machine. `approved` is what the base's key has signed or its
    /// index holds; the first that holds is taken. It is not looked at where there is no base.
    ///
    /// # Errors
    /// The outer error says that the policy is none, the inner one why it is not satisfied.
    pub fn satisfy(
        &self,
        state: &State,
        approved: &[Approved],
    ) -> Result<std::result::Result<Vec<Command>, Refusal>> {
        let mut commands = Vec::new();
        if let Some(base) = &self.base
            && let Err(refusal) = base.satisfy(state, approved, &mut commands)?
        {
            return Ok(Err(refusal));
        }
        Ok(walk(self.start(), &self.rules, state, 0, &mut commands)?.map(|_| commands))
    }
}

impl Base {
    /// Satisfies the first of the approved policies that holds, and has it approved.
    fn satisfy(
        &self,
        state: &State,
        approved: &[Approved],
        commands: &mut Vec<Command>,
    ) -> Result<Outcome> {
        let mut nearest = Nearest::default();
        for (number, one) in approved.iter().enumerate() {
            match walk(PolicyDigest::START, &one.rules, state, 0, commands)? {
                Ok(digest) => {
                    commands.push(self.approve(digest, one));
                    return Ok(Ok(self.digest()));
                }
                Err(refusal) => {
                    commands.clear();
                    nearest.note(number, refusal);
                }
            }
        }
        Ok(Err(nearest.refusal().unwrap_or(Refusal::NothingApproved)))
    }

    /// The command that puts the base's approval over a session of this digest.
    fn approve(&self, approved: PolicyDigest, by: &Approved) -> Command {
        match self {
            Base::SignedBy { key, reference } => Command::Authorize {
                key: key.clone(),
                reference: reference.clone(),
                approved,
                signature: by.signature.clone(),
            },
            Base::StoredIn(index) => Command::AuthorizeNv(index.clone()),
        }
    }
}
