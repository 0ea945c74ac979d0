-- Every rupee is a row: money that does not fit its order, disputes, and what only Razorpay knows.
set local lock_timeout = '3s';
alter table captures
    -- Whether amount and currency were those of the order. If not, a person decides what becomes of the money.
    add column fits boolean not null default true,
    -- Sums of rupees leave out other currencies.
    add column currency text not null default 'INR';
alter table refunds
    -- When Razorpay last refused it for a reason that may pass, such as an empty balance. It is tried again.
    add column refused_at timestamptz;
alter table payments
    -- Until then one request asks Razorpay for the order id, and others wait. A killed request's claim expires.
    add column claimed_until timestamptz;
alter table accepted_mismatches
    -- Null for money that belongs to no booking.
    alter column booking_id drop not null;

-- A customer's bank wants a payment back. Found by the payment's id, because it may be told before the payment.
create table disputes (
    id bigint generated always as identity primary key,
    dispute_id text not null,
    gateway_payment_id text not null,
    amount_paise bigint not null,
    -- What Razorpay has taken from the balance for it.
    deducted_paise bigint not null default 0,
    currency text not null default 'INR',
    reason text not null default '',
    phase text not null default '',
    -- `open`, `under_review`, `action_required`; final are `won`, `lost` and `closed`.
    status text not null,
    -- The deadline for the shop's answer.
    respond_by timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint disputes_dispute_id_key unique (dispute_id)
);
create index disputes_gateway_payment_id_idx on disputes (gateway_payment_id);

-- What Razorpay told of money for which there is no row: in a webhook, or in its settlement report.
create table unmatched_entries (
    id bigint generated always as identity primary key,
    -- `pay_…`, `rfnd_…`, `adj_…` of the report; else the webhook's event id.
    entity_id text not null,
    -- `payment`, `refund`, `adjustment` … of the report, or `webhook`.
    kind text not null,
    booking_id bigint references bookings (id),
    order_id text,
    gateway_payment_id text,
    -- As it was told: it may be zero or negative.
    amount_paise bigint not null default 0,
    currency text not null default 'INR',
    reason text not null,
    created_at timestamptz not null default now(),
    constraint unmatched_entries_entity_id_key unique (entity_id)
);
create index unmatched_entries_booking_id_idx on unmatched_entries (booking_id);

-- The days whose settlement report was compared. A day that is missing is caught up.
create table settlement_days (
    day date primary key,
    entry_count integer not null,
    compared_at timestamptz not null default now()
);

create or replace view money_captured_without_payment as
select booking.id as booking_id, capture.id as capture_id, capture.gateway_payment_id, capture.amount_paise,
    capture.captured_at as since
from bookings booking
join captures capture on capture.booking_id = booking.id and capture.state = 'captured'
where booking.payment_status = 'pending' and capture.fits and capture.refunded_paise < capture.amount_paise
    and not exists (
        select from accepted_mismatches where mismatch = 'money_without_paid' and subject_id = capture.id
    );

create or replace view money_not_given_back as
select booking.id as booking_id, capture.id as capture_id, capture.gateway_payment_id,
    capture.amount_paise - capture.refunded_paise as left_paise, capture.captured_at as since
from captures capture
join bookings booking on booking.id = capture.booking_id
where capture.state = 'captured' and capture.gateway_payment_id is not null
    and (capture.fits or capture.pays_booking)
    and (not capture.pays_booking or booking.booking_status = 'cancelled')
    and capture.refunded_paise < capture.amount_paise
    and not exists (
        select from accepted_mismatches where mismatch = 'not_given_back' and subject_id = capture.id
    );

create or replace view money_failed_refunds as
select refund.booking_id, refund.id as refund_id, refund.capture_id, refund.state, refund.amount_paise, refund.reason,
    refund.created_at as since
from refunds refund
join captures capture on capture.id = refund.capture_id
where (
        (
            refund.state = 'failed' and capture.refunded_paise < capture.amount_paise
            and not exists (
                select from refunds again
                where again.capture_id = capture.id and again.id > refund.id and again.state <> 'failed'
            )
        )
        or (
            refund.state = 'queued'
            and (refund.refused_at is not null or refund.created_at < now() - interval '8 days')
        )
    )
    and not exists (
        select from accepted_mismatches where mismatch = 'failed_refund' and subject_id = refund.id
    );

-- Payments whose amount or currency is not that of their order, until they are given back, accepted, or pay the booking.
create view money_misfits as
select capture.booking_id, capture.id as capture_id, capture.gateway_payment_id,
    capture.amount_paise - capture.refunded_paise as left_paise, capture.currency, capture.captured_at as since
from captures capture
where capture.state = 'captured' and not capture.fits and not capture.pays_booking
    and capture.refunded_paise < capture.amount_paise
    and not exists (select from accepted_mismatches where mismatch = 'misfit' and subject_id = capture.id);

-- Disputes that have not ended.
create view money_disputes as
select dispute.id as dispute_row_id, dispute.dispute_id, dispute.gateway_payment_id, capture.id as capture_id,
    capture.booking_id, dispute.amount_paise, dispute.status, dispute.respond_by, dispute.created_at as since
from disputes dispute
left join captures capture on capture.gateway_payment_id = dispute.gateway_payment_id
where dispute.status not in ('won', 'lost', 'closed')
    and not exists (select from accepted_mismatches where mismatch = 'dispute' and subject_id = dispute.id);

-- What Razorpay told and what has no row here. An entry disappears once its row has come.
create view money_unmatched as
select entry.id as entry_id, entry.entity_id, entry.kind, entry.booking_id, entry.order_id, entry.gateway_payment_id,
    entry.amount_paise, entry.currency, entry.reason, entry.created_at as since
from unmatched_entries entry
where not (
        entry.kind = 'payment' and exists (
            select from captures
            where gateway_payment_id = entry.entity_id and state = 'captured' and amount_paise = entry.amount_paise
        )
    )
    and not (
        entry.kind = 'refund' and exists (
            select from refunds where refund_id = entry.entity_id and amount_paise = entry.amount_paise
        )
    )
    and not exists (select from accepted_mismatches where mismatch = 'unmatched' and subject_id = entry.id);
