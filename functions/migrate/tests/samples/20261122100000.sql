insert into vehicle_types (name, slug) values ('Scooter', 'scooter'), ('Motorcycle', 'motorcycle');
insert into vehicle_brands (vehicle_type_id, name) values (1, 'Honda'), (2, 'Hero');
insert into vehicle_models (vehicle_brand_id, name, engine_cc, fuel) values (1, 'Activa', 110, 'petrol'), (2, 'Vida', null, 'electric');
insert into service_categories (name, description) values ('Oil', 'Oil of all kinds');
insert into services (service_category_id, name, duration_minutes) values (1, 'Oil change', 30), (1, 'Oil filter', 45);
insert into service_prices (service_id, vehicle_model_id, price_paise) values (1, 1, 39000), (2, 1, 36010), (1, 2, 45000);
