//! The jobs against real databases and real files.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod bad_input;
mod derive;
mod follow;
mod follow_channel;
mod follow_cve_list;
mod follow_faults;
mod follow_feeds;
mod follow_kill;
mod follow_tls;
mod follow_withdrawn;
mod import;
mod kill;
mod landing;
mod site;
mod worker;
