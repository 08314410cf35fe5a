//! Watching a program: each of its system calls stops here first, is counted, and goes on only if it is allowed. The clock that the
//! program can ask is a fixed one.
//!
//! Invariants: a process of the program never outlives the watch; no call outside the list is let through; the number of
//! processes is counted before a new one runs.

use super::calls::{self, Calls};
use nix::errno::Errno;
use nix::sys::ptrace::{self, Event, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use syscalls::x86_64::Sysno;

/// Most words of a new program's stack that are looked at for the kernel's own clock page.
const MAX_STACK: usize = 1 << 20;

/// Flags of `clone` that make new name spaces: users, mounts, processes, network, IPC, host name, control groups.
const NEW_NAME_SPACES: u64 = 0x7e02_0000;

/// How the program ended, and which calls it made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// Exit status, or 128 + the signal that ended it.
    pub status: i32,
    /// How often each system call was made.
    pub calls: BTreeMap<String, u64>,
    /// Why it was ended before its time.
    pub refused: Option<String>,
}

/// What is watched for.
#[derive(Debug)]
pub(super) struct Watch<'s> {
    /// Calls let through.
    pub(super) calls: &'s Calls,
    /// Most processes and threads at one time.
    pub(super) processes: usize,
    /// What every clock says, in seconds since 1970.
    pub(super) clock: i64,
    /// Does the program start by becoming another one?
    pub(super) starts: bool,
}

impl Watch<'_> {
    /// Watches `first`, a child that has asked for it and stopped itself, until it ends; then ends all others.
    pub(super) fn run(&self, first: Pid) -> Result<Watched, Errno> {
        waitpid(first, None)?;
        let options = Options::PTRACE_O_TRACESECCOMP
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_EXITKILL;
        ptrace::setoptions(first, options)?;
        ptrace::cont(first, None)?;
        let mut watched = Watched::default();
        let ended = self.until_the_end(first, &mut watched);
        // Process 1 cannot hit itself with this.
        let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
        while waitpid(None, Some(WaitPidFlag::__WALL)) != Err(Errno::ECHILD) {}
        ended.map(|()| watched)
    }

    fn until_the_end(&self, first: Pid, watched: &mut Watched) -> Result<(), Errno> {
        let mut alive = BTreeSet::from([first]);
        let mut to_start = self.starts;
        loop {
            let status = waitpid(None, Some(WaitPidFlag::__WALL))?;
            match status {
                WaitStatus::Exited(pid, code) if pid == first => {
                    watched.status = code;
                    return Ok(());
                }
                WaitStatus::Signaled(pid, signal, _) if pid == first => {
                    watched.status = 128 + signal as i32;
                    return Ok(());
                }
                WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, _, _) => {
                    alive.remove(&pid);
                }
                WaitStatus::PtraceEvent(pid, _, event) => {
                    if event == Event::PTRACE_EVENT_SECCOMP as i32 {
                        let Some(registers) = alright(ptrace::getregs(pid))? else {
                            continue;
                        };
                        let number = registers.orig_rax;
                        let starting = to_start && number == Sysno::execve.id() as u64;
                        if !starting {
                            *watched.calls.entry(calls::name(number)).or_default() += 1;
                            let spaces = number == Sysno::clone.id() as u64
                                && registers.rdi & NEW_NAME_SPACES != 0;
                            // Far above all calls of the kernel and below those of x32: answered by ENOSYS.
                            let none = (1000..0x4000_0000).contains(&number);
                            if spaces || !(none || self.calls.allows(number)) {
                                let what = if spaces { " for a name space" } else { "" };
                                let name = calls::name(number);
                                watched.refused = Some(format!("the system call {name}{what}"));
                                watched.status = 128 + Signal::SIGSYS as i32;
                                return Ok(());
                            }
                            alright(self.answer_clock(pid, number))?;
                        }
                    } else if event == Event::PTRACE_EVENT_EXEC as i32 {
                        to_start = false;
                        alright(hide_clock_page(pid))?;
                    } else {
                        let child = alright(ptrace::getevent(pid))?.unwrap_or_default();
                        alive.insert(Pid::from_raw(child as i32));
                        if alive.len() > self.processes {
                            watched.refused =
                                Some(format!("more than {} processes at a time", self.processes));
                            watched.status = 128 + Signal::SIGKILL as i32;
                            return Ok(());
                        }
                    }
                    alright(ptrace::cont(pid, None))?;
                }
                WaitStatus::Stopped(pid, signal) => {
                    // A new process begins with a stop of its own.
                    let fresh = signal == Signal::SIGSTOP && pid != first;
                    alright(ptrace::cont(pid, (!fresh).then_some(signal)))?;
                }
                _ => {}
            }
        }
    }

    /// Answers calls that ask for the time; all others go on to the kernel.
    fn answer_clock(&self, pid: Pid, number: u64) -> Result<(), Errno> {
        let mut registers = ptrace::getregs(pid)?;
        let to = match Sysno::new(number as usize) {
            Some(Sysno::time | Sysno::gettimeofday) => registers.rdi,
            Some(Sysno::clock_gettime) => registers.rsi,
            _ => return Ok(()),
        };
        let time = number == Sysno::time.id() as u64;
        let words: &[i64] = if time {
            &[self.clock]
        } else {
            &[self.clock, 0]
        };
        let mut result = if time { self.clock } else { 0 };
        for (index, word) in words.iter().enumerate().filter(|_| to != 0) {
            if ptrace::write(pid, (to + 8 * index as u64) as ptrace::AddressType, *word).is_err() {
                result = -(Errno::EFAULT as i64);
            }
        }
        registers.orig_rax = u64::MAX;
        registers.rax = result as u64;
        ptrace::setregs(pid, registers)
    }
}

/// Takes the page through which programs read the clock without a call out of a new program's auxiliary vector.
fn hide_clock_page(pid: Pid) -> Result<(), Errno> {
    const AT_NULL: i64 = 0;
    const AT_IGNORE: i64 = 1;
    const AT_SYSINFO_EHDR: i64 = 33;
    let stack = ptrace::getregs(pid)?.rsp;
    let word = |index: usize| ptrace::read(pid, (stack + 8 * index as u64) as ptrace::AddressType);
    // The count of arguments, the arguments, a null, the environment, a null, then pairs.
    let arguments = usize::try_from(word(0)?).unwrap_or(MAX_STACK);
    let mut at = arguments.saturating_add(2);
    while at < MAX_STACK && word(at)? != 0 {
        at += 1;
    }
    at += 1;
    while at < MAX_STACK {
        match word(at)? {
            AT_NULL => return Ok(()),
            AT_SYSINFO_EHDR => {
                let address = (stack + 8 * at as u64) as ptrace::AddressType;
                return ptrace::write(pid, address, AT_IGNORE);
            }
            _ => at += 2,
        }
    }
    Err(Errno::E2BIG)
}

/// A process that is gone meanwhile is no error: its end will be reported.
fn alright<T>(result: Result<T, Errno>) -> Result<Option<T>, Errno> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Errno::ESRCH) => Ok(None),
        Err(error) => Err(error),
    }
}
