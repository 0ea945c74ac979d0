-- The bulk of the table, in a transaction of its own that locks no more than these rows: what is completed or cancelled and
-- past is neither moved nor freed again, so no capacity depends on it. What is open or to come follows in the next file.
set local lock_timeout = '3s';
update bookings booking
set occupied_minutes = recut.minutes, slot_times = quarters(booking.appointment_time, recut.minutes)
from (
    select id, minutes_of_slots(appointment_date, slot_times, duration_minutes) as minutes
    from bookings
    where booking_status in ('completed', 'cancelled') and appointment_date < current_date - 1
) as recut
where booking.id = recut.id;
