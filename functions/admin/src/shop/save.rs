//! Saves a change of the shop, unless bookings would be left outside that the person has not seen.

use maud::{Markup, html};
use shared::{
    Error, Faults,
    bookings::{
        outside::{LeftOutside, Outside, left_outside},
        status::ServiceLocation,
    },
    catalogue,
    session::sha256,
};
use sqlx::PgConnection;

use crate::{
    App,
    catalogue::NOTHING_CHANGED,
    kit::{form::Form, stale::Present},
    session::Person,
    words::day_text,
};

/// What became of a change.
pub(super) enum Saved {
    Done,
    /// Nothing was saved: these bookings would be left outside.
    WouldLeave(Vec<LeftOutside>),
    /// Nothing was saved: the values that another user has saved since the form was opened.
    Stale(Present),
    /// Nothing was saved: the faults of the values.
    Faulty(Faults),
}

/// Why a change was rolled back.
pub(super) enum Undone {
    Leaves(Vec<LeftOutside>),
    Stale(Present),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Undone {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs `work`, which returns whether it changed anything. If bookings that fitted before do not fit afterwards, it is
/// rolled back, unless the form confirms exactly these.
pub(super) async fn save(
    app: &App,
    person: &Person,
    form: &Form,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<bool, Undone>,
) -> Result<Saved, Error> {
    let change = async |connection: &mut PgConnection| {
        let before = left_outside(connection).await?;
        let has_changed = work(connection).await?;
        let mut left = left_outside(connection).await?;
        left.retain(|booking| !before.contains(booking));
        if left.is_empty() || fingerprint(&left) == form.value("confirmed") {
            return Ok(((), has_changed));
        }
        Err(Undone::Leaves(left))
    };
    match catalogue::change(app.database(), &app.redis, &person.author(), change).await {
        Ok(_) => Ok(Saved::Done),
        Err(Undone::Leaves(left)) => Ok(Saved::WouldLeave(left)),
        Err(Undone::Stale(theirs)) => Ok(Saved::Stale(theirs)),
        Err(Undone::Failed(Error::Validation(faults) | Error::FaultyField(faults))) => Ok(Saved::Faulty(faults)),
        Err(Undone::Failed(Error::Redis(_))) => Ok(Saved::Faulty(Faults::from(("form", NOTHING_CHANGED)))),
        Err(Undone::Failed(error)) => Err(error),
    }
}

/// Tells one list of bookings from another: a confirmation counts for what was seen.
fn fingerprint(left: &[LeftOutside]) -> String {
    let ids: Vec<String> = left.iter().map(|booking| format!("{}:{:?}", booking.id, booking.reason)).collect();
    hex::encode(sha256(&ids.join(" ")))
}

/// The bookings that would be left outside, above the form that would do it.
pub(super) fn warning(left: &[LeftOutside]) -> Markup {
    html! {
        @if !left.is_empty() {
            section.outside role="alert" aria-labelledby="outside" {
                h2 #outside { (left.len()) @if left.len() == 1 { " booking" } @else { " bookings" } " would not fit any more" }
                p { "Nothing is saved yet. They stay booked if you save anyway: call these customers, and move or cancel each." }
                ul {
                    @for booking in left {
                        li {
                            strong { (booking.reference) } " · "
                            (day_text(booking.date)) ", " (booking.time.format("%H:%M")) "–" (booking.end) " · "
                            (place(booking.location)) " · " (booking.customer_name) " · "
                            a href=(format!("tel:{}", booking.customer_phone)) { (booking.customer_phone) }
                            " · " (reason(&booking.reason))
                        }
                    }
                }
            }
        }
    }
}

/// The hidden field that confirms the list above.
pub(super) fn confirmation(left: &[LeftOutside]) -> Markup {
    html! { @if !left.is_empty() { input type="hidden" name="confirmed" value=(fingerprint(left)); } }
}

/// The words of the button that saves.
pub(super) fn button(left: &[LeftOutside], what: &str) -> Markup {
    html! {
        @if left.is_empty() { button type="submit" { "Save " (what) } }
        @else { button.danger type="submit" { "Save " (what) " anyway" } }
    }
}

fn place(location: ServiceLocation) -> &'static str {
    match location {
        ServiceLocation::Home => "at home",
        ServiceLocation::Shop => "at the shop",
    }
}

fn reason(reason: &Outside) -> String {
    match reason {
        Outside::Holiday(name) if name.is_empty() => "on a holiday".to_owned(),
        Outside::Holiday(name) => format!("on a holiday: {name}"),
        Outside::Closed => "on a closed weekday".to_owned(),
        Outside::Hours => "outside the opening hours".to_owned(),
        Outside::Capacity => "more than fit at that time".to_owned(),
    }
}
