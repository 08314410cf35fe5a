//! Listings of a bucket, as S3 answers them: `<CommonPrefixes><Prefix>nixos/unstable/nixos-…/</Prefix>…`.
//!
//! Invariant: a folder lies below the one that was asked for, in one step, and has nothing in its name that an
//! address could misread.

use super::super::FollowError;
use super::super::file::{read, shape};
use super::super::run::Run;
use crate::fetch::{Fetched, Validators};
use std::time::Duration;

/// The most pages of a listing; each has a thousand folders.
const MAX_PAGES: usize = 100;

/// The folders below one.
pub(super) async fn folders(
    run: &mut Run<'_>,
    listing: &str,
    below: &str,
) -> Result<Vec<String>, FollowError> {
    let mut found = Vec::new();
    let mut marker = String::new();
    for _ in 0..MAX_PAGES {
        let url = format!("{listing}?delimiter=/&prefix={below}&marker={marker}");
        let bytes = match run.get(url, Validators::default(), Duration::ZERO).await? {
            Fetched::New { download, .. } => read(&download)?,
            Fetched::Absent | Fetched::Unchanged => {
                return Err(shape("there is no listing of its releases"));
            }
        };
        let page = Page::read(&bytes, below)?;
        found.extend(page.folders);
        match page.next {
            Some(next) if next > marker => marker = next,
            Some(_) => return Err(shape("the listing of its releases does not go forward")),
            None => return Ok(found),
        }
    }
    Err(shape("the listing of its releases does not end"))
}

#[derive(Debug, PartialEq, Eq)]
struct Page {
    folders: Vec<String>,
    next: Option<String>,
}

impl Page {
    fn read(bytes: &[u8], below: &str) -> Result<Page, FollowError> {
        let text = std::str::from_utf8(bytes).map_err(shape)?;
        if !text.contains("<ListBucketResult") {
            return Err(shape("the listing of its releases is none"));
        }
        if !text.trim_end().ends_with("</ListBucketResult>") {
            let reason = "the listing of its releases".to_owned();
            return Err(FollowError::Truncated { reason });
        }
        let mut folders = Vec::new();
        for part in text.split("<CommonPrefixes>").skip(1) {
            let folder = element(part, "Prefix").unwrap_or_default();
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
            let fine = folder
                .strip_prefix(below)
                .and_then(|name| name.strip_suffix('/'))
                .is_some_and(|name| !name.starts_with('.') && name.bytes().all(plain));
            if !fine {
                return Err(shape(format!("{folder:?} is no folder of a release")));
            }
            folders.push(folder.to_owned());
        }
        let more = element(text, "IsTruncated") == Some("true");
        let next = more.then(|| {
            let marker = element(text, "NextMarker").map(str::to_owned);
            marker.or(folders.last().cloned()).unwrap_or_default()
        });
        Ok(Page { folders, next })
    }
}

/// The text of the first element of a name, which has no attributes.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (content, _) = rest.split_once(&format!("</{name}>"))?;
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::Page;

    fn page(folders: &[&str], tail: &str) -> String {
        let folders: Vec<String> = folders
            .iter()
            .map(|one| format!("<CommonPrefixes><Prefix>{one}</Prefix></CommonPrefixes>"))
            .collect();
        format!(
            "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><Prefix>nixos/x/</Prefix>{tail}{}</ListBucketResult>",
            folders.concat()
        )
    }

    #[test]
    fn pages_are_read_and_strange_folders_refused() {
        let read = |text: &str| Page::read(text.as_bytes(), "nixos/x/");
        let good = page(&["nixos/x/nixos-1.2/"], "<IsTruncated>true</IsTruncated>");
        let good = read(&good).unwrap();
        assert_eq!(good.folders, ["nixos/x/nixos-1.2/"]);
        assert_eq!(good.next.as_deref(), Some("nixos/x/nixos-1.2/"));
        let last = page(&[], "<IsTruncated>false</IsTruncated>");
        assert_eq!(read(&last).unwrap().next, None);
        for bad in [
            "../y/",
            "nixos/x/../",
            "nixos/x/a/b/",
            "nixos/x/a?b/",
            "nixos/x/a",
        ] {
            assert!(read(&page(&[bad], "")).is_err(), "{bad}");
        }
        let whole = page(&["nixos/x/nixos-1.2/"], "");
        assert!(read(&whole[..whole.len() - 4]).is_err());
        assert!(read("<html></html>").is_err());
    }
}
