-- What the shop sells, and for which machine. Rows that a booking refers to are archived, never deleted.
-- Names are unique among what is on offer; the checks wait for the end of a statement, so that an import may swap names.
create table vehicle_types (
    id bigint generated always as identity primary key,
    name text not null,
    slug text not null,
    image text,
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint vehicle_types_name_check check (name <> ''),
    constraint vehicle_types_name_excl exclude (name with =) where (archived_at is null) deferrable initially immediate
);

create table vehicle_brands (
    id bigint generated always as identity primary key,
    vehicle_type_id bigint not null references vehicle_types (id),
    name text not null,
    image text,
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint vehicle_brands_name_check check (name <> ''),
    constraint vehicle_brands_vehicle_type_id_name_excl
        exclude (vehicle_type_id with =, name with =) where (archived_at is null) deferrable initially immediate
);

create table vehicle_models (
    id bigint generated always as identity primary key,
    vehicle_brand_id bigint not null references vehicle_brands (id),
    name text not null,
    engine_cc integer,
    fuel text not null,
    image text,
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint vehicle_models_name_check check (name <> ''),
    constraint vehicle_models_engine_cc_check check (engine_cc > 0),
    constraint vehicle_models_fuel_check check (fuel in ('petrol', 'electric')),
    constraint vehicle_models_vehicle_brand_id_name_excl
        exclude (vehicle_brand_id with =, name with =) where (archived_at is null) deferrable initially immediate
);

create table service_categories (
    id bigint generated always as identity primary key,
    name text not null,
    description text not null default '',
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint service_categories_name_check check (name <> ''),
    constraint service_categories_name_excl exclude (name with =) where (archived_at is null) deferrable initially immediate
);

create table services (
    id bigint generated always as identity primary key,
    service_category_id bigint not null references service_categories (id),
    name text not null,
    description text not null default '',
    duration_minutes integer not null,
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint services_name_check check (name <> ''),
    constraint services_duration_minutes_check check (duration_minutes > 0),
    constraint services_name_excl exclude (name with =) where (archived_at is null) deferrable initially immediate
);
create index services_service_category_id_idx on services (service_category_id);

-- No row, no sale: a pair without a price is not offered. History keeps its own copy of a price.
create table service_prices (
    id bigint generated always as identity primary key,
    service_id bigint not null references services (id),
    vehicle_model_id bigint not null references vehicle_models (id),
    price_paise bigint not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint service_prices_vehicle_model_id_service_id_key unique (vehicle_model_id, service_id),
    constraint service_prices_price_paise_check check (price_paise > 0)
);
create index service_prices_service_id_idx on service_prices (service_id);

-- The number of the catalogue: every change adds one, and what was cached under an older number is out of reach.
create table catalogue_versions (
    only_row boolean primary key default true,
    version bigint not null,
    constraint catalogue_versions_only_row_check check (only_row)
);
insert into catalogue_versions (version) values (1);
