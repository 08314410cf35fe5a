//! The class of a root whose bytes are not at hand, by its name and address. A guess, and reported as one.

use crate::Class;

/// Endings of files that hold code for a machine.
const PREBUILT: &[&str] = &[
    "deb", "rpm", "exe", "msi", "dmg", "pkg", "appimage", "snap", "jar", "war", "class", "apk",
    "so", "dll", "dylib", "o", "a", "rlib", "pyc", "wasm", "elf", "run", "bundle", "nupkg",
];
const FIRMWARE: &[&str] = &[
    "fw", "rom", "bin", "img", "iso", "ucode", "hex", "efi", "qcow2",
];
const TEXT: &[&str] = &[
    "patch", "diff", "txt", "c", "h", "cpp", "hpp", "el", "py", "pl", "pm", "sh", "rs", "go", "js",
    "json", "xml", "pom", "yaml", "yml", "toml", "md", "html", "css", "nix", "cabal", "lua", "ml",
    "hs", "lisp", "asc", "vim", "sql", "conf", "desktop", "service", "ebuild", "awk", "mk", "in",
    "am", "ac", "m4", "asd", "scm", "tcl", "pem", "sig",
];
const MEDIA: &[&str] = &[
    "ttf", "otf", "ttc", "woff", "woff2", "pcf", "png", "jpg", "jpeg", "gif", "svg", "ico", "pdf",
    "ps", "ogg", "mp3", "wav",
];
const ARCHIVES: &[&str] = &[
    "tar", "gz", "tgz", "bz2", "tbz", "tbz2", "xz", "txz", "lzma", "zst", "zip", "lz", "z", "7z",
    "gem", "crate", "whl", "rock", "cpio", "git",
];
/// Words that say for which machine something was built; sources are for all.
const MACHINES: &[&str] = &[
    "x86_64",
    "amd64",
    "linux64",
    "linux-x64",
    "x64",
    "i686",
    "i386",
    "x86",
    "aarch64",
    "arm64",
    "armv7l",
    "darwin",
    "macos",
    "osx",
    "win32",
    "win64",
    "windows",
];
const BUILT_WORDS: &[&str] = &["bootstrap-tools", "prebuilt", "unpacked-binaries"];

/// The class that a name and, where known, an address suggest; and the reason, for people.
pub(crate) fn classify(name: &str, url: Option<&str>) -> (Class, String) {
    let file = url.map(last_part).filter(|file| !file.is_empty());
    let candidates = [file, Some(name)];
    let lower: Vec<String> = candidates
        .into_iter()
        .flatten()
        .map(str::to_ascii_lowercase)
        .collect();
    let address = url.unwrap_or_default().to_ascii_lowercase();
    for text in &lower {
        if let Some(word) = BUILT_WORDS.iter().find(|word| text.contains(**word)) {
            return (Class::Prebuilt, format!("'{text}' says '{word}'"));
        }
    }
    if address.contains("/stdenv-linux/") || address.contains("/stdenv-darwin/") {
        return (
            Class::Prebuilt,
            "its address is that of Nixpkgs' bootstrap files".to_owned(),
        );
    }
    let endings = lower
        .iter()
        .filter_map(|text| Some((text, text.rsplit_once('.')?.1)));
    for (text, ending) in endings.clone() {
        let found = |list: &[&str]| list.contains(&ending);
        let class = if found(PREBUILT) {
            Class::Prebuilt
        } else if found(FIRMWARE) {
            Class::Firmware
        } else if found(TEXT) {
            Class::Source
        } else if found(MEDIA) {
            Class::Media
        } else {
            continue;
        };
        return (class, format!("'{text}' ends in .{ending}"));
    }
    for text in &lower {
        if let Some(word) = MACHINES.iter().find(|word| has_word(text, word)) {
            return (
                Class::Prebuilt,
                format!("'{text}' names a machine, '{word}'"),
            );
        }
        if has_word(text, "bin") && !text.contains("sbin") {
            return (Class::Prebuilt, format!("'{text}' says 'bin'"));
        }
    }
    for (text, ending) in endings {
        if ARCHIVES.contains(&ending) {
            return (Class::SourceArchive, format!("'{text}' ends in .{ending}"));
        }
    }
    let forge = ["/archive/", "/tarball/", "codeload.", ".git", "git://"];
    if name == "source"
        || name.ends_with("-source")
        || forge.iter().any(|part| address.contains(part))
    {
        return (
            Class::SourceArchive,
            "its name or address is that of a source tree".to_owned(),
        );
    }
    (
        Class::Unknown,
        "neither name nor address say what it is".to_owned(),
    )
}

fn last_part(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
}

/// Does the word stand in the text with no letter or digit at either side?
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let edge = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let before = at
            .checked_sub(1)
            .and_then(|before| text.as_bytes().get(before));
        edge(before) && edge(text.as_bytes().get(at + word.len()))
    })
}
