//! Prices as people and spreadsheets write them: `559`, `559.00`, `₹1,250.50`.

use shared::{catalogue::prices, money::Money};

use crate::kit::cell::rupees;

/// The highest price, in paise.
pub(super) const HIGHEST: i64 = prices::HIGHEST.paise();

const NOT_A_NUMBER: &str = "Enter an amount such as 559.00.";
const NOT_POSITIVE: &str = "Enter an amount above 0.";
const TOO_EXACT: &str = "Enter at most two decimals.";
const TOO_HIGH: &str = "The highest price is ₹10,00,000.00.";

/// The paise of a price; `None` for an empty text, which stands for no price. The error is the sentence for its author.
pub(super) fn parse(text: &str) -> Result<Option<i64>, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let amount = ["₹", "Rs.", "Rs"].iter().find_map(|sign| text.strip_prefix(sign)).unwrap_or(text).trim_start();
    let (amount, is_negative) = amount.strip_prefix('-').map_or((amount, false), |amount| (amount, true));
    let (rupees, paise) = amount.split_once('.').unwrap_or((amount, "0"));
    let rupees = ungrouped(rupees).ok_or(NOT_A_NUMBER)?;
    if !are_digits(paise) {
        return Err(NOT_A_NUMBER);
    }
    if paise.len() > 2 {
        return Err(TOO_EXACT);
    }
    // A number that is too long for an amount is above the highest one.
    let price = format!("{rupees}.{paise}").parse::<Money>().map_err(|_| TOO_HIGH)?.paise();
    match price {
        _ if is_negative || price == 0 => Err(NOT_POSITIVE),
        _ if price > HIGHEST => Err(TOO_HIGH),
        _ => Ok(Some(price)),
    }
}

/// Digits without the commas of thousands, lakhs and millions. A comma anywhere else could be a decimal sign.
fn ungrouped(digits: &str) -> Option<String> {
    let groups: Vec<&str> = digits.split(',').collect();
    let is_grouped = match groups.as_slice() {
        [_] => true,
        [first, middle @ .., last] => {
            first.len() <= 3 && last.len() == 3 && middle.iter().all(|group| [2, 3].contains(&group.len()))
        }
        [] => false,
    };
    (is_grouped && groups.iter().all(|group| are_digits(group))).then(|| groups.concat())
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A price as inputs and files have it: `559.00`, or nothing.
pub(super) fn plain(paise: Option<i64>) -> String {
    paise.map(|paise| Money::from_paise(paise).to_string()).unwrap_or_default()
}

/// A price as a page says it.
pub(super) fn spoken(paise: Option<i64>) -> String {
    paise.map_or_else(|| "no price".to_owned(), |paise| rupees(Money::from_paise(paise)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_as_people_and_spreadsheets_write_it() {
        for (text, paise) in [
            ("", None),
            ("  ", None),
            ("559", Some(55_900)),
            (" 559.5 ", Some(55_950)),
            ("559.05", Some(55_905)),
            ("0.01", Some(1)),
            ("₹1,250.00", Some(125_000)),
            ("Rs. 1,250", Some(125_000)),
            ("1,00,000", Some(10_000_000)),
            ("100,000", Some(10_000_000)),
            ("10,00,000.00", Some(100_000_000)),
        ] {
            assert_eq!(parse(text), Ok(paise), "{text:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_price_is_faulty() {
        for (text, fault) in [
            ("abc", NOT_A_NUMBER),
            ("₹", NOT_A_NUMBER),
            ("559,00", NOT_A_NUMBER),
            ("5,59", NOT_A_NUMBER),
            ("1.250,00", NOT_A_NUMBER),
            ("1e3", NOT_A_NUMBER),
            ("५५९", NOT_A_NUMBER),
            (".5", NOT_A_NUMBER),
            ("5.", NOT_A_NUMBER),
            ("=1+1", NOT_A_NUMBER),
            ("0", NOT_POSITIVE),
            ("-5", NOT_POSITIVE),
            ("₹-5.00", NOT_POSITIVE),
            ("1.234", TOO_EXACT),
            ("1000000.01", TOO_HIGH),
            ("99999999999999999999", TOO_HIGH),
        ] {
            assert_eq!(parse(text), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn a_price_that_was_shown_is_read_back() {
        for paise in [None, Some(1), Some(55_900), Some(HIGHEST)] {
            assert_eq!(parse(&plain(paise)), Ok(paise));
        }
        assert_eq!(parse(&spoken(Some(12_345_600))), Ok(Some(12_345_600)));
    }
}
