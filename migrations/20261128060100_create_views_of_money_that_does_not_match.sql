-- What a person must look at: bookings and money that do not match. The reconciliation counts them, operators read them.

-- Bookings that count as paid without money, cash or online.
create view money_paid_without_capture as
select booking.id as booking_id, booking.payment_status, booking.total_paise, booking.updated_at as since
from bookings booking
where booking.payment_status <> 'pending'
    and not exists (select from captures capture where capture.booking_id = booking.id and capture.pays_booking);

-- Bookings that do not count as paid, with money.
create view money_captured_without_payment as
select booking.id as booking_id, capture.id as capture_id, capture.gateway_payment_id, capture.amount_paise,
    capture.captured_at as since
from bookings booking
join captures capture on capture.booking_id = booking.id and capture.state = 'captured'
where booking.payment_status = 'pending';

-- Online payments for what is cancelled or paid otherwise, whose money is neither back nor on its way.
create view money_not_given_back as
select booking.id as booking_id, capture.id as capture_id, capture.gateway_payment_id,
    capture.amount_paise - capture.refunded_paise as left_paise, capture.captured_at as since
from captures capture
join bookings booking on booking.id = capture.booking_id
where capture.state = 'captured' and capture.gateway_payment_id is not null
    and (not capture.pays_booking or booking.booking_status = 'cancelled')
    and capture.refunded_paise < capture.amount_paise;

-- Refunds that failed, of money that has not been given back otherwise, and refunds that are no longer tried.
create view money_failed_refunds as
select refund.booking_id, refund.id as refund_id, refund.capture_id, refund.state, refund.amount_paise, refund.reason,
    refund.created_at as since
from refunds refund
join captures capture on capture.id = refund.capture_id
where (
        refund.state = 'failed' and capture.refunded_paise < capture.amount_paise
        and not exists (
            select from refunds again
            where again.capture_id = capture.id and again.id > refund.id and again.state <> 'failed'
        )
    )
    or (refund.state = 'queued' and refund.created_at < now() - interval '8 days');
