//! Counts what one new generation beside ten costs: bytes read and written by this installer, and by lanzaboote's scheme on the
//! same system. Run: `cargo run --release -p boot-install --example bytes -- [KERNEL_BYTES INITRD_BYTES]`.
//!
//! lanzaboote's side is a model of its documented steps for the same one generation (`lzbt install`, version 1.1): it looks at
//! every stub that is there; hashes kernel and initrd to name them; copies the initrd to a temporary file first, to append
//! secrets; assembles the stub with objcopy and signs it with sbsign through temporary files; copies what is new; and has
//! sbverify read both copies of the boot loader. Everything is counted as reading and writing of whole files, ours by a
//! counting file system.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "an example that is run by hand"
)]

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/workshop/mod.rs"]
mod workshop;

use boot_esp::{Metered, execute};
use boot_install::Target;
use workshop::{Machinery, partition, stub};

fn main() {
    let mut sizes = std::env::args().skip(1).map(|word| word.parse().unwrap());
    let kernel: usize = sizes.next().unwrap_or(14 << 20);
    let initrd: usize = sizes.next().unwrap_or(50 << 20);
    let mut machine = Machinery::new();
    machine.stub = stub(90_000);
    for number in 1..=10 {
        machine.sized(number, kernel, initrd);
    }
    let (folder, esp) = partition();
    let metered = Metered::new(esp);
    let targets = [Target {
        esp: &metered,
        xbootldr: None,
    }];
    let first = machine.prepare(&targets, None).unwrap();
    execute(&metered, &first.volumes[0].plan, &mut |_| {}).unwrap();
    let before = metered.meter();
    machine.sized(11, kernel, initrd);
    let sources = machine.sources();
    let started = std::time::Instant::now();
    let installation = machine.prepare_from(&sources, &targets, None).unwrap();
    let planned = started.elapsed();
    execute(&metered, &installation.volumes[0].plan, &mut |_| {}).unwrap();
    let total = started.elapsed();
    let meter = metered.meter();

    let entry = std::fs::read_dir(folder.path().join("EFI/Linux"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .max()
        .unwrap();
    let loader = machine.loader.as_ref().unwrap().len() as u64;
    let (kernel, initrd) = (kernel as u64, initrd as u64);
    // Kernel and initrd stay in memory between hashing and copying when they are less than 256 MiB together.
    let kept = kernel + initrd <= 256 << 20;
    let again = if kept { 0 } else { kernel + initrd };
    let ours_read = sources.bytes_read() + again + (meter.read - before.read);
    let ours_written = meter.written - before.written;
    println!(
        "one generation beside ten, kernel {kernel} bytes, initrd {initrd} bytes, entry {entry} bytes"
    );
    println!(
        "ours:       read {ours_read}, written {ours_written}, of which read back {}",
        kernel + initrd + 2 * entry
    );
    println!("            {total:?}, {planned:?} of it planning and hashing; no process started");

    let unsigned = entry - 2000;
    let theirs_read = 10 * entry          // stubs that are there
        + kernel + kernel                 // hashed, then copied
        + initrd + initrd + initrd        // read, hashed from the temporary file, copied
        + unsigned + unsigned             // objcopy reads the stub, sbsign what objcopy wrote
        + entry                           // and what was signed is copied
        + 2 * (loader + loader); // both copies of the loader, by sbverify and for their version
    let theirs_written = kernel + initrd + initrd // the copies, and the temporary initrd
        + unsigned + entry + entry; // objcopy's, sbsign's and the copy
    println!(
        "lanzaboote: read {theirs_read}, written {theirs_written}, nothing read back; objcopy, sbsign and two sbverify started"
    );
}
