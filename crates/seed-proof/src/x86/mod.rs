//! The part of x86-64 that the stages use, twice and independently: text to bytes ([`encode`]) and
//! bytes to behaviour ([`decode`], [`machine`]). Neither half knows the other, so each checks the other.

pub mod decode;
pub mod encode;
mod execute;
pub mod kernel;
pub mod machine;
pub mod memory;
pub mod operand;
