//! What an installation leaves on a partition: everything wanted, nothing lost, nothing twice.

use crate::workshop::{
    Machinery, alone, encrypted, entries, install, key, loader, partition, payload, policy_key,
    program, stub, tree,
};
use boot_esp::{Folder, Metered, Stem, Volume, bless, execute};
use boot_install::{Error, Target, judge};
use boot_measure::Bank;
use boot_pe::Image;
use boot_signature::{Strictness, verify_image};
use serde_json::json;
use std::fs;
use std::path::Path;

#[test]
fn generations_and_specialisations_become_signed_entries_and_share_their_kernel() {
    let machine = Machinery::new();
    let kernel = machine.store("linux", &payload("kernel", 50_000));
    let initrd = machine.store("initrd", &payload("initrd", 90_000));
    for number in 1..=3 {
        let name = format!("nixos-{number}");
        let mut document = Machinery::document(&name, &kernel, &initrd);
        let inner = Machinery::document("quiet", &kernel, &initrd);
        let mut outer = Machinery::document("Gaming Rig", &kernel, &initrd);
        outer["org.nixos.specialisation.v2"] = json!({ "quiet": inner });
        document["org.nixos.specialisation.v2"] = json!({ "Gaming Rig": outer });
        machine.generation(number, &document);
    }
    let (folder, esp) = partition();
    let installation = install(&machine, &alone(&esp), None);
    assert_eq!((installation.entries, installation.made), (9, 9));
    let files = tree(folder.path());
    let shared: Vec<&String> = files
        .keys()
        .filter(|n| n.starts_with("EFI/rootstock/"))
        .collect();
    assert_eq!(shared.len(), 2, "{shared:?}");
    assert_eq!(entries(folder.path()).len(), 9);
    assert!(
        entries(folder.path())
            .iter()
            .any(|name| name.starts_with("rootstock-3.gaming_rig.quiet-"))
    );
    for name in entries(folder.path()) {
        let bytes = &files[&format!("EFI/Linux/{name}")];
        let image = Image::parse(bytes).unwrap();
        let anchors = [key().certificate.clone()];
        let now = "2030-01-01T00:00:00Z".parse().unwrap();
        let reports = verify_image(&image, &anchors, now).unwrap();
        assert!(reports[0].is_good(Strictness::Full), "{:?}", reports[0]);
        let cmdline = image.section(".cmdline").unwrap().data();
        assert!(cmdline.starts_with(b"init=/nix/store/"));
        assert!(cmdline.ends_with(b"/init quiet"));
    }
    assert!(
        files["loader/loader.conf"]
            .starts_with(b"# written by rootstock-boot\ndefault rootstock-*\n")
    );
    assert_eq!(
        files["EFI/BOOT/BOOTX64.EFI"],
        files["EFI/systemd/systemd-bootx64.efi"]
    );
}

#[test]
fn a_second_run_does_nothing() {
    let machine = Machinery::new();
    machine.simple(1, 9000);
    machine.simple(2, 9000);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    install(&machine, &targets, None);
    let before = tree(folder.path());
    let again = install(&machine, &targets, None);
    assert_eq!(again.made, 0);
    assert!(again.volumes.iter().all(|volume| volume.plan.is_empty()));
    assert!(tree(folder.path()) == before);
}

#[test]
fn a_generation_with_the_same_kernel_costs_less_than_200_kilobytes() {
    let mut machine = Machinery::new();
    // The stub may have 100 KB, and the entry has signed policies.
    machine.stub = stub(100_000);
    machine.policy = Some((policy_key(), &[Bank::Sha256]));
    let kernel = machine.store("linux", &payload("kernel", 400_000));
    let initrd = machine.store("initrd", &payload("initrd", 900_000));
    let (folder, esp) = partition();
    let mut sizes = Vec::new();
    for number in 1..=11 {
        let name = format!("nixos-{number}");
        machine.generation(number, &Machinery::document(&name, &kernel, &initrd));
        install(&machine, &alone(&esp), None);
        // In clusters of 4 KiB.
        let files = tree(folder.path()).into_values();
        sizes.push(
            files
                .map(|file| file.len().next_multiple_of(4096))
                .sum::<usize>(),
        );
    }
    for pair in sizes.windows(2) {
        assert!(pair[1] - pair[0] <= 200_000, "{sizes:?}");
    }
}

