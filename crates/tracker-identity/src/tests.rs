//! Signatures by the examples of the standard and by a key made here; claims one by one.

use crate::keys::Algorithm;
use crate::token::signed;
use crate::{
    Claims, ClientSecret, Discovery, Expected, Groups, IdentityError, Keys, Others, verify,
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use jiff::Timestamp;
use proptest::prelude::{any, prop, proptest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use tracker_people::Role;

const ISSUER: &str = "https://id.example.org";
const NOW: i64 = 1_800_000_000;

/// A provider's key.
struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Signer {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Signer(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
    }

    fn jwk(&self, id: &str) -> Value {
        let point = self.0.public_key().as_ref();
        let text = |bytes| Base64UrlUnpadded::encode_string(bytes);
        json!({ "kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "alg": "ES256", "x": text(&point[1..33]), "y": text(&point[33..]) })
    }

    fn keys(&self) -> Keys {
        keys(&[self.jwk("k")])
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let text = format!("{}.{}", text(header), text(claims));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!(
            "{text}.{}",
            Base64UrlUnpadded::encode_string(signature.as_ref())
        )
    }
}

fn keys(keys: &[Value]) -> Keys {
    Keys::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "k", "typ": "JWT" })
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": "tracker", "sub": "s1", "exp": NOW + 300, "iat": NOW, "nonce": "n" })
}

fn expected() -> Expected<'static> {
    Expected {
        issuer: ISSUER,
        client: "tracker",
        nonce: "n",
        access_token: Some("the-access-token"),
        now: Timestamp::from_second(NOW).unwrap(),
    }
}

/// What is said of claims that differ from good ones.
fn told(changes: Value) -> Result<Claims, IdentityError> {
    let signer = Signer::new();
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        let all = claims.as_object_mut().unwrap();
        match value {
            Value::Null => drop(all.remove(name)),
            value => drop(all.insert(name.clone(), value.clone())),
        }
    }
    verify(&signer.sign(&header(), &claims), &signer.keys(), expected())
}

#[test]
fn the_examples_of_the_standard_hold() {
    // RFC 7515, appendices A.2 and A.3.
    let payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let rsa = json!({
        "kty": "RSA", "e": "AQAB",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    });
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let ec = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let other =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    for (key, header, signature) in [
        (rsa, "eyJhbGciOiJSUzI1NiJ9", signature),
        (ec, "eyJhbGciOiJFUzI1NiJ9", other),
    ] {
        let keys = keys(&[key]);
        let all = signed(&format!("{header}.{payload}.{signature}"), &keys).unwrap();
        assert_eq!(all["iss"], "joe");
        let changed = payload.replacen("eyJpc3Mi", "eyJpc3Nj", 1);
        let changed = signed(&format!("{header}.{changed}.{signature}"), &keys);
        assert_eq!(changed, Err(IdentityError::Signature));
    }
}

#[test]
fn a_good_token_tells_who_it_is() {
    for good in [
        json!({}),
        json!({ "aud": ["tracker"] }),
        json!({ "aud": ["tracker", "other"], "azp": "tracker" }),
        // Clocks differ by a minute at most.
        json!({ "exp": NOW - 59, "iat": NOW + 60 }),
        json!({ "iat": NOW as f64 - 0.5, "nbf": NOW }),
        json!({ "at_hash": Base64UrlUnpadded::encode_string(&Sha256::digest("the-access-token")[..16]) }),
    ] {
        assert_eq!(told(good.clone()).unwrap().subject(), "s1", "{good}");
    }
}

