//! `initrd build`: an initrd around `boot-init`, for one kernel.

use crate::files;
use crate::print::{Out, Verdict};
use anyhow::{Context, ensure};
use boot_initrd::{Content, Image, Kernel, MAX_TABLE, Tables};
use boot_signature::HashAlgorithm;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What unlocking itself asks of the kernel.
const NEEDED: [&str; 2] = ["dm_crypt", "xts"];
/// What it uses where the kernel has it: ciphers by the processor's own instructions, and the TPM.
const WHERE_THERE: [&str; 4] = ["aesni_intel", "aes_ce_blk", "tpm_crb", "tpm_tis"];

/// Initrds that unlock the root.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Write an initrd that holds `boot-init`, a kernel's modules with what they need, and words of the command line.
    #[command(after_help = "\
The same inputs give the same bytes. Modules stay compressed as they are. dm_crypt and xts are always there, ciphers of the
processor and drivers of TPMs where the kernel has them; name the disk's driver and the root's file system.

Examples:
  rootstock-boot initrd build --init boot-init --modules /lib/modules/6.12.0 --module virtio_blk \\
      --module ext4 -o initrd
  rootstock-boot initrd build --init boot-init --modules /lib/modules/6.12.0 --module nvme \\
      --module btrfs \\
      --words 'rd.luks.uuid=0fd5a7d5-1b2c-4c0d-9c61-5e1c4b1c8b11 root=LABEL=system' -o initrd")]
    Build(Build),
}

/// What goes into it.
#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    /// The first program, linked statically: `boot-init`.
    #[arg(long, value_name = "FILE")]
    init: PathBuf,
    /// The kernel's modules: a folder named as the kernel's release, with `modules.dep` in it.
    #[arg(long, value_name = "FOLDER")]
    modules: PathBuf,
    /// A module by its name or alias; several may be given.
    #[arg(long, value_name = "NAME")]
    module: Vec<String>,
    /// Leave out modules that the kernel does not have, instead of refusing.
    #[arg(long)]
    allow_missing: bool,
    /// Words that go before the kernel's command line, which counts more: the volume, the root, its file system.
    #[arg(long, value_name = "WORDS", default_value = "")]
    words: String,
    /// One more file: PLACE is where it is in the initrd.
    #[arg(long, value_name = "PLACE=FILE", value_parser = placed)]
    file: Vec<(String, PathBuf)>,
    /// Where to write.
    #[arg(long, short)]
    output: PathBuf,
}

fn placed(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((place, file)) if !place.is_empty() && !file.is_empty() => {
            Ok((place.to_owned(), file.into()))
        }
        _ => Err("expected PLACE=FILE, such as /etc/keymap=us.map".to_owned()),
    }
}

#[derive(Serialize)]
struct Built {
    output: String,
    sha256: String,
    bytes: usize,
    release: String,
    /// In the order of loading.
    modules: Vec<String>,
    built_in: Vec<String>,
    missing: Vec<String>,
    /// Sizes by places.
    files: BTreeMap<String, usize>,
}

/// Runs a command.
pub(crate) fn run(command: &Command, out: &Out) -> anyhow::Result<Verdict> {
    let Command::Build(options) = command;
    build(options, out)
}

/// A table beside the modules; kernels have not all of them.
fn table(folder: &Path, name: &str) -> anyhow::Result<String> {
    let path = folder.join(name);
    if !path.exists() {
        return Ok(String::new());
    }
    let bytes = files::read(&path)?;
    ensure!(
        bytes.len() <= MAX_TABLE,
        "{}: larger than 16 MiB",
        path.display()
    );
    String::from_utf8(bytes).with_context(|| path.display().to_string())
}

fn build(options: &Build, out: &Out) -> anyhow::Result<Verdict> {
    let folder = &options.modules;
    let shown = || folder.display().to_string();
    let release = folder.file_name().and_then(|name| name.to_str());
    let release =
        release.with_context(|| format!("{}: its name is no kernel's release", shown()))?;
    ensure!(
        folder.join("modules.dep").exists(),
        "{}: no modules.dep is there; name the folder of one kernel's release, and run depmod for it where it has none",
        shown()
    );
    let kernel = Kernel::read(&Tables {
        dependencies: &table(folder, "modules.dep")?,
        built_in: &table(folder, "modules.builtin")?,
        soft: &table(folder, "modules.softdep")?,
        aliases: &table(folder, "modules.alias")?,
    })
    .with_context(shown)?;
    let there = |name: &&str| kernel.has(name);
    let wanted = NEEDED
        .into_iter()
        .chain(options.module.iter().map(String::as_str));
    let chosen = kernel.choose(wanted.chain(WHERE_THERE.into_iter().filter(there)));
    let missing = &chosen.missing;
    if !missing.is_empty() && !options.allow_missing {
        anyhow::bail!(
            "{}: the kernel has no module {}; see --allow-missing",
            shown(),
            missing.join(", ")
        );
    }
    let read = |file: &String| -> anyhow::Result<(String, Vec<u8>)> {
        Ok((file.clone(), files::read(&folder.join(file))?))
    };
    let modules = chosen
        .files
        .iter()
        .map(read)
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut more = BTreeMap::new();
    for (place, file) in &options.file {
        let before = more.insert(place.clone(), files::read(file)?);
        ensure!(before.is_none(), "{place}: two files have this place");
    }
    let init = files::read(&options.init)?;
    let image = Image::build(&Content {
        init: &init,
        release,
        dependencies: &chosen.dependencies,
        modules: &modules,
        words: &options.words,
        more: &more,
    })
    .with_context(|| options.output.display().to_string())?;
    files::write(out, &options.output, &image.bytes)?;
    let digest = HashAlgorithm::Sha256.digest(&image.bytes);
    let built = Built {
        output: options.output.display().to_string(),
        sha256: hex::encode(digest),
        bytes: image.bytes.len(),
        release: release.to_owned(),
        modules: chosen.files,
        built_in: chosen.built_in,
        missing: chosen.missing,
        files: image.files.into_iter().collect(),
    };
    out.answer(&built, |built| {
        format!(
            "{}: {} modules for {}, {} bytes, SHA-256 {}",
            built.output,
            built.modules.len(),
            built.release,
            built.bytes,
            built.sha256
        )
    })?;
    Ok(Verdict::Good)
}
