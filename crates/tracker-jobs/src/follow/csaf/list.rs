//! The two forms of a provider's list of documents.
//!
//! Invariant: a document lies on its list's own host, and below the directory where the list is one of paths.

use super::super::FollowError;
use super::super::file::{broken, shape};
use crate::input::is_json;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A list of documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub(super) enum List {
    /// A ROLIE feed.
    Rolie {
        /// Its address.
        url: String,
    },
    /// `changes.csv` of a directory.
    Changes {
        /// Its address.
        url: String,
    },
}

/// A document of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) changed: Timestamp,
    pub(super) url: String,
    /// Where the list itself says that hashes of it are.
    pub(super) hashes: Vec<String>,
}

impl List {
    pub(super) fn of_directory(directory: String) -> List {
        let slash = if directory.ends_with('/') { "" } else { "/" };
        List::Changes {
            url: format!("{directory}{slash}changes.csv"),
        }
    }

    pub(super) fn url(&self) -> &str {
        match self {
            List::Rolie { url } | List::Changes { url } => url,
        }
    }

    pub(super) fn entries(&self, bytes: &[u8]) -> Result<Vec<Entry>, FollowError> {
        match self {
            List::Rolie { url } => rolie(url, bytes),
            List::Changes { url } => {
                let text = std::str::from_utf8(bytes).map_err(shape)?;
                changes(url.trim_end_matches("changes.csv"), text)
            }
        }
    }
}

/// Scheme, host and port of an address, with the slash that follows.
fn origin(url: &str) -> Option<&str> {
    let host = url.find("://")? + 3;
    let end = host + url[host..].find('/')?;
    url.get(..=end)
}

fn rolie(list: &str, bytes: &[u8]) -> Result<Vec<Entry>, FollowError> {
    #[derive(Deserialize)]
    struct Document {
        feed: Feed,
    }
    #[derive(Deserialize)]
    struct Feed {
        entry: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        updated: Timestamp,
        #[serde(default)]
        link: Vec<Link>,
        content: Option<Content>,
    }
    #[derive(Deserialize)]
    struct Link {
        rel: String,
        href: String,
    }
    #[derive(Deserialize)]
    struct Content {
        src: String,
    }
    let document: Document = serde_json::from_slice(bytes).map_err(|error| broken(&error))?;
    let own = origin(list).ok_or_else(|| shape(format!("{list:?} is no address")))?;
    let entries = document.feed.entry.into_iter().map(|item| {
        let links = item.link.iter();
        let hashes = links.filter(|link| link.rel == "hash" && link.href.starts_with(own));
        let hashes = hashes.map(|link| link.href.clone()).collect();
        let own_link = item.link.into_iter().find(|link| link.rel == "self");
        let url = item
            .content
            .map(|content| content.src)
            .or(own_link.map(|link| link.href))
            .ok_or_else(|| shape("an entry names no document"))?;
        if !url.starts_with(own) {
            return Err(shape(format!("{url:?} is not of the list's own host")));
        }
        Ok(Entry {
            changed: item.updated,
            url,
            hashes,
        })
    });
    entries.collect()
}

/// Rows of path and time, each in quotes or bare.
fn changes(directory: &str, text: &str) -> Result<Vec<Entry>, FollowError> {
    let bare = |field: &str| field.trim().trim_matches('"').to_owned();
    let mut entries = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let row = line.rsplit_once(',').and_then(|(path, time)| {
            let time = bare(time).parse().ok()?;
            Some((bare(path), time))
        });
        // A table that ends within a row was cut off.
        let Some((path, changed)) = row else {
            let reason = format!("line {} is no path and time", number + 1);
            return Err(FollowError::Truncated { reason });
        };
        let plain = |b: u8| {
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b'+' | b'~')
        };
        let fine = path.bytes().all(plain)
            && is_json(&path)
            && path
                .split('/')
                .all(|part| !part.is_empty() && !part.starts_with('.'));
        if !fine {
            return Err(shape(format!("line {}: {path:?} is no path", number + 1)));
        }
        entries.push(Entry {
            changed,
            url: format!("{directory}{path}"),
            hashes: Vec::new(),
        });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::{List, changes, origin, rolie};

    #[test]
    fn documents_stay_where_their_list_is() {
        assert_eq!(origin("https://a.example/x/y"), Some("https://a.example/"));
        assert_eq!(origin("https://a.example"), None);
        let directory = List::of_directory("https://a.example/csaf".to_owned());
        assert_eq!(directory.url(), "https://a.example/csaf/changes.csv");
        let good = "\"2024/a-1.json\",\"2024-01-02T00:00:00Z\"\n2024/b.json,2024-01-01T00:00:00Z\n";
        let entries = changes("https://a.example/", good).unwrap();
        assert_eq!(entries[0].url, "https://a.example/2024/a-1.json");
        assert_eq!(entries.len(), 2);
        for bad in [
            "../a.json,2024-01-02T00:00:00Z",
            "//b.example/a.json,2024-01-02T00:00:00Z",
            "a.json",
            "a.json,2024-01",
        ] {
            assert!(changes("https://a.example/", bad).is_err(), "{bad}");
        }
        let feed = |url: &str| {
            format!(
                r#"{{"feed":{{"entry":[{{"updated":"2024-01-01T00:00:00Z","content":{{"src":"{url}"}}}}]}}}}"#
            )
        };
        let list = "https://a.example/feed.json";
        assert!(rolie(list, feed("https://a.example/1.json").as_bytes()).is_ok());
        for bad in ["https://b.example/1.json", "https://a.example.b/1.json"] {
            assert!(rolie(list, feed(bad).as_bytes()).is_err(), "{bad}");
        }
    }
}
