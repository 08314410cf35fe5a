//! Answers that no TPM gives: any bytes, and true answers cut or altered. Nothing panics, and what is made of them is an
//! error that names the command.

use boot_measure::Bank;
use boot_tpm::{Sealed, Tpm, Transport};
use proptest::prelude::*;

/// A TPM that says the same to every command.
struct Parrot(Vec<u8>);

impl Transport for Parrot {
    fn exchange(&mut self, _command: &[u8]) -> std::io::Result<Vec<u8>> {
        Ok(self.0.clone())
    }
}

fn answer(tag: u16, code: u32, body: &[u8]) -> Vec<u8> {
    let size = body.len() as u32 + 10;
    [
        &tag.to_be_bytes()[..],
        &size.to_be_bytes(),
        &code.to_be_bytes(),
        body,
    ]
    .concat()
}

/// Every question that is asked without knowing anything.
fn ask(said: &[u8]) {
    let tpm = || Tpm::new(Parrot(said.to_vec()));
    let _ = tpm().parent();
    let _ = tpm().index(0x0180_0000);
    let _ = tpm().floor(0x0180_0000);
    let _ = tpm().define_floor(0x0180_0000, b"");
    let _ = tpm().registers(Bank::Sha256, &[0, 23, 24]);
    let _ = tpm().lockout();
    let _ = Sealed::from_bytes(said).map(|sealed| sealed.policy());
}

#[test]
fn what_was_sealed_away_from_the_tpm_is_told_of() {
    let part = |length: u16| [&length.to_be_bytes()[..], &vec![7; length.into()]].concat();
    let two = [part(40), part(30)].concat();
    assert!(Sealed::from_bytes(&two).is_ok());
    let refused = |bytes: &[u8]| Sealed::from_bytes(bytes).unwrap_err().to_string();
    let seeded = refused(&[&two[..], &part(34)].concat());
    assert!(
        seeded.ends_with("enrol again on the machine itself"),
        "{seeded}"
    );
    let broken = refused(&[&two[..], &part(34)[..20]].concat());
    assert!(broken.ends_with("something follows it"), "{broken}");
}

#[test]
fn an_answer_that_lies_about_its_length_is_refused() {
    for said in [
        vec![],
        vec![0x80],
        answer(0x8001, 0, &[])[..9].to_vec(),
        [answer(0x8001, 0, &[]), vec![0]].concat(),
    ] {
        let error = Tpm::new(Parrot(said)).lockout().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("TPM command GetCapability: the answer is malformed"),
            "{error}"
        );
    }
    let error = Tpm::new(Parrot(answer(0x8001, 0x101, &[])))
        .lockout()
        .unwrap_err();
    let said = "TPM command GetCapability: it refused (TPM_RC_FAILURE, 0x101)";
    assert_eq!(error.to_string(), said);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(said in proptest::collection::vec(any::<u8>(), 0..120)) {
        ask(&said);
    }

    #[test]
    fn any_body_is_read_without_a_panic(
        sessions: bool,
        code in prop_oneof![3 => Just(0_u32), 1 => any::<u32>().prop_filter("not a wish to try again", |code| ![0x908, 0x90a, 0x922].contains(code))],
        body in proptest::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..120),
    ) {
        ask(&answer(if sessions { 0x8002 } else { 0x8001 }, code, &body));
    }
}
