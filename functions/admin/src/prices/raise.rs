//! A change of prices by percent: exact arithmetic in paise.

use serde_json::{Value, json};
use shared::{
    http::{Fields, Read},
    ids::{ServiceCategoryId, ServiceId, VehicleBrandId, VehicleModelId},
    written::Written,
};

use super::offers::Offer;

/// Hundredths of a percent: from −50 % to +100 %, and not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Percent(i64);

impl Written for Percent {
    fn parse(text: &str) -> Result<Self, String> {
        percent(text).ok_or_else(|| "Enter a percentage from -50 to 100, such as 5 or -2.5.".to_owned())
    }

    fn rules() -> Value {
        json!({})
    }
}

fn percent(text: &str) -> Option<Percent> {
    let text = text.strip_suffix('%').unwrap_or(text).trim_end();
    let negative = text.strip_prefix(['-', '−']);
    let digits = negative.or_else(|| text.strip_prefix('+')).unwrap_or(text).trim_start();
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole, 3) || !are_digits(rest, 2) {
        return None;
    }
    let hundredths = format!("{whole}{rest:0<2}").parse::<i64>().ok()?;
    let hundredths = if negative.is_some() { -hundredths } else { hundredths };
    ((-5_000..=10_000).contains(&hundredths) && hundredths != 0).then_some(Percent(hundredths))
}

/// New prices are multiples of this many paise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step(i64);

/// The steps to choose from: value of the input, text, paise.
pub(super) const STEPS: [(&str, &str, i64); 4] =
    [("10", "₹10", 1_000), ("5", "₹5", 500), ("1", "₹1", 100), ("none", "Not rounded", 1)];

impl Written for Step {
    fn parse(text: &str) -> Result<Self, String> {
        let step = STEPS.iter().find(|(value, ..)| *value == text);
        step.map(|(.., paise)| Self(*paise)).ok_or_else(|| "Choose how to round.".to_owned())
    }

    fn rules() -> Value {
        json!({})
    }
}

/// Which prices of a brand change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    All,
    Category(ServiceCategoryId),
    Service(ServiceId),
    Model(VehicleModelId),
}

impl Over {
    fn has(self, offer: &Offer) -> bool {
        match self {
            Self::All => true,
            Self::Category(id) => offer.category_id == id,
            Self::Service(id) => offer.service_id == id,
            Self::Model(id) => offer.vehicle_model_id == id,
        }
    }
}

impl Written for Over {
    fn parse(text: &str) -> Result<Self, String> {
        let over = match text.split_once('-').map(|(kind, id)| (kind, id.parse())) {
            None if text == "all" => Some(Self::All),
            Some(("category", Ok(id))) => Some(Self::Category(ServiceCategoryId(id))),
            Some(("service", Ok(id))) => Some(Self::Service(ServiceId(id))),
            Some(("model", Ok(id))) => Some(Self::Model(VehicleModelId(id))),
            _ => None,
        };
        over.ok_or_else(|| "Choose which prices change.".to_owned())
    }

    fn rules() -> Value {
        json!({})
    }
}

/// A change of a brand's prices by percent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raise {
    pub(super) brand: VehicleBrandId,
    percent: Percent,
    step: Step,
    over: Over,
}

impl Read for Raise {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (brand, percent) = (fields.id("brand"), fields.value("percent"));
        let (step, over) = (fields.value("rounding"), fields.value("over"));
        Some(Self { brand: brand?, percent: percent?, step: step?, over: over? })
    }
}

impl Raise {
    /// The new price of an offer; `None` if it has none or is not among those that change.
    pub(super) fn of(&self, offer: &Offer) -> Option<i64> {
        offer.paise.filter(|_| self.over.has(offer)).map(|paise| raised(paise, self.percent, self.step))
    }
}

/// Rounded once, half up, from the exact result; at least one step, so never 0.
fn raised(paise: i64, Percent(hundredths): Percent, Step(step): Step) -> i64 {
    let exact = i128::from(paise) * i128::from(10_000 + hundredths);
    let unit = i128::from(step) * 10_000;
    let steps = ((2 * exact + unit) / (2 * unit)).max(1);
    i64::try_from(steps * i128::from(step)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_percentage_is_read_with_and_without_sign() {
        for (text, hundredths) in [
            ("5", 500),
            ("+5", 500),
            ("5 %", 500),
            ("-2.5", -250),
            ("−2.5%", -250),
            ("0.25", 25),
            ("-50", -5_000),
            ("100.00", 10_000),
        ] {
            assert_eq!(percent(text), Some(Percent(hundredths)), "{text}");
        }
        for text in ["", "%", "0", "-0.00", "-50.01", "100.01", "1000", "5.125", "five", "5,5", "1e1", "+-5", "+"] {
            assert_eq!(percent(text), None, "{text}");
        }
    }

    #[test]
    fn prices_are_rounded_half_up_to_the_step() {
        let rows = [
            // paise, percent, step, new price
            (55_900, 500, 1, 58_695),
            (55_900, 500, 100, 58_700),
            (55_900, 500, 500, 58_500),
            (55_900, 500, 1_000, 59_000),
            (10_000, 500, 1_000, 11_000),
            (10_000, 499, 1_000, 10_000),
            (10_000, -500, 1_000, 10_000),
            (10_000, -501, 1_000, 9_000),
            (101, 5_000, 1, 152),
            (1, -5_000, 1, 1),
            (300, -500, 1_000, 1_000),
            (99, -5_000, 100, 100),
            (25_000, 10_000, 500, 50_000),
        ];
        for (paise, hundredths, step, expected) in rows {
            assert_eq!(raised(paise, Percent(hundredths), Step(step)), expected, "{paise} {hundredths} {step}");
        }
    }

    proptest! {
        #[test]
        fn a_new_price_is_a_step_that_no_other_is_nearer_to(
            paise in 1_i64..=100_000_000, hundredths in -5_000_i64..=10_000, choice in 0_usize..4,
        ) {
            let step = STEPS[choice].2;
            let new = raised(paise, Percent(hundredths), Step(step));
            prop_assert!(new > 0 && new % step == 0);
            let exact = i128::from(paise) * i128::from(10_000 + hundredths);
            let distance = i128::from(new) * 10_000 - exact;
            let half = i128::from(step) * 5_000;
            // Half a step up is allowed, half a step down is not; below half a step the least price is one step.
            prop_assert!(distance <= half || new == step);
            prop_assert!(distance > -half);
        }

        #[test]
        fn a_higher_price_never_becomes_the_lower_one(
            low in 1_i64..=50_000_000, more in 0_i64..=50_000_000, hundredths in -5_000_i64..=10_000, choice in 0_usize..4,
        ) {
            let (percent, step) = (Percent(hundredths), Step(STEPS[choice].2));
            prop_assert!(raised(low, percent, step) <= raised(low + more, percent, step));
        }
    }
}
