//! Names of keys: a path, `pkcs11:...` (RFC 7512) or `offline:FOLDER`.

use crate::{Error, Result};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Longest URI and most attributes that are read.
const MAX_URI: usize = 4096;

/// Where a private key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyReference {
    /// A PEM or DER file.
    File(PathBuf),
    /// An object in a token.
    Pkcs11(Pkcs11Uri),
    /// A folder of request files and answers.
    Offline(PathBuf),
}

impl FromStr for KeyReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<KeyReference> {
        if text.starts_with("pkcs11:") {
            return Ok(KeyReference::Pkcs11(text.parse()?));
        }
        match text.strip_prefix("offline:") {
            Some(folder) => Ok(KeyReference::Offline(folder.into())),
            None => Ok(KeyReference::File(text.into())),
        }
    }
}

/// A PKCS#11 URI: which module, which token, which object. A PIN in it is refused, because it would show in the process
/// list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pkcs11Uri {
    /// Label of the token.
    pub token: Option<String>,
    /// Serial number of the token.
    pub serial: Option<String>,
    /// Manufacturer of the token.
    pub manufacturer: Option<String>,
    /// Model of the token.
    pub model: Option<String>,
    /// Label of the key.
    pub object: Option<String>,
    /// Identifier of the key.
    pub id: Option<Vec<u8>>,
    /// The module's shared library.
    pub module_path: Option<PathBuf>,
}

/// Percent-decoding; `None` when a percent sign is not followed by two hexadecimal digits.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let [high, low, tail @ ..] = tail else {
                return None;
            };
            let digit = |byte: u8| char::from(byte).to_digit(16);
            bytes.push((digit(*high)? * 16 + digit(*low)?) as u8);
            rest = tail;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    Some(bytes)
}

impl FromStr for Pkcs11Uri {
    type Err = Error;

    fn from_str(text: &str) -> Result<Pkcs11Uri> {
        // The text may hold a PIN; errors show only what stands before the query.
        let shown = text.split('?').next().unwrap_or_default().to_owned();
        let wrong = |why: String| Error::Reference {
            reference: shown.clone(),
            why,
        };
        if text.len() > MAX_URI {
            return Err(wrong(format!("longer than {MAX_URI} bytes")));
        }
        let body = text
            .strip_prefix("pkcs11:")
            .ok_or_else(|| wrong("it does not start with `pkcs11:`".to_owned()))?;
        let (path, query) = body.split_once('?').unwrap_or((body, ""));
        let mut uri = Pkcs11Uri::default();
        let attributes = path.split(';').chain(query.split('&'));
        for attribute in attributes.filter(|attribute| !attribute.is_empty()) {
            let (name, value) = attribute
                .split_once('=')
                .ok_or_else(|| wrong("an attribute has no `=`".to_owned()))?;
            let bytes = decode(value)
                .ok_or_else(|| wrong(format!("attribute `{name}` has a broken percent code")))?;
            let words = || {
                String::from_utf8(bytes.clone())
                    .map_err(|_| wrong(format!("attribute `{name}` is not UTF-8")))
            };
            let twice = match name {
                "token" => uri.token.replace(words()?).is_some(),
                "serial" => uri.serial.replace(words()?).is_some(),
                "manufacturer" => uri.manufacturer.replace(words()?).is_some(),
                "model" => uri.model.replace(words()?).is_some(),
                "object" => uri.object.replace(words()?).is_some(),
                "id" => uri.id.replace(bytes).is_some(),
                "module-path" => uri.module_path.replace(words()?.into()).is_some(),
                "type" if words()? == "private" => false,
                "type" => return Err(wrong("only `type=private` names a signing key".to_owned())),
                "pin-value" | "pin-source" => {
                    return Err(wrong(
                        "a PIN does not belong into the URI: use --pin-file or --pin-credential"
                            .to_owned(),
                    ));
                }
                other => return Err(wrong(format!("attribute `{other}` is not supported"))),
            };
            if twice {
                return Err(wrong(format!("attribute `{name}` occurs twice")));
            }
        }
        Ok(uri)
    }
}

impl fmt::Display for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let encode = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut text, byte| {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                        text.push(char::from(*byte));
                    }
                    other => {
                        let _ = write!(text, "%{other:02X}");
                    }
                }
                text
            })
        };
        let fields = [
            ("token", self.token.as_deref().map(str::as_bytes)),
            ("serial", self.serial.as_deref().map(str::as_bytes)),
            (
                "manufacturer",
                self.manufacturer.as_deref().map(str::as_bytes),
            ),
            ("model", self.model.as_deref().map(str::as_bytes)),
            ("object", self.object.as_deref().map(str::as_bytes)),
            ("id", self.id.as_deref()),
        ];
        let present: Vec<String> = fields
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", encode((*value)?))))
            .collect();
        write!(f, "pkcs11:{}", present.join(";"))?;
        match &self.module_path {
            Some(path) => write!(
                f,
                "?module-path={}",
                encode(path.as_os_str().as_encoded_bytes())
            ),
            None => Ok(()),
        }
    }
}
