//! Parents: the storage root key that a TPM keeps, or one that is made anew from the owner's seed, and the salt of sessions.
//!
//! Invariants: a storage root key that is there is used as it is, never replaced; whatever is loaded is flushed; what is encrypted
//! to a parent is encrypted to the key whose name the TPM confirmed.
//!
//! Sources: TCG Provisioning Guidance (storage root key at 0x81000001), TCG EK credential profile (templates), systemd's
//! `tpm2-util` (`tpm2_get_legacy_template`), TPM 2.0 library part 1, B.10 and C.6.1 (secrets for RSA and elliptic curve keys).

use crate::crypt::kdfe;
use crate::frame::{Command, Reader, Writer};
use crate::session::{Authorisation, random};
use crate::{Code, Error, Handle, OWNER, Result, Tpm, Transport};
use boot_policy::{Name, PrimaryKey};
use getrandom::SysRng;
use p256::elliptic_curve::sec1::ToSec1Point;
use rsa::BoxedUint;
use rsa::oaep::EncryptingKey;
use rsa::traits::RandomizedEncryptor;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Where the storage root key is, by the TCG's provisioning guidance.
pub const SRK: u32 = 0x8100_0001;
/// Lengths of RSA keys in bits, of which a TPM has the first.
const RSA_BITS: [u16; 3] = [2048, 3072, 4096];
/// The exponent that a TPM writes as zero.
const USUAL_EXPONENT: u32 = 65_537;
/// TPM_ALG_ID.
const RSA: u16 = 0x0001;
const AES: u16 = 0x0006;
const SHA256: u16 = 0x000b;
const NULL: u16 = 0x0010;
const ECC: u16 = 0x0023;
const CFB: u16 = 0x0043;
/// TPM_ECC_NIST_P256.
const P256: u16 = 0x0003;

/// TPMA_OBJECT.
pub(crate) mod attribute {
    pub(crate) const FIXED_TPM: u32 = 1 << 1;
    pub(crate) const FIXED_PARENT: u32 = 1 << 4;
    pub(super) const SENSITIVE_DATA_ORIGIN: u32 = 1 << 5;
    pub(super) const USER_WITH_AUTH: u32 = 1 << 6;
    pub(super) const NO_DA: u32 = 1 << 10;
    pub(super) const RESTRICTED: u32 = 1 << 16;
    pub(super) const DECRYPT: u32 = 1 << 17;
}

/// A storage key, under which secrets are sealed and sessions salted.
#[derive(Debug, Clone)]
pub struct Parent {
    pub(crate) handle: u32,
    pub(crate) name: Name,
    public: Public,
    area: Vec<u8>,
}

/// The public numbers.
#[derive(Debug, Clone)]
enum Public {
    /// On P-256.
    Point {
        x: Vec<u8>,
        y: Vec<u8>,
    },
    Rsa {
        modulus: Vec<u8>,
        exponent: u32,
    },
}

/// A session's salt: for the TPM, and for us.
pub(crate) struct Salt {
    pub(crate) encrypted: Vec<u8>,
    pub(crate) value: Zeroizing<[u8; 32]>,
}

impl Parent {
    /// Its name, which is another one after the TPM was cleared.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// True when it lives in the TPM's permanent memory.
    pub fn is_persistent(&self) -> bool {
        self.handle >> 24 == 0x81
    }

    /// What kind of key it is.
    pub fn kind(&self) -> PrimaryKey {
        match self.public {
            Public::Point { .. } => PrimaryKey::Ecc,
            Public::Rsa { .. } => PrimaryKey::Rsa,
        }
    }

    pub(crate) fn as_handle(&self) -> Handle {
        Handle::named(self.handle, &self.name)
    }

    /// As the TPM software stack serialises it (`Esys_TR_Serialize` 3.2): handle, name, kind of resource, public area. systemd
    /// keeps it in tokens to know the key again.
    pub fn to_bytes(&self) -> Vec<u8> {
        const KEY: u32 = 1;
        Writer::new()
            .u32(self.handle)
            .sized(self.name.as_bytes())
            .u32(KEY)
            .sized(&self.area)
            .into_bytes()
    }

