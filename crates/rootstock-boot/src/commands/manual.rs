//! Man pages and shell completions, generated from the command line's own definition.

use crate::cli::Arguments;
use crate::files;
use crate::print::{Out, Verdict};
use clap::CommandFactory;
use std::io::Write;
use std::path::Path;

/// Writes `rootstock-boot.1` and one page for each sub-command.
pub(super) fn pages(folder: &Path, out: &Out) -> anyhow::Result<Verdict> {
    let mut root = Arguments::command();
    root.build();
    page(&root, "rootstock-boot", folder, out)?;
    Ok(Verdict::Good)
}

fn page(command: &clap::Command, name: &str, folder: &Path, out: &Out) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name)
        .render(&mut text)?;
    files::write(out, &folder.join(format!("{name}.1")), &text)?;
    for child in command.get_subcommands().filter(|c| c.get_name() != "help") {
        page(child, &format!("{name}-{}", child.get_name()), folder, out)?;
    }
    Ok(())
}

/// Prints the completion script.
pub(super) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Verdict> {
    let mut command = Arguments::command();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "rootstock-boot", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(Verdict::Good)
}
