//! Installing onto folders and onto FAT images whose power is cut.

#[path = "../workshop/mod.rs"]
mod workshop;

mod install;
