//! Orders and choices of modules, command lines, and archives.

use crate::{
    CommandLine, Content, Dependencies, Error, Image, Kernel, MAX_LINE, Root, Tables, check_program,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const UUID: &str = "0fd5a7d5-1b2c-4c0d-9c61-5e1c4b1c8b11";

const DEPENDENCIES: &str = "\
kernel/drivers/md/dm-crypt.ko.xz: kernel/drivers/md/dm-mod.ko.xz
kernel/drivers/md/dm-mod.ko.xz:
kernel/arch/x86/crypto/aesni-intel.ko.xz: kernel/lib/crypto/gf128mul.ko.xz kernel/crypto/crypto_simd.ko.xz kernel/crypto/cryptd.ko.xz
kernel/crypto/crypto_simd.ko.xz: kernel/crypto/cryptd.ko.xz
kernel/crypto/cryptd.ko.xz:
kernel/lib/crypto/gf128mul.ko.xz:
";

#[test]
fn modules_are_found_by_either_spelling_and_loaded_behind_what_they_need() {
    let all = Dependencies::parse(DEPENDENCIES).unwrap();
    let crypt = all.file("dm_crypt").unwrap();
    assert_eq!(all.file("dm-crypt"), Some(crypt));
    assert_eq!(all.file("dm"), None);
    let order = all.order([all.file("aesni_intel").unwrap(), crypt]);
    let at = |name: &str| {
        order
            .iter()
            .position(|file| *file == all.file(name).unwrap())
    };
    assert_eq!(order.len(), 6);
    assert!(at("cryptd") < at("crypto_simd") && at("crypto_simd") < at("aesni_intel"));
    assert!(at("dm_mod") < at("dm_crypt"));
    for (text, line, said) in [
        ("a.ko:\nb.ko", 2, "it has no colon"),
        ("a.ko: b:c.ko", 1, "a file is not inside of the folder"),
        ("a.ko: #b.ko", 1, "a file is not inside of the folder"),
        ("/a.ko:", 1, "a file is not inside of the folder"),
        ("a.ko: ../../b.ko", 1, "a file is not inside of the folder"),
        ("a.ko:\n\na.ko: b.ko", 3, "the module stands there twice"),
    ] {
        let error = Dependencies::parse(text).unwrap_err();
        let expected = format!("modules.dep, line {line}: {said}");
        assert_eq!(error.to_string(), expected);
    }
}

/// Texts of modules that need some of those before them, or anyone where `circles`.
fn graph(circles: bool) -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        1..30,
    )
    .prop_map(move |needs| {
        let count = needs.len();
        let lines = needs.iter().enumerate().map(|(number, needs)| {
            let room = if circles { count } else { number.max(1) };
            let needs = needs.iter().map(|need| need.index(room));
            let needs: Vec<String> = needs
                .filter(|need| circles || *need < number)
                .map(|need| format!("m{need}.ko"))
                .collect();
            format!("m{number}.ko: {}\n", needs.join(" "))
        });
        lines.rev().collect()
    })
}

