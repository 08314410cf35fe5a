//! Encrypted roots: a file system made by e2fsprogs, in a volume made by cryptsetup, encrypted here as the kernel will
//! decrypt it; and the initrd that opens it.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use crate::stub::scene::part;
use aes::Aes256;
use aes::cipher::KeyInit;
use boot_luks::Volume;
use boot_vm::partitioned;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use xts_mode::{Xts128, get_tweak_default};

pub(crate) const PASSPHRASE: &str = "correct horse";
/// Where the data begin, and how long they are.
const OFFSET: u64 = 8 << 20;
const LENGTH: u64 = 16 << 20;
/// How the kernel counts sectors for their tweaks, whatever their size.
const TWEAKED: u128 = 512;
/// Vendor of db, as efivarfs names files.
const DATABASE: &str = "d719b2cb-3d3a-4596-a3bc-dad00e67656f";
/// How many generations the root has.
const GENERATIONS: u64 = 6;
/// What names the root: UUID and label of the file system, GUID of the volume's partition.
pub(crate) const UUID: &str = "6c2f0f5e-4f0c-4bfb-9d1a-30b1f7f4d0a1";
pub(crate) const LABEL: &str = "encrypted";
pub(crate) const PARTITION: &str = "a4c54a4e-8e0f-4f3a-8a5e-0d4f8e3d9b62";

/// How many bytes are encrypted at once.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SectorSize {
    /// 512, as disks had since ever.
    Small,
    /// 4,096, as cryptsetup chooses for newer ones.
    Large,
}

impl SectorSize {
    fn bytes(self) -> usize {
        match self {
            SectorSize::Small => 512,
            SectorSize::Large => 4096,
        }
    }
}

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

/// Makes `NAME.img` in a folder: the guest as `/sbin/init` on an encrypted root, with an update of db for firmware. The passphrase
/// is in the file `exact`.
pub(crate) fn encrypted(folder: &Path, name: &str, size: SectorSize, update: &[u8]) -> PathBuf {
    let tree = folder.join("tree");
    for place in ["sbin", "guest/updates", "dev", "proc", "sys", "run"] {
        fs::create_dir_all(tree.join(place)).unwrap();
    }
    let init = tree.join("sbin/init");
    fs::write(&init, part("BOOT_GUEST")).unwrap();
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(tree.join("guest/efivarfs.ko.xz"), part("BOOT_EFIVARFS")).unwrap();
    fs::write(tree.join(format!("guest/updates/db-{DATABASE}")), update).unwrap();
    // What generations name as their first program.
    for generation in 1..=GENERATIONS {
        let toplevel = tree.join(format!("nix/store/{generation:032}-nixos"));
        fs::create_dir_all(&toplevel).unwrap();
        let _ = fs::remove_file(toplevel.join("init"));
        symlink("/sbin/init", toplevel.join("init")).unwrap();
    }
    run(
        folder,
        &format!(
            "/sbin/mke2fs -q -t ext4 -F -O ^has_journal -b 4096 -U {UUID} -L {LABEL} -d tree plain 16m"
        ),
    );
    fs::write(folder.join("exact"), PASSPHRASE).unwrap();
    let path = folder.join(format!("{name}.img"));
    let file = File::create(&path).unwrap();
    file.set_len(OFFSET + LENGTH).unwrap();
    run(
        folder,
        &format!(
            "/sbin/cryptsetup luksFormat -q --type luks2 --key-file exact --luks2-keyslots-size 4m --offset {} --sector-size {} --pbkdf argon2id \
             --pbkdf-memory 16384 --pbkdf-force-iterations 4 {name}.img",
            OFFSET / 512,
            size.bytes()
        ),
    );
    let file = File::options().read(true).write(true).open(&path).unwrap();
    let mut volume = Volume::read(file).unwrap();
    let (_, key) = volume.unlock(PASSPHRASE.as_bytes(), &[]).unwrap();
    assert_eq!(volume.segment().unwrap().offset(), OFFSET);
    let (first, second) = key.split_at(32);
    let cipher = |half: &[u8]| Aes256::new_from_slice(half).unwrap();
    let mut data = fs::read(folder.join("plain")).unwrap();
    Xts128::new(cipher(first), cipher(second)).encrypt_area(&mut data, size.bytes(), 0, |number| {
        get_tweak_default(number * (size.bytes() as u128 / TWEAKED))
    });
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(&data, OFFSET).unwrap();
    path
}

/// The disk `NAME.disk` whose partition holds a volume.
pub(crate) fn on_a_partition(volume: &Path) -> PathBuf {
    let disk = volume.with_extension("disk");
    partitioned(&disk, &fs::read(volume).unwrap(), PARTITION).unwrap();
    disk
}
