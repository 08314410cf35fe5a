//! Derivation JSON in every published shape.
//!
//! | [`Shape`] | printed by | top level | paths | inputs | outputs |
//! |---|---|---|---|---|---|
//! | `Flat` | `show-derivation` of 2.0 to 2.15 | map by `.drv` path | whole | `inputSrcs`, `inputDrvs`: lists of IDs | `path`, `hashAlgo` with `r:`, `hash` base16 |
//! | `Named` | `derivation show` of about 2.16 to 2.20 | the same | whole | the same, or (2.18 on) `outputs` and `dynamicOutputs` | the same; adds `name` |
//! | `Methods` | about 2.21 to 2.31 | the same | whole | `outputs` and `dynamicOutputs` | `method` and `hashAlgo` apart |
//! | `Version3` | 2.32 | the same, `version: 3` within each | base names | the same | the same, `path` absent for fixed ones; `structuredAttrs` apart |
//! | `Version4` | 2.33 on | `derivations` and `version: 4` | base names | `inputs.srcs`, `inputs.drvs` | `method` and `hash` as SRI, or `{algorithm, format, hash}` |
//!
//! Sources: the Nix manual's pages "Derivation JSON Format" of 2.20, 2.23, 2.32 and its JSON schemas
//! `derivation-v3`, `derivation-v4`, `hash-v1`; release notes of 2.32 and 2.33. The shapes without a version
//! number are told apart by their fields; the reader accepts any mixture of those, as well as one derivation by
//! itself (what `nix derivation add` takes). `version: 5` (options as fields of their own; unreleased when this
//! was written) and anything else unknown is [`crate::Error::UnknownVersion`].
//!
//! JSON holds text only: strings that are not UTF-8 are refused when writing. Structured attributes are kept as
//! Nix stores them, compact and sorted by key.

mod read;
mod write;

pub use read::{Each, read};
pub use write::{Shape, write};
