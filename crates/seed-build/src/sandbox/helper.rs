//! The helper's side: it has one thread, makes the name spaces, becomes process 1's parent, and lets process 1 do the rest.
//!
//! Invariants: root's rights are gone before anything foreign is touched; the program is started only after the watcher
//! holds it; whatever goes wrong is reported before anything runs.

use super::watch::{Watch, Watched};
use super::wire::{self, Pieces, Tag};
use super::{Job, Order, Report, world};
use crate::archive;
use crate::causes::told;
use nix::sys::ptrace;
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid};
use rustix::process::{self, DumpableBehavior, Resource, Rlimit};
use rustix::thread::{self, CapabilitySet, CapabilitySets, UnshareFlags};
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

/// The user that root becomes before it makes name spaces: one that owns nothing.
const ORDINARY: u32 = 65534;

/// The helper's whole life. It never returns; an error was reported to the builder.
pub fn enter() -> ! {
    let status = match converse() {
        Ok(()) => 0,
        Err(_) => 1,
    };
    quit(status)
}

#[expect(
    clippy::exit,
    reason = "forked halves of the helper must end here and not return into the program around them"
)]
fn quit(status: i32) -> ! {
    std::process::exit(status)
}

fn converse() -> io::Result<()> {
    close_inherited()?;
    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (tag, bytes) = wire::receive(&mut socket)?;
    if tag != Tag::Order {
        return Err(io::Error::other("no order came"));
    }
    let order: Order = serde_json::from_slice(&bytes)?;
    let report = match alone(&order).and_then(|()| name_spaces(&order)) {
        Ok(()) => match fork()? {
            ForkResult::Parent { child } => {
                waitpid(child, None)?;
                return Ok(());
            }
            ForkResult::Child => first_process(&order, &mut socket)
                .unwrap_or_else(|failure| Report::Setup(told(&failure))),
        },
        Err(report) => report,
    };
    let text = serde_json::to_vec(&report)?;
    wire::send(&mut socket, Tag::Report, &text)
}

/// A second process of this program.
#[expect(
    unsafe_code,
    reason = "no safe interface makes a process that shares the code of this one"
)]
fn fork() -> nix::Result<ForkResult> {
    // SAFETY: the helper has one thread, so no lock is held by another one that the child would lack.
    unsafe { nix::unistd::fork() }
}

/// Gives up root's rights.
fn alone(order: &Order) -> Result<(), Report> {
    let failed = |what: &str, error: io::Error| Report::Setup(format!("{what}: {error}"));
    if order.uid == 0 {
        return Err(Report::Setup("the user in the sandbox is not 0".to_owned()));
    }
    if process::geteuid().is_root() {
        let (user, group) = (
            process::Uid::from_raw(ORDINARY),
            process::Gid::from_raw(ORDINARY),
        );
        thread::set_thread_groups(&[])
            .and_then(|()| thread::set_thread_res_gid(group, group, group))
            .and_then(|()| thread::set_thread_res_uid(user, user, user))
            // Without this, the kernel gives the files that map users to root.
            .and_then(|()| process::set_dumpable_behavior(DumpableBehavior::Dumpable))
            .map_err(|error| {
                let what = "giving up root's rights by becoming user 65534 (where a name space maps no such user, \
                            run this as another user than root)";
                failed(what, error.into())
            })?;
    }
    if !order.processors.is_empty() {
        let mut set = thread::CpuSet::new();
        for processor in &order.processors {
            set.set(*processor);
        }
        thread::sched_setaffinity(None, &set)
            .map_err(|error| failed("choosing processors", error.into()))?;
    }
    Ok(())
}

/// Makes the name spaces, in which all dies with the builder, and maps the one user.
fn name_spaces(order: &Order) -> Result<(), Report> {
    let (user, group) = (process::geteuid().as_raw(), process::getegid().as_raw());
    let all = UnshareFlags::NEWUSER
        | UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWCGROUP;
    unshare(all).map_err(|error| Report::NoNameSpaces(error.to_string()))?;
    // The kernel forgets this where rights change, so it comes after.
    process::set_parent_process_death_signal(Some(process::Signal::KILL))
        .map_err(|error| Report::Setup(format!("binding to the builder: {error}")))?;
    for (file, text) in [
        ("/proc/self/setgroups", "deny".to_owned()),
        ("/proc/self/uid_map", format!("{} {user} 1", order.uid)),
        ("/proc/self/gid_map", format!("{} {group} 1", order.uid)),
    ] {
        fs::write(file, text).map_err(|error| Report::NoNameSpaces(format!("{file}: {error}")))?;
    }
    Ok(())
}

#[expect(
    unsafe_code,
    reason = "the call can also unshare descriptors, which would break I/O safety"
)]
fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: `UnshareFlags::FILES` is not among the flags, and there is one thread only.
    unsafe { thread::unshare_unsafe(flags) }.map_err(io::Error::from)
}

