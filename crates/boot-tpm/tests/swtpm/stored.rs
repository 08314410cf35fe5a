//! Policies in an NV index: tpm2-tools find in it what we wrote and release what is sealed to it, the TPM software stack writes it
//! by systemd's steps and names it as we do; what is not ours is refused and left alone.

use super::chip::{Chip, Judged};
use super::{COUNTS, SECRET, registers, state, value};
use boot_measure::Bank;
use boot_policy::{
    Approved, Base, Booted, Command, Floor, Layout, Members, NvPublic, PcrSet, Place, Policy,
    PrimaryKey, Refusal, State, StoredPolicy,
};
use boot_tpm::{Code, Error, SRK, Sealed, Template, Tpm, WriteKey};

const INDEX: u32 = 0x0180_1234;
const FLOOR: u32 = 0x01d1_0700;
const PIN: &str = "a recovery PIN";

/// As many states, of which the one that runs is the last.
fn layout(tpm: &mut Tpm<Judged>, count: usize) -> (Layout, State) {
    let now = state(tpm);
    let plan = (1..count)
        .map(|number| PcrSet::new(Bank::Sha256, [(7, vec![0; 32]), (11, value(number))]).unwrap());
    let booted = Booted::of(&now.registers, None, Bank::Sha256, &[7, 11]).unwrap();
    let members = Members::new(plan, &booted).unwrap();
    assert_eq!(members.states().len(), count);
    (Layout::of(&members).unwrap(), now)
}

fn bound(place: &NvPublic) -> Policy {
    Policy {
        base: Some(Base::StoredIn(place.written())),
        rules: Vec::new(),
    }
}

fn approved(layout: &Layout) -> [Approved; 1] {
    [Approved {
        rules: layout.rules().unwrap(),
        signature: Vec::new(),
    }]
}

#[test]
fn one_write_changes_what_a_sealed_secret_is_released_to() {
    let chip = Chip::start();
    chip.extend(11, "aa");
    let mut tpm = chip.connect();
    let parent = tpm.keep(b"").unwrap();
    let key = WriteKey::of_pin(PIN);
    let place = NvPublic::of_pcrlock(INDEX, &key.policy().0);
    assert_eq!(tpm.stored(&place, b"").unwrap(), None);
    tpm.define_stored(&place, b"").unwrap();
    tpm.define_stored(&place, b"").unwrap();
    assert_eq!(tpm.stored(&place, b"").unwrap(), None);
    // Sealed once, before anything was written.
    let policy = bound(&place);
    let sealed = tpm
        .seal(&parent, &policy.digest().unwrap(), SECRET, b"")
        .unwrap();
    for (count, depth) in COUNTS {
        let (layout, now) = layout(&mut tpm, count);
        let digest = layout.digest().unwrap();
        tpm.write_stored(&parent, &place, &key, &digest).unwrap();
        assert_eq!(tpm.stored(&place, b"").unwrap(), Some(digest), "{count}");
        chip.tool(&format!("tpm2_nvread -C o -o held {INDEX:#x}"));
        let held = std::fs::read(chip.folder().join("held")).unwrap();
        assert_eq!(held, [&[0, 0x0b], &digest.0[..]].concat());

        let approved = approved(&layout);
        let steps = policy.satisfy(&now, &approved).unwrap().unwrap();
        // systemd's layout: PolicyPCR of the register that never changes, then PolicyPCR and PolicyOR of the other. Ours: PolicyPCR
        // of both, and a tree. Then PolicyAuthorizeNV.
        let expected = match count {
            1 => 1,
            2..=8 => 3,
            _ => 1 + depth,
        };
        assert_eq!(steps.len(), expected + 1, "{count}");
        let before = tpm.commands();
        let released = tpm
            .unseal(&parent, &sealed, &policy, &approved, &now, b"")
            .unwrap();
        assert_eq!(*released, SECRET);
        // Load, session, the steps, digest, unseal, flush twice.
        assert_eq!(tpm.commands() - before, 2 + steps.len() + 1 + 1 + 2);
        assert_eq!(chip.unseal(&sealed, &steps), SECRET, "{count}");
    }
    // What the index does not hold is not let pass, whatever a program says.
    let (old, now) = layout(&mut tpm, 9);
    let error = tpm
        .unseal(&parent, &sealed, &policy, &approved(&old), &now, b"")
        .unwrap_err();
    assert!(error.failure().is_some(), "{error}");
    // Nor another state.
    chip.extend(11, "bb");
    let after = state(&mut tpm);
    let error = tpm
        .unseal(&parent, &sealed, &policy, &approved(&old), &after, b"")
        .unwrap_err();
    let Error::Refusal(refusal) = error else {
        panic!("{error}")
    };
    assert_eq!(refusal.cause(), &Refusal::Registers { pcrs: vec![11] });
    // Another PIN does not write.
    let other = WriteKey::of_pin("another PIN");
    let error = tpm
        .write_stored(&parent, &place, &other, &old.digest().unwrap())
        .unwrap_err();
    assert!(
        error.to_string().contains("the recovery PIN is another"),
        "{error}"
    );
    tpm.remove_stored(&place, b"").unwrap();
    tpm.remove_stored(&place, b"").unwrap();
    assert_eq!(chip.tool("tpm2_getcap handles-nv-index").trim(), "");
    assert_eq!(chip.tool("tpm2_getcap handles-transient").trim(), "");
    assert_eq!(chip.tool("tpm2_getcap handles-loaded-session").trim(), "");
}