proptest! {
    #[test]
    fn an_order_has_every_module_once_and_behind_its_needs(text in graph(false), wanted: prop::sample::Index) {
        let all = Dependencies::parse(&text).unwrap();
        let files: Vec<&str> = all.files().collect();
        let order = all.order(files.iter().copied());
        prop_assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), files.len());
        prop_assert_eq!(order.len(), files.len());
        let at = |file: &str| order.iter().position(|other| *other == file).unwrap();
        for line in text.lines() {
            let (file, needs) = line.split_once(':').unwrap();
            for need in needs.split_whitespace() {
                prop_assert!(at(need) < at(file), "{} before {}", file, need);
            }
        }
        // A part is ordered as the whole, and brings its needs with it.
        let one = all.order([*wanted.get(&files)]);
        prop_assert_eq!(one.last(), Some(wanted.get(&files)));
    }

    #[test]
    fn circles_end(text in graph(true)) {
        let all = Dependencies::parse(&text).unwrap();
        let order = all.order(all.files());
        prop_assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), order.len());
        prop_assert_eq!(order.len(), all.files().count());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}", more in "[a-c/:#.]{1,3}(: ?|\n| ){0,2}([a-c/:#.\n ]{0,8}){0,20}", tables in "((softdep|alias) ([a-z:*]{1,4} ){0,4}\n){0,9}") {
        let _ = Dependencies::parse(&text);
        if let Ok(all) = Dependencies::parse(&more) {
            let _ = all.order(all.files());
        }
        let _ = CommandLine::parse(&text);
        for text in [&text, &more, &tables] {
            let tables = Tables { dependencies: &more, built_in: text, soft: text, aliases: text };
            if let Ok(kernel) = Kernel::read(&tables) {
                let chosen = kernel.choose(text.split_whitespace());
                let read = Dependencies::parse(&chosen.dependencies.to_text());
                prop_assert_eq!(read.unwrap(), chosen.dependencies);
            }
        }
        let _ = check_program(text.as_bytes());
    }

    #[test]
    fn any_bytes_are_a_program_or_refused(end in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = check_program(&[b"\x7fELF\x02\x01\x01", &end[..]].concat());
    }

    #[test]
    fn a_choice_is_whole_and_in_order(text in graph(true), soft in prop::collection::vec((0_usize..30, 0_usize..30, any::<bool>()), 0..20), wanted: prop::sample::Index) {
        let soft: Vec<String> = soft.iter().map(|(one, other, before)| {
            let kind = if *before { "pre:" } else { "post:" };
            format!("softdep m{one} {kind} m{other}\n")
        }).collect();
        let soft = soft.concat();
        let kernel = Kernel::read(&Tables { dependencies: &text, soft: &soft, ..Tables::default() }).unwrap();
        let all = Dependencies::parse(&text).unwrap();
        let files: Vec<&str> = all.files().collect();
        let wanted = wanted.get(&files).strip_suffix(".ko").unwrap();
        let chosen = kernel.choose([wanted]);
        let carried: BTreeSet<&str> = chosen.files.iter().map(String::as_str).collect();
        prop_assert_eq!(carried.len(), chosen.files.len());
        prop_assert_eq!(&carried, &chosen.dependencies.files().collect());
        for file in &carried {
            for need in all.needs(file) {
                prop_assert!(carried.contains(need));
            }
        }
        // What the initrd's program reads is what was chosen.
        prop_assert_eq!(Dependencies::parse(&chosen.dependencies.to_text()).unwrap(), chosen.dependencies);
    }

    #[test]
    fn words_of_others_change_nothing(words in prop::collection::vec("[a-z]{1,8}\\.[a-z]{1,8}(=[a-z0-9=,]{0,12})?", 0..20)) {
        prop_assume!(words.iter().all(|word| !word.starts_with("rd.luks")));
        let line = words.join(" ");
        prop_assert_eq!(CommandLine::parse(&line).unwrap(), CommandLine::parse("").unwrap());
    }

}

