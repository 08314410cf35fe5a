//! A volume for tests: cryptsetup makes it, and a passphrase opens it.

use boot_luks::Volume;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) const PASSPHRASE: &[u8] = b"correct horse";
/// A key from a passphrase in no time.
pub(crate) const DERIVATION: &str = "--pbkdf pbkdf2 --pbkdf-force-iterations 1000";

/// Makes one in a folder; `derivation` is how its passphrase becomes a key, in cryptsetup's options.
pub(crate) fn format(folder: &Path, name: &str, derivation: &str) -> PathBuf {
    let path = folder.join(name);
    File::create(&path).unwrap().set_len(6 << 20).unwrap();
    let mut child = Command::new("cryptsetup")
        .args("luksFormat -q --type luks2 --luks2-keyslots-size 4m --key-file -".split(' '))
        .args(derivation.split(' '))
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("cryptsetup is installed");
    child.stdin.take().unwrap().write_all(PASSPHRASE).unwrap();
    assert!(child.wait().unwrap().success());
    path
}

/// Opens it, to be written to.
pub(crate) fn open(path: &Path) -> Volume<File> {
    Volume::read(File::options().read(true).write(true).open(path).unwrap()).unwrap()
}
