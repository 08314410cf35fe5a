//! What needs no emulator: screens and the words of errors.

use crate::{End, Error, screen, without_escapes};
use std::time::Duration;

#[test]
fn escapes_are_taken_out() {
    assert_eq!(
        without_escapes("\u{1b}[2J\u{1b}[01;01Hhello\r\n\u{1b}=x"),
        "hello\nx"
    );
    assert_eq!(without_escapes("cut off \u{1b}[12"), "cut off ");
    assert_eq!(without_escapes("cut off \u{1b}"), "cut off ");
}

#[test]
fn the_screen_is_its_last_lines_that_hold_something() {
    assert_eq!(screen::tail("a\r\n\r\nb\r\n  \r\nc", 2), "b\nc");
    assert_eq!(screen::tail("a", 2), "a");
}

#[test]
fn a_failing_step_says_what_was_on_the_screen() {
    let error = Error::Step {
        step: "first boot".to_owned(),
        what: "`login:`".to_owned(),
        end: End::Late(Duration::from_secs(5)),
        log: "serial.log".to_owned(),
        screen: "Access Denied".to_owned(),
    };
    assert_eq!(
        error.to_string(),
        "step `first boot`: `login:` did not come within 5 s; the log is serial.log, its end:\nAccess Denied"
    );
    assert_eq!(End::Off.to_string(), "before the machine turned off");
}
