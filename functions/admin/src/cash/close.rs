//! The act that closes a day.

use axum::{extract::State, response::Response};
use chrono::NaiveDate;
use lambda_http::http::StatusCode;
use serde_json::{Value, json};
use shared::{
    Error, Faults, Result,
    bookings::LONGEST_REASON,
    http::{Fields, Read},
    money::Money,
    payments::drawer::{self, Count, Refused},
    written::Written,
};
use sqlx::PgConnection;

use super::{PLACE, show};
use crate::{
    App,
    kit::{
        act,
        cell::{moment_text, rupees},
        form::Form,
        page::redirect,
    },
    payments::by,
    session::Person,
    words::day_text,
};

/// An amount of money that may be 0, as people write it: `1234.50`, `₹1,234.50`.
struct Amount(Money);

impl Written for Amount {
    fn parse(text: &str) -> Result<Self, String> {
        let plain: String = text.chars().filter(|character| !matches!(character, '₹' | ',' | ' ')).collect();
        plain.parse().map(Self).map_err(|_| "Enter an amount in rupees, such as 1234.50.".to_owned())
    }

    fn rules() -> Value {
        json!({})
    }
}

struct Counted(Count);

impl Read for Counted {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (date, expected) = (fields.value::<NaiveDate>("date"), fields.integer("expected"));
        let (counted, left) = (fields.value::<Amount>("counted"), fields.value::<Amount>("left"));
        let reason = fields.text_or_empty("reason", LONGEST_REASON);
        let (Amount(counted), Amount(left)) = (counted?, left?);
        Some(Self(Count { date: date?, counted, left, reason: reason?, expected: expected?.into() }))
    }
}

pub(crate) async fn close(State(app): State<App>, person: Person, mut form: Form) -> Result<Response> {
    let day = NaiveDate::parse(form.value("date")).ok();
    let Some(Counted(count)) = form.read() else {
        return show::page(&app, &person, day, &form, None, StatusCode::BAD_REQUEST).await;
    };
    let work = async |connection: &mut PgConnection| {
        drawer::close(connection, &count, &person.actor()).await?;
        Ok(format!("{}?day={}&done=closed", PLACE.path, count.date))
    };
    let (sentence, status) = match act::once(app.database(), &form, work).await {
        Ok(led_to) => return Ok(redirect(&led_to)),
        Err(Refused::Failed(error)) => {
            form.take(error)?;
            return show::page(&app, &person, day, &form, None, StatusCode::BAD_REQUEST).await;
        }
        Err(refused) => sentence(&refused)?,
    };
    form.blame(Faults::from(("form", sentence.as_str())));
    show::page(&app, &person, day, &form, None, status).await
}

/// Why the day was not closed.
fn sentence(refused: &Refused) -> Result<(String, StatusCode)> {
    let sentence = match refused {
        Refused::Changed(expected) => format!(
            "The day is not closed: cash was taken or given back meanwhile. {} is expected now. Count again.",
            rupees(*expected)
        ),
        Refused::Closed(closed) => {
            format!("{} has closed this day already, {}.", by(&closed.by), moment_text(closed.at))
        }
        Refused::Passed(later) => {
            format!("{} is closed already, so this day cannot be. What was taken is in that count.", day_text(*later))
        }
        Refused::Future => "This day has not come yet.".to_owned(),
        Refused::Failed(error) => return Err(Error::internal(error.to_string())),
    };
    let status = if matches!(refused, Refused::Future) { StatusCode::BAD_REQUEST } else { StatusCode::CONFLICT };
    Ok((sentence, status))
}
