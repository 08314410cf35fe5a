//! How names are folded before they are compared.
//!
//! Invariant: folding is idempotent, and a folded name holds only lower-case letters, digits, `+` and single dashes
//! between them.

/// Longest name that is folded, in bytes; what a source calls a product beyond that is prose.
pub const MAX_NAME: usize = 200;

/// Folds case and separators: `Foo_Bar.baz` and `foo bar-baz` become `foo-bar-baz`.
///
/// ```
/// assert_eq!(tracker_match::name::fold("The_FreeType  Project"), "the-freetype-project");
/// assert_eq!(tracker_match::name::fold("libstdc++"), "libstdc++");
/// ```
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len().min(MAX_NAME));
    for character in text.chars() {
        if folded.len() >= MAX_NAME {
            break;
        }
        if character.is_alphanumeric() || character == '+' {
            // `İ` is two in lower case, of which the second is a mark.
            let lower = character.to_lowercase();
            folded.extend(lower.filter(|&c| c.is_alphanumeric() || c == '+'));
        } else if !folded.is_empty() && !folded.ends_with('-') {
            folded.push('-');
        }
    }
    folded.truncate(folded.trim_end_matches('-').len());
    folded
}

/// A folded name without its dashes and plus signs: `lib-foo` and `libfoo` squeeze to the same, `webkitgtk+` and
/// `webkitgtk` too; a name of which hardly anything else is left (`g++`) keeps its plus signs.
pub fn squeeze(folded: &str) -> String {
    let bare = folded.replace(['-', '+'], "");
    if bare.len() >= 3 {
        bare
    } else {
        folded.replace('-', "")
    }
}

/// The initials of a name's words, little ones aside, where there are at least three: `gdm` for
/// `gnome-display-manager`.
///
/// ```
/// assert_eq!(tracker_match::name::initials("point-to-point-protocol").as_deref(), Some("ppp"));
/// assert_eq!(tracker_match::name::initials("big-thing"), None);
/// ```
pub fn initials(folded: &str) -> Option<String> {
    let initials: String = folded
        .split('-')
        .filter(|word| !matches!(*word, "a" | "and" | "for" | "in" | "of" | "the" | "to"))
        .filter_map(|word| word.chars().next())
        .collect();
    (initials.chars().count() >= 3).then_some(initials)
}

/// Words that names carry without changing what is named, at the front.
const PREFIXES: &[&str] = &[
    "lib", "gnu", "apache", "the-", "node-", "python-", "py", "perl-", "ruby-", "go-", "rust-",
];

/// And at the end.
const SUFFIXES: &[&str] = &[
    "-project",
    "-software",
    "-server",
    "-client",
    "-library",
    "-libs",
    "-lib",
    "lib",
    "-js",
    "js",
    "-py",
    "-tools",
    "-utils",
    "-cli",
    "-daemon",
    "-engine",
    "-framework",
    "-core",
    "-common",
    "-desktop",
    "-app",
    "-ng",
    "-go",
    "-rs",
    "-c",
    "-cpp",
    "-python",
    "-source",
    "-toolkit",
    "-suite",
    "-web-server",
    "-http-server",
    "-community",
    "-gui",
    "-qt",
    "-gtk",
];

/// Other names that may mean the same: one affix less, in a fixed order, none shorter than three characters.
///
/// ```
/// assert!(tracker_match::name::stems("apache-http-server").contains(&"http-server".to_owned()));
/// assert!(tracker_match::name::stems("libcurl").contains(&"curl".to_owned()));
/// ```
pub fn stems(folded: &str) -> Vec<String> {
    let mut stems: Vec<String> = Vec::new();
    let mut add = |stem: &str| {
        let stem = stem.trim_matches('-');
        if stem.len() >= 3 && stem != folded && !stems.iter().any(|s| s == stem) {
            stems.push(stem.to_owned());
        }
    };
    for prefix in PREFIXES {
        if let Some(stem) = folded.strip_prefix(prefix) {
            add(stem);
        }
    }
    for suffix in SUFFIXES {
        if let Some(stem) = folded.strip_suffix(suffix) {
            add(stem);
        }
    }
    let undigited = folded.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    add(undigited);
    stems
}

/// Whether a name is so short or common that it alone proves little.
pub fn is_weak(folded: &str) -> bool {
    folded.len() <= 3 || COMMON.binary_search(&folded).is_ok()
}

/// Names of programs that are everyday words or that many vendors use; sorted.
const COMMON: &[&str] = &[
    "agent",
    "api",
    "app",
    "archive",
    "async",
    "backup",
    "base",
    "bridge",
    "browser",
    "build",
    "cache",
    "calendar",
    "chat",
    "client",
    "cloud",
    "code",
    "commander",
    "common",
    "connect",
    "console",
    "contacts",
    "control",
    "core",
    "dashboard",
    "data",
    "database",
    "debug",
    "desktop",
    "dialog",
    "editor",
    "email",
    "engine",
    "explorer",
    "express",
    "extensions",
    "files",
    "filter",
    "firewall",
    "flow",
    "form",
    "forms",
    "forum",
    "framework",
    "gallery",
    "gateway",
    "graph",
    "guest",
    "health",
    "home",
    "host",
    "hub",
    "image",
    "images",
    "index",
    "installer",
    "json",
    "kernel",
    "keyboard",
    "launcher",
    "library",
    "link",
    "local",
    "login",
    "mail",
    "manager",
    "maps",
    "media",
    "memory",
    "menu",
    "messages",
    "messenger",
    "mobile",
    "monitor",
    "music",
    "network",
    "news",
    "notes",
    "office",
    "open",
    "parser",
    "patch",
    "photos",
    "player",
    "plugin",
    "pocket",
    "point",
    "portal",
    "print",
    "profile",
    "project",
    "projects",
    "proxy",
    "radio",
    "reader",
    "recorder",
    "remote",
    "reports",
    "router",
    "scheduler",
    "search",
    "secure",
    "security",
    "server",
    "service",
    "services",
    "session",
    "settings",
    "setup",
    "share",
    "shell",
    "shop",
    "simple",
    "site",
    "social",
    "source",
    "space",
    "spell",
    "spring",
    "storage",
    "store",
    "stream",
    "studio",
    "support",
    "switch",
    "sync",
    "system",
    "task",
    "tasks",
    "terminal",
    "test",
    "time",
    "timer",
    "toolkit",
    "tools",
    "top",
    "translate",
    "update",
    "updater",
    "upload",
    "user",
    "utils",
    "video",
    "viewer",
    "vision",
    "web",
    "wiki",
    "window",
    "workspace",
    "writer",
];

#[cfg(test)]
mod tests;
