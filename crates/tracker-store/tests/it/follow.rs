//! How far feeds were followed.
//!
//! Invariant: what was put is read back, on both databases, also by the next opening.

use tracker_store::FollowState;
use tracker_testkit::fixture::at;
use tracker_testkit::on_both_databases;

on_both_databases! {
    async fn a_followed_feed_is_remembered(database) {
        let store = database.open().await;
        assert!(store.follow_states().await.unwrap().is_empty());
        let never = store.follow_state("kev").await.unwrap();
        assert_eq!(never, FollowState { feed: "kev".to_owned(), ..FollowState::default() });
        let mut state = FollowState {
            cursor: "{\"etag\":\"a\"}".to_owned(),
            checked: Some(at("2026-01-01T00:00:00Z")),
            changed: Some(at("2026-01-01T00:00:00Z")),
            next: Some(at("2026-01-01T01:00:00Z")),
            ..never
        };
        store.put_follow_state(&state).await.unwrap();
        state.failures = 2;
        state.problem = Some("it was \0 cut off".to_owned());
        store.put_follow_state(&state).await.unwrap();
        store.close().await;
        let store = database.open().await;
        let held = store.follow_state("kev").await.unwrap();
        assert_eq!(held.problem.as_deref(), Some("it was \u{fffd} cut off"));
        assert_eq!((held.failures, &held.cursor, held.next), (2, &state.cursor, state.next));
        assert_eq!(store.follow_states().await.unwrap(), [held]);
    }
}
