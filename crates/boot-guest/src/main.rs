//! The first process of a virtual machine in tests: reports on the serial console how the machine was booted, then turns it
//! off. It is linked statically and is all that the initrd holds, beside the modules it loads; or the first process
//! of the root that an initrd's program mounted.
//!
//! Lines: `guest generation TEXT` (what the initrd says in `/guest/generation`), `guest secure-boot on|off`, `guest lockdown TEXT`, `guest root DEVICE`, `guest cmdline TEXT`, `guest pcr N HEX`, `guest file PATH MODE HEX`
//! for each file under `/.extra`, `guest variable NAME HEX` for each variable of the boot loader interface, `guest done`. A
//! line that can't be had says `missing` and why. What the test expects is compared on the host.
//!
//! Words of the command line: `guest.log` adds firmware's event log (`guest event-log HEX`, `guest end`); `guest.update` writes the
//! signed updates in `/guest/updates`, named as efivarfs names variables, to firmware (`guest updated NAME`); `guest.wait` waits for a line on the console before the end, so that the host can look at the
//! disk in the meantime; `guest.restart` restarts the machine, as one does that failed to start, instead of turning it off.

mod report;
mod update;

use report::Report;
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, finit_module, reboot};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The module is compressed: the kernel unpacks it itself, its signature inside.
const COMPRESSED: i32 = 4;
/// Where the initrd has the modules.
const MODULES: &str = "/guest";

fn main() {
    let console = prepare();
    let line = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let told = |word: &str| line.split_whitespace().any(|known| known == word);
    if let Ok(console) = console {
        let mut report = Report::new(&console);
        for name in ["efivarfs.ko.xz"] {
            if let Err(error) = load(&Path::new(MODULES).join(name)) {
                report.line(format_args!("missing module {name}: {error}"));
            }
        }
        if let Err(error) = mount_at("efivarfs", "/sys/firmware/efi/efivars") {
            report.line(format_args!("missing efivarfs: {error}"));
        }
        report.everything();
        if told("guest.log") {
            report.event_log();
        }
        if told("guest.update") {
            update::all(&mut report);
        }
        if told("guest.wait") {
            // A console that says nothing more ends the waiting too.
            let _ = BufReader::new(&console).read_line(&mut String::new());
        }
    }
    let command = if told("guest.restart") {
        RebootCommand::Restart
    } else {
        RebootCommand::PowerOff
    };
    // Returns only with an error; a first process that ends stops the kernel, which the host sees.
    let _ = reboot(command);
}

/// Mounts what reports need, and opens the console.
fn prepare() -> std::io::Result<File> {
    mount_at("devtmpfs", "/dev")?;
    mount_at("proc", "/proc")?;
    mount_at("sysfs", "/sys")?;
    mount_at("securityfs", "/sys/kernel/security")?;
    OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/console")
}

fn mount_at(kind: &str, place: &str) -> std::io::Result<()> {
    fs::create_dir_all(place)?;
    match mount(kind, place, kind, MountFlags::empty(), None) {
        // Whoever started this one has mounted it.
        Err(Errno::BUSY) => Ok(()),
        mounted => Ok(mounted?),
    }
}

fn load(module: &Path) -> std::io::Result<()> {
    finit_module(File::open(module)?, c"", COMPRESSED)?;
    Ok(())
}
