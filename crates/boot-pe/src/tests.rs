//! What holds for images that this crate writes itself: round trips, limits, cut files, odd layouts, SBAT rules.

use crate::reference::{Part, References, note_of, reference_to};
use crate::sbat::{Sbat, SbatLevel};
use crate::{
    Anomaly, CertificateEntry, Error, Image, Kind, Machine, NewSection, Profile, SectionName,
    Severity, StubIdentity, Uki, UkiSection, addon_base, checksum, hashed_ranges, inspect,
    kernel_release, pad, rebuild, replace_certificates,
};
use boot_stub_core::{NOTE_SECTION, StubNote};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

fn section(name: SectionName, data: &[u8]) -> UkiSection<'_> {
    UkiSection {
        name,
        data: Cow::Borrowed(data),
    }
}

/// A stub of our own: the addon program with an identity and SBAT.
fn stub() -> Vec<u8> {
    let base = addon_base(Machine::X64).unwrap();
    let image = Image::parse(&base).unwrap();
    let mut sections: Vec<_> = image.sections.iter().map(NewSection::keep).collect();
    let magic = b"#### LoaderInfo: systemd-stub 252.39-1 ####";
    sections.push(NewSection::data(".sdmagic", Cow::Borrowed(magic)).unwrap());
    let sbat =
        b"sbat,1,SBAT Version,sbat,1,https://example.org/\nstub,1,Us,stub,1,https://example.org/\n";
    sections.push(NewSection::data(".sbat", Cow::Borrowed(sbat)).unwrap());
    rebuild(&image, &sections).unwrap()
}

fn uki() -> Vec<u8> {
    let stub = stub();
    let contents = Uki {
        base: vec![
            section(SectionName::Linux, b"kernel"),
            section(SectionName::Cmdline, b"console=ttyS0"),
            section(SectionName::Dtbauto, b"tree one"),
            section(SectionName::Dtbauto, b"tree two"),
            section(
                SectionName::Sbat,
                b"sbat,1,a,b,c,d\nuki.example,3,Us,uki,1,https://example.org/\n",
            ),
        ],
        profiles: vec![Profile {
            description: Cow::Borrowed(b"ID=debug\n"),
            sections: vec![section(SectionName::Cmdline, b"debug")],
        }],
    };
    contents.write(&Image::parse(&stub).unwrap()).unwrap()
}

#[test]
fn a_uki_reads_back_as_it_was_written_and_writing_is_repeatable() {
    let file = uki();
    assert!(file == uki(), "the same inputs give the same bytes");
    let report = inspect(&file).unwrap();
    assert_eq!(report.kind, Kind::Uki);
    assert!(report.nx_compatible);
    let names: Vec<_> = report.sections.iter().map(|s| s.name.as_str()).collect();
    let expected = [
        ".text", ".sdmagic", ".sbat", ".cmdline", ".dtbauto", ".dtbauto", ".linux", ".profile",
        ".cmdline",
    ];
    assert_eq!(names, expected);
    assert_eq!(report.sections[3].text.as_deref(), Some("console=ttyS0"));
    assert_eq!(report.profiles[0].description, "ID=debug");
    assert_eq!(report.profiles[0].sections, [".cmdline"]);
    assert_eq!(report.stub.unwrap().major(), Some(252));
    let names: Vec<_> = report.sbat.unwrap().components;
    assert_eq!(
        names.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
        ["sbat", "stub", "uki.example"]
    );
    assert_eq!(report.anomalies, []);
    let image = Image::parse(&file).unwrap();
    for section in &image.sections {
        assert!(section.virtual_address.is_multiple_of(4096));
    }
}

#[test]
fn what_no_uki_or_addon_may_hold_is_refused() {
    let stub = stub();
    let image = Image::parse(&stub).unwrap();
    let why = |base: Vec<UkiSection<'static>>, addon: bool| {
        let contents = Uki {
            base,
            profiles: Vec::new(),
        };
        let result = if addon {
            contents.write_addon(&image)
        } else {
            contents.write(&image)
        };
        result.unwrap_err().to_string()
    };
    let linux = section(SectionName::Linux, b"kernel");
    let line = section(SectionName::Cmdline, b"a");
    assert!(why(vec![line.clone()], false).contains("needs a kernel"));
    let twice = vec![linux.clone(), line.clone(), line.clone()];
    assert!(why(twice, false).contains("`.cmdline`: it occurs more than once"));
    assert!(why(vec![linux.clone(), line], true).contains("an addon must not carry it"));
    assert!(why(vec![], true).contains("needs a section besides"));
    let empty = section(SectionName::Initrd, b"");
    assert!(why(vec![linux, empty], false).contains("it is empty"));
    let done = uki();
    let error = Uki::default()
        .write_addon(&Image::parse(&done).unwrap())
        .unwrap_err();
    assert!(error.to_string().contains("needs a section"));
}

