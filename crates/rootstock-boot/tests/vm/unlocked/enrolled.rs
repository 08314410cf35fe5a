//! What the boots begin with: five generations, two disks whose keys a TPM holds, and what the registers will be.

use super::disk::{LABEL, PARTITION, SectorSize, UUID, encrypted, on_a_partition};
use super::host_tpm::HostTpm;
use super::machine::{Machines, Values, WORDS};
use crate::bench::rootstock;
use crate::installed::computer::LOADER;
use crate::workshop::{Identity, OWNER};
use boot_pe::Image;
use boot_variables::{EfiTime, Entry, Update, guids, read_store, replace_store, write_lists};
use std::fs;
use std::path::PathBuf;

/// The list of what PCR 7 may be, before and after the announced update of db.
pub(super) const SIGNERS: &str = "rootstock-generations-signers.cred";
/// Sizes of the lists of generations, in the order of the tokens that are sealed for them.
pub(super) const LISTS: [usize; 3] = [9, 65, 500];

/// What lies on the machines' disks.
pub(super) struct Enrolled {
    pub(super) machines: Machines,
    /// A disk with a token for each of [`LISTS`], in sectors of 512 bytes.
    pub(super) root: PathBuf,
    /// A disk for what the policy key signs, down to the floor, and for its owner, in sectors of 4,096 bytes.
    pub(super) signed: PathBuf,
    /// The root's recovery key.
    pub(super) recovery: String,
    /// System partitions: as installed; with another loader; with another loader, and images of another policy key.
    pub(super) before: PathBuf,
    pub(super) after: PathBuf,
    pub(super) of_another: PathBuf,
    /// The newest generation's entry there.
    pub(super) newest_of_another: String,
    /// The variables once the announced key is in db.
    pub(super) announced_store: PathBuf,
    /// The key that is announced.
    pub(super) stranger: Identity,
    /// What will be measured: by the newest generation, that two back, and after the loader's update by the newest, that one
    /// back, and the newest when the announced key is in db.
    pub(super) newest: Values,
    pub(super) two_back: Values,
    pub(super) updated: Values,
    pub(super) one_back: Values,
    pub(super) announced: Values,
}

/// The loader with another time stamp: another version of it, for all that is measured.
fn another_loader() -> Vec<u8> {
    let mut bytes = fs::read(LOADER).expect("systemd-boot is installed");
    let at = Image::parse(&bytes).expect("a program").pe_offset as usize + 8;
    bytes[at..at + 4].copy_from_slice(&7_u32.to_le_bytes());
    bytes
}

/// The machines' variables with an addition to db.
fn store_with(machines: &Machines, addition: Vec<u8>) -> Vec<u8> {
    let image = machines.computer.scene.read("variables.fd");
    let mut all = read_store(&image).expect("a store");
    let mut db = all.remove(guids::SECURITY_DATABASE, "db").expect("db");
    db.data.extend(addition);
    all.insert(db);
    replace_store(&image, &all).expect("room")
}

/// Enrols a disk for what the policy key signs, down to the floor, which is the generations' own, with Secure Boot as it is or as it is
/// announced.
fn enroll_signed(machines: &Machines, tpm: &HostTpm, foreseen: [&Values; 2]) {
    let (path, with) = (machines.path(), tpm.option());
    rootstock(
        path,
        &format!(
            "pcrlock states --vars variables.fd --esp disk.img --pcr 7 --planned-db addition.esl -o {SIGNERS}"
        ),
    );
    let list = fs::read(path.join(SIGNERS)).expect("it was written");
    let list: Vec<Values> = serde_json::from_slice(&list).expect("a list");
    let of_seven = |values: &Values| Values::from([(7, values[&7].clone())]);
    assert_eq!(list.len(), 2);
    assert!(
        foreseen
            .into_iter()
            .all(|values| list.contains(&of_seven(values)))
    );
    let defined = rootstock(path, &format!("floor define {with}"));
    assert_eq!(defined, "floor 1\n");
    rootstock(
        path,
        &format!(
            "unlock enroll {with} --generations {SIGNERS} --policy-key pcr.pub --floor --owner-key owner/pcr.pub --passphrase-file passphrase signed.img"
        ),
    );
    let raised = rootstock(path, &format!("floor raise {with} --epoch 2 --unproven"));
    assert_eq!(raised, "floor 2\n");
}

