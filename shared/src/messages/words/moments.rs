//! Moments on the shop's clock, in words.

use chrono::{Datelike, NaiveDateTime, Timelike};

use super::Language;

const DAYS: [&str; 7] = ["सोम", "मंगल", "बुध", "गुरु", "शुक्र", "शनि", "रवि"];
const MONTHS: [&str; 12] =
    ["जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"];

/// `Tue 24 Nov, 10:00 AM`, `मंगल 24 नवंबर, सुबह 10:00`.
pub(super) fn moment(language: Language, at: NaiveDateTime) -> String {
    match language {
        Language::English => at.format("%a %-d %b, %-I:%M %p").to_string(),
        Language::Hindi => {
            let name = |names: &[&'static str], index: u32| {
                usize::try_from(index).ok().and_then(|index| names.get(index).copied()).unwrap_or_default()
            };
            let part = match at.hour() {
                4..12 => "सुबह",
                12..16 => "दोपहर",
                16..20 => "शाम",
                _ => "रात",
            };
            let (_, hour) = at.hour12();
            format!(
                "{} {} {}, {part} {hour}:{:02}",
                name(&DAYS, at.weekday().num_days_from_monday()),
                at.day(),
                name(&MONTHS, at.month0()),
                at.minute()
            )
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
