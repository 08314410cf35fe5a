//! `pcrlock store|status|remove`: a policy in an NV index of the TPM, with the file that systemd-pcrlock keeps of it.
//!
//! Invariants: at any moment one of two files says what the index holds: the policy's, or the one beside it with `.next`; the index is
//! asked which.

use super::copies::{Copies, CopyOptions};
use super::counter::handle;
use super::number::pcr;
use super::pcr::BankName;
use super::place::Place;
use super::running::{self, RunningOptions, known, registers_of};
use super::unlock::{AnyTransport, TpmOptions, new_pin};
use crate::files;
use crate::print::{Out, Verdict};
use anyhow::Context;
use boot_policy::{Floor, Layout, Members, PcrSet, StoredPolicy};
use boot_sign::Secret;
use boot_tpm::Tpm;
use boot_unlock::{
    RecoveryKey, Settled, install, prepare, read_generations, remove, renew, settle,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where systemd looks for the file.
const POLICY: &str = "/var/lib/systemd/pcrlock.json";

/// Store a policy.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is sealed to the index (`unlock enroll --stored-policy`, `systemd-cryptenroll --tpm2-pcrlock`) follows every new policy; nothing is
sealed anew. The running system's state is always a member, until the next boot. Up to eight states are stored as systemd-pcrlock does;
more, up to 4096, as a tree that systemd does not read. Where PCR 11 counts a boot has four: one for each phase until it shuts down.

The first time, the index is defined and a recovery PIN is shown once: it writes the index when the machine is in a state that the policy
does not let pass. Afterwards the machine writes it by itself, while it is in a state that the policy lets pass.

With --esp the initrd finds the policy too; give it each time.

Examples:
  rootstock-boot pcrlock store --keep-srk --generations states.json --esp /boot
  rootstock-boot --dry-run --json pcrlock store --generations states.json
  rootstock-boot pcrlock store --pcr 4,7,11
      the running system alone")]
pub(crate) struct Store {
    #[command(flatten)]
    tpm: TpmOptions,
    #[command(flatten)]
    running: RunningOptions,
    #[command(flatten)]
    at: PolicyOptions,
    /// The states that boots may come to: a JSON list with an object for each, of register numbers and hexadecimal values.
    #[arg(long, value_name = "FILE")]
    generations: Option<PathBuf>,
    /// The registers, where there is no list of states.
    #[arg(
        long,
        value_parser = pcr,
        value_delimiter = ',',
        value_name = "PCR",
        required_unless_present = "generations",
        conflicts_with = "generations"
    )]
    pcr: Vec<u8>,
    /// Their bank.
    #[arg(long, value_enum, default_value = "sha256")]
    bank: BankName,
    /// Handle of the NV index, where a policy is stored for the first time; a free one by chance when left out.
    #[arg(long, value_parser = handle)]
    index: Option<u32>,
    /// Have the TPM keep its storage root key at 0x81000001, where it keeps none. One that is there is never replaced.
    #[arg(long)]
    keep_srk: bool,
    /// Let boots pass in the initrd alone, and not until they shut down: where PCR 11 counts, only the recovery PIN writes the next
    /// policy then.
    #[arg(long)]
    initrd_only: bool,
    /// File whose first line is the recovery PIN, where the machine is in a state that the stored policy does not let pass.
    #[arg(long, value_name = "FILE")]
    recovery_pin_file: Option<PathBuf>,
}

/// Where the policy's file is.
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyOptions {
    /// The policy's file.
    #[arg(long, value_name = "FILE", default_value = POLICY)]
    policy: PathBuf,
    #[command(flatten)]
    copies: CopyOptions,
}

impl PolicyOptions {
    fn file<'a>(&'a self, places: &'a [Place]) -> PolicyFile<'a> {
        PolicyFile {
            policy: &self.policy,
            copies: Copies(places.iter().collect()),
        }
    }
}

/// The policy's file, and its copies.
pub(crate) struct PolicyFile<'a> {
    pub(crate) policy: &'a Path,
    pub(crate) copies: Copies<'a>,
}

/// What a stored policy is, and whether the TPM holds it.
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    tpm: TpmOptions,
    #[command(flatten)]
    at: PolicyOptions,
}

