//! Any bytes as what an OpenID provider answers: discovery document, keys, ID token, claims. Invariants: nothing panics;
//! what is refused is told in one short line without control characters; nobody signs a token by chance.
#![no_main]

use std::collections::BTreeSet;
use tracker_identity::{Discovery, Expected, Groups, Keys, Others, verify};

const ISSUER: &str = "https://id.example.org";
/// The key of RFC 7515, appendix A.3.
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let told = |error: tracker_identity::IdentityError| {
        let line = error.to_string();
        assert!(line.len() < 300 && !line.contains(char::is_control), "{line:?}");
    };
    drop(Discovery::read(data, ISSUER).map_err(told));
    drop(Keys::read(data).map_err(told));
    let text = String::from_utf8_lossy(data);
    let keys = Keys::read(KEYS.as_bytes()).expect("the key is the standard's");
    let expected = Expected {
        issuer: ISSUER,
        client: "tracker",
        nonce: "n",
        access_token: Some("a"),
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let error = verify(&text, &keys, expected).expect_err("nobody has the key");
    told(error);
    if let Ok(claims) = serde_json::from_slice(data) {
        let groups = Groups {
            claim: "a.b".to_owned(),
            triagers: BTreeSet::from(["t".to_owned()]),
            administrators: BTreeSet::new(),
            others: Others::Nobody,
        };
        if let Some(found) = groups.of(&claims) {
            groups.role(&found);
        }
    }
});
