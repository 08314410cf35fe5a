//! What every page has around it: head, navigation, search, foot.

use crate::ask::Ask;
use crate::people::Caller;

/// Who is signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Account {
    /// The request failed before that was asked.
    #[default]
    Unknown,
    /// Nobody.
    Nobody,
    /// Somebody of this name.
    Of(String),
}

impl From<&Caller> for Account {
    fn from(caller: &Caller) -> Account {
        let handle = caller.person().map(|person| person.handle.clone());
        handle.map_or(Account::Nobody, Account::Of)
    }
}

/// A part of the site; marks where the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// The start page.
    Overview,
    /// The queue.
    Queue,
    /// Vulnerabilities.
    Vulnerabilities,
    /// Packages.
    Packages,
    /// Channels.
    Channels,
    /// Changes.
    Changes,
    /// The pipeline.
    Pipeline,
    /// About.
    About,
    /// None of them: an error.
    Elsewhere,
}

/// A link of the navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NavigationItem {
    pub(crate) href: &'static str,
    pub(crate) text: &'static str,
    pub(crate) current: bool,
}

/// The frame around a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shell {
    section: Section,
    /// The twin, for pages that have one.
    pub(crate) twin: Option<String>,
    /// What the search field holds.
    pub(crate) search: String,
    /// Who is signed in.
    pub(crate) account: Account,
}

impl Shell {
    /// The frame of a page with a twin.
    pub(crate) fn new(section: Section, ask: &Ask) -> Shell {
        Shell {
            section,
            twin: Some(ask.twin()),
            search: String::new(),
            account: Account::from(&ask.caller),
        }
    }

    /// The frame of a page of one's own, which has no twin.
    pub(crate) fn own(caller: &Caller) -> Shell {
        Shell {
            ..Shell::elsewhere(Account::from(caller))
        }
    }

    /// The frame of an error.
    pub(crate) fn elsewhere(account: Account) -> Shell {
        Shell {
            section: Section::Elsewhere,
            twin: None,
            search: String::new(),
            account,
        }
    }

    /// The same frame with a text in its search field.
    pub(crate) fn searching(self, text: Option<&str>) -> Shell {
        Shell {
            search: text.unwrap_or_default().to_owned(),
            ..self
        }
    }

    /// The navigation, in its order.
    pub(crate) fn navigation(&self) -> [NavigationItem; 7] {
        let item = |href, text, section| NavigationItem {
            href,
            text,
            current: self.section == section,
        };
        [
            item(
                "/vulnerabilities",
                "Vulnerabilities",
                Section::Vulnerabilities,
            ),
            item("/queue", "Queue", Section::Queue),
            item("/packages", "Packages", Section::Packages),
            item("/channels", "Channels", Section::Channels),
            item("/changes", "Changes", Section::Changes),
            item("/pipeline", "Pipeline", Section::Pipeline),
            item("/about", "About", Section::About),
        ]
    }

    /// The link to who is signed in, or to where one signs in: its address and its text.
    pub(crate) fn who(&self) -> (&'static str, &str) {
        match &self.account {
            Account::Of(handle) => ("/account", handle),
            Account::Nobody => ("/sign-in", "Sign in"),
            Account::Unknown => ("/account", "Account"),
        }
    }

    /// Whether this is the start page.
    pub(crate) fn is_overview(&self) -> bool {
        self.section == Section::Overview
    }
}
