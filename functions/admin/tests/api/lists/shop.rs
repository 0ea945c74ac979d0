//! The lists of people, their bookings and their money.

use super::table::{CREATED, CREATED_ON, Column, Filter, ID, ID_COLUMN, Listed};

pub(super) const LISTS: &[Listed] = &[
    Listed {
        path: "/admin/customers/",
        from: "customers record join lateral (
                select (array_agg(customer_name order by id desc))[1] as name,
                    (array_agg(customer_email order by id desc) filter (where customer_email is not null))[1] as email
                from bookings where customer_id = record.id
            ) given on true",
        shown: "true",
        key: ID,
        columns: &[
            ID_COLUMN,
            Column("Name", "name", "given.name", "lower(given.name)"),
            Column("Phone", "phone", "'''' || record.phone", "record.phone"),
            Column("E-mail", "email", "given.email", "given.email"),
            CREATED,
        ],
        filters: &[CREATED_ON],
        search: &[
            ("name", "ASHA", "given.name ilike 'asha%'"),
            ("phone", "98 1001", "record.phone like '%981001%'"),
            ("e-mail", "customer1", "given.email like 'customer1%'"),
        ],
    },
    Listed {
        path: "/admin/bookings/",
        from: "bookings record join vehicle_models model on model.id = record.vehicle_model_id
            join vehicle_brands brand on brand.id = model.vehicle_brand_id
            join customers customer on customer.id = record.customer_id",
        shown: "true",
        key: ID,
        columns: &[
            ID_COLUMN,
            Column("Reference", "reference", "record.reference", "record.reference"),
            Column("Customer", "customer", "record.customer_name", "lower(record.customer_name)"),
            Column("Model", "model", "brand.name || ' ' || model.name", "lower(brand.name || ' ' || model.name)"),
            Column(
                "Place",
                "place",
                "case record.service_location when 'home' then 'At home' else 'At the shop' end",
                "record.service_location",
            ),
            Column(
                "Date",
                "date",
                "to_char(record.appointment_date + record.appointment_time, 'YYYY-MM-DD HH24:MI:SS')",
                "record.appointment_date + record.appointment_time",
            ),
            Column("Total", "total", "file_money(record.total_paise)", "record.total_paise"),
            Column(
                "Paid",
                "paid",
                "case when record.payment_status = 'refunded' then 'Refunded'
                    when record.payment_status = 'completed' then initcap(record.payment_method::text)
                    when record.booking_status = 'cancelled' then '' else 'Unpaid' end",
                "case when record.payment_status = 'pending' and record.booking_status = 'cancelled' then null
                    else (record.payment_status, record.payment_method) end",
            ),
            Column(
                "Status",
                "status",
                "case when record.is_no_show then 'Did not come' else
                    (array['To confirm', 'Confirmed', 'In work', 'Done', 'Cancelled'])[array_position(
                        enum_range(null::booking_status), record.booking_status)] end",
                "(record.booking_status, record.is_no_show)",
            ),
            CREATED,
        ],
        filters: &[
            Filter::All("place", &[("shop", "service_location = 'shop'"), ("home", "service_location = 'home'")]),
            Filter::All(
                "paid",
                &[
                    ("no", "payment_status = 'pending' and booking_status <> 'cancelled'"),
                    ("yes", "payment_status = 'completed'"),
                    ("refunded", "payment_status = 'refunded'"),
                ],
            ),
            Filter::All(
                "status",
                &[
                    ("pending", "booking_status = 'pending'"),
                    ("confirmed", "booking_status = 'confirmed'"),
                    ("in_progress", "booking_status = 'in_progress'"),
                    ("completed", "booking_status = 'completed'"),
                    ("cancelled", "booking_status = 'cancelled'"),
                    ("no_show", "is_no_show"),
                ],
            ),
            Filter::Days("date", "record.appointment_date"),
            CREATED_ON,
            Filter::All("method", &[("cash", "payment_method = 'cash'"), ("razorpay", "payment_method = 'razorpay'")]),
            Filter::All(
                "source",
                &[
                    ("web", "source = 'web'"),
                    ("app", "source = 'app'"),
                    ("counter", "source = 'counter'"),
                    ("phone", "source = 'phone'"),
                ],
            ),
            Filter::Some(
                "service",
                &[("2", "exists (select from booking_services where booking_id = record.id and service_id = 2)")],
            ),
            Filter::Some(
                "model",
                &[("%2334", "model.id = 34"), ("HERO", "brand.name || ' ' || model.name ilike '%hero%'")],
            ),
        ],
        search: &[
            ("phone", "98 1001", "customer.phone like '%981001%'"),
            ("name", "ASHA", "record.customer_name ilike 'asha%'"),
            ("model", "xoom", "model.name ilike '%xoom%'"),
            ("brand", "hero", "brand.name || ' ' || model.name ilike '%hero%'"),
            ("reference", "rmb 7k3qx 00007", "record.reference = 'RMB-7K3QX-00007'"),
            ("e-mail", "customer3", "record.customer_email like 'customer3%'"),
        ],
    },
    Listed {
        path: "/admin/messages/",
        from: "messages record left join bookings booking on booking.id = record.booking_id
            cross join lateral (
                select coalesce(record.ended_at, record.read_at, record.delivered_at, record.sent_at, record.created_at) as at
            ) since",
        shown: "true",
        key: ID,
        columns: &[
            ID_COLUMN,
            Column("Written", "created", "file_time(record.created_at)", "record.created_at"),
            Column("Booking", "booking", "booking.reference", "booking.reference"),
            Column(
                "Way",
                "way",
                "case record.channel when 'whatsapp' then 'WhatsApp' when 'sms' then 'SMS' else 'E-mail' end",
                "record.channel",
            ),
            Column(
                "To",
                "recipient",
                "case when record.recipient like '+%' then '''' || record.recipient else record.recipient end",
                "record.recipient",
            ),
            Column(
                "State",
                "state",
                "case record.state when 'pending' then 'To be sent' when 'sending' then 'Being sent' when 'sent' then 'Sent'
                    when 'delivered' then 'Delivered' when 'read' then 'Read' when 'failed' then 'Not delivered'
                    when 'unknown' then 'Perhaps sent' else 'Not sent' end",
                "record.state",
            ),
            Column("Since", "changed", "file_time(since.at)", "since.at"),
        ],
        filters: &[
            Filter::All(
                "state",
                &[
                    ("pending", "record.state = 'pending'"),
                    ("sending", "record.state = 'sending'"),
                    ("sent", "record.state = 'sent'"),
                    ("delivered", "record.state = 'delivered'"),
                    ("read", "record.state = 'read'"),
                    ("failed", "record.state = 'failed'"),
                    ("unknown", "record.state = 'unknown'"),
                    ("dropped", "record.state = 'dropped'"),
                ],
            ),
            Filter::All(
                "way",
                &[
                    ("whatsapp", "record.channel = 'whatsapp'"),
                    ("sms", "record.channel = 'sms'"),
                    ("email", "record.channel = 'email'"),
                ],
            ),
            Filter::Some(
                "kind",
                &[
                    ("booking_reminder", "record.kind = 'booking_reminder'"),
                    ("staff_refund_failed", "record.kind = 'staff_refund_failed'"),
                ],
            ),
            CREATED_ON,
        ],
        search: &[
            ("booking", "rmb7k3qx00007", "booking.reference = 'RMB-7K3QX-00007'"),
            ("address", "person11", "record.recipient like 'person11%'"),
        ],
    },
    Listed {
        path: "/admin/payments/",
        from: "payments record join bookings booking on booking.id = record.booking_id",
        shown: "true",
        key: ID,
        columns: &[
            ID_COLUMN,
            Column("Booking", "booking", "booking.reference", "booking.reference"),
            Column("Amount", "amount", "file_money(record.amount_paise)", "record.amount_paise"),
            Column("Currency", "currency", "record.currency", "record.currency"),
            Column(
                "State",
                "state",
                "case record.state when 'open' then 'Open' when 'settled' then 'Paid' else 'Closed' end",
                "record.state",
            ),
            Column("Method", "method", "case record.method when 'cash' then 'Cash' else 'Online' end", "record.method"),
            CREATED,
        ],
        filters: &[
            Filter::All(
                "state",
                &[
                    ("open", "record.state = 'open'"),
                    ("settled", "record.state = 'settled'"),
                    ("closed", "record.state = 'closed'"),
                ],
            ),
            Filter::All("method", &[("razorpay", "record.method = 'razorpay'"), ("cash", "record.method = 'cash'")]),
            CREATED_ON,
        ],
        search: &[
            ("booking", "7k3qx-00007", "booking.reference = 'RMB-7K3QX-00007'"),
            ("order", "ORDER_0017", "record.order_id = 'order_0017'"),
            (
                "payment id",
                "pay_000",
                "exists (select from captures where payment_id = record.id and gateway_payment_id like 'pay\\_000%')",
            ),
        ],
    },
    Listed {
        path: "/admin/users/",
        from: "users record",
        shown: "true",
        key: ID,
        columns: &[
            ID_COLUMN,
            Column("User name", "username", "record.username", "lower(record.username)"),
            Column("E-mail", "email", "record.email", "record.email"),
            Column("E-mail verified", "email-verified", "file_flag(is_email_verified)", "is_email_verified"),
            Column("Phone", "phone", "'''' || record.phone", "record.phone"),
            Column("Phone verified", "phone-verified", "file_flag(is_phone_verified)", "is_phone_verified"),
            Column("Staff", "staff", "file_flag(roles <> '{}')", "roles <> '{}'"),
            Column("Administrator", "admin", "file_flag('admin' = any (roles))", "'admin' = any (roles)"),
            CREATED,
        ],
        filters: &[
            Filter::All("email_verified", &[("yes", "is_email_verified"), ("no", "not is_email_verified")]),
            Filter::All("phone_verified", &[("yes", "is_phone_verified"), ("no", "not is_phone_verified")]),
            Filter::All("staff", &[("yes", "roles <> '{}'"), ("no", "roles = '{}'")]),
            Filter::All("admin", &[("yes", "'admin' = any (roles)"), ("no", "not 'admin' = any (roles)")]),
            Filter::All("blocked", &[("yes", "blocked_at is not null"), ("no", "blocked_at is null")]),
            CREATED_ON,
        ],
        search: &[
            ("user name", "USER1", "record.username like 'user1%'"),
            ("e-mail", "mail2", "record.email like 'mail2%'"),
            ("phone", "9710", "record.phone like '%9710%'"),
        ],
    },
    Listed {
        path: "/admin/sessions/",
        from: "user_sessions record join users on users.id = record.user_id cross join lateral (select coalesce(
                nullif(trim(users.first_name || ' ' || users.last_name), ''), users.email) as name,
                record.revoked_at is null and record.expires_at > now() as is_active) session",
        shown: "true",
        key: ID,
        columns: &[
            ID_COLUMN,
            Column("User", "user", "session.name", "lower(session.name)"),
            Column("Device", "", "", ""),
            Column("State", "active", "case when is_active then 'Active' else 'Ended' end", "not is_active"),
            Column("Expires", "expires", "file_time(record.expires_at)", "record.expires_at"),
            CREATED,
        ],
        filters: &[
            Filter::All("active", &[("yes", "is_active"), ("no", "not is_active")]),
            Filter::Days("expires", "shop_clock(record.expires_at)::date"),
            CREATED_ON,
        ],
        search: &[
            ("user", "meera 1", "session.name like 'meera 1%'"),
            ("e-mail", "owner@", "users.email like 'owner@%'"),
        ],
    },
];
