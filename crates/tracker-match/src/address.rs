//! What an address says about who made something: host, owner and repository.
//!
//! Invariant: only the text is looked at; nothing is fetched.

/// An address taken apart, lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// The registrable part of the host (`gnupg.org`), or `owner.github.io`-like whole hosts.
    pub site: String,
    /// On a forge: the owner.
    pub owner: Option<String>,
    /// On a forge: the repository.
    pub repository: Option<String>,
}

/// Hosts where the first two path segments are owner and repository.
const FORGES: &[&str] = &[
    "github.com",
    "gitlab.com",
    "bitbucket.org",
    "codeberg.org",
    "gitee.com",
    "sr.ht",
    "git.sr.ht",
    "gitlab.gnome.org",
    "gitlab.freedesktop.org",
    "salsa.debian.org",
    "invent.kde.org",
    "raw.githubusercontent.com",
    "framagit.org",
    "code.videolan.org",
    "0xacab.org",
    "notabug.org",
    "launchpad.net",
    "foss.heptapod.net",
];

/// Sites that say nothing about who made what they carry.
const SHARED: &[&str] = &[
    "archive.org",
    "example.com",
    "google.com",
    "googleapis.com",
    "wikipedia.org",
    "securityfocus.com",
    "mitre.org",
    "nist.gov",
    "openwall.com",
    "seclists.org",
    "redhat.com",
    "debian.org",
    "ubuntu.com",
    "gentoo.org",
    "suse.com",
    "opensuse.org",
    "fedoraproject.org",
    "exploit-db.com",
    "packetstormsecurity.com",
    "packetstormsecurity.org",
    "securitytracker.com",
    "secunia.com",
    "vupen.com",
    "xforce.ibmcloud.com",
    "ibmcloud.com",
    "iss.net",
    "osvdb.org",
    "cert.org",
    "kb.cert.org",
    "us-cert.gov",
    "jvn.jp",
    "vuldb.com",
    "snyk.io",
    "huntr.dev",
    "huntr.com",
    "hackerone.com",
    "talosintelligence.com",
    "zerodayinitiative.com",
    "marc.info",
    "mail-archive.com",
    "googlegroups.com",
    "medium.com",
    "twitter.com",
    "youtube.com",
    "oracle.com",
    "apple.com",
    "lists.apache.org",
    "securityreason.com",
    "milw0rm.com",
    "neohapsis.com",
    "mandriva.com",
    "slackware.com",
    "sgi.com",
    "hp.com",
    "cisco.com",
    "netapp.com",
    "f5.com",
    "siemens.com",
    "blogspot.com",
    "wordpress.com",
    "pypi.org",
    "python.org",
    "npmjs.com",
    "crates.io",
    "rubygems.org",
    "cpan.org",
    "metacpan.org",
    "haskell.org",
    "debian.net",
    "nixos.org",
    "sourceforge.net",
    "sf.net",
    "savannah.gnu.org",
    "nongnu.org",
    "kernel.org",
    "launchpad.net",
    "gnu.org",
    "freedesktop.org",
    "gnome.org",
    "kde.org",
    "apache.org",
    "github.com",
    "gitlab.com",
    "ctan.org",
    "texlive.info",
];

/// Reads `http(s)://`, `git://`, `mirror://NAME/` and bare `host/path` addresses.
pub fn parse(url: &str) -> Option<Address> {
    let lower = url.trim().to_ascii_lowercase();
    let rest = match lower.split_once("://") {
        Some(("mirror", rest)) => return mirror(rest),
        Some((_, rest)) => rest,
        None => lower.as_str(),
    };
    let rest = rest.rsplit_once('@').map_or(
        rest,
        |(login, tail)| {
            if login.contains('/') { rest } else { tail }
        },
    );
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.split(':').next().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    if !host.contains('.') || host.len() > 253 {
        return None;
    }
    let mut segments = path
        .split(['/', '?', '#'])
        .filter(|segment| !segment.is_empty());
    if FORGES.contains(&host) || host.starts_with("gitlab.") || host.starts_with("git.") {
        let owner = segments
            .next()
            .map(|owner| owner.trim_start_matches('~').to_owned());
        let repository = segments
            .next()
            .map(|repository| repository.trim_end_matches(".git").to_owned());
        return Some(Address {
            site: registrable(host),
            owner,
            repository,
        });
    }
    // `OWNER.github.io/REPO`, `PROJECT.sourceforge.net`, `sourceforge.net/projects/PROJECT`
    for pages in [".github.io", ".gitlab.io"] {
        if let Some(owner) = host.strip_suffix(pages) {
            return Some(Address {
                site: host.to_owned(),
                owner: Some(owner.to_owned()),
                repository: segments.next().map(str::to_owned),
            });
        }
    }
    let project = match host {
        "sourceforge.net" | "sf.net" => segments.nth(1),
        "downloads.sourceforge.net" | "prdownloads.sourceforge.net" => segments.next(),
        _ => host
            .strip_suffix(".sourceforge.net")
            .or_else(|| host.strip_suffix(".sf.net")),
    };
    let site = registrable(host);
    let directory = match site.as_str() {
        "gnu.org" | "apache.org" | "kde.org" | "gnome.org" | "freedesktop.org" | "kernel.org"
        | "nongnu.org" => host
            .strip_suffix(&format!(".{site}"))
            .filter(|name| {
                !matches!(
                    *name,
                    "ftp" | "download" | "git" | "bugs" | "lists" | "wiki" | "savannah"
                )
            })
            .or_else(|| {
                segments
                    .clone()
                    .find(|s| *s != "software" && *s != "projects" && *s != "pub")
            }),
        _ => None,
    };
    Some(Address {
        repository: project.or(directory).map(str::to_owned),
        owner: None,
        site,
    })
}

/// `mirror://gnu/a2ps/a2ps-4.14.tar.gz`: the mirror's name and its folder.
fn mirror(rest: &str) -> Option<Address> {
    let mut segments = rest.split('/');
    let mirror = segments.next()?;
    let folder = segments.next()?;
    let folder = if folder.len() == 1 {
        segments.next()?
    } else {
        folder
    };
    let folder = if folder == "project" {
        segments.next()?
    } else {
        folder
    };
    Some(Address {
        site: format!("mirror:{mirror}"),
        owner: None,
        repository: Some(folder.to_owned()),
    })
}

impl Address {
    /// Whether the site belongs to one project or maker.
    pub fn is_own_site(&self) -> bool {
        !self.site.starts_with("mirror:") && !SHARED.contains(&self.site.as_str())
    }
}

/// The last two labels of a host, three where the last two are a public suffix such as `co.uk`.
fn registrable(host: &str) -> String {
    let labels: Vec<&str> = host.rsplit('.').collect();
    let second_level = matches!(
        labels.get(1),
        Some(&("co" | "com" | "org" | "ac" | "net" | "gov" | "edu" | "ne" | "or"))
    ) && labels.first().is_some_and(|top| top.len() == 2);
    let keep = if second_level { 3 } else { 2 };
    let mut kept: Vec<&str> = labels.into_iter().take(keep).collect();
    kept.reverse();
    kept.join(".")
}

#[cfg(test)]
mod tests;
