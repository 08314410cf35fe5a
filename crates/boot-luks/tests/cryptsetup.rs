//! Against cryptsetup 2.6: volumes that it makes are read and unlocked, what we change it accepts, and a power cut at any
//! write of a change leaves a volume that opens.

#![expect(clippy::unwrap_used, reason = "helpers of tests end the test")]

use boot_luks::{Cost, Error, Storage, Volume};
use serde_json::json;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PASSPHRASE: &[u8] = b"correct horse";
const RELEASED: &[u8] = b"c2VjcmV0IG9mIGZ1bGwgZW50cm9weSwgYXMgYSBUUE0=";

/// Runs cryptsetup with a passphrase on its input.
fn cryptsetup(line: &str, volume: &Path, input: &[u8]) -> Option<String> {
    let mut child = Command::new("cryptsetup")
        .args(line.split_whitespace())
        .arg(volume)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("cryptsetup is installed");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

/// A volume of 1 MiB of data that cryptsetup made, with as small a space for keyslots as it allows.
fn format(folder: &Path, options: &str) -> PathBuf {
    let path = folder.join("volume");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(4 << 20).unwrap();
    let line = format!(
        "luksFormat -q --type luks2 --luks2-keyslots-size 2m --key-file - --uuid 0fd5a7d5-1b2c-4c0d-9c61-5e1c4b1c8b11 {options}"
    );
    cryptsetup(&line, &path, PASSPHRASE).expect("cryptsetup formats");
    path
}

const CHEAP: &str = "--pbkdf argon2id --pbkdf-memory 64 --pbkdf-force-iterations 4";

fn open(path: &Path) -> Volume<std::fs::File> {
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    Volume::read(file).unwrap()
}

#[test]
fn volumes_of_cryptsetup_open() {
    for options in [
        CHEAP,
        "--pbkdf argon2i --pbkdf-memory 64 --pbkdf-force-iterations 4 --sector-size 4096",
        "--pbkdf pbkdf2 --pbkdf-force-iterations 1000 --hash sha512",
        "--pbkdf pbkdf2 --pbkdf-force-iterations 1000 --hash sha1 --key-size 256",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = format(folder.path(), options);
        let mut volume = open(&path);
        assert_eq!(volume.uuid(), "0fd5a7d5-1b2c-4c0d-9c61-5e1c4b1c8b11");
        let segment = volume.segment().unwrap();
        assert_eq!(segment.encryption.as_deref(), Some("aes-xts-plain64"));
        let (slot, key) = volume.unlock(PASSPHRASE, &[]).unwrap();
        assert_eq!(slot, 0);
        // cryptsetup's own word for the volume key.
        let file = folder.path().join("key");
        let line = format!(
            "luksDump --dump-volume-key -q --key-file - --volume-key-file {}",
            file.display()
        );
        cryptsetup(&line, &path, PASSPHRASE).expect("cryptsetup dumps the key");
        assert_eq!(std::fs::read(file).unwrap(), *key);
        let wrong = volume.unlock(b"wrong", &[]).unwrap_err();
        assert_eq!(wrong.to_string(), "no keyslot opens with this passphrase");
        assert!(volume.unlock(PASSPHRASE, &[3]).is_err());
    }
}

#[test]
fn what_we_change_cryptsetup_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let path = format(folder.path(), CHEAP);
    let mut volume = open(&path);
    let (beside, key) = volume.unlock(PASSPHRASE, &[]).unwrap();
    let slot = volume
        .add_keyslot(beside, &key, RELEASED, Cost::Least)
        .unwrap();
    let passphrase = Cost::Passphrase {
        time: 4,
        memory: 64,
        cpus: 1,
    };
    let second = volume
        .add_keyslot(slot, &key, b"another", passphrase)
        .unwrap();
    assert_eq!((slot, second), (1, 2));
    let token = json!({"type": "systemd-tpm2", "keyslots": ["1"], "tpm2-blob": "AA=="});
    assert_eq!(volume.add_token(token.clone()).unwrap(), 0);
    let test = |slot: u32, passphrase: &[u8]| {
        let line = format!("open --test-passphrase --key-slot {slot} --key-file -");
        cryptsetup(&line, &path, passphrase).is_some()
    };
    assert!(test(0, PASSPHRASE) && test(1, RELEASED) && test(2, b"another"));
    assert!(!test(1, PASSPHRASE) && !test(0, RELEASED));
    let exported = cryptsetup("token export --token-id 0", &path, b"").unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&exported).unwrap(),
        token
    );

    let mut volume = open(&path);
    assert_eq!(volume.metadata().tokens()[&0], token);
    volume.remove_keyslot(1).unwrap();
    assert!(!test(1, RELEASED) && test(2, b"another"));
    assert_eq!(volume.metadata().tokens()[&0]["keyslots"], json!([]));
    volume.remove_token(0).unwrap();
    assert!(cryptsetup("token export --token-id 0", &path, b"").is_none());
    drop(volume);
    // Both headers say the same: without the first, the second serves.
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all(&[0; 4096]).unwrap();
    assert_eq!(open(&path).metadata().keyslots().len(), 2);
    assert!(test(2, b"another"));

    let mut volume = open(&path);
    for (what, error) in [
        (
            "there is no such keyslot",
            volume.remove_keyslot(9).unwrap_err(),
        ),
        (
            "it names a keyslot that is not there",
            volume
                .add_token(json!({"type": "t", "keyslots": ["9"]}))
                .unwrap_err(),
        ),
        (
            "it has no type",
            volume.add_token(json!({"keyslots": []})).unwrap_err(),
        ),
        (
            "there is no such token",
            volume.remove_token(5).unwrap_err(),
        ),
        (
            "no keyslot opens with this key",
            volume
                .add_keyslot(0, &vec![7; 64].into(), b"x", Cost::Least)
                .unwrap_err(),
        ),
    ] {
        assert!(error.to_string().contains(what), "{error}");
    }
    volume.remove_keyslot(2).unwrap();
    let last = volume.remove_keyslot(0).unwrap_err();
    assert!(last.to_string().contains("the last keyslot"), "{last}");
    assert!(test(0, PASSPHRASE));
    // Until there is no more room: 2 MiB hold eight split keys.
    let (beside, key) = volume.unlock(PASSPHRASE, &[]).unwrap();
    let full = (0..40).find_map(|_| {
        volume
            .add_keyslot(beside, &key, RELEASED, Cost::Least)
            .err()
    });
    assert!(full.unwrap().to_string().contains("no room"));
    assert!(test(0, PASSPHRASE));
}

