//! Versions, orders, profiles and phases against values computed by hand; whole values against systemd-measure are in the
//! binary's peer tests.

use crate::{Bank, DEFAULT_PHASES, Error, Order, Register, Rules, predict, predict_with_files};
use boot_pe::reference::{Part, References, reference_to};
use boot_pe::{Image, Machine, NewSection, addon_base, rebuild};
use std::borrow::Cow;

/// A section's name and content.
type Named<'a> = (&'a str, &'a [u8]);

/// An image with these sections, in this order.
fn image(sections: &[Named<'_>]) -> Vec<u8> {
    let base = addon_base(Machine::X64).unwrap();
    let image = Image::parse(&base).unwrap();
    let mut all: Vec<_> = image.sections.iter().map(NewSection::keep).collect();
    all.extend(
        sections
            .iter()
            .map(|(name, data)| NewSection::data(name, Cow::Borrowed(*data)).unwrap()),
    );
    rebuild(&image, &all).unwrap()
}

fn by_hand(bank: Bank, sections: &[Named<'_>]) -> Vec<u8> {
    let mut register = Register::reset(bank);
    for (name, data) in sections {
        register.measure(&[name.as_bytes(), b"\0"]);
        register.measure(&[data]);
    }
    register.value
}

fn value(file: &[u8], version: u32, order: Order, profile: Option<usize>) -> Vec<u8> {
    let image = Image::parse(file).unwrap();
    let rules = Rules { order, version };
    predict(&image, rules, Bank::Sha256, profile, &[]).unwrap()[0]
        .register
        .value
        .clone()
}

#[test]
fn a_stub_measures_what_its_version_knows() {
    let file = image(&[
        (".sbat", b"sbat,1,a,b,1,u\n"),
        (".cmdline", b"quiet"),
        (".uname", b"6.1"),
        (".pcrsig", b"{}"),
        (".linux", b"kernel"),
    ]);
    let expected = |sections: &[Named<'_>]| by_hand(Bank::Sha256, sections);
    let (linux, cmdline): (Named<'_>, Named<'_>) = ((".linux", b"kernel"), (".cmdline", b"quiet"));
    let (uname, sbat): (Named<'_>, Named<'_>) =
        ((".uname", b"6.1"), (".sbat", b"sbat,1,a,b,1,u\n"));
    assert_eq!(
        value(&file, 252, Order::Systemd, None),
        expected(&[linux, cmdline])
    );
    assert_eq!(
        value(&file, 257, Order::Systemd, None),
        expected(&[linux, cmdline, uname, sbat])
    );
}

#[test]
fn the_two_published_orders_differ_where_they_are_known_to() {
    let file = image(&[
        (".linux", b"k"),
        (".uname", b"u"),
        (".hwids", b"h"),
        (".dtbauto", b"d"),
    ]);
    let systemd: [Named<'_>; 4] = [
        (".linux", b"k"),
        (".uname", b"u"),
        (".dtbauto", b"d"),
        (".hwids", b"h"),
    ];
    let uapi: [Named<'_>; 4] = [
        (".linux", b"k"),
        (".dtbauto", b"d"),
        (".hwids", b"h"),
        (".uname", b"u"),
    ];
    assert_eq!(
        value(&file, 258, Order::Systemd, None),
        by_hand(Bank::Sha256, &systemd)
    );
    assert_eq!(
        value(&file, 258, Order::Uapi, None),
        by_hand(Bank::Sha256, &uapi)
    );
    let plain = image(&[(".linux", b"k"), (".uname", b"u")]);
    assert_eq!(
        value(&plain, 258, Order::Systemd, None),
        value(&plain, 258, Order::Uapi, None)
    );
}

#[test]
fn a_profile_overrides_the_base() {
    let file = image(&[
        (".linux", b"k"),
        (".cmdline", b"base"),
        (".profile", b"ID=a"),
        (".cmdline", b"one"),
        (".profile", b"ID=b"),
        (".profile", b"ID=c"),
        (".cmdline", b"three"),
    ]);
    let expected = |cmdline: &[u8], profile: &[u8]| {
        by_hand(
            Bank::Sha256,
            &[
                (".linux", b"k"),
                (".cmdline", cmdline),
                (".profile", profile),
            ],
        )
    };
    assert_eq!(
        value(&file, 257, Order::Systemd, Some(0)),
        expected(b"one", b"ID=a")
    );
    assert_eq!(
        value(&file, 257, Order::Systemd, Some(1)),
        expected(b"base", b"ID=b")
    );
    assert_eq!(
        value(&file, 257, Order::Systemd, Some(2)),
        expected(b"three", b"ID=c")
    );
    assert_eq!(
        value(&file, 257, Order::Systemd, None),
        value(&file, 257, Order::Systemd, Some(0))
    );
    let image = Image::parse(&file).unwrap();
    let rules = Rules {
        order: Order::Systemd,
        version: 257,
    };
    let error = predict(&image, rules, Bank::Sha1, Some(3), &[]).unwrap_err();
    assert!(matches!(error, Error::Profile { index: 3, count: 3 }));
}

#[test]
fn phases_extend_by_their_words() {
    let file = image(&[(".linux", b"k")]);
    let image = Image::parse(&file).unwrap();
    let rules = Rules {
        order: Order::Systemd,
        version: 252,
    };
    for bank in Bank::ALL {
        let all = predict(&image, rules, bank, None, &DEFAULT_PHASES).unwrap();
        assert_eq!(all.len(), 5);
        let mut register = all[0].register.clone();
        for (word, predicted) in ["enter-initrd", "leave-initrd", "sysinit", "ready"]
            .iter()
            .zip(&all[1..])
        {
            register.measure(&[word.as_bytes()]);
            assert_eq!(register, predicted.register);
        }
        for path in ["", "a::b", "a b"] {
            assert!(matches!(
                predict(&image, rules, bank, None, &[path]),
                Err(Error::Phase { .. })
            ));
        }
    }
    // A known value: the digest that systemd logs for its first phase.
    assert!(
        Bank::Sha256
            .digest(&[b"enter-initrd"])
            .starts_with(&[0x51, 0xe6, 0xb9, 0x2f])
    );
    assert!(matches!(Rules::of(&image), Err(Error::UnknownStub)));
}

/// An image of our stub's kind that refers to two initrds and a kernel.
fn referring(files: &[(Part, &str, &[u8])]) -> Vec<u8> {
    let list = files
        .iter()
        .map(|(part, path, bytes)| reference_to(*part, path, bytes).unwrap());
    let text = References::new(list.collect()).unwrap().to_string();
    image(&[
        (".rsstub", b"measures systemd 258\nreferences 1\n"),
        (".cmdline", b"quiet"),
        (".rsref", text.as_bytes()),
    ])
}

#[test]
fn what_is_referenced_is_measured_like_the_section_that_it_stands_for() {
    let files: [(Part, &str, &[u8]); 3] = [
        (Part::Initrd, "/first", b"one"),
        (Part::Initrd, "/second", b"two"),
        (Part::Linux, "/kernel", b"kernel"),
    ];
    let file = referring(&files);
    let image = Image::parse(&file).unwrap();
    let rules = Rules::of(&image).unwrap();
    assert_eq!((rules.order, rules.version), (Order::Systemd, 258));
    let expected: [Named<'_>; 4] = [
        (".linux", b"kernel"),
        (".cmdline", b"quiet"),
        (".initrd", b"one"),
        (".initrd", b"two"),
    ];
    let without = predict(&image, rules, Bank::Sha256, None, &[]).unwrap();
    assert_eq!(without[0].register.value, by_hand(Bank::Sha256, &expected));
    for bank in Bank::ALL {
        let with = predict_with_files(&image, rules, bank, None, &[], &|reference| {
            let found = files.iter().find(|(_, path, _)| *path == reference.path());
            found.map(|(_, _, bytes)| bytes.to_vec())
        });
        assert_eq!(
            with.unwrap()[0].register.value,
            by_hand(bank, &expected),
            "{bank}"
        );
    }
    assert!(matches!(
        predict(&image, rules, Bank::Sha384, None, &[]),
        Err(Error::FileNeeded { bank: Bank::Sha384, path }) if path == "/kernel"
    ));
    let other = |_: &_| Some(b"another".to_vec());
    assert!(matches!(
        predict_with_files(&image, rules, Bank::Sha256, None, &[], &other),
        Err(Error::FileDiffers { path }) if path == "/kernel"
    ));
}

#[test]
fn a_note_or_a_list_that_is_not_of_the_form_is_named() {
    let file = image(&[(".rsstub", b"measures nothing\n"), (".linux", b"k")]);
    let error = Rules::of(&Image::parse(&file).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), ".rsstub, line 1: not of the form");
    let file = image(&[(".rsref", b"linux ?\n")]);
    let rules = Rules {
        order: Order::Systemd,
        version: 258,
    };
    let error = predict(
        &Image::parse(&file).unwrap(),
        rules,
        Bank::Sha256,
        None,
        &[],
    )
    .unwrap_err();
    assert!(error.to_string().starts_with(".rsref, line 1: "), "{error}");
}
