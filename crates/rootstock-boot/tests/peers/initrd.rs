//! `initrd build`: the archive as GNU cpio reads it, the same bytes twice, and what is refused.

use crate::common::{boot, boot_code, put, run, scratch};
use std::path::Path;

const UUID: &str = "0fd5a7d5-1b2c-4c0d-9c61-5e1c4b1c8b11";

/// An ELF program of 64 bits without segments: nothing that it would need.
fn program() -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    for (at, value) in [(16, 2), (18, 62), (20, 1), (54, 56)] {
        bytes[at] = value;
    }
    bytes
}

/// A kernel whose dm_crypt is built in; its xts asks for another cipher.
fn kernel(folder: &Path) {
    let modules = folder.join("6.12.0-test");
    std::fs::create_dir_all(modules.join("kernel/crypto")).expect("a folder");
    let table = "kernel/crypto/xts.ko.xz:\nkernel/crypto/ecb.ko.xz:\nkernel/virtio_blk.ko.xz: kernel/virtio.ko.xz\nkernel/virtio.ko.xz:\n";
    put(&modules, "modules.dep", table.as_bytes());
    put(&modules, "modules.softdep", b"softdep xts pre: ecb\n");
    put(
        &modules,
        "modules.builtin",
        b"kernel/drivers/md/dm-crypt.ko\n",
    );
    for file in ["crypto/xts", "crypto/ecb", "virtio_blk", "virtio"] {
        put(
            &modules.join("kernel"),
            &format!("{file}.ko.xz"),
            file.as_bytes(),
        );
    }
}

#[test]
fn an_initrd_is_what_cpio_reads_and_the_same_twice() {
    let folder = scratch();
    let path = folder.path();
    kernel(path);
    put(path, "boot-init", &program());
    put(path, "keymap", b"de");
    let line = format!(
        "--json initrd build --init boot-init --modules 6.12.0-test --module virtio-blk --words rd.luks.uuid={UUID} \
         --file /etc/keymap=keymap -o"
    );
    let told: serde_json::Value =
        serde_json::from_str(&boot(path, &format!("{line} first"))).expect("JSON");
    assert_eq!(told["release"], "6.12.0-test");
    assert_eq!(told["built_in"], serde_json::json!(["dm_crypt"]));
    let order = [
        "kernel/crypto/ecb.ko.xz",
        "kernel/crypto/xts.ko.xz",
        "kernel/virtio.ko.xz",
        "kernel/virtio_blk.ko.xz",
    ];
    assert_eq!(told["modules"], serde_json::json!(order));
    let digest = run(path, "sha256sum first");
    assert!(digest.starts_with(told["sha256"].as_str().expect("a text")));
    boot(path, &format!("{line} second"));
    run(path, "cmp first second");

    let listed = run(path, "cpio --quiet -t -F first");
    let lib = "lib/modules/6.12.0-test";
    let mut expected = vec![
        "etc".to_owned(),
        "etc/boot-init".to_owned(),
        "etc/boot-init/words".to_owned(),
        "etc/keymap".to_owned(),
        "init".to_owned(),
        "lib".to_owned(),
        "lib/modules".to_owned(),
    ];
    let inside = [
        "",
        "/kernel",
        "/kernel/crypto",
        "/kernel/crypto/ecb.ko.xz",
        "/kernel/crypto/xts.ko.xz",
        "/kernel/virtio.ko.xz",
        "/kernel/virtio_blk.ko.xz",
        "/modules.dep",
    ];
    expected.extend(inside.map(|name| format!("{lib}{name}")));
    assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
    let unpacked = path.join("unpacked");
    std::fs::create_dir(&unpacked).expect("a folder");
    run(&unpacked, "cpio --quiet -i -F ../first");
    let read = |name: &str| std::fs::read(unpacked.join(name)).expect("it is there");
    assert_eq!(read("init"), program());
    assert_eq!(read("etc/keymap"), b"de");
    assert_eq!(
        read("etc/boot-init/words"),
        format!("rd.luks.uuid={UUID}").as_bytes()
    );
    assert_eq!(
        read(&format!("{lib}/kernel/virtio_blk.ko.xz")),
        b"virtio_blk"
    );
    let table = String::from_utf8(read(&format!("{lib}/modules.dep"))).expect("a text");
    assert!(
        table.contains("kernel/crypto/xts.ko.xz: kernel/crypto/ecb.ko.xz\n"),
        "{table}"
    );
    let said = run(
        path,
        "stat -c %a unpacked/init unpacked/etc/keymap unpacked/lib",
    );
    assert_eq!(said, "555\n444\n755\n");

    boot(path, &format!("--dry-run {line} third"));
    assert!(!path.join("third").exists());
}

#[test]
fn what_would_not_start_is_refused() {
    let folder = scratch();
    let path = folder.path();
    kernel(path);
    put(path, "boot-init", &program());
    let dynamic = std::fs::read("/bin/true").expect("every system has it");
    put(path, "dynamic", &dynamic);
    std::fs::create_dir(path.join("empty")).expect("a folder");
    for (options, said) in [
        (
            "--init dynamic --modules 6.12.0-test",
            "is linked dynamically, by /",
        ),
        (
            "--init boot-init --modules 6.12.0-test --module nvme",
            "the kernel has no module nvme; see --allow-missing",
        ),
        (
            "--init boot-init --modules empty",
            "no modules.dep is there; name the folder of one kernel's release",
        ),
        (
            "--init boot-init --modules 6.12.0-test --words root=x",
            "root: it is no absolute path",
        ),
        (
            "--init boot-init --modules 6.12.0-test --file /init=dynamic",
            "init in the initrd: two files have this place",
        ),
        (
            "--init boot-init --modules 6.12.0-test --file dynamic",
            "expected PLACE=FILE",
        ),
    ] {
        let (code, text) = boot_code(path, &format!("initrd build {options} -o out"));
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(said), "`{said}` is not in:\n{text}");
        assert!(!path.join("out").exists());
    }
    let line = "--json initrd build --init boot-init --modules 6.12.0-test --module nvme --allow-missing -o out";
    let told: serde_json::Value = serde_json::from_str(&boot(path, line)).expect("JSON");
    assert_eq!(told["missing"], serde_json::json!(["nvme"]));
}
