//! `variables ...`: signature lists, signed updates and stores.

use super::key::{KeyOptions, certificates};
use super::source;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_signature::HashAlgorithm;
use boot_variables::{
    Change, EfiTime, Entry, Guid, SignedUpdate, Update, Variable, diff, merge, read_lists,
    read_store, replace_store, write_lists,
};
use jiff::Timestamp;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Secure Boot variables.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print variables of a machine, a dump or an OVMF flash image.
    #[command(after_help = "\
Examples:
  rootstock-boot variables show live
  rootstock-boot variables show /usr/share/OVMF/OVMF_VARS_4M.ms.fd db")]
    Show {
        /// `live`, a folder of efivarfs files, or an OVMF_VARS file.
        source: String,
        /// Only this variable.
        name: Option<String>,
    },
    /// Write a signature list.
    List {
        /// Allow or forbid by certificate.
        #[arg(long, value_name = "FILE")]
        certificate: Vec<PathBuf>,
        /// Allow or forbid an image by its Authenticode SHA-256.
        #[arg(long, value_name = "IMAGE")]
        image: Vec<PathBuf>,
        /// Forbid a certificate by the SHA-256 of its signed part (dbx).
        #[arg(long, value_name = "FILE")]
        revoke: Vec<PathBuf>,
        /// Who owns the entries.
        #[arg(long)]
        owner: Guid,
        /// Where to write.
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Sign a list as an update of a variable.
    #[command(after_help = "\
Example:
  rootstock-boot variables sign --key KEK.key --certificate KEK.crt --append \\
      -o dbx.auth dbx dbx.esl")]
    Sign {
        #[command(flatten)]
        key: KeyOptions,
        /// Add to what is there instead of replacing it.
        #[arg(long)]
        append: bool,
        /// Time of the update; now by default. It must be later than that of the last one.
        #[arg(long, value_name = "RFC 3339")]
        time: Option<Timestamp>,
        /// Where to write.
        #[arg(long, short)]
        output: PathBuf,
        /// The variable; firmware knows no other spelling.
        #[arg(value_parser = ["PK", "KEK", "db", "dbx", "dbt", "dbr"])]
        name: String,
        /// The list; an empty file deletes the variable.
        list: PathBuf,
    },
    /// Print the entries of a list or of a signed update.
    Inspect {
        /// A list (.esl) or a signed update (.auth).
        file: PathBuf,
    },
    /// Print what an update would change.
    Diff {
        /// `live`, a folder of efivarfs files, or an OVMF_VARS file.
        #[arg(long)]
        vars: String,
        /// The update appends.
        #[arg(long)]
        append: bool,
        /// PK, KEK, db, dbx, MokList, ...
        name: String,
        /// A list (.esl) or a signed update (.auth).
        update: PathBuf,
    },
    /// Put variables into an OVMF flash image, as firmware in setup mode would take them.
    #[command(after_help = "\
Example:
  rootstock-boot variables store --set PK=PK.esl --set KEK=KEK.esl --set db=db.esl \\
      -o vars.fd /usr/share/OVMF/OVMF_VARS_4M.fd")]
    Store {
        /// NAME=FILE: a list (.esl), a certificate's signed update (.auth), or other content.
        #[arg(long, value_name = "NAME=FILE")]
        set: Vec<String>,
        /// Where to write.
        #[arg(long, short)]
        output: PathBuf,
        /// The flash image to start from.
        image: PathBuf,
    },
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    variable: Variable,
    size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<Entry>>,
}

fn shown(variable: &Variable) -> Shown {
    let lists = [
        "PK",
        "KEK",
        "db",
        "dbx",
        "dbt",
        "dbr",
        "PKDefault",
        "KEKDefault",
        "dbDefault",
        "dbxDefault",
    ];
    let is_list = lists.contains(&variable.name.as_str()) || variable.name.starts_with("MokList");
    Shown {
        size: variable.data.len(),
        entries: is_list.then(|| read_lists(&variable.data).ok()).flatten(),
        variable: variable.clone(),
    }
}

fn show_text(variables: &Vec<Shown>) -> String {
    let mut lines = Vec::new();
    for shown in variables {
        lines.push(format!(
            "{}-{}: {} bytes, attributes {:#x}",
            shown.variable.name, shown.variable.vendor, shown.size, shown.variable.attributes
        ));
        for (index, entry) in shown.entries.iter().flatten().enumerate() {
            lines.push(format!(
                "  {index}: {} (owner {})",
                entry.describe(),
                entry.owner
            ));
        }
    }
    lines.join("\n")
}

/// The entries of a list, or of the payload of a signed update.
fn entries(path: &Path) -> anyhow::Result<Vec<Entry>> {
    let bytes = files::read(path)?;
    match read_lists(&bytes) {
        Ok(entries) => Ok(entries),
        Err(error) => match SignedUpdate::read(&bytes) {
            Ok(update) => read_lists(&update.payload).with_context(|| path.display().to_string()),
            Err(_) => Err(error).with_context(|| path.display().to_string()),
        },
    }
}

