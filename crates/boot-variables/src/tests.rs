//! Lists, updates and stores read back as written; each verdict of the oracle from variables made for it.

use crate::{
    Asker, Change, EfiTime, Entry, EntryKind, Error, Guid, Machine, Platform, Reason, Shim,
    SignedUpdate, Status, Update, Variable, Variables, diff, firmware, guids, merge, read_efivarfs,
    read_lists, read_store, replace_store, shim, write_lists,
};
use boot_pe::sbat::SbatLevel;
use boot_pe::{Image, Machine as Cpu, Uki, UkiSection, addon_base};
use boot_signature::{
    Certificate, CertificateRequest, HashAlgorithm, Profile, PublicKey, Request, Signer, issue,
    sign_image,
};
use jiff::Timestamp;
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use proptest::prelude::*;
use std::borrow::Cow;

struct TestKey(SigningKey, PublicKey);

impl TestKey {
    fn new(number: u8) -> TestKey {
        let private = SigningKey::from_slice(&[number; 32]).unwrap();
        let public = PublicKey::P256(*private.verifying_key());
        TestKey(private, public)
    }

    fn certificate(
        &self,
        name: &str,
        profile: Profile,
        issuer: Option<(&TestKey, &Certificate)>,
    ) -> Certificate {
        let public = self.1.to_der().unwrap();
        let request = CertificateRequest {
            common_name: name,
            profile,
            from: Timestamp::from_second(1_700_000_000).unwrap(),
            until: Timestamp::from_second(1_700_000_001).unwrap(),
            public_key: &public,
        };
        let signer = issuer.map_or(self, |(key, _)| key);
        issue(&request, signer, issuer.map(|(_, certificate)| certificate)).unwrap()
    }
}

impl Signer for TestKey {
    fn public_key(&self) -> &PublicKey {
        &self.1
    }

