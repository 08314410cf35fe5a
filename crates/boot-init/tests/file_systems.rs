//! File systems that their own tools made are known as `blkid` knows them.

#![expect(clippy::unwrap_used, reason = "helpers of tests end the test")]

use boot_init::FileSystem;
use std::fs::File;
use std::path::Path;
use std::process::Command;

const UUID: &str = "6c2f0f5e-4f0c-4bfb-9d1a-30b1f7f4d0a1";
/// Files stay sparse; XFS wants the most room.
const ROOM: u64 = 320 << 20;

fn run(line: &str, image: &Path) -> String {
    let mut words = line.split(' ');
    let program = words.next().unwrap();
    let output = Command::new(program)
        .args(words)
        .arg(image)
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .output()
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn file_systems_are_known_as_blkid_knows_them() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    for (kind, make) in [
        ("ext4", format!("mke2fs -q -F -t ext4 -U {UUID} -L system")),
        ("xfs", format!("mkfs.xfs -q -m uuid={UUID} -L system")),
        ("btrfs", format!("mkfs.btrfs -q -U {UUID} -L system")),
        ("f2fs", format!("mkfs.f2fs -q -U {UUID} -l system")),
        ("erofs", String::new()),
    ] {
        let image = folder.path().join(kind);
        if kind == "erofs" {
            let line = format!("mkfs.erofs -U {UUID} {}", image.display());
            run(&line, &tree);
        } else {
            File::create(&image).unwrap().set_len(ROOM).unwrap();
            run(&make, &image);
        }
        let found = FileSystem::of(&mut File::open(&image).unwrap()).unwrap();
        let found = found.unwrap_or_else(|| panic!("{kind}"));
        let said = run("blkid -p -o export", &image);
        let told = |key: &str| {
            let start = format!("{key}=");
            said.lines().find_map(|line| line.strip_prefix(&start))
        };
        assert_eq!(Some(found.kind), told("TYPE"));
        assert_eq!(Some(&*found.uuid), told("UUID"));
        assert_eq!(found.label.as_deref(), told("LABEL"));
        assert_eq!(found.uuid, UUID);
        assert_eq!(found.label.is_some(), kind != "erofs");
    }
}
