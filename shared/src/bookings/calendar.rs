//! A booking as a calendar file (RFC 5545 and 5546): as a download, and as a request or cancellation in a mail.

use chrono::{DateTime, Utc};
use icalendar::{Component, Event, EventLike, EventStatus, Parameter, Property};
use sqlx::PgExecutor;

use super::{
    Booking, booking,
    status::{BookingStatus, ServiceLocation},
    timeline::Event as Told,
};
use crate::{Error, Result, ids::BookingId};

/// What a calendar does with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Adds or updates an entry: a file that was downloaded. Names no attendee.
    Publish,
    /// The same by mail.
    Request,
    /// Removes the entry, by mail.
    Cancel,
}

impl Method {
    /// As in the file, and in `text/calendar; method=…` of its part of a mail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

/// A booking's place in a calendar.
#[derive(Debug)]
pub struct Entry {
    booking: Booking,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    /// How often time, place or length have changed, or the booking was cancelled: a calendar takes the highest.
    sequence: u32,
    /// When the booking was last changed in this sense: the file of a state is the same whenever it is made.
    changed_at: DateTime<Utc>,
    shop_name: String,
    shop_address: String,
    shop_phone: String,
    shop_email: String,
}

/// The changes of a booking that raise its sequence.
const MOVES: [Told; 4] = [Told::Rescheduled, Told::Overbooked, Told::ServicesChanged, Told::Cancelled];

/// Loads a booking's place in a calendar; 404 if the booking does not exist.
pub async fn entry(executor: impl PgExecutor<'_> + Copy, id: BookingId) -> Result<Entry> {
    let booking = booking::find(executor, id).await?;
    let found = sqlx::query!(
        r#"
        select (booking.appointment_date + booking.appointment_time) at time zone shop.time_zone as "starts_at!",
            (booking.appointment_date + booking.appointment_time) at time zone shop.time_zone
                + make_interval(mins => booking.duration_minutes) as "ends_at!",
            (
                select count(*) from booking_events where booking_id = booking.id and event = any ($2)
            ) as "sequence!",
            (
                select coalesce(max(created_at), booking.created_at) from booking_events
                where booking_id = booking.id and (event = any ($2) or event = $3)
            ) as "changed_at!",
            shop.name, shop.address, shop.phone, shop.email
        from bookings booking join shops shop on shop.id = shop_id()
        where booking.id = $1
        "#,
        id.0,
        &MOVES as &[Told],
        Told::Confirmed as Told
    )
    .fetch_optional(executor)
    .await?
    .ok_or(Error::NotFound("Shop"))?;
    Ok(Entry {
        booking,
        starts_at: found.starts_at,
        ends_at: found.ends_at,
        sequence: u32::try_from(found.sequence).unwrap_or(u32::MAX),
        changed_at: found.changed_at,
        shop_name: found.name,
        shop_address: found.address,
        shop_phone: found.phone,
        shop_email: found.email,
    })
}

impl Entry {
    /// The same without the customer's address, for those who only see the booking.
    #[must_use]
    pub fn without_home(mut self) -> Self {
        self.booking.address.clear();
        self
    }

    /// The file. A mail needs the address that it goes to, `attendee`, which calendars compare with their user's; `link` is
    /// the address of the page that manages the booking.
    pub fn text(&self, method: Method, attendee: Option<&str>, link: Option<&str>) -> String {
        let booking = &self.booking;
        let vehicle = format!("{} {}", booking.vehicle_brand_name, booking.vehicle_model_name);
        let services: Vec<&str> =
            booking.booking_services.iter().map(|service| service.service_name.as_str()).collect();
        let mut event = Event::new();
        event
            .uid(&self.uid())
            .sequence(self.sequence)
            .timestamp(self.changed_at)
            .starts(self.starts_at)
            .ends(self.ends_at)
            .status(self.status(method))
            .summary(&format!("{}: {vehicle}", self.shop_name))
            .description(&format!("{}\n{}\n{}", services.join(", "), booking.reference, self.shop_phone))
            .append_property(
                Property::new("ORGANIZER", format!("mailto:{}", self.shop_email))
                    .append_parameter(Parameter::new("CN", &self.shop_name))
                    .done(),
            );
        let location = match booking.service_location {
            ServiceLocation::Home => &booking.address,
            ServiceLocation::Shop => &self.shop_address,
        };
        if !location.is_empty() {
            event.location(location);
        }
        if let Some(link) = link {
            event.url(link);
        }
        if let Some(attendee) = attendee.filter(|_| method != Method::Publish) {
            let mut guest = Property::new("ATTENDEE", format!("mailto:{attendee}"));
            for (name, value) in [("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", "ACCEPTED"), ("RSVP", "FALSE")] {
                guest.add_parameter(name, value);
            }
            event.append_multi_property(guest);
        }
        let mut calendar = icalendar::Calendar::empty();
        for (name, value) in
            [("VERSION", "2.0"), ("PRODID", "-//RepairMyBike//Bookings//EN"), ("METHOD", method.as_str())]
        {
            calendar.append_property(Property::new(name, value));
        }
        calendar.push(event.done());
        calendar.to_string()
    }

    /// Names the booking for life. Its domain is the reference, which no other booking of any shop has: two shops that run this
    /// program never update each other's entries, and no change of a host name makes a second entry.
    fn uid(&self) -> String {
        format!("booking-{}@{}.repairmybike", self.booking.id, self.booking.reference.to_lowercase())
    }

    fn status(&self, method: Method) -> EventStatus {
        match self.booking.booking_status {
            _ if method == Method::Cancel => EventStatus::Cancelled,
            BookingStatus::Pending => EventStatus::Tentative,
            BookingStatus::Cancelled => EventStatus::Cancelled,
            BookingStatus::Confirmed | BookingStatus::InProgress | BookingStatus::Completed => EventStatus::Confirmed,
        }
    }
}
