-- Who booked what, for when and at which price, and what became of it.
create table customers (
    id bigint generated always as identity primary key,
    phone text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint customers_phone_key unique (phone),
    constraint customers_phone_check check (phone ~ '^\+[0-9]{8,15}$')
);

create type booking_status as enum ('pending', 'confirmed', 'in_progress', 'completed', 'cancelled');
create type payment_status as enum ('pending', 'completed', 'refunded');
create type payment_method as enum ('cash', 'razorpay');
-- Also the two pools of capacity: bays at the shop, crews for home visits.
create type service_location as enum ('home', 'shop');

-- Name and e-mail stand here, not with the customer: they are what was given with this booking.
create table bookings (
    id bigint generated always as identity primary key,
    reference text not null,
    customer_id bigint not null references customers (id),
    customer_name text not null,
    customer_email text,
    vehicle_model_id bigint not null references vehicle_models (id),
    service_location service_location not null,
    address text not null default '',
    appointment_date date not null,
    appointment_time time not null,
    -- The slots that the booking holds, as they were cut when it took them.
    slot_times time[] not null,
    duration_minutes integer not null,
    total_paise bigint not null,
    payment_method payment_method not null,
    payment_status payment_status not null default 'pending',
    booking_status booking_status not null default 'pending',
    notes text not null default '',
    access_token_sha256 bytea not null,
    access_token_expires_at timestamptz not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint bookings_reference_key unique (reference),
    constraint bookings_address_check check (service_location <> 'home' or address <> ''),
    constraint bookings_slot_times_check check (cardinality(slot_times) > 0),
    constraint bookings_duration_minutes_check check (duration_minutes > 0),
    constraint bookings_total_paise_check check (total_paise > 0),
    constraint bookings_access_token_sha256_check check (octet_length(access_token_sha256) = 32)
);
create index bookings_customer_id_id_idx on bookings (customer_id, id desc);
create index bookings_vehicle_model_id_idx on bookings (vehicle_model_id);

create table booking_services (
    id bigint generated always as identity primary key,
    booking_id bigint not null references bookings (id),
    service_id bigint not null references services (id),
    price_paise bigint not null,
    created_at timestamptz not null default now(),
    constraint booking_services_booking_id_service_id_key unique (booking_id, service_id),
    constraint booking_services_price_paise_check check (price_paise > 0)
);
create index booking_services_service_id_idx on booking_services (service_id);

-- A booking costs what its lines cost; looked at when the transaction commits, so that both may be written in it.
create function check_booking_total() returns trigger language plpgsql as $$
declare
    checked_id bigint;
    lines_paise bigint;
begin
    if tg_table_name = 'bookings' then
        checked_id := new.id;
    elsif tg_op = 'DELETE' then
        checked_id := old.booking_id;
    else
        checked_id := new.booking_id;
    end if;
    select coalesce(sum(price_paise), 0) into lines_paise from booking_services where booking_id = checked_id;
    if exists (select from bookings where id = checked_id and total_paise <> lines_paise) then
        raise exception 'booking % does not cost the sum of its lines', checked_id
            using errcode = 'check_violation', constraint = 'bookings_total_paise_lines_check';
    end if;
    return null;
end $$;
create constraint trigger bookings_total_paise_lines_check
    after insert or update of total_paise on bookings
    deferrable initially deferred for each row execute function check_booking_total();
create constraint trigger booking_services_total_paise_lines_check
    after insert or update or delete on booking_services
    deferrable initially deferred for each row execute function check_booking_total();

-- How much of a slot is taken. The check is what stops double booking, whatever runs at once.
create table slot_usage (
    pool service_location not null,
    date date not null,
    time time not null,
    used integer not null,
    capacity integer not null,
    overbooked integer not null default 0,
    primary key (pool, date, time),
    constraint slot_usage_used_check check (used >= 0),
    constraint slot_usage_overbooked_check check (overbooked >= 0),
    constraint slot_usage_capacity_check check (used <= capacity + overbooked)
);

-- The timeline of a booking: written once, never changed.
create table booking_events (
    id bigint generated always as identity primary key,
    booking_id bigint not null references bookings (id),
    event text not null,
    from_status booking_status,
    to_status booking_status not null,
    actor text not null,
    -- Why, in the words of whoever did it.
    reason text not null default '',
    created_at timestamptz not null default now()
);
create index booking_events_booking_id_id_idx on booking_events (booking_id, id);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger booking_events_append_only
    before update or delete or truncate on booking_events
    for each statement execute function refuse_change();