/// A stub like [`stub`], which says that it knows references.
fn our_stub() -> Vec<u8> {
    let stub = stub();
    let image = Image::parse(&stub).unwrap();
    let mut sections: Vec<_> = image.sections.iter().map(NewSection::keep).collect();
    let note = StubNote::OUR_TEXT.as_bytes();
    sections.push(NewSection::data(NOTE_SECTION, Cow::Borrowed(note)).unwrap());
    rebuild(&image, &sections).unwrap()
}

#[test]
fn a_uki_may_refer_to_its_kernel_and_initrds_on_a_stub_that_knows_how() {
    let list = |parts: &[(Part, &str)]| {
        let list = parts
            .iter()
            .map(|(part, path)| reference_to(*part, path, b"x").unwrap());
        References::new(list.collect()).unwrap().to_string()
    };
    let whole = list(&[(Part::Linux, "/kernel"), (Part::Initrd, "/initrd")]);
    let initrd_only = list(&[(Part::Initrd, "/initrd")]);
    let kernel_only = list(&[(Part::Linux, "/k")]);
    let (ours, theirs) = (our_stub(), stub());
    let write = |stub: &[u8], base: &[UkiSection<'_>], profile: &[UkiSection<'_>]| {
        let profiles = (!profile.is_empty()).then(|| Profile {
            description: Cow::Borrowed(b"ID=one\n"),
            sections: profile.to_vec(),
        });
        let contents = Uki {
            base: base.to_vec(),
            profiles: profiles.into_iter().collect(),
        };
        contents
            .write(&Image::parse(stub).unwrap())
            .map_err(|error| error.to_string())
    };
    let rsref = |text| section(SectionName::Rsref, text);
    let (linux, initrd) = (
        section(SectionName::Linux, b"k"),
        section(SectionName::Initrd, b"i"),
    );

    let file = write(&ours, &[rsref(whole.as_bytes())], &[]).unwrap();
    let image = Image::parse(&file).unwrap();
    assert_eq!(image.section(".rsref").unwrap().data(), whole.as_bytes());
    assert_eq!(note_of(&image), Ok(Some(StubNote::OURS)));
    assert_eq!(inspect(&file).unwrap().kind, Kind::Uki);
    write(&ours, &[linux.clone(), rsref(initrd_only.as_bytes())], &[]).unwrap();
    write(
        &ours,
        std::slice::from_ref(&initrd),
        &[rsref(kernel_only.as_bytes())],
    )
    .unwrap();

    for (stub, base, profile, why) in [
        (
            &theirs,
            vec![rsref(whole.as_bytes())],
            vec![],
            "the stub does not state",
        ),
        (
            &ours,
            vec![rsref(initrd_only.as_bytes())],
            vec![],
            "needs a kernel",
        ),
        (
            &ours,
            vec![rsref(whole.as_bytes()), linux.clone()],
            vec![],
            "the kernel is both",
        ),
        (
            &ours,
            vec![rsref(whole.as_bytes()), initrd],
            vec![],
            "initrds are both",
        ),
        (
            &ours,
            vec![rsref(whole.as_bytes())],
            vec![linux.clone()],
            "the kernel is both",
        ),
        (
            &ours,
            vec![rsref(b"linux\n")],
            vec![],
            ".rsref, line 1: no digest",
        ),
    ] {
        let told = write(stub, &base, &profile).unwrap_err();
        assert!(told.contains(why), "{told}");
    }
    let addon = Uki {
        base: vec![rsref(whole.as_bytes())],
        profiles: Vec::new(),
    };
    assert!(addon.write_addon(&Image::parse(&ours).unwrap()).is_err());
}

