//! A copy of all that is kept about a customer, as a file for that person.

use sqlx::PgConnection;

use super::lock;
use crate::{Result, ids::CustomerId};

/// Everything that is kept about a customer, as JSON, and an entry in the history that it was handed out. Amounts are in
/// rupees, moments on the shop's clock. The transaction is signed. 404 for an unknown customer, 409 for an erased one.
pub async fn export(connection: &mut PgConnection, id: CustomerId) -> Result<String> {
    lock(connection, id).await?;
    let phone =
        sqlx::query_scalar!("select phone from customers where id = $1", id.0).fetch_one(&mut *connection).await?;
    tell(connection, &phone).await
}

/// The same of the person with a number, who may have an account and no booking.
#[expect(clippy::too_many_lines, reason = "one statement")]
pub async fn tell(connection: &mut PgConnection, phone: &str) -> Result<String> {
    sqlx::query!("insert into customer_exports (customer_id) select id from customers where phone = $1", phone)
        .execute(&mut *connection)
        .await?;
    // Text, because a number of JSON that is read and written again loses its decimals.
    let text = sqlx::query_scalar!(
        r#"
        select jsonb_pretty(jsonb_build_object(
            'written_at', shop_clock(now()),
            'customer', (
                select jsonb_build_object(
                    'id', customer.id, 'phone', customer.phone, 'notes', customer.notes, 'language', customer.language,
                    'created_at', shop_clock(customer.created_at),
                    'reminders_refused_at', (
                        select shop_clock(refused.created_at) from reminder_opt_outs refused
                        where refused.customer_id = customer.id
                    )
                )
                from customers customer where customer.phone = $1
            ),
            'accounts', (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'id', users.id, 'username', users.username, 'first_name', users.first_name,
                    'last_name', users.last_name, 'email', users.email, 'is_email_verified', users.is_email_verified,
                    'phone', users.phone, 'is_phone_verified', users.is_phone_verified,
                    'profile_picture', users.profile_picture, 'roles', users.roles,
                    'created_at', shop_clock(users.created_at), 'updated_at', shop_clock(users.updated_at),
                    'sign_ins', (
                        select coalesce(jsonb_agg(jsonb_build_object(
                            'descope_user', identity.descope_user_id, 'phone', identity.phone,
                            'created_at', shop_clock(identity.created_at)
                        ) order by identity.created_at, identity.descope_user_id), '[]')
                        from user_identities identity where identity.user_id = users.id
                    ),
                    'sessions', (
                        select coalesce(jsonb_agg(jsonb_build_object(
                            'id', session.id, 'device', session.user_agent, 'ip_address', session.ip_address,
                            'created_at', shop_clock(session.created_at),
                            'last_seen_at', shop_clock(session.last_seen_at),
                            'expires_at', shop_clock(session.expires_at), 'ended_at', shop_clock(session.revoked_at)
                        ) order by session.id), '[]')
                        from user_sessions session where session.user_id = users.id
                    )
                ) order by users.id), '[]')
                from users
                where users.phone = $1 and users.is_phone_verified
                    or users.id in (select user_id from user_identities where phone = $1)
            ),
            'message_opt_ins', (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'channel', opt_in.channel, 'how', opt_in.how, 'at', shop_clock(opt_in.at)
                ) order by opt_in.channel), '[]')
                from message_opt_ins opt_in where opt_in.recipient = $1
            ),
            'message_blocks', (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'channel', blocked.channel, 'reason', blocked.reason, 'at', shop_clock(blocked.created_at)
                ) order by blocked.channel), '[]')
                from blocked_recipients blocked where blocked.recipient = $1
            ),
            'bookings', (
                select coalesce(jsonb_agg(jsonb_build_object(
                    'id', booking.id, 'reference', booking.reference, 'name', booking.customer_name,
                    'email', booking.customer_email, 'vehicle', brand.name || ' ' || model.name,
                    'service_location', booking.service_location, 'address', booking.address,
                    'appointment_date', booking.appointment_date, 'appointment_time', booking.appointment_time,
                    'duration_minutes', booking.duration_minutes,
                    'total', (booking.total_paise / 100.0)::numeric(14, 2), 'payment_method', booking.payment_method,
                    'payment_status', booking.payment_status, 'booking_status', booking.booking_status,
                    'is_no_show', booking.is_no_show, 'source', booking.source, 'notes', booking.notes,
                    'internal_notes', booking.internal_notes, 'created_at', shop_clock(booking.created_at),
                    'updated_at', shop_clock(booking.updated_at),
                    'services', (
                        select coalesce(jsonb_agg(jsonb_build_object(
                            'service', service.name, 'price', (line.price_paise / 100.0)::numeric(14, 2)
                        ) order by line.id), '[]')
                        from booking_services line join services service on service.id = line.service_id
                        where line.booking_id = booking.id
                    ),
                    'timeline', (
                        select coalesce(jsonb_agg(jsonb_build_object(
                            'at', shop_clock(event.created_at), 'event', event.event, 'from', event.from_status,
                            'to', event.to_status, 'by', event.actor, 'reason', event.reason, 'changes', event.changes
                        ) order by event.id), '[]')
                        from booking_events event where event.booking_id = booking.id
                    ),
                    'links', (
                        select coalesce(jsonb_agg(jsonb_build_object(
                            'scope', link.scope, 'purpose', link.purpose, 'created_at', shop_clock(link.created_at),
                            'revoked_at', shop_clock(link.revoked_at)
                        ) order by link.id), '[]')
                        from booking_links link where link.booking_id = booking.id
                    ),
                    'payments', (
                        select coalesce(jsonb_agg(jsonb_build_object(
                            'method', payment.method, 'amount', (capture.amount_paise / 100.0)::numeric(14, 2),
                            'state', capture.state, 'paid_at', shop_clock(capture.captured_at), 'taken_by', payment.actor,
                            'razorpay_order', payment.order_id, 'razorpay_payment', capture.gateway_payment_id,
                            'means', capture.means, 'bank', capture.bank, 'failure', capture.failure
                        ) order by capture.id), '[]')
                        from captures capture join payments payment on payment.id = capture.payment_id
                        where capture.booking_id = booking.id
                    ),
                    'messages', (
                        select coalesce(jsonb_agg(jsonb_build_object(
                            'kind', message.kind, 'channel', message.channel, 'to', message.recipient,
                            'language', message.language, 'state', message.state, 'reason', message.reason,
                            'written_at', shop_clock(message.created_at), 'sent_at', shop_clock(message.sent_at),
                            'delivered_at', shop_clock(message.delivered_at), 'read_at', shop_clock(message.read_at)
                        ) order by message.id), '[]')
                        from messages message
                        where message.booking_id = booking.id and message.kind not like 'staff%'
                    ),
                    'refunds', (
                        select coalesce(jsonb_agg(jsonb_build_object(
                            'amount', (refund.amount_paise / 100.0)::numeric(14, 2), 'state', refund.state,
                            'asked_at', shop_clock(refund.created_at), 'by', refund.actor, 'reason', refund.reason,
                            'by_hand', refund.by_hand, 'razorpay_refund', refund.refund_id
                        ) order by refund.id), '[]')
                        from refunds refund where refund.booking_id = booking.id
                    )
                ) order by booking.id), '[]')
                from bookings booking
                join vehicle_models model on model.id = booking.vehicle_model_id
                join vehicle_brands brand on brand.id = model.vehicle_brand_id
                where booking.customer_id = (select id from customers where phone = $1)
            )
        )) as "text!"
        "#,
        phone
    )
    .fetch_one(connection)
    .await?;
    Ok(text)
}
