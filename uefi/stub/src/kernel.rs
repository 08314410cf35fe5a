//! The kernel: laid out in memory by this program itself and entered as the EFI application that it is. Firmware's own
//! loader is not asked, since the kernel's signature is not the one that counts: it is part of a signed image, or compared
//! with a digest in one.
#![expect(
    unsafe_code,
    reason = "memory for code is got from firmware by bare pointers, and entering it can't be checked"
)]

use crate::beside::MACHINE;
use crate::error::{Context, Error};
use alloc::boxed::Box;
use boot_stub_core::command_line;
use boot_stub_core::pe::{Headers, Loaded};
use core::ffi::c_void;
use uefi::boot::{self, AllocateType, MemoryAttribute, MemoryType, PAGE_SIZE};
use uefi::proto::loaded_image::LoadedImage;
use uefi::proto::security::MemoryProtection;
use uefi::{Handle, Status, table};

type EntryPoint = unsafe extern "efiapi" fn(Handle, *const c_void) -> Status;

/// A kernel in memory.
pub(crate) struct Program {
    memory: &'static mut [u8],
    loaded: Loaded,
}

impl Program {
    pub(crate) fn load(file: &[u8]) -> Result<Program, Error> {
        let wrong = |error| Error::new(Status::LOAD_ERROR, &format_args!("the kernel: {error}"));
        let headers = Headers::parse(file).map_err(wrong)?;
        let pages = (headers.image_size as usize).div_ceil(PAGE_SIZE).max(1);
        let start = boot::allocate_pages(AllocateType::AnyPages, MemoryType::LOADER_CODE, pages)
            .context(Status::OUT_OF_RESOURCES, &"the kernel")?;
        // SAFETY: firmware gave these pages to nobody else; they are never given back, since the kernel lives in them. Zeroed
        // first, they are initialised.
        let memory = unsafe {
            start.write_bytes(0, pages * PAGE_SIZE);
            core::slice::from_raw_parts_mut(start.as_ptr(), pages * PAGE_SIZE)
        };
        let base = memory.as_ptr() as u64;
        let loaded = headers.load(file, MACHINE, memory, base).map_err(wrong)?;
        Ok(Program { memory, loaded })
    }

    /// Starts it with this command line, under this program's own handle, so that a kernel that gives up ends this program.
    /// Returns what it answers when it can't begin.
    pub(crate) fn start(self, line: &[u16]) -> Result<Status, Error> {
        let base = self.memory.as_ptr();
        make_executable(base as u64, &self.loaded)?;
        flush(self.memory);
        let line = Box::leak(command_line::bytes(line).into_boxed_slice());
        let handle = boot::image_handle();
        let mut image = boot::open_protocol_exclusive::<LoadedImage>(handle)
            .context(Status::UNSUPPORTED, &"firmware does not know this image")?;
        let (own, size) = image.info();
        // SAFETY: kernel and command line stay where they are from here on.
        unsafe {
            image.set_image(base.cast::<c_void>(), self.memory.len() as u64);
            image.set_load_options(line.as_ptr(), line.len() as u32);
        }
        drop(image);
        let system = table::system_table_raw().context(Status::UNSUPPORTED, &"no system table")?;
        // SAFETY: `Headers::load` has put the program of a file for this machine there, addresses fitted, and found that the
        // entry point lies in it; it is an EFI application, which has this signature.
        let entry: EntryPoint =
            unsafe { core::mem::transmute(base.add(self.loaded.entry_point as usize)) };
        // SAFETY: the handle is this program's, which the kernel may end; the system table is firmware's.
        let status = unsafe { entry(handle, system.as_ptr().cast_const().cast()) };
        let image = boot::open_protocol_exclusive::<LoadedImage>(handle);
        if let Ok(mut image) = image {
            // SAFETY: as it was before; the options are not needed any more.
            unsafe {
                image.set_image(own, size);
                image.set_load_options(core::ptr::null(), 0);
            }
        }
        Ok(status)
    }
}

/// Where firmware keeps data from being executed, says which of the memory is code. Code that is also written to, as in old
/// kernels, stays writable.
fn make_executable(base: u64, loaded: &Loaded) -> Result<(), Error> {
    let protection = boot::get_handle_for_protocol::<MemoryProtection>()
        .and_then(boot::open_protocol_exclusive::<MemoryProtection>);
    let Ok(protection) = protection else {
        return Ok(());
    };
    let what = "the kernel's memory can't be made executable";
    for part in loaded.protections.iter().filter(|part| part.execute) {
        let start = (base + u64::from(part.offset)) / PAGE_SIZE as u64 * PAGE_SIZE as u64;
        let end = (base + u64::from(part.offset) + u64::from(part.length))
            .next_multiple_of(PAGE_SIZE as u64);
        if !part.write {
            protection
                .set_memory_attributes(start..end, MemoryAttribute::READ_ONLY)
                .context(Status::ACCESS_DENIED, &what)?;
        }
        protection
            .clear_memory_attributes(start..end, MemoryAttribute::EXECUTE_PROTECT)
            .context(Status::ACCESS_DENIED, &what)?;
    }
    Ok(())
}

/// Code that was written as data: x86 processors see to it themselves.
#[cfg(target_arch = "x86_64")]
fn flush(_memory: &[u8]) {}

/// Code that was written as data must leave the data cache, and old instructions the other (Arm Architecture Reference
/// Manual, B2.4.4).
#[cfg(target_arch = "aarch64")]
fn flush(memory: &[u8]) {
    // The shortest line that the architecture allows; a longer one is only cleaned more than once.
    const LINE: usize = 16;
    for line in (0..memory.len()).step_by(LINE) {
        // SAFETY: cleaning a line of one's own memory changes nothing that a program could see.
        unsafe {
            core::arch::asm!("dc cvau, {}", in(reg) memory.as_ptr().add(line), options(nostack));
        };
    }
    // SAFETY: waits and empties the instruction cache.
    unsafe { core::arch::asm!("dsb ish", "ic iallu", "dsb ish", "isb", options(nostack)) };
}
