//! The list of all sessions. Their tokens are never shown.

use axum::{extract::State, response::Response};
use chrono::NaiveDateTime;
use maud::html;
use shared::{
    Result,
    database::Database,
    ids::{SessionId, UserId},
};

use super::show::device;
use crate::{
    App,
    kit::{
        ask::Ask,
        cell::{Cell, Tone, moment_text},
        file,
        list::{Column, Filter, List},
        page::{Page, Place},
        rows::Rows,
    },
    session::Person,
    words::Words,
};

const PLACE: Place = Place { path: "/admin/sessions/", title: "Sessions" };

struct Row {
    id: SessionId,
    user_id: UserId,
    user: String,
    user_agent: String,
    ip_address: String,
    is_active: bool,
    expires: NaiveDateTime,
    seen: NaiveDateTime,
    created: NaiveDateTime,
    count: i64,
}

fn columns() -> Vec<Column<Row>> {
    vec![
        Column::sorted("id", "ID", |row| Cell::Number(row.id.0)),
        Column::sorted("user", "User", |row| Cell::link(format!("/admin/users/{}/", row.user_id), &row.user)),
        Column::plain("device", "Device", |row| Cell::Text(device(&row.user_agent))),
        Column::plain("address", "Address", |row| Cell::Text(row.ip_address.clone())),
        Column::sorted("active", "State", |row| {
            if row.is_active { Cell::Tag(Tone::Good, "Active") } else { Cell::Tag(Tone::Quiet, "Ended") }
        }),
        Column::sorted("expires", "Expires", |row| Cell::Moment(row.expires)),
        Column::sorted("seen", "Last seen", |row| Cell::Moment(row.seen)),
        Column::sorted("created", "Created", |row| Cell::Moment(row.created)),
    ]
}

fn end(row: &Row) -> Cell {
    if !row.is_active {
        return Cell::Empty;
    }
    Cell::Act {
        to: format!("/admin/users/{}/end-session/", row.user_id),
        field: ("session", row.id.to_string()),
        button: "End",
        label: format!("End session of {} from {}", row.user, moment_text(row.created)),
    }
}

fn filters() -> Vec<Filter> {
    let choices = vec![("yes".to_owned(), "Active".to_owned()), ("no".to_owned(), "Ended".to_owned())];
    vec![
        Filter::Choice { name: "active", label: "State", all: "All", choices },
        Filter::Days { name: "expires", label: "Expires" },
        Filter::Days { name: "created", label: "Created" },
    ]
}

async fn rows(database: &Database, ask: &Ask) -> Result<Rows<Row>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        select id, user_id, name as "user!", user_agent, ip_address, is_active as "is_active!",
            shop_clock(expires_at) as "expires!", shop_clock(last_seen_at) as "seen!", shop_clock(created_at) as "created!",
            count(*) over () as "count!"
        from (
            select session.id, session.user_id, session.user_agent, session.ip_address, session.expires_at,
                session.last_seen_at, session.created_at,
                coalesce(
                    nullif(trim(users.first_name || ' ' || users.last_name), ''), users.email, users.phone, users.username
                ) as name,
                session.revoked_at is null and session.expires_at > now() as is_active
            from user_sessions session join users on users.id = session.user_id
            where $1::text is null or lower(users.username) like $1 or users.email like $1 or users.phone like $1
                or lower(users.first_name || ' ' || users.last_name) like $1
        ) as session
        where ($2::boolean is null or is_active = $2)
            and ($3::date is null or shop_clock(expires_at)::date >= $3)
            and ($4::date is null or shop_clock(expires_at)::date <= $4)
            and ($5::date is null or shop_clock(created_at)::date >= $5)
            and ($6::date is null or shop_clock(created_at)::date <= $6)
        order by
            case $7 when 'id' then id when 'expires' then extract(epoch from expires_at)
                when 'seen' then extract(epoch from last_seen_at) when 'created' then extract(epoch from created_at) end,
            case $7 when '-id' then id when '-expires' then extract(epoch from expires_at)
                when '-seen' then extract(epoch from last_seen_at) when '-created' then extract(epoch from created_at) end desc,
            case when $7 = 'active' then not is_active end, case when $7 = '-active' then is_active end,
            case when $7 = 'user' then lower(name) end, case when $7 = '-user' then lower(name) end desc,
            id desc
        limit $8 offset $9
        "#,
        ask.pattern(),
        ask.flag("active"),
        ask.day("expires_from"),
        ask.day("expires_to"),
        ask.day("created_from"),
        ask.day("created_to"),
        ask.sort(),
        ask.limit(),
        ask.offset()
    )
    .fetch_all(&database.pool())
    .await?;
    let count = rows.first().map_or(0, |row| row.count);
    Ok(Rows::numbered(rows, count, ask))
}

pub(crate) async fn list(State(app): State<App>, person: Person, ask: Ask) -> Result<Response> {
    let rows = rows(app.database(), &ask).await?;
    let (mut columns, filters) = (columns(), filters());
    columns.push(Column::plain("end", "Action", end));
    let list = List {
        place: PLACE,
        ask: &ask,
        columns: &columns,
        filters: &filters,
        rows: &rows,
        search: Some("Name, user name, e-mail or phone"),
        empty: "No user has signed in yet. Sessions appear here when people do.",
        bulk: None,
        words: Words::default(),
    };
    let content = html! { h1 { (PLACE.title) } (list.show()) };
    Ok(Page::new(&person, PLACE.path, PLACE.title).show(&content))
}

pub(crate) async fn file(State(app): State<App>, ask: Ask) -> Result<Response> {
    file::file(PLACE, &columns(), &rows(app.database(), &ask).await?)
}
