//! The page of a user: roles, block, sessions.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use lambda_http::http::StatusCode;
use maud::{Markup, html};
use shared::{
    Error, Result,
    accounts::{ADMIN_ROLE, STAFF_ROLE},
    database::Database,
    http::Id,
    ids::{SessionId, UserId},
};

use super::list::PLACE;
use crate::{
    App,
    kit::{ask::Ask, cell::moment_text, form::problem, page::Page},
    session::Person,
};

struct User {
    id: UserId,
    name: String,
    username: String,
    email: Option<String>,
    is_email_verified: bool,
    phone: Option<String>,
    is_phone_verified: bool,
    roles: Vec<String>,
    blocked: Option<NaiveDateTime>,
    created: NaiveDateTime,
}

struct Session {
    id: SessionId,
    user_agent: String,
    ip_address: String,
    created: NaiveDateTime,
    seen: NaiveDateTime,
    expires: NaiveDateTime,
    is_active: bool,
}

pub(crate) async fn show(State(app): State<App>, person: Person, Id(id): Id<UserId>, ask: Ask) -> Result<Response> {
    let notice = match ask.value("done") {
        Some("role") => Some("Saved. It counts from the next request on."),
        Some("blocked") => Some("Blocked. All sessions are over."),
        Some("unblocked") => Some("Unblocked. The user can sign in again."),
        Some("ended") => Some("Ended. It is over from the next request on."),
        _ => None,
    };
    page(&app, &person, id, notice, None).await
}

/// The page of a user, with the reason for which an act was refused.
pub(super) async fn page(
    app: &App,
    person: &Person,
    id: UserId,
    notice: Option<&str>,
    refused: Option<&str>,
) -> Result<Response> {
    let user = find(app.database(), id).await?.ok_or(Error::NotFound("User"))?;
    let sessions = sessions(app.database(), id).await?;
    let content = html! {
        div.heading {
            h1 { (user.title()) }
            @if user.blocked.is_some() { span.tag.bad { "Blocked" } }
        }
        p.links { a href=(format!("/admin/users/{id}/history/")) { "History" } a href=(format!("/admin/activity/?actor={id}")) { "What this user did" } }
        (problem(refused))
        (user.facts())
        (user.role_forms())
        (user.block_form())
        (session_table(id, &sessions, person))
    };
    let status = if refused.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let above = [(PLACE.path.to_owned(), PLACE.title.to_owned())];
    Ok(Page::new(person, PLACE.path, user.title()).below(&above).notice(notice).status(status).show(&content))
}

async fn find(database: &Database, id: UserId) -> Result<Option<User>> {
    Ok(sqlx::query_as!(
        User,
        r#"
        select id, trim(first_name || ' ' || last_name) as "name!", username, email, is_email_verified, phone,
            is_phone_verified, roles, shop_clock(blocked_at) as blocked, shop_clock(created_at) as "created!"
        from users where id = $1
        "#,
        id.0
    )
    .fetch_optional(&database.pool())
    .await?)
}

/// The newest sessions, ended ones included.
async fn sessions(database: &Database, user_id: UserId) -> Result<Vec<Session>> {
    Ok(sqlx::query_as!(
        Session,
        r#"
        select id, user_agent, ip_address, shop_clock(created_at) as "created!", shop_clock(last_seen_at) as "seen!",
            shop_clock(expires_at) as "expires!", revoked_at is null and expires_at > now() as "is_active!"
        from user_sessions where user_id = $1
        order by revoked_at is null and expires_at > now() desc, last_seen_at desc
        limit 50
        "#,
        user_id.0
    )
    .fetch_all(&database.pool())
    .await?)
}

impl User {
    fn title(&self) -> &str {
        if self.name.is_empty() { &self.username } else { &self.name }
    }

