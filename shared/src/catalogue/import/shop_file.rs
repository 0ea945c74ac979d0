//! Parses the shop's file: address, opening hours and capacity.

use std::{collections::BTreeSet, ops::RangeInclusive};

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, de::Error};

use super::fault::Fault;
use crate::{
    catalogue::{
        hours::{OpeningHours, Unfit},
        shop::{self, is_slot_length},
    },
    day_minute::DayMinute,
    email::Email,
    phone::Phone,
    text::{Lines, Unclean, clean},
};

pub(super) const FILE: &str = "shop_info.json";

/// The contents of the shop's file.
#[derive(Debug, Deserialize)]
pub(super) struct Shop {
    #[serde(deserialize_with = "text")]
    pub(super) name: String,
    #[serde(deserialize_with = "phone")]
    pub(super) phone: Phone,
    #[serde(deserialize_with = "email")]
    pub(super) email: String,
    pub(super) address: Address,
    #[serde(deserialize_with = "latitude")]
    pub(super) latitude: f64,
    #[serde(deserialize_with = "longitude")]
    pub(super) longitude: f64,
    /// An IANA name; Postgres checks later whether it exists.
    #[serde(deserialize_with = "text")]
    pub(super) timezone: String,
    pub(super) opening_hours: Week,
    /// Days on which the shop is closed; without the key those of the database stay.
    #[serde(default, deserialize_with = "holidays")]
    pub(super) holidays: Option<Vec<Holiday>>,
    #[serde(deserialize_with = "slot_minutes")]
    pub(super) slot_minutes: i32,
    #[serde(deserialize_with = "count")]
    pub(super) capacity_per_slot: i32,
    #[serde(deserialize_with = "count")]
    pub(super) home_capacity_per_slot: i32,
    #[serde(deserialize_with = "count")]
    pub(super) home_service_radius_km: i32,
    #[serde(deserialize_with = "minutes")]
    pub(super) minimum_notice_minutes: i32,
    #[serde(deserialize_with = "days")]
    pub(super) booking_horizon_days: i32,
}

