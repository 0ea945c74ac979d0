-- The shop of this deployment. There is one; every query that needs its clock, hours or capacity asks here which.
create function shop_id() returns bigint language sql stable as $$
    select id from shops order by id limit 1
$$;

-- Until when a booking's access token proves anything: 30 days after the appointment, which is on the shop's clock.
create function access_token_expiry(appointment_date date, appointment_time time) returns timestamptz language sql stable as $$
    select ((appointment_date + appointment_time) at time zone time_zone) + interval '30 days'
    from shops where id = shop_id()
$$;
