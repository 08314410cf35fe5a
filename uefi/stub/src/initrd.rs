//! The initrds, offered to the kernel's EFI stub as one file behind a vendor media path (Linux, `LINUX_EFI_INITRD_MEDIA_GUID`).
//! They are copied once, straight to where the kernel wants them.
#![expect(
    unsafe_code,
    reason = "firmware calls back by bare pointers, and interfaces are installed by them"
)]

use crate::Bytes;
use crate::error::{Context, Error};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ffi::c_void;
use uefi::boot::{self, OpenProtocolAttributes, OpenProtocolParams};
use uefi::proto::device_path::DevicePath;
use uefi::proto::device_path::build::{DevicePathBuilder, media::Vendor};
use uefi::proto::media::load_file::LoadFile2;
use uefi::{Guid, Handle, Identify, Status, guid};
use uefi_raw::Boolean;
use uefi_raw::protocol::device_path::DevicePathProtocol;
use uefi_raw::protocol::media::LoadFile2Protocol;

const MEDIA: Guid = guid!("5568e427-68fc-4f3d-ac74-ca555231cc68");
/// Archives start at a multiple of this.
const ALIGNMENT: usize = 4;

/// The interface as firmware sees it, with what it serves behind it.
#[repr(C)]
struct Interface {
    protocol: LoadFile2Protocol,
    pieces: Vec<Bytes>,
}

/// Initrds on offer.
pub(crate) struct Offered {
    handle: Handle,
    path: *const c_void,
    interface: *mut Interface,
}

impl Offered {
    /// Offers these, in this order; nothing is offered when there are none. What another program offers is taken away: the
    /// kernel would take that instead of what was measured here.
    pub(crate) fn install(pieces: Vec<Bytes>) -> Result<Option<Offered>, Error> {
        let what = "initrds can't be handed over";
        let mut storage = Vec::new();
        let vendor = Vendor {
            vendor_guid: MEDIA,
            vendor_defined_data: &[],
        };
        let path = DevicePathBuilder::with_vec(&mut storage)
            .push(&vendor)
            .and_then(DevicePathBuilder::finalize);
        let path = path
            .ok()
            .context(Status::OUT_OF_RESOURCES, &what)?
            .to_boxed();
        remove_others(&path)?;
        if pieces.is_empty() {
            return Ok(None);
        }
        let path: *const c_void = Box::into_raw(path).cast_const().cast();
        let interface = Box::into_raw(Box::new(Interface {
            protocol: LoadFile2Protocol { load_file },
            pieces,
        }));
        // SAFETY: path and interface are of the types that the GUIDs stand for, and live until `withdraw` at least.
        let handle = unsafe {
            let handle = boot::install_protocol_interface(None, &DevicePath::GUID, path)
                .context(Status::OUT_OF_RESOURCES, &what)?;
            boot::install_protocol_interface(
                Some(handle),
                &LoadFile2::GUID,
                interface.cast_const().cast(),
            )
            .context(Status::OUT_OF_RESOURCES, &what)?
        };
        Ok(Some(Offered {
            handle,
            path,
            interface,
        }))
    }

    /// Takes the offer back after the kernel could not begin. The memory stays: a pointer may be left somewhere, and the
    /// machine goes on booting.
    pub(crate) fn withdraw(self) {
        let interface = self.interface.cast_const().cast();
        // SAFETY: these are the interfaces that `install` installed on this handle.
        let _ =
            unsafe { boot::uninstall_protocol_interface(self.handle, &LoadFile2::GUID, interface) };
        // SAFETY: as above.
        let _ = unsafe {
            boot::uninstall_protocol_interface(self.handle, &DevicePath::GUID, self.path)
        };
    }
}

fn remove_others(path: &DevicePath) -> Result<(), Error> {
    let mut rest = path;
    let Ok(handle) = boot::locate_device_path::<LoadFile2>(&mut rest) else {
        return Ok(());
    };
    let params = OpenProtocolParams {
        handle,
        agent: boot::image_handle(),
        controller: None,
    };
    let what = "initrds of another program can't be taken away";
    // SAFETY: the interface is not used, only its address is.
    let other =
        unsafe { boot::open_protocol::<LoadFile2>(params, OpenProtocolAttributes::GetProtocol) };
    let other = other.context(Status::ACCESS_DENIED, &what)?;
    let address: *const LoadFile2 = &raw const *other;
    drop(other);
    // SAFETY: the interface is the one that the handle has; its owner does nothing any more, having started this program.
    unsafe { boot::uninstall_protocol_interface(handle, &LoadFile2::GUID, address.cast()) }
        .context(Status::ACCESS_DENIED, &what)
}

/// `EFI_LOAD_FILE2_PROTOCOL.LoadFile`: tells the length when the buffer is too small, else fills it.
unsafe extern "efiapi" fn load_file(
    this: *mut LoadFile2Protocol,
    _path: *const DevicePathProtocol,
    _boot_policy: Boolean,
    size: *mut usize,
    buffer: *mut c_void,
) -> Status {
    if this.is_null() || size.is_null() {
        return Status::INVALID_PARAMETER;
    }
    // SAFETY: firmware hands back the pointer that was installed, whose first field is the protocol.
    let interface = unsafe { &*this.cast::<Interface>() };
    let aligned = |piece: &Bytes| piece.len().next_multiple_of(ALIGNMENT);
    let total: usize = interface.pieces.iter().map(aligned).sum();
    // SAFETY: the caller's variable, as the protocol demands.
    let room = unsafe { size.replace(total) };
    if buffer.is_null() || room < total {
        return Status::BUFFER_TOO_SMALL;
    }
    // SAFETY: the caller says that the buffer has `room` bytes, which is enough.
    let target = unsafe { core::slice::from_raw_parts_mut(buffer.cast::<u8>(), total) };
    let mut at = 0;
    for piece in &interface.pieces {
        let end = at + aligned(piece);
        target[at..at + piece.len()].copy_from_slice(piece);
        target[at + piece.len()..end].fill(0);
        at = end;
    }
    Status::SUCCESS
}
