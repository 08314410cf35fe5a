//! `prove`: claims about the chain, each checked by one sub-command.

mod accepts;
mod attack;
mod chain;
mod count;
mod differential;
mod double_compile;
mod from_seed;
mod hex;
mod hosts;
mod library;
mod recipe;
mod stages;
mod subset;
mod suite;
mod tamper;
mod twice;

pub(crate) use chain::write;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Checks claims about the bootstrap chain.
#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// Answer with one JSON document instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    claim: Claim,
}

/// What is proved.
#[derive(Debug, Subcommand)]
enum Claim {
    /// Every byte of S0, S1 and S2 is what its annotation says, and the seed is its language.
    Hex(hex::Arguments),
    /// S0 to S3 are the same bytes natively, interpreted and by specification, on real and generated texts.
    Stages(stages::Arguments),
    /// Every flipped byte of a source or a program of S0 to S3 is detected, and its stage named.
    Tamper(tamper::Arguments),
    /// An attack that survives the cleaning of its source is caught by double compilation, and located.
    Attack(attack::Arguments),
    /// From the seed's source to TinyCC, each program built by the one before it.
    FromSeed(from_seed::Arguments),
    /// A chain built twice, under other circumstances, gives the same hashes.
    Twice(twice::Arguments),
    /// How many lines there are to read, and how many instructions and system calls to run.
    Count(count::Arguments),
    /// S4's sources are within the subset of C that S3 compiles.
    Subset(subset::Arguments),
    /// S4 and TinyCC, built from every host present and then by themselves, end in the same bytes.
    DoubleCompile(double_compile::Arguments),
    /// S4 and gcc give generated programs the same meaning.
    Differential(differential::Arguments),
    /// Which files of a program's source S4 compiles, and what it refuses in the others.
    Accepts(accepts::Arguments),
    /// S4 compiles a whole C library, and a program on top of it prints the same as with gcc's.
    Library(library::Arguments),
    /// S4 passes its own tests: programs to run and programs to refuse.
    Suite(suite::Arguments),
}

impl Prove {
    /// Checks the claim and prints what was found.
    pub(crate) fn run(&self) -> anyhow::Result<ExitCode> {
        let verdict = match &self.claim {
            Claim::Hex(arguments) => hex::run(arguments, self.json),
            Claim::Stages(arguments) => stages::run(arguments, self.json),
            Claim::Tamper(arguments) => tamper::run(arguments, self.json),
            Claim::Attack(arguments) => attack::run(arguments, self.json),
            Claim::FromSeed(arguments) => from_seed::run(arguments, self.json),
            Claim::Count(arguments) => count::run(arguments, self.json),
            Claim::Twice(arguments) => twice::run(arguments, self.json),
            Claim::Subset(arguments) => subset::run(arguments, self.json),
            Claim::DoubleCompile(arguments) => double_compile::run(arguments, self.json),
            Claim::Differential(arguments) => differential::run(arguments, self.json),
            Claim::Accepts(arguments) => accepts::run(arguments, self.json),
            Claim::Library(arguments) => library::run(arguments, self.json),
            Claim::Suite(arguments) => suite::run(arguments, self.json),
        };
        verdict.map(ExitCode::from)
    }
}
