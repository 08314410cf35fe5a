//! The boots: one enrolment, then two machines at a time, each with copies of what was enrolled.

use super::enrolled::Enrolled;
use super::{refused, released, stored};

#[test]
fn the_tpm_unlocks_what_was_enrolled_and_a_passphrase_the_rest() {
    let enrolled = Enrolled::new();
    std::thread::scope(|both| {
        both.spawn(|| {
            let log = released::boots(&enrolled);
            stored::boots(&enrolled, &log);
        });
        both.spawn(|| refused::boots(&enrolled));
    });
}
