//! The pure parts: orders of modules, command lines, the choice of a volume, requests to the device mapper, lines typed.

use crate::console::line;
use crate::{
    BlockDevice, Candidate, Error, FileSystem, LOOKED_AT, MAX_SECRET, Mapping, REQUEST, Request,
    Target, Unlocked, choose, device_number, find_root, system,
};
use boot_initrd::{CommandLine, Root};
use boot_luks::Segment;
use proptest::prelude::*;
use std::path::{Path, PathBuf};

const UUID: &str = "0fd5a7d5-1b2c-4c0d-9c61-5e1c4b1c8b11";

proptest! {
    #[test]
    fn any_text_is_a_list_of_file_systems(text in "\\PC{0,200}") {
        let _ = system::known(&text);
    }

    #[test]
    fn any_bytes_are_a_file_system_or_none(
        start in prop::collection::vec(any::<u8>(), 0..2200),
        length in 0..=LOOKED_AT,
        magics in prop::collection::vec(0_usize..5, 0..3),
    ) {
        let mut bytes = start;
        bytes.resize(length.max(bytes.len()), 0x41);
        for magic in magics {
            let (at, magic): (usize, &[u8]) = [
                (1080, &b"\x53\xef"[..]), (0, b"XFSB"), (65600, b"_BHRfS_M"), (1024, b"\x10\x20\xf5\xf2"), (1024, b"\xe2\xe1\xf5\xe0"),
            ][magic];
            if let Some(place) = bytes.get_mut(at..at + magic.len()) {
                place.copy_from_slice(magic);
            }
        }
        if let Some(found) = FileSystem::read(&bytes) {
            prop_assert_eq!(found.uuid.len(), 36);
            prop_assert_ne!(found.label.as_deref(), Some(""));
        }
    }

    #[test]
    fn the_root_is_the_volumes_or_the_only_one_that_fits(
        known in prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..3), 0..6),
        wanted in 0_u8..3, by in 0_u8..3, device in 0_usize..6, mapping in 0_usize..6,
    ) {
        let guid = |number: u8| [number; 16];
        let devices: Vec<BlockDevice> = known.iter().enumerate().map(|(at, (uuid, label, partition))| BlockDevice {
            name: format!("vd{at}"),
            file_system: (*uuid > 0).then(|| FileSystem {
                kind: "ext4",
                uuid: format!("{uuid:032x}"),
                label: (*label > 0).then(|| label.to_string()),
            }),
            partition: (*partition > 0).then(|| guid(*partition)),
        }).collect();
        let line = match by {
            0 => format!("root=UUID={wanted:032x}"),
            1 => format!("root=LABEL={wanted}"),
            _ => { let two = format!("{wanted:02x}"); let four = two.repeat(2); format!("root=PARTUUID={}-{four}-{four}-{four}-{}", two.repeat(4), two.repeat(6)) }
        };
        let root = CommandLine::parse(&line).unwrap().root;
        let fits: Vec<usize> = known.iter().enumerate().filter(|(_, (uuid, label, partition))| match by {
            0 => *uuid > 0 && *uuid == wanted,
            1 => *uuid > 0 && *label > 0 && *label == wanted,
            _ => *partition > 0 && *partition == wanted,
        }).map(|(at, _)| at).collect();
        let (on, mapped) = (format!("vd{device}"), format!("vd{mapping}"));
        let unlocked = Unlocked { uuid: UUID, device: &on, mapping: &mapped, path: Path::new("/dev/mapper/root") };
        let found = find_root(&root, &unlocked, &devices);
        if fits.contains(&device) || fits.contains(&mapping) {
            prop_assert_eq!(found.unwrap(), unlocked.path);
        } else if let [one] = fits[..] {
            prop_assert_eq!(found.unwrap(), PathBuf::from(format!("/dev/vd{one}")));
        } else {
            let refused = matches!(found, Err(Error::Root { .. }));
            prop_assert!(refused);
        }
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

#[test]
fn the_volume_itself_may_be_named_as_the_root() {
    let unlocked = Unlocked {
        uuid: UUID,
        device: "vda2",
        mapping: "dm-0",
        path: Path::new("/dev/mapper/root"),
    };
    let root = |root: Root| find_root(&root, &unlocked, &[]).map_err(|error| error.to_string());
    let mapping = Ok(unlocked.path.to_owned());
    assert_eq!(root(Root::Uuid(UUID.to_owned())), mapping);
    assert_eq!(root(Root::Mapped), mapping);
    assert_eq!(
        root(Root::Device("/dev/vg/root".to_owned())),
        Ok("/dev/vg/root".into())
    );
    assert_eq!(
        root(Root::Label("x".to_owned())),
        Err(
            "root: no file system with label \"x\"; there is no file system that is known"
                .to_owned()
        )
    );
}

#[test]
fn what_an_earlier_file_system_left_behind_makes_none() {
    let mut bytes = vec![0; LOOKED_AT];
    bytes[1080..1082].copy_from_slice(&[0x53, 0xef]);
    bytes[1144..1147].copy_from_slice(b"one");
    let found = FileSystem::read(&bytes).unwrap();
    assert_eq!((found.kind, found.label.as_deref()), ("ext4", Some("one")));
    bytes[65600..65608].copy_from_slice(b"_BHRfS_M");
    assert_eq!(FileSystem::read(&bytes), None);
    // A wide label ends with its zero too, and half a letter is none.
    let mut bytes = vec![0; 4096];
    bytes[1024..1028].copy_from_slice(&[0x10, 0x20, 0xf5, 0xf2]);
    bytes[1148..1152].copy_from_slice(&[b'a', 0, 0xe9, 0]);
    assert_eq!(
        FileSystem::read(&bytes).unwrap().label.as_deref(),
        Some("a\u{e9}")
    );
    bytes[1148..1150].copy_from_slice(&[0, 0xd8]);
    assert_eq!(FileSystem::read(&bytes).unwrap().label, None);
}