#[test]
fn one_new_generation_reads_and_writes_its_own_files_alone() {
    let mut machine = Machinery::new();
    machine.stub = stub(60_000);
    for number in 1..=10 {
        machine.simple(number, 300_000);
    }
    let (_folder, esp) = partition();
    install(&machine, &alone(&esp), None);
    machine.simple(11, 300_000);
    let metered = Metered::new(esp);
    let targets = [Target {
        esp: &metered,
        xbootldr: None,
    }];
    let sources = machine.sources();
    let installation = machine.prepare_from(&sources, &targets, None).unwrap();
    execute(&metered, &installation.volumes[0].plan, &mut |_| {}).unwrap();
    let meter = metered.meter();
    // Kernel and initrd of one generation, hashed once; documents have some hundred bytes.
    assert!(
        (900_000..920_000).contains(&sources.bytes_read()),
        "{}",
        sources.bytes_read()
    );
    // Written once, and the entry.
    assert!((900_000..1_000_000).contains(&meter.written), "{meter:?}");
    // Ten entries, what was written read back, loader and configuration.
    assert!(meter.read < 10 * 70_000 + 900_000 + 4 * 70_000, "{meter:?}");
}

#[test]
fn several_partitions_are_the_same_byte_for_byte_also_after_a_boot() {
    let mut machine = Machinery::new();
    machine.settings.tries = Some(3);
    machine.simple(1, 9000);
    let (first, a) = partition();
    let (second, b) = partition();
    let targets = [
        Target {
            esp: &a,
            xbootldr: None,
        },
        Target {
            esp: &b,
            xbootldr: None,
        },
    ];
    install(&machine, &targets, None);
    assert!(tree(first.path()) == tree(second.path()));
    // The firmware starts from the first one; the loader counts there alone.
    let name = entries(first.path()).remove(0);
    let stem = name.strip_suffix("+3.efi").unwrap();
    let linux = first.path().join("EFI/Linux");
    fs::rename(linux.join(&name), linux.join(format!("{stem}+2-1.efi"))).unwrap();
    machine.simple(2, 9000);
    install(&machine, &targets, None);
    assert_eq!(entries(first.path()).len(), 2);
    assert!(entries(first.path())[0].ends_with("+2-1.efi"));
    assert!(tree(first.path()) == tree(second.path()));
}

#[test]
fn the_extended_boot_partition_takes_the_entries() {
    let machine = Machinery::new();
    machine.simple(1, 9000);
    let (esp_folder, esp) = partition();
    let (boot_folder, boot) = partition();
    let targets = [Target {
        esp: &esp,
        xbootldr: Some(&boot),
    }];
    install(&machine, &targets, None);
    assert_eq!(
        tree(esp_folder.path()).into_keys().collect::<Vec<_>>(),
        [
            "EFI/BOOT/BOOTX64.EFI",
            "EFI/systemd/systemd-bootx64.efi",
            "loader/loader.conf"
        ]
    );
    assert_eq!(tree(boot_folder.path()).len(), 3);
    assert!(
        install(&machine, &targets, None)
            .volumes
            .iter()
            .all(|v| v.plan.is_empty())
    );
}

#[test]
fn old_generations_go_and_the_booted_and_the_last_good_one_stay() {
    let mut machine = Machinery::new();
    for number in 1..=4 {
        machine.simple(number, 9000);
    }
    let (folder, esp) = partition();
    let targets = alone(&esp);
    install(&machine, &targets, None);
    let booted = entries(folder.path())
        .into_iter()
        .find(|name| name.starts_with("rootstock-2-"));
    machine.settings.booted = booted;
    machine.settings.tries = Some(3);
    machine.simple(5, 9000);
    let plan = install(&machine, &targets, Some(1));
    assert!(plan.volumes[0].plan.frees_first);
    let left: Vec<String> = entries(folder.path())
        .iter()
        .map(|name| name.split('-').nth(1).unwrap().to_owned())
        .collect();
    // 2 runs, 4 is the default so far and the newest good one, 5 is new.
    assert_eq!(left, ["2", "4", "5"]);
}

