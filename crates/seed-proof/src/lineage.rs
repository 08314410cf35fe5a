//! Lineages: a compiler built from its source by a host, then by itself, again and again. If two lineages of different hosts end in the
//! same bytes, no host has left anything of its own in them.
//!
//! Invariant: a verdict is good only if every lineage reached a generation equal to the one before, and all of them the same one.

use crate::compare::{Comparison, compare};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Generations after which a lineage is given up. The second generation is the first one whose code no host wrote.
pub const MAX_GENERATIONS: usize = 5;

/// One program of a lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Its bytes.
    pub size: usize,
    /// How long building it took.
    pub milliseconds: u64,
}

impl Generation {
    /// Describes a file.
    pub fn new(bytes: &[u8], milliseconds: u64) -> Generation {
        Generation {
            sha256: sha256(bytes),
            size: bytes.len(),
            milliseconds,
        }
    }
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    ::hex::encode(Sha256::digest(bytes))
}

/// What became of one host's build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// Name of the host.
    pub host: String,
    /// What the host says about itself.
    pub version: String,
    /// The host's own build is the first.
    pub generations: Vec<Generation>,
    /// Which generation (from 1) equals the next one.
    pub fixpoint: Option<usize>,
    /// Why it ended without one.
    pub error: Option<String>,
}

impl Lineage {
    /// Builds generation after generation with `build`, which gets the compiler to use (`None`: the host) and returns a program and its
    /// milliseconds. The last program built is returned too.
    pub fn grow(
        host: &str,
        version: &str,
        mut build: impl FnMut(Option<&[u8]>) -> Result<(Vec<u8>, u64), String>,
    ) -> (Lineage, Vec<u8>) {
        let mut lineage = Lineage {
            host: host.to_owned(),
            version: version.to_owned(),
            generations: Vec::new(),
            fixpoint: None,
            error: None,
        };
        let mut last: Option<Vec<u8>> = None;
        while lineage.fixpoint.is_none() && lineage.generations.len() < MAX_GENERATIONS {
            match build(last.as_deref()) {
                Ok((bytes, milliseconds)) => {
                    lineage
                        .generations
                        .push(Generation::new(&bytes, milliseconds));
                    // The host's own build never counts as a fixpoint: a lineage of one program proves nothing.
                    if lineage.generations.len() > 2 && last.as_ref() == Some(&bytes) {
                        lineage.fixpoint = Some(lineage.generations.len() - 1);
                    }
                    last = Some(bytes);
                }
                Err(error) => {
                    lineage.error = Some(error);
                    break;
                }
            }
        }
        if lineage.fixpoint.is_none() && lineage.error.is_none() {
            lineage.error = Some(format!("no fixpoint after {MAX_GENERATIONS} generations"));
        }
        (lineage, last.unwrap_or_default())
    }
}

/// Two lineages that end in different programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// Host of the first lineage.
    pub left: String,
    /// Host of the other one.
    pub right: String,
    /// Where the programs differ, if both are ELF files.
    pub comparison: Option<Comparison>,
}

/// All lineages of one program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Name of the program.
    pub name: String,
    /// SHA-256 over names and contents of all its source files.
    pub source: String,
    /// One for each host.
    pub lineages: Vec<Lineage>,
    /// The program all agree on.
    pub agreed: Option<Generation>,
    /// Lineages that end elsewhere than the first one.
    pub disagreements: Vec<Disagreement>,
}

impl Subject {
    /// Judges lineages, each with its last program.
    pub fn judge(name: &str, source: &str, grown: Vec<(Lineage, Vec<u8>)>) -> Subject {
        let mut disagreements = Vec::new();
        if let Some((first, program)) = grown.first() {
            for (other, their_program) in &grown[1..] {
                if program != their_program {
                    disagreements.push(Disagreement {
                        left: first.host.clone(),
                        right: other.host.clone(),
                        comparison: compare(program, their_program).ok(),
                    });
                }
            }
        }
        let lineages: Vec<Lineage> = grown.into_iter().map(|(lineage, _)| lineage).collect();
        let whole =
            disagreements.is_empty() && lineages.iter().all(|lineage| lineage.fixpoint.is_some());
        let agreed = if whole {
            lineages
                .first()
                .and_then(|lineage| lineage.generations.last().cloned())
        } else {
            None
        };
        Subject {
            name: name.to_owned(),
            source: source.to_owned(),
            lineages,
            agreed,
            disagreements,
        }
    }

    /// True if at least `hosts` lineages took part and all agree.
    pub fn is_good(&self, hosts: usize) -> bool {
        self.agreed.is_some() && self.lineages.len() >= hosts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host whose second generation is `source` and whose first one carries its own name.
    fn honest(host: &str) -> (Lineage, Vec<u8>) {
        let own = format!("by {host}").into_bytes();
        Lineage::grow(host, "1", |compiler| {
            Ok(if compiler.is_none() {
                (own.clone(), 1)
            } else {
                (b"source".to_vec(), 1)
            })
        })
    }

    #[test]
    fn honest_hosts_agree() {
        let subject = Subject::judge("s", "x", vec![honest("a"), honest("b")]);
        assert_eq!(subject.lineages[0].fixpoint, Some(2));
        assert!(subject.is_good(2) && !subject.is_good(3));
    }

    #[test]
    fn a_trojan_that_copies_itself_is_a_disagreement() {
        let trojan = Lineage::grow("t", "1", |_| Ok((b"source and trojan".to_vec(), 1)));
        let subject = Subject::judge("s", "x", vec![honest("a"), trojan]);
        assert_eq!(subject.lineages[1].fixpoint, Some(2));
        assert!(!subject.is_good(1));
        assert_eq!(subject.disagreements[0].right, "t");
    }

    #[test]
    fn what_never_settles_or_fails_is_not_good() {
        let mut n = 0;
        let restless = Lineage::grow("r", "1", |_| {
            n += 1;
            Ok((vec![n], 1))
        });
        assert_eq!(restless.0.generations.len(), MAX_GENERATIONS);
        assert!(!Subject::judge("s", "x", vec![restless]).is_good(1));
        let broken = Lineage::grow("b", "1", |_| Err("no".to_owned()));
        assert!(!Subject::judge("s", "x", vec![broken]).is_good(0));
        assert!(!Subject::judge("s", "x", Vec::new()).is_good(0));
    }
}
