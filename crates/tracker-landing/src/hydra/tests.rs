//! Hydra's answers in their documented shapes.

use super::{BuildState, ChannelJob, JobsetState, build, constituents, evaluations};
use proptest::prelude::*;

#[test]
fn channels_have_the_jobs_of_the_infrastructure() {
    for (channel, job) in [
        ("nixos-unstable", "nixos/trunk-combined/tested"),
        ("nixos-unstable-small", "nixos/unstable-small/tested"),
        ("nixos-25.11", "nixos/release-25.11/tested"),
        ("nixos-25.11-small", "nixos/release-25.11-small/tested"),
        ("nixpkgs-unstable", "nixpkgs/trunk/unstable"),
        (
            "nixpkgs-25.11-darwin",
            "nixpkgs/nixpkgs-25.11-darwin/darwin-tested",
        ),
    ] {
        assert_eq!(ChannelJob::of(channel).unwrap().to_string(), job);
    }
    for channel in ["nixos-../x", "mine", "nixpkgs-darwin", "nixos-"] {
        assert_eq!(ChannelJob::of(channel), None, "{channel}");
    }
}

#[test]
fn evaluations_come_newest_first_with_the_commit_of_nixpkgs() {
    let revision = "0123456789abcdef0123456789abcdef01234567";
    let text = format!(
        r#"{{"evals":[{{"id":1,"timestamp":100,"jobsetevalinputs":{{"nixpkgs":{{"revision":"{revision}","type":"git","uri":"u","value":null,"dependency":null}},"stableBranch":{{"type":"boolean","value":"false","revision":null}}}},"builds":[5,6],"hasnewbuilds":1,"flake":null}},{{"id":2,"timestamp":200,"jobsetevalinputs":{{}}}}],"first":"?page=1","last":"?page=1"}}"#
    );
    let read = evaluations(text.as_bytes()).unwrap();
    assert_eq!(read.iter().map(|one| one.id).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(read[1].revision.as_deref(), Some(revision));
}

#[test]
fn what_blocks_is_what_failed_and_then_what_has_not_finished() {
    let text = r#"[{"id":1,"job":"nixos.tests.a","finished":1,"buildstatus":0},{"id":2,"job":"nixos.tests.b","finished":0,"buildstatus":null},{"id":3,"job":"nixos.tests.c","finished":1,"buildstatus":2},{"id":4,"job":"nixos.tests.d","finished":true,"buildstatus":1}]"#;
    let mut state = JobsetState::new(ChannelJob::of("nixos-unstable").unwrap());
    state.set_constituents(constituents(text.as_bytes()).unwrap());
    assert_eq!(
        (state.constituents, state.unfinished, state.failed),
        (4, 1, 2)
    );
    let blocking: Vec<_> = state
        .blocking
        .iter()
        .map(|build| (build.id, build.state))
        .collect();
    assert_eq!(
        blocking,
        [
            (3, BuildState::DependencyFailed),
            (4, BuildState::Failed),
            (2, BuildState::Unfinished)
        ]
    );
    let one = build(br#"{"id":9,"job":"tested","finished":1,"buildstatus":4}"#).unwrap();
    assert_eq!(one.state, BuildState::Stopped);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (evaluations(&bytes), build(&bytes), constituents(&bytes));
    }
}