#[test]
fn a_file_that_is_not_ours_is_never_touched() {
    let machine = Machinery::new();
    machine.simple(1, 9000);
    let (folder, esp) = partition();
    let foreign = [
        "EFI/Linux/nixos-generation-1.efi",
        "EFI/Linux/rootstock-1.efi",
        "EFI/Linux/rootstock-01-0123456789abcdef01234567.efi",
        "EFI/Linux/other.efi.extra.d/a.cred",
        "EFI/nixos/kernel.efi",
        "EFI/BOOT/BOOTX64.EFI",
        "loader/entries/arch.conf",
    ];
    for name in foreign {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, program(&[(".other", name.as_bytes())])).unwrap();
    }
    let before = tree(folder.path());
    let installation = install(&machine, &alone(&esp), None);
    assert!(
        installation
            .notes
            .iter()
            .any(|note| note.starts_with("EFI/BOOT/BOOTX64.EFI: another program"))
    );
    let after = tree(folder.path());
    for (name, content) in before {
        assert!(after[&name] == content, "{name}");
    }
}

#[test]
fn another_loaders_configuration_is_kept_beside_ours() {
    let machine = Machinery::new();
    machine.simple(1, 9000);
    let (folder, esp) = partition();
    fs::create_dir_all(folder.path().join("loader")).unwrap();
    fs::write(folder.path().join("loader/loader.conf"), "default arch\n").unwrap();
    install(&machine, &alone(&esp), None);
    let files = tree(folder.path());
    assert_eq!(
        files["loader/loader.conf.before-rootstock"],
        b"default arch\n"
    );
    assert_eq!(files["loader/loader.conf"].len(), 512);
}

#[test]
fn the_loader_is_updated_when_it_is_newer_or_changed_and_never_downgraded() {
    let mut machine = Machinery::new();
    machine.simple(1, 9000);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    install(&machine, &targets, None);
    let present = || tree(folder.path())["EFI/systemd/systemd-bootx64.efi"].clone();
    let old = present();
    machine.loader = Some(loader("257.2"));
    let installation = install(&machine, &targets, None);
    assert!(
        installation
            .notes
            .iter()
            .any(|note| note.contains("newer boot loader"))
    );
    assert!(present() == old);
    machine.loader = Some(loader("258"));
    install(&machine, &targets, None);
    assert!(present() != old);
    // Somebody flips a byte: the signature does not cover it any more.
    let path = folder.path().join("EFI/systemd/systemd-bootx64.efi");
    let good = present();
    let mut bad = good.clone();
    bad[0x400] ^= 1;
    fs::write(&path, bad).unwrap();
    install(&machine, &targets, None);
    assert!(present() == good);
    // The other copy is a stranger's: this one is the only one, and stays until that is asked for.
    fs::write(
        folder.path().join("EFI/BOOT/BOOTX64.EFI"),
        program(&[(".other", b"shim")]),
    )
    .unwrap();
    machine.loader = Some(loader("259"));
    install(&machine, &targets, None);
    assert!(present() == good);
    machine.settings.update_single_loader = true;
    install(&machine, &targets, None);
    assert!(present() != good);
}

#[test]
fn repair_writes_again_what_changed_under_its_name() {
    let mut machine = Machinery::new();
    machine.simple(1, 9000);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    install(&machine, &targets, None);
    let good = tree(folder.path());
    for (name, content) in &good {
        if name.starts_with("EFI/Linux") || name.starts_with("EFI/rootstock") {
            let mut bad = content.clone();
            let middle = bad.len() / 2;
            bad[middle] ^= 0x10;
            fs::write(folder.path().join(name), bad).unwrap();
        }
    }
    // A run that trusts names finds the entry alone.
    machine.settings.verify = true;
    install(&machine, &targets, None);
    assert!(tree(folder.path()) == good);
}

