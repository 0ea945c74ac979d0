//! Rows for every list: more than a page of each, with values on both sides of every filter.

use crate::{World, customers::run};

/// Adds rows to the sample catalogue, and customers, bookings, payments, users and sessions.
pub(super) async fn fill(world: &World) {
    for sql in [CATALOGUE, PRICES, BOOKINGS, PAYMENTS, USERS, MESSAGES] {
        run(world, sql).await;
    }
}

const CATALOGUE: &str = "
    update vehicle_types set created_at = timestamptz '2025-12-01 20:00+00' + id * interval '1 day', updated_at = created_at;
    update vehicle_brands set created_at = timestamptz '2025-10-01 20:00+00' + id * interval '1 day';
    update vehicle_models set created_at = timestamptz '2025-03-01 20:00+00' + id * interval '1 day';
    update service_categories set created_at = timestamptz '2025-12-01 20:00+00' + id * interval '1 day',
        updated_at = created_at;
    update services set created_at = timestamptz '2025-10-01 20:00+00' + id * interval '1 day';

    insert into vehicle_types (name, slug, created_at, updated_at, archived_at)
    select case when n % 2 = 0 then 'type ' else 'Type ' end || n, 'type-' || n, day, day + (90 - n) * interval '3 days',
        case when n % 9 = 0 then now() end
    from generate_series(1, 60) n, lateral (select timestamptz '2026-01-01 20:00+00' + n * interval '1 day' as day) days;

    insert into vehicle_brands (vehicle_type_id, name, created_at, archived_at)
    select 1 + n % 4, case when n % 2 = 0 then 'brand ' else 'Brand ' end || n,
        timestamptz '2026-01-01 20:00+00' + n * interval '1 day', case when n % 9 = 0 then now() end
    from generate_series(1, 40) n;

    insert into vehicle_models (vehicle_brand_id, name, fuel, created_at, archived_at)
    select 40 + n % 5, case when n % 2 = 0 then 'model ' else 'Model ' end || n, 'petrol',
        timestamptz '2026-01-01 20:00+00' + n * interval '1 day', case when n % 9 = 0 then now() end
    from generate_series(1, 40) n;

    insert into service_categories (name, created_at, updated_at, archived_at)
    select case when n % 2 = 0 then 'category ' else 'Category ' end || n, day, day + (90 - n) * interval '3 days',
        case when n % 9 = 0 then now() end
    from generate_series(1, 60) n, lateral (select timestamptz '2026-01-01 20:00+00' + n * interval '1 day' as day) days;

    insert into services (service_category_id, name, duration_minutes, created_at, archived_at)
    select 1 + n % 14, case when n % 2 = 0 then 'service ' else 'Service ' end || n, 30,
        timestamptz '2026-01-01 20:00+00' + n * interval '1 day', case when n % 9 = 0 then now() end
    from generate_series(1, 20) n;
";

const PRICES: &str = "
    delete from service_prices where vehicle_model_id > 2;
    update service_prices set created_at = timestamptz '2025-10-01 20:00+00' + id * interval '5 hours';
    insert into service_prices (service_id, vehicle_model_id, price_paise, created_at)
    select service.id, 221, 10000 + service.id * 37, timestamptz '2026-01-01 20:00+00' + service.id * interval '1 day'
    from services service;
";

const BOOKINGS: &str = "
    insert into customers (phone, created_at)
    select '+9198' || 10000000 + n * 7919, timestamptz '2026-01-01 20:00+00' + n * interval '1 day'
    from generate_series(1, 60) n;

    begin;
    insert into bookings (
        reference, customer_id, customer_name, customer_email, vehicle_model_id, service_location, address,
        appointment_date, appointment_time, slot_times, duration_minutes, total_paise, payment_method, payment_status,
        booking_status, is_no_show, source, created_at, access_token_sha256, access_token_expires_at
    )
    select 'RMB-7K3QX-' || lpad((n * 7 % 120)::text, 5, '0'), 1 + n % 60,
        case when n % 2 = 0 then 'asha ' else 'Ravi ' end || n % 60,
        case when n % 3 = 0 then 'customer' || n % 60 || '@example.com' end, 1 + n * 11 % 200,
        case when n % 3 = 0 then 'home' else 'shop' end::service_location, '12 Hill Road',
        date '2026-05-01' + n % 50, time '09:00' + n % 6 * interval '1 hour', array[time '09:00'], 60,
        10000 + n * 131, case when n % 2 = 0 then 'cash' else 'razorpay' end::payment_method,
        (array['pending', 'completed', 'refunded'])[1 + n % 3]::payment_status,
        (array['pending', 'confirmed', 'in_progress', 'completed', 'cancelled'])[1 + n % 5]::booking_status, n % 10 = 4,
        (array['web', 'app', 'counter', 'phone'])[1 + n % 4]::booking_source,
        timestamptz '2026-04-01 20:00+00' + n * interval '7 hours', sha256(n::text::bytea), now()
    from generate_series(1, 120) n;
    insert into booking_services (booking_id, service_id, price_paise)
    select id, 1 + id % 7, total_paise from bookings;
    commit;
