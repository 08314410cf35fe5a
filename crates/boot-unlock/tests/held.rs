//! A disk that is bound to a stored policy whose states are held to the floor: raising the counter shuts the generation below it out,
//! with nothing stored or sealed anew, and the power may fail before any command and any file.

#![expect(clippy::unwrap_used, reason = "helpers of tests end the test")]

#[path = "../../boot-tpm/tests/swtpm/chip.rs"]
#[expect(dead_code, reason = "the TPM's own tests use the rest")]
mod chip;
mod volume;

use boot_luks::Volume;
use boot_measure::Bank;
use boot_policy::{Booted, Floor, Members, PcrSet, StoredPolicy};
use boot_tpm::{Tpm, Transport};
use boot_unlock::{
    Evidence, Protection, RecoveryKey, Settled, enroll, install, prepare, renew, settle,
    unlock_stored,
};
use chip::{Chip, Judged};
use std::cell::Cell;
use std::fs::File;
use std::io;
use tempfile::TempDir;
use volume::{DERIVATION, PASSPHRASE, format, open};

const INDEX: u32 = 0x0180_2345;
const FLOOR: u32 = 0x01d1_0700;
/// A register that starts anew without the machine.
const PCR: u8 = 16;
/// What the two generations are measured as.
const OLD: &str = "aa";
const NEW: &str = "bb";

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

/// A TPM whose machine's power fails.
struct Wire<'a>(Judged, &'a Power);

impl Transport for Wire<'_> {
    fn exchange(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        self.1.step()?;
        self.0.exchange(command)
    }
}

/// A machine with a bound disk, of which two generations may start.
struct Machine {
    folder: TempDir,
    chip: Chip,
    tpm: Tpm<Judged>,
    /// What the file says, and the one beside it.
    policies: Vec<StoredPolicy>,
    pin: RecoveryKey,
}

impl Machine {
    fn new() -> Machine {
        let folder = tempfile::tempdir().unwrap();
        format(folder.path(), "volume", DERIVATION);
        let chip = Chip::start();
        let mut tpm = chip.connect();
        tpm.keep(b"").unwrap();
        tpm.define_floor(FLOOR, b"").unwrap();
        let mut machine = Machine {
            folder,
            tpm,
            chip,
            policies: Vec::new(),
            pin: RecoveryKey::random(),
        };
        machine.start(NEW);
        let members = machine.members(None);
        let policy = prepare(&mut machine.tpm, INDEX, &members, &machine.pin).unwrap();
        install(&mut machine.tpm, &policy, &machine.pin).unwrap();
        let mut volume = machine.volume();
        let (slot, key) = volume.unlock(PASSPHRASE, &[]).unwrap();
        let protection = Protection {
            stored: Some(policy.place.clone()),
            ..Protection::default()
        };
        enroll(&mut volume, (slot, &key), &mut machine.tpm, &protection, "").unwrap();
        machine.policies.push(policy);
        machine
    }

    fn volume(&self) -> Volume<File> {
        open(&self.folder.path().join("volume"))
    }

    /// Boots a generation.
    fn start(&self, generation: &str) {
        self.chip.tool(&format!("tpm2_pcrreset {PCR}"));
        self.chip.extend(PCR, generation);
    }

    /// The state of a generation.
    fn state(generation: &str) -> PcrSet {
        let value = hex::decode(generation.repeat(32)).unwrap();
        let value = Bank::Sha256.digest(&[&[0; 32], &value]);
        PcrSet::new(Bank::Sha256, [(PCR, value)]).unwrap()
    }

    /// Both generations, held to these epochs or to none.
    fn members(&mut self, epochs: Option<[u64; 2]>) -> Members {
        let now = self.tpm.registers(Bank::Sha256, &[PCR]).unwrap();
        let booted = Booted::of(&now, None, Bank::Sha256, &[PCR]).unwrap();
        let states = [OLD, NEW].map(Machine::state);
        match epochs {
            None => Members::new(states, &booted).unwrap(),
            Some(epochs) => {
                let floors = epochs.map(|epoch| Floor {
                    index: FLOOR,
                    epoch,
                });
                Members::held(states.into_iter().zip(floors), &booted, floors[0]).unwrap()
            }
        }
    }

    /// Stores a policy with the power on.
    fn store(&mut self, members: &Members) {
        let renewal = renew(&mut self.tpm, &self.policies[0], members, None).unwrap();
        renewal.write(&mut self.tpm).unwrap();
        self.policies = vec![renewal.policy];
    }