#[test]
fn a_rollback_starts_the_older_generation_as_long_as_it_is_not_bad() {
    let machine = Machinery::new();
    machine.simple(1, 9000);
    machine.simple(2, 9000);
    machine.switch(1);
    let (folder, esp) = partition();
    let installation = install(&machine, &alone(&esp), None);
    let conf = String::from_utf8(tree(folder.path())["loader/loader.conf"].clone()).unwrap();
    assert!(installation.default.starts_with("rootstock-1-"));
    assert!(conf.contains(&format!("default {}[.+][e1-9]*\n", installation.default)));
}

/// What the loader would start by the configuration that lies there.
fn starts(folder: &Path, esp: &Folder) -> String {
    let conf = tree(folder).remove("loader/loader.conf").unwrap();
    let pattern = boot_esp::LoaderConfig::default_of(&conf);
    let survey = boot_esp::survey(esp, &judge).unwrap();
    let entry = boot_install::would_start(&survey, pattern.as_deref()).unwrap();
    entry.blessed().stem
}

#[test]
fn what_was_just_installed_starts_before_what_is_kept() {
    let mut machine = Machinery::new();
    machine.simple(1, 9000);
    machine.simple(2, 9000);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    let first = install(&machine, &targets, None).default;
    // The same generations with other epochs are other entries. The one that started by default so far stays, and whichever of
    // the two hashes is larger, the new one starts.
    let mut before = vec![first];
    for epoch in 1..=8 {
        machine.settings.epoch = epoch;
        let installed = install(&machine, &targets, None).default;
        assert!(installed.starts_with("rootstock-2-") && !before.contains(&installed));
        assert_eq!(starts(folder.path(), &esp), installed, "epoch {epoch}");
        let names = entries(folder.path());
        let last = before.last().unwrap();
        assert!(names.iter().any(|name| name.starts_with(last)), "{names:?}");
        before.push(installed);
    }
    // The running generation is gone from the profile, and an older one is the newest.
    machine.settings.booted = before.pop().map(|stem| format!("{stem}.efi"));
    machine.forget(2);
    machine.switch(1);
    let installed = install(&machine, &targets, None).default;
    assert!(installed.starts_with("rootstock-1-"));
    assert_eq!(starts(folder.path(), &esp), installed);
}

#[test]
fn a_generation_that_cannot_be_read_keeps_its_entries() {
    let machine = Machinery::new();
    machine.simple(1, 9000);
    machine.simple(2, 9000);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    install(&machine, &targets, None);
    let toplevel = Machinery::store_path("nixos-1");
    let json = machine.root.path().join(&toplevel[1..]).join("boot.json");
    fs::write(json, "{").unwrap();
    let before = entries(folder.path());
    machine.simple(3, 9000);
    let installation = install(&machine, &targets, None);
    assert!(installation.notes[0].contains("left as it is"));
    assert!(
        before
            .iter()
            .all(|name| entries(folder.path()).contains(name))
    );
}

#[test]
fn secrets_are_installed_encrypted_or_not_at_all() {
    let mut machine = Machinery::new();
    machine.settings.tries = Some(3);
    let kernel = machine.store("linux", b"kernel");
    let initrd = machine.store("initrd", b"initrd");
    let secret = machine.root.path().join("etc/secret");
    fs::create_dir_all(secret.parent().unwrap()).unwrap();
    fs::write(&secret, "hunter2").unwrap();
    let mut document = Machinery::document("nixos-1", &kernel, &initrd);
    document["org.nixos.initrd-secrets.v1"] = json!({ "/etc/secret": "/etc/secret" });
    machine.generation(1, &document);
    let (folder, esp) = partition();
    let targets = alone(&esp);
    let refused = machine.prepare(&targets, None).unwrap_err();
    assert!(
        matches!(&refused, Error::Generation { why, .. } if why.contains("systemd-creds encrypt"))
    );
    let old = encrypted(b"hunter2");
    fs::write(&secret, &old).unwrap();
    let installation = install(&machine, &targets, None);
    let name = format!(
        "EFI/Linux/{}.efi.extra.d/etc-secret.cred",
        installation.default
    );
    assert_eq!(tree(folder.path())[&name], old);
    // Another secret makes another entry. The old one has started well, so it stays, with its secret.
    let stem = Stem::parse(&installation.default).unwrap();
    assert!(bless(&esp, &stem, &judge).unwrap());
    fs::write(&secret, encrypted(b"hunter3")).unwrap();
    install(&machine, &targets, None);
    install(&machine, &targets, None);
    let folders = fs::read_dir(folder.path().join("EFI/Linux")).unwrap();
    let extra = folders
        .filter(|entry| entry.as_ref().unwrap().path().is_dir())
        .count();
    assert_eq!(extra, 2);
    assert_eq!(tree(folder.path())[&name], old);
}

