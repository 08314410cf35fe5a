//! Known answers (made by nix 2.8, see the peer tests) and round trips.

use crate::computed::{References, placeholder};
use crate::*;
use proptest::prelude::*;

fn sha256(text: &str) -> Hash {
    Hash::of(Algorithm::Sha256, text.as_bytes())
}

#[test]
fn known_digests_in_every_encoding() {
    let hash = sha256("abc");
    assert_eq!(
        hash.base16(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(
        hash.base32(),
        "1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s"
    );
    assert_eq!(
        hash.sri(),
        "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
    );
    let of = |algorithm| Hash::of(algorithm, b"abc").base16();
    assert_eq!(of(Algorithm::Md5), "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(
        of(Algorithm::Sha1),
        "a9993e364706816aba3e25717850c26c9cd0d89d"
    );
    assert!(of(Algorithm::Sha512).starts_with("ddaf35a193617abacc417349ae204131"));
    assert_eq!(
        of(Algorithm::Blake3),
        "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
    );
}

#[test]
fn hash_texts_that_are_refused_name_the_place() {
    let bad = |text: &str| text.parse::<Hash>().unwrap_err().to_string();
    assert!(bad("abc").contains("does not name its algorithm"));
    assert!(bad("sha3:00").contains("'sha3' is no hash algorithm"));
    assert!(bad("sha256:00").contains("2 digits"));
    assert!(bad(&format!("sha1:{}", "g".repeat(40))).contains("byte 0 is no base16 digit"));
    assert!(bad(&format!("sha1:{}e", "0".repeat(31))).contains("byte 31 is no base32 digit"));
    // 32 bytes in 52 digits leave four bits unused, which must be zero.
    assert!(bad(&format!("sha256:z{}", "0".repeat(51))).contains("no base32 text of 32 bytes"));
    let md5 = Some(Algorithm::Md5);
    let text = sha256("").to_string();
    assert!(matches!(
        Hash::parse(&text, md5),
        Err(Error::OtherAlgorithm { .. })
    ));
}

#[test]
fn names_obey_the_rules() {
    for good in ["a", "libfoo-1.0+git_2?x=y", ".gitignore", "...", "-"] {
        assert!(Name::new(good).is_ok(), "{good}");
    }
    let long = "x".repeat(MAX_NAME + 1);
    for bad in [
        "",
        ".",
        "..",
        ".-a",
        "..-b",
        "a/b",
        "a b",
        "é",
        long.as_str(),
    ] {
        assert!(matches!(Name::new(bad), Err(Error::Name { .. })), "{bad}");
    }
    assert!(Name::new(&long[1..]).is_ok());
}

#[test]
fn paths_are_read_in_any_store() {
    let text = "1b8m03r63zqhnjf7l5wnldhh7c134ap5-hello-2.12";
    for dir in ["/nix/store", "/tmp/deep/er/store", "/s"] {
        let store = StoreDir::new(dir).unwrap();
        let path = store.parse(&format!("{dir}/{text}")).unwrap();
        assert_eq!(store.join(&path), format!("{dir}/{text}"));
        let file = format!("{dir}/{text}/bin/hello");
        assert!(store.parse(&file).is_err());
        assert_eq!(
            store.parse_within(&file).unwrap(),
            (path.clone(), "bin/hello")
        );
        assert_eq!(StoreDir::split(&store.join(&path)).unwrap(), (store, path));
    }
    assert!(
        StoreDir::default()
            .parse(&format!("/gnu/store/{text}"))
            .is_err()
    );
    for bad in [
        "nix/store",
        "/nix/../store",
        "/nix//store",
        "/nix/store/",
        "/",
        "/a\nb",
    ] {
        assert!(
            matches!(StoreDir::new(bad), Err(Error::StoreDir { .. })),
            "{bad}"
        );
    }
    for bad in [
        "",
        "short",
        &text[..32],
        &text[..33],
        &text.replace('-', "_"),
    ] {
        assert!(StorePath::new(bad).is_err(), "{bad}");
    }
}

/// Answers of `nix-store --add`, `--add-fixed` and `builtins.toFile`, nix 2.8, store `/nix/store`.
#[test]
fn computed_paths_are_those_of_nix() {
    let store = StoreDir::default();
    let name = Name::new("abc").unwrap();
    let text = store.text_path(name.clone(), b"abc", &std::collections::BTreeSet::new());
    assert_eq!(text.to_string(), TEXT_ABC);
    let flat = |algorithm| ContentAddress {
        method: Method::Flat,
        hash: Hash::of(algorithm, b"abc"),
    };
    let path = |address| {
        store
            .content_path(name.clone(), &address, &References::none())
            .unwrap()
            .to_string()
    };
    assert_eq!(path(flat(Algorithm::Sha256)), FLAT_SHA256_ABC);
    assert_eq!(path(flat(Algorithm::Md5)), FLAT_MD5_ABC);
    let nar = ContentAddress {
        method: Method::Nar,
        hash: sha256("not a nar"),
    };
    let source = path(nar);
    let referring = References {
        others: [text].into(),
        itself: false,
    };
    let with_reference = store.content_path(name.clone(), &nar, &referring).unwrap();
    assert_ne!(source, with_reference.to_string());
    let refused = store.content_path(name, &flat(Algorithm::Sha256), &referring);
    assert!(matches!(refused, Err(Error::References(_))));
    assert_eq!(
        placeholder("out"),
        "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"
    );
}

const TEXT_ABC: &str = "26nci8mz5f9aldbsgmalpkj20xyqqd5c-abc";
const FLAT_SHA256_ABC: &str = "0y839a054fcnhjcd2w1pb6a4k4fl38iw-abc";
const FLAT_MD5_ABC: &str = "0fmibi09sjy2mxap87y4kibl1n7caidm-abc";

fn algorithms() -> impl Strategy<Value = Algorithm> {
    proptest::sample::select(Algorithm::ALL.to_vec())
}

proptest! {
    #[test]
    fn every_text_form_round_trips(algorithm in algorithms(), seed in any::<Vec<u8>>()) {
        let hash = Hash::of(algorithm, &seed);
        for text in [hash.to_string(), hash.sri(), format!("{algorithm}:{}", hash.base16()), format!("{algorithm}:{}", hash.base64())] {
            prop_assert_eq!(text.parse::<Hash>().unwrap(), hash);
        }
        prop_assert_eq!(Hash::parse(&hash.base32(), Some(algorithm)).unwrap(), hash);
        for method in [Method::Flat, Method::Nar, Method::Text, Method::Git] {
            let address = ContentAddress { method, hash };
            prop_assert_eq!(address.to_string().parse::<ContentAddress>().unwrap(), address);
            let prefixed = format!("{}{algorithm}", method.prefix());
            prop_assert_eq!(Method::parse_prefixed(&prefixed).unwrap(), (method, algorithm));
        }
    }

    #[test]
    fn encodings_round_trip_at_every_length(bytes in proptest::collection::vec(any::<u8>(), 0..70)) {
        let mut out = vec![0xaa; bytes.len()];
        encoding::from_base32(&encoding::to_base32(&bytes), &mut out).unwrap();
        prop_assert_eq!(&out, &bytes);
        encoding::from_base64(&encoding::to_base64(&bytes), &mut out).unwrap();
        prop_assert_eq!(&out, &bytes);
        encoding::from_base16(&encoding::to_base16(&bytes), &mut out).unwrap();
        prop_assert_eq!(&out, &bytes);
    }

    /// What is accepted is printed back: there is one base32 text for given bytes.
    #[test]
    fn accepted_base32_is_canonical(text in "[0-9a-z]{52}") {
        let mut out = [0; 32];
        if encoding::from_base32(&text, &mut out).is_ok() {
            prop_assert_eq!(encoding::to_base32(&out), text);
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,90}") {
        let _ = text.parse::<Hash>();
        let _ = text.parse::<ContentAddress>();
        let _ = StoreDir::split(&text);
        if let Ok(path) = text.parse::<StorePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn paths_sort_as_their_texts_do(a in any::<[u8; 20]>(), b in any::<[u8; 20]>()) {
        let name = Name::new("n").unwrap();
        let (a, b) = (StorePath::from_digest(a, name.clone()), StorePath::from_digest(b, name));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        prop_assert_eq!(StorePath::new(&a.to_string()).unwrap(), a);
    }
}
