-- The first answer to a request that carried an Idempotency-Key. The key itself is not kept: its hash finds the row,
-- and the answer (which may hold an access token) can only be opened with the key.
create table idempotency_keys (
    scope text not null,
    key_sha256 bytea not null,
    request_sha256 bytea not null,
    status smallint,
    sealed_body bytea,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null default now() + interval '24 hours',
    primary key (scope, key_sha256),
    constraint idempotency_keys_answer_check check ((status is null) = (sealed_body is null))
);
create index idempotency_keys_expires_at_idx on idempotency_keys (expires_at);

-- What must reach the world, written in the transaction of its cause.
create table outbox (
    id bigint generated always as identity primary key,
    kind text not null,
    payload jsonb not null,
    created_at timestamptz not null default now(),
    due_at timestamptz not null default now(),
    attempts integer not null default 0,
    delivered_at timestamptz,
    failed_at timestamptz,
    constraint outbox_attempts_check check (attempts >= 0)
);
create index outbox_due_at_idx on outbox (due_at) where delivered_at is null and failed_at is null;