    /// Reads a public area (TPMT_PUBLIC).
    fn read(handle: u32, name: Name, command: &'static str, area: &[u8]) -> Result<Parent> {
        let mut reader = Reader::new(command, area);
        let unusable = |why| Error::Unusable {
            what: format!("storage root key {handle:#010x}"),
            why,
        };
        let kind = reader.u16()?;
        if !matches!(kind, RSA | ECC) {
            return Err(unusable("it is neither an RSA nor an elliptic curve key"));
        }
        if reader.u16()? != SHA256 {
            return Err(unusable("its name is not by SHA-256"));
        }
        let attributes = reader.u32()?;
        let _policy = reader.sized()?;
        if attributes & (attribute::RESTRICTED | attribute::DECRYPT)
            != attribute::RESTRICTED | attribute::DECRYPT
        {
            return Err(unusable("it is no storage key"));
        }
        if (reader.u16()?, reader.u16()?, reader.u16()?) != (AES, 128, CFB) {
            return Err(unusable("it does not encrypt by AES-128 in CFB"));
        }
        if reader.u16()? != NULL {
            return Err(unusable("it has a scheme, and is no storage key"));
        }
        let public = if kind == ECC {
            if (reader.u16()?, reader.u16()?) != (P256, NULL) {
                return Err(unusable("it is not on P-256"));
            }
            let (x, y) = (reader.sized()?.to_vec(), reader.sized()?.to_vec());
            if x.len() != 32 || y.len() != 32 {
                return Err(unusable("its point has not 32 bytes each way"));
            }
            Public::Point { x, y }
        } else {
            let (bits, exponent) = (reader.u16()?, reader.u32()?);
            let modulus = reader.sized()?.to_vec();
            if !RSA_BITS.contains(&bits) || modulus.len() != usize::from(bits) / 8 {
                return Err(unusable("it is not RSA of 2048, 3072 or 4096 bits"));
            }
            let exponent = if exponent == 0 {
                USUAL_EXPONENT
            } else {
                exponent
            };
            Public::Rsa { modulus, exponent }
        };
        reader.end()?;
        Ok(Parent {
            handle,
            name,
            public,
            area: area.to_vec(),
        })
    }

    /// A salt that only the TPM with this key reads.
    ///
    /// # Errors
    /// When the key is none.
    pub(crate) fn salt(&self) -> Result<Salt> {
        let unusable = |why| Error::Unusable {
            what: "storage root key".to_owned(),
            why,
        };
        match &self.public {
            Public::Point { x, y } => {
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                let public = p256::PublicKey::from_sec1_bytes(&point)
                    .map_err(|_| unusable("its public point is not on the curve"))?;
                // A scalar out of range is drawn about once in 2^32 times.
                let secret = loop {
                    if let Ok(secret) =
                        p256::SecretKey::from_slice(&*Zeroizing::new(random::<32>()))
                    {
                        break secret;
                    }
                };
                let shared =
                    p256::ecdh::diffie_hellman(secret.to_nonzero_scalar(), public.as_affine());
                let ours = secret.public_key().to_sec1_point(false);
                let (our_x, our_y) = ours.as_bytes()[1..].split_at(32);
                Ok(Salt {
                    encrypted: Writer::new().sized(our_x).sized(our_y).into_bytes(),
                    value: kdfe(shared.raw_secret_bytes(), b"SECRET", our_x, x),
                })
            }
            Public::Rsa { modulus, exponent } => {
                let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, bytes.len() as u32 * 8);
                let unusable = || unusable("its public numbers are no RSA key");
                let modulus = number(modulus).map_err(|_| unusable())?;
                let exponent = number(&exponent.to_be_bytes()).map_err(|_| unusable())?;
                let key = rsa::PublicKey::new(modulus, exponent).map_err(|_| unusable())?;
                let value = Zeroizing::new(random::<32>());
                let key = EncryptingKey::<Sha256>::new_with_label(key, b"SECRET\0".as_slice());
                let encrypted = key.encrypt_with_rng(&mut SysRng, &*value);
                Ok(Salt {
                    encrypted: encrypted.map_err(|_| unusable())?,
                    value,
                })
            }
        }
    }
}

/// Which key is made when none is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// The storage root key of the TCG's EK credential profile (H-2 with AES-128), which systemd uses since 253.
    Standard,
    /// systemd's up to 252: the same, but subject to the lock-out.
    Systemd252,
    /// systemd's up to 252 on TPMs without elliptic curves: RSA of 2048 bits, subject to the lock-out.
    Systemd252Rsa,
}