#[test]
fn raising_the_floor_shuts_states_out_by_itself() {
    let chip = Chip::start();
    chip.extend(11, "aa");
    let mut tpm = chip.connect();
    let parent = tpm.keep(b"").unwrap();
    let key = WriteKey::of_pin(PIN);
    let place = NvPublic::of_pcrlock(INDEX, &key.policy().0);
    tpm.define_stored(&place, b"").unwrap();
    let policy = bound(&place);
    let sealed = tpm
        .seal(&parent, &policy.digest().unwrap(), SECRET, b"")
        .unwrap();
    let start = tpm.define_floor(FLOOR, b"").unwrap();
    let floor = |epoch: u64| Floor {
        index: FLOOR,
        epoch: start + epoch,
    };
    for (count, depth) in COUNTS.into_iter().take(4) {
        let (epoch, mut now) = (count as u64, state(&mut tpm));
        let booted = Booted::of(&now.registers, None, Bank::Sha256, &[7, 11]).unwrap();
        let other =
            |n: usize| PcrSet::new(Bank::Sha256, [(7, vec![0; 32]), (11, value(n))]).unwrap();
        let plan = (1..count).map(|number| (other(number), floor(100)));
        let members = Members::held(plan, &booted, floor(epoch)).unwrap();
        let layout = Layout::of(&members).unwrap();
        let digest = layout.digest().unwrap();
        tpm.write_stored(&parent, &place, &key, &digest).unwrap();
        let approved = approved(&layout);
        // Up to its own epoch the running state passes, for tpm2-tools too: PolicyPCR, PolicyNV, the tree, PolicyAuthorizeNV.
        tpm.raise_floor(FLOOR, start + epoch, b"").unwrap();
        now.counters.insert(FLOOR, start + epoch);
        let steps = policy.satisfy(&now, &approved).unwrap().unwrap();
        assert_eq!(steps.len(), 2 + depth + 1, "{count}");
        let mut released = || tpm.unseal(&parent, &sealed, &policy, &approved, &now, b"");
        assert_eq!(*released().unwrap(), SECRET);
        assert_eq!(chip.unseal(&sealed, &steps), SECRET, "{count}");
        // One step above it nothing is written, and the TPM refuses the very commands that led there, whatever a program says of the
        // counter.
        tpm.raise_floor(FLOOR, start + epoch + 1, b"").unwrap();
        let error = tpm
            .unseal(&parent, &sealed, &policy, &approved, &now, b"")
            .unwrap_err();
        assert_eq!(error.failure().unwrap().code(), Code::Policy, "{error}");
        assert_eq!(tpm.stored(&place, b"").unwrap(), Some(digest));
        // Nor is the comparison left out.
        let around: Vec<_> = steps
            .into_iter()
            .filter(|step| !matches!(step, Command::Nv { .. }))
            .collect();
        let error = tpm
            .unseal_by(&parent, &sealed, &around, policy.digest().unwrap(), b"")
            .unwrap_err();
        assert!(error.failure().is_some(), "{error}");
    }
    assert_eq!(chip.tool("tpm2_getcap handles-transient").trim(), "");
    assert_eq!(chip.tool("tpm2_getcap handles-loaded-session").trim(), "");
}

