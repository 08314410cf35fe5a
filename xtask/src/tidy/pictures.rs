//! Pictures of the book: each that a page names is there, small, told in words, and shown by some page.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The largest picture, in bytes.
const MAX_PICTURE: u64 = 150_000;
/// All of them together.
const MAX_ALL: u64 = 1_500_000;
/// What a picture's name ends with.
const ENDINGS: [&str; 3] = ["png", "webp", "svg"];

/// Checks the book below a folder.
pub(super) fn problems(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    walk(&root.join("docs"), &mut files)?;
    let mut problems = Vec::new();
    let mut shown = BTreeSet::new();
    for page in files.iter().filter(|file| has_ending(file, &["md"])) {
        let text = std::fs::read_to_string(page)?;
        let name = page.strip_prefix(root).unwrap_or(page).display();
        for (words, target) in pictures(&text) {
            if words.trim().is_empty() {
                problems.push(format!(
                    "{name}: `{target}` is shown without words for those who cannot see it"
                ));
            }
            let folder = page.parent().unwrap_or(root);
            match folder.join(target).canonicalize() {
                Ok(file) => drop(shown.insert(file)),
                Err(_) => problems.push(format!("{name}: there is no picture `{target}`")),
            }
        }
    }
    let mut all = 0;
    for file in files.iter().filter(|file| has_ending(file, &ENDINGS)) {
        let size = file.metadata()?.len();
        let name = file.strip_prefix(root).unwrap_or(file).display();
        all += size;
        if size > MAX_PICTURE {
            problems.push(format!(
                "{name}: {size} bytes, at most {MAX_PICTURE}; make it smaller"
            ));
        }
        if !shown.contains(&file.canonicalize()?) {
            problems.push(format!(
                "{name}: no page of the book shows it; show it or delete it"
            ));
        }
    }
    if all > MAX_ALL {
        problems.push(format!("docs: pictures of {all} bytes, at most {MAX_ALL}"));
    }
    Ok(problems)
}

/// The pictures that a page shows, with their words.
pub(super) fn pictures(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split("![").skip(1);
    parts
        .filter_map(|part| {
            let (words, rest) = part.split_once("](")?;
            let (target, _) = rest.split_once(')')?;
            (!words.contains("\n\n") && !target.contains("://")).then_some((words, target))
        })
        .collect()
}

fn has_ending(file: &Path, endings: &[&str]) -> bool {
    let ending = file.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.contains(&ending))
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
