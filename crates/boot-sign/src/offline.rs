//! Keys that no program reaches: what is to be signed is written to a file, a person signs it elsewhere, and the same
//! command, run again, finds the answer and goes on. This works because what is signed never changes between runs.

use crate::{Error, Result};
use boot_signature::{HashAlgorithm, PublicKey, Request, Signer};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Longest answer.
const MAX_ANSWER: u64 = 64 * 1024;

/// What stands beside the bytes to sign, for the person who holds the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFile {
    /// What it is.
    pub subject: String,
    /// Digest algorithm: `sha256`, `sha384` or `sha512`.
    pub hash: String,
    /// Kind of the key that shall sign.
    pub key: String,
    /// File with the bytes to sign.
    pub to_be_signed: String,
    /// File that the signature is expected in: PKCS#1 v1.5 for RSA, DER for ECDSA; raw bytes.
    pub signature: String,
    /// A command that does it, for a key in a file.
    pub example: String,
}

/// A folder of requests and answers.
#[derive(Debug)]
pub struct OfflineKey {
    folder: PathBuf,
    public: PublicKey,
    asks: bool,
}

impl OfflineKey {
    /// `public` is what answers are checked with.
    pub fn new(folder: &Path, public: PublicKey) -> OfflineKey {
        OfflineKey {
            folder: folder.to_owned(),
            public,
            asks: true,
        }
    }

    /// The same key, which writes no request.
    #[must_use]
    pub fn without_asking(self) -> OfflineKey {
        OfflineKey {
            asks: false,
            ..self
        }
    }

    fn answer(&self, request: Request<'_>) -> Result<Vec<u8>> {
        let name = hex::encode(HashAlgorithm::Sha256.digest(request.message));
        let at = |extension: &str| self.folder.join(format!("{name}.{extension}"));
        let (wanted, answer) = (at("tbs"), at("sig"));
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::File { path, source }
        };
        match File::open(&answer) {
            Ok(file) => {
                let mut signature = Vec::new();
                file.take(MAX_ANSWER)
                    .read_to_end(&mut signature)
                    .map_err(wrong(&answer))?;
                if !self
                    .public
                    .verifies(request.hash, &request.digest(), &signature)
                {
                    return Err(Error::Offline {
                        path: answer,
                        why: "it is not a signature by the certificate's key over the request",
                    });
                }
                return Ok(signature);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(wrong(&answer)(error)),
        }
        if !self.asks {
            return Err(Error::WouldRequest { request: wanted });
        }
        let hash = format!("{:?}", request.hash).to_lowercase();
        let description = RequestFile {
            subject: request.subject.to_owned(),
            key: self.public.algorithm().to_string(),
            to_be_signed: format!("{name}.tbs"),
            signature: format!("{name}.sig"),
            example: format!("openssl dgst -{hash} -sign KEY -out {name}.sig {name}.tbs"),
            hash,
        };
        std::fs::create_dir_all(&self.folder).map_err(wrong(&self.folder))?;
        let json = serde_json::to_vec_pretty(&description).map_err(Error::algorithm)?;
        write(&at("json"), &json)?;
        write(&wanted, request.message)?;
        Err(Error::Requested {
            request: wanted,
            answer,
        })
    }
}

/// To a temporary name, synced, then renamed.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let wrong = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(wrong)?;
    file.write_all(bytes).map_err(wrong)?;
    file.as_file().sync_all().map_err(wrong)?;
    file.persist(path).map_err(|error| wrong(error.error))?;
    Ok(())
}

impl Signer for OfflineKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(
        &self,
        request: Request<'_>,
    ) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.answer(request)?)
    }
}
