-- What a booking occupies becomes time: so many minutes from its start, and with them every quarter of an hour that they
-- touch. Until now it was a list of slots, which mean nothing once the shop opens at another time or cuts other slots.
--
-- Null only inside a transaction of the release before this one, whose statements do not know the column; a trigger of a
-- later file fills it in before the commit.
set local lock_timeout = '3s';
alter table bookings
    add column occupied_minutes integer,
    add constraint bookings_occupied_minutes_check check (occupied_minutes > 0);

-- The quarters of an hour that a job covers, each as its start.
create function quarters(starts_at time, minutes integer) returns time[] language sql immutable strict as $$
    select array(
        select make_time(quarter / 4, quarter % 4 * 15, 0)
        from generate_series(
            extract(epoch from starts_at)::integer / 900,
            least((extract(epoch from starts_at)::integer / 60 + minutes + 14) / 15, 96) - 1
        ) as quarter
        order by quarter
    )
$$;

-- How long a booking that is known by its slots occupies its place: to the end of its last slot, but not past closing,
-- unless the work itself takes longer. Two slots tell how long a slot was; for a single one it is the present length, or
-- that of the work, because a job of one slot fitted into it.
create function minutes_of_slots(appointment_date date, slots time[], work_minutes integer)
returns integer language sql stable as $$
    select case
        -- Longer than the day: it takes the whole day.
        when work_minutes > closes - opens and starts = opens then closes - opens
        else least(ends - starts, greatest(coalesce(closes, 1440) - starts, work_minutes), 1440 - starts)
    end
    from (
        select extract(epoch from slots[1])::integer / 60 as starts,
            extract(epoch from slots[cardinality(slots)])::integer / 60 + case
                when cardinality(slots) > 1 then extract(epoch from slots[2] - slots[1])::integer / 60
                else greatest(shop.slot_minutes, work_minutes)
            end as ends,
            extract(epoch from hours.opens_at)::integer / 60 as opens,
            extract(epoch from hours.closes_at)::integer / 60 as closes
        from shops shop
        left join opening_hours hours
            on hours.shop_id = shop.id and hours.weekday = extract(isodow from appointment_date)
        where shop.id = shop_id()
    ) as day
$$;
