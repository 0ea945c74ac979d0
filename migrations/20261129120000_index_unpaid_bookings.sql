-- no-transaction
-- The panel counts and lists what is not paid. Few bookings are, among all that were ever made.
create index concurrently if not exists bookings_unpaid_idx
    on bookings (appointment_date, appointment_time, id desc)
    where payment_status = 'pending' and booking_status <> 'cancelled';
