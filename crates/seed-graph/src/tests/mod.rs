//! Unit and property tests; the whole program on graphs that nix built is tested in `rootstock-seed`.

mod content;
mod cuts;
mod graphs;
mod names;
mod reports;
mod tools;
