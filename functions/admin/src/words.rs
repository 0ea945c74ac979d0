//! What pages and papers say, in English and Hindi: the one place for words of the shop's day.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use lambda_http::http::{HeaderMap, HeaderValue};
use shared::bookings::status::{BookingSource, BookingStatus, PaymentMethod, PaymentStatus, ServiceLocation};

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
        match crate::session::cookie(headers, COOKIE) {
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

macro_rules! words {
    ($($name:ident: $english:literal, $hindi:literal;)*) => {
        impl Words {
            $(pub(crate) const fn $name(self) -> &'static str {
                match self.0 {
                    Language::English => $english,
                    Language::Hindi => $hindi,
                }
            })*
        }

        /// Every phrase in both languages, for the test that none is missing.
        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $english, $hindi),)*];
    };
}

words! {
    today: "Today", "आज";
    bookings: "Bookings", "बुकिंग";
    walk_in: "New booking", "नई बुकिंग";
    cash: "Cash", "नकद";

    pending: "To confirm", "पुष्टि बाकी";
    confirmed: "Confirmed", "पुष्टि हुई";
    in_progress: "In work", "काम जारी";
    completed: "Done", "पूरा हुआ";
    cancelled: "Cancelled", "रद्द";
    no_show: "Did not come", "नहीं आए";

    confirm: "Confirm booking", "बुकिंग पक्की करें";
    start: "Start work", "काम शुरू करें";
    finish: "Finish work", "काम पूरा करें";
    cancel: "Cancel booking", "बुकिंग रद्द करें";
    say_no_show: "Customer did not come", "ग्राहक नहीं आए";

    paid: "Paid", "भुगतान हुआ";
    unpaid: "Unpaid", "भुगतान बाकी";
    due: "due", "बाकी";
    refunded: "Refunded", "पैसे लौटाए";
    by_cash: "Cash", "नकद";
    by_razorpay: "Razorpay", "Razorpay";

    at_the_shop: "At the shop", "दुकान पर";
    at_home: "At home", "घर पर";
    bays: "Shop", "दुकान";
    crews: "Home visits", "घर की सेवा";
    by_web: "Website", "वेबसाइट";
    by_app: "App", "ऐप";
    by_counter: "Counter", "काउंटर";
    by_phone: "Phone call", "फ़ोन";

    time: "Time", "समय";
    date: "Date", "तारीख";
    place: "Place", "जगह";
    address: "Address", "पता";
    customer: "Customer", "ग्राहक";
    name: "Name", "नाम";
    phone: "Phone", "फ़ोन नंबर";
    email: "E-mail", "ई-मेल";
    vehicle: "Vehicle", "गाड़ी";
    model: "Model", "मॉडल";
    service: "Service", "सेवा";
    services: "Services", "सेवाएँ";
    price: "Price", "कीमत";
    total: "Total", "कुल";
    minutes: "min", "मिनट";
    money: "Money", "पैसे";
    notes: "Notes", "नोट";
    customer_notes: "Customer’s note", "ग्राहक का नोट";
    internal_notes: "Our note (customers do not see it)", "हमारा नोट (ग्राहक को नहीं दिखता)";
    notes_about_customer: "About this customer", "इस ग्राहक के बारे में";
    save_notes: "Save notes", "नोट सहेजें";
    history: "History", "इतिहास";
    print: "Print", "प्रिंट";
    move_booking: "Move booking", "समय बदलें";
    record: "Record", "दर्ज करें";
    in_cash: "cash", "नकद";
    other_visits: "Other visits", "बाकी बुकिंग";
    call: "Call", "फ़ोन करें";
    reason: "Reason", "कारण";
    status: "Status", "स्थिति";
    reference: "Reference", "संदर्भ";
    source: "Booked by", "बुकिंग कहाँ से";

    of: "of", "में से";
    late: "late", "देर";
    overbooked: "more than fit", "जगह से ज़्यादा";
    nothing_today: "Nothing is booked for this day.", "इस दिन कोई बुकिंग नहीं है।";
    closed: "Closed", "बंद";
    needs_attention: "Needs attention", "ध्यान दें";
    to_confirm_count: "to confirm", "पुष्टि बाकी";
    late_count: "late", "देर से";
    unpaid_count: "done and unpaid", "काम पूरा, भुगतान बाकी";
    failed_refunds_count: "refunds that failed", "रिफ़ंड नहीं हुए";
    mismatches_count: "payments that do not match", "भुगतान मेल नहीं खाते";
    all_well: "Nothing is waiting.", "कुछ बाकी नहीं है।";
    previous_day: "Day before", "पिछला दिन";
    next_day: "Next day", "अगला दिन";
    by_time: "By time", "समय से";
    by_status: "By status", "स्थिति से";

    look_up: "Look up", "खोजें";
    known_customer: "Known customer", "पुराने ग्राहक";
    last_visit: "Last visit", "पिछली बार";
    their_bikes: "Their vehicles", "उनकी गाड़ियाँ";
    choose_model: "Enter the model to see its services and prices.", "सेवाएँ और कीमत देखने के लिए मॉडल लिखें।";
    now: "Now", "अभी";
    book: "Book", "बुक करें";
    book_anyway: "Book it even if the time is full", "समय भरा हो तो भी बुक करें";
    free_times: "Free times near it", "पास के खाली समय";

    was_created: "Booked", "बुकिंग हुई";
    was_moved: "Moved", "समय बदला";
    was_overbooked: "Put into a full time", "भरे समय में रखा";
    notes_changed: "Note changed", "नोट बदला";
    internal_notes_changed: "Our note changed", "हमारा नोट बदला";
    services_changed: "Services changed", "सेवाएँ बदलीं";
    refund_requested: "Refund requested", "रिफ़ंड माँगा";
    refund_failed: "Refund failed", "रिफ़ंड नहीं हुआ";
    by_system: "System", "सिस्टम";
    add_service: "Add service", "सेवा जोड़ें";
    remove: "Remove", "हटाएँ";
    taken: "Taken", "मिला";
    given_back: "Given back", "लौटाया";
    kept: "Kept", "बचा";
    refund: "Refund", "रिफ़ंड";
    changed_meanwhile: "Somebody else has changed this booking since you opened the page. It is shown as it is now; your change was not made.",
        "पेज खोलने के बाद किसी और ने यह बुकिंग बदली है। अभी की स्थिति दिख रही है; आपका बदलाव नहीं हुआ।";
    time_is_full: "This time is full.", "यह समय भरा है।";
    done: "Saved.", "सहेजा गया।";

    job_card: "Job card", "जॉब कार्ड";
    receipt: "Receipt", "रसीद";
    tag: "Tag", "टैग";
    no_tax_invoice: "This receipt is no tax invoice.", "यह रसीद टैक्स इनवॉइस नहीं है।";
    printed: "Printed", "प्रिंट";
    signature: "Customer’s signature", "ग्राहक के हस्ताक्षर";
    mechanic: "Mechanic", "मिस्त्री";
    work_done: "Work", "काम";
    thanks: "Thank you", "धन्यवाद";
}

const DAYS: [&str; 7] = ["सोम", "मंगल", "बुध", "गुरु", "शुक्र", "शनि", "रवि"];
const MONTHS: [&str; 12] =
    ["जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"];

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

    /// `Mon 30 Nov`, with the year if it is not the present one.
    pub(crate) fn day(self, day: NaiveDate) -> String {
        if self.0 == Language::English {
            return crate::kit::cell::day_text(day);
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
        for (name, english, hindi) in ALL {
            assert!(!english.is_empty() && !hindi.is_empty(), "{name}");
            let is_devanagari = hindi.chars().any(|letter| ('\u{900}'..='\u{97f}').contains(&letter));
            assert!(is_devanagari || english == hindi, "{name}: {hindi}");
        }
    }

    #[test]
    fn days_are_named_in_the_language() {
        let day = NaiveDate::from_ymd_opt(2024, 11, 25).unwrap();
        assert_eq!(Words(Language::English).day(day), "Mon 25 Nov 2024");
        assert_eq!(Words(Language::Hindi).day(day), "सोम 25 नवंबर 2024");
    }
}
