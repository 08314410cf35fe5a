//! The archive format: round trips of arbitrary trees, and refusals that name the offset.

use crate::limits::{MAX_DEPTH, MAX_NAME};
use crate::{Error, Event, Listing, Reader, Writer, list};
use bstr::BString;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::Read;

/// A tree with contents, for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    File(bool, Vec<u8>),
    Link(BString),
    Directory(BTreeMap<BString, Tree>),
}

impl Tree {
    pub(super) fn to_nar(&self) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new()).unwrap();
        self.write(&mut writer);
        writer.finish().unwrap()
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) {
        match self {
            Tree::File(executable, bytes) => {
                assert!(
                    writer
                        .file(*executable, bytes.len() as u64, &bytes[..])
                        .unwrap()
                );
            }
            Tree::Link(target) => writer.link(target).unwrap(),
            Tree::Directory(entries) => {
                writer.directory().unwrap();
                for (name, node) in entries {
                    writer.entry(name).unwrap();
                    node.write(writer);
                }
                writer.leave().unwrap();
            }
        }
    }
}

pub(super) fn trees() -> impl Strategy<Value = Tree> {
    let name = vec(
        any::<u8>().prop_filter("no name byte", |byte| ![0, b'/'].contains(byte)),
        1..6,
    );
    let name = name
        .prop_map(BString::from)
        .prop_filter("dots", |name| *name != b"."[..] && *name != b".."[..]);
    let leaf = prop_oneof![
        (any::<bool>(), vec(any::<u8>(), 0..40))
            .prop_map(|(executable, bytes)| Tree::File(executable, bytes)),
        vec(1u8.., 1..20).prop_map(|target| Tree::Link(target.into())),
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        btree_map(name.clone(), inner, 0..6).prop_map(Tree::Directory)
    })
}

