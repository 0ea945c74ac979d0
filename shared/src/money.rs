//! Amounts in paise, and their form in rupees: `"750.10"` as a text, `750.10` as a number.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer, ser::Error};
use serde_json::{Value, json, value::RawValue};

use crate::written::Written;

/// An amount in paise. Serialised as text in rupees with two decimals, the contract's form of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(transparent)]
pub struct Money(i64);

impl Money {
    pub const fn from_paise(paise: i64) -> Self {
        Self(paise)
    }

    pub const fn paise(self) -> i64 {
        self.0
    }

    /// `₹1,23,456.00`: for people, grouped as in India.
    pub fn grouped(self) -> String {
        let plain = self.to_string();
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |digits| ("-", digits));
        let (whole, paise) = digits.split_once('.').unwrap_or((digits, "00"));
        let (high, low) = whole.split_at(whole.len().saturating_sub(3));
        let mut groups = Vec::new();
        let mut rest = high;
        while !rest.is_empty() {
            let (before, group) = rest.split_at(rest.len().saturating_sub(2));
            groups.push(group);
            rest = before;
        }
        groups.reverse();
        groups.push(low);
        format!("{sign}₹{}.{paise}", groups.join(","))
    }
}

impl From<i64> for Money {
    fn from(paise: i64) -> Self {
        Self(paise)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(formatter, "{sign}{}.{:02}", self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An amount in a request: rupees with at most two decimals, above 0.
impl Written for Money {
    fn parse(text: &str) -> Result<Self, String> {
        let amount: Self = text.parse().map_err(|error: NotMoney| error.to_string())?;
        if amount.paise() > 0 { Ok(amount) } else { Err("Ensure this value is greater than 0.".to_owned()) }
    }

    fn rules() -> Value {
        json!({ "pattern": r"^\d+(\.\d{1,2})?$" })
    }
}

/// The text is no amount in rupees with at most two decimals.
#[derive(Debug, thiserror::Error)]
#[error("A valid amount is required, such as 750.10.")]
pub struct NotMoney;

impl FromStr for Money {
    type Err = NotMoney;

    fn from_str(text: &str) -> Result<Self, NotMoney> {
        let (rupees, paise) = text.split_once('.').unwrap_or((text, "0"));
        let are_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !are_digits(rupees) || !are_digits(paise) || paise.len() > 2 {
            return Err(NotMoney);
        }
        let rupees: i64 = rupees.parse().map_err(|_| NotMoney)?;
        let paise: i64 = format!("{paise:0<2}").parse().map_err(|_| NotMoney)?;
        rupees.checked_mul(100).and_then(|whole| whole.checked_add(paise)).map(Self).ok_or(NotMoney)
    }
}

/// Serialised as an exact JSON number in rupees, where the contract has one.
#[derive(Clone, Copy, Debug, sqlx::Type)]
#[sqlx(transparent)]
pub struct Rupees(pub Money);

impl From<i64> for Rupees {
    fn from(paise: i64) -> Self {
        Self(Money(paise))
    }
}

impl Serialize for Rupees {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_grouped_as_in_india() {
        for (paise, text) in [
            (0, "₹0.00"),
            (75_010, "₹750.10"),
            (123_456, "₹1,234.56"),
            (12_345_600, "₹1,23,456.00"),
            (1_234_567_890, "₹1,23,45,678.90"),
            (-5_000, "-₹50.00"),
        ] {
            assert_eq!(Money::from_paise(paise).grouped(), text);
        }
    }

    #[test]
    fn a_json_number_has_two_decimals() {
        assert_eq!(serde_json::to_string(&Rupees::from(115)).unwrap(), "1.15");
        assert_eq!(serde_json::to_string(&Rupees::from(75_010)).unwrap(), "750.10");
    }

    #[test]
    fn an_invalid_amount_is_refused() {
        for text in ["", ".", "1.", ".5", "1.234", "-1", "+1", "1e3", "1,000", "٣", " 1", "99999999999999999999"] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_amount_parses_to_itself(paise in 0_i64..=i64::MAX) {
            prop_assert_eq!(Money::from_paise(paise).to_string().parse::<Money>().unwrap(), Money::from_paise(paise));
        }
    }
}
