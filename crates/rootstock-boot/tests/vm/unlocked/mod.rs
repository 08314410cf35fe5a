//! Machines whose root is encrypted: the initrd's program unlocks it by the TPM for the generations that it was enrolled for,
//! after updates that were foreseen, and for nothing else; a passphrase or recovery key opens it whatever was changed. Stage
//! 58-boot-unlock runs these.

mod boots;
mod disk;
mod enrolled;
mod host_tpm;
mod initrd;
mod machine;
mod refused;
mod released;
mod stored;
