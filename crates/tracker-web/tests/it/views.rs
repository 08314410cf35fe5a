//! Saved views by forms: what their owner does to them, they take back, and nobody else is told.

use crate::deciding::settings;
use crate::matrix::Cast;
use crate::site::Site;
use axum::http::StatusCode;
use tracker_people::Role;
use tracker_testkit::{Database, Kind};

#[tokio::test]
async fn what_is_done_to_a_view_is_undone_by_its_owner_alone() {
    let database = Database::new(Kind::Sqlite).await;
    let site = Site::with_people(&database, settings()).await;
    let mut cast = Cast::new(&site.store).await;
    let mut maintainer = cast.session(&site.store, Role::Maintainer).await;
    let mut triager = cast.session(&site.store, Role::Triager).await;
    let saved = maintainer
        .post(&site, "/queue/views", "do=save&view=mine&q=kev:yes")
        .await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    let there = saved.header("location").to_owned();
    let shown = maintainer.get(&site, &there).await;
    let text = "view `mine` saved";
    assert!(
        shown.body.contains(text) && shown.body.contains("action=\"/queue/views\""),
        "{}",
        shown.body
    );
    // Who saves what is nobody else's business, however they ask.
    for other in [triager.get(&site, &there).await, site.get(&there).await] {
        assert!(!other.body.contains(text), "{}", other.body);
    }
    let act = there.rsplit('=').next().unwrap();
    let form = format!("do=undo&event={act}");
    let refused = triager.post(&site, "/queue/views", &form).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let refused = triager
        .post(&site, "/queue/undo", &format!("act={act}&back=/queue"))
        .await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.body);
    let undone = maintainer.post(&site, "/queue/views", &form).await;
    let there = undone.header("location").to_owned();
    let shown = maintainer.get(&site, &there).await;
    assert!(
        shown.body.contains("Undone.") && !shown.body.contains(">mine<"),
        "{}",
        shown.body
    );
    // And that, too.
    let act = there.rsplit('=').next().unwrap();
    maintainer
        .post(&site, "/queue/views", &format!("do=undo&event={act}"))
        .await;
    assert!(
        maintainer
            .get(&site, "/queue")
            .await
            .body
            .contains(">mine<")
    );
    let dropped = maintainer
        .post(&site, "/queue/views", "do=drop&view=mine&q=")
        .await;
    assert!(dropped.header("location").contains("done="));
    assert!(
        !maintainer
            .get(&site, "/queue")
            .await
            .body
            .contains(">mine<")
    );
}
