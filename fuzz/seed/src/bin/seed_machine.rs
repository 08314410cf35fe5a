//! Any bytes as instructions of the interpreter, behind right headers: the program ends or faults, and nothing panics.
#![no_main]

use seed_proof::assemble::assemble;
use seed_proof::x86::kernel::Files;
use seed_proof::x86::machine::Machine;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(mut program) = assemble(b"bss room 4096") else {
        return;
    };
    program.extend_from_slice(data);
    // The size in the file, which the program header states.
    let size = (program.len() as u64).to_le_bytes();
    program[96..104].copy_from_slice(&size);
    let files = Files::from([(b"in".to_vec(), data.to_vec())]);
    if let Ok(mut machine) = Machine::load(&program, &[b"program", b"in", b"out"], files) {
        let _ = machine.run(100);
    }
});
