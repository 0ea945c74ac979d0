//! The files of the catalogue: their rows, and what refers to what.

use super::{
    fault::FaultyFiles,
    shop_file::{self, Shop},
    table::{Files, missing, table},
};
use crate::{
    catalogue::{
        services::MINUTES,
        vehicle_models::{ENGINE_CC, FUELS},
    },
    ids::{ServiceCategoryId, ServiceId, VehicleBrandId, VehicleModelId, VehicleTypeId},
    money::Money,
};

/// A validated catalogue: every reference points to a row; every id, name and priced pair is unique.
#[derive(Debug)]
pub struct Catalogue {
    pub(super) types: Vec<VehicleType>,
    pub(super) brands: Vec<VehicleBrand>,
    pub(super) models: Vec<VehicleModel>,
    pub(super) categories: Vec<ServiceCategory>,
    pub(super) services: Vec<Service>,
    /// In the order of their keys.
    pub(super) prices: Vec<Price>,
    pub(super) shop: Shop,
}

#[derive(Debug)]
pub(super) struct VehicleType {
    pub(super) id: VehicleTypeId,
    pub(super) name: String,
    pub(super) slug: String,
}

#[derive(Debug)]
pub(super) struct VehicleBrand {
    pub(super) id: VehicleBrandId,
    pub(super) type_id: VehicleTypeId,
    pub(super) name: String,
}

#[derive(Debug)]
pub(super) struct VehicleModel {
    pub(super) id: VehicleModelId,
    pub(super) brand_id: VehicleBrandId,
    pub(super) name: String,
    pub(super) engine_cc: Option<i32>,
    pub(super) fuel: String,
}

#[derive(Debug)]
pub(super) struct ServiceCategory {
    pub(super) id: ServiceCategoryId,
    pub(super) name: String,
    pub(super) description: String,
}

#[derive(Debug)]
pub(super) struct Service {
    pub(super) id: ServiceId,
    pub(super) category_id: ServiceCategoryId,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) duration_minutes: i32,
}

#[derive(Debug)]
pub(super) struct Price {
    pub(super) service_id: ServiceId,
    pub(super) model_id: VehicleModelId,
    pub(super) price: Money,
}

impl Price {
    /// The key of its row, by which prices are in order.
    pub(super) fn place(&self) -> (VehicleModelId, ServiceId) {
        (self.model_id, self.service_id)
    }
}

/// Parses all seven files and checks the references between them.
pub fn parse(files: &Files) -> Result<Catalogue, FaultyFiles> {
    let mut faults = Vec::new();

    let types = table(files, "vehicle_types.csv", &["id", "name", "slug"], &mut faults, |row| {
        Some(VehicleType { id: row.id("id")?, name: row.text("name")?, slug: row.text("slug")? })
    });
    let brands = table(files, "vehicle_brands.csv", &["id", "vehicle_type_id", "name"], &mut faults, |row| {
        Some(VehicleBrand { id: row.id("id")?, type_id: row.id("vehicle_type_id")?, name: row.text("name")? })
    });
    let model_columns = &["id", "vehicle_brand_id", "name", "engine_cc", "fuel"];
    let models = table(files, "vehicle_models.csv", model_columns, &mut faults, |row| {
        Some(VehicleModel {
            id: row.id("id")?,
            brand_id: row.id("vehicle_brand_id")?,
            name: row.text("name")?,
            engine_cc: row.within_or_empty("engine_cc", ENGINE_CC)?,
            fuel: row.choice("fuel", &FUELS)?,
        })
    });
    let categories = table(files, "service_categories.csv", &["id", "name", "description"], &mut faults, |row| {
        Some(ServiceCategory { id: row.id("id")?, name: row.text("name")?, description: row.lines("description")? })
    });
    let service_columns = &["id", "service_category_id", "name", "description", "duration_minutes"];
    let services = table(files, "services.csv", service_columns, &mut faults, |row| {
        Some(Service {
            id: row.id("id")?,
            category_id: row.id("service_category_id")?,
            name: row.text("name")?,
            description: row.lines("description")?,
            duration_minutes: row.within("duration_minutes", MINUTES)?,
        })
    });
    let price_columns = &["service_id", "vehicle_model_id", "price"];
    let prices = table(files, "service_pricing.csv", price_columns, &mut faults, |row| {
        Some(Price {
            service_id: row.id("service_id")?,
            model_id: row.id("vehicle_model_id")?,
            price: row.price("price")?,
        })
    });
    let shop = match files.get(shop_file::FILE) {
        Some(text) => shop_file::parse(text).map_err(|fault| faults.push(fault)).ok(),
        None => missing(shop_file::FILE, &mut faults),
    };

    types.once("id", |row| row.id, &mut faults);
    types.once("name", |row| row.name.clone(), &mut faults);
    brands.once("id", |row| row.id, &mut faults);
    brands.once("name", |row| (row.type_id, row.name.clone()), &mut faults);
    brands.refers("vehicle_type_id", |row| row.type_id, types.ids(|row| row.id).as_ref(), &mut faults);
    models.once("id", |row| row.id, &mut faults);
    models.once("name", |row| (row.brand_id, row.name.clone()), &mut faults);
    models.refers("vehicle_brand_id", |row| row.brand_id, brands.ids(|row| row.id).as_ref(), &mut faults);
    categories.once("id", |row| row.id, &mut faults);
    categories.once("name", |row| row.name.clone(), &mut faults);
    services.once("id", |row| row.id, &mut faults);
    services.once("name", |row| row.name.clone(), &mut faults);
    services.refers("service_category_id", |row| row.category_id, categories.ids(|row| row.id).as_ref(), &mut faults);
    prices.once("vehicle_model_id", |row| (row.service_id, row.model_id), &mut faults);
    prices.refers("service_id", |row| row.service_id, services.ids(|row| row.id).as_ref(), &mut faults);
    prices.refers("vehicle_model_id", |row| row.model_id, models.ids(|row| row.id).as_ref(), &mut faults);

    match shop {
        Some(shop) if faults.is_empty() => {
            let mut prices = prices.rows();
            prices.sort_unstable_by_key(Price::place);
            Ok(Catalogue {
                types: types.rows(),
                brands: brands.rows(),
                models: models.rows(),
                categories: categories.rows(),
                services: services.rows(),
                prices,
                shop,
            })
        }
        _ => Err(FaultyFiles(faults)),
    }
}
