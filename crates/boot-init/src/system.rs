//! What is done to the system: file systems mounted, modules loaded, devices looked at, the root taken as the root.
//!
//! Invariant: nothing is decided here that a pure module of this crate decides.

use crate::{BlockDevice, Candidate, Error, FileSystem, Result};
use boot_initrd::{Dependencies, MAX_DEPENDENCIES, MAX_LINE, WORDS};
use boot_luks::Volume;
use boot_measure::{EventLog, Gpt, MAX_LOG};
use boot_policy::{MAX_CREDENTIAL, MAX_DOCUMENT, SignedPolicies, StoredPolicy};
use boot_unlock::MAX_GENERATIONS;
use rustix::fs::statfs;
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount, mount_move};
use rustix::process::{chdir, chroot};
use rustix::system::{finit_module, init_module};
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use crate::Beside;

/// The module is compressed: the kernel unpacks it itself, its signature inside (MODULE_INIT_COMPRESSED_FILE).
const COMPRESSED: i32 = 4;
/// Largest module, unpacked.
const MAX_MODULE: u64 = 128 << 20;
/// Memory that unpacking one may take, in KiB and in bytes.
const MAX_MEMORY: u32 = 64 << 10;
/// Where the stub puts what lies beside the image.
const EXTRA: &str = "/.extra";
/// Signed policies of the image.
const SIGNED: &str = "tpm2-pcr-signature.json";
/// Names of credentials: policies that live in the TPM, as systemd-pcrlock names them; lists of generations, logs of boots that were right, and recovery tokens of the owner.
const STORED: &str = "pcrlock.";
const GENERATIONS: &str = "rootstock-generations";
const GOOD_LOG: &str = "rootstock-log";
const RECOVERY: &str = "rootstock-recovery";
/// Most files of a kind that are read.
const MAX_FILES: usize = 64;
/// Most bytes of an owner's recovery token.
const MAX_RECOVERY: usize = 64 << 10;
/// Where the kernel lists block devices.
const BLOCK: &str = "/sys/class/block";
/// RAMFS_MAGIC and TMPFS_MAGIC: the file systems of an initrd.
const INITRD: [i64; 2] = [0x8584_58f6, 0x0102_1994];

fn failed(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path, what, source }
}

/// Mounts what the kernel offers.
///
/// # Errors
/// When the kernel refuses; one that is mounted already stays.
pub fn mount_kernel() -> Result<()> {
    for (kind, place) in [
        ("devtmpfs", "/dev"),
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("tmpfs", "/run"),
    ] {
        let path = Path::new(place);
        fs::create_dir_all(path).map_err(failed(path, "making the folder"))?;
        let flags = MountFlags::NOSUID;
        match mount(kind, place, kind, flags, None) {
            Ok(()) | Err(Errno::BUSY) => {}
            Err(error) => return Err(failed(path, "mounting")(error.into())),
        }
    }
    // The event log; a kernel without it is no reason to stop.
    let place = "/sys/kernel/security";
    let _ = mount("securityfs", place, "securityfs", MountFlags::NOSUID, None);
    Ok(())
}

/// A file's bytes, when it is there and not longer than `limit`.
pub fn read(path: &Path, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() <= limit).then_some(bytes)
}

/// Loads every module that the initrd carries for the running kernel, each behind what it needs. What could not be loaded
/// is answered: hardware that is not there has no need of its driver.
///
/// # Errors
/// When `modules.dep` is there and not of its form.
pub fn load_modules() -> Result<Vec<Error>> {
    let release = rustix::system::uname();
    let release = release.release().to_string_lossy().into_owned();
    let folder = Path::new("/lib/modules").join(release);
    let Some(bytes) = read(&folder.join("modules.dep"), MAX_DEPENDENCIES) else {
        return Ok(Vec::new());
    };
    let all = Dependencies::parse(&String::from_utf8_lossy(&bytes))?;
    let there = all.files().filter(|file| folder.join(file).exists());
    let order = all.order(there);
    let refused = order.into_iter().filter_map(|file| {
        let source = load(&folder.join(file)).err()?;
        Some(Error::Module {
            name: file.to_owned(),
            source,
        })
    });
    Ok(refused.collect())
}

/// Loads one module; one that is loaded already is as good.
fn load(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    let ending = path.extension().and_then(|ending| ending.to_str());
    let flags = if ending == Some("ko") { 0 } else { COMPRESSED };
    let loaded = match finit_module(&file, c"", flags) {
        // Kernels that unpack nothing, or another form.
        Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) if flags != 0 => {
            init_module(&unpack(file, ending)?, c"")
        }
        loaded => loaded,
    };
    match loaded {
        Err(Errno::EXIST) => Ok(()),
        loaded => Ok(loaded?),
    }
}

