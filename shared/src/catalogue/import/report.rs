//! Report of an import: row counts by file.

use std::ops::Add;

use serde::Serialize;

use crate::ids::BookingId;

/// The result of an import.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether the files were written: not for a preview, and not if the catalogue was to be empty and is not. The counts
    /// of a preview are those that an import would have.
    pub applied: bool,
    /// The current version of the catalogue: higher than before if anything changed, and unique to this database.
    pub version: i64,
    pub vehicle_types: Rows,
    pub vehicle_brands: Rows,
    pub vehicle_models: Rows,
    pub service_categories: Rows,
    pub services: Rows,
    /// `service_pricing.csv`.
    pub service_prices: Rows,
    /// `shop_info.json`: the shop, its opening hours and its holidays.
    pub shop: Rows,
    /// Ids of the bookings to come that lie outside hours, holidays or capacity once the files are in effect.
    pub left_outside: Vec<BookingId>,
}

/// Row counts of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    pub added: i64,
    /// Values differed, or the row was archived.
    pub changed: i64,
    /// Equal already.
    pub left_alone: i64,
    /// No longer in the file, so no longer on offer. Rows that bookings refer to are kept as archived.
    pub removed: i64,
}

impl Rows {
    fn are_touched(self) -> bool {
        self.added + self.changed + self.removed > 0
    }

    /// `outcomes` says for each written row whether it was added; `removed` counts rows archived or deleted before.
    pub(super) fn tally(rows: usize, outcomes: &[bool], removed: u64) -> Self {
        let count =
            |wanted| i64::try_from(outcomes.iter().filter(|added| **added == wanted).count()).unwrap_or(i64::MAX);
        let (added, changed) = (count(true), count(false));
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let removed = i64::try_from(removed).unwrap_or(i64::MAX);
        Self { added, changed, left_alone: rows - added - changed, removed }
    }
}

impl Add for Rows {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            added: self.added + other.added,
            changed: self.changed + other.changed,
            left_alone: self.left_alone + other.left_alone,
            removed: self.removed + other.removed,
        }
    }
}

impl Report {
    pub(super) fn is_change(&self) -> bool {
        [
            self.vehicle_types,
            self.vehicle_brands,
            self.vehicle_models,
            self.service_categories,
            self.services,
            self.service_prices,
            self.shop,
        ]
        .into_iter()
        .any(Rows::are_touched)
    }
}