/// Reads an archive and writes what was read.
fn copy(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut reader = Reader::new(bytes);
    let mut writer = Writer::new(Vec::new())?;
    while let Some(event) = reader.next_event()? {
        match event {
            Event::File {
                executable, size, ..
            } => {
                if !writer.file(executable, size, &mut reader)? {
                    return Err(Error::Truncated {
                        offset: reader.offset(),
                    });
                }
            }
            Event::Link { target } => writer.link(&target)?,
            Event::Directory => writer.directory()?,
            Event::Entry { name } => writer.entry(&name)?,
            Event::Leave => writer.leave()?,
        }
    }
    reader.expect_end()?;
    writer.finish()
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut out = (bytes.len() as u64).to_le_bytes().to_vec();
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

fn strings(all: &[&[u8]]) -> Vec<u8> {
    all.iter().flat_map(|bytes| string(bytes)).collect()
}

fn error(all: &[&[u8]]) -> String {
    copy(&strings(all)).unwrap_err().to_string()
}

const MAGIC: &[u8] = b"nix-archive-1";

#[test]
fn a_hand_made_archive_is_read() {
    let bytes = strings(&[
        MAGIC,
        b"(",
        b"type",
        b"regular",
        b"executable",
        b"",
        b"contents",
        b"hello",
        b")",
    ]);
    let mut reader = Reader::new(&bytes[..]);
    let event = reader.next_event().unwrap().unwrap();
    let Event::File {
        executable: true,
        size: 5,
        offset,
    } = event
    else {
        panic!("{event:?}")
    };
    assert_eq!(&bytes[offset as usize..][..5], b"hello");
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
    assert_eq!(reader.next_event().unwrap(), None);
    reader.expect_end().unwrap();
    assert_eq!(Tree::File(true, b"hello".to_vec()).to_nar(), bytes);
}

#[test]
fn malformed_archives_are_refused_at_their_offset() {
    assert!(
        error(&[b"nix-archive-2"])
            .starts_with("offset 0: 'nix-archive-1' is expected here, not 'nix-archive-2'")
    );
    assert!(error(&[MAGIC]).contains("offset 24: the archive ends early"));
    assert!(
        error(&[MAGIC, b"(", b"type", b"socket"])
            .contains("'regular', 'symlink' or 'directory' is expected")
    );
    assert!(
        error(&[MAGIC, b"(", b"type", b"symlink", b"target", b"", b")"])
            .contains("a link's target")
    );
    let entry = |name: &[u8]| {
        error(&[
            MAGIC,
            b"(",
            b"type",
            b"directory",
            b"entry",
            b"(",
            b"name",
            name,
            b"node",
        ])
    };
    for name in [b"".as_slice(), b".", b"..", b"a/b", b"a\0b", b"/etc/passwd"] {
        assert!(entry(name).contains("is no file name"), "{name:?}");
    }
    assert!(entry(&[b'x'; MAX_NAME + 1]).contains("larger than the limit"));
    let empty: [&[u8]; 7] = [b"node", b"(", b"type", b"directory", b")", b")", b"entry"];
    let twice = |second: &[u8]| {
        let start: [&[u8]; 7] = [MAGIC, b"(", b"type", b"directory", b"entry", b"(", b"name"];
        let tail: [&[u8]; 4] = [b"(", b"name", second, b"node"];
        error(&[&start[..], &[b"m"], &empty[..], &tail[..]].concat())
    };
    for second in [b"m".as_slice(), b"a", b"M"] {
        assert!(
            twice(second).contains("out of order or there twice"),
            "{second:?}"
        );
    }
    let mut unpadded = strings(&[MAGIC, b"(", b"type", b"regular", b"contents", b"abc", b")"]);
    let last = unpadded.len() - 17;
    unpadded[last] = 1;
    assert!(
        copy(&unpadded)
            .unwrap_err()
            .to_string()
            .contains("padding is not zero")
    );
    let mut longer = Tree::File(false, vec![]).to_nar();
    longer.push(0);
    assert!(
        copy(&longer)
            .unwrap_err()
            .to_string()
            .contains("the end of the archive is expected")
    );
}

#[test]
fn lengths_are_not_believed() {
    let mut bytes = strings(&[MAGIC, b"(", b"type", b"regular", b"contents"]);
    bytes.extend_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(
        copy(&bytes),
        Err(Error::Stream { .. } | Error::Truncated { .. })
    ));
    assert!(matches!(
        list(&mut Reader::new(&bytes[..])),
        Err(Error::Truncated { .. })
    ));
    let huge = [&(1u64 << 40).to_le_bytes()[..], b"x"].concat();
    assert!(matches!(
        copy(&huge),
        Err(Error::TooLarge { offset: 0, .. })
    ));
    let level = strings(&[
        b"(",
        b"type",
        b"directory",
        b"entry",
        b"(",
        b"name",
        b"d",
        b"node",
    ]);
    let deep = [string(MAGIC), level.repeat(MAX_DEPTH + 1)].concat();
    let error = copy(&deep).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooLarge {
                what: "the depth",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_writer_refuses_calls_that_make_no_archive() {
    let new = || Writer::new(Vec::new()).unwrap();
    let refused = |result: Result<(), Error>| matches!(result, Err(Error::Unfinished { .. }));
    assert!(matches!(new().finish(), Err(Error::Unfinished { .. })));
    assert!(refused(new().entry(b"a")));
    assert!(refused(new().leave()));
    assert!(refused(new().link(b"")));
    let mut writer = new();
    writer.directory().unwrap();
    assert!(refused(writer.directory()));
    assert!(matches!(writer.entry(b"../x"), Err(Error::Name { .. })));
    writer.entry(b"b").unwrap();
    assert!(refused(writer.entry(b"c")));
    assert!(refused(writer.leave()));
    writer.link(b"t").unwrap();
    assert!(matches!(writer.entry(b"a"), Err(Error::Order { .. })));
    assert!(matches!(writer.finish(), Err(Error::Unfinished { .. })));
    assert!(!new().file(false, 5, &b"four"[..]).unwrap());
}

fn listed(tree: &Tree, nar: &[u8], listing: &Listing) {
    match (tree, listing) {
        (
            Tree::File(executable, bytes),
            Listing::File {
                executable: found,
                size,
                offset,
            },
        ) => {
            assert_eq!((executable, bytes.len() as u64), (found, *size));
            assert_eq!(&nar[*offset as usize..][..bytes.len()], bytes);
        }
        (Tree::Link(target), Listing::Link(found)) => assert_eq!(target, found),
        (Tree::Directory(entries), Listing::Directory(found)) => {
            assert!(entries.keys().eq(found.keys()));
            for (name, node) in entries {
                listed(node, nar, &found[name]);
            }
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn every_tree_round_trips(tree in trees()) {
        let nar = tree.to_nar();
        prop_assert_eq!(&copy(&nar).unwrap(), &nar);
        listed(&tree, &nar, &list(&mut Reader::new(&nar[..])).unwrap());
    }

    /// Whatever a mutated archive is read as, it is written back unchanged.
    #[test]
    fn accepted_archives_are_canonical(tree in trees(), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let mut nar = tree.to_nar();
        let at = at.index(nar.len());
        nar[at] = byte;
        if let Ok(copied) = copy(&nar) {
            prop_assert_eq!(copied, nar);
        }
    }
}
