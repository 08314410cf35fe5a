//! How long to wait before the next attempt.
//!
//! Invariant: a pause is never longer than the longest allowed, nor shorter than what the server asks for within
//! that; a random part keeps many clients from coming back together.

use std::time::Duration;

/// The pauses of one request.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, longest: Duration) -> Backoff {
        Backoff {
            next: first,
            longest,
        }
    }

    /// The next pause: between half of the doubling interval and all of it.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let whole = self.next.min(self.longest);
        self.next = whole * 2;
        let pause = whole.mul_f64(0.5 + random() / 2.0);
        asked
            .map_or(pause, |asked| pause.max(asked))
            .min(self.longest)
    }
}

/// A number from 0 to 1.
pub(crate) fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without a source of chance the pauses are whole; nothing depends on them being random.
    if getrandom::fill(&mut bytes).is_err() {
        return 1.0;
    }
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use std::time::Duration;

    #[test]
    fn pauses_double_within_their_limits() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, second * 5);
        for whole in [1, 2, 4, 5, 5] {
            let pause = backoff.next(None);
            assert!(
                pause >= second * whole / 2 && pause <= second * whole,
                "{pause:?}"
            );
        }
        let mut backoff = Backoff::new(second, second * 5);
        assert_eq!(backoff.next(Some(second * 3)), second * 3);
        assert_eq!(backoff.next(Some(second * 60)), second * 5);
    }
}
