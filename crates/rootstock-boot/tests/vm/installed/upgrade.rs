//! Generations boot from the disk that the installer wrote, the newest by itself, and the TPM's registers are those that the
//! installer stated.

use super::computer::Computer;
use crate::stub::scene::Report;
use serde_json::Value;

/// What an added generation may take on the partition when kernel and large initrd are there already.
const ADDED: u64 = 200 * 1024;

/// The value of a register that a statement has, at the moment when the kernel starts.
fn stated(statement: &Value, pcr: u8) -> String {
    let registers = statement["registers"].as_array().expect("a list");
    let found = registers
        .iter()
        .find(|value| value["pcr"] == pcr && value["phase"].as_str().is_none_or(str::is_empty));
    let found = found.unwrap_or_else(|| panic!("PCR {pcr}: {statement:#}"));
    found["value"].as_str().expect("text").to_owned()
}

/// Registers 11, 12 and 13 are those of the statement.
fn as_stated(report: &Report, statement: &Value) {
    for pcr in 11..=13 {
        assert_eq!(
            report.register(pcr),
            stated(statement, pcr),
            "PCR {pcr}: {statement:#}"
        );
    }
}

#[test]
fn the_newest_generation_boots_with_the_stated_registers_and_after_another_installation_that_one() {
    let computer = Computer::new("upgrade");
    let scene = &computer.scene;
    scene.boot_from("EFI/systemd/systemd-bootx64.efi", "");
    computer.generation(1, &[], false);
    computer.generation(2, &[], false);
    let said = computer.install_with(super::computer::LOADER, "--policy-key pcr.key");
    assert_eq!(said["entries"], 2, "{said:#}");
    computer.check_disk();
    let entry = computer.entry(2);
    let statements = said["foreseen"].as_array().expect("a list");
    let statement = statements.iter().find(|s| s["entry"] == entry.as_str());
    let statement = statement.unwrap_or_else(|| panic!("{entry}: {said:#}"));
    // What is foreseen of the whole boot, before it.
    let file = computer.disk.file(&format!("EFI/Linux/{entry}"));
    scene.put("entry.efi", &file.expect("it is there"));
    let line = format!(
        "--json pcr predict --bank sha256 --vars variables.fd --disk disk.img --entry \\EFI\\Linux\\{entry}"
    );
    let foreseen: Value = serde_json::from_str(&scene.run(&line)).expect("JSON");

    let tpm = computer.tpm();
    let report = computer.boot("second", Some(&tpm));
    drop(tpm);
    assert_eq!(report.line("secure-boot"), "on");
    assert!(report.line("lockdown").contains("[integrity]"));
    assert_eq!(report.line("generation"), "2");
    assert!(
        !report.screen.contains("rootstock-stub:"),
        "{}",
        report.screen
    );
    as_stated(&report, statement);
    assert_eq!(report.register(11), scene.foretold_sections("entry.efi"));
    for pcr in [4, 7, 11, 12, 13] {
        assert_eq!(report.register(pcr), stated(&foreseen, pcr), "PCR {pcr}");
    }
    let files = report.files();
    assert_eq!(files["tpm2-pcr-public-key.pem"].1, scene.read("pcr.pub"));
    let signatures = String::from_utf8_lossy(&files["tpm2-pcr-signature.json"].1).into_owned();
    assert!(signatures.contains("\"sha256\""), "{signatures}");
    // The loader's variables name the entry, and `bless` keeps it.
    assert_eq!(computer.command("bless")["changed"], true);

    let before = computer.command("status")[0]["free"].as_u64();
    computer.generation(3, &[], false);
    let said = computer.install_with(super::computer::LOADER, "--policy-key pcr.key");
    assert_eq!(said["made"], 1, "{said:#}");
    let after = computer.command("status")[0]["free"].as_u64();
    let taken = before.zip(after).map(|(before, after)| before - after);
    assert!(taken.is_some_and(|taken| taken <= ADDED), "{taken:?} bytes");
    computer.check_disk();
    let report = computer.boot("third", None);
    assert_eq!(report.line("generation"), "3");
    let names = computer.names();
    assert_eq!(names.len(), 3);
    assert!(names[2].ends_with("+2-1.efi"), "{names:?}");
}
