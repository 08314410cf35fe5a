//! Installing onto folders and onto FAT images whose power is cut.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "../workshop/mod.rs"]
mod workshop;

mod crash;
mod fat;
mod install;
mod policy;
mod profiles;
mod registers;
mod secrets;
mod unsigned;
