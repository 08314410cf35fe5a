//! A folder with a chain file, the real seed and a store, and the program run on them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The seed makes itself, and a file of three bytes; the hashes are put in by `--record`.
pub(crate) const CHAIN: &str = r#"
chain = "small"
system = "x86_64-linux"
[calls]
stage = ["creat", "exit", "open", "read", "write"]
[[input]]
name = "seed"
hexadecimal = "seed.hex0"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[[input]]
name = "seed.hex0"
file = "seed.hex0"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[[input]]
name = "abc"
texts = { "abc.hex0" = "61 62 63 ; abc\n" }
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[[step]]
name = "again"
program = "{seed}"
arguments = ["{seed.hex0}", "{out}"]
calls = ["stage"]
same-as = "seed"
[[step]]
name = "letters"
program = "{again}"
arguments = ["{abc}/*.hex0", "{out}"]
calls = ["stage"]
"#;

pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new(chain: &str) -> Place {
        let folder = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .unwrap();
        let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bootstrap/amd64/S0/seed.hex0");
        fs::copy(seed, folder.path().join("seed.hex0")).unwrap();
        fs::write(folder.path().join("chain.toml"), chain).unwrap();
        Place { folder }
    }

    pub(crate) fn recorded() -> Place {
        let place = Place::new(CHAIN);
        assert_eq!(place.run("build", &["--record", "--offline"]).0, 0);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command of the program on the chain and the store.
    pub(crate) fn command(&self, command: &str) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_rootstock-seed"));
        program
            .arg(command)
            .arg(self.path("chain.toml"))
            .arg("--store")
            .arg(self.path("store"))
            .current_dir(self.folder.path());
        program
    }

    /// Exit code, and standard output and error.
    pub(crate) fn run(&self, command: &str, more: &[&str]) -> (i32, String) {
        let output = self.command(command).args(more).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), text)
    }

    pub(crate) fn files(&self, part: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("store").join(part)).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    pub(crate) fn key(&self, name: &str, algorithm: &[&str]) -> String {
        let private = self.path(name).display().to_string();
        for arguments in [
            [&["genpkey", "-quiet", "-out", &private][..], algorithm].concat(),
            vec![
                "pkey",
                "-in",
                &private,
                "-pubout",
                "-out",
                &format!("{private}.pub"),
            ],
        ] {
            assert!(
                Command::new("openssl")
                    .args(arguments)
                    .status()
                    .unwrap()
                    .success()
            );
        }
        private
    }
}

/// Changes one bit of a file that nobody may write.
pub(crate) fn change_byte(path: &Path, at: usize) {
    let mode = fs::metadata(path).unwrap().permissions();
    let mut bytes = fs::read(path).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 1;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, mode).unwrap();
}