";

const PAYMENTS: &str = "
    insert into payments (booking_id, method, amount_paise, currency, state, receipt, order_id, actor, created_at)
    select id, payment_method, 5000 + id * 731 % 9000, case when id % 8 = 0 then 'USD' else 'INR' end,
        (array['open', 'settled', 'closed'])[1 + id % 3]::payment_state,
        case payment_method when 'razorpay' then 'booking-' || id end,
        case payment_method when 'razorpay' then 'order_' || lpad(id::text, 4, '0') end, 'system',
        timestamptz '2026-04-01 20:00+00' + id * interval '5 hours'
    from bookings;
    insert into captures (payment_id, booking_id, gateway_payment_id, state, amount_paise, captured_at)
    select id, booking_id, 'pay_' || lpad(id::text, 4, '0'), 'captured', amount_paise, created_at + interval '1 day'
    from payments where method = 'razorpay' and state = 'settled';
";

const USERS: &str = "
    insert into users (
        username, email, is_email_verified, phone, is_phone_verified, first_name, last_name, roles, blocked_at, created_at
    )
    select 'user' || n * 7 % 60, case when n % 2 = 0 then 'mail' || n || '@example.com' end, n % 4 = 0,
        case when n % 3 > 0 then '+9197' || 10000000 + n * 7919 end, n % 3 = 1,
        case when n % 2 = 0 then 'meera ' else 'Kiran ' end || n, 'Nair',
        case n % 6 when 0 then array['staff'] when 1 then array['admin', 'staff'] when 2 then array['admin'] else '{}' end,
        case when n % 11 = 0 then now() end, timestamptz '2026-01-01 20:00+00' + n * interval '1 day'
    from generate_series(1, 60) n;
    insert into user_sessions (user_id, descope_user_id, user_agent, ip_address, created_at, last_seen_at, expires_at, revoked_at)
    select id, 'descope-' || id, 'curl/8', '203.0.113.' || id, timestamptz '2026-01-01 20:00+00' + id * interval '1 day',
        timestamptz '2026-02-01 20:00+00' + id * interval '1 day',
        case when id % 3 = 0 then now() - id * interval '1 day' else now() + id * interval '1 day' end,
        case when id % 4 = 0 then now() end
    from users where first_name <> '';
";

const MESSAGES: &str = "
    insert into messages (
        cause, channel, recipient, kind, language, booking_id, state, leased_until, reason, due_at, worthless_at, created_at,
        sent_at, delivered_at, ended_at
    )
    select 'outbox:' || n, (array['whatsapp', 'sms', 'email'])[1 + n % 3],
        case n % 3 when 2 then 'person' || n || '@example.com' else '+9199' || 10000000 + n * 7919 end,
        (array['booking_created', 'booking_confirmed', 'booking_rescheduled', 'booking_reminder', 'booking_completed',
            'booking_cancelled', 'booking_paid', 'booking_refunded', 'ways_in_changed', 'staff_booking_created',
            'staff_booking_rescheduled', 'staff_booking_cancelled', 'staff_refund_failed'])[1 + n % 13],
        'en', case when n % 13 <> 8 then n end, state,
        case state when 'sending' then now() end, case state when 'failed' then 'bounced' else '' end,
        written, written + interval '2 days', written,
        case when state in ('sent', 'delivered', 'read') then written + n % 40 * interval '1 hour' end,
        case when state in ('delivered', 'read') then written + n % 50 * interval '1 hour' end,
        case when state in ('failed', 'unknown', 'dropped') then written + n % 30 * interval '1 hour' end
    from generate_series(1, 120) n,
        lateral (
            select (array['pending', 'sending', 'sent', 'delivered', 'read', 'failed', 'unknown', 'dropped'])[1 + n % 8] as state,
                timestamptz '2026-04-01 20:00+00' + n * interval '3 hours' as written
        ) as one;
";
