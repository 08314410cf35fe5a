//! An error together with what caused it, where a text is kept or sent instead of the error.
//!
//! Invariant: an error's own text never repeats its cause, so each is told once, here as by whoever prints errors.

use std::error::Error;

/// An error and its causes, the outermost first, in one line.
pub fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::told;
    use crate::archive::ArchiveError;
    use crate::build::{BuildError, StepProblem};
    use crate::provenance::ProvenanceError;
    use crate::sandbox::SandboxError;
    use crate::store::StoreError;
    use std::io;

    #[test]
    fn each_cause_is_told_once() {
        let gone = || io::Error::other("gone");
        let file = || StoreError::File {
            path: "x".into(),
            source: gone(),
        };
        let record = serde_json::from_str::<u8>("?").unwrap_err();
        let record = StoreError::Record {
            path: "x".into(),
            source: record,
        };
        assert_eq!(told(&file()), "x: gone");
        assert_eq!(told(&record), "x: expected value at line 1 column 1");
        assert_eq!(told(&ProvenanceError::from(file())), "x: gone");
        let key = ProvenanceError::File {
            path: "key".into(),
            source: gone(),
        };
        assert_eq!(told(&key), "key: gone");
        let write = ArchiveError::Write {
            name: "a/b".to_owned(),
            source: gone(),
        };
        // As it comes from the helper, and as an error of a stream.
        assert_eq!(told(&io::Error::other(write)), "writing 'a/b': gone");
        assert_eq!(told(&ArchiveError::Read(gone())), "reading: gone");
        let sink = SandboxError::Sink(io::Error::other(file()));
        let step = BuildError::Step {
            step: "one".to_owned(),
            problem: StepProblem::Sandbox(sink),
        };
        assert_eq!(told(&step), "step one: an output: x: gone");
    }
}