    fn facts(&self) -> Markup {
        let verified = |is_verified: bool| if is_verified { "verified" } else { "not verified" };
        html! {
            dl.facts {
                dt { "User name" } dd { (self.username) }
                dt { "E-mail" }
                dd { @if let Some(email) = &self.email { (email) " · " (verified(self.is_email_verified)) } @else { "none" } }
                dt { "Phone" }
                dd { @if let Some(phone) = &self.phone { (phone) " · " (verified(self.is_phone_verified)) } @else { "none" } }
                dt { "Created" } dd { (moment_text(self.created)) }
                @if let Some(blocked) = self.blocked { dt { "Blocked" } dd { (moment_text(blocked)) } }
            }
        }
    }

    fn role_forms(&self) -> Markup {
        html! {
            h2 { "Roles" }
            ul.roles {
                @for (role, title, what) in [
                    (STAFF_ROLE, "Staff", "sees bookings and customers, changes a booking's status, records cash"),
                    (ADMIN_ROLE, "Administrator", "also changes prices, hours and users, and gives refunds"),
                ] {
                    @let has = self.roles.iter().any(|known| known == role);
                    li {
                        span { strong { (title) } " " (what) }
                        form method="post" action=(format!("/admin/users/{}/{}/", self.id, if has { "take-role" } else { "give-role" })) {
                            input type="hidden" name="role" value=(role);
                            @if has { button.plain type="submit" { "Take role “" (title) "”" } }
                            @else { button type="submit" { "Give role “" (title) "”" } }
                        }
                    }
                }
            }
        }
    }

    fn block_form(&self) -> Markup {
        let act = if self.blocked.is_some() { "unblock" } else { "block" };
        html! {
            h2 { "Access" }
            form method="post" action=(format!("/admin/users/{}/{act}/", self.id)) {
                @if self.blocked.is_some() { button type="submit" { "Unblock user" } }
                @else { button.danger type="submit" { "Block user" } }
                p.hint { "A blocked user has no session and can open none." }
            }
        }
    }
}

fn session_table(id: UserId, sessions: &[Session], person: &Person) -> Markup {
    html! {
        div.heading {
            h2 { "Sessions" }
            @if sessions.iter().any(|session| session.is_active) {
                form method="post" action=(format!("/admin/users/{id}/end-sessions/")) { button.plain type="submit" { "End all sessions" } }
            }
        }
        @if sessions.is_empty() { p.empty { "This user has not signed in yet." } }
        @else {
            div.table role="region" aria-label="Sessions" tabindex="0" {
                table {
                    thead { tr { @for title in ["Device", "Address", "Began", "Last seen", "Expires", "State", "Action"] { th scope="col" { (title) } } } }
                    tbody {
                        @for session in sessions {
                            tr {
                                td data-label="Device" { (device(&session.user_agent)) }
                                td data-label="Address" { (session.ip_address) }
                                td data-label="Began" { (moment_text(session.created)) }
                                td data-label="Last seen" { (moment_text(session.seen)) }
                                td data-label="Expires" { (moment_text(session.expires)) }
                                td data-label="State" {
                                    @if session.id == person.session_id { span.tag.good { "This session" } }
                                    @else if session.is_active { span.tag.good { "Active" } } @else { span.tag.quiet { "Ended" } }
                                }
                                td data-label="Action" {
                                    @if session.is_active {
                                        form method="post" action=(format!("/admin/users/{id}/end-session/")) {
                                            input type="hidden" name="session" value=(session.id);
                                            button.plain type="submit" aria-label=(format!("End session of {}", moment_text(session.created))) { "End" }
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

/// A device in a few words, as far as its `User-Agent` says.
pub(super) fn device(user_agent: &str) -> String {
    let first = |pairs: &[(&str, &'static str)]| {
        pairs.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, name)| *name)
    };
    let browser = first(&[("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) if user_agent.is_empty() => "Unknown".to_owned(),
        (None, None) => user_agent.chars().take(40).collect(),
    }
}