#[test]
fn a_file_that_can_not_be_referenced_is_named() {
    let told = |path: &str, file: &[u8]| {
        reference_to(Part::Linux, path, file)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(told("/kernel", b""), "/kernel: it is empty");
    assert_eq!(
        told("kernel", b"x"),
        "kernel: its path does not begin with `/`"
    );
}

#[test]
fn an_addon_has_its_section_and_no_anomaly() {
    for machine in [Machine::X64, Machine::Aa64] {
        let base = addon_base(machine).unwrap();
        let contents = Uki {
            base: vec![section(SectionName::Cmdline, b"quiet")],
            profiles: Vec::new(),
        };
        let file = contents.write_addon(&Image::parse(&base).unwrap()).unwrap();
        let report = inspect(&file).unwrap();
        assert_eq!((report.kind, report.machine), (Kind::Addon, machine));
        assert_eq!(report.anomalies, []);
    }
    assert!(addon_base(Machine::Other(1)).is_err());
}

#[test]
fn signing_changes_the_file_but_not_its_authenticode_hash_and_stripping_undoes_it() {
    let mut file = uki();
    file.extend_from_slice(b"odd");
    pad(&mut file);
    replace_certificates(&mut file, &[]).unwrap();
    let unsigned = file.clone();
    let before = Image::parse(&file)
        .unwrap()
        .authenticode::<Sha256>()
        .unwrap();
    replace_certificates(&mut file, &[b"first", b"the second signature"]).unwrap();
    let image = Image::parse(&file).unwrap();
    assert_eq!(image.authenticode::<Sha256>().unwrap(), before);
    let entries = image.certificates().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(&entries[1].data[..20], b"the second signature");
    assert!(entries.iter().all(CertificateEntry::is_authenticode));
    let field = image.checksum_offset() as usize;
    assert_eq!(image.checksum, checksum(&file, field));
    replace_certificates(&mut file, &[]).unwrap();
    assert!(file == unsigned, "stripping gives the padded unsigned file");
}

#[test]
fn a_certificate_table_over_a_section_or_the_headers_is_not_replaced() {
    let clean = uki();
    let image = Image::parse(&clean).unwrap();
    let entry = image.certificate_directory_offset().unwrap() as usize;
    let inside_the_last_section = image.content_end() as u32 - 8;
    for start in [0x80, image.size_of_headers - 8, inside_the_last_section] {
        let mut file = clean.clone();
        file[entry..entry + 4].copy_from_slice(&start.to_le_bytes());
        let size = clean.len() as u32 - start;
        file[entry + 4..entry + 8].copy_from_slice(&size.to_le_bytes());
        let before = file.clone();
        let error = replace_certificates(&mut file, &[b"signature"]).unwrap_err();
        assert!(
            error.to_string().contains("overlaps"),
            "{start:#x}: {error}"
        );
        assert!(file == before, "a refusal leaves the file as it was");
    }
}

#[test]
fn headers_inside_the_dos_header_are_not_rebuilt() {
    // The smallest files put the PE header at 48, where its symbol table field is also the DOS header's last field.
    let clean = stub();
    let image = Image::parse(&clean).unwrap();
    let mut file = clean[image.pe_offset as usize..].to_vec();
    file.splice(..0, [0; 48]);
    file[..2].copy_from_slice(b"MZ");
    file[0x3c..0x40].copy_from_slice(&48_u32.to_le_bytes());
    file.resize(clean.len(), 0);
    let tiny = Image::parse(&file).unwrap();
    let kept: Vec<_> = tiny.sections.iter().map(NewSection::keep).collect();
    let error = rebuild(&tiny, &kept).unwrap_err();
    assert!(error.to_string().contains("DOS header"), "{error}");
}

#[test]
fn each_layout_anomaly_is_named_with_its_place() {
    let clean = uki();
    let image = Image::parse(&clean).unwrap();
    let table = image.section_table() as usize;
    let optional = image.pe_offset as usize + 24;
    let size = clean.len();
    let after = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = clean.clone();
        change(&mut file);
        // The checksum would be a finding of its own.
        file[optional + 64..optional + 68].fill(0);
        Image::parse(&file).unwrap().anomalies()
    };
    let set = |file: &mut Vec<u8>, at: usize, value: u32| {
        file[at..at + 4].copy_from_slice(&value.to_le_bytes());
    };
    assert_eq!(after(&|_| {}), []);
    assert_eq!(
        after(&|f| f.extend_from_slice(b"trailing data")),
        [Anomaly::TrailingData {
            offset: size as u64,
            length: 13,
            padding: false,
            symbols: false
        }]
    );
    // The first section starts one alignment later than the headers end: a gap, and an overlap with the next.
    let found = after(&|f| set(f, table + 20, image.sections[0].raw_offset + 0x200));
    assert!(matches!(
        found[..],
        [
            Anomaly::Gap { length: 0x200, .. },
            Anomaly::FileOverlap { .. }
        ]
    ));
    let found = after(&|f| set(f, table + 36, 0xe000_0020));
    assert!(matches!(&found[..], [Anomaly::WritableExecutable { section }] if section == ".text"));
    let found = after(&|f| set(f, optional + 56, 0x2000));
    assert!(
        found
            .iter()
            .any(|a| matches!(a, Anomaly::OutsideImage { .. }))
    );
    let found = after(&|f| set(f, optional + 16, 0x9999_0000));
    assert!(matches!(
        found[..],
        [Anomaly::EntryPoint {
            address: 0x9999_0000
        }]
    ));
    let found = after(&|f| set(f, table + 12, image.sections[1].virtual_address));
    assert!(
        found
            .iter()
            .any(|a| matches!(a, Anomaly::MemoryOverlap { .. }))
    );
    let found = after(&|f| f[table + 40..table + 48].copy_from_slice(b".sbat\0\0\0"));
    assert!(
        found.iter().any(|a| matches!(a, Anomaly::Duplicate { .. })),
        "{found:?}"
    );

    let signed = |change: &dyn Fn(&mut Vec<u8>)| {
        after(&|file| {
            replace_certificates(file, &[b"signature"]).unwrap();
            change(file);
        })
    };
    assert_eq!(signed(&|_| {}), []);
    let found = signed(&|f| f.extend_from_slice(b"behind!!"));
    assert!(matches!(
        found[..],
        [Anomaly::DataAfterCertificates { length: 8, .. }]
    ));
    let found = signed(&|f| f[size + 6] = 9);
    assert!(matches!(
        found[..],
        [Anomaly::CertificateKind { kind: 9, .. }]
    ));
    let found = signed(&|f| set(f, size, 4));
    assert!(matches!(
        found[..],
        [Anomaly::CertificatesUnreadable { .. }]
    ));
    assert!(found.iter().all(|a| a.severity() == Severity::Problem));
}

