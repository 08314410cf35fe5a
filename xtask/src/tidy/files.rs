//! What each tracked file must look like: header, size, no trailing space, no machine-specific text.

use anyhow::Context;
use std::path::Path;
use std::process::Command;

/// No source file is longer than this; most are 100 to 300 lines.
const MAX_LINES: usize = 800;

/// Texts that must stand nowhere: they tie the project to one machine or one registry host.
/// Built from halves so that this file does not contain them itself.
fn forbidden() -> Vec<String> {
    [
        ("/wo", "rk/"),
        ("/fa", "rm/"),
        ("static.", "crates.io"),
        ("registry.", "npmjs.org"),
        ("files.pytho", "nhosted.org"),
        ("deb.debi", "an.org"),
    ]
    .iter()
    .map(|(a, b)| format!("{a}{b}"))
    .collect()
}

/// Checks every file that git tracks or would track.
pub(super) fn problems(root: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git lists the project's files")?;
    let listing = String::from_utf8(output.stdout).context("file names are UTF-8")?;
    let mut problems = Vec::new();
    for name in listing.lines() {
        // Lock files name the registry by themselves; deleted files are listed until they are staged.
        let lock = Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "lock");
        if lock || name.ends_with("package-lock.json") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(root.join(name)) else {
            continue;
        };
        problems.extend(check(name, &text));
    }
    for folder in std::fs::read_dir(root.join("crates"))?.flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        let index = std::fs::read_to_string(root.join("crates/README.md")).unwrap_or_default();
        if folder.path().is_dir() && !index.contains(&format!("`{name}`")) {
            problems.push(format!("crates/README.md: has no sentence about `{name}`"));
        }
    }
    Ok(problems)
}

/// The problems of one file, given its path from the root and its text.
pub(super) fn check(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let extension = Path::new(name)
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    let source = matches!(
        extension,
        "rs" | "c" | "h" | "css" | "mjs" | "html" | "sql" | "nix" | "sh"
    );
    if extension == "rs" && !text.starts_with("//!") {
        problems.push(format!("{name}: does not open with a module header (`//! What it is and which invariant it keeps`)"));
    }
    let lines = text.lines().count();
    if source && lines > MAX_LINES {
        problems.push(format!(
            "{name}: {lines} lines; the limit is {MAX_LINES}, so split it by concept"
        ));
    }
    for (number, line) in text.lines().enumerate() {
        if source && line.ends_with([' ', '\t']) {
            problems.push(format!("{name}:{}: trailing space", number + 1));
        }
        for word in forbidden() {
            if line.contains(&word) {
                problems.push(format!(
                    "{name}:{}: contains `{word}`, which belongs to one machine or host",
                    number + 1
                ));
            }
        }
    }
    problems
}
