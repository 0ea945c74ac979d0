//! All that the stand-in knows, and the file that keeps it.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    PROJECT_ID,
    arrivals::Arrivals,
    codes::Code,
    faults::Faults,
    inbox::{Inbox, Message, MessageKind},
    links::Links,
    sessions::Sessions,
    settings::{Issuer, Settings},
    tokens::Keys,
    users::Users,
};

/// All that the stand-in knows. What a file does not keep is new with each start.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) users: Users,
    pub(crate) codes: Vec<Code>,
    pub(crate) links: Links,
    pub(crate) sessions: Sessions,
    pub(crate) keys: Keys,
    pub(crate) inbox: Inbox,
    /// Roles that a call created.
    pub(crate) created_roles: Vec<String>,
    #[serde(skip)]
    pub(crate) settings: Settings,
    #[serde(skip)]
    pub(crate) url: String,
    #[serde(skip)]
    pub(crate) faults: Faults,
    #[serde(skip)]
    pub(crate) arrivals: Arrivals,
    /// How far the clock was put forward. A restart puts it right again: tokens from the future help nobody.
    #[serde(skip)]
    ahead: TimeDelta,
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
            faults: Faults::default(),
            arrivals: Arrivals::default(),
            ahead: TimeDelta::zero(),
        }
    }

    /// The time by the stand-in's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead
    }

    /// The end of something that begins now.
    pub(crate) fn after(&self, lifetime: Duration) -> DateTime<Utc> {
        self.now() + delta(lifetime)
    }

    /// Puts the clock forward.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.ahead += delta(by);
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
            sent_at: self.now(),
        };
        self.inbox.add(message);
    }

    /// Forgets what nobody can ask for any more, so that the file does not grow for ever.
    pub(crate) fn forget_expired(&mut self) {
        let now = self.now();
        self.links.forget_expired(now);
        self.sessions.forget_expired(now);
        self.codes.retain(|code| code.expires + TimeDelta::days(1) > now);
    }

    /// Reads the file, if there is one.
    pub(crate) fn load(file: &Path) -> io::Result<Option<Self>> {
        match fs::read(file) {
            Ok(json) => serde_json::from_slice(&json).map(Some).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the file as a whole or not at all. It holds keys: only its owner may read it.
    pub(crate) fn save(&self, file: &Path) -> io::Result<()> {
        let mut name = file.as_os_str().to_owned();
        name.push(".new");
        let mut new = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&name)?;
        new.write_all(&serde_json::to_vec(self)?)?;
        drop(new);
        fs::rename(&name, file)
    }
}

/// Whatever is longer than a century might as well be a century, and does not overflow.
fn delta(duration: Duration) -> TimeDelta {
    let century = TimeDelta::days(36_525);
    TimeDelta::from_std(duration).unwrap_or(century).min(century)
}
