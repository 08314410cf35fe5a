//! The one sandbox: a program, or the unpacking of an archive, in name spaces of its own for users, mounts, processes, network, IPC,
//! host name and control groups.
//!
//! Invariants: the program sees its inputs (read-only), three devices, an empty working directory and nothing else of the machine; it
//! has an ordinary user's rights and no privilege, the environment, clock, umask and system calls that its order names, and bounded
//! memory, time, processes and output; what it leaves reaches the builder as NAR archives only. Where the kernel gives no name spaces,
//! nothing runs.
//!
//! Three processes take part. The builder starts the *helper*: its own program again, with one thread, which gives up root's
//! rights if it has them and makes the name spaces. In them, process 1 is the *watcher*: it makes the file system, starts the
//! program, lets its allowed calls through, and sends back the outputs.

mod calls;
mod helper;
mod watch;
mod wire;
mod world;

use crate::archive::{Packing, UnpackLimits};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread::ThreadId;
use std::time::{Duration, Instant};
use thiserror::Error;
use wire::{Joined, Tag};

pub use calls::{Calls, CallsError};
pub use helper::enter;
pub use watch::Watched;

/// What the helper is called with.
pub const ENTER: &str = "enter-sandbox";

/// Most bytes of each of a program's two output streams.
const MAX_SAID: usize = 4 << 20;

/// What one program may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space of each process, in MiB.
    pub memory_mib: u64,
    /// Wall-clock seconds, and processor seconds of each process.
    pub seconds: u64,
    /// What it may write, in MiB: outputs together, and as much again as working files.
    pub output_mib: u64,
    /// Processes and threads at one time.
    pub processes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_mib: 1024,
            seconds: 60,
            output_mib: 256,
            processes: 1,
        }
    }
}

/// An input as the program sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// File or directory of the machine.
    pub outside: PathBuf,
    /// Absolute path in the sandbox.
    pub inside: PathBuf,
}

/// What is done in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Job {
    /// A program is run.
    Run {
        /// Its path in the sandbox.
        program: String,
        /// Its arguments, without its own name.
        arguments: Vec<String>,
        /// Its whole environment, `NAME=VALUE`.
        environment: Vec<String>,
    },
    /// An archive is unpacked by our own code.
    Unpack {
        /// Its path in the sandbox.
        archive: PathBuf,
        /// How it is packed.
        packing: Packing,
        /// Leading components to take off each name.
        strip: usize,
        /// How much may come out.
        limits: UnpackLimits,
        /// Where the tree goes, in the sandbox.
        to: PathBuf,
    },
}

/// Everything about one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What is done.
    pub job: Job,
    /// Inputs.
    pub mounts: Vec<Mount>,
    /// Any existing directory; in the sandbox the new root lies there.
    pub root: PathBuf,
    /// The empty directory in which the program starts.
    pub work: PathBuf,
    /// The directory, besides that one, in which the program may write: a store directory.
    pub store: PathBuf,
    /// Paths, in the sandbox, that are sent back; one that does not exist is sent back as nothing.
    pub outputs: Vec<PathBuf>,
    /// Calls that are let through.
    pub calls: Calls,
    /// Limits.
    pub limits: Limits,
    /// User and group in the sandbox; not 0.
    pub uid: u32,
    /// What every clock says, in seconds since 1970.
    pub clock: i64,
    /// On which processors it may run; empty: on all.
    pub processors: Vec<usize>,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// How it ended.
    pub watched: Watched,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
    /// How long the program itself ran.
    pub own_time: Duration,
    /// How long everything took.
    pub time: Duration,
}