#[test]
fn the_tpm_software_stack_writes_what_we_defined_and_names_it_as_we_do() {
    let chip = Chip::start();
    let mut tpm = chip.connect();
    let parent = tpm.keep(b"").unwrap();
    let key = WriteKey::of_pin(PIN);
    let index = NvPublic::of_pcrlock(INDEX, &key.policy().0);
    tpm.define_stored(&index, b"").unwrap();
    let (first, _) = layout(&mut tpm, 2);
    tpm.write_stored(&parent, &index, &key, &first.digest().unwrap())
        .unwrap();
    let (second, _) = layout(&mut tpm, 3);
    let digest = second.digest().unwrap();
    let said = chip.python(
        include_str!("pcrlock.py"),
        &[&INDEX.to_string(), PIN, &digest.to_string()],
    );
    assert_eq!(tpm.stored(&index, b"").unwrap(), Some(digest));
    let stored = StoredPolicy {
        layout: second,
        place: Place {
            index,
            parent: parent.to_bytes(),
            pin_public: Vec::new(),
            pin_private: Vec::new(),
        },
    };
    let hex: Vec<String> = stored
        .place
        .handle()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(said.trim(), hex.concat());
}

#[test]
fn indices_of_others_are_refused_by_their_number_and_a_full_memory_is_said_so() {
    let chip = Chip::start();
    let mut tpm = chip.connect();
    let parent = tpm.keep(b"").unwrap();
    let key = WriteKey::of_pin(PIN);
    let place = NvPublic::of_pcrlock(INDEX, &key.policy().0);
    for attributes in [
        "ownerread|ownerwrite|authread",
        "policywrite|ownerread|writeall",
    ] {
        chip.tool(&format!("tpm2_nvdefine {INDEX:#x} -s 34 -a {attributes}"));
        let foreign = chip.tool(&format!("tpm2_nvreadpublic {INDEX:#x}"));
        for error in [
            tpm.define_stored(&place, b"").unwrap_err(),
            tpm.write_stored(&parent, &place, &key, &key.policy())
                .unwrap_err(),
            tpm.stored(&place, b"").unwrap_err(),
            tpm.remove_stored(&place, b"").unwrap_err(),
        ] {
            let said = "NV index 0x01801234: it is somebody else's; name another index";
            assert_eq!(error.to_string(), said);
        }
        assert_eq!(chip.tool(&format!("tpm2_nvreadpublic {INDEX:#x}")), foreign);
        chip.tool(&format!("tpm2_nvundefine -C o {INDEX:#x}"));
    }
    let error = tpm
        .write_stored(&parent, &place, &key, &key.policy())
        .unwrap_err();
    assert!(error.to_string().ends_with("it is not defined"), "{error}");
    // A policy that another PIN's holder stored is somebody else's too.
    let other = NvPublic::of_pcrlock(INDEX, &WriteKey::of_pin("another").policy().0);
    tpm.define_stored(&other, b"").unwrap();
    let error = tpm.define_stored(&place, b"").unwrap_err();
    assert!(error.to_string().contains("somebody else's"), "{error}");
    tpm.remove_stored(&other, b"").unwrap();

    let free = tpm.free_index().unwrap();
    assert!(boot_tpm::STORED_INDICES.contains(&free));
    // Others fill it up to the last two kilobytes.
    let mut large = (0..400).map(|number| {
        format!(
            "tpm2_nvdefine {:#x} -s 2048 -a ownerread|ownerwrite",
            INDEX + 0x1000 + number
        )
    });
    assert!(large.any(|line| chip.try_tool(&line).is_none()));
    let full = (0..200).find_map(|number| {
        let place = NvPublic::of_pcrlock(INDEX + number, &key.policy().0);
        tpm.define_stored(&place, b"").err()
    });
    let error = full.expect("its memory is full at some point");
    assert_eq!(error.failure().unwrap().code(), Code::NvSpace, "{error}");
    assert!(
        error.to_string().contains("its NV memory is full"),
        "{error}"
    );
}

