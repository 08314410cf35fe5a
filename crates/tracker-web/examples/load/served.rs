//! The program that serves, in a process of its own.
//!
//! Invariant: it ends with this value.

use crate::Failure;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running `serve`.
pub(crate) struct Served {
    child: Child,
    /// Host and port.
    pub(crate) address: String,
}

impl Served {
    pub(crate) fn start(program: &Path, database: &str) -> Result<Served, Failure> {
        let mut child = Command::new(program)
            .args(["serve", "--database", database, "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("it has no output")?;
        let mut served = Served {
            child,
            address: String::new(),
        };
        for line in BufReader::new(out).lines() {
            if let Some(address) = line?.strip_prefix("serving on http://") {
                address.clone_into(&mut served.address);
                return Ok(served);
            }
        }
        Err("it ended before it served".into())
    }

    /// The most memory that it had resident, in MB.
    pub(crate) fn most_memory(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib: f64 = kib.ok_or("the system does not tell its memory")?.parse()?;
        Ok(kib * 1024.0 / 1e6)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Gone already if it failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
