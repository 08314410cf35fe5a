//! Images of every class of verdict, and the variables that decide about them.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use crate::workshop::{Identity, NOW, OWNER, image_hash, stamped};
use boot_pe::Image;
use boot_sign::NewKey;
use boot_signature::{HashAlgorithm, Profile};
use boot_variables::Entry;
use std::collections::BTreeMap;
use std::path::Path;

/// Files with the reason that decides each, by name.
#[derive(Default)]
pub(crate) struct Images {
    files: BTreeMap<String, (Vec<u8>, &'static str)>,
    count: u32,
}

impl Images {
    /// One more file.
    pub(crate) fn add(&mut self, name: &str, reason: &'static str, bytes: Vec<u8>) {
        let name = format!("{name}.efi");
        let before = self.files.insert(name.clone(), (bytes, reason));
        assert!(before.is_none(), "{name} is there twice");
    }

    /// A number that no other file has.
    pub(crate) fn next(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    /// The probe with a time stamp that no other file has.
    pub(crate) fn fresh(&mut self) -> Vec<u8> {
        stamped(self.next())
    }

    /// Another loader comes to another reason for a file that is there.
    pub(crate) fn expect(&mut self, name: &str, reason: &'static str) {
        let file = self.files.get_mut(&format!("{name}.efi"));
        file.expect("the file is there").1 = reason;
    }

    /// Writes the files; the reasons, by file name.
    pub(crate) fn write(&self, folder: &Path) -> BTreeMap<String, &'static str> {
        for (name, (bytes, _)) in &self.files {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        let reason =
            |(name, (_, reason)): (&String, &(Vec<u8>, &'static str))| (name.clone(), *reason);
        self.files.iter().map(reason).collect()
    }
}

/// The keys and lists of a machine whose firmware is asked.
pub(crate) struct Lists {
    /// Signs what the machine shall start.
    pub(crate) owner: Identity,
    pub(crate) db: Vec<Entry>,
    pub(crate) dbx: Vec<Entry>,
}

const SHA256: HashAlgorithm = HashAlgorithm::Sha256;

fn code(name: &str, kind: NewKey) -> Identity {
    Identity::new(name, kind, Profile::Code, NOW, None)
}

fn authority(name: &str, issuer: Option<&Identity>) -> Identity {
    Identity::new(name, NewKey::Rsa2048, Profile::Authority, NOW, issuer)
}

/// Fills `images` with every class of verdict that firmware can come to.
pub(crate) fn firmware(images: &mut Images) -> Lists {
    let owner = Identity::plain("owner");
    let stranger = Identity::plain("stranger");
    let mut db = vec![Entry::certificate(OWNER, &owner.certificate)];
    let mut dbx = Vec::new();
    allowed(images, &owner, &mut db);
    chains(images, &mut db, &mut dbx);
    forbidden(images, &owner, &stranger, &mut db, &mut dbx);
    hashes(images, &owner, &stranger, &mut db, &mut dbx);
    damaged(images, &owner);
    Lists { owner, db, dbx }
}

/// Certificates that are in db themselves, with every kind of key, digest and flaw that firmware overlooks.
fn allowed(images: &mut Images, owner: &Identity, db: &mut Vec<Entry>) {
    const GOOD: &str = "certificate-allowed";
    let bytes = images.fresh();
    images.add("signed", GOOD, owner.sign(bytes));
    let kinds = [
        ("rsa3072", NewKey::Rsa3072),
        ("rsa4096", NewKey::Rsa4096),
        ("p256", NewKey::P256),
        ("p384", NewKey::P384),
    ];
    for (name, kind) in kinds {
        let identity = code(name, kind);
        db.push(Entry::certificate(OWNER, &identity.certificate));
        let bytes = images.fresh();
        // Debian's OVMF is built without elliptic curves.
        let reason = match kind {
            NewKey::P256 | NewKey::P384 => "not-allowed",
            _ => GOOD,
        };
        images.add(name, reason, identity.sign(bytes));
    }
    for (name, hash) in [
        ("sha384", HashAlgorithm::Sha384),
        ("sha512", HashAlgorithm::Sha512),
    ] {
        let bytes = images.fresh();
        images.add(name, GOOD, owner.sign_with(bytes, hash, &[]));
    }
    for (name, days) in [("expired", (-100, -10)), ("not-yet-valid", (100, 200))] {
        let identity = Identity::new(name, NewKey::Rsa2048, Profile::Code, days, None);
        db.push(Entry::certificate(OWNER, &identity.certificate));
        let bytes = images.fresh();
        images.add(name, GOOD, identity.sign(bytes));
    }
    let other_use = Identity::new("other use", NewKey::Rsa2048, Profile::Variables, NOW, None);
    db.push(Entry::certificate(OWNER, &other_use.certificate));
    let bytes = images.fresh();
    images.add("no-code-signing", GOOD, other_use.sign(bytes));
}

/// Certificates that db or dbx reaches through others.
fn chains(images: &mut Images, db: &mut Vec<Entry>, dbx: &mut Vec<Entry>) {
    let root = authority("root", None);
    db.push(Entry::certificate(OWNER, &root.certificate));
    let leaf = Identity::issued("leaf", &root);
    let bytes = images.fresh();
    images.add("issued", "certificate-allowed", leaf.sign(bytes));
    let middle = authority("middle", Some(&root));
    let deep = Identity::issued("deep", &middle);
    let bytes = images.fresh();
    images.add("chain-of-three", "certificate-allowed", deep.sign(bytes));
    let bytes = images.fresh();
    let missing = deep.sign_with(bytes, SHA256, &[]);
    images.add("chain-with-a-gap", "not-allowed", missing);
    // An entry need not be a root: here the one above is unknown to the machine.
    let elsewhere = authority("elsewhere", None);
    let half = Identity::issued("half", &elsewhere);
    db.push(Entry::certificate(OWNER, &half.certificate));
    let bytes = images.fresh();
    images.add("entry-is-no-root", "certificate-allowed", half.sign(bytes));
    let no_authority = Identity::plain("no authority");
    db.push(Entry::certificate(OWNER, &no_authority.certificate));
    let child = Identity::issued("child", &no_authority);
    let bytes = images.fresh();
    images.add("issuer-is-no-authority", "not-allowed", child.sign(bytes));
    let revoked_middle = authority("revoked middle", Some(&root));
    dbx.push(Entry::certificate(OWNER, &revoked_middle.certificate));
    let below = Identity::issued("below", &revoked_middle);
    let bytes = images.fresh();
    images.add(
        "revoked-in-the-middle",
        "certificate-forbidden",
        below.sign(bytes),
    );
    let hashed_middle = authority("hashed middle", Some(&root));
    // Firmware looks for the hashes of the signer's certificate and of the entry in db, not of those between.
    dbx.push(Entry::certificate_sha256(OWNER, &hashed_middle.certificate));
    let below = Identity::issued("below hashed", &hashed_middle);
    let bytes = images.fresh();
    images.add(
        "middle-revoked-by-hash",
        "certificate-allowed",
        below.sign(bytes),
    );
}

/// Certificates that are in dbx, or in no list.
fn forbidden(
    images: &mut Images,
    owner: &Identity,
    stranger: &Identity,
    db: &mut Vec<Entry>,
    dbx: &mut Vec<Entry>,
) {
    let bytes = images.fresh();
    images.add("unsigned", "unsigned", bytes);
    let bytes = images.fresh();
    images.add("stranger", "not-allowed", stranger.sign(bytes));
    let revoked = Identity::plain("revoked");
    db.push(Entry::certificate(OWNER, &revoked.certificate));
    dbx.push(Entry::certificate(OWNER, &revoked.certificate));
    let bytes = images.fresh();
    images.add("revoked", "certificate-forbidden", revoked.sign(bytes));
    let hashed = Identity::plain("hashed");
    db.push(Entry::certificate(OWNER, &hashed.certificate));
    dbx.push(Entry::certificate_sha256(OWNER, &hashed.certificate));
    let bytes = images.fresh();
    images.add(
        "revoked-by-hash",
        "certificate-forbidden",
        hashed.sign(bytes),
    );
    let bytes = images.fresh();
    let both = owner.sign(stranger.sign(bytes));
    images.add("stranger-then-owner", "certificate-allowed", both);
    let bytes = images.fresh();
    let both = stranger.sign(owner.sign(bytes));
    images.add("owner-then-stranger", "certificate-allowed", both);
    let bytes = images.fresh();
    let both = revoked.sign(owner.sign(bytes));
    images.add("owner-then-revoked", "certificate-forbidden", both);
    let bytes = images.fresh();
    let both = owner.sign(revoked.sign(bytes));
    images.add("revoked-then-owner", "certificate-forbidden", both);
}

/// Image hashes in db and dbx.
fn hashes(
    images: &mut Images,
    owner: &Identity,
    stranger: &Identity,
    db: &mut Vec<Entry>,
    dbx: &mut Vec<Entry>,
) {
    let entry = |list: &mut Vec<Entry>, bytes: &[u8]| {
        list.push(Entry::image_sha256(OWNER, &image_hash(bytes)));
    };
    let bytes = images.fresh();
    entry(db, &bytes);
    images.add("hash-in-db", "hash-allowed", bytes);
    let bytes = images.fresh();
    entry(dbx, &bytes);
    images.add("hash-in-dbx", "hash-forbidden", bytes);
    let bytes = images.fresh();
    entry(db, &bytes);
    entry(dbx, &bytes);
    images.add("hash-in-both", "hash-forbidden", bytes);
    let bytes = owner.sign(images.fresh());
    entry(dbx, &bytes);
    images.add("signed-and-hash-in-dbx", "hash-forbidden", bytes);
    let bytes = stranger.sign(images.fresh());
    entry(db, &bytes);
    images.add("stranger-and-hash-in-db", "hash-allowed", bytes);
    // Only digests of the algorithm that a signature uses are looked up.
    let bytes = owner.sign_with(images.fresh(), HashAlgorithm::Sha384, &[]);
    entry(dbx, &bytes);
    images.add("sha384-and-sha256-in-dbx", "certificate-allowed", bytes);
}

/// Files that were changed, cut or never were boot files.
pub(crate) fn damaged(images: &mut Images, owner: &Identity) {
    let mut bytes = owner.sign(images.fresh());
    let at = Image::parse(&bytes).unwrap().size_of_headers as usize + 100;
    bytes[at] ^= 1;
    images.add("one-bit-changed", "not-allowed", bytes);
    let mut bytes = owner.sign(images.fresh());
    bytes.extend([0; 64]);
    images.add("zeros-behind-the-table", "not-allowed", bytes);
    let mut bytes = images.fresh();
    bytes.extend([7; 64]);
    images.add(
        "signed-with-trailing-data",
        "certificate-allowed",
        owner.sign(bytes),
    );
    let mut bytes = owner.sign(images.fresh());
    let table = Image::parse(&bytes).unwrap().certificate_table().unwrap();
    bytes[table.address as usize + 20] ^= 0xff;
    images.add("signature-is-no-der", "not-allowed", bytes);
    let mut bytes = owner.sign(images.fresh());
    bytes[table.address as usize] = 4;
    images.add("entry-shorter-than-its-header", "table-corrupt", bytes);
    let mut bytes = owner.sign(images.fresh());
    bytes[table.address as usize + 3] = 0x7f;
    images.add("entry-longer-than-the-table", "table-corrupt", bytes);
    let mut bytes = owner.sign(images.fresh());
    bytes.truncate(bytes.len() - 512);
    images.add("table-cut-off", "table-corrupt", bytes);
    let mut bytes = owner.sign(images.fresh());
    bytes.truncate(2048);
    images.add("sections-cut-off", "not-loadable", bytes);
    images.add(
        "text",
        "not-loadable",
        b"#!/bin/sh\necho no boot file\n".repeat(20),
    );
    images.add("short", "not-loadable", b"MZ".to_vec());
    // Signed as they are, so that loading itself is what fails.
    let pe = Image::parse(&images.fresh()).unwrap().pe_offset as usize;
    let mut bytes = images.fresh();
    bytes[pe + 24 + 68] = 3;
    images.add("console-subsystem", "not-loadable", owner.sign(bytes));
    let mut bytes = images.fresh();
    bytes[pe + 4..pe + 6].copy_from_slice(&0xaa64_u16.to_le_bytes());
    images.add("other-processor", "not-loadable", owner.sign(bytes));
}