#[test]
fn a_storage_root_key_is_kept_once_and_never_replaced() {
    let chip = Chip::start();
    let mut tpm = chip.connect();
    assert!(tpm.kept().unwrap().is_none());
    let parent = tpm.keep(b"").unwrap();
    assert!(parent.is_persistent());
    assert_eq!(tpm.keep(b"").unwrap().name(), parent.name());
    assert_eq!(chip.tool("tpm2_getcap handles-transient").trim(), "");
    // It is the key that tpm2-tools and systemd make by the standard template.
    chip.tool("tpm2_createprimary -Q -C o -g sha256 -G ecc256:aes128cfb -c srk.ctx -a fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt");
    chip.tool("tpm2_readpublic -Q -c srk.ctx -n name");
    let name = std::fs::read(chip.folder().join("name")).unwrap();
    assert_eq!(name, parent.name().as_bytes());
    // While the TPM is locked out, what wants no PIN is released under it, and not under the one of systemd 252.
    chip.tool("tpm2_dictionarylockout --setup-parameters --max-tries=1 --recovery-time=1000 --lockout-recovery-time=1000");
    let policy = Policy::of(vec![registers(&[(16, vec![0; 32])])]);
    let pin = Policy::of(vec![boot_policy::Rule::Pin]);
    let old = tpm.primary(Template::Systemd252).unwrap();
    let digest = policy.digest().unwrap();
    let under_old = tpm.seal(&old, &digest, SECRET, b"").unwrap();
    let under_kept = tpm.seal(&parent, &digest, SECRET, b"").unwrap();
    let locked = tpm
        .seal(&parent, &pin.digest().unwrap(), SECRET, b"2580")
        .unwrap();
    let now = State {
        registers: tpm.registers(Bank::Sha256, &[16]).unwrap(),
        pin: true,
        ..State::default()
    };
    let error = tpm
        .unseal(&parent, &locked, &pin, &[], &now, b"0000")
        .unwrap_err();
    assert_eq!(
        error.failure().unwrap().code(),
        Code::Authorisation,
        "{error}"
    );
    let error = tpm
        .unseal(&old, &under_old, &policy, &[], &now, b"")
        .unwrap_err();
    assert_eq!(error.failure().unwrap().code(), Code::Lockout, "{error}");
    let released = tpm
        .unseal(&parent, &under_kept, &policy, &[], &now, b"")
        .unwrap();
    assert_eq!(*released, SECRET);
    tpm.release(old).unwrap();
}

#[test]
fn what_is_under_an_rsa_key_is_sealed_and_released_too() {
    let chip = Chip::start();
    // A storage root key of RSA is kept: it is used, not replaced.
    chip.tool("tpm2_createprimary -Q -C o -g sha256 -G rsa2048:aes128cfb -c srk.ctx");
    chip.tool("tpm2_evictcontrol -Q -C o -c srk.ctx 0x81000001");
    let mut tpm = chip.connect();
    let kept = tpm.keep(b"").unwrap();
    let made = tpm.primary(Template::Systemd252Rsa).unwrap();
    // The template of tpm2-tools is that of systemd 252.
    assert_eq!(kept.name(), made.name());
    let policy = Policy::of(vec![registers(&[(16, vec![0; 32])])]);
    let now = State {
        registers: tpm.registers(Bank::Sha256, &[16]).unwrap(),
        ..State::default()
    };
    for parent in [&kept, &made] {
        assert_eq!(parent.kind(), PrimaryKey::Rsa);
        let sealed = tpm
            .seal(parent, &policy.digest().unwrap(), SECRET, b"")
            .unwrap();
        let again = Sealed::from_bytes(&sealed.to_bytes()).unwrap();
        let released = tpm.unseal(parent, &again, &policy, &[], &now, b"").unwrap();
        assert_eq!(*released, SECRET);
    }
    tpm.release(made).unwrap();
    // Anything else at the handle is left alone.
    let chip = Chip::start();
    chip.tool("tpm2_createprimary -Q -C o -g sha256 -G ecc256:null -c other.ctx -a fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign");
    chip.tool(&format!("tpm2_evictcontrol -Q -C o -c other.ctx {SRK:#x}"));
    let before = chip.tool(&format!("tpm2_readpublic -c {SRK:#x}"));
    let mut tpm = chip.connect();
    let error = tpm.keep(b"").unwrap_err();
    let said = "storage root key 0x81000001: it is no storage key";
    assert_eq!(error.to_string(), said);
    assert_eq!(chip.tool(&format!("tpm2_readpublic -c {SRK:#x}")), before);
}
