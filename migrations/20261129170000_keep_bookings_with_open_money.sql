-- The panel's first page and the reconciliation look for money that does not match. Bookings where it may not are kept, so
-- that a look does not read all bookings and payments that there ever were.
set local lock_timeout = '3s';
create table bookings_with_open_money (
    booking_id bigint primary key references bookings (id) on delete cascade
);

-- Whether a booking is paid without money, or has money left that does not pay it, or not any more.
create function has_open_money(booking bookings) returns boolean language sql stable as $$
    select booking.payment_status <> 'pending'
            and not exists (select from captures where booking_id = booking.id and pays_booking)
        or exists (
            select from captures
            where booking_id = booking.id and state = 'captured' and refunded_paise < amount_paise
                and (
                    not pays_booking or booking.payment_status = 'pending'
                    or booking.booking_status = 'cancelled' and gateway_payment_id is not null
                )
        )
$$;

create function keep_open_money(of_booking bigint) returns void language plpgsql as $$
declare
    booking bookings;
begin
    -- Locked, so that of two changes the later one sees the earlier one.
    select * into booking from bookings where id = of_booking for no key update;
    if has_open_money(booking) then
        insert into bookings_with_open_money values (booking.id) on conflict do nothing;
    else
        delete from bookings_with_open_money where booking_id = of_booking;
    end if;
end $$;

create function keep_open_money_of_booking() returns trigger language plpgsql as $$
begin
    perform keep_open_money(new.id);
    return null;
end $$;
create trigger bookings_keep_open_money_of_paid
    after insert on bookings
    for each row when (new.payment_status <> 'pending') execute function keep_open_money_of_booking();
create trigger bookings_keep_open_money
    after update of payment_status, booking_status on bookings
    for each row when (
        old.payment_status <> new.payment_status
        or new.payment_status <> 'pending' and (old.booking_status = 'cancelled') <> (new.booking_status = 'cancelled')
    ) execute function keep_open_money_of_booking();

create function keep_open_money_of_capture() returns trigger language plpgsql as $$
begin
    perform keep_open_money(coalesce(new.booking_id, old.booking_id));
    return null;
end $$;
create trigger captures_keep_open_money
    after insert or delete or update of state, amount_paise, refunded_paise, pays_booking on captures
    for each row execute function keep_open_money_of_capture();

-- The triggers have locked both tables against writers until the end.
insert into bookings_with_open_money select id from bookings booking where has_open_money(booking);

create or replace view money_paid_without_capture as
select booking.id as booking_id, booking.payment_status, booking.total_paise, booking.updated_at as since
from bookings_with_open_money open
join bookings booking on booking.id = open.booking_id
where booking.payment_status <> 'pending'
    and not exists (select from captures capture where capture.booking_id = booking.id and capture.pays_booking)
    and not exists (
        select from accepted_mismatches where mismatch = 'paid_without_money' and subject_id = booking.id
    );

create or replace view money_captured_without_payment as
select booking.id as booking_id, capture.id as capture_id, capture.gateway_payment_id, capture.amount_paise,
    capture.captured_at as since
from bookings_with_open_money open
join bookings booking on booking.id = open.booking_id
join captures capture on capture.booking_id = booking.id and capture.state = 'captured'
where booking.payment_status = 'pending' and capture.fits and capture.refunded_paise < capture.amount_paise
    and not exists (
        select from accepted_mismatches where mismatch = 'money_without_paid' and subject_id = capture.id
    );

create or replace view money_not_given_back as
select booking.id as booking_id, capture.id as capture_id, capture.gateway_payment_id,
    capture.amount_paise - capture.refunded_paise as left_paise, capture.captured_at as since
from bookings_with_open_money open
join bookings booking on booking.id = open.booking_id
join captures capture on capture.booking_id = booking.id
where capture.state = 'captured' and capture.gateway_payment_id is not null
    and (capture.fits or capture.pays_booking)
    and (not capture.pays_booking or booking.booking_status = 'cancelled')
    and capture.refunded_paise < capture.amount_paise
    and not exists (
        select from accepted_mismatches where mismatch = 'not_given_back' and subject_id = capture.id
    );

create or replace view money_misfits as
select capture.booking_id, capture.id as capture_id, capture.gateway_payment_id,
    capture.amount_paise - capture.refunded_paise as left_paise, capture.currency, capture.captured_at as since
from bookings_with_open_money open
join captures capture on capture.booking_id = open.booking_id
where capture.state = 'captured' and not capture.fits and not capture.pays_booking
    and capture.refunded_paise < capture.amount_paise
    and not exists (select from accepted_mismatches where mismatch = 'misfit' and subject_id = capture.id);