#[test]
fn a_file_cut_at_any_byte_is_an_error_or_has_lost_only_padding() {
    let mut file = uki();
    replace_certificates(&mut file, &[b"signature"]).unwrap();
    for length in 0..file.len() {
        let part = &file[..length];
        if let Ok(image) = Image::parse(part) {
            // All sections are inside: only the certificates are cut, and every way to use them says so.
            assert!(image.certificates().is_err());
            assert!(hashed_ranges(&image).is_err());
            assert!(inspect(part).is_err());
        }
    }
}

#[test]
fn foreign_kinds_of_files_are_told_apart() {
    assert!(matches!(Image::parse(b"\x7fELF"), Err(Error::Magic { .. })));
    let mut file = stub();
    let optional = Image::parse(&file).unwrap().pe_offset as usize + 24;
    file[optional..optional + 2].copy_from_slice(&0x10b_u16.to_le_bytes());
    assert!(matches!(Image::parse(&file), Err(Error::Pe32 { .. })));
    let file = stub();
    let image = Image::parse(&file).unwrap();
    let identity = StubIdentity::of(&image).unwrap();
    assert_eq!(
        (identity.name.as_str(), identity.version.as_str()),
        ("systemd-stub", "252.39-1")
    );
    assert_eq!(inspect(&file).unwrap().kind, Kind::Stub);
}

#[test]
fn the_kernel_states_its_release() {
    let mut kernel = vec![0; 0x400];
    kernel[0x202..0x206].copy_from_slice(b"HdrS");
    kernel[0x20e..0x210].copy_from_slice(&0x100_u16.to_le_bytes());
    kernel[0x300..0x312].copy_from_slice(b"6.1.0-56 (builder)");
    assert_eq!(kernel_release(&kernel), Some("6.1.0-56"));
    assert_eq!(kernel_release(&kernel[..0x300]), None);
}

