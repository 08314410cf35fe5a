//! Images of every class of verdict that shim can come to, and the variables that decide about them.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use crate::bench::{list, plain};
use crate::images::{self, Images};
use crate::workshop::{Identity, NOW, OWNER, image_hash, stamped, with_sbat};
use boot_sign::NewKey;
use boot_signature::{HashAlgorithm, Profile};
use boot_variables::{Entry, Variable};
use std::path::Path;

/// Debian's.
pub(crate) const SHIM: &str = "/usr/lib/shim/shimx64.efi.signed";
/// SBAT data at the level.
pub(crate) const SBAT: &str = "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\nprobe,5,Rootstock,probe,1,https://example.org\n";
/// Newer than any level that shim brings along.
const LEVEL: &[u8] = b"sbat,1,2099010100\nprobe,5\n";
const GOOD: &str = "certificate-allowed";

/// Images and lists.
pub(crate) struct Made {
    pub(crate) images: Images,
    /// Whose certificate is in MokList.
    pub(crate) mok: Identity,
    db: Vec<Entry>,
    dbx: Vec<Entry>,
    moks: Vec<Entry>,
    mokx: Vec<Entry>,
}

/// Makes all of them; `folder` is for scratch files.
pub(crate) fn make(folder: &Path) -> Made {
    let mut made = Made {
        images: Images::default(),
        mok: Identity::plain("mok"),
        db: Vec::new(),
        dbx: Vec::new(),
        moks: Vec::new(),
        mokx: Vec::new(),
    };
    made.moks.push(certificate(&made.mok));
    let shim = std::fs::read(SHIM).unwrap();
    made.db.push(hash(&shim));
    made.certificates();
    made.keys_and_uses(folder);
    made.revoked();
    made.hashes();
    made.sbat();
    images::damaged(&mut made.images, &made.mok);
    made.images
        .expect("zeros-behind-the-table", "table-corrupt");
    // shim does not ask what subsystem a file is for.
    made.images.expect("console-subsystem", GOOD);
    for (name, path) in [
        (
            "debian-grub",
            "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
        ),
        ("debian-fwupd", "/usr/libexec/fwupd/efi/fwupdx64.efi.signed"),
        ("debian-mokmanager", "/usr/lib/shim/mmx64.efi.signed"),
    ] {
        made.images.add(name, GOOD, std::fs::read(path).unwrap());
    }
    made
}

fn certificate(identity: &Identity) -> Entry {
    Entry::certificate(OWNER, &identity.certificate)
}

fn hash(image: &[u8]) -> Entry {
    Entry::image_sha256(OWNER, &image_hash(image))
}

impl Made {
    /// The machine's variables.
    pub(crate) fn variables(&self) -> Vec<Variable> {
        let own = [certificate(&Identity::plain("platform"))];
        vec![
            list("PK", &own),
            list("KEK", &own),
            list("db", &self.db),
            list("dbx", &self.dbx),
            list("MokList", &self.moks),
            list("MokListX", &self.mokx),
            plain("SbatLevel", LEVEL),
        ]
    }

    /// The probe with SBAT data and a time stamp of its own.
    fn fresh(&mut self) -> Vec<u8> {
        with_sbat(&stamped(self.images.next()), SBAT)
    }

    /// A fresh image signed by `identity`.
    fn signed(&mut self, name: &str, reason: &'static str, identity: &Identity) {
        let bytes = self.fresh();
        self.images.add(name, reason, identity.sign(bytes));
    }

    /// The lists that may hold a signer, or none.
    fn certificates(&mut self) {
        let bytes = self.fresh();
        self.images.add("by-mok", GOOD, self.mok.sign(bytes));
        let owner = Identity::plain("owner");
        self.db.push(certificate(&owner));
        self.signed("by-db", GOOD, &owner);
        self.signed("by-stranger", "not-allowed", &Identity::plain("stranger"));
        let bytes = self.fresh();
        self.images.add("unsigned", "unsigned", bytes);
        let root = Identity::new("root", NewKey::Rsa2048, Profile::Authority, NOW, None);
        self.moks.push(certificate(&root));
        self.signed("issued", GOOD, &Identity::issued("leaf", &root));
    }

