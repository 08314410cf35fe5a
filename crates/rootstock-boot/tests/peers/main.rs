//! The binary against the tools of others, on Debian's own boot files: each result here is confirmed by a program that
//! shares no code with us.

mod common;
mod floor;
mod following;
#[path = "../generations/mod.rs"]
mod generations;
mod held;
mod hostile;
mod initrd;
mod measure;
mod pe;
mod recovery;
mod refusals;
mod review;
mod sign;
mod stored;
mod unlock;
mod variables;
