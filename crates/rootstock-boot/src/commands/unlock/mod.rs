//! `unlock enroll|list|try|reseal|wipe|recovery` and `floor show|define|raise|remove`: disks that a TPM unlocks.
//!
//! Invariant: a command that changes a disk opens it first with something that goes on opening it.

mod floor;
mod inputs;
mod owner;

pub(crate) use floor::{Command as FloorCommand, run as run_floor};
pub(crate) use inputs::{AnyTransport, TpmOptions, new_pin};

use crate::commands::number::token;
use crate::print::{Out, Verdict};
use boot_unlock::{
    enroll, enroll_recovery, generations, recover, reseal_as_owner, reseal_stored, tokens,
    unlock_stored, wipe,
};
use inputs::{Demands, Proof, VolumeOptions};
use serde::Serialize;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Disks that a TPM unlocks.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Enrol this machine's TPM: a new keyslot, whose secret it releases to what is demanded.
    #[command(after_help = "\
The token is systemd-cryptenroll's, so systemd-cryptsetup unlocks it too, unless --generations is given.

Examples:
  rootstock-boot unlock enroll --pcr 7 --policy-key pcr.pub /dev/vda2
      any boot whose PCR 11 the key's holder has signed, with Secure Boot as it is now
  rootstock-boot unlock enroll --pcr 7 --generations generations.json --with-pin /dev/vda2")]
    Enroll {
        #[command(flatten)]
        volume: VolumeOptions,
        #[command(flatten)]
        tpm: TpmOptions,
        #[command(flatten)]
        demands: Demands,
        /// Demand a PIN too; it is asked for, or read from --new-pin-file.
        #[arg(long)]
        with_pin: bool,
        /// File whose first line is the PIN.
        #[arg(long, value_name = "FILE", requires = "with_pin")]
        new_pin_file: Option<PathBuf>,
    },
    /// What unlocks the volume: keyslots, and the tokens for a TPM with what they demand.
    List {
        #[command(flatten)]
        volume: VolumeOptions,
    },
    /// Would this machine, as it is now, unlock the volume? Exit code 1 when not, with the cause.
    #[command(after_help = "\
Nothing is mapped and nothing is written.

Example:
  rootstock-boot unlock try --signed /run/systemd/tpm2-pcr-signature.json /dev/vda2")]
    Try {
        #[command(flatten)]
        volume: VolumeOptions,
        #[command(flatten)]
        tpm: TpmOptions,
        #[command(flatten)]
        proof: Proof,
        /// What the owner made of `owner-request`: it opens the disk whatever state the machine is in.
        #[arg(long, value_name = "FILE")]
        recovery_token: Option<PathBuf>,
    },
    /// Seal a token's secret anew under other demands; no passphrase is needed where the machine as it is unlocks it.
    #[command(after_help = "\
Example: before the next generation is booted, let it and the one that runs unlock the disk
  rootstock-boot unlock reseal --token 0 --pcr 7 --generations next.json \\
      --known-generations now.json /dev/vda2")]
    Reseal {
        #[command(flatten)]
        volume: VolumeOptions,
        /// The token's number.
        #[arg(long, value_parser = token)]
        token: u32,
        #[command(flatten)]
        tpm: TpmOptions,
        #[command(flatten)]
        demands: Demands,
        #[command(flatten)]
        proof: Proof,
        /// What the owner made of `owner-request`, where the machine as it is does not unlock the token; it is used up.
        #[arg(long, value_name = "FILE")]
        recovery_token: Option<PathBuf>,
        /// With a recovery token: demand a PIN, a new one; it is asked for, or read from --new-pin-file.
        #[arg(long, requires = "recovery_token")]
        with_pin: bool,
        /// File whose first line is the new PIN.
        #[arg(long, value_name = "FILE", requires = "with_pin")]
        new_pin_file: Option<PathBuf>,
    },
    /// Ask the owner of a disk, whose machine does not unlock it, for a recovery token.
    OwnerRequest(owner::Request),
    /// Make a recovery token, as the owner of a disk.
    OwnerSign(owner::Sign),
    /// Remove a token for a TPM and its keyslot.
    Wipe {
        #[command(flatten)]
        volume: VolumeOptions,
        /// The token's number.
        #[arg(long, value_parser = token)]
        token: u32,
    },
    /// Add a recovery key, and show it once: as text and as a QR code.
    Recovery {
        #[command(flatten)]
        volume: VolumeOptions,
    },
}