impl Shop {
    /// The columns of the shop's row.
    pub(super) fn settings(&self) -> shop::Shop {
        shop::Shop {
            name: self.name.clone(),
            address: self.address.in_one_line(),
            phone: self.phone.clone(),
            email: self.email.clone(),
            latitude: self.latitude,
            longitude: self.longitude,
            time_zone: self.timezone.clone(),
            slot_minutes: self.slot_minutes,
            shop_capacity: self.capacity_per_slot,
            home_capacity: self.home_capacity_per_slot,
            home_radius_km: self.home_service_radius_km,
            minimum_notice_minutes: self.minimum_notice_minutes,
            booking_horizon_days: self.booking_horizon_days,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Address {
    #[serde(deserialize_with = "text")]
    line1: String,
    #[serde(default, deserialize_with = "any_text")]
    line2: String,
    #[serde(deserialize_with = "text")]
    city: String,
    #[serde(deserialize_with = "text")]
    state: String,
    #[serde(deserialize_with = "text")]
    postal_code: String,
}

impl Address {
    /// The address in one line, as the frontends show it.
    pub(super) fn in_one_line(&self) -> String {
        let parts = [&self.line1, &self.line2, &self.city, &self.state].map(|part| part.trim());
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{} {}", parts.join(", "), self.postal_code.trim())
    }
}

/// A day on which the shop is closed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Holiday {
    pub(super) date: NaiveDate,
    #[serde(deserialize_with = "text")]
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Week {
    monday: Option<Hours>,
    tuesday: Option<Hours>,
    wednesday: Option<Hours>,
    thursday: Option<Hours>,
    friday: Option<Hours>,
    saturday: Option<Hours>,
    sunday: Option<Hours>,
}

impl Week {
    pub(super) fn open_days(&self) -> Vec<OpeningHours> {
        let week =
            [&self.monday, &self.tuesday, &self.wednesday, &self.thursday, &self.friday, &self.saturday, &self.sunday];
        let open = |(weekday, hours): (i16, &Option<Hours>)| {
            hours.as_ref().map(|hours| OpeningHours { weekday, opens_at: hours.open, closes_at: hours.close })
        };
        (1..).zip(week).filter_map(open).collect()
    }
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "WrittenHours")]
struct Hours {
    open: DayMinute,
    close: DayMinute,
}

#[derive(Deserialize)]
struct WrittenHours {
    open: String,
    close: String,
}

impl TryFrom<WrittenHours> for Hours {
    type Error = &'static str;

    fn try_from(written: WrittenHours) -> Result<Self, Self::Error> {
        let time = |text: &str| text.parse::<DayMinute>().map_err(|_| "a time must be written as HH:MM");
        let hours = Self { open: time(&written.open)?, close: time(&written.close)? };
        let any_day = OpeningHours { weekday: 1, opens_at: hours.open, closes_at: hours.close };
        match any_day.check() {
            Ok(()) => Ok(hours),
            Err(Unfit::Quarters) => Err("hours must be multiples of 15 minutes; midnight is written as 24:00"),
            Err(Unfit::Order) => Err("a day must open before it closes"),
        }
    }
}

/// Parses the file; the fault has line and column.
pub(super) fn parse(text: &str) -> Result<Shop, Fault> {
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
        let told = error.to_string();
        let sentence = told.split(" at line ").next().unwrap_or_default().to_owned();
        let line = u64::try_from(error.line()).unwrap_or_default();
        Fault { file: FILE, line, column: error.column().to_string(), sentence }
    })
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match clean(&String::deserialize(deserializer)?, Lines::One) {
        Ok(text) if !text.is_empty() => Ok(text),
        Ok(_) | Err(Unclean::Nul | Unclean::Invisible) => Err(D::Error::custom("a value is needed")),
        Err(Unclean::Control) => Err(D::Error::custom("control characters cannot be kept")),
    }
}

fn any_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    clean(&text, Lines::One).map_err(|_| D::Error::custom("control characters cannot be kept"))
}

fn email<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let email: Email = text(deserializer)?.parse().map_err(D::Error::custom)?;
    Ok(email.to_string())
}

fn holidays<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Holiday>>, D::Error> {
    let holidays = Vec::<Holiday>::deserialize(deserializer)?;
    let mut dates = BTreeSet::new();
    match holidays.iter().find(|holiday| !dates.insert(holiday.date)) {
        Some(holiday) => Err(D::Error::custom(format!("{} is a holiday twice", holiday.date))),
        None => Ok(Some(holidays)),
    }
}

fn phone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Phone, D::Error> {
    Phone::of_a_shop(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn latitude<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    degrees(deserializer, 90.0)
}

fn longitude<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    degrees(deserializer, 180.0)
}

fn degrees<'de, D: Deserializer<'de>>(deserializer: D, limit: f64) -> Result<f64, D::Error> {
    let degrees = f64::deserialize(deserializer)?;
    if degrees.abs() <= limit { Ok(degrees) } else { Err(D::Error::custom(format!("degrees are within ±{limit}"))) }
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    within(deserializer, &shop::COUNTS)
}

fn slot_minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    let minutes = i32::deserialize(deserializer)?;
    if is_slot_length(minutes) {
        Ok(minutes)
    } else {
        Err(D::Error::custom("a multiple of 15 from 15 to 1440 is needed"))
    }
}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    within(deserializer, &shop::HORIZON_DAYS)
}

fn minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    within(deserializer, &shop::NOTICE_MINUTES)
}

fn within<'de, D: Deserializer<'de>>(deserializer: D, range: &RangeInclusive<i32>) -> Result<i32, D::Error> {
    let number = i32::deserialize(deserializer)?;
    if range.contains(&number) {
        Ok(number)
    } else {
        Err(D::Error::custom(format!("a whole number from {} to {} is needed", range.start(), range.end())))
    }
}
