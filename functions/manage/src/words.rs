//! What the pages say in English and in Hindi.

use lambda_http::http::{HeaderMap, HeaderValue};
use shared::{
    bookings::status::{BookingStatus, PaymentStatus},
    http::cookie,
    language::Language,
    phrases,
};

/// Kept by the browser. It says nothing about the person.
const COOKIE: &str = "booking-language";

/// The `Set-Cookie` value that keeps a language for a year.
pub(crate) const fn keep(language: Language) -> HeaderValue {
    HeaderValue::from_static(match language {
        Language::English => "booking-language=en; Secure; HttpOnly; SameSite=Lax; Path=/b; Max-Age=31536000",
        Language::Hindi => "booking-language=hi; Secure; HttpOnly; SameSite=Lax; Path=/b; Max-Age=31536000",
    })
}

/// The words of one language.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words(pub(crate) Language);

impl Words {
    /// In the language that was chosen on a page, else the first of the browser's.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let chosen = cookie(headers, COOKIE).and_then(Language::parse);
        Self(chosen.or_else(|| Language::accepted(headers)).unwrap_or_default())
    }

    pub(crate) const fn status(self, status: BookingStatus) -> &'static str {
        match status {
            BookingStatus::Pending => self.pending(),
            BookingStatus::Confirmed => self.confirmed(),
            BookingStatus::InProgress => self.in_progress(),
            BookingStatus::Completed => self.completed(),
            BookingStatus::Cancelled => self.cancelled(),
        }
    }

    pub(crate) const fn payment(self, status: PaymentStatus) -> &'static str {
        match status {
            PaymentStatus::Pending => self.due(),
            PaymentStatus::Completed => self.paid(),
            PaymentStatus::Refunded => self.refunded(),
        }
    }

    /// `Pay ₹390.00 online`.
    pub(crate) fn pay_online(self, amount: &str) -> String {
        match self.0 {
            Language::English => format!("Pay {amount} online"),
            Language::Hindi => format!("{amount} ऑनलाइन चुकाएँ"),
        }
    }

    /// `A code was sent to ••••••••10.`
    pub(crate) fn code_sent(self, number: &str) -> String {
        match self.0 {
            Language::English => format!("A code was sent to {number}. It is valid for a few minutes."),
            Language::Hindi => format!("{number} पर कोड भेजा गया। यह कुछ मिनट तक चलेगा।"),
        }
    }
}

