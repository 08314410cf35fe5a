//! The program as it is used: the real binary, in a scratch folder, by its exit code, its output and its pages.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

mod admin;
mod config;
mod database;
mod demo;
mod distributions;
mod flow;
mod follow;
mod full;
mod help;
mod landing;
mod landing_fix;
mod operate;
mod program;
mod refusal;
mod replicas;
mod review;
mod triage;
mod worker;
