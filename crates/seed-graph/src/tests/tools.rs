//! Content that the real tools packed: gzip, bzip2, xz, zstd, tar and ar, within each other, in pieces, with something behind the end,
//! and damaged.

use super::content::{ELF, look};
use crate::{Class, Verdict};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Each tool, its options and the ending that it gives.
const PACKERS: [(&str, &[&str], &str); 4] = [
    ("gzip", &["-nc"], "gz"),
    ("bzip2", &["-c"], "bz2"),
    ("xz", &["-c"], "xz"),
    ("zstd", &["-qc"], "zst"),
];

/// What a tool makes of some bytes.
fn filter(program: &str, arguments: &[&str], bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} does not run: {error}"));
    let mut input = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{program}");
    output.stdout
}

fn pack(ending: &str, bytes: &[u8]) -> Vec<u8> {
    let (program, arguments, _) = PACKERS.iter().find(|packer| packer.2 == ending).unwrap();
    filter(program, arguments, bytes)
}

/// A folder's files as GNU tar packs them.
fn tar(format: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let arguments = [&format!("--format={format}"), "-cf", "-", "."];
    run("tar", &arguments, folder.path())
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{program} does not run: {error}"));
    assert!(output.status.success(), "{program}");
    output.stdout
}

#[test]
fn a_program_is_found_behind_every_two_packers() {
    let inner = tar("gnu", &[("readme", b"text\n"), ("tools/cc1", ELF)]);
    for (_, _, one) in PACKERS {
        let hidden = pack(one, &inner);
        for (_, _, two) in PACKERS {
            let name = format!("data.tar.{one}");
            let outer = tar("pax", &[("main.c", b"int x;\n"), (&name, &hidden)]);
            let content = look(&format!("source.tar.{two}"), &pack(two, &outer));
            assert!(content.problems.is_empty(), "{one} {two}: {content:?}");
            assert_eq!(content.main_class(), Class::Elf, "{one} in {two}");
            assert_eq!(content.classes[&Class::Source].files, 2);
            let place = "source.tar/./data.tar/./tools/cc1".to_owned();
            assert_eq!(content.examples, [(place, Class::Elf, ELF.len() as u64)]);
        }
    }
}

#[test]
fn every_format_of_tar_is_read() {
    let long = format!("{0}/{0}/{0}/tool", "a-long-name-of-a-folder-".repeat(3));
    for format in ["v7", "oldgnu", "gnu", "ustar", "pax"] {
        let name = if format == "v7" {
            "tool"
        } else {
            long.as_str()
        };
        let content = look("a.tar", &tar(format, &[(name, ELF)]));
        assert!(content.problems.is_empty(), "{format}: {content:?}");
        assert_eq!(content.examples[0].0, format!("a.tar/./{name}"));
    }
}

#[test]
fn a_static_library_of_ar_is_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let name = "a-member-with-a-long-name.o";
    fs::write(folder.path().join(name), ELF).unwrap();
    fs::write(folder.path().join("lib.rmeta"), b"rust\0\0\0\x08 metadata").unwrap();
    run("ar", &["rcs", "a.a", name], folder.path());
    run("ar", &["rc", "a.rlib", "lib.rmeta", name], folder.path());
    let library = look("a.a", &fs::read(folder.path().join("a.a")).unwrap());
    assert_eq!(library.main_class(), Class::StaticLibrary);
    assert_eq!(library.examples[0].0, format!("a.a/{name}"));
    let library = look("a.rlib", &fs::read(folder.path().join("a.rlib")).unwrap());
    assert_eq!(library.classes[&Class::RustLibrary].files, 1);
}

/// Tools that pack in parallel write several frames, and all of them unpack to one file.
#[test]
fn all_frames_of_a_file_are_unpacked() {
    let whole = tar("gnu", &[("a", b"text\n"), ("tool", ELF)]);
    let middle = whole.len() / 2;
    for (_, _, ending) in PACKERS {
        let mut frames = pack(ending, &whole[..middle]);
        if ending == "zst" {
            frames.extend(b"\x55\x2a\x4d\x18\x03\0\0\0???");
        }
        frames.extend(pack(ending, b""));
        frames.extend(pack(ending, &whole[middle..]));
        // Padding, as on tapes.
        frames.extend([0; 512]);
        let content = look(&format!("a.tar.{ending}"), &frames);
        assert!(content.problems.is_empty(), "{ending}: {content:?}");
        assert_eq!(content.classes[&Class::Elf].files, 1, "{ending}");
        assert_eq!(content.classes[&Class::Source].files, 1, "{ending}");
    }
}

#[test]
fn what_stands_behind_the_end_is_found() {
    let plain = tar("gnu", &[("a", b"text\n")]);
    let mut archives = vec![("a.tar".to_owned(), [&plain[..], ELF].concat())];
    for (_, _, ending) in PACKERS {
        let packed = pack(ending, &plain);
        archives.push((format!("a.tar.{ending}"), [&packed[..], ELF].concat()));
        let inside = [&plain[..], &[0; 512], ELF].concat();
        archives.push((format!("b.tar.{ending}"), pack(ending, &inside)));
    }
    for (name, bytes) in archives {
        let content = look(&name, &bytes);
        assert_eq!(content.main_class(), Class::Elf, "{name}: {content:?}");
        assert!(content.problems[0].message.contains("follow its end"));
        assert!(content.examples[0].0.ends_with("/behind the end"));
    }
    // A text whose head is text only: the payload of a self-extracting script.
    let script = [b"#! /bin/sh\n".repeat(7000), ELF.to_vec()].concat();
    assert_eq!(look("a.run", &script).main_class(), Class::UnknownBinary);
    assert_eq!(look("b", b"BM and more\n").main_class(), Class::Source);
    let wide = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        b"\xff\xfe".iter().copied().chain(units).collect()
    };
    assert_eq!(
        look("w.txt", &wide("wide text\n")).main_class(),
        Class::Source
    );
    let blob = [b"\xff\xfe", ELF].concat();
    assert_eq!(look("w", &blob).main_class(), Class::UnknownBinary);
}

/// Some decoders loop for ever when they are asked again after an error.
#[test]
fn damaged_files_end() {
    let whole = tar("gnu", &[("a", b"text\n"), ("tool", ELF)]);
    for (_, _, ending) in PACKERS {
        let packed = pack(ending, &whole);
        for at in (0..packed.len()).step_by(2) {
            let mut damaged = packed.clone();
            let end = packed.len().min(at + 5);
            damaged[at..end].fill(0x7f);
            let content = look(&format!("a.tar.{ending}"), &damaged);
            let found = content.total(Verdict::Opaque).files > 0;
            assert!(found || !content.problems.is_empty(), "{ending} {at}");
        }
    }
}
