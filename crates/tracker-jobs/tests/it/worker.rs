//! Workers over real databases: what they do of themselves, and what becomes of jobs whose worker is gone.

mod bench;
mod gone;
mod pace;
mod settle;
