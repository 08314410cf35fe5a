//! A machine's TPM while the machine is off: for the commands that enrol it.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use boot_measure::{Bank, EventLog};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long swtpm may take until it listens.
const START: Duration = Duration::from_secs(30);
/// TPM2_Shutdown(TPM_SU_CLEAR).
const SHUTDOWN: [u8; 12] = [0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x45, 0, 0];

/// TPM2_PCR_Extend: before the register, and after it with an empty authorisation and one digest of SHA-256.
const EXTEND: [u8; 13] = [0x80, 2, 0, 0, 0, 65, 0, 0, 1, 0x82, 0, 0, 0];
const WITH: [u8; 19] = [
    0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0x0b,
];

/// swtpm with its own socket; it ends with this value.
pub(crate) struct HostTpm {
    process: Child,
    socket: PathBuf,
}

impl HostTpm {
    /// On the state in this folder.
    pub(crate) fn start(state: &Path) -> HostTpm {
        let socket = state.join("host");
        let _ = std::fs::remove_file(&socket);
        let unix = |path: &Path| format!("type=unixio,path={}", path.display());
        let process = Command::new("swtpm")
            .args(["socket", "--tpm2", "--tpmstate"])
            .arg(format!("dir={}", state.display()))
            .args(["--server", &unix(&socket)])
            .args(["--ctrl", &unix(&state.join("host-control"))])
            .args(["--flags", "not-need-init,startup-clear"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while UnixStream::connect(&socket).is_err() {
            assert!(started.elapsed() < START, "swtpm does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        HostTpm { process, socket }
    }

    /// Brings the registers to where they are while a system runs: after a boot of this log and these phases.
    pub(crate) fn run(&self, log: &[u8], phases: &[&str]) {
        let log = EventLog::read(log).unwrap();
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        let mut extend = |pcr: u8, digest: &[u8]| {
            let command = [&EXTEND[..], &[pcr], &WITH, digest].concat();
            stream.write_all(&command).unwrap();
            let mut answer = [0; 64];
            let length = stream.read(&mut answer).unwrap();
            assert!(
                length >= 10 && answer[6..10] == [0; 4],
                "{:?}",
                &answer[..length]
            );
        };
        for event in log.events.iter().filter(|event| event.is_extended()) {
            extend(event.pcr as u8, event.digest(Bank::Sha256).unwrap());
        }
        for phase in phases {
            extend(11, &Bank::Sha256.digest(&[phase.as_bytes()]));
        }
    }

    /// As `--tpm` takes it.
    pub(crate) fn option(&self) -> String {
        format!("--tpm socket:{}", self.socket.display())
    }
}

impl Drop for HostTpm {
    fn drop(&mut self) {
        // As a system does before it turns off: a TPM whose power fails after it was asked for secrets counts that as a
        // wrong PIN.
        if let Ok(mut stream) = UnixStream::connect(&self.socket) {
            let _ = stream.write_all(&SHUTDOWN);
            let _ = stream.read(&mut [0; 10]);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
