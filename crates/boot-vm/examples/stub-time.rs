//! How long a stub takes, from the moment when firmware enters it to the kernel's first words: median of ten boots of each
//! image, taken in turn, so that what else the machine does meets all alike. Images that differ in their stub alone show what
//! the stubs cost; the last line is the first image's time beside the last one's.
//!
//! `cargo run --package boot-vm --example stub-time -- ours.efi theirs.efi`

#![expect(
    clippy::print_stdout,
    reason = "an example that measures says what it measured"
)]

use boot_vm::{Error, Firmware, Machine, fat_disk};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const BOOTS: usize = 10;
const LIMIT: Duration = Duration::from_mins(2);
/// Firmware says this before it enters a program.
const ENTERED: &str = "BdsDxe: starting";
/// The kernel says this first.
const KERNEL: &str = "EFI stub:";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let images: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let folder = std::env::temp_dir().join(format!("stub-time-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let mut times = vec![Vec::with_capacity(BOOTS); images.len()];
    for _ in 0..BOOTS {
        for (image, times) in images.iter().zip(&mut times) {
            times.push(boot(&folder, image)?);
        }
    }
    let mut medians = Vec::new();
    for (image, times) in images.iter().zip(&mut times) {
        times.sort_unstable();
        let (least, most) = (milliseconds(times[0]), milliseconds(times[BOOTS - 1]));
        let median = milliseconds(median(times));
        println!(
            "{}: {median:.0} ms ({least:.0} to {most:.0})",
            image.display()
        );
        medians.push(median);
    }
    if let [first, .., last] = medians[..] {
        println!("{:.2} times", first / last);
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Of an even count, the middle between the two middle ones.
fn median(sorted: &[Duration]) -> Duration {
    (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// One boot without Secure Boot; the time between the two texts.
fn boot(folder: &Path, image: &Path) -> Result<Duration, Error> {
    let file = |source| Error::File {
        path: folder.to_owned(),
        source,
    };
    let variables = folder.join("variables.fd");
    std::fs::copy("/usr/share/OVMF/OVMF_VARS_4M.fd", &variables).map_err(file)?;
    let disk = folder.join("disk");
    fat_disk(&disk, &[("EFI/BOOT/BOOTX64.EFI".to_owned(), image)])?;
    let machine = Machine::new(Firmware::SecureBoot, &variables).disk(&disk);
    let mut running = machine.start(&folder.join("serial.log"))?;
    running.wait_for("firmware", ENTERED, LIMIT)?;
    let entered = Instant::now();
    running.wait_for("kernel", KERNEL, LIMIT)?;
    Ok(entered.elapsed())
}