    /// Kinds of keys and digests, validity, usages.
    fn keys_and_uses(&mut self, folder: &Path) {
        let plain = |name, profile, days| Identity::new(name, NewKey::Rsa2048, profile, days, None);
        let code = |name, kind| Identity::new(name, kind, Profile::Code, NOW, None);
        let cases = [
            (GOOD, code("rsa4096", NewKey::Rsa4096)),
            // shim is built without elliptic curves.
            ("not-allowed", code("p256", NewKey::P256)),
            ("not-allowed", code("p384", NewKey::P384)),
            (GOOD, plain("expired", Profile::Code, (-100, -10))),
            (GOOD, plain("no-code-signing", Profile::Variables, NOW)),
            ("not-allowed", Identity::for_modules("modules-only", folder)),
        ];
        for (reason, identity) in &cases {
            self.moks.push(certificate(identity));
            let name = identity.certificate.subject().replace("CN=", "");
            self.signed(&name, reason, identity);
        }
        let bytes = self.fresh();
        let sha384 = self.mok.sign_with(bytes, HashAlgorithm::Sha384, &[]);
        self.images.add("sha384", "not-allowed", sha384);
    }

    /// Certificates that a deny list holds.
    fn revoked(&mut self) {
        const BAD: &str = "certificate-forbidden";
        let revoked = Identity::plain("revoked by dbx");
        self.moks.push(certificate(&revoked));
        self.dbx.push(certificate(&revoked));
        self.signed("revoked-by-dbx", BAD, &revoked);
        let bytes = self.fresh();
        let both = self.mok.sign(revoked.sign(bytes));
        self.images.add("revoked-then-mok", GOOD, both);
        let bytes = self.fresh();
        let both = revoked.sign(self.mok.sign(bytes));
        self.images.add("mok-then-revoked", GOOD, both);
        let hashed = Identity::plain("hashed in dbx");
        self.moks.push(certificate(&hashed));
        self.dbx
            .push(Entry::certificate_sha256(OWNER, &hashed.certificate));
        self.signed("certificate-hash-in-dbx", GOOD, &hashed);
        let revoked = Identity::plain("revoked by MokListX");
        self.moks.push(certificate(&revoked));
        self.mokx.push(certificate(&revoked));
        self.signed("revoked-by-mokx", BAD, &revoked);
    }

    /// Hashes of images in each list.
    fn hashes(&mut self) {
        let bytes = self.fresh();
        self.db.push(hash(&bytes));
        self.images.add("hash-in-db", "hash-allowed", bytes);
        let bytes = self.fresh();
        self.moks.push(hash(&bytes));
        self.images.add("hash-in-mok", "hash-allowed", bytes);
        let bytes = self.fresh();
        let bytes = self.mok.sign(bytes);
        self.dbx.push(hash(&bytes));
        self.images.add("hash-in-dbx", "hash-forbidden", bytes);
        let bytes = self.fresh();
        let bytes = self.mok.sign(bytes);
        self.mokx.push(hash(&bytes));
        self.images.add("hash-in-mokx", "hash-forbidden", bytes);
    }

    /// SBAT data that is missing, malformed or old. What the second stage loads may lack it.
    fn sbat(&mut self) {
        let bytes = stamped(self.images.next());
        self.images.add("no-sbat", GOOD, self.mok.sign(bytes));
        let cases = [
            ("sbat-malformed", "sbat-missing", "no sbat data".to_owned()),
            (
                "sbat-old",
                "sbat-revoked",
                SBAT.replace("probe,5", "probe,4"),
            ),
            ("sbat-newer", GOOD, SBAT.replace("probe,5", "probe,6")),
            ("sbat-of-others", GOOD, SBAT.replace("probe,5", "other,1")),
            // Below shim's own level, about which the machine's says nothing.
            ("sbat-old-grub", GOOD, SBAT.replace("probe,5", "grub,4")),
        ];
        for (name, reason, text) in cases {
            let bytes = with_sbat(&stamped(self.images.next()), &text);
            self.images.add(name, reason, self.mok.sign(bytes));
        }
    }
}
