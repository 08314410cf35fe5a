//! Any bytes as a signed envelope, with the keys of one that is good: no panic, and nothing but its payload counts as signed.
#![no_main]

use seed_build::provenance::{Envelope, PublicKey};
use std::sync::LazyLock;

/// Keys made for this target; their private halves are gone.
const ED25519: &str = "\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA01xPzcqrfnEP4cQM9ToN4ZsRw0UvHoBOvr5HL1FBpr8=
-----END PUBLIC KEY-----
";
const P256: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEo7axP1nVaA+Xmde5+L2tD01JsWET
JmvFJQTl+ySWHm3h2R131McsYiClK9Z3TTAnOQhkn9AhfN5NQ6gl7kIK8g==
-----END PUBLIC KEY-----
";

/// An envelope signed by both keys.
const SIGNED: &[u8] = include_bytes!("../../../seeds/seed_envelope/signed");

static KEYS: LazyLock<[PublicKey; 2]> = LazyLock::new(|| {
    let key = |pem| PublicKey::parse(pem).expect("a key as OpenSSL writes it");
    [key(ED25519), key(P256)]
});

static PAYLOAD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let envelope: Envelope = serde_json::from_slice(SIGNED).expect("an envelope");
    let signers = envelope.signers(&*KEYS).expect("a whole envelope");
    assert_eq!(signers.len(), 2);
    envelope.payload().expect("a whole envelope")
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = std::str::from_utf8(data).map(PublicKey::parse);
    let Ok(envelope) = serde_json::from_slice::<Envelope>(data) else {
        return;
    };
    let Ok(signers) = envelope.signers(&*KEYS) else {
        return;
    };
    if !signers.is_empty() {
        assert_eq!(envelope.payload().ok().as_ref(), Some(&*PAYLOAD));
    }
});
