//! Gathering what lies beside the image. Addons are programs that firmware or shim must vouch for; one that they refuse is
//! left out and named, as systemd's stub does, because the image itself is whole without it.

use crate::error::{Context, Error, say};
use crate::image::Own;
use crate::volume::Volume;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use boot_stub_core::companions::{ADDONS, Addon, CREDENTIALS, Companions, Kind, own_folder};
use boot_stub_core::pe::{Headers, Machine};
use uefi::boot::{self, LoadImageSource};
use uefi::proto::device_path::build::{DevicePathBuilder, media::FilePath};
use uefi::proto::device_path::{DevicePath, PoolDevicePath};
use uefi::proto::shim::ShimLock;
use uefi::{CString16, Handle, Status};

/// Largest file beside an image.
const MAX_FILE: u64 = 1 << 30;

#[cfg(target_arch = "x86_64")]
pub(crate) const MACHINE: Machine = Machine::X64;
#[cfg(target_arch = "aarch64")]
pub(crate) const MACHINE: Machine = Machine::Aa64;

/// Everything beside the image; `release` is its `.uname`.
pub(crate) fn gather(
    volume: &mut Volume,
    own: &Own,
    release: Option<&[u8]>,
) -> Result<Companions, Error> {
    let mut found = Companions::default();
    for name in volume.names(ADDONS)? {
        if Kind::of(&name) == Some(Kind::Addon) {
            found.addons.extend(addon(volume, ADDONS, &name, release)?);
        }
    }
    for name in volume.names(CREDENTIALS)? {
        if Kind::of(&name) == Some(Kind::Credential) {
            let file = read(volume, CREDENTIALS, &name)?;
            found.global_credentials.push((name, file));
        }
    }
    if own.path.is_empty() {
        return Ok(found);
    }
    let folder = own_folder(&own.path);
    for name in volume.names(&folder)? {
        let list = match Kind::of(&name) {
            None => continue,
            Some(Kind::Addon) => {
                found.addons.extend(addon(volume, &folder, &name, release)?);
                continue;
            }
            Some(Kind::Credential) => &mut found.credentials,
            Some(Kind::Sysext) => &mut found.sysexts,
            Some(Kind::Confext) => &mut found.confexts,
        };
        let file = read(volume, &folder, &name)?;
        list.push((name, file));
    }
    Ok(found)
}

fn read(volume: &mut Volume, folder: &str, name: &str) -> Result<Vec<u8>, Error> {
    volume.read(&format!("{folder}\\{name}"), MAX_FILE)
}

/// An addon; `None`, and a line on the screen, for one that is not used.
fn addon(
    volume: &mut Volume,
    folder: &str,
    name: &str,
    release: Option<&[u8]>,
) -> Result<Option<Addon>, Error> {
    let path = format!("{folder}\\{name}");
    let file = volume.read(&path, MAX_FILE)?;
    let refused = |why: &dyn core::fmt::Display| say(format_args!("left out {path}: {why}"));
    if let Err(status) = vouched_for(volume.device(), &path, &file) {
        refused(&status);
        return Ok(None);
    }
    let headers = match Headers::parse(&file) {
        Ok(headers) => headers,
        Err(error) => {
            refused(&error);
            return Ok(None);
        }
    };
    let mut memory = vec![0; (headers.image_size as usize).min(MAX_FILE as usize)];
    if let Err(error) = headers.load(&file, MACHINE, &mut memory, 0) {
        refused(&error);
        return Ok(None);
    }
    let section = |name: &str| {
        let section = headers
            .sections
            .iter()
            .find(|section| section.name() == name);
        section.and_then(|section| section.in_memory(&memory).ok())
    };
    match Addon::read(name, section, release) {
        Ok(addon) => Ok(Some(addon)),
        Err(error) => {
            refused(&error);
            Ok(None)
        }
    }
}

/// Asks firmware, which with shim is shim, to load a program, without starting it. Older shims do not stand in for firmware
/// there and are asked by their own protocol.
fn vouched_for(device: Handle, path: &str, file: &[u8]) -> Result<(), Status> {
    let place = full_path(device, path).map_err(|error| error.status)?;
    let source = LoadImageSource::FromBuffer {
        buffer: file,
        file_path: Some(&place),
    };
    match boot::load_image(boot::image_handle(), source) {
        Ok(handle) => boot::unload_image(handle).map_err(|error| error.status()),
        Err(error) => {
            // A refusal leaves a handle behind when the reason is the signature.
            let status = error.status();
            let shim = boot::get_handle_for_protocol::<ShimLock>();
            let shim = shim.and_then(boot::open_protocol_exclusive::<ShimLock>);
            match (status, shim) {
                (Status::SECURITY_VIOLATION | Status::ACCESS_DENIED, Ok(shim)) => {
                    shim.verify(file).map_err(|error| error.status())
                }
                _ => Err(status),
            }
        }
    }
}

fn full_path(device: Handle, path: &str) -> Result<PoolDevicePath, Error> {
    let wide = CString16::try_from(path);
    let wide = wide.ok().context(Status::INVALID_PARAMETER, &path)?;
    let mut storage = Vec::new();
    let wrong = || Error::new(Status::OUT_OF_RESOURCES, &path);
    let file = DevicePathBuilder::with_vec(&mut storage)
        .push(&FilePath { path_name: &wide })
        .and_then(DevicePathBuilder::finalize)
        .map_err(|_| wrong())?;
    let start = boot::open_protocol_exclusive::<DevicePath>(device)
        .context(Status::UNSUPPORTED, &"the device of the image")?;
    start.append_path(file).map_err(|_| wrong())
}
