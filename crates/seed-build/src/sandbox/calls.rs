//! System calls by name, and the filter made of an allow-list.
//!
//! Invariants: a call that could open another way out than those the sandbox closes cannot be allowed at all
//! ([`CallsError::Never`]); a call that is not allowed does not happen, even if nobody watches (then the kernel answers it with `ENOSYS`).

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use syscalls::x86_64::Sysno;
use thiserror::Error;

/// Calls that no step may be allowed: they change name spaces, mounts, other processes or the kernel itself.
const NEVER: [Sysno; 38] = [
    Sysno::acct,
    Sysno::add_key,
    Sysno::bpf,
    Sysno::chroot,
    Sysno::clone3,
    Sysno::delete_module,
    Sysno::finit_module,
    Sysno::fsconfig,
    Sysno::fsmount,
    Sysno::fsopen,
    Sysno::fspick,
    Sysno::init_module,
    Sysno::io_uring_enter,
    Sysno::io_uring_register,
    Sysno::io_uring_setup,
    Sysno::kexec_file_load,
    Sysno::kexec_load,
    Sysno::keyctl,
    Sysno::mount,
    Sysno::mount_setattr,
    Sysno::move_mount,
    Sysno::name_to_handle_at,
    Sysno::open_by_handle_at,
    Sysno::open_tree,
    Sysno::perf_event_open,
    Sysno::pidfd_getfd,
    Sysno::pivot_root,
    Sysno::process_vm_readv,
    Sysno::process_vm_writev,
    Sysno::ptrace,
    Sysno::reboot,
    Sysno::request_key,
    Sysno::seccomp,
    Sysno::setns,
    Sysno::swapon,
    Sysno::umount2,
    Sysno::unshare,
    Sysno::userfaultfd,
];

/// Why a list of calls is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallsError {
    /// No system call has this name.
    #[error("'{0}' is no system call of x86-64")]
    Unknown(String),
    /// No step may have it.
    #[error("'{0}' may not be allowed to any step")]
    Never(String),
}

/// An allow-list of system calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<String>", try_from = "Vec<String>")]
pub struct Calls(BTreeSet<u32>);

impl Calls {
    /// The calls with these names.
    ///
    /// # Errors
    /// [`CallsError`] with the first name that is refused.
    pub fn new<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Result<Calls, CallsError> {
        let mut calls = BTreeSet::new();
        for name in names {
            let name = name.as_ref();
            let call: Sysno = name
                .parse()
                .map_err(|()| CallsError::Unknown(name.to_owned()))?;
            if NEVER.contains(&call) {
                return Err(CallsError::Never(name.to_owned()));
            }
            calls.insert(call.id() as u32);
        }
        Ok(Calls(calls))
    }

    /// Is this one allowed?
    pub(super) fn allows(&self, number: u64) -> bool {
        u32::try_from(number).is_ok_and(|number| self.0.contains(&number))
    }

    /// Are all calls with these names allowed?
    pub fn cover<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> bool {
        let known = |name: &String| name.parse::<Sysno>().ok();
        names
            .into_iter()
            .all(|name| known(name).is_some_and(|call| self.0.contains(&(call.id() as u32))))
    }

    /// The filter: every call stops for the watcher; those not on the list are marked, and never let through by it.
    pub(super) fn filter(&self) -> Result<BpfProgram, seccompiler::BackendError> {
        // Starting the program is itself a call; the watcher lets it pass once.
        let start = [Sysno::execve.id() as u32];
        let rules: BTreeMap<i64, Vec<seccompiler::SeccompRule>> = self
            .0
            .iter()
            .chain(&start)
            .map(|call| (i64::from(*call), Vec::new()))
            .collect();
        SeccompFilter::new(
            rules,
            SeccompAction::Trace(1),
            SeccompAction::Trace(0),
            TargetArch::x86_64,
        )?
        .try_into()
    }
}

/// The name of a call, or its number in words.
pub(super) fn name(number: u64) -> String {
    let known = usize::try_from(number).ok().and_then(Sysno::new);
    known.map_or_else(|| format!("number {number}"), |call| call.name().to_owned())
}

impl From<Calls> for Vec<String> {
    fn from(calls: Calls) -> Vec<String> {
        let mut names: Vec<String> = calls.0.iter().map(|call| name(u64::from(*call))).collect();
        names.sort();
        names
    }
}

impl TryFrom<Vec<String>> for Calls {
    type Error = CallsError;

    fn try_from(names: Vec<String>) -> Result<Calls, CallsError> {
        Calls::new(names)
    }
}
