//! `install` and `repair`: generations in, EFI system partitions out.

use super::follow::{FollowOptions, Followed, Follower, Held};
use super::key::{OpenKey, PinOptions};
use super::policy_key::{OpenPolicyKey, PolicyOptions};
use super::volumes::{Mounted, VolumeOptions};
use crate::commands::number::number;
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_esp::{Meter, Progress, Stage, execute};
use boot_install::{
    EntryRegisters, InitrdSecrets, Installation, Prepared, Request, Settings, Signing, Sources,
    prepare, profiles,
};
use boot_measure::Bank;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::path::PathBuf;

/// What to install, and where.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(flatten)]
    volumes: VolumeOptions,
    /// A profile whose generations are installed; the first one is the system's own.
    #[arg(
        long,
        value_name = "PATH",
        default_value = "/nix/var/nix/profiles/system"
    )]
    profile: Vec<PathBuf>,
    /// Top-level folder of the generation that starts by default; else the one that the profile points to.
    #[arg(long, value_name = "PATH")]
    default: Option<PathBuf>,
    /// Install at most so many generations of each profile, the newest; 0 for all.
    #[arg(long, value_name = "COUNT", default_value_t = 0, value_parser = number(0, usize::MAX))]
    limit: usize,
    /// Where the system's own paths begin, for an image that is being built.
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    root: PathBuf,
    /// The stub that entries are made on.
    #[arg(long, value_name = "FILE")]
    stub: PathBuf,
    /// The boot loader, systemd-bootx64.efi or its like, not signed. Without it loader and loader.conf are left alone.
    #[arg(long, value_name = "FILE")]
    loader: Option<PathBuf>,
    /// The private key: a PEM or DER file, a PKCS#11 URI, or offline:FOLDER for request files.
    #[arg(
        long,
        value_name = "FILE|pkcs11:URI|offline:FOLDER",
        requires = "certificate",
        required_unless_present = "unsigned"
    )]
    key: Option<String>,
    /// The certificate that belongs to it, PEM or DER.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    #[command(flatten)]
    pin: PinOptions,
    #[command(flatten)]
    policy: PolicyOptions,
    /// Security epoch of generations whose documents state none (`org.rootstock.epoch.v1`). Choose it once: raised here, it
    /// would raise that of old generations too.
    #[arg(long, value_name = "EPOCH", default_value_t = 0, value_parser = number(0, u32::MAX))]
    epoch: u32,
    /// Sign nothing: for a machine without Secure Boot.
    #[arg(long, conflicts_with = "key")]
    unsigned: bool,
    /// Count boots: a new entry gets so many tries, then the loader goes on to an older one.
    #[arg(long, value_name = "TRIES", value_parser = number(1_u32, 99))]
    tries: Option<u32>,
    /// Show the menu so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = number(0, u32::MAX))]
    timeout: Option<u32>,
    /// Let people edit the command line in the menu (without Secure Boot).
    #[arg(long)]
    editor: bool,
    /// The loader's console mode: 0, 1, 2, auto, max or keep.
    #[arg(long, value_name = "MODE")]
    console_mode: Option<String>,
    /// Replace the boot loader although no second copy is in use while it is missing for a moment.
    #[arg(long)]
    update_single_loader: bool,
    /// Install the default generation although a program would append secrets to its initrd.
    #[arg(long)]
    without_initrd_secrets: bool,
    /// Run the programs that append secrets to initrds (Bootspec version 1's initrdSecrets). The secrets then lie on the
    /// partition in plain; encrypted credentials do not.
    #[arg(long, conflicts_with = "without_initrd_secrets")]
    run_initrd_secrets: bool,
    #[command(flatten)]
    follow: FollowOptions,
}

const EXAMPLES: &str = "\
Nothing is removed that the machine could need: the entry that runs, the one that would start next, and the newest that has
started well stay. Files of other names are never touched. After a power cut at any moment the machine boots, and another
run completes.

Examples:
  rootstock-boot install --esp /boot --stub rootstock-stub-x64.efi \\
      --loader /run/current-system/systemd/lib/systemd/boot/efi/systemd-bootx64.efi \\
      --key db.key --certificate db.crt --limit 10 --tries 3
  rootstock-boot install ... --policy-key pcr.key
      each entry with signed PCR policies, so that secrets sealed under the key open for every generation
  rootstock-boot install ... --stored-policy /var/lib/systemd/pcrlock.json
      disks that are bound to the policy in the TPM open for every generation, and for no other image
  rootstock-boot install ... --stored-policy /var/lib/systemd/pcrlock.json --floor 1
      the same, and the TPM refuses generations below the floor from the moment that it is raised
  rootstock-boot --dry-run --json install --esp /boot --esp /boot2 --stub stub.efi \\
      --key db.key --certificate db.crt";

/// What was done or would be.
#[derive(Serialize)]
struct Report<'a> {
    dry_run: bool,
    #[serde(flatten)]
    installation: &'a Installation,
    /// Bytes of kernels, initrds and documents that were read to plan.
    system_bytes_read: u64,
    /// What passed on each partition: the extended one, then the EFI system partition.
    passed: Vec<Meter>,
    /// What PCR 11, 12 and 13 will be when each entry's kernel starts.
    foreseen: Vec<EntryRegisters>,
    /// The policy in the TPM, before anything was written and afterwards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stored: Vec<Followed>,
}

