//! Archives made here, good and hostile, and random bytes.

use super::*;
use crate::causes::told;
use proptest::prelude::*;
use std::io::{Seek, Write};
use std::process::Command;
use std::sync::LazyLock;

/// One header block and its contents.
pub(crate) fn entry(name: &str, kind: u8, target: &str, contents: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000755");
    header[124..135].copy_from_slice(format!("{:011o}", contents.len()).as_bytes());
    header[156] = kind;
    header[157..157 + target.len()].copy_from_slice(target.as_bytes());
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(contents);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn unpack_bytes(
    bytes: &[u8],
    packing: Packing,
    limits: UnpackLimits,
) -> Result<Vec<(PathBuf, Vec<u8>)>, ArchiveError> {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("archive"), folder.path().join("tree"));
    fs::write(&from, bytes).unwrap();
    unpack(&from, packing, 0, &limits, &to)?;
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing lies beside the tree"
    );
    let mut files = Vec::new();
    collect(&to, Path::new(""), &mut files);
    Ok(files)
}

fn collect(root: &Path, inner: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    let mut entries: Vec<_> = fs::read_dir(root.join(inner))
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = inner.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            collect(root, &path, files);
        } else if entry.file_type().unwrap().is_file() {
            files.push((path.clone(), fs::read(root.join(&path)).unwrap()));
        }
    }
}

fn plain(bytes: &[u8]) -> Result<Vec<(PathBuf, Vec<u8>)>, ArchiveError> {
    unpack_bytes(bytes, Packing::Plain, UnpackLimits::default())
}

fn refusal(bytes: &[u8]) -> String {
    told(&plain(bytes).unwrap_err())
}

#[test]
fn files_directories_and_links_come_out() {
    let all = [
        entry("d/", b'5', "", b""),
        entry("d/x", b'0', "", b"hello"),
        entry("d/l", b'2', "x", b""),
        vec![0; 1024],
    ]
    .concat();
    assert_eq!(
        plain(&all).unwrap(),
        [(PathBuf::from("d/x"), b"hello".to_vec())]
    );
}

#[test]
fn long_names_of_both_kinds_are_read() {
    let long = "n".repeat(150);
    let record = format!("path=p/{long}\n");
    let record = format!("{} {record}", record.len() + 4);
    let all = [
        entry("././@LongLink", b'L', "", long.as_bytes()),
        entry("short", b'0', "", b"1"),
        entry("pax", b'x', "", record.as_bytes()),
        entry("short", b'0', "", b"2"),
    ]
    .concat();
    let names: Vec<_> = plain(&all)
        .unwrap()
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    assert_eq!(
        names,
        [PathBuf::from(&long), PathBuf::from(format!("p/{long}"))]
    );
}

/// A directory in more directories than a tree may have, by a GNU long name.
fn deep_directory() -> Vec<u8> {
    let name = "d/".repeat(MAX_DEPTH + 1);
    [
        entry("././@LongLink", b'L', "", name.as_bytes()),
        entry("d", b'5', "", b""),
    ]
    .concat()
}

#[test]
fn hostile_entries_are_refused_by_name() {
    for (bytes, words) in [
        (
            entry("../evil", b'0', "", b""),
            "'../evil': the path leads upwards",
        ),
        (
            entry("a/../../evil", b'0', "", b""),
            "the path leads upwards",
        ),
        (
            entry("/etc/evil", b'0', "", b""),
            "'/etc/evil': the path is absolute",
        ),
        (entry("hard", b'1', "x", b""), "'hard' is a hard link"),
        (entry("dev", b'3', "", b""), "'dev' is a character device"),
        (entry("disk", b'4', "", b""), "'disk' is a block device"),
        (entry("pipe", b'6', "", b""), "'pipe' is a named pipe"),
        (entry("sparse", b'S', "", b""), "'sparse' is a sparse file"),
        (
            entry("l", b'2', "/etc/passwd", b""),
            "the link 'l' leads out of the tree",
        ),
        (
            entry("d/l", b'2', "../../x", b""),
            "the link 'd/l' leads out of the tree",
        ),
        (deep_directory(), "the path is too deep"),
    ] {
        let said = refusal(&bytes);
        assert!(said.contains(words), "{said}, not {words}");
    }
}

#[test]
fn nothing_is_written_through_a_link_or_twice() {
    let through = [entry("l", b'2', ".", b""), entry("l/x", b'0', "", b"1")].concat();
    assert!(refusal(&through).contains("'l/x'"));
    let twice = [entry("x", b'0', "", b"1"), entry("x", b'0', "", b"2")].concat();
    assert!(refusal(&twice).contains("writing 'x'"));
    let below = [entry("x", b'0', "", b"1"), entry("x/y", b'0', "", b"2")].concat();
    assert!(refusal(&below).contains("writing 'x/y'"));
}

/// Each packing, and the program that packs so.
const PACKERS: [(Packing, &str); 4] = [
    (Packing::Gzip, "gzip"),
    (Packing::Bzip2, "bzip2"),
    (Packing::Xz, "xz"),
    (Packing::Zstd, "zstd"),
];

/// Packed by the packing's own program.
fn packed(bytes: &[u8], packer: &str, options: &[&str]) -> Vec<u8> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let output = Command::new(packer)
        .arg("-c")
        .args(options)
        .stdin(file)
        .output()
        .unwrap_or_else(|error| panic!("{packer}: {error}"));
    assert!(output.status.success(), "{packer}");
    output.stdout
}

