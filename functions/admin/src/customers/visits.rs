//! The visits of a customer, by bike.

use chrono::NaiveDate;
use maud::{Markup, html};
use shared::{
    Result,
    bookings::status::{BookingStatus, PaymentStatus},
    database::Database,
    ids::{BookingId, CustomerId, VehicleModelId},
    money::Money,
};

use crate::{
    bookings::status_tag,
    kit::cell::rupees,
    words::{Words, day_text},
};

pub(super) struct Visit {
    id: BookingId,
    reference: String,
    vehicle_model_id: VehicleModelId,
    bike: String,
    day: NaiveDate,
    services: String,
    status: BookingStatus,
    is_no_show: bool,
    total: Money,
    paid: PaymentStatus,
}

/// The newest visits first.
pub(super) async fn of(database: &Database, customer_id: CustomerId) -> Result<Vec<Visit>> {
    Ok(sqlx::query_as!(
        Visit,
        r#"
        select booking.id, booking.reference, booking.vehicle_model_id, brand.name || ' ' || model.name as "bike!",
            booking.appointment_date as day,
            coalesce((
                select string_agg(service.name, ', ' order by line.id)
                from booking_services line join services service on service.id = line.service_id
                where line.booking_id = booking.id
            ), '') as "services!",
            booking.booking_status as "status: BookingStatus", booking.is_no_show, booking.total_paise as "total: Money",
            booking.payment_status as "paid: PaymentStatus"
        from bookings booking
        join vehicle_models model on model.id = booking.vehicle_model_id
        join vehicle_brands brand on brand.id = model.vehicle_brand_id
        where booking.customer_id = $1
        order by booking.appointment_date desc, booking.appointment_time desc, booking.id desc
        limit 500
        "#,
        customer_id.0
    )
    .fetch_all(&database.pool())
    .await?)
}

/// A table for each bike, that of the newest visit first.
pub(super) fn show(visits: &[Visit]) -> Markup {
    let mut bikes: Vec<(VehicleModelId, Vec<&Visit>)> = Vec::new();
    for visit in visits {
        match bikes.iter_mut().find(|(model, _)| *model == visit.vehicle_model_id) {
            Some((_, visits)) => visits.push(visit),
            None => bikes.push((visit.vehicle_model_id, vec![visit])),
        }
    }
    html! {
        @if bikes.is_empty() { p.empty { "There is no visit yet. Bookings with this number appear here." } }
        @for (_, visits) in &bikes {
            @if let Some(first) = visits.first() {
                h3 { (first.bike) }
                div.table role="region" aria-label=(format!("Visits with {}", first.bike)) tabindex="0" { (table(visits)) }
            }
        }
    }
}

fn table(visits: &[&Visit]) -> Markup {
    html! {
        table {
            thead { tr {
                @for title in ["Booking", "Date", "Services", "Status"] { th scope="col" { (title) } }
                th.num scope="col" { "Total" }
                th scope="col" { "Paid" }
            } }
            tbody {
                @for visit in visits {
                    tr {
                        td data-label="Booking" { a href=(format!("/admin/bookings/{}/", visit.id)) { (visit.reference) } }
                        td data-label="Date" { (day_text(visit.day)) }
                        td data-label="Services" { (visit.services) }
                        td data-label="Status" { (status_tag(Words::default(), visit.status, visit.is_no_show)) }
                        td.num data-label="Total" { (rupees(visit.total)) }
                        td data-label="Paid" { (visit.paid_tag()) }
                    }
                }
            }
        }
    }
}

impl Visit {
    fn paid_tag(&self) -> Markup {
        html! {
            @match self.paid {
                PaymentStatus::Pending if self.status == BookingStatus::Cancelled => {}
                PaymentStatus::Pending => { span.tag.warning { "Due" } }
                PaymentStatus::Completed => { span.tag.good { "Paid" } }
                PaymentStatus::Refunded => { span.tag.quiet { "Given back" } }
            }
        }
    }
}
