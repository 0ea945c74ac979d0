-- The shop: where it is, when it is open and how much work fits into a slot.
create table shops (
    id bigint generated always as identity primary key,
    name text not null,
    address text not null,
    phone text not null,
    email text not null,
    latitude numeric(9, 6) not null,
    longitude numeric(9, 6) not null,
    time_zone text not null,
    slot_minutes integer not null,
    shop_capacity integer not null,
    home_capacity integer not null,
    home_radius_km integer not null,
    minimum_notice_minutes integer not null,
    booking_horizon_days integer not null,
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint shops_latitude_check check (latitude between -90 and 90),
    constraint shops_longitude_check check (longitude between -180 and 180),
    constraint shops_slot_minutes_check check (slot_minutes between 5 and 1440),
    constraint shops_shop_capacity_check check (shop_capacity >= 0),
    constraint shops_home_capacity_check check (home_capacity >= 0),
    constraint shops_home_radius_km_check check (home_radius_km >= 0),
    constraint shops_minimum_notice_minutes_check check (minimum_notice_minutes >= 0),
    constraint shops_booking_horizon_days_check check (booking_horizon_days between 0 and 3650)
);

-- A weekday without a row is a closed day. ISO numbering: 1 is Monday.
create table opening_hours (
    shop_id bigint not null references shops (id),
    weekday smallint not null,
    opens_at time not null,
    closes_at time not null,
    primary key (shop_id, weekday),
    constraint opening_hours_weekday_check check (weekday between 1 and 7),
    constraint opening_hours_closes_at_check check (opens_at < closes_at)
);

create table holidays (
    shop_id bigint not null references shops (id),
    date date not null,
    name text not null default '',
    primary key (shop_id, date)
);