/// A directory with a text that packs well and one that does not, archived by GNU tar.
fn by_gnu_tar() -> (Vec<u8>, Vec<(PathBuf, Vec<u8>)>) {
    let folder = tempfile::tempdir().unwrap();
    let noise = (0..70_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes());
    let files = vec![
        (PathBuf::from("d/noise"), noise.collect()),
        (PathBuf::from("d/words"), b"word ".repeat(50_000)),
    ];
    fs::create_dir(folder.path().join("d")).unwrap();
    for (path, bytes) in &files {
        fs::write(folder.path().join(path), bytes).unwrap();
    }
    let output = Command::new("tar")
        .args(["--create", "--file=-", "--directory"])
        .arg(folder.path())
        .arg("d")
        .output()
        .expect("tar is there");
    assert!(output.status.success());
    (output.stdout, files)
}

#[test]
fn what_other_programs_pack_comes_out() {
    let (archive, files) = by_gnu_tar();
    assert_eq!(plain(&archive).unwrap(), files);
    for (packing, packer) in PACKERS {
        for options in [&["-1"], &["-9"]] {
            let bytes = packed(&archive, packer, options);
            assert!(bytes.len() < archive.len());
            let out = unpack_bytes(&bytes, packing, UnpackLimits::default());
            assert_eq!(out.unwrap(), files, "{packer} {options:?}");
        }
    }
}

#[test]
fn a_packed_archive_that_is_cut_or_of_another_kind_is_refused() {
    let (archive, _) = by_gnu_tar();
    let limits = UnpackLimits::default();
    for (packing, packer) in PACKERS {
        let bytes = packed(&archive, packer, &[]);
        for end in [0, 1, 5, bytes.len() / 2, bytes.len() - 100_000] {
            let cut = unpack_bytes(&bytes[..end], packing, limits);
            assert!(cut.is_err(), "{packer}: {end} bytes of it");
        }
        for (_, other) in PACKERS.iter().filter(|(_, other)| *other != packer) {
            let bytes = packed(&archive, other, &["-1"]);
            let out = unpack_bytes(&bytes, packing, limits);
            assert!(out.is_err(), "{other} as {packer}");
        }
    }
}

#[test]
fn bombs_stop_at_the_limits() {
    let limits = UnpackLimits {
        entries: 3,
        bytes: 1 << 20,
    };
    let zeros = entry("zeros", b'0', "", &vec![0; 32 << 20]);
    for (packing, packer) in PACKERS {
        let bomb = packed(&zeros, packer, &["-9"]);
        assert!(bomb.len() < 40_000, "{packer}: {}", bomb.len());
        let said = unpack_bytes(&bomb, packing, limits).unwrap_err();
        assert_eq!(said.to_string(), "refused: more than 1048576 bytes");
    }
    let many: Vec<u8> = (0..4)
        .flat_map(|number| entry(&format!("f{number}"), b'0', "", b""))
        .collect();
    let said = unpack_bytes(&many, Packing::Plain, limits).unwrap_err();
    assert_eq!(said.to_string(), "refused: more than 3 entries");
}

#[test]
fn a_packer_that_wants_too_much_memory_is_refused() {
    let (archive, _) = by_gnu_tar();
    let limits = UnpackLimits::default();
    let bytes = packed(&archive, "xz", &["--lzma2=dict=192MiB,mf=hc3,mode=fast"]);
    let said = told(&unpack_bytes(&bytes, Packing::Xz, limits).unwrap_err());
    assert!(said.starts_with("reading: "), "{said}");
    let bytes = packed(&archive, "zstd", &["--long=28", "--no-content-size"]);
    let said = told(&unpack_bytes(&bytes, Packing::Zstd, limits).unwrap_err());
    assert!(said.starts_with("reading: "), "{said}");
}

#[test]
fn damage_is_told_with_its_place() {
    let mut bytes = entry("x", b'0', "", b"hello");
    bytes[3] ^= 1;
    assert_eq!(
        refusal(&bytes),
        "byte 0 of the unpacked stream: the header's sum is wrong"
    );
    let bytes = entry("x", b'0', "", b"hello");
    assert!(refusal(&bytes[..700]).contains("the archive ends within an entry"));
}

proptest! {
    #[test]
    fn random_and_damaged_bytes_never_panic(at in 0..1024_usize, byte: u8, noise in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let mut bytes = entry("d/x", b'0', "", b"hello");
        bytes[at % 1024] = byte;
        bytes.extend(&noise);
        for bytes in [bytes.as_slice(), &noise] {
            let mut tar = Tar::new(bytes, UnpackLimits { entries: 10, bytes: 1 << 16 });
            while let Ok(Some(entry)) = tar.next_entry() {
                prop_assert!(entry.path.iter().all(|part| !part.is_empty() && part != b".." && !part.contains(&b'/')));
            }
        }
    }

    #[test]
    fn damaged_packed_bytes_never_panic(which in 0..4_usize, at in 0..10_000_usize, byte: u8, cut in 0..10_000_usize) {
        static PACKED: LazyLock<[Vec<u8>; 4]> = LazyLock::new(|| {
            let archive = entry("d/x", b'0', "", &b"word ".repeat(300));
            PACKERS.map(|(_, packer)| packed(&archive, packer, &[]))
        });
        let mut bytes = PACKED[which].clone();
        let at = at % bytes.len();
        bytes[at] = byte;
        let end = bytes.len() - cut % (bytes.len() / 4);
        bytes.truncate(end);
        let limits = UnpackLimits { entries: 10, bytes: 1 << 16 };
        if let Ok(stream) = unpacked(bytes.as_slice(), PACKERS[which].0) {
            let mut tar = Tar::new(stream, limits);
            while let Ok(Some(entry)) = tar.next_entry() {
                let mut contents = Vec::new();
                let _ = tar.contents(&mut contents, &entry.name);
                prop_assert!(contents.len() as u64 <= limits.bytes);
            }
        }
    }
}
