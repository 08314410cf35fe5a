//! `floor show|define|raise|remove`: the TPM's counter of security epochs, below which no generation unlocks a disk.

use super::inputs::TpmOptions;
use crate::commands::counter::{INDEX, handle};
use crate::commands::number::number;
use crate::print::{Out, Verdict};

/// The floor of security epochs.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
The floor only rises. A generation that is of a lower epoch by its signed policy, or by the stored one, still boots, but the TPM no
longer unlocks a disk for it; a passphrase or recovery key always does. `bless --floor` raises it after a generation of a newer epoch has started well,
and never otherwise.")]
pub(crate) enum Command {
    /// What the floor is.
    Show(Where),
    /// Define the counter in the TPM.
    Define(Where),
    /// Raise it by hand to a value of the counter; a floor that is as high already stays.
    #[command(after_help = "\
Nothing shows that a generation of this epoch starts: `bless --floor` raises the floor after one did.

Example:
  rootstock-boot floor raise --epoch 7 --unproven")]
    Raise {
        #[command(flatten)]
        at: Where,
        /// What the counter is to hold: where it started, and the epoch.
        #[arg(long, value_parser = number(0, u64::MAX))]
        epoch: u64,
        /// Although nothing shows that a generation of this epoch starts.
        #[arg(long, required = true)]
        unproven: bool,
    },
    /// Remove it. Defined again it is above every value that it ever had.
    Remove(Where),
}

/// Where the counter is.
#[derive(Debug, clap::Args)]
pub(crate) struct Where {
    #[command(flatten)]
    tpm: TpmOptions,
    /// Handle of the NV index.
    #[arg(long, default_value = INDEX, value_parser = handle)]
    index: u32,
}

/// Runs a command.
pub(crate) fn run(command: Command, out: &Out) -> anyhow::Result<Verdict> {
    let at = match &command {
        Command::Show(at) | Command::Define(at) | Command::Remove(at) => at,
        Command::Raise { at, .. } => at,
    };
    let mut tpm = at.tpm.open()?;
    let before = tpm.floor(at.index)?;
    let after = match (&command, out.dry_run) {
        (Command::Show(_), _) => before,
        // Where a new counter starts is the TPM's to choose.
        (Command::Define(_), true) => before,
        (Command::Raise { epoch, .. }, true) => Some(tpm.may_raise(at.index, *epoch)?.max(*epoch)),
        (Command::Remove(_), true) => None,
        (Command::Define(_), false) => Some(tpm.define_floor(at.index, b"")?),
        (Command::Raise { epoch, .. }, false) => Some(tpm.raise_floor(at.index, *epoch, b"")?),
        (Command::Remove(_), false) => {
            tpm.remove_floor(at.index, b"")?;
            None
        }
    };
    let answer = serde_json::json!({ "index": format!("{:#010x}", at.index), "before": before, "floor": after });
    out.answer(&answer, |_| match after {
        Some(floor) => format!("floor {floor}"),
        None if matches!(command, Command::Define(_)) => "would define the floor".to_owned(),
        None => "no floor is defined".to_owned(),
    })?;
    Ok(Verdict::Good)
}
