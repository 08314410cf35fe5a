//! The stub of unified kernel images: measures what the image holds and what lies beside it, then starts the kernel with its
//! command line and initrds.
//!
//! Order: sections are chosen, referenced files are read and compared with their digests, all that counts is measured, then
//! the kernel starts. Invariants: nothing is started that was not measured where there is a TPM, and no error of measuring
//! or checking is passed over; the image then is not started, the screen says why, and the boot loader goes on.
//!
//! What is decided from bytes alone is in `boot-stub-core`, where it is tested and fuzzed; here firmware is asked.

#![no_main]
#![no_std]

extern crate alloc;

mod beside;
mod devicetree;
mod error;
mod image;
mod initrd;
mod kernel;
mod marks;
mod seed;
mod tpm;
mod variables;
mod volume;

use alloc::borrow::Cow;
use alloc::vec::Vec;
use boot_stub_core::command_line::Options;
use boot_stub_core::companions::{self, Place, Settings, effects, event_data, handed_over};
use boot_stub_core::reference::Part;
use boot_stub_core::sections::{Chosen, MEASURED, choose};
use core::time::Duration;
use error::{Context, Error, say};
use image::Own;
use tpm::Tpm;
use uefi::{Status, boot, entry};
use volume::Volume;

/// How long a refusal stays on the screen.
const PAUSE: Duration = Duration::from_secs(3);
/// The register that holds the image's sections.
const SECTIONS: u8 = 11;

#[entry]
fn main() -> Status {
    let error = match run() {
        Err(error) => error,
        // A kernel comes back only when it could not begin.
        Ok(status) => Error::new(status, &"the kernel came back"),
    };
    say(format_args!("not started: {error}"));
    boot::stall(PAUSE);
    error.status
}

/// A part of the boot, from the image or beside it.
type Bytes = Cow<'static, [u8]>;

fn run() -> Result<Status, Error> {
    let own = Own::find()?;
    let options = Options::parse(&own.options);
    let memory = own.memory;
    let headers = own.headers()?;
    let chosen = choose(memory, &headers, options.profile, devicetree::fits);
    let chosen = chosen.map_err(|error| Error::new(Status::LOAD_ERROR, &error))?;
    let secure_boot = variables::secure_boot();

    let mut volume = own.device.map(Volume::open).transpose()?.flatten();
    let (kernel, initrds) = payload(&chosen, volume.as_mut())?;
    let mut tpm = Tpm::open()?;
    measure_sections(&mut tpm, &chosen, &kernel, &initrds)?;
    if let Some(volume) = &mut volume {
        seed::refresh(volume);
    }

    let settings = Settings {
        profile: options.profile,
        given: &options.command_line,
        embedded: chosen.get(".cmdline"),
        secure_boot,
    };
    if settings.refuses_another() {
        say(format_args!(
            "refused the boot loader's command line: Secure Boot is on and the image has its own"
        ));
    }
    let found = match &mut volume {
        Some(volume) => beside::gather(volume, &own, chosen.get(".uname"))?,
        None => companions::Companions::default(),
    };
    let effects =
        effects(&settings, &found).map_err(|error| Error::new(Status::OUT_OF_RESOURCES, &error))?;
    drop(found);
    let mut tree = devicetree::Installed::default();
    for name in [".dtbauto", ".dtb"] {
        if let Some(data) = chosen.get(name) {
            tree.install(data)?;
            break;
        }
    }
    let [mut first, mut middle, mut last] = [const { Vec::<Bytes>::new() }; 3];
    let mut measured = [false; 2];
    for effect in effects.list {
        let done = tpm.extend(
            effect.register,
            effect.event,
            &effect.data,
            &event_data(&effect),
        )?;
        measured[usize::from(effect.register == companions::EXTENSIONS)] |= done;
        match effect.place {
            Place::None => {}
            Place::First => first.push(effect.data.into()),
            Place::Middle => middle.push(effect.data.into()),
            Place::Last => last.push(effect.data.into()),
            Place::DeviceTree => tree.install(&effect.data)?,
        }
    }
    let given = handed_over(|name| chosen.get(name))
        .map_err(|error| Error::new(Status::OUT_OF_RESOURCES, &error))?;
    // The system only reads less about its boot where firmware takes no variables; that is no reason not to boot.
    let published = variables::publish(&own, options.profile.unwrap_or(0))
        .and_then(|()| variables::publish_registers(tpm.present(), measured));
    if let Err(error) = published {
        say(format_args!("the system is told less than usual: {error}"));
    }

    let mut all = first;
    all.extend(chosen.get(".ucode").map(Cow::Borrowed));
    all.extend(initrds);
    all.extend(middle);
    all.extend(given.into_iter().map(Cow::Owned));
    all.extend(last);
    drop((tpm, volume));
    let program = kernel::Program::load(&kernel)?;
    drop(kernel);
    let initrd = initrd::Offered::install(all)?;
    let status = program.start(&effects.command_line)?;
    if let Some(initrd) = initrd {
        initrd.withdraw();
    }
    Ok(status)
}

/// The kernel and the initrds, wherever they are; files are those that the image names, or it is an error.
fn payload(
    chosen: &Chosen<'static>,
    mut volume: Option<&mut Volume>,
) -> Result<(Bytes, Vec<Bytes>), Error> {
    let mut kernel = chosen.get(".linux").map(Cow::Borrowed);
    let mut initrds: Vec<Bytes> = chosen
        .get(".initrd")
        .map(Cow::Borrowed)
        .into_iter()
        .collect();
    for reference in chosen.references().into_iter().flatten() {
        let volume = volume.as_deref_mut();
        let volume = volume.context(Status::NOT_FOUND, &"the volume of the image can't be read")?;
        let file = Cow::Owned(volume.referenced(reference)?);
        match reference.part {
            Part::Linux => kernel = Some(file),
            Part::Initrd => initrds.push(file),
        }
    }
    let kernel = kernel.context(Status::LOAD_ERROR, &"the image has no kernel")?;
    Ok((kernel, initrds))
}

/// Name and content of each section, in the order that the note in this program states. A file counts as the section that it
/// stands for, each initrd for itself.
fn measure_sections(
    tpm: &mut Tpm,
    chosen: &Chosen<'static>,
    kernel: &[u8],
    initrds: &[Bytes],
) -> Result<(), Error> {
    for name in MEASURED {
        match name {
            ".linux" => tpm.section(SECTIONS, name, kernel)?,
            ".initrd" => {
                for initrd in initrds {
                    tpm.section(SECTIONS, name, initrd)?;
                }
            }
            _ => {
                if let Some(data) = chosen.get(name) {
                    tpm.section(SECTIONS, name, data)?;
                }
            }
        }
    }
    Ok(())
}
