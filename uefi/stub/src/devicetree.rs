//! Device trees: handed to the kernel as a configuration table, fixed up by firmware where it can.
#![expect(
    unsafe_code,
    reason = "a table for the kernel is memory that outlives this program, and the fix-up protocol takes bare pointers"
)]

use crate::error::{Context, Error};
use boot_stub_core::devicetree;
use core::ffi::c_void;
use core::ptr::NonNull;
use uefi::boot::{self, AllocateType, MemoryType, PAGE_SIZE};
use uefi::proto::unsafe_protocol;
use uefi::{Guid, Status, StatusExt, guid};

static TABLE: Guid = guid!("b1b621d5-f19c-41a5-830b-d9152c69aae0");
/// Apply fix-ups, reserve memory.
const FLAGS: u32 = 1 | 2;
/// Largest tree.
const MAX_TREE: usize = 16 << 20;

/// `EFI_DT_FIXUP_PROTOCOL`, by the U-Boot and EDK II projects.
#[repr(C)]
#[unsafe_protocol("e617d64c-fe08-46da-f4dc-bbd5870c7300")]
struct Fixup {
    revision: u64,
    fixup: unsafe extern "efiapi" fn(*mut Fixup, *mut c_void, *mut usize, u32) -> Status,
}

/// Which of several `.dtbauto` counts: the one whose board is the one that firmware's own tree names.
pub(crate) fn fits(data: &[u8]) -> bool {
    let own = uefi::system::with_config_table(|tables| {
        let table = tables.iter().find(|table| table.guid == TABLE);
        table.map(|table| table.address)
    });
    let Some(own) = own.filter(|address| !address.is_null()) else {
        return false;
    };
    // SAFETY: firmware's table begins with its magic number and its length, which it has checked itself.
    let header = unsafe { core::slice::from_raw_parts(own.cast::<u8>(), 8) };
    let Some(size) = devicetree::size(header).filter(|size| *size <= MAX_TREE) else {
        return false;
    };
    // SAFETY: the table has this length.
    let own = unsafe { core::slice::from_raw_parts(own.cast::<u8>(), size) };
    let board = devicetree::board(own);
    board.is_some() && devicetree::board(data) == board
}

/// The tree that this program has installed, the last one.
#[derive(Default)]
pub(crate) struct Installed(Option<(NonNull<u8>, usize)>);

impl Installed {
    /// Installs a tree in place of the one before.
    pub(crate) fn install(&mut self, tree: &[u8]) -> Result<(), Error> {
        let what = "the device tree can't be installed";
        let size = devicetree::size(tree).filter(|size| *size <= tree.len().min(MAX_TREE));
        let size = size.context(Status::LOAD_ERROR, &"the device tree is none")?;
        let protocol = boot::get_handle_for_protocol::<Fixup>()
            .and_then(boot::open_protocol_exclusive::<Fixup>);
        // Firmware may add to it.
        let mut room = size.next_multiple_of(PAGE_SIZE) + PAGE_SIZE;
        let mut pages = room / PAGE_SIZE;
        let allocate = |pages| {
            boot::allocate_pages(AllocateType::AnyPages, MemoryType::ACPI_RECLAIM, pages)
                .context(Status::OUT_OF_RESOURCES, &what)
        };
        let mut memory = allocate(pages)?;
        // SAFETY: the pages are this program's, and there are enough of them.
        unsafe {
            memory
                .as_ptr()
                .copy_from_nonoverlapping(tree.as_ptr(), size);
        }
        if let Ok(mut protocol) = protocol {
            let this: *mut Fixup = &raw mut *protocol;
            // SAFETY: the buffer has `room` bytes; firmware changes it or says how many it needs.
            let mut status =
                unsafe { (protocol.fixup)(this, memory.as_ptr().cast(), &raw mut room, FLAGS) };
            if status == Status::BUFFER_TOO_SMALL && room <= MAX_TREE {
                let (old, old_pages) = (memory, pages);
                pages = room.div_ceil(PAGE_SIZE);
                memory = allocate(pages)?;
                // SAFETY: as above; the old pages are used no more.
                status = unsafe {
                    memory
                        .as_ptr()
                        .copy_from_nonoverlapping(tree.as_ptr(), size);
                    let _ = boot::free_pages(old, old_pages);
                    (protocol.fixup)(this, memory.as_ptr().cast(), &raw mut room, FLAGS)
                };
            }
            status.to_result().context(status, &what)?;
        }
        // SAFETY: the table stays until the kernel has taken it, or the next one replaces it.
        unsafe { boot::install_configuration_table(&TABLE, memory.as_ptr().cast::<c_void>()) }
            .context(Status::OUT_OF_RESOURCES, &what)?;
        if let Some((old, pages)) = self.0.replace((memory, pages)) {
            // SAFETY: the table that named these pages is replaced.
            let _ = unsafe { boot::free_pages(old, pages) };
        }
        Ok(())
    }
}