fn unpack(file: File, ending: Option<&str>) -> io::Result<Vec<u8>> {
    let packed = io::BufReader::new(file);
    let mut unpacked: Box<dyn Read> = match ending {
        Some("xz") => Box::new(lzma_rust2::XzReader::new_mem_limit(
            packed, true, MAX_MEMORY,
        )),
        Some("zst") => Box::new(
            ruzstd::decoding::StreamingDecoder::new_with_max_window_size(
                packed,
                u64::from(MAX_MEMORY) << 10,
            )
            .map_err(io::Error::other)?,
        ),
        _ => return Err(io::Error::other("it is packed neither by xz nor by zstd")),
    };
    let mut bytes = Vec::new();
    unpacked.by_ref().take(MAX_MODULE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Words of the initrd that go before the kernel's command line.
pub fn words() -> String {
    let words = read(&Path::new("/").join(WORDS), MAX_LINE);
    let words = words.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    words.unwrap_or_default()
}

/// Names of block devices that hold what stays, in order.
fn names() -> Vec<String> {
    let devices = fs::read_dir(BLOCK).into_iter().flatten();
    let names = devices.filter_map(|device| device.ok()?.file_name().into_string().ok());
    let stays = |name: &String| {
        ["ram", "loop", "zram"]
            .iter()
            .all(|kind| !name.starts_with(kind))
    };
    let mut names: Vec<String> = names.filter(stays).collect();
    names.sort();
    names
}

fn open(name: &str) -> io::Result<File> {
    File::open(Path::new("/dev").join(name))
}

/// Block devices with a LUKS2 header.
pub fn candidates() -> Vec<Candidate> {
    let names = names().into_iter().filter(|name| !name.starts_with("dm-"));
    let found = names.filter_map(|device| {
        let uuid = Volume::read(open(&device).ok()?).ok()?.uuid();
        Some(Candidate { device, uuid })
    });
    found.collect()
}

/// Block devices, with the file systems on them and the partitions that they are. What can't be read is left open.
pub fn block_devices() -> Vec<BlockDevice> {
    let devices = names().into_iter().map(|name| BlockDevice {
        file_system: open(&name)
            .and_then(|mut file| FileSystem::of(&mut file))
            .ok()
            .flatten(),
        partition: partition(&name),
        name,
    });
    devices.collect()
}

/// The GUID of the partition that a device is: that of its disk's table that starts where it does.
fn partition(name: &str) -> Option<[u8; 16]> {
    let folder = Path::new(BLOCK).join(name);
    if !folder.join("partition").exists() {
        return None;
    }
    let start: u64 = fs::read_to_string(folder.join("start"))
        .ok()?
        .trim()
        .parse()
        .ok()?;
    // The link leads into the folder of the disk.
    let folder = fs::canonicalize(folder).ok()?;
    let disk = folder.parent()?.file_name()?.to_str()?;
    let table = Gpt::read(&mut open(disk).ok()?).ok()??;
    let start = start.checked_mul(512)?;
    let found = table.partitions.iter().find(|found| found.start == start);
    found.map(|found| found.unique)
}

/// Major and minor number of a block device, and its size in bytes.
///
/// # Errors
/// When the system does not tell.
pub fn device(name: &str) -> Result<((u32, u32), u64)> {
    let folder = Path::new(BLOCK).join(name);
    let text = |file: &str| fs::read_to_string(folder.join(file));
    let wrong = || io::Error::other("the system tells no numbers of it");
    let numbers = || -> io::Result<((u32, u32), u64)> {
        let device = text("dev")?;
        let (major, minor) = device.trim().split_once(':').ok_or_else(wrong)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| wrong());
        let sectors: u64 = text("size")?.trim().parse().map_err(|_| wrong())?;
        let size = sectors.checked_mul(512).ok_or_else(wrong)?;
        Ok(((number(major)?, number(minor)?), size))
    };
    numbers().map_err(failed(&folder, "the device"))
}

/// Gives a mapping its name under `/dev/mapper`.
///
/// # Errors
/// When the link can't be made.
pub fn name_mapping(name: &str, minor: u32) -> Result<PathBuf> {
    let path = Path::new("/dev/mapper").join(name);
    let _ = fs::remove_file(&path);
    symlink(format!("../dm-{minor}"), &path).map_err(failed(&path, "naming the mapping"))?;
    Ok(path)
}

/// The files of a folder whose names begin so, in order.
fn beginning(folder: &Path, start: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let begins = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(start))
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(begins)
        .take(MAX_FILES)
        .collect();
    paths.sort();
    paths
}

/// What the stub put beside the image, and firmware's log. What is not of its form is left out: it is foreign, and a
/// passphrase opens the volume without it.
pub fn beside() -> Beside {
    gathered(Path::new(EXTRA))
}

