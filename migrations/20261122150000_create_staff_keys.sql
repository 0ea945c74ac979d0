-- Keys of people and programs that work for the shop. Only the hash is kept: whoever reads the database has no key.
create table staff_keys (
    id bigint generated always as identity primary key,
    -- Whose it is, as timelines name them. It may go to a new key once the old one is revoked.
    label text not null,
    key_sha256 bytea not null,
    created_at timestamptz not null default now(),
    revoked_at timestamptz,
    constraint staff_keys_key_sha256_key unique (key_sha256),
    constraint staff_keys_label_check check (label ~ '^[A-Za-z0-9 ._-]{1,50}$'),
    constraint staff_keys_key_sha256_check check (octet_length(key_sha256) = 32)
);
create unique index staff_keys_label_idx on staff_keys (label) where revoked_at is null;
