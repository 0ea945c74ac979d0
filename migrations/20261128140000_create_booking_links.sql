-- Links that manage a booking. Their holders see it (`view`), pay for it (`pay`), or move and cancel it (`change`); each includes
-- the ones before. A link ends with the booking's access token, whose end moves with the appointment: it has none of its own.
create type link_scope as enum ('view', 'pay', 'change');

create table booking_links (
    id bigint generated always as identity primary key,
    booking_id bigint not null references bookings (id),
    token_sha256 bytea not null,
    scope link_scope not null,
    -- What it was made for: the kind of message that carries it, or `staff`.
    purpose text not null,
    created_at timestamptz not null default now(),
    revoked_at timestamptz,
    constraint booking_links_token_sha256_key unique (token_sha256),
    constraint booking_links_token_sha256_check check (octet_length(token_sha256) = 32),
    constraint booking_links_purpose_check check (purpose ~ '^[a-z][a-z_]{0,39}$')
);
create index booking_links_booking_id_id_idx on booking_links (booking_id, id);