fn template(template: Template) -> Writer {
    use attribute::{
        DECRYPT, FIXED_PARENT, FIXED_TPM, NO_DA, RESTRICTED, SENSITIVE_DATA_ORIGIN, USER_WITH_AUTH,
    };
    let no_lockout = match template {
        Template::Standard => NO_DA,
        Template::Systemd252 | Template::Systemd252Rsa => 0,
    };
    let rsa = template == Template::Systemd252Rsa;
    let start = Writer::new()
        .u16(if rsa { RSA } else { ECC })
        .u16(SHA256)
        .u32(
            FIXED_TPM
                | FIXED_PARENT
                | SENSITIVE_DATA_ORIGIN
                | USER_WITH_AUTH
                | no_lockout
                | RESTRICTED
                | DECRYPT,
        )
        .sized(&[])
        .u16(AES)
        .u16(128)
        .u16(CFB)
        .u16(NULL);
    if rsa {
        start.u16(2048).u32(0).sized(&[])
    } else {
        start.u16(P256).u16(NULL).sized(&[]).sized(&[])
    }
}

/// True when nothing is at a handle.
fn is_nothing(error: &Error) -> bool {
    error
        .failure()
        .is_some_and(|failure| failure.code() == Code::Handle)
}

impl<T: Transport> Tpm<T> {
    /// The storage root key: the persistent one when it is there and usable, else one made anew from the owner's seed, which
    /// is the same each time. Flush it by [`Tpm::release`].
    ///
    /// # Errors
    /// When the TPM refuses.
    pub fn parent(&mut self) -> Result<Parent> {
        match self.persistent(SRK) {
            Ok(parent) => Ok(parent),
            Err(Error::Unusable { .. }) => self.primary(Template::Standard),
            Err(error) if is_nothing(&error) => self.primary(Template::Standard),
            Err(error) => Err(error),
        }
    }

    /// The storage root key that the TPM keeps; none when there is nothing at its handle.
    ///
    /// # Errors
    /// When something else is there, or the TPM refuses.
    pub fn kept(&mut self) -> Result<Option<Parent>> {
        match self.persistent(SRK) {
            Ok(parent) => Ok(Some(parent)),
            Err(error) if is_nothing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has the TPM keep the standard storage root key, where it keeps none. What is sealed under it is released while the TPM is
    /// locked out, where no PIN is asked for.
    ///
    /// # Errors
    /// When something else is at its handle, which is left alone; when the TPM refuses.
    pub fn keep(&mut self, owner: &[u8]) -> Result<Parent> {
        if let Some(parent) = self.kept()? {
            return Ok(parent);
        }
        let made = self.primary(Template::Standard)?;
        let kept = self.run(
            Command::EVICT_CONTROL,
            &[Handle::plain(OWNER), made.as_handle()],
            Authorisation::Password(owner),
            Writer::new().u32(SRK),
        );
        let released = self.release(made);
        kept?;
        released?;
        self.persistent(SRK)
    }

    /// A persistent storage key.
    ///
    /// # Errors
    /// When there is none at the handle, or it is of another kind.
    pub fn persistent(&mut self, handle: u32) -> Result<Parent> {
        let answer = self.run(
            Command::READ_PUBLIC,
            &[Handle::plain(handle)],
            Authorisation::None,
            Writer::new(),
        )?;
        let mut reader = answer.reader();
        let area = reader.sized()?;
        let name = Name::from_bytes(reader.sized()?)?;
        if Name::of_public(area) != name {
            return Err(reader.wrong("the name is not that of the public area"));
        }
        Parent::read(handle, name, "ReadPublic", area)
    }

    /// The key that a template comes to, from the owner's seed. Flush it by [`Tpm::release`].
    ///
    /// # Errors
    /// When the TPM refuses.
    pub fn primary(&mut self, of: Template) -> Result<Parent> {
        let sensitive = Writer::new().sized(&[]).sized(&[]).into_bytes();
        let parameters = Writer::new()
            .sized(&sensitive)
            .sized(&template(of).into_bytes())
            .sized(&[])
            .u32(0);
        let answer = self.run(
            Command::CREATE_PRIMARY,
            &[Handle::plain(OWNER)],
            Authorisation::Password(&[]),
            parameters,
        )?;
        let handle = answer.made()?;
        let area = answer.reader().sized()?.to_vec();
        let name = Name::of_public(&area);
        Parent::read(handle, name, "CreatePrimary", &area)
    }

    /// Lets go of a parent that was made anew.
    ///
    /// # Errors
    /// When the TPM refuses.
    pub fn release(&mut self, parent: Parent) -> Result<()> {
        if parent.is_persistent() {
            return Ok(());
        }
        self.flush(parent.handle)
    }

    pub(crate) fn flush(&mut self, handle: u32) -> Result<()> {
        let parameters = Writer::new().u32(handle);
        self.run(Command::FLUSH, &[], Authorisation::None, parameters)
            .map(drop)
    }
}