/// Why nothing came of it.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// The kernel does not give this user name spaces. Nothing was run.
    #[error(
        "this machine gives no user name spaces ({0}), and no step runs without: see `sysctl user.max_user_namespaces` and `sysctl kernel.unprivileged_userns_clone`"
    )]
    NoNameSpaces(String),
    /// The sandbox could not be made or its outputs not be read.
    #[error("the sandbox: {0}")]
    Setup(String),
    /// The program ran too long.
    #[error("it ran for more than {0} seconds")]
    Time(u64),
    /// The program said too much.
    #[error("it printed more than {MAX_SAID} bytes")]
    Said,
    /// The helper is gone or speaks nonsense.
    #[error("the sandbox's helper")]
    Helper(#[source] io::Error),
    /// What the sink said.
    #[error("an output")]
    Sink(#[source] io::Error),
}

/// The last word of the helper.
#[derive(Debug, Serialize, Deserialize)]
enum Report {
    NoNameSpaces(String),
    Setup(String),
    Done { watched: Watched, microseconds: u64 },
}

/// The program that becomes the helper: it calls [`enter`] when its first argument is [`ENTER`].
#[derive(Debug)]
pub struct Sandbox {
    program: PathBuf,
    /// Helpers that wait for an order, each for the thread that started it: a helper ends with that thread, not only with the
    /// whole builder, because that is how the kernel binds a process to its parent. Nothing if none is started ahead.
    ready: Option<Mutex<HashMap<ThreadId, Helper>>>,
}

impl Sandbox {
    /// With this program as helper; usually the running one.
    pub fn new(program: PathBuf) -> Sandbox {
        Sandbox {
            program,
            ready: None,
        }
    }

    /// The same for many orders: while one is carried out, the helper for the next is started.
    pub fn for_many(program: PathBuf) -> Sandbox {
        Sandbox {
            program,
            ready: Some(Mutex::default()),
        }
    }

    fn helper(&self) -> Result<Helper, SandboxError> {
        let ready = self.ready.as_ref();
        let own = std::thread::current().id();
        let ready = ready.and_then(|ready| ready.lock().expect("nothing panics here").remove(&own));
        ready.map_or_else(|| Helper::start(&self.program), Ok)
    }

    fn start_ahead(&self) -> Result<(), SandboxError> {
        if let Some(ready) = &self.ready {
            let helper = Helper::start(&self.program)?;
            let own = std::thread::current().id();
            let mut ready = ready.lock().expect("nothing panics here");
            ready.insert(own, helper);
        }
        Ok(())
    }

    /// Carries out an order. `sink` gets each output that exists, by its number, as a NAR archive.
    ///
    /// # Errors
    /// [`SandboxError`]; a program that fails or is refused something is no error but an [`Outcome`].
    pub fn run(
        &self,
        order: &Order,
        sink: &mut dyn FnMut(usize, &mut dyn Read) -> io::Result<()>,
    ) -> Result<Outcome, SandboxError> {
        let begin = Instant::now();
        let mut helper = self.helper()?;
        let text = serde_json::to_vec(order).expect("an order is plain data");
        wire::send(&mut helper.socket, Tag::Order, &text).map_err(SandboxError::Helper)?;
        self.start_ahead()?;
        converse(order, &mut helper, sink, begin)
    }
}

/// A process that waits for its order, or carries it out.
#[derive(Debug)]
struct Helper {
    child: Child,
    socket: UnixStream,
}

impl Helper {
    fn start(program: &Path) -> Result<Helper, SandboxError> {
        let (socket, theirs) = UnixStream::pair().map_err(SandboxError::Helper)?;
        let child = Command::new(program)
            .arg0("rootstock-sandbox")
            .arg(ENTER)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(SandboxError::Helper)?;
        Ok(Helper { child, socket })
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Whatever happened, nothing is left running: with the helper all its processes end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Takes what comes back.
fn converse(
    order: &Order,
    helper: &mut Helper,
    sink: &mut dyn FnMut(usize, &mut dyn Read) -> io::Result<()>,
    begin: Instant,
) -> Result<Outcome, SandboxError> {
    // The watcher needs a moment more than the program for making and ending things.
    let grace = Duration::from_secs(order.limits.seconds + 5);
    let socket = &mut helper.socket;
    socket
        .set_read_timeout(Some(grace))
        .map_err(SandboxError::Helper)?;
    let pipes = (helper.child.stdout.take(), helper.child.stderr.take());
    let mut said = [Said::new(pipes.0), Said::new(pipes.1)];
    // Until the program has ended, when the first frame comes; then what it said lies in the pipes, which nobody else writes to.
    if !hear(&mut said, Some(&*socket), Some(begin + grace))? {
        return Err(SandboxError::Time(order.limits.seconds));
    }
    let report = listen(socket, sink, order)?;
    hear(&mut said, None, None)?;
    let [stdout, stderr] = said.map(|said| said.bytes);
    match report {
        Report::NoNameSpaces(why) => Err(SandboxError::NoNameSpaces(why)),
        Report::Setup(why) => Err(SandboxError::Setup(why)),
        Report::Done {
            watched,
            microseconds,
        } => Ok(Outcome {
            watched,
            stdout,
            stderr,
            own_time: Duration::from_micros(microseconds),
            time: begin.elapsed(),
        }),
    }
}

/// One of a program's two output streams.
struct Said {
    pipe: Option<OwnedFd>,
    bytes: Vec<u8>,
}

impl Said {
    fn new(pipe: Option<impl Into<OwnedFd>>) -> Said {
        Said {
            pipe: pipe.map(Into::into),
            bytes: Vec::new(),
        }
    }

    /// Takes what lies in the pipe, of which there is something or the end.
    fn take(&mut self, pipe: OwnedFd) -> Result<(), SandboxError> {
        let mut piece = [0; 1 << 14];
        let count = rustix::io::read(&pipe, &mut piece)
            .map_err(|error| SandboxError::Helper(error.into()))?;
        self.bytes.extend_from_slice(&piece[..count]);
        if self.bytes.len() > MAX_SAID {
            return Err(SandboxError::Said);
        }
        self.pipe = (count > 0).then_some(pipe);
        Ok(())
    }
}

/// Takes what a program says until there is something on the socket (`true`) or the time is over (`false`); without a socket, what it
/// has said.
fn hear(
    said: &mut [Said; 2],
    socket: Option<&UnixStream>,
    until: Option<Instant>,
) -> Result<bool, SandboxError> {
    loop {
        let wait = until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        });
        let wait = Timespec {
            tv_sec: wait.as_secs() as i64,
            tv_nsec: i64::from(wait.subsec_nanos()),
        };
        let streams = said.iter().filter_map(|said| said.pipe.as_ref());
        let streams = streams.map(AsFd::as_fd).chain(socket.map(AsFd::as_fd));
        let mut waiting: Vec<PollFd<'_>> = streams
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        match poll(&mut waiting, Some(&wait)) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(SandboxError::Helper(error.into())),
        }
        let mut ready: Vec<bool> = waiting.iter().map(|fd| !fd.revents().is_empty()).collect();
        let spoken = socket.is_some() && ready.pop() == Some(true);
        let mut ready = ready.into_iter();
        for said in said.iter_mut().filter(|said| said.pipe.is_some()) {
            if ready.next() == Some(true)
                && let Some(pipe) = said.pipe.take()
            {
                said.take(pipe)?;
            }
        }
        if spoken {
            return Ok(true);
        }
    }
}

/// Outputs go to the sink; the report ends it.
fn listen(
    socket: &mut UnixStream,
    sink: &mut dyn FnMut(usize, &mut dyn Read) -> io::Result<()>,
    order: &Order,
) -> Result<Report, SandboxError> {
    let late = |error: io::Error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            SandboxError::Time(order.limits.seconds)
        }
        _ => SandboxError::Helper(error),
    };
    let mut number = 0;
    loop {
        let (tag, bytes) = wire::receive(socket).map_err(late)?;
        match tag {
            Tag::Report => {
                return serde_json::from_slice(&bytes)
                    .map_err(|error| SandboxError::Helper(error.into()));
            }
            Tag::End => number += 1,
            Tag::Piece => {
                let mut joined = Joined {
                    stream: &mut *socket,
                    piece: bytes,
                    at: 0,
                    ended: false,
                };
                sink(number, &mut joined).map_err(SandboxError::Sink)?;
                io::copy(&mut joined, &mut io::sink()).map_err(late)?;
                number += 1;
            }
            Tag::Order => {
                return Err(SandboxError::Helper(io::Error::other("an order came back")));
            }
        }
    }
}
