//! The probe: an EFI program that reports, line by line on the serial port, what firmware and shim answer about every
//! file in `\images` of the disk it was started from, what the TPM's registers hold and what the event log says about
//! them. Then it turns the machine off.
//!
//! One boot decides about as many files as the disk holds. Nothing is started but the probe itself; a file that loads is
//! unloaded again.
//!
//! Before that it writes the signed variable updates of `\updates`, if there are any.
//!
//! Lines: `probe set FILE STATUS`, `probe load NAME STATUS`, `probe verify NAME STATUS` (shim's protocol, where it is
//! there), `probe pcr NN HEX`, `probe log HEX` (a piece of the event log), `probe tree HEX` (a piece of
//! the device tree that firmware's tables name, if they do), `probe done`. STATUS is the name that the UEFI
//! specification gives.

#![no_main]
#![no_std]

extern crate alloc;

mod disk;
mod images;
mod log;
mod report;
mod tpm;
mod tree;
mod updates;

use core::sync::atomic::AtomicU32;
use report::Report;
use uefi::runtime::ResetType;
use uefi::{Status, entry};

/// Keeps the section of variables from being without content in the file: shim refuses a program with such a section.
#[used]
#[expect(unsafe_code, reason = "the one way to name a section")]
// SAFETY: a variable, where variables are.
#[unsafe(link_section = ".data")]
static CONTENT: AtomicU32 = AtomicU32::new(1);

#[entry]
fn main() -> Status {
    let Ok(mut report) = Report::open() else {
        return Status::DEVICE_ERROR;
    };
    updates::write(&mut report);
    images::ask(&mut report);
    tpm::registers(&mut report);
    log::events(&mut report);
    tree::show(&mut report);
    report.line(format_args!("done"));
    uefi::runtime::reset(ResetType::SHUTDOWN, Status::SUCCESS, None)
}
