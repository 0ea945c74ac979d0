//! What an import did, by file.

use serde::Serialize;

/// What an import did.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The version of the catalogue that now holds; it grows when anything changed, and no other database has it.
    pub version: i64,
    /// `vehicle_types.csv`.
    pub vehicle_types: Rows,
    /// `vehicle_brands.csv`.
    pub vehicle_brands: Rows,
    /// `vehicle_models.csv`.
    pub vehicle_models: Rows,
    /// `service_categories.csv`.
    pub service_categories: Rows,
    /// `services.csv`.
    pub services: Rows,
    /// `service_pricing.csv`.
    pub service_prices: Rows,
    /// `shop_info.json`: the shop and its opening hours.
    pub shop: Rows,
}

/// What became of the rows of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// New in the database.
    pub added: i64,
    /// There before with other values, or back on offer.
    pub changed: i64,
    /// There before just so.
    pub left_alone: i64,
    /// No longer in the file, so no longer on offer. History keeps what it refers to.
    pub removed: i64,
}

impl Rows {
    fn are_touched(self) -> bool {
        self.added + self.changed + self.removed > 0
    }

    /// `outcomes` holds, for each row written, whether it was added; `removed` rows went before.
    pub(super) fn tally(rows: usize, outcomes: &[bool], removed: u64) -> Self {
        let count =
            |wanted| i64::try_from(outcomes.iter().filter(|added| **added == wanted).count()).unwrap_or(i64::MAX);
        let (added, changed) = (count(true), count(false));
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let removed = i64::try_from(removed).unwrap_or(i64::MAX);
        Self { added, changed, left_alone: rows - added - changed, removed }
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
