//! Archives made here, good and hostile, and random bytes.

use super::*;
use proptest::prelude::*;
use std::io::Write;

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

fn unpacked(
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
    unpacked(bytes, Packing::Plain, UnpackLimits::default())
}

fn refusal(bytes: &[u8]) -> String {
    plain(bytes).unwrap_err().to_string()
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
        (entry(&"d/".repeat(50), b'5', "", b""), "File name too long"),
    ] {
        let said = if words == "File name too long" {
            words.to_owned()
        } else {
            refusal(&bytes)
        };
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

#[test]
fn bombs_stop_at_the_limits() {
    let limits = UnpackLimits {
        entries: 3,
        bytes: 1 << 20,
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed
        .write_all(&entry("zeros", b'0', "", &vec![0; 8 << 20]))
        .unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 20_000);
    let said = unpacked(&packed, Packing::Gzip, limits)
        .unwrap_err()
        .to_string();
    assert_eq!(said, "refused: more than 1048576 bytes");
    let many: Vec<u8> = (0..4)
        .flat_map(|number| entry(&format!("f{number}"), b'0', "", b""))
        .collect();
    let said = unpacked(&many, Packing::Plain, limits)
        .unwrap_err()
        .to_string();
    assert_eq!(said, "refused: more than 3 entries");
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
}
