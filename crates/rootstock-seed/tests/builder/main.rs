//! The builder from outside: ways out of its sandbox, and whole small chains that are built, resumed, signed, tampered with and explained.

#![expect(
    clippy::unwrap_used,
    reason = "functions that tests share may panic as tests do"
)]

mod chain;
mod escape;
mod explained;
mod hostile;
mod inputs;
mod place;
mod resumed;
