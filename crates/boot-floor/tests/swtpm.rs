//! On two partitions and a software TPM: the floor follows a blessed entry and nothing else, and the power may fail before any
//! write to a partition and any command to the TPM.

#![expect(clippy::unwrap_used, reason = "helpers of tests end the test")]

#[path = "../../boot-tpm/tests/swtpm/chip.rs"]
#[expect(dead_code, reason = "the TPM's own tests use the rest")]
mod chip;
#[path = "../../boot-install/tests/workshop/mod.rs"]
#[expect(dead_code, reason = "the installer's own tests use the rest")]
mod workshop;

use boot_esp::{EntryName, EspPath, Folder, Space, State, Stem, Volume};
use boot_floor::{Error, follow, proven_epoch};
use boot_install::{EpochCounter, Target};
use boot_measure::{Bank, Register};
use boot_policy::{
    Approved, Base, Claim, FLOOR_REFERENCE, KeyArea, Policy, PolicyReference, State as TpmState,
    sign,
};
use boot_signature::Signer;
use boot_tpm::{Parent, Sealed, Tpm, Transport};
use chip::{Chip, Judged};
use serde_json::json;
use std::cell::Cell;
use std::io;
use tempfile::TempDir;
use workshop::{Machinery, entries, install, partition, policy_key};

const INDEX: u32 = 0x01d1_0700;
const SECRET: &[u8] = b"thirty-two bytes of volume key..";

/// Steps until the power fails.
struct Power(Cell<usize>);

impl Power {
    fn step(&self) -> io::Result<()> {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        if left == 0 {
            return Err(io::Error::other("the power failed"));
        }
        Ok(())
    }
}

/// A partition of a machine whose power fails.
struct Disk<'a>(&'a Folder, &'a Power);

impl Volume for Disk<'_> {
    fn files(&self, folder: &EspPath) -> io::Result<Vec<(EspPath, u64)>> {
        self.0.files(folder)
    }
    fn space(&self) -> io::Result<Space> {
        self.0.space()
    }
    fn read(&self, path: &EspPath, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        self.0.read(path, sink)
    }
    fn make_folder(&self, path: &EspPath) -> io::Result<()> {
        self.1.step()?;
        self.0.make_folder(path)
    }
    fn create(&self, path: &EspPath) -> io::Result<()> {
        self.1.step()?;
        self.0.create(path)
    }
    fn write(&self, path: &EspPath, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.1.step()?;
        self.0.write(path, offset, bytes)
    }
    fn remove(&self, path: &EspPath) -> io::Result<()> {
        self.1.step()?;
        self.0.remove(path)
    }
    fn remove_folder(&self, path: &EspPath) -> io::Result<()> {
        self.1.step()?;
        self.0.remove_folder(path)
    }
    fn sync(&self) -> io::Result<()> {
        self.1.step()?;
        self.0.sync()
    }
}

/// Its TPM.
struct Wire<'a>(Judged, &'a Power);

impl Transport for Wire<'_> {
    fn exchange(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        self.1.step()?;
        self.0.exchange(command)
    }
}

/// Two disks that are kept alike, with an older generation and a newer one, both not tried yet.
struct Computer {
    disks: [(TempDir, Folder); 2],
    old: Stem,
    new: Stem,
}

impl Computer {
    fn new(old: u32, new: u32) -> Computer {
        let mut machine = Machinery::new();
        machine.signed = false;
        machine.simple(1, 900);
        let [kernel, initrd] = ["linux-1", "initrd-1"].map(Machinery::store_path);
        for (number, epoch) in [(1, old), (2, new)] {
            let name = format!("nixos-{number}");
            let mut document = Machinery::document(&name, &kernel, &initrd);
            document["org.rootstock.epoch.v1"] = json!({ "epoch": epoch });
            machine.generation(number, &document);
        }
        machine.settings.tries = Some(3);
        let disks = [partition(), partition()];
        let targets = disks.each_ref().map(|(_, esp)| Target {
            esp,
            xbootldr: None,
        });
        install(&machine, &targets, None);
        let stem = |number: u64| {
            let names = entries(disks[0].0.path());
            let stems = names.iter().map(|name| EntryName::parse(name).unwrap());
            let mut stems = stems.map(|name| Stem::parse(&name.stem).unwrap());
            stems.find(|stem| stem.generation() == number).unwrap()
        };
        Computer {
            old: stem(1),
            new: stem(2),
            disks,
        }
    }

    fn volumes(&self) -> [&dyn Volume; 2] {
        self.disks.each_ref().map(|(_, folder)| folder as _)
    }

    /// How many of its names on both disks are without counters.
    fn good(&self, stem: &Stem) -> usize {
        let names = self.disks.iter().flat_map(|(path, _)| entries(path.path()));
        let names = names.filter_map(|name| EntryName::parse(&name));
        let own = names.filter(|name| name.stem == stem.to_string());
        own.filter(|name| name.state() == State::Good).count()
    }
}

/// A secret that is released to generations at or above the floor.
struct Bound {
    parent: Parent,
    sealed: Sealed,
    policy: Policy,
    counter: EpochCounter,
}

