-- Sessions of the panel. Each belongs to a session of its user and ends with it, whoever ends that one. The cookie is
-- stored as a hash. The roles are those that Descope had when it was last asked; roles_asked_at is its clock.
create table panel_sessions (
    cookie_sha256 bytea primary key,
    session_id bigint not null references user_sessions (id) on delete cascade,
    roles text[] not null,
    roles_asked_at timestamptz not null,
    created_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    constraint panel_sessions_cookie_sha256_check check (octet_length(cookie_sha256) = 32)
);
create index panel_sessions_session_id_idx on panel_sessions (session_id);
create index panel_sessions_created_at_idx on panel_sessions (created_at);

-- What a record of the history is called now; of a price, the service and the model.
create function name_of_record(table_name text, record_id text) returns text language sql stable as $$
    select case table_name
        when 'service_prices' then (
            select service.name || ' · ' || brand.name || ' ' || model.name
            from services service, vehicle_models model join vehicle_brands brand on brand.id = model.vehicle_brand_id
            where service.id = split_part(record_id, '/', 1)::bigint and model.id = split_part(record_id, '/', 2)::bigint
        )
        when 'services' then (select name from services where id = record_id::bigint)
        when 'service_categories' then (select name from service_categories where id = record_id::bigint)
        when 'vehicle_models' then (select name from vehicle_models where id = record_id::bigint)
        when 'vehicle_brands' then (select name from vehicle_brands where id = record_id::bigint)
        when 'vehicle_types' then (select name from vehicle_types where id = record_id::bigint)
        when 'staff_keys' then (select label from staff_keys where id = record_id::bigint)
        when 'users' then name_of_actor('user:' || record_id)
    end
$$;

-- A moment on the shop's clock, as pages show it.
create function shop_clock(moment timestamptz) returns timestamp language sql stable as $$
    select $1 at time zone coalesce((select time_zone from shops where id = shop_id()), 'UTC')
$$;
