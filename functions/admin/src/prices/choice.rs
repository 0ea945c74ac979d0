//! Which prices a page is about: those of a brand, a model, a service.

use crate::kit::ask::Ask;

use super::PLACE;

/// A choice of prices by the ids in a page's address.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choice {
    pub(super) brand: Option<i64>,
    pub(super) model: Option<i64>,
    pub(super) service: Option<i64>,
}

impl Choice {
    pub(super) fn of(ask: &Ask) -> Self {
        Self { brand: ask.id("brand"), model: ask.id("model"), service: ask.id("service") }
    }

    pub(super) fn brand(id: i64) -> Self {
        Self { brand: Some(id), ..Self::default() }
    }

    /// Whether no id was given: all prices would be too many for a page.
    pub(super) fn is_open(self) -> bool {
        self.brand.or(self.model).or(self.service).is_none()
    }

    /// Whether it is one service of all brands, which is shown as a list of models.
    pub(super) fn is_list(self) -> bool {
        self.service.is_some() && self.brand.or(self.model).is_none()
    }

    /// The grid of these prices, with more of a query such as `&done=saved`.
    pub(super) fn address(self, more: &[(&str, &str)]) -> String {
        self.below(PLACE.path, more)
    }

    /// The same prices as a file.
    pub(super) fn file(self) -> String {
        self.below("/admin/prices.csv", &[])
    }

    fn below(self, path: &str, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, id) in [("brand", self.brand), ("model", self.model), ("service", self.service)] {
            if let Some(id) = id {
                query.append_pair(name, &id.to_string());
            }
        }
        let query = query.extend_pairs(more).finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}
