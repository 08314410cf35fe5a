//! `pcr predict` and `policy sign|verify`: what registers will hold, and who vouches for PCR 11 of an image.

use super::boot::BootOptions;
use super::companions;
use super::counter::epoch_counter;
use super::explain;
use super::key::PinOptions;
use super::log;
use crate::commands::number::number;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_install::EpochCounter;
use boot_measure::{
    Bank, DEFAULT_PHASES, Expectation, Measurement, Order, Pcr11, Rules, StubChoice, UNTOUCHED,
    Unforeseen,
};
use boot_pe::Image;
use boot_pe::epoch::epoch_of;
use boot_pe::reference::{self, References};
use boot_policy::{PolicyReference, SignedPolicies};
use boot_sign::KeyReference;
use boot_signature::{Certificate, PublicKey};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// PCR 11.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PcrCommand {
    /// Print what registers will hold: PCR 11 of one image, or all that can be foreseen of a machine's boot.
    #[command(after_help = "\
With an image, PCR 11 is printed for each bank and phase. Without, a boot is foreseen from what is known of the machine:
its variables and its disk, the files that start, or a log into which changes are put. What can't be foreseen is said.

Examples:
  rootstock-boot pcr predict --bank sha256 nixos.efi
  rootstock-boot pcr predict --vars live --esp /boot
  rootstock-boot pcr predict --vars vars.fd --disk disk.img --planned-dbx dbx.auth
  rootstock-boot pcr predict --log other-machine.bin --start shim.efi --start nixos.efi")]
    Predict {
        #[command(flatten)]
        boot: BootOptions,
        #[command(flatten)]
        stub: StubOptions,
        /// The unified kernel image, for PCR 11 alone.
        image: Option<PathBuf>,
    },
    /// Say in words why registers are not as expected: what changed, why that is likely, what to do.
    #[command(after_help = "\
What is expected is another log, or a boot foreseen from the same options as `pcr predict` takes.
Exit code 1 when something differs.

Examples:
  rootstock-boot pcr explain --expect before.bin after.bin
  rootstock-boot pcr explain --vars live --esp /boot --exited
  rootstock-boot pcr explain --log other.bin --start nixos.efi --pcrs registers other-now.bin")]
    Explain {
        /// The log of a boot that was as it should be.
        #[arg(long, value_name = "LOG")]
        expect: Option<PathBuf>,
        /// Values of the TPM's registers, which the log must lead to.
        #[arg(long, value_name = "FILE")]
        pcrs: Option<PathBuf>,
        #[command(flatten)]
        boot: BootOptions,
        #[command(flatten)]
        stub: StubOptions,
        #[command(flatten)]
        observed: log::Which,
    },
    /// Print PCR 12 and 13 of an image: what its stub measures of the files beside it and of the boot loader's options.
    #[command(after_help = "\
Addons are taken to be accepted by the firmware; the oracle tells (`rootstock-boot oracle`).

Example:
  rootstock-boot pcr companions --volume /boot EFI/Linux/nixos.efi")]
    Companions(companions::Arguments),
}

/// Signed PCR policies.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PolicyCommand {
    /// Sign the policy of each bank and phase; writes the JSON for a `.pcrsig` section.
    #[command(after_help = "\
The image is the UKI without its .pcrsig section (which is not measured, so one with it gives the same).

Example:
  rootstock-boot policy sign --key pcr.key --bank sha256 -o pcrsig.json nixos.efi
  rootstock-boot uki build ... --pcrpkey pcr.pub --pcrsig pcrsig.json -o nixos.efi")]
    Sign {
        /// The private RSA key: a PEM or DER file, a PKCS#11 URI, or offline:FOLDER for request files.
        #[arg(long, value_name = "FILE|pkcs11:URI|offline:FOLDER")]
        key: String,
        /// Certificate of the key; only an offline key needs it.
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
        #[command(flatten)]
        pin: PinOptions,
        /// Name of the policy reference that entries are bound to, such as `initrd`; systemd 262 has them as `--policyref`.
        #[arg(long, default_value = "")]
        policy_reference: String,
        /// Hold the image to the TPM's floor of security epochs, by the epoch that it states: what `floor define` said that the
        /// counter started at, and its NV index where it is another than 0x01d10700.
        #[arg(long, value_name = "START[@INDEX]", value_parser = epoch_counter, conflicts_with = "policy_reference")]
        floor: Option<EpochCounter>,
        /// Signed policies to add to, such as those of another key or phase.
        #[arg(long, value_name = "FILE")]
        append: Option<PathBuf>,
        #[command(flatten)]
        what: Measured,
        /// Where to write the JSON.
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Check the signed policies of an image against what it will measure.
    #[command(after_help = "\
Exit code 1 when a policy is not for this image or not signed by the key.

Example:
  rootstock-boot policy verify --public-key pcr.pub nixos.efi")]
    Verify {
        /// The public key, PEM or DER; by default the image's own `.pcrpkey`.
        #[arg(long, value_name = "FILE")]
        public_key: Option<PathBuf>,
        /// The signed policies; by default the image's own `.pcrsig`.
        #[arg(long, value_name = "FILE")]
        signatures: Option<PathBuf>,
        #[command(flatten)]
        what: Measured,
    },
}

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Measured {
    #[command(flatten)]
    stub: StubOptions,
    /// The unified kernel image.
    image: PathBuf,
}

