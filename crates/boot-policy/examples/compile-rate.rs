//! How long it takes to compile a policy over 500 generations, each of three registers, and how many commands satisfy it:
//! `cargo run --release -p boot-policy --example compile-rate [GENERATIONS]`.

#![expect(clippy::print_stdout, reason = "a figure for a person to read")]

use boot_measure::{Bank, Registers};
use boot_policy::{Command, PcrSet, Policy, Rule, State};
use std::time::Instant;

const REGISTERS: [u8; 3] = [4, 7, 11];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: usize = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 500,
    };
    let value = |number: usize, pcr: u8| {
        let text = format!("generation {number}, register {pcr}");
        Bank::Sha256.digest(&[text.as_bytes()])
    };
    let alternatives: Result<Vec<Vec<Rule>>, boot_policy::Error> = (0..count)
        .map(|number| {
            let values = REGISTERS.map(|pcr| (pcr, value(number, pcr)));
            Ok(vec![Rule::Registers(PcrSet::new(Bank::Sha256, values)?)])
        })
        .collect();
    let policy = Policy::of(vec![Rule::AnyOf(alternatives?)]);
    let start = Instant::now();
    let digest = policy.digest()?;
    let compiled = start.elapsed();
    let mut registers = Registers::default();
    for pcr in REGISTERS {
        registers.insert(Bank::Sha256, pcr, value(count.saturating_sub(1), pcr));
    }
    let state = State {
        registers,
        ..State::default()
    };
    let start = Instant::now();
    let commands = policy.satisfy(&state, &[])?;
    let satisfied = start.elapsed();
    let commands = commands.map_err(|refusal| refusal.to_string())?;
    let joins = commands
        .iter()
        .filter(|command| matches!(command, Command::Or(_)))
        .count();
    println!("{count} generations: {digest}");
    println!("compiled in {:.1} ms", compiled.as_secs_f64() * 1e3);
    println!(
        "satisfied in {:.1} ms by {} commands, {joins} of them PolicyOR",
        satisfied.as_secs_f64() * 1e3,
        commands.len()
    );
    Ok(())
}
