//! Names and their laws, the loader's order, and plans.

use super::*;
use proptest::prelude::*;
use std::cmp::Ordering;

fn name(text: &str) -> EntryName {
    EntryName::parse(text).unwrap()
}

#[test]
fn the_loaders_series_of_names() {
    let mut current = name("foobar+3.efi");
    let mut series = Vec::new();
    for _ in 0..5 {
        current = current.attempted();
        series.push(current.to_string());
    }
    assert_eq!(
        series,
        [
            "foobar+2-1.efi",
            "foobar+1-2.efi",
            "foobar+0-3.efi",
            "foobar+0-3.efi",
            "foobar+0-3.efi"
        ]
    );
    assert_eq!(
        name("foobar+4-0.conf").attempted().to_string(),
        "foobar+3-1.conf"
    );
    assert_eq!(name("a+09-00.efi").attempted().to_string(), "a+08-01.efi");
    assert_eq!(name("a+10.efi").attempted().to_string(), "a+09-1.efi");
}

#[test]
fn only_counters_at_the_end_count() {
    for (text, stem, state) in [
        ("a.efi", "a", State::Good),
        ("a+b.efi", "a+b", State::Good),
        ("a+3b.efi", "a+3b", State::Good),
        ("a+1-.efi", "a+1-", State::Good),
        ("a+-1.efi", "a+-1", State::Good),
        ("a+1+2.EFI", "a+1", State::Untried),
        ("a+00-3.efi", "a", State::Bad),
        ("a+99999999999.efi", "a+99999999999", State::Good),
    ] {
        let parsed = name(text);
        assert_eq!(
            (parsed.stem.as_str(), parsed.state()),
            (stem, state),
            "{text}"
        );
    }
    assert_eq!(EntryName::parse("a.img"), None);
    assert_eq!(EntryName::parse("efi"), None);
}

proptest! {
    #[test]
    fn names_keep_their_laws(text in "[a-z+0-9-]{0,12}\\.(efi|conf|EFI)") {
        let entry = name(&text);
        prop_assert_eq!(entry.to_string(), text);
        let next = entry.attempted();
        prop_assert_eq!(&next.stem, &entry.stem);
        prop_assert_eq!(name(&next.to_string()), next.clone());
        match (entry.counter, next.counter) {
            (Some(old), Some(new)) if old.left > 0 => {
                prop_assert_eq!(new.left, old.left - 1);
                prop_assert_eq!(new.done, (old.done + 1).min(counting::MAX_COUNT));
            }
            (old, new) => prop_assert_eq!(old, new),
        }
        let blessed = entry.blessed();
        prop_assert_eq!(blessed.state(), State::Good);
        prop_assert_eq!(blessed.blessed(), blessed.clone());
        prop_assert_eq!(&blessed.attempted(), &blessed);
        prop_assert_eq!(entry.condemned().state(), State::Bad);
        prop_assert_eq!(entry.condemned().blessed(), blessed);
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,40}") {
        let _ = EntryName::parse(&text);
        let _ = Stem::parse(&text);
        let _ = EspPath::new(&text);
        let _ = glob(&text, &text);
        let _ = LoaderConfig::default_of(text.as_bytes());
    }

    #[test]
    fn a_stem_is_read_as_it_was_written(
        profile in proptest::option::of("[A-Za-z0-9 äß.@+-]{1,40}"),
        number: u64,
        parts in proptest::collection::vec("[A-Za-z0-9 ._/-]{1,40}", 0..3),
        digest: [u8; 32],
    ) {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let stem = Stem::new(profile.as_deref(), number, &parts, &digest);
        prop_assert_eq!(Stem::parse(&stem.to_string()), Some(stem.clone()));
        let image = EntryName::image(&stem.to_string(), Some(Counter::fresh(3)));
        prop_assert_eq!(name(&image.to_string()).stem, stem.to_string());
    }

    #[test]
    fn the_order_is_one(names in proptest::collection::vec("[a-c](\\+[0-2])?\\.efi", 3), keys: [bool; 3]) {
        let entries: Vec<MenuEntry> = names.iter().zip(keys).map(|(text, key)| MenuEntry {
            name: name(text),
            sort_key: key.then(|| "k".to_owned()),
            version: None,
        }).collect();
        for a in &entries {
            for b in &entries {
                prop_assert_eq!(order(a, b), order(b, a).reverse());
                for c in &entries {
                    if order(a, b) != Ordering::Greater && order(b, c) != Ordering::Greater {
                        prop_assert_ne!(order(a, c), Ordering::Greater);
                    }
                }
            }
        }
    }
}

