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

-- A moment on the shop's clock, as pages show it.
create function shop_clock(moment timestamptz) returns timestamp language sql stable as $$
    select $1 at time zone coalesce((select time_zone from shops where id = shop_id()), 'UTC')
$$;
