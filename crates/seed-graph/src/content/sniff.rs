//! The format of some bytes by how they begin. Sources: the formats' own specifications (magic numbers).

use super::text;
use crate::Class;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

impl Packing {
    const ALL: [Packing; 4] = [Packing::Gzip, Packing::Bzip2, Packing::Xz, Packing::Zstd];

    /// Does a frame of it begin so?
    pub(super) fn begins(self, bytes: &[u8]) -> bool {
        match self {
            Packing::Gzip => bytes.starts_with(b"\x1f\x8b\x08"),
            // A block, or the end of an empty stream.
            Packing::Bzip2 => {
                bytes.starts_with(b"BZh")
                    && matches!(bytes.get(4..8), Some(b"1AY&" | b"\x17\x72\x45\x38"))
            }
            Packing::Xz => bytes.starts_with(b"\xfd7zXZ\0"),
            Packing::Zstd => bytes.starts_with(b"\x28\xb5\x2f\xfd"),
        }
    }
}

/// What to do with some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Unpack.
    Packed(Packing),
    /// Look at the members.
    Tar,
    /// Look at the members.
    Zip,
    /// Look at the members.
    Nar,
    /// Look at the members; a static library or a Debian package.
    Ar,
    /// This is what it is.
    Plain(Class),
}

/// Beginnings of formats that hold code.
const CODE: &[(&[u8], Class)] = &[
    (b"\x7fELF", Class::Elf),
    (b"\0asm", Class::Wasm),
    (b"\xfe\xed\xfa\xce", Class::MachO),
    (b"\xfe\xed\xfa\xcf", Class::MachO),
    (b"\xce\xfa\xed\xfe", Class::MachO),
    (b"\xcf\xfa\xed\xfe", Class::MachO),
    (b"BC\xc0\xde", Class::Bitcode),
    (b"\xde\xc0\x17\x0b", Class::Bitcode),
    (b"rust\0\0\0", Class::RustLibrary),
    (b"\xd0\x0d\xfe\xed", Class::Firmware),
    (b"\x27\x05\x19\x56", Class::Firmware),
    (b"hsqs", Class::Compressed),
    (b"\xed\xab\xee\xdb", Class::Compressed),
    (b"7z\xbc\xaf\x27\x1c", Class::Compressed),
    (b"LZIP", Class::Compressed),
    (b"Rar!\x1a\x07", Class::Compressed),
    (b"\x1f\x9d", Class::Compressed),
    (b"MSCF", Class::Compressed),
];

/// Beginnings of images, fonts and documents.
const MEDIA: &[&[u8]] = &[
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"%PDF-",
    b"\0\x01\0\0\0",
    b"OTTO",
    b"ttcf",
    b"wOFF",
    b"wOF2",
    b"OggS",
    b"ID3",
    b"fLaC",
    b"\0\0\x01\0\x01",
    b"\x01fcp",
];

/// The kind of a file that begins with `head`, which is all of it if it is shorter than [`super::HEAD`].
pub(super) fn kind(place: &str, head: &[u8]) -> Kind {
    if let Some(packing) = Packing::ALL
        .into_iter()
        .find(|packing| packing.begins(head))
    {
        return Kind::Packed(packing);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Kind::Zip;
    }
    if head.starts_with(b"\x0d\0\0\0\0\0\0\0nix-archive-1") {
        return Kind::Nar;
    }
    if head.starts_with(b"!<arch>\n") || head.starts_with(b"!<thin>\n") {
        return Kind::Ar;
    }
    if super::tar::is_tar(head) {
        return Kind::Tar;
    }
    Kind::Plain(class(place, head))
}

fn class(place: &str, head: &[u8]) -> Class {
    if let Some((_, class)) = CODE.iter().find(|(magic, _)| head.starts_with(magic)) {
        return *class;
    }
    if head.starts_with(b"MZ") && is_pe(head) {
        return Class::Pe;
    }
    // Java and fat Mach-O share their first four bytes; Java's next are its version, at least 45.
    if let Some(bytes) = head
        .strip_prefix(b"\xca\xfe\xba\xbe")
        .and_then(|rest| rest.first_chunk::<4>())
    {
        return if u32::from_be_bytes(*bytes) & 0xffff >= 45 {
            Class::JavaClass
        } else {
            Class::MachO
        };
    }
    // Compiled Python: a two-byte version, then return and newline.
    if head.len() >= 12 && head[2..4] == *b"\r\n" && place.ends_with(PYTHON) {
        return Class::PythonBytecode;
    }
    if head.get(4..8) == Some(b"ftyp")
        || is_bitmap(head)
        || MEDIA.iter().any(|magic| head.starts_with(magic))
    {
        return Class::Media;
    }
    text::class(place, head).unwrap_or(if firmware_name(place) {
        Class::Firmware
    } else {
        Class::UnknownBinary
    })
}

const PYTHON: &str = ".pyc";

fn is_pe(head: &[u8]) -> bool {
    let offset = head.get(0x3c..).and_then(|rest| rest.first_chunk::<4>());
    let offset = offset.map_or(usize::MAX, |bytes| u32::from_le_bytes(*bytes) as usize);
    // A header further on than the head is still a program of DOS at least.
    offset >= head.len() || head[offset..].starts_with(b"PE\0\0")
}

fn firmware_name(place: &str) -> bool {
    let name = place.rsplit('/').next().unwrap_or(place);
    place.contains("firmware")
        || [".fw", ".rom", ".ucode", ".bin"]
            .iter()
            .any(|ending| name.ends_with(ending))
}

/// Two letters are too few to tell: the fields behind them must fit as well (`BITMAPFILEHEADER`).
fn is_bitmap(head: &[u8]) -> bool {
    head.starts_with(b"BM")
        && head.get(6..10) == Some(&[0; 4])
        && head.get(15..18) == Some(&[0; 3])
        && matches!(head.get(14), Some(12 | 40 | 52 | 56 | 64 | 108 | 124))
}
