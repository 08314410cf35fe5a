//! Releases: contents shared, differences in whatever order they come, packages found and shown.

use tracker_store::view::{PackageMove, PackageRow, Page, PageRequest};
use tracker_store::{Store, StoreError};
use tracker_testkit::fixture::{package, release};
use tracker_testkit::on_both_databases;

const OLD: &str = "2024-01-01T00:00:00Z";
const MIDDLE: &str = "2024-02-01T00:00:00Z";
const NEW: &str = "2024-03-01T00:00:00Z";

fn moved(
    attribute: &str,
    from: Option<&str>,
    to: Option<&str>,
    change: &'static str,
) -> PackageMove {
    PackageMove {
        attribute: attribute.to_owned(),
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
        change,
    }
}

async fn search(
    store: &Store,
    text: Option<&str>,
    limit: u32,
    after: Option<String>,
) -> Page<PackageRow> {
    let request = PageRequest {
        limit,
        after,
        ..PageRequest::default()
    };
    store
        .packages(text, &request)
        .await
        .expect("the packages can be read")
}

fn names(page: &Page<PackageRow>) -> Vec<&str> {
    page.rows.iter().map(|row| row.attribute.as_str()).collect()
}

on_both_databases! {
    async fn a_release_is_written_once_and_differs_from_the_one_before(database) {
        let store = database.open().await;
        let first = vec![package("musl", "musl", "1.1.22"), package("gone", "gone", "1")];
        let outcome = store.put_release(&release("nixos-19.09", "aaa", OLD), first.clone()).await.unwrap();
        assert!(outcome.new && outcome.current);
        assert_eq!((outcome.packages, outcome.added), (2, None));
        let mut second = vec![package("musl", "musl", "1.1.24"), package("fresh", "fresh", "2")];
        second[0].package.derivation = Some("hash-musl.drv".to_owned());
        let outcome = store.put_release(&release("nixos-19.09", "bbb", NEW), second).await.unwrap();
        assert_eq!((outcome.added, outcome.removed, outcome.moved), (Some(1), Some(1), Some(1)));
        let again = store.put_release(&release("nixos-19.09", "aaa", OLD), first).await.unwrap();
        assert!(!again.new && !again.current);

        let difference = store.release_difference("nixos-19.09", "aaa", "bbb").await.unwrap().unwrap();
        assert_eq!(difference, [
            moved("fresh", None, Some("2"), "added"),
            moved("gone", Some("1"), None, "removed"),
            moved("musl", Some("1.1.22"), Some("1.1.24"), "moved"),
        ]);
        assert_eq!(store.release_difference("nixos-19.09", "aaa", "zzz").await.unwrap(), None);
        let channel = store.channel("nixos-19.09").await.unwrap().unwrap();
        assert_eq!((channel.summary.revision.as_str(), channel.summary.releases), ("bbb", 2));
        let revisions: Vec<_> = channel.releases.iter().map(|row| row.revision.as_str()).collect();
        assert_eq!(revisions, ["bbb", "aaa"]);
        assert_eq!(store.channel("nixos-99.99").await.unwrap(), None);
    }

    async fn a_release_that_comes_late_finds_its_place_in_time(database) {
        let store = database.open().await;
        let with = |version: &str| vec![package("musl", "musl", version)];
        store.put_release(&release("nixos-19.09", "aaa", OLD), with("1")).await.unwrap();
        store.put_release(&release("nixos-19.09", "ccc", NEW), with("3")).await.unwrap();
        let outcome = store.put_release(&release("nixos-19.09", "bbb", MIDDLE), with("3")).await.unwrap();
        assert!(outcome.new && !outcome.current);
        assert_eq!(outcome.moved, Some(1));
        let channel = store.channel("nixos-19.09").await.unwrap().unwrap();
        let moves: Vec<_> = channel.releases.iter().map(|row| (row.revision.as_str(), row.moved)).collect();
        assert_eq!(moves, [("ccc", Some(0)), ("bbb", Some(1)), ("aaa", None)]);
        assert_eq!(channel.summary.revision, "ccc");
        let dated = store.releases().await.unwrap();
        let dated: Vec<_> = dated.iter().map(|row| (row.channel.as_str(), row.revision.as_str())).collect();
        assert_eq!(dated, [("nixos-19.09", "aaa"), ("nixos-19.09", "bbb"), ("nixos-19.09", "ccc")]);
    }

    async fn contents_that_stay_the_same_are_shared_by_releases_and_channels(database) {
        let store = database.open().await;
        let mut rebuilt = package("musl", "musl", "1.1.22");
        rebuilt.package.derivation = Some("other-musl.drv".to_owned());
        rebuilt.package.output = Some("other-musl".to_owned());
        let plain = vec![package("musl", "musl", "1.1.22")];
        store.put_release(&release("nixos-19.09", "aaa", OLD), plain.clone()).await.unwrap();
        store.put_release(&release("nixos-20.03", "ddd", OLD), plain.clone()).await.unwrap();
        store.put_release(&release("nixos-unstable", "eee", OLD), vec![rebuilt.clone()]).await.unwrap();
        let inventory = store.current_packages("nixpkgs").await.unwrap();
        let channels: Vec<_> = inventory.releases.iter().map(|held| held.release.channel.as_str()).collect();
        assert_eq!(channels, ["nixos-19.09", "nixos-20.03", "nixos-unstable"]);
        assert!(std::sync::Arc::ptr_eq(&inventory.releases[0].packages[0], &inventory.releases[1].packages[0]));
        assert_eq!(*inventory.releases[0].packages[0], plain[0].package);
        assert_eq!(*inventory.releases[2].packages[0], rebuilt.package);
        let difference = store.release_difference("nixos-19.09", "aaa", "aaa").await.unwrap();
        assert_eq!(difference, Some(Vec::new()));
    }

    async fn a_release_that_contradicts_itself_is_refused_whole(database) {
        let store = database.open().await;
        let twice = vec![package("musl", "musl", "1"), package("musl", "musl", "2")];
        let error = store.put_release(&release("nixos-19.09", "aaa", OLD), twice).await.unwrap_err();
        assert!(matches!(error, StoreError::Release { .. }), "{error}");
        assert!(store.channels().await.unwrap().is_empty());
        let one = vec![package("musl", "musl", "1")];
        store.put_release(&release("stable", "aaa", OLD), one.clone()).await.unwrap();
        let mut foreign = release("stable", "bbb", NEW);
        foreign.distribution = "guix".to_owned();
        let error = store.put_release(&foreign, one).await.unwrap_err();
        assert!(error.to_string().contains("belongs to `nixpkgs`"), "{error}");
        assert_eq!(store.distributions().await.unwrap(), ["nixpkgs"]);
    }

    async fn packages_are_found_by_any_part_of_their_name_closest_first(database) {
        let store = database.open().await;
        let packages = vec![
            package("openssl", "openssl", "3.0"),
            package("openssl_1_1", "openssl", "1.1"),
            package("python3Packages.pyopenssl", "pyopenssl", "23"),
            package("libressl", "libressl", "3.8"),
            package("zlib", "zlib", "1.3"),
        ];
        store.put_release(&release("nixos-24.05", "aaa", OLD), packages).await.unwrap();
        let page = search(&store, Some("ssl"), 10, None).await;
        assert_eq!(names(&page), ["openssl", "libressl", "openssl_1_1", "python3Packages.pyopenssl"]);
        assert_eq!(page.total, Some(4));
        assert_eq!(page.rows[0].versions[0].version.as_deref(), Some("3.0"));
        assert_eq!(page.rows[0].description.as_deref(), Some("What openssl is for"));
        assert_eq!(names(&search(&store, Some("PYTHON ssl"), 10, None).await), ["python3Packages.pyopenssl"]);
        assert_eq!(names(&search(&store, Some("zl"), 10, None).await), ["zlib"]);
        assert!(search(&store, Some("'; \" * --"), 10, None).await.rows.is_empty());
        assert_eq!(search(&store, None, 10, None).await.total, Some(5));
        // Page by page, forwards and back.
        for text in [None, Some("ssl")] {
            let whole = search(&store, text, 10, None).await;
            let first = search(&store, text, 2, None).await;
            let second = search(&store, text, 2, first.next.clone()).await;
            assert_eq!([names(&first), names(&second)].concat(), names(&whole)[..4]);
            assert_eq!(first.previous, None);
            let back = PageRequest { limit: 2, before: second.previous.clone(), ..PageRequest::default() };
            let back = store.packages(text, &back).await.unwrap();
            assert_eq!(names(&back), names(&first));
            assert_eq!((back.previous, back.next.is_some()), (None, true));
        }
        let near = store.similar_attributes("python3Packages.pyopensl", 3).await.unwrap();
        assert_eq!(near[0], ("nixpkgs".to_owned(), "python3Packages.pyopenssl".to_owned()));
    }

    async fn a_package_page_tells_each_release_newest_first(database) {
        let store = database.open().await;
        let mut patched = package("a2ps", "a2ps", "4.14");
        patched.package.patches = vec!["09_CVE-2001-1593.diff".to_owned()];
        patched.package.homepages = vec!["https://www.gnu.org/software/a2ps/".to_owned()];
        let mut sibling = package("a2psFull", "a2ps-full", "4.14");
        sibling.family = "a2ps".to_owned();
        store.put_release(&release("nixos-19.03", "aaa", OLD), vec![package("a2ps", "a2ps", "4.13")]).await.unwrap();
        store.put_release(&release("nixos-19.09", "bbb", NEW), vec![patched, sibling]).await.unwrap();
        let detail = store.package("nixpkgs", "a2ps").await.unwrap().unwrap();
        let versions: Vec<_> = detail.versions.iter().map(|row| (row.channel.as_str(), row.version.as_deref())).collect();
        assert_eq!(versions, [("nixos-19.09", Some("4.14")), ("nixos-19.03", Some("4.13"))]);
        assert_eq!(detail.versions[0].patches, ["09_CVE-2001-1593.diff"]);
        assert_eq!(detail.homepages, ["https://www.gnu.org/software/a2ps/"]);
        assert_eq!(detail.relatives, ["a2psFull"]);
        assert_eq!(store.package("guix", "a2ps").await.unwrap(), None);
    }
}