/// Runs `install`; `verify` makes it `repair`.
pub(crate) fn run(options: &Options, verify: bool, out: &Out) -> anyhow::Result<Verdict> {
    options.policy.check(options.follow.is_wanted())?;
    let mounted = options.volumes.open()?;
    let targets: Vec<_> = mounted.iter().map(Mounted::target).collect();
    // One run of keys, so that a PIN is asked for once.
    let mut keys = options.pin.keys(out)?;
    let key = match (&options.key, &options.certificate) {
        (Some(key), Some(certificate)) => Some(OpenKey::open(key, certificate, &mut keys)?),
        _ => None,
    };
    let policy = options.policy.open(&mut keys)?;
    let certificates = key.as_ref().map(OpenKey::certificates);
    let signing = key
        .as_ref()
        .zip(certificates.as_ref())
        .map(|(key, list)| Signing {
            signer: &*key.signer,
            certificates: list,
        });
    let sources = Sources::new(&options.root);
    let limit = (options.limit > 0).then_some(options.limit);
    let found = profiles(
        &sources,
        &options.profile,
        limit,
        options.default.as_deref(),
    )?;
    let stub = files::read(&options.stub)?;
    let loader = options.loader.as_deref().map(files::read).transpose()?;
    let settings = Settings {
        tries: options.tries,
        timeout: options.timeout,
        editor: options.editor,
        console_mode: options.console_mode.clone(),
        booted: options.volumes.booted()?,
        verify,
        update_single_loader: options.update_single_loader,
        epoch: options.epoch,
        initrd_secrets: match (options.without_initrd_secrets, options.run_initrd_secrets) {
            (_, true) => InitrdSecrets::Run,
            (true, false) => InitrdSecrets::Leave,
            (false, false) => InitrdSecrets::Refuse,
        },
    };
    let installation = prepare(&Request {
        sources: &sources,
        profiles: &found,
        default: options.default.as_deref(),
        stub: &stub,
        loader: loader.as_deref(),
        signing,
        policy: policy.as_ref().map(OpenPolicyKey::signing),
        targets: &targets,
        settings: &settings,
    })?;
    let foreseen = if out.json() {
        installation.registers(&targets, &[Bank::Sha256])?
    } else {
        Vec::new()
    };
    let held = options.policy.floor.map(|counter| Held {
        counter,
        running: settings.booted.as_deref(),
    });
    let mut follower = options.follow.open(&mounted, &installation, held, out)?;
    let mut stored = Vec::new();
    stored.extend(
        follower
            .as_mut()
            .map(|f| Follower::ahead(f, out))
            .transpose()?,
    );
    if !out.dry_run {
        carry_out(&mounted, &installation)?;
    }
    stored.extend(
        follower
            .as_mut()
            .map(|f| Follower::behind(f, out))
            .transpose()?,
    );
    let report = Report {
        dry_run: out.dry_run,
        installation: &installation,
        system_bytes_read: sources.bytes_read(),
        passed: mounted
            .iter()
            .flat_map(|m| m.xbootldr.iter().chain([&m.esp]))
            .map(boot_esp::Metered::meter)
            .collect(),
        foreseen,
        stored,
    };
    out.answer(&report, |report| describe(report, options))?;
    Ok(Verdict::Good)
}

/// Carries out every plan in turn, with a bar on the terminal.
fn carry_out(mounted: &[Mounted], installation: &Installation) -> anyhow::Result<()> {
    let total = installation
        .volumes
        .iter()
        .map(|volume| volume.plan.bytes_to_write())
        .sum();
    // Hidden by itself where standard error is no terminal.
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template("{bytes}/{total_bytes} {wide_bar} {msg}") {
        bar.set_style(style);
    }
    for prepared in &installation.volumes {
        let Mounted { esp, xbootldr } = &mounted[prepared.target];
        let volume = match xbootldr {
            Some(volume) if prepared.xbootldr => volume,
            _ => esp,
        };
        execute(volume, &prepared.plan, &mut |progress| match progress {
            Progress::Written(path, bytes) => {
                bar.inc(bytes);
                bar.set_message(path.name().to_owned());
            }
            Progress::Removed(path) | Progress::Proven(path) => {
                bar.set_message(path.name().to_owned());
            }
        })
        .with_context(|| volume.inner().root().display().to_string())?;
    }
    bar.finish_and_clear();
    Ok(())
}

fn describe(report: &Report<'_>, options: &Options) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let installation = report.installation;
    for note in &installation.notes {
        let _ = writeln!(text, "note: {note}");
    }
    for Prepared {
        target,
        xbootldr,
        plan,
    } in &installation.volumes
    {
        let folder = if *xbootldr {
            &options.volumes.xbootldr[*target]
        } else {
            &options.volumes.esp[*target]
        };
        let folder = folder.display();
        if plan.is_empty() {
            let _ = writeln!(text, "{folder}: nothing to do");
            continue;
        }
        let _ = writeln!(
            text,
            "{folder}: {} bytes to write, {} in use at the peak, {} free before writing",
            plan.bytes_to_write(),
            plan.peak,
            plan.available
        );
        for stage in &plan.stages {
            let _ = match stage {
                Stage::Remove(list) => list.iter().try_for_each(|gone| {
                    let reason = format!("{:?}", gone.reason).to_lowercase();
                    writeln!(text, "  remove  {} ({reason})", gone.path)
                }),
                Stage::Write(files) | Stage::Publish(files) => files.iter().try_for_each(|file| {
                    writeln!(
                        text,
                        "  write   {} ({} bytes)",
                        file.path,
                        file.content.size()
                    )
                }),
                Stage::Overwrite(file) => writeln!(text, "  set     {}", file.path),
                Stage::Rewrite(rewrite) => writeln!(text, "  replace {}", rewrite.file.path),
            };
        }
    }
    for stored in &report.stored {
        let _ = writeln!(text, "{}", stored.line());
    }
    let verb = if report.dry_run {
        "would start"
    } else {
        "starts"
    };
    let _ = writeln!(
        text,
        "{} entries, {} of them new; {} {verb} by default",
        installation.entries, installation.made, installation.default
    );
    text
}
