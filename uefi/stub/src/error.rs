//! Why an image is not started, and lines on the screen.

use alloc::string::{String, ToString};
use core::fmt::{self, Arguments, Display, Write};
use uefi::{Status, system};

/// A reason for a person and a status for the boot loader.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) status: Status,
    why: String,
}

impl Error {
    pub(crate) fn new(status: Status, why: &dyn Display) -> Error {
        Error {
            status,
            why: why.to_string(),
        }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.why, self.status)
    }
}

/// Says what was being done when something failed or was missing.
pub(crate) trait Context<T> {
    /// `status` where the cause has none of its own.
    fn context(self, status: Status, what: &dyn Display) -> Result<T, Error>;
}

impl<T> Context<T> for Option<T> {
    fn context(self, status: Status, what: &dyn Display) -> Result<T, Error> {
        self.ok_or_else(|| Error::new(status, what))
    }
}

impl<T, D: fmt::Debug> Context<T> for uefi::Result<T, D> {
    fn context(self, _: Status, what: &dyn Display) -> Result<T, Error> {
        self.map_err(|error| Error::new(error.status(), what))
    }
}

/// A line on the screen. A screen that takes nothing has no other place to say so.
pub(crate) fn say(text: Arguments<'_>) {
    system::with_stdout(|out| {
        let _ = out.write_fmt(format_args!("rootstock-stub: {text}\n"));
    });
}
