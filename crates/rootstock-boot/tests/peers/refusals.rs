//! Without a TPM, with one that is locked out, full or cleared, and with indices of others: the cause is said, nothing of others'
//! is touched, and a passphrase and a recovery key open the disk throughout.

use crate::common::{boot, boot_code, put, run, scratch, try_run};
use crate::measure::Tpm;
use crate::unlock::volume;
use serde_json::Value;
use std::path::Path;

/// A disk that a TPM unlocks by its state and a PIN, with a recovery key.
struct Machine {
    folder: tempfile::TempDir,
    tpm: Tpm,
    /// Names the TPM on a command line.
    with: String,
}

impl Machine {
    fn new() -> Machine {
        let folder = scratch();
        let path = folder.path();
        volume(path);
        let tpm = Tpm::start(path);
        let with = format!("--tpm socket:{}", path.join("tpm/socket").display());
        let open = "--passphrase-file passphrase disk";
        let recovery = boot(path, &format!("--json unlock recovery {open}"));
        let recovery: Value = serde_json::from_str(&recovery).expect("JSON");
        let key = recovery["recovery_key"].as_str().expect("a text");
        put(path, "recovery", key.as_bytes());
        let line = format!("unlock enroll {with} --pcr 7 --with-pin --new-pin-file pin {open}");
        boot(path, &line);
        let machine = Machine { folder, tpm, with };
        assert_eq!(machine.attempt().0, 0);
        machine
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn tool(&self, line: &str) -> bool {
        let line = format!("env TPM2TOOLS_TCTI={} {line}", self.tpm.address);
        try_run(self.path(), &line).status.success()
    }

    fn attempt(&self) -> (i32, String) {
        let line = format!("unlock try {} --pin-file pin disk", self.with);
        boot_code(self.path(), &line)
    }

    /// The TPM does not unlock the disk and says so in these words; what a person has does.
    fn refused(&self, said: &str) {
        let (code, text) = self.attempt();
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(said), "{text}");
        self.opens_by_hand();
    }

    fn opens_by_hand(&self) {
        for key in ["exact", "recovery"] {
            let line = format!("cryptsetup open --test-passphrase --key-file {key} disk");
            run(self.path(), &line);
        }
    }
}

#[test]
fn a_tpm_that_is_locked_out_says_so_and_what_wants_no_pin_goes_on() {
    let machine = Machine::new();
    let path = machine.path();
    assert!(machine.tool(
        "tpm2_dictionarylockout --setup-parameters --max-tries=2 --recovery-time=1000 --lockout-recovery-time=1000"
    ));
    let wrong = format!("unlock try {} --pin-file wrong-pin disk", machine.with);
    for _ in 0..2 {
        let (code, text) = boot_code(path, &wrong);
        assert_eq!(code, 1);
        assert!(text.contains("the PIN or password is wrong"), "{text}");
    }
    machine.refused("it is locked out after too many wrong PINs");
    // The floor is nobody's PIN.
    boot(path, &format!("floor define {}", machine.with));
    assert!(machine.tool("tpm2_dictionarylockout --clear-lockout"));
    assert_eq!(machine.attempt().0, 0);
}

#[test]
fn a_state_that_is_not_the_enrolled_one_never_counts_as_a_wrong_pin() {
    let machine = Machine::new();
    let seven = "cc".repeat(32);
    assert!(machine.tool(&format!("tpm2_pcrextend 7:sha256={seven}")));
    for _ in 0..40 {
        machine.attempt();
    }
    machine.refused("PCR 7 has another value");
    let line = format!(
        "env TPM2TOOLS_TCTI={} tpm2_getcap properties-variable",
        machine.tpm.address
    );
    let properties = run(machine.path(), &line);
    assert!(
        properties.contains("TPM2_PT_LOCKOUT_COUNTER: 0x0"),
        "{properties}"
    );
}

#[test]
fn a_cleared_tpm_is_told_and_enrolled_anew() {
    let machine = Machine::new();
    assert!(machine.tool("tpm2_clear -c p"));
    machine.refused("the object is not of this TPM, or the TPM was cleared since");
    let line = format!(
        "unlock enroll {} --pcr 7 --with-pin --new-pin-file pin --passphrase-file recovery disk",
        machine.with
    );
    boot(machine.path(), &line);
    let (code, text) = machine.attempt();
    assert_eq!((code, text.as_str()), (0, "unlocked by token 2\n"));
}

#[test]
fn a_full_tpm_says_so_and_goes_on_unlocking() {
    let machine = Machine::new();
    let path = machine.path();
    let mut index = 0x0180_0000;
    // Counters have a reserve of their own.
    for kind in ["-s 2048 -a", "-s 256 -a", "-s 8 -a nt=counter|"] {
        let space = if kind.ends_with('|') { "" } else { " " };
        let line =
            |index: u32| format!("tpm2_nvdefine {index:#x} {kind}{space}ownerread|ownerwrite");
        while machine.tool(&line(index)) {
            index += 1;
        }
    }
    let (code, text) = boot_code(path, &format!("floor define {}", machine.with));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("its NV memory is full"), "{text}");
    // Unlocking needs none of it.
    assert_eq!(machine.attempt().0, 0);
    // Objects of others fill what objects are loaded into.
    for _ in 0..3 {
        machine.tool("tpm2_createprimary -Q -C o -g sha256 -G ecc256:aes128cfb -c other.ctx");
    }
    machine.refused("its memory is full of other objects or sessions");
    assert!(machine.tool("tpm2_flushcontext -t"));
    assert_eq!(machine.attempt().0, 0);
}

#[test]
fn an_index_of_somebody_elses_is_left_alone() {
    let machine = Machine::new();
    let path = machine.path();
    let index = "0x01d10700";
    assert!(machine.tool(&format!(
        "tpm2_nvdefine {index} -s 8 -a ownerread|ownerwrite|authread"
    )));
    put(path, "theirs", b"8 bytes!");
    assert!(machine.tool(&format!("tpm2_nvwrite {index} -C o -i theirs")));
    for line in ["define", "show", "raise --epoch 4 --unproven", "remove"] {
        let (code, text) = boot_code(path, &format!("floor {line} {}", machine.with));
        assert_eq!(code, 2, "{text}");
        assert!(
            text.contains("it is somebody else's; name another index"),
            "{text}"
        );
    }
    let line = format!(
        "env TPM2TOOLS_TCTI={} tpm2_nvread {index} -C o",
        machine.tpm.address
    );
    assert_eq!(run(path, &line), "8 bytes!");
    boot(
        path,
        &format!("floor define {} --index 0x01d10701", machine.with),
    );
    assert_eq!(machine.attempt().0, 0);
}

#[test]
fn without_a_tpm_it_is_said_and_nothing_is_written() {
    let folder = scratch();
    let path = folder.path();
    volume(path);
    let before = std::fs::read(path.join("disk")).unwrap();
    for line in [
        "unlock try --tpm /nonexistent/tpm disk",
        "unlock enroll --tpm /nonexistent/tpm --pcr 7 --passphrase-file passphrase disk",
        "floor show --tpm socket:/nonexistent/socket",
    ] {
        let (code, text) = boot_code(path, line);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains("TPM /nonexistent/"), "{text}");
    }
    assert!(std::fs::read(path.join("disk")).unwrap() == before);
    run(
        path,
        "cryptsetup open --test-passphrase --key-file exact disk",
    );
}
