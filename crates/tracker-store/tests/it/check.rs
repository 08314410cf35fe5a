//! What `check` finds: every kind of damage that the schema does not prevent, and nothing in a sound database.

use crate::lists::filled;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tracker_store::Store;
use tracker_testkit::{Database, Kind, on_both_databases};

on_both_databases! {
    async fn a_sound_database_has_no_problems(database) {
        let store = database.open().await;
        assert_eq!(store.check(true, &mut || ()).await.unwrap(), []);
        filled(&store).await;
        let mut documents = 0;
        assert_eq!(store.check(true, &mut || documents += 1).await.unwrap(), []);
        assert_eq!(documents, 60);
    }
}

#[tokio::test]
async fn each_damage_is_told() {
    let damages = [
        (
            "DELETE FROM document WHERE record = 3",
            "records without their document",
        ),
        (
            "DELETE FROM member WHERE vulnerability = 5",
            "vulnerabilities without a record",
        ),
        (
            "DELETE FROM vulnerability WHERE key = 5",
            "members of what is not there",
        ),
        (
            "DELETE FROM listing WHERE vulnerability = 5",
            "vulnerabilities that no list shows",
        ),
        (
            "UPDATE tally SET vulnerabilities = vulnerabilities + 1 WHERE scope = 0",
            "counts of lists that are wrong",
        ),
        (
            "DELETE FROM package_match WHERE key = 1",
            "findings of what is not there",
        ),
        (
            "DELETE FROM channel_release",
            "packages of releases that are not there",
        ),
        (
            "UPDATE channel_release SET packages = 9",
            "releases that count their packages wrong",
        ),
        (
            "UPDATE channel SET latest = 99",
            "channels whose latest release is not theirs",
        ),
        (
            "UPDATE counter SET value = 1 WHERE name = 'total-matches'",
            "Matches are counted as 1",
        ),
        (
            "UPDATE counter SET value = 1 WHERE name = 'record'",
            "Record 60 has a key that was not given out yet",
        ),
        (
            "UPDATE document SET normal = x'00' WHERE record = 7",
            "record 7",
        ),
        (
            "UPDATE record SET raw_bytes = raw_bytes + 1 WHERE key = 8",
            "document 8",
        ),
    ];
    for (damage, told) in damages {
        let database = Database::new(Kind::Sqlite).await;
        let store = database.open().await;
        filled(&store).await;
        store.close().await;
        let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
        let damaged = sqlx::query(AssertSqlSafe(damage))
            .execute(&mut connection)
            .await
            .unwrap();
        assert!(damaged.rows_affected() > 0, "{damage}");
        connection.close().await.unwrap();
        let store = Store::open(database.url()).await.unwrap();
        let problems = store.check(true, &mut || ()).await.unwrap();
        assert!(
            problems.iter().any(|problem| problem.what.contains(told)),
            "{damage}: {problems:?}"
        );
    }
}
