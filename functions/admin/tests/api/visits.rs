//! Visits of customers and their money, by the functions that the API uses.

use serde_json::json;
use shared::{
    bookings::{Actor, booking},
    ids::BookingId,
    money::Money,
    payments::{cash, refunds, settle},
    razorpay::Payment,
};
use sqlx::PgConnection;

use crate::World;

/// A visit to be booked. It is finished, of an hour, and of model 7, service 4.
#[derive(Clone, Copy)]
pub(crate) struct Visit {
    pub(crate) phone: &'static str,
    pub(crate) name: &'static str,
    pub(crate) day: &'static str,
    pub(crate) time: &'static str,
    pub(crate) paise: i64,
    pub(crate) status: &'static str,
    pub(crate) model: i64,
    pub(crate) service: i64,
    pub(crate) place: &'static str,
}

impl Default for Visit {
    fn default() -> Self {
        Self {
            phone: "+919876543210",
            name: "Asha Rao",
            day: "2026-03-02",
            time: "10:00",
            paise: 39_000,
            status: "completed",
            model: 7,
            service: 4,
            place: "shop",
        }
    }
}

impl Visit {
    /// Writes the visit, and the customer unless one has the number; returns the booking's id.
    pub(crate) async fn write(self, connection: &mut PgConnection) -> i64 {
        sqlx::query_scalar(
            "
            with customer as (
                insert into customers (phone, created_at)
                values ($1, ($3::text || ' 09:00')::timestamp at time zone 'Asia/Kolkata' - interval '1 day')
                on conflict (phone) do update set phone = excluded.phone
                returning id
            ), booking as (
                insert into bookings (
                    reference, customer_id, customer_name, vehicle_model_id, service_location, address, appointment_date,
                    appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise, payment_method,
                    booking_status, access_token_sha256, access_token_expires_at
                )
                select 'RMB-7K3QX-' || lpad((select count(*) from bookings)::text, 5, '0'), id, $2, $7,
                    $9::service_location, case $9 when 'home' then '12 Hill Road' else '' end, $3::date, $4::time, 60,
                    quarters($4::time, 60), 60, $5, 'cash', $6::booking_status, sha256('x'), now() + interval '30 days'
                from customer
                returning id
            ), line as (
                insert into booking_services (booking_id, service_id, price_paise) select id, $8, $5 from booking
            )
            select id from booking
            ",
        )
        .bind(self.phone)
        .bind(self.name)
        .bind(self.day)
        .bind(self.time)
        .bind(self.paise)
        .bind(self.status)
        .bind(self.model)
        .bind(self.service)
        .bind(self.place)
        .fetch_one(connection)
        .await
        .unwrap()
    }
}

impl World {
    pub(crate) async fn visit(&self, visit: Visit) -> i64 {
        let mut connection = self.pool.acquire().await.unwrap();
        visit.write(&mut connection).await
    }

    pub(crate) async fn pay_in_cash(&self, id: i64, on: &str) {
        let mut transaction = self.pool.begin().await.unwrap();
        let mut booking = booking::lock(&mut transaction, BookingId(id)).await.unwrap();
        cash::take(&mut transaction, &mut booking, &Actor::System).await.unwrap();
        date_capture(&mut transaction, id, on).await;
        transaction.commit().await.unwrap();
    }

    pub(crate) async fn pay_online(&self, id: i64, on: &str) {
        let mut transaction = self.pool.begin().await.unwrap();
        let amount: i64 = sqlx::query_scalar(
            "insert into payments (booking_id, method, amount_paise, receipt, order_id, actor)
            select id, 'razorpay', total_paise, 'booking-' || id, 'order_' || id, 'razorpay' from bookings where id = $1
            returning amount_paise",
        )
        .bind(id)
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
        let (order, payment) = (format!("order_{id}"), format!("pay_{id}"));
        let paid =
            json!({ "id": payment, "amount": amount, "currency": "INR", "order_id": order, "status": "captured" });
        let paid: Payment = serde_json::from_value(paid).unwrap();
        assert!(settle(&mut transaction, &order, &[paid], &[]).await.unwrap().is_paid);
        date_capture(&mut transaction, id, on).await;
        transaction.commit().await.unwrap();
    }

    /// Gives back a part of what was paid.
    pub(crate) async fn give_back(&self, id: i64, paise: i64, on: &str) {
        let mut transaction = self.pool.begin().await.unwrap();
        let booking = booking::lock(&mut transaction, BookingId(id)).await.unwrap();
        let amount = Some(Money::from_paise(paise));
        let asked = refunds::request(&mut transaction, &booking, amount, "scratched", &Actor::System).await.unwrap();
        let ids: Vec<i64> = asked.into_iter().map(|id| id.0).collect();
        sqlx::query(
            "update refunds set created_at = $2::text::timestamp at time zone 'Asia/Kolkata' where id = any ($1)",
        )
        .bind(ids)
        .bind(on)
        .execute(&mut *transaction)
        .await
        .unwrap();
        transaction.commit().await.unwrap();
    }
}

async fn date_capture(connection: &mut PgConnection, booking: i64, on: &str) {
    sqlx::query(
        "update captures set captured_at = $2::text::timestamp at time zone 'Asia/Kolkata' where booking_id = $1",
    )
    .bind(booking)
    .bind(on)
    .execute(connection)
    .await
    .unwrap();
}

/// The text of a page without its tags, with single spaces.
pub(crate) fn words(page: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for character in page.chars() {
        match character {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                text.push(' ');
            }
            other if !is_tag => text.push(other),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text between two others.
pub(crate) fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).expect(from).1.split_once(to).expect(to).0
}
