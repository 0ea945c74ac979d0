//! What pages and papers say in English and Hindi: the language, days, and phrases for statuses. The phrases are in
//! [`phrases`].

mod phrases;

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use lambda_http::http::{HeaderMap, HeaderValue};
use shared::bookings::status::{BookingSource, BookingStatus, PaymentMethod, PaymentStatus, ServiceLocation};

use crate::cookies::cookie;

/// Kept by the browser, like the width of a window: it says nothing about the person.
const COOKIE: &str = "panel-language";

/// The language of pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    #[default]
    English,
    Hindi,
}

impl Language {
    /// The one that the browser was told to keep.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match cookie(headers, COOKIE) {
            Some("hi") => Self::Hindi,
            _ => Self::English,
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::English, Self::Hindi].into_iter().find(|language| language.tag() == text)
    }

    /// As in the `lang` of a page.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hindi => "hi",
        }
    }

    /// The `Set-Cookie` value that keeps it for a year.
    pub(crate) fn kept(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::English => "panel-language=en; Secure; HttpOnly; SameSite=Lax; Path=/admin; Max-Age=31536000",
            Self::Hindi => "panel-language=hi; Secure; HttpOnly; SameSite=Lax; Path=/admin; Max-Age=31536000",
        })
    }
}

/// The words of one language.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words(pub(crate) Language);

const DAYS: [&str; 7] = ["सोम", "मंगल", "बुध", "गुरु", "शुक्र", "शनि", "रवि"];
const MONTHS: [&str; 12] =
    ["जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"];

/// `Mon 30 Nov`, with the year if it is not the present one.
pub(crate) fn day_text(day: NaiveDate) -> String {
    let form = if day.year() == Utc::now().year() { "%a %-d %b" } else { "%a %-d %b %Y" };
    day.format(form).to_string()
}

impl Words {
    pub(crate) const fn status_of(self, status: BookingStatus) -> &'static str {
        match status {
            BookingStatus::Pending => self.pending(),
            BookingStatus::Confirmed => self.confirmed(),
            BookingStatus::InProgress => self.in_progress(),
            BookingStatus::Completed => self.completed(),
            BookingStatus::Cancelled => self.cancelled(),
        }
    }

    /// The act that leads to a status.
    pub(crate) const fn step_to(self, status: BookingStatus) -> &'static str {
        match status {
            BookingStatus::Pending => "",
            BookingStatus::Confirmed => self.confirm(),
            BookingStatus::InProgress => self.start(),
            BookingStatus::Completed => self.finish(),
            BookingStatus::Cancelled => self.cancel(),
        }
    }

    pub(crate) const fn payment(self, status: PaymentStatus) -> &'static str {
        match status {
            PaymentStatus::Pending => self.unpaid(),
            PaymentStatus::Completed => self.paid(),
            PaymentStatus::Refunded => self.refunded(),
        }
    }

    pub(crate) const fn method(self, method: PaymentMethod) -> &'static str {
        match method {
            PaymentMethod::Cash => self.by_cash(),
            PaymentMethod::Razorpay => self.by_razorpay(),
        }
    }

    pub(crate) const fn location(self, location: ServiceLocation) -> &'static str {
        match location {
            ServiceLocation::Shop => self.at_the_shop(),
            ServiceLocation::Home => self.at_home(),
        }
    }

    pub(crate) const fn made_by(self, source: BookingSource) -> &'static str {
        match source {
            BookingSource::Web => self.by_web(),
            BookingSource::App => self.by_app(),
            BookingSource::Counter => self.by_counter(),
            BookingSource::Phone => self.by_phone(),
        }
    }

    /// `1–50 of 533`.
    pub(crate) fn range(self, first: i64, last: i64, count: i64) -> String {
        match self.0 {
            Language::English => format!("{first}–{last} of {count}"),
            Language::Hindi => format!("{count} में से {first}–{last}"),
        }
    }

    /// `All 533 that match`.
    pub(crate) fn all_that_match(self, count: i64) -> String {
        match self.0 {
            Language::English => format!("All {count} that match"),
            Language::Hindi => format!("मिलने वाली सभी {count}"),
        }
    }

    /// `Page 1 of 11`.
    pub(crate) fn page_of(self, page: i64, last: i64) -> String {
        match self.0 {
            Language::English => format!("Page {page} of {last}"),
            Language::Hindi => format!("{last} में से पन्ना {page}"),
        }
    }

    /// `2 of 3`.
    pub(crate) fn part_of(self, part: usize, whole: usize) -> String {
        match self.0 {
            Language::English => format!("{part} of {whole}"),
            Language::Hindi => format!("{whole} में से {part}"),
        }
    }

    /// `Mon 30 Nov`, with the year if it is not the present one.
    pub(crate) fn day(self, day: NaiveDate) -> String {
        if self.0 == Language::English {
            return day_text(day);
        }
        let weekday = usize::try_from(day.weekday().num_days_from_monday()).ok().and_then(|index| DAYS.get(index));
        let month = usize::try_from(day.month0()).ok().and_then(|index| MONTHS.get(index));
        let year = if day.year() == Utc::now().year() { String::new() } else { format!(" {}", day.year()) };
        format!("{} {} {}{year}", weekday.unwrap_or(&""), day.day(), month.unwrap_or(&""))
    }

    /// `Mon 30 Nov, 14:05`.
    pub(crate) fn moment(self, moment: NaiveDateTime) -> String {
        format!("{}, {:02}:{:02}", self.day(moment.date()), moment.hour(), moment.minute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_has_its_words_in_both_languages() {
        for (name, english, hindi) in phrases::ALL {
            assert!(!english.is_empty() && !hindi.is_empty(), "{name}");
            let is_devanagari = hindi.chars().any(|letter| ('\u{900}'..='\u{97f}').contains(&letter));
            assert!(is_devanagari || english == hindi, "{name}: {hindi}");
        }
    }

    #[test]
    fn a_part_is_told_in_the_order_of_the_language() {
        assert_eq!(Words(Language::English).part_of(2, 3), "2 of 3");
        assert_eq!(Words(Language::Hindi).part_of(2, 3), "3 में से 2");
    }

    #[test]
    fn days_are_named_in_the_language() {
        let day = NaiveDate::from_ymd_opt(2024, 11, 25).unwrap();
        assert_eq!(Words(Language::English).day(day), "Mon 25 Nov 2024");
        assert_eq!(Words(Language::Hindi).day(day), "सोम 25 नवंबर 2024");
    }
}