impl PolicyFile<'_> {
    fn next(&self) -> PathBuf {
        next_of(self.policy)
    }

    fn current(&self) -> anyhow::Result<Option<StoredPolicy>> {
        optional(self.policy)
    }
}

/// The file that a change puts beside a policy's.
fn next_of(policy: &Path) -> PathBuf {
    let mut name = policy.as_os_str().to_owned();
    name.push(".next");
    name.into()
}

fn optional(path: &Path) -> anyhow::Result<Option<StoredPolicy>> {
    path.exists()
        .then(|| running::read(path, StoredPolicy::from_json))
        .transpose()
}

/// A policy's file, and the one beside it where a change was cut off.
pub(crate) fn documents(policy: &Path) -> anyhow::Result<Vec<StoredPolicy>> {
    let mut found = vec![running::read(policy, StoredPolicy::from_json)?];
    found.extend(optional(&next_of(policy))?);
    Ok(found)
}

/// Has the TPM keep a storage root key, where that was asked for; answers what was or would be done.
pub(crate) fn keep_srk(
    tpm: &mut Tpm<AnyTransport>,
    out: &Out,
) -> anyhow::Result<Option<&'static str>> {
    if tpm.kept()?.is_some() {
        return Ok(None);
    }
    if out.dry_run {
        return Ok(Some("would keep a storage root key at 0x81000001"));
    }
    tpm.keep(b"")?;
    Ok(Some("keeps a storage root key at 0x81000001"))
}

/// What was or would be stored.
struct Done<'a> {
    what: &'static str,
    layout: &'a Layout,
    index: Option<u32>,
    added: usize,
    recovery_pin: Option<&'a RecoveryKey>,
    notes: Vec<String>,
}

impl Done<'_> {
    fn say(&self, out: &Out) -> anyhow::Result<Verdict> {
        let digest = self.layout.digest()?.to_string();
        let (layout, count) = described(self.layout);
        let answer = serde_json::json!({
            "done": self.what,
            "layout": layout,
            "states": count,
            "added": self.added,
            "registers": self.layout.pcrs(),
            "index": self.index.map(|index| format!("{index:#010x}")),
            "digest": digest,
            "recovery_pin": self.recovery_pin.map(RecoveryKey::as_str),
            "notes": self.notes,
        });
        out.answer(&answer, |_| {
            let index = self.index.map_or("a free NV index".to_owned(), |index| {
                format!("NV index {index:#010x}")
            });
            let mut lines = vec![format!(
                "{} in {index}: {layout}, digest {digest}",
                self.what
            )];
            lines.extend(self.notes.iter().cloned());
            if let Some(pin) = self.recovery_pin {
                lines.push(format!(
                    "recovery PIN {}\nWrite it down: it is not shown again.",
                    pin.as_str()
                ));
            }
            lines.join("\n")
        })?;
        Ok(Verdict::Good)
    }
}

/// The layout in words, and how many states or values it has.
pub(crate) fn described(layout: &Layout) -> (String, usize) {
    match layout {
        Layout::Registers(policy) => {
            let most = policy
                .values
                .iter()
                .map(|of| of.values.len())
                .max()
                .unwrap_or(0);
            (
                format!("systemd's layout, up to {most} values a register"),
                most,
            )
        }
        Layout::States(states) => (format!("a tree of {} states", states.len()), states.len()),
        Layout::Held(states) => (
            format!("a tree of {} states, held to the floor", states.len()),
            states.len(),
        ),
    }
}

