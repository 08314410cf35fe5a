//! Running the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The run, if it ended with this code.
    pub(crate) fn expect(self, code: i32) -> Run {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// The program, free of the environment's settings.
pub(crate) fn command(folder: &Path) -> Command {
    command_of(PROGRAM, folder)
}

/// Where it is.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_rootstock-tracker");

/// A command in its place.
pub(crate) fn command_of(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    for name in [
        "ROOTSTOCK_CONFIG",
        "CREDENTIALS_DIRECTORY",
        "ROOTSTOCK_DATABASE",
        "ROOTSTOCK_ACTOR",
        "ROOTSTOCK_API_RATE",
        "ROOTSTOCK_API_TOKEN_RATE",
        "ROOTSTOCK_GITHUB_API",
        "ROOTSTOCK_GITHUB_CLIENT",
        "ROOTSTOCK_GITHUB_KEY",
        "ROOTSTOCK_GITHUB_SECRET",
        "ROOTSTOCK_GITHUB_URL",
        "ROOTSTOCK_PUBLIC_URL",
        "ROOTSTOCK_LISTEN",
        "ROOTSTOCK_METRICS_LISTEN",
        "ROOTSTOCK_DRAIN",
        "ROOTSTOCK_LANDING",
        "ROOTSTOCK_LOG",
        "ROOTSTOCK_LOG_FORMAT",
        "ROOTSTOCK_NVD_KEY",
        "ROOTSTOCK_SPOOL",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs it to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Run {
    let output = command(folder).args(arguments).output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file of the snapshot that ships with the program.
pub(crate) fn snapshot(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("demo")
        .join(name);
    path.display().to_string()
}
