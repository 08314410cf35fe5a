//! The store as its callers see it, each test on both databases.

mod import;
