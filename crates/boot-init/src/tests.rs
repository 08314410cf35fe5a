//! The pure parts: orders of modules, command lines, the choice of a volume, requests to the device mapper, lines typed.

use crate::console::line;
use crate::{
    Candidate, CommandLine, Dependencies, Error, MAX_LINE, MAX_SECRET, Mapping, REQUEST, Request,
    Root, Target, choose, device_number, system,
};
use boot_luks::Segment;
use proptest::prelude::*;
use std::collections::BTreeSet;

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
    fn any_text_is_read_or_refused(text in "\\PC{0,200}", more in "[a-z/:. \n]{0,200}") {
        let _ = Dependencies::parse(&text);
        if let Ok(all) = Dependencies::parse(&more) {
            let _ = all.order(all.files());
        }
        let _ = CommandLine::parse(&text);
        let _ = system::known(&text);
    }

    #[test]
    fn words_of_others_change_nothing(words in prop::collection::vec("[a-z]{1,8}\\.[a-z]{1,8}(=[a-z0-9=,]{0,12})?", 0..20)) {
        prop_assume!(words.iter().all(|word| !word.starts_with("rd.luks")));
        let line = words.join(" ");
        prop_assert_eq!(CommandLine::parse(&line).unwrap(), CommandLine::parse("").unwrap());
    }

    #[test]
    fn one_is_chosen_or_the_reason_names_all(count in 0_usize..5, twice: bool, wanted in prop::option::of(0_usize..6)) {
        let mut candidates: Vec<Candidate> = (0..count)
            .map(|number| Candidate { device: format!("vd{number}"), uuid: format!("u{number}") })
            .collect();
        if twice && count > 0 {
            candidates.push(Candidate { device: "copy".to_owned(), uuid: "u0".to_owned() });
        }
        let uuid = wanted.map(|number| format!("U{number}"));
        let fitting: Vec<&Candidate> = candidates
            .iter()
            .filter(|candidate| uuid.as_ref().is_none_or(|uuid| uuid.eq_ignore_ascii_case(&candidate.uuid)))
            .collect();
        match choose(&candidates, uuid.as_deref()) {
            Ok(one) => prop_assert_eq!(fitting, vec![one]),
            Err(error) => {
                prop_assert_ne!(fitting.len(), 1);
                for candidate in &candidates {
                    prop_assert!(error.to_string().contains(&candidate.device));
                }
            }
        }
    }

    #[test]
    fn a_request_is_laid_out_as_the_kernel_reads_it(
        name in "[a-z]{1,127}", uuid in "[A-Z0-9-]{1,128}", sectors: u64, table in "[a-z0-9 :]{1,300}",
    ) {
        let target = Target { sectors, table: table.clone().into() };
        let request = Request::new(&name, Some(&uuid)).unwrap().with(&target).unwrap();
        let bytes = request.as_bytes();
        let u32_at = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let text = |at: usize| {
            let end = bytes[at..].iter().position(|byte| *byte == 0).unwrap();
            std::str::from_utf8(&bytes[at..at + end]).unwrap()
        };
        prop_assert_eq!((u32_at(0), u32_at(12), u32_at(16), u32_at(20)), (4, REQUEST, 312, 1));
        prop_assert_eq!((text(48), text(176)), (&*name, &*uuid));
        prop_assert_eq!(u64::from_ne_bytes(bytes[320..328].try_into().unwrap()), sectors);
        prop_assert_eq!(text(336), "crypt");
        prop_assert_eq!(text(352), &*table);
        let next = u32_at(332);
        prop_assert!(next % 8 == 0 && next > 40 + table.len() && 312 + next <= REQUEST);
    }

    #[test]
    fn numbers_of_devices_survive_the_kernels_packing(major in 0_u32..4096, minor in 0_u32..(1 << 20)) {
        let packed = minor & 0xff | major << 8 | (minor & !0xff) << 12;
        prop_assert_eq!(device_number(u64::from(packed)), (major, minor));
    }

    #[test]
    fn a_typed_line_is_whole_or_wrong(first in prop::collection::vec(14_u8.., 0..700), rest in prop::collection::vec(any::<u8>(), 0..20)) {
        let mut input = &[&first[..], b"\n", &rest].concat()[..];
        let read = line(&mut input).unwrap();
        if first.len() <= MAX_SECRET {
            prop_assert_eq!(&*read, &first);
        } else {
            prop_assert_eq!(read.len(), MAX_SECRET + 1);
        }
        prop_assert_eq!(input, &rest);
        prop_assert!(line(&mut &first[..]).is_none());
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
        ("root=UUID=1-2", "it is no absolute path"),
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

/// A segment as JSON says it.
fn segment(json: &str) -> Segment {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_table_is_as_dm_crypt_takes_it() {
    let plain = segment(
        r#"{"type":"crypt","offset":"16777216","size":"dynamic","iv_tweak":"0","encryption":"aes-xts-plain64","sector_size":512}"#,
    );
    let mut mapping = Mapping {
        name: "root",
        volume: UUID,
        device: (254, 2),
        size: 32 << 20,
        segment: &plain,
        discard: false,
    };
    assert_eq!(
        mapping.uuid(),
        "CRYPT-LUKS2-0fd5a7d51b2c4c0d9c615e1c4b1c8b11-root"
    );
    let target = mapping.target(&[0xab, 1]).unwrap();
    assert_eq!(target.sectors, 32768);
    assert_eq!(*target.table, "aes-xts-plain64 ab01 0 254:2 32768");
    assert!(!format!("{target:?}").contains("ab01"));
    let large = segment(
        r#"{"type":"crypt","offset":"1048576","size":"4096","iv_tweak":"8","encryption":"aes-xts-plain64","sector_size":4096}"#,
    );
    mapping.segment = &large;
    mapping.discard = true;
    let target = mapping.target(&[0xab]).unwrap();
    assert_eq!(target.sectors, 8);
    assert_eq!(
        *target.table,
        "aes-xts-plain64 ab 8 254:2 2048 2 allow_discards sector_size:4096"
    );
    for (change, said) in [
        (r#""size":"99999999999""#, "do not fit onto the device"),
        (r#""size":"100""#, "are not whole sectors"),
        (r#""size":"-1""#, "do not fit onto the device"),
        (
            r#""size":"dynamic","sector_size":700"#,
            "sectors are not of",
        ),
        (
            r#""size":"dynamic","encryption":"aes 1""#,
            "does not name how",
        ),
        (r#""size":"dynamic","integrity":{}"#, "authenticated"),
    ] {
        let text = format!(
            r#"{{"type":"crypt","offset":"1048576",{change}{}}}"#,
            if change.contains("encryption") {
                ""
            } else {
                r#","encryption":"aes-xts-plain64""#
            }
        );
        let segment = segment(&text);
        let error = Mapping {
            segment: &segment,
            ..mapping
        }
        .target(&[1])
        .unwrap_err();
        assert!(error.to_string().contains(said), "{text}: {error}");
    }
    let small = Mapping {
        size: 4096,
        ..mapping
    };
    let error = small.target(&[1]).unwrap_err();
    assert!(matches!(error, Error::Mapping { .. }), "{error}");
}

#[test]
fn file_systems_on_devices_are_tried() {
    let text = "nodev\tsysfs\nnodev\ttmpfs\n\text3\n\text4\n";
    assert_eq!(system::known(text), ["ext3", "ext4"]);
}
