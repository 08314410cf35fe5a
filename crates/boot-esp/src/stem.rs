//! The names that are ours: `rootstock-[PROFILE@]GENERATION[.SPECIALISATION]-HASH`. A file of another name is foreign.

use std::fmt;

/// Hexadecimal digits of the hash.
const HASH: usize = 24;
/// Longest profile or specialisation that is shown in the name; the hash tells longer ones apart.
const MAX_PART: usize = 32;

/// The part of an entry's file name that stays while its counters change. The hash covers all that the entry is made of, so
/// two entries of one stem are the same entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stem {
    /// Number of the generation; newer ones are larger.
    generation: u64,
    /// Profile besides the system's own.
    profile: Option<String>,
    /// Path of specialisations.
    specialisations: Vec<String>,
    hash: String,
}

/// What FAT and the grammar allow: lower-case letters, digits, `_` and `-`.
fn plain(text: &str) -> String {
    let fold = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '-' | '_') => c,
        _ => '_',
    };
    text.chars().take(MAX_PART).map(fold).collect()
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && plain(text) == text
}

impl Stem {
    /// What every name of ours begins with.
    pub(crate) const PREFIX: &str = "rootstock-";

    /// The stem of a generation; `digest` is the SHA-256 of everything that the entry is made of.
    pub fn new(
        profile: Option<&str>,
        generation: u64,
        specialisations: &[&str],
        digest: &[u8; 32],
    ) -> Stem {
        let hash = hex::encode(&digest[..HASH / 2]);
        Stem {
            generation,
            profile: profile.map(plain).filter(|name| !name.is_empty()),
            specialisations: specialisations.iter().map(|name| plain(name)).collect(),
            hash,
        }
    }

    /// Reads a stem; `None` when the name is not ours.
    pub fn parse(text: &str) -> Option<Stem> {
        let (body, hash) = text.strip_prefix(Stem::PREFIX)?.rsplit_once('-')?;
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if hash.len() != HASH || !hash.bytes().all(digit) {
            return None;
        }
        let (profile, rest) = match body.split_once('@') {
            Some((profile, rest)) => (Some(profile), rest),
            None => (None, body),
        };
        let mut parts = rest.split('.');
        let generation = parts.next()?;
        let number: u64 = generation.parse().ok()?;
        let specialisations: Vec<String> = parts.map(str::to_owned).collect();
        let canonical = generation == number.to_string()
            && profile.is_none_or(is_plain)
            && specialisations.iter().all(|part| is_plain(part));
        canonical.then(|| Stem {
            generation: number,
            profile: profile.map(str::to_owned),
            specialisations,
            hash: hash.to_owned(),
        })
    }

    /// Number of the generation.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Profile besides the system's own.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// True for a specialisation's entry.
    pub fn is_specialised(&self) -> bool {
        !self.specialisations.is_empty()
    }

    /// The folder of companion files that the stub reads, without counters.
    pub fn companion_folder(&self) -> String {
        format!("{self}.efi.extra.d")
    }
}

impl fmt::Display for Stem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Stem::PREFIX)?;
        if let Some(profile) = &self.profile {
            write!(f, "{profile}@")?;
        }
        write!(f, "{}", self.generation)?;
        for part in &self.specialisations {
            write!(f, ".{part}")?;
        }
        write!(f, "-{}", self.hash)
    }
}
