//! The state of the stand-in.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use stand_in::Clock;

use crate::{
    PROJECT_ID,
    inbox::{Inbox, Message, MessageKind},
    issued::{Code, Links, Sessions},
    settings::{Issuer, Settings},
    tokens::Keys,
    users::Users,
};

/// The state of the stand-in. Fields skipped by serde are not saved: they are reset at each start.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) users: Users,
    pub(crate) codes: Vec<Code>,
    pub(crate) links: Links,
    pub(crate) sessions: Sessions,
    pub(crate) keys: Keys,
    pub(crate) inbox: Inbox,
    /// Roles created over the API.
    pub(crate) created_roles: Vec<String>,
    #[serde(skip)]
    pub(crate) settings: Settings,
    #[serde(skip)]
    pub(crate) url: String,
    #[serde(skip)]
    pub(crate) clock: Clock,
}

impl State {
    /// A project without users.
    pub(crate) fn new(keys: Keys) -> Self {
        Self {
            users: Users::default(),
            codes: Vec::new(),
            links: Links::default(),
            sessions: Sessions::default(),
            keys,
            inbox: Inbox::default(),
            created_roles: Vec::new(),
            settings: Settings::default(),
            url: String::new(),
            clock: Clock::default(),
        }
    }

    /// The claim `iss`.
    pub(crate) fn issuer(&self) -> String {
        match self.settings.issuer {
            Issuer::ProjectId => PROJECT_ID.to_owned(),
            Issuer::Url => format!("{}/{PROJECT_ID}", self.url),
        }
    }

    /// Puts a code or a link into the inbox.
    pub(crate) fn send(&mut self, to: &str, kind: MessageKind, code: Option<&str>, link: Option<(&str, &str)>) {
        let message = Message {
            to: to.to_owned(),
            kind,
            code: code.map(str::to_owned),
            token: link.map(|(token, _)| token.to_owned()),
            link: link.map(|(_, link)| link.to_owned()),
            sent_at: self.clock.now(),
        };
        self.inbox.add(message);
    }

    /// Removes expired links, sessions and codes, so that the file does not grow without limit. A code is kept for a
    /// day after it expired, so that verifying it answers `CodeExpired`.
    pub(crate) fn forget_expired(&mut self) {
        let now = self.clock.now();
        self.links.forget_expired(now);
        self.sessions.forget_expired(now);
        self.codes.retain(|code| code.expires + TimeDelta::days(1) > now);
    }
}