#[test]
fn a_command_line_says_what_is_the_root() {
    let nothing = CommandLine::parse("").unwrap();
    assert_eq!(
        (nothing.name.as_str(), nothing.init.as_str(), &nothing.root),
        ("root", "/sbin/init", &Root::Mapped)
    );
    let line = format!(
        "console=ttyS0 rd.luks.name={}=system root=/dev/mapper/system rw rootfstype=ext4 rootflags=noatime init=/nix/store/x/init \
         rd.luks.options=discard rootwait=5 quiet",
        UUID.to_uppercase()
    );
    let said = CommandLine::parse(&line).unwrap();
    assert_eq!(said.volume.as_deref(), Some(UUID));
    assert_eq!(
        said,
        CommandLine {
            volume: Some(UUID.to_owned()),
            name: "system".to_owned(),
            discard: true,
            root: Root::Mapped,
            kind: Some("ext4".to_owned()),
            flags: Some("noatime".to_owned()),
            writable: true,
            init: "/nix/store/x/init".to_owned(),
            wait: 5,
        }
    );
    let other = CommandLine::parse(&format!(
        "rd.luks.uuid=luks-{UUID} \"root=/dev/my root\" rw ro"
    ));
    let other = other.unwrap();
    assert_eq!(other.root, Root::Device("/dev/my root".to_owned()));
    assert!(!other.writable && other.name == "root");
    for (line, said) in [
        ("rd.luks.uuid=x", "rd.luks.uuid=x: it names no UUID"),
        ("init=relative", "init=relative: it is no absolute path"),
        ("init=/a/../b", "it is no absolute path"),
        ("root=UUID=1-x", "root: it names no UUID"),
        ("root=UUID=", "root: it names no UUID"),
        ("root=LABEL=", "a label is up to 255 bytes"),
        ("root=PARTUUID=1-2", "root: it names no UUID"),
        ("root=PARTLABEL=root", "root: it is no absolute path"),
        (
            "root=/dev/disk/by-path/x",
            "by-uuid, by-label and by-partuuid are known",
        ),
        ("root=/etc/passwd", "the root is a device under /dev"),
        ("rootwait=long", "it is no number of seconds"),
        (
            &format!("rd.luks.name={UUID}=../x"),
            "a mapping's name is up to 127",
        ),
        (&"x".repeat(MAX_LINE + 1), "it is longer than 4096 bytes"),
    ] {
        let error = CommandLine::parse(line).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn a_root_is_named_by_what_is_on_it_too() {
    let root = |text: &str| {
        CommandLine::parse(&format!("\"root={text}\""))
            .unwrap()
            .root
    };
    let upper = UUID.to_uppercase();
    for text in [format!("UUID={upper}"), format!("/dev/disk/by-uuid/{UUID}")] {
        assert_eq!(root(&text), Root::Uuid(UUID.to_owned()));
    }
    assert_eq!(root("UUID=12AB-34CD"), Root::Uuid("12ab-34cd".to_owned()));
    assert_eq!(root("LABEL=my root"), Root::Label("my root".to_owned()));
    assert_eq!(root("/dev/disk/by-label/x"), Root::Label("x".to_owned()));
    for text in [
        format!("PARTUUID={upper}"),
        format!("/dev/disk/by-partuuid/{UUID}"),
    ] {
        let Root::Partition(id) = root(&text) else {
            panic!("{text}");
        };
        assert_eq!(id.to_string(), UUID);
        let bytes = [
            0xd5, 0xa7, 0xd5, 0x0f, 0x2c, 0x1b, 0x0d, 0x4c, 0x9c, 0x61, 0x5e, 0x1c, 0x4b, 0x1c,
            0x8b, 0x11,
        ];
        assert_eq!(id.bytes(), bytes);
    }
}

#[test]
fn the_kernels_line_counts_more_than_words_of_the_initrd() {
    let words = "root=LABEL=system rootfstype=ext4 \"rootflags=open";
    let said = CommandLine::after(words, "rootfstype=xfs quiet").unwrap();
    assert_eq!(said.root, Root::Label("system".to_owned()));
    assert_eq!(said.kind.as_deref(), Some("xfs"));
    // A quote that stays open ends with the words.
    assert_eq!(said.flags.as_deref(), Some("open"));
    assert!(CommandLine::after(&"x".repeat(MAX_LINE + 1), "").is_err());
}

/// A kernel whose ext4 asks for a checksum by an alias.
fn kernel() -> Kernel {
    Kernel::read(&Tables {
        dependencies: "fs/ext4/ext4.ko.xz: fs/jbd2/jbd2.ko.xz\nfs/jbd2/jbd2.ko.xz:\ncrypto/crc32c-fast.ko.xz:\n\
                       crypto/crc32c_slow.ko.xz:\nfs/late.ko.xz:\n",
        built_in: "kernel/crypto/xts.ko\nkernel/drivers/md/dm-crypt.ko\n",
        soft: "# from the modules\nsoftdep ext4 pre: crc32c xts gone post: late\nsoftdep other ext4\n",
        aliases: "# from the modules\nalias crc32c crc32c_fast\nalias crc32c crc32c-slow\nalias pci:v*d* ext4\n",
    })
    .unwrap()
}

#[test]
fn soft_dependencies_and_aliases_are_followed_and_what_is_built_in_is_left() {
    let chosen = kernel().choose(["ext4", "dm_crypt", "xts", "nothing"]);
    assert_eq!(chosen.built_in, ["dm_crypt", "xts"]);
    assert_eq!(chosen.missing, ["nothing"]);
    assert_eq!(
        chosen.dependencies.to_text(),
        "crypto/crc32c-fast.ko.xz:\ncrypto/crc32c_slow.ko.xz:\n\
         fs/ext4/ext4.ko.xz: fs/jbd2/jbd2.ko.xz crypto/crc32c-fast.ko.xz crypto/crc32c_slow.ko.xz\n\
         fs/jbd2/jbd2.ko.xz:\nfs/late.ko.xz:\n"
    );
    let at = |part: &str| {
        chosen
            .files
            .iter()
            .position(|file| file.contains(part))
            .unwrap()
    };
    assert!(at("fast") < at("ext4") && at("slow") < at("ext4") && at("jbd2") < at("ext4"));
    assert!(at("ext4") < at("late"));
    let none = kernel().choose([]);
    assert!(none.files.is_empty() && none.dependencies.files().next().is_none());
}

#[test]
fn tables_of_another_form_are_refused_with_their_line() {
    let read = |soft, aliases| {
        let tables = Tables {
            soft,
            aliases,
            ..Tables::default()
        };
        Kernel::read(&tables).unwrap_err().to_string()
    };
    let said = read("\nsoftdep", "");
    assert!(
        said.starts_with("modules.softdep, line 2: it is not"),
        "{said}"
    );
    let said = read("", "alias one");
    assert!(
        said.starts_with("modules.alias, line 1: it is not"),
        "{said}"
    );
}

/// A program of 64 bits with one segment of this type, whose content is the name of an interpreter.
fn program(segment: u32) -> Vec<u8> {
    let mut bytes = vec![0; 64 + 56 + 8];
    bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    for (at, value) in [
        (16, 2),
        (18, 62),
        (20, 1),
        (32, 64),
        (54, 56),
        (56, 1),
        (64, segment),
        (72, 120),
        (96, 8),
    ] {
        bytes[at] = value as u8;
    }
    bytes[120..].copy_from_slice(b"/lib/ld\0");
    bytes
}

#[test]
fn the_first_program_needs_no_other() {
    check_program(&program(1)).unwrap();
    let said = check_program(&program(3)).unwrap_err().to_string();
    assert!(said.contains("is linked dynamically, by /lib/ld"), "{said}");
    let said = check_program(b"#!/bin/sh\n").unwrap_err().to_string();
    assert!(said.contains("is no ELF program of 64 bits"), "{said}");
    let mut object = program(1);
    object[16] = 1;
    let said = check_program(&object).unwrap_err().to_string();
    assert!(said.contains("but no program"), "{said}");
}

#[test]
fn an_image_has_each_file_at_its_place_and_no_other_twice() {
    let chosen = kernel().choose(["jbd2"]);
    let modules = [("fs/jbd2/jbd2.ko.xz".to_owned(), vec![7; 3])];
    let program = program(1);
    let build = |words: &str, more: &[&str]| {
        let more: BTreeMap<String, Vec<u8>> = more
            .iter()
            .map(|path| ((*path).to_owned(), b"more".to_vec()))
            .collect();
        Image::build(&Content {
            init: &program,
            release: "6.1-x",
            dependencies: &chosen.dependencies,
            modules: &modules,
            words,
            more: &more,
        })
    };
    let image = build("root=LABEL=x", &["/etc/more"]).unwrap();
    let names: Vec<&str> = image.files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "etc/boot-init/words",
            "etc/more",
            "init",
            "lib/modules/6.1-x/fs/jbd2/jbd2.ko.xz",
            "lib/modules/6.1-x/modules.dep"
        ]
    );
    assert_eq!(build("root=LABEL=x", &["/etc/more"]).unwrap(), image);
    assert!(image.bytes.starts_with(b"070701") && image.bytes.len() % 4 == 0);
    for (words, more, said) in [
        ("root=x", &[][..], "root: it is no absolute path"),
        (
            "",
            &["/init"],
            "init in the initrd: two files have this place",
        ),
        (
            "",
            &["/init/x"],
            "init in the initrd: it is a file and a folder",
        ),
        ("", &["/a/../b"], "it is no path from the root"),
        ("", &["a//b"], "it is no path from the root"),
    ] {
        let error = build(words, more).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(!matches!(error, Error::TooLarge));
    }
}
