//! A software TPM with its own folder, and tpm2-tools on it.

use boot_policy::{Command as Step, Comparison, PolicyDigest};
use boot_tpm::{Sealed, Socket, Tpm, Transport};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use tpm2_protocol::frame::TpmCommand;

/// A transport that has every command judged by `tpm2-protocol` before it is sent.
pub(crate) struct Judged(Socket);

impl Transport for Judged {
    fn exchange(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        let frame = TpmCommand::cast(command).expect("a command");
        frame.validate().expect("a command in form");
        self.0.exchange(command)
    }
}

/// A running TPM; it ends with this value.
pub(crate) struct Chip {
    process: Child,
    folder: tempfile::TempDir,
}

impl Chip {
    pub(crate) fn start() -> Chip {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("state")).expect("the folder is new");
        let socket = folder.path().join("socket").display().to_string();
        let process = Command::new("swtpm")
            .args(["socket", "--tpm2", "--tpmstate"])
            .arg(format!("dir={}", folder.path().join("state").display()))
            .args(["--server", &format!("type=unixio,path={socket}")])
            .args(["--ctrl", &format!("type=unixio,path={socket}.ctrl")])
            .args(["--flags", "not-need-init,startup-clear"])
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("swtpm starts");
        let chip = Chip { process, folder };
        for _ in 0..200 {
            if chip.try_tool("tpm2_getcap properties-fixed").is_some() {
                return chip;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("swtpm does not answer")
    }

    /// Where keys and messages are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    pub(crate) fn connect(&self) -> Tpm<Judged> {
        let socket = Socket::connect(&self.socket()).expect("swtpm listens");
        Tpm::new(Judged(socket))
    }

    /// What a tool says; none when it fails.
    pub(crate) fn try_tool(&self, line: &str) -> Option<String> {
        let mut words = line.split_whitespace();
        let output = Command::new(words.next()?)
            .args(words)
            .env(
                "TPM2TOOLS_TCTI",
                format!("swtpm:path={}", self.socket().display()),
            )
            .current_dir(self.folder())
            .output()
            .expect("tpm2-tools are installed");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }

    /// Runs a tool, then unloads what it left, since there is no resource manager.
    pub(crate) fn tool(&self, line: &str) -> String {
        let text = self
            .try_tool(line)
            .unwrap_or_else(|| panic!("{line} fails"));
        self.try_tool("tpm2_flushcontext -t");
        text
    }

    pub(crate) fn extend(&self, pcr: u8, byte: &str) {
        self.tool(&format!("tpm2_pcrextend {pcr}:sha256={}", byte.repeat(32)));
    }

    /// Makes a storage root key and keeps it where it belongs.
    pub(crate) fn keep_srk(&self) {
        self.tool("tpm2_createprimary -Q -C o -g sha256 -G ecc256:aes128cfb -c srk.ctx");
        self.tool("tpm2_evictcontrol -Q -C o -c srk.ctx 0x81000001");
    }

    /// What tpm2-tools come to by the same steps.
    pub(crate) fn trial(&self, steps: &[Step]) -> String {
        self.session(steps);
        self.try_tool("tpm2_flushcontext session.ctx");
        let digest = std::fs::read(self.folder().join("digest")).unwrap();
        PolicyDigest::from_bytes(&digest).unwrap().to_string()
    }

    /// What tpm2-tools have the TPM release by these steps, of an object under the persistent storage root key.
    pub(crate) fn unseal(&self, sealed: &Sealed, steps: &[Step]) -> Vec<u8> {
        let sized = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
        std::fs::write(self.folder().join("sealed.pub"), sized(&sealed.public)).unwrap();
        std::fs::write(self.folder().join("sealed.priv"), sized(&sealed.private)).unwrap();
        self.tool("tpm2_load -Q -C 0x81000001 -u sealed.pub -r sealed.priv -c sealed.ctx");
        self.session(steps);
        self.tool("tpm2_unseal -c sealed.ctx -p session:session.ctx -o secret");
        self.try_tool("tpm2_flushcontext session.ctx");
        std::fs::read(self.folder().join("secret")).unwrap()
    }

    /// A policy session that has gone through these steps: `session.ctx`.
    fn session(&self, steps: &[Step]) {
        let path = self.folder();
        self.try_tool("tpm2_startauthsession --policy-session -S session.ctx")
            .expect("a session");
        for step in steps {
            let line = match step {
                Step::Pcr(set) => {
                    let pcrs: Vec<String> = set.iter().map(|(pcr, _)| pcr.to_string()).collect();
                    format!(
                        "tpm2_policypcr -S session.ctx -l sha256:{} -L digest",
                        pcrs.join(",")
                    )
                }
                Step::Or(list) => {
                    let files: Vec<String> =
                        (0..list.len()).map(|n| format!("branch{n}")).collect();
                    for (file, digest) in files.iter().zip(list) {
                        std::fs::write(path.join(file), digest.0).unwrap();
                    }
                    format!(
                        "tpm2_policyor -S session.ctx -L digest sha256:{}",
                        files.join(",")
                    )
                }
                Step::AuthorizeNv(index) => format!(
                    "tpm2_policyauthorizenv -S session.ctx -C o -L digest {:#x}",
                    index.index
                ),
                Step::Nv {
                    index,
                    comparison: Comparison::AtMost,
                    number,
                } => {
                    std::fs::write(path.join("number"), number.to_be_bytes()).unwrap();
                    format!(
                        "tpm2_policynv -S session.ctx -L digest -C {0:#x} -i number {0:#x} ule",
                        index.index
                    )
                }
                other => panic!("{other:?} is not tried"),
            };
            self.try_tool(&line)
                .unwrap_or_else(|| panic!("{line} fails"));
        }
    }

    /// Runs a Python program with the TPM software stack's bindings; its first argument is how to reach the TPM.
    pub(crate) fn python(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new("/usr/bin/python3")
            .args(["-c", program])
            .arg(format!("swtpm:path={}", self.socket().display()))
            .args(arguments)
            .output()
            .expect("Python is installed");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn openssl(&self, line: &str) -> Vec<u8> {
        let output = Command::new("openssl")
            .args(line.split_whitespace())
            .current_dir(self.folder())
            .output()
            .expect("openssl is installed");
        assert!(output.status.success(), "openssl {line}");
        output.stdout
    }

    /// An RSA key, by file name.
    pub(crate) fn rsa_key(&self) -> String {
        self.openssl("genrsa -out key.pem 2048");
        "key.pem".to_owned()
    }

    pub(crate) fn modulus(&self, key: &str) -> Vec<u8> {
        let text = self.openssl(&format!("rsa -in {key} -noout -modulus"));
        let text = String::from_utf8(text).unwrap();
        let hex = text.trim().strip_prefix("Modulus=").unwrap().as_bytes();
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
        hex.chunks(2)
            .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
            .collect()
    }

    pub(crate) fn sign(&self, key: &str, message: &[u8]) -> Vec<u8> {
        std::fs::write(self.folder.path().join("message"), message).unwrap();
        self.openssl(&format!("dgst -sha256 -sign {key} message"))
    }
}

impl Drop for Chip {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
