//! The sample catalogue, compiled in so that a first deployment can import it.

use shared::catalogue::import::Files;

/// The files of `local/catalogue`.
pub(crate) fn files() -> Files {
    [
        ("vehicle_types.csv", include_str!("../../../local/catalogue/vehicle_types.csv")),
        ("vehicle_brands.csv", include_str!("../../../local/catalogue/vehicle_brands.csv")),
        ("vehicle_models.csv", include_str!("../../../local/catalogue/vehicle_models.csv")),
        ("service_categories.csv", include_str!("../../../local/catalogue/service_categories.csv")),
        ("services.csv", include_str!("../../../local/catalogue/services.csv")),
        ("service_pricing.csv", include_str!("../../../local/catalogue/service_pricing.csv")),
        ("shop_info.json", include_str!("../../../local/catalogue/shop_info.json")),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .collect()
}
