//! Sections by which others know this program: what it is (`.sdmagic`, as `bootctl` and boot loaders read it), what it
//! measures (`.rsstub`, as `rootstock-boot pcr predict` reads it), and its revocation data (`.sbat`).
#![expect(
    unsafe_code,
    reason = "naming a section is unsafe, since code could be put where it does not belong; these hold text"
)]

use boot_stub_core::StubNote;
use core::sync::atomic::AtomicU32;

const MAGIC: &str = concat!(
    "#### LoaderInfo: rootstock-stub ",
    env!("CARGO_PKG_VERSION"),
    " ####"
);
const REVOCATION: &str = concat!(
    "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n",
    "rootstock-stub,1,Rootstock,rootstock-stub,",
    env!("CARGO_PKG_VERSION"),
    ",https://uapi-group.org/specifications/specs/unified_kernel_image/\n"
);

const fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(text.as_bytes());
    bytes
}

#[used]
// SAFETY: text, never executed or written.
#[unsafe(link_section = ".sdmagic")]
static SDMAGIC: [u8; MAGIC.len()] = bytes(MAGIC);

#[used]
// SAFETY: as above.
#[unsafe(link_section = ".rsstub")]
static RSSTUB: [u8; StubNote::OUR_TEXT.len()] = bytes(StubNote::OUR_TEXT);

#[used]
// SAFETY: as above.
#[unsafe(link_section = ".sbat")]
static SBAT: [u8; REVOCATION.len()] = bytes(REVOCATION);

/// Keeps the section of variables from being without content in the file: shim refuses a program with such a section, unless
/// the linker marks it as uninitialised, which it does not.
#[used]
// SAFETY: a variable, where variables are.
#[unsafe(link_section = ".data")]
static CONTENT: AtomicU32 = AtomicU32::new(1);
