//! The command line: sub-commands, options, examples and exit codes.

use crate::commands::{
    entries, initrd, install, keys, log, oracle, pcr, pcrlock, pe, sbat, spec, uki, unlock,
    variables,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Boot files and keys: writes, signs, checks and foresees.
#[derive(Debug, Parser)]
#[command(name = "rootstock-boot", version, about, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Answer with one JSON document instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do everything but write.
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or everything that was checked is right
  1  what was checked is refused, revoked, unsigned or against the rules
  2  wrong usage, unreadable input or a failed write
  3  an offline signature was asked for: sign the request files, then run the same command again";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// PE files: inspect, hash, sign, verify, strip, detach, attach.
    #[command(subcommand)]
    Pe(Box<pe::Command>),
    /// Keys and certificates: create, enroll.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Secure Boot variables: show, list, sign, inspect, diff, store.
    #[command(subcommand)]
    Variables(Box<variables::Command>),
    /// Would this machine boot these files, and which entry decides?
    Oracle(oracle::Options),
    /// SBAT data and the rules of shim's reviewers: lint, review, show.
    #[command(subcommand)]
    Sbat(sbat::Command),
    /// Unified kernel images and addons: build, addon.
    #[command(subcommand)]
    Uki(Box<uki::Command>),
    /// Initrds that unlock the root: build.
    #[command(subcommand)]
    Initrd(Box<initrd::Command>),
    /// Event logs of firmware: show, replay, check, export, quirks.
    #[command(subcommand)]
    Log(log::Command),
    /// TPM registers: predict, explain, companions.
    #[command(subcommand)]
    Pcr(Box<pcr::PcrCommand>),
    /// Files of systemd-pcrlock, and policies in the TPM: component, policy, states, show, store, status, remove.
    #[command(subcommand)]
    Pcrlock(Box<pcrlock::Command>),
    /// Signed PCR policies: sign, verify.
    #[command(subcommand)]
    Policy(Box<pcr::PolicyCommand>),
    /// Install every generation of a profile on EFI system partitions, crash-safe.
    Install(Box<install::Options>),
    /// Install as before, checking the digest of everything that is there, and write again what is wrong.
    Repair(Box<install::Options>),
    /// What is on EFI system partitions, and which entry starts next.
    Status(entries::StatusOptions),
    /// An entry has started well: take the boot counters off its name.
    Bless(entries::BlessOptions),
    /// Disks that a TPM unlocks: enroll, list, try, reseal, wipe, recovery, owner-request, owner-sign.
    #[command(subcommand)]
    Unlock(Box<unlock::Command>),
    /// The TPM's floor of security epochs: show, define, raise, remove.
    #[command(subcommand)]
    Floor(unlock::FloorCommand),
    /// Bootspec documents: check, upgrade, synthesise, schema.
    #[command(subcommand)]
    Spec(spec::Command),
    /// Write man pages, one for each command, into a folder.
    Man {
        /// An existing folder.
        folder: PathBuf,
    },
    /// Print shell completions.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}