/// Runs `store`.
pub(crate) fn store(options: &Store, out: &Out) -> anyhow::Result<Verdict> {
    let mut tpm = options.tpm.open()?;
    let bank = options.bank.bank();
    let plan: Vec<PcrSet> = match &options.generations {
        Some(path) => read_generations(&files::read(path)?, bank)
            .with_context(|| path.display().to_string())?,
        None => Vec::new(),
    };
    let pcrs = if plan.is_empty() {
        options.pcr.clone()
    } else {
        registers_of(&plan)
    };
    let places = options.at.copies.open()?;
    let at = options.at.file(&places);
    at.copies.check(&pcrs)?;
    let booted = options
        .running
        .booted(&mut tpm, &options.tpm, bank, &pcrs)?;
    let members = Members::new(plan, &booted)?;
    let members = if options.initrd_only {
        members
    } else {
        members.until_shutdown()?
    };
    let layout = Layout::of(&members)?;
    let mut notes = vec![known(&booted)];
    if options.keep_srk {
        notes.extend(keep_srk(&mut tpm, out)?.map(|what| format!("the TPM {what}")));
    }
    let mut done = Done {
        what: "stored a policy",
        layout: &layout,
        index: options.index,
        added: members.added(),
        recovery_pin: None,
        notes,
    };
    let Some(current) = settled(&mut tpm, &at, out)? else {
        if out.dry_run {
            done.what = "would define and store a policy";
            return done.say(out);
        }
        let index = match options.index {
            Some(index) => index,
            None => tpm.free_index()?,
        };
        let pin = RecoveryKey::random();
        let policy = prepare(&mut tpm, index, &members, &pin)?;
        files::write(out, at.policy, policy.to_json()?.as_bytes())?;
        let installed = at
            .copies
            .settle(out, &policy)
            .and_then(|()| Ok(install(&mut tpm, &policy, &pin)?));
        if let Err(error) = installed {
            files::remove(out, at.policy)?;
            at.copies.remove(out)?;
            return Err(error);
        }
        done.index = Some(index);
        done.recovery_pin = Some(&pin);
        return done.say(out);
    };
    anyhow::ensure!(
        current.layout.counters().is_empty(),
        "{}: it is held to the floor, and a list of states says nothing of epochs: `install --stored-policy --floor` stores the next one",
        at.policy.display()
    );
    let index = current.place.index.index;
    done.index = Some(index);
    if let Some(wanted) = options.index {
        anyhow::ensure!(
            wanted == index,
            "{}: its NV index is {index:#010x}, not {wanted:#010x}",
            at.policy.display()
        );
    }
    done.what = replace(
        &mut tpm,
        &at,
        &current,
        &members,
        options.recovery_pin_file.as_ref(),
        out,
    )?;
    done.say(out)
}

/// Writes a policy of these members in the place of the one that is stored; answers what was or would be done.
pub(crate) fn replace(
    tpm: &mut Tpm<AnyTransport>,
    at: &PolicyFile<'_>,
    current: &StoredPolicy,
    members: &Members,
    pin: Option<&PathBuf>,
    out: &Out,
) -> anyhow::Result<&'static str> {
    let layout = Layout::of(members)?;
    let held = tpm.stored(&current.place.index, b"")?;
    if held == Some(layout.digest()?) && current.layout == layout {
        at.copies.settle(out, current)?;
        return Ok("the policy is stored already");
    }
    if out.dry_run {
        return Ok("would store a policy");
    }
    let pin = pin.map(|path| new_pin(Some(path))).transpose()?;
    let pin = pin.as_ref().map(Secret::expose);
    let renewal = renew(tpm, current, members, pin)?;
    let json = renewal.policy.to_json()?;
    files::write(out, &at.next(), json.as_bytes())?;
    // A file that was put back from elsewhere is not what the index holds, and a copy of it would replace one that is.
    let digest = current.layout.digest()?;
    let true_one = held.is_some_and(|held| held == digest).then_some(current);
    at.copies.announce(out, true_one, &renewal.policy)?;
    renewal.write(tpm)?;
    files::write(out, at.policy, json.as_bytes())?;
    files::remove(out, &at.next())?;
    at.copies.settle(out, &renewal.policy)?;
    Ok("stored a policy")
}

/// The policy that the index holds; none when there is none yet. What a power cut left in between is settled.
pub(crate) fn settled(
    tpm: &mut Tpm<AnyTransport>,
    at: &PolicyFile<'_>,
    out: &Out,
) -> anyhow::Result<Option<StoredPolicy>> {
    let Some(current) = at.current()? else {
        return Ok(None);
    };
    let next = optional(&at.next())?;
    Ok(match settle(tpm, &current, next.as_ref())? {
        Settled::Next => {
            let next = next.expect("it was settled that it holds");
            files::write(out, at.policy, next.to_json()?.as_bytes())?;
            files::remove(out, &at.next())?;
            Some(next)
        }
        Settled::Current | Settled::Neither => Some(current),
        Settled::Unwritten => {
            // Nothing is sealed to an index that was never written: it is made anew, with another recovery PIN.
            if !out.dry_run {
                remove(tpm, &current)?;
            }
            None
        }
    })
}

