//! Each rule is provoked on an image made for it; hostile bytes are judged without a panic.

use crate::{Weight, current_level, lint, modules, questionnaire};
use boot_pe::sbat::SbatLevel;
use boot_pe::{Image, Machine, NewSection, addon_base, rebuild};
use boot_signature::{Certificate, CertificateRequest, Profile, PublicKey, Request, Signer, issue};
use jiff::Timestamp;
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use proptest::prelude::*;

const FINE: &str = "sbat,1,v,p,1,u\nthing,3,v,p,1,u\nthing.own,1,v,p,1,u\n";

fn at() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// An image with these sections.
fn image(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let base = addon_base(Machine::X64).unwrap();
    let base = Image::parse(&base).unwrap();
    let mut all: Vec<NewSection<'_>> = base.sections.iter().map(NewSection::keep).collect();
    for (name, data) in sections {
        all.push(NewSection::data(name, (*data).into()).unwrap());
    }
    rebuild(&base, &all).unwrap()
}

fn rules(file: &[u8], least: Weight) -> Vec<&'static str> {
    let found = lint(file, &current_level(), at()).unwrap();
    let heavy = found.iter().filter(|finding| finding.weight >= least);
    heavy.map(|finding| finding.rule).collect()
}

fn sbat_rules(text: &str) -> Vec<&'static str> {
    let mut rules = rules(&image(&[(".sbat", text.as_bytes())]), Weight::Warning);
    rules.retain(|rule| rule.starts_with("sbat"));
    rules
}

#[test]
fn sbat_data_is_judged_line_by_line() {
    assert_eq!(sbat_rules(FINE), [""; 0]);
    assert_eq!(sbat_rules("thing,1,v,p,1,u\n"), ["sbat-malformed"]);
    assert_eq!(
        sbat_rules("sbat,1,v,p,1,u\nthing,3,v,p,1,u\n"),
        ["sbat-vendor"]
    );
    let line = |line: &str| sbat_rules(&format!("{FINE}{line}\n"));
    assert_eq!(line("thing,4,v,p,1,u"), ["sbat-duplicate"]);
    assert_eq!(line("other,4,,p,1,u"), ["sbat-empty-field"]);
    assert_eq!(line("other.x,4,v,p,1,u"), ["sbat-vendor-name"]);
    assert_eq!(line("grub,4,v,p,1,u"), ["sbat-revoked"]);
    assert_eq!(line("grub,5,v,p,1,u"), [""; 0]);
    let bare = image(&[(".osrel", b"ID=x")]);
    assert!(rules(&bare, Weight::Error).contains(&"sbat-missing"));
}

#[test]
fn a_uki_and_a_stub_need_lines_of_their_own() {
    let uki = |text: &str| {
        let magic: &[u8] = b"#### LoaderInfo: systemd-stub 257.3 ####";
        let sections = [
            (".sdmagic", magic),
            (".sbat", text.as_bytes()),
            (".linux", b"MZ"),
        ];
        let mut rules = rules(&image(&sections), Weight::Warning);
        rules.retain(|rule| rule.starts_with("sbat"));
        rules
    };
    assert_eq!(uki(FINE), ["sbat-uki", "sbat-upstream"]);
    let whole = format!("{FINE}systemd-stub,1,v,p,1,u\nuki.own,1,v,p,1,u\n");
    assert_eq!(uki(&whole), [""; 0]);
}

#[test]
fn headers_and_memory_are_judged() {
    let good = image(&[(".sbat", FINE.as_bytes())]);
    let pe = Image::parse(&good).unwrap().pe_offset as usize;
    let changed = |offset: usize, value: u8| {
        let mut file = good.clone();
        file[pe + offset] = value;
        rules(&file, Weight::Note)
    };
    assert!(changed(24 + 68, 3).contains(&"subsystem"));
    assert!(changed(4, 0x4c).contains(&"machine"));
    assert!(changed(8, 9).contains(&"timestamp"));
    let mut named = FINE.as_bytes().to_vec();
    named.extend(b"# /home/someone/src/main.c");
    let named = image(&[(".sbat", FINE.as_bytes()), (".data", &named)]);
    assert!(rules(&named, Weight::Note).contains(&"build-path"));
    // Writable and executable: an error where the file claims NX compatibility, else a warning.
    let parsed = Image::parse(&good).unwrap();
    let flags = pe + 24 + usize::from(parsed.optional_size) + 36 + 3;
    for (claim, weight) in [(1, Weight::Error), (0, Weight::Warning)] {
        let mut file = good.clone();
        file[pe + 24 + 71] = claim;
        file[flags] |= 0xa0;
        let found = lint(&file, &current_level(), at()).unwrap();
        let found = found.iter().find(|f| f.rule == "writable-executable");
        assert_eq!(found.map(|f| f.weight), Some(weight));
    }
}

