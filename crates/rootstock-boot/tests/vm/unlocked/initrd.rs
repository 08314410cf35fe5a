//! The modules that `initrd build` chooses are those that kmod would load.

use crate::bench::rootstock;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Modules with needs of every kind: hard and soft, on aliases, on what is built in.
const SOME: [&str; 7] = [
    "virtio_blk",
    "dm_verity",
    "dm_integrity",
    "aesni_intel",
    "xts",
    "cifs",
    "nfsd",
];

#[test]
fn the_modules_are_those_that_kmod_loads() {
    let from = |variable: &str| std::env::var(variable).expect("stage 58-boot-unlock sets it");
    let (modules, init) = (from("BOOT_MODULES"), from("BOOT_INIT"));
    let release = Path::new(&modules).file_name().expect("a release");
    let kmod = |name: &str| -> BTreeSet<String> {
        let output = Command::new("/sbin/modprobe")
            .args(["--show-depends", "--set-version"])
            .arg(release)
            .arg(name)
            .output()
            .expect("kmod is installed");
        let said = String::from_utf8(output.stdout).expect("a text");
        assert!(output.status.success(), "{name}: {said}");
        let files = said.lines().filter_map(|line| line.strip_prefix("insmod "));
        let files = files.filter_map(|file| file.trim().strip_prefix(&modules));
        files
            .map(|file| file.trim_start_matches('/').to_owned())
            .collect()
    };
    let always: BTreeSet<String> = ["dm_crypt", "xts", "aesni_intel"]
        .into_iter()
        .flat_map(kmod)
        .collect();
    for name in SOME {
        let line = format!(
            "--dry-run --json initrd build --init {init} --modules {modules} --module {name} -o unwritten"
        );
        let told: Value = serde_json::from_str(&rootstock(Path::new("/"), &line)).expect("JSON");
        let chosen = told["modules"].as_array().expect("a list").iter();
        let chosen: BTreeSet<String> = chosen
            .map(|file| file.as_str().expect("a text").to_owned())
            .collect();
        let expected: BTreeSet<String> = kmod(name).union(&always).cloned().collect();
        assert_eq!(chosen, expected, "{name}");
    }
}
