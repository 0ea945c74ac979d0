//! How messages are made here: by settings.

use std::str::FromStr;

use chrono::TimeDelta;

use crate::{
    Result,
    bookings::manage_page::ManagePage,
    carriers::{Carriers, Channel},
    config,
    email::Email,
    language::Language,
};

/// What messages are made by.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The configured channels in the order in which they are tried. Without one no message is made.
    pub channels: Vec<Channel>,
    /// Addresses of the shop's people.
    pub staff: Vec<String>,
    /// The language of recipients who chose none.
    pub language: Language,
    /// Whether the forms for bookings say that news come by WhatsApp: then a booking is the opt-in.
    pub booking_is_opt_in: bool,
    pub reminders: Reminders,
    /// The page that links lead to; without its address messages have none.
    pub page: ManagePage,
}

impl Plan {
    /// Reads `MESSAGES_STAFF`, `MESSAGES_LANGUAGE`, `WHATSAPP_OPT_IN`, `REMINDER_HOURS` and `MANAGE_URL`. The channels are
    /// those that the carriers have.
    pub fn from_env() -> Result<Self, config::Error> {
        let address = |text: String| text.parse().map(|address: Email| address.to_string());
        let staff: Result<Vec<String>, _> = config::list(config::MESSAGES_STAFF).into_iter().map(address).collect();
        let booking_is_opt_in = match config::optional(config::WHATSAPP_OPT_IN).as_deref().map(str::trim) {
            None => false,
            Some("booking") => true,
            Some(_) => return Err(config::WHATSAPP_OPT_IN.invalid()),
        };
        Ok(Self {
            channels: Vec::new(),
            staff: staff.map_err(|_| config::MESSAGES_STAFF.invalid())?,
            language: config::or_default(config::MESSAGES_LANGUAGE, Language::English)?,
            booking_is_opt_in,
            reminders: config::or_default(config::REMINDER_HOURS, Reminders::default())?,
            page: ManagePage::from_env()?,
        })
    }

    /// The same with the channels that are configured now.
    pub fn with(&self, carriers: &Carriers) -> Result<Self> {
        Ok(Self { channels: carriers.channels()?, ..self.clone() })
    }

    /// The names of the channels, for the database.
    pub(crate) fn channel_names(&self) -> Vec<String> {
        self.channels.iter().map(|channel| channel.as_str().to_owned()).collect()
    }
}

/// How long before a visit its customer is reminded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminders(pub Vec<TimeDelta>);

impl Default for Reminders {
    fn default() -> Self {
        Self(vec![TimeDelta::hours(24), TimeDelta::hours(2)])
    }
}

/// The text is no list of hours.
#[derive(Debug, thiserror::Error)]
#[error("hours from 1 to 168, separated by commas, or off")]
pub struct NotHours;

impl FromStr for Reminders {
    type Err = NotHours;

    fn from_str(text: &str) -> Result<Self, NotHours> {
        if text.trim() == "off" {
            return Ok(Self(Vec::new()));
        }
        let hours = text.split(',').map(|hours| match hours.trim().parse() {
            Ok(hours @ 1..=168) => Ok(TimeDelta::hours(hours)),
            _ => Err(NotHours),
        });
        hours.collect::<Result<_, _>>().map(Self)
    }
}
