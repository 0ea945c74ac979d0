//! Moments on the shop's clock, in words.

use chrono::{NaiveDateTime, Timelike};

use super::Language;

/// `Tue 24 Nov, 10:00 AM`, `मंगल 24 नवंबर, सुबह 10:00`.
pub(super) fn moment(language: Language, at: NaiveDateTime) -> String {
    let day = language.day_of_year(at.date());
    match language {
        Language::English => format!("{day}, {}", at.format("%-I:%M %p")),
        Language::Hindi => {
            let part = match at.hour() {
                4..12 => "सुबह",
                12..16 => "दोपहर",
                16..20 => "शाम",
                _ => "रात",
            };
            let (_, hour) = at.hour12();
            format!("{day}, {part} {hour}:{:02}", at.minute())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Language, moment};

    #[test]
    fn moments_read_well_in_both_languages() {
        for (at, english, hindi) in [
            ("2026-11-24 10:00", "Tue 24 Nov, 10:00 AM", "मंगल 24 नवंबर, सुबह 10:00"),
            ("2026-12-01 00:05", "Tue 1 Dec, 12:05 AM", "मंगल 1 दिसंबर, रात 12:05"),
            ("2026-05-31 13:30", "Sun 31 May, 1:30 PM", "रवि 31 मई, दोपहर 1:30"),
        ] {
            let at = chrono::NaiveDateTime::parse_from_str(at, "%Y-%m-%d %H:%M").unwrap();
            assert_eq!(moment(Language::English, at), english);
            assert_eq!(moment(Language::Hindi, at), hindi);
        }
    }
}
