//! A TPM 2.0 in software (swtpm), with its state in a folder.

use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long swtpm may take until it listens.
const START: Duration = Duration::from_secs(30);

/// A running TPM; it ends with this value. One machine uses it, once: swtpm ends when the machine does.
#[derive(Debug)]
pub struct Tpm {
    child: Child,
    socket: PathBuf,
}

impl Tpm {
    /// Starts one whose state is in `folder`, which must exist. What is there already is kept: registers start anew, keys
    /// and counters stay.
    pub fn start(folder: &Path) -> Result<Tpm> {
        let socket = folder.join("socket");
        let _ = std::fs::remove_file(&socket);
        let child = Command::new("swtpm")
            .args(["socket", "--tpm2", "--flags", "startup-clear", "--tpmstate"])
            .arg(format!("dir={}", folder.display()))
            .arg("--ctrl")
            .arg(format!("type=unixio,path={}", socket.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| Error::Start {
                program: "swtpm",
                source,
            })?;
        let mut tpm = Tpm { child, socket };
        let started = Instant::now();
        while !tpm.socket.exists() {
            let ended = tpm.child.try_wait().ok().flatten().is_some();
            if ended || started.elapsed() > START {
                return Err(Error::Failed {
                    program: "swtpm",
                    output: format!("{} does not appear", tpm.socket.display()),
                });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(tpm)
    }

    /// Where a machine reaches it.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
