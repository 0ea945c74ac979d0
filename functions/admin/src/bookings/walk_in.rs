//! A booking made at the counter or on the phone: by number, model and services, for now or for a time.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use shared::{
    Error, Faults, Result,
    bookings::{
        self,
        appointment::Rules,
        create::{self, Terms},
        notes,
        plan::{Draft, LONGEST_ADDRESS, LONGEST_NAME, OnlinePayment},
        slot_usage::Refused,
        status::{BookingSource, BookingStatus},
        transition,
    },
    http::{Fields, Read},
    money::Money,
};
use sqlx::PgConnection;

use super::{
    choices::{Choices, Offered, choices},
    moving::free_times,
    path,
};
use crate::{
    App,
    kit::{
        act,
        ask::Ask,
        cell::rupees,
        form::{Form, Input, once, problem},
        page::{Page, redirect},
    },
    session::Person,
    words::Words,
};

const PATH: &str = "/admin/bookings/new/";

pub(crate) async fn page(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let mut form = Form::of(ask.values().clone()).said_in(person.words);
    let choices = choices(app.database(), &form).await?;
    fill(&mut form, &choices);
    Ok(show(&person, &form, &choices, None, StatusCode::OK))
}

pub(crate) async fn book(State(app): State<App>, person: Person, mut form: Form) -> Result<Response> {
    let choices = choices(app.database(), &form).await?;
    let mut refused = (None, StatusCode::BAD_REQUEST);
    match try_to_book(&app, &person, &form, &choices).await {
        Ok(led_to) => return Ok(redirect(&led_to)),
        Err(Error::SlotFull(free)) => refused = (Some(free), StatusCode::CONFLICT),
        Err(Error::Validation(faults) | Error::FaultyField(faults)) => form.blame(faults),
        Err(error) => return Err(error),
    }
    fill(&mut form, &choices);
    Ok(show(&person, &form, &choices, refused.0.as_deref(), refused.1))
}

/// Books once, however often the form is sent, and returns the address of the booking's page.
async fn try_to_book(app: &App, person: &Person, form: &Form, choices: &Choices) -> Result<String> {
    let key = form.key()?;
    let draft = draft(form, choices)?;
    let source = if form.value("source") == "phone" { BookingSource::Phone } else { BookingSource::Counter };
    let rules = if form.value("anyway").is_empty() { Rules::Counter } else { Rules::Overbook };
    let terms = Terms { actor: person.actor(), source, rules, online: OnlinePayment::Disabled, unproved: None };
    let book = async |connection: &mut PgConnection| -> Result<String, Refused> {
        let booking = create::create(connection, draft, &terms).await?.booking;
        let id = booking.id;
        // The customer at the counter or on the phone has been told the time.
        transition::set_status(connection, booking, BookingStatus::Confirmed, &terms.actor, "").await?;
        Ok(format!("{}?done=saved", path(id)))
    };
    bookings::transaction(app.database(), async |connection| act::within(connection, &key, book).await).await
}

/// The form as a booking request, read by the same rules as that of a customer.
fn draft(form: &Form, choices: &Choices) -> Result<Draft> {
    let mut values = Map::new();
    for name in ["customer_name", "customer_phone", "customer_email", "address", "notes"] {
        values.insert(name.to_owned(), json!(form.value(name)));
    }
    let (date, time) = when(form, choices.now);
    values.insert("appointment_date".to_owned(), json!(date));
    values.insert("appointment_time".to_owned(), json!(time));
    let location = if form.value("location") == "home" { "home" } else { "shop" };
    values.insert("service_location".to_owned(), json!(location));
    if location == "shop" {
        values.insert("address".to_owned(), json!(""));
    }
    values.insert("payment_method".to_owned(), json!("cash"));
    let services: Vec<i64> = form.names().filter_map(|name| name.strip_prefix("service-")?.parse().ok()).collect();
    values.insert("service_ids".to_owned(), json!(services));
    let mut faults = Faults::default();
    match choices.model {
        Some(model) => {
            values.insert("vehicle_model_id".to_owned(), Value::from(model.0));
        }
        None => faults.add("model", "Choose a model from the list."),
    }
    if services.is_empty() {
        faults.add("service_ids", "Tick at least one service.");
    }
    let draft = Draft::read(&mut Fields::new(values)).ok_or(Error::Parse)?;
    if faults.is_empty() {
        return Ok(draft);
    }
    faults.merge(draft.faults);
    Err(Error::Validation(faults))
}

/// Day and time of the form: now, a free time that was offered, or what was entered.
fn when(form: &Form, now: NaiveDateTime) -> (String, String) {
    if let Ok(free) = NaiveDateTime::parse_from_str(form.value("free"), "%Y-%m-%dT%H:%M") {
        return (free.date().to_string(), free.format("%H:%M").to_string());
    }
    if form.value("when") == "later" {
        return (form.value("appointment_date").to_owned(), form.value("appointment_time").to_owned());
    }
    (now.date().to_string(), now.format("%H:%M").to_string())
}