/// As [`beside`], from a folder.
pub fn gathered(extra: &Path) -> Beside {
    let signed = read(&extra.join(SIGNED), MAX_DOCUMENT);
    let credentials = |start: &str| -> Vec<PathBuf> {
        let folders = ["credentials", "global_credentials"];
        folders
            .iter()
            .flat_map(|folder| beginning(&extra.join(folder), start))
            .collect()
    };
    let log = |path: &Path| EventLog::read(&read(path, MAX_LOG)?).ok();
    let mut unread = Vec::new();
    let mut policy = |name: &Path, error| unread.push((name.display().to_string(), error));
    let signed = signed.and_then(|json| {
        SignedPolicies::from_json(&json)
            .map_err(|error| policy(Path::new(SIGNED), error))
            .ok()
    });
    let mut stored = Vec::new();
    for path in credentials(STORED) {
        let Some(file) = read(&path, MAX_CREDENTIAL) else {
            continue;
        };
        match StoredPolicy::from_credential(&file) {
            Ok(found) => stored.push(found),
            Err(error) => policy(Path::new(path.file_name().unwrap_or_default()), error),
        }
    }
    Beside {
        signed,
        stored,
        unread,
        generations: credentials(GENERATIONS)
            .iter()
            .filter_map(|path| read(path, MAX_GENERATIONS))
            .collect(),
        log: log(Path::new(
            "/sys/kernel/security/tpm0/binary_bios_measurements",
        )),
        good_logs: credentials(GOOD_LOG)
            .iter()
            .filter_map(|path| log(path))
            .collect(),
        recovery: credentials(RECOVERY)
            .iter()
            .filter_map(|path| read(path, MAX_RECOVERY))
            .filter_map(|json| serde_json::from_slice(&json).ok())
            .collect(),
    }
}

/// Mounts the root: by its kind of file system, or by whichever that the kernel knows fits.
///
/// # Errors
/// When none fits.
pub fn mount_root(
    device: &Path,
    place: &Path,
    kind: Option<&str>,
    options: Option<&str>,
    writable: bool,
) -> Result<()> {
    fs::create_dir_all(place).map_err(failed(place, "making the folder"))?;
    let wrong = |what| failed(device, what);
    let kinds = match kind {
        Some(kind) => kind.split(',').map(str::to_owned).collect(),
        None => {
            let text = fs::read_to_string("/proc/filesystems");
            known(&text.map_err(wrong("the kernel's file systems"))?)
        }
    };
    let flags = if writable {
        MountFlags::empty()
    } else {
        MountFlags::RDONLY
    };
    let options = CString::new(options.unwrap_or_default());
    let options = options.map_err(|_| wrong("options with a zero")(Errno::INVAL.into()))?;
    let mut last = Errno::NODEV;
    for kind in kinds {
        match mount(device, place, kind.as_str(), flags, options.as_c_str()) {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(wrong("mounting the root")(last.into()))
}

/// The kinds of file systems that lie on devices.
pub(crate) fn known(text: &str) -> Vec<String> {
    let kinds = text.lines().filter(|line| !line.starts_with("nodev"));
    kinds.map(|line| line.trim().to_owned()).collect()
}

/// Takes `place` as the root, removes what the initrd held, and becomes `init` there.
///
/// # Errors
/// When the program is not there, or a mount can't be moved; it does not return otherwise.
pub fn start(place: &Path, init: &str) -> Result<()> {
    let inside = place.join(init.trim_start_matches('/'));
    // A link of NixOS leads to a path that is right only inside, so the link itself is what must be there.
    inside
        .symlink_metadata()
        .map_err(failed(&inside, "the system's first program"))?;
    for kernel in ["/dev", "/proc", "/sys", "/run"] {
        let target = place.join(&kernel[1..]);
        mount_move(kernel, &target).map_err(|error| {
            failed(&target, "moving what the kernel offers there")(error.into())
        })?;
    }
    if statfs("/").is_ok_and(|root| INITRD.contains(&root.f_type)) {
        let device = fs::metadata("/").map_err(failed(Path::new("/"), "the initrd"))?;
        empty(Path::new("/"), device.dev());
    }
    let moved = || -> rustix::io::Result<()> {
        chdir(place)?;
        mount_move(".", "/")?;
        chroot(".")?;
        chdir("/")
    };
    moved().map_err(|error| failed(place, "taking it as the root")(error.into()))?;
    // What the kernel handed to this program is for that one.
    let words = std::env::args_os().skip(1);
    let error = std::process::Command::new(init).args(words).exec();
    Err(failed(Path::new(init), "starting the system")(error))
}

/// Removes the files of a folder that are on this device: the memory of the initrd. What stays behind only takes memory.
fn empty(folder: &Path, device: u64) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        if metadata.dev() != device {
            continue;
        }
        if metadata.is_dir() {
            empty(&path, device);
            let _ = fs::remove_dir(&path);
        } else {
            let _ = fs::remove_file(&path);
        }
    }
}
