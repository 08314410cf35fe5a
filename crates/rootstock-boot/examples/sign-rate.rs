//! How long signing takes, beside what it replaces, in one run on one machine: `objcopy` assembles an image of 8 MB,
//! `sbsign` signs and `sbverify` checks it; `rootstock-boot` does each in turn with the same files. Peak memory, start and
//! size of the binary too.
//!
//!     cargo build --release -p rootstock-boot && cargo run --release -p rootstock-boot --example sign-rate
//!
//! Needs binutils, sbsigntool and systemd-boot-efi. Medians; rounds alternate, so that a busy moment meets both.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use anyhow::{Context, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const STUB: &str = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
const IMAGE: usize = 8 << 20;
const ROUNDS: usize = 21;

fn main() -> anyhow::Result<()> {
    let binary = binary()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    // Bytes that do not repeat, as in a compressed kernel.
    let mut state = 1_u64;
    let kernel: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(IMAGE)
    .collect();
    std::fs::write(path.join("linux"), kernel)?;
    let run = |line: &str| time(path, line);
    let ours = binary.display();
    run(&format!("{ours} keys create --name Rate --role db ."))?;
    let add = "objcopy --add-section .linux=linux --change-section-vma .linux=0x2000000";

    let (mut theirs, mut same, mut sign, mut whole, mut start) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut peak = 0;
    for _ in 0..ROUNDS {
        let assembled = run(&format!("{add} {STUB} theirs.efi"))?;
        let signed =
            run("sbsign --key db.key --cert db.crt --output theirs-signed.efi theirs.efi")?;
        let verified = run("sbverify --cert db.crt theirs-signed.efi")?;
        theirs.push(assembled + signed + verified);
        let built = run(&format!(
            "{ours} uki build --stub {STUB} --linux linux -o ours.efi"
        ))?;
        let signing =
            format!("{ours} pe sign --key db.key --certificate db.crt -o ours-signed.efi ours.efi");
        let one = run(&signing)?;
        let checked = run(&format!(
            "{ours} pe verify --certificate db.crt ours-signed.efi"
        ))?;
        same.push(one);
        sign.push(signed);
        whole.push(built + one + checked);
        start.push(run(&format!("{ours} --version"))?);
        peak = peak.max(memory(path, &signing)?);
    }
    run("sbverify --cert db.crt ours-signed.efi").context("their tool takes our signature")?;
    let size = std::fs::metadata(path.join("ours-signed.efi"))?.len();
    let (theirs, same, sign, whole, start) = (
        median(theirs),
        median(same),
        median(sign),
        median(whole),
        median(start),
    );
    println!("image                                  {size} bytes, {ROUNDS} rounds, medians");
    println!("objcopy + sbsign + sbverify            {}", ms(theirs));
    println!("  of which sbsign                      {}", ms(sign));
    println!("rootstock-boot pe sign                 {}", ms(same));
    println!("rootstock-boot build + sign + verify   {}", ms(whole));
    println!(
        "ratio: signing to all three            {:.2}",
        ratio(theirs, same)
    );
    println!(
        "ratio: all three to all three          {:.2}",
        ratio(theirs, whole)
    );
    println!(
        "peak memory of signing                 {:.2} of the image",
        peak as f64 / size as f64
    );
    println!("start (--version)                      {}", ms(start));
    println!(
        "size of the stripped binary            {} bytes",
        std::fs::metadata(&binary)?.len()
    );
    Ok(())
}

/// The release binary, beside the folder of this example.
fn binary() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own
        .parent()
        .and_then(Path::parent)
        .context("an example lies in a folder")?;
    let binary = folder.join("rootstock-boot");
    ensure!(binary.exists(), "{}: build it first", binary.display());
    Ok(binary)
}

fn command(folder: &Path, line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).current_dir(folder);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn time(folder: &Path, line: &str) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let status = command(folder, line)
        .status()
        .with_context(|| line.to_owned())?;
    let took = started.elapsed();
    ensure!(status.success(), "{line}: {status}");
    Ok(took)
}

/// Peak resident memory in bytes, as the kernel counts it; read until the program ends, so its last words may be missed.
fn memory(folder: &Path, line: &str) -> anyhow::Result<u64> {
    let mut child = command(folder, line).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
    }
    Ok(peak)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}
