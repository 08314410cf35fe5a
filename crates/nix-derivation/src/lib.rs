//! Derivations: what Nix builds. Reads and writes `.drv` files and derivation JSON, hashes them modulo fixed
//! outputs, and makes graphs of them. Layer: ground floor, pure; only [`folder`] reads files.
//!
//! Invariants: [`Derivation::to_aterm`] of a parsed `.drv` is that file byte for byte (a file in another than
//! Nix's own order or spelling is refused by name); parsing is bounded by the constants in [`limits`]; a parse
//! error names the byte offset.
//!
//! # The `.drv` format, well enough to implement from
//! Source: the Nix manual, "Derivation ATerm Format" and "Store Derivation"; checked against nix 2.8.
//!
//! ```text
//! derivation := Derive( outputs , inputs , sources , system , builder , args , env )
//!             | DrvWithVersion("xp-dyn-drv", the same seven )       when some input is an output of an output
//! outputs    := [ ("ID","PATH","ALGO","HASH") ... ]                 sorted by ID
//! inputs     := [ ("DRVPATH", node ) ... ]                          sorted by DRVPATH
//! node       := ["ID"...]  |  (["ID"...],[("ID", node ) ...])       IDs sorted
//! sources    := ["PATH"...]                                         sorted
//! system, builder := "STRING"       args := ["STRING"...]
//! env        := [("NAME","VALUE")...]                               sorted by NAME
//! ```
//! Lists are separated by single commas; there is no white space. Strings are bytes (not necessarily UTF-8);
//! `"`, `\`, newline, return and tab are written `\"`, `\\`, `\n`, `\r`, `\t`; nothing else is escaped.
//!
//! | ALGO | HASH | PATH | kind of output |
//! |---|---|---|---|
//! | empty | empty | a path | input-addressed |
//! | empty | empty | empty | deferred: input-addressed, behind a floating input |
//! | `[r:\|text:\|git:]ALGO` | base16 | a path | fixed |
//! | `[r:\|text:\|git:]ALGO` | empty | empty | floating content-addressed |
//! | `[r:\|text:\|git:]ALGO` | `impure` | empty | impure |
//!
//! **Structured attributes** are the variable `__json` of `env`, a JSON object.
//!
//! **Hash modulo fixed outputs** ([`modulo`]): of a fixed output, SHA-256 of
//! `fixed:out:[r:]ALGO:HEX:PATH`; of any other derivation, SHA-256 of its ATerm in which each input path is
//! replaced by the base16 hash modulo of that input (inputs then sorted by hash, equal ones merged). For a
//! derivation's *own* output paths, the paths in `outputs` and the values of the variables named like outputs
//! are emptied first.
//!
//! The JSON shapes and their sources are listed in [`json`].

mod derivation;
mod error;
mod graph;
mod outline;

pub mod aterm;
pub mod folder;
pub mod json;
pub mod limits;
pub mod modulo;

pub use derivation::{Derivation, InputNode, Inputs, Output};
pub use error::Error;
pub use graph::{Cycle, Graph, GraphBuilder, Node};
pub use outline::Outline;

#[cfg(test)]
mod tests;