#[test]
fn microcode_and_device_trees_go_along() {
    let machine = Machinery::new();
    let kernel = machine.store("linux", b"kernel");
    let initrd = machine.store("initrd", b"initrd");
    let microcode = machine.store("ucode", b"microcode");
    let tree_file = machine.store("board.dtb", b"device tree");
    let mut document = Machinery::document("nixos-1", &kernel, &initrd);
    document["org.rootstock.microcode.v1"] = json!({ "archive": microcode });
    document["org.nixos.bootspec.v2"]["devicetree"] = tree_file.into();
    machine.generation(1, &document);
    let (folder, esp) = partition();
    install(&machine, &alone(&esp), None);
    let name = format!("EFI/Linux/{}", entries(folder.path())[0]);
    let bytes = &tree(folder.path())[&name];
    let image = Image::parse(bytes).unwrap();
    assert_eq!(image.section(".dtb").unwrap().data(), b"device tree");
    let references = image.section(".rsref").unwrap().data();
    let references = boot_pe::reference::References::parse(references).unwrap();
    let sizes: Vec<u32> = references.initrds().map(|r| r.size.get()).collect();
    assert_eq!(sizes, [9, 6], "microcode comes first");
}

#[test]
fn a_partition_that_is_too_small_is_left_alone() {
    struct Small(Folder);
    impl Volume for Small {
        fn files(
            &self,
            folder: &boot_esp::EspPath,
        ) -> std::io::Result<Vec<(boot_esp::EspPath, u64)>> {
            self.0.files(folder)
        }
        fn space(&self) -> std::io::Result<boot_esp::Space> {
            Ok(boot_esp::Space {
                free: 50_000,
                total: 100_000,
                block: 512,
            })
        }
        fn read(
            &self,
            path: &boot_esp::EspPath,
            sink: &mut dyn FnMut(&[u8]),
        ) -> std::io::Result<()> {
            self.0.read(path, sink)
        }
        fn make_folder(&self, _: &boot_esp::EspPath) -> std::io::Result<()> {
            unreachable!("nothing is written")
        }
        fn create(&self, _: &boot_esp::EspPath) -> std::io::Result<()> {
            unreachable!("nothing is written")
        }
        fn write(&self, _: &boot_esp::EspPath, _: u64, _: &[u8]) -> std::io::Result<()> {
            unreachable!("nothing is written")
        }
        fn remove(&self, _: &boot_esp::EspPath) -> std::io::Result<()> {
            unreachable!("nothing is written")
        }
        fn remove_folder(&self, _: &boot_esp::EspPath) -> std::io::Result<()> {
            unreachable!("nothing is written")
        }
        fn sync(&self) -> std::io::Result<()> {
            unreachable!("nothing is written")
        }
    }
    let machine = Machinery::new();
    machine.simple(1, 30_000);
    let (_folder, esp) = partition();
    let small = Small(esp);
    let targets = [Target {
        esp: &small,
        xbootldr: None,
    }];
    let error = machine.prepare(&targets, None).unwrap_err();
    assert!(
        error.to_string().contains("keep fewer generations"),
        "{error}"
    );
}

#[test]
fn a_stub_that_would_ignore_references_is_refused() {
    let mut machine = Machinery::new();
    machine.simple(1, 100);
    machine.stub = program(&[(".sdmagic", b"#### LoaderInfo: systemd-stub 257 ####")]);
    let (_folder, esp) = partition();
    let error = machine.prepare(&alone(&esp), None).unwrap_err();
    assert!(matches!(error, Error::Program { what: "stub", .. }));
}
