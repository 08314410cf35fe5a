//! How large a derivation may be. Hostile input reaches these, real derivations do not (the largest `.drv` seen
//! in Nixpkgs has under 3 MB).

/// Largest `.drv` file in bytes.
pub const MAX_DERIVATION: usize = 256 << 20;
/// Longest single string in bytes.
pub const MAX_STRING: usize = 128 << 20;
/// Most items of one list: outputs, inputs, sources, arguments, variables.
pub const MAX_ITEMS: usize = 1 << 20;
/// Deepest chain of outputs of outputs (dynamic derivations).
pub const MAX_DYNAMIC: usize = 16;
