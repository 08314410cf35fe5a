//! Variables by which the stub tells the system what it did (systemd's Boot Loader Interface), and whether Secure Boot is on.

use crate::error::{Context, Error};
use crate::image::Own;
use alloc::format;
use alloc::string::{String, ToString};
use boot_stub_core::companions::{EXTENSIONS, PARAMETERS, utf16};
use uefi::boot;
use uefi::proto::device_path::{DevicePath, DeviceSubType, DeviceType};
use uefi::runtime::{self, VariableAttributes, VariableVendor};
use uefi::{CStr16, Guid, Handle, Status, cstr16, guid, system};

/// Owner of the variables.
pub(crate) const LOADER: VariableVendor =
    VariableVendor(guid!("4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"));

/// What this stub does (`StubFeatures`): reports the partition, takes credentials, system extensions, three registers, random
/// seed, command line and device tree of addons, configuration extensions, profiles, reports its own partition.
const FEATURES: u64 =
    1 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10;

/// Whether firmware starts only what its lists allow.
pub(crate) fn secure_boot() -> bool {
    let mut value = [0; 1];
    let vendor = VariableVendor::GLOBAL_VARIABLE;
    runtime::get_variable(cstr16!("SecureBoot"), &vendor, &mut value).is_ok() && value == [1]
}

/// Variables about this boot; those that the boot loader has set already stay as they are.
pub(crate) fn publish(own: &Own, profile: u32) -> Result<(), Error> {
    let firmware = system::firmware_revision();
    let uefi = system::uefi_revision();
    let shared = [
        (
            cstr16!("LoaderFirmwareInfo"),
            format!(
                "{} {}.{:02}",
                system::firmware_vendor(),
                firmware >> 16,
                firmware & 0xffff
            ),
        ),
        (
            cstr16!("LoaderFirmwareType"),
            format!("UEFI {}.{:02}", uefi.major(), uefi.minor()),
        ),
    ];
    for (name, text) in shared {
        set_absent(name, &text)?;
    }
    if let Some(uuid) = own.device.and_then(partition) {
        set_absent(cstr16!("LoaderDevicePartUUID"), &uuid)?;
        set(cstr16!("StubDevicePartUUID"), &utf16(&uuid))?;
    }
    if !own.path.is_empty() {
        set_absent(cstr16!("LoaderImageIdentifier"), &own.path)?;
        set(cstr16!("StubImageIdentifier"), &utf16(&own.path))?;
    }
    let info = concat!("rootstock-stub ", env!("CARGO_PKG_VERSION"));
    set(cstr16!("StubInfo"), &utf16(info))?;
    set(cstr16!("StubFeatures"), &FEATURES.to_le_bytes())?;
    set(cstr16!("StubProfile"), &utf16(&profile.to_string()))
}

/// Which registers hold what; none without a TPM. `measured` says it of parameters and of extensions.
pub(crate) fn publish_registers(sections: bool, measured: [bool; 2]) -> Result<(), Error> {
    let [parameters, extensions] = measured;
    for (name, register, done) in [
        (cstr16!("StubPcrKernelImage"), crate::SECTIONS, sections),
        (cstr16!("StubPcrKernelParameters"), PARAMETERS, parameters),
        (cstr16!("StubPcrInitRDSysExts"), EXTENSIONS, extensions),
        (cstr16!("StubPcrInitRDConfExts"), PARAMETERS, parameters),
    ] {
        if done {
            set(name, &utf16(&register.to_string()))?;
        }
    }
    Ok(())
}

fn set_absent(name: &CStr16, text: &str) -> Result<(), Error> {
    match runtime::variable_exists(name, &LOADER) {
        Ok(true) => Ok(()),
        _ => set(name, &utf16(text)),
    }
}

fn set(name: &CStr16, data: &[u8]) -> Result<(), Error> {
    let attributes = VariableAttributes::BOOTSERVICE_ACCESS | VariableAttributes::RUNTIME_ACCESS;
    runtime::set_variable(name, &LOADER, attributes, data)
        .context(Status::DEVICE_ERROR, &format_args!("variable {name}"))
}

/// The GPT partition of a device, in the usual notation.
fn partition(device: Handle) -> Option<String> {
    /// Of the node behind its header: where the signature is, and where its type (UEFI, 10.3.5.1); 2 is a GUID.
    const SIGNATURE: usize = 20;
    const SIGNATURE_TYPE: usize = 37;
    let path = boot::open_protocol_exclusive::<DevicePath>(device).ok()?;
    path.node_iter().find_map(|node| {
        let drive = (DeviceType::MEDIA, DeviceSubType::MEDIA_HARD_DRIVE);
        let data = node.data();
        if node.full_type() != drive || data.get(SIGNATURE_TYPE) != Some(&2) {
            return None;
        }
        let bytes = data.get(SIGNATURE..SIGNATURE + 16)?.try_into().ok()?;
        Some(Guid::from_bytes(bytes).to_string())
    })
}