    fn sign(
        &self,
        request: Request<'_>,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let signature: p256::ecdsa::Signature = self.0.sign_prehash(&request.digest())?;
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

const OWNER: Guid = Guid::from_u128(0x11111111_2222_3333_4444_555555555555);

fn image(sbat: Option<&str>) -> Vec<u8> {
    let base = addon_base(Cpu::X64).unwrap();
    let mut sections = vec![UkiSection {
        name: boot_pe::SectionName::Cmdline,
        data: Cow::Borrowed(b"quiet"),
    }];
    sections.extend(sbat.map(|text| UkiSection {
        name: boot_pe::SectionName::Sbat,
        data: Cow::Owned(text.as_bytes().to_vec()),
    }));
    let contents = Uki {
        base: sections,
        profiles: Vec::new(),
    };
    contents.write_addon(&Image::parse(&base).unwrap()).unwrap()
}

fn hash_entry(file: &[u8], hash: HashAlgorithm) -> Entry {
    Entry {
        kind: EntryKind::Image(hash),
        owner: OWNER,
        data: hash.image_digest(&Image::parse(file).unwrap()).unwrap(),
    }
}

fn machine(db: Vec<Entry>, dbx: Vec<Entry>) -> Machine {
    Machine {
        // The keys of these tests are P-256 ones.
        platform: Platform {
            elliptic_curves: true,
            ..Platform::default()
        },
        secure_boot: true,
        mok_validation: true,
        mok_uses_db: true,
        db,
        dbx,
        ..Machine::default()
    }
}

#[test]
fn guids_print_as_they_are_written_and_lie_mixed_endian() {
    let text = "d719b2cb-3d3a-4596-a3bc-dad00e67656f";
    let guid: Guid = text.parse().unwrap();
    assert_eq!(guid, guids::SECURITY_DATABASE);
    assert_eq!(guid.to_string(), text);
    assert_eq!(guid.0[..4], [0xcb, 0xb2, 0x19, 0xd7]);
    for text in [
        "",
        "d719b2cb",
        "d719b2cb-3d3a-4596-a3bc-dad00e67656",
        "+719b2cb-3d3a-4596-a3bc-dad00e67656f",
    ] {
        assert!(
            matches!(text.parse::<Guid>(), Err(Error::Guid { .. })),
            "{text}"
        );
    }
}

#[test]
fn an_update_signs_what_the_specification_says_and_reads_back() {
    let key = TestKey::new(1);
    let own = key.certificate("KEK", Profile::Variables, None);
    let payload = write_lists(&[Entry::certificate(OWNER, &own)]);
    let time = EfiTime::from(Timestamp::from_second(1_700_000_000).unwrap());
    assert_eq!(
        (time.year, time.month, time.day, time.hour),
        (2023, 11, 14, 22)
    );
    let update = Update::secure_boot("db", payload.clone(), false, time);
    let message = update.to_be_signed();
    assert_eq!(message[..4], [b'd', 0, b'b', 0]);
    assert_eq!(message[4..20], guids::SECURITY_DATABASE.0);
    assert_eq!(message[20..24], [0x27, 0, 0, 0]);
    assert_eq!(message[24..40], time.to_bytes());
    assert_eq!(message[40..], payload);
    let file = update.sign(&key, &own).unwrap();
    let read = SignedUpdate::read(&file).unwrap();
    assert_eq!((read.time, &read.payload), (time, &payload));
    assert!(
        !read.signature.wrapped,
        "bare SignedData, which every firmware reads"
    );
    assert!(read.is_signed_by(&own, "db", false));
    assert!(!read.is_signed_by(&own, "db", true) && !read.is_signed_by(&own, "dbx", false));
    for length in 0..file.len() - payload.len() {
        assert!(
            SignedUpdate::read(&file[..length]).is_err(),
            "cut at {length}"
        );
    }
}

#[test]
fn a_change_is_told_entry_by_entry() {
    let entry = |n: u8| Entry::image_sha256(OWNER, &[n; 32]);
    let before = [entry(1), entry(2)];
    let after = [entry(2), entry(3)];
    assert_eq!(
        diff(&before, &after),
        [Change::Removed(entry(1)), Change::Added(entry(3))]
    );
    assert_eq!(merge(&before, &after), [entry(1), entry(2), entry(3)]);
    assert_eq!(diff(&before, &[entry(2), entry(1)]), []);
}

#[test]
fn efivarfs_names_and_flash_images_are_read() {
    let name = format!("SecureBoot-{}", guids::GLOBAL);
    let variable = read_efivarfs(&name, &[6, 0, 0, 0, 1]).unwrap();
    assert_eq!(
        (
            variable.name.as_str(),
            variable.attributes,
            &variable.data[..]
        ),
        ("SecureBoot", 6, &[1][..])
    );
    for name in [
        "",
        "SecureBoot",
        "-8be4df61-93ca-11d2-aa0d-00e098032b8c",
        "Ä8be4df61-93ca-11d2-aa0d-00e098032b8c",
    ] {
        assert!(read_efivarfs(name, &[0; 5]).is_err(), "{name}");
    }
    assert!(read_efivarfs(&name_of("a"), &[0; 3]).is_err());
    let mut variables = Variables::default();
    variables.insert(Variable::secure_boot(
        "PK",
        vec![1, 2, 3],
        EfiTime::default(),
    ));
    variables.insert(Variable::secure_boot(
        "MokList",
        vec![4; 1001],
        EfiTime::default(),
    ));
    let image = replace_store(&flash(), &variables).unwrap();
    assert_eq!(read_store(&image).unwrap(), variables);
    assert_eq!(image.len(), flash().len());
    assert_eq!(
        replace_store(&image, &Variables::default()).unwrap(),
        flash()
    );
    variables.insert(Variable::secure_boot(
        "db",
        vec![0; 8192],
        EfiTime::default(),
    ));
    assert!(matches!(
        replace_store(&image, &variables),
        Err(Error::Limit { .. })
    ));
    for length in 0..image.len() {
        assert!(read_store(&image[..length]).is_err() || length >= 72 + 4096);
    }
}

fn name_of(name: &str) -> String {
    format!("{name}-{}", guids::GLOBAL)
}

/// An empty store as a formatted flash has it, smaller than a real one.
fn flash() -> Vec<u8> {
    let mut image = vec![0xff; 8192];
    image[..72].fill(0);
    image[40..44].copy_from_slice(b"_FVH");
    image[48..50].copy_from_slice(&72_u16.to_le_bytes());
    image[72..88].copy_from_slice(&Guid::from_u128(0xaaf32c78_947b_439a_a180_2e144ec37792).0);
    image[88..92].copy_from_slice(&4096_u32.to_le_bytes());
    image[92..94].copy_from_slice(&[0x5a, 0xfe]);
    image
}

#[test]
fn firmware_decides_unsigned_files_by_their_hash() {
    let file = image(None);
    let hash = hash_entry(&file, HashAlgorithm::Sha256);
    let decide = |db: &[Entry], dbx: &[Entry]| firmware(&machine(db.to_vec(), dbx.to_vec()), &file);
    let none = decide(&[], &[]);
    assert_eq!(
        (none.status, &none.reason),
        (Status::AccessDenied, &Reason::Unsigned)
    );
    assert!(none.remedies.iter().any(|r| r == "add its SHA-256 to db"));
    let both = std::slice::from_ref(&hash);
    assert!(matches!(
        decide(both, &[]).reason,
        Reason::HashAllowed { .. }
    ));
    let refused = decide(both, both);
    assert!(!refused.boots && matches!(refused.reason, Reason::HashForbidden { .. }));
    let wide = hash_entry(&file, HashAlgorithm::Sha512);
    assert_eq!(
        decide(&[wide], &[]).reason,
        Reason::Unsigned,
        "unsigned files are looked up by SHA-256 alone"
    );
    let off = firmware(&Machine::default(), &file);
    assert!(off.boots && off.reason == Reason::SecureBootOff);
    assert_eq!(
        firmware(&machine(vec![], vec![]), b"no image").status,
        Status::AccessDenied
    );
    assert_eq!(
        firmware(&Machine::default(), b"no image").status,
        Status::Unsupported
    );
}

#[test]
fn firmware_decides_signed_files_by_chain_and_hash_and_any_denial_wins() {
    let (root_key, key, other_key) = (TestKey::new(2), TestKey::new(3), TestKey::new(4));
    let root = root_key.certificate("root", Profile::Authority, None);
    let leaf = key.certificate("leaf", Profile::Code, Some((&root_key, &root)));
    let other = other_key.certificate("other", Profile::Code, None);
    let mut file = image(None);
    sign_image(
        &mut file,
        &key,
        &[&leaf],
        HashAlgorithm::Sha256,
        true,
        "test",
    )
    .unwrap();
    let unsigned_hash = hash_entry(&file, HashAlgorithm::Sha256);
    let cert = |certificate: &Certificate| Entry::certificate(OWNER, certificate);
    let decide = |db: Vec<Entry>, dbx: Vec<Entry>, file: &[u8]| firmware(&machine(db, dbx), file);
    let by_root = decide(vec![cert(&other), cert(&root)], vec![], &file);
    let Reason::CertificateAllowed { entry, chain, .. } = &by_root.reason else {
        panic!("{by_root:?}");
    };
    assert_eq!((entry.index, chain.len()), (1, 2));
    assert!(decide(vec![cert(&leaf)], vec![], &file).boots);
    assert!(decide(vec![unsigned_hash.clone()], vec![], &file).boots);
    let refused = decide(vec![cert(&other)], vec![], &file);
    assert_eq!(
        refused.reason,
        Reason::NotAllowed {
            signers: vec!["CN=leaf".to_owned()]
        }
    );
    for dbx in [
        cert(&leaf),
        cert(&root),
        Entry::certificate_sha256(OWNER, &leaf),
    ] {
        let refused = decide(vec![cert(&root), unsigned_hash.clone()], vec![dbx], &file);
        assert!(
            matches!(refused.reason, Reason::CertificateForbidden { .. }),
            "{refused:?}"
        );
    }
    // The root is revoked by hash and not part of the signature: what it issued is no longer allowed, though not forbidden.
    let refused = decide(
        vec![cert(&root)],
        vec![Entry::certificate_sha256(OWNER, &root)],
        &file,
    );
    assert!(
        matches!(refused.reason, Reason::NotAllowed { .. }),
        "{refused:?}"
    );
    let refused = decide(vec![cert(&root)], vec![unsigned_hash], &file);
    assert!(matches!(refused.reason, Reason::HashForbidden { .. }));
    // A second, foreign signature does no harm; a forbidden one does.
    sign_image(
        &mut file,
        &other_key,
        &[&other],
        HashAlgorithm::Sha256,
        true,
        "test",
    )
    .unwrap();
    assert!(decide(vec![cert(&root)], vec![], &file).boots);
    assert!(decide(vec![cert(&other)], vec![], &file).boots);
    assert!(!decide(vec![cert(&root)], vec![cert(&other)], &file).boots);
    let mut changed = file.clone();
    changed[0x210] ^= 1;
    assert!(!decide(vec![cert(&root), cert(&other)], vec![], &changed).boots);
    let table = Image::parse(&file)
        .unwrap()
        .certificate_table()
        .unwrap()
        .address as usize;
    let mut changed = file.clone();
    changed[table] = 9;
    assert!(matches!(
        decide(vec![cert(&root)], vec![], &changed).reason,
        Reason::TableCorrupt { .. }
    ));
}

#[test]
fn shim_asks_sbat_first_then_its_lists() {
    const FINE: &str = "sbat,1,v,p,1,u\nthing,3,v,p,1,u\n";
    let key = TestKey::new(5);
    let own = key.certificate("mok", Profile::Code, None);
    let signed = |sbat: Option<&str>| {
        let mut file = image(sbat);
        sign_image(
            &mut file,
            &key,
            &[&own],
            HashAlgorithm::Sha256,
            true,
            "test",
        )
        .unwrap();
        file
    };
    let level = |minimum: u32| {
        SbatLevel::parse(format!("sbat,1,2024010100\nthing,{minimum}\n").as_bytes()).unwrap()
    };
    let mut own_machine = machine(vec![], vec![]);
    own_machine.mok = vec![Entry::certificate(OWNER, &own)];
    own_machine.sbat_level = Some(level(3));
    let bare = Shim {
        elliptic_curves: true,
        ..Shim::default()
    };
    let allowed = shim(&own_machine, &bare, Asker::Shim, &signed(Some(FINE)));
    let Reason::CertificateAllowed { entry, .. } = &allowed.reason else {
        panic!("{allowed:?}");
    };
    assert_eq!(entry.list, "MokList");
    let none = shim(&own_machine, &bare, Asker::Shim, &signed(None));
    assert!(matches!(none.reason, Reason::SbatMissing { .. }));
    assert!(
        shim(&own_machine, &bare, Asker::SecondStage, &signed(None)).boots,
        "SBAT data is optional for what the second stage loads"
    );
    let mut broken = signed(Some(FINE));
    let at = broken
        .windows(7)
        .position(|part| part == b"thing,3")
        .unwrap();
    broken[at + 6] = b'x';
    let broken = shim(&own_machine, &bare, Asker::SecondStage, &broken);
    assert_eq!(broken.status, Status::InvalidParameter);
    own_machine.sbat_level = Some(level(4));
    let old = shim(&own_machine, &bare, Asker::Shim, &signed(Some(FINE)));
    assert!(matches!(old.reason, Reason::SbatRevoked { .. }));
    assert!(old.remedies[0].contains("thing generation 4"));
    // The newer of two levels counts, by date.
    let newer = Shim {
        level: Some(SbatLevel::parse(b"sbat,1,2025010100\nthing,1\n").unwrap()),
        authorized: vec![Entry::certificate(OWNER, &own)],
        elliptic_curves: true,
        ..Shim::default()
    };
    let mut empty = machine(vec![], vec![]);
    empty.sbat_level = Some(level(4));
    assert!(
        shim(&empty, &newer, Asker::Shim, &signed(Some(FINE))).boots,
        "shim's own certificate"
    );
    empty.mokx = vec![hash_entry(&signed(Some(FINE)), HashAlgorithm::Sha256)];
    assert!(matches!(
        shim(&empty, &newer, Asker::Shim, &signed(Some(FINE))).reason,
        Reason::HashForbidden { .. }
    ));
    empty.mok_validation = false;
    assert_eq!(
        shim(&empty, &newer, Asker::Shim, &signed(None)).reason,
        Reason::ValidationOff
    );
    let mut wide = image(Some(FINE));
    sign_image(
        &mut wide,
        &key,
        &[&own],
        HashAlgorithm::Sha384,
        true,
        "test",
    )
    .unwrap();
    own_machine.sbat_level = None;
    assert!(
        !shim(&own_machine, &bare, Asker::Shim, &wide).boots,
        "shim hashes by SHA-256 alone"
    );
}

#[test]
fn shim_lets_no_signature_veto_another_and_overlooks_hashes_of_certificates() {
    let (key, revoked_key) = (TestKey::new(6), TestKey::new(7));
    let own = key.certificate("mok", Profile::Code, None);
    let revoked = revoked_key.certificate("revoked", Profile::Code, None);
    let mut file = image(None);
    let mut sign = |key: &TestKey, certificate: &Certificate| {
        let (hash, subject) = (HashAlgorithm::Sha256, "test");
        sign_image(&mut file, key, &[certificate], hash, true, subject).unwrap();
        file.clone()
    };
    let one = sign(&revoked_key, &revoked);
    let both = sign(&key, &own);
    let cert = |certificate: &Certificate| Entry::certificate(OWNER, certificate);
    let mut machine = machine(vec![], vec![cert(&revoked)]);
    machine.mok = vec![cert(&own), cert(&revoked)];
    let loader = Shim {
        elliptic_curves: true,
        ..Shim::default()
    };
    let decide = |machine: &Machine, file: &[u8]| shim(machine, &loader, Asker::Shim, file);
    let refused = decide(&machine, &one);
    assert!(
        matches!(
            refused.reason,
            Reason::CertificateForbidden { signature: 0, .. }
        ),
        "{refused:?}"
    );
    assert!(decide(&machine, &both).boots);
    assert!(!firmware(&machine, &both).boots, "firmware lets it veto");
    machine.dbx = vec![Entry::certificate_sha256(OWNER, &revoked)];
    assert!(decide(&machine, &one).boots);
    let without = Shim::default();
    assert!(
        !shim(&machine, &without, Asker::Shim, &one).boots,
        "no elliptic curves"
    );
}

#[test]
fn what_firmware_can_do_decides_too() {
    let key = TestKey::new(8);
    let own = key.certificate("own", Profile::Code, None);
    let mut file = image(None);
    let hash = HashAlgorithm::Sha256;
    sign_image(&mut file, &key, &[&own], hash, true, "test").unwrap();
    let mut machine = machine(vec![Entry::certificate(OWNER, &own)], vec![]);
    assert!(firmware(&machine, &file).boots);
    machine.platform.processor = Cpu::Aa64;
    assert_eq!(firmware(&machine, &file).status, Status::Unsupported);
    machine.platform = Platform::default();
    let refused = firmware(&machine, &file);
    assert!(
        matches!(refused.reason, Reason::NotAllowed { .. }),
        "{refused:?}"
    );
    assert!(refused.remedies.iter().any(|r| r.contains("RSA")));
}

#[test]
fn a_machine_is_read_from_its_variables() {
    let mut variables = Variables::default();
    let flag = |name: &str, vendor, value| Variable {
        name: name.to_owned(),
        vendor,
        attributes: 3,
        time: EfiTime::default(),
        data: vec![value],
    };
    assert!(!Machine::read(&variables).unwrap().secure_boot);
    variables.insert(Variable::secure_boot("PK", vec![1], EfiTime::default()));
    assert!(
        Machine::read(&variables).unwrap().secure_boot,
        "on by default once there is a PK"
    );
    variables.insert(flag("SecureBootEnable", guids::SECURE_BOOT_ENABLE, 0));
    assert!(!Machine::read(&variables).unwrap().secure_boot);
    variables.insert(flag("SecureBoot", guids::GLOBAL, 1));
    variables.insert(flag("MokSBStateRT", guids::SHIM, 1));
    let list = write_lists(&[Entry::image_sha256(OWNER, &[1; 32])]);
    variables.insert(Variable::secure_boot("MokListRT", list, EfiTime::default()));
    variables.insert(Variable::secure_boot(
        "SbatLevelRT",
        b"sbat,1,2023\nshim,2\n".to_vec(),
        EfiTime::default(),
    ));
    let machine = Machine::read(&variables).unwrap();
    assert!(machine.secure_boot && !machine.mok_validation && machine.mok.len() == 1);
    assert_eq!(machine.sbat_level.unwrap().datestamp, "2023");
    variables.insert(Variable::secure_boot(
        "db",
        vec![1, 2, 3],
        EfiTime::default(),
    ));
    assert!(Machine::read(&variables).is_err());
}

proptest! {
    #[test]
    fn lists_read_back(entries in proptest::collection::vec((0_usize..4, any::<[u8; 16]>(), 1_usize..200), 0..20)) {
        let entries: Vec<Entry> = entries.into_iter().map(|(kind, owner, length)| {
            let (kind, length) = match kind {
                0 => (EntryKind::X509, length),
                1 => (EntryKind::Image(HashAlgorithm::Sha256), 32),
                2 => (EntryKind::CertificateHash(HashAlgorithm::Sha384), 64),
                _ => (EntryKind::Other(OWNER), length),
            };
            Entry { kind, owner: Guid(owner), data: vec![length as u8; length] }
        }).collect();
        let bytes = write_lists(&entries);
        prop_assert_eq!(&read_lists(&bytes).unwrap(), &entries);
        let boundary = |n: usize| read_lists(&bytes[..n]).is_ok();
        // Cut anywhere but between lists it is an error.
        prop_assert!((0..bytes.len()).filter(|n| boundary(*n)).count() <= entries.len().max(1));
    }

    #[test]
    fn foreign_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..4200, changes in any::<[u8; 4]>()) {
        let _ = read_lists(&bytes);
        let _ = SignedUpdate::read(&bytes);
        let mut variables = Variables::default();
        variables.insert(Variable::secure_boot("PK", bytes, EfiTime::default()));
        let mut image = replace_store(&flash(), &variables).unwrap();
        image[at..at + 4].copy_from_slice(&changes);
        let _ = read_store(&image);
    }
}