/// How an image's stub measures.
#[derive(Debug, clap::Args)]
pub(crate) struct StubOptions {
    /// Banks; all by default (those of a log).
    #[arg(long, value_enum)]
    bank: Vec<BankName>,
    /// Phase paths such as enter-initrd:leave-initrd; systemd's four by default.
    #[arg(long, value_name = "PATH")]
    phase: Vec<String>,
    /// Profile of a multi-profile image, from 0.
    #[arg(long, value_parser = number(0_usize, 9999))]
    profile: Option<usize>,
    /// Version of the systemd stub whose rules to use, instead of the one that the image names.
    #[arg(long, value_name = "MAJOR", value_parser = number(1_u32, 9999))]
    stub_version: Option<u32>,
    /// Order of sections.
    #[arg(long, value_enum, default_value = "systemd")]
    order: OrderName,
    /// Folder where the volume is mounted that the image's references to kernel and initrds are on. The SHA-256 bank is
    /// foretold without; other banks need the files.
    #[arg(long, value_name = "FOLDER")]
    volume: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BankName {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl BankName {
    pub(super) fn bank(self) -> Bank {
        match self {
            BankName::Sha1 => Bank::Sha1,
            BankName::Sha256 => Bank::Sha256,
            BankName::Sha384 => Bank::Sha384,
            BankName::Sha512 => Bank::Sha512,
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum OrderName {
    /// As systemd-stub measures.
    Systemd,
    /// As the text of UAPI.5 lists them (lanzaboote).
    Uapi,
}

impl StubOptions {
    fn banks(&self) -> Vec<Bank> {
        if self.bank.is_empty() {
            return Bank::ALL.to_vec();
        }
        self.bank.iter().map(|name| name.bank()).collect()
    }

    /// For each phase (the start of the kernel first), the register of each bank.
    fn predict(&self, file: &[u8]) -> anyhow::Result<Vec<Vec<Pcr11>>> {
        let image = Image::parse(file)?;
        let mut rules = match self.stub_version {
            Some(version) => Rules {
                order: Order::Systemd,
                version,
            },
            None => Rules::of(&image)
                .context("--stub-version states the version where the image does not")?,
        };
        if matches!(self.order, OrderName::Uapi) {
            rules.order = Order::Uapi;
        }
        let phases: Vec<&str> = if self.phase.is_empty() {
            DEFAULT_PHASES.to_vec()
        } else {
            self.phase.iter().map(String::as_str).collect()
        };
        let files = self.referenced_files(&image)?;
        let mut by_bank = Vec::new();
        for bank in self.banks() {
            let predicted = boot_measure::predict_with_files(
                &image,
                rules,
                bank,
                self.profile,
                &phases,
                &|reference| files.get(reference.path()).cloned(),
            );
            by_bank.push(
                predicted.context("--volume names where files are, --bank sha256 does without")?,
            );
        }
        Ok((0..=phases.len())
            .map(|index| by_bank.iter().map(|bank| bank[index].clone()).collect())
            .collect())
    }

    /// What the image refers to, by path; nothing without a volume.
    fn referenced_files(&self, image: &Image<'_>) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
        let mut found = BTreeMap::new();
        let Some(volume) = &self.volume else {
            return Ok(found);
        };
        let sections = image
            .sections
            .iter()
            .filter(|s| s.name() == reference::SECTION);
        for section in sections {
            for reference in &References::parse(section.data())? {
                let path = reference.path();
                let file = files::read(&volume.join(path.trim_start_matches('/')))?;
                found.insert(path.to_owned(), file);
            }
        }
        Ok(found)
    }

    /// As a boot is foreseen.
    pub(super) fn choice(&self) -> StubChoice {
        StubChoice {
            version: self.stub_version,
            order: matches!(self.order, OrderName::Uapi).then_some(Order::Uapi),
            profile: self.profile,
        }
    }

    /// The banks that were asked for, and the words of the one phase path.
    pub(super) fn chosen(&self) -> anyhow::Result<(Vec<Bank>, Vec<&str>)> {
        anyhow::ensure!(
            self.phase.len() <= 1,
            "a boot is foreseen for one --phase at a time"
        );
        let banks = if self.bank.is_empty() {
            Vec::new()
        } else {
            self.banks()
        };
        let words = self.phase.iter().flat_map(|path| path.split(':')).collect();
        Ok((banks, words))
    }
}

impl Measured {
    fn read(&self) -> anyhow::Result<(Vec<u8>, Vec<Vec<Pcr11>>)> {
        let file = files::read(&self.image)?;
        let predicted = self
            .stub
            .predict(&file)
            .with_context(|| self.image.display().to_string())?;
        Ok((file, predicted))
    }
}

#[derive(Serialize)]
struct Value {
    pcr: u8,
    bank: Bank,
    phase: String,
    value: String,
}

pub(crate) fn run(command: PcrCommand, out: &Out) -> anyhow::Result<Verdict> {
    match command {
        PcrCommand::Companions(arguments) => companions::run(&arguments, out),
        PcrCommand::Predict { boot, stub, image } => match image {
            Some(image) => {
                anyhow::ensure!(
                    boot.is_empty(),
                    "an image alone gives PCR 11; name the files of a boot by --start or --disk"
                );
                image_alone(&Measured { stub, image }, out)
            }
            None => whole_boot(&boot, &stub, out),
        },
        PcrCommand::Explain {
            expect,
            pcrs,
            boot,
            stub,
            observed,
        } => {
            let observed = observed.read()?;
            let expected = match expect {
                Some(path) => {
                    anyhow::ensure!(
                        boot.is_empty(),
                        "either --expect or a boot that is foreseen"
                    );
                    Expectation::of_log(&super::boot::log(&path)?)
                }
                None => {
                    anyhow::ensure!(
                        !boot.is_empty(),
                        "say what is expected: --expect, or --vars, --disk, --log, --start"
                    );
                    let (mut banks, phases) = stub.chosen()?;
                    if banks.is_empty() {
                        banks = observed.banks();
                    }
                    boot.expectation(banks, stub.choice(), &phases)?
                }
            };
            explain::run(&expected, &observed, pcrs.as_deref(), out)
        }
    }
}

#[derive(Serialize)]
struct Foreseen {
    registers: Vec<log::Value>,
    unforeseen: BTreeSet<Unforeseen>,
    assumptions: BTreeSet<String>,
    measurements: Vec<Foretold>,
}

#[derive(Serialize)]
struct Foretold {
    pcr: u8,
    #[serde(rename = "type")]
    kind: String,
    content: String,
    digests: BTreeMap<Bank, String>,
}

fn foretold(measurement: &Measurement, banks: &[Bank]) -> Foretold {
    let digest = |bank: &Bank| Some((*bank, hex::encode(measurement.digest(*bank)?)));
    Foretold {
        pcr: measurement.pcr,
        kind: measurement.kind.to_string(),
        content: measurement.content.describe(),
        digests: banks.iter().filter_map(digest).collect(),
    }
}

fn whole_boot(boot: &BootOptions, stub: &StubOptions, out: &Out) -> anyhow::Result<Verdict> {
    anyhow::ensure!(
        !boot.is_empty(),
        "name an image, or what is known of the machine: --vars, --disk, --log, --start"
    );
    let (banks, phases) = stub.chosen()?;
    let expectation = boot.expectation(banks, stub.choice(), &phases)?;
    let foreseen = Foreseen {
        registers: log::values(&expectation.registers(&UNTOUCHED)),
        measurements: expectation
            .measurements
            .iter()
            .map(|measurement| foretold(measurement, &expectation.banks))
            .collect(),
        unforeseen: expectation.unforeseen,
        assumptions: expectation.assumptions,
    };
    out.answer(&foreseen, |foreseen| {
        let mut text = log::lines(&foreseen.registers);
        for unforeseen in &foreseen.unforeseen {
            let _ = writeln!(
                text,
                "# not foreseen: PCR {}: {}",
                unforeseen.pcr, unforeseen.why
            );
        }
        for assumption in &foreseen.assumptions {
            let _ = writeln!(text, "# taken for granted: {assumption}");
        }
        text
    })?;
    Ok(Verdict::Good)
}

fn image_alone(what: &Measured, out: &Out) -> anyhow::Result<Verdict> {
    let (_, predicted) = what.read()?;
    let values: Vec<Value> = predicted
        .iter()
        .flatten()
        .map(|at| Value {
            pcr: 11,
            bank: at.register.bank,
            phase: at.phase.clone(),
            value: hex::encode(&at.register.value),
        })
        .collect();
    out.answer(&values, |values| {
        let mut lines = Vec::new();
        let mut phase = None;
        for value in values {
            if phase != Some(&value.phase) {
                phase = Some(&value.phase);
                lines.push(match value.phase.as_str() {
                    "" => "# PCR[11] when the kernel starts".to_owned(),
                    path => format!("# PCR[11] Phase <{path}>"),
                });
            }
            lines.push(format!("11:{}={}", value.bank, value.value));
        }
        lines.join("\n")
    })?;
    Ok(Verdict::Good)
}

pub(crate) fn policy(command: PolicyCommand, out: &Out) -> anyhow::Result<Verdict> {
    match command {
        PolicyCommand::Sign {
            key,
            certificate,
            pin,
            policy_reference,
            floor,
            append,
            what,
            output,
        } => {
            let (file, predicted) = what.read()?;
            let floor = match floor {
                Some(counter) => Some(counter.floor(epoch_of(&Image::parse(&file)?)?)),
                None => None,
            };
            let policy_reference = match floor {
                Some(_) => PolicyReference::of_floor(),
                None => PolicyReference::of_name(&policy_reference)?,
            };
            let reference: KeyReference = key.parse()?;
            let certificate: Option<Certificate> = match certificate {
                Some(path) => super::key::certificates(&path)?.into_iter().next(),
                None => None,
            };
            let signer = pin.keys(out)?.open(&reference, certificate.as_ref())?;
            let mut policies = match append {
                Some(path) => read_policies(&path)?,
                None => SignedPolicies::default(),
            };
            // The moment when the kernel starts is not a phase that systemd signs for.
            for at in predicted.iter().skip(1).flatten() {
                let bank = at.register.bank;
                let subject = format!(
                    "PCR 11 policy of {}, {bank}, phase {}",
                    what.image.display(),
                    at.phase
                );
                let claim = boot_policy::Claim {
                    register: &at.register,
                    floor,
                    reference: &policy_reference,
                };
                let signed = boot_policy::sign(claim, &*signer, &subject)?;
                policies.add(bank, signed);
            }
            let json = policies.to_json()?;
            files::write(out, &output, json.as_bytes())?;
            let count = policies.iter().count();
            out.answer(
                &serde_json::json!({ "file": output, "policies": count }),
                |_| format!("{}: {count} signed policies", output.display()),
            )?;
            Ok(Verdict::Good)
        }
        PolicyCommand::Verify {
            public_key,
            signatures,
            what,
        } => verify(public_key.as_deref(), signatures.as_deref(), &what, out),
    }
}

fn read_policies(path: &Path) -> anyhow::Result<SignedPolicies> {
    SignedPolicies::from_json(&files::read(path)?).with_context(|| path.display().to_string())
}

#[derive(Serialize)]
struct Checked {
    bank: Bank,
    policy: String,
    reference: String,
    /// The phase whose prediction it fits and is signed for; none is a finding.
    phase: Option<String>,
}

fn verify(
    public_key: Option<&Path>,
    signatures: Option<&Path>,
    what: &Measured,
    out: &Out,
) -> anyhow::Result<Verdict> {
    let (file, predicted) = what.read()?;
    let image = Image::parse(&file)?;
    let own = |name: &str| {
        let section = image.section(name).map(|section| section.data().to_vec());
        section.with_context(|| format!("{}: no {name} section", what.image.display()))
    };
    let key = match public_key {
        Some(path) => files::read(path)?,
        None => own(".pcrpkey")?,
    };
    let key = PublicKey::read(key.trim_ascii_end()).context("public key")?;
    let policies = match signatures {
        Some(path) => read_policies(path)?,
        None => SignedPolicies::from_json(&own(".pcrsig")?)?,
    };
    let checked: Vec<Checked> = policies
        .iter()
        .map(|(bank, policy)| Checked {
            bank,
            policy: policy.policy.to_string(),
            reference: match &policy.reference {
                PolicyReference::None => String::new(),
                PolicyReference::Name(name) => name.clone(),
                PolicyReference::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            },
            phase: predicted
                .iter()
                .flatten()
                .find(|at| {
                    at.register.bank == bank && boot_policy::verifies(policy, &at.register, &key)
                })
                .map(|at| at.phase.clone()),
        })
        .collect();
    out.answer(&checked, |checked| {
        let line = |c: &Checked| match &c.phase {
            Some(phase) => format!("{} {}: good for phase <{phase}>", c.bank, c.policy),
            None => format!(
                "{} {}: not for this image, phases and key",
                c.bank, c.policy
            ),
        };
        checked.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Verdict::when(
        !checked.is_empty() && checked.iter().all(|c| c.phase.is_some()),
    ))
}