fn menu(text: &str, key: &str, version: &str) -> MenuEntry {
    MenuEntry {
        name: name(text),
        sort_key: Some(key.to_owned()),
        version: Some(version.to_owned()),
    }
}

#[test]
fn the_newest_that_is_not_bad_starts() {
    let mut entries = vec![
        menu("rootstock-9-x.efi", "nixos", "9"),
        menu("rootstock-10-x+3.efi", "nixos", "10"),
        menu("rootstock-10.spec-x.efi", "nixos-specialisation", "10"),
    ];
    let chosen =
        |entries: &[MenuEntry], pattern| choose(entries, pattern).unwrap().name.to_string();
    assert_eq!(
        chosen(&entries, Some("rootstock-*")),
        "rootstock-10-x+3.efi"
    );
    entries[1].name = entries[1].name.condemned();
    assert_eq!(chosen(&entries, Some("rootstock-*")), "rootstock-9-x.efi");
    assert_eq!(chosen(&entries, Some("nothing-*")), "rootstock-9-x.efi");
    assert_eq!(
        chosen(&entries, Some("ROOTSTOCK-10.spec*")),
        "rootstock-10.spec-x.efi"
    );
    assert_eq!(choose(&[], None), None);
}

#[test]
fn patterns_match_as_in_the_loader() {
    for (pattern, text, matches) in [
        ("*", "", true),
        ("a*c", "abbc", true),
        ("a*c", "abb", false),
        ("a?c", "abc", true),
        ("[a-c]x", "bx", true),
        ("[a-c]x", "dx", false),
        ("x[.+][e1-9]*", "x.efi", true),
        ("x[.+][e1-9]*", "x+2-1.efi", true),
        ("x[.+][e1-9]*", "x+0-3.efi", false),
        ("[", "[", false),
        ("**a**", "bab", true),
    ] {
        assert_eq!(glob(pattern, text), matches, "{pattern} {text}");
    }
}

#[test]
fn paths_are_what_fat_can_hold() {
    for bad in [
        "", "/a", "a/", "a//b", "a/../b", ".", "a:b", "a.", "a ", "a\u{1}",
    ] {
        assert!(EspPath::new(bad).is_err(), "{bad:?}");
    }
    let path = EspPath::new("EFI/Linux/x.efi").unwrap();
    assert_eq!(path, EspPath::new("efi/LINUX/X.EFI").unwrap());
    assert!(path.is_in(&EspPath::new("efi/linux").unwrap()));
    assert!(!path.is_in(&EspPath::new("EFI/Lin").unwrap()));
    assert_eq!(path.parent().unwrap().as_str(), "EFI/Linux");
}

#[test]
fn the_configuration_is_one_sector() {
    let config = LoaderConfig {
        default: "rootstock-*".to_owned(),
        timeout: Some(5),
        editor: false,
        console_mode: Some("max".to_owned()),
    };
    let bytes = config.render().unwrap();
    assert_eq!(bytes.len(), 512);
    assert_eq!(
        LoaderConfig::default_of(&bytes).as_deref(),
        Some("rootstock-*")
    );
    assert_eq!(LoaderConfig::default_of(b"timeout 3\n"), None);
    let long = LoaderConfig {
        default: "x".repeat(600),
        ..config
    };
    assert_eq!(long.render(), None);
}
