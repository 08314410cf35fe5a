//! Enrolling own keys: PK signs itself and KEK, KEK signs db; files for systemd-boot, or the variables of this machine.

use super::source;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_signature::{Certificate, Signer};
use boot_variables::{EfiTime, Entry, Guid, Update, Variable, guids, read_lists, write_lists};
use serde::Serialize;
use std::path::Path;

/// What each variable will hold, in writing order: db, KEK, PK. With PK the machine leaves setup mode.
pub(super) fn plan(
    owner: Guid,
    [db, kek, pk]: [&Certificate; 3],
    also: &[String],
) -> anyhow::Result<Vec<(&'static str, Vec<Entry>)>> {
    let own = |certificate| vec![Entry::certificate(owner, certificate)];
    let mut plan = vec![("db", own(db)), ("KEK", own(kek)), ("PK", own(pk))];
    for option in also {
        let target = option.split_once('=').and_then(|(name, file)| {
            let place = plan
                .iter_mut()
                .find(|(known, _)| *known == name && name != "PK")?;
            Some((place, Path::new(file)))
        });
        let (place, file) =
            target.with_context(|| format!("--also {option}: expected KEK=FILE or db=FILE"))?;
        let bytes = files::read(file)?;
        match Certificate::read_all(&bytes) {
            Ok(found) => place
                .1
                .extend(found.iter().map(|c| Entry::certificate(owner, c))),
            Err(_) => place
                .1
                .extend(read_lists(&bytes).with_context(|| file.display().to_string())?),
        }
    }
    Ok(plan)
}

/// The two keys that sign updates.
pub(super) struct Signers<'a> {
    pub(super) pk: (&'a dyn Signer, &'a Certificate),
    pub(super) kek: (&'a dyn Signer, &'a Certificate),
}

/// One signed variable.
#[derive(Serialize)]
pub(super) struct Signed {
    name: &'static str,
    entries: Vec<Entry>,
    #[serde(skip)]
    list: Vec<u8>,
    #[serde(skip)]
    update: Vec<u8>,
}

/// Signs db with KEK, KEK and PK with PK.
pub(super) fn sign(
    plan: &[(&'static str, Vec<Entry>)],
    signers: &Signers<'_>,
    time: EfiTime,
) -> anyhow::Result<Vec<Signed>> {
    let mut signed = Vec::new();
    for (name, entries) in plan {
        let (signer, certificate) = if *name == "db" {
            signers.kek
        } else {
            signers.pk
        };
        let list = write_lists(entries);
        let update = Update::secure_boot(name, list.clone(), false, time);
        signed.push(Signed {
            name,
            entries: entries.clone(),
            update: update.sign(signer, certificate)?,
            list,
        });
    }
    Ok(signed)
}

/// Writes the files, and the variables when `efivars` is given and the machine is in setup mode.
pub(super) fn write(
    signed: &[Signed],
    output: &Path,
    efivars: Option<&Path>,
    out: &Out,
) -> anyhow::Result<Verdict> {
    if let Some(folder) = efivars {
        let variables = source::variables(&folder.display().to_string())?;
        let setup = variables.flag(guids::GLOBAL, "SetupMode");
        anyhow::ensure!(
            setup == Some(1),
            "{}: the machine is not in setup mode; clear the platform key in the firmware's menu first",
            folder.display()
        );
    }
    for variable in signed {
        files::write(
            out,
            &output.join(format!("{}.esl", variable.name)),
            &variable.list,
        )?;
        files::write(
            out,
            &output.join(format!("{}.auth", variable.name)),
            &variable.update,
        )?;
    }
    if let Some(folder) = efivars
        && !out.dry_run
    {
        for variable in signed {
            let content =
                Variable::secure_boot(variable.name, variable.update.clone(), EfiTime::default());
            source::write_live(folder, &content)?;
        }
    }
    out.answer(&signed, |signed| {
        let mut lines = Vec::new();
        for variable in *signed {
            lines.push(format!("{}:", variable.name));
            lines.extend(
                variable
                    .entries
                    .iter()
                    .map(|e| format!("  {} (owner {})", e.describe(), e.owner)),
            );
        }
        lines.join("\n")
    })?;
    Ok(Verdict::Good)
}
