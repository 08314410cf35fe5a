//! Signed updates of Secure Boot variables in `\updates`, written as any program may write them: firmware checks the
//! signatures itself.
//!
//! A file is named `NN-NAME.auth`, or `NN-NAME-append.auth` for an appending write; NN orders them.

use crate::disk;
use crate::report::Report;
use alloc::string::String;
use uefi::runtime::{self, VariableAttributes, VariableVendor};
use uefi::{CString16, Status, cstr16};

/// Writes each, in the order of their names, and reports firmware's answers.
pub(crate) fn write(report: &mut Report) {
    // Most disks have no updates; that is nothing to report.
    for file in disk::names(cstr16!("\\updates")).unwrap_or_default() {
        let status = update(&file).err().unwrap_or(Status::SUCCESS);
        report.line(format_args!("set {file} {status:?}"));
    }
}

fn update(file: &str) -> Result<(), Status> {
    let invalid = Status::INVALID_PARAMETER;
    let stem = file.strip_suffix(".auth").ok_or(invalid)?;
    let (_, name) = stem.split_once('-').ok_or(invalid)?;
    let mut attributes = VariableAttributes::NON_VOLATILE
        | VariableAttributes::BOOTSERVICE_ACCESS
        | VariableAttributes::RUNTIME_ACCESS
        | VariableAttributes::TIME_BASED_AUTHENTICATED_WRITE_ACCESS;
    let name = match name.strip_suffix("-append") {
        Some(name) => {
            attributes |= VariableAttributes::APPEND_WRITE;
            name
        }
        None => name,
    };
    let vendor = match name {
        "PK" | "KEK" => VariableVendor::GLOBAL_VARIABLE,
        _ => VariableVendor::IMAGE_SECURITY_DATABASE,
    };
    let mut path = String::from("\\updates\\");
    path.push_str(file);
    let path = CString16::try_from(path.as_str()).map_err(|_| invalid)?;
    let name = CString16::try_from(name).map_err(|_| invalid)?;
    runtime::set_variable(&name, &vendor, attributes, &disk::read(&path)?)
        .map_err(|error| error.status())
}