#[derive(Serialize)]
struct Written {
    file: PathBuf,
    bytes: usize,
    entries: usize,
}

pub(crate) fn run(command: Command, out: &Out) -> anyhow::Result<Verdict> {
    match command {
        Command::Show { source, name } => {
            let variables = source::variables(&source)?;
            let chosen = |v: &&Variable| name.as_deref().is_none_or(|name| v.name == name);
            let found: Vec<Shown> = variables.iter().filter(chosen).map(shown).collect();
            out.answer(&found, show_text)?;
            Ok(Verdict::when(name.is_none() || !found.is_empty()))
        }
        Command::List {
            certificate,
            image,
            revoke,
            owner,
            output,
        } => {
            let mut list = Vec::new();
            for path in certificate {
                list.extend(
                    certificates(&path)?
                        .iter()
                        .map(|c| Entry::certificate(owner, c)),
                );
            }
            for path in image {
                let bytes = files::read(&path)?;
                let digest = boot_pe::Image::parse(&bytes)
                    .map_err(boot_signature::Error::from)
                    .and_then(|image| HashAlgorithm::Sha256.image_digest(&image))
                    .with_context(|| path.display().to_string())?;
                let digest: &[u8; 32] = digest[..].try_into().context("SHA-256 has 32 bytes")?;
                list.push(Entry::image_sha256(owner, digest));
            }
            for path in revoke {
                list.extend(
                    certificates(&path)?
                        .iter()
                        .map(|c| Entry::certificate_sha256(owner, c)),
                );
            }
            written(out, &output, &write_lists(&list), list.len())
        }
        Command::Sign {
            key,
            append,
            time,
            output,
            name,
            list,
        } => {
            let payload = files::read(&list)?;
            let count = read_lists(&payload)
                .with_context(|| list.display().to_string())?
                .len();
            let key = key.open(out)?;
            let time = EfiTime::from(time.unwrap_or_else(Timestamp::now));
            let update = Update::secure_boot(&name, payload, append, time);
            let bytes = update.sign(&*key.signer, key.certificate())?;
            written(out, &output, &bytes, count)
        }
        Command::Inspect { file } => {
            let found = entries(&file)?;
            out.answer(&found, |found| {
                let line = |(index, entry): (usize, &Entry)| {
                    format!("{index}: {} (owner {})", entry.describe(), entry.owner)
                };
                found
                    .iter()
                    .enumerate()
                    .map(line)
                    .collect::<Vec<_>>()
                    .join("\n")
            })?;
            Ok(Verdict::Good)
        }
        Command::Diff {
            vars,
            append,
            name,
            update,
        } => changes(&vars, append, &name, &update, out),
        Command::Store { set, output, image } => store(&set, &output, &image, out),
    }
}

fn written(out: &Out, file: &Path, bytes: &[u8], entries: usize) -> anyhow::Result<Verdict> {
    files::write(out, file, bytes)?;
    let written = Written {
        file: file.to_owned(),
        bytes: bytes.len(),
        entries,
    };
    out.answer(&written, |w| {
        format!(
            "{}: {} bytes, {} entries",
            w.file.display(),
            w.bytes,
            w.entries
        )
    })?;
    Ok(Verdict::Good)
}

fn store(set: &[String], output: &Path, image: &Path, out: &Out) -> anyhow::Result<Verdict> {
    let bytes = files::read(image)?;
    let mut variables = read_store(&bytes).with_context(|| image.display().to_string())?;
    for option in set {
        let (name, file) = option
            .split_once('=')
            .with_context(|| format!("--set {option}: expected NAME=FILE"))?;
        let content = files::read(file.as_ref())?;
        // What firmware would store of a signed update: its payload and its time.
        let (data, time) = match SignedUpdate::read(&content) {
            Ok(update) => (update.payload, update.time),
            Err(_) => (content, EfiTime::default()),
        };
        variables.insert(Variable::secure_boot(name, data, time));
    }
    let count = variables.iter().count();
    written(out, output, &replace_store(&bytes, &variables)?, count)
}

fn changes(
    vars: &str,
    append: bool,
    name: &str,
    update: &Path,
    out: &Out,
) -> anyhow::Result<Verdict> {
    let variables = source::variables(vars)?;
    let template = Variable::secure_boot(name, Vec::new(), EfiTime::default());
    let before = variables
        .entries(template.vendor, name)
        .with_context(|| name.to_owned())?;
    let given = entries(update)?;
    let after = if append {
        merge(&before, &given)
    } else {
        given
    };
    let changes = diff(&before, &after);
    out.answer(&changes, |changes| {
        let line = |change: &Change| match change {
            Change::Added(entry) => format!("+ {}", entry.describe()),
            Change::Removed(entry) => format!("- {}", entry.describe()),
        };
        changes.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Verdict::Good)
}
