//! Repology's rules, from where an operator keeps them: a file, a folder, or a tarball (plain or `.zst`).
//!
//! Invariant: at most [`MAX_BYTES`] are read, and only files whose names end in `.yaml` or `.yml`, in order of their
//! names, so that the same rules give the same siblings.

use crate::corpus::open;
use crate::error::EvaluateError;
use std::io::{self, Read};
use std::path::Path;
use tracker_match::siblings::Siblings;

/// Most bytes of rules that are read.
pub const MAX_BYTES: u64 = 64 << 20;

/// Reads the rules and makes siblings of them.
pub fn read(path: &Path) -> Result<Siblings, EvaluateError> {
    let at = |source| EvaluateError::File {
        path: path.to_owned(),
        source,
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = Path::new(name.strip_suffix(".zst").unwrap_or(&name));
    let is_tarball = plain
        .extension()
        .is_some_and(|extension| extension == "tar");
    let mut texts = Vec::new();
    if path.is_dir() {
        folder(path, &mut texts).map_err(at)?;
    } else if is_tarball {
        tarball(open(path)?, &mut texts).map_err(at)?;
    } else {
        let mut text = Vec::new();
        open(path)?
            .take(MAX_BYTES)
            .read_to_end(&mut text)
            .map_err(at)?;
        texts.push((name.into_owned(), text));
    }
    texts.sort();
    let texts: Vec<_> = texts
        .iter()
        .map(|(_, text)| String::from_utf8_lossy(text))
        .collect();
    Ok(Siblings::parse(texts.iter().map(AsRef::as_ref)))
}

/// Whether a file holds rules.
fn is_rules(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn folder(path: &Path, texts: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() {
            folder(&path, texts)?;
        } else if is_rules(&path) {
            texts.push((path.to_string_lossy().into_owned(), std::fs::read(&path)?));
        }
    }
    Ok(())
}

fn tarball(input: impl Read, texts: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let mut left = MAX_BYTES;
    for entry in tar::Archive::new(input.take(2 * MAX_BYTES)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if is_rules(&path) && entry.header().entry_type().is_file() {
            let mut text = Vec::new();
            entry.by_ref().take(left).read_to_end(&mut text)?;
            left -= text.len() as u64;
            texts.push((path.to_string_lossy().into_owned(), text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    //! Invariant checked: a file, a folder and a tarball of the same rules give the same siblings.

    use super::*;

    const RULES: &str = "- { setname: httpd, name: [apache2, apache] }\n";

    #[test]
    fn rules_are_read_wherever_they_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("rules").join("800");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(inner.join("a.yaml"), RULES).unwrap();
        std::fs::write(inner.join("COPYING"), "- { setname: no, name: rule }").unwrap();
        let tarball = folder.path().join("rules.tar.zst");
        let file = std::fs::File::create(&tarball).unwrap();
        let mut builder = tar::Builder::new(zstd::Encoder::new(file, 1).unwrap());
        builder
            .append_dir_all("rules", folder.path().join("rules"))
            .unwrap();
        builder.into_inner().unwrap().finish().unwrap();
        for path in [inner.join("a.yaml"), folder.path().join("rules"), tarball] {
            let siblings = read(&path).unwrap();
            assert_eq!(siblings.len(), 3, "{}", path.display());
            assert_eq!(
                siblings.of("httpd").collect::<Vec<_>>(),
                ["apache", "apache2"]
            );
        }
        assert!(read(&folder.path().join("absent")).is_err());
    }
}
