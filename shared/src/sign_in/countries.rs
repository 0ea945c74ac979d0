//! The countries to whose phone numbers one-time codes are sent: messages to some cost many times those to others.

use std::{str::FromStr, sync::Arc};

use crate::{Error, Result, phone::Phone};

/// What is said of a number that gets none.
pub const NO_CODES: &str = "Codes cannot be sent to this number.";

/// Calling codes; `None` for all countries.
#[derive(Clone, Debug)]
pub struct Countries(Option<Arc<[String]>>);

impl Countries {
    /// Refuses a number of another country, and one of India that is no mobile number.
    pub(super) fn admit(&self, phone: &Phone) -> Result<()> {
        let digits = phone.as_str().trim_start_matches('+');
        let is_listed = self.0.as_ref().is_none_or(|codes| codes.iter().any(|code| digits.starts_with(code.as_str())));
        if is_listed && digits.strip_prefix("91").is_none_or(is_mobile) {
            return Ok(());
        }
        Err(Error::faulty_field("phone_number", NO_CODES))
    }
}

fn is_mobile(digits: &str) -> bool {
    digits.len() == 10 && digits.starts_with(['6', '7', '8', '9'])
}

impl Default for Countries {
    /// India.
    fn default() -> Self {
        Self(Some(Arc::new(["91".to_owned()])))
    }
}

/// The list has something that is no calling code.
#[derive(Debug, thiserror::Error)]
#[error("write calling codes as 91,1 or * for all")]
pub struct NotCountries;

impl FromStr for Countries {
    type Err = NotCountries;

    fn from_str(text: &str) -> Result<Self, NotCountries> {
        if text.trim() == "*" {
            return Ok(Self(None));
        }
        let code = |code: &str| {
            let code = code.trim().trim_start_matches('+');
            let is_code = (1..=4).contains(&code.len()) && code.bytes().all(|digit| digit.is_ascii_digit());
            if is_code { Ok(code.to_owned()) } else { Err(NotCountries) }
        };
        text.split(',').map(code).collect::<Result<Vec<_>, _>>().map(|codes| Self(Some(codes.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::Countries;

    #[test]
    fn only_numbers_of_listed_countries_get_codes_and_indian_ones_only_if_mobile() {
        let admitted = |countries: &Countries, phone: &str| countries.admit(&phone.parse().unwrap()).is_ok();
        let listed: Countries = "91, +1".parse().unwrap();
        for (phone, india, both) in [
            ("+919876543210", true, true),
            ("+1234567890", false, true),
            ("+447700900123", false, false),
            // A number of Kolkata, which is no mobile.
            ("+913322223333", false, false),
            ("+91987654321", false, false),
        ] {
            assert_eq!(
                phone.parse::<crate::phone::Phone>().is_ok_and(|_| admitted(&Countries::default(), phone)),
                india
            );
            assert_eq!(phone.parse::<crate::phone::Phone>().is_ok_and(|_| admitted(&listed, phone)), both, "{phone}");
        }
        assert!(admitted(&"*".parse().unwrap(), "+447700900123"));
    }

    #[test]
    fn a_malformed_list_is_refused() {
        for text in ["", "91,", "India", "91 1", "99999"] {
            assert!(text.parse::<Countries>().is_err(), "{text}");
        }
    }
}
