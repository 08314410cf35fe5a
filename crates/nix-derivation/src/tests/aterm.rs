//! The `.drv` format: round trips, and refusals that name the offset.

use super::strategies;
use crate::{Derivation, Error, Outline, aterm};
use nix_store_path::{Name, StoreDir};
use proptest::prelude::*;

/// Written by nix 2.8 for `derivation { name = "sample"; ... }`, wrapped for reading.
const SAMPLE: &str = concat!(
    r#"Derive([("out","/nix/store/rjqhqk0h6xdqz8sjf22z0rpx51fhi53k-sample","","")],[],[],"#,
    r#""x86_64-linux","/bin/sh",["-c","echo \"$x\" > $out\n"],"#,
    r#"[("builder","/bin/sh"),("name","sample"),"#,
    r#"("out","/nix/store/rjqhqk0h6xdqz8sjf22z0rpx51fhi53k-sample"),("system","x86_64-linux"),("x","tab\tback\\slash")])"#
);

fn parse(text: &str) -> Result<Derivation, Error> {
    Derivation::parse(
        &Name::new("sample").unwrap(),
        text.as_bytes(),
        &StoreDir::default(),
    )
}

#[test]
fn a_file_is_read_and_written_back() {
    let derivation = parse(SAMPLE).unwrap();
    assert_eq!(derivation.args[1], "echo \"$x\" > $out\n");
    assert_eq!(derivation.variable("x"), Some("tab\tback\\slash"));
    assert_eq!(derivation.to_aterm(&StoreDir::default()), SAMPLE.as_bytes());
    assert_eq!(
        aterm::store_dir(SAMPLE.as_bytes()),
        Some(StoreDir::default())
    );
    let elsewhere = SAMPLE.replace("/nix/store", "/data/elsewhere");
    assert_eq!(
        aterm::store_dir(elsewhere.as_bytes()).unwrap().as_str(),
        "/data/elsewhere"
    );
    assert!(matches!(
        parse(&elsewhere),
        Err(Error::Store { offset: 16, .. })
    ));
}

#[test]
fn what_nix_would_not_write_is_refused_at_its_offset() {
    let swapped = SAMPLE.replace(
        r#"("builder","/bin/sh"),("name","sample")"#,
        r#"("name","sample"),("builder","/bin/sh")"#,
    );
    let cases = [
        (swapped.as_str(), "an item out of order or twice"),
        (
            &SAMPLE.replace("\\t", "\t"),
            "an unescaped newline, return or tab",
        ),
        (&SAMPLE.replace("\\\\", "\\s"), "a needless escape"),
        (&format!("{SAMPLE}\n"), "the end of the file"),
        (&SAMPLE[..40], "the end of a string"),
        (&SAMPLE[..7], "'['"),
        (&SAMPLE[..6], "'Derive(' or 'DrvWithVersion('"),
        ("", "'Derive(' or 'DrvWithVersion('"),
        (
            &SAMPLE.replace("Derive(", "DrvWithVersion(\"xp-dyn-drv\","),
            "a versioned form without outputs of outputs",
        ),
    ];
    for (text, expected) in cases {
        let error = parse(text).unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.starts_with("offset "),
            "{error}"
        );
    }
    let error = parse("DrvWithVersion(\"xp-next\",[])").unwrap_err();
    assert!(
        matches!(error, Error::UnknownForm { offset: 16, .. }),
        "{error}"
    );
}

#[test]
fn outputs_whose_fields_do_not_fit_are_refused() {
    let path = "/nix/store/rjqhqk0h6xdqz8sjf22z0rpx51fhi53k-sample";
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let output = |fields: [&str; 3]| {
        let [a, b, c] = fields;
        parse(&SAMPLE.replacen(
            &format!(r#""{path}","","""#),
            &format!(r#""{a}","{b}","{c}""#),
            1,
        ))
    };
    for good in [
        [path, "", ""],
        ["", "", ""],
        [path, "r:sha256", hash],
        ["", "sha256", ""],
        ["", "r:sha1", "impure"],
    ] {
        assert!(output(good).is_ok(), "{good:?}");
    }
    let upper = hash.to_uppercase();
    for bad in [
        [path, "", hash],
        ["", "sha256", hash],
        [path, "sha256", ""],
        [path, "r:sha256", "impure"],
        [path, "r:sha257", hash],
        [path, "r:sha256", &upper],
        [path, "r:sha256", &hash[1..]],
    ] {
        assert!(output(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn chains_of_outputs_of_outputs_end_at_the_limit() {
    let deep = r#"(["out"],[("out","#.repeat(4000);
    let text = format!(
        r#"DrvWithVersion("xp-dyn-drv",[],[("/nix/store/rjqhqk0h6xdqz8sjf22z0rpx51fhi53k-a.drv",{deep}"#
    );
    let error = parse(&text).unwrap_err().to_string();
    assert!(
        error.contains("the chain of outputs of outputs is larger than the limit"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn every_derivation_round_trips(derivation in strategies::derivation()) {
        let store = StoreDir::default();
        let bytes = derivation.to_aterm(&store);
        let read = Derivation::parse(&derivation.name, &bytes, &store).unwrap();
        prop_assert_eq!(&read, &derivation);
        prop_assert_eq!(read.to_aterm(&store), bytes);
    }

    /// Whatever a mutated file is read as, it is written back unchanged.
    #[test]
    fn accepted_files_are_canonical(derivation in strategies::derivation(), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let store = StoreDir::default();
        let mut bytes = derivation.to_aterm(&store);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let read = Derivation::parse(&derivation.name, &bytes, &store);
        if let Ok(read) = &read {
            prop_assert_eq!(read.to_aterm(&store), &bytes[..]);
        }
        // Its outline is refused where the whole is, in the same words.
        let outline = Outline::parse(&derivation.name, &bytes, &store);
        let read = read.map(Outline::from).map_err(|error| error.to_string());
        prop_assert_eq!(outline.map_err(|error| error.to_string()), read);
    }

    #[test]
    fn an_outline_is_that_of_the_whole(mut derivation in strategies::derivation(), url: String) {
        let store = StoreDir::default();
        derivation.env.insert("url".into(), url.as_str().into());
        let outline = Outline::parse(&derivation.name, &derivation.to_aterm(&store), &store).unwrap();
        prop_assert_eq!(outline.variable("url"), Some(&*url));
        prop_assert_eq!(outline, Outline::from(derivation));
    }
}