impl Enrolled {
    pub(super) fn new() -> Enrolled {
        let machines = Machines::new();
        let (computer, path) = (&machines.computer, machines.path());
        let by_uuid = format!("root=UUID={UUID}");
        let by_label = format!("root=LABEL={LABEL}");
        let by_partition = format!("root=PARTUUID={PARTITION}");
        let generation = |number: u64, root: &str, more: &[&str], kernel: bool| {
            let words = [&WORDS[..], &[root], more].concat();
            computer.generation(number, &words, kernel);
        };
        // Two back differs in kernel, initrd and command line from the newest; the one in between in the latter two.
        generation(1, &by_uuid, &["loglevel=5"], true);
        generation(2, &by_label, &["guest.update"], false);
        generation(4, &by_partition, &[], true);
        generation(5, &by_partition, &["quiet"], false);
        generation(3, &by_partition, &[], false);
        machines.install(LOADER, "pcr.key");
        let [two_back, newest] = [1, 3].map(|generation| machines.foreseen(generation, ""));
        let before = machines.keep("before.img");

        let stranger = Identity::plain("second signer");
        let addition = write_lists(&[Entry::certificate(OWNER, &stranger.certificate)]);
        computer.scene.put("addition.esl", &addition);
        computer.scene.put("loader.efi", &another_loader());
        machines.install("loader.efi", "pcr.key");
        let [one_back, updated] = [2, 3].map(|generation| machines.foreseen(generation, ""));
        let announced = machines.foreseen(3, "--planned-db addition.esl");
        assert!(newest[&4] != updated[&4] && newest[&7] != announced[&7]);
        assert!(newest[&11] != two_back[&11] && newest[&11] != one_back[&11]);
        let after = machines.keep("after.img");

        for other in ["another", "owner"] {
            fs::create_dir(path.join(other)).expect("a folder");
            rootstock(
                path,
                &format!("keys create --name Other --role pcr {other}"),
            );
        }
        let known = computer.names();
        machines.install("loader.efi", "another/pcr.key");
        // The last good entry stays until another is one.
        let names = computer.names();
        let mut new = names.into_iter().filter(|name| !known.contains(name));
        let newest_of_another = new.find(|name| name.starts_with("rootstock-3-"));
        let of_another = machines.keep("of-another.img");

        // The running system hands this to firmware, as a system's updater does.
        let time = EfiTime {
            year: 2026,
            month: 1,
            day: 2,
            ..EfiTime::default()
        };
        let update = Update::secure_boot("db", addition.clone(), true, time);
        let update = computer.scene.owner.sign_update(&update);
        let root = encrypted(path, "root", SectorSize::Small, &update);
        let signed = encrypted(path, "signed", SectorSize::Large, &update);

        let tpm = HostTpm::start(&path.join("tpm"));
        let lists: [&[&Values]; 3] = [&[&newest], &[&updated, &one_back], &[&announced, &two_back]];
        for (count, wanted) in LISTS.into_iter().zip(lists) {
            machines.enroll(&tpm, &root, count, wanted);
        }
        enroll_signed(&machines, &tpm, [&updated, &announced]);
        drop(tpm);
        let recovery = rootstock(
            path,
            "--json unlock recovery --passphrase-file passphrase root.img",
        );
        let recovery: serde_json::Value = serde_json::from_str(&recovery).expect("JSON");
        let recovery = recovery["recovery_key"].as_str().expect("a text");

        let announced_store = computer
            .scene
            .put("announced.fd", &store_with(&machines, addition));
        Enrolled {
            recovery: recovery.to_owned(),
            root: on_a_partition(&root),
            signed: on_a_partition(&signed),
            before,
            after,
            of_another,
            newest_of_another: newest_of_another.expect("it is installed anew"),
            announced_store,
            stranger,
            newest,
            two_back,
            updated,
            one_back,
            announced,
            machines,
        }
    }
}
