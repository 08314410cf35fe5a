//! Keys, certificates and images to sign, made anew for each run.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use boot_pe::{Image, NewSection, rebuild};
use boot_sign::{FileKey, NewKey, PinSource, Pins, create_in_file};
use boot_signature::{
    Certificate, CertificateRequest, HashAlgorithm, Profile, Signer, issue, sign_image,
};
use boot_variables::{Guid, Update};
use jiff::{Timestamp, ToSpan};
use std::path::Path;

/// Who owns every entry.
pub(crate) const OWNER: Guid = Guid::from_u128(0x11111111_2222_3333_4444_123456789abc);

/// A key with its certificate and those above it.
pub(crate) struct Identity {
    key: FileKey,
    pub(crate) certificate: Certificate,
    above: Vec<Certificate>,
}

/// From when to when, in days from now.
pub(crate) type Days = (i64, i64);
/// Valid now.
pub(crate) const NOW: Days = (-10, 3650);

impl Identity {
    /// A new key and its certificate, self-signed or issued by `issuer`.
    pub(crate) fn new(
        name: &str,
        kind: NewKey,
        profile: Profile,
        days: Days,
        issuer: Option<&Identity>,
    ) -> Identity {
        let pem = create_in_file(kind).unwrap();
        let mut pins = Pins::new(PinSource::Prompt);
        let key = FileKey::parse(pem.as_bytes(), Path::new(name), &mut pins).unwrap();
        let public_key = key.public_key().to_der().unwrap();
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let day = |count: i64| now.checked_add((count * 24).hours()).unwrap();
        let request = CertificateRequest {
            common_name: name,
            profile,
            from: day(days.0),
            until: day(days.1),
            public_key: &public_key,
        };
        let certificate = match issuer {
            Some(issuer) => issue(&request, &issuer.key, Some(&issuer.certificate)),
            None => issue(&request, &key, None),
        };
        let above = issuer.map_or(Vec::new(), |issuer| {
            let mut above = vec![issuer.certificate.clone()];
            above.extend(issuer.above.iter().cloned());
            above
        });
        Identity {
            key,
            certificate: certificate.unwrap(),
            above,
        }
    }

    /// RSA-2048, for code, valid now, self-signed: what most people have.
    pub(crate) fn plain(name: &str) -> Identity {
        Identity::new(name, NewKey::Rsa2048, Profile::Code, NOW, None)
    }

    /// RSA-2048, for code, valid now, issued.
    pub(crate) fn issued(name: &str, issuer: &Identity) -> Identity {
        Identity::new(name, NewKey::Rsa2048, Profile::Code, NOW, Some(issuer))
    }

    /// The key and certificate that `keys create` has made for a role in this folder.
    pub(crate) fn read(folder: &Path, role: &str) -> Identity {
        let mut pins = Pins::new(PinSource::Prompt);
        let certificate = std::fs::read(folder.join(format!("{role}.crt"))).unwrap();
        Identity {
            key: FileKey::read(&folder.join(format!("{role}.key")), &mut pins).unwrap(),
            certificate: Certificate::read(&certificate).unwrap(),
            above: Vec::new(),
        }
    }

    /// Like a MOK that is marked for kernel modules alone, as distributions make them with OpenSSL.
    pub(crate) fn for_modules(name: &str, folder: &Path) -> Identity {
        let (key, certificate) = (folder.join("modules.key"), folder.join("modules.crt"));
        let output = std::process::Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
            ])
            .args(["-subj", &format!("/CN={name}")])
            .args([
                "-addext",
                "extendedKeyUsage=codeSigning,1.3.6.1.4.1.2312.16.1.2",
            ])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut pins = Pins::new(PinSource::Prompt);
        Identity {
            key: FileKey::read(&key, &mut pins).unwrap(),
            certificate: Certificate::read(&std::fs::read(certificate).unwrap()).unwrap(),
            above: Vec::new(),
        }
    }

    /// What signs.
    pub(crate) fn signer(&self) -> &dyn Signer {
        &self.key
    }

    /// An update of a variable, signed.
    pub(crate) fn sign_update(&self, update: &Update) -> Vec<u8> {
        update.sign(&self.key, &self.certificate).unwrap()
    }

    /// The image with one more signature, which carries the certificates above.
    pub(crate) fn sign(&self, image: Vec<u8>) -> Vec<u8> {
        self.sign_with(image, HashAlgorithm::Sha256, &self.above)
    }

    /// The image with one more signature by this digest, carrying these certificates beside the signer's.
    pub(crate) fn sign_with(
        &self,
        mut image: Vec<u8>,
        hash: HashAlgorithm,
        above: &[Certificate],
    ) -> Vec<u8> {
        let certificates: Vec<&Certificate> =
            std::iter::once(&self.certificate).chain(above).collect();
        sign_image(
            &mut image,
            &self.key,
            &certificates,
            hash,
            true,
            "a test image",
        )
        .unwrap();
        image
    }
}

/// The probe, which the stage has built.
pub(crate) fn probe() -> Vec<u8> {
    let path =
        std::env::var("BOOT_PROBE").expect("BOOT_PROBE names the probe; stage 55-boot-vm sets it");
    std::fs::read(path).unwrap()
}

/// The probe with another time stamp: another image hash, the same program.
pub(crate) fn stamped(number: u32) -> Vec<u8> {
    let mut bytes = probe();
    let at = Image::parse(&bytes).unwrap().pe_offset as usize + 8;
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    bytes
}

/// The image with an `.sbat` section of this text.
pub(crate) fn with_sbat(bytes: &[u8], text: &str) -> Vec<u8> {
    let image = Image::parse(bytes).unwrap();
    let mut sections: Vec<NewSection<'_>> = image.sections.iter().map(NewSection::keep).collect();
    sections.push(NewSection::data(".sbat", text.as_bytes().into()).unwrap());
    rebuild(&image, &sections).unwrap()
}

/// SHA-256 of an image, as lists hold it.
pub(crate) fn image_hash(bytes: &[u8]) -> [u8; 32] {
    let digest = HashAlgorithm::Sha256.image_digest(&Image::parse(bytes).unwrap());
    digest.unwrap().try_into().unwrap()
}
