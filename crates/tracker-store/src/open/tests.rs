//! Addresses: what is refused, and that a password never stands in a message.

use crate::{Store, StoreError};

#[tokio::test]
async fn an_address_of_no_database_is_refused() {
    for url in ["", "mysql://localhost/x", "sqlite:", "tracker.db"] {
        let error = Store::open(url).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Address { .. }),
            "{url}: {error}"
        );
    }
}

#[tokio::test]
async fn a_password_is_left_out_of_messages() {
    let url = "postgres://tracker:secret@localhost:1/x";
    let error = Store::open(url).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("postgres://tracker@localhost:1/x")
    );
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "no database at all\n".repeat(100);
    std::fs::write(&path, &text).unwrap();
    let error = Store::open(&format!("sqlite:{}", path.display()))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_database_in_memory_is_read_and_written_through_one_connection() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    store.analyze().await.unwrap();
    assert_eq!(store.last_change().await.unwrap(), None);
    assert!(store.channels().await.unwrap().is_empty());
    store.close().await;
}
