-- no-transaction
-- The staff app lists the newest bookings first.
create index concurrently if not exists bookings_created_at_id_idx on bookings (created_at, id desc);
