//! What the graph commands share: which paths to load, how much to look at, progress, and writing files whole.

use crate::print;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use nix_derivation::Node;
use seed_graph::Audit;
use seed_graph::content::Budget;
use seed_graph::load::Loader;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// How much is looked into, per root.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Limits {
    /// Most unpacked bytes of one root, in MiB.
    #[arg(long, default_value_t = 8192, value_name = "MIB")]
    max_unpacked: u64,
    /// Deepest nesting of archives within archives.
    #[arg(long, default_value_t = 8, value_name = "DEPTH")]
    max_nesting: u32,
}

impl Limits {
    fn budget(&self) -> Budget {
        let default = Budget::default();
        Budget {
            depth: self.max_nesting,
            bytes: self.max_unpacked.saturating_mul(1 << 20),
            ..default
        }
    }
}

/// Loads and audits; progress goes to standard error when that is a terminal.
pub(crate) fn audit(paths: &[PathBuf], limits: &Limits) -> anyhow::Result<Audit> {
    let mut loader = Loader::default();
    for path in paths {
        // A path that is not there is a mistake of the call; what is wrong inside is reported and passed over.
        path.symlink_metadata()
            .with_context(|| format!("cannot read {}", path.display()))?;
        loader.path(path);
    }
    let loaded = loader.finish();
    anyhow::ensure!(
        !loaded.graph.is_empty(),
        "no derivation was found{}",
        loaded.problems.first().map_or_else(
            || {
                let paths = paths.iter().map(|path| path.display().to_string());
                format!(" in {}", paths.collect::<Vec<_>>().join(", "))
            },
            |problem| format!(": {problem}")
        )
    );
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} roots looked at, {eta} left");
    bar.set_style(style.context("the progress bar's template is well formed")?);
    let audit = Audit::new(loaded, limits.budget(), &mut |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    Ok(audit)
}

/// The one node that a text names.
pub(crate) fn one(audit: &Audit, text: &str) -> anyhow::Result<Node> {
    let found = audit.find(text);
    match found.as_slice() {
        [node] => Ok(*node),
        [] => anyhow::bail!("nothing here is called '{text}'"),
        // Several of one name: the one that is needed by nobody is meant, if there is one.
        several => {
            let tops: Vec<_> = several
                .iter()
                .filter(|node| audit.graph.dependents(**node).is_empty())
                .collect();
            if let [top] = tops.as_slice() {
                return Ok(**top);
            }
            let names: Vec<String> = several
                .iter()
                .take(10)
                .map(|node| audit.graph.path(*node).to_string())
                .collect();
            anyhow::bail!(
                "'{text}' may be {} things; name one of them: {}",
                several.len(),
                names.join(", ")
            )
        }
    }
}

/// Prints to standard output, or writes a file as a whole: to a temporary name, synced, then renamed.
pub(crate) fn put(text: &str, file: Option<&Path>) -> anyhow::Result<()> {
    let Some(file) = file else {
        return print::text(text);
    };
    replaceable(file)?;
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        // Readable as any other new file: the umask narrows this.
        let mut temporary = tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)?;
        temporary.write_all(text.as_bytes())?;
        temporary.as_file().sync_all()?;
        temporary.persist(file)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", file.display()))
}

/// Refuses what is no regular file: a device or a pipe, such as /dev/null, would be gone, with a plain file in its place.
pub(crate) fn replaceable(file: &Path) -> anyhow::Result<()> {
    if let Ok(there) = file.metadata() {
        anyhow::ensure!(
            there.is_file(),
            "cannot write {}: it is no regular file, so it is not replaced",
            file.display()
        );
    }
    Ok(())
}

/// JSON for people and programs, with a newline at the end.
pub(crate) fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::put;
    use std::os::unix::net::UnixListener;

    #[test]
    fn what_is_no_regular_file_is_not_replaced_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        let error = put("text", Some(&socket)).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("it is no regular file, so it is not replaced"),
            "{error}"
        );
        assert!(!socket.metadata().unwrap().is_file());
    }
}
