//! Our stub in virtual machines: Debian's kernel started from it reports how it was booted, and altered parts are refused.
//! Stage 57-boot-install builds stub and guest and runs these.

mod alterations;
mod handed;
mod linux;
mod peer;
pub(crate) mod scene;
mod tree;
