-- Anybody can book for any number. A booking is unproved until its number was proved by a session, it is paid, or the shop's
-- people made or confirmed it. Unproved bookings are limited: open ones per number, new ones per address and day, and in each
-- quarter of an hour those that a pool takes at once.
--
-- The release before this one knows nothing of it: what it books counts as proved. What it confirms, cancels or pays, the
-- trigger below takes from the count. A booking that it moves leaves its count behind, which keeps a place more there.
set local lock_timeout = '3s';
alter table bookings add column is_unproved boolean not null default false;

-- How many unproved bookings a quarter holds, and how many it may hold, as of the last one that was taken.
alter table slot_usage
    add column unproved integer not null default 0,
    add column unproved_capacity integer not null default 0,
    add constraint slot_usage_unproved_check check (unproved between 0 and unproved_capacity);

-- From where an unproved booking came: a hash with a key that is not in this database, kept for 30 days.
create table booking_addresses (
    booking_id bigint primary key references bookings (id),
    address_hash bytea not null,
    created_at timestamptz not null default now()
);
create index booking_addresses_address_hash_created_at_idx on booking_addresses (address_hash, created_at);
create index booking_addresses_created_at_idx on booking_addresses (created_at);

-- Limits an unproved booking that was just inserted; null is no limit. Volatile, so each statement sees what was committed
-- before the lock was had: the row of the customer, which the caller has written, and the lock of the address.
create function limit_unproved(booking bigint, customer bigint, hashed bytea, most_open integer, most_a_day integer)
returns void language plpgsql as $$
begin
    if most_open <= (
        select count(*) from bookings
        where customer_id = customer and is_unproved and id <> booking and appointment_date >= shop_clock(now())::date
    ) then
        raise exception 'too many open bookings' using errcode = 'check_violation', constraint = 'bookings_unproved_open_check';
    end if;
    if most_a_day is not null then
        perform pg_advisory_xact_lock(hashtextextended(encode(hashed, 'hex'), 0));
        -- What was confirmed or paid since is proved. What was cancelled still counts.
        if most_a_day <= (
            select count(*) from booking_addresses kept join bookings on bookings.id = kept.booking_id
            where kept.address_hash = hashed and kept.created_at > now() - interval '1 day'
                and (bookings.is_unproved or bookings.booking_status = 'cancelled')
        ) then
            raise exception 'too many bookings a day' using errcode = 'check_violation', constraint = 'bookings_unproved_day_check';
        end if;
    end if;
    insert into booking_addresses (booking_id, address_hash) values (booking, hashed);
end $$;

-- A booking that is confirmed, cancelled or paid, or whose number is proved, is unproved no more.
create function free_unproved() returns trigger language plpgsql as $$
begin
    new.is_unproved := false;
    -- Locked in the order in which all who take quarters lock them.
    perform from slot_usage
    where pool = old.service_location and date = old.appointment_date and time = any (old.slot_times)
    order by pool, date, time for update;
    update slot_usage set unproved = greatest(unproved - 1, 0)
    where pool = old.service_location and date = old.appointment_date and time = any (old.slot_times);
    return new;
end $$;
create trigger bookings_free_unproved
    before update of booking_status, payment_status, is_unproved on bookings for each row
    when (old.is_unproved and (
        new.booking_status <> 'pending' or new.payment_status <> 'pending' or not new.is_unproved
    ))
    execute function free_unproved();

-- A session whose user has a verified number proves the bookings of that number. One that is being changed meanwhile is left:
-- no sign-in waits for it.
create function prove_bookings(proved text) returns void language plpgsql as $$
declare
    theirs bigint[] := array(
        select booking.id from bookings booking join customers on customers.id = booking.customer_id
        where customers.phone = proved and booking.is_unproved
        for no key update of booking skip locked
    );
    one bigint;
begin
    -- All bookings are locked before the first quarter, and quarters in the order in which all lock them.
    for one in
        select id from bookings where id = any (theirs) order by service_location, appointment_date, appointment_time
    loop
        update bookings set is_unproved = false where id = one;
    end loop;
end $$;

create function prove_bookings_of_session() returns trigger language plpgsql as $$
begin
    perform prove_bookings(phone) from users where id = new.user_id and is_phone_verified;
    return null;
end $$;
create trigger user_sessions_prove_bookings after insert on user_sessions for each row
    execute function prove_bookings_of_session();

create function prove_bookings_of_user() returns trigger language plpgsql as $$
begin
    perform prove_bookings(new.phone);
    return null;
end $$;
create trigger users_prove_bookings after update of phone, is_phone_verified on users for each row
    when (new.is_phone_verified and (not old.is_phone_verified or new.phone is distinct from old.phone))
    execute function prove_bookings_of_user();
