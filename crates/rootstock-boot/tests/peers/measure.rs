//! PCR 11 and signed policies: systemd-measure 252 computes the same values and writes the same bytes; a TPM (swtpm) lets a
//! secret go in the signed state and in no other.

use crate::common::{STUB, boot, boot_code, put, run, scratch, try_run};
use std::path::Path;
use std::process::{Child, Command};

const MEASURE: &str = "/lib/systemd/systemd-measure";

/// A software TPM that goes away with its value.
pub(crate) struct Tpm {
    process: Child,
    /// How clients reach it.
    pub(crate) address: String,
}

impl Tpm {
    /// On UNIX sockets, since ports may be taken: clients look for the control channel under the data channel's name with
    /// `.ctrl`.
    pub(crate) fn start(folder: &Path) -> Tpm {
        std::fs::create_dir(folder.join("tpm")).expect("the folder is new");
        Tpm::run(folder)
    }

    /// The same TPM after the power was off: what it keeps, and registers as at the start.
    pub(crate) fn restart(self, folder: &Path) -> Tpm {
        drop(self);
        for socket in ["tpm/socket", "tpm/socket.ctrl"] {
            let _ = std::fs::remove_file(folder.join(socket));
        }
        Tpm::run(folder)
    }

    fn run(folder: &Path) -> Tpm {
        let socket = folder.join("tpm/socket").display().to_string();
        let process = Command::new("swtpm")
            .args(["socket", "--tpm2", "--tpmstate"])
            .arg(format!("dir={}", folder.join("tpm").display()))
            .args(["--server", &format!("type=unixio,path={socket}")])
            .args(["--ctrl", &format!("type=unixio,path={socket}.ctrl")])
            .args(["--flags", "not-need-init,startup-clear"])
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("swtpm starts");
        let tpm = Tpm {
            process,
            address: format!("swtpm:path={socket}"),
        };
        for _ in 0..100 {
            if tpm.try_tool(folder, "tpm2_pcrread sha256:11") {
                return tpm;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("swtpm does not answer");
    }

    fn line(&self, tool: &str) -> String {
        format!("env TPM2TOOLS_TCTI={} {tool}", self.address)
    }

    fn try_tool(&self, folder: &Path, tool: &str) -> bool {
        try_run(folder, &self.line(tool)).status.success()
    }

    /// Runs a tool; what it left loaded is unloaded, since there is no resource manager (contexts are in files).
    fn tool(&self, folder: &Path, tool: &str) -> String {
        let text = run(folder, &self.line(tool));
        self.try_tool(folder, "tpm2_flushcontext -t");
        text
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A UKI on stub 252 with every section that it measures, and the same contents as files for systemd-measure.
fn image(path: &Path) -> String {
    boot(path, "keys create --name Test --role pcr .");
    let kernel: Vec<u8> = (0..70_001_u32).map(|n| (n * 13) as u8).collect();
    put(path, "linux", &kernel);
    put(path, "osrel", b"ID=test\nVERSION=1\n");
    put(path, "cmdline", b"console=ttyS0 quiet");
    put(path, "initrd", b"an archive");
    put(path, "splash", b"a picture");
    put(path, "dtb", b"a tree");
    boot(
        path,
        &format!(
            "uki build --stub {STUB} --linux linux --osrel @osrel --cmdline @cmdline --initrd initrd --splash splash \
             --dtb dtb --pcrpkey pcr.pub -o image.efi"
        ),
    );
    "--linux=linux --osrel=osrel --cmdline=cmdline --initrd=initrd --splash=splash --dtb=dtb --pcrpkey=pcr.pub".to_owned()
}

#[test]
fn predictions_and_signed_policies_are_those_of_systemd_measure() {
    let folder = scratch();
    let path = folder.path();
    let files = image(path);
    let banks = "--bank=sha1 --bank=sha256 --bank=sha384 --bank=sha512";
    let values = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|l| l.starts_with("11:"))
            .map(str::to_owned)
            .collect()
    };
    let theirs = values(&run(path, &format!("{MEASURE} calculate {files} {banks}")));
    // Theirs has no value for the start of the kernel, which stands first in ours.
    let ours = values(&boot(path, "pcr predict image.efi"));
    assert_eq!(ours[4..], theirs);
    let one = "--phase=enter-initrd:leave-initrd";
    let theirs = values(&run(
        path,
        &format!("{MEASURE} calculate {files} {banks} {one}"),
    ));
    assert_eq!(
        values(&boot(path, &format!("pcr predict {one} image.efi")))[4..],
        theirs
    );

    let tpm = Tpm::start(path);
    let device = format!("--tpm2-device={}", tpm.address);
    let keys = "--private-key=pcr.key --public-key=pcr.pub";
    for banks in [
        "--bank=sha256",
        "--bank=sha1 --bank=sha256 --bank=sha384 --bank=sha512",
    ] {
        let theirs = run(
            path,
            &format!("{MEASURE} sign {files} {banks} {keys} {device}"),
        );
        boot(
            path,
            &format!("policy sign --key pcr.key {banks} -o ours.json image.efi"),
        );
        let ours = std::fs::read_to_string(path.join("ours.json")).unwrap();
        assert!(ours == theirs, "byte for byte\n{ours}\n{theirs}");
    }
    let checked = boot(
        path,
        "policy verify --public-key pcr.pub --signatures ours.json image.efi",
    );
    assert_eq!(checked.matches("good for phase").count(), 16, "{checked}");
    boot(
        path,
        "uki build --stub /usr/lib/systemd/boot/efi/linuxx64.efi.stub --linux linux --osrel @osrel --cmdline @cmdline --initrd initrd --splash splash --dtb dtb --pcrpkey pcr.pub --pcrsig ours.json -o signed.efi",
    );
    boot(path, "policy verify signed.efi");
    boot(
        path,
        "uki build --stub /usr/lib/systemd/boot/efi/linuxx64.efi.stub --linux linux --pcrpkey pcr.pub --pcrsig ours.json -o other.efi",
    );
    let (code, text) = boot_code(path, "policy verify other.efi");
    assert!(code == 1 && text.contains("not for this image"), "{text}");
}

/// The reference that a name stands for, in a file too: its SHA-256, or none.
fn reference_of(path: &Path, name: &str) -> Vec<u8> {
    if name.is_empty() {
        return Vec::new();
    }
    put(path, "name", name.as_bytes());
    run(path, "openssl dgst -sha256 -binary -out polref name");
    std::fs::read(path.join("polref")).expect("openssl wrote it")
}

#[test]
fn a_tpm_releases_a_secret_in_the_signed_state_alone_with_and_without_a_policy_reference() {
    let folder = scratch();
    let path = folder.path();
    image(path);
    for (round, reference) in ["", "initrd"].into_iter().enumerate() {
        let state = scratch();
        let tpm = Tpm::start(state.path());
        let tool = |line: &str| tpm.tool(path, line);
        boot(
            path,
            &format!(
                "policy sign --key pcr.key --bank sha256 --phase enter-initrd --policy-reference={reference} -o pcrsig image.efi"
            ),
        );
        let json: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path.join("pcrsig")).unwrap()).unwrap();
        let entry = &json["sha256"][0];
        assert_eq!(
            entry.get("ref").is_some_and(|name| name == reference),
            round == 1
        );
        let hex = entry["pol"].as_str().unwrap();
        let policy: Vec<u8> = (0..32)
            .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
            .collect();
        put(path, "pol", &policy);
        let hashed = reference_of(path, reference);
        put(path, "tbs", &[&policy[..], &hashed].concat());
        put(path, "sig.b64", entry["sig"].as_str().unwrap().as_bytes());
        run(path, "openssl base64 -d -A -in sig.b64 -out sig");
        let qualifier = if reference.is_empty() {
            ""
        } else {
            "-q polref"
        };

        // Seal a secret to "whatever the holder of pcr.key signs".
        tool("tpm2_createprimary -Q -C o -c primary.ctx");
        tool("tpm2_loadexternal -Q -C o -G rsa -u pcr.pub -c key.ctx -n key.name");
        tool("tpm2_startauthsession -S session.ctx");
        tool(&format!(
            "tpm2_policyauthorize -Q -S session.ctx -L authorized {qualifier} -n key.name"
        ));
        tool("tpm2_flushcontext session.ctx");
        put(path, "secret", b"open sesame");
        tool("tpm2_create -Q -C primary.ctx -L authorized -i secret -u sealed.pub -r sealed.priv");
        tool("tpm2_load -Q -C primary.ctx -u sealed.pub -r sealed.priv -c sealed.ctx");

        // Boot: extend PCR 11 by what the stub measures.
        let extend = |data: &[u8]| {
            put(path, "measured", data);
            let digest = run(path, "sha256sum measured");
            tool(&format!(
                "tpm2_pcrextend 11:sha256={}",
                digest.split_whitespace().next().unwrap()
            ));
        };
        let read = |name: &str| std::fs::read(path.join(name)).unwrap();
        for name in ["linux", "osrel", "cmdline", "initrd", "splash", "dtb"] {
            extend(format!(".{name}\0").as_bytes());
            extend(&read(name));
        }
        extend(b".pcrpkey\0");
        extend(&read("pcr.pub"));
        let unseal = || {
            let steps = [
                "tpm2_startauthsession --policy-session -S session.ctx".to_owned(),
                "tpm2_policypcr -Q -S session.ctx -l sha256:11".to_owned(),
                "tpm2_verifysignature -Q -c key.ctx -g sha256 -m tbs -s sig -f rsassa -t ticket"
                    .to_owned(),
                format!(
                    "tpm2_policyauthorize -Q -S session.ctx -i pol {qualifier} -n key.name -t ticket"
                ),
                "tpm2_unseal -p session:session.ctx -c sealed.ctx -o released".to_owned(),
            ];
            let done = steps.iter().all(|step| {
                let done = tpm.try_tool(path, step);
                tpm.try_tool(path, "tpm2_flushcontext -t");
                done
            });
            tpm.try_tool(path, "tpm2_flushcontext session.ctx");
            done
        };
        assert!(!unseal(), "before the phase that was signed");
        extend(b"enter-initrd");
        assert!(unseal(), "in the signed phase");
        assert_eq!(read("released"), b"open sesame");
        let value = tool("tpm2_pcrread sha256:11").to_lowercase();
        let predicted = boot(
            path,
            "pcr predict --bank sha256 --phase enter-initrd image.efi",
        );
        let predicted = predicted
            .lines()
            .last()
            .unwrap()
            .split_once('=')
            .unwrap()
            .1
            .to_owned();
        assert!(value.contains(&predicted), "{value} {predicted}");
        extend(b"leave-initrd");
        assert!(!unseal(), "after it");
    }
}
