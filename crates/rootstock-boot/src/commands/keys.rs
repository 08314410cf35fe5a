//! `keys ...`: key pairs and certificates for the roles of a machine's boot chain.

use super::enroll;
use super::key::PinOptions;
use crate::commands::number::number;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_sign::{FileKey, KeyReference, Keys, NewKey, Pkcs11Uri, create_in_file};
use boot_signature::{Certificate, CertificateRequest, Profile, Signer, issue};
use boot_variables::{EfiTime, Guid};
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Keys and certificates.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make key pairs and self-signed certificates, one for each role, in a folder or a token.
    #[command(after_help = "\
For role ROLE the folder gets ROLE.key (unless a token has it), ROLE.crt (PEM), ROLE.der and, for PCR keys, ROLE.pub.
Existing keys are never replaced.

Examples:
  rootstock-boot keys create --name 'Example appliance' keys/
  rootstock-boot keys create --name Example --role db --kind rsa3072 \\
      --token 'pkcs11:token=boot?module-path=/usr/lib/softhsm/libsofthsm2.so' keys/")]
    Create {
        /// Common name; the role is added to it.
        #[arg(long)]
        name: String,
        /// Roles: PK, KEK, db, pcr, verity, ca. All but ca by default.
        #[arg(long, value_enum)]
        role: Vec<Role>,
        /// Kind of key.
        #[arg(long, value_enum, default_value = "rsa2048")]
        kind: Kind,
        /// Days of validity from --from.
        #[arg(long, default_value_t = 3650, value_parser = number(1_i64, 36_500))]
        days: i64,
        /// First moment of validity; now by default. Fixed, the same key gives the same certificate.
        #[arg(long, value_name = "RFC 3339")]
        from: Option<Timestamp>,
        /// Make the keys in this token, labelled with the role; they can't be taken out of it.
        #[arg(long, value_name = "pkcs11:URI")]
        token: Option<String>,
        #[command(flatten)]
        pin: PinOptions,
        /// An existing folder.
        folder: PathBuf,
    },
    /// Sign the variables PK, KEK and db with the keys of a folder: files for systemd-boot's enrolment, or this machine.
    #[command(after_help = "\
Writes PK.auth, KEK.auth, db.auth (and .esl) into --output, which is loader/keys/NAME/ on the ESP for systemd-boot's
secure-boot-enroll. With --live the variables are written too, db first and PK last; the machine must be in setup mode.
Try it with --dry-run first.

Examples:
  rootstock-boot keys enroll --output esp/loader/keys/auto keys/
  rootstock-boot --dry-run keys enroll --live --output . keys/")]
    Enroll {
        /// Owner of the entries; follows from the PK certificate by default.
        #[arg(long)]
        owner: Option<Guid>,
        /// A further certificate or list for KEK or db: NAME=FILE, such as the firmware vendor's.
        #[arg(long, value_name = "NAME=FILE")]
        also: Vec<String>,
        /// The key of PK, when a token has it; else PK.key of the folder.
        #[arg(long, value_name = "FILE|pkcs11:URI|offline:FOLDER")]
        pk_key: Option<String>,
        /// The key of KEK, when a token has it; else KEK.key of the folder.
        #[arg(long, value_name = "FILE|pkcs11:URI|offline:FOLDER")]
        kek_key: Option<String>,
        #[command(flatten)]
        pin: PinOptions,
        /// Time of the updates; now by default.
        #[arg(long, value_name = "RFC 3339")]
        time: Option<Timestamp>,
        /// Write the variables of this machine.
        #[arg(long)]
        live: bool,
        /// Where this machine's variables are.
        #[arg(long, value_name = "FOLDER", default_value = super::source::EFIVARFS)]
        efivars: PathBuf,
        /// An existing folder for the files.
        #[arg(long, short)]
        output: PathBuf,
        /// The folder with the keys and certificates.
        folder: PathBuf,
    },
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize)]
pub(crate) enum Role {
    /// Platform key.
    #[value(name = "PK")]
    #[serde(rename = "PK")]
    Pk,
    /// Key exchange key.
    #[value(name = "KEK")]
    #[serde(rename = "KEK")]
    Kek,
    /// Signs boot files.
    #[value(name = "db")]
    #[serde(rename = "db")]
    Db,
    /// Signs PCR policies.
    #[value(name = "pcr")]
    #[serde(rename = "pcr")]
    Pcr,
    /// Signs dm-verity root hashes.
    #[value(name = "verity")]
    #[serde(rename = "verity")]
    Verity,
    /// Issues code signing certificates.
    #[value(name = "ca")]
    #[serde(rename = "ca")]
    Ca,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Role::Pk => "PK",
            Role::Kek => "KEK",
            Role::Db => "db",
            Role::Pcr => "pcr",
            Role::Verity => "verity",
            Role::Ca => "ca",
        }
    }

    fn profile(self) -> Profile {
        match self {
            Role::Pk | Role::Kek | Role::Pcr => Profile::Variables,
            Role::Db | Role::Verity => Profile::Code,
            Role::Ca => Profile::Authority,
        }
    }
}

/// Kinds of keys.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Kind {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    P256,
    P384,
}

impl From<Kind> for NewKey {
    fn from(kind: Kind) -> NewKey {
        match kind {
            Kind::Rsa2048 => NewKey::Rsa2048,
            Kind::Rsa3072 => NewKey::Rsa3072,
            Kind::Rsa4096 => NewKey::Rsa4096,
            Kind::P256 => NewKey::P256,
            Kind::P384 => NewKey::P384,
        }
    }
}

