//! What a root may hold, and how sure that is.

use serde::Serialize;
use std::fmt;

/// What some bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// ELF: programs, libraries and objects of Unix.
    Elf,
    /// PE: programs of Windows and UEFI.
    Pe,
    /// Mach-O: programs of macOS.
    MachO,
    /// WebAssembly.
    Wasm,
    /// Java class file.
    JavaClass,
    /// Compiled Python.
    PythonBytecode,
    /// LLVM bitcode.
    Bitcode,
    /// A static library with compiled members.
    StaticLibrary,
    /// A Rust library with metadata.
    RustLibrary,
    /// Firmware, device trees, boot images.
    Firmware,
    /// Compressed bytes that could not be looked into.
    Compressed,
    /// Bytes of no known format, not text.
    UnknownBinary,
    /// A program or package that its name says is prebuilt.
    Prebuilt,
    /// A path of the machine that builds.
    HostPath,
    /// Text that a tool wrote: configure scripts, parser tables.
    Generated,
    /// Text squeezed for machines.
    Minified,
    /// Text that a person wrote.
    Source,
    /// Images, fonts, documents: not executed.
    Media,
    /// An archive that was not looked into; by its name, of sources.
    SourceArchive,
    /// Nothing is known.
    Unknown,
}

/// What follows from a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Readable, or not executed.
    Readable,
    /// Not looked into.
    Unverified,
    /// Text, but not what a person wrote.
    Derived,
    /// Nobody can read it: a seed.
    Opaque,
}

impl Class {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Elf => "elf",
            Class::Pe => "pe",
            Class::MachO => "mach-o",
            Class::Wasm => "wasm",
            Class::JavaClass => "java-class",
            Class::PythonBytecode => "python-bytecode",
            Class::Bitcode => "llvm-bitcode",
            Class::StaticLibrary => "static-library",
            Class::RustLibrary => "rust-library",
            Class::Firmware => "firmware",
            Class::Compressed => "compressed",
            Class::UnknownBinary => "unknown-binary",
            Class::Prebuilt => "prebuilt",
            Class::HostPath => "host-path",
            Class::Generated => "generated-text",
            Class::Minified => "minified-text",
            Class::Source => "source-text",
            Class::Media => "media",
            Class::SourceArchive => "source-archive",
            Class::Unknown => "unknown",
        }
    }

    /// What follows from it.
    pub const fn verdict(self) -> Verdict {
        match self {
            Class::Source | Class::Media => Verdict::Readable,
            Class::SourceArchive | Class::Unknown => Verdict::Unverified,
            Class::Generated | Class::Minified => Verdict::Derived,
            _ => Verdict::Opaque,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a class was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The bytes.
    Content,
    /// The name or address only.
    Name,
    /// What the thing is, such as a path of the host.
    Kind,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Evidence::Content => "content",
            Evidence::Name => "name only",
            Evidence::Kind => "kind",
        })
    }
}
