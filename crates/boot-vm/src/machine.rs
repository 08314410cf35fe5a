//! A PC with UEFI firmware, and what its serial port says.

use crate::error::End;
use crate::{Error, Result, Tpm, screen};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How many lines of the screen an error tells.
const SCREEN: usize = 30;

/// Which of Debian's OVMF builds runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firmware {
    /// With Secure Boot, its variables protected by system management mode.
    SecureBoot,
    /// Without Secure Boot.
    Plain,
}

impl Firmware {
    fn code(self) -> &'static str {
        match self {
            Firmware::SecureBoot => "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
            Firmware::Plain => "/usr/share/OVMF/OVMF_CODE_4M.fd",
        }
    }
}

/// A machine that is not yet on.
#[derive(Debug)]
pub struct Machine {
    arguments: Vec<OsString>,
    restarts: bool,
}

impl Machine {
    /// A machine with this variable store, which firmware writes to.
    pub fn new(firmware: Firmware, variables: &Path) -> Machine {
        let mut machine = Machine {
            arguments: Vec::new(),
            restarts: false,
        };
        // `-nodefaults`: no network card and no DVD drive that firmware would try to boot from first.
        machine.add(
            "-nodefaults -display none -serial stdio -accel tcg -cpu max -smp 1 -m 384 \
             -machine q35,smm=on -global driver=cfi.pflash01,property=secure,value=on",
        );
        machine.add("-drive");
        machine.arguments.push(OsString::from(format!(
            "if=pflash,unit=0,format=raw,readonly=on,file={}",
            firmware.code()
        )));
        machine.drive("if=pflash,unit=1,format=raw,file=", variables);
        machine
    }

    fn add(&mut self, words: &str) {
        self.arguments
            .extend(words.split_whitespace().map(OsString::from));
    }

    fn drive(&mut self, options: &str, file: &Path) {
        let mut value = OsString::from(options);
        value.push(file);
        self.add("-drive");
        self.arguments.push(value);
    }

    /// With one more disk, which is not written to.
    pub fn disk(mut self, file: &Path) -> Machine {
        self.drive("if=virtio,format=raw,readonly=on,file=", file);
        self
    }

    /// With one more disk, which is written to.
    pub fn writable_disk(mut self, file: &Path) -> Machine {
        self.drive("if=virtio,format=raw,file=", file);
        self
    }

    /// With a source of random numbers.
    pub fn random_numbers(mut self) -> Machine {
        self.add("-device virtio-rng-pci");
        self
    }

    /// One that starts again when its system says so, as machines do; without this it turns off.
    pub fn restarting(mut self) -> Machine {
        self.restarts = true;
        self
    }

    /// With a TPM.
    pub fn tpm(mut self, tpm: &Tpm) -> Machine {
        self.add("-tpmdev emulator,id=tpm,chardev=tpm -device tpm-crb,tpmdev=tpm -chardev");
        let mut socket = OsString::from("socket,id=tpm,path=");
        socket.push(tpm.socket());
        self.arguments.push(socket);
        self
    }

    /// Turns it on. What the serial port says goes to `log` too.
    pub fn start(self, log: &Path) -> Result<Running> {
        let file_error = |source| Error::File {
            path: log.to_owned(),
            source,
        };
        let program = "qemu-system-x86_64";
        let start = |source| Error::Start { program, source };
        let mut file = File::create(log).map_err(file_error)?;
        let errors = file.try_clone().map_err(file_error)?;
        let end: &[&str] = if self.restarts { &[] } else { &["-no-reboot"] };
        let mut child = Command::new(program)
            .args(&self.arguments)
            .args(end)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(start)?;
        let keyboard = child.stdin.take();
        let mut output = child.stdout.take().expect("standard output is a pipe");
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                // A log that can't be written is no reason to stop reading: the machine would stand still.
                let _ = file.write_all(&bytes[..count]);
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Running {
            child,
            keyboard,
            receiver,
            log: log.to_owned(),
            bytes: Vec::new(),
            seen: 0,
        })
    }
}

/// A machine that is on; it is turned off with this value.
#[derive(Debug)]
pub struct Running {
    child: Child,
    keyboard: Option<ChildStdin>,
    receiver: Receiver<Vec<u8>>,
    log: PathBuf,
    bytes: Vec<u8>,
    /// How many bytes earlier steps have used.
    seen: usize,
}

impl Running {
    /// Waits until the serial port says `text`, behind what earlier steps waited for. Returns what came before it.
    pub fn wait_for(&mut self, step: &str, text: &str, limit: Duration) -> Result<String> {
        let end = Instant::now() + limit;
        loop {
            let rest = &self.bytes[self.seen..];
            let found = rest
                .windows(text.len())
                .position(|window| window == text.as_bytes());
            if let Some(at) = found {
                let before = String::from_utf8_lossy(&rest[..at]).into_owned();
                self.seen += at + text.len();
                return Ok(before);
            }
            if let Some(reason) = self.receive(end, limit) {
                return Err(self.in_vain(step, &format!("`{text}`"), reason));
            }
        }
    }

    /// Types `text`, as into a terminal on the serial port.
    pub fn type_text(&mut self, step: &str, text: &str) -> Result<()> {
        let typed = self.keyboard.as_mut().is_some_and(|keyboard| {
            keyboard
                .write_all(text.as_bytes())
                .and_then(|()| keyboard.flush())
                .is_ok()
        });
        if typed {
            return Ok(());
        }
        Err(self.in_vain(step, "a machine to type to", End::Off))
    }

    /// Waits until the machine has turned itself off, and returns all that its serial port said.
    pub fn wait_for_off(mut self, step: &str, limit: Duration) -> Result<String> {
        let end = Instant::now() + limit;
        loop {
            match self.receive(end, limit) {
                None => {}
                Some(End::Off) => return Ok(String::from_utf8_lossy(&self.bytes).into_owned()),
                Some(late) => return Err(self.in_vain(step, "the end", late)),
            }
        }
    }

    /// Takes what the serial port says next; how waiting ended, when nothing more comes.
    fn receive(&mut self, end: Instant, limit: Duration) -> Option<End> {
        let left = end.saturating_duration_since(Instant::now());
        match self.receiver.recv_timeout(left) {
            Ok(bytes) => {
                self.bytes.extend(bytes);
                None
            }
            Err(RecvTimeoutError::Disconnected) => Some(End::Off),
            Err(RecvTimeoutError::Timeout) => Some(End::Late(limit)),
        }
    }

    fn in_vain(&self, step: &str, what: &str, end: End) -> Error {
        Error::Step {
            step: step.to_owned(),
            what: what.to_owned(),
            end,
            log: self.log.display().to_string(),
            screen: screen::tail(&String::from_utf8_lossy(&self.bytes), SCREEN),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
