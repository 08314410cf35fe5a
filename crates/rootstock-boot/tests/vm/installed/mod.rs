//! Machines whose disk `rootstock-boot install` has written: the real boot loader chooses among entries of real generations,
//! counts their starts, and goes back when one fails; the power fails in the middle of an installation. Stage 57-boot-install
//! runs these.

pub(crate) mod computer;
mod counting;
mod cuts;
mod shim;
mod upgrade;
