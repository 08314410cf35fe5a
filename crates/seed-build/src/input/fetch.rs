//! Fetching: a source package's file by the machine's own apt, a file from an address by its curl.
//!
//! Invariants: apt's configuration is read and not changed; what comes from an address is bounded in bytes, time and redirections, and
//! comes over HTTP or HTTPS; nothing is believed here, since the caller compares hashes.

use super::{MAX_INPUT, limited};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What fetching from an address may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// Bytes of the file.
    pub bytes: u64,
    /// From the first name that is looked up to the last byte.
    pub time: Duration,
    /// How often the address may lead to another one.
    pub redirections: u32,
}

impl Default for FetchLimits {
    fn default() -> FetchLimits {
        FetchLimits {
            bytes: MAX_INPUT,
            time: Duration::from_hours(1),
            redirections: 5,
        }
    }
}

/// Fetches a file of a source package with the machine's own apt, in a state of its own in `scratch`.
pub(super) fn from_apt(
    package: &str,
    version: Option<&str>,
    file: &str,
    scratch: &Path,
) -> Result<Vec<u8>, String> {
    let text = |error: io::Error| error.to_string();
    for folder in [
        "sources",
        "lists/partial",
        "cache/archives/partial",
        "files",
    ] {
        fs::create_dir_all(scratch.join(folder)).map_err(text)?;
    }
    let lists = scratch.join("sources");
    for (number, path) in package_sources()?.iter().enumerate() {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let Some(extension @ ("list" | "sources")) = extension else {
            continue;
        };
        if let Ok(content) = fs::read_to_string(path) {
            let copy = lists.join(format!("{number}.{extension}"));
            fs::write(copy, for_source_packages(&content, extension)).map_err(text)?;
        }
    }
    let options = [
        "Dir::Etc::sourcelist=/dev/null".to_owned(),
        format!("Dir::Etc::sourceparts={}", lists.display()),
        format!("Dir::State::lists={}", scratch.join("lists").display()),
        format!("Dir::Cache={}", scratch.join("cache").display()),
        "APT::Sandbox::User=root".to_owned(),
    ];
    let wanted = version.map_or(package.to_owned(), |version| format!("{package}={version}"));
    for arguments in [
        vec!["update"],
        vec!["source", "--download-only", "--", wanted.as_str()],
    ] {
        let mut command = Command::new("apt-get");
        for option in &options {
            command.arg("-o").arg(option);
        }
        let result = command
            .args(["--quiet", "--quiet"])
            .args(arguments)
            .current_dir(scratch.join("files"))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("apt-get: {error}"))?;
        if !result.status.success() {
            let said = String::from_utf8_lossy(&result.stderr);
            return Err(said.lines().next().unwrap_or("apt-get failed").to_owned());
        }
    }
    limited(&scratch.join("files").join(file)).map_err(|error| format!("{file}: {error}"))
}

/// The files that tell apt where packages come from.
fn package_sources() -> Result<Vec<PathBuf>, String> {
    let result = Command::new("apt-config")
        .args(["shell", "LIST", "Dir::Etc::sourcelist/f"])
        .args(["PARTS", "Dir::Etc::sourceparts/d"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("apt-config: {error}"))?;
    let said = String::from_utf8_lossy(&result.stdout).into_owned();
    // Lines of the form NAME='VALUE'.
    let value = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name))?;
        Some(PathBuf::from(line.trim_matches('\'')))
    };
    let mut found = Vec::from_iter(value("LIST="));
    if let Some(Ok(parts)) = value("PARTS=").map(fs::read_dir) {
        let mut parts: Vec<PathBuf> = parts.flatten().map(|entry| entry.path()).collect();
        parts.sort();
        found.extend(parts);
    }
    Ok(found)
}

/// The same places, as places of source packages.
pub(super) fn for_source_packages(content: &str, extension: &str) -> String {
    let mut text = String::new();
    for line in content.lines() {
        if extension == "sources" {
            let types = line.starts_with("Types:");
            text.push_str(if types { "Types: deb-src" } else { line });
        } else if let Some(place) = line.strip_prefix("deb ") {
            text.push_str("deb-src ");
            text.push_str(place);
        }
        text.push('\n');
    }
    text
}

/// Fetches from an address with the machine's own curl.
pub(super) fn from_url(url: &str, limits: &FetchLimits) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("curl: {error}");
    let mut child = Command::new("curl")
        // First, or a file of the user's is read.
        .arg("--disable")
        .args(["--fail", "--silent", "--show-error", "--globoff"])
        .args(["--proto", "=https,http", "--proto-redir", "=https,http"])
        .args(["--location", "--max-redirs"])
        .arg(limits.redirections.to_string())
        .arg("--max-time")
        .arg(limits.time.as_secs_f64().to_string())
        .arg("--url")
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let bytes = received(&mut child, limits.bytes);
    if bytes.is_err() {
        let _ = child.kill();
    }
    let result = child.wait_with_output().map_err(failed)?;
    let bytes = bytes?;
    if !result.status.success() {
        return Err(String::from_utf8_lossy(&result.stderr).trim().to_owned());
    }
    Ok(bytes)
}

/// All that comes, which may be more than was announced.
fn received(child: &mut Child, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let read = stdout.take(most + 1).read_to_end(&mut bytes);
        read.map_err(|error| format!("curl: {error}"))?;
    }
    if bytes.len() as u64 > most {
        return Err(format!("more than {most} bytes came"));
    }
    Ok(bytes)
}
