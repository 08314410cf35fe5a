//! The first process of an initrd: unlocks the root and starts the system on it; `boot_init` says how.
//!
//! Invariant: whatever fails is said on the console before the machine restarts, so that boot counting can go back.

use anyhow::Context;
use boot_init::{Console, Mapper, Mapping, Opener, Terminal, Unlocked, choose, find_root, system};
use boot_initrd::{CommandLine, Root};
use boot_luks::Volume;
use boot_tpm::{Device, Tpm};
use rustix::system::{RebootCommand, reboot};
use std::convert::Infallible;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the root is mounted at first.
const PLACE: &str = "/sysroot";
/// The register of phases, and their words.
const PHASES: u8 = 11;
const ENTER: &[u8] = b"enter-initrd";
const LEAVE: &[u8] = b"leave-initrd";
/// How long a failure stays on the screen.
const SHOWN: Duration = Duration::from_secs(10);
/// Between two looks for a device.
const PAUSE: Duration = Duration::from_millis(100);

fn main() {
    let _ = fs::create_dir_all("/dev");
    let mounted = system::mount_kernel();
    let Ok(mut console) = Terminal::open(Path::new("/dev/console")) else {
        // Nobody hears anything; a first process that ends stops the kernel, which says so.
        return;
    };
    let Err(error) = mounted
        .map_err(anyhow::Error::from)
        .and_then(|()| run(&mut console));
    console.say(&format!("the system does not start: {error:#}"));
    console.say("the machine restarts in 10 seconds");
    std::thread::sleep(SHOWN);
    rustix::fs::sync();
    let _ = reboot(RebootCommand::Restart);
}

fn tpm() -> boot_tpm::Result<Tpm<Device>> {
    Device::open(Path::new("/dev/tpmrm0")).map(Tpm::new)
}

/// Measures a phase; a machine without a TPM has nothing to measure into.
fn measure(console: &mut Terminal, phase: &[u8]) {
    if let Ok(mut tpm) = tpm()
        && let Err(error) = tpm.measure(PHASES, phase)
    {
        let phase = String::from_utf8_lossy(phase);
        console.say(&format!("the phase {phase} is not measured: {error}"));
    }
}

fn run(console: &mut Terminal) -> anyhow::Result<Infallible> {
    let line = fs::read_to_string("/proc/cmdline").context("/proc/cmdline")?;
    let line = CommandLine::after(&system::words(), line.trim_end())?;
    for refused in system::load_modules()? {
        console.say(&format!("{:#}", anyhow::Error::from(refused)));
    }
    let (device, mut volume) = find(&line)?;
    measure(console, ENTER);
    let beside = system::beside();
    let mut opener = Opener {
        console,
        beside: &beside,
    };
    let key = opener.open(&format!("{device} ({})", line.name), &mut volume, tpm())?;
    let (numbers, size) = system::device(&device)?;
    let mapping = Mapping {
        name: &line.name,
        volume: &volume.uuid(),
        device: numbers,
        size,
        segment: volume.segment()?,
        discard: line.discard,
    };
    let (_, minor) = Mapper::open(Path::new("/dev/mapper/control"))?.map(&mapping, &key)?;
    drop(key);
    let mapped = system::name_mapping(&line.name, minor)?;
    let root = match &line.root {
        Root::Mapped => mapped,
        _ => root(
            &line,
            &Unlocked {
                uuid: &volume.uuid(),
                device: &device,
                mapping: &format!("dm-{minor}"),
                path: &mapped,
            },
        )?,
    };
    wait_for(&root, line.wait);
    let (kind, flags) = (line.kind.as_deref(), line.flags.as_deref());
    system::mount_root(&root, Path::new(PLACE), kind, flags, line.writable)?;
    measure(console, LEAVE);
    system::start(Path::new(PLACE), &line.init)?;
    unreachable!("the system's first program took this one's place")
}

/// The volume, as soon as its device is there.
fn find(line: &CommandLine) -> anyhow::Result<(String, Volume<File>)> {
    let end = Instant::now() + Duration::from_secs(line.wait);
    loop {
        let candidates = system::candidates();
        match choose(&candidates, line.volume.as_deref()) {
            Ok(found) => {
                let path = Path::new("/dev").join(&found.device);
                let file = File::open(&path).with_context(|| path.display().to_string())?;
                return Ok((found.device.clone(), Volume::read(file)?));
            }
            Err(error) if Instant::now() >= end => return Err(error.into()),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// The root that the command line names by what is on it, as soon as it is there.
fn root(line: &CommandLine, unlocked: &Unlocked<'_>) -> anyhow::Result<PathBuf> {
    let end = Instant::now() + Duration::from_secs(line.wait);
    loop {
        match find_root(&line.root, unlocked, &system::block_devices()) {
            Ok(root) => return Ok(root),
            Err(error) if Instant::now() >= end => return Err(error.into()),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

fn wait_for(device: &Path, seconds: u64) {
    let end = Instant::now() + Duration::from_secs(seconds);
    while !device.exists() && Instant::now() < end {
        std::thread::sleep(PAUSE);
    }
}
