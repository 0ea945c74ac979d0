-- slot_usage counts jobs per quarter of an hour instead of per slot. Its rows, its constraints and the statement that writes
-- them stay what they were; only `time` now means a quarter.
--
-- The release before this one goes on booking while this runs and until the new code is deployed, and again after a roll
-- back. Neither may sell a place that the other has sold:
--
-- * Slots start on quarters (the next file), so what the old code calls a slot is the row of its first quarter. A job that
--   covers a slot counts in that row, whichever code wrote it. The old code takes, refuses, lists and overbooks by it, as
--   ever.
-- * slot_times now holds all quarters of a booking. The old code frees what it finds there, so it frees exactly what either
--   code has taken.
-- * What the old code leaves out when it makes or moves a booking, the other quarters of its slots, a trigger adds at the
--   end of its transaction. By then the old code has taken its slots or answered 409, and a move has freed what it left.
--
-- The trigger, the function minutes_of_slots and the column slot_times go in a later release than this one.
set local lock_timeout = '3s';
-- Whoever writes slot_usage has locked or inserted a booking before, so that this one lock waits for all of them and keeps
-- new ones out until the commit. Reading goes on.
lock table bookings in exclusive mode;

update bookings booking
set occupied_minutes = recut.minutes, slot_times = quarters(booking.appointment_time, recut.minutes)
from (
    select id, minutes_of_slots(appointment_date, slot_times, duration_minutes) as minutes
    from bookings
    where occupied_minutes is null
) as recut
where booking.id = recut.id;

-- Counted from the bookings, from yesterday on: whatever the time zone, nothing asks for older days. A quarter with more
-- jobs than the capacity of today, by overbooking or because two slots that overlap were both sold, is overbooked by what
-- exceeds it, which leaves no room in it.
delete from slot_usage;
insert into slot_usage (pool, date, time, used, capacity, overbooked)
select pool, date, time, used, capacity, greatest(used - capacity, 0)
from (
    select booking.service_location as pool, booking.appointment_date as date, quarter as time, count(*)::integer as used
    from bookings booking, unnest(booking.slot_times) as quarter
    where booking.booking_status <> 'cancelled' and booking.appointment_date >= current_date - 1
    group by 1, 2, 3
) as held
cross join lateral (
    select case held.pool when 'home' then home_capacity else shop_capacity end as capacity
    from shops where id = shop_id()
) as shop;

-- An hour that is not cut in quarters would count beside them.
alter table slot_usage add constraint slot_usage_time_check check (extract(epoch from time) % 900 = 0);

create function occupy_whole_slots() returns trigger language plpgsql as $$
declare
    minutes integer := minutes_of_slots(new.appointment_date, new.slot_times, new.duration_minutes);
    covered time[] := quarters(new.appointment_time, minutes);
begin
    update bookings set occupied_minutes = minutes, slot_times = covered where id = new.id;
    if new.booking_status = 'cancelled' then
        return null;
    end if;
    -- A quarter is overbooked as far as its slot is, and full where the slot would be.
    insert into slot_usage as kept (pool, date, time, used, capacity, overbooked)
    select new.service_location, new.appointment_date, quarter, 1, slot.capacity,
        least(slot.overbooked, greatest(1 - slot.capacity, 0))
    from unnest(covered) as quarter
    cross join lateral (
        select usage.capacity, usage.overbooked from slot_usage usage
        where usage.pool = new.service_location and usage.date = new.appointment_date
            and usage.time = any (new.slot_times) and usage.time <= quarter
        order by usage.time desc
        limit 1
    ) as slot
    where quarter <> all (new.slot_times)
    order by quarter
    on conflict (pool, date, time) do update set
        used = kept.used + 1,
        capacity = excluded.capacity,
        overbooked = least(
            greatest(kept.used + 1 - excluded.capacity, 0),
            greatest(
                least(kept.overbooked, greatest(kept.used - excluded.capacity, 0)),
                (
                    select usage.overbooked from slot_usage usage
                    where usage.pool = kept.pool and usage.date = kept.date
                        and usage.time = any (new.slot_times) and usage.time <= kept.time
                    order by usage.time desc
                    limit 1
                )
            )
        );
    return null;
end $$;
-- The condition holds only for rows whose writer does not know quarters.
create constraint trigger bookings_occupy_whole_slots
    after insert or update of slot_times on bookings
    deferrable initially deferred for each row
    when (new.slot_times is distinct from quarters(new.appointment_time, new.occupied_minutes))
    execute function occupy_whole_slots();
