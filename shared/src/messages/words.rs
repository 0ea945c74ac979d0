//! The words of messages: texts from `shared/templates/messages/`, whose variables are checked when they are compiled.
//!
//! The texts of WhatsApp and SMS are registered with Meta and the operators, with numbered variables. What is registered, and
//! the values in their order, both come from the same file, so they cannot differ.

mod moments;
mod registered;
mod text;

#[cfg(test)]
mod tests;

use super::{Kind, Link, Situation};
use crate::{
    bookings::status::{PaymentStatus, ServiceLocation},
    carriers::{Mail, Template},
    language::Language,
    money::Money,
};

pub use registered::{Registered, registered};

/// The longest value of a variable of an SMS, in characters (TRAI, since November 2025).
const LONGEST_VARIABLE: usize = 40;
/// The longest name of a shop in an SMS, which is part of each.
const LONGEST_SHOP: usize = 30;

/// The variables of all texts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Words {
    kind: Kind,
    language: Language,
    name: String,
    shop: String,
    shop_phone: String,
    reference: String,
    vehicle: String,
    when: String,
    /// When it was before.
    was: String,
    place: String,
    amount: String,
    /// What is still to be paid.
    due: String,
    /// What of an account has changed.
    changed: String,
    link: Option<String>,
}

/// An SMS from a registered template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sms {
    /// Our name of the template, `booking_confirmed.en`.
    pub name: String,
    /// The text as it arrives.
    pub text: String,
    pub variables: Vec<String>,
}

impl Words {
    /// The words of a situation. Rupees are written with their sign where the text may hold it.
    fn of(kind: Kind, language: Language, situation: &Situation, rupees: &str) -> Self {
        let money = |paise: i64| format!("{rupees}{}", Money::from_paise(paise));
        let start = situation.start.unwrap_or(situation.now);
        let amount = if kind == Kind::Refunded { situation.refunded_paise } else { situation.total_paise };
        let due = if situation.payment_status == PaymentStatus::Pending { situation.total_paise } else { 0 };
        Self {
            kind,
            language,
            name: situation.name.clone(),
            shop: situation.shop.clone(),
            shop_phone: situation.shop_phone.clone(),
            reference: situation.reference.clone(),
            vehicle: situation.vehicle.clone(),
            when: moments::moment(language, start),
            was: moments::moment(language, situation.was.unwrap_or(start)),
            place: place(language, situation.location).to_owned(),
            amount: money(amount),
            due: money(due),
            changed: changed(language, &situation.changed).to_owned(),
            link: None,
        }
    }
}

const fn place(language: Language, location: ServiceLocation) -> &'static str {
    match (language, location) {
        (Language::English, ServiceLocation::Shop) => "at our shop",
        (Language::English, ServiceLocation::Home) => "at your address",
        (Language::Hindi, ServiceLocation::Shop) => "हमारी दुकान पर",
        (Language::Hindi, ServiceLocation::Home) => "आपके पते पर",
    }
}

fn changed(language: Language, changed: &str) -> &'static str {
    match (language, changed) {
        (Language::English, "phone_number") => "phone number",
        (Language::English, "email") => "e-mail address",
        (Language::English, _) => "password",
        (Language::Hindi, "phone_number") => "फ़ोन नंबर",
        (Language::Hindi, "email") => "ई-मेल पता",
        (Language::Hindi, _) => "पासवर्ड",
    }
}

/// The mail of a message, to an address, with our id of it. The shop's own words stand before ours.
pub fn mail(
    (to, tag): (&str, &str),
    (kind, language): (Kind, Language),
    situation: &Situation,
    link: Option<&Link>,
) -> Mail {
    let mut words = Words::of(kind, language, situation, "₹");
    if !kind.is_about_account() {
        let address = match situation.location {
            ServiceLocation::Shop => &situation.shop_address,
            ServiceLocation::Home => &situation.address,
        };
        words.place = format!("{} ({})", words.place, text::one_line(address));
    }
    let own = situation.own_text.as_deref().map(|own| format!("{own}\n\n")).unwrap_or_default();
    let subject = text::one_line(&text::subject(&words));
    let without_link = format!("{own}{}", text::paragraphs(&text::mail(&words)));
    words.link = link.map(Link::url).filter(|_| !kind.is_about_account());
    let plain = format!("{own}{}", text::paragraphs(&text::mail(&words)));
    let html = text::html(&subject, language, &without_link, words.link.as_deref());
    Mail {
        to: to.to_owned(),
        tag: tag.to_owned(),
        subject,
        text: plain,
        html,
        // Without it some mail programs answer with notes of absence.
        headers: vec![("Auto-Submitted".to_owned(), "auto-generated".to_owned())],
        attachments: Vec::new(),
    }
}

/// The WhatsApp message of a message, to a number.
pub fn template(
    (to, tag): (&str, &str),
    (kind, language): (Kind, Language),
    situation: &Situation,
    link: Option<&Link>,
) -> Template {
    let words = Words::of(kind, language, situation, "₹");
    let values = registered::values(&words, text::whatsapp);
    Template {
        to: to.to_owned(),
        tag: tag.to_owned(),
        name: kind.as_str().to_owned(),
        language: language.tag(),
        // An empty parameter is refused.
        parameters: values.iter().map(|value| text::one_line(value)).map(dash_if_empty).collect(),
        link: link.map(|link| link.suffix.clone()).filter(|_| !kind.is_about_account()),
    }
}

fn dash_if_empty(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

/// The SMS of a message.
pub fn sms((kind, language): (Kind, Language), situation: &Situation, link: Option<&Link>) -> Sms {
    let words = Words::of(kind, language, situation, "Rs. ");
    let cut = |value: &str| dash_if_empty(text::cut(&text::one_line(value), LONGEST_VARIABLE));
    let mut words = words.map(|value| cut(value));
    words.shop = text::cut(&words.shop, LONGEST_SHOP);
    let link = link.filter(|_| !kind.is_about_account());
    let values = registered::values_with_link(&words, link, text::sms);
    words.link = link.map(Link::url);
    Sms {
        name: format!("{}.{}", kind.as_str(), language.tag()),
        text: text::one_line(&text::sms(&words)),
        variables: values,
    }
}

/// A message as it arrives, on each channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    pub subject: String,
    pub mail: String,
    /// `None` for the shop's own people, who get mail alone.
    pub whatsapp: Option<String>,
    pub sms: Option<String>,
}

/// Shows a message as it would arrive.
pub fn preview(kind: Kind, language: Language, situation: &Situation, link: Option<&Link>) -> Preview {
    let Mail { subject, text, .. } = mail(("", ""), (kind, language), situation, link);
    let for_customer = !kind.is_for_staff();
    Preview {
        subject,
        mail: text,
        whatsapp: for_customer.then(|| text::one_line(&text::whatsapp(&Words::of(kind, language, situation, "₹")))),
        sms: for_customer.then(|| sms((kind, language), situation, link).text),
    }
}