/// How many states of a policy are below the floor, and how many there are; none where it is not held to one.
fn below(tpm: &mut Tpm<AnyTransport>, layout: &Layout) -> anyhow::Result<Option<(usize, usize)>> {
    let mut held = BTreeMap::new();
    for index in layout.counters() {
        held.insert(index, tpm.floor(index)?);
    }
    // Where the counter is gone no state passes.
    let passes = |floor: &Floor| held[&floor.index].is_some_and(|held| held <= floor.epoch);
    let below = layout.floors().filter(|floor| !passes(floor)).count();
    let all = layout.floors().count();
    Ok((all > 0).then_some((below, all)))
}

/// Runs `status`: exit code 1 when the TPM does not hold what the file says, or a system partition lacks it.
pub(crate) fn status(options: &Status, out: &Out) -> anyhow::Result<Verdict> {
    let documents = documents(&options.at.policy)?;
    let current = &documents[0];
    let mut tpm = options.tpm.open()?;
    let settled = settle(&mut tpm, current, documents.get(1))?;
    let said = match settled {
        Settled::Current => "the index holds it",
        Settled::Next => {
            "the index holds what the file beside it says: run `pcrlock store` to finish"
        }
        Settled::Unwritten => "the index was never written, was removed, or the TPM was cleared",
        Settled::Neither => "the index holds another policy",
    };
    let (layout, count) = described(&current.layout);
    let index = format!("{:#010x}", current.place.index.index);
    let held = tpm
        .stored(&current.place.index, b"")?
        .map(|digest| hex::encode(digest.0));
    let true_one = match settled {
        Settled::Next => &documents[1],
        _ => current,
    };
    let places = options.at.copies.open()?;
    let lacking = options.at.file(&places).copies.lacking(true_one)?;
    let below = below(&mut tpm, &true_one.layout)?;
    let answer = serde_json::json!({
        "index": index,
        "layout": layout,
        "states": count,
        "registers": current.layout.pcrs(),
        "digest": current.layout.digest()?.to_string(),
        "held": held,
        "current": settled == Settled::Current,
        "said": said,
        "below_floor": below.map(|(below, _)| below),
        "lacking": lacking,
    });
    out.answer(&answer, |_| {
        let lacking = lacking.iter().map(|path| {
            format!(
                "\n{}: not this policy; `pcrlock store --esp` writes it",
                path.display()
            )
        });
        let below = below.map(|(below, all)| {
            format!("\nheld to the floor: {below} of {all} states are below it, and unlock nothing")
        });
        format!(
            "NV index {index}: {layout}\n{said}{}{}",
            below.unwrap_or_default(),
            lacking.collect::<String>()
        )
    })?;
    Ok(Verdict::when(
        settled == Settled::Current && lacking.is_empty(),
    ))
}

/// Runs `remove`.
pub(crate) fn run_remove(options: &Status, out: &Out) -> anyhow::Result<Verdict> {
    let path = &options.at.policy;
    let places = options.at.copies.open()?;
    let at = options.at.file(&places);
    let policy = running::read(path, StoredPolicy::from_json)?;
    let mut tpm = options.tpm.open()?;
    // Even in a dry run, so that an index of somebody else's is named.
    tpm.stored(&policy.place.index, b"")?;
    let index = format!("{:#010x}", policy.place.index.index);
    if !out.dry_run {
        remove(&mut tpm, &policy)?;
        files::remove(out, &at.next())?;
        files::remove(out, path)?;
        at.copies.remove(out)?;
    }
    let what = if out.dry_run {
        "would remove"
    } else {
        "removed"
    };
    let answer = serde_json::json!({ "done": what, "index": index });
    out.answer(&answer, |_| {
        format!("{what} NV index {index} and {}", path.display())
    })?;
    Ok(Verdict::Good)
}
