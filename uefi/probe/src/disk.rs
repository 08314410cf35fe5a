//! Files of the disk that the probe was started from.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use uefi::boot;
use uefi::fs::FileSystem;
use uefi::{CStr16, Status};

fn file_system() -> Result<FileSystem, Status> {
    let volume = boot::get_image_file_system(boot::image_handle()).map_err(|e| e.status())?;
    Ok(FileSystem::new(volume))
}

/// Names of the files in a folder, in order.
pub(crate) fn names(folder: &CStr16) -> Result<Vec<String>, Status> {
    let mut volume = file_system()?;
    let entries = volume.read_dir(folder).map_err(|_| Status::NOT_FOUND)?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|file| file.is_regular_file())
        .map(|file| file.file_name().to_string())
        .collect();
    names.sort();
    Ok(names)
}

/// A whole file.
pub(crate) fn read(path: &CStr16) -> Result<Vec<u8>, Status> {
    file_system()?.read(path).map_err(|_| Status::DEVICE_ERROR)
}
