-- The money of a booking: Razorpay orders and cash, what was captured on them, and what is given back.
create type payment_state as enum ('open', 'settled', 'closed');
create table payments (
    id bigint generated always as identity primary key,
    booking_id bigint not null references bookings (id),
    method payment_method not null,
    amount_paise bigint not null,
    currency text not null default 'INR',
    -- `open` while it may be paid; `settled` once money has come for it; `closed` when none will be asked for any more.
    state payment_state not null default 'open',
    -- By our receipt an order is found again whose number was lost on the way.
    receipt text,
    order_id text,
    -- Who took the cash, or that Razorpay did.
    actor text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- When Razorpay was last asked how it stands.
    checked_at timestamptz not null default now(),
    constraint payments_receipt_key unique (receipt),
    constraint payments_order_id_key unique (order_id),
    constraint payments_amount_paise_check check (amount_paise > 0),
    constraint payments_receipt_check check ((method = 'razorpay') = (receipt is not null))
);
-- At most one open order per booking, whoever asks and however often.
create unique index payments_open_booking_id_key on payments (booking_id) where method = 'razorpay' and state = 'open';
create index payments_booking_id_idx on payments (booking_id);
create index payments_open_checked_at_idx on payments (checked_at) where method = 'razorpay' and state = 'open';

-- What was paid: each payment of Razorpay once, and cash. Its state only moves forward.
create type capture_state as enum ('failed', 'authorized', 'captured');
create table captures (
    id bigint generated always as identity primary key,
    payment_id bigint not null references payments (id),
    booking_id bigint not null references bookings (id),
    gateway_payment_id text,
    state capture_state not null,
    amount_paise bigint not null,
    -- Whether this is the money that the booking is paid with; any other is given back.
    pays_booking boolean not null default false,
    -- What has been given back or is on its way.
    refunded_paise bigint not null default 0,
    captured_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint captures_gateway_payment_id_key unique (gateway_payment_id),
    constraint captures_amount_paise_check check (amount_paise > 0),
    constraint captures_refunded_paise_check check (refunded_paise between 0 and amount_paise),
    constraint captures_captured_at_check check ((state = 'captured') = (captured_at is not null)),
    constraint captures_pays_booking_check check (state = 'captured' or not pays_booking)
);
-- Money is counted once.
create unique index captures_pays_booking_key on captures (booking_id) where pays_booking;
create index captures_payment_id_idx on captures (payment_id);
create index captures_booking_id_idx on captures (booking_id);

-- Money on its way back. The key makes Razorpay do it once, however often it is asked.
create type refund_state as enum ('queued', 'pending', 'processed', 'failed');
create table refunds (
    id bigint generated always as identity primary key,
    capture_id bigint not null references captures (id),
    booking_id bigint not null references bookings (id),
    amount_paise bigint not null,
    state refund_state not null default 'queued',
    idempotency_key text not null,
    refund_id text,
    reason text not null default '',
    actor text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint refunds_idempotency_key_key unique (idempotency_key),
    constraint refunds_refund_id_key unique (refund_id),
    constraint refunds_amount_paise_check check (amount_paise > 0)
);
create index refunds_capture_id_idx on refunds (capture_id);
create index refunds_booking_id_idx on refunds (booking_id);

-- Each event of Razorpay counts once.
create table payment_events (
    event_id text primary key,
    event text not null,
    order_id text,
    gateway_payment_id text,
    received_at timestamptz not null default now()
);
create index payment_events_received_at_idx on payment_events (received_at);
