-- Inserts bookings $1 + 1 to $2 of a shop with thirty a day. The first is a month ahead, later ones go back. Every
-- tenth is cancelled. Totals match their lines by construction, so the checks of each row at commit are off.
alter table bookings disable trigger bookings_total_paise_lines_check;
alter table booking_services disable trigger booking_services_total_paise_lines_check;

-- Capacity is never reached, so that every measured booking succeeds.
update shops set shop_capacity = 1000000, home_capacity = 1000000;

insert into customers (phone)
select '+9170' || lpad(n::text, 8, '0') from generate_series($1 / 4 + 1, $2 / 4) as n;

with booking as (
    insert into bookings (
        reference, customer_id, customer_name, customer_email, vehicle_model_id, service_location, address,
        appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise, payment_method,
        payment_status, booking_status, notes, access_token_sha256, access_token_expires_at
    )
    select 'RMB-BENCH-' || n, customer.id, 'Customer ' || customer.id, 'customer' || customer.id || '@example.com', 7,
        case when n % 3 = 0 then 'home' else 'shop' end::service_location, '123 Main St', day, hour, 60,
        quarters(hour, 60), 60, 63000, 'cash', case when day < current_date and n % 10 <> 0 then 'completed' else 'pending' end::payment_status,
        case when n % 10 = 0 then 'cancelled' when day < current_date then 'completed' else 'confirmed' end::booking_status,
        '', sha256(n::text::bytea), day + interval '30 days'
    from generate_series($1 + 1, $2) as n
    cross join lateral (select current_date + 30 - n / 30 as day, time '09:00' + n % 10 * interval '1 hour' as hour) as at
    join customers customer on customer.phone = '+9170' || lpad((($1 / 4) + 1 + n % greatest($2 / 4 - $1 / 4, 1))::text, 8, '0')
    returning id, booking_status
), line as (
    insert into booking_services (booking_id, service_id, price_paise)
    select id, service_id, price_paise
    from booking, (values (4, 39000), (6, 24000)) as line (service_id, price_paise)
)
insert into booking_events (booking_id, event, to_status, actor)
select id, event, status, 'customer'
from booking, (values ('created', 'pending'::booking_status), ('status_changed', 'confirmed')) as event (event, status);

-- What is done was paid in cash.
with payment as (
    insert into payments (booking_id, method, amount_paise, state, actor)
    select id, 'cash', total_paise, 'settled', 'bench' from bookings
    where payment_status = 'completed' and not exists (select from payments where booking_id = bookings.id)
    returning id, booking_id, amount_paise
)
insert into captures (payment_id, booking_id, state, amount_paise, pays_booking, captured_at)
select payment.id, booking_id, 'captured', amount_paise, true, appointment_date + appointment_time
from payment join bookings on bookings.id = booking_id;

truncate slot_usage;
insert into slot_usage (pool, date, time, used, capacity)
select service_location, appointment_date, quarter, count(*), 1000000
from bookings, unnest(slot_times) as quarter
where booking_status <> 'cancelled'
group by service_location, appointment_date, quarter;

alter table bookings enable trigger bookings_total_paise_lines_check;
alter table booking_services enable trigger booking_services_total_paise_lines_check;
