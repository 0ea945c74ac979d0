//! What a user has typed into a grid, compared with what was shown and with what is saved now.

use std::collections::{BTreeMap, BTreeSet};

use shared::{catalogue::prices::Price, money::Money};

use super::{
    amount,
    offers::{Offer, Pair, expand, pair_of},
};
use crate::kit::form::Form;

/// The cells of a form whose content is not what was shown. The others are of no account, so a page without script may
/// send them all.
#[derive(Debug, Default)]
pub(super) struct Draft {
    cells: BTreeMap<Pair, Typed>,
    /// Some input has a name that the grid does not use.
    is_strange: bool,
}

/// A cell that was changed by hand.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) text: String,
    /// The sentence of a text that is no price.
    pub(super) price: Result<Option<i64>, &'static str>,
    /// The price that was shown.
    pub(super) was: Option<i64>,
}

impl Draft {
    pub(super) fn of(form: &Form) -> Self {
        let shown: BTreeMap<Pair, Option<i64>> = expand(form.value("was")).unwrap_or_default().into_iter().collect();
        let mut draft = Self::default();
        for (name, text) in form.pairs() {
            let Some(cell) = name.strip_prefix("price-") else { continue };
            let Some(pair) = pair_of(cell) else {
                draft.is_strange = true;
                continue;
            };
            let (price, was) = (amount::parse(text), shown.get(&pair).copied().flatten());
            if price != Ok(was) {
                draft.cells.insert(pair, Typed { text: text.clone(), price, was });
            }
        }
        draft
    }

    pub(super) fn cell(&self, pair: Pair) -> Option<&Typed> {
        self.cells.get(&pair)
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn is_faulty(&self) -> bool {
        self.cells.values().any(|typed| typed.price.is_err())
    }

    /// Compares it with the saved prices of the grid. A cell that is saved as it was typed needs nothing, so a form that
    /// is sent twice finds its work done.
    pub(super) fn compare(&self, saved: &[Offer]) -> Compared {
        let saved: BTreeMap<Pair, Option<i64>> = saved.iter().map(|offer| (offer.pair(), offer.paise)).collect();
        let mut compared = Compared { has_foreign: self.is_strange, ..Compared::default() };
        for (&pair, typed) in &self.cells {
            let (Ok(price), Some(&now)) = (typed.price, saved.get(&pair)) else {
                compared.has_foreign = true;
                continue;
            };
            if now == price {
                continue;
            }
            if now != typed.was {
                compared.clashes.insert(pair);
            }
            compared.changes.push(change(pair, price));
        }
        compared
    }
}

/// What saving a [`Draft`] means.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) changes: Vec<Price>,
    /// Cells that another user has changed to something else meanwhile.
    pub(super) clashes: BTreeSet<Pair>,
    /// Some cell is not one of the grid.
    pub(super) has_foreign: bool,
}

pub(super) fn change(pair: Pair, paise: Option<i64>) -> Price {
    Price { service_id: pair.service_id, vehicle_model_id: pair.vehicle_model_id, price: paise.map(Money::from_paise) }
}