#[derive(Serialize)]
struct Listed {
    uuid: String,
    keyslots: Vec<u32>,
    tokens: Vec<ListedToken>,
}

#[derive(Serialize)]
struct ListedToken {
    number: u32,
    keyslots: Vec<u32>,
    bank: &'static str,
    pcrs: Vec<u8>,
    signed: bool,
    /// How many generations it was sealed for by value; zero for none.
    generations: usize,
    /// Whether it is bound to what an NV index holds.
    stored: bool,
    pin: bool,
    policy: String,
}

impl ListedToken {
    fn demands(&self) -> String {
        let mut demands = Vec::new();
        if !self.pcrs.is_empty() {
            let pcrs: Vec<String> = self.pcrs.iter().map(u8::to_string).collect();
            demands.push(format!("PCR {} as at enrolment", pcrs.join(", ")));
        }
        if self.signed {
            demands.push("PCR 11 signed by the policy key".to_owned());
        }
        if self.generations > 0 {
            demands.push(format!("one of {} generations", self.generations));
        }
        if self.stored {
            demands.push("the policy in its NV index".to_owned());
        }
        if self.pin {
            demands.push("a PIN".to_owned());
        }
        if demands.is_empty() {
            demands.push("this TPM".to_owned());
        }
        demands.join("; ")
    }
}

/// Runs a command.
#[expect(clippy::too_many_lines, reason = "one arm for each command")]
pub(crate) fn run(command: Command, out: &Out) -> anyhow::Result<Verdict> {
    match command {
        Command::Enroll {
            volume,
            tpm,
            demands,
            with_pin,
            new_pin_file,
        } => {
            let at = tpm;
            let mut tpm = at.open()?;
            let mut open = volume.open(!out.dry_run)?;
            let (beside, key) = volume.unlock(&mut open)?;
            let protection = demands.protection(&mut tpm, &at, with_pin, out)?;
            let pin = with_pin
                .then(|| new_pin(new_pin_file.as_ref()))
                .transpose()?;
            let pin = pin.as_ref().map_or("", |pin| pin.expose());
            if out.dry_run {
                return done(out, "would enrol the TPM", None);
            }
            let number = enroll(&mut open, (beside, &key), &mut tpm, &protection, pin)?;
            done(out, "enrolled the TPM as token", Some(number))
        }
        Command::List { volume } => list(&volume, out),
        Command::OwnerRequest(options) => owner::request(&options, out),
        Command::OwnerSign(options) => owner::sign(&options, out),
        Command::Try {
            volume,
            tpm,
            proof,
            recovery_token,
        } => {
            let attempt = match recovery_token {
                Some(path) => owner::attempt(&volume, &tpm, &path)?,
                None => {
                    let mut open = volume.open(false)?;
                    let mut tpm = tpm.open()?;
                    let proof = proof.read()?;
                    unlock_stored(&mut open, None, &mut tpm, &proof.evidence(), &proof.stored)
                }
            };
            match attempt {
                Ok(unlocked) => done(out, "unlocked by token", Some(unlocked.token)),
                Err(refused) => {
                    let answer =
                        serde_json::json!({ "unlocked": false, "cause": refused.to_string() });
                    out.answer(&answer, |_| format!("not unlocked: {refused}"))?;
                    Ok(Verdict::Bad)
                }
            }
        }
        Command::Reseal {
            volume,
            token,
            tpm,
            demands,
            recovery_token: Some(path),
            with_pin,
            new_pin_file,
            ..
        } => {
            let by = owner::token(&path)?;
            anyhow::ensure!(
                by.token == token,
                "{}: it is for token {}",
                path.display(),
                by.token
            );
            let at = tpm;
            let mut tpm = at.open()?;
            let protection = demands.protection(&mut tpm, &at, with_pin, out)?;
            let mut open = volume.open(!out.dry_run)?;
            if out.dry_run {
                recover(&mut open, &mut tpm, &by)?;
                return done(out, "would seal anew token", Some(token));
            }
            let pin = with_pin
                .then(|| new_pin(new_pin_file.as_ref()))
                .transpose()?;
            let pin = pin.as_ref().map_or("", |pin| pin.expose());
            reseal_as_owner(&mut open, &mut tpm, &by, &protection, pin)?;
            done(out, "sealed anew token", Some(token))
        }
        Command::Reseal {
            volume,
            token,
            tpm,
            demands,
            proof,
            ..
        } => {
            let at = tpm;
            let mut tpm = at.open()?;
            let proof = proof.read()?;
            let with_pin = proof.has_pin();
            let protection = demands.protection(&mut tpm, &at, with_pin, out)?;
            let mut open = volume.open(!out.dry_run)?;
            if out.dry_run {
                unlock_stored(
                    &mut open,
                    Some(token),
                    &mut tpm,
                    &proof.evidence(),
                    &proof.stored,
                )?;
                return done(out, "would seal anew token", Some(token));
            }
            let given = (&proof.evidence(), &proof.stored[..]);
            reseal_stored(&mut open, token, &mut tpm, given, &protection)?;
            done(out, "sealed anew token", Some(token))
        }
        Command::Wipe { volume, token } => {
            let mut open = volume.open(!out.dry_run)?;
            if out.dry_run {
                return done(out, "would remove token", Some(token));
            }
            wipe(&mut open, token)?;
            done(out, "removed token", Some(token))
        }
        Command::Recovery { volume } => {
            let mut open = volume.open(!out.dry_run)?;
            let (beside, key) = volume.unlock(&mut open)?;
            if out.dry_run {
                return done(out, "would add a recovery key", None);
            }
            let recovery = enroll_recovery(&mut open, (beside, &key))?;
            let answer = serde_json::json!({ "recovery_key": recovery.as_str() });
            out.answer(&answer, |_| {
                format!(
                    "{}\n{}\nWrite it down: it is not shown again.",
                    recovery.as_str(),
                    *light_on_dark(recovery.qr_code())
                )
            })?;
            Ok(Verdict::Good)
        }
    }
}

