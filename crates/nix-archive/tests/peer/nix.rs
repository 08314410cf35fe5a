//! A private store for one test: its own store, state and configuration folders, no daemon, no network.

use nix_store_path::{StoreDir, StorePath};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Nix {
    root: tempfile::TempDir,
}

impl Nix {
    pub(crate) fn new() -> Nix {
        let root = tempfile::tempdir().unwrap();
        let configuration = root.path().join("conf");
        fs::create_dir(&configuration).unwrap();
        fs::create_dir(root.path().join("store")).unwrap();
        fs::write(
            configuration.join("nix.conf"),
            "experimental-features = nix-command ca-derivations impure-derivations\n\
             sandbox = false\nfsync-metadata = false\nbuild-users-group =\nsubstituters =\nrequire-sigs = true\n",
        )
        .unwrap();
        Nix { root }
    }

    /// A path for the test's own files.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn store(&self) -> StoreDir {
        StoreDir::new(self.file("store").to_str().unwrap()).unwrap()
    }

    pub(crate) fn on_disk(&self, path: &StorePath) -> PathBuf {
        self.store().join(path).into()
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.root.path())
            .env_remove("NIX_REMOTE")
            .env_remove("NIX_PATH");
        for (name, folder) in [
            ("NIX_STORE_DIR", "store"),
            ("NIX_STATE_DIR", "state"),
            ("NIX_LOG_DIR", "log"),
            ("NIX_CONF_DIR", "conf"),
            ("HOME", "home"),
            ("TMPDIR", ""),
        ] {
            command.env(name, self.file(folder));
        }
        command
    }

    /// Standard output, and whether the program succeeded.
    pub(crate) fn try_run(&self, program: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let output = self.command(program, arguments).output();
        let output = output.unwrap_or_else(|error| {
            panic!("{program} (Debian package nix-bin) does not run: {error}")
        });
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    pub(crate) fn bytes(&self, program: &str, arguments: &[&str]) -> Vec<u8> {
        self.try_run(program, arguments)
            .unwrap_or_else(|error| panic!("{program} {arguments:?}: {error}"))
    }

    /// Standard output as text, without the last newline.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> String {
        String::from_utf8(self.bytes(program, arguments))
            .unwrap()
            .trim_end()
            .to_owned()
    }

    pub(crate) fn json(&self, program: &str, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.bytes(program, arguments)).unwrap()
    }

    /// The store paths that a program prints, one a line.
    pub(crate) fn paths(&self, program: &str, arguments: &[&str]) -> Vec<StorePath> {
        let text = self.run(program, arguments);
        text.lines()
            .map(|line| self.store().parse(line).unwrap())
            .collect()
    }

    /// Evaluates an expression of derivations to the `.drv` files' paths.
    pub(crate) fn instantiate(&self, expression: &str) -> Vec<StorePath> {
        let text = self.run("nix-instantiate", &["-E", expression]);
        let drvs = text.lines().map(|line| line.split('!').next().unwrap());
        drvs.map(|line| self.store().parse(line).unwrap()).collect()
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
