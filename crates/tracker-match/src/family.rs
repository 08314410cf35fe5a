//! Families: the packages of a distribution that are one piece of software, decided once for all of them.
//!
//! A family is named after its members' common stem; packages of a language set carry the set's name before it
//! (`pythonPackages.requests`), because they are not the program of the same name.
//! Invariant: the family is a function of the package alone, so that it is the same in every release.

use crate::name::fold;
use tracker_inventory::Package;

/// The set that a package belongs to, where that set is a world of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Set {
    /// The name as shown (`pythonPackages`).
    pub name: &'static str,
    /// What vulnerability sources call this world: OSV ecosystems, purl types, CPE target software; lower case.
    pub worlds: &'static [&'static str],
}

impl Set {
    /// Whether it holds extensions of one program rather than libraries and programs of a language.
    pub fn is_of_extensions(self) -> bool {
        const LANGUAGES: &[&str] = &[
            "pythonPackages",
            "perlPackages",
            "haskellPackages",
            "rubyPackages",
            "nodePackages",
            "phpPackages",
            "ocamlPackages",
            "luaPackages",
            "rPackages",
            "beamPackages",
            "linuxPackages",
            "lispPackages",
            "dotnetPackages",
        ];
        !LANGUAGES.contains(&self.name)
    }

    /// Whether hardly any vulnerability is about its packages, so that one which names no language means something else.
    pub fn is_seldom_meant(self) -> bool {
        !matches!(
            self.name,
            "pythonPackages"
                | "perlPackages"
                | "rubyPackages"
                | "nodePackages"
                | "phpPackages"
                | "linuxPackages"
        )
    }
}

/// Prefix of an attribute's first segment (up to a dot or the end of its letters) to set. First hit counts.
const SETS: &[(&str, Set)] = &[
    ("python", set("pythonPackages", &["python", "pypi"])),
    ("pypy", set("pythonPackages", &["python", "pypi"])),
    ("perl", set("perlPackages", &["perl", "cpan"])),
    ("haskell", set("haskellPackages", &["haskell", "hackage"])),
    (
        "ruby",
        set(
            "rubyPackages",
            &["ruby", "rubygems", "gem", "ruby_on_rails", "rails"],
        ),
    ),
    ("node", set("nodePackages", &["npm", "node.js", "nodejs"])),
    (
        "php",
        set("phpPackages", &["php", "packagist", "composer", "pecl"]),
    ),
    ("ocaml", set("ocamlPackages", &["ocaml", "opam"])),
    ("lua", set("luaPackages", &["lua", "luarocks"])),
    (
        "rpackages",
        set("rPackages", &["cran", "bioconductor", "r"]),
    ),
    ("emacs", set("emacsPackages", &["emacs"])),
    ("melpa", set("emacsPackages", &["emacs"])),
    ("elpa", set("emacsPackages", &["emacs"])),
    ("vim", set("vimPlugins", &["vim", "neovim"])),
    (
        "vscode",
        set(
            "vscode-extensions",
            &["visual_studio_code", "vscode", "visual_studio"],
        ),
    ),
    ("wordpress", set("wordpressPackages", &["wordpress"])),
    ("jenkins", set("jenkinsPlugins", &["jenkins"])),
    (
        "gnomeextensions",
        set("gnomeExtensions", &["gnome", "gnome_shell"]),
    ),
    ("coq", set("coqPackages", &["coq"])),
    ("beam", set("beamPackages", &["erlang", "hex", "elixir"])),
    ("texlive", set("texlive", &["tex", "latex"])),
    ("typst", set("typstPackages", &["typst"])),
    (
        "linuxpackages",
        set("linuxPackages", &["linux_kernel", "linux"]),
    ),
    ("sbcl", set("lispPackages", &["lisp"])),
    ("lisp", set("lispPackages", &["lisp"])),
    ("chicken", set("chickenPackages", &["chicken"])),
    ("akku", set("akkuPackages", &["scheme"])),
    ("idris", set("idrisPackages", &["idris"])),
    ("dotnetpackages", set("dotnetPackages", &["nuget", ".net"])),
    (
        "terraform-providers",
        set("terraform-providers", &["terraform"]),
    ),
    (
        "azure-cli-extensions",
        set("azure-cli-extensions", &["azure-cli"]),
    ),
    (
        "home-assistant-custom",
        set(
            "home-assistant-custom-components",
            &["home_assistant", "home-assistant"],
        ),
    ),
    ("kodi", set("kodiPackages", &["kodi", "xbmc"])),
    ("postgresql", set("postgresqlPackages", &["postgresql"])),
    (
        "tree-sitter-grammars",
        set("tree-sitter-grammars", &["tree-sitter"]),
    ),
    ("octave", set("octavePackages", &["octave"])),
    ("mpvscripts", set("mpvScripts", &["mpv"])),
    ("tmuxplugins", set("tmuxPlugins", &["tmux"])),
    ("yaziplugins", set("yaziPlugins", &["yazi"])),
    ("obs-studio-plugins", set("obs-studio-plugins", &["obs"])),
    ("nltk-data", set("nltk-data", &["nltk"])),
    ("aspelldicts", set("aspellDicts", &["aspell"])),
    ("hunspelldicts", set("hunspellDicts", &["hunspell"])),
    ("nerd-fonts", set("nerd-fonts", &["fonts"])),
    ("tests", set("tests", &[])),
    ("minimal-bootstrap", set("minimal-bootstrap", &[])),
];

