//! Staff keys: made here and shown once, and ended.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Error, Result,
    http::{Fields, Id, Read},
    ids::StaffKeyId,
    staff::issued,
};

use crate::{
    App,
    kit::{
        ask::Ask,
        cell::moment_text,
        form::{Form, Input},
        page::{Page, redirect},
    },
    session::Person,
};

const PATH: &str = "/admin/staff-keys/";

struct Row {
    id: StaffKeyId,
    label: String,
    maker: Option<String>,
    created: NaiveDateTime,
    used: Option<NaiveDateTime>,
    ended: Option<NaiveDateTime>,
}

struct NewKey(String);

impl Read for NewKey {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.text("label", 50).map(Self)
    }
}

pub(crate) async fn list(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let notice = ask.value("done").map(|_| "Ended. Requests with this key are refused from now on.");
    show(&app, &person, &Form::default(), notice, None, StatusCode::OK).await
}

/// Makes a key and shows it, here and never again.
pub(crate) async fn make(State(app): State<App>, person: Person, mut form: Form) -> Result<Response> {
    let Some(NewKey(label)) = form.read() else {
        return show(&app, &person, &form, None, None, StatusCode::BAD_REQUEST).await;
    };
    match issued::add(app.database(), label, None, &person.author()).await.map_err(Error::from) {
        Ok(made) => show(&app, &person, &Form::default(), None, made.key.as_deref(), StatusCode::OK).await,
        Err(Error::Validation(faults) | Error::FaultyField(faults) | Error::Conflict(faults)) => {
            form.blame(faults);
            show(&app, &person, &form, None, None, StatusCode::BAD_REQUEST).await
        }
        Err(error) => Err(error),
    }
}

pub(crate) async fn end(State(app): State<App>, person: Person, Id(id): Id<StaffKeyId>) -> Result<Response> {
    issued::end(app.database(), id, &person.author()).await.map_err(Error::from)?;
    Ok(redirect(&format!("{PATH}?done=ended")))
}

async fn show(
    app: &App,
    person: &Person,
    form: &Form,
    notice: Option<&str>,
    key: Option<&str>,
    status: StatusCode,
) -> Result<Response> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        select id, label, coalesce(name_of_actor(created_by), created_by) as maker, shop_clock(created_at) as "created!",
            shop_clock(last_used_at) as used, shop_clock(revoked_at) as ended
        from staff_keys order by revoked_at is not null, id desc limit 200
        "#
    )
    .fetch_all(&app.database().pool())
    .await?;
    let content = html! {
        h1 { "Staff keys" }
        p.hint { "A key lets a program, such as the staff app, do what staff may do. Keys of the deployment's settings are not listed here." }
        @if let Some(key) = key { (secret(key)) }
        (table(&rows))
        form.stack method="post" action=(PATH) {
            h2 { "Make a key" }
            (Input::new("label", "Label").required().max(50).hint("Who or what uses it, such as “front desk”. The timeline of a booking shows it.").in_form(form))
            div.actions { button type="submit" { "Make key" } }
        }
    };
    Ok(Page::new(person, PATH, "Staff keys").notice(notice).status(status).show(&content))
}

fn secret(key: &str) -> Markup {
    html! {
        div.notice role="status" {
            p { strong { "This is the new key. It is shown only now." } " Copy it to where it is used; if it is lost, end it and make another." }
            p.secret { code { (key) } }
        }
    }
}

fn table(rows: &[Row]) -> Markup {
    html! {
        @if rows.is_empty() { p.empty { "There is no key yet. Make one for each program that asks for bookings." } }
        @else {
            div.table role="region" aria-label="Staff keys" tabindex="0" {
                table {
                    thead { tr { @for title in ["Label", "Made by", "Made", "Last used", "State", "Action"] { th scope="col" { (title) } } } }
                    tbody {
                        @for row in rows {
                            tr {
                                td data-label="Label" { (row.label) }
                                td data-label="Made by" { (row.maker.as_deref().unwrap_or("unknown")) }
                                td data-label="Made" { (moment_text(row.created)) }
                                td data-label="Last used" { @if let Some(used) = row.used { (moment_text(used)) } @else { "never" } }
                                td data-label="State" {
                                    @if let Some(ended) = row.ended { span.tag.quiet { "Ended" } " " (moment_text(ended)) }
                                    @else { span.tag.good { "Valid" } }
                                }
                                td data-label="Action" {
                                    @if row.ended.is_none() {
                                        form method="post" action=(format!("{PATH}{}/end/", row.id)) {
                                            button.plain type="submit" aria-label=(format!("End key {}", row.label)) { "End" }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
