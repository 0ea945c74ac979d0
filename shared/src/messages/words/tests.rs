//! Every kind on every channel in every language, with the longest names.

use super::{mail, sms, template};
use crate::{
    bookings::status::{BookingStatus, PaymentStatus, ServiceLocation},
    carriers::Mail,
    language::Language,
    messages::{Kind, Link, Situation},
};

fn at(text: &str) -> chrono::NaiveDateTime {
    chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
}

fn situation(name: &str, shop: &str) -> Situation {
    Situation {
        now: at("2026-11-20 10:00"),
        shop: shop.to_owned(),
        shop_phone: "+919876543210".to_owned(),
        shop_address: "12 MG Road,\nBengaluru".to_owned(),
        reference: "RMB-TKR9M-99C8Z".to_owned(),
        name: name.to_owned(),
        vehicle: "Royal Enfield Continental GT 650 Anniversary Edition".to_owned(),
        status: BookingStatus::Confirmed,
        payment_status: PaymentStatus::Pending,
        location: ServiceLocation::Home,
        address: "Flat 1204, Tower B".to_owned(),
        start: Some(at("2026-11-25 10:30")),
        was: Some(at("2026-11-25 12:30")),
        total_paise: 99_999_999,
        refunded_paise: 99_999_999,
        changed: "phone_number".to_owned(),
        ..Situation::default()
    }
}

fn link() -> Link {
    Link { prefix: "https://api.repairmybike.example/b/".to_owned(), suffix: "vXvB61ZADouBg9JQHLK4xw".to_owned() }
}

/// How many parts an SMS takes: 160 characters of GSM 03.38 or 70 of UCS-2 in one, a few less in each of several.
fn parts(text: &str) -> usize {
    let (one, several, length) = if text.is_ascii() {
        // Of ASCII these take two places.
        let doubled = text.chars().filter(|letter| "^{}\\[]~|".contains(*letter)).count();
        (160, 153, text.len() + doubled)
    } else {
        (70, 67, text.encode_utf16().count())
    };
    if length <= one { 1 } else { length.div_ceil(several) }
}

#[test]
fn every_kind_fits_every_channel_in_every_language() {
    let long = "Venkatanarasimharajuvaripeta Subrahmanya Chandrasekhara Ramanathan Krishnamurthy Iyer Junior Esquire";
    let situation = situation(long, "Sri Venkateswara Two Wheeler Multi Brand Service Centre");
    let link = link();
    for kind in Kind::ALL {
        for language in Language::ALL {
            let Mail { subject, text, html, .. } =
                mail(("a@b.example", "1"), (kind, language), &situation, Some(&link));
            assert!(!subject.is_empty() && subject.lines().count() == 1 && subject.chars().count() < 120, "{subject}");
            assert!(!text.contains("\n\n\n") && !text.contains('{') && text.ends_with(&situation.shop_phone), "{text}");
            assert_eq!(text.contains(&link.url()), !kind.is_about_account(), "{text}");
            assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())), "{html}");
            if kind.is_for_staff() {
                continue;
            }
            let template = template(("+919876543210", "1"), (kind, language), &situation, Some(&link));
            assert!(!template.parameters.is_empty());
            for parameter in &template.parameters {
                assert!(
                    !parameter.is_empty() && parameter.lines().count() == 1 && !parameter.contains("  "),
                    "{parameter}"
                );
            }
            let sms = sms((kind, language), &situation, Some(&link));
            let most = if language == Language::English { 2 } else { 3 };
            assert!(parts(&sms.text) <= most, "{} parts: {}", parts(&sms.text), sms.text);
            assert_eq!(sms.text.is_ascii(), language == Language::English, "{}", sms.text);
            assert!(!sms.text.contains('₹'), "{}", sms.text);
            for variable in &sms.variables {
                assert!((1..=40).contains(&variable.chars().count()), "{variable}");
                assert!(sms.text.contains(variable), "{variable}: {}", sms.text);
            }
        }
    }
}

#[test]
fn without_a_link_an_english_sms_is_one_part() {
    for kind in Kind::ALL.into_iter().filter(|kind| !kind.is_for_staff()) {
        let sms = sms((kind, Language::English), &situation("Jane", "RepairMyBike"), None);
        assert_eq!(parts(&sms.text), 1, "{}", sms.text);
    }
}

#[test]
fn the_words_are_these() {
    let mut situation = situation("Jane <b>", "City Bikes");
    situation.own_text = Some("Park behind the shop & ring.".to_owned());
    let what = (Kind::Confirmed, Language::English);
    let Mail { to, tag, subject, text, html, .. } = mail(("a@b.example", "17"), what, &situation, Some(&link()));
    assert_eq!((to.as_str(), tag.as_str()), ("a@b.example", "17"));
    assert_eq!(subject, "Your booking RMB-TKR9M-99C8Z is confirmed");
    assert_eq!(
        text,
        "Park behind the shop & ring.\n\nHello Jane <b>,\n\nyour booking RMB-TKR9M-99C8Z for your Royal Enfield Continental GT \
         650 Anniversary Edition is confirmed: Wed 25 Nov, 10:30 AM, at your address (Flat 1204, Tower B). It costs \
         ₹999999.99.\n\nYour booking: https://api.repairmybike.example/b/vXvB61ZADouBg9JQHLK4xw\n\nCity Bikes, +919876543210"
    );
    assert!(html.contains("Jane &#60;b&#62;") && html.contains("shop &#38; ring"), "{html}");
    let sms = sms((Kind::Confirmed, Language::Hindi), &situation, Some(&link()));
    assert_eq!(sms.name, "booking_confirmed.hi");
    assert_eq!(sms.variables, ["RMB-TKR9M-99C8Z", "बुध 25 नवंबर, सुबह 10:30", "vXvB61ZADouBg9JQHLK4xw"]);
    assert_eq!(
        sms.text,
        "City Bikes: बुकिंग RMB-TKR9M-99C8Z, बुध 25 नवंबर, सुबह 10:30, पक्की है. \
         https://api.repairmybike.example/b/vXvB61ZADouBg9JQHLK4xw"
    );
    let template = template(("+919876543210", "17"), (Kind::Rescheduled, Language::English), &situation, Some(&link()));
    assert_eq!((template.name.as_str(), template.language), ("booking_rescheduled", "en"));
    assert_eq!(
        template.parameters,
        ["Jane <b>", "RMB-TKR9M-99C8Z", "Wed 25 Nov, 10:30 AM", "at your address", "Wed 25 Nov, 12:30 PM"]
    );
    assert_eq!(template.link.as_deref(), Some("vXvB61ZADouBg9JQHLK4xw"));
}