/// Fills in what is known of the customer, where nothing was entered.
fn fill(form: &mut Form, choices: &Choices) {
    let today = choices.now.date().to_string();
    let mut set = |name: &str, value: &str| {
        if form.value(name).is_empty() {
            form.set(name, value);
        }
    };
    if let Some(known) = &choices.known {
        set("customer_name", &known.name);
        set("customer_email", known.email.as_deref().unwrap_or_default());
        if let [only] = known.models.as_slice() {
            set("model", only);
        }
    }
    set("appointment_date", &today);
    set("source", "counter");
    set("when", "now");
    set("location", "shop");
}

fn show(
    person: &Person,
    form: &Form,
    choices: &Choices,
    free: Option<&[NaiveDateTime]>,
    status: StatusCode,
) -> Response {
    let words = person.words;
    let content = html! {
        h1 { (words.walk_in()) }
        (problem(form.fault("form_key")))
        form.walk-in method="post" action=(PATH) data-live {
            (once())
            div.two {
                div.stack {
                    (choice(form, "source", &[("counter", words.by_counter()), ("phone", words.by_phone())]))
                    (Input::new("customer_phone", words.phone()).kind("tel").required().max(25).live().in_form(form))
                    button.plain.no-script type="submit" formmethod="get" formnovalidate { (words.look_up()) }
                    div #known data-part { (known(words, choices)) }
                    div #person.stack data-part {
                        (Input::new("customer_name", words.name()).required().max(LONGEST_NAME).in_form(form))
                        (Input::new("customer_email", words.email()).kind("email").max(254).in_form(form))
                    }
                    div.field #bike data-part {
                        label for="field-model" { (words.model()) }
                        input #field-model name="model" value=(form.value("model")) list="models" data-live-input required autocomplete="off"
                            aria-invalid=[form.fault("model").map(|_| "true")] aria-describedby=[form.fault("model").map(|_| "about-model")];
                        @if let Some(fault) = form.fault("model") { p.fault #about-model { (fault) } }
                        @if let Some(known) = &choices.known {
                            @if known.models.len() > 1 {
                                div.actions role="group" aria-label=(words.their_bikes()) {
                                    @for model in &known.models { button.plain type="submit" formmethod="get" formnovalidate name="model" value=(model) { (model) } }
                                }
                            }
                        }
                    }
                    datalist #models { @for model in &choices.models { option value=(model) {} } }
                }
                div.stack {
                    div #services data-part { (services(words, form, choices)) }
                    @if let Some(free) = free { (free_times(words, free)) label.tick { input type="checkbox" name="anyway" value="yes"; " " (words.book_anyway()) } }
                    fieldset {
                        legend { (words.time()) }
                        label.tick { input type="radio" name="when" value="now" checked[form.value("when") != "later"]; " " (words.now()) }
                        label.tick { input type="radio" name="when" value="later" checked[form.value("when") == "later"]; " " (words.date()) }
                        div.row data-later {
                            (Input::new("appointment_date", words.date()).kind("date").in_form(form))
                            (Input::new("appointment_time", words.time()).kind("time").in_form(form))
                        }
                    }
                    (choice(form, "location", &[("shop", words.at_the_shop()), ("home", words.at_home())]))
                    div data-home { (Input::new("address", words.address()).max(LONGEST_ADDRESS).in_form(form)) }
                    (Input::new("notes", words.customer_notes()).max(notes::LONGEST).in_form(form))
                    div.actions { button type="submit" { (words.book()) } }
                }
            }
        }
    };
    Page::new(person, PATH, words.walk_in()).status(status).show(&content)
}

/// Two choices beside each other.
fn choice(form: &Form, name: &str, choices: &[(&str, &str)]) -> Markup {
    html! {
        div.choice role="radiogroup" {
            @for (value, text) in choices {
                label.tick { input type="radio" name=(name) value=(value) checked[form.value(name) == *value]; " " (text) }
            }
        }
    }
}

fn known(words: Words, choices: &Choices) -> Markup {
    html! {
        @if let Some(known) = &choices.known {
            p.note role="status" {
                a href=(format!("/admin/customers/{}/", known.id)) { (words.known_customer()) ": " (known.name) }
                " · " (words.last_visit()) " " (words.day(known.last_visit))
                @if !known.notes.is_empty() { br; (known.notes) }
            }
        }
    }
}

/// The services of the model, those that are ticked first; the script shows their sum.
fn services(words: Words, form: &Form, choices: &Choices) -> Markup {
    let name = |service: &Offered| format!("service-{}", service.id);
    let (ticked, others): (Vec<&Offered>, Vec<_>) =
        choices.services.iter().partition(|service| !form.value(&name(service)).is_empty());
    html! {
        fieldset {
            legend { (words.services()) }
            @if let Some(fault) = form.fault("service_ids") { p.fault { (fault) } }
            @if choices.services.is_empty() { p.hint { (words.choose_model()) } }
            ul.offers {
                @for service in ticked.iter().chain(&others) {
                    li { label.tick {
                        input type="checkbox" name=(name(service)) value="yes" checked[!form.value(&name(service)).is_empty()] data-price=(service.price);
                        span { (service.name) }
                        span.num { (rupees(Money::from_paise(service.price))) }
                        small { (service.minutes) " " (words.minutes()) }
                    } }
                }
            }
            p.num data-sum=(words.total()) {}
        }
    }
}
