//! One module per group of commands; each reads its inputs once, calls the library and prints.

mod boot;
mod coming;
mod companions;
mod copies;
mod counter;
mod disk;
mod enroll;
pub(crate) mod entries;
mod explain;
mod follow;
pub(crate) mod initrd;
pub(crate) mod install;
mod key;
pub(crate) mod keys;
pub(crate) mod log;
mod manual;
mod number;
pub(crate) mod oracle;
mod part;
pub(crate) mod pcr;
pub(crate) mod pcrlock;
pub(crate) mod pe;
mod pe_text;
mod place;
mod policy_key;
mod running;
pub(crate) mod sbat;
mod source;
pub(crate) mod spec;
mod states;
mod stored;
pub(crate) mod uki;
pub(crate) mod unlock;
pub(crate) mod variables;
mod volumes;

use crate::cli::Command;
use crate::print::{Out, Verdict};

/// Runs the chosen command.
pub(crate) fn run(command: Command, out: &Out) -> anyhow::Result<Verdict> {
    match command {
        Command::Pe(command) => pe::run(*command, out),
        Command::Keys(command) => keys::run(command, out),
        Command::Variables(command) => variables::run(*command, out),
        Command::Oracle(options) => oracle::run(&options, out),
        Command::Sbat(command) => sbat::run(command, out),
        Command::Log(command) => log::run(command, out),
        Command::Pcr(command) => pcr::run(*command, out),
        Command::Pcrlock(command) => pcrlock::run(*command, out),
        Command::Policy(command) => pcr::policy(*command, out),
        Command::Uki(command) => uki::run(*command, out),
        Command::Initrd(command) => initrd::run(&command, out),
        Command::Install(options) => install::run(&options, false, out),
        Command::Repair(options) => install::run(&options, true, out),
        Command::Status(options) => entries::status(&options, out),
        Command::Bless(options) => entries::run_bless(&options, out),
        Command::Unlock(command) => unlock::run(*command, out),
        Command::Floor(command) => unlock::run_floor(command, out),
        Command::Spec(command) => spec::run(command, out),
        Command::Man { folder } => manual::pages(&folder, out),
        Command::Completions { shell } => manual::completions(shell),
    }
}
