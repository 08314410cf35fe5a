//! Policies against a model of a session that does what the specification says of each command, digests against values
//! that tpm2-tools computed, documents and tokens against the forms that systemd writes. Sessions on a TPM are in the
//! binary's peer tests.

mod document;
mod members;
mod rule;
mod stored;
mod token;