#[test]
fn sbat_is_compared_by_name_and_generation_only() {
    let file = Sbat::parse(
        b"sbat,1,v,sbat,1,url\ngrub,3,v,grub,2.06,url\ngrub.debian,4,v,grub,2,url\n\0\0",
    );
    let file = file.unwrap();
    let level = |text: &str| SbatLevel::parse(text.as_bytes()).unwrap();
    assert_eq!(level("sbat,1,2022052400\ngrub,3\n").check(&file), []);
    assert_eq!(level("sbat,1,2022052400\nshim,9\n").check(&file), []);
    let refused = level("sbat,1,2024040900\ngrub,4\ngrub.debian,5\n").check(&file);
    assert_eq!(refused.len(), 2);
    assert_eq!(
        (
            refused[1].name.as_str(),
            refused[1].found,
            refused[1].minimum
        ),
        ("grub.debian", 4, 5)
    );
    assert_eq!(
        level("sbat,1,2024040900\ngrub,4\n").to_string(),
        "sbat,1,2024040900\ngrub,4\n"
    );
    assert_eq!(Sbat::parse(file.to_string().as_bytes()).unwrap(), file);
    for (text, line) in [
        ("", 1),
        ("grub,1,v,p,1,u\n", 1),
        ("sbat,1,v,p,1,u\ngrub\n", 2),
        ("sbat,1,v,p,1,u\ngrub,x,v,p,1,u\n", 2),
        ("sbat,1,v,p,1,u\ngrub,0,v,p,1,u\n", 2),
        ("sbat,1,v,p,1,u\ngrub,+1,v,p,1,u\n", 2),
        ("sbat,1,v,p,1,u\n\ngrub,1\n", 3),
    ] {
        let error = Sbat::parse(text.as_bytes()).unwrap_err();
        assert!(
            matches!(error, Error::Sbat { line: l, .. } if l == line),
            "{text:?}: {error}"
        );
    }
}

/// The checksum as the specification tells it: word by word with end-around carry.
fn slow_checksum(file: &[u8], field: usize) -> u32 {
    let mut sum = 0_u32;
    for at in (0..file.len()).step_by(2) {
        let byte = |i: usize| match i {
            i if (field..field + 4).contains(&i) => 0,
            i => u32::from(file.get(i).copied().unwrap_or(0)),
        };
        sum += byte(at) | byte(at + 1) << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum + file.len() as u32
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_checksum_equals_the_plain_one(file in proptest::collection::vec(any::<u8>(), 8..300), at in 0_usize..140) {
        let field = (at * 2).min(file.len() - 4) & !1;
        prop_assert_eq!(checksum(&file, field), slow_checksum(&file, field));
    }

    #[test]
    fn rebuilt_sections_read_back(contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..5000), 0..40)) {
        let base = addon_base(Machine::X64).unwrap();
        let image = Image::parse(&base).unwrap();
        let mut sections: Vec<_> = image.sections.iter().map(NewSection::keep).collect();
        for (index, data) in contents.iter().enumerate() {
            sections.push(NewSection::data(&format!(".s{index}"), Cow::Borrowed(data)).unwrap());
        }
        let file = rebuild(&image, &sections).unwrap();
        let read = Image::parse(&file).unwrap();
        prop_assert_eq!(read.anomalies(), vec![]);
        for (index, data) in contents.iter().enumerate() {
            prop_assert_eq!(read.section(&format!(".s{index}")).unwrap().data(), &data[..]);
        }
        // Without gaps the hash covers all but checksum and certificate entry, in file order.
        let mut whole = Sha256::new();
        let field = read.checksum_offset() as usize;
        let entry = read.certificate_directory_offset().unwrap() as usize;
        whole.update(&file[..field]);
        whole.update(&file[field + 4..entry]);
        whole.update(&file[entry + 8..]);
        prop_assert_eq!(read.authenticode::<Sha256>().unwrap(), whole.finalize().to_vec());
    }

    #[test]
    fn changed_bytes_never_panic(changes in proptest::collection::vec((0_usize..0x400, any::<u8>()), 1..12)) {
        let mut file = uki();
        replace_certificates(&mut file, &[b"signature"]).unwrap();
        for (at, value) in changes {
            file[at] = value;
        }
        if inspect(&file).is_ok() {
            let image = Image::parse(&file).unwrap();
            let sections: Vec<_> = image.sections.iter().map(NewSection::keep).collect();
            let _ = rebuild(&image, &sections);
            let _ = replace_certificates(&mut file.clone(), &[b"other"]);
        }
    }
}
