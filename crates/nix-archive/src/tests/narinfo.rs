//! narinfo and signatures: round trips, forgeries, and refusals that name the line.

use crate::{KeyError, NarInfo, NarInfoError, PublicKey, SecretKey};
use nix_store_path::computed::References;
use nix_store_path::{Algorithm, ContentAddress, Hash, Method, Name, StoreDir, StorePath};
use proptest::prelude::*;

fn key(i: u8) -> SecretKey {
    SecretKey::from_seed(&format!("cache{i}.example-1"), &[i; 32])
}

const TEXT: &str = "\
StorePath: /nix/store/1b8m03r63zqhnjf7l5wnldhh7c134ap5-hello-2.12
URL: nar/1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s.nar.xz
Compression: xz
FileHash: sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s
FileSize: 50
NarHash: sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s
NarSize: 226560
References: 1b8m03r63zqhnjf7l5wnldhh7c134ap5-hello-2.12 26nci8mz5f9aldbsgmalpkj20xyqqd5c-libc
Deriver: 0fmibi09sjy2mxap87y4kibl1n7caidm-hello-2.12.drv
";

#[test]
fn a_narinfo_is_read_printed_signed_and_checked() {
    let mut info = NarInfo::parse(TEXT).unwrap();
    assert_eq!(info.to_string(), TEXT);
    assert_eq!(
        info.fingerprint(),
        "1;/nix/store/1b8m03r63zqhnjf7l5wnldhh7c134ap5-hello-2.12;\
         sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s;226560;\
         /nix/store/1b8m03r63zqhnjf7l5wnldhh7c134ap5-hello-2.12,/nix/store/26nci8mz5f9aldbsgmalpkj20xyqqd5c-libc"
    );
    info.sign(&key(1));
    info.sign(&key(2));
    info.sign(&key(1));
    assert_eq!(info.signatures.len(), 2);
    let read = NarInfo::parse(&info.to_string()).unwrap();
    assert_eq!(read, info);
    let keys = [key(1).public(), key(3).public()];
    assert_eq!(read.signed_by(&keys), ["cache1.example-1"]);
    // The right key under another name, and another key under the right name, do not vouch.
    let renamed = SecretKey::from_seed("cache1.example-1", &[9; 32]).public();
    assert!(
        read.signed_by(&[renamed, SecretKey::from_seed("other", &[1; 32]).public()])
            .is_empty()
    );
}

#[test]
fn any_change_of_what_is_signed_voids_the_signature() {
    let mut info = NarInfo::parse(TEXT).unwrap();
    info.sign(&key(1));
    let keys = [key(1).public()];
    let voided = |change: &dyn Fn(&mut NarInfo)| {
        let mut changed = info.clone();
        change(&mut changed);
        changed.signed_by(&keys).is_empty()
    };
    assert!(voided(&|info| info.nar_size += 1));
    assert!(voided(
        &|info| info.nar_hash = Hash::of(Algorithm::Sha256, b"other")
    ));
    assert!(voided(&|info| _ = info.references.pop_first()));
    assert!(voided(&|info| info.store = StoreDir::new("/other").unwrap()));
    assert!(voided(&|info| info.signatures[0].bytes[0] ^= 1));
    assert!(!voided(&|info| info.url = "elsewhere".into()));
}

#[test]
fn content_addressed_objects_are_self_evident() {
    let mut info = NarInfo::parse(TEXT).unwrap();
    assert!(!info.is_self_evident());
    let address = ContentAddress {
        method: Method::Nar,
        hash: info.nar_hash,
    };
    let others = info.references.iter().skip(1).cloned().collect();
    let references = References {
        others,
        itself: true,
    };
    let old = info.path.clone();
    info.path = info
        .store
        .content_path(Name::new("hello-2.12").unwrap(), &address, &references)
        .unwrap();
    info.references.remove(&old);
    info.references.insert(info.path.clone());
    info.address = Some(address);
    assert!(info.is_self_evident());
    assert_eq!(NarInfo::parse(&info.to_string()).unwrap(), info);
    info.path = StorePath::from_digest([1; 20], info.path.name().clone());
    assert!(!info.is_self_evident());
}

#[test]
fn malformed_narinfos_name_the_line() {
    let with = |from: &str, to: &str| NarInfo::parse(&TEXT.replace(from, to)).unwrap_err();
    assert_eq!(with("URL:", "Link:"), NarInfoError::Missing("URL"));
    assert!(matches!(
        with("NarSize: 226560", "NarSize: -1"),
        NarInfoError::Size { line: 7, .. }
    ));
    assert!(matches!(
        with("FileSize", "NarSize"),
        NarInfoError::Twice { line: 7, .. }
    ));
    assert!(matches!(
        with("Compression: xz", "Compression"),
        NarInfoError::Line { line: 3, .. }
    ));
    assert!(matches!(
        with("-libc", "/libc"),
        NarInfoError::Store { line: 8, .. }
    ));
    assert!(matches!(
        with(
            "NarHash: sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s",
            "NarHash: sha1:00"
        ),
        NarInfoError::Store { line: 6, .. }
    ));
    assert!(matches!(
        with("Deriver: ", "Sig: a:b\nDeriver: "),
        NarInfoError::Signature { line: 9, .. }
    ));
    assert!(matches!(
        NarInfo::parse(&"x".repeat(5 << 20)),
        Err(NarInfoError::TooLarge(_))
    ));
    assert_eq!(
        NarInfo::parse(&format!("{TEXT}Future: 1\n"))
            .unwrap()
            .to_string(),
        TEXT
    );
}

#[test]
fn keys_round_trip_and_hide_their_secret() {
    let secret = key(5);
    let text = secret.to_secret_text();
    let read: SecretKey = text.parse().unwrap();
    assert_eq!(read.public(), secret.public());
    assert_eq!(
        secret.public().to_string().parse::<PublicKey>().unwrap(),
        secret.public()
    );
    assert!(!format!("{secret:?}").contains(text.split(':').nth(1).unwrap()));
    let half = text.split_once(':').unwrap().1;
    let bad = |text: &str| text.parse::<SecretKey>().unwrap_err();
    assert!(matches!(
        bad(half),
        KeyError::Text {
            problem: "there is no colon",
            ..
        }
    ));
    assert!(matches!(bad(&format!(":{half}")), KeyError::Text { .. }));
    assert!(matches!(
        bad("k:AAAA"),
        KeyError::Text {
            problem: "it has another length",
            ..
        }
    ));
    // A seed with another key's public half is refused, and the message has neither.
    let other = key(6).to_secret_text();
    let mixed = format!(
        "k:{}{}",
        &half[..42],
        &other.split_once(':').unwrap().1[42..]
    );
    assert_eq!(
        bad(&mixed).to_string(),
        "secret key 'k' does not match its own public half"
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in "(?s)([A-Za-z]{0,9}: ?.{0,20}\n){0,12}") {
        if let Ok(info) = NarInfo::parse(&text) {
            prop_assert_eq!(NarInfo::parse(&info.to_string()).unwrap(), info);
        }
        let _ = text.parse::<PublicKey>();
    }
}
