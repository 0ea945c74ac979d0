//! The languages of what people read, and days in them.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use lambda_http::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

/// A language that pages, papers and messages are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Encode, sqlx::Decode)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    #[sqlx(rename = "en")]
    English,
    #[serde(rename = "hi")]
    #[sqlx(rename = "hi")]
    Hindi,
}

crate::database::kept_as_text!(Language);

/// The text is no language of ours.
#[derive(Debug, thiserror::Error)]
#[error("en or hi")]
pub struct NotALanguage;

impl std::str::FromStr for Language {
    type Err = NotALanguage;

    fn from_str(tag: &str) -> Result<Self, NotALanguage> {
        Self::parse(tag).ok_or(NotALanguage)
    }
}

/// Defines a table of phrases, each in English and in Hindi, as methods of the type `Words` at hand, which holds a language; and
/// `ALL`, every phrase in both, for the test that none is missing.
#[macro_export]
macro_rules! phrases {
    ($($name:ident: $english:literal, $hindi:literal;)*) => {
        impl Words {
            $(pub(crate) const fn $name(self) -> &'static str {
                match self.0 {
                    $crate::language::Language::English => $english,
                    $crate::language::Language::Hindi => $hindi,
                }
            })*
        }

        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $english, $hindi),)*];
    };
}

const DAYS: [&str; 7] = ["सोम", "मंगल", "बुध", "गुरु", "शुक्र", "शनि", "रवि"];
const MONTHS: [&str; 12] =
    ["जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"];

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::Hindi];

    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// As in the `lang` of a page, in the database, in settings and in registered templates.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hindi => "hi",
        }
    }

    /// The first of a browser's languages that is one of these; browsers name the best one first.
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        accepted.split(',').find_map(|range| {
            let tag = range.split([';', '-']).next().unwrap_or_default().trim().to_ascii_lowercase();
            Self::parse(&tag)
        })
    }

    /// `Mon 30 Nov`, with the year if it is not the present one.
    pub fn day(self, day: NaiveDate) -> String {
        let year = if day.year() == Utc::now().year() { String::new() } else { format!(" {}", day.year()) };
        format!("{}{year}", self.day_of_year(day))
    }

    /// `Mon 30 Nov`.
    pub fn day_of_year(self, day: NaiveDate) -> String {
        if self == Self::English {
            return day.format("%a %-d %b").to_string();
        }
        let weekday = usize::try_from(day.weekday().num_days_from_monday()).ok().and_then(|index| DAYS.get(index));
        let month = usize::try_from(day.month0()).ok().and_then(|index| MONTHS.get(index));
        format!("{} {} {}", weekday.unwrap_or(&""), day.day(), month.unwrap_or(&""))
    }

    /// `Mon 30 Nov, 14:05`.
    pub fn moment(self, moment: NaiveDateTime) -> String {
        format!("{}, {:02}:{:02}", self.day(moment.date()), moment.hour(), moment.minute())
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;

    use super::*;

    #[test]
    fn days_are_named_in_the_language() {
        let day = NaiveDate::from_ymd_opt(2024, 11, 25).unwrap();
        assert_eq!(Language::English.day(day), "Mon 25 Nov 2024");
        assert_eq!(Language::Hindi.day(day), "सोम 25 नवंबर 2024");
        assert_eq!(Language::Hindi.moment(day.and_hms_opt(9, 5, 0).unwrap()), "सोम 25 नवंबर 2024, 09:05");
    }

    #[test]
    fn the_first_language_of_the_browser_that_is_known_counts() {
        let accepted = |value: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value))]);
            Language::accepted(&headers)
        };
        assert_eq!(accepted("hi-IN,hi;q=0.9,en;q=0.8"), Some(Language::Hindi));
        assert_eq!(accepted("mr, EN-in;q=0.7, hi;q=0.3"), Some(Language::English));
        assert_eq!(accepted("ta-IN"), None);
        assert_eq!(Language::accepted(&HeaderMap::new()), None);
    }
}
