//! The house rules that a command can check: what every file looks like, and who may depend on whom.
//!
//! Rules are stated in ARCHITECTURE.md; a problem names the file, the rule and the remedy.

mod dependencies;
mod files;
mod pictures;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

/// The repository's root, from this crate's own place in it.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All problems of the working tree, one line each; empty when the house is tidy.
pub(crate) fn problems() -> anyhow::Result<Vec<String>> {
    let root = root();
    let mut problems = files::problems(&root)?;
    problems.extend(dependencies::problems(&root)?);
    problems.extend(pictures::problems(&root)?);
    problems.sort();
    Ok(problems)
}
