//! Unit and property tests; the comparison with nix itself is in `nix-archive`'s peer tests.

mod aterm;
mod folder;
mod graph;
mod json;
mod modulo;
mod strategies;