/// A device that loses power at a chosen write, of which half arrives.
struct Brittle {
    contents: Cursor<Vec<u8>>,
    writes: usize,
    cut: usize,
}

impl Read for Brittle {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.contents.read(into)
    }
}

impl Seek for Brittle {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.contents.seek(to)
    }
}

impl Write for Brittle {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.writes += 1;
        if self.writes > self.cut {
            return Err(std::io::Error::other("no power"));
        }
        if self.writes == self.cut {
            self.contents.write_all(&bytes[..bytes.len() / 2])?;
            return Err(std::io::Error::other("power cut"));
        }
        self.contents.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Storage for &mut Brittle {
    fn sync(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_power_cut_at_any_write_leaves_a_volume_that_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = format(folder.path(), CHEAP);
    let before = std::fs::read(&path).unwrap();
    let change = |device: &mut Brittle| -> Result<(), Error> {
        let mut volume = Volume::read(device)?;
        let (beside, key) = volume.unlock(PASSPHRASE, &[0])?;
        let slot = volume.add_keyslot(beside, &key, RELEASED, Cost::Least)?;
        volume.add_token(json!({"type": "systemd-tpm2", "keyslots": [slot.to_string()]}))?;
        volume.add_keyslot(slot, &key, b"second", Cost::Least)?;
        volume.remove_keyslot(slot)
    };
    let device = |contents: &[u8], cut| Brittle {
        contents: Cursor::new(contents.to_vec()),
        writes: 0,
        cut,
    };
    let mut whole = device(&before, usize::MAX);
    change(&mut whole).unwrap();
    assert!(whole.writes > 10);
    for cut in 1..=whole.writes {
        let mut cut_off = device(&before, cut);
        assert!(change(&mut cut_off).is_err(), "{cut}");
        // The passphrase opens it, and what was cut off can be done again.
        let mut again = device(cut_off.contents.get_ref(), usize::MAX);
        let volume = Volume::read(&mut again).unwrap();
        let keyslots = volume.metadata().keyslots().len();
        assert!((1..=3).contains(&keyslots));
        drop(volume);
        change(&mut again).unwrap_or_else(|error| panic!("{cut}: {error}"));
        // cryptsetup says so too, where a header was cut.
        if cut % 3 == 1 {
            let copy = folder.path().join("cut");
            std::fs::write(&copy, cut_off.contents.get_ref()).unwrap();
            let line = "open --test-passphrase --key-slot 0 --key-file -";
            assert!(cryptsetup(line, &copy, PASSPHRASE).is_some(), "{cut}");
        }
    }
}
