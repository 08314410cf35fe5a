//! The options that name a key, its certificate and the source of its PIN; shared by every command that signs.

use crate::files;
use crate::print::Out;
use anyhow::Context;
use boot_sign::{KeyReference, Keys, PinSource};
use boot_signature::{Certificate, Signer};
use std::path::{Path, PathBuf};

/// Which key signs.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyOptions {
    /// The private key: a PEM or DER file, a PKCS#11 URI, or offline:FOLDER for request files.
    #[arg(long, value_name = "FILE|pkcs11:URI|offline:FOLDER")]
    pub(crate) key: String,
    /// The certificate that belongs to it, PEM or DER; further ones in the file go along into the signature.
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: PathBuf,
    #[command(flatten)]
    pub(crate) pin: PinOptions,
}

/// Where the PIN comes from; without an option it is asked for on the terminal, once a run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PinOptions {
    /// Read the PIN or passphrase from the first line of this file.
    #[arg(long, value_name = "FILE", conflicts_with = "pin_credential")]
    pin_file: Option<PathBuf>,
    /// Take the PIN or passphrase from this credential of the service manager.
    #[arg(long, value_name = "NAME")]
    pin_credential: Option<String>,
}

impl PinOptions {
    /// The keys of this run; those of a dry run write no requests.
    pub(crate) fn keys(&self, out: &Out) -> anyhow::Result<Keys> {
        let source = match (&self.pin_file, &self.pin_credential) {
            (Some(path), _) => PinSource::File(path.clone()),
            (None, Some(name)) => PinSource::Credential {
                folder: std::env::var_os("CREDENTIALS_DIRECTORY")
                    .context("--pin-credential: the service manager gave no CREDENTIALS_DIRECTORY")?
                    .into(),
                name: name.clone(),
            },
            (None, None) => PinSource::Prompt,
        };
        let keys = Keys::new(source);
        Ok(if out.dry_run {
            keys.without_asking()
        } else {
            keys
        })
    }
}

/// A key that is open, with its certificates.
pub(crate) struct OpenKey {
    pub(crate) signer: Box<dyn Signer>,
    pub(crate) certificates: Vec<Certificate>,
}

impl OpenKey {
    /// The signer's certificate first.
    pub(crate) fn certificates(&self) -> Vec<&Certificate> {
        self.certificates.iter().collect()
    }

    /// The signer's own certificate.
    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificates[0]
    }
}

impl KeyOptions {
    /// Opens the key; a certificate of another key is an error before anything is signed.
    pub(crate) fn open(&self, out: &Out) -> anyhow::Result<OpenKey> {
        OpenKey::open(&self.key, &self.certificate, &mut self.pin.keys(out)?)
    }
}

impl OpenKey {
    /// Opens the key that `key` names, which `certificate` must belong to.
    pub(crate) fn open(key: &str, certificate: &Path, keys: &mut Keys) -> anyhow::Result<OpenKey> {
        // Not parsed by the argument parser: its messages repeat the value, and that may hold a PIN.
        let reference: KeyReference = key.parse()?;
        let certificates = certificates(certificate)?;
        let own = certificates
            .first()
            .with_context(|| format!("{}: no certificate", certificate.display()))?;
        let signer = keys.open(&reference, Some(own))?;
        anyhow::ensure!(
            *signer.public_key() == own.public_key()?,
            "{}: the certificate belongs to another key",
            certificate.display()
        );
        Ok(OpenKey {
            signer,
            certificates,
        })
    }
}

/// All certificates of a file.
pub(crate) fn certificates(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    Certificate::read_all(&files::read(path)?).with_context(|| path.display().to_string())
}
