//! How long prediction and explanation take: a boot of one signed image of 64 MB beside hashing the same bytes once, and
//! two logs of 1,000 events of which every tenth differs.
//!
//!     cargo run --release -p rootstock-boot --example measure-rate
//!
//! Needs systemd-boot-efi for the stub. Medians of rounds in memory, files read beforehand. Exits with an error when
//! prediction takes more than twice the hashing, or an explanation more than 20 ms.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use anyhow::{Context, ensure};
use boot_measure::{
    Algorithm, Bank, Digest, Event, EventLog, EventType, Expectation, Form, Observed, Situation,
    Started, explain, foresee,
};
use boot_pe::{Image, NewSection, rebuild};
use boot_sign::{FileKey, NewKey, PinSource, Pins, create_in_file};
use boot_signature::{CertificateRequest, HashAlgorithm, Profile, Signer, issue, sign_image};
use boot_variables::{EfiTime, Entry, Guid, Variable, Variables, write_lists};
use sha2::{Digest as _, Sha256};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

const STUB: &str = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
const IMAGE: usize = 64 << 20;
const EVENTS: usize = 1000;
const ROUNDS: usize = 11;

fn main() -> anyhow::Result<()> {
    let (image, variables) = signed_image()?;
    let hashing = median(|| {
        black_box(Sha256::digest(&image));
    });
    let situation = Situation {
        variables: Some(&variables),
        chain: vec![Started {
            path: r"\EFI\Linux\rate.efi".to_owned(),
            bytes: image.as_slice().into(),
        }],
        banks: vec![Bank::Sha256],
        ..Situation::default()
    };
    let expectation = foresee(&situation)?;
    for pcr in [4, 7, 11] {
        ensure!(expectation.foresees(pcr), "{:?}", expectation.unforeseen);
    }
    let prediction = median(|| drop(black_box(foresee(&situation))));
    println!("{} MB, hashed once:  {hashing:?}", image.len() >> 20);
    println!(
        "PCR 4, 7, 11 foreseen: {prediction:?}, {:.2} times as long",
        prediction.as_secs_f64() / hashing.as_secs_f64()
    );

    let before = Expectation::of_log(&EventLog::read(&log(0))?);
    let bytes = log(1);
    let explanation = median(|| {
        let log = EventLog::read(&bytes).expect("it was written just now");
        let observed = Observed {
            log: &log,
            mismatches: &[],
        };
        drop(black_box(explain(&before, observed)));
    });
    println!("{EVENTS} events read and explained: {explanation:?}");
    ensure!(prediction <= hashing * 2, "prediction takes too long");
    ensure!(
        explanation <= Duration::from_millis(20),
        "explanation takes too long"
    );
    Ok(())
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}

/// A signed unified kernel image, and a machine that starts it.
fn signed_image() -> anyhow::Result<(Vec<u8>, Variables)> {
    let stub = std::fs::read(STUB).context(STUB)?;
    let stub = Image::parse(&stub)?;
    let mut state = 1_u64;
    let kernel: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(IMAGE)
    .collect();
    let mut sections: Vec<NewSection<'_>> = stub.sections.iter().map(NewSection::keep).collect();
    sections.push(NewSection::data(".cmdline", b"quiet".as_slice().into())?);
    sections.push(NewSection::data(".linux", kernel.into())?);
    let mut image = rebuild(&stub, &sections)?;

    let pem = create_in_file(NewKey::Rsa2048)?;
    let mut pins = Pins::new(PinSource::Prompt);
    let key = FileKey::parse(pem.as_bytes(), Path::new("rate"), &mut pins)?;
    let public_key = key.public_key().to_der()?;
    let certificate = issue(
        &CertificateRequest {
            common_name: "rate",
            profile: Profile::Code,
            from: "2020-01-01T00:00:00Z".parse()?,
            until: "2040-01-01T00:00:00Z".parse()?,
            public_key: &public_key,
        },
        &key,
        None,
    )?;
    let what = "an image to measure";
    sign_image(
        &mut image,
        &key,
        &[&certificate],
        HashAlgorithm::Sha256,
        true,
        what,
    )?;
    let lists = write_lists(&[Entry::certificate(Guid([1; 16]), &certificate)]);
    let mut variables = Variables::default();
    for name in ["PK", "KEK", "db"] {
        variables.insert(Variable::secure_boot(
            name,
            lists.clone(),
            EfiTime::default(),
        ));
    }
    Ok((image, variables))
}

/// A log of PCR 1 to 8; every tenth event depends on `salt`.
fn log(salt: u32) -> Vec<u8> {
    let event = |number: usize| {
        let salt = if number.is_multiple_of(10) { salt } else { 0 };
        let data = format!("event {number} {salt}").into_bytes();
        Event {
            pcr: 1 + number as u32 % 8,
            kind: EventType::PLATFORM_CONFIG_FLAGS,
            digests: vec![Digest {
                algorithm: Bank::Sha256.algorithm(),
                value: Bank::Sha256.digest(&[&data]),
            }],
            data,
            offset: 0,
        }
    };
    let mut header = b"Spec ID Event03\0".to_vec();
    header.extend([0, 0, 0, 0, 0, 2, 0, 2, 1, 0, 0, 0, 0x0b, 0, 32, 0, 0]);
    let mut events = vec![Event {
        pcr: 0,
        kind: EventType::NO_ACTION,
        digests: vec![Digest {
            algorithm: Bank::Sha1.algorithm(),
            value: vec![0; 20],
        }],
        data: header,
        offset: 0,
    }];
    events.extend((0..EVENTS).map(event));
    let log = EventLog {
        form: Form::CryptoAgile {
            algorithms: vec![Algorithm::of(Bank::Sha256)],
        },
        events,
        quirks: Vec::new(),
    };
    log.write()
}