/// Process 1: makes the world, starts and watches the program, sends back what it left.
fn first_process(order: &Order, socket: &mut UnixStream) -> io::Result<Report> {
    process::set_parent_process_death_signal(Some(process::Signal::KILL))?;
    rustix::system::sethostname(b"localhost")?;
    world::make(order).map_err(io::Error::other)?;
    let begin = Instant::now();
    let child = match fork()? {
        ForkResult::Child => {
            let error = match second_process(order) {
                Ok(()) => quit(0),
                Err(error) => error,
            };
            complain(&told(&error));
            quit(127)
        }
        ForkResult::Parent { child } => child,
    };
    let watched = watch(order, child)?;
    let microseconds = begin.elapsed().as_micros() as u64;
    for output in &order.outputs {
        if watched.refused.is_none() && output.symlink_metadata().is_ok() {
            let pieces = Pieces(&mut *socket);
            let case = nix_archive::tree::Case::Kept;
            // A pause that the kernel's limits do not see ends here too: the builder waits no longer for a piece than for the program.
            nix_archive::tree::dump(output, pieces, case).map_err(io::Error::other)?;
        }
        wire::send(socket, Tag::End, &[])?;
    }
    Ok(Report::Done {
        watched,
        microseconds,
    })
}

fn watch(order: &Order, child: Pid) -> nix::Result<Watched> {
    let unpacking = archive::calls();
    let (calls, starts) = match &order.job {
        Job::Run { .. } => (&order.calls, true),
        Job::Unpack { .. } => (&unpacking, false),
    };
    let watch = Watch {
        calls,
        processes: order.limits.processes,
        clock: order.clock,
        starts,
    };
    watch.run(child)
}

#[expect(
    clippy::print_stderr,
    reason = "the standard error of the step is where its failure belongs"
)]
fn complain(text: &str) {
    eprintln!("{text}");
}

/// Process 2: confines itself and becomes the program, or unpacks.
fn second_process(order: &Order) -> io::Result<()> {
    ptrace::traceme()?;
    raise(Signal::SIGSTOP)?;
    nix::unistd::setsid()?;
    rustix::stdio::dup2_stdin(fs::File::open("/dev/null")?)?;
    let _ = process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let limits = order.limits;
    for (resource, most) in [
        (Resource::Cpu, limits.seconds),
        // A page more than its file systems hold: they answer that they are full before this ends the program.
        (Resource::Fsize, (limits.output_mib << 20) + 4096),
        (Resource::As, limits.memory_mib << 20),
        (Resource::Core, 0),
        (Resource::Nofile, 4096),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        process::setrlimit(resource, limit)?;
    }
    let stack = Rlimit {
        current: Some(8 << 20),
        maximum: Some(limits.memory_mib << 20),
    };
    process::setrlimit(Resource::Stack, stack)?;
    thread::set_no_new_privs(true)?;
    let none = CapabilitySet::empty();
    thread::set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )?;
    match &order.job {
        Job::Run {
            program,
            arguments,
            environment,
        } => {
            // Reading the processor's own clock is refused as well.
            process::set_time_stamp_counter_readability(
                process::TimeStampCounterReadability::RaiseSIGSEGV,
            )?;
            let text = |text: &String| CString::new(text.as_str()).map_err(io::Error::other);
            let name = text(program)?;
            let all = std::iter::once(program).chain(arguments);
            let arguments: Vec<CString> = all.map(text).collect::<io::Result<_>>()?;
            let environment: Vec<CString> =
                environment.iter().map(text).collect::<io::Result<_>>()?;
            confine(&order.calls)?;
            let Err(error) = nix::unistd::execve(&name, &arguments, &environment);
            Err(io::Error::other(format!("starting {program}: {error}")))
        }
        Job::Unpack {
            archive,
            packing,
            strip,
            limits,
            to,
        } => {
            confine(&archive::calls())?;
            archive::unpack(archive, *packing, *strip, limits, to).map_err(io::Error::other)
        }
    }
}

fn confine(calls: &super::Calls) -> io::Result<()> {
    let filter = calls.filter().map_err(io::Error::other)?;
    seccompiler::apply_filter(&filter).map_err(io::Error::other)
}

/// Closes every descriptor but the three standard ones: whatever started this process may have left some open.
#[expect(
    unsafe_code,
    reason = "descriptors inherited from outside have no owner that could close them"
)]
fn close_inherited() -> io::Result<()> {
    let open: Vec<i32> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    // The listing's own descriptor is closed by now.
    let still_open = |fd: &i32| {
        let link = Path::new("/proc/self/fd").join(fd.to_string());
        link.read_link().is_ok()
    };
    for fd in open.into_iter().filter(still_open) {
        // SAFETY: this process has one thread and holds no file of its own at this point.
        unsafe { rustix::io::close(fd) };
    }
    Ok(())
}