const fn set(name: &'static str, worlds: &'static [&'static str]) -> Set {
    Set { name, worlds }
}

/// The set a package belongs to; `None` for the distribution's own top level.
pub fn set_of(package: &Package) -> Option<Set> {
    let attribute = package.attribute.to_ascii_lowercase();
    if let Some((head, rest)) = attribute.split_once('.') {
        if head == "linuxkernel" {
            return (!rest.starts_with("kernels")).then_some(named("linuxPackages"));
        }
        if let Some((_, found)) = SETS.iter().find(|(prefix, _)| head.starts_with(prefix)) {
            return Some(*found);
        }
    } else if attribute.starts_with("linuxpackages") {
        return Some(named("linuxPackages"));
    }
    prefix_of(&package.pname).map(|(found, _)| found)
}

fn named(name: &str) -> Set {
    SETS.iter()
        .map(|(_, found)| *found)
        .find(|found| found.name == name)
        .unwrap_or(set("linuxPackages", &[]))
}

/// Cuts what interpreters prepend to their packages' names: `python3.7-requests`, `perl5.30.0-DBI`, `r-ggplot2`.
fn prefix_of(pname: &str) -> Option<(Set, &str)> {
    const PREFIXES: &[(&str, &str)] = &[
        ("python", "pythonPackages"),
        ("pypy", "pythonPackages"),
        ("perl", "perlPackages"),
        ("ruby", "rubyPackages"),
        ("ocaml", "ocamlPackages"),
        ("php", "phpPackages"),
        ("lua", "luaPackages"),
        ("luajit", "luaPackages"),
        ("coq", "coqPackages"),
        ("emacs", "emacsPackages"),
        ("vimplugin", "vimPlugins"),
        ("vscode-extension", "vscode-extensions"),
        ("terraform-provider", "terraform-providers"),
        ("kodi", "kodiPackages"),
    ];
    let (head, rest) = PREFIXES.iter().find_map(|(prefix, name)| {
        let tail = pname.strip_prefix(prefix)?;
        let end = tail.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let rest = tail[end..].strip_prefix('-')?;
        // `perl-DBI` without a version is how others name it; a bare `python-…` is a program's own name.
        let versioned = end > 0
            || matches!(
                *prefix,
                "vimplugin" | "vscode-extension" | "terraform-provider" | "emacs"
            );
        (versioned && !rest.is_empty()).then_some((*name, rest))
    })?;
    Some((named(head), rest))
}

/// Endings that say how a package is built or delivered, not what it is; longest first.
const VARIANTS: &[&str] = &[
    "-host-cpu-only-for-vm-tests",
    "-bin-unwrapped",
    "-unwrapped-full",
    "-host-cpu-only",
    "-for-vm-tests",
    "-unwrapped",
    "-with-plugins",
    "-headless",
    "-wrapped",
    "-wrapper",
    "-minimal",
    "-unstable",
    "-stable",
    "-latest",
    "-static",
    "-nightly",
    "-full",
    "-beta",
    "-dev",
    "-nox",
    "-esr",
    "-lts",
    "-bin",
    "-git",
    "-kvm",
    "-x11",
    "-gtk3",
    "-gtk2",
    "-gtk",
    "-qt6",
    "-qt5",
    "-qt",
    "-lite",
    "-hardened",
    "-test",
    "-unfree",
    "-free",
];

/// The bare, folded name of a package within its set: no interpreter prefix, no variant, no version in the name.
pub fn bare_name(package: &Package) -> String {
    let pname = prefix_of(&package.pname).map_or(package.pname.as_str(), |(_, rest)| rest);
    let mut name = fold(pname);
    while let Some(stem) = VARIANTS
        .iter()
        .find_map(|variant| name.strip_suffix(variant))
        .filter(|stem| stem.len() >= 2)
    {
        name.truncate(stem.len());
    }
    if let Some(version) = &package.version {
        let length = unversioned(&name, version).len();
        name.truncate(length);
    }
    name
}

/// Cuts digits off the end of a name that only repeat how the version begins: `python3` at 3.7, `libpng12` at 1.2.
fn unversioned<'a>(name: &'a str, version: &str) -> &'a str {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    let digits = name[stem.len()..].replace('-', "");
    if digits.is_empty() || stem.len() < 2 {
        return name;
    }
    let mut begun = String::new();
    for component in version.split(['.', '-', '_']) {
        begun.push_str(component);
        if begun == digits {
            return stem;
        }
        if begun.len() >= digits.len() {
            break;
        }
    }
    name
}

/// The family's name: `openssl`, `pythonPackages.requests`.
///
/// ```
/// use tracker_inventory::Package;
/// let package = Package { attribute: "firefox-esr-unwrapped".into(), pname: "firefox-unwrapped".into(), ..Package::default() };
/// assert_eq!(tracker_match::family_of(&package), "firefox");
/// ```
pub fn family_of(package: &Package) -> String {
    let bare = bare_name(package);
    let bare = if bare.is_empty() {
        fold(&package.attribute)
    } else {
        bare
    };
    match set_of(package) {
        Some(set) => format!("{}.{bare}", set.name),
        None => bare,
    }
}

#[cfg(test)]
mod tests;
