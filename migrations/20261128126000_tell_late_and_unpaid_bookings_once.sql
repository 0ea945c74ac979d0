-- What the shop's lists and figures call late, upcoming, unpaid and so on, in one place. Each is one expression over the row,
-- so Postgres puts it into the calling statement: no call per row, and indexes serve it. That needs each argument but the row
-- to be named once: with a subquery as an argument that is named twice, each row calls the function (25 times slower).

-- On a day: all but cancelled ones.
create function is_on(booking bookings, day date) returns boolean language sql immutable as $$
    select booking.appointment_date = day and booking.booking_status <> 'cancelled'
$$;

-- Expected on a later day.
create function is_upcoming(booking bookings, today date) returns boolean language sql immutable as $$
    select booking.appointment_date > today and booking.booking_status in ('pending', 'confirmed')
$$;

-- Work should have begun a quarter of an hour ago, or have been done. The clock is the shop's.
create function is_late(booking bookings, now timestamp) returns boolean language sql immutable as $$
    select booking.booking_status in ('pending', 'confirmed', 'in_progress')
        and booking.appointment_date + booking.appointment_time
            + case when booking.booking_status = 'in_progress' then coalesce(booking.occupied_minutes, booking.duration_minutes)
                else 0 end * interval '1 minute'
            < now - interval '15 minutes'
$$;

-- Money is expected: now or when the work is done.
create function is_unpaid(booking bookings) returns boolean language sql immutable as $$
    select booking.payment_status = 'pending' and booking.booking_status <> 'cancelled'
$$;

-- The work is done and the money has not come.
create function is_owed(booking bookings) returns boolean language sql immutable as $$
    select booking.payment_status = 'pending' and booking.booking_status = 'completed'
$$;
