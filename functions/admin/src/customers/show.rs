//! The page of a customer: contact, visits by bike, money, notes.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Error, Result,
    customers::LONGEST_NOTES,
    database::Database,
    http::Id,
    ids::{CustomerId, UserId},
    money::Money,
};

use super::{list::PLACE, visits};
use crate::{
    App,
    kit::{
        ask::Ask,
        cell::{moment_text, rupees},
        form::{Form, Input, problem},
        page::Page,
    },
    session::Person,
};

pub(super) struct Customer {
    pub(super) id: CustomerId,
    pub(super) name: String,
    phone: Option<String>,
    email: Option<String>,
    notes: String,
    created: NaiveDateTime,
    pub(super) erased: Option<NaiveDateTime>,
    spent: Money,
    due: Money,
    no_shows: i64,
    /// The account with this number.
    user_id: Option<UserId>,
}

/// Why the page of a customer is shown.
#[derive(Default)]
pub(super) struct Shown {
    notice: Option<&'static str>,
    refused: Option<String>,
    status: StatusCode,
    /// Notes as they were sent, when they could not be saved.
    notes: Option<Form>,
}

impl Shown {
    pub(super) fn refused(sentence: String) -> Self {
        Self { refused: Some(sentence), status: StatusCode::CONFLICT, ..Self::default() }
    }

    pub(super) fn faulty(notes: Form, status: StatusCode) -> Self {
        Self { notes: Some(notes), status, ..Self::default() }
    }
}

pub(crate) async fn show(State(app): State<App>, person: Person, Id(id): Id<CustomerId>, ask: Ask) -> Result<Response> {
    let notice = match ask.value("done") {
        Some("notes") => Some("Saved. The notes are shown to the shop only."),
        Some("erased") => Some("Erased. Bookings and money stay, without the person."),
        _ => None,
    };
    page(&app, &person, id, Shown { notice, ..Shown::default() }).await
}

pub(super) async fn page(app: &App, person: &Person, id: CustomerId, shown: Shown) -> Result<Response> {
    let customer = find(app.database(), id).await?;
    let visits = visits::of(app.database(), id).await?;
    let content = html! {
        div.heading {
            h1 { (customer.name) }
            @if customer.erased.is_some() { span.tag.quiet { "Erased" } }
        }
        p.links {
            a href=(format!("{}{id}/history/", PLACE.path)) { "History" }
            @if person.is_admin {
                a href=(format!("/admin/activity/?kind=customer_exports&record={id}")) { "Copies of data handed out" }
            }
        }
        (problem(shown.refused.as_deref()))
        (customer.facts())
        @if customer.erased.is_none() { (customer.notes_form(shown.notes)) }
        h2 { "Visits" }
        (visits::show(&visits))
        @if customer.erased.is_none() && person.is_admin { (customer.data_acts()) }
    };
    let above = [(PLACE.path.to_owned(), PLACE.title.to_owned())];
    let page = Page::new(person, PLACE.path, &customer.name).below(&above).notice(shown.notice).status(shown.status);
    Ok(page.show(&content))
}

pub(super) async fn find(database: &Database, id: CustomerId) -> Result<Customer> {
    sqlx::query_as!(
        Customer,
        r#"
        select customer.id, coalesce(
                newest.customer_name, case when customer.erased_at is null then 'No name' else 'Erased customer' end
            ) as "name!",
            case when customer.erased_at is null then customer.phone end as phone,
            (
                select customer_email from bookings
                where customer_id = customer.id and customer_email is not null order by id desc limit 1
            ) as email,
            customer.notes, shop_clock(customer.created_at) as "created!", shop_clock(customer.erased_at) as erased,
            (
                select coalesce(sum(capture.amount_paise - capture.refunded_paise), 0)::bigint
                from captures capture join bookings booking on booking.id = capture.booking_id
                where booking.customer_id = customer.id and capture.state = 'captured' and capture.currency = 'INR'
            ) as "spent!: Money",
            (
                select coalesce(sum(total_paise), 0)::bigint from bookings booking
                where customer_id = customer.id and is_unpaid(booking)
            ) as "due!: Money",
            (select count(*) from bookings where customer_id = customer.id and is_no_show) as "no_shows!",
            (select id from users where phone = customer.phone and is_phone_verified) as "user_id: UserId"
        from customers customer
        left join lateral (
            select customer_name from bookings where customer_id = customer.id order by id desc limit 1
        ) as newest on true
        where customer.id = $1
        "#,
        id.0
    )
    .fetch_optional(&database.pool())
    .await?
    .ok_or(Error::NotFound("Customer"))
}

impl Customer {
    fn facts(&self) -> Markup {
        html! {
            dl.facts {
                @if let Some(phone) = &self.phone {
                    dt { "Phone" }
                    dd.contact {
                        a href=(format!("tel:{phone}")) aria-label=(format!("Call {phone}")) { (phone) }
                        a href=(format!("https://wa.me/{}", phone.trim_start_matches('+'))) rel="noreferrer" { "Open WhatsApp" }
                    }
                }
                @if let Some(email) = &self.email { dt { "E-mail" } dd.contact { a href=(format!("mailto:{email}")) { (email) } } }
                dt { "First booked" } dd { (moment_text(self.created)) }
                @if let Some(erased) = self.erased { dt { "Erased" } dd { (moment_text(erased)) } }
                dt { "Spent" } dd { (rupees(self.spent)) }
                dt { "Due" } dd { (rupees(self.due)) }
                dt { "Did not come" } dd { (times(self.no_shows)) }
            }
        }
    }

    fn notes_form(&self, sent: Option<Form>) -> Markup {
        let form = sent.unwrap_or_else(|| Form::of([("notes", self.notes.clone()), ("before", self.notes.clone())]));
        // Saving again is meant, once the other notes have been seen.
        let before = if form.has_theirs() { &self.notes } else { form.value("before") };
        html! {
            h2 #notes { "Notes" }
            @if form.has_theirs() {
                div.problem role="alert" {
                    p { "Another user has changed these notes since you opened them. Yours are in the form, and theirs below it. Save again to keep yours." }
                }
            }
            form.stack method="post" action=(format!("{}{}/notes/", PLACE.path, self.id)) {
                input type="hidden" name="before" value=(before);
                (Input::new("notes", "Notes about the customer").kind("textarea").max(LONGEST_NOTES)
                    .hint("For the shop only. Customers see them if they ask for a copy of their data.").in_form(&form))
                div.actions { button type="submit" { "Save notes" } }
            }
        }
    }

    fn data_acts(&self) -> Markup {
        html! {
            section.aside {
                h2 { "Data of this customer" }
                @if let Some(user_id) = self.user_id {
                    p { "The number also belongs to an account, which is separate: " a href=(format!("/admin/users/{user_id}/")) { "open the account" } "." }
                }
                p.hint { "By law customers may have a copy of their data, and have it erased. Both are recorded in the activity." }
                div.actions {
                    form method="post" action=(format!("{}{}/export/", PLACE.path, self.id)) {
                        button.plain type="submit" { "Download a copy of the data" }
                    }
                    a.button.plain href=(format!("{}{}/erase/", PLACE.path, self.id)) { "Erase the data…" }
                }
            }
        }
    }
}

fn times(count: i64) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}
