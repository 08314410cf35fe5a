//! Updates of Secure Boot's variables, as a running system hands them to firmware: through efivarfs, signed, appended.

use crate::report::{Report, VARIABLES, sorted};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Where the updates are, on whatever is the root.
const UPDATES: &str = "/guest/updates";
/// Non-volatile, for boot services and run time, authenticated by time, appended: before the content in efivarfs.
const ATTRIBUTES: u32 = 0x67;

/// Hands all of them over and reports each.
pub(crate) fn all(report: &mut Report<'_>) {
    for path in sorted(Path::new(UPDATES)) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match update(&path, &Path::new(VARIABLES).join(&*name)) {
            Ok(()) => report.line(format_args!("updated {name}")),
            Err(error) => report.line(format_args!("missing update {name}: {error}")),
        }
    }
}

fn update(signed: &Path, variable: &Path) -> io::Result<()> {
    // The kernel guards variables that are not its own against being removed by accident.
    let file = File::open(variable)?;
    let flags = ioctl_getflags(&file)?;
    ioctl_setflags(&file, flags - IFlags::IMMUTABLE)?;
    // One write is one update.
    let content = [&ATTRIBUTES.to_le_bytes()[..], &fs::read(signed)?].concat();
    let mut file = OpenOptions::new().write(true).open(variable)?;
    if file.write(&content)? == content.len() {
        Ok(())
    } else {
        Err(io::ErrorKind::WriteZero.into())
    }
}
