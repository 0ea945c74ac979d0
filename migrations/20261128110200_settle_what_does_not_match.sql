-- A payment explains itself, and a person can settle what does not match.
set local lock_timeout = '3s';
alter table captures
    -- As Razorpay tells it: `upi`, `card`, `netbanking`, `wallet`, and the bank, wallet or network. No address or number of
    -- the payer.
    add column means text,
    add column bank text,
    -- Razorpay's fee with its tax.
    add column fee_paise bigint,
    -- Why the attempt failed, in Razorpay's words.
    add column failure text;
alter table payments
    -- When a person asked that Razorpay be asked now, however old the order is.
    add column ask_at timestamptz;
create index payments_ask_at_idx on payments (ask_at) where ask_at > checked_at;
-- The page of a payment lists its events.
create index payment_events_order_id_idx on payment_events (order_id);
create index payment_events_gateway_payment_id_idx on payment_events (gateway_payment_id);

-- A person has looked at a mismatch and leaves it as it is.
create type mismatch as enum ('paid_without_money', 'money_without_paid', 'not_given_back', 'failed_refund');
create table accepted_mismatches (
    mismatch mismatch not null,
    -- The capture or the refund; of `paid_without_money` the booking.
    subject_id bigint not null,
    booking_id bigint not null references bookings (id),
    reason text not null,
    actor text not null,
    at timestamptz not null default now(),
    primary key (mismatch, subject_id),
    constraint accepted_mismatches_reason_check check (reason <> '')
);
create index accepted_mismatches_booking_id_idx on accepted_mismatches (booking_id);
create trigger accepted_mismatches_append_only
    before update or delete or truncate on accepted_mismatches
    for each statement execute function refuse_change();

create or replace view money_paid_without_capture as
select booking.id as booking_id, booking.payment_status, booking.total_paise, booking.updated_at as since
from bookings booking
where booking.payment_status <> 'pending'
    and not exists (select from captures capture where capture.booking_id = booking.id and capture.pays_booking)
    and not exists (
        select from accepted_mismatches where mismatch = 'paid_without_money' and subject_id = booking.id
    );

create or replace view money_captured_without_payment as
select booking.id as booking_id, capture.id as capture_id, capture.gateway_payment_id, capture.amount_paise,
    capture.captured_at as since
from bookings booking
join captures capture on capture.booking_id = booking.id and capture.state = 'captured'
where booking.payment_status = 'pending' and capture.refunded_paise < capture.amount_paise
    and not exists (
        select from accepted_mismatches where mismatch = 'money_without_paid' and subject_id = capture.id
    );

create or replace view money_not_given_back as
select booking.id as booking_id, capture.id as capture_id, capture.gateway_payment_id,
    capture.amount_paise - capture.refunded_paise as left_paise, capture.captured_at as since
from captures capture
join bookings booking on booking.id = capture.booking_id
where capture.state = 'captured' and capture.gateway_payment_id is not null
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
        or (refund.state = 'queued' and refund.created_at < now() - interval '8 days')
    )
    and not exists (
        select from accepted_mismatches where mismatch = 'failed_refund' and subject_id = refund.id
    );
