//! The test bench: variable stores, a disk with many images, one boot, and the answers beside those of the oracle.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails fails its test"
)]

use boot_variables::{EfiTime, Entry, Variable, Variables, read_store, replace_store, write_lists};
use boot_vm::{Firmware, Machine, Running, Tpm, fat_disk, without_escapes};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Longer than any boot on a busy machine.
const LIMIT: Duration = Duration::from_mins(10);

/// A variable store: Debian's empty one and these variables.
pub(crate) fn store(folder: &Path, variables: &[Variable]) -> PathBuf {
    let empty = std::fs::read("/usr/share/OVMF/OVMF_VARS_4M.fd").unwrap();
    let mut all: Variables = read_store(&empty).unwrap();
    for variable in variables {
        all.insert(variable.clone());
    }
    let path = folder.join("variables.fd");
    std::fs::write(&path, replace_store(&empty, &all).unwrap()).unwrap();
    path
}

/// A list variable.
pub(crate) fn list(name: &str, entries: &[Entry]) -> Variable {
    Variable::secure_boot(name, write_lists(entries), EfiTime::default())
}

/// A variable with other content.
pub(crate) fn plain(name: &str, content: &[u8]) -> Variable {
    Variable::secure_boot(name, content.to_vec(), EfiTime::default())
}

/// What the machine said, by file name, and its registers.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// What LoadImage answered.
    pub(crate) load: BTreeMap<String, String>,
    /// What shim's protocol answered.
    pub(crate) verify: BTreeMap<String, String>,
    /// What firmware answered to updates of variables.
    pub(crate) set: BTreeMap<String, String>,
    /// Registers of the TPM, hexadecimal.
    pub(crate) registers: BTreeMap<u8, String>,
    /// The event log, hexadecimal.
    pub(crate) log: String,
    /// The device tree that firmware's tables name, hexadecimal.
    pub(crate) tree: String,
}

/// What a boot is made of.
pub(crate) struct Boot<'a> {
    /// Scratch files go here.
    pub(crate) folder: &'a Path,
    /// Of the boot; its log carries it.
    pub(crate) name: &'a str,
    /// The store; it is copied, since firmware writes to it.
    pub(crate) variables: &'a Path,
    /// The files that start: their places on the disk, their content.
    pub(crate) start: &'a [(&'a str, &'a [u8])],
    /// What is asked about, as `images/` of the disk.
    pub(crate) images: &'a Path,
    /// The TPM, if there is one.
    pub(crate) tpm: Option<&'a Tpm>,
}

impl Boot<'_> {
    /// Turns the machine on.
    pub(crate) fn start(&self) -> Running {
        let (folder, name) = (self.folder, self.name);
        let own = folder.join(format!("{name}.fd"));
        std::fs::copy(self.variables, &own).unwrap();
        let mut files = Vec::new();
        for (index, (place, content)) in self.start.iter().enumerate() {
            let file = folder.join(format!("{name}-start{index}"));
            std::fs::write(&file, content).unwrap();
            files.push(((*place).to_owned(), file));
        }
        for file in sorted(self.images) {
            files.push((format!("images/{}", file_name(&file)), file));
        }
        let disk = folder.join(format!("{name}.disk"));
        let borrowed: Vec<(String, &Path)> = files.iter().map(|(n, f)| (n.clone(), &**f)).collect();
        fat_disk(&disk, &borrowed).unwrap();
        let mut machine = Machine::new(Firmware::SecureBoot, &own).disk(&disk);
        if let Some(tpm) = self.tpm {
            machine = machine.tpm(tpm);
        }
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.log"));
        machine
            .start(&log)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Boots until the probe, or what stands for it, has said all.
    pub(crate) fn answers(&self) -> Answers {
        answers(&self.wait_for("probe done"))
    }

    /// Boots until the machine turns itself off or restarts.
    pub(crate) fn wait_for_off(&self) {
        let said = self.start().wait_for_off(self.name, LIMIT);
        said.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Boots until the screen says `text`; what came before.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let said = self.start().wait_for(self.name, text, LIMIT);
        said.unwrap_or_else(|error| panic!("{error}"))
    }
}

pub(crate) fn answers(said: &str) -> Answers {
    let mut answers = Answers::default();
    let plain = without_escapes(said);
    for line in plain.lines().filter_map(|line| line.strip_prefix("probe ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["load", name, status] => {
                answers.load.insert(name.to_owned(), status.to_owned());
            }
            ["verify", name, status] => {
                answers.verify.insert(name.to_owned(), status.to_owned());
            }
            ["set", name, status] => {
                answers.set.insert(name.to_owned(), status.to_owned());
            }
            ["log", piece] => answers.log.push_str(piece),
            ["tree", piece] => answers.tree.push_str(piece),
            ["pcr", index, value] => {
                let index = index.parse().unwrap();
                answers.registers.insert(index, value.to_owned());
            }
            _ => {}
        }
    }
    answers
}

/// What the oracle says about one file.
#[derive(Debug)]
pub(crate) struct Foretold {
    pub(crate) status: String,
    pub(crate) reason: String,
}

/// Runs `rootstock-boot` in a folder, arguments separated by spaces; it must succeed. Its standard output.
pub(crate) fn rootstock(folder: &Path, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    rootstock_with(folder, &words)
}

/// The same with arguments that may hold spaces.
pub(crate) fn rootstock_with(folder: &Path, words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_rootstock-boot"))
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{words:?}\n{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// Asks `rootstock-boot oracle` about every file of a folder; a shim's own line is left out. With `later` the second stage
/// asks shim, not shim itself.
pub(crate) fn oracle(
    variables: &Path,
    shim: Option<&Path>,
    later: bool,
    images: &Path,
) -> BTreeMap<String, Foretold> {
    let files = sorted(images);
    let mut command = Command::new(env!("CARGO_BIN_EXE_rootstock-boot"));
    command.args(["--json", "oracle", "--vars"]).arg(variables);
    if let Some(shim) = shim {
        command.arg("--shim").arg(shim);
    }
    if later {
        command.arg("--later");
    }
    let output = command.args(&files).output().unwrap();
    let answers: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let own = usize::from(shim.is_some());
    files
        .iter()
        .zip(&answers[own..])
        .map(|(file, answer)| {
            let text = |key: &str| answer[key].as_str().unwrap().to_owned();
            let foretold = Foretold {
                status: text("status"),
                reason: text("reason"),
            };
            (file_name(file), foretold)
        })
        .collect()
}

/// Compares, and names every file about which the two differ, or whose reason is not the one that it was made for.
pub(crate) fn compare(
    real: &BTreeMap<String, String>,
    foretold: &BTreeMap<String, Foretold>,
    reasons: &BTreeMap<String, &'static str>,
) {
    let mut wrong = Vec::new();
    for (name, foretold) in foretold {
        let status = real.get(name).map_or("nothing", String::as_str);
        if status != foretold.status {
            wrong.push(format!(
                "{name}: the machine says {status}, the oracle {} ({})",
                foretold.status, foretold.reason
            ));
        }
        if reasons[name] != foretold.reason {
            wrong.push(format!(
                "{name}: made for {}, the oracle says {}",
                reasons[name], foretold.reason
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(real.len(), foretold.len(), "one answer for each file");
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
