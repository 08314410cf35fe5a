//! Encrypted roots: a file system made by e2fsprogs, in a volume made by cryptsetup, encrypted here as the kernel will
//! decrypt it; and the initrd that opens it.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use crate::stub::scene::part;
use aes::Aes256;
use aes::cipher::KeyInit;
use boot_init::Dependencies;
use boot_luks::Volume;
use boot_stub_core::archive::{Modes, archive};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use xts_mode::{Xts128, get_tweak_default};

pub(crate) const PASSPHRASE: &str = "correct horse";
/// Where the data begin, and how long they are.
const OFFSET: u64 = 8 << 20;
const LENGTH: u64 = 16 << 20;
const SECTOR: usize = 512;
/// How many generations the root has.
const GENERATIONS: u64 = 5;
/// What the initrd loads: the disk's driver, the mapping's, and the ciphers that it asks the kernel for.
const MODULES: [&str; 4] = ["virtio_blk", "dm_crypt", "xts", "aesni_intel"];
const READABLE: Modes = Modes {
    directory: 0o755,
    file: 0o755,
};

fn run(folder: &Path, line: &str) {
    let mut words = line.split_whitespace();
    let output = Command::new(words.next().unwrap())
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {said}");
}

/// Makes `NAME.img` in a folder: the guest as `/sbin/init` on an encrypted root. The passphrase is in the file `exact`.
pub(crate) fn encrypted(folder: &Path, name: &str) -> PathBuf {
    let tree = folder.join("tree");
    for place in ["sbin", "guest", "dev", "proc", "sys", "run"] {
        fs::create_dir_all(tree.join(place)).unwrap();
    }
    let init = tree.join("sbin/init");
    fs::write(&init, part("BOOT_GUEST")).unwrap();
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(tree.join("guest/efivarfs.ko.xz"), part("BOOT_EFIVARFS")).unwrap();
    // What generations name as their first program.
    for generation in 1..=GENERATIONS {
        let toplevel = tree.join(format!("nix/store/{generation:032}-nixos"));
        fs::create_dir_all(&toplevel).unwrap();
        let _ = fs::remove_file(toplevel.join("init"));
        symlink("/sbin/init", toplevel.join("init")).unwrap();
    }
    run(
        folder,
        "/sbin/mke2fs -q -t ext4 -F -O ^has_journal -d tree plain 16m",
    );
    fs::write(folder.join("exact"), PASSPHRASE).unwrap();
    let path = folder.join(format!("{name}.img"));
    let file = File::create(&path).unwrap();
    file.set_len(OFFSET + LENGTH).unwrap();
    run(
        folder,
        &format!(
            "/sbin/cryptsetup luksFormat -q --type luks2 --key-file exact --luks2-keyslots-size 4m --offset {} --sector-size 512 --pbkdf argon2id \
             --pbkdf-memory 16384 --pbkdf-force-iterations 4 {name}.img",
            OFFSET / SECTOR as u64
        ),
    );
    let file = File::options().read(true).write(true).open(&path).unwrap();
    let mut volume = Volume::read(file).unwrap();
    let (_, key) = volume.unlock(PASSPHRASE.as_bytes(), &[]).unwrap();
    assert_eq!(volume.segment().unwrap().offset(), OFFSET);
    let (first, second) = key.split_at(32);
    let cipher = |half: &[u8]| Aes256::new_from_slice(half).unwrap();
    let mut data = fs::read(folder.join("plain")).unwrap();
    Xts128::new(cipher(first), cipher(second)).encrypt_area(
        &mut data,
        SECTOR,
        0,
        get_tweak_default,
    );
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(&data, OFFSET).unwrap();
    path
}

/// The initrd: the program, and the modules with what they need.
pub(crate) fn initrd() -> Vec<u8> {
    let init = part("BOOT_INIT");
    let mut bytes = archive("sbin", READABLE, [("boot-init", &*init)].into_iter()).unwrap();
    let source =
        PathBuf::from(std::env::var("BOOT_MODULES").expect("stage 58-boot-unlock sets it"));
    let release = source.file_name().unwrap().to_str().unwrap();
    let text = fs::read_to_string(source.join("modules.dep")).unwrap();
    let all = Dependencies::parse(&text).unwrap();
    let wanted = MODULES.map(|name| all.file(name).unwrap_or_else(|| panic!("{name}")));
    let mut folders: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    let mut add = |path: &str, content: Vec<u8>| {
        let path = format!("lib/modules/{release}/{path}");
        let (folder, name) = path.rsplit_once('/').unwrap();
        let files = folders.entry(folder.to_owned()).or_default();
        files.push((name.to_owned(), content));
    };
    for file in all.order(wanted) {
        add(file, fs::read(source.join(file)).unwrap());
    }
    add("modules.dep", text.into_bytes());
    for (folder, files) in &folders {
        let files = files.iter().map(|(name, content)| (&**name, &**content));
        bytes.extend(archive(folder, READABLE, files).unwrap());
    }
    bytes
}