impl Bound {
    fn new(tpm: &mut Tpm<Judged>, counter: EpochCounter) -> Bound {
        let policy = Policy {
            base: Some(Base::SignedBy {
                key: KeyArea::of(policy_key().public_key()).unwrap(),
                reference: FLOOR_REFERENCE.to_vec(),
            }),
            rules: Vec::new(),
        };
        let parent = tpm.parent().unwrap();
        let digest = policy.digest().unwrap();
        Bound {
            sealed: tpm.seal(&parent, &digest, SECRET, b"").unwrap(),
            parent,
            policy,
            counter,
        }
    }

    /// Whether the TPM releases it to a generation of this epoch.
    fn opens(&self, tpm: &mut Tpm<Judged>, epoch: u32) -> bool {
        let registers = tpm.registers(Bank::Sha256, &[11]).unwrap();
        let register = Register {
            bank: Bank::Sha256,
            value: registers.get(Bank::Sha256, 11).unwrap().to_vec(),
        };
        let claim = Claim {
            register: &register,
            floor: Some(self.counter.floor(epoch)),
            reference: &PolicyReference::of_floor(),
        };
        let approved = Approved {
            rules: claim.rules().unwrap(),
            signature: sign(claim, policy_key(), "a test").unwrap().signature,
        };
        let held = tpm.floor(self.counter.index).unwrap().unwrap();
        let state = TpmState {
            registers,
            counters: [(self.counter.index, held)].into(),
            ..TpmState::default()
        };
        let (policy, list) = (&self.policy, [approved]);
        let released = tpm.unseal(&self.parent, &self.sealed, policy, &list, &state, b"");
        released.is_ok_and(|secret| *secret == SECRET)
    }
}

#[test]
fn the_power_may_fail_at_any_step_between_blessing_and_raising() {
    let chip = Chip::start();
    let mut tpm = chip.connect();
    let start = tpm.define_floor(INDEX, b"").unwrap();
    let counter = EpochCounter {
        index: INDEX,
        start,
    };
    let bound = Bound::new(&mut tpm, counter);
    let (mut whole, mut between, mut halfway) = (false, 0, 0);
    for steps in 0.. {
        let held = tpm.floor(INDEX).unwrap().unwrap();
        let old = u32::try_from(held - start).unwrap();
        let new = old + 2;
        let computer = Computer::new(old, new);
        assert!(bound.opens(&mut tpm, old) && bound.opens(&mut tpm, new));

        let power = Power(Cell::new(steps));
        let [first, second] = computer
            .disks
            .each_ref()
            .map(|(_, disk)| Disk(disk, &power));
        let mut wire = Tpm::new(Wire(chip.connect().into_transport(), &power));
        let cut = follow(&[&first, &second], &computer.new, counter, &mut wire, b"");

        // The machine starts again: the generation that ran unlocks, and the floor passed nothing that is not blessed.
        let after = tpm.floor(INDEX).unwrap().unwrap();
        assert!((held..=held + 2).contains(&after), "{steps}");
        assert!(bound.opens(&mut tpm, new), "{steps}");
        assert_eq!(bound.opens(&mut tpm, old), after == held, "{steps}");
        if after > held {
            assert_eq!(computer.good(&computer.new), 2, "{steps}");
        }
        between += usize::from(after == held && computer.good(&computer.new) == 2);
        halfway += usize::from(after == held + 1);
        whole = cut.is_ok();

        let followed = follow(&computer.volumes(), &computer.new, counter, &mut tpm, b"").unwrap();
        assert_eq!((followed.epoch, followed.floor), (new, Some(held + 2)));
        assert_eq!(computer.good(&computer.new), 2);
        assert!(bound.opens(&mut tpm, new) && !bound.opens(&mut tpm, old));
        if whole {
            break;
        }
    }
    assert!(whole && between > 0 && halfway > 0);
}

#[test]
fn the_floor_follows_nothing_that_was_not_blessed_and_never_falls() {
    let chip = Chip::start();
    let mut tpm = chip.connect();
    let computer = Computer::new(1, 4);
    let volumes = computer.volumes();
    let error = proven_epoch(&volumes, &computer.new).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("not whole and blessed; the floor stays"),
        "{error}"
    );
    // Without a counter the entry is blessed, and nothing else happens.
    let counter = EpochCounter {
        index: INDEX,
        start: 1,
    };
    let followed = follow(&volumes, &computer.old, counter, &mut tpm, b"").unwrap();
    assert_eq!((followed.blessed, followed.floor), (true, None));
    let start = tpm.define_floor(INDEX, b"").unwrap();
    let counter = EpochCounter {
        index: INDEX,
        start,
    };
    let followed = follow(&volumes, &computer.new, counter, &mut tpm, b"").unwrap();
    assert_eq!((followed.blessed, followed.floor), (true, Some(start + 4)));
    // The older generation boots after a rollback: nothing falls.
    let followed = follow(&volumes, &computer.old, counter, &mut tpm, b"").unwrap();
    assert_eq!((followed.epoch, followed.floor), (1, Some(start + 4)));

    // One partition lacks the entry.
    let other = Computer::new(2, 9);
    let mixed: [&dyn Volume; 2] = [volumes[0], other.volumes()[0]];
    let error = follow(&mixed, &other.new, counter, &mut tpm, b"").unwrap_err();
    assert!(matches!(error, Error::Volume(_)), "{error}");
    assert_eq!(tpm.floor(INDEX).unwrap(), Some(start + 4));
}
