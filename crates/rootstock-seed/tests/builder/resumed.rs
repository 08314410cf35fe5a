//! A builder killed in the middle goes on where it was, and works on several steps at a time.

use crate::place::Place;
use seed_build::build::{Builder, Circumstances, Event};
use seed_build::chain::Chain;
use seed_build::input::Sources;
use seed_build::sandbox::Sandbox;
use seed_build::store::Store;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Steps that do not need each other.
fn place(steps: usize) -> Place {
    let mut chain = format!(
        r#"
chain = "wide"
system = "x86_64-linux"
[[input]]
name = "letters"
texts = {{ "abc" = "61 62 63" }}
sha256 = "{0}"
[[input]]
name = "seed"
hexadecimal = "seed.hex0"
sha256 = "{0}"
"#,
        "0".repeat(64)
    );
    for step in 0..steps {
        let _ = write!(
            chain,
            "[[step]]\nname = \"step-{step}\"\nprogram = \"{{seed}}\"\narguments = [\"{{letters}}/abc\", \"{{out}}\"]\ncalls = [\"creat\", \"exit\", \"open\", \"read\", \"write\"]\n"
        );
    }
    let place = Place::new(&chain);
    // Hashes of the inputs, with no step run yet.
    let whole = fs::read_to_string(place.path("chain.toml")).unwrap();
    let inputs = &whole[..whole.find("[[step]]").unwrap()];
    fs::write(place.path("chain.toml"), inputs).unwrap();
    assert_eq!(place.run("build", &["--record", "--offline"]).0, 0);
    let recorded = fs::read_to_string(place.path("chain.toml")).unwrap();
    fs::write(place.path("chain.toml"), recorded + &whole[inputs.len()..]).unwrap();
    place
}

/// Records of steps, by step.
fn records(place: &Place) -> BTreeMap<String, String> {
    let texts = place.files("results").into_iter().map(|path| {
        let text = fs::read_to_string(path).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        (record["name"].as_str().unwrap().to_owned(), text)
    });
    texts.collect()
}

/// Is any process of this group there?
fn is_there(group: u32) -> bool {
    let mut kill = Command::new("kill");
    kill.args(["-0", "--", &format!("-{group}")]);
    kill.stderr(Stdio::null()).status().unwrap().success()
}

#[test]
fn what_was_finished_before_a_kill_is_not_run_again() {
    const STEPS: usize = 60;
    let place = place(STEPS);
    let mut builder = place
        .command("build")
        .args(["--offline", "--jobs", "2"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while place.files("results").len() < 6 {
        assert!(begin.elapsed() < Duration::from_mins(1));
        sleep(Duration::from_millis(2));
    }
    builder.kill().unwrap();
    builder.wait().unwrap();
    let before = records(&place);
    assert!((6..STEPS).contains(&before.len()), "{}", before.len());
    // Nothing that it started lives on.
    while is_there(builder.id()) {
        assert!(begin.elapsed() < Duration::from_mins(1));
        sleep(Duration::from_millis(10));
    }
    let (code, text) = place.run("build", &["--offline", "--jobs", "2", "--json"]);
    assert_eq!(code, 0, "{text}");
    let document: Value = serde_json::from_str(&text).unwrap();
    let steps = document["steps"].as_array().unwrap();
    assert_eq!(steps.len(), STEPS);
    for step in steps {
        let name = step["record"]["name"].as_str().unwrap();
        assert_eq!(step["known"], before.contains_key(name), "{name}");
    }
    let after = records(&place);
    assert_eq!(after.len(), STEPS);
    assert!(before.iter().all(|(name, text)| after[name] == *text));
    let left = fs::read_dir(place.path("store/tmp")).unwrap().count();
    assert_eq!(left, 0, "half-written files lie about");
}

#[test]
fn steps_that_do_not_need_each_other_run_at_the_same_time() {
    let place = place(2);
    let chain = Chain::read(&place.path("chain.toml")).unwrap();
    let store = Store::open(&place.path("other")).unwrap();
    let sandbox = Sandbox::for_many(env!("CARGO_BIN_EXE_rootstock-seed").into());
    let builder = Builder {
        store: &store,
        sandbox: &sandbox,
        sources: Sources::default(),
        jobs: 2,
        circumstances: Circumstances::default(),
    };
    // Each waits at its beginning until the other has begun, too.
    let (begun, changed) = (Mutex::new(0), Condvar::new());
    let met = Mutex::new(0);
    let listener = |event: Event<'_>| {
        if let Event::Begun(_) = event {
            let mut count = begun.lock().unwrap();
            *count += 1;
            changed.notify_all();
            let alone = |count: &mut i32| *count < 2;
            let waited = changed.wait_timeout_while(count, Duration::from_mins(1), alone);
            if !waited.unwrap().1.timed_out() {
                *met.lock().unwrap() += 1;
            }
        }
    };
    builder.build(&chain, &listener).unwrap();
    assert_eq!(*met.lock().unwrap(), 2);
}