    /// Whether a generation opens the disk when it boots, by the documents that lie there; what stands against it.
    fn opens(&mut self, generation: &str) -> Result<(), String> {
        self.start(generation);
        let evidence = Evidence::default();
        let (volume, policies) = (&mut self.volume(), &self.policies);
        let unlocked = unlock_stored(volume, None, &mut self.tpm, &evidence, policies);
        unlocked.map(drop).map_err(|error| error.to_string())
    }

    /// What a power cut left is settled, as the next command does.
    fn settle(&mut self) {
        let next = self.policies.get(1).cloned();
        match settle(&mut self.tpm, &self.policies[0], next.as_ref()).unwrap() {
            Settled::Next => self.policies = vec![next.unwrap()],
            Settled::Current => self.policies.truncate(1),
            other => panic!("{other:?}"),
        }
    }

    fn floor(&mut self) -> u64 {
        self.tpm.floor(FLOOR).unwrap().unwrap()
    }
}

/// Stores a policy and raises the floor while the power holds.
fn raise(
    machine: &mut Machine,
    members: &Members,
    epoch: u64,
    power: &Power,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut wire = Tpm::new(Wire(machine.chip.connect().into_transport(), power));
    let renewal = renew(&mut wire, &machine.policies[0], members, None)?;
    power.step()?;
    machine.policies.push(renewal.policy.clone());
    renewal.write(&mut wire)?;
    power.step()?;
    machine.policies.remove(0);
    wire.raise_floor(FLOOR, epoch, b"")?;
    Ok(())
}

#[test]
fn the_power_may_fail_at_any_step_between_storing_and_raising() {
    let mut machine = Machine::new();
    let (mut stored, mut halfway) = (0, 0);
    for steps in 0.. {
        // Neither generation is held, and both unlock.
        machine.start(NEW);
        let free = machine.members(None);
        machine.store(&free);
        let old = machine.floor();
        let new = old + 2;
        machine.opens(OLD).unwrap();
        machine.opens(NEW).unwrap();

        let members = machine.members(Some([old, new]));
        let cut = raise(&mut machine, &members, new, &Power(Cell::new(steps)));

        // The machine starts again, with nothing in its TPM's memory: the running generation unlocks, and the one below the floor from the first step on does not.
        machine.chip.tool("tpm2_flushcontext -t");
        machine.chip.tool("tpm2_flushcontext -l");
        let floor = machine.floor();
        machine.opens(NEW).unwrap();
        assert_eq!(machine.opens(OLD).is_ok(), floor == old, "{steps}");
        machine.settle();
        machine.opens(NEW).unwrap();
        let held = !machine.policies[0].layout.counters().is_empty();
        assert!(held || floor == old, "{steps}");
        stored += usize::from(held && floor == old);
        halfway += usize::from(floor == old + 1);

        // The next run goes on, if only by the counter.
        machine.start(NEW);
        raise(&mut machine, &members, new, &Power(Cell::new(usize::MAX))).unwrap();
        machine.opens(NEW).unwrap();
        let refused = machine.opens(OLD).unwrap_err();
        let said = format!(
            "the counter 0x01d10700 holds {new}, and the policy wants it to be at most {old}"
        );
        assert!(refused.contains(&said), "{refused}");
        if cut.is_ok() {
            break;
        }
    }
    assert!(stored > 0 && halfway > 0);
}

#[test]
fn a_generation_below_the_floor_writes_no_policy_either() {
    let mut machine = Machine::new();
    let old = machine.floor();
    let members = machine.members(Some([old, old + 1]));
    machine.store(&members);
    machine.tpm.raise_floor(FLOOR, old + 1, b"").unwrap();
    machine.start(OLD);
    let free = machine.members(None);
    let error = renew(&mut machine.tpm, &machine.policies[0], &free, None).unwrap_err();
    let said = "the policy wants it to be at most";
    assert!(error.to_string().contains(said), "{error}");
    // Whoever knows the recovery PIN does.
    let pin = Some(machine.pin.as_str());
    renew(&mut machine.tpm, &machine.policies[0], &free, pin).unwrap();
    // The passphrase opens the disk whatever is refused.
    machine.volume().unlock(PASSPHRASE, &[]).unwrap();

    // A counter that is gone is named, and one that is defined anew stands above what was revoked.
    machine.opens(NEW).unwrap();
    machine.tpm.remove_floor(FLOOR, b"").unwrap();
    for generation in [OLD, NEW] {
        let refused = machine.opens(generation).unwrap_err();
        assert!(
            refused.contains("there is no counter 0x01d10700"),
            "{refused}"
        );
    }
    machine.tpm.define_floor(FLOOR, b"").unwrap();
    assert!(machine.opens(OLD).is_err());
}
