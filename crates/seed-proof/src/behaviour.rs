//! What the seed does with each byte in each state of its reading loop, found by running it, and compared
//! with the language: a proof by induction over the text.
//!
//! The loop's state is bl (1 between pairs, 16 + digit within one), the place in the text (rsi) and the end
//! of the output (rdi), or "in a comment". Invariant: the step from each of the 18 kinds of state over each
//! of the 256 bytes is the language's, whatever is in the other registers.

use crate::hex::{LIMIT, digit};
use crate::listing::{BASE, Checked};
use crate::x86::kernel::Files;
use crate::x86::machine::{Fault, Machine, Stop};
use std::collections::BTreeMap;
use thiserror::Error;

/// A state of the reading loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Between two pairs of digits.
    Clean,
    /// Behind the first digit of a pair.
    Half(u8),
    /// In a comment.
    Comment,
}

/// What one byte does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Go on in a state, nothing written.
    Go(State),
    /// Write a byte and go on between pairs.
    Write(u8),
    /// The end of the text.
    End,
    /// An error.
    Fail,
}

/// Why the seed is not the language.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BehaviourError {
    /// A label that the proof needs is not in the listing.
    #[error("the listing has no label `{0}`")]
    Label(&'static str),
    /// The interpreter stopped.
    #[error("{state:?}, byte {byte:#04x}: {fault}")]
    Fault {
        /// State before.
        state: State,
        /// Byte read.
        byte: u8,
        /// Why.
        fault: Fault,
    },
    /// The step is another one.
    #[error("{state:?}, byte {byte:#04x}: {found}, but the language says {expected:?}")]
    Step {
        /// State before.
        state: State,
        /// Byte read.
        byte: u8,
        /// What the language says.
        expected: Action,
        /// What the seed did.
        found: String,
    },
    /// The beginning or end of the program is not as it should be.
    #[error("{0}")]
    Frame(String),
}

/// The language's step.
pub fn expected(state: State, byte: u8) -> Action {
    match (state, digit(byte)) {
        (State::Comment, _) if byte > b'\n' => Action::Go(State::Comment),
        (State::Comment, _) => Action::Go(State::Clean),
        (State::Clean, Some(value)) => Action::Go(State::Half(value)),
        (State::Half(high), Some(low)) => Action::Write(high << 4 | low),
        (State::Half(_), None) => Action::Fail,
        (State::Clean, None) => match byte {
            0 => Action::End,
            1..=b' ' => Action::Go(State::Clean),
            b';' => Action::Go(State::Comment),
            _ => Action::Fail,
        },
    }
}

/// All 18 kinds of state.
pub fn states() -> Vec<State> {
    let halves = (0..16).map(State::Half);
    [State::Clean, State::Comment]
        .into_iter()
        .chain(halves)
        .collect()
}

/// What was proved: how many steps, and what each state does with ranges of bytes.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// Steps that were run.
    pub steps: usize,
    /// Scenarios of the beginning and the end that were run.
    pub frames: usize,
    /// For each state, ranges of bytes and what they do.
    pub table: BTreeMap<State, Vec<(u8, u8, Action)>>,
}

/// Contents of the registers that must not matter.
const GARBAGE: [u64; 3] = [0, u64::MAX, 0x5A5A_A5A5_0F0F_F0F0];

/// Proves that the seed of this listing is the language.
pub fn prove(listing: &Checked) -> Result<Behaviour, BehaviourError> {
    let mut behaviour = Behaviour::default();
    let mut steps = Steps::new(listing)?;
    for state in states() {
        let mut ranges: Vec<(u8, u8, Action)> = Vec::new();
        for byte in 0..=255 {
            let action = expected(state, byte);
            for garbage in GARBAGE {
                steps.check(state, byte, garbage, action)?;
                behaviour.steps += 1;
            }
            match ranges.last_mut() {
                Some((_, last, same)) if *same == action => *last = byte,
                _ => ranges.push((byte, byte, action)),
            }
        }
        behaviour.table.insert(state, ranges);
    }
    behaviour.frames = frames(&listing.bytes)?;
    Ok(behaviour)
}

struct Steps {
    machine: Machine,
    next: u64,
    comment: u64,
    done: u64,
    fail: u64,
}

/// A place in the text and one at the end of the output, before it.
const TEXT: u64 = LIMIT as u64 + 0x1234;
const OUTPUT: u64 = LIMIT as u64 + 0x0765;

impl Steps {
    fn new(listing: &Checked) -> Result<Steps, BehaviourError> {
        let label = |name| {
            let offset = listing
                .labels
                .get(name)
                .ok_or(BehaviourError::Label(name))?;
            Ok((*offset as i64 + BASE) as u64)
        };
        let machine = Machine::load(&listing.bytes, &[b"seed"], Files::new())
            .map_err(|fault| BehaviourError::Frame(fault.to_string()))?;
        Ok(Steps {
            machine,
            next: label("next")?,
            comment: label("comment")?,
            done: label("done")?,
            fail: label("fail")?,
        })
    }

