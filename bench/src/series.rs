//! Times of a case over the rounds of a run, and their ratios to another's.
//!
//! Cases take turns in short rounds, so other load on the machine affects all of them. A ratio is taken within each
//! round; the report has the median over the rounds, with the quartiles as the uncertainty.

use serde::{Deserialize, Serialize};

/// Times in seconds, by round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    rounds: Vec<Vec<f64>>,
}

/// The ratio of two measurements over the rounds of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    pub median: f64,
    /// The first quartile.
    pub low: f64,
    /// The third quartile.
    pub high: f64,
}

impl Series {
    /// Adds a round.
    pub(crate) fn push(&mut self, times: Vec<f64>) {
        self.rounds.push(times);
    }

    /// A quantile of all times; `part` is from 0 to 1.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        quantile(&mut self.rounds.concat(), part)
    }

    /// The ratio of the medians of each round.
    pub(crate) fn against(&self, other: &Self) -> Ratio {
        let pairs = self.medians().zip(other.medians());
        Ratio::of(pairs.map(|(own, other)| own / other).collect())
    }

    /// Half the interquartile range of the rounds' medians, as a fraction of their median.
    pub(crate) fn noise(&self) -> f64 {
        let mut medians: Vec<f64> = self.medians().collect();
        (quantile(&mut medians, 0.75) - quantile(&mut medians, 0.25)) / 2.0 / quantile(&mut medians, 0.5)
    }

    fn medians(&self) -> impl Iterator<Item = f64> {
        self.rounds.iter().map(|round| quantile(&mut round.clone(), 0.5))
    }
}

impl Ratio {
    /// The median and the quartiles of these.
    pub fn of(mut ratios: Vec<f64>) -> Self {
        let mut at = |part| quantile(&mut ratios, part);
        Self { median: at(0.5), low: at(0.25), high: at(0.75) }
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:.2} ({:.2}–{:.2})", self.median, self.low, self.high)
    }
}

/// A quantile of these values; `NAN` if there are none.
pub(crate) fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a place in a list is a small number and not negative"
    )]
    let place = (last as f64 * part).round() as usize;
    values.get(place).copied().unwrap_or(f64::NAN)
}

/// Converts an integer for arithmetic with floats.
#[expect(clippy::cast_precision_loss, reason = "no number here comes near 2^52")]
pub(crate) const fn number(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        let (mut slow, mut fast) = (Series::default(), Series::default());
        // The machine was four times as busy in the second round, and busier still in the third.
        for (factor, stray) in [(1.0, 9.0), (4.0, 99.0), (20.0, 999.0)] {
            fast.push(vec![1.0 * factor, stray, 1.0 * factor]);
            slow.push(vec![3.0 * factor, stray, 3.0 * factor]);
        }
        assert_eq!(slow.against(&fast), Ratio { median: 3.0, low: 3.0, high: 3.0 });
        assert_eq!((fast.quantile(0.5), fast.quantile(0.99)), (9.0, 999.0));
    }

    #[test]
    fn a_quantile_of_one_value_is_that_value_and_of_none_is_nan() {
        let texts = [(vec![2.0, 1.0, 3.0], 0.5), (vec![7.0], 0.99), (vec![], 0.5)];
        let texts = texts.map(|(mut values, part)| quantile(&mut values, part).to_string());
        assert_eq!(texts, ["2", "7", "NaN"]);
    }
}
