//! DSSE envelopes: a payload, its type, and signatures over both.
//!
//! Invariant: a signature counts once for a key, whatever the envelope says about key identifiers.

use super::{ProvenanceError, PublicKey, SigningKey};
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The type of an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Most signatures of an envelope.
pub const MAX_SIGNATURES: usize = 64;
/// Longest payload in base64.
const MAX_PAYLOAD: usize = 16 << 20;

/// An envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    /// A hint only; it is not believed.
    keyid: String,
    sig: String,
}

/// What is signed: type and payload, each with its length.
pub(super) fn pre_authentication(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

impl Envelope {
    /// Signs a payload with each key.
    ///
    /// # Errors
    /// [`ProvenanceError::Token`].
    pub fn sign(payload: &[u8], keys: &[SigningKey]) -> Result<Envelope, ProvenanceError> {
        let message = pre_authentication(PAYLOAD_TYPE, payload);
        let sign = |key: &SigningKey| {
            Ok(Signature {
                keyid: key.public().id(),
                sig: Base64::encode_string(&key.sign(&message)?),
            })
        };
        Ok(Envelope {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: Base64::encode_string(payload),
            signatures: keys
                .iter()
                .map(sign)
                .collect::<Result<_, ProvenanceError>>()?,
        })
    }

    /// The payload, not yet believed.
    ///
    /// # Errors
    /// [`ProvenanceError::Envelope`].
    pub fn payload(&self) -> Result<Vec<u8>, ProvenanceError> {
        let wrong = |problem: &str| ProvenanceError::Envelope(problem.to_owned());
        if self.payload_type != PAYLOAD_TYPE {
            return Err(wrong("its payload is no in-toto statement"));
        }
        if self.payload.len() > MAX_PAYLOAD || self.signatures.len() > MAX_SIGNATURES {
            return Err(wrong("it is too large"));
        }
        Base64::decode_vec(&self.payload).map_err(|_| wrong("its payload is not base64"))
    }

    /// Which of the keys signed it, by position.
    ///
    /// # Errors
    /// [`ProvenanceError::Envelope`].
    pub fn signers(&self, keys: &[PublicKey]) -> Result<BTreeSet<usize>, ProvenanceError> {
        let message = pre_authentication(&self.payload_type, &self.payload()?);
        let mut signers = BTreeSet::new();
        for signature in &self.signatures {
            let Ok(bytes) = Base64::decode_vec(&signature.sig) else {
                continue;
            };
            signers.extend((0..keys.len()).filter(|key| keys[*key].verifies(&message, &bytes)));
        }
        Ok(signers)
    }
}
