//! What `unlock` reads: the volume and what opens it, the TPM, demands and proofs.

use crate::commands::number::pcr;
use crate::commands::pcr::BankName;
use crate::commands::running::{self, RunningOptions, registers_of, with_running};
use crate::commands::stored::{documents, keep_srk};
use crate::files;
use crate::print::Out;
use anyhow::Context;
use boot_luks::{Volume, VolumeKey};
use boot_measure::Bank;
use boot_policy::{FLOOR_REFERENCE, PcrSet, SignedPolicies, StoredPolicy};
use boot_sign::{PinSource, Pins, Secret};
use boot_signature::PublicKey;
use boot_tpm::{Device, Socket, Tpm, Transport};
use boot_unlock::{DiskOwner, Evidence, Protection, read_generations, unlock_typed};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The volume, and a passphrase of it.
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeOptions {
    /// The LUKS2 volume: a device or a file.
    volume: PathBuf,
    /// File whose first line is a passphrase or recovery key of the volume; it is asked for when left out.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

fn ask(file: Option<&PathBuf>, what: &str) -> anyhow::Result<Secret> {
    let source = file.map_or(PinSource::Prompt, |path| PinSource::File(path.clone()));
    Ok(Pins::new(source).get(what)?)
}

impl VolumeOptions {
    /// Reads the headers.
    pub(crate) fn open(&self, write: bool) -> anyhow::Result<Volume<File>> {
        let path = self.volume.display().to_string();
        let file = File::options().read(true).write(write).open(&self.volume);
        Volume::read(file.with_context(|| path.clone())?).context(path)
    }

    /// Opens it with the passphrase.
    pub(crate) fn unlock(&self, volume: &mut Volume<File>) -> anyhow::Result<(u32, VolumeKey)> {
        let what = format!("{} (a passphrase or recovery key)", self.volume.display());
        let passphrase = ask(self.passphrase_file.as_ref(), &what)?;
        let opened = unlock_typed(volume, passphrase.expose().as_bytes());
        opened.with_context(|| self.volume.display().to_string())
    }
}

/// Which TPM.
#[derive(Debug, clap::Args)]
pub(crate) struct TpmOptions {
    /// The TPM's device, or socket:PATH for a software TPM.
    #[arg(long, default_value = "/dev/tpmrm0", value_name = "DEVICE|socket:PATH")]
    tpm: String,
}

/// Either kind of TPM.
#[derive(Debug)]
pub(crate) enum AnyTransport {
    Device(Device),
    Socket(Socket),
}

impl Transport for AnyTransport {
    fn exchange(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            AnyTransport::Device(device) => device.exchange(command),
            AnyTransport::Socket(socket) => socket.exchange(command),
        }
    }
}

impl TpmOptions {
    /// Whether it is a device, which is a TPM of this machine.
    pub(crate) fn is_device(&self) -> bool {
        !self.tpm.starts_with("socket:")
    }

    pub(crate) fn open(&self) -> anyhow::Result<Tpm<AnyTransport>> {
        let transport = match self.tpm.strip_prefix("socket:") {
            Some(path) => AnyTransport::Socket(Socket::connect(Path::new(path))?),
            None => AnyTransport::Device(Device::open(Path::new(&self.tpm))?),
        };
        Ok(Tpm::new(transport))
    }
}

/// What a token is to demand.
#[derive(Debug, clap::Args)]
pub(crate) struct Demands {
    /// Registers that must have the values that they have now.
    #[arg(long, value_delimiter = ',', value_name = "PCR", value_parser = pcr)]
    pcr: Vec<u8>,
    /// Their bank.
    #[arg(long, value_enum, default_value = "sha256")]
    bank: BankName,
    /// Public key (RSA) whose holder signs PCR 11 of what may be booted.
    #[arg(long, value_name = "FILE")]
    policy_key: Option<PathBuf>,
    /// Accept only signed policies that hold what was booted to the TPM's floor of security epochs; systemd does not unlock
    /// such a token.
    #[arg(long, requires = "policy_key")]
    floor: bool,
    /// Public key (RSA) of the disk's owner, whose signature opens it whatever state the machine is in (`owner-request`,
    /// `owner-sign`).
    #[arg(long, value_name = "FILE")]
    owner_key: Option<PathBuf>,
    /// Values of registers of each generation that may be booted, up to 4096: a JSON list with an
    /// object for each, of register numbers and hexadecimal values.
    #[arg(long, value_name = "FILE")]
    generations: Option<PathBuf>,
    /// Where to write that list with the running system's state, which is added where it lacks it.
    #[arg(long, value_name = "FILE", requires = "generations")]
    write_generations: Option<PathBuf>,
    /// What the NV index of this policy holds (pcrlock.json): each `pcrlock store` changes what unlocks the disk.
    #[arg(long, value_name = "FILE")]
    stored_policy: Option<PathBuf>,
    #[command(flatten)]
    running: RunningOptions,
    /// Have the TPM keep its storage root key at 0x81000001, where it keeps none, and seal under it: what wants no PIN is then
    /// unlocked while the TPM is locked out. systemd unlocks such a token since 253. One that is there is never replaced.
    #[arg(long)]
    keep_srk: bool,
}

