//! What needs no emulator: screens, the words of errors, and disks whose power fails.

use crate::{End, Error, Fate, Recorder, screen, without_escapes};
use boot_esp::Device;
use std::collections::BTreeSet;
use std::io::{Seek, SeekFrom, Write};
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

#[test]
fn a_power_cut_keeps_what_was_synced_and_any_of_the_rest() {
    let recorder = Recorder::new(vec![0; 2048]);
    let mut disk = recorder.disk();
    disk.write_all(&[1; 1024]).unwrap();
    disk.sync().unwrap();
    let synced = recorder.moment();
    disk.seek(SeekFrom::Start(600)).unwrap();
    disk.write_all(&[2; 4]).unwrap();
    disk.seek(SeekFrom::Start(1536)).unwrap();
    disk.write_all(&[3; 512]).unwrap();
    let all = recorder.moment();
    assert_eq!((synced, all), (3, 5));

    let lost = recorder.cut(all, Fate::Lost);
    assert_eq!(lost, [vec![1; 1024], vec![0; 1024]].concat());
    assert_eq!(recorder.cut(0, Fate::InOrder), vec![0; 2048]);
    let whole = recorder.cut(all, Fate::InOrder);
    assert_eq!(&whole[598..606], [1, 1, 2, 2, 2, 2, 1, 1]);
    assert_eq!(whole[1536..], [3; 512]);
    // Each loose sector is there or not, by itself.
    let seen: BTreeSet<(u8, u8)> = (0..64)
        .map(|dice| recorder.cut(all, Fate::Scattered(dice)))
        .map(|image| (image[600], image[1536]))
        .collect();
    assert_eq!(seen, BTreeSet::from([(1, 0), (1, 3), (2, 0), (2, 3)]));
    // A write past the end fails, and is not recorded.
    disk.seek(SeekFrom::End(-1)).unwrap();
    assert!(disk.write_all(&[4; 2]).is_err());
    assert_eq!(recorder.moment(), all);
}
