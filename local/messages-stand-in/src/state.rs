//! What the stand-in keeps.

use serde::{Deserialize, Serialize};
use stand_in::Clock;

use crate::{Settings, inbox::Inbox};

/// The state of the stand-in. Fields skipped by serde are not saved.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) inbox: Inbox,
    #[serde(skip)]
    pub(crate) settings: Settings,
    #[serde(skip)]
    pub(crate) clock: Clock,
}