/// A picture of half blocks in its colours, whatever those of the terminal are.
fn light_on_dark(picture: Zeroizing<String>) -> Zeroizing<String> {
    if !std::io::stdout().is_terminal() {
        return picture;
    }
    let mut coloured = Zeroizing::new(String::with_capacity(2 * picture.len()));
    for line in picture.lines() {
        coloured.push_str("\u{1b}[97;40m");
        coloured.push_str(line);
        coloured.push_str("\u{1b}[0m\n");
    }
    coloured
}

fn list(volume: &VolumeOptions, out: &Out) -> anyhow::Result<Verdict> {
    let open = volume.open(false)?;
    let listed = Listed {
        uuid: open.uuid(),
        keyslots: open.metadata().keyslots().keys().copied().collect(),
        tokens: tokens(open.metadata())?
            .into_iter()
            .map(|(number, token)| ListedToken {
                number,
                generations: generations(&token),
                keyslots: token.keyslots,
                bank: token.bank.as_str(),
                pcrs: token.pcrs,
                signed: token.signing_key.is_some(),
                stored: token.pcrlock,
                pin: token.pin,
                policy: token.policies[0].to_string(),
            })
            .collect(),
    };
    out.answer(&listed, |listed| {
        let slots: Vec<String> = listed.keyslots.iter().map(u32::to_string).collect();
        let mut text = format!("{}: keyslots {}\n", listed.uuid, slots.join(", "));
        for token in &listed.tokens {
            let _ = writeln!(text, "token {}: TPM, {}", token.number, token.demands());
        }
        text
    })?;
    Ok(Verdict::Good)
}

fn done(out: &Out, what: &str, token: Option<u32>) -> anyhow::Result<Verdict> {
    let answer = serde_json::json!({ "done": what, "token": token });
    out.answer(&answer, |_| match token {
        Some(token) => format!("{what} {token}"),
        None => what.to_owned(),
    })?;
    Ok(Verdict::Good)
}
