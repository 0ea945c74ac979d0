//! The calendar file, read by a parser: made, moved and cancelled, as a download and for a mail.

use chrono::{DateTime, NaiveTime, TimeZone, Utc};
use icalendar::{
    Calendar, CalendarComponent, CalendarDateTime, Component, DatePerhapsTime, Event, EventLike, EventStatus,
};
use shared::{
    bookings::{
        calendar::{Method, entry},
        links::Scope,
    },
    ids::BookingId,
};
use sqlx::PgPool;

use crate::{World, monday};

/// The only event of a file.
fn read(text: &str) -> (Calendar, Event) {
    let calendar: Calendar = text.parse().unwrap_or_else(|error| panic!("{error}: {text}"));
    let [CalendarComponent::Event(event)] = calendar.components.as_slice() else { panic!("{text}") };
    let event = event.clone();
    (calendar, event)
}

/// A time of Monday in India, five and a half hours ahead of UTC.
fn at(hour: u32) -> DateTime<Utc> {
    let time = NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    Utc.from_utc_datetime(&monday().and_time(time)) - chrono::TimeDelta::minutes(330)
}

fn utc(moment: Option<DatePerhapsTime>) -> DateTime<Utc> {
    match moment {
        Some(DatePerhapsTime::DateTime(CalendarDateTime::Utc(moment))) => moment,
        other => panic!("{other:?}"),
    }
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_calendar_takes_a_booking_its_moves_and_its_end(pool: PgPool) {
    let world = World::new(pool).await;
    world.run("update shops set name = 'Asha, Ravi; Söhne', address = E'12 MG Road\\nIndore'").await;
    let link = world.link(1, Scope::Change).await;
    let file = world.client.get(&format!("{link}booking.ics")).await;
    assert_eq!((file.status, file.header("content-type")), (200, "text/calendar; charset=utf-8; method=PUBLISH"));
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"booking.ics\"");
    assert!(file.text.contains("\r\n") && file.text.lines().all(|line| line.len() <= 75), "{}", file.text);
    let (calendar, first) = read(&file.text);
    assert_eq!(calendar.property_value("METHOD"), Some("PUBLISH"));
    let uid = first.get_uid().unwrap().to_owned();
    let reference: String = world.value("select lower(reference) from bookings where id = 1").await;
    assert_eq!(uid, format!("booking-1@{reference}.repairmybike"));
    assert_eq!((first.get_sequence(), first.get_status()), (Some(0), Some(EventStatus::Tentative)));
    assert_eq!((utc(first.get_start()), utc(first.get_end())), (at(10), at(11)));
    assert_eq!(first.get_summary(), Some("Asha, Ravi; Söhne: Honda Activa 6G"));
    assert_eq!(first.get_location(), Some("12 MG Road\nIndore"));
    assert_eq!(first.get_url(), Some(format!("http://api.example{link}").as_str()));
    assert!(file.text.contains("ORGANIZER") && !file.text.contains("ATTENDEE"), "{}", file.text);
    assert_eq!(
        world.client.get(&format!("{link}booking.ics")).await.text,
        file.text,
        "the file of a state is one file"
    );

    let day = monday().to_string();
    let fields = [("version", "1"), ("date", day.as_str()), ("time", "15:00")];
    assert_eq!(world.client.submit(&format!("{link}move/"), &fields).await.status, 303);
    let (_, moved) = read(&world.client.get(&format!("{link}booking.ics")).await.text);
    assert_eq!((moved.get_uid(), moved.get_sequence()), (Some(uid.as_str()), Some(1)));
    assert_eq!(utc(moved.get_start()), at(15));
    assert!(moved.get_timestamp() >= first.get_timestamp());

    let mailed = entry(&world.pool, BookingId(1)).await.unwrap();
    let (calendar, request) = read(&mailed.text(Method::Request, Some("asha@example.com"), None));
    assert_eq!(calendar.property_value("METHOD"), Some("REQUEST"));
    let attendee = request.multi_properties()["ATTENDEE"][0].clone();
    assert_eq!(attendee.value(), "mailto:asha@example.com");
    let told = |name: &str| attendee.params()[name].value().to_owned();
    assert_eq!([told("RSVP"), told("PARTSTAT")], ["FALSE", "ACCEPTED"]);
    assert_eq!(request.get_url(), None);

    let cancel = world.client.submit(&format!("{link}cancel/"), &[("version", "2")]).await;
    assert_eq!(cancel.status, 303, "{}", cancel.text);
    let ended = entry(&world.pool, BookingId(1)).await.unwrap();
    let (calendar, event) = read(&ended.text(Method::Cancel, Some("asha@example.com"), None));
    assert_eq!(calendar.property_value("METHOD"), Some("CANCEL"));
    assert_eq!((event.get_uid(), event.get_sequence()), (Some(uid.as_str()), Some(2)));
    assert_eq!(event.get_status(), Some(EventStatus::Cancelled));
    assert_eq!(utc(event.get_start()), at(15));
}
