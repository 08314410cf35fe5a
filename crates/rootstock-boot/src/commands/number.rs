//! Numbers on the command line: what is no number, or out of its range, is told together with what was expected.

use std::fmt::Display;
use std::str::FromStr;

/// The highest number of a LUKS2 token.
const MAX_TOKEN: u32 = 31;

/// A parser of numbers from `least` to `most`.
pub(crate) fn number<T>(
    least: T,
    most: T,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Copy + Send + Sync + 'static,
{
    move |text| match text.parse() {
        Ok(number) if least <= number && number <= most => Ok(number),
        _ => Err(format!("expected a number from {least} to {most}")),
    }
}

/// A register of a TPM.
pub(crate) fn pcr(text: &str) -> Result<u8, String> {
    number(0, 23)(text)
}

/// The number of a LUKS2 token.
pub(crate) fn token(text: &str) -> Result<u32, String> {
    number(0, MAX_TOKEN)(text)
}