phrases! {
    your_booking: "Your booking", "आपकी बुकिंग";
    pending: "Waits for the shop", "दुकान की पुष्टि बाकी";
    confirmed: "Confirmed", "पुष्टि हुई";
    in_progress: "In work", "काम जारी";
    completed: "Done", "पूरा हुआ";
    cancelled: "Cancelled", "रद्द";
    due: "to be paid", "चुकाना बाकी";
    paid: "paid", "चुकाया गया";
    refunded: "given back", "लौटाया गया";

    when: "When", "कब";
    place: "Where", "कहाँ";
    reference: "Reference", "संदर्भ";
    total: "Total", "कुल";
    payment_title: "Payment", "भुगतान";
    at_home: "At your place", "आपके यहाँ";
    call_shop: "Call the shop", "दुकान को फ़ोन करें";
    help: "Questions? Call the shop:", "कोई सवाल? दुकान को फ़ोन करें:";
    link_is_personal: "This page belongs to its link: pass it on only to people who may see and change the booking.", "यह पन्ना लिंक से खुलता है: लिंक उन्हीं को दें जो बुकिंग देख और बदल सकते हैं।";

    change_title: "Change the booking", "बुकिंग बदलें";
    add_to_calendar: "Add to the calendar", "कैलेंडर में जोड़ें";
    reschedule: "Choose another time", "दूसरा समय चुनें";
    cancel: "Cancel the booking", "बुकिंग रद्द करें";
    back: "Back to the booking", "बुकिंग पर लौटें";
    only_by_phone: "This booking cannot be changed here any more. Please call the shop.", "यह बुकिंग यहाँ अब नहीं बदल सकती। दुकान को फ़ोन करें।";

    day: "Day", "दिन";
    time: "Time", "समय";
    other_day: "Another day", "कोई और दिन";
    show_day: "Show", "दिखाएँ";
    move_here: "Move to this time", "इस समय पर रखें";
    no_time: "Nothing is free on this day. Please choose another.", "इस दिन कोई समय खाली नहीं है। दूसरा दिन चुनें।";
    choose_time: "Please choose a time.", "कृपया समय चुनें।";
    now_booked: "Booked now:", "अभी का समय:";

    cancel_question: "Cancel this booking?", "यह बुकिंग रद्द करें?";
    cancel_is_final: "A cancelled booking cannot be taken up again; you can make a new one.", "रद्द बुकिंग फिर चालू नहीं होती; आप नई बुकिंग कर सकते हैं।";
    money_goes_back: "What you paid online goes back to you, usually within a week.", "ऑनलाइन चुकाए पैसे आम तौर पर एक हफ़्ते में लौट आते हैं।";
    reason: "Reason (optional)", "कारण (ज़रूरी नहीं)";
    cancel_now: "Yes, cancel it", "हाँ, रद्द करें";

    pay_at_shop: "Or pay at the shop when the work is done: cash or UPI.", "या काम होने पर दुकान में चुकाएँ: नकद या UPI।";
    pay_only_at_shop: "Pay at the shop when the work is done: cash or UPI.", "काम होने पर दुकान में चुकाएँ: नकद या UPI।";
    to_razorpay: "Continue to Razorpay", "Razorpay पर जाएँ";
    razorpay_next: "Razorpay’s page opens next. There you pay by UPI, card or net banking.", "आगे Razorpay का पन्ना खुलेगा। वहाँ UPI, कार्ड या नेट बैंकिंग से चुकाएँ।";
    razorpay_needs_script: "It needs a browser with JavaScript. Without one, pay at the shop when the work is done.", "उसके लिए JavaScript वाला ब्राउज़र चाहिए। न हो तो काम होने पर दुकान में चुकाएँ।";

    prove_title: "Confirm your number", "अपना नंबर पक्का करें";
    prove_why: "A code by SMS shows that the number of this booking is yours. The shop keeps more places for such bookings.", "SMS का कोड दिखाता है कि बुकिंग का नंबर आपका है। ऐसी बुकिंग के लिए दुकान ज़्यादा जगह रखती है।";
    send_code: "Send the code", "कोड भेजें";
    send_again: "Send another code", "दूसरा कोड भेजें";
    code: "Code", "कोड";
    check_code: "Confirm", "पक्का करें";
    wrong_code: "The code is wrong or has expired.", "कोड गलत है या पुराना हो गया।";
    wait_for_code: "Too many codes or tries. Please wait a little.", "बहुत सारे कोड या कोशिशें हुईं। थोड़ा रुकें।";
    no_code: "No code can be sent to this number.", "इस नंबर पर कोड नहीं भेजा जा सकता।";

    reminders_title: "Reminders", "याद दिलाना";
    reminders_on: "You get reminders before your visit.", "आपको आने से पहले याद दिलाया जाता है।";
    reminders_off: "You get no reminders.", "आपको याद नहीं दिलाया जाता।";
    no_reminders: "Send me no reminders", "मुझे याद न दिलाएँ";
    want_reminders: "Send me reminders again", "मुझे फिर याद दिलाएँ";

    was_moved: "The booking was moved.", "बुकिंग का समय बदल गया।";
    was_cancelled: "The booking was cancelled.", "बुकिंग रद्द हो गई।";
    was_paid: "Thank you. The payment has arrived.", "धन्यवाद। भुगतान मिल गया।";
    was_proved: "Thank you. Your number is confirmed.", "धन्यवाद। आपका नंबर पक्का हुआ।";
    was_saved: "Saved.", "सहेजा गया।";
    not_paid: "The payment has not arrived. If money left your account, it is booked here within minutes or goes back to you.", "भुगतान नहीं मिला। अगर पैसे कटे हैं, तो कुछ मिनट में यहाँ दिखेंगे या लौट आएँगे।";
    pay_later: "Online payment is not available just now.", "ऑनलाइन भुगतान अभी नहीं हो सकता।";

    time_is_full: "This time has just been taken. Please choose another.", "यह समय अभी-अभी भर गया। दूसरा चुनें।";
    changed_meanwhile: "The booking has changed meanwhile. This is how it is now.", "इस बीच बुकिंग बदल गई। अब यह ऐसी है।";
    proof_needed: "For this time your number must be confirmed first.", "इस समय के लिए पहले अपना नंबर पक्का करें।";
    not_possible: "This is not possible any more.", "यह अब नहीं हो सकता।";

    ended_title: "This link does not work any more", "यह लिंक अब नहीं चलता";
    ended_why: "Links end some weeks after the visit, and the shop can end them. Your booking is not changed by that.", "लिंक आने के कुछ हफ़्ते बाद बंद हो जाते हैं, और दुकान भी बंद कर सकती है। इससे बुकिंग नहीं बदलती।";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_has_its_words_in_both_languages() {
        for (name, english, hindi) in ALL {
            assert!(!english.is_empty() && !hindi.is_empty(), "{name}");
            let is_devanagari = hindi.chars().any(|letter| ('\u{900}'..='\u{97f}').contains(&letter));
            assert!(is_devanagari, "{name}: {hindi}");
        }
    }
}