    fn check(
        &mut self,
        state: State,
        byte: u8,
        garbage: u64,
        action: Action,
    ) -> Result<(), BehaviourError> {
        let machine = &mut self.machine;
        let bl = match state {
            State::Clean => 1,
            State::Half(value) => 16 + u64::from(value),
            State::Comment => garbage & 0xFF,
        };
        let pointer = machine.register(4);
        for number in [0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15] {
            machine.set_register(number, garbage);
        }
        machine.set_register(3, garbage & !0xFF | bl);
        machine.set_register(2, LIMIT as u64);
        machine.set_register(6, TEXT);
        machine.set_register(7, OUTPUT);
        if let Some(place) = machine.memory().slice_mut(TEXT, 1) {
            place[0] = byte;
        }
        let before = machine.stores().0;
        machine.jump(if state == State::Comment {
            self.comment
        } else {
            self.next
        });
        let places = [self.next, self.comment, self.done, self.fail];
        let stop = machine
            .run_to(&places, 64)
            .map_err(|fault| BehaviourError::Fault { state, byte, fault })?;
        let bl = machine.register(3) as u8;
        let stores = machine.stores().0 - before;
        let written = match machine.stores() {
            (_, Some((OUTPUT, 1))) if stores == 1 => {
                machine.memory().slice(OUTPUT, 1).map(|bytes| bytes[0])
            }
            _ => None,
        };
        let place = match stop {
            Stop::Reached(place) => place,
            Stop::Ended(_) => 0,
        };
        let quiet = stores == 0 && machine.register(7) == OUTPUT;
        let found = match action {
            Action::Go(State::Clean) => quiet && place == self.next && bl == 1,
            Action::Go(State::Half(value)) => quiet && place == self.next && bl == 16 + value,
            Action::Go(State::Comment) => quiet && place == self.comment,
            Action::Write(value) => {
                let moved = machine.register(7) == OUTPUT + 1;
                written == Some(value) && moved && place == self.next && bl == 1
            }
            Action::End => quiet && place == self.done,
            Action::Fail => quiet && place == self.fail,
        };
        let kept = machine.register(6) == TEXT + 1
            && machine.register(2) == LIMIT as u64
            && machine.register(4) == pointer;
        if found && kept {
            return Ok(());
        }
        Err(BehaviourError::Step {
            state,
            byte,
            expected: action,
            found: format!(
                "it came to {place:#x} with bl {bl}, rsi {:#x}, rdi {:#x}, {stores} writes",
                machine.register(6),
                machine.register(7)
            ),
        })
    }
}

/// A name, the input if there is one, the room on the disk if it is small, the output if there should be one.
type Case = (
    &'static str,
    Option<Vec<u8>>,
    Option<usize>,
    Option<&'static [u8]>,
);

/// Runs the whole seed where the loop's proof does not reach: reading, ending, writing.
fn frames(seed: &[u8]) -> Result<usize, BehaviourError> {
    let text = |bytes: &[u8]| Some(bytes.to_vec());
    let mut long = vec![b' '; LIMIT];
    let full = text(&long);
    long.pop();
    long[LIMIT - 2] = b';';
    let cases: [Case; 12] = [
        ("no input", None, None, None),
        ("an empty input", text(b""), None, Some(b"")),
        ("a text", text(b"4 1"), None, None),
        ("a pair", text(b"41"), None, Some(b"A")),
        (
            "a pair and a comment without an end",
            text(b"41 42 ; 43"),
            None,
            Some(b"AB"),
        ),
        ("a semicolon at the end", text(b"41;"), None, Some(b"A")),
        ("half a pair at the end", text(b"41 4"), None, None),
        ("text behind a zero", text(b"41\x0042"), None, Some(b"A")),
        ("the longest text", Some(long), None, Some(b"")),
        ("a text that is too long", full, None, None),
        ("a full disk", text(b"41 42 43"), Some(2), None),
        ("a disk without any room", text(b"41 42 43"), Some(0), None),
    ];
    let count = cases.len();
    for (name, input, room, output) in cases {
        let frame = |what: String| BehaviourError::Frame(format!("{name}: {what}"));
        let mut files = Files::from([(b"out".to_vec(), b"old".to_vec())]);
        if let Some(input) = input {
            files.insert(b"in".to_vec(), input);
        }
        let mut machine = Machine::load(seed, &[b"seed", b"in", b"out"], files)
            .map_err(|fault| frame(fault.to_string()))?;
        machine.kernel().full = room;
        let outcome = machine
            .run(1 << 28)
            .map_err(|fault| frame(fault.to_string()))?;
        let left = outcome.files.get(&b"out"[..]).map(Vec::as_slice);
        if left != output || (outcome.status == 0) != output.is_some() {
            return Err(frame(format!("status {}, output {left:?}", outcome.status)));
        }
        if outcome.calls.values().sum::<u64>() > 6 {
            return Err(frame(format!("system calls {:?}", outcome.calls)));
        }
    }
    Ok(count)
}
