//! Which prices a page is about: those of a brand, a model, a service.

use shared::ids::{ServiceId, VehicleBrandId, VehicleModelId};

use super::PLACE;
use crate::kit::ask::Ask;

/// A choice of prices by the ids in a page's address.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choice {
    pub(super) brand: Option<VehicleBrandId>,
    pub(super) model: Option<VehicleModelId>,
    pub(super) service: Option<ServiceId>,
}

impl Choice {
    pub(super) fn of(ask: &Ask) -> Self {
        Self {
            brand: ask.id("brand").map(VehicleBrandId),
            model: ask.id("model").map(VehicleModelId),
            service: ask.id("service").map(ServiceId),
        }
    }

    pub(super) fn brand(id: VehicleBrandId) -> Self {
        Self { brand: Some(id), ..Self::default() }
    }

    /// Whether no id was given: all prices would be too many for a page.
    pub(super) fn is_open(self) -> bool {
        self.brand.is_none() && self.model.is_none() && self.service.is_none()
    }

    /// Whether it is one service of all brands, which is shown as a list of models.
    pub(super) fn is_list(self) -> bool {
        self.service.is_some() && self.brand.is_none() && self.model.is_none()
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
        let ids = [
            ("brand", self.brand.map(|id| id.to_string())),
            ("model", self.model.map(|id| id.to_string())),
            ("service", self.service.map(|id| id.to_string())),
        ];
        query.extend_pairs(ids.into_iter().filter_map(|(name, id)| Some((name, id?))));
        let query = query.extend_pairs(more).finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}
