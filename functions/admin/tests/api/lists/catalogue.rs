//! The lists of what is on offer.

use super::table::{CREATED, CREATED_ON, Column, Filter, ID, ID_COLUMN, Listed};

const NAME: Column = Column("Name", "name", "record.name", "lower(record.name)");
const UPDATED: Column = Column("Updated", "updated", "file_time(record.updated_at)", "record.updated_at");
const ON_OFFER: &str = "record.archived_at is null";

pub(super) const LISTS: &[Listed] = &[
    Listed {
        path: "/admin/vehicle-types/",
        from: "vehicle_types record",
        shown: ON_OFFER,
        key: ID,
        columns: &[ID_COLUMN, NAME, UPDATED, CREATED],
        filters: &[CREATED_ON],
        search: &[("name", "E 1", "lower(record.name) like '%e 1%'")],
    },
    Listed {
        path: "/admin/vehicle-brands/",
        from: "vehicle_brands record join vehicle_types type on type.id = record.vehicle_type_id",
        shown: ON_OFFER,
        key: ID,
        columns: &[ID_COLUMN, NAME, Column("Vehicle type", "type", "type.name", "lower(type.name)"), CREATED],
        filters: &[Filter::Some("type", &[("1", "type.id = 1"), ("3", "type.id = 3")]), CREATED_ON],
        search: &[("name", "hoNda", "record.name = 'Honda'"), ("type", "scoot", "type.name = 'Scooter'")],
    },
    Listed {
        path: "/admin/vehicle-models/",
        from: "vehicle_models record join vehicle_brands brand on brand.id = record.vehicle_brand_id
            join vehicle_types type on type.id = brand.vehicle_type_id",
        shown: ON_OFFER,
        key: ID,
        columns: &[ID_COLUMN, NAME, Column("Brand", "brand", "brand.name", "lower(brand.name)"), CREATED],
        filters: &[Filter::Some("brand", &[("1", "brand.id = 1"), ("2", "brand.id = 2")]), CREATED_ON],
        search: &[
            ("name", "activa", "record.name ilike '%activa%'"),
            ("brand", "hero", "brand.name ilike '%hero%'"),
            ("type", "scooter", "type.name = 'Scooter'"),
        ],
    },
    Listed {
        path: "/admin/service-categories/",
        from: "service_categories record",
        shown: ON_OFFER,
        key: ID,
        columns: &[ID_COLUMN, NAME, UPDATED, CREATED],
        filters: &[CREATED_ON],
        search: &[("name", "brake", "record.name = 'Brakes'")],
    },
    Listed {
        path: "/admin/services/",
        from: "services record join service_categories category on category.id = record.service_category_id",
        shown: ON_OFFER,
        key: ID,
        columns: &[ID_COLUMN, NAME, Column("Category", "category", "category.name", "lower(category.name)"), CREATED],
        filters: &[Filter::Some("category", &[("1", "category.id = 1"), ("4", "category.id = 4")]), CREATED_ON],
        search: &[
            ("name", "oil change", "record.name ilike '%oil change%'"),
            ("category", "tyres", "category.name ilike '%tyres%'"),
        ],
    },
    Listed {
        path: "/admin/prices/list/",
        from: "service_prices record join services service on service.id = record.service_id
            join vehicle_models model on model.id = record.vehicle_model_id
            join vehicle_brands brand on brand.id = model.vehicle_brand_id",
        shown: "service.archived_at is null",
        key: (&["Service", "Model"], "concat_ws('|', service.name, brand.name || ' ' || model.name)"),
        columns: &[
            Column("Service", "service", "service.name", "lower(service.name)"),
            Column("Model", "model", "brand.name || ' ' || model.name", "lower(brand.name || ' ' || model.name)"),
            Column("Price", "price", "file_money(record.price_paise)", "record.price_paise"),
            CREATED,
        ],
        filters: &[
            Filter::Some("service", &[("4", "service.id = 4"), ("50", "service.id = 50")]),
            Filter::Some("model", &[("%23221", "model.id = 221"), ("MAESTRO", "model.name like 'Maestro%'")]),
            CREATED_ON,
        ],
        search: &[
            ("service", "oil", "service.name ilike '%oil%'"),
            ("model", "maestro", "model.name ilike '%maestro%'"),
            ("brand", "hero", "brand.name || ' ' || model.name ilike '%hero%'"),
        ],
    },
];
