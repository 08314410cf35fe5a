//! Lines on the serial port, written by its own protocol: the text console wraps lines and inserts escape sequences.

use core::fmt::{Arguments, Write};
use uefi::boot::{self, ScopedProtocol};
use uefi::proto::console::serial::Serial;

/// The serial port.
pub(crate) struct Report(ScopedProtocol<Serial>);

impl Report {
    /// The first serial port. The text console loses it.
    pub(crate) fn open() -> uefi::Result<Report> {
        let handle = boot::get_handle_for_protocol::<Serial>()?;
        let mut report = Report(boot::open_protocol_exclusive(handle)?);
        report.raw("\r\n");
        Ok(report)
    }

    /// One line.
    pub(crate) fn line(&mut self, text: Arguments<'_>) {
        self.raw("probe ");
        let _ = self.write_fmt(text);
        self.raw("\r\n");
    }

    /// A port that takes nothing has no other place to say so; the host sees that lines are missing.
    fn raw(&mut self, text: &str) {
        let _ = self.0.write_exact(text.as_bytes());
    }
}

impl Write for Report {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.raw(text);
        Ok(())
    }
}

/// Bytes in hexadecimal.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