/// The PIN that is to be: from the first line of a file, or asked for.
pub(crate) fn new_pin(file: Option<&PathBuf>) -> anyhow::Result<Secret> {
    ask(file, "the TPM, a new one")
}

impl Demands {
    /// The protection, with the values that registers have now.
    pub(crate) fn protection(
        &self,
        tpm: &mut Tpm<AnyTransport>,
        at: &TpmOptions,
        pin: bool,
        out: &Out,
    ) -> anyhow::Result<Protection> {
        let bank = self.bank.bank();
        if self.keep_srk
            && let Some(what) = keep_srk(tpm, out)?
            && !out.json()
        {
            out.answer(&(), |()| format!("the TPM {what}"))?;
        }
        let registers = if self.pcr.is_empty() {
            None
        } else {
            let now = tpm.registers(bank, &self.pcr)?;
            let value = |pcr: &u8| {
                let value = now.get(bank, *pcr).map(<[u8]>::to_vec);
                let value =
                    value.with_context(|| format!("the TPM has no PCR {pcr} of bank {bank}"))?;
                anyhow::Ok((*pcr, value))
            };
            let values = self
                .pcr
                .iter()
                .map(value)
                .collect::<anyhow::Result<Vec<_>>>()?;
            Some(PcrSet::new(bank, values)?)
        };
        let key = |path: &PathBuf| -> anyhow::Result<PublicKey> {
            PublicKey::read(&files::read(path)?).with_context(|| path.display().to_string())
        };
        let mut generations = match self.generations.as_deref() {
            Some(path) => alternatives(path, bank)?,
            None => Vec::new(),
        };
        if !generations.is_empty() && self.running.runs(at) {
            let pcrs = registers_of(&generations);
            let booted = self.running.booted(tpm, at, bank, &pcrs)?;
            generations = with_running(generations, &booted, self.write_generations.as_ref(), out)?;
        }
        let stored = self.stored_policy.as_deref();
        let stored = stored
            .map(|path| running::read(path, StoredPolicy::from_json))
            .transpose()?;
        Ok(Protection {
            registers,
            signing_key: self.policy_key.as_ref().map(key).transpose()?,
            reference: if self.floor {
                FLOOR_REFERENCE.to_vec()
            } else {
                Vec::new()
            },
            alternatives: generations,
            stored: stored.map(|policy| policy.place),
            pin,
            owner: self
                .owner_key
                .as_ref()
                .map(key)
                .transpose()?
                .map(DiskOwner::new),
        })
    }
}

/// What speaks for the machine beside its registers.
#[derive(Debug, clap::Args)]
pub(crate) struct Proof {
    /// Signed PCR policies of what was booted: `.pcrsig`, as systemd-stub passes it to the initrd.
    #[arg(long, value_name = "FILE")]
    signed: Option<PathBuf>,
    /// The generations that the token was sealed for.
    #[arg(long, value_name = "FILE")]
    known_generations: Option<PathBuf>,
    /// Their bank.
    #[arg(
        long,
        value_enum,
        default_value = "sha256",
        requires = "known_generations"
    )]
    known_bank: BankName,
    /// The policy that an NV index holds, where the token is bound to one (pcrlock.json).
    #[arg(long, value_name = "FILE")]
    known_policy: Option<PathBuf>,
    /// File whose first line is the PIN.
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
}

/// The proofs, read.
pub(crate) struct Proofs {
    signed: Option<SignedPolicies>,
    alternatives: Vec<PcrSet>,
    /// What NV indices hold, or a change is about to write into them.
    pub(crate) stored: Vec<StoredPolicy>,
    pin: Option<Secret>,
}

impl Proof {
    pub(crate) fn read(&self) -> anyhow::Result<Proofs> {
        let signed = |path: &PathBuf| -> anyhow::Result<SignedPolicies> {
            SignedPolicies::from_json(&files::read(path)?)
                .with_context(|| path.display().to_string())
        };
        let known = self.known_generations.as_deref();
        let pin = self.pin_file.as_ref();
        Ok(Proofs {
            signed: self.signed.as_ref().map(signed).transpose()?,
            alternatives: known.map_or(Ok(Vec::new()), |path| {
                alternatives(path, self.known_bank.bank())
            })?,
            stored: self
                .known_policy
                .as_deref()
                .map_or(Ok(Vec::new()), documents)?,
            pin: pin.map(|path| ask(Some(path), "the TPM")).transpose()?,
        })
    }
}

impl Proofs {
    pub(crate) fn evidence(&self) -> Evidence<'_> {
        Evidence {
            signed: self.signed.as_ref(),
            alternatives: &self.alternatives,
            pin: self.pin.as_ref().map(Secret::expose),
        }
    }

    pub(crate) fn has_pin(&self) -> bool {
        self.pin.is_some()
    }
}

/// Reads a list of generations.
fn alternatives(path: &Path, bank: Bank) -> anyhow::Result<Vec<PcrSet>> {
    read_generations(&files::read(path)?, bank).with_context(|| path.display().to_string())
}
