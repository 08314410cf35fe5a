//! The random seed: from the file of the EFI system partition and the firmware's random numbers to a new file and a table
//! for the kernel. Not having one is no reason not to boot, but a seed is handed over only once the file can't give it again.

use crate::volume::Volume;
use alloc::boxed::Box;
use alloc::vec::Vec;
use boot_stub_core::seed::{Inputs, MAX_FILE, SEED};
use core::ffi::c_void;
use uefi::boot::{self, MemoryType};
use uefi::proto::media::file::{File, FileMode, RegularFile};
use uefi::proto::rng::Rng;
use uefi::runtime;
use uefi::{Guid, Status, cstr16, guid, system};

const FILE: &str = "\\loader\\random-seed";
/// Owner of the table (Linux, `LINUX_EFI_RANDOM_SEED_TABLE_GUID`).
static TABLE: Guid = guid!("1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b");

/// Hands the kernel a seed, unless the boot loader has.
pub(crate) fn refresh(volume: &mut Volume) {
    if system::with_config_table(|tables| tables.iter().any(|table| table.guid == TABLE)) {
        return;
    }
    let mut file = volume.file(FILE, FileMode::ReadWrite).ok();
    let old = file.as_mut().map(read).unwrap_or_default();
    let token = variable(cstr16!("LoaderSystemToken"));
    let mut random = [0; SEED];
    let filled = boot::get_handle_for_protocol::<Rng>()
        .and_then(boot::open_protocol_exclusive::<Rng>)
        .and_then(|mut rng| rng.get_rng(None, &mut random));
    let time = time();
    let inputs = Inputs {
        file: &old,
        token: &token,
        random: if filled.is_ok() { &random } else { &[] },
        time: &time,
    };
    if !inputs.suffice() {
        return;
    }
    let seeds = inputs.mix();
    // Only a file that has a seed gets the next one: making one is the installer's task.
    if let Some(file) = file.as_mut().filter(|_| old.len() >= SEED) {
        let written = file
            .set_position(0)
            .and_then(|()| {
                file.write(&seeds.file)
                    .map_err(|error| error.status().into())
            })
            .and_then(|()| file.flush());
        if written.is_err() {
            return;
        }
    }
    let _ = hand_over(&seeds.kernel);
}

/// The time of day as numbers; zeros without a clock.
fn time() -> [u8; 8] {
    let Ok(time) = runtime::get_time() else {
        return [0; 8];
    };
    let [high, low] = time.year().to_be_bytes();
    let [fraction, ..] = time.nanosecond().to_le_bytes();
    let (day, hour) = (time.day(), time.hour());
    [
        high,
        low,
        time.month(),
        day,
        hour,
        time.minute(),
        time.second(),
        fraction,
    ]
}

fn read(file: &mut RegularFile) -> Vec<u8> {
    let mut bytes = [0; MAX_FILE];
    let count = file.read(&mut bytes).unwrap_or(0);
    bytes[..count].to_vec()
}

fn variable(name: &uefi::CStr16) -> Box<[u8]> {
    let found = runtime::get_variable_boxed(name, &crate::variables::LOADER);
    found.map(|(value, _)| value).unwrap_or_default()
}

/// Installs the table: length as `u32`, then the seed.
#[expect(
    unsafe_code,
    reason = "a table for the kernel is memory that outlives this program"
)]
fn hand_over(seed: &[u8; SEED]) -> Result<(), Status> {
    let mut content = Vec::with_capacity(4 + SEED);
    content.extend_from_slice(&(SEED as u32).to_le_bytes());
    content.extend_from_slice(seed);
    let memory = boot::allocate_pool(MemoryType::ACPI_RECLAIM, content.len());
    let memory = memory.map_err(|error| error.status())?;
    // SAFETY: `memory` has as many bytes as `content`, and nobody else knows of it yet; it is never freed.
    unsafe {
        memory
            .as_ptr()
            .copy_from_nonoverlapping(content.as_ptr(), content.len());
        boot::install_configuration_table(&TABLE, memory.as_ptr().cast::<c_void>())
    }
    .map_err(|error| error.status())
}
