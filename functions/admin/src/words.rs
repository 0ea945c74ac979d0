//! What pages and papers say in English and Hindi: the language that a browser keeps, and phrases for statuses. The phrases are in
//! [`phrases`].

mod phrases;

use chrono::{NaiveDate, NaiveDateTime};
use lambda_http::http::{HeaderMap, HeaderValue};
pub(crate) use shared::language::Language;
use shared::{
    bookings::status::{BookingSource, BookingStatus, PaymentMethod, PaymentStatus, ServiceLocation},
    http::cookie,
};

use crate::kit::rows::Count;

/// Kept by the browser, like the width of a window: it says nothing about the person.
const COOKIE: &str = "panel-language";

/// The language that the browser was told to keep.
pub(crate) fn kept_language(headers: &HeaderMap) -> Language {
    cookie(headers, COOKIE).and_then(Language::parse).unwrap_or_default()
}

/// The `Set-Cookie` value that keeps a language for a year.
pub(crate) const fn keep_language(language: Language) -> HeaderValue {
    HeaderValue::from_static(match language {
        Language::English => "panel-language=en; Secure; HttpOnly; SameSite=Lax; Path=/admin; Max-Age=31536000",
        Language::Hindi => "panel-language=hi; Secure; HttpOnly; SameSite=Lax; Path=/admin; Max-Age=31536000",
    })
}

/// The words of one language.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words(pub(crate) Language);

/// `Mon 30 Nov`, with the year if it is not the present one.
pub(crate) fn day_text(day: NaiveDate) -> String {
    Language::English.day(day)
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
    pub(crate) fn range(self, first: i64, last: i64, count: Count) -> String {
        match self.0 {
            Language::English => format!("{first}–{last} of {count}"),
            Language::Hindi => format!("{count} में से {first}–{last}"),
        }
    }

    /// `All 533 that match`.
    pub(crate) fn all_that_match(self, count: Count) -> String {
        match self.0 {
            Language::English => format!("All {count} that match"),
            Language::Hindi => format!("मिलने वाली सभी {count}"),
        }
    }

    /// `Page 201`, where the last one is not known.
    pub(crate) fn page(self, page: i64) -> String {
        match self.0 {
            Language::English => format!("Page {page}"),
            Language::Hindi => format!("पन्ना {page}"),
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
        self.0.day(day)
    }

    /// `Mon 30 Nov, 14:05`.
    pub(crate) fn moment(self, moment: NaiveDateTime) -> String {
        self.0.moment(moment)
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
}
