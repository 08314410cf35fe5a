//! Boot counting, the real loader beside the model: a generation that fails three times gives way to the one before, without
//! a hand on the machine, and one that started well is kept.

use super::computer::Computer;
use boot_esp::{EntryName, State};

/// Words of a generation that fails: it restarts the machine, once the host has looked at the disk.
const FAILS: [&str; 2] = ["guest.wait", "guest.restart"];

#[test]
fn a_generation_that_fails_three_times_gives_way_to_the_one_before() {
    let computer = Computer::new("counting");
    computer.generation(1, &[], false);
    computer.install();
    let fresh = EntryName::parse(&computer.entry(1)).unwrap();
    assert!(fresh.to_string().ends_with("+3.efi"), "{fresh}");

    // The first generation starts, and the system says that it did well.
    let report = computer.boot("first", None);
    assert_eq!(report.line("generation"), "1");
    assert!(report.told("pcr 11").is_none(), "a machine without a TPM");
    assert!(report.told("variable StubPcrKernelImage").is_none());
    assert_eq!(computer.names(), [fresh.attempted().to_string()]);
    let said = computer.command("bless");
    assert_eq!(said["changed"], true, "{said}");
    let good = fresh.blessed().to_string();
    assert_eq!(computer.names(), [good.as_str()]);
    assert_eq!(computer.status(1)["state"], "good");

    // The second one fails each time.
    computer.generation(2, &FAILS, false);
    computer.install();
    let mut model = EntryName::parse(&computer.entry(2)).unwrap();
    assert_eq!(model.state(), State::Untried);
    let mut running = computer.start(computer.machine().restarting(), "failing");
    for done in 1..=3 {
        let report = computer.reported(&mut running, &format!("attempt {done}"));
        assert_eq!(report.line("generation"), "2");
        model = model.attempted();
        assert_eq!(computer.names(), [good.clone(), model.to_string()]);
        // The loader tells the system the name that it has given the file.
        let path = report.text("LoaderBootCountPath");
        assert_eq!(path, format!("\\EFI\\Linux\\{model}"));
        let status = computer.status(2);
        assert_eq!(status["tries_left"], 3 - done, "{status}");
        assert_eq!(status["tries_done"], done, "{status}");
        running.type_text("go on", "\n").unwrap();
    }
    assert_eq!(model.state(), State::Bad);
    let report = computer.reported(&mut running, "back");
    drop(running);
    assert_eq!(report.line("generation"), "1");
    assert_eq!(computer.names(), [good.clone(), model.to_string()]);
    let (bad, kept) = (computer.status(2), computer.status(1));
    assert_eq!(bad["state"], "bad", "{bad}");
    assert_eq!(bad["default"], false, "{bad}");
    assert_eq!(kept["default"], true, "{kept}");
    assert_eq!(kept["booted"], true, "{kept}");

    // The next installation leaves it bad.
    computer.install();
    assert_eq!(computer.names(), [good, model.to_string()]);
}
