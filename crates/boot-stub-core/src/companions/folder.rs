//! Where companions lie, and which files of a folder are some.

use alloc::string::String;

/// Folder of addons for all images, parts separated by `\`.
pub const ADDONS: &str = "\\loader\\addons";
/// Folder of credentials for all images.
pub const CREDENTIALS: &str = "\\loader\\credentials";
/// Longest file name that Linux takes.
const MAX_NAME: usize = 255;

/// What a file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `.addon.efi`.
    Addon,
    /// `.cred`.
    Credential,
    /// `.raw` that is no extension of the configuration, `.sysext.raw` by rights.
    Sysext,
    /// `.confext.raw`.
    Confext,
}

impl Kind {
    /// The kind of a file of this name; `None` for what does not take part: hidden files, names that are not ASCII or too
    /// long, other endings.
    pub fn of(name: &str) -> Option<Kind> {
        if name.starts_with('.') || !name.is_ascii() || name.len() > MAX_NAME {
            return None;
        }
        let ends = |suffix: &str| {
            let at = name.len().checked_sub(suffix.len());
            at.is_some_and(|at| name[at..].eq_ignore_ascii_case(suffix))
        };
        [
            (".addon.efi", Kind::Addon),
            (".cred", Kind::Credential),
            (".confext.raw", Kind::Confext),
            (".raw", Kind::Sysext),
        ]
        .into_iter()
        .find_map(|(suffix, kind)| ends(suffix).then_some(kind))
    }
}

/// The folder of an image's own companions: its path with `.extra.d` behind, the boot counter of its name taken out
/// (`foo+3-1.efi` has `foo.efi.extra.d`).
pub fn own_folder(image: &str) -> String {
    let mut path = String::from(without_counter(image).0);
    path.push_str(without_counter(image).1);
    path.push_str(".extra.d");
    path
}

/// A path up to its boot counter, and the ending behind it.
fn without_counter(path: &str) -> (&str, &str) {
    let whole = (path, "");
    let Some(at) = path.len().checked_sub(4) else {
        return whole;
    };
    let Some((stem, ending)) = path.split_at_checked(at) else {
        return whole;
    };
    let Some(plus) = stem
        .rfind('+')
        .filter(|_| ending.eq_ignore_ascii_case(".efi"))
    else {
        return whole;
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let counter = &stem[plus + 1..];
    let (left, done) = counter.split_once('-').unwrap_or((counter, "0"));
    if number(left) && number(done) {
        (&stem[..plus], ending)
    } else {
        whole
    }
}
