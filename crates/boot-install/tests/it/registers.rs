//! What an installation says that PCR 11, 12 and 13 will be: the same before and after it is carried out, and as computed here
//! from the rules alone.

use crate::workshop::{
    Machinery, alone, encrypted, entries, install, loader, partition, payload, policy_key, program,
    tree,
};
use boot_esp::{EspPath, Outlook};
use boot_install::{Foreseen, Target, foresee};
use boot_measure::Bank;
use boot_stub_core::archive::{Modes, archive};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs;

fn value(foreseen: &Foreseen, pcr: u8, phase: Option<&str>) -> String {
    let found = foreseen
        .registers
        .iter()
        .find(|value| value.pcr == pcr && value.phase.as_deref() == phase);
    found.unwrap().value.clone()
}

/// A register of the SHA-256 bank after these were measured.
fn extended(measured: &[&[u8]]) -> String {
    let mut register = [0; 32];
    for data in measured {
        let digest: [u8; 32] = Sha256::digest(data).into();
        register = Sha256::digest([register, digest].concat()).into();
    }
    register.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn credentials(folder: &str, file: (&str, &[u8])) -> Vec<u8> {
    archive(folder, Modes::SECRET, [file].into_iter()).unwrap()
}

#[test]
fn registers_are_those_that_the_rules_lead_to() {
    let mut machine = Machinery::new();
    machine.policy = Some((policy_key(), &[Bank::Sha256]));
    let kernel = payload("kernel", 5000);
    let initrd = payload("initrd", 9000);
    let (kernel_path, initrd_path) = (
        machine.store("linux", &kernel),
        machine.store("initrd", &initrd),
    );
    let secret = encrypted(b"luks");
    fs::create_dir_all(machine.root.path().join("etc")).unwrap();
    fs::write(machine.root.path().join("etc/luks.cred"), &secret).unwrap();
    let mut document = Machinery::document("nixos-1", &kernel_path, &initrd_path);
    document["org.rootstock.credentials.v1"] = json!({ "luks": "/etc/luks.cred" });
    machine.generation(1, &document);
    let (folder, esp) = partition();
    // Somebody else's, for every image of the partition.
    for (name, content) in [
        ("credentials/net.cred", b"net".to_vec()),
        (
            "addons/b.addon.efi",
            program(&[(".cmdline", b" more words ")]),
        ),
        ("addons/a.addon.efi", program(&[(".linux", b"no addon")])),
    ] {
        let path = folder.path().join("loader").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let targets = alone(&esp);
    let planned = machine.prepare(&targets, None).unwrap();
    let planned = planned.registers(&targets, &[Bank::Sha256]).unwrap();
    let done = install(&machine, &targets, None);
    let done = done.registers(&targets, &[Bank::Sha256]).unwrap();
    let name = entries(folder.path()).remove(0);
    let path = EspPath::new(&format!("EFI/Linux/{name}")).unwrap();
    let bytes = &tree(folder.path())[path.as_str()];
    let outlook = Outlook::now(&esp);
    let read = foresee(&outlook, &outlook, &path, bytes, &[Bank::Sha256]).unwrap();
    for said in [&planned, &done] {
        assert_eq!((said.len(), &said[0].entry), (1, &name));
        assert_eq!(said[0].foreseen, read);
    }
    let init = format!("init={}/init quiet", Machinery::store_path("nixos-1"));
    assert_eq!(read.command_line, format!("{init} more words"));
    assert_eq!(
        read.left_out,
        ["a.addon.efi: it has a kernel, so it is no addon"]
    );

    let image = boot_pe::Image::parse(bytes).unwrap();
    let section = |name: &str| image.section(name).unwrap().data();
    let mut measured: Vec<&[u8]> = vec![b".linux\0", &kernel, b".osrel\0", section(".osrel")];
    measured.extend([b".cmdline\0", init.as_bytes(), b".initrd\0", &initrd]);
    measured.extend([&b".pcrpkey\0"[..], section(".pcrpkey")]);
    assert_eq!(value(&read, 11, Some("")), extended(&measured));
    measured.extend([&b"enter-initrd"[..], b"leave-initrd"]);
    let phase = "enter-initrd:leave-initrd";
    assert_eq!(value(&read, 11, Some(phase)), extended(&measured));

    let more = boot_stub_core::companions::utf16("more words");
    let own = credentials(".extra/credentials", ("luks.cred", &secret));
    let global = credentials(".extra/global_credentials", ("net.cred", b"net"));
    assert_eq!(value(&read, 12, None), extended(&[&more, &own, &global]));
    assert_eq!(value(&read, 13, None), extended(&[]));
    let what: Vec<&str> = read.measured.iter().map(|m| m.what.as_str()).collect();
    assert_eq!(
        what,
        [
            "more words",
            "Credentials initrd",
            "Global credentials initrd"
        ]
    );
}

/// systemd-boot before 254 measures the entry's own command line, and hands it over: without Secure Boot the stub takes and
/// measures it too.
#[test]
fn a_line_that_the_loader_measures_is_stated() {
    for (version, signed, times) in [
        ("252.39-1", true, 1),
        ("252.39-1", false, 2),
        ("257.9", true, 0),
        ("257.9", false, 0),
    ] {
        let mut machine = Machinery::new();
        machine.loader = Some(loader(version));
        machine.signed = signed;
        machine.simple(1, 900);
        let (_folder, esp) = partition();
        let targets = alone(&esp);
        let planned = machine.prepare(&targets, None).unwrap();
        let said = planned.registers(&targets, &[Bank::Sha256]).unwrap();
        let line = format!("init={}/init quiet", Machinery::store_path("nixos-1"));
        let measured = boot_stub_core::companions::utf16(&line);
        let expected = extended(&vec![&measured[..]; times]);
        let foreseen = &said[0].foreseen;
        assert_eq!(value(foreseen, 12, None), expected, "{version} {signed}");
        assert_eq!(foreseen.command_line, line);
        assert_eq!(foreseen.measured.len(), times);
    }
}

#[test]
fn an_extension_beside_a_staying_entry_counts_into_its_own_register() {
    let machine = Machinery::new();
    machine.simple(1, 900);
    let (folder, esp) = partition();
    let (boot_folder, boot) = partition();
    let targets = [Target {
        esp: &esp,
        xbootldr: Some(&boot),
    }];
    let name = install(&machine, &targets, None).default;
    let extra = boot_folder
        .path()
        .join(format!("EFI/Linux/{name}.efi.extra.d"));
    fs::create_dir(&extra).unwrap();
    fs::write(extra.join("tools.raw"), "an extension").unwrap();
    // The stub looks on the partition that the entry is on, not here.
    fs::create_dir_all(folder.path().join("loader/credentials")).unwrap();
    fs::write(folder.path().join("loader/credentials/x.cred"), "x").unwrap();
    let again = install(&machine, &targets, None);
    let said = again
        .registers(&targets, &[Bank::Sha256, Bank::Sha512])
        .unwrap();
    let foreseen = &said[0].foreseen;
    let files = [("tools.raw", &b"an extension"[..])];
    let archive = archive(".extra/sysext", Modes::PUBLIC, files.into_iter()).unwrap();
    assert_eq!(value(foreseen, 12, None), extended(&[]));
    assert_eq!(value(foreseen, 13, None), extended(&[&archive]));
    let banks = |pcr| {
        foreseen
            .registers
            .iter()
            .filter(move |v| v.pcr == pcr)
            .count()
    };
    assert_eq!([banks(11), banks(12), banks(13)], [10, 2, 2]);
}
