//! The random seed on the EFI system partition: how a new one and the kernel's follow from the old one and from what the
//! machine adds. Both are outputs of one hash over all inputs, so neither tells the other.

#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

/// Bytes of a seed.
pub const SEED: usize = 32;
/// Most bytes that are read of a seed file.
pub const MAX_FILE: usize = 512;

/// What goes into seeds; what is not at hand is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inputs<'a> {
    /// The seed file.
    pub file: &'a [u8],
    /// A secret of this machine, which keeps copies of a disk from the same seed (`LoaderSystemToken`).
    pub token: &'a [u8],
    /// The firmware's random numbers.
    pub random: &'a [u8],
    /// The time of day, in any form.
    pub time: &'a [u8],
}

/// What comes out.
#[derive(Clone, PartialEq, Eq)]
pub struct Seeds {
    /// For the file.
    pub file: [u8; SEED],
    /// For the kernel.
    pub kernel: [u8; SEED],
}

/// Seeds are secret.
impl core::fmt::Debug for Seeds {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Seeds")
    }
}

impl Inputs<'_> {
    /// Whether the kernel may believe in the result: the firmware gave random numbers, or the file's are this machine's own.
    pub fn suffice(&self) -> bool {
        let own = self.file.len() >= SEED && self.token.len() >= SEED;
        self.random.len() >= SEED || own
    }

    /// Both seeds.
    pub fn mix(&self) -> Seeds {
        let mut state = Sha256::new_with_prefix(b"rootstock-stub random seed v1");
        let inputs = [self.file, self.token, self.random, self.time];
        for input in inputs {
            state.update((input.len() as u64).to_le_bytes());
            state.update(input);
        }
        let root = state.finalize();
        let output = |label: u8| {
            let mut state = Sha256::new();
            state.update(root);
            state.update([label]);
            state.finalize().into()
        };
        Seeds {
            file: output(0),
            kernel: output(1),
        }
    }
}
