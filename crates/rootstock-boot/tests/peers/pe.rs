//! PE files: hashes as pesign and osslsigncode compute them, sections as objcopy reads them, foreign files cut and changed.

use crate::common::{DEBIAN, STUB, boot, boot_code, put, run, scratch};
use boot_pe::{Image, NewSection, inspect, rebuild};
use sha2::Sha256;

#[test]
fn the_authenticode_hash_of_every_debian_file_is_what_pesign_computes() {
    let folder = scratch();
    for file in DEBIAN {
        let bytes = std::fs::read(file).unwrap();
        let ours = inspect(&bytes).unwrap().authenticode_sha256;
        let theirs = run(
            folder.path(),
            &format!("pesign --hash --padding --in {file}"),
        );
        let image = Image::parse(&bytes).unwrap();
        // pesign pads unsigned files before hashing, as signers do.
        if image.certificate_table().is_some() || bytes.len().is_multiple_of(8) {
            assert!(theirs.contains(&ours), "{file}: {ours} is not in {theirs}");
        }
        let mut padded = bytes.clone();
        boot_pe::pad(&mut padded);
        let padded = Image::parse(&padded)
            .unwrap()
            .authenticode::<Sha256>()
            .unwrap();
        let hex = hex::encode(padded);
        assert!(theirs.contains(&hex), "{file}: {hex} is not in {theirs}");
    }
}

#[test]
fn a_uki_on_stub_252_has_the_sections_that_objcopy_reads_and_the_same_bytes_twice() {
    let folder = scratch();
    let path = folder.path();
    let kernel: Vec<u8> = (0..300_001_u32).map(|n| (n * 7) as u8).collect();
    put(path, "kernel", &kernel);
    put(path, "one", b"first archive");
    put(path, "two", b"second");
    let line = format!(
        "uki build --stub {STUB} --linux kernel --initrd one --initrd two --cmdline quiet --osrel ID=test \
         --uname 6.1 --splash one --dtb one --dtbauto one --dtbauto two --hwids one --efifw two --pcrpkey one \
         --pcrsig two --ucode one --sbat sbat,1,a,b,1,u\nuki.test,1,us,uki,1,https://example.org"
    );
    let line = line.replace(
        "sbat,1,a,b,1,u\nuki.test,1,us,uki,1,https://example.org",
        "@sbat",
    );
    put(
        path,
        "sbat",
        b"sbat,1,a,b,1,u\nuki.test,1,us,uki,1,https://example.org\n",
    );
    boot(path, &format!("{line} -o a.efi"));
    boot(path, &format!("{line} -o b.efi"));
    assert!(
        std::fs::read(path.join("a.efi")).unwrap() == std::fs::read(path.join("b.efi")).unwrap()
    );
    let dump = |section: &str| {
        run(
            path,
            &format!("objcopy --dump-section {section}=out a.efi copy.efi"),
        );
        std::fs::read(path.join("out")).unwrap()
    };
    assert!(dump(".linux").starts_with(&kernel));
    assert!(dump(".initrd").starts_with(b"first archive\0\0\0second\0\0"));
    let sbat = String::from_utf8(dump(".sbat")).unwrap();
    assert!(
        sbat.contains("systemd,1,")
            && sbat.contains("systemd.debian,1,")
            && sbat.contains("\nuki.test,1,")
    );
    let (code, text) = boot_code(path, "pe inspect a.efi");
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("Uki") && text.contains("systemd-stub 252"),
        "{text}"
    );
    let (code, text) = boot_code(
        path,
        &format!("uki build --stub {STUB} --cmdline a -o c.efi"),
    );
    assert_eq!(code, 2);
    assert!(
        text.contains("`.linux`: a unified kernel image needs a kernel"),
        "{text}"
    );
    let (code, text) = boot_code(path, "uki build --stub a.efi --linux kernel -o c.efi");
    assert!(
        code == 2 && text.contains("it is not a bare stub"),
        "{text}"
    );
    boot(path, &format!("--dry-run {line} -o c.efi"));
    assert!(!path.join("c.efi").exists());
}

#[test]
fn debians_files_cut_or_changed_anywhere_give_errors_and_never_a_panic() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for file in DEBIAN {
        let bytes = std::fs::read(file).unwrap();
        let whole = Image::parse(&bytes).unwrap();
        let end = whole
            .sections
            .iter()
            .map(|s| s.raw_end() as usize)
            .max()
            .unwrap();
        for length in (0..0x600)
            .chain((0x600..bytes.len()).step_by(4099))
            .chain([bytes.len() - 1])
        {
            let part = &bytes[..length];
            match Image::parse(part) {
                Ok(image) => {
                    assert!(length >= end, "{file} cut at {length}");
                    assert!(image.certificate_table().is_none() || image.certificates().is_err());
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
        for _ in 0..100 {
            let mut changed = bytes[..end.min(bytes.len())].to_vec();
            for _ in 0..=random(4) {
                let at = random(0x400);
                changed[at] = random(256) as u8;
            }
            if let Ok(image) = Image::parse(&changed) {
                let _ = image.anomalies();
                let _ = image.certificates();
                let _ = boot_pe::hashed_ranges(&image);
                let kept: Vec<_> = image.sections.iter().map(NewSection::keep).collect();
                let _ = rebuild(&image, &kept);
            }
        }
    }
}

#[test]
fn man_pages_and_completions_are_written() {
    let folder = scratch();
    boot(folder.path(), "man .");
    let page = std::fs::read_to_string(folder.path().join("rootstock-boot-uki-build.1")).unwrap();
    assert!(page.contains("rootstock\\-boot") && page.contains("Examples"));
    assert!(folder.path().join("rootstock-boot.1").exists());
    assert!(boot(folder.path(), "completions bash").contains("rootstock-boot"));
}