/// A P-256 key whose number is given: tests need no randomness.
struct TestKey {
    private: SigningKey,
    public: PublicKey,
}

impl Signer for TestKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(
        &self,
        request: Request<'_>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let signature: p256::ecdsa::Signature = self.private.sign_prehash(&request.digest())?;
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

fn certificate(profile: Profile, years: i64) -> Certificate {
    let private = SigningKey::from_slice(&[7; 32]).unwrap();
    let public = PublicKey::P256(*private.verifying_key());
    let key = TestKey { private, public };
    let from: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let request = CertificateRequest {
        common_name: "vendor",
        profile,
        from,
        until: Timestamp::from_second(from.as_second() + years * 366 * 86_400).unwrap(),
        public_key: &key.public.to_der().unwrap(),
    };
    issue(&request, &key, None).unwrap()
}

/// A shim's parts: the vendor table's sizes and offsets, then the certificate.
fn shim(certificate: &[u8]) -> Vec<u8> {
    let length = certificate.len() as u32;
    let mut table = Vec::new();
    for number in [length, 0, 16, 16 + length] {
        table.extend(number.to_le_bytes());
    }
    table.extend(certificate);
    // Names longer than eight bytes stand in the string table behind the image.
    let mut file = image(&[(".sbat", FINE.as_bytes()), ("/4", &table)]);
    let end = file.len() as u32;
    let pe = Image::parse(&file).unwrap().pe_offset as usize;
    file[pe + 12..pe + 16].copy_from_slice(&end.to_le_bytes());
    file.extend(17_u32.to_le_bytes());
    file.extend(b".vendor_cert\0");
    file
}

#[test]
fn a_shim_is_judged_by_what_it_brings_along() {
    let judged = |certificate: &[u8]| rules(&shim(certificate), Weight::Warning);
    let found = judged(certificate(Profile::Variables, 10).der());
    for rule in [
        "sbat-upstream",
        "shim-version",
        "sbat-level",
        "certificate-key",
        "certificate-validity",
    ] {
        assert!(found.contains(&rule), "{rule}: {found:?}");
    }
    assert!(!found.contains(&"certificate-expired"));
    assert!(judged(certificate(Profile::Code, 2).der()).contains(&"certificate-expired"));
    assert!(!judged(certificate(Profile::Authority, 10).der()).contains(&"certificate-validity"));
    assert!(judged(b"").contains(&"vendor-certificate-missing"));
    assert!(judged(b"no certificate").contains(&"vendor-certificate-unreadable"));
}

/// GRUB's module section with objects of these types and contents.
fn mods(objects: &[(u32, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, content) in objects {
        body.extend(kind.to_le_bytes());
        body.extend((content.len() as u32 + 8).to_le_bytes());
        body.extend(*content);
    }
    let mut bytes = b"mimg\0\0\0\0".to_vec();
    bytes.extend(24_u64.to_le_bytes());
    bytes.extend((24 + body.len() as u64).to_le_bytes());
    bytes.extend(body);
    bytes
}

#[test]
fn a_module_section_is_walked_to_its_end_or_not_at_all() {
    let list = |data: &[u8]| modules(&Image::parse(&image(&[("mods", data)])).unwrap());
    assert_eq!(list(&mods(&[(2, b"a configuration")])), Some(Vec::new()));
    assert_eq!(list(&mods(&[(0, b"no ELF file")])), None);
    assert_eq!(list(b"other"), None);
    let mut endless = mods(&[(2, b"")]);
    endless[28] = 0;
    assert_eq!(list(&endless), None);
    let file = image(&[
        ("mods", &mods(&[(0, b"no ELF file")])),
        (".sbat", FINE.as_bytes()),
    ]);
    let answers = questionnaire(&file).unwrap();
    assert!(answers.iter().any(|a| a.question.contains("GRUB")));
}

proptest! {
    #[test]
    fn any_change_is_judged_without_a_panic(at in 0..4096_usize, value: u8, cut in 0..4096_usize) {
        let modules = mods(&[(2, b"x"), (0, b"\x7fELF")]);
        let mut file = image(&[(".sbat", FINE.as_bytes()), ("mods", &modules)]);
        let at = at % file.len();
        file[at] = value;
        let cut = file.len() - cut % file.len();
        for file in [&file[..], &file[..cut]] {
            let _ = lint(file, &SbatLevel::default(), at_zero());
            let _ = questionnaire(file);
        }
    }

    #[test]
    fn any_module_section_is_walked(data: Vec<u8>) {
        let mut bytes = mods(&[(0, &data)]);
        bytes.extend(&data);
        let file = image(&[("mods", &bytes)]);
        let _ = modules(&Image::parse(&file).unwrap());
    }
}

fn at_zero() -> Timestamp {
    Timestamp::UNIX_EPOCH
}
