-- Who people are. Descope holds who they are to it, and their passwords; here stand their profiles.
create table users (
    id bigint generated always as identity primary key,
    -- The address or number that the account was made with; it stays.
    username text not null,
    -- What a profile says. Only what is verified gives access to anything, and only one user can have it verified.
    email text,
    is_email_verified boolean not null default false,
    phone text,
    is_phone_verified boolean not null default false,
    first_name text not null default '',
    last_name text not null default '',
    profile_picture text,
    -- A token that was issued before and that no session here knows counts for nothing.
    sessions_revoked_at timestamptz not null default '-infinity',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint users_email_check check (email = lower(email)),
    constraint users_is_email_verified_check check (email is not null or not is_email_verified),
    constraint users_phone_check check (phone ~ '^\+[0-9]{8,15}$'),
    constraint users_is_phone_verified_check check (phone is not null or not is_phone_verified)
);
create unique index users_verified_email_key on users (email) where is_email_verified;
create unique index users_verified_phone_key on users (phone) where is_phone_verified;

-- Descope's users, and whose they are here: one for the e-mail address somebody registered with, one for a phone
-- number that signs in by one-time codes. Anybody can make users at Descope, with any login id and any address; one of
-- them is somebody's here for good, or not at all.
create table user_identities (
    descope_user_id text primary key,
    user_id bigint not null references users (id),
    -- The number it signs in with, if it does so with a number.
    phone text,
    -- Whether whoever uses it has shown that its address or number is theirs, and nobody else can sign in with it.
    is_proven boolean not null,
    created_at timestamptz not null default now()
);
create index user_identities_user_id_idx on user_identities (user_id);

-- Sign-ins. A session lives as long as its refresh token, whatever tokens it has had.
create table user_sessions (
    id bigint generated always as identity primary key,
    user_id bigint not null references users (id),
    descope_user_id text not null,
    -- AES-256-GCM, with the id of its key. Absent if it is not known here, or has been ended at Descope.
    refresh_token_sealed bytea,
    user_agent text not null default '',
    ip_address text not null default '',
    created_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz
);
create index user_sessions_user_id_id_idx on user_sessions (user_id, id desc);
create index user_sessions_descope_user_id_expires_at_idx on user_sessions (descope_user_id, expires_at);
-- Revoked here, still to be ended at Descope.
create index user_sessions_to_end_idx on user_sessions (revoked_at)
    where revoked_at is not null and refresh_token_sealed is not null;

-- What each session has been shown by: hashes of its tokens, old ones too until they expire.
create type token_kind as enum ('session', 'refresh');
create table session_tokens (
    token_sha256 bytea primary key,
    kind token_kind not null,
    session_id bigint not null references user_sessions (id) on delete cascade,
    expires_at timestamptz not null,
    constraint session_tokens_token_sha256_check check (octet_length(token_sha256) = 32)
);
create index session_tokens_session_id_idx on session_tokens (session_id);
create index session_tokens_expires_at_idx on session_tokens (expires_at);