#[derive(Serialize)]
struct Created {
    role: Role,
    key: String,
    certificate: PathBuf,
    subject: String,
    fingerprint: String,
    not_after: Timestamp,
}

pub(crate) fn run(command: Command, out: &Out) -> anyhow::Result<Verdict> {
    match command {
        Command::Create {
            name,
            role,
            kind,
            days,
            from,
            token,
            pin,
            folder,
        } => {
            let roles = if role.is_empty() {
                vec![Role::Pk, Role::Kek, Role::Db, Role::Pcr, Role::Verity]
            } else {
                role
            };
            // Whole seconds: certificates know nothing finer.
            let from = from.unwrap_or_else(Timestamp::now);
            let from = Timestamp::from_second(from.as_second())?;
            let until = from.checked_add((days * 24).hours())?;
            // Not parsed by the argument parser: its messages repeat the value, and that may hold a PIN.
            let token: Option<Pkcs11Uri> = token.map(|text| text.parse()).transpose()?;
            let mut keys = pin.keys(out)?;
            let mut created = Vec::new();
            for role in roles {
                let place = match &token {
                    Some(token) => Place::Token(token.clone()),
                    None => Place::Folder,
                };
                let common_name = format!("{name} {}", role.as_str());
                let request = (common_name.as_str(), from, until);
                created.push(create(
                    role,
                    kind.into(),
                    place,
                    request,
                    &folder,
                    &mut keys,
                    out,
                )?);
            }
            out.answer(&created, |created| {
                let line =
                    |c: &Created| format!("{}: {} ({})", c.certificate.display(), c.subject, c.key);
                created.iter().map(line).collect::<Vec<_>>().join("\n")
            })?;
            Ok(Verdict::Good)
        }
        Command::Enroll {
            owner,
            also,
            pk_key,
            kek_key,
            pin,
            time,
            live,
            efivars,
            output,
            folder,
        } => {
            let certificate = |name: &str| {
                let path = folder.join(format!("{name}.crt"));
                let found = super::key::certificates(&path)?;
                found
                    .into_iter()
                    .next()
                    .with_context(|| format!("{}: no certificate", path.display()))
            };
            let mut keys = pin.keys(out)?;
            let mut open = |given: Option<String>, name: &str, certificate: &Certificate| {
                let reference: KeyReference = match given {
                    Some(text) => text.parse()?,
                    None => KeyReference::File(folder.join(format!("{name}.key"))),
                };
                Ok::<_, anyhow::Error>(keys.open(&reference, Some(certificate))?)
            };
            let (pk, kek, db) = (certificate("PK")?, certificate("KEK")?, certificate("db")?);
            let pk_signer = open(pk_key, "PK", &pk)?;
            let kek_signer = open(kek_key, "KEK", &kek)?;
            let own: [u8; 16] = pk.fingerprint()[..16]
                .try_into()
                .context("a fingerprint has 32 bytes")?;
            let owner = owner.unwrap_or(Guid::from_hash(&own));
            let plan = enroll::plan(owner, [&db, &kek, &pk], &also)?;
            let time = EfiTime::from(time.unwrap_or_else(Timestamp::now));
            let signers = enroll::Signers {
                pk: (&*pk_signer, &pk),
                kek: (&*kek_signer, &kek),
            };
            let signed = enroll::sign(&plan, &signers, time)?;
            enroll::write(&signed, &output, live.then_some(&*efivars), out)
        }
    }
}

enum Place {
    Folder,
    Token(Pkcs11Uri),
}

fn create(
    role: Role,
    kind: NewKey,
    place: Place,
    (common_name, from, until): (&str, Timestamp, Timestamp),
    folder: &Path,
    keys: &mut Keys,
    out: &Out,
) -> anyhow::Result<Created> {
    let at = |extension: &str| folder.join(format!("{}.{extension}", role.as_str()));
    let (signer, key): (Box<dyn Signer>, String) = match place {
        Place::Token(mut uri) => {
            uri.object = Some(role.as_str().to_owned());
            let shown = uri.to_string();
            anyhow::ensure!(
                !out.dry_run,
                "{shown}: a key in a token can't be made in a dry run"
            );
            (keys.create_in_token(&uri, kind)?, shown)
        }
        Place::Folder => {
            let path = at("key");
            let pem = create_in_file(kind)?;
            files::write_secret(out, &path, pem.as_bytes())?;
            let key = FileKey::parse(pem.as_bytes(), &path, keys.pins())?;
            (Box::new(key), path.display().to_string())
        }
    };
    let public = signer.public_key().to_der()?;
    let request = CertificateRequest {
        common_name,
        profile: role.profile(),
        from,
        until,
        public_key: &public,
    };
    let certificate: Certificate =
        issue(&request, &*signer, None).context(common_name.to_owned())?;
    files::write(out, &at("crt"), certificate.pem().as_bytes())?;
    files::write(out, &at("der"), certificate.der())?;
    if role == Role::Pcr {
        files::write(out, &at("pub"), signer.public_key().to_pem()?.as_bytes())?;
    }
    Ok(Created {
        role,
        key,
        certificate: at("crt"),
        subject: certificate.subject(),
        fingerprint: hex::encode(certificate.fingerprint()),
        not_after: until,
    })
}
