//! x
fn main() {
    let s: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    print!("{}", seed_proof::generate::program(s));
}
