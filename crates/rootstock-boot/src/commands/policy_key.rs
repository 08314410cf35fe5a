//! The options that name the key of signed PCR policies, and for what it signs in every entry.

use super::counter::epoch_counter;
use super::pcr::BankName;
use boot_install::{EpochCounter, PolicySigning};
use boot_measure::{Bank, DEFAULT_PHASES};
use boot_sign::{KeyReference, Keys};
use boot_signature::Signer;
use std::path::PathBuf;

/// Who signs PCR policies.
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyOptions {
    /// Put signed PCR policies (`.pcrsig`, `.pcrpkey`) into every entry, by this RSA key: a PEM or DER file, a PKCS#11 URI, or
    /// offline:FOLDER for request files.
    #[arg(long, value_name = "FILE|pkcs11:URI|offline:FOLDER")]
    policy_key: Option<String>,
    /// Certificate of the policy key; only an offline key needs it.
    #[arg(long, value_name = "FILE", requires = "policy_key")]
    policy_certificate: Option<PathBuf>,
    /// Banks of the TPM that policies are signed for. Others than sha256 read every kernel and initrd of a new entry.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "sha256",
        requires = "policy_key"
    )]
    policy_bank: Vec<BankName>,
    /// Phase paths that policies are signed for, such as enter-initrd; systemd's four by default.
    #[arg(long, value_name = "PATH", requires = "policy_key")]
    policy_phase: Vec<String>,
    /// Hold every entry to the TPM's floor of security epochs, by the policies that --policy-key signs and by that of
    /// --stored-policy: what `floor define` said that the counter started at, and the counter's NV index where it is another than
    /// 0x01d10700. systemd does not unlock by such policies.
    #[arg(long, value_name = "START[@INDEX]", value_parser = epoch_counter)]
    pub(crate) floor: Option<EpochCounter>,
}

/// The key, open.
pub(crate) struct OpenPolicyKey<'a> {
    signer: Box<dyn Signer>,
    banks: Vec<Bank>,
    phases: Vec<&'a str>,
    floor: Option<EpochCounter>,
}

impl PolicyOptions {
    /// Refuses a floor that nothing would hold entries to.
    pub(crate) fn check(&self, stored: bool) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.floor.is_none() || self.policy_key.is_some() || stored,
            "--floor holds entries by policies: give --policy-key, --stored-policy, or both"
        );
        Ok(())
    }

    /// Opens the key, when there is one.
    pub(crate) fn open(&self, keys: &mut Keys) -> anyhow::Result<Option<OpenPolicyKey<'_>>> {
        // Not parsed by the argument parser: its messages repeat the value, and that may hold a PIN.
        let Some(key) = &self.policy_key else {
            return Ok(None);
        };
        let reference: KeyReference = key.parse()?;
        let certificate = match &self.policy_certificate {
            Some(path) => super::key::certificates(path)?.into_iter().next(),
            None => None,
        };
        let mut banks: Vec<Bank> = self.policy_bank.iter().map(|name| name.bank()).collect();
        banks.sort_unstable();
        banks.dedup();
        let phases = match self.policy_phase.as_slice() {
            [] => DEFAULT_PHASES.to_vec(),
            given => given.iter().map(String::as_str).collect(),
        };
        Ok(Some(OpenPolicyKey {
            signer: keys.open(&reference, certificate.as_ref())?,
            banks,
            phases,
            floor: self.floor,
        }))
    }
}

impl OpenPolicyKey<'_> {
    /// For the installer.
    pub(crate) fn signing(&self) -> PolicySigning<'_> {
        PolicySigning {
            signer: &*self.signer,
            banks: &self.banks,
            phases: &self.phases,
            floor: self.floor,
        }
    }
}