#[test]
fn a_claim_that_does_not_hold_is_named() {
    for (changes, name) in [
        (json!({ "iss": "https://id.example.org/" }), "iss"),
        (json!({ "iss": null }), "iss"),
        (json!({ "aud": "other" }), "aud"),
        (json!({ "aud": ["other"] }), "aud"),
        (json!({ "aud": 7 }), "aud"),
        (json!({ "aud": ["tracker", "other"] }), "azp"),
        (json!({ "azp": "other" }), "azp"),
        (json!({ "exp": NOW - 60 }), "exp"),
        (json!({ "exp": null }), "exp"),
        (json!({ "exp": "tomorrow" }), "exp"),
        (json!({ "exp": 1e300 }), "exp"),
        (json!({ "iat": NOW + 61 }), "iat"),
        (json!({ "iat": null }), "iat"),
        (json!({ "nbf": NOW + 61 }), "nbf"),
        (json!({ "nonce": "m" }), "nonce"),
        (json!({ "nonce": null }), "nonce"),
        (json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }), "at_hash"),
        (json!({ "sub": "" }), "sub"),
        (json!({ "sub": "x".repeat(256) }), "sub"),
        (json!({ "sub": null }), "sub"),
    ] {
        match told(changes.clone()) {
            Err(IdentityError::Claim { name: found, .. }) => assert_eq!(found, name, "{changes}"),
            other => panic!("{changes}: {other:?}"),
        }
    }
}

#[test]
fn no_token_chooses_how_it_is_checked() {
    let signer = Signer::new();
    let keys = signer.keys();
    let refused = |header: Value| verify(&signer.sign(&header, &claims()), &keys, expected());
    for name in ["none", "None", "HS256", "RS512", "ES384", "EdDSA", ""] {
        let header = json!({ "alg": name, "kid": "k" });
        assert_eq!(
            refused(header),
            Err(IdentityError::Algorithm(name.to_owned()))
        );
    }
    // A key of another kind is another key.
    let header_rsa = json!({ "alg": "RS256", "kid": "k" });
    assert_eq!(refused(header_rsa), Err(IdentityError::UnknownKey));
    assert_eq!(
        refused(json!({ "alg": "ES256", "kid": "l" })),
        Err(IdentityError::UnknownKey)
    );
    let extended = json!({ "alg": "ES256", "kid": "k", "crit": ["b64"] });
    assert!(matches!(
        refused(extended),
        Err(IdentityError::Shape { .. })
    ));
    // Without an id the only key of its kind is meant.
    assert!(refused(json!({ "alg": "ES256" })).is_ok());
    let two = self::keys(&[signer.jwk("k"), Signer::new().jwk("l")]);
    let token = signer.sign(&json!({ "alg": "ES256" }), &claims());
    assert!(matches!(
        verify(&token, &two, expected()),
        Err(IdentityError::Shape { .. })
    ));
    // Another's signature, and none.
    let forged = Signer::new().sign(&header(), &claims());
    assert_eq!(
        verify(&forged, &keys, expected()),
        Err(IdentityError::Signature)
    );
    let good = signer.sign(&header(), &claims());
    let (text, _) = good.rsplit_once('.').unwrap();
    assert_eq!(
        verify(&format!("{text}."), &keys, expected()),
        Err(IdentityError::Signature)
    );
    for odd in [
        "",
        "a.b",
        &format!("{good}.x"),
        &format!("{good}="),
        &"a".repeat(40_000),
    ] {
        assert!(verify(odd, &keys, expected()).is_err(), "{odd}");
    }
}

#[test]
fn a_list_holds_many_keys_of_which_few_are_taken() {
    let signer = Signer::new();
    let mut encrypting = signer.jwk("k");
    encrypting["use"] = json!("enc");
    let mut other = signer.jwk("k");
    other["alg"] = json!("ES384");
    let mut short = signer.jwk("k");
    short["x"] = json!("AAAA");
    let secret = json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "k" });
    for key in [encrypting, other, short, secret, json!(7), json!({})] {
        assert_eq!(keys(std::slice::from_ref(&key)), Keys::default(), "{key}");
    }
    assert!(Keys::read(b"{}").is_err());
    assert!(
        Keys::read(
            json!({ "keys": vec![signer.jwk("k"); 65] })
                .to_string()
                .as_bytes()
        )
        .is_err()
    );
    assert!(matches!(
        Keys::read(&vec![b' '; 300_000]),
        Err(IdentityError::TooLong { .. })
    ));
    assert!(Algorithm::of("rs256").is_none());
}

