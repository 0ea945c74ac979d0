-- What staff look for among all bookings. The first index is the order of their list, and counts and filters by itself
-- whatever a booking's row holds besides.
create index bookings_appointment_idx on bookings (appointment_date, appointment_time, id desc)
    include (booking_status, payment_status, service_location);
create index bookings_booking_status_appointment_idx
    on bookings (booking_status, appointment_date, appointment_time, id desc);

-- Parts of names and addresses are found by their trigrams. A trusted extension: whoever may create in the database
-- may create it, on RDS too.
create extension if not exists pg_trgm;
create index bookings_customer_name_idx on bookings using gin (customer_name gin_trgm_ops);
create index bookings_customer_email_idx on bookings using gin (customer_email gin_trgm_ops);
