//! Signed PCR policies of entries: whoever holds the key says that PCR 11 may be what this image leads to, so that a secret
//! which is sealed under the key opens for every generation that was installed with it.

use crate::{Error, Result};
use boot_measure::{Bank, FileOf, Rules, predict_with_files};
use boot_pe::Image;
use boot_pe::epoch::epoch_of;
use boot_policy::{Claim, Floor, PolicyReference, SignedPolicies};
use boot_signature::Signer;

/// Who signs the policies, and for which banks and phases.
#[derive(Clone, Copy)]
pub struct PolicySigning<'a> {
    /// The key, RSA.
    pub signer: &'a dyn Signer,
    /// Banks of the TPM.
    pub banks: &'a [Bank],
    /// Phase paths such as `enter-initrd`.
    pub phases: &'a [&'a str],
    /// The counter that says which epochs are revoked; `None` for policies that hold whatever happens, as systemd's do.
    pub floor: Option<EpochCounter>,
}

/// A machine's counter of security epochs. Counters start where the TPM will, so epochs are counted from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochCounter {
    /// Handle of the NV index.
    pub index: u32,
    /// What it held when it was defined: epoch 0.
    pub start: u64,
}

impl EpochCounter {
    /// The floor of a generation of this epoch.
    pub fn floor(self, epoch: u32) -> Floor {
        Floor {
            index: self.index,
            epoch: self.start.saturating_add(u64::from(epoch)),
        }
    }
}

impl std::fmt::Debug for PolicySigning<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicySigning")
            .field("banks", &self.banks)
            .field("phases", &self.phases)
            .field("floor", &self.floor)
            .finish_non_exhaustive()
    }
}

impl PolicySigning<'_> {
    /// What tells these policies apart from others: the key, banks, phases and counter. Fails when the key can't sign policies.
    pub(crate) fn identity(&self) -> Result<Vec<u8>> {
        let mut identity = self.signer.public_key().pkcs1_der()?;
        for bank in self.banks {
            identity.extend([b'\n']);
            identity.extend(bank.as_str().as_bytes());
        }
        for phase in self.phases {
            identity.extend([b'\n']);
            identity.extend(phase.as_bytes());
        }
        if let Some(counter) = self.floor {
            identity
                .extend(format!("\nfloor {:#010x} {}", counter.index, counter.start).into_bytes());
        }
        Ok(identity)
    }

    /// The public key as `.pcrpkey` holds it.
    pub(crate) fn public_key(&self) -> Result<Vec<u8>> {
        Ok(self.signer.public_key().to_pem()?.into_bytes())
    }

    /// True when a bank needs the referenced files themselves, of which an image states the SHA-256 alone.
    pub(crate) fn needs_files(&self) -> bool {
        self.banks.iter().any(|bank| *bank != Bank::Sha256)
    }

    /// The text of `.pcrsig` for an image that lacks nothing else. Every signature is asked for before the first that was
    /// not given is reported, so that a key elsewhere gets all requests at once.
    pub(crate) fn sign(
        &self,
        image: &[u8],
        subject: &str,
        file_of: &FileOf<'_>,
    ) -> Result<Vec<u8>> {
        let image = Image::parse(image)?;
        let rules = Rules::of(&image)?;
        // From the image and from nowhere else: what is signed is what the image states.
        let epoch = epoch_of(&image)?;
        let floor = self.floor.map(|counter| counter.floor(epoch));
        let mut policies = SignedPolicies::default();
        let mut unsigned = None;
        let reference = match floor {
            Some(_) => PolicyReference::of_floor(),
            None => PolicyReference::None,
        };
        for bank in self.banks {
            let predicted = predict_with_files(&image, rules, *bank, None, self.phases, file_of)?;
            // The first is the moment when the kernel starts, for which nothing is signed.
            for at in predicted.iter().skip(1) {
                let subject = format!("PCR 11 policy of {subject}, {bank}, phase {}", at.phase);
                let claim = Claim {
                    register: &at.register,
                    floor,
                    reference: &reference,
                };
                match boot_policy::sign(claim, self.signer, &subject) {
                    Ok(policy) => policies.add(*bank, policy),
                    Err(boot_policy::Error::Signature(error)) => {
                        unsigned.get_or_insert(error);
                    }
                    Err(error) => return Err(Error::Policy(error)),
                }
            }
        }
        match unsigned {
            Some(error) => Err(error.into()),
            None => Ok(policies.to_json().map_err(Error::Policy)?.into_bytes()),
        }
    }
}
