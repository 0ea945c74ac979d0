//! A time of day in whole minutes, from 00:00 to 24:00: the midnight that ends a day, which `NaiveTime` cannot hold.

use std::{fmt, str::FromStr};

use chrono::{NaiveTime, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::{Value, json};
use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef},
};
use utoipa::ToSchema;

use crate::written::Written;

/// Minutes of a quarter of an hour, the unit in which capacity is counted.
pub const QUARTER: u32 = 15;

/// A time of day on the shop's clock. A Postgres `time`; serialised as `09:00:00`, the end of the day as `24:00:00`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, example = "09:00:00")]
pub struct DayMinute(u16);

impl DayMinute {
    /// 24:00.
    pub const END: Self = Self(24 * 60);

    /// The time so many minutes after 00:00; none after 24:00.
    pub fn at(minutes: u32) -> Option<Self> {
        u16::try_from(minutes).ok().map(Self).filter(|time| *time <= Self::END)
    }

    /// Minutes since 00:00.
    pub fn minutes(self) -> u32 {
        self.0.into()
    }

    /// Whether a quarter of an hour begins here.
    pub fn is_quarter(self) -> bool {
        self.minutes().is_multiple_of(QUARTER)
    }

    /// As a time at which something can begin; none for 24:00.
    pub fn start(self) -> Option<NaiveTime> {
        NaiveTime::from_hms_opt(self.minutes() / 60, self.minutes() % 60, 0)
    }
}

/// The minute that the time lies in.
impl From<NaiveTime> for DayMinute {
    fn from(time: NaiveTime) -> Self {
        Self::at(time.num_seconds_from_midnight() / 60).unwrap_or(Self::END)
    }
}

impl fmt::Display for DayMinute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// The text is no time in whole minutes up to 24:00.
#[derive(Debug, thiserror::Error)]
#[error("Time has wrong format. Use hh:mm, up to 24:00.")]
pub struct NotDayMinute;

impl FromStr for DayMinute {
    type Err = NotDayMinute;

    fn from_str(text: &str) -> Result<Self, NotDayMinute> {
        let minutes = text.strip_suffix(":00").filter(|rest| rest.contains(':')).unwrap_or(text);
        if minutes == "24:00" {
            return Ok(Self::END);
        }
        NaiveTime::parse_from_str(minutes, "%H:%M").map(Self::from).map_err(|_| NotDayMinute)
    }
}

impl Written for DayMinute {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: NotDayMinute| error.to_string())
    }

    fn rules() -> Value {
        json!({ "pattern": r"^(([01]?\d|2[0-3]):[0-5]?\d|24:00)(:00)?$" })
    }
}

impl Serialize for DayMinute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{self}:00"))
    }
}

impl<'de> Deserialize<'de> for DayMinute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

const MICROSECONDS: i64 = 60_000_000;

impl Type<Postgres> for DayMinute {
    fn type_info() -> PgTypeInfo {
        <NaiveTime as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for DayMinute {
    fn array_type_info() -> PgTypeInfo {
        NaiveTime::array_type_info()
    }
}

/// Postgres sends a `time` as microseconds since 00:00.
impl Encode<'_, Postgres> for DayMinute {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(i64::from(self.0) * MICROSECONDS, buffer)
    }
}

impl Decode<'_, Postgres> for DayMinute {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let minutes = u32::try_from(<i64 as Decode<Postgres>>::decode(value)? / MICROSECONDS)?;
        Self::at(minutes).ok_or_else(|| "a time after 24:00".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_and_without_seconds_up_to_midnight() {
        for (text, minutes) in [("00:00", 0), ("9:05", 545), ("09:05:00", 545), ("23:59", 1439), ("24:00:00", 1440)] {
            assert_eq!(text.parse::<DayMinute>().unwrap().minutes(), minutes, "{text}");
        }
        for text in ["", "24:01", "24:00:01", "25:00", "9", "09:60", "09:00:30", "00", "noon"] {
            assert!(text.parse::<DayMinute>().is_err(), "{text}");
        }
    }

    #[test]
    fn midnight_at_the_end_of_a_day_is_written_as_24_00() {
        assert_eq!(
            serde_json::to_value([DayMinute::default(), DayMinute::END]).unwrap(),
            json!(["00:00:00", "24:00:00"])
        );
        assert_eq!((DayMinute::END.to_string(), DayMinute::END.start()), ("24:00".to_owned(), None));
        assert_eq!(serde_json::from_value::<DayMinute>(json!("24:00")).unwrap(), DayMinute::END);
    }
}
