//! Every file in `\images`, through LoadImage and through shim's protocol.

use crate::disk;
use crate::report::Report;
use alloc::string::String;
use alloc::vec::Vec;
use uefi::boot::{self, LoadImageSource, ScopedProtocol};
use uefi::proto::BootPolicy;
use uefi::proto::device_path::DevicePath;
use uefi::proto::device_path::build::{DevicePathBuilder, media};
use uefi::proto::loaded_image::LoadedImage;
use uefi::proto::shim::ShimLock;
use uefi::{CString16, Handle, Status, cstr16};

/// Reports on each file, in the order of their names. A probe that was started from memory has no disk and no files.
pub(crate) fn ask(report: &mut Report) {
    let Some(device) = device() else {
        return report.line(format_args!("no disk"));
    };
    let Ok(names) = disk::names(cstr16!("\\images")) else {
        return report.line(format_args!("no images"));
    };
    let shim = shim();
    for name in names {
        let Ok(path) = CString16::try_from(path_of(&name).as_str()) else {
            continue;
        };
        let status = load(device, &path).unwrap_or_else(|status| status);
        report.line(format_args!("load {name} {status:?}"));
        if let Some(shim) = &shim {
            let status = match disk::read(&path) {
                Ok(bytes) => shim
                    .verify(&bytes)
                    .map_or_else(|e| e.status(), |()| Status::SUCCESS),
                Err(status) => status,
            };
            report.line(format_args!("verify {name} {status:?}"));
        }
    }
}

fn path_of(name: &str) -> String {
    let mut path = String::from("\\images\\");
    path.push_str(name);
    path
}

/// The device that the probe was loaded from.
fn device() -> Option<Handle> {
    let image = boot::open_protocol_exclusive::<LoadedImage>(boot::image_handle()).ok()?;
    image.device()
}

fn shim() -> Option<ScopedProtocol<ShimLock>> {
    let handle = boot::get_handle_for_protocol::<ShimLock>().ok()?;
    boot::open_protocol_exclusive(handle).ok()
}

/// What LoadImage answers for a file of this disk.
fn load(device: Handle, file: &CString16) -> Result<Status, Status> {
    let device =
        boot::open_protocol_exclusive::<DevicePath>(device).map_err(|error| error.status())?;
    let mut bytes = Vec::new();
    let mut builder = DevicePathBuilder::with_vec(&mut bytes);
    for node in device.node_iter() {
        builder = builder.push(&node).map_err(|_| Status::INVALID_PARAMETER)?;
    }
    let path = builder
        .push(&media::FilePath { path_name: file })
        .and_then(DevicePathBuilder::finalize)
        .map_err(|_| Status::INVALID_PARAMETER)?;
    let source = LoadImageSource::FromDevicePath {
        device_path: path,
        boot_policy: BootPolicy::ExactMatch,
    };
    let loaded = boot::load_image(boot::image_handle(), source).map_err(|error| error.status())?;
    boot::unload_image(loaded).map_err(|error| error.status())?;
    Ok(Status::SUCCESS)
}