#[test]
fn a_discovery_document_speaks_for_its_issuer() {
    let document = |change: Value| {
        let mut document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example.org/authorize?tenant=1",
            "token_endpoint": "https://id.example.org/token",
            "jwks_uri": "https://id.example.org/keys",
        });
        let change = change.as_object().unwrap().clone();
        document.as_object_mut().unwrap().extend(change);
        Discovery::read(document.to_string().as_bytes(), ISSUER)
    };
    let read = document(json!({})).unwrap();
    assert_eq!((read.secret, read.userinfo), (ClientSecret::Basic, None));
    let post = json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] });
    assert_eq!(document(post).unwrap().secret, ClientSecret::Post);
    for wrong in [
        json!({ "issuer": "https://id.example.org/" }),
        json!({ "jwks_uri": "http://id.example.org/keys" }),
        json!({ "userinfo_endpoint": "javascript:x" }),
        json!({ "authorization_endpoint": "https://id.example.org/;script-src" }),
        json!({ "response_types_supported": ["id_token"] }),
        json!({ "code_challenge_methods_supported": ["plain"] }),
        json!({ "id_token_signing_alg_values_supported": ["HS256"] }),
        json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }),
        json!({ "token_endpoint": 7 }),
    ] {
        assert!(document(wrong.clone()).is_err(), "{wrong}");
    }
    assert_eq!(
        Discovery::address("https://a/b/"),
        "https://a/b/.well-known/openid-configuration"
    );
}

#[test]
fn groups_give_roles() {
    let mut groups = Groups {
        claim: "groups".to_owned(),
        triagers: BTreeSet::from(["security".to_owned()]),
        administrators: BTreeSet::from(["owners".to_owned()]),
        others: Others::Maintainers,
    };
    let role = |groups: &Groups, claims: Value| {
        let claims = claims.as_object().unwrap().clone();
        groups.of(&claims).map(|found| groups.role(&found))
    };
    assert_eq!(
        role(&groups, json!({ "groups": ["security"] })),
        Some(Some(Role::Triager))
    );
    assert_eq!(
        role(&groups, json!({ "groups": ["security", "owners", 7] })),
        Some(Some(Role::Administrator))
    );
    assert_eq!(
        role(&groups, json!({ "groups": "owners" })),
        Some(Some(Role::Administrator))
    );
    assert_eq!(
        role(&groups, json!({ "groups": ["Security", "security2"] })),
        Some(Some(Role::Anonymous))
    );
    assert_eq!(role(&groups, json!({})), None);
    groups.others = Others::Nobody;
    assert_eq!(role(&groups, json!({ "groups": [] })), Some(None));
    groups.claim = "realm_access.roles".to_owned();
    assert_eq!(
        role(&groups, json!({ "realm_access": { "roles": ["owners"] } })),
        Some(Some(Role::Administrator))
    );
    groups.claim = "https://example.org/groups".to_owned();
    assert_eq!(
        role(
            &groups,
            json!({ "https://example.org/groups": ["security"] })
        ),
        Some(Some(Role::Triager))
    );
}

proptest! {
    #[test]
    fn no_text_is_a_token(text in "\\PC{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let keys = Signer::new().keys();
        assert!(verify(&text, &keys, expected()).is_err());
        let part = Base64UrlUnpadded::encode_string(&bytes);
        assert!(verify(&format!("{part}.{part}.{part}"), &keys, expected()).is_err());
        drop((Keys::read(&bytes), Discovery::read(&bytes, ISSUER)));
        let groups = Groups { claim: text, triagers: BTreeSet::new(), administrators: BTreeSet::new(), others: Others::Nobody };
        assert_eq!(groups.of(&Map::new()), None);
    }
}
