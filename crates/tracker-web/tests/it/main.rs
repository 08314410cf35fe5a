//! The site as its readers see it, each test on both databases.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

mod api;
mod browser;
mod caching;
mod changes;
mod conditions;
mod deciding;
mod embargo;
mod errors;
mod events;
mod families;
mod faults;
mod github;
mod hostile;
mod jobs;
mod limits;
mod lists;
mod maintainers;
mod matrix;
mod names;
mod offering;
mod operate;
mod parity;
mod pipeline;
mod routes;
mod server;
mod shapes;
mod sign_in;
mod site;
mod views;
mod ways;
