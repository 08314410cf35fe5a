//! What real firmware, Debian's shim and a TPM answer, beside what `rootstock-boot` foresees: boots of virtual machines,
//! each deciding many files. Stage 55-boot-vm builds the probe and runs them.

mod bench;
mod enroll;
mod firmware;
mod foreseen;
mod images;
mod installed;
mod lab;
mod measured;
mod second_stage;
mod shim_images;
mod stub;
mod unlocked;
mod workshop;
